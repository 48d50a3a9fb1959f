//! Table and record of a decision arrive together, whatever else moves the record meanwhile.

use super::{Team, kinds, show, submission, told};
use crate::support::{TestEnv, check};

#[test]
fn every_decision_is_one_push_of_table_and_record() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, _, _] = team.clones();
    let id = team.task("Everything happens to it", &["--path", "src"]);
    kai.reflectt(["sync"]).ok();
    let one_push = |agent: &str, args: &[&str]| {
        team.remote.pushes();
        kai.as_agent(agent, ["--no-sync"].iter().chain(args)).ok();
        // The first submission brings its commit, in the same push.
        let work = format!(" refs/reflectt/work/{id}");
        let pushes: Vec<String> = team.remote.pushes();
        let both: Vec<String> = pushes.iter().map(|it| it.replace(&work, "")).collect();
        let expected = "refs/heads/reflectt refs/reflectt/claims";
        assert_eq!(both, [expected], "{agent}: {args:?}");
        pushes[0].ends_with(&work)
    };
    one_push("kai", &["claim", &id]);
    one_push("kai", &["claim", &id, "--path", "docs"]);
    one_push("kai", &["block", &id, "--reason", "no key"]);
    one_push("kai", &["unblock", &id]);
    one_push("kai", &["release", &id, "--note", "half done"]);
    one_push("kai", &["next", "--claim"]);
    one_push("kai", &["handoff", &id, "--to", "link", "--note", "yours"]);
    one_push("kai", &["claim", &id, "--take-over", "--reason", "urgent"]);
    assert!(one_push("kai", &submission(&id, "sage")));
    one_push("sage", &["review", &id, "--request-changes", "more tests"]);
    one_push("kai", &submission(&id, "sage"));
    one_push("sage", &["review", &id, "--approve"]);
    one_push("kai", &["reopen", &id, "--reason", "it fails again"]);
    one_push("kai", &["cancel", &id, "--reason", "no use"]);
    team.sound();
}

/// What needs nobody's consent needs no push of its own, and none of the table.
#[test]
fn what_decides_nothing_leaves_the_table_alone() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, _, _] = team.clones();
    let id = team.task("Much is said of it", &[]);
    team.remote.pushes();
    let before = kai.git(["rev-parse", "refs/heads/reflectt"]);
    for args in [
        &["task", "comment", &id, "I wonder"][..],
        &["task", "edit", &id, "--priority", "P1"],
        &["send", "link", "have you seen it?"],
        &["join", "kai", "--role", "backend"],
    ] {
        kai.reflectt(["--no-sync"].iter().chain(args)).ok();
    }
    assert_eq!(team.remote.pushes(), [""; 0]);
    assert_ne!(kai.git(["rev-parse", "refs/heads/reflectt"]), before);
    kai.reflectt(["sync"]).ok();
    let pushes = team.remote.pushes();
    assert!(
        pushes.iter().all(|refs| !refs.contains("claims")),
        "{pushes:?}"
    );
    team.sound();
}

#[test]
fn whoever_may_not_cancel_a_claimed_task_cannot_while_messages_are_in_the_way() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Held by kai", &[]);
    team.crowd(kai, sage);
    kai.reflectt(["--no-sync", "claim", &id]).ok();
    let refused = link.reflectt(["--json", "cancel", &id, "--reason", "no use"]);
    assert_eq!(refused.code(4).json()["error"]["rule"], "holder");
    team.sound();
    assert_eq!(check::claims(link)[&id]["agent"], "kai");
    assert_eq!(kinds(link, &id), ["created", "claimed"]);
}

#[test]
fn a_task_that_a_hand_off_reserves_is_taken_by_nobody_else() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("For link", &[]);
    let busy = team.task("Keeps link busy", &[]);
    link.reflectt(["claim", &busy]).ok();
    kai.reflectt(["claim", &id]).ok();
    team.crowd(kai, sage);
    let args = ["handoff", &id, "--to", "link", "--note", "when you can"];
    kai.reflectt(["--no-sync"].iter().chain(&args)).ok();
    sage.reflectt(["claim", &id]).code(4);
    let next = sage.reflectt(["next", "--claim"]);
    assert_eq!(next.status, Some(5), "{next}");
    link.reflectt(submission(&busy, "sage")).ok();
    link.reflectt(["claim", &id]).ok();
    team.sound();
    let expected = ["created", "claimed", "handed_off", "claimed"];
    assert_eq!(kinds(sage, &id), expected);
}

#[test]
fn what_its_author_has_taken_back_is_not_approved() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Not good enough", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(submission(&id, "sage")).ok();
    team.it.sync_all();
    team.crowd(kai, link);
    kai.reflectt(["--no-sync", "release", &id]).ok();
    sage.reflectt(["review", &id, "--approve"]).code(4);
    team.sound();
    assert_eq!(show(sage, &id)["status"], "todo");
    let expected = ["created", "claimed", "submitted", "released"];
    assert_eq!(kinds(sage, &id), expected);
}

#[test]
fn a_task_is_its_receivers_even_if_the_giver_is_never_heard_of_again() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("For link", &[]);
    kai.reflectt(["claim", &id]).ok();
    team.crowd(kai, sage);
    let args = ["handoff", &id, "--to", "link", "--note", "yours"];
    kai.reflectt(["--no-sync"].iter().chain(&args)).ok();
    std::fs::rename(kai.path(), env.dir().join("gone")).unwrap();
    link.reflectt(["sync"]).ok();
    assert_eq!(told(link, &id).len(), 1, "link is told");
    link.reflectt(submission(&id, "sage")).ok();
    let expected = ["created", "claimed", "handed_off", "submitted"];
    assert_eq!(kinds(link, &id), expected);
    sage.reflectt(["sync"]).ok();
    sage.reflectt(["review", &id, "--approve"]).ok();
    for clone in [link, sage] {
        clone.reflectt(["sync"]).ok();
        check::agree(clone);
    }
}

#[test]
fn who_lost_a_task_is_told_even_if_its_own_command_finds_it_out() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Wanted by link", &[]);
    kai.reflectt(["claim", &id]).ok();
    link.reflectt(["sync"]).ok();
    team.crowd(link, sage);
    let args = ["claim", &id, "--take-over", "--reason", "urgent"];
    link.reflectt(["--no-sync"].iter().chain(&args)).ok();
    std::fs::rename(link.path(), env.dir().join("gone")).unwrap();
    kai.reflectt(submission(&id, "sage")).code(7);
    let told = told(kai, &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("`link`") && told[0].contains("urgent"),
        "{told:?}"
    );
    kai.reflectt(["ack", "--all"]).ok();
    kai.reflectt(["sync"]).ok();
    check::agree(kai);
}
