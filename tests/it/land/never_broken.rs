//! Never a broken main: random work, landers that are killed, somebody who pushes by hand; and main
//! only ever holds what was approved and passes, as git's history alone says.
//!
//! Six agents in three clones of a hub make tasks that are independent, stacked, conflicting, break
//! the check alone or only together with another ([`Kind`]), review each other's, and mend what
//! comes back. Meanwhile each clone has a lander, at once with the others, that is killed now and
//! then. At the end all is mended and landed, without kills.
//!
//! `LAND_SEED=7 LAND_TASKS=60 cargo test --test it never_a_broken_main -- --nocapture` goes
//! elsewhere, and on for longer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::with_check;
use crate::order::{show, submission};
use crate::support::process::Victims;
use crate::support::{Output, Repo, TestEnv, poll_until};

const AGENTS: [&str; 6] = ["kai", "link", "sage", "noor", "mira", "ossi"];

/// Fails where something says that it is bad, or where a left and a right one are together.
const CHECK: &str = "for left in parts/left-*; do \
    test ! -e \"$left\" || test ! -e \"parts/right-${left#parts/left-}\" || exit 1; done; \
    ! grep -rs BAD parts";

/// How many rounds of mending, reviewing and landing bring everything to its end.
const ROUNDS: usize = 15;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What is wrong with a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fine,
    /// Changes what others change as well.
    Conflicting,
    /// Breaks the check alone.
    Bad,
    /// Breaks it together with one of the other side.
    Half(&'static str, u8),
}

struct Work {
    id: String,
    author: usize,
    kind: Kind,
}

/// What was sent back and made anew.
struct Rejected {
    author: usize,
    commit: String,
    /// A word that is only in there.
    word: String,
    /// What had been submitted by then. What was submitted later, on top of it, was judged with it.
    before: BTreeSet<String>,
}

#[derive(Default)]
struct Notes {
    works: Vec<Work>,
    /// Commits that were submitted.
    submitted: BTreeSet<String>,
    rejected: Vec<Rejected>,
    kills: usize,
    codes: BTreeMap<i32, usize>,
}

/// One agent in its worktree.
struct Agent<'w> {
    at: &'w Repo,
    me: usize,
    rng: fastrand::Rng,
    notes: &'w Mutex<Notes>,
}

