//! Installing beside the hooks of others, and leaving no trace.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::PathBuf;

use serde_json::json;

use super::*;

/// A team without hooks of ours.
pub fn bare_team() -> (Repo, PathBuf) {
    let repo = TestEnv::new().repo("repo");
    repo.write("src/auth/login.rs", "x");
    repo.write("src/lib.rs", "x");
    repo.commit("files");
    repo.reflectt(["init", "--no-hooks"]).ok();
    for agent in ["kai", "link"] {
        repo.reflectt(["--as", agent, "join", agent]).ok();
    }
    prepare(&repo);
    claim(&repo, "link", "Keep the return path", "src/auth");
    let hooks = repo.common_dir().join("hooks");
    (repo, hooks)
}

/// Every file of a directory with its mode, and its bytes or the text of the link that it is.
pub fn contents(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            all.extend(contents(&path));
            continue;
        }
        let bytes = match fs::read_link(&path) {
            Ok(target) => target.into_os_string().into_encoded_bytes(),
            Err(_) => fs::read(&path).unwrap(),
        };
        all.insert(path, (meta.mode(), bytes));
    }
    all
}

/// Commits an edit of a claimed file as an agent, and expects this exit code of git.
#[track_caller]
pub fn commit_as(repo: &Repo, agent: &str, code: i32) -> Output {
    repo.write("src/auth/login.rs", format!("{agent} {}", head(repo)));
    repo.git(["add", "-A"]);
    git_as(repo, Some(agent), &["commit", "-qm", "x"]).code(code)
}

#[test]
fn installing_twice_is_installing_once_and_taking_out_leaves_nothing() {
    let (repo, hooks) = bare_team();
    let before = contents(&hooks);
    commit_as(&repo, "kai", 0);
    repo.reflectt(["hooks", "install"]).snapshot(
        "
        --- stdout
        pre-commit        installed
        pre-merge-commit  installed
        commit-msg        installed
        pre-push          installed
        ",
    );
    let once = contents(&hooks);
    commit_as(&repo, "kai", 1);
    let again = repo.reflectt(["--json", "hooks", "install"]).ok().json();
    assert_eq!(again["placement"], "repository");
    assert_eq!(
        again["hooks"][0],
        json!({"name": "pre-commit", "done": "unchanged"})
    );
    assert_eq!(contents(&hooks), once);
    repo.reflectt(["hooks", "uninstall"]).ok();
    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(contents(&hooks), before);
    commit_as(&repo, "kai", 0);
}

#[test]
fn init_installs_unless_told_not_to() {
    let env = TestEnv::new();
    let hook = |repo: &Repo| repo.common_dir().join("hooks/pre-commit").exists();
    let repo = env.repo("with");
    assert_eq!(
        repo.reflectt(["--json", "init"]).ok().json()["hooks"],
        "installed"
    );
    assert!(hook(&repo));
    let repo = env.repo("without");
    assert_eq!(
        repo.reflectt(["--json", "init", "--no-hooks"]).ok().json()["hooks"],
        "none"
    );
    assert!(!hook(&repo));
    let repo = env.repo("damaged");
    fs::write(
        repo.common_dir().join("hooks/pre-commit"),
        "# >>> reflectt >>> [made]\n",
    )
    .unwrap();
    let output = repo.reflectt(["--json", "init"]).ok();
    assert_eq!(output.json()["hooks"], "failed");
    assert!(output.stderr.contains("has no end"), "{output}");
}

