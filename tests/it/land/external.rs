//! What others bring onto the landing branch is noticed, however they do it.

use super::remote::{approved, machines};
use super::{Place, approve, commit_as, land, landed, status, submitted};
use crate::order::{show, submission};
use crate::support::{Repo, TestEnv};
use crate::sync::Machines;

/// Brings what was submitted onto main by hand, in the clone of the reviewer.
fn by_hand(at: &Repo, id: &str, how: &str) -> String {
    let commit = show(at, id)["submission"]["commit"]
        .as_str()
        .unwrap()
        .to_owned();
    match how {
        "merge" => at.git(["merge", "-q", "--no-ff", "--no-edit", &commit]),
        "squash" => {
            at.git(["merge", "-q", "--squash", &commit]);
            let message = format!("All of it\n\nReflectt-Task: {id}");
            at.git(["commit", "-qm", &message])
        }
        "rebase" => at.git(["cherry-pick", &format!("{commit}~1..{commit}")]),
        other => panic!("{other}"),
    };
    at.git(["rev-parse", "HEAD"])
}

/// Moves main by hand, so that nothing is a fast-forward.
fn move_on(at: &Repo) {
    at.git(["switch", "-q", "main"]);
    at.write("else", "x\n");
    at.commit("something else");
}

fn push(at: &Repo) {
    at.git(["push", "-q", "origin", "main"]);
}

#[test]
fn a_merge_a_squash_and_a_rebase_are_noticed_by_sync_and_by_status() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let [_, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
    move_on(link);
    push(link);
    for (n, how) in ["merge", "squash", "rebase"].into_iter().enumerate() {
        let id = approved(&it, how, &[(&format!("src/{how}"), "x\n")]);
        let commit = by_hand(link, &id, how);
        push(link);
        // Either of them is enough.
        let command = ["sync", "status"][n % 2];
        sage.as_agent("sage", [command]).ok();
        sage.as_agent("sage", ["sync"]).ok();
        let shown = show(sage, &id);
        assert_eq!(shown["status"], "done", "{how}");
        let at = shown["landed"]["commit"].as_str().unwrap();
        let submitted = shown["submission"]["commit"].as_str().unwrap();
        let expected = if how == "merge" { submitted } else { &commit };
        assert_eq!(at, expected, "{how}");
        land(sage, "sage", &[]).code(5);
    }
    it.agree();
}

#[test]
fn the_same_without_a_remote() {
    let it = Place::new("");
    move_on(&it.main);
    for how in ["merge", "squash", "rebase"] {
        let id = it.approved(how, &[(&format!("src/{how}"), "x\n")]);
        it.main.git(["commit", "-q", "--allow-empty", "-m", "else"]);
        by_hand(&it.main, &id, how);
        it.main.as_agent("sage", ["status"]).ok();
        assert_eq!(status(&it.main, &id), "done", "{how}");
        // Reverted, it has landed all the same.
        let revert: &[&str] = if how == "merge" { &["-m", "1"] } else { &[] };
        it.main
            .git([&["revert", "--no-edit"], revert, &["HEAD"]].concat());
        it.main.as_agent("sage", ["status"]).ok();
        assert_eq!(status(&it.main, &id), "done", "{how}");
    }
    it.land(&[]).code(5);
}

#[test]
fn what_is_reverted_before_anybody_looked_has_landed() {
    let it = Place::new("");
    move_on(&it.main);
    for how in ["merge", "squash", "rebase"] {
        let id = it.approved(how, &[(&format!("src/{how}"), "x\n")]);
        it.main.git(["commit", "-q", "--allow-empty", "-m", "else"]);
        by_hand(&it.main, &id, how);
        let revert: &[&str] = if how == "merge" { &["-m", "1"] } else { &[] };
        it.main
            .git([&["revert", "--no-edit"], revert, &["HEAD"]].concat());
        it.land(&[]).code(5);
        assert_eq!(status(&it.main, &id), "done", "{how}");
    }
}