impl Agent<'_> {
    fn name(&self) -> &'static str {
        AGENTS[self.me]
    }

    /// Runs a command, which gives an answer, whatever it is.
    fn run(&self, args: &[&str]) -> Output {
        let output = self.at.as_agent(self.name(), args);
        let code = output.status.unwrap();
        assert!(matches!(code, 0 | 3..=7), "{output}");
        output
    }

    /// Makes a task and submits it; on top of what was there before, if it is to be.
    fn make(&mut self) {
        let title = format!("Work {}", self.rng.u32(..));
        let id = self.at.task(self.name(), &title, &[]);
        let kind = match self.rng.u8(..10) {
            0..4 => Kind::Fine,
            4..6 => Kind::Conflicting,
            6..8 => Kind::Bad,
            _ => Kind::Half(["left", "right"][self.rng.usize(..2)], self.rng.u8(..2)),
        };
        let claim: &[&str] = match self.rng.bool() {
            true => &["claim", &id, "--branch"],
            false => &["claim", &id],
        };
        if self.run(claim).status != Some(0) {
            return;
        }
        self.commit(&id, kind, true);
        let author = self.me;
        let made = Work {
            id: id.clone(),
            author,
            kind,
        };
        self.notes.lock().unwrap().works.push(made);
        self.submit(&id);
    }

    fn submit(&self, id: &str) {
        let other = AGENTS[(self.me + 1 + id.len() % 2) % AGENTS.len()];
        let commit = self.at.git(["rev-parse", "HEAD"]);
        self.notes.lock().unwrap().submitted.insert(commit);
        self.run(&submission(id, other));
    }

    /// Writes what the work is, and commits it; returns a word that is only in there.
    fn commit(&mut self, id: &str, kind: Kind, is_first: bool) -> String {
        let word = format!("{id}-{}", self.rng.u32(..));
        let is_bad = is_first && kind == Kind::Bad;
        let text = format!("{word}\n{}\n", if is_bad { "BAD" } else { "good" });
        self.at.write(&format!("parts/{id}"), text);
        match kind {
            Kind::Conflicting => self.at.write("shared.txt", format!("{word}\n")),
            Kind::Half(side, n) if is_first => {
                self.at
                    .write(&format!("parts/{side}-{n}"), format!("{word}\n"));
            }
            _ => {}
        }
        self.save(&format!("{id}: {kind:?}"));
        word
    }

    fn save(&self, message: &str) {
        self.at.git(["add", "-A"]);
        let author = format!("--author={0} <{0}@example.com>", self.name());
        self.at
            .git(["commit", "-q", "--allow-empty", &author, "-m", message]);
    }

    /// Mends one of its tasks that came back, if there is one.
    fn mend(&mut self) -> bool {
        let back = {
            let notes = self.notes.lock().unwrap();
            let mine = notes.works.iter().filter(|work| work.author == self.me);
            let mut back = mine.filter(|work| show(self.at, &work.id)["status"] == "doing");
            back.next().map(|work| (work.id.clone(), work.kind))
        };
        let Some((id, kind)) = back else {
            return false;
        };
        // Another process of this clone may be fetching just now.
        poll_until("it is fetched", Duration::from_secs(60), || {
            let fetched = self.at.try_git(["fetch", "-q"]);
            (fetched.status == Some(0)).then_some(())
        });
        let shown = show(self.at, &id);
        if shown["submission"].is_null() {
            // The remote had moved too often when it was to be submitted.
            self.submit(&id);
            return true;
        }
        let branch = shown["submission"]["branch"].as_str().unwrap();
        if self.rng.u8(..3) == 0 {
            self.make_anew(&id, kind, shown["submission"]["commit"].as_str().unwrap());
        } else {
            self.at.git(["switch", "-q", branch]);
            self.mend_above(&id, kind);
        }
        self.submit(&id);
        true
    }

    /// Forgets what was there, and makes it anew on main.
    fn make_anew(&mut self, id: &str, kind: Kind, old: &str) {
        let path = format!("{old}:parts/{id}");
        let text = self.at.git(["show", &path]);
        let branch = format!("again/{id}-{}", self.rng.u32(..));
        self.at
            .git(["switch", "-q", "-c", &branch, "--no-track", "origin/main"]);
        self.commit(id, kind, false);
        let mut notes = self.notes.lock().unwrap();
        let rejected = Rejected {
            author: self.me,
            commit: old.to_owned(),
            word: text.lines().next().unwrap().to_owned(),
            before: notes.submitted.clone(),
        };
        notes.rejected.push(rejected);
    }

    /// Brings main into it, and makes the fix on top of whatever is there.
    fn mend_above(&mut self, id: &str, kind: Kind) {
        let merged = self.at.try_git(["merge", "-q", "--no-edit", "origin/main"]);
        if merged.status != Some(0) {
            // Both sides are somebody's; the own one is as good as any.
            let list = self.at.git(["diff", "--name-only", "--diff-filter=U"]);
            for path in list.lines() {
                self.at.write(path, format!("merged for {id}\ngood\n"));
            }
            self.save("Merge main");
        }
        if let Kind::Half(side, n) = kind {
            let path = format!("parts/{side}-{n}");
            std::fs::remove_file(self.at.path().join(path)).ok();
        }
        self.commit(id, kind, false);
    }

    /// Judges what it was asked to judge.
    fn review(&mut self, is_strict: bool) {
        self.run(&["sync"]);
        let list = self.run(&["--json", "task", "list", "--status", "in-review"]);
        let list = list.json();
        let mine = |task: &&serde_json::Value| task["reviewer"] == self.name();
        let mut asked = Vec::new();
        for task in list["tasks"].as_array().unwrap().iter().filter(mine) {
            asked.push(task["id"].as_str().unwrap().to_owned());
        }
        for id in asked {
            self.run(&["review", &id]);
            match is_strict && self.rng.u8(..6) == 0 {
                true => self.run(&["review", &id, "--request-changes", "not so"]),
                false => self.run(&["review", &id, "--approve"]),
            };
        }
    }

    /// Lands, and may be killed.
    fn land(&mut self, may_be_killed: bool) -> Option<Output> {
        let running = self
            .at
            .command(["--json", "land"])
            .agent(self.name())
            .spawn();
        let output = if may_be_killed && self.rng.u8(..3) == 0 {
            std::thread::sleep(Duration::from_millis(self.rng.u64(..900)));
            running.kill_with(match self.rng.bool() {
                true => Victims::Alone,
                false => Victims::WithChildren,
            })
        } else {
            running.finish()
        };
        let mut notes = self.notes.lock().unwrap();
        let Some(code) = output.status else {
            notes.kills += 1;
            return None;
        };
        assert!(matches!(code, 0 | 3..=6), "{output}");
        *notes.codes.entry(code).or_default() += 1;
        Some(output)
    }
}