#[test]
fn shell_hooks_get_a_block_and_keep_running() {
    let (repo, hooks) = bare_team();
    let ran = repo.env().dir().join("ran");
    let text = |code: i32| {
        format!(
            "#!/usr/bin/env bash\nset -euo pipefail\necho \"$0 $*\" >>'{}'\ncat >>'{}'\nexit {code}",
            ran.display(),
            ran.display()
        )
    };
    for name in ["pre-commit", "commit-msg", "pre-push"] {
        script(&hooks.join(name), &text(0));
    }
    set_mode(&hooks.join("commit-msg"), 0o700);
    // Bytes that are no text stay as they are.
    let mut odd = text(0).into_bytes();
    odd.extend(b"\n# \xff\xfe\r\n");
    fs::write(hooks.join("pre-commit"), odd).unwrap();
    let before = contents(&hooks);
    let done = repo.reflectt(["--json", "hooks", "install"]).ok().json();
    assert_eq!(
        done["hooks"][0],
        json!({"name": "pre-commit", "done": "added"})
    );

    commit_as(&repo, "kai", 1);
    assert!(!ran.exists(), "stopped before the others ran");
    commit_as(&repo, "link", 0);
    let log = fs::read_to_string(&ran).unwrap();
    assert!(log.contains("pre-commit \n"), "{log}");
    assert!(log.contains("commit-msg .git/COMMIT_EDITMSG\n"), "{log}");

    // The lines of a push reach both, byte for byte.
    let remote = repo.env().bare("remote.git");
    repo.git(["remote", "add", "origin", remote.path().to_str().unwrap()]);
    fs::remove_file(&ran).unwrap();
    git_as(
        &repo,
        Some("link"),
        &["push", "-q", "origin", "main", "main:other"],
    )
    .ok();
    let log = fs::read_to_string(&ran).unwrap();
    let tip = head(&repo);
    let zeros = "0".repeat(40);
    let lines = format!(
        "refs/heads/main {tip} refs/heads/main {zeros}\nrefs/heads/main {tip} refs/heads/other {zeros}\n"
    );
    assert!(
        log.contains("pre-push origin ") && log.ends_with(&lines),
        "{log}"
    );
    fs::remove_file(&ran).unwrap();
    git_as(&repo, Some("link"), &["push", "-q", "origin", "main"]).ok();
    let log = fs::read_to_string(&ran).unwrap();
    assert!(
        log.ends_with("remote.git\n"),
        "no line where git wrote none: {log:?}"
    );

    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(contents(&hooks), before);

    // What the others say still counts.
    script(&hooks.join("pre-commit"), &text(3));
    repo.reflectt(["hooks", "install"]).ok();
    commit_as(&repo, "link", 1);
    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(
        fs::read_to_string(hooks.join("pre-commit")).unwrap(),
        text(3)
    );
}

#[test]
fn other_hooks_are_wrapped_and_keep_arguments_input_and_exit_code() {
    let (repo, hooks) = bare_team();
    let ran = repo.env().dir().join("ran");
    let perl = |code: i32| {
        format!(
            "#!/usr/bin/perl\nopen F, '>>', '{}';\nprint F \"@ARGV\\n\", <STDIN>;\nclose F;\nexit {code};\n",
            ran.display()
        )
    };
    script(&hooks.join("pre-commit"), &perl(0));
    script(&hooks.join("pre-push"), &perl(0));
    script(&hooks.join("commit-msg"), &perl(9));
    set_mode(&hooks.join("pre-push"), 0o750);
    // A program, and a link to one script behind several hooks.
    fs::copy("/bin/true", hooks.join("pre-merge-commit")).unwrap();
    let before = contents(&hooks);
    let done = repo.reflectt(["--json", "hooks", "install"]).ok().json();
    for number in 0..4 {
        assert_eq!(done["hooks"][number]["done"], "wrapped", "{done}");
    }
    let once = contents(&hooks);
    repo.reflectt(["hooks", "install"]).ok();
    assert_eq!(contents(&hooks), once);

    commit_as(&repo, "kai", 1);
    assert!(!ran.exists());
    commit_as(&repo, "link", 1);
    let log = fs::read_to_string(&ran).unwrap();
    assert_eq!(log, "\n.git/COMMIT_EDITMSG\n", "commit-msg said 9");
    git_as(&repo, Some("link"), &["commit", "-qn", "-m", "x"]).ok();

    let remote = repo.env().bare("remote.git");
    repo.git(["remote", "add", "origin", remote.path().to_str().unwrap()]);
    fs::remove_file(&ran).unwrap();
    git_as(&repo, Some("link"), &["push", "-q", "origin", "main"]).ok();
    let log = fs::read_to_string(&ran).unwrap();
    let lines = format!(
        "refs/heads/main {} refs/heads/main {}\n",
        head(&repo),
        "0".repeat(40)
    );
    assert_eq!(log, format!("origin {}\n{lines}", remote.path().display()));

    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(contents(&hooks), before);
}

