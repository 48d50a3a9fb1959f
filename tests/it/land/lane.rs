//! One lander at a time, whatever becomes of it.

use std::time::Duration;

use super::remote::{approved, hook, machines};
use super::{Place, action, approve, land, landed, status, waiting, with_check};
use crate::order::show;
use crate::support::process::{Victims, kill};
use crate::support::{Repo, Running, TestEnv, check, poll_until};

const SOON: Duration = Duration::from_secs(60);

/// A check that says that it runs, and waits until it is let go.
fn gate(env: &TestEnv) -> (String, impl Fn() + use<>, impl Fn() + use<>) {
    let [here, go] = ["here", "go"].map(|name| env.dir().join(name));
    let command = format!(
        "touch {}; while [ ! -e {} ]; do sleep 0.02; done",
        here.display(),
        go.display()
    );
    let wait = move || poll_until("the check runs", SOON, || here.exists().then_some(()));
    let open = move || std::fs::write(&go, "").unwrap();
    (with_check(&command), wait, open)
}

fn start(at: &Repo, agent: &str) -> Running {
    at.command(["--json", "land"]).agent(agent).spawn()
}

#[test]
fn of_two_in_one_clone_one_is_told_who_lands() {
    let env = TestEnv::new();
    let (definition, wait, open) = gate(&env);
    let it = Place::of(env.repo("repo"), &definition);
    let id = it.approved("Keep the return path", &[("src/a", "a\n")]);
    let first = start(&it.main, "sage");
    wait();
    let second = land(&it.work, "link", &[]).code(3);
    let error = &second.json()["error"];
    assert_eq!(
        (&error["kind"], &error["holder"]),
        (&"held".into(), &"sage".into())
    );
    let text = it.work.as_agent("link", ["land"]).code(3);
    assert!(
        text.stderr.contains("`sage`") && text.stderr.contains("landing"),
        "{text}"
    );
    // The same agent twice is one too many as well.
    land(&it.work, "sage", &[]).code(3);
    open();
    assert_eq!(landed(&first.finish().ok()), [id]);
    land(&it.work, "link", &[]).code(5);
    check::agree(&it.main);
}

#[test]
fn of_two_in_two_clones_one_is_told_who_lands() {
    let env = TestEnv::new();
    let (definition, wait, open) = gate(&env);
    let it = machines(&env, &definition);
    let id = approved(&it, "Keep the return path", &[("src/a", "a\n")]);
    let first = start(&it.clones[2], "sage");
    wait();
    let second = land(&it.clones[0], "kai", &[]).code(3);
    assert_eq!(second.json()["error"]["holder"], "sage");
    open();
    assert_eq!(landed(&first.finish().ok()), [id]);
    land(&it.clones[0], "kai", &[]).code(5);
    it.agree();
}

#[test]
fn who_was_killed_is_in_nobodys_way() {
    let env = TestEnv::new();
    let (definition, wait, open) = gate(&env);
    let it = Place::of(env.repo("repo"), &definition);
    let ids = [
        it.approved("First", &[("first", "x\n")]),
        it.approved("Second", &[("second", "x\n")]),
    ];
    let first = start(&it.main, "sage");
    wait();
    let tip = it.tip();
    assert_eq!(first.kill_with(Victims::WithChildren).status, None);
    assert_eq!(it.tip(), tip);
    open();
    assert_eq!(landed(&land(&it.work, "link", &[]).ok()), ids);
    let claims = it.main.reflectt(["--json", "claims"]).ok().json();
    let claims = claims["claims"].as_array().unwrap();
    assert!(
        claims.iter().all(|claim| claim["id"] != "merge0"),
        "{claims:?}"
    );
    check::agree(&it.main);
}