/// Pushes something to main that nobody has asked for.
fn push_by_hand(at: &Repo, n: usize) {
    at.git(["fetch", "-q"]);
    at.git(["switch", "-q", "--detach", "origin/main"]);
    at.write(&format!("by-hand/{n}"), "x\n");
    at.git(["add", "-A"]);
    at.git(["commit", "-q", "-m", &format!("by hand {n}")]);
    // Somebody may have been faster.
    at.try_git(["push", "-q", "origin", "HEAD:main"]);
}

#[test]
fn never_a_broken_main() {
    let seed = setting("LAND_SEED", fastrand::u64(..1_000_000));
    let tasks = usize::try_from(setting("LAND_TASKS", 18)).unwrap();
    let mut rng = fastrand::Rng::with_seed(seed);
    let strategy = ["merge", "squash", "rebase"][rng.usize(..3)];
    println!("LAND_SEED={seed} LAND_TASKS={tasks}: {strategy}");
    let env = TestEnv::new();
    let (hub, places) = places(&env, strategy);
    let begin = hub.git(["rev-parse", "main"]);
    let hand = env.clone_of(&hub, "hand");
    let notes = Mutex::default();
    let left = AtomicUsize::new(tasks);
    let is_over = AtomicBool::new(false);
    let agent = |me: usize, seed: u64| Agent {
        at: &places[me],
        me,
        rng: fastrand::Rng::with_seed(seed.wrapping_add(me as u64)),
        notes: &notes,
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AGENTS.len())
            .map(|me| {
                let mut agent = agent(me, seed);
                let left = &left;
                scope.spawn(move || {
                    let take = |left: usize| left.checked_sub(1);
                    let more = || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
                    while more().is_ok() {
                        agent.make();
                        agent.review(true);
                        agent.mend();
                    }
                })
            })
            .collect();
        for me in [0, 2, 4] {
            let mut lander = agent(me, !seed);
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    lander.land(true);
                    std::thread::sleep(Duration::from_millis(lander.rng.u64(..300)));
                }
            });
        }
        let mut pushed = 0;
        let is_working = || {
            !workers
                .iter()
                .all(std::thread::ScopedJoinHandle::is_finished)
        };
        while is_working() {
            pushed += 1;
            push_by_hand(&hand, pushed);
            std::thread::sleep(Duration::from_millis(rng.u64(500..2500)));
        }
        is_over.store(true, Ordering::SeqCst);
    });
    prove(&hub, &places, &begin, &notes.lock().unwrap());
    let mut agents: Vec<Agent> = (0..AGENTS.len()).map(|me| agent(me, seed / 2)).collect();
    let is_done = bring_to_an_end(&mut agents);
    let notes = notes.into_inner().unwrap();
    println!("{} killed, {:?}", notes.kills, notes.codes);
    prove(&hub, &places, &begin, &notes);
    assert!(is_done, "{:#?}", open(&places[0]));
}

/// Makes the hub and a worktree for each agent, two in each clone.
fn places(env: &TestEnv, strategy: &str) -> (Repo, Vec<Repo>) {
    let seed = env.repo("seed");
    seed.write("reflectt.toml", with_check(CHECK));
    seed.write("shared.txt", "one\n");
    seed.write("parts/first", "good\n");
    seed.commit("begin");
    let hub = env.bare("hub.git");
    hub.git(["config", "core.logAllRefUpdates", "always"]);
    seed.git(["push", "-q", hub.path().to_str().unwrap(), "main"]);
    let mut places: Vec<Repo> = Vec::new();
    for pair in AGENTS.chunks(2) {
        let clone = env.clone_of(&hub, pair[0]);
        if places.is_empty() {
            clone.reflectt(["init"]).ok();
        }
        let other = clone.worktree(pair[1]);
        for (at, name) in [&clone, &other].into_iter().zip(pair) {
            at.reflectt(["--as", name, "join", name]).ok();
        }
        places.extend([clone, other]);
    }
    for (key, value) in [
        ("wip.agent", "99"),
        ("land.strategy", strategy),
        ("land.batch", "4"),
    ] {
        places[0].set(AGENTS[0], key, value);
    }
    (hub, places)
}

