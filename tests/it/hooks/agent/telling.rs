//! What a session is told, and that it is told once.

use std::process::{Child, Command, Stdio};

use super::*;
use crate::support::{Running, TestEnv};

fn start(repo: &Repo, session: &str, source: &str) -> Output {
    claude(repo, "session-start", session, json!({"source": source})).run()
}

fn prompt(repo: &Repo, session: &str) -> Output {
    claude(repo, "prompt", session, json!({"prompt": "go on"})).run()
}

fn after(repo: &Repo, session: &str, tool: &str) -> Output {
    let call = json!({"tool_name": tool, "tool_input": {"command": "make"}});
    claude(repo, "after-tool", session, call).run()
}

/// A token has about four characters.
fn tokens(text: &str) -> usize {
    text.chars().count() / 4
}

#[test]
fn a_session_begins_with_where_the_agent_stands() {
    let repo = bound();
    let id = claim(&repo, "kai", "Keep the return path", "src/auth");
    repo.as_agent("link", ["send", "kai", "the build is green again"])
        .ok();
    let text = context(&start(&repo, "s", "startup"));
    let (first, rest) = text.split_once("\n\n").unwrap();
    assert!(
        first.starts_with("This repository's agents work as a team through reflectt"),
        "{text}"
    );
    assert_eq!(first.lines().count(), 1);
    let status = repo.as_agent("kai", ["status"]).ok().stdout;
    let same = |text: &str| {
        let id = |_: &str| None;
        crate::support::snapshot::mask(text.trim_end(), id)
    };
    assert_eq!(same(rest), same(&status));
    assert!(
        rest.contains(&id) && rest.contains("the build is green again"),
        "{text}"
    );
    assert!(tokens(&text) <= 600, "{} tokens\n{text}", tokens(&text));
    // Nothing of it is said again.
    silent(&prompt(&repo, "s"));
}

#[test]
fn where_nobody_works_as_a_team_nothing_is_said_and_nothing_written() {
    let env = TestEnv::new();
    let alone = env.repo("alone");
    let outside = env.outside();
    for repo in [&alone, &outside] {
        for event in [
            "session-start",
            "prompt",
            "after-tool",
            "stop",
            "wake",
            "session-end",
        ] {
            silent(&claude(repo, event, "s", json!({"tool_name": "Bash"})).run());
            let named = claude(repo, event, "s", json!({"tool_name": "Bash"}));
            silent(&named.agent("kai").run());
        }
    }
    assert!(!alone.path().join(".git/reflectt/sessions").exists());
}

#[test]
fn who_is_nobody_is_told_how_to_join_and_nothing_else() {
    let repo = team();
    let text = context(&start(&repo, "s", "startup"));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("`reflectt join NAME`"), "{text}");
    silent(&start(&repo, "s", "startup"));
    silent(&prompt(&repo, "s"));
    silent(&after(&repo, "s", "Bash"));
    let stranger = claude(&repo, "session-start", "t", json!({}))
        .agent("nova")
        .run();
    let text = context(&stranger);
    assert!(
        text.contains("`reflectt join nova`") && text.lines().count() == 1,
        "{text}"
    );
}

/// Starts all before the end of any is waited for.
fn at_once(runs: impl Iterator<Item = Run>) -> Vec<Output> {
    let running: Vec<Running> = runs.map(Run::spawn).collect();
    running.into_iter().map(Running::finish).collect()
}

#[test]
fn one_event_of_two_configurations_acts_once() {
    let repo = bound();
    urgent(&repo, "stop at once");
    claim(&repo, "kai", "Keep the return path", "src/auth");
    for event in ["session-start", "stop", "teammate-idle"] {
        let runs = (0..4).map(|_| claude(&repo, event, event, json!({"source": "startup"})));
        let outputs = at_once(runs);
        let speaks = |output: &&Output| !output.stdout.is_empty() || output.status == Some(2);
        let spoke = outputs.iter().filter(speaks).count();
        // Whoever is idle is told of one thing at a time.
        let most = if event == "teammate-idle" { 2 } else { 1 };
        assert!((1..=most).contains(&spoke), "{event}: {outputs:?}");
    }
    let runs = (0..4).map(|_| claude(&repo, "prompt", "p", json!({"prompt": "hi"})));
    let spoke = at_once(runs)
        .into_iter()
        .filter(|output| !output.stdout.is_empty());
    assert_eq!(spoke.count(), 1);
}

#[test]
fn a_context_that_was_cut_is_given_anew() {
    let repo = bound();
    assert!(context(&start(&repo, "s", "startup")).contains("You are kai."));
    silent(&start(&repo, "s", "startup"));
    for source in ["compact", "resume"] {
        assert!(
            context(&start(&repo, "s", source)).contains("You are kai."),
            "{source}"
        );
        silent(&start(&repo, "s", source));
    }
}

