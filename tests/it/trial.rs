//! What a real team ran into, played again: three agents in two clones, work stacked on one branch
//! of which the lowest is sent back, a reviewer in another clone, one that leaves and one that comes
//! late, and somebody idle who gets what became ready.
//!
//! Nobody types `git merge`, `git push` or a hash. What a daemon would do, `sync` does here.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::support::{Output, Repo, TestEnv, check};

/// An agent in its worktree, and how often it has called.
struct Agent {
    name: &'static str,
    repo: Repo,
    calls: Cell<usize>,
}

impl Agent {
    fn new(name: &'static str, repo: Repo) -> Agent {
        repo.reflectt(["join", name]).ok();
        let calls = Cell::new(0);
        Agent { name, repo, calls }
    }

    fn call(&self, args: &[&str]) -> Output {
        self.calls.set(self.calls.get() + 1);
        let args = ["--json"].iter().chain(args);
        self.repo.reflectt(args)
    }

    /// What the clone's daemon would have brought by now.
    fn sync(&self) {
        self.repo.reflectt(["sync"]).ok();
    }

    /// Takes what is next, and returns its id.
    #[track_caller]
    fn next(&self, args: &[&str]) -> String {
        let args = [&["next", "--claim"], args].concat();
        let up = self.call(&args).ok().json();
        up["claim"]["id"].as_str().unwrap().to_owned()
    }

    fn work(&self, files: &[&str]) {
        for file in files {
            self.repo
                .write(file, format!("{} {}\n", self.name, fastrand::u64(..)));
        }
        self.repo
            .commit(&format!("{} of {}", files.join(" and "), self.name));
    }

    #[track_caller]
    fn submit(&self, id: &str, more: &[&str]) -> Value {
        let args = ["submit", id, "--summary", "done", "--evidence", "1=seen"];
        self.call(&[&args, more].concat()).ok().json()
    }

    /// Does the first review there is, with this verdict.
    #[track_caller]
    fn review(&self, id: &str, verdict: &[&str]) -> Value {
        self.sync();
        let seen = self.call(&["review", id]).ok().json();
        assert!(
            !seen["range"].is_null(),
            "{} has no commit: {seen:#}",
            self.name
        );
        self.call(&[&["review", id], verdict].concat()).ok();
        seen
    }
}

