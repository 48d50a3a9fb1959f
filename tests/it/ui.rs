//! The board on a terminal: the real program in `tmux`.

use super::support::process::signal;
use super::support::tmux::Tmux;
use super::support::{Repo, TestEnv};

/// A terminal that nobody has touched, or that was given back.
const SANE: &str = "0 1 0";

/// A team of a person and three agents: one task in review for the person, one blocked.
fn team(env: &TestEnv) -> (Repo, [String; 2]) {
    let repo = env.team(["kai", "link"]);
    repo.as_agent("ann", ["join", "ann", "--human"]).ok();
    let done = repo.task("ann", "Keep the return path", &["--path", "src"]);
    repo.as_agent("kai", ["claim", &done]).ok();
    repo.write("src/login.js", "export const to = null\n");
    repo.git(["add", "src"]);
    let commit = ["commit", "-q", "-m", "Keep the return path"];
    let mut commit = repo.git_command(commit);
    commit.env("REFLECTT_AGENT", "kai");
    assert!(commit.status().unwrap().success());
    let submit = [
        "submit",
        &done,
        "--summary",
        "to is kept",
        "--evidence",
        "1=the test ran",
    ];
    repo.as_agent("kai", submit).ok();
    repo.as_agent("ann", ["task", "edit", &done, "--reviewer", "ann"])
        .ok();
    let stuck = repo.task("ann", "Pay by card", &[]);
    repo.as_agent("link", ["claim", &stuck]).ok();
    let block = [
        "block",
        &stuck,
        "--reason",
        "which bank do we use",
        "--needs-human",
    ];
    repo.as_agent("link", block).ok();
    (repo, [done, stuck])
}

#[test]
fn where_nothing_can_be_drawn_it_names_the_page() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let output = repo.as_agent("kai", ["ui"]).code(2);
    assert!(
        output.stderr.contains("standard output is not a terminal"),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("reflectt board"),
        "{}",
        output.stderr
    );
    repo.as_agent("kai", ["--json", "ui"]).code(2);
}

#[test]
fn without_a_team_it_says_what_every_command_says() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let Some(tmux) = Tmux::start(&repo, (100, 30)) else {
        return;
    };
    let board = repo.reflectt(["board"]);
    let said = board.stderr.lines().next().unwrap();
    tmux.reflectt("", "ui");
    tmux.wait_for(&[said]);
    assert_eq!(tmux.modes().flags, SANE);
}

