//! Random work in several clones, with a remote that goes away, drops pushes and forgets to answer,
//! and with syncs killed at random. Afterwards nothing is missing and all agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use crate::support::{Output, Repo, TestEnv};
use crate::sync::Machines;

/// What was confirmed to somebody, and so must be there at the end.
#[derive(Default)]
struct Promised {
    /// Body and receiver.
    messages: BTreeSet<(String, String)>,
    tasks: BTreeSet<String>,
    comments: BTreeSet<(String, String)>,
    /// Id, agent and fence of confirmed claims.
    claims: BTreeSet<(String, String, u64)>,
}

const NAMES: [&str; 4] = ["kai", "link", "sage", "noor"];

/// Makes the remote fail at random: before it takes a push, or after it has and before it says so.
fn make_unreliable(bare: &Repo) {
    let dice = "n=$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')";
    let hooks = [
        (
            "pre-receive",
            format!(
                "#!/bin/sh\n{dice}\n[ $n -lt 16 ] && kill -9 $PPID\n[ $n -gt 240 ] && sleep 0.2\nexit 0\n"
            ),
        ),
        (
            "reference-transaction",
            format!(
                "#!/bin/sh\n[ \"$1\" = committed ] || exit 0\n{dice}\n[ $n -lt 12 ] && kill -9 $PPID\nexit 0\n"
            ),
        ),
    ];
    for (name, script) in hooks {
        let path = bare.path().join("hooks").join(name);
        std::fs::write(&path, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
    }
}

fn make_reliable(bare: &Repo) {
    for name in ["pre-receive", "reference-transaction"] {
        std::fs::remove_file(bare.path().join("hooks").join(name)).unwrap();
    }
    // What killed processes left behind.
    for lock in find_locks(bare.path()) {
        std::fs::remove_file(lock).unwrap();
    }
}

fn find_locks(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find_locks(&path));
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
    found
}

/// Expects an answer, whatever it is, and no breakdown.
#[track_caller]
fn answered(output: Output) -> Output {
    let fine = matches!(output.status, Some(0 | 3..=7));
    assert!(fine, "{output}");
    output
}

fn act(clone: &Repo, me: &str, rng: &mut fastrand::Rng, promised: &Mutex<Promised>, step: usize) {
    let others: Vec<&str> = NAMES.into_iter().filter(|name| *name != me).collect();
    let to = others[rng.usize(..others.len())];
    let known = |promised: &Mutex<Promised>, rng: &mut fastrand::Rng| -> Option<String> {
        let promised = promised.lock().unwrap();
        let tasks: Vec<&String> = promised.tasks.iter().collect();
        (!tasks.is_empty()).then(|| tasks[rng.usize(..tasks.len())].clone())
    };
    match rng.u8(..12) {
        0 | 1 => {
            let body = format!("{me} says {step}");
            let output = answered(clone.reflectt(["send", to, &body]));
            if output.status == Some(0) {
                promised
                    .lock()
                    .unwrap()
                    .messages
                    .insert((body, to.to_owned()));
            }
        }
        2 | 3 => {
            let path = ["src", "src/a", "src/b", "docs"][rng.usize(..4)];
            let title = format!("{me} needs {step}");
            let output = answered(clone.reflectt([
                "--json",
                "task",
                "new",
                &title,
                "--criterion",
                "a test shows it",
                "--path",
                path,
            ]));
            if output.status == Some(0) {
                let id = output.json()["id"].as_str().unwrap().to_owned();
                promised.lock().unwrap().tasks.insert(id);
            }
        }
        4 => {
            if let Some(id) = known(promised, rng) {
                let text = format!("{me} thinks {step}");
                let output = answered(clone.reflectt(["task", "comment", &id, &text]));
                if output.status == Some(0) {
                    promised.lock().unwrap().comments.insert((id, text));
                }
            }
        }
        5 | 6 => {
            let mut args = vec!["--json", "next", "--claim"];
            if rng.u8(..4) == 0 {
                args.insert(0, "--offline");
            }
            let output = answered(clone.reflectt(args));
            if output.status == Some(0) {
                note_claim(&output.json()["claim"], promised);
            }
        }
        7 => {
            if let Some(id) = known(promised, rng) {
                let output = answered(clone.reflectt(["--json", "claim", &id]));
                if output.status == Some(0) {
                    note_claim(&output.json()["claim"], promised);
                }
            }
        }
        8 => {
            let claims = answered(clone.reflectt(["--json", "claims"])).json();
            for claim in claims["claims"].as_array().unwrap() {
                if claim["agent"] == me {
                    let id = claim["id"].as_str().unwrap();
                    answered(clone.reflectt(["release", id, "--note", "not now"]));
                }
            }
            answered(clone.reflectt(["ack", "--all"]));
        }
        9 => {
            let running = clone.command(["sync"]).spawn();
            std::thread::sleep(Duration::from_millis(rng.u64(..80)));
            running.kill();
        }
        _ => {
            answered(clone.reflectt(["sync"]));
        }
    }
}

