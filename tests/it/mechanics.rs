//! The parts of landing, put together on real repositories: whose commits, in which order, made in
//! memory, tried as a batch, moved, and found again.

use std::collections::{BTreeMap, BTreeSet};

use reflectt::git::{
    Advance, Advanced, ConfigScope, GitError, How, Landing, Looked, Oid, OpenOptions, RefName,
    Repo as Git, Sought, Soundness, WeaveAs as Strategy, Weaving, Woven,
};
use reflectt::model::batch::{self, Bench, Entry, Made, Ran, Trial};
use reflectt::model::id::{Stamp, TaskId};
use reflectt::model::stack::{Approved, Layer, Piece, layers, line_up};
use reflectt::model::task::Priority;
use reflectt::model::time::Timestamp;

use crate::support::{Repo, TestEnv};

fn id(n: usize) -> TaskId {
    format!("aa{n:04}").parse().unwrap()
}

fn number(id: TaskId) -> usize {
    id.as_str()[2..].parse().unwrap()
}

/// What a task does beside adding a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Nothing,
    /// Changes a line that others change as well.
    Line,
    /// Breaks the check.
    Breaks,
    /// Breaks it together with the other half.
    Half(usize),
}

struct Task {
    head: Oid,
    deed: Deed,
}

/// A repository with tasks on branches, some of them on each other.
struct World {
    repo: Repo,
    git: Git,
    base: Oid,
    tasks: Vec<Task>,
}

impl World {
    fn new(env: &TestEnv, name: &str, args: &[&str], rng: &mut fastrand::Rng) -> World {
        let repo = env.empty_repo(name, args);
        repo.write("shared", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
        let base = oid(&repo.commit("base"));
        let mut tasks: Vec<Task> = Vec::new();
        for n in 0..8 {
            let below = (!tasks.is_empty() && rng.u8(..3) == 0).then(|| rng.usize(..tasks.len()));
            let start = below.map_or(base, |low| tasks[low].head);
            repo.git(["checkout", "-q", "--detach", &start.to_string()]);
            let deed = match rng.u8(..8) {
                0 => Deed::Breaks,
                1 | 2 => Deed::Half(usize::from(rng.u8(..2))),
                3 => Deed::Line,
                _ => Deed::Nothing,
            };
            let other = below
                .filter(|_| rng.bool())
                .map(|_| rng.usize(..tasks.len()));
            if let Some(other) = other {
                let head = tasks[other].head.to_string();
                // Two that conflict are not merged.
                if repo.try_git(["merge", "-q", "--no-edit", &head]).status != Some(0) {
                    repo.git(["merge", "--abort"]);
                }
            }
            repo.write(&format!("own-{n}"), format!("{n}\n"));
            commit(&repo, n, "its file");
            match deed {
                Deed::Nothing => {}
                Deed::Line => repo.write("shared", format!("{n}\n2\n3\n4\n5\n6\n7\n8\n9\n")),
                Deed::Breaks => repo.write(&format!("bad-{n}"), ""),
                Deed::Half(half) => repo.write(&format!("half-{half}-{n}"), ""),
            }
            let head = commit(&repo, n, "its deed");
            tasks.push(Task { head, deed });
        }
        repo.git(["checkout", "-q", "main"]);
        let git = Git::open(OpenOptions {
            dir: repo.path().to_owned(),
            git_dir: None,
            config: ConfigScope::Repository,
            env: [("NAME", "Lander"), ("EMAIL", "lander@example.com")]
                .into_iter()
                .flat_map(|(what, value)| {
                    ["AUTHOR", "COMMITTER"]
                        .map(|role| (format!("GIT_{role}_{what}").into(), value.into()))
                })
                .collect(),
        });
        World {
            git: git.unwrap(),
            repo,
            base,
            tasks,
        }
    }

    fn tip(&self) -> Oid {
        oid(&self.repo.git(["rev-parse", "main"]))
    }

    fn names(&self, commit: Oid) -> BTreeSet<String> {
        let names = self
            .repo
            .git(["ls-tree", "--name-only", &commit.to_string()]);
        names.lines().map(str::to_owned).collect()
    }

    /// Tells whether the check passes.
    fn passes(&self, commit: Oid) -> bool {
        let names = self.names(commit);
        let any = |start: &str| names.iter().any(|name| name.starts_with(start));
        let together = any("half-0-") && any("half-1-");
        !(together || any("bad-"))
    }

    /// Returns what is on no branch yet, by task.
    fn layers(&self) -> Vec<Layer<Oid>> {
        let heads: Vec<Oid> = self.tasks.iter().map(|task| task.head).collect();
        let graph = self.git.unlanded(&heads, self.tip()).unwrap();
        let piece = |(n, task): (usize, &Task)| Piece {
            id: id(n),
            commit: task.head,
            order: Stamp::from_parts(n as u64, 0),
        };
        let pieces: Vec<_> = self.tasks.iter().enumerate().map(piece).collect();
        layers(&graph, &pieces)
    }
}

fn oid(hex: &str) -> Oid {
    Oid::parse(hex).unwrap()
}

fn commit(repo: &Repo, n: usize, what: &str) -> Oid {
    repo.git(["add", "-A"]);
    let author = format!("Author{n} <author{n}@example.com>");
    let message = format!("{what}\n\nReflectt-Task: {}", id(n));
    repo.git([
        "commit",
        "-q",
        "--allow-empty",
        "--author",
        &author,
        "-m",
        &message,
    ]);
    oid(&repo.git(["rev-parse", "HEAD"]))
}

struct Lane<'w> {
    world: &'w World,
    layers: BTreeMap<TaskId, Layer<Oid>>,
    strategy: Strategy,
    runs: usize,
}

