//! Kills at random times: a few hundred, spread over the time that a command takes.
//!
//! `STORM_KILLS=500 STORM_SEED=7 cargo test --test it storm` goes on for longer, and elsewhere.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{age_locks, team};
use crate::support::check::{claims, intact, sound, tasks};
use crate::support::process::Victims;
use crate::support::{Repo, TestEnv};

/// The same kills in every run, as far as the machine's own timing allows.
fn seed() -> u64 {
    setting("STORM_SEED", 0x5eed)
}

/// Returns the number of kills for each command and ref format.
fn kills() -> u32 {
    u32::try_from(setting("STORM_KILLS", 25)).unwrap()
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A command to be killed, and what goes around it.
struct Scene<'a> {
    repo: &'a Repo,
    /// Brings about the state in which the command is run, and returns agent and command.
    before: &'a dyn Fn(u32) -> (&'static str, Vec<String>),
    /// Runs the next command and checks what it finds; it is told whether the killed one had
    /// acknowledged.
    after: &'a dyn Fn(u32, bool),
}

fn victims(with_git: bool) -> Victims {
    match with_git {
        true => Victims::WithChildren,
        false => Victims::Alone,
    }
}

fn storm(what: &str, scene: &Scene) {
    let mut rng = fastrand::Rng::with_seed(seed());
    let start = |round| {
        let (agent, args) = (scene.before)(round);
        scene.repo.command(args).agent(agent)
    };
    // How long it takes, on this machine, now.
    let mut longest = Duration::ZERO;
    for round in 0..4 {
        let run = start(round);
        let begun = Instant::now();
        run.run().ok();
        longest = longest.max(begun.elapsed());
        (scene.after)(round, true);
    }
    let (seed, kills) = (seed(), kills());
    let (mut killed, mut locked) = (0, 0);
    for round in 4..4 + kills {
        let with_git = round % 2 == 0;
        let at = longest.mul_f64(1.25 * rng.f64());
        let running = start(round).spawn();
        std::thread::sleep(at);
        let output = running.kill_with(victims(with_git));
        let done = match output.status {
            None => false,
            Some(0) => true,
            Some(_) => panic!("{what}: neither killed nor done\n{output}"),
        };
        killed += u32::from(!done);
        if with_git {
            locked += age_locks(scene.repo);
        }
        (scene.after)(round, done);
    }
    println!(
        "seed {seed}: {what}: {killed} of {kills} killed within {longest:?}, {locked} locks left"
    );
    assert!(killed > 0, "{what}: nothing was killed");
    scene.repo.as_agent("sage", ["doctor", "--fix"]).ok();
    assert_eq!(age_locks(scene.repo), 0, "{what}: locks are left");
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn status(repo: &Repo, id: &str) -> Value {
    tasks(repo)[id]["status"].clone()
}

fn claim_and_release(format: &str) {
    let env = TestEnv::new();
    let (repo, id) = team(&env, format);
    let claim = ["claim", &id];
    storm(
        &format!("claim, {format}"),
        &Scene {
            repo: &repo,
            before: &|_| ("kai", words(&format!("claim {id}"))),
            after: &|_, done| {
                if done {
                    assert_eq!(claims(&repo)[&id]["agent"], "kai");
                }
                // A claim that was torn the other way round is told to be over, by whoever writes
                // next; only then is there anything to read.
                repo.as_agent("kai", ["ack", "--all"]).ok();
                repo.as_agent("kai", ["inbox"]).ok();
                repo.as_agent("kai", ["ack", "--all"]).ok();
                repo.as_agent("kai", claim).ok();
                sound(&repo);
                repo.as_agent("kai", ["release", &id]).ok();
            },
        },
    );
    storm(
        &format!("release, {format}"),
        &Scene {
            repo: &repo,
            before: &|_| {
                repo.as_agent("kai", claim).ok();
                ("kai", words(&format!("release {id} --note rest")))
            },
            after: &|_, done| {
                let next = repo.as_agent("link", claim);
                let holder = match next.status {
                    Some(0) => "link",
                    _ => "kai",
                };
                assert!(!done || holder == "link", "{next}");
                assert_eq!(claims(&repo)[&id]["agent"], holder, "{next}");
                sound(&repo);
                repo.as_agent(holder, ["release", &id]).ok();
                repo.as_agent("kai", ["ack", "--all"]).ok();
            },
        },
    );
}

fn submit(format: &str) {
    let env = TestEnv::new();
    let (repo, id) = team(&env, format);
    repo.as_agent("kai", ["claim", &id]).ok();
    let args = || {
        let text = format!("submit {id} --reviewer sage --summary works --evidence 1=seen");
        words(&text)
    };
    storm(
        &format!("submit, {format}"),
        &Scene {
            repo: &repo,
            before: &|_| ("kai", args()),
            after: &|_, done| {
                if done {
                    assert_eq!(status(&repo, &id), "validating");
                }
                repo.as_agent("kai", args()).ok();
                assert_eq!(status(&repo, &id), "validating");
                sound(&repo);
                let args = ["review", &id, "--request-changes", "shorter"];
                repo.as_agent("sage", args).ok();
                assert_eq!(status(&repo, &id), "doing");
            },
        },
    );
}

/// Returns the bodies of an agent's unread messages.
fn unread(repo: &Repo, agent: &str) -> Vec<String> {
    let json = repo.as_agent(agent, ["--json", "inbox"]).ok().json();
    let messages = json["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|m| m["body"].as_str().unwrap().to_owned())
        .collect()
}

fn send_and_ack(format: &str) {
    let env = TestEnv::new();
    let (repo, _) = team(&env, format);
    storm(
        &format!("send, {format}"),
        &Scene {
            repo: &repo,
            before: &|round| ("kai", words(&format!("send link killed-{round}"))),
            after: &|round, done| {
                repo.as_agent("kai", ["send", "link", &format!("next-{round}")])
                    .ok();
                let unread = unread(&repo, "link");
                let count = |body: &str| unread.iter().filter(|text| *text == body).count();
                assert_eq!(count(&format!("next-{round}")), 1);
                let there = count(&format!("killed-{round}"));
                assert!(
                    there == 1 || (there == 0 && !done),
                    "{there} of round {round}"
                );
                intact(&repo);
            },
        },
    );
    repo.as_agent("link", ["ack", "--all"]).ok();
    let read = || {
        let names = [
            "ls-tree",
            "-r",
            "--name-only",
            "refs/heads/reflectt",
            "inbox/link/",
        ];
        let names = repo.git(names);
        assert!(names.lines().all(|name| name.contains("/read/")), "{names}");
        names.lines().count()
    };
    let earlier = read();
    storm(
        &format!("ack, {format}"),
        &Scene {
            repo: &repo,
            before: &|round| {
                repo.as_agent("kai", ["send", "link", &format!("to read {round}")])
                    .ok();
                repo.as_agent("link", ["inbox"]).ok();
                ("link", words("ack --all"))
            },
            after: &|round, done| {
                let left = unread(&repo, "link");
                assert!(left.is_empty() || (!done && left.len() == 1), "{left:?}");
                repo.as_agent("link", ["ack", "--all"]).ok();
                assert_eq!(unread(&repo, "link"), Vec::<String>::new());
                assert_eq!(read(), earlier + round as usize + 1);
            },
        },
    );
    intact(&repo);
}

fn task_new(format: &str) {
    let env = TestEnv::new();
    let (repo, _) = team(&env, format);
    storm(
        &format!("task new, {format}"),
        &Scene {
            repo: &repo,
            before: &|round| ("kai", words(&format!("task new killed-{round}"))),
            after: &|round, done| {
                repo.task("kai", &format!("next-{round}"), &[]);
                let tasks = tasks(&repo);
                let count = |title: &str| tasks.values().filter(|t| t["title"] == title).count();
                assert_eq!(count(&format!("next-{round}")), 1);
                let there = count(&format!("killed-{round}"));
                assert!(
                    there == 1 || (there == 0 && !done),
                    "{there} of round {round}"
                );
            },
        },
    );
    sound(&repo);
    // Half-written files of the killed are nobody's heartbeat.
    let who = repo.reflectt(["--json", "who"]).ok().json();
    assert_eq!(who["agents"].as_array().unwrap().len(), 3, "{who:#}");
}

/// Founding a team and joining it, each time in a repository of its own.
fn init_and_join(format: &str) {
    let env = TestEnv::new();
    let mut rng = fastrand::Rng::with_seed(seed());
    for round in 0..10 {
        let name = format!("repo-{round}");
        let repo = env.empty_repo(&name, &[&format!("--ref-format={format}")]);
        for args in [&["init"][..], &["--as", "kai", "join", "kai"]] {
            let running = repo.command(args).spawn();
            std::thread::sleep(Duration::from_micros(rng.u64(0..20_000)));
            let done = running.kill_with(victims(round % 2 == 0)).status == Some(0);
            if round % 2 == 0 {
                age_locks(&repo);
            }
            let again = repo
                .reflectt(["--json", args[0]].iter().chain(&args[1..]))
                .ok();
            if done && args[0] == "init" {
                assert_eq!(again.json()["initialised"], false, "{again}");
            }
        }
        repo.task("kai", "Keep the return path", &[]);
        sound(&repo);
    }
}

#[test]
fn init_and_join_survive_kills() {
    init_and_join("files");
}

#[test]
fn init_and_join_survive_kills_in_a_reftable() {
    init_and_join("reftable");
}

#[test]
fn claim_and_release_survive_kills() {
    claim_and_release("files");
}

#[test]
fn claim_and_release_survive_kills_in_a_reftable() {
    claim_and_release("reftable");
}

#[test]
fn submit_survives_kills() {
    submit("files");
}

#[test]
fn submit_survives_kills_in_a_reftable() {
    submit("reftable");
}

#[test]
fn send_and_ack_survive_kills() {
    send_and_ack("files");
}

#[test]
fn send_and_ack_survive_kills_in_a_reftable() {
    send_and_ack("reftable");
}

#[test]
fn task_new_survives_kills() {
    task_new("files");
}

#[test]
fn task_new_survives_kills_in_a_reftable() {
    task_new("reftable");
}
