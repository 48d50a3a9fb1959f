//! Several clones and a bare remote on the same disk, beside bare `git push` in the same run.
//!
//! `cargo bench --bench many_clones` prints a table; nothing is asserted. Compare the ratios.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod measure;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use reflectt::git::{ConfigScope, OpenOptions, Repo};
use reflectt::model::name::AgentName;
use reflectt::model::observe::Uptime;
use reflectt::model::time::Timestamp;
use reflectt::store::Store;

use measure::{PROGRAM, heading, is_test_run, median, row, size_of, time};

fn main() {
    if is_test_run() {
        return;
    }
    heading();
    claiming();
    waking();
    racing();
    heartbeats();
}

/// A claim that the remote decides, against one push of one ref, one after the other.
fn claiming() {
    let rounds = 30;
    let team = Team::new(2);
    let (kai, link) = (&team.clones[0], &team.clones[1]);
    let ids = kai.tasks(2 * rounds);
    link.run(&["sync"]);
    let mut ids = ids.iter();
    let mut push = kai.pusher("refs/bench/one");
    let (mut claims, mut pushes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let id = ids.next().expect("a task for each round");
        claims.push(time(|| kai.run(&["claim", id])));
        pushes.push(time(&mut push));
    }
    claims.sort();
    pushes.sort();
    row(
        "claim through the remote",
        claims[rounds / 2],
        pushes[rounds / 2],
    );
    let git = pushes[rounds / 2];
    // The other clone does not know of the last one's claim: a push refused, a fetch, a push.
    let mut turn = [link, kai].into_iter().cycle();
    let time = median(rounds, || {
        let clone = turn.next().expect("it begins anew");
        clone.run(&["claim", ids.next().expect("a task for each round")]);
    });
    row("claim on an old table: refused, decided again", time, git);
    row(
        "sync with nothing to do",
        median(20, || kai.run(&["sync"])),
        git,
    );
    row(
        "send, with its exchange",
        median(20, || kai.run(&["send", "agent1", "the tests pass now"])),
        git,
    );
}

/// From the end of `send` in one clone to the end of `inbox --wait` in another, with daemons.
fn waking() {
    let team = Team::new(2);
    let (kai, link) = (&team.clones[0], &team.clones[1]);
    kai.run(&["config", "set", "sync.interval", "1s"]);
    link.run(&["sync"]);
    kai.run(&["daemon", "start"]);
    link.run(&["daemon", "start"]);
    let (mut there, mut seen) = (Vec::new(), Vec::new());
    for round in 0..15 {
        let mut waiting = link.command(&["inbox", "--wait", "60s"]);
        let mut waiting = waiting.spawn().expect("starts");
        // Give it the time to start waiting; what is measured begins after it.
        thread::sleep(Duration::from_millis(100));
        kai.run(&["send", "agent1", &format!("round {round}")]);
        let sent = Instant::now();
        let tip = kai.output(&["rev-parse", "refs/heads/reflectt"]);
        while !team.has(&tip) {
            thread::sleep(Duration::from_millis(2));
        }
        there.push(sent.elapsed());
        assert!(waiting.wait().expect("ends").success());
        seen.push(sent.elapsed());
        link.run(&["ack", "--all"]);
    }
    kai.run(&["daemon", "stop"]);
    link.run(&["daemon", "stop"]);
    there.sort();
    seen.sort();
    let none = Duration::ZERO;
    row("on the remote after send returned, daemon", there[7], none);
    row(
        "seen by inbox --wait in another clone, daemons, interval 1 s",
        seen[7],
        none,
    );
}

/// Eight clones claim and set aside as fast as they can, against as many that push one ref.
fn racing() {
    let (clones, tasks) = (8, 160);
    let team = Team::new(clones);
    team.clones[0].tasks(tasks);
    for clone in &team.clones {
        clone.run(&["sync"]);
    }
    // The same number of moves of one ref, by compare-and-swap: whoever is refused fetches and
    // tries again. Nobody decides on anything.
    let bare = team.race(|clone| clone.swap_loop(2 * tasks / clones));
    let each = bare.1 / u32::try_from(2 * tasks).expect("a small number");
    let (taken, took) = team.race(Clone::drain_loop);
    let distinct = taken.iter().collect::<BTreeSet<_>>().len();
    // Each task is claimed and blocked: two moves of the table.
    let moves = u32::try_from(2 * taken.len().max(1)).expect("a small number");
    let what = format!(
        "8 clones take {distinct} tasks ({} claims); each move",
        taken.len()
    );
    row(&what, took / moves, each);
    println!(
        "{:<58} {:>9.1} {:>9.1}   a second",
        "moves of one ref by 8 clones",
        f64::from(moves) / took.as_secs_f64(),
        1.0 / each.as_secs_f64()
    );
}