impl Bench for Lane<'_> {
    type Tip = Oid;
    type Paths = Vec<Vec<u8>>;
    type Detail = ();
    type Error = GitError;

    fn make(&mut self, tip: &Oid, id: TaskId) -> Result<Made<Oid, Vec<Vec<u8>>>, GitError> {
        let name = id.to_string();
        let woven = self.world.git.weave(&Weaving {
            tip: *tip,
            head: self.world.tasks[number(id)].head,
            own: &self.layers[&id].own,
            message: &format!("Merge {id}: A task"),
            trailers: &[("Reflectt-Task", &name)],
            author: None,
            strategy: self.strategy,
        })?;
        Ok(match woven {
            Woven::Conflict { paths } => Made::Conflict(paths),
            other => Made::Clean(other.tip(*tip).expect("related histories")),
        })
    }

    fn check(&mut self, trial: &Trial<Oid>) -> Result<Ran<()>, GitError> {
        self.runs += 1;
        Ok(match self.world.passes(trial.tip) {
            true => Ran::Passed,
            false => Ran::Failed(()),
        })
    }
}

/// Lands what can be landed, and checks all of it against git's history.
fn land(world: &World, strategy: Strategy) {
    let layers = world.layers();
    let beneath = layers
        .iter()
        .map(|it| (it.id, it.beneath.clone()))
        .collect();
    let approved: Vec<Approved> = (0..world.tasks.len())
        .map(|n| Approved {
            id: id(n),
            priority: Priority::ALL[n % 4],
            at: Timestamp(n as i64),
        })
        .collect();
    let lineup = line_up(&approved, &beneath);
    assert!(lineup.waiting.is_empty());
    let entry = |id: &TaskId| Entry {
        id: *id,
        beneath: beneath[id].clone(),
    };
    let entries: Vec<Entry> = lineup.order.iter().map(entry).collect();
    let layers: BTreeMap<TaskId, Layer<Oid>> = layers.into_iter().map(|it| (it.id, it)).collect();
    let mut lane = Lane {
        world,
        layers: layers.clone(),
        strategy,
        runs: 0,
    };
    let outcome = batch::run(&mut lane, world.base, &entries).unwrap();
    assert_eq!(outcome.runs, lane.runs);
    assert_eq!((&outcome.stopped, outcome.flaky.len()), (&None, 0));
    assert!(world.passes(outcome.tip));

    let head = |id: TaskId| world.tasks[number(id)].head;
    let landed: Vec<TaskId> = outcome.landed.iter().map(|(id, _)| *id).collect();
    let pieces: Vec<(Oid, &[Oid])> = landed
        .iter()
        .map(|id| (head(*id), layers[id].own.as_slice()))
        .collect();
    let landing = Landing {
        tip: world.base,
        new: outcome.tip,
        pieces: &pieces,
    };
    assert_eq!(world.git.soundness(&landing).unwrap(), Soundness::Sound);

    // Nothing has moved so far; then the branch does, with its files.
    assert_eq!(world.tip(), world.base);
    let advance = Advance {
        branch: RefName::new("refs/heads/main").unwrap(),
        from: world.base,
        to: outcome.tip,
    };
    let moved = world.git.advance(&advance).unwrap();
    assert_eq!(moved, Advanced::Moved);
    assert_eq!(world.repo.git(["status", "--porcelain"]), "");
    check_history(world, strategy, &landed, &layers);
    check_found(world, strategy, &landed, &layers);
    for culprit in &outcome.culprits {
        assert!(!world.passes(culprit.tip));
        assert_ne!(
            world.tasks[number(culprit.id)].deed,
            Deed::Line,
            "{:?}",
            culprit.id
        );
    }
    for clash in &outcome.clashes {
        assert_eq!(clash.paths, [b"shared".to_vec()]);
    }
}

