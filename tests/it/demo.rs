//! The demo: in a repository, outside of one, interrupted.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::support::process::Run;
use super::support::{Output, Repo, TestEnv};

const CHECKS: [&str; 8] = [
    "one_holder",
    "disjoint_paths",
    "within_limits",
    "true_answers",
    "mail_once",
    "agreement",
    "clean_merge",
    "untouched",
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
fn holds(output: &Output, checks: &[&str]) {
    let summary = output.clone().ok().json();
    let found: Vec<&str> = summary["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == true)
        .map(|check| check["what"].as_str().unwrap())
        .collect();
    assert_eq!(found, checks);
    assert_eq!(summary["ok"], true);
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
    holds(&output, &CHECKS);
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
        "[3/9] They claim, all at once",
        "[exit 3]",
        "[exit 4]",
        "[exit 7]",
        "ok      no task was ever held twice (7 claims in ",
        "ok      no paths of two agents ever overlapped",
        "ok      every message is in each inbox once, read or unread",
        "ok      claims table and record agree",
        "## Done lately",
        "all 7 checks hold",
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
    let done = |task: &&serde_json::Value| task["status"] == "done";
    assert_eq!(tasks.iter().filter(done).count(), 6);
    project.reflectt(["doctor"]).ok();
}

#[test]
fn without_a_commit_there_is_nothing_to_clone() {
    let env = TestEnv::new();
    let repo = env.empty_repo("repo", &[]);
    let output = demo(&repo, &["-q", "--rm"]).run().ok();
    assert!(output.stdout.starts_with("all 8 checks hold"), "{output}");
    assert_eq!(output.stdout.lines().count(), 1, "{output}");
}

#[test]
fn an_interrupted_demo_leaves_nothing() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let mut running = demo(&repo, &[]).spawn();
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("inbox --wait") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended early");
    }
    let pid = i32::try_from(running.child.id()).unwrap();
    // SAFETY: takes two numbers; the process has not been waited for.
    unsafe { libc::kill(pid, libc::SIGTERM) };
    stdout.read_to_string(&mut line).unwrap();
    running.finish().code(128 + libc::SIGTERM);
    assert_eq!(left(&repo), Vec::<PathBuf>::new());
}
