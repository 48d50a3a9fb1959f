//! Subdirectories, linked worktrees, links, and a user's own files.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn from_a_subdirectory_the_files_go_to_the_root() {
    let repo = repo();
    run(&repo.sub("src/deep"), &["codex"]).ok();
    assert_eq!(names(&repo), FRESH[1].1);
}

#[test]
fn a_linked_worktree_gets_files_of_its_own() {
    let repo = repo();
    let linked = repo.worktree("linked");
    let done = run(&linked, &["claude", "codex"]).ok();
    assert!(names(&linked).contains(&".claude/settings.json".to_owned()));
    assert_eq!(names(&repo), Vec::<String>::new());
    let main = format!("`.codex/hooks.json` is in {}", repo.path().display());
    assert!(done.stdout.contains(&main), "{done}");
    let here = run(&repo, &["codex"]).ok();
    assert!(!here.stdout.contains("main checkout"), "{here}");
}

#[test]
fn links_inside_are_followed_and_kept() {
    let repo = repo();
    repo.write("AGENTS.md", "# Rules\n");
    repo.write("config/claude/settings.json", "{}\n");
    symlink("AGENTS.md", repo.path().join("CLAUDE.md")).unwrap();
    symlink("AGENTS.md", repo.path().join("GEMINI.md")).unwrap();
    symlink("config/claude", repo.path().join(".claude")).unwrap();
    there_and_back(&repo, &["claude", "gemini", "codex"]);
    let done = run(&repo, &["claude", "gemini", "codex", "--json"]).ok();
    let agents = std::fs::read_to_string(repo.path().join("AGENTS.md")).unwrap();
    assert_eq!(agents.matches("BEGIN REFLECTT").count(), 1);
    let commit = done.json()["commit"].to_string();
    assert!(commit.contains("config/claude/settings.json"), "{commit}");
    assert!(repo.path().join(".claude").is_symlink());
    assert!(repo.path().join("CLAUDE.md").is_symlink());
}

#[test]
fn a_users_own_files_follow_the_environment() {
    let repo = repo();
    let home = repo.env().home();
    let user = |args: &[&str]| {
        let all = [
            &[
                "--user", "claude", "codex", "copilot", "opencode", "gemini", "cursor",
            ],
            args,
        ];
        setup(&repo, &all.concat())
            .env("CODEX_HOME", home.join("codex").to_str().unwrap())
            .run()
    };
    std::fs::write(home.join(".claude.json"), "{\"numStartups\": 3}").unwrap();
    let before = files(&home);
    let done = user(&[]).ok();
    assert_eq!(names(&repo), Vec::<String>::new(), "{done}");
    let made: Vec<String> = files(&home)
        .into_keys()
        .filter(|n| !n.ends_with('/'))
        .collect();
    assert_eq!(
        made,
        [
            ".claude.json",
            ".claude/settings.json",
            ".copilot/mcp-config.json",
            ".cursor/hooks.json",
            ".cursor/mcp.json",
            ".gemini/settings.json",
            "codex/config.toml",
            "codex/hooks.json",
            "config/opencode/opencode.json",
            "config/opencode/plugins/reflectt.js",
            "gitconfig",
        ]
    );
    assert!(!done.stderr.contains("git add"), "{done}");
    user(&["--check"]).ok();
    user(&["--remove"]).ok();
    assert_eq!(files(&home), before);

    // Without a repository, too.
    let outside = repo.env().outside();
    run(&outside, &["--user", "claude"]).ok();
    assert!(home.join(".claude/settings.json").exists());
    run(&outside, &["claude"]).code(1);
}

#[test]
fn what_is_ignored_is_not_proposed_for_a_commit() {
    let repo = repo();
    repo.write(".gitignore", ".claude/\n");
    let commit = |args: &[&str]| {
        let done = run(&repo, &[args, &["--json"]].concat()).ok();
        done.json()["commit"].clone()
    };
    let expected = serde_json::json!([".mcp.json", "AGENTS.md", "CLAUDE.md"]);
    assert_eq!(commit(&["claude"]), expected);
    assert_eq!(commit(&["claude"]), expected);
    repo.commit("all");
    assert_eq!(commit(&["claude"]), serde_json::json!([]));
    assert_eq!(commit(&["--remove"]), expected);
    let hint = run(&repo, &["claude"]).ok();
    assert!(!hint.stderr.contains("git add"), "{hint}");
}

#[test]
fn traces_in_the_repository_and_on_the_path() {
    let repo = repo();
    repo.write("GEMINI.md", "x\n");
    let found = |run: Run| -> Vec<String> {
        let told = run.run().ok().json();
        let all = told["harnesses"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let look = || setup(&repo, &["--json", "--dry-run"]);
    assert_eq!(found(look()), ["gemini"]);
    let bin = repo.env().dir().join("tools");
    crate::hooks::script(&bin.join("opencode"), "#!/bin/sh\n");
    assert_eq!(found(look()), ["gemini", "opencode"]);
    assert_eq!(names(&repo), ["GEMINI.md"]);
}
