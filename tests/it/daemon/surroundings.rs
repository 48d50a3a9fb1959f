//! A daemon started from anywhere: a hook of git's, cron, and what it leaves to them.

use super::{Daemon, SOON, status, two};
use crate::support::process::BINARY;
use crate::support::{Repo, TestEnv, poll_until};
use crate::sync::{Machines, tips};

/// Expects what is written here to reach the remote by the daemon's doing.
#[track_caller]
fn works(it: &Machines, kai: &Repo) {
    kai.command(["--no-sync", "send", "link", "hello"])
        .run()
        .ok();
    poll_until("the remote has it", SOON, || {
        (tips(&it.bare)[0] == tips(kai)[0]).then_some(())
    });
    assert_eq!(status(kai)["failures"], 0);
}

/// Git names the repository, its index and more to a hook, and waits until all have closed what
/// the hook was given to write to.
#[test]
fn from_a_hook_it_is_the_daemon_of_its_clone_and_keeps_nobody_waiting() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    let tree = kai.worktree("tree");
    let hook = kai.common_dir().join("hooks/post-commit");
    let text = format!("#!/bin/sh\nenv | grep ^GIT_ > seen\nexec '{BINARY}' daemon start\n");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let _daemon = Daemon(kai.clone());
    // As if the hook ran for something else altogether, too.
    let mut commit = tree.git_command(["commit", "-q", "--allow-empty", "-m", "work"]);
    commit.env("GIT_INDEX_FILE", tree.path().join("another-index"));
    let done = commit.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let seen = std::fs::read_to_string(tree.path().join("seen")).unwrap();
    assert!(
        seen.contains("GIT_DIR=") && seen.contains("GIT_INDEX_FILE="),
        "{seen}"
    );
    assert_eq!(status(&kai)["running"], true);
    // The worktree may go; the clone stays, and its daemon works on.
    kai.git([
        "worktree",
        "remove",
        "--force",
        tree.path().to_str().unwrap(),
    ]);
    works(&it, &kai);
}

#[test]
fn from_cron_it_needs_neither_a_home_nor_more_than_a_search_path() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    let _daemon = Daemon(kai.clone());
    let bare = "exec env -i PATH=/usr/bin:/bin \"$@\"";
    kai.command(["daemon", "start"]).by_shell(bare).run().ok();
    works(&it, &kai);
    kai.command(["daemon", "stop"]).by_shell(bare).run().ok();
    assert_eq!(status(&kai)["running"], false);
}

#[test]
fn hooks_that_another_tool_has_overwritten_are_put_back() {
    let repo = TestEnv::new().team(["kai"]);
    let hook = repo.common_dir().join("hooks/pre-commit");
    let theirs = "#!/bin/sh\ncall_lefthook run \"pre-commit\" \"$@\"\n";
    std::fs::write(&hook, theirs).unwrap();
    let _daemon = Daemon(repo.clone());
    repo.reflectt(["daemon", "start"]).ok();
    let text = poll_until("the hook calls reflectt again", SOON, || {
        let text = std::fs::read_to_string(&hook).ok()?;
        text.contains("# <<< reflectt <<<").then_some(text)
    });
    assert!(
        text.ends_with("call_lefthook run \"pre-commit\" \"$@\"\n"),
        "{text}"
    );
}