fn open(at: &Repo) -> Vec<serde_json::Value> {
    let list = at.reflectt(["--json", "task", "list"]).ok().json();
    let tasks = list["tasks"].as_array().unwrap().iter();
    let is_open = |task: &&serde_json::Value| task["status"] != "done";
    tasks.filter(is_open).cloned().collect()
}

/// Mends, reviews and lands all that is left; tells whether nothing is.
fn bring_to_an_end(agents: &mut [Agent]) -> bool {
    for _ in 0..ROUNDS {
        for agent in &mut *agents {
            while agent.mend() {}
        }
        for agent in &mut *agents {
            agent.review(false);
        }
        // Whoever was killed last still has the lane for the other clones.
        for lander in [0, 2, 4] {
            agents[lander].land(false);
        }
        for agent in &mut *agents {
            agent.run(&["sync"]);
        }
        if open(agents[0].at).is_empty() {
            return true;
        }
    }
    false
}

/// Checks what git's history says, and that the record says the same.
fn prove(hub: &Repo, places: &[Repo], begin: &str, notes: &Notes) {
    let at = &places[0];
    at.reflectt(["sync"]).ok();
    let moves = hub.git(["reflog", "show", "--format=%H", "main"]);
    let mut moves: Vec<&str> = moves.lines().collect();
    moves.reverse();
    assert_eq!(moves[0], begin);
    for pair in moves.windows(2) {
        // Nothing was forced.
        hub.git(["merge-base", "--is-ancestor", pair[0], pair[1]]);
    }
    let tree = at.env().dir().join("proof");
    for tip in &moves {
        passes(hub, tip, &tree);
    }
    let tip = *moves.last().unwrap();
    let range = format!("{begin}..{tip}");
    for line in hub
        .git([
            "log",
            "--first-parent",
            "--format=%H %an|%(trailers:key=Reflectt-Task,valueonly,separator=%x2C)|%s",
            &range,
        ])
        .lines()
    {
        let mut fields = line.split('|').skip(1);
        let (ids, subject) = (fields.next().unwrap(), fields.next().unwrap());
        assert!(!ids.is_empty() || subject.starts_with("by hand"), "{line}");
    }
    let history = hub.git(["log", "-p", "-m", "--format=%H", &range]);
    for it in &notes.rejected {
        let lies_on = |commit: &String| {
            let below = ["merge-base", "--is-ancestor", &it.commit, commit];
            places[it.author].try_git(below).status == Some(0)
        };
        let mut later = notes.submitted.difference(&it.before);
        assert!(
            !history.contains(&it.word) || later.any(lies_on),
            "{} was sent back, and is on main",
            it.word
        );
    }
    for work in &notes.works {
        let path = format!("parts/{}", work.id);
        let adds = ["--diff-filter=A", "--format=%an", &range, "--", &path];
        let landings = hub.git([&["log", "--first-parent", "-m"], &adds[..]].concat());
        let shown = show(at, &work.id);
        let is_done = shown["status"] == "done";
        assert_eq!(
            landings.lines().count(),
            usize::from(is_done),
            "{}: {landings}\n{shown:#}",
            work.id
        );
        if !is_done {
            // It waits, or is with its author.
            assert_eq!(shown["assignee"], AGENTS[work.author], "{shown:#}");
            continue;
        }
        let authors = hub.git([&["log", "--no-merges"], &adds[..]].concat());
        // Replayed, it may be there twice, if what lay on it was submitted anew; it is nobody else's.
        let is_author = |name: &str| name == AGENTS[work.author];
        let kept = !authors.is_empty() && authors.lines().all(is_author);
        assert!(kept, "{}: {authors}", work.id);
        let landed = shown["landed"]["commit"].as_str().unwrap();
        hub.git(["merge-base", "--is-ancestor", landed, tip]);
    }
}

/// Runs the check on a commit.
fn passes(hub: &Repo, commit: &str, tree: &std::path::Path) {
    std::fs::create_dir_all(tree).unwrap();
    let dir = tree.to_str().unwrap();
    let script = format!("git archive {commit} | tar -x -C {dir} && cd {dir} && {CHECK}");
    let mut command = std::process::Command::new("sh");
    hub.prepare(&mut command);
    let status = command.args(["-c", &script]).current_dir(hub.path());
    assert!(
        status.status().unwrap().success(),
        "main was broken at {commit}"
    );
    std::fs::remove_dir_all(tree).unwrap();
}