/// A day of 50 agents in one clone, a publication each minute, in simulated time.
fn heartbeats() {
    let team = Team::new(1);
    let clone = &team.clones[0];
    let mut options = OpenOptions::new(&clone.dir);
    options.config = ConfigScope::Repository;
    let store = Store::new(Repo::open(options).expect("a repository"));
    let link = store.link().expect("a team with a remote");
    let own = store.here(&mut fastrand::Rng::with_seed(1));
    let own = own.expect("an id").id;
    let objects = [clone.dir.join(".git/objects"), team.bare.join("objects")];
    let before = objects.each_ref().map(|dir| size_of(dir));
    let tip = team.tip();
    let mut rng = fastrand::Rng::with_seed(2);
    let limit = Duration::from_secs(30);
    let minutes = 24 * 60;
    let took = time(|| {
        for minute in 1..=minutes {
            let now = Timestamp(1_800_000_000_000 + minute * 60_000);
            for n in 0..50 {
                let agent: AgentName = format!("agent-{n}").parse().expect("a name");
                let seen = Timestamp(now.0 - rng.i64(0..60_000));
                let presence = store.presence(Uptime::default());
                presence.beat(&agent, seen, None).expect("a heartbeat");
            }
            let said = store.publish_signs(&link, &own, now, Duration::ZERO, limit);
            assert!(said.expect("published"), "something changed each minute");
        }
    });
    assert_eq!(team.tip(), tip, "no commit");
    let after = objects.each_ref().map(|dir| size_of(dir));
    let what = "a day of heartbeats of 50 agents, published each minute";
    let grown = [0, 1].map(|n| (after[n] - before[n]) as f64 / 1e6);
    println!(
        "{what:<58} {:>6.2} MB here, {:.2} MB on the remote",
        grown[0], grown[1]
    );
    let each = took / u32::try_from(minutes).expect("a small number");
    row("  a publication", each, Duration::ZERO);
}

/// A bare remote with a team, and clones of it.
struct Team {
    bare: PathBuf,
    clones: Vec<Clone>,
    _root: tempfile::TempDir,
}

/// A clone, with an agent that is named after it.
struct Clone {
    dir: PathBuf,
    agent: String,
}

impl Team {
    fn new(clones: usize) -> Team {
        let root = tempfile::Builder::new()
            .prefix("reflectt-bench")
            .tempdir()
            .expect("a directory");
        let bare = root.path().join("bare.git");
        let git = |args: &[&str]| run_git(root.path(), args);
        git(&["init", "-q", "--bare", "-b", "main", "bare.git"]);
        let clones: Vec<Clone> = (0..clones)
            .map(|index| {
                let agent = format!("agent{index}");
                git(&["clone", "-q", "bare.git", &agent]);
                let dir = root.path().join(&agent);
                let clone = Clone { dir, agent };
                for setting in [["user.name", "bench"], ["user.email", "bench@example.com"]] {
                    clone.git(&["config", setting[0], setting[1]]);
                }
                if index == 0 {
                    clone.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
                    clone.git(&["push", "-q", "origin", "HEAD:main"]);
                    clone.run(&["init"]);
                }
                clone.run(&["join", &clone.agent]);
                if index == 0 {
                    clone.run(&["config", "set", "wip.agent", "1000"]);
                }
                clone
            })
            .collect();
        for clone in &clones {
            clone.run(&["sync"]);
        }
        Team {
            bare,
            clones,
            _root: root,
        }
    }

    /// Returns the tip of the record on the remote.
    fn tip(&self) -> String {
        output(&self.bare, &["rev-parse", "refs/heads/reflectt"])
    }

