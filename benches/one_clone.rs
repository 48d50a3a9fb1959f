//! Whole processes of the release build on one clone, beside plain git in the same run.
//!
//! `cargo bench` prints a table; nothing is asserted, because machines differ and are noisy.
//! Compare the ratios, not the milliseconds. `cargo bench --bench one_clone -- asking` measures that
//! alone.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod measure;
mod serving;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reflectt::git::{Advisory, ConfigScope, OpenOptions, Repo};
use reflectt::model::id::{Stamp, TaskId};
use reflectt::model::name::Author;
use reflectt::model::task::{Draft, TaskEvent, TaskLog};
use reflectt::model::time::Timestamp;
use reflectt::store::{Changes, Origin, Store};

use measure::{PROGRAM, heading, is_test_run, median, row, size_of};

fn main() {
    if is_test_run() {
        return;
    }
    println!(
        "release binary: {:.1} MB",
        size_of(Path::new(PROGRAM)) as f64 / 1e6
    );
    heading();
    let all: [(&str, fn()); 13] = [
        ("reading", reading),
        ("writing", writing),
        ("many_open", many_open),
        ("growth", growth),
        ("waking", waking),
        ("answering", answering),
        ("draining", draining),
        ("enforcing", enforcing),
        ("asking", asking),
        ("pushing", pushing),
        ("looking_ahead", looking_ahead),
        ("publishing", publishing),
        ("landing", landing),
    ];
    let named: Vec<String> = std::env::args().skip(1).collect();
    let is_named = |name: &str| named.iter().any(|named| named == name);
    let any = all.iter().any(|(name, _)| is_named(name));
    for (_, measure) in all.iter().filter(|(name, _)| !any || is_named(name)) {
        measure();
    }
}

/// Reading commands with 100 open and 10,000 archived tasks.
fn reading() {
    let team = Team::new("reading", 100, 10_000);
    let git = team.git_cat_file();
    let one = team.open[0].clone();
    for args in [
        vec!["status"],
        vec!["next"],
        vec!["task", "list"],
        vec!["task", "show", one.as_str()],
        vec!["claims"],
        vec!["inbox"],
        vec!["who"],
        vec!["board"],
        vec!["log"],
    ] {
        let time = median(30, || team.run("kai", &args));
        row(
            &format!("{} (100 open, 10,000 archived)", args.join(" ")),
            time,
            git,
        );
    }
}

/// A claim with its record, with 100 open tasks, against one `git update-ref`.
fn writing() {
    let team = Team::new("writing", 100, 0);
    let git = team.git_update_ref();
    let mut ids = team.open.iter();
    let time = median(40, || {
        let id = ids.next().expect("a task for each round");
        team.run("kai", &["claim", id]);
    });
    row("claim with its record (100 open)", time, git);
    let time = median(20, || {
        team.run("kai", &["send", "link", "the tests pass now"]);
    });
    row("send (100 open)", time, git);
    let time = median(20, || team.run("kai", &["heartbeat"]));
    row("heartbeat", time, git);
}

/// The same with 10,000 open tasks.
fn many_open() {
    let team = Team::new("many", 10_000, 0);
    let git = team.git_update_ref();
    row(
        "next (10,000 open)",
        median(20, || team.run("kai", &["next"])),
        git,
    );
    row(
        "task list (10,000 open)",
        median(20, || team.run("kai", &["task", "list"])),
        git,
    );
    let mut ids = team.open.iter();
    let time = median(20, || {
        let id = ids.next().expect("a task for each round");
        team.run("kai", &["claim", id]);
    });
    row("claim (10,000 open)", time, git);
    let new = ["task", "new", "Another one", "--criterion", "it is there"];
    row(
        "task new (10,000 open)",
        median(20, || team.run("kai", &new)),
        git,
    );
}

/// What operations add to the object store once it is packed.
fn growth() {
    for (what, count) in [
        ("claim and release", 200),
        ("message of 100 characters", 200),
    ] {
        let team = Team::new("growth", 100, 0);
        team.git(&["gc", "-q", "--prune=now"]);
        let before = team.object_bytes();
        for index in 0..count {
            if what.starts_with("claim") {
                let id = &team.open[index % team.open.len()];
                team.run("kai", &["claim", id]);
                team.run("kai", &["release", id]);
            } else {
                let text = format!("{index:0>4} {}", "words that differ a little ".repeat(4));
                team.run("kai", &["send", "link", &text[..100]]);
            }
        }
        team.git(&["gc", "-q", "--prune=now"]);
        let operations = if what.starts_with("claim") {
            count * 2
        } else {
            count
        };
        let bytes = (team.object_bytes() - before) as f64 / operations as f64;
        println!("{what:<58} {bytes:>9.0} bytes an operation, after git gc");
    }
}

