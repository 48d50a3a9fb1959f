//! The demo: in a repository, outside of one, interrupted.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::process::{Run, Running};
use super::support::{Output, Repo, TestEnv, poll_until};
use super::sync;

/// What is checked of either team.
const OF_EACH: [&str; 6] = [
    "one_holder",
    "disjoint_paths",
    "within_limits",
    "true_answers",
    "mail_once",
    "agreement",
];

/// Returns a run of the demo that makes its directory in one of the test's.
fn demo(repo: &Repo, args: &[&str]) -> Run {
    let temp = temp(repo);
    std::fs::create_dir_all(&temp).unwrap();
    repo.command([&["demo"], args].concat())
        .env("TMPDIR", temp.to_str().unwrap())
}

fn temp(repo: &Repo) -> PathBuf {
    repo.env().dir().join("temp dir")
}

fn left(repo: &Repo) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(temp(repo)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[track_caller]
fn holds(output: &Output) {
    let summary = output.clone().ok().json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found: Vec<[String; 2]> = summary["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == true)
        .map(|check| [text(&check["team"]), text(&check["what"])])
        .collect();
    let of = |team, more: &[&'static str]| {
        [&OF_EACH, more]
            .concat()
            .into_iter()
            .map(move |what| [team, what])
    };
    let wanted: Vec<[&str; 2]> = of("worktrees", &["landed_once", "main_passes", "few_calls"])
        .chain(of("machines", &["one_record", "no_daemon"]))
        .chain([["", "untouched"]])
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(summary["ok"], true);
}

/// Returns the command lines of processes at work below a directory, even if it is deleted.
fn at_work(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir)))
        .filter_map(|path| std::fs::read_to_string(path.join("cmdline")).ok())
        .map(|line| line.replace('\0', " "))
        .collect()
}

fn daemons(dir: &Path) -> Vec<String> {
    let of_daemon = |line: &String| line.contains("daemon run");
    at_work(dir).into_iter().filter(of_daemon).collect()
}

/// Starts the demo and returns it as soon as it says this; what it says later goes nowhere.
fn played_until(repo: &Repo, line: &str) -> Running {
    let mut running = demo(repo, &[]).spawn();
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains(line) {
        said.clear();
        assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "it ended early");
    }
    running
}

/// Ends the demo with a signal in the moment when it has said this and so many daemons are there,
/// and expects nothing of it to be left.
#[track_caller]
fn interrupted(line: &str, signal: i32, count: usize) {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let running = played_until(&repo, line);
    let deadline = Instant::now() + Duration::from_secs(20);
    while daemons(&temp(&repo)).len() < count {
        assert!(Instant::now() < deadline, "{count} daemons do not come");
    }
    send(&running, signal);
    running.finish().code(128 + signal);
    // At once: a daemon whose clone is gone ends by itself after some seconds.
    assert_eq!(daemons(&temp(&repo)), Vec::<String>::new());
    assert_eq!(left(&repo), Vec::<PathBuf>::new());
    poll_until("all processes end", Duration::from_secs(2), || {
        at_work(&temp(&repo)).is_empty().then_some(())
    });
}

fn send(running: &Running, signal: i32) {
    let pid = i32::try_from(running.child.id()).unwrap();
    // SAFETY: takes two numbers; the process has not been waited for.
    unsafe { libc::kill(pid, signal) };
}

/// Everything of a directory that a process could have changed: names, sizes, times.
fn contents(dir: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let meta = entry.metadata().unwrap();
        let seen = (entry.path(), meta.len(), meta.modified().unwrap());
        into.push(format!("{seen:?}"));
        if meta.is_dir() {
            contents(&entry.path(), into);
        }
    }
}

#[test]
fn in_a_dirty_repository_with_a_detached_head_that_stays_as_it_is() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    // Named like an agent, on disk and among the branches.
    repo.write("kai/file", "one");
    // What the agents write is ignored here.
    repo.write(".gitignore", "*.py\n*.html\ndocs/\n");
    repo.commit("second");
    repo.git(["branch", "kai/topic"]);
    repo.git(["checkout", "-q", "--detach", "HEAD^"]);
    repo.write("new", "dirt");
    let inside = repo.sub("inside");
    let mut before = Vec::new();
    contents(repo.path(), &mut before);
    let run = demo(&inside, &["--json", "--rm"]);
    // As in a hook, and with a name that is nobody's.
    let output = run
        .env("GIT_DIR", repo.path().join(".git").to_str().unwrap())
        .env("REFLECTT_AGENT", "no/name")
        .run();
    holds(&output);
    assert_eq!(output.json()["source"], repo.path().to_str().unwrap());
    let mut after = Vec::new();
    contents(repo.path(), &mut after);
    assert_eq!(before, after);
    assert_eq!(left(&repo), Vec::<PathBuf>::new());
}

