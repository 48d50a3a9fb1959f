//! How the commit of a submission travels: to whoever reviews it, in whatever clone, without a push
//! by hand, and only as long as somebody may ask for it.

use std::path::Path;

use serde_json::{Value, json};

use crate::hooks::script;
use crate::order::{show, submission};
use crate::support::{Output, Repo, TestEnv};
use crate::sync::Machines;

fn team(env: &TestEnv) -> Machines {
    prepared(Machines::new(env, ["kai", "link"]))
}

fn prepared(it: Machines) -> Machines {
    it.clones[0].set("kai", "wip.agent", "9");
    it.sync_all();
    it
}

/// Has the agent of this clone claim a task, do something for it, and submit it.
#[track_caller]
fn submitted(clone: &Repo, by: &str, id: &str, reviewer: &str) -> (String, Output) {
    clone.reflectt(["claim", id, "--branch"]).ok();
    clone.write(&format!("{id}.txt"), format!("{}\n", fastrand::u64(..)));
    let commit = clone.commit(by);
    (commit, submit(clone, id, reviewer))
}

#[track_caller]
fn submit(clone: &Repo, id: &str, reviewer: &str) -> Output {
    clone.reflectt(submission(id, reviewer)).ok()
}

fn published(clone: &Repo, id: &str) -> Value {
    show(clone, id)["submission"]["published"].clone()
}

/// Returns the work that a repository keeps: below which name, and of which commit.
fn works(repo: &Repo) -> Vec<String> {
    let names = [
        "refs/reflectt/work",
        "refs/heads/reflectt-work",
        "refs/reflectt/remotes",
    ];
    let listed = ["for-each-ref", "--format=%(refname) %(objectname)"];
    let listed = repo.git(listed.iter().chain(&names));
    let is_work = |line: &&str| line.contains("/work/") || line.contains("reflectt-work/");
    listed.lines().filter(is_work).map(str::to_owned).collect()
}

fn has(repo: &Repo, commit: &str) -> bool {
    let object = format!("{commit}^{{commit}}");
    repo.try_git(["cat-file", "-e", &object]).status == Some(0)
}

/// Lets a remote refuse the pushes for which this shell test fails, and count all of them.
fn refuse(bare: &Repo, condition: &str) {
    let counted = bare.path().join("updates");
    let text = format!(
        "#!/bin/sh\necho $1 >>'{}'\n{condition} || {{ echo too large >&2; exit 1; }}\n",
        counted.display()
    );
    script(&bare.path().join("hooks/update"), &text);
}

fn updates(bare: &Repo, name: &str) -> usize {
    let text = std::fs::read_to_string(bare.path().join("updates")).unwrap_or_default();
    text.lines().filter(|line| line.contains(name)).count()
}

fn away(bare: &Repo, act: impl FnOnce()) {
    let there: &Path = bare.path();
    let hidden = there.with_extension("away");
    std::fs::rename(there, &hidden).unwrap();
    act();
    std::fs::rename(&hidden, there).unwrap();
}

#[test]
fn another_clone_has_the_commit_after_its_sync() {
    let env = TestEnv::new();
    let it = team(&env);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    let (commit, _) = submitted(kai, "kai", &id, "link");
    assert_eq!(published(kai, &id), true);
    assert_eq!(
        works(&it.bare),
        [format!("refs/reflectt/work/{id} {commit}")]
    );
    link.reflectt(["sync"]).ok();
    assert!(has(link, &commit));
    let seen = link.reflectt(["--json", "review", &id]).ok().json();
    assert_eq!(seen["commits"][0]["commit"], commit);
    assert_eq!(seen["task"]["submission"]["published"], true);

    // What is submitted anew takes its place.
    link.reflectt(["review", &id, "--request-changes", "a test"])
        .ok();
    kai.reflectt(["sync"]).ok();
    let (newer, _) = submitted(kai, "kai", &id, "link");
    kai.write("x", "amended\n");
    kai.git(["add", "-A"]);
    kai.git(["commit", "-q", "--amend", "-m", "another"]);
    let amended = kai.git(["rev-parse", "HEAD"]);
    submit(kai, &id, "link");
    assert_ne!(newer, amended);
    assert_eq!(
        works(&it.bare),
        [format!("refs/reflectt/work/{id} {amended}")]
    );
    link.reflectt(["sync"]).ok();
    assert!(has(link, &amended));

    // When it has landed, and when it was cancelled, nobody asks for it any more.
    let other = kai.task("kai", "Another", &[]);
    submitted(kai, "kai", &other, "link");
    assert_eq!(works(&it.bare).len(), 2);
    kai.reflectt(["cancel", &other, "--reason", "no use"]).ok();
    link.reflectt(["sync"]).ok();
    link.reflectt(["review", &id]).ok();
    link.reflectt(["review", &id, "--approve"]).ok();
    link.reflectt(["land"]).ok();
    it.sync_all();
    it.sync_all();
    for repo in [&it.bare, kai, link] {
        assert_eq!(works(repo), [""; 0], "{}", repo.path().display());
    }
    assert_eq!(show(kai, &id)["status"], "done");
    it.agree();
}

