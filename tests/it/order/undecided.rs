//! Moves of the record alone, which decide all the same: cancelling, reopening, approving.

use super::{Team, kinds, show, submission, told};
use crate::support::{TestEnv, check, race};
use crate::sync::hold;

#[test]
fn a_task_that_was_just_cancelled_is_claimed_by_nobody() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, _] = team.clones();
    let id = team.task("Not needed", &[]);
    kai.reflectt(["cancel", &id, "--reason", "no use"]).ok();
    link.reflectt(["claim", &id]).code(4);
    team.sound();
    assert_eq!(hold(link), []);
    assert_eq!(kinds(link, &id), ["created", "cancelled"]);
}

#[test]
fn a_task_that_was_just_claimed_is_cancelled_only_by_who_may_and_its_holder_is_told() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Not needed", &[]);
    link.reflectt(["claim", &id]).ok();
    let refused = sage.reflectt(["--json", "cancel", &id, "--reason", "no use"]);
    assert_eq!(refused.code(4).json()["error"]["rule"], "holder");
    // It is kai's, who does not know yet that it was claimed.
    kai.reflectt(["cancel", &id, "--reason", "no use"]).ok();
    link.reflectt(["sync"]).ok();
    let told = told(link, &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("kai") && told[0].contains("no use"),
        "{told:?}"
    );
    team.sound();
    assert_eq!(kinds(link, &id), ["created", "claimed", "cancelled"]);
    assert_eq!(hold(sage), []);
}

#[test]
fn cancelling_and_claiming_at_once_in_two_clones_tell_the_truth() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, _] = team.clones();
    for round in 0..6 {
        let id = team.task(&format!("Round {round}"), &[]);
        let outputs = race([
            kai.command(["cancel", &id, "--reason", "no use"]),
            link.command(["claim", &id]),
        ]);
        link.reflectt(["sync"]).ok();
        let kinds = kinds(link, &id);
        match (outputs[0].status, outputs[1].status) {
            (Some(0), Some(0)) => {
                assert_eq!(kinds, ["created", "claimed", "cancelled"]);
                assert_eq!(told(link, &id).len(), 1, "link is told");
            }
            (Some(0), Some(4)) => assert_eq!(kinds, ["created", "cancelled"]),
            _ => panic!("{outputs:?}"),
        }
        assert_eq!(hold(link), []);
    }
    team.sound();
}

#[test]
fn a_task_is_reopened_once_and_what_it_was_since_stays() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Comes back", &[]);
    kai.reflectt(["cancel", &id, "--reason", "no use"]).ok();
    team.it.sync_all();
    kai.reflectt(["reopen", &id, "--reason", "it is needed"])
        .ok();
    link.reflectt(["sync"]).ok();
    link.reflectt(["claim", &id]).ok();
    // To sage it is still cancelled.
    sage.reflectt(["reopen", &id, "--reason", "me too"]).code(4);
    team.sound();
    let expected = ["created", "cancelled", "reopened", "claimed"];
    assert_eq!(kinds(sage, &id), expected);
    assert_eq!(check::claims(sage)[&id]["agent"], "link");
}

#[test]
fn of_two_reviews_of_one_submission_the_first_counts() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Looked at twice", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(submission(&id, "sage")).ok();
    team.it.sync_all();
    let approve = ["review", &id, "--approve"];
    let send_back = ["review", &id, "--request-changes", "more tests"];
    // One reviewer on two machines, each with an opinion.
    sage.reflectt(send_back).ok();
    link.as_agent("sage", approve).code(4);
    team.sound();
    assert_eq!(show(link, &id)["status"], "doing");
    kai.reflectt(submission(&id, "sage")).ok();
    team.it.sync_all();
    link.as_agent("sage", approve).ok();
    sage.reflectt(send_back).code(4);
    team.sound();
    assert_eq!(show(kai, &id)["status"], "done");
    assert_eq!(hold(kai), []);
}

/// Who may approve is decided, like all that follows from it.
#[test]
fn naming_another_reviewer_and_approving_stand_in_one_line() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let [one, other] = ["One", "Other"].map(|title| team.task(title, &[]));
    for id in [&one, &other] {
        kai.reflectt(["claim", id]).ok();
        kai.reflectt(submission(id, "sage")).ok();
    }
    link.reflectt(["sync"]).ok();
    sage.reflectt(["sync"]).ok();
    let epoch = |clone: &crate::support::Repo| {
        let claims = clone.reflectt(["--json", "claims"]).ok().json();
        claims["epoch"].as_u64().unwrap()
    };
    let before = epoch(link);
    // Of each task, one of the two finds out that the other was first.
    link.reflectt(["task", "edit", &one, "--reviewer", "link"])
        .ok();
    assert_eq!(epoch(link), before + 1);
    sage.reflectt(["review", &one, "--approve"]).code(4);
    sage.reflectt(["review", &other, "--approve"]).ok();
    let edit = ["task", "edit", &other, "--reviewer", "link"];
    link.reflectt(edit).code(4);
    link.reflectt(["review", &one, "--approve"]).ok();
    team.sound();
    for id in [&one, &other] {
        assert_eq!(show(kai, id)["status"], "done");
    }
}