fn note_claim(claim: &serde_json::Value, promised: &Mutex<Promised>) {
    if claim["state"] == "confirmed" {
        let text = |key: &str| claim[key].as_str().unwrap().to_owned();
        let fence = claim["fence"].as_u64().unwrap();
        let claim = (text("id"), text("agent"), fence);
        promised.lock().unwrap().claims.insert(claim);
    }
}

/// One version of the table: agent, fence and paths by id.
type Version = BTreeMap<String, (String, u64, Vec<String>)>;

/// Reads every version of the remote's table, oldest first.
fn history(bare: &Repo) -> Vec<Version> {
    let name = "refs/reflectt/claims";
    let commits = bare.git(["rev-list", "--reverse", "--first-parent", name]);
    let parents = bare.git(["rev-list", "--merges", name]);
    assert_eq!(parents, "", "the table is a straight line");
    let read = |commit: &str| -> Version {
        let files = bare.git(["ls-tree", "-r", "--name-only", commit]);
        let claim = |file: &str| {
            let text = bare.git(["cat-file", "blob", &format!("{commit}:{file}")]);
            let field = |key: &str| {
                let line = text
                    .lines()
                    .find_map(|line| line.strip_prefix(&format!("{key} = ")));
                line.unwrap_or_default().trim_matches('"').to_owned()
            };
            let paths = field("paths");
            let paths = paths.trim_matches(['[', ']']).split(", ");
            let paths = paths.map(|path| path.trim_matches('"').to_owned());
            let paths = paths.filter(|path| !path.is_empty()).collect();
            (
                field("id"),
                (field("agent"), field("fence").parse().unwrap(), paths),
            )
        };
        let claims = files.lines().filter(|file| *file != "table.toml");
        claims.map(claim).collect()
    };
    commits.lines().map(read).collect()
}

fn overlap(a: &[String], b: &[String]) -> bool {
    let below = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}/"));
    a.iter()
        .any(|a| b.iter().any(|b| below(a, b) || below(b, a)))
}

#[test]
fn after_random_work_and_failures_nothing_is_missing_and_all_agree() {
    let env = TestEnv::new();
    let it = Machines::new(&env, NAMES);
    it.clones[0]
        .reflectt(["config", "set", "wip.agent", "3"])
        .ok();
    it.sync_all();
    make_unreliable(&it.bare);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let promised = Mutex::new(Promised::default());
    std::thread::scope(|scope| {
        for (n, (clone, name)) in it.clones.iter().zip(NAMES).enumerate() {
            let promised = &promised;
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(seed + n as u64);
                for step in 0..25 {
                    act(clone, name, &mut rng, promised, step);
                }
            });
        }
        // Everybody is cut off now and then.
        let away = it.bare.path().with_extension("away");
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(1500));
            std::fs::rename(it.bare.path(), &away).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            std::fs::rename(&away, it.bare.path()).unwrap();
        }
    });
    make_reliable(&it.bare);
    it.agree();

    let promised = promised.into_inner().unwrap();
    let counts = (
        promised.messages.len(),
        promised.tasks.len(),
        promised.claims.len(),
    );
    println!("{counts:?} messages, tasks and claims");
    let versions = history(&it.bare);
    assert!(versions.iter().any(|version| !version.is_empty()));
    let mut granted: BTreeSet<(String, String, u64)> = BTreeSet::new();
    let mut highest = 0;
    for version in &versions {
        let claims: Vec<_> = version.values().collect();
        for (n, (agent, fence, paths)) in claims.iter().enumerate() {
            for (other, _, theirs) in &claims[n + 1..] {
                assert!(agent == other || !overlap(paths, theirs), "{version:?}");
            }
            highest = highest.max(*fence);
        }
        for (id, (agent, fence, _)) in version {
            granted.insert((id.clone(), agent.clone(), *fence));
        }
    }
    for claim in &promised.claims {
        assert!(granted.contains(claim), "{claim:?} was never confirmed");
    }
    // A fence belongs to one claim.
    let fences: BTreeSet<u64> = granted.iter().map(|(_, _, fence)| *fence).collect();
    assert_eq!(fences.len(), granted.len());

    let clone = &it.clones[0];
    let files = clone.git(["ls-tree", "-r", "--name-only", "refs/heads/reflectt"]);
    let mut bodies: BTreeMap<(String, String), usize> = BTreeMap::new();
    for file in files.lines().filter(|file| file.starts_with("inbox/")) {
        let text = clone.git(["cat-file", "blob", &format!("refs/heads/reflectt:{file}")]);
        let body = text.lines().find_map(|line| line.strip_prefix("body = "));
        let to = file.split('/').nth(1).unwrap().to_owned();
        let body = body.unwrap_or_default().trim_matches('"').to_owned();
        *bodies.entry((body, to)).or_default() += 1;
    }
    for message in &promised.messages {
        assert_eq!(bodies.get(message), Some(&1), "{message:?}");
    }
    for id in &promised.tasks {
        clone.reflectt(["task", "show", id]).ok();
    }
    for (id, text) in &promised.comments {
        let task = clone.reflectt(["--json", "task", "show", id]).ok().json();
        let events = task["events"].to_string();
        assert!(events.contains(text.as_str()), "{id} lacks `{text}`");
    }
}