#[test]
fn while_the_remote_is_away_it_waits() {
    let env = TestEnv::new();
    let it = team(&env);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["claim", &id, "--branch"]).ok();
    let commit = kai.commit("work");
    away(&it.bare, || {
        let said = kai
            .reflectt(["--offline"].iter().copied().chain(submission(&id, "link")))
            .ok();
        assert!(said.stderr.contains("provisional"), "{said}");
        let shown = kai.reflectt(["--offline", "task", "show", &id]).ok();
        assert!(shown.stdout.contains("not published yet"), "{shown}");
        let seen = kai
            .reflectt(["--offline", "--json", "review", &id])
            .ok()
            .json();
        assert_eq!(seen["task"]["submission"]["published"], false);
        let seen = kai.reflectt(["--offline", "review", &id]).ok();
        assert!(seen.stdout.contains("not published yet"), "{seen}");
    });
    kai.reflectt(["sync"]).ok();
    assert_eq!(published(kai, &id), true);
    assert_eq!(
        works(&it.bare),
        [format!("refs/reflectt/work/{id} {commit}")]
    );
    link.reflectt(["sync"]).ok();
    assert!(has(link, &commit));
    assert_eq!(show(link, &id)["status"], "validating");
}

#[test]
fn what_is_not_here_is_said() {
    let env = TestEnv::new();
    let it = team(&env);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    refuse(&it.bare, "case $1 in */work/*) false;; esac");
    let (commit, said) = submitted(kai, "kai", &id, "link");
    // The submission itself goes through.
    assert!(said.stderr.contains("not published"), "{said}");
    assert!(said.stderr.contains("too large"), "{said}");
    assert_eq!(published(kai, &id), false);
    link.reflectt(["sync"]).ok();
    assert_eq!(show(link, &id)["status"], "validating");
    assert!(!has(link, &commit));
    let shown = link.reflectt(["task", "show", &id]).ok();
    assert!(
        shown
            .stdout
            .contains("not in this clone yet: reflectt sync"),
        "{shown}"
    );
    let seen = link.reflectt(["review", &id]).ok();
    assert!(seen.stdout.contains("not in this clone yet"), "{seen}");
    let none = link
        .reflectt(["--json", "review", &id, "--checkout"])
        .code(4)
        .json();
    assert_eq!(none["error"]["rule"], "submission", "{none}");
    assert!(
        none["error"]["hints"].to_string().contains("reflectt sync"),
        "{none}"
    );

    // It is tried again with each exchange, once, and holds nothing up.
    let before = updates(&it.bare, "/work/");
    let synced = kai.reflectt(["sync"]).ok();
    assert!(synced.stderr.contains("too large"), "{synced}");
    assert!(updates(&it.bare, "/work/") <= before + 1);
    kai.reflectt(["send", "link", "it is too large"]).ok();
    link.reflectt(["sync"]).ok();
    let mail = link.reflectt(["inbox"]).ok();
    assert!(mail.stdout.contains("it is too large"), "{mail}");
    // And when the remote takes it, it is there.
    std::fs::remove_file(it.bare.path().join("hooks/update")).unwrap();
    kai.reflectt(["sync"]).ok();
    assert_eq!(published(kai, &id), true);
    link.reflectt(["sync"]).ok();
    assert!(has(link, &commit));
    it.agree();
}

#[test]
fn a_host_that_takes_only_branches_has_it_on_one() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", bare.path().to_str().unwrap(), "main"]);
    refuse(&bare, "case $1 in refs/heads/*) ;; *) false;; esac");
    let it = prepared(Machines::on(&env, bare, ["kai", "link"]));
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    let (commit, _) = submitted(kai, "kai", &id, "link");
    assert_eq!(published(kai, &id), true);
    assert_eq!(
        works(&it.bare),
        [format!("refs/heads/reflectt-work/{id} {commit}")]
    );
    link.reflectt(["sync"]).ok();
    assert!(has(link, &commit));
    link.reflectt(["review", &id]).ok();
    link.reflectt(["review", &id, "--approve"]).ok();
    link.reflectt(["land"]).ok();
    it.sync_all();
    it.sync_all();
    assert_eq!(works(&it.bare), [""; 0]);
}

#[test]
fn older_work_never_takes_the_place_of_newer() {
    let env = TestEnv::new();
    let it = team(&env);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    submitted(kai, "kai", &id, "link");
    link.reflectt(["sync"]).ok();
    link.reflectt(["review", &id, "--request-changes", "a test"])
        .ok();
    link.reflectt(["claim", &id, "--take-over", "--reason", "kai is away"])
        .ok();
    let (newer, _) = submitted(link, "link", &id, "kai");
    let wanted = [format!("refs/reflectt/work/{id} {newer}")];
    assert_eq!(works(&it.bare), wanted);
    // The first clone comes back, with something of its own to say.
    kai.reflectt(["inbox"]).ok();
    kai.reflectt(["ack", "--all"]).ok();
    kai.reflectt(["send", "link", "I am back"]).ok();
    for clone in [kai, link, kai] {
        clone.reflectt(["sync"]).ok();
        assert_eq!(works(&it.bare), wanted);
    }
    assert_eq!(published(link, &id), json!(true));
    assert_eq!(published(kai, &id), json!(true));
    let seen = kai.reflectt(["--json", "review", &id]).ok().json();
    assert_eq!(seen["task"]["submission"]["commit"], newer);
    it.agree();
}
