//! Several tasks landed as one: how often the checks run, and who is found to break them.

use std::path::PathBuf;

use super::{Place, action, approve, counted, landed, runs, sent_back, stacked, status, waiting};
use crate::order::{show, submission};
use crate::support::{Output, TestEnv};

/// A team whose check counts how often it runs.
fn team(command: &str) -> (Place, PathBuf) {
    let env = TestEnv::new();
    let count = env.dir().join("count");
    let definition = counted(&count, command);
    (Place::of(env.repo("repo"), &definition), count)
}

/// Eight approved tasks; the one at `culprit` breaks the check.
fn eight(it: &Place, culprit: Option<usize>) -> Vec<String> {
    let one = |n: usize| {
        let text = if culprit == Some(n) {
            "bad\n"
        } else {
            "good\n"
        };
        it.approved(&format!("Task {n}"), &[(&format!("src/{n}"), text)])
    };
    (0..8).map(one).collect()
}

#[test]
fn eight_that_pass_are_checked_once() {
    let (it, count) = team("! grep -rq bad src");
    let ids = eight(&it, None);
    assert_eq!(landed(&it.land(&[]).ok()), ids);
    assert_eq!(runs(&count), 1);
}

#[test]
fn one_culprit_in_eight_is_found_in_six_runs() {
    for culprit in [0, 4, 7] {
        let (it, count) = team("! grep -r bad src");
        let ids = eight(&it, Some(culprit));
        let output = it.land(&[]).code(4);
        let back = &output.json()["sent_back"][0];
        assert_eq!(sent_back(&output), [ids[culprit].clone()]);
        let others: Vec<_> = ids
            .iter()
            .filter(|id| **id != ids[culprit])
            .cloned()
            .collect();
        assert_eq!(landed(&output), others);
        assert!(runs(&count) <= 6, "{culprit}: {} runs", runs(&count));
        assert_eq!(back["reason"], "check");
        assert!(
            back["detail"]
                .as_str()
                .unwrap()
                .contains(&format!("src/{culprit}:bad")),
            "{back}"
        );
        let culprit = &ids[culprit];
        let shown = show(&it.main, culprit);
        assert_eq!(
            (&shown["status"], &shown["assignee"]),
            (&"doing".into(), &"kai".into())
        );
        assert!(
            shown["approved"].is_null() && shown["landed"].is_null(),
            "{shown}"
        );
        let told = told_of(&it, "kai", culprit);
        assert_eq!(
            told.iter()
                .filter(|it| it.contains("could not land"))
                .count(),
            1,
            "{told:?}"
        );
        // The command that is named shows it.
        let note = back["detail"].as_str().unwrap();
        let (_, merge) = note.split_once("git merge ").unwrap();
        let tip = merge.split(' ').next().unwrap();
        it.main.git(["merge-base", "--is-ancestor", tip, "main"]);
    }
}

#[test]
fn of_two_that_only_break_together_one_lands_and_the_other_is_told_with_whom() {
    let (it, count) = team("! test -e src/left -a -e src/right");
    let left = it.approved("Left", &[("src/left", "x\n")]);
    let fine = it.approved("Fine", &[("src/fine", "x\n")]);
    let right = it.approved("Right", &[("src/right", "x\n")]);
    let output = it.land(&[]).code(4);
    assert_eq!(landed(&output), [left.clone(), fine]);
    let back = &output.json()["sent_back"][0];
    assert_eq!(
        (&back["task"], &back["reason"]),
        (&right.clone().into(), &"check".into())
    );
    let with = back["with"].as_array().unwrap();
    assert!(with.contains(&left.clone().into()), "{back}");
    assert!(
        back["detail"]
            .as_str()
            .unwrap()
            .contains(&format!("`{left}` (Left)")),
        "{back}"
    );
    assert!(runs(&count) <= 6, "{}", runs(&count));
    // It is mended on top of what landed.
    it.work.git(["merge", "-q", "main"]);
    it.work.git(["rm", "-q", "src/left"]);
    it.work.commit("Only right");
    it.work.as_agent("kai", submission(&right, "link")).ok();
    approve(&it.main, &right);
    assert_eq!(landed(&it.land(&[]).ok()), [right]);
}

#[test]
fn a_check_that_fails_and_then_passes_is_flaky_and_sends_nobody_back() {
    let env = TestEnv::new();
    let sign = env.dir().join("sign");
    let (it, count) = team(&format!(
        "test -e {0} || {{ touch {0}; false; }}",
        sign.display()
    ));
    let id = it.approved("Keep the return path", &[("src/a", "x\n")]);
    let output = it.land(&[]).ok();
    assert_eq!(landed(&output), [id]);
    assert_eq!(output.json()["flaky"], serde_json::json!(["test"]));
    assert_eq!(runs(&count), 2);
    drop(env);
}

/// Lands in vain, and expects that nobody is sent back nor told to try again.
#[track_caller]
fn in_vain(it: &Place, ids: &[String], reason: &str) -> Output {
    let tip = it.tip();
    assert!(action(&it.main, "sage").contains("land"));
    let output = it.land(&[]).code(4);
    let expected = |id: &String| (id.clone(), waiting(&output)[0].1.clone());
    let mut all: Vec<_> = ids.iter().map(expected).collect();
    all.sort();
    assert_eq!(waiting(&output), all);
    assert!(waiting(&output)[0].1[0].contains(reason), "{output}");
    assert_eq!((landed(&output), sent_back(&output)), (vec![], vec![]));
    for id in ids {
        let shown = show(&it.main, id);
        assert_eq!(shown["status"], "validating");
        assert_eq!(shown["approved"]["by"], "link");
    }
    let now = action(&it.main, "sage");
    assert!(!now.contains("reflectt land"), "{now}");
    assert_eq!(it.tip(), tip);
    output
}