/// From the end of `send` until `inbox --wait` in another worktree has ended.
fn waking() {
    let team = Team::new("waking", 10, 0);
    let mut times = Vec::new();
    for round in 0..15 {
        let mut waiting = team
            .command("link", &["inbox", "--wait", "20s"])
            .spawn()
            .expect("starts");
        // Give it the time to start waiting; what is measured begins after it.
        std::thread::sleep(Duration::from_millis(100));
        team.run("kai", &["send", "link", &format!("round {round}")]);
        let sent = Instant::now();
        assert!(waiting.wait().expect("ends").success());
        times.push(sent.elapsed());
        team.run("link", &["ack", "--all"]);
    }
    times.sort();
    let median = times[times.len() / 2];
    row(
        "message seen by inbox --wait after send returned",
        median,
        Duration::ZERO,
    );
    let mut times = Vec::new();
    for id in &team.open {
        team.run("kai", &["claim", id]);
    }
    for id in &team.open {
        let mut waiting = team
            .command("link", &["status", "--wait", "20s"])
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(100));
        team.run("kai", &["release", id]);
        let free = Instant::now();
        assert!(waiting.wait().expect("ends").success());
        times.push(free.elapsed());
        team.run("kai", &["claim", id]);
    }
    times.sort();
    let median = times[times.len() / 2];
    row(
        "work seen by status --wait after it was released",
        median,
        Duration::ZERO,
    );
}

/// What a client of the server waits for: an answer, and word of a change by another process.
fn answering() {
    let team = Team::new("answering", 100, 10_000);
    let mut client = serving::Client::start(team.command("kai", &["mcp"]));
    for tool in ["status", "list", "message"] {
        let time = median(50, || client.tool(tool));
        let what = format!("mcp: tool {tool} (100 open, 10,000 archived)");
        row(&what, time, Duration::ZERO);
    }
    let board = serde_json::json!({"uri": "reflectt://board"});
    client.request("resources/subscribe", board);
    // What is measured begins when it follows.
    std::thread::sleep(Duration::from_millis(300));
    let mut times = Vec::new();
    for round in 0..15 {
        team.run("link", &["send", "#general", &format!("round {round}")]);
        times.push(client.until_told(Instant::now()));
    }
    times.sort();
    let what = "mcp: resources/updated after send returned";
    row(what, times[times.len() / 2], Duration::ZERO);
    let start = median(20, || {
        drop(serving::Client::start(team.command("kai", &["mcp"])));
    });
    row("mcp: started, and hands shaken", start, Duration::ZERO);
}

/// Sixteen agents drain 200 tasks: each claims with `next --claim` and sets the task aside.
fn draining() {
    let team = Team::new("draining", 200, 0);
    for index in 0..16 {
        let agent = format!("agent{index}");
        team.run(&agent, &["join", &agent]);
    }
    let start = Instant::now();
    let agents: Vec<Child> = (0..16)
        .map(|index| {
            let agent = format!("agent{index}");
            let drain = format!(
                "while id=$({PROGRAM} next --claim --json -q | sed -n 's/.*\"task\":{{\"id\":\"\\([a-z0-9]*\\)\".*/\\1/p'); \
                 [ -n \"$id\" ]; do {PROGRAM} block $id --reason 'measured enough' -q >&2; echo $id; done"
            );
            let mut command = Command::new("sh");
            command.args(["-c", &drain]).current_dir(&team.dir).env("REFLECTT_AGENT", &agent);
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("sh starts")
        })
        .collect();
    let mut claimed = Vec::new();
    for agent in agents {
        let output = agent.wait_with_output().expect("ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        claimed.extend(text.lines().map(str::to_owned));
    }
    let all = claimed.len();
    let distinct = claimed.into_iter().collect::<BTreeSet<_>>().len();
    let each = start.elapsed() / u32::try_from(all.max(1)).expect("a small number");
    let what = format!("16 agents drain 200 tasks: {all} claims, {distinct} tasks; each");
    row(&what, each, Duration::ZERO);
}

/// The pre-commit check with 1,000 staged files and 200 claims, and a commit with and without it.
fn enforcing() {
    let team = Team::new("enforcing", 200, 0);
    for id in &team.open {
        team.run("link", &["claim", id]);
    }
    for index in 0..1_000 {
        let dir = team.dir.join(format!("other/part{}", index % 40));
        std::fs::create_dir_all(&dir).expect("a directory");
        std::fs::write(dir.join(format!("file{index}.rs")), "x").expect("a file");
    }
    team.git(&["add", "other"]);
    let compare = ["diff-index", "--cached", "--quiet", "HEAD"];
    for state in ["loose", "packed"] {
        let git = median(30, || {
            // It exits with 1, as there are changes.
            team.git_command(&compare).status().expect("git starts");
        });
        row(
            &format!("hook pre-commit (1,000 staged files, 200 claims, {state})"),
            median(40, || team.run("kai", &["hook", "pre-commit"])),
            git,
        );
        team.git(&["gc", "-q"]);
    }
    let commit = |hooks: &'static str| {
        let mut times: Vec<Duration> = (0..15)
            .map(|_| {
                let args = ["-c", hooks, "commit", "-q", "-m", "many files"];
                let start = Instant::now();
                let status = team
                    .git_command(&args)
                    .env("REFLECTT_AGENT", "kai")
                    .status();
                let time = start.elapsed();
                assert!(status.expect("git starts").success());
                team.git(&["reset", "-q", "--soft", "HEAD~"]);
                time
            })
            .collect();
        times.sort();
        times[times.len() / 2]
    };
    let without = commit("core.hooksPath=/dev/null");
    row(
        "git commit of 1,000 files, with the hooks, 200 claims",
        commit("bench.nothing=1"),
        without,
    );
}