#[test]
fn an_approval_is_on_the_record_and_others_are_seen_live() {
    let env = TestEnv::new();
    let (repo, [done, stuck]) = team(&env);
    let Some(tmux) = Tmux::start(&repo, (80, 24)) else {
        return;
    };
    tmux.reflectt("clear;", "--as ann ui");
    // What waits for ann is first.
    tmux.wait_for(&[
        "you are ann",
        "[Needs you",
        "which bank do we use",
        "Keep the return path",
    ]);
    tmux.press(&["3"]);
    tmux.wait_for(&["[Board", "-- blocked (1)", "-- in review (1)", &stuck]);
    tmux.press(&["G", "Enter"]);
    tmux.wait_for(&["[Task]", "1. a test shows", "+ the test ran", "git diff"]);

    // What another process does is seen without a key.
    let hostile = "nice \u{1b}[2J\u{202e}work";
    repo.as_agent("link", ["task", "comment", &done, hostile])
        .ok();
    tmux.press(&["End"]);
    tmux.wait_for(&[r"nice ␛[2J\u{202e}work"]);

    tmux.press(&["a"]);
    tmux.type_text("well done");
    tmux.press(&["Enter"]);
    tmux.wait_for(&["Do it? y/n", "--approve --commit", "--note 'well"]);
    // Nothing is written before the yes.
    let status = |repo: &Repo| {
        let shown = repo.reflectt(["--json", "task", "show", &done]).ok().json();
        shown["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&repo), "validating");
    tmux.press(&["y"]);
    tmux.wait_for(&[&format!("approved {done}")]);
    assert_eq!(status(&repo), "done");
    let log = repo.reflectt(["log"]).ok().stdout;
    assert!(
        log.contains("ann") && log.contains("approved it: well done"),
        "{log}"
    );

    // Refused, it says why and what next, and nothing has changed.
    tmux.press(&["a"]);
    tmux.wait_for(&["only what is in review is approved"]);
    tmux.resize(200, 60);
    tmux.wait_for(&[">Task", "Agents", "Messages", "Log", "Pay by card"]);
    tmux.resize(80, 24);
    tmux.wait_for(&["[Task]"]);
    tmux.press(&["q"]);
    tmux.wait_until("the shell", |screen| !screen.contains("you are ann"));
    assert_eq!(tmux.modes().flags, SANE);
}

#[test]
fn a_message_and_a_task_are_made_on_the_screen() {
    let env = TestEnv::new();
    let (repo, _) = team(&env);
    let Some(tmux) = Tmux::start(&repo, (80, 24)) else {
        return;
    };
    tmux.reflectt("clear;", "--as ann ui");
    tmux.wait_for(&["you are ann"]);
    tmux.press(&["m"]);
    tmux.wait_for(&["Send a message"]);
    tmux.press(&["Up", "C-u"]);
    tmux.type_text("kai");
    tmux.press(&["Enter"]);
    tmux.type_text("are you there?");
    tmux.press(&["Enter"]);
    tmux.wait_for(&["Do it? y/n", "reflectt send kai 'are you there?'"]);
    tmux.press(&["y"]);
    tmux.wait_for(&["sent to kai"]);
    let inbox = repo.as_agent("kai", ["inbox"]).ok().stdout;
    assert!(inbox.contains("are you there?"), "{inbox}");

    tmux.press(&["n"]);
    tmux.type_text("Print the receipt");
    tmux.press(&["Enter"]);
    tmux.type_text("the receipt has the total on it");
    tmux.press(&["Enter", "Enter"]);
    tmux.wait_for(&["Do it? y/n", "reflectt task new 'Print the receipt'"]);
    tmux.press(&["y"]);
    tmux.wait_for(&["made "]);
    let list = repo.reflectt(["task", "list"]).ok().stdout;
    assert!(list.contains("Print the receipt"), "{list}");
    // Somebody who is not there: the refusal names who is meant, and nothing is sent.
    tmux.press(&["m"]);
    tmux.wait_for(&["Send a message"]);
    tmux.press(&["Up", "C-u"]);
    tmux.type_text("kia");
    tmux.press(&["Enter"]);
    tmux.type_text("hello");
    tmux.press(&["Enter", "y"]);
    tmux.wait_for(&["! there is no agent `kia`", "did you mean `kai`?"]);
    tmux.press(&["C-c"]);
}

#[test]
fn suspended_ended_or_broken_it_gives_the_terminal_back() {
    let env = TestEnv::new();
    let (repo, _) = team(&env);
    let Some(tmux) = Tmux::start(&repo, (80, 24)) else {
        return;
    };
    tmux.wait_for(&["$"]);
    let before = tmux.modes();
    assert_eq!(before.flags, SANE);

    tmux.reflectt("clear;", "--as ann ui");
    tmux.wait_for(&["you are ann"]);
    tmux.press(&["C-z"]);
    tmux.wait_for(&["Stopped"]);
    assert_eq!(tmux.modes(), before);
    tmux.type_text("fg");
    tmux.press(&["Enter"]);
    tmux.wait_for(&["you are ann", "live"]);
    tmux.press(&["3"]);
    tmux.wait_for(&["[Board"]);

    signal(tmux.child(), libc::SIGTERM);
    tmux.wait_until("the shell", |screen| !screen.contains("you are ann"));
    tmux.type_text("echo code=$?");
    tmux.press(&["Enter"]);
    tmux.wait_for(&["code=143"]);
    assert_eq!(tmux.modes(), before);

    tmux.reflectt(
        "clear; REFLECTT_TEST_PANIC=1 RUST_BACKTRACE=0",
        "--as ann ui; echo code=$?",
    );
    tmux.wait_for(&["asked to panic", "code=101"]);
    assert_eq!(tmux.modes(), before);
}

#[test]
fn a_difference_is_shown_by_the_users_pager() {
    let env = TestEnv::new();
    let (repo, _) = team(&env);
    let Some(tmux) = Tmux::start(&repo, (80, 24)) else {
        return;
    };
    repo.git([
        "config",
        "core.pager",
        "sed s/^/PAGED/; read -r line < /dev/tty; :",
    ]);
    // Without an agent it shows all the same, and says how to act.
    repo.reflectt(["leave", "nobody"]).code(5);
    repo.git(["config", "--worktree", "--unset", "reflectt.agent"]);
    tmux.reflectt("clear;", "ui");
    tmux.wait_for(&["read-only"]);
    tmux.press(&["3", "g", "j", "c"]);
    tmux.wait_for(&["! read-only, as nobody acts here", "--as NAME"]);
    tmux.press(&["d"]);
    tmux.wait_for(&["PAGED+export const to = null"]);
    // What is typed now is the pager's.
    tmux.type_text("q");
    tmux.press(&["Enter"]);
    tmux.wait_for(&["[Board", "live"]);
    // Who wants none can read what was printed, too.
    tmux.press(&["q"]);
    tmux.wait_until("the shell", |screen| !screen.contains("[Board"));
    tmux.reflectt("clear; GIT_PAGER=cat", "ui");
    tmux.wait_for(&["read-only"]);
    tmux.press(&["3", "g", "j", "d"]);
    tmux.wait_for(&["+export const to = null", "Enter goes back"]);
    tmux.press(&["Enter"]);
    tmux.wait_for(&["[Board", "live"]);
    tmux.press(&["q"]);
}