#[test]
fn what_is_on_main_already_is_done_once_it_is_approved() {
    let it = Place::new("");
    move_on(&it.main);
    for how in ["merge", "squash", "rebase"] {
        let (id, _) = it.submitted(how, &[(&format!("src/{how}"), "x\n")]);
        it.main.git(["commit", "-q", "--allow-empty", "-m", "else"]);
        by_hand(&it.main, &id, how);
        it.main.as_agent("sage", ["status"]).ok();
        assert_eq!(status(&it.main, &id), "validating", "{how}");
        approve(&it.main, &id);
        assert_eq!(status(&it.main, &id), "done", "{how}");
    }
}

#[test]
fn what_has_no_commit_or_no_landing_branch_is_done_once_it_is_approved() {
    let it = Place::new("");
    it.main.set("kai", "land.branch", "none");
    let (id, _) = it.submitted("Keep the return path", &[("src/a", "a\n")]);
    approve(&it.main, &id);
    assert_eq!(status(&it.main, &id), "done");
    assert!(show(&it.main, &id)["landed"].is_null());
    let output = it.land(&[]);
    assert_ne!(output.status, Some(0), "{output}");
    assert!(output.stdout.contains("land.branch"), "{output}");
    // A repository without commits.
    let env = TestEnv::new();
    let repo = env.empty_repo("repo", &[]);
    repo.found(&["kai", "link"]);
    let id = repo.task("kai", "Find out", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.as_agent("kai", submission(&id, "link")).ok();
    approve(&repo, &id);
    assert_eq!(status(&repo, &id), "done");
}

/// Makes a task that comes after another.
fn after(at: &Repo, id: &str) -> String {
    at.task("kai", "Build on it", &["--after", id])
}

fn is_ready(at: &Repo, id: &str) -> bool {
    let next = at.reflectt(["--json", "next"]);
    next.status == Some(0) && next.stdout.contains(id)
}

#[test]
fn what_depends_on_it_is_ready_once_it_has_landed() {
    let env = TestEnv::new();
    let it: Machines = machines(&env, "");
    let [kai, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
    let (id, _) = submitted(kai, "kai", "First", &[("src/a", "a\n")]);
    let next = after(kai, &id);
    it.sync_all();
    assert!(!is_ready(sage, &next));
    approve(link, &id);
    sage.reflectt(["sync"]).ok();
    assert!(!is_ready(sage, &next));
    sage.as_agent("sage", ["claim", &next]).code(4);
    assert_eq!(landed(&land(sage, "sage", &[]).ok()), [id]);
    assert!(is_ready(sage, &next));
    // Its code is there as soon as it is claimed.
    sage.as_agent("sage", ["next", "--claim", "--branch"]).ok();
    assert!(sage.path().join("src/a").exists());
    commit_as(sage, "sage", "More", &[("src/b", "b\n")]);
    sage.as_agent("sage", submission(&next, "link")).ok();
    assert_eq!(show(sage, &next)["submission"]["commits"], 1);
}

/// Seen before it was approved: the branch is where it was, and what is approved has landed.
#[test]
fn what_was_approved_by_somebody_who_knew_less_is_noticed() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let [kai, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
    let (id, _) = submitted(kai, "kai", "First", &[("src/a", "a\n")]);
    let (other, _) = submitted(kai, "kai", "Other", &[("src/b", "b\n")]);
    it.sync_all();
    approve(link, &other);
    sage.reflectt(["sync"]).ok();
    kai.git(["switch", "-q", "main"]);
    by_hand(kai, &id, "merge");
    push(kai);
    // This one looks at the new main for what is approved by now.
    sage.reflectt(["sync"]).ok();
    assert_eq!(status(sage, &id), "validating");
    link.as_agent("link", ["--offline", "review", &id, "--approve"]);
    link.reflectt(["sync"]).ok();
    sage.reflectt(["sync"]).ok();
    let now = status(sage, &id);
    assert_eq!(now, "done");
}
