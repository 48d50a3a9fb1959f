//! What a reviewer is shown, and that only what was shown is approved; what asks for something and
//! resolves itself; what is acknowledged.

use serde_json::{Value, json};

use crate::order::{show, submission};
use crate::support::{Repo, TestEnv};

fn team() -> Repo {
    let repo = TestEnv::new().repo("repo");
    repo.write("src/a.rs", "one\n");
    repo.commit("files");
    repo.found(&["kai", "link", "sage"]);
    repo.set("kai", "wip.agent", "9");
    repo.git(["switch", "-qc", "work"]);
    repo
}

/// Has `kai` do something for a task, and submit it to `link`.
fn submitted(repo: &Repo, title: &str) -> String {
    let id = repo.task("kai", title, &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    again(repo, &id);
    id
}

fn again(repo: &Repo, id: &str) {
    repo.write("src/a.rs", format!("{}\n", fastrand::u64(..)));
    repo.commit("work");
    repo.as_agent("kai", submission(id, "link")).ok();
}

/// Returns what somebody has unread of a task: the sort of each message.
fn unread(repo: &Repo, agent: &str, id: &str) -> Vec<String> {
    let inbox = repo.as_agent(agent, ["--json", "inbox"]).ok().json();
    let messages = inbox["messages"].as_array().unwrap().iter();
    let of_task = messages.filter(|message| message["task"] == id);
    of_task
        .map(|it| it["body"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_there_is_to_judge() {
    let repo = team();
    let id = repo.task(
        "kai",
        "Keep the return path",
        &["--criterion", "the page says so"],
    );
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.write("src/a.rs", "two\nthree\n");
    repo.write("logo.png", [0_u8, 159, 146, 150]);
    repo.commit("Keep it");
    let args = [
        "submit",
        &id,
        "--summary",
        "It is kept.",
        "--reviewer",
        "link",
    ];
    let more = [
        "--evidence",
        "1=seen",
        "--evidence",
        "2=read",
        "--caveat",
        "slow",
    ];
    repo.as_agent("kai", args.iter().chain(&more)).ok();
    repo.as_agent("link", ["review", &id]).snapshot(
        "
        --- stdout
        [ID1]  Keep the return path (in review, by kai)
          It is kept.
          beware: slow
          1. a test shows that it works
             seen
          2. the page says so
             read
          [OID] Keep it (Ann)
          logo.png (no text)
          src/a.rs +2 -1
        --- stderr
        hint: git diff [OID]...[OID]
        hint: reflectt review [ID1] --approve
        hint: reflectt review [ID1] --request-changes TEXT
        ",
    );
    // On top of it, and approved before it.
    let above = submitted(&repo, "Another");
    let seen = repo.as_agent("link", ["review", &above]).ok();
    let line =
        format!("on top of {id} (Keep the return path), which is not approved and lands first");
    assert!(seen.stdout.contains(&line), "{seen}");
    repo.as_agent("link", ["review", &id, "--request-changes", "faster"])
        .ok();
    let seen = repo.as_agent("link", ["review", &above]).ok();
    assert!(seen.stdout.contains("which was sent back"), "{seen}");
    let approved = repo.as_agent("link", ["review", &above, "--approve"]).ok();
    let said = format!("it lies on `{id}`, which was sent back");
    assert!(approved.stderr.contains(&said), "{approved}");
    let task = show(&repo, &above);
    assert_eq!(
        (&task["status"], &task["landed"]),
        (&json!("validating"), &Value::Null)
    );
}

#[test]
fn a_checkout_is_the_reviewers_until_the_verdict() {
    let repo = team();
    let id = submitted(&repo, "Keep the return path");
    let made = repo
        .as_agent("link", ["--json", "review", &id, "--checkout"])
        .ok()
        .json();
    let path = std::path::PathBuf::from(made["checkout"].as_str().unwrap());
    let there = Repo::at(repo.env().clone(), path.clone());
    assert_eq!(there.git(["branch", "--show-current"]), "");
    assert_eq!(
        there.git(["rev-parse", "HEAD"]),
        repo.git(["rev-parse", "HEAD"])
    );
    let status = there.reflectt(["--json", "status"]).ok().json();
    assert_eq!(status["agent"], "link");
    // It follows what is submitted anew.
    repo.as_agent("kai", submission(&id, "link")).ok();
    again(&repo, &id);
    repo.as_agent("link", ["review", &id, "--checkout"]).ok();
    assert_eq!(
        there.git(["rev-parse", "HEAD"]),
        repo.git(["rev-parse", "HEAD"])
    );
    // The verdict is given in it.
    let done = there
        .reflectt(["review", &id, "--request-changes", "a test"])
        .ok();
    assert!(done.stderr.contains("which is gone now"), "{done}");
    assert!(!path.exists());
    assert!(!repo.git(["worktree", "list"]).contains("review/"));

    // Where somebody says, and nowhere where something is.
    again(&repo, &id);
    repo.git(["config", "reflectt.hookTimeLimit", "60s"]);
    for taken in [".", "src", "../repo"] {
        let refused = repo
            .as_agent("link", ["review", &id, "--checkout", taken])
            .code(2);
        assert!(refused.stderr.contains("is there already"), "{refused}");
    }
    assert_eq!(repo.git(["branch", "--show-current"]), "work");
    repo.as_agent("link", ["review", &id, "--checkout", "../look"])
        .ok();
    let there = Repo::at(repo.env().clone(), repo.env().dir().join("look"));
    assert_eq!(
        there.reflectt(["--json", "status"]).ok().json()["agent"],
        "link"
    );
    // What was changed in it is not thrown away.
    there.write("src/a.rs", "tried out\n");
    let done = repo.as_agent("link", ["review", &id, "--approve"]).ok();
    assert!(
        done.stderr.contains("is kept, as `src/a.rs` was changed"),
        "{done}"
    );
    assert!(there.path().join("src/a.rs").exists());

    // One that somebody has removed is nobody's problem.
    let other = submitted(&repo, "Another");
    repo.as_agent("link", ["review", &other, "--checkout"]).ok();
    std::fs::remove_dir_all(repo.common_dir().join("reflectt/review")).unwrap();
    let done = repo.as_agent("link", ["review", &other, "--approve"]).ok();
    assert!(!done.stderr.contains("worktree"), "{done}");
}

#[test]
fn only_what_was_shown_is_approved() {
    let repo = team();
    let id = submitted(&repo, "Keep the return path");
    repo.as_agent("link", ["review", &id]).ok();
    let seen = repo.git(["rev-parse", "HEAD"]);
    again(&repo, &id);
    let refused = repo
        .as_agent("link", ["--json", "review", &id, "--approve"])
        .code(4)
        .json();
    assert_eq!(refused["error"]["rule"], "newer_submission");
    let hints = refused["error"]["hints"].to_string();
    assert!(hints.contains(&format!("reflectt review {id}")), "{hints}");
    let older = ["--json", "review", &id, "--approve", "--commit", &seen];
    let refused = repo.as_agent("link", older).code(4).json();
    assert_eq!(refused["error"]["rule"], "newer_submission");
    let named = ["review", &id, "--approve", "--commit", "HEAD"];
    let done = repo.as_agent("link", named).ok();
    assert!(!done.stderr.contains("not shown"), "{done}");

    let other = submitted(&repo, "Another");
    let done = repo.as_agent("link", ["review", &other, "--approve"]).ok();
    assert!(done.stderr.contains("you were not shown"), "{done}");
}

#[test]
fn what_was_asked_for_and_done_needs_nobodys_notice() {
    let repo = team();
    let id = submitted(&repo, "Keep the return path");
    let count = |agent: &str, id: &str| unread(&repo, agent, id).len();
    assert_eq!(count("link", &id), 1);
    // Submitted anew, it is asked for once.
    again(&repo, &id);
    assert_eq!(count("link", &id), 1);
    // With somebody else: only that one is asked.
    repo.as_agent("kai", ["task", "edit", &id, "--reviewer", "sage"])
        .ok();
    repo.as_agent("sage", ["review", &id]).ok();
    repo.as_agent("sage", ["review", &id, "--request-changes", "a test"])
        .ok();
    assert_eq!((count("link", &id), count("sage", &id)), (0, 0));
    assert_eq!(count("kai", &id), 1);
    repo.as_agent("kai", submission(&id, "sage")).ok();
    assert_eq!((count("kai", &id), count("sage", &id)), (0, 1));
    repo.as_agent("sage", ["review", &id, "--approve", "--commit", "HEAD"])
        .ok();
    assert_eq!((count("kai", &id), count("sage", &id)), (1, 0));
    repo.as_agent("sage", ["land"]).ok();
    let told = unread(&repo, "kai", &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("has landed"), "{told:?}");

    // Cancelled: nobody has to review it, and all are told that.
    let id = submitted(&repo, "Another");
    repo.as_agent("kai", ["cancel", &id, "--reason", "no use"])
        .ok();
    let told = unread(&repo, "link", &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("was cancelled"), "{told:?}");

    // Handed over, and taken up; sent back, and given away.
    let id = submitted(&repo, "A third");
    repo.as_agent("link", ["review", &id, "--request-changes", "a test"])
        .ok();
    assert_eq!(count("kai", &id), 1);
    repo.as_agent("kai", ["handoff", &id, "--to", "sage", "--note", "yours"])
        .ok();
    assert_eq!((count("kai", &id), count("sage", &id)), (0, 1));
    repo.as_agent("sage", ["release", &id]).ok();
    assert_eq!(count("sage", &id), 0);

    // It is somebody's turn until anybody has it.
    let first = repo.task("kai", "First", &[]);
    let then = repo.task("kai", "Then", &["--after", &first, "--assignee", "sage"]);
    repo.as_agent("kai", ["claim", &first]).ok();
    repo.git(["switch", "-qc", "first", "main"]);
    again(&repo, &first);
    repo.as_agent("link", ["review", &first, "--approve", "--commit", "HEAD"])
        .ok();
    repo.as_agent("link", ["land"]).ok();
    let told = unread(&repo, "sage", &then);
    assert!(
        told.iter().any(|it| it.contains("waited for it")),
        "{told:?}"
    );
    repo.as_agent("sage", ["claim", &then]).ok();
    assert_eq!(count("sage", &then), 0);
}

#[test]
fn nothing_is_acknowledged_that_was_not_shown() {
    let repo = team();
    let send = |text: &str| {
        repo.as_agent("kai", ["send", "link", text]).ok();
    };
    send("one");
    let left = repo.as_agent("link", ["ack", "--all"]).ok();
    assert!(
        left.stdout
            .contains("1 left that `reflectt inbox` has not shown"),
        "{left}"
    );
    repo.as_agent("link", ["inbox"]).ok();
    send("two");
    let acked = repo
        .as_agent("link", ["--json", "ack", "--all"])
        .ok()
        .json();
    assert_eq!(acked["left"], 1, "{acked}");
    let inbox = repo.as_agent("link", ["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "two");
    // What told of a lost claim was shown by that.
    let id = repo.task("link", "Keep the return path", &[]);
    repo.as_agent("link", ["claim", &id]).ok();
    repo.as_agent("sage", ["claim", &id, "--take-over", "--reason", "urgent"])
        .ok();
    send("three");
    repo.as_agent("link", ["claim", &id]).code(7);
    let acked = repo
        .as_agent("link", ["--json", "ack", "--all"])
        .ok()
        .json();
    assert_eq!(acked["left"], 1, "{acked}");
    assert_eq!(acked["messages"].as_array().unwrap().len(), 2, "{acked}");
}