#[test]
fn outside_of_a_repository_it_tells_a_story_and_leaves_it_to_be_looked_at() {
    let env = TestEnv::new();
    let outside = env.outside();
    let output = demo(&outside, &[]).run().ok();
    let text = &output.stdout;
    for part in [
        "A small made-up repository (`",
        "[3/14] They claim, all at once",
        "[exit 3]",
        "[exit 4]",
        "must pass  sh guestbook/lines.sh",
        " in guestbook/CHANGES.md, where ",
        ": it breaks the check `lines` on `main` at ",
        "[exit 7]",
        "[10/14] Two machines, one remote",
        "ben@laptop$ reflectt join ben",
        " s from one machine to the other",
        "ben    working, provisional",
        "[exit 6]",
        "[claim_lost] URGENT",
        "ok      no task was ever held twice (12 claims in ",
        "ok      no paths of two agents ever overlapped",
        "ok      every message is in each inbox once, read or unread",
        "ok      claims table and record agree",
        "ok      no task was ever held twice (3 claims in ",
        "ok      `main` is what was approved, each task once (6 merges of 6 tasks)",
        "ok      `main` passes its check (lines on its newest commit)",
        "(5: next, submit, review, review --approve, land)",
        "ok      record and claims are the same on both machines and the remote (at ",
        "ok      no daemon is left at work (2 were stopped)",
        "## Done lately",
        "all 17 checks hold",
    ] {
        assert!(text.contains(part), "`{part}` is missing\n{output}");
    }
    assert!(!text.contains('\x1b'), "{output}");
    let [kept] = &left(&outside)[..] else {
        panic!("one directory is left\n{output}");
    };
    assert!(output.stderr.contains("(deletes it all)"), "{output}");
    let project = Repo::at(env.clone(), kept.join("project"));
    let tasks = project.reflectt(["--json", "task", "list", "--all"]).ok();
    let tasks = tasks.json()["tasks"].as_array().unwrap().clone();
    let done = |task: &&Value| task["status"] == "done";
    assert_eq!(tasks.iter().filter(done).count(), 6);
    project.reflectt(["doctor"]).ok();
    history(&project, &tasks);
    assert_eq!(at_work(kept), Vec::<String>::new());
    // Not only the demo says so.
    let tips = ["desk", "laptop", "net/forge.git"]
        .map(|name| sync::tips(&Repo::at(env.clone(), kept.join(name))));
    assert_eq!(tips[0], tips[1]);
    assert_eq!(tips[0], tips[2]);
    let desk = Repo::at(env.clone(), kept.join("desk"));
    let claims = desk.reflectt(["--json", "claims"]).ok().json();
    let claims = claims["claims"].as_array().unwrap();
    let confirmed = claims.iter().filter(|claim| claim["state"] == "confirmed");
    assert_eq!((claims.len(), confirmed.count()), (3, 3));
}

/// Expects that the branch passes, and is the merges of what was approved, in git's own words.
fn history(project: &Repo, tasks: &[Value]) {
    let done = tasks.iter().filter(|task| task["status"] == "done");
    let mut approved: Vec<[&str; 2]> = done
        .map(|task| [&task["approved"]["commit"], &task["id"]].map(|it| it.as_str().unwrap()))
        .collect();
    let format = "--format=%P %(trailers:key=Reflectt-Task,valueonly,separator=)";
    let log = project.git(["log", "--first-parent", "--merges", format, "main"]);
    let mut merged: Vec<[&str; 2]> = log
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            [words[1], words[2]]
        })
        .collect();
    approved.sort_unstable();
    merged.sort_unstable();
    assert_eq!(merged, approved);
    assert_eq!(project.git(["status", "--porcelain"]), "");
    let run = std::process::Command::new("sh")
        .arg("guestbook/lines.sh")
        .current_dir(project.path())
        .output();
    assert!(run.unwrap().status.success());
    let authors = project.git(["log", "--no-merges", "--format=%an", "main"]);
    assert!(
        ["kai", "link"].iter().all(|name| authors.contains(name)),
        "{authors}"
    );
    // What was broken was seen to be: the news as it was first breaks the check.
    let before = project.git(["log", "-1", "--format=%H", "--grep=news: done", "main"]);
    let long = project.git(["show", &format!("{before}:guestbook/NEWS.md")]);
    assert!(long.lines().any(|line| line.len() > 60), "{long}");
}

#[test]
fn without_a_commit_there_is_nothing_to_clone() {
    let env = TestEnv::new();
    let repo = env.empty_repo("repo", &[]);
    let output = demo(&repo, &["-q", "--rm"]).run().ok();
    assert!(output.stdout.starts_with("all 18 checks hold"), "{output}");
    assert_eq!(output.stdout.lines().count(), 1, "{output}");
}

#[test]
fn an_interrupted_demo_leaves_nothing() {
    interrupted("inbox --wait", libc::SIGTERM, 0);
}

#[test]
fn interrupted_while_daemons_start_it_leaves_none() {
    interrupted("A daemon on each machine", libc::SIGINT, 1);
}

#[test]
fn interrupted_while_daemons_work_it_leaves_none() {
    interrupted("ada cannot know", libc::SIGINT, 2);
}

#[test]
fn killed_it_leaves_its_directory_and_no_daemon() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let running = played_until(&repo, "ada cannot know");
    assert_eq!(daemons(&temp(&repo)).len(), 2);
    running.kill();
    poll_until("the daemons end", Duration::from_secs(20), || {
        daemons(&temp(&repo)).is_empty().then_some(())
    });
    assert_eq!(left(&repo).len(), 1);
}