/// What a harness waits for at each event of a session, with 100 open and 10,000 archived tasks, of
/// which others hold 20; each round is a session of its own.
fn asking() {
    let team = Team::new("asking", 100, 10_000);
    for id in &team.open[..20] {
        team.run("link", &["claim", id]);
    }
    team.run("kai", &["claim", &team.open[20]]);
    team.run("link", &["send", "kai", "the build is red", "--urgent"]);
    team.git(&["gc", "-q"]);
    let git = team.git_cat_file();
    let edit = |path: &str, content: &str| {
        format!(
            r#""tool_name":"Write","tool_input":{{"content":"{content}","file_path":"{path}"}}"#
        )
    };
    let shell = r#""tool_name":"Bash","tool_input":{"command":"make"}"#;
    let large = "0123456789\\n".repeat(5 * 1024 * 1024 / 12);
    for (what, event, more) in [
        ("session-start", "session-start", String::new()),
        ("prompt, with mail", "prompt", r#""prompt":"hi""#.to_owned()),
        ("before-edit, free", "before-edit", edit("src/free.rs", "x")),
        ("before-edit, held", "before-edit", edit("src/part3", "x")),
        (
            "before-edit of 5 MB",
            "before-edit",
            edit("src/free.rs", &large),
        ),
        (
            "after-tool, with mail",
            "after-tool",
            edit("src/free.rs", "x"),
        ),
        ("after-tool, shell", "after-tool", shell.to_owned()),
        ("stop", "stop", String::new()),
        ("session-end", "session-end", String::new()),
    ] {
        let mut times: Vec<Duration> = (0..30)
            .map(|round| {
                let time = measure::time(|| team.hook(event, round, &more));
                team.hook("session-end", round, "");
                time
            })
            .collect();
        times.sort();
        row(&format!("hook agent {what}"), times[times.len() / 2], git);
    }
    for _ in 0..2 {
        team.hook("after-tool", 1, &edit("src/free.rs", "x"));
    }
    let nothing = median(30, || team.hook("after-tool", 1, &edit("src/free.rs", "x")));
    row("hook agent after-tool, nothing new", nothing, git);
}

/// What `pre-push` takes for 10,000 commits, against `git log` of the same.
fn pushing() {
    let team = Team::new("pushing", 50, 0);
    for id in &team.open {
        team.run("link", &["claim", id]);
    }
    let mut script = String::new();
    for index in 0..10_000 {
        script.push_str(&format!(
            "commit refs/heads/long\ncommitter b <b@example.com> {} +0000\ndata 2\nx\n\
             M 100644 inline other/part{}/file{index}\ndata 2\nx\n",
            1_700_000_000 + index,
            index % 40,
        ));
    }
    let mut import = team.git_command(&["fast-import", "--quiet"]);
    let mut import = import.stdin(Stdio::piped()).spawn().expect("git starts");
    let mut stdin = import.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, script.as_bytes()).expect("written");
    drop(stdin);
    assert!(import.wait().expect("ends").success());
    let git = median(5, || {
        team.git(&["log", "-z", "--name-only", "--format=%H", "long"]);
    });
    let time = median(5, || team.run("kai", &["check", "main..long"]));
    row("check of 10,000 commits, 50 claims", time, git);
}