#[test]
fn it_stays_short_when_much_is_going_on() {
    let repo = TestEnv::new().repo("repo");
    let names: Vec<String> = (0..50)
        .map(|n| format!("agent-with-a-long-name-{n}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    repo.found(&names);
    prepare(&repo);
    let me = names[0];
    seed(&repo, me, &names);
    let starts = claude(&repo, "session-start", "s", json!({}))
        .agent(me)
        .run();
    let text = context(&starts);
    assert!(tokens(&text) <= 1_500, "{} tokens\n{text}", tokens(&text));
    assert!(
        text.contains("reflectt inbox") && text.contains("Queue: "),
        "{text}"
    );
    let prompted = claude(&repo, "prompt", "other", json!({"prompt": "hi"}))
        .agent(me)
        .run();
    let text = context(&prompted);
    assert!(text.starts_with("40 new messages for you:\n"), "{text}");
    assert!(text.contains("\n- and 35 more\n`reflectt inbox`"), "{text}");
    assert!(tokens(&text) <= 1_500, "{} tokens\n{text}", tokens(&text));
}

/// Makes 300 tasks with long texts, some of them `me`'s, and sends `me` 40 messages.
fn seed(repo: &Repo, me: &str, names: &[&str]) {
    use reflectt::git::Repo as Opened;
    use reflectt::ops::{self, Context, NewMessage, NewTask, Recipient};
    let context = |name: &str| {
        let opened = Opened::discover(repo.path()).unwrap();
        let name = Some(name.parse().unwrap());
        Context::new(opened, name, ops::now, fastrand::Rng::new())
    };
    let author = context(names[1]);
    for n in 0..300 {
        let new = NewTask {
            title: format!("Task {n}: {}", "a title of some length ".repeat(6)),
            criteria: (0..6)
                .map(|at| {
                    format!(
                        "{at}: {}",
                        "a criterion that takes a line to say ".repeat(4)
                    )
                })
                .collect(),
            paths: vec![format!("src/part{n}").parse().unwrap()],
            ..NewTask::default()
        };
        ops::new_task(&author, &new).unwrap();
    }
    let mine = context(me);
    ops::next(&mine, Some(&ops::Branch::AsItIs)).unwrap();
    for n in 0..40 {
        let message = NewMessage {
            to: vec![Recipient::Agent(me.parse().unwrap())],
            body: format!(
                "Message {n}. {}",
                "What there is to say takes some words. ".repeat(20)
            ),
            task: None,
            reply_to: None,
            urgent: n % 4 == 0,
        };
        ops::send(&author, &message).unwrap();
    }
}

#[test]
fn new_messages_are_told_with_the_next_prompt_and_once() {
    let repo = bound();
    silent(&prompt(&repo, "s"));
    repo.as_agent("link", ["send", "kai", "first line\nsecond line"])
        .ok();
    let text = context(&prompt(&repo, "s"));
    assert!(
        text.starts_with("A new message for you:\n- link, "),
        "{text}"
    );
    assert!(
        text.contains(": first line …\n") && text.contains("`reflectt inbox`"),
        "{text}"
    );
    silent(&prompt(&repo, "s"));
    // Another session has not heard of it.
    assert!(context(&prompt(&repo, "t")).contains("first line"));
    // What was told by others has control characters in it, and they are shown.
    repo.as_agent(
        "link",
        ["send", "kai", "red \u{1b}[31m\u{202e}alert", "--urgent"],
    )
    .ok();
    let text = context(&prompt(&repo, "s"));
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
}

#[test]
fn only_what_is_urgent_comes_while_the_agent_works() {
    let repo = bound();
    repo.as_agent("link", ["send", "kai", "by the way"]).ok();
    silent(&after(&repo, "s", "Edit"));
    urgent(&repo, "the interface has changed:\nuse `open_with`");
    // It is the session's own agent that is to know.
    let of_other = json!({"tool_name": "Edit", "agent_id": "a1", "tool_input": {}});
    silent(&claude(&repo, "after-tool", "s", of_other).run());
    let text = context(&after(&repo, "s", "Edit"));
    assert!(
        text.contains("link URGENT, ") && text.contains("use `open_with`"),
        "{text}"
    );
    assert!(!text.contains("by the way"), "{text}");
    silent(&after(&repo, "s", "Edit"));
    assert!(context(&prompt(&repo, "s")).contains("by the way"));
}

#[test]
fn a_lost_claim_is_told_while_the_agent_works() {
    let repo = bound();
    let id = claim(&repo, "kai", "Keep the return path", "src/auth");
    silent(&after(&repo, "s", "Edit"));
    repo.as_agent(
        "link",
        ["claim", &id, "--take-over", "--reason", "kai is gone"],
    )
    .ok();
    let text = context(&after(&repo, "s", "Edit"));
    assert!(text.contains(&format!("about {id}")), "{text}");
    silent(&after(&repo, "s", "Edit"));
}

#[test]
fn what_a_shell_changed_in_claims_of_others_is_told_once() {
    let repo = bound();
    let status = |output: &Output| output.stderr.contains("git status");
    let traced = |repo: &Repo| {
        let call = json!({"tool_name": "Bash", "tool_input": {"command": "make"}});
        claude(repo, "after-tool", "traced", call)
            .env("REFLECTT_LOG", "debug")
            .run()
    };
    repo.write("src/auth/login.rs", "changed\n");
    repo.write("src/auth/new/file.rs", "new\n");
    assert!(!status(&traced(&repo)), "nobody holds anything");
    let id = claim(&repo, "link", "Keep the return path", "src/auth");
    silent(&after(&repo, "s", "Edit"));
    let text = context(&after(&repo, "s", "Bash"));
    let told = "- src/auth/login.rs, src/auth/new/file.rs: `link`, ";
    assert!(text.contains(told) && text.contains(&id), "{text}");
    silent(&after(&repo, "s", "Bash"));
    assert!(status(&traced(&repo)));
    // Another file, told by another harness's name of a shell.
    repo.write("src/auth/token.rs", "changed\n");
    let call = json!({"session_id": "s", "cwd": repo.path(), "tool_name": "run_shell_command"});
    let output = fire(&repo, "after-tool", "gemini", &call).run();
    let text = context(&output);
    assert!(
        text.contains("token.rs") && !text.contains("login.rs"),
        "{text}"
    );
    // One's own claim, and what nobody holds, is nobody else's business.
    repo.git(["checkout", "-q", "--", "src"]);
    repo.git(["clean", "-qfd"]);
    claim(&repo, "kai", "The guide", "docs");
    repo.write("docs/guide.md", "changed\n");
    repo.write("src/lib.rs", "changed\n");
    silent(&after(&repo, "t", "Bash"));
}

#[test]
fn what_a_merge_brings_in_is_nobody_s_stray() {
    let repo = bound();
    claim(&repo, "link", "Keep the return path", "src/auth");
    repo.git(["checkout", "-q", "-b", "links"]);
    repo.write("src/auth/login.rs", "changed by its holder\n");
    repo.git(["-c", "core.hooksPath=/dev/null", "commit", "-qam", "theirs"]);
    repo.git(["checkout", "-q", "main"]);
    repo.git(["merge", "-q", "--no-commit", "--no-ff", "links"]);
    silent(&after(&repo, "s", "Bash"));
    repo.git(["merge", "--abort"]);
    repo.write("src/auth/login.rs", "changed\n");
    assert!(context(&after(&repo, "s", "Bash")).contains("src/auth/login.rs"));
}

#[test]
fn who_takes_no_context_with_a_prompt_is_told_by_the_next_tool() {
    let repo = bound();
    repo.as_agent("link", ["send", "kai", "by the way"]).ok();
    let payload = json!({"conversation_id": "c", "workspace_roots": [repo.path()],
        "tool_name": "Read"});
    silent(&fire(&repo, "prompt", "cursor", &payload).run());
    let told = fire(&repo, "after-tool", "cursor", &payload)
        .run()
        .ok()
        .json();
    assert!(
        told["additional_context"]
            .as_str()
            .unwrap()
            .contains("by the way")
    );
    silent(&fire(&repo, "after-tool", "cursor", &payload).run());
}

/// A process that stands for a harness.
struct Harness(Child);

impl Harness {
    fn new() -> Harness {
        let mut sleep = Command::new("sleep");
        Harness(sleep.arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    fn starts(&self, repo: &Repo, session: &str, source: &str) -> String {
        let run = claude(repo, "session-start", session, json!({"source": source}));
        context(&run.env("CLAUDE_PID", self.0.id().to_string()).run())
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn two_sessions_of_one_agent_in_one_worktree_are_told_so() {
    const TOLD: &str = "Another session works in this worktree as `kai`";
    let repo = bound();
    let (one, two) = (Harness::new(), Harness::new());
    assert!(!one.starts(&repo, "one", "startup").contains(TOLD));
    let text = two.starts(&repo, "two", "startup");
    assert!(
        text.contains(TOLD) && text.contains("git worktree add"),
        "{text}"
    );
    assert!(context(&prompt(&repo, "one")).contains(TOLD));
    for session in ["one", "two"] {
        silent(&prompt(&repo, session));
    }
    // What goes on under another id in the same process is no other session; nor is one that ended.
    claude(&repo, "session-end", "two", json!({})).run().ok();
    drop(two);
    assert!(!one.starts(&repo, "one-cleared", "clear").contains(TOLD));
    drop(one);
    let three = Harness::new();
    assert!(!three.starts(&repo, "three", "startup").contains(TOLD));
    // Another worktree, or another name, is another place.
    let other = repo.worktree("other");
    other.reflectt(["--as", "link", "join", "link"]).ok();
    let four = Harness::new();
    assert!(!four.starts(&other, "four", "startup").contains(TOLD));
}