    /// Tells whether the remote's record has a commit, be it in a merge.
    fn has(&self, commit: &str) -> bool {
        let args = ["merge-base", "--is-ancestor", commit, "refs/heads/reflectt"];
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.bare);
        let status = command.stderr(Stdio::null()).status();
        status.expect("git starts").success()
    }

    /// Lets all clones run a script at once; returns the words they printed and the time it took.
    fn race(&self, script: impl Fn(&Clone) -> String) -> (Vec<String>, Duration) {
        let start = Instant::now();
        let children: Vec<Child> = (self.clones.iter())
            .map(|clone| {
                let mut command = Command::new("sh");
                command
                    .args(["-c", &script(clone)])
                    .current_dir(&clone.dir)
                    .env("REFLECTT_AGENT", &clone.agent)
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null());
                command.spawn().expect("sh starts")
            })
            .collect();
        let outputs: Vec<Output> = children
            .into_iter()
            .map(|child| child.wait_with_output().expect("ends"))
            .collect();
        let took = start.elapsed();
        let words = outputs.iter().flat_map(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        (words.collect(), took)
    }
}

impl Clone {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .arg("-q")
            .current_dir(&self.dir)
            .env("REFLECTT_AGENT", &self.agent)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) {
        let status = self.command(args).status().expect("reflectt starts");
        assert!(status.success(), "{args:?} ended with {status}");
    }

    fn git(&self, args: &[&str]) {
        run_git(&self.dir, args);
    }

    fn output(&self, args: &[&str]) -> String {
        output(&self.dir, args)
    }

    /// Makes tasks, and exchanges them in one go.
    fn tasks(&self, count: usize) -> Vec<String> {
        let new = |index: usize| {
            let title = format!("Task number {index} with a title of usual length");
            let mut command = Command::new(PROGRAM);
            command
                .args(["task", "new", &title, "--criterion", "the tests pass"])
                .args(["--json", "--no-sync"])
                .current_dir(&self.dir)
                .env("REFLECTT_AGENT", &self.agent);
            let output = command.output().expect("reflectt starts");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let (_, rest) = text.split_once("\"id\":\"").expect("the task");
            rest[..6].to_owned()
        };
        let ids = (0..count).map(new).collect();
        self.run(&["sync"]);
        ids
    }

    /// Returns what pushes one ref by one commit each time it is called.
    fn pusher(&self, name: &'static str) -> impl FnMut() {
        let mut last = String::new();
        let tree = self.output(&["rev-parse", "HEAD^{tree}"]);
        move || {
            let parent = ["-p", last.as_str()];
            let mut args = vec!["commit-tree", "-m", "move", &tree];
            args.extend(if last.is_empty() { &[][..] } else { &parent });
            let commit = self.output(&args);
            let lease = format!("--force-with-lease={name}:{last}");
            self.git(&["push", "-q", &lease, "origin", &format!("{commit}:{name}")]);
            last = commit;
        }
    }

    /// A script that moves one ref of the remote by compare-and-swap, `count` times.
    fn swap_loop(&self, count: usize) -> String {
        let (name, known) = ("refs/bench/race", "refs/bench/known");
        format!(
            "tree=$(git rev-parse HEAD^{{tree}}); done=0; old=
             while [ $done -lt {count} ]; do
               new=$(git commit-tree -m \"{} $done\" ${{old:+-p $old}} $tree)
               if git push -q --force-with-lease={name}:$old origin $new:{name}; then
                 old=$new; done=$((done+1))
               else
                 git fetch -q origin +{name}:{known} && old=$(git rev-parse {known})
               fi
             done",
            self.agent
        )
    }

    /// A script that takes tasks until there is none, and prints which.
    fn drain_loop(&self) -> String {
        format!(
            "while :; do
               out=$({PROGRAM} next --claim --json -q); code=$?
               [ $code = 3 ] && continue; [ $code = 0 ] || break
               id=$(echo \"$out\" | sed -n 's/.*\"task\":{{\"id\":\"\\([a-z0-9]*\\)\".*/\\1/p')
               {PROGRAM} block $id --reason 'measured enough' -q >&2; echo $id
             done"
        )
    }
}

fn run_git(dir: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(args).current_dir(dir);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("git starts");
    assert!(status.success(), "git {args:?}");
}

fn output(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    let output = command.args(args).current_dir(dir).output();
    let output = output.expect("git starts");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