fn check_history(
    world: &World,
    strategy: Strategy,
    landed: &[TaskId],
    layers: &BTreeMap<TaskId, Layer<Oid>>,
) {
    let range = format!("{}..main", world.base);
    let commits = world.repo.git(["log", "--format=%H %an", &range]);
    let names = world.names(world.tip());
    for n in 0..world.tasks.len() {
        let is_landed = landed.contains(&id(n));
        assert_eq!(
            names.contains(&format!("own-{n}")),
            is_landed,
            "{n} of {landed:?}"
        );
        let author = commits
            .lines()
            .any(|line| line.ends_with(&format!(" Author{n}")));
        assert_eq!(author, is_landed, "authorship of {n} in\n{commits}");
        let own = &layers[&id(n)].own;
        let there = own
            .iter()
            .filter(|oid| commits.contains(&oid.to_string()))
            .count();
        let kept = is_landed && strategy == Strategy::Merge;
        assert_eq!(there, if kept { own.len() } else { 0 });
    }
}

fn check_found(
    world: &World,
    strategy: Strategy,
    landed: &[TaskId],
    layers: &BTreeMap<TaskId, Layer<Oid>>,
) {
    let names: Vec<String> = (0..world.tasks.len()).map(|n| id(n).to_string()).collect();
    let sought = |(n, task): (usize, &Task)| Sought {
        task: &names[n],
        commit: task.head,
        base: (n % 2 == 0).then_some(world.base),
        own: &layers[&id(n)].own,
        older: &[],
    };
    let sought: Vec<Sought> = world.tasks.iter().enumerate().map(sought).collect();
    for trailer in ["Reflectt-Task", "Nothing-Has-This"] {
        let looked = Looked {
            tip: world.tip(),
            since: None,
            trailer,
        };
        let found = world.git.find_landed(&looked, &sought).unwrap();
        for (n, found) in found.into_iter().enumerate() {
            let how = found.map(|found| found.how);
            let is_landed = landed.contains(&id(n));
            match (strategy, trailer) {
                (Strategy::Merge, _) => assert_eq!(how, is_landed.then_some(How::Ancestor)),
                (_, "Reflectt-Task") => assert_eq!(how, is_landed.then_some(How::Squash)),
                // Without trailers a squash of several commits cannot be known.
                (Strategy::Squash, _) => assert!(how.is_none() || is_landed),
                (Strategy::Rebase, _) => assert!(how.is_none_or(|how| how == How::Patches)),
            }
        }
    }
}

#[test]
fn what_lands_is_whole_and_nothing_else_does() {
    let strategies = [Strategy::Merge, Strategy::Squash, Strategy::Rebase];
    let formats: [&[&str]; 2] = [&[], &["--ref-format=reftable", "--object-format=sha256"]];
    for seed in 0..4 {
        for (at, strategy) in strategies.into_iter().enumerate() {
            let env = TestEnv::new();
            let mut rng = fastrand::Rng::with_seed(seed);
            let format = formats[(seed as usize + at) % 2];
            let world = World::new(&env, "repo", format, &mut rng);
            land(&world, strategy);
        }
    }
}
