//! A team of version 0.1 goes on: what its record and table say is what they said then.
//!
//! `tests/fixtures/version-0.1` was written by that version: `team.export` is what `git
//! fast-export` made of the remote, the rest is what `--json` printed. In it are claims in each
//! phase, a task that waits for its receiver, a claim that was retracted, and a submission that is
//! void because an offline claim was given back beside it. `cut-off/…` is a clone that had gone on
//! without the remote.

use std::process::Stdio;

use serde_json::Value;

use super::{events, kinds, show, submission};
use crate::support::{Repo, TestEnv, check};
use crate::sync::{Machines, hold};

const TEAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/version-0.1/team.export"
);
const TASKS: &str = include_str!("../../fixtures/version-0.1/tasks.json");
const CLAIMS: &str = include_str!("../../fixtures/version-0.1/claims.json");

/// Returns the remote of that team.
fn remote(env: &TestEnv) -> Repo {
    let bare = env.bare("bare.git");
    let mut import = bare.git_command(["fast-import", "--quiet"]);
    import.stdin(Stdio::from(std::fs::File::open(TEAM).unwrap()));
    assert!(import.status().unwrap().success());
    bare
}

/// Returns what was printed then, by id.
fn printed(text: &str, of: &str) -> Vec<(String, Value)> {
    let json: Value = serde_json::from_str(text).unwrap();
    let all = json[of].as_array().unwrap().clone();
    let by_id = all
        .into_iter()
        .map(|it| (it["id"].as_str().unwrap().to_owned(), it));
    by_id.collect()
}

/// Returns the id of the task with this title.
fn titled(title: &str) -> String {
    let tasks = printed(TASKS, "tasks");
    let found = tasks.into_iter().find(|(_, task)| task["title"] == title);
    found.unwrap().0
}

/// Expects each key to be as it was. There may be more.
#[track_caller]
fn same(now: &Value, then: &Value) {
    for (key, value) in then.as_object().unwrap() {
        match value {
            // What it wrote may be known by more than it was then.
            Value::Object(_) => same(&now[key], value),
            _ => assert_eq!(&now[key], value, "`{key}`\n{now:#}\n{then:#}"),
        }
    }
}

