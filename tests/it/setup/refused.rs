//! What cannot be set up, and that nothing at all is changed then.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// Expects a refusal that names these, and every file to be as it was.
#[track_caller]
fn refused(repo: &Repo, harnesses: &[&str], says: &[&str]) -> Output {
    let before = files(repo.path());
    let refused = run(repo, harnesses).code(4);
    for what in says {
        assert!(refused.stderr.contains(what), "{what}\n{refused}");
    }
    assert!(refused.stderr.contains("hint: "), "{refused}");
    assert_eq!(files(repo.path()), before);
    refused
}

#[test]
fn a_file_that_is_not_understood_stops_everything() {
    for (name, text, place) in [
        (
            ".gemini/settings.json",
            "{\n  \"a\": \n}",
            "`.gemini/settings.json`, line 3, column 1: ",
        ),
        (
            ".gemini/settings.json",
            "{\"hooks\": []}",
            "line 1, column 11: `hooks` is not an object",
        ),
        (
            ".claude/settings.json",
            "[]",
            "`.claude/settings.json`, line 1, column 1: ",
        ),
        (
            ".mcp.json",
            "{\"mcpServers\": 1}",
            "`mcpServers` is not an object",
        ),
        (
            ".codex/config.toml",
            "a = \n",
            "`.codex/config.toml`, line 1, column 5: ",
        ),
        (
            ".codex/config.toml",
            "mcp_servers = 1\n",
            "`mcp_servers` is not a table",
        ),
        (
            "AGENTS.md",
            "a\n<!-- BEGIN REFLECTT -->\n",
            "`AGENTS.md`, line 2, column 1: ",
        ),
    ] {
        let repo = repo();
        repo.write(name, text);
        refused(&repo, &["claude", "codex", "gemini"], &[place]);
    }
    let repo = repo();
    repo.write("AGENTS.md", [0xff, 0xfe, b'a', 0]);
    refused(&repo, &["codex"], &["`AGENTS.md` is no UTF-8 text"]);
}

#[test]
fn a_file_of_somebody_elses_by_our_name() {
    let repo = repo();
    repo.write(".opencode/plugins/reflectt.js", "// mine\n");
    refused(
        &repo,
        &["opencode"],
        &["`.opencode/plugins/reflectt.js` is there already"],
    );
    run(&repo, &["--remove"]).ok();
    assert!(repo.path().join(".opencode/plugins/reflectt.js").exists());
}

#[test]
fn links_that_lead_elsewhere() {
    let repo = repo();
    let outside = repo.env().outside();
    std::fs::create_dir(outside.path().join("claude")).unwrap();
    symlink(outside.path().join("claude"), repo.path().join(".claude")).unwrap();
    refused(
        &repo,
        &["claude"],
        &["`.claude/settings.json` is a link that leads out"],
    );
    assert_eq!(names(&outside), Vec::<String>::new());
    std::fs::remove_file(repo.path().join(".claude")).unwrap();
    symlink("nowhere", repo.path().join(".claude")).unwrap();
    refused(&repo, &["claude"], &["a link to what is not there"]);
    std::fs::remove_file(repo.path().join(".claude")).unwrap();
    // Into a worktree inside of this one.
    let inner = repo.path().join("inner");
    repo.git([
        "worktree",
        "add",
        "-q",
        "-b",
        "inner",
        inner.to_str().unwrap(),
    ]);
    symlink("inner", repo.path().join(".claude")).unwrap();
    refused(&repo, &["claude"], &["leads into another working tree"]);
}

#[test]
fn read_only_files_and_directories() {
    let set_mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let repo = repo();
    repo.write(".mcp.json", "{}");
    set_mode(&repo.path().join(".mcp.json"), 0o444);
    refused(&repo, &["claude"], &["`.mcp.json` is read-only"]);
    set_mode(&repo.path().join(".mcp.json"), 0o640);
    run(&repo, &["claude"]).ok();
    let meta = std::fs::metadata(repo.path().join(".mcp.json")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o640);
    // A new file has the mode that every new file has here.
    repo.write("plain", "");
    let mode = |name: &str| {
        std::fs::metadata(repo.path().join(name))
            .unwrap()
            .permissions()
    };
    assert_eq!(mode(".claude/settings.json"), mode("plain"));
    std::fs::remove_file(repo.path().join("plain")).unwrap();
    run(&repo, &["--remove"]).ok();

    // The superuser may write everywhere, so somebody else has to try.
    const NOBODY: u32 = 65_534;
    if !is_root() {
        return;
    }
    std::fs::create_dir(repo.path().join(".codex")).unwrap();
    set_mode(&repo.path().join(".codex"), 0o755);
    set_mode(repo.path(), 0o777);
    set_mode(repo.env().dir(), 0o755);
    let before = files(repo.path());
    repo.git(["config", "--global", "--add", "safe.directory", "*"]);
    let stopped = setup(&repo, &["claude", "codex"])
        .user(NOBODY)
        .run()
        .code(1);
    assert!(
        stopped.stderr.contains("cannot write `.codex/"),
        "{stopped}"
    );
    assert_eq!(files(repo.path()), before);
}

fn is_root() -> bool {
    // SAFETY: it only asks for a number.
    unsafe { libc::geteuid() == 0 }
}

#[test]
fn nothing_found_and_nothing_known() {
    let repo = repo();
    let nothing = run(&repo, &[]).code(5);
    assert!(
        nothing
            .stderr
            .contains("claude, codex, gemini, copilot, cursor, opencode")
    );
    let unknown = run(&repo, &["vim"]).code(2);
    assert!(unknown.stderr.contains("opencode"), "{unknown}");
    let told = run(&repo, &["--json"]).code(5).json();
    assert_eq!(told["error"]["kind"], "nothing");
    let bare = repo.env().bare("bare");
    let refused = run(&bare, &["claude"]).code(1);
    assert!(refused.stderr.contains("no working tree"), "{refused}");
    run(&repo, &["--remove"]).ok();
}