#[test]
fn links_keep_their_names_and_their_targets_are_not_touched() {
    let (repo, hooks) = bare_team();
    let ran = repo.env().dir().join("ran");
    let shared = format!("#!/bin/sh\nbasename \"$0\" >>'{}'\n", ran.display());
    script(&hooks.join("shared"), &shared);
    symlink("shared", hooks.join("pre-commit")).unwrap();
    symlink(hooks.join("shared"), hooks.join("commit-msg")).unwrap();
    let before = contents(&hooks);
    repo.reflectt(["hooks", "install"]).ok();
    repo.reflectt(["hooks", "install"]).ok();
    assert_eq!(fs::read_to_string(hooks.join("shared")).unwrap(), shared);
    commit_as(&repo, "kai", 1);
    commit_as(&repo, "link", 0);
    assert_eq!(
        fs::read_to_string(&ran).unwrap(),
        "pre-commit\ncommit-msg\n"
    );
    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(contents(&hooks), before);
}

#[test]
fn a_hook_that_git_did_not_run_is_not_run_now() {
    let (repo, hooks) = bare_team();
    let ran = repo.env().dir().join("ran");
    fs::write(
        hooks.join("pre-commit"),
        format!("#!/bin/sh\ntouch '{}'\n", ran.display()),
    )
    .unwrap();
    let before = contents(&hooks);
    let done = repo.reflectt(["--json", "hooks", "install"]).ok().json();
    assert_eq!(done["hooks"][0]["done"], "set_aside");
    commit_as(&repo, "kai", 1);
    commit_as(&repo, "link", 0);
    assert!(!ran.exists());
    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(contents(&hooks), before);
}

#[test]
fn a_file_changed_since_is_not_lost() {
    let (repo, hooks) = bare_team();
    repo.reflectt(["hooks", "install"]).ok();
    let hook = hooks.join("pre-commit");
    let text = fs::read_to_string(&hook).unwrap() + "make lint\n";
    fs::write(&hook, text).unwrap();
    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nmake lint\n");

    script(&hook, "#!/usr/bin/perl\n1;\n");
    repo.reflectt(["hooks", "install"]).ok();
    let text = fs::read_to_string(&hook).unwrap() + "make lint\n";
    fs::write(&hook, text).unwrap();
    let refused = repo.reflectt(["hooks", "uninstall"]).code(1);
    assert!(
        refused
            .stderr
            .contains("was changed since reflectt wrapped"),
        "{refused}"
    );
    assert!(hooks.join("pre-commit.before-reflectt").exists());
}

#[test]
fn the_configured_directory_is_the_one() {
    let (repo, hooks) = bare_team();
    let elsewhere = repo.env().dir().join("my hooks");
    repo.git(["config", "core.hooksPath", elsewhere.to_str().unwrap()]);
    let before = contents(&hooks);
    let done = repo.reflectt(["--json", "hooks", "install"]).ok().json();
    assert_eq!(done["placement"], "elsewhere");
    commit_as(&repo, "kai", 1);
    assert_eq!(contents(&hooks), before);
    // From a worktree it is the same.
    let tree = repo.worktree("tree");
    let done = tree.reflectt(["--json", "hooks", "install"]).ok().json();
    assert_eq!(done["hooks"][0]["done"], "unchanged");
    tree.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

    repo.git(["config", "--unset", "core.hooksPath"]);
    tree.reflectt(["hooks", "install"]).ok();
    tree.write("src/auth/login.rs", "x");
    git_as(&tree, Some("kai"), &["commit", "-qam", "x"]).code(1);
}