/// What `radar` takes for 30 branches: first most of them apart, then all in one file.
fn looking_ahead() {
    let team = Team::new("radar", 30, 0);
    for (index, id) in team.open.iter().enumerate() {
        team.git(&["checkout", "-q", "-b", &format!("work{index}"), "main"]);
        team.run("link", &["claim", id]);
        team.commit(&format!("part{}", index % 10), &index.to_string());
    }
    let radar = || team.run("kai", &["radar"]);
    let cold = |state: &str| {
        let time = median(9, || {
            std::fs::remove_file(team.dir.join(".git/reflectt/cache/radar")).ok();
            radar();
        });
        row(
            &format!("radar of 30 branches, {state}"),
            time,
            Duration::ZERO,
        );
    };
    radar();
    cold("30 pairs that meet");
    for index in 0..team.open.len() {
        team.git(&["checkout", "-q", &format!("work{index}")]);
        team.commit("shared", &index.to_string());
    }
    radar();
    cold("435 pairs that meet");
    row(
        "radar of 30 branches, again",
        median(30, radar),
        Duration::ZERO,
    );
}

/// Submitting where the commit has to travel, beside a push of three refs by git alone.
fn publishing() {
    let team = Team::new("publishing", 12, 0);
    let bare = team.dir.with_extension("git");
    let bare = bare.to_str().expect("a path of letters");
    team.git(&["init", "-q", "--bare", bare]);
    team.git(&["remote", "add", "origin", bare]);
    team.git(&["push", "-q", "origin", "main"]);
    team.run("kai", &["init"]);
    let mut left = team.open.iter();
    let mut round = 0;
    let push = median(9, || {
        round += 1;
        let tip = format!("plain{round}");
        team.git(&["branch", "-q", &tip, "main"]);
        let all = ["a", "b", "c"].map(|to| format!("main:refs/plain/{round}/{to}"));
        team.git(&[
            "push", "-q", "--atomic", "origin", &all[0], &all[1], &all[2],
        ]);
    });
    let mut times = Vec::new();
    for id in left.by_ref().take(9) {
        team.work("kai", id, id);
        times.push(measure::time(|| team.submit("kai", id)));
    }
    times.sort();
    row("submit with publication, over a push", times[4], push);
}

/// Landing eight tasks with a check that takes one second.
fn landing() {
    let mut times = Vec::new();
    for _ in 0..3 {
        let team = Team::new("landing", 8, 0);
        let checks = "[checks.test]\nrun = \"sleep 1\"\n[land]\nchecks = [\"test\"]\n";
        team.commit("reflectt.toml", checks);
        for id in &team.open {
            team.work("kai", id, id);
            team.submit("kai", id);
            team.run("link", &["review", id]);
            team.run("link", &["review", id, "--approve"]);
        }
        team.git(&["checkout", "-q", "main"]);
        times.push(measure::time(|| team.run("kai", &["land"])));
    }
    times.sort();
    row(
        "land of 8 tasks, with a check of 1 s",
        times[1],
        Duration::ZERO,
    );
}

/// A repository with a team and tasks in it.
struct Team {
    dir: PathBuf,
    open: Vec<String>,
    _root: tempfile::TempDir,
}

impl Team {
    fn new(name: &str, open: usize, archived: usize) -> Team {
        let root = tempfile::Builder::new()
            .prefix("reflectt-bench")
            .tempdir()
            .expect("a directory");
        let dir = root.path().join(name);
        std::fs::create_dir(&dir).expect("a directory");
        let mut team = Team {
            dir,
            open: Vec::new(),
            _root: root,
        };
        team.git(&["init", "-q", "-b", "main"]);
        team.git(&["config", "user.name", "bench"]);
        team.git(&["config", "user.email", "bench@example.com"]);
        team.git(&["config", "gc.auto", "0"]);
        team.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        team.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
        team.run("kai", &["init"]);
        team.run("kai", &["join", "kai"]);
        team.run("link", &["join", "link"]);
        team.run("sage", &["join", "sage"]);
        team.run("kai", &["config", "set", "wip.agent", "1000"]);
        team.seed(open, archived);
        // A history of usual commits above it, or `log` would tell of ten thousand tasks.
        for _ in 0..if archived > 0 { 150 } else { 0 } {
            team.run("link", &["send", "sage", "the build is green again"]);
        }
        team.git(&["gc", "-q"]);
        team.run("kai", &["next"]);
        team
    }

