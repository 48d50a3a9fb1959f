//! `reflectt check`, as people, programs and builds run it.

use std::process::Command;

use serde_json::json;

use super::*;

/// A commit of a claimed file by somebody without hooks.
fn found() -> (Repo, String) {
    let (repo, id) = claimed();
    repo.write("src/auth/a,b: 100%.rs", "x");
    repo.git(["add", "-A"]);
    git_as(
        &repo,
        Some("kai"),
        &["commit", "-q", "--no-verify", "-m", "sneaky"],
    )
    .ok();
    (repo, id)
}

#[test]
fn findings_for_people_programs_and_github() {
    let (repo, id) = found();
    repo.reflectt(["check", "HEAD~1..HEAD"]).snapshot(
        "
        exit 3
        --- stderr
        error: `src/auth/a,b: 100%.rs` is claimed by others
          [OID] sneaky (Ann)
            src/auth/a,b: 100%.rs
              claimed [AGO] by link (active, last seen [AGO]) for `[ID1]` (Keep the return path)
        hint: reflectt send link 'when will you be done?' --task [ID1] (asks the holder)
        ",
    );
    repo.reflectt(["check", "--format", "github", "HEAD"])
        .code(3);
    let github = repo.reflectt(["check", "--format", "github", "HEAD"]);
    let short = &head(&repo)[..12];
    assert_eq!(
        github.stdout,
        format!(
            "::error file=src/auth/a%2Cb%3A 100%25.rs,title=reflectt%3A commit {short}::claimed by link for {id} (Keep the return path)\n"
        )
    );
    let json = repo
        .reflectt(["--json", "check", "HEAD~1..HEAD"])
        .code(3)
        .json();
    assert_eq!(
        (&json["outcome"], &json["checked"]),
        (&json!("block"), &json!(1))
    );
    assert_eq!(json["error"]["kind"], "held");
    let finding = &json["findings"][0];
    assert_eq!(finding["kind"], "held");
    assert_eq!(finding["commit"], head(&repo));
    assert_eq!(finding["paths"], json!(["src/auth/a,b: 100%.rs"]));
    assert_eq!(
        (&finding["holder"], &finding["fence"]),
        (&json!("link"), &json!(1))
    );
    assert_eq!(
        (&finding["task"], &finding["author"]),
        (&json!(id), &json!("Ann"))
    );

    repo.reflectt(["check", "HEAD~1"]).snapshot(
        "
        --- stdout
        1 commit checked: no claim is in the way
        ",
    );
    let json = repo.reflectt(["--json", "check", "HEAD~1"]).ok().json();
    assert_eq!(json["findings"], json!([]));
}

#[test]
fn another_version_of_the_table_may_be_asked_for() {
    let (repo, id) = found();
    let then = repo.git(["rev-parse", "refs/reflectt/claims"]);
    repo.as_agent("link", ["release", &id]).ok();
    repo.reflectt(["check", "HEAD"]).ok();
    repo.reflectt(["check", "HEAD", "--against", &then]).code(3);
    repo.reflectt(["check", "HEAD", "--against", "refs/reflectt/claims"])
        .ok();
    repo.reflectt(["check", "HEAD", "--against", "refs/heads/main"])
        .code(1);
    for unknown in ["nowhere", "nowhere..HEAD", "--all", "HEAD..nowhere"] {
        repo.reflectt(["check", "--", unknown]).code(2);
    }
    repo.reflectt(["check", "HEAD", "--against", "nowhere"])
        .code(2);
}