#[test]
fn a_check_that_cannot_run_is_no_reason_to_send_anybody_back() {
    for (command, more, reason) in [
        ("no-such-command-x", "", "could not run"),
        ("sleep 60", "time_limit = \"1s\"\n", "time limit"),
    ] {
        let definition =
            format!("[checks.test]\nrun = \"{command}\"\n{more}[land]\nchecks = [\"test\"]\n");
        let it = Place::new(&definition);
        it.main.set("kai", "land.batch", "2");
        let ids: Vec<String> = (0..3)
            .map(|n| it.approved(&format!("Task {n}"), &[(&format!("src/{n}"), "x\n")]))
            .collect();
        let output = it.main.as_agent("sage", ["land"]).code(4);
        assert!(output.stdout.contains(reason), "{output}");
        std::fs::remove_file(it.main.common_dir().join("reflectt/landing-failed.json")).unwrap();
        let [first, second] = [&ids[0], &ids[1]].map(Clone::clone);
        let mut tried = [first, second];
        tried.sort();
        in_vain(&it, &tried, reason);
        // With what it needs, all land; the branch has moved, so it is tried again.
        it.main.write("reflectt.toml", super::with_check("true"));
        it.main.commit("mend the check");
        assert!(action(&it.main, "sage").contains("reflectt land"));
        assert_eq!(landed(&it.land(&[]).ok()), ids);
    }
}

#[test]
fn nobody_is_blamed_for_a_branch_that_fails_by_itself() {
    let (it, _) = team("! test -e broken");
    it.main.write("broken", "x\n");
    it.main.commit("by hand");
    let ids = [it.approved("Keep the return path", &[("src/a", "x\n")])];
    in_vain(&it, &ids, "fails on the landing branch itself");
}

#[test]
fn more_than_a_batch_lands_in_several() {
    let (it, count) = team("! grep -r bad src");
    it.main.set("kai", "land.batch", "3");
    let ids = eight(&it, None);
    // A stack does not lose its order.
    let (top, _) = stacked(&it.work, "kai", "On top", &[("src/7", "better\n")]);
    approve(&it.main, &top);
    let output = it.land(&[]).ok();
    assert_eq!(landed(&output), [ids, vec![top]].concat());
    assert_eq!(runs(&count), 3);
}

#[test]
fn priority_comes_before_the_time_of_approval() {
    let (it, _) = team("true");
    let late = it.approved("Late", &[("late", "x\n")]);
    let id = it.main.task("kai", "First of all", &["--priority", "P0"]);
    it.work.as_agent("kai", ["claim", &id, "--branch"]).ok();
    super::commit_as(&it.work, "kai", "First", &[("first", "x\n")]);
    it.work.as_agent("kai", submission(&id, "link")).ok();
    approve(&it.main, &id);
    assert_eq!(landed(&it.land(&[]).ok()), [id, late]);
}

#[test]
fn a_conflict_names_paths_and_tasks() {
    let (it, count) = team("true");
    let first = it.approved("First", &[("shared.txt", "1\n")]);
    let second = it.approved("Second", &[("shared.txt", "2\n"), ("other", "x\n")]);
    let dry = it.land(&["--dry-run"]).code(4);
    assert_eq!(
        (landed(&dry), sent_back(&dry)),
        (vec![first.clone()], vec![second.clone()])
    );
    assert_eq!(
        dry.json()["sent_back"][0]["paths"],
        serde_json::json!(["shared.txt"])
    );
    assert_eq!(status(&it.main, &second), "validating");
    assert_eq!(runs(&count), 0);
    let output = it.land(&[]).code(4);
    let back = &output.json()["sent_back"][0];
    assert_eq!(
        (&back["task"], &back["reason"]),
        (&second.clone().into(), &"conflict".into())
    );
    assert_eq!(back["paths"], serde_json::json!(["shared.txt"]));
    assert_eq!(back["with"], serde_json::json!([first]));
    assert_eq!(runs(&count), 1);
    // What has landed before is named just as well.
    let third = it.main.task("kai", "Third", &[]);
    it.work.git(["switch", "-q", "-c", "old", "main~1"]);
    it.work.as_agent("kai", ["claim", &third]).ok();
    super::commit_as(&it.work, "kai", "Third", &[("shared.txt", "3\n")]);
    it.work.as_agent("kai", submission(&third, "link")).ok();
    approve(&it.main, &third);
    let output = it.land(&[]).code(4);
    let back = &output.json()["sent_back"][0];
    assert_eq!(
        (&back["task"], &back["with"]),
        (&third.into(), &serde_json::json!([first]))
    );
    let told = told_of(&it, "kai", &second);
    assert_eq!(
        told.iter()
            .filter(|it| it.contains("could not land"))
            .count(),
        1,
        "{told:?}"
    );
}

fn told_of(it: &Place, agent: &str, id: &str) -> Vec<String> {
    let inbox = it.main.as_agent(agent, ["--json", "inbox"]).ok().json();
    let messages = inbox["messages"].as_array().unwrap().iter();
    let of_task = messages.filter(|message| message["task"] == id);
    of_task
        .map(|message| message["body"].as_str().unwrap().to_owned())
        .collect()
}
