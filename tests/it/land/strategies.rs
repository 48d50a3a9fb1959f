//! Merged, squashed or rebased: stacks, authors, and what was sent back below.

use super::{
    Place, action, approve, commit_as, landed, sent_back, stacked, status, submitted, waiting,
};
use crate::order::{show, submission};
use crate::support::check;

const STRATEGIES: [&str; 3] = ["merge", "squash", "rebase"];

fn team(strategy: &str) -> Place {
    let it = Place::new("");
    it.main.set("kai", "land.strategy", strategy);
    it
}

/// Returns who wrote what is on main beyond the first commits, merges left out, newest first.
fn authors(it: &Place, since: &str) -> Vec<String> {
    let range = format!("{since}..main");
    let log = it.main.git([
        "log",
        "--no-merges",
        "--topo-order",
        "--format=%an %s",
        &range,
    ]);
    log.lines().map(str::to_owned).collect()
}

fn has(it: &Place, commit: &str) -> bool {
    let check = ["merge-base", "--is-ancestor", commit, "main"];
    it.main.try_git(check).status == Some(0)
}

#[test]
fn a_stack_lands_in_order_and_keeps_its_authors() {
    for strategy in STRATEGIES {
        let it = team(strategy);
        let since = it.tip();
        let (low, _) = it.submitted("Low", &[("shared.txt", "1\n")]);
        let (middle, _) = stacked(&it.work, "sage", "Middle", &[("shared.txt", "1\n2\n")]);
        commit_as(&it.work, "kai", "More", &[("more", "x\n")]);
        let (high, _) = stacked(&it.work, "kai", "High", &[("shared.txt", "1\n2\n3\n")]);
        // The highest was approved first.
        for id in [&high, &middle, &low] {
            approve(&it.main, id);
        }
        let output = it.land(&[]).ok();
        assert_eq!(
            landed(&output),
            [low.clone(), middle.clone(), high.clone()],
            "{strategy}"
        );
        assert_eq!(it.main.git(["show", "main:shared.txt"]), "1\n2\n3");
        let expected: &[&str] = match strategy {
            "squash" => &["kai High", "sage Middle", "kai Low"],
            _ => &["kai High", "kai More", "sage Middle", "kai Low"],
        };
        assert_eq!(authors(&it, &since), expected, "{strategy}");
        let merges = it
            .main
            .git(["rev-list", "--count", "--merges", &format!("{since}..main")]);
        assert_eq!(merges, if strategy == "merge" { "3" } else { "0" });
        for id in [&low, &middle, &high] {
            let shown = show(&it.main, id);
            assert_eq!(shown["status"], "done", "{strategy}");
            let commit = shown["landed"]["commit"].as_str().unwrap();
            let said = it.main.git(["show", "-s", "--format=%B", commit]);
            assert!(
                said.contains(&format!("Reflectt-Task: {id}")),
                "{strategy}: {said}"
            );
            assert!(said.contains("Reviewed-by: link"), "{strategy}: {said}");
        }
        check::agree(&it.main);
    }
}

#[test]
fn nothing_lands_before_what_it_lies_on() {
    for strategy in STRATEGIES {
        let it = team(strategy);
        let (low, rejected) = it.submitted("Low", &[("low", "wrong\n")]);
        let (middle, _) = stacked(&it.work, "kai", "Middle", &[("middle", "x\n")]);
        let (high, _) = stacked(&it.work, "kai", "High", &[("high", "x\n")]);
        let changes = ["review", &low, "--request-changes", "it is wrong"];
        it.main.as_agent("link", changes).ok();
        for id in [&middle, &high] {
            approve(&it.main, id);
        }
        let tip = it.tip();
        let now = action(&it.main, "sage");
        assert!(!now.contains("reflectt land"), "{now}");
        let output = it.land(&[]).code(4);
        let mut waits = vec![(middle.clone(), vec![low.clone()]), (high.clone(), vec![])];
        waits.sort();
        for (got, expected) in waiting(&output).iter().zip(&waits) {
            assert_eq!(got.0, expected.0);
            assert!(got.1.contains(&low) || got.1.contains(&middle), "{got:?}");
        }
        assert_eq!((landed(&output), it.tip()), (vec![], tip.clone()));
        // The fix lies above them.
        commit_as(&it.work, "kai", "Right it", &[("low", "right\n")]);
        it.work.as_agent("kai", submission(&low, "link")).ok();
        approve(&it.main, &low);
        // None of them is right without the others: one after the other is none.
        let output = it.land(&[&middle]).ok();
        let mut all = landed(&output);
        all.sort();
        let mut expected = vec![low.clone(), middle.clone(), high.clone()];
        expected.sort();
        assert_eq!(all, expected, "{strategy}: {output}");
        let json = output.json();
        assert_eq!(json["landed"][0]["commit"], json["landed"][2]["commit"]);
        assert_eq!(it.main.git(["show", "main:low"]), "right");
        for file in ["middle", "high"] {
            assert_eq!(it.main.git(["show", &format!("main:{file}")]), "x");
        }
        for id in [&low, &middle, &high] {
            assert_eq!(status(&it.main, id), "done");
        }
        // It lies below the fix, in one merge with it.
        assert_eq!(has(&it, &rejected), strategy == "merge");
        let merges = it.main.git([
            "rev-list",
            "--count",
            "--first-parent",
            &format!("{tip}..main"),
        ]);
        assert_eq!(merges, if strategy == "rebase" { "4" } else { "1" });
        check::agree(&it.main);
    }
}