#[test]
fn the_authors_name_and_overrides_count() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "1");
    let by_link = [
        "-c",
        "user.name=link",
        "commit",
        "-qa",
        "--no-verify",
        "-m",
        "x",
    ];
    git_with(&repo, None, &[("GIT_AUTHOR_NAME", "link")], &by_link).ok();
    repo.reflectt(["check", "HEAD"]).ok();

    repo.write("src/auth/login.rs", "2");
    let reason = [("REFLECTT_OVERRIDE", "a customer is waiting")];
    git_with(&repo, None, &reason, &["commit", "-qam", "fix"]).ok();
    repo.reflectt(["check", "HEAD"]).ok();
    // The words alone, which anyone can write, are no override of other files.
    repo.write("src/auth/token.rs", "3");
    let message = "more\n\nReflectt-Override: a customer is waiting";
    git_as(
        &repo,
        None,
        &["commit", "-qa", "--no-verify", "-m", message],
    )
    .ok();
    repo.reflectt(["check", "HEAD"]).code(3);
}

#[test]
fn settings_are_followed() {
    let (repo, _) = found();
    repo.set("kai", "enforce.mode", "warn");
    let warned = repo.reflectt(["check", "HEAD"]).ok();
    assert!(warned.stderr.starts_with("warning: `src/auth/"), "{warned}");
    let github = repo.reflectt(["check", "--format", "github", "HEAD"]).ok();
    assert!(github.stdout.starts_with("::warning "), "{github}");
    repo.set("kai", "enforce.mode", "off");
    let off = repo.reflectt(["check", "HEAD"]).ok();
    assert!(off.stdout.contains("not enforced here"), "{off}");

    repo.set("kai", "enforce.mode", "block");
    repo.set("kai", "enforce.require_claim", "true");
    repo.write("docs/guide.md", "x");
    git_as(
        &repo,
        Some("kai"),
        &["commit", "-qa", "--no-verify", "-m", "x"],
    )
    .ok();
    repo.git(["config", "user.email", "ann@example.com"]);
    repo.as_agent("kai", ["check", "HEAD"]).code(4);
    repo.reflectt(["check", "HEAD"]).ok();
}

/// A clone as a build makes it: no hooks, no branch of the record, no claims.
fn build_clone(repo: &Repo) -> Repo {
    let remote = repo.env().bare("remote.git");
    let url = remote.path().to_str().unwrap();
    let all = [
        "push",
        "-q",
        "--no-verify",
        url,
        "refs/heads/*:refs/heads/*",
        "refs/reflectt/*:refs/reflectt/*",
    ];
    repo.git(all);
    repo.env().clone_of(&remote, "build")
}

/// Returns the scripts of the workflow's steps.
fn steps() -> Vec<String> {
    let workflow = include_str!("../../../templates/github-workflow.yml");
    let mut steps: Vec<String> = Vec::new();
    let mut inside = None;
    for line in workflow.lines() {
        let indent = line.len() - line.trim_start().len();
        if inside.is_some_and(|at| indent > at || line.is_empty()) {
            let step = steps.last_mut().unwrap();
            step.push_str(line.trim_start());
            step.push('\n');
            continue;
        }
        inside = None;
        if let Some(script) = line.trim_start().strip_prefix("run: ") {
            match script {
                "|" => {
                    inside = Some(indent);
                    steps.push(String::new());
                }
                one => steps.push(one.to_owned()),
            }
        }
    }
    steps
}

fn run_workflow(build: &Repo, base: &str) -> Output {
    // Installing is the runner's business.
    let scripts: Vec<String> = steps()
        .into_iter()
        .filter(|s| !s.starts_with("cargo install"))
        .collect();
    assert_eq!(scripts.len(), 2);
    let mut last = None;
    for text in scripts {
        let mut shell = Command::new("bash");
        build.env().prepare(&mut shell);
        shell
            .env("PATH", path_with_reflectt(build))
            .env("BASE", base)
            .env("HEAD", head(build));
        shell
            .current_dir(build.path())
            .args(["-e", "-o", "pipefail", "-c", &text]);
        let output = Output::of(build, text, shell.output().unwrap());
        let failed = output.status != Some(0);
        last = Some(output);
        if failed {
            break;
        }
    }
    last.unwrap()
}