    /// Writes all tasks in one commit, as no team would, because it is quick.
    fn seed(&mut self, open: usize, archived: usize) {
        let mut options = OpenOptions::new(&self.dir);
        options.config = ConfigScope::Repository;
        let store = Store::new(Repo::open(options).expect("a repository"));
        let snapshot = store.snapshot().expect("a record");
        let mut rng = fastrand::Rng::with_seed(5);
        let mut ids = BTreeSet::new();
        let mut changes = Changes {
            subject: "seed".to_owned(),
            ..Changes::default()
        };
        let start = 1_700_000_000_000_i64;
        for index in 0..open + archived {
            let id = loop {
                let id = TaskId::random(&mut rng);
                if ids.insert(id) {
                    break id;
                }
            };
            let at = Timestamp(start + i64::try_from(index).expect("small") * 120_000);
            let draft = Draft {
                title: format!("Task number {index} with a title of usual length"),
                body: "A few lines of text\nthat say what is to be done.\n".to_owned(),
                done_criteria: vec!["the tests pass".into(), "the manual says how".into()],
                paths: vec![format!("src/part{index}").parse().expect("a path")],
                ..Draft::default()
            };
            let by = Author::lossy("kai");
            let stamp = Stamp::new(at, &mut rng, None);
            let mut log = TaskLog::created(id, stamp, by.clone(), draft);
            if index >= open {
                let stamp = Stamp::new(at, &mut rng, Some(stamp));
                let reason = "not needed any more".to_owned();
                log.log.push(stamp, by, TaskEvent::Cancelled { reason });
            } else {
                self.open.push(id.to_string());
            }
            changes.tasks.insert(id, log);
        }
        let origin = Origin {
            author: Author::lossy("kai"),
            now: Timestamp(start),
        };
        store
            .publish(&snapshot, &changes, &origin, Advisory::NotHeld)
            .expect("published");
    }

    fn command(&self, agent: &str, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .arg("-q")
            .current_dir(&self.dir)
            .env("REFLECTT_AGENT", agent);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Has a session of `kai` ask at an event, with more fields than all events have.
    fn hook(&self, event: &str, session: u32, more: &str) {
        let comma = if more.is_empty() { "" } else { "," };
        let payload = format!(
            r#"{{"session_id":"s{session}","cwd":"{}"{comma}{more}}}"#,
            self.dir.display()
        );
        let args = ["hook", "agent", event, "--harness", "claude"];
        let mut command = self.command("kai", &args);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("reflectt starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut stdin, payload.as_bytes()).expect("read");
        drop(stdin);
        assert!(child.wait().expect("ends").success(), "{event}");
    }

    fn run(&self, agent: &str, args: &[&str]) {
        let status = self.command(agent, args).status().expect("reflectt starts");
        // 5 is "nothing there", a good answer of `next` and `inbox`.
        assert!(
            matches!(status.code(), Some(0 | 5)),
            "{args:?} ended with {status}"
        );
    }

    /// Commits a file, past the hooks.
    fn commit(&self, file: &str, text: &str) {
        std::fs::write(self.dir.join(file), text).expect("a file");
        self.git(&["add", file]);
        self.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", file]);
    }

    /// Claims a task on a branch of its own, and commits a file there.
    fn work(&self, agent: &str, id: &str, file: &str) {
        self.run(agent, &["claim", id, "--branch"]);
        self.commit(file, id);
    }

    fn submit(&self, agent: &str, id: &str) {
        let evidence = ["--evidence", "1=ran it", "--evidence", "2=read it"];
        let submit = ["submit", id, "--summary", "done", "--reviewer", "link"];
        let all: Vec<&str> = submit.into_iter().chain(evidence).collect();
        self.run(agent, &all);
    }

    fn git_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.dir);
        command.stdout(Stdio::null());
        command
    }

    fn git(&self, args: &[&str]) {
        let status = self.git_command(args).status();
        assert!(status.expect("git starts").success(), "git {args:?}");
    }

    fn git_cat_file(&self) -> Duration {
        median(30, || self.git(&["cat-file", "-e", "HEAD"]))
    }

    fn git_update_ref(&self) -> Duration {
        let mut even = false;
        median(40, || {
            even = !even;
            self.git(&[
                "update-ref",
                "refs/bench/one",
                if even { "HEAD" } else { "HEAD~" },
            ]);
        })
    }

    fn object_bytes(&self) -> u64 {
        size_of(&self.dir.join(".git/objects"))
    }
}