#[test]
fn what_was_amended_away_does_not_land() {
    for strategy in STRATEGIES {
        let it = team(strategy);
        let (low, rejected) = it.submitted("Low", &[("low", "wrong\n")]);
        let branch = it.work.git(["branch", "--show-current"]);
        it.work.git(["switch", "-q", "-c", "above"]);
        let (high, above) = stacked(&it.work, "kai", "High", &[("high", "x\n")]);
        let changes = ["review", &low, "--request-changes", "it is wrong"];
        it.main.as_agent("link", changes).ok();
        approve(&it.main, &high);
        it.work.git(["switch", "-q", &branch]);
        it.work.write("low", "right\n");
        it.work.git(["commit", "-qam", "Low", "--amend"]);
        it.work.as_agent("kai", submission(&low, "link")).ok();
        let output = it.land(&[]).code(4);
        assert_eq!(
            waiting(&output),
            [(high.clone(), vec![low.clone()])],
            "{strategy}"
        );
        approve(&it.main, &low);
        let output = it.land(&[]).ok();
        assert_eq!(landed(&output), [low, high], "{strategy}");
        assert!(!has(&it, &rejected) && !has(&it, &above), "{strategy}");
        assert_eq!(it.main.git(["show", "main:low"]), "right");
        assert_eq!(it.main.git(["show", "main:high"]), "x");
        let log = it.main.git(["log", "-p", "--format=%s", "main"]);
        assert!(!log.contains("wrong"), "{strategy}: {log}");
    }
}

#[test]
fn whoever_is_sent_back_holds_up_what_lies_above() {
    for strategy in STRATEGIES {
        let it = team(strategy);
        let (low, _) = it.submitted("Low", &[("shared.txt", "low\n")]);
        let (high, _) = stacked(&it.work, "kai", "High", &[("high", "x\n")]);
        let (other, _) = submitted(&it.work, "kai", "Other", &[("other", "x\n")]);
        for id in [&low, &high, &other] {
            approve(&it.main, id);
        }
        it.main.write("shared.txt", "by hand\n");
        it.main.commit("by hand");
        let output = it.land(&[]).code(4);
        assert_eq!(sent_back(&output), vec![low.clone()], "{strategy}");
        assert_eq!(
            waiting(&output),
            [(high.clone(), vec![low.clone()])],
            "{strategy}"
        );
        assert_eq!(landed(&output), [other], "{strategy}");
        assert_eq!(status(&it.main, &high), "validating");
        // The fix is made on top of what waits; that one named alone brings it along.
        let branch = show(&it.main, &low)["branch"].as_str().unwrap().to_owned();
        it.work.git(["switch", "-q", &branch]);
        it.work.try_git(["merge", "-q", "main"]).code(1);
        it.work.write("shared.txt", "low, by hand\n");
        it.work.commit("Merge main");
        it.work.as_agent("kai", submission(&low, "link")).ok();
        approve(&it.main, &low);
        let output = it.land(&[&high]).ok();
        assert_eq!(landed(&output).len(), 2, "{strategy}: {output}");
        for id in [&low, &high] {
            assert_eq!(status(&it.main, id), "done");
        }
        assert_eq!(it.main.git(["show", "main:shared.txt"]), "low, by hand");
        check::agree(&it.main);
    }
}