#[test]
fn the_workflow_finds_what_was_pushed() {
    let (repo, id) = found();
    let base = repo.git(["rev-parse", "HEAD~1"]);
    let build = build_clone(&repo);
    // Before the workflow has fetched anything, a check must not be green for no reason.
    let bare = build.reflectt(["check", "HEAD"]).code(1);
    assert!(bare.stderr.contains("hint: git fetch origin"), "{bare}");
    let run = run_workflow(&build, &base).code(3);
    assert!(
        run.stdout.contains(&format!("claimed by link for {id}")),
        "{run}"
    );
    assert!(run.stderr.contains("works in another clone"), "{run}");
    // A new branch: only its last commit is looked at.
    run_workflow(&build, &"0".repeat(40)).code(3);
}

#[test]
fn the_workflow_is_green_where_all_is_well() {
    let (repo, _) = claimed();
    let base = head(&repo);
    repo.write("src/auth/login.rs", "by link");
    git_as(&repo, Some("link"), &["commit", "-qam", "work"]).ok();
    let build = build_clone(&repo);
    let run = run_workflow(&build, &base).ok();
    assert!(run.stdout.contains("1 commit checked"), "{run}");

    // A team that has claimed nothing yet has no table.
    let fresh = team();
    let build = build_clone(&fresh);
    run_workflow(&build, &head(&fresh)).ok();
}

#[test]
fn a_squash_of_a_forge_is_the_holders_own_work() {
    let (repo, id) = claimed();
    let message = format!(
        "Return path (#12)\n\n* keep it\n\nReflectt-Task: {id}\nReflectt-Fence: 1\n\n* test it\n\n\
         ---------\n\nCo-authored-by: Ann <ann@example.com>"
    );
    for text in [&message, &message.replace("Reflectt-", "    Reflectt-")] {
        repo.write("src/auth/login.rs", text);
        repo.git(["add", "-A"]);
        repo.git(["commit", "-q", "--no-verify", "-m", text]);
        repo.reflectt(["check", "HEAD"]).ok();
    }
    repo.write("src/auth/login.rs", "by somebody");
    let other = message.replace("Fence: 1", "Fence: 7");
    repo.git(["commit", "-qa", "--no-verify", "-m", &other]);
    repo.reflectt(["check", "HEAD"]).code(7);
}

#[test]
fn a_shallow_checkout_is_told_what_it_lacks() {
    let (repo, _) = found();
    let base = repo.git(["rev-parse", "HEAD~1"]);
    let tip = head(&repo);
    build_clone(&repo);
    let env = repo.env().clone();
    let url = format!("file://{}", env.dir().join("remote.git").display());
    let shallow = Repo::at(env.clone(), env.dir().join("shallow"));
    let to = shallow.path().to_str().unwrap();
    repo.git(["clone", "-q", "--depth=1", "--branch=main", &url, to]);
    for name in ["refs/heads/reflectt", "refs/reflectt/claims"] {
        shallow.git(["fetch", "-q", "origin", &format!("+{name}:{name}")]);
    }
    let hints = "hint: fetch-depth: 0 (in the workflow, below `with:` of actions/checkout)\n\
                 hint: git fetch --unshallow (in this clone)\n";
    let missing = shallow
        .reflectt(["check", &format!("{base}..HEAD")])
        .code(2);
    assert_eq!(
        missing.stderr,
        format!("error: `{base}..HEAD` names no commits here\n{hints}")
    );
    let cut = shallow.reflectt(["check", "HEAD"]).code(1);
    let short = &tip[..12];
    assert_eq!(
        cut.stderr,
        format!(
            "error: this clone is shallow: what commit {short} changes cannot be told from what was there before\n{hints}"
        )
    );
    shallow.git(["fetch", "-q", "--unshallow"]);
    shallow.reflectt(["check", "HEAD"]).code(3);
    // Forty digits are no commit.
    let nothing = shallow
        .reflectt(["check", &format!("{}..HEAD", "f".repeat(40))])
        .code(2);
    assert!(
        nothing
            .stderr
            .ends_with("hint: git fetch (if they are on the remote)\n"),
        "{nothing}"
    );
}