#[test]
fn in_a_checkout_nothing_is_changed_and_the_snippet_works() {
    let (repo, hooks) = bare_team();
    repo.git(["config", "core.hooksPath", ".husky/_"]);
    script(
        &repo.path().join(".husky/_/pre-commit"),
        "#!/bin/sh\n. \"$(dirname \"$0\")/../pre-commit\"\n",
    );
    repo.write(".husky/pre-commit", "echo checked >&2\n");
    let before = (contents(&hooks), contents(&repo.path().join(".husky")));
    repo.reflectt(["hooks", "install"]).snapshot(
        "
        --- stderr
        warning: no hook was changed: `core.hooksPath` is [DIR]/repo/.husky/_, in the checkout
        hint: reflectt hooks install --into husky (adds reflectt to what husky runs)
        hint: reflectt hooks status (shows whether it fires)
        ",
    );
    assert_eq!(
        repo.reflectt(["--json", "init"]).ok().json()["hooks"],
        "manual"
    );
    assert_eq!(
        (contents(&hooks), contents(&repo.path().join(".husky"))),
        before
    );

    let path = path_with_reflectt(&repo);
    let state = || {
        let status = repo
            .command(["--json", "hooks", "status"])
            .env("PATH", path.clone());
        let layers = status.run().ok().json()["layers"]
            .as_array()
            .unwrap()
            .clone();
        layers[0]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(), "absent");
    let snippet = repo.reflectt(["hooks", "snippet", "husky"]).ok().stdout;
    let call = |line: &&str| line.contains("reflectt hook pre-commit");
    let line = snippet.lines().find(call).unwrap();
    repo.write(".husky/pre-commit", format!("echo checked >&2\n{line}\n"));
    assert_eq!(state(), "active");
    repo.write("src/auth/login.rs", "edited");
    let with_path = [("PATH", path.as_str())];
    let stopped = git_with(&repo, Some("kai"), &with_path, &["commit", "-qam", "x"]).code(1);
    assert!(stopped.stderr.starts_with("checked\nerror: "), "{stopped}");

    // A directory that no tool has made: the lines to add name its files.
    repo.git(["config", "core.hooksPath", "tools/hooks"]);
    let done = repo.reflectt(["hooks", "install"]).ok().stdout;
    let file = repo.path().join("tools/hooks/commit-msg");
    assert!(done.contains(&format!("# {}\n", file.display())), "{done}");
}

#[test]
fn status_tells_what_would_really_fire() {
    let (repo, hooks) = bare_team();
    repo.reflectt(["hooks", "install"]).ok();
    repo.write(
        ".github/workflows/reflectt.yml",
        include_str!("../../../templates/github-workflow.yml"),
    );
    repo.reflectt(["hooks", "status"]).snapshot(
        "
        --- stdout
        pre-commit        active
        pre-merge-commit  active
        commit-msg        active
        pre-push          active
        agent-edit        absent   `reflectt setup claude` puts it in
        check             active
        ",
    );
    repo.set("kai", "enforce.mode", "warn");
    set_mode(&hooks.join("pre-commit"), 0o644);
    fs::write(hooks.join("pre-merge-commit"), "#!/bin/sh\n").unwrap();
    let skip = |name: &str, from: &str, to: &str| {
        let path = hooks.join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    skip("commit-msg", "#!/bin/sh\n", "#!/bin/sh\nexit 0\n");
    let program = format!("reflectt='{}'", crate::support::process::BINARY);
    skip("pre-push", &program, "reflectt='/gone/reflectt'");
    repo.reflectt(["hooks", "status"]).snapshot(
        "
        --- stdout
        pre-commit        broken   git does not run it: it is not executable
        pre-merge-commit  absent   the hook does not call reflectt
        commit-msg        broken   lines above the part of reflectt end the script
        pre-push          broken   `/gone/reflectt` is gone, and `reflectt` is not on the PATH
        agent-edit        absent   `reflectt setup claude` puts it in
        check             active
        --- stderr
        warning: `enforce.mode` is `warn`: nothing is stopped
        hint: reflectt hooks install
        ",
    );
    repo.reflectt(["hooks", "install"]).ok();
    let json = repo.reflectt(["--json", "hooks", "status"]).ok().json();
    let active = |at: usize| json["layers"][at]["active"].clone();
    assert_eq!(
        [active(0), active(1), active(3)],
        [json!(true), json!(true), json!(true)]
    );
    assert_eq!(json["mode"], "warn");

    let plain = repo.env().repo("plain");
    let json = plain.reflectt(["--json", "hooks", "status"]).ok().json();
    assert_eq!(
        (&json["initialised"], &json["mode"]),
        (&json!(false), &json!(null))
    );
}

#[test]
fn many_installations_at_once_wrap_once() {
    let (repo, hooks) = bare_team();
    script(&hooks.join("pre-commit"), "#!/usr/bin/perl\nexit 0;\n");
    let before = contents(&hooks);
    let runs = (0..8).map(|_| repo.command(["hooks", "install"]));
    for output in crate::support::race(runs) {
        output.ok();
    }
    let ours = |path: &&PathBuf| path.to_string_lossy().contains("before-reflectt");
    assert_eq!(contents(&hooks).keys().filter(ours).count(), 1);
    commit_as(&repo, "kai", 1);
    commit_as(&repo, "link", 0);
    repo.reflectt(["hooks", "uninstall"]).ok();
    assert_eq!(contents(&hooks), before);
}