#[test]
fn a_team_of_three_in_two_clones() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    seed.write("src/lib.rs", "all\n");
    seed.commit("begin");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", bare.path().to_str().unwrap(), "main"]);
    let here = env.clone_of(&bare, "here");
    here.reflectt(["init"]).ok();
    let kai = Agent::new("kai", here.worktree("desk-of-kai"));
    let link = Agent::new("link", here.worktree("desk-of-link"));
    let there = env.clone_of(&bare, "there");
    let sage = Agent::new("sage", there.clone());
    let task = |title: &str, path: &str, more: &[&str]| {
        kai.repo
            .task("kai", title, &[&["--path", path], more].concat())
    };
    let one = task("One", "one", &["--priority", "P0"]);
    let two = task("Two", "two", &["--priority", "P1"]);
    let three = task("Three", "three", &[]);
    let four = task("Four", "four", &["--after", &one]);

    // One after the other on one branch, each on what is not reviewed yet.
    assert_eq!(kai.next(&["--branch"]), one);
    kai.work(&["one/a", "one/b"]);
    kai.submit(&one, &["--reviewer", "sage"]);
    assert_eq!(kai.next(&[]), two);
    kai.work(&["two/a"]);
    let submitted = kai.submit(&two, &["--reviewer", "link"]);
    assert_eq!(submitted["submission"]["beneath"], json!([one]));
    assert_eq!(kai.next(&[]), three);
    kai.work(&["three/a"]);
    kai.submit(&three, &["--reviewer", "link"]);

    // Reviewed in another clone, which nobody pushed anything to by hand.
    sage.sync();
    let status = sage.call(&["status"]).ok().json();
    assert_eq!(status["reviews"][0]["id"], one, "{status:#}");
    let seen = sage.review(&one, &["--request-changes", "b is not said"]);
    assert_eq!(seen["commits"].as_array().unwrap().len(), 1);

    // Those on top are approved, and everybody knows on what.
    let seen = link.review(&two, &["--approve"]);
    assert_eq!(seen["beneath"][0]["id"], one);
    assert_eq!(seen["beneath"][0]["approved"], false);
    link.review(&three, &["--approve"]);
    link.sync();
    let landed = link.call(&["land"]).code(4).json();
    assert_eq!(landed["landed"], json!([]), "{landed:#}");
    let main = bare.git(["rev-parse", "main"]);
    assert_eq!(main, seed.git(["rev-parse", "main"]));

    // The fix of the lowest comes to lie above the others.
    kai.sync();
    let status = kai.call(&["status"]).ok().json();
    assert!(
        status["action"].as_str().unwrap().contains(&one),
        "{status:#}"
    );
    let told = kai.call(&["inbox"]).ok().json();
    let told = told["messages"].as_array().unwrap();
    let asked: Vec<&Value> = told.iter().filter(|it| it["task"] == one).collect();
    assert_eq!(asked.len(), 1, "{told:#?}");
    kai.call(&["ack", "--all"]).ok();
    kai.work(&["one/b"]);
    kai.submit(&one, &[]);

    // The reviewer leaves, and somebody has just come.
    let mira = Agent::new("mira", there.worktree("desk-of-mira"));
    sage.call(&["leave", "sage"]).ok();
    kai.sync();
    let reviewer = kai
        .repo
        .reflectt(["--json", "task", "show", &one])
        .ok()
        .json();
    let reviewer = reviewer["reviewer"].as_str().unwrap().to_owned();
    let (reviewer, idle) = match reviewer.as_str() {
        "mira" => (&mira, &link),
        "link" => (&link, &mira),
        other => panic!("{other} reviews"),
    };

    // Somebody idle waits for work while the rest lands, and has what became ready.
    idle.repo.set("kai", "sync.interval", "1s");
    let wait = ["--json", "next", "--claim", "--branch", "--wait", "60s"];
    let waiting = idle.repo.command(wait).spawn();
    idle.calls.set(idle.calls.get() + 1);
    reviewer.review(&one, &["--approve"]);
    reviewer.sync();
    let landed = reviewer.call(&["land"]).ok().json();
    let ids: Vec<&str> = (landed["landed"].as_array().unwrap().iter())
        .map(|it| it["task"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 3, "{landed:#}");
    let mut up = waiting.finish();
    // What is approved is something to do as well: it may have been woken for that.
    while up.status == Some(5) {
        idle.call(&["land"]);
        up = idle.call(&wait[1..]);
    }
    let up = up.ok().json();
    assert_eq!(up["claim"]["id"], four, "{up:#}");
    // It stands on what it waited for.
    assert!(idle.repo.path().join("one/b").exists());
    idle.work(&["four/a"]);
    idle.submit(&four, &["--reviewer", "kai"]);
    kai.sync();
    kai.review(&four, &["--approve"]);
    kai.call(&["land"]).ok();

    let files = bare.git(["ls-tree", "-r", "--name-only", "main"]);
    for file in ["four/a", "one/a", "one/b", "src/lib.rs", "three/a", "two/a"] {
        assert!(files.lines().any(|it| it == file), "{file} in\n{files}");
    }
    let fixed = kai.repo.git(["show", "HEAD:one/b"]);
    assert_eq!(bare.git(["show", "main:one/b"]), fixed);
    for (id, task) in check::tasks(&kai.repo) {
        assert_eq!(task["status"], "done", "{id}");
    }
    for agent in [&kai, &link, &mira] {
        agent.sync();
        agent.sync();
        check::agree(&agent.repo);
    }
    let calls: usize = [&kai, &link, &sage, &mira]
        .iter()
        .map(|it| it.calls.get())
        .sum();
    // Four tasks, of which one was submitted and reviewed twice.
    assert!(calls <= 6 * 5, "{calls} calls");
}