fn void(clone: &Repo, id: &str) -> Vec<String> {
    let events = events(clone, id);
    let void = events.iter().filter(|event| !event["void"].is_null());
    void.map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_version_0_1_wrote_reads_as_it_did() {
    let env = TestEnv::new();
    let bare = remote(&env);
    let clone = env.clone_of(&bare, "clone");
    let init = clone.reflectt(["--json", "init"]).ok().json();
    assert_eq!(init["initialised"], false);
    let (tasks, claims) = (check::tasks(&clone), check::claims(&clone));
    let then = printed(TASKS, "tasks");
    assert_eq!(tasks.len(), then.len());
    for (id, task) in &then {
        same(&tasks[id], task);
    }
    let then = printed(CLAIMS, "claims");
    assert_eq!(claims.len(), then.len());
    for (id, claim) in &then {
        same(&claims[id], claim);
    }
    assert_eq!(
        void(&clone, &titled("Claimed twice, once offline")),
        ["claimed"]
    );
    let both = ["claimed", "submitted"];
    assert_eq!(void(&clone, &titled("Comments and a void event")), both);
}

#[test]
fn a_team_of_version_0_1_goes_on_and_its_next_table_is_not_for_0_1() {
    let env = TestEnv::new();
    let it = Machines::on(&env, remote(&env), ["kai", "link", "sage"]);
    let table = |what: &str| {
        let text = it.bare.git(["show", "refs/reflectt/claims:table.toml"]);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(what)?.strip_prefix(" = "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let (epoch, fence) = (table("epoch"), table("fence"));
    let [kai, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
    let review = titled("Shown to sage");
    let reserved = titled("Reserved for link");
    let blocked = titled("Blocked, kai waits for a key");
    let free = titled("Free for anyone");
    let over = titled("Cancelled");
    sage.reflectt(["review", &review, "--approve"]).ok();
    assert_eq!(table("format"), 2);
    assert!(table("epoch") > epoch);
    kai.reflectt(["claim", &reserved]).code(4);
    link.reflectt(["claim", &reserved]).ok();
    kai.reflectt(["unblock", &blocked]).ok();
    kai.reflectt(submission(&blocked, "sage")).ok();
    sage.reflectt(["claim", &free]).ok();
    link.reflectt(["reopen", &over, "--reason", "it is needed"])
        .ok();
    it.agree();
    for clone in &it.clones {
        check::agree(clone);
        assert_eq!(show(clone, &review)["status"], "done");
        assert_eq!(show(clone, &blocked)["status"], "validating");
        assert_eq!(show(clone, &over)["status"], "todo");
        let claims = check::claims(clone);
        for (id, agent) in [(&reserved, "link"), (&free, "sage")] {
            assert_eq!(claims[id]["agent"], agent);
            assert!(claims[id]["fence"].as_u64().unwrap() > fence);
        }
        for id in check::tasks(clone).keys() {
            let known = ["Claimed twice, once offline", "Comments and a void event"];
            assert!(
                void(clone, id).is_empty() || known.map(titled).contains(id),
                "{id}"
            );
        }
        clone.reflectt(["doctor"]).ok();
    }
}

#[test]
fn a_clone_that_was_cut_off_in_version_0_1_comes_back() {
    let env = TestEnv::new();
    let it = Machines::on(&env, remote(&env), ["kai", "link", "sage"]);
    let [kai, link, _] = [0, 1, 2].map(|n| &it.clones[n]);
    for (name, tip) in [
        ("refs/heads/reflectt", "origin/cut-off/record"),
        ("refs/reflectt/claims", "origin/cut-off/claims"),
    ] {
        kai.git(["update-ref", name, tip]);
    }
    let id = titled("Free for anyone");
    link.reflectt(["claim", &id]).ok();
    kai.reflectt(["sync"]).ok();
    kai.reflectt(["ack", "--all"]).ok();
    it.agree();
    // What did not fit together then is set right by whoever writes next.
    for clone in &it.clones {
        clone.reflectt(["send", "link", "kai is back"]).ok();
    }
    it.agree();
    for clone in &it.clones {
        check::agree(clone);
        let held = hold(clone);
        let expected = (id.clone(), "link".to_owned(), "confirmed".to_owned());
        assert!(held.contains(&expected), "{held:?}");
    }
    link.reflectt(submission(&id, "sage")).ok();
    assert_eq!(show(link, &id)["status"], "validating");
    assert!(kinds(link, &id).contains(&"submitted".to_owned()));
}

/// As version 0.1 finds that of this one. Nothing may be put in its place.
#[test]
fn a_table_of_a_later_version_is_left_alone() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["claim", &id]).ok();
    let editor = env.clone_of(&it.bare, "editor");
    editor.git(["fetch", "-q", "origin", "refs/reflectt/claims"]);
    editor.git(["checkout", "-q", "FETCH_HEAD"]);
    let table = editor.git(["show", "HEAD:table.toml"]);
    let later = table.replace("format = 2", "format = 3");
    editor.write("table.toml", &later);
    editor.git(["commit", "-qam", "as a later version writes it"]);
    let push = ["push", "-q", "--no-verify", "origin"];
    editor.git(push.iter().chain(&["HEAD:refs/reflectt/claims"]));
    let refused = kai.reflectt(["release", &id]).code(1);
    assert!(
        refused
            .stderr
            .contains("format 3 is newer than this version of reflectt"),
        "{refused}"
    );
    let before = it.bare.git(["rev-parse", "refs/reflectt/claims"]);
    kai.reflectt(["sync"]).ok();
    for args in [&["doctor"][..], &["doctor", "--fix"]] {
        let doctor = kai.reflectt(args).code(1);
        assert!(doctor.stdout.contains("update reflectt"), "{doctor}");
        assert!(!doctor.stdout.contains("git push"), "{doctor}");
    }
    kai.reflectt(["sync"]).ok();
    assert_eq!(it.bare.git(["rev-parse", "refs/reflectt/claims"]), before);
}