/// Kills a lander in the moment in which the remote has moved main, and it does not know yet.
#[test]
fn what_was_pushed_before_a_kill_is_finished_by_whoever_comes_next() {
    for next in ["land", "sync", "status"] {
        let env = TestEnv::new();
        let it = machines(&env, "");
        let [_, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
        let id = approved(&it, "Keep the return path", &[("src/a", "a\n")]);
        let pid = env.dir().join("pid");
        let script = format!(
            "while read -r _ _ name; do\n[ \"$name\" = refs/heads/main ] && kill -KILL \"$(cat {})\"\ndone\n:",
            pid.display()
        );
        hook(&it.bare, "post-receive", &script);
        let before = it.bare.git(["rev-parse", "main"]);
        let run = sage.command(["land"]).agent("sage");
        let wrapped = format!("echo $$ > {}; exec \"$@\"", pid.display());
        let output = run.by_shell(&wrapped).run();
        assert_eq!(output.status, None, "{output}");
        std::fs::remove_file(it.bare.path().join("hooks/post-receive")).unwrap();
        let tip = it.bare.git(["rev-parse", "main"]);
        assert_ne!(tip, before);
        assert_eq!(status(link, &id), "validating");
        // In the same clone; another one has to wait until the lane's claim lapses, or notices.
        match next {
            "land" => drop(land(sage, "sage", &[]).code(5)),
            "sync" => drop(link.as_agent("link", ["sync"]).ok()),
            _ => drop(sage.as_agent("sage", ["status"]).ok()),
        }
        it.sync_all();
        let shown = show(link, &id);
        assert_eq!(shown["status"], "done", "{next}");
        assert_eq!(it.bare.git(["rev-parse", "main"]), tip);
        let id = approved(&it, "More", &[("src/b", "b\n")]);
        assert_eq!(landed(&land(sage, "sage", &[]).ok()), [id]);
        it.agree();
    }
}

#[test]
fn a_team_may_leave_landing_to_people() {
    let it = Place::new("");
    it.main
        .reflectt(["--as", "ann", "join", "ann", "--human"])
        .ok();
    it.main.set("kai", "land.by", "humans");
    let id = it.approved("Keep the return path", &[("src/a", "a\n")]);
    let now = action(&it.main, "sage");
    assert!(!now.contains("reflectt land"), "{now}");
    let output = it.land(&[]).code(4);
    assert_eq!(output.json()["error"]["rule"], "humans", "{output}");
    assert_eq!(landed(&land(&it.main, "ann", &[]).ok()), [id]);
}

#[test]
fn an_approval_that_was_taken_back_meanwhile_counts() {
    let env = TestEnv::new();
    let (definition, wait, open) = gate(&env);
    let it = Place::of(env.repo("repo"), &definition);
    let one = it.approved("First", &[("first", "x\n")]);
    let two = it.approved("Second", &[("second", "x\n")]);
    let tip = it.tip();
    let running = start(&it.main, "sage");
    wait();
    it.main
        .as_agent("kai", ["cancel", &one, "--reason", "not needed"])
        .ok();
    open();
    let output = running.finish().ok();
    assert_eq!(landed(&output), [two]);
    assert_eq!(waiting(&output), []);
    let files = it.main.git(["diff", "--name-only", &tip, "main"]);
    assert_eq!(files, "second");
    approve_again(&it, &one);
}

/// Between the word that it lands and the move of the branch there is no way back.
#[test]
fn what_is_just_landing_is_not_taken_back() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let [kai, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
    let id = approved(&it, "Keep the return path", &[("src/a", "a\n")]);
    let [here, go] = ["here", "go"].map(|name| env.dir().join(name));
    let script = format!(
        "[ $1 = refs/heads/main ] || exit 0\ntouch {}\nwhile [ ! -e {} ]; do sleep 0.02; done",
        here.display(),
        go.display()
    );
    hook(&it.bare, "update", &script);
    let running = start(sage, "sage");
    poll_until("it is pushed", SOON, || here.exists().then_some(()));
    let refused = [
        link.as_agent("link", ["--json", "review", &id, "--request-changes", "no"]),
        kai.as_agent("kai", ["--json", "cancel", &id, "--reason", "no"]),
    ];
    for output in refused {
        let error = &output.code(4).json()["error"];
        assert_eq!(error["rule"], "status", "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`sage` is just landing"), "{message}");
    }
    std::fs::write(&go, "").unwrap();
    assert_eq!(landed(&running.finish().ok()), vec![id.clone()]);
    assert_eq!(status(sage, &id), "done");
    it.agree();
}

fn approve_again(it: &Place, id: &str) {
    let output = it.main.as_agent("link", ["review", id, "--approve"]);
    assert_ne!(output.status, Some(0), "{output}");
    assert_eq!(status(&it.main, id), "cancelled");
    let (other, _) = it.submitted("Third", &[("third", "x\n")]);
    approve(&it.main, &other);
    assert_eq!(landed(&it.land(&[]).ok()), [other]);
}

/// Ends a lander that is in the way, whatever it does.
#[test]
fn a_lander_that_is_killed_in_another_clone_leaves_word() {
    let env = TestEnv::new();
    let (definition, wait, open) = gate(&env);
    let it = machines(&env, &definition);
    let id = approved(&it, "Keep the return path", &[("src/a", "a\n")]);
    let running = start(&it.clones[2], "sage");
    wait();
    kill(running.child.id().cast_signed(), Victims::WithChildren);
    running.finish();
    open();
    let output = land(&it.clones[0], "kai", &[]).code(3);
    assert_eq!(output.json()["error"]["holder"], "sage");
    // Its own clone goes on at once.
    assert_eq!(landed(&land(&it.clones[2], "sage", &[]).ok()), [id]);
    it.agree();
}
