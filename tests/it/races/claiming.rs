//! Races for tasks, paths, resources and the right to work at all.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use serde_json::Value;

use super::{team, without_lock};
use crate::support::check::{claims, never_mended, sound, tasks};
use crate::support::{Output, Repo, TestEnv, Upkeep, race};

/// The answers to a race in which the agents came in this order, sorted out.
struct Result {
    winner: String,
    claim: Value,
    /// The errors of all others.
    lost: Vec<Value>,
}

#[track_caller]
fn one_winner(names: &[String], outputs: &[Output]) -> Result {
    let mut won = Vec::new();
    let mut lost = Vec::new();
    for (name, output) in names.iter().zip(outputs) {
        match output.status {
            Some(0) => won.push((name.clone(), output.json()["claim"].clone())),
            Some(3) => lost.push(output.json()["error"].clone()),
            _ => panic!("{name}: neither won nor lost\n{output}"),
        }
    }
    assert_eq!(won.len(), 1, "winners: {won:?}");
    let (winner, claim) = won.remove(0);
    assert_eq!(claim["agent"], winner.as_str());
    assert_eq!(lost.len(), names.len() - 1);
    for error in &lost {
        assert_eq!(error["kind"], "held", "{error:#}");
        assert_eq!(error["holder"], winner.as_str(), "{error:#}");
        assert_eq!(error["since"], claim["since"], "{error:#}");
    }
    Result {
        winner,
        claim,
        lost,
    }
}

fn all_claim(repo: &Repo, names: &[String], ids: &[String]) -> Vec<Output> {
    let each = names.iter().zip(ids.iter().cycle());
    race(each.map(|(name, id)| repo.command(["--json", "claim", id]).agent(name)))
}

/// `rounds` times, sixteen claim one task, each from a worktree of its own.
fn sixteen_claim_one_task(format: &str, rounds: usize) {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 16, format);
    repo.set(&names[0], "wip.agent", "1000");
    let trees: Vec<Repo> = names.iter().map(|name| repo.worktree(name)).collect();
    let mut upkeep = None;
    let mut fence = 0;
    for round in 0..rounds {
        if round == rounds / 2 {
            upkeep = Some(Upkeep::start(&repo));
        }
        let id = repo.task(&names[0], &format!("Round {round}"), &[]);
        let claim =
            |(tree, name): (&Repo, &String)| tree.command(["--json", "claim", &id]).agent(name);
        let outputs = race(trees.iter().zip(&names).map(claim));
        let result = one_winner(&names, &outputs);
        assert!(result.lost.iter().all(|error| error["task"] == id.as_str()));
        assert_eq!(claims(&repo)[&id], result.claim);
        let now = result.claim["fence"].as_u64().unwrap();
        assert!(now > fence, "the fence fell from {fence} to {now}");
        fence = now;
    }
    assert!(upkeep.map_or(0, Upkeep::stop) > 0);
    assert_eq!(claims(&repo).len(), rounds);
    never_mended(&repo);
    sound(&repo);
}

#[test]
fn without_the_lock_one_wins_all_the_same() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 16, "files");
    repo.set(&names[0], "wip.agent", "1000");
    without_lock(&repo);
    let upkeep = Upkeep::start(&repo);
    for round in 0..8 {
        let id = repo.task(&names[0], &format!("Round {round}"), &[]);
        one_winner(&names, &all_claim(&repo, &names, &[id]));
    }
    upkeep.stop();
    never_mended(&repo);
    sound(&repo);
}

#[test]
fn of_sixteen_claiming_one_task_one_wins() {
    sixteen_claim_one_task("files", 50);
}

#[test]
fn of_sixteen_claiming_one_task_one_wins_in_a_reftable() {
    sixteen_claim_one_task("reftable", 6);
}

#[test]
fn of_sixteen_claiming_overlapping_paths_one_wins() {
    // Any two of these match `src/auth/login.rs`.
    const PATHS: [&str; 8] = [
        "src",
        "src/auth",
        "src/auth/login.rs",
        "src/**",
        "src/*/login.rs",
        "src/auth/*.rs",
        "**/login.rs",
        "src/auth/l[a-o]gin.r?",
    ];
    let env = TestEnv::new();
    let (repo, names) = team(&env, 16, "files");
    repo.set(&names[0], "wip.agent", "1000");
    let task = |at: usize| {
        let title = format!("Change number {at}");
        repo.task(&names[0], &title, &["--path", PATHS[at % PATHS.len()]])
    };
    let ids: Vec<String> = (0..16).map(task).collect();
    let upkeep = Upkeep::start(&repo);
    let mut winners = BTreeSet::new();
    for _ in 0..6 {
        let result = one_winner(&names, &all_claim(&repo, &names, &ids));
        for error in &result.lost {
            assert_eq!(error["task"], result.claim["task"], "{error:#}");
            assert_ne!(
                error["paths"],
                Value::from(Vec::<String>::new()),
                "{error:#}"
            );
        }
        let held = claims(&repo);
        let id = result.claim["id"].as_str().unwrap();
        assert_eq!(held.keys().collect::<Vec<_>>(), [id]);
        repo.as_agent(&result.winner, ["release", id]).ok();
        winners.insert(result.winner);
    }
    upkeep.stop();
    println!("{} different winners of 6 rounds", winners.len());
    never_mended(&repo);
    sound(&repo);
}

#[test]
fn paths_alone_are_raced_for_in_the_same_way() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 8, "files");
    let id = repo.task(&names[0], "Change the login", &["--path", "src/auth"]);
    for _ in 0..4 {
        let runs = names.iter().enumerate().map(|(at, name)| {
            let run = match at % 2 {
                0 => repo.command(["--json", "claim", &id]),
                _ => repo.command(["--json", "claim", "--path", "src/**/login.rs", "-m", "look"]),
            };
            run.agent(name)
        });
        let result = one_winner(&names, &race(runs));
        let id = result.claim["id"].as_str().unwrap();
        repo.as_agent(&result.winner, ["release", id]).ok();
    }
    never_mended(&repo);
    sound(&repo);
}

/// Expects as many to succeed as there is room, and the rest to be refused by this rule.
#[track_caller]
fn some_win(outputs: &[Output], room: usize, rule: &str) {
    let won = outputs.iter().filter(|output| output.status == Some(0));
    assert_eq!(won.count(), room, "{outputs:?}");
    for output in outputs.iter().filter(|output| output.status != Some(0)) {
        let output = output.clone().code(4);
        assert_eq!(output.json()["error"]["rule"], rule, "{output}");
    }
}

#[test]
fn limits_hold_when_all_come_at_once() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 8, "files");
    repo.set(&names[0], "resources.api", "3");
    let task = |at: usize| {
        repo.task(
            &names[0],
            &format!("Call number {at}"),
            &["--resource", "api"],
        )
    };
    let ids: Vec<String> = (0..8).map(task).collect();
    let upkeep = Upkeep::start(&repo);

    // One agent of which eight processes want work at once.
    let same = vec![names[0].clone(); 8];
    some_win(&all_claim(&repo, &same, &ids), 1, "wip.agent");
    for id in claims(&repo).keys() {
        repo.as_agent(&names[0], ["release", id]).ok();
    }

    some_win(&all_claim(&repo, &names, &ids), 3, "resource");
    for (id, claim) in claims(&repo) {
        repo.as_agent(claim["agent"].as_str().unwrap(), ["release", &id])
            .ok();
    }

    repo.set(&names[0], "wip.team", "2");
    some_win(&all_claim(&repo, &names, &ids), 2, "wip.team");
    upkeep.stop();
    never_mended(&repo);
    sound(&repo);
}

#[test]
fn claiming_and_releasing_in_loops_never_shares_a_task() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 8, "files");
    claim_and_release_in_loops(&repo, &names, 8);
}

#[test]
fn claiming_and_releasing_without_the_lock_never_shares_a_task() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 6, "files");
    without_lock(&repo);
    claim_and_release_in_loops(&repo, &names, 5);
}

fn claim_and_release_in_loops(repo: &Repo, names: &[String], rounds: usize) {
    let ids: Vec<String> = (0..3)
        .map(|at| repo.task(&names[0], &format!("Task {at}"), &[]))
        .collect();
    let turns = Mutex::new(0_usize);
    let upkeep = Upkeep::start(repo);
    std::thread::scope(|scope| {
        for (at, name) in names.iter().enumerate() {
            let (ids, turns) = (&ids, &turns);
            scope.spawn(move || {
                for round in 0..rounds {
                    let id = &ids[(at + round) % ids.len()];
                    let output = repo.as_agent(name, ["--json", "claim", id]);
                    if output.status != Some(0) {
                        output.code(3);
                        continue;
                    }
                    // Made only if it is not there: two holders at once would meet here.
                    let token = repo.path().join(format!("held-{id}"));
                    fs::File::create_new(&token).unwrap();
                    fs::remove_file(&token).unwrap();
                    repo.as_agent(name, ["release", id]).ok();
                    *turns.lock().unwrap() += 1;
                }
            });
        }
    });
    upkeep.stop();
    assert!(claims(repo).is_empty());
    assert!(tasks(repo).values().all(|task| task["status"] == "todo"));
    let told = |id: &String| {
        let task = repo.reflectt(["--json", "task", "show", id]).ok().json();
        let events = task["events"].as_array().unwrap().clone();
        events
            .iter()
            .filter(|event| event["kind"] == "released")
            .count()
    };
    let turns = turns.into_inner().unwrap();
    assert!(turns >= rounds);
    assert_eq!(ids.iter().map(told).sum::<usize>(), turns);
    never_mended(repo);
    sound(repo);
}

#[test]
fn the_claim_of_a_silent_agent_goes_to_one_and_is_told_once() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 9, "files");
    let (silent, others) = names.split_first().unwrap();
    let id = repo.task(silent, "Keep the return path", &[]);
    for round in 1..=4 {
        repo.as_agent(silent, ["claim", &id]).ok();
        repo.fall_silent(silent, 2);
        let result = one_winner(others, &all_claim(&repo, others, std::slice::from_ref(&id)));
        let told = repo.as_agent(silent, ["--json", "inbox"]).ok().json();
        let told = told["messages"].as_array().unwrap();
        assert_eq!(told.len(), 1, "round {round}: {told:#?}");
        assert_eq!(told[0]["notice"], "claim_lost", "{told:#?}");
        repo.as_agent(silent, ["inbox"]).ok();
        repo.as_agent(silent, ["ack", "--all"]).ok();
        repo.as_agent(&result.winner, ["release", &id]).ok();
    }
    never_mended(&repo);
    sound(&repo);
}

/// It comes back at the very moment at which another takes its work.
#[test]
fn a_silent_agent_that_comes_back_keeps_its_task_or_learns_that_it_lost_it() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 2, "files");
    let [kai, link] = &names[..] else {
        unreachable!()
    };
    let id = repo.task(kai, "Keep the return path", &[]);
    let mut kept = 0;
    for _ in 0..10 {
        repo.as_agent(kai, ["claim", &id]).ok();
        repo.fall_silent(kai, 2);
        let outputs = race([
            repo.command(["--json", "block", &id, "--reason", "no key"])
                .agent(kai),
            repo.command(["--json", "claim", &id]).agent(link),
        ]);
        let codes = (outputs[0].status, outputs[1].status);
        match codes {
            (Some(0), Some(3)) => kept += 1,
            (Some(7), Some(0)) => {}
            _ => panic!("{outputs:?}"),
        }
        sound(&repo);
        let holder = if codes.0 == Some(0) { kai } else { link };
        repo.as_agent(holder, ["release", &id]).ok();
        repo.as_agent(kai, ["inbox"]).ok();
        repo.as_agent(kai, ["ack", "--all"]).ok();
    }
    println!("kept {kept} times of 10");
    never_mended(&repo);
}

#[test]
fn all_who_take_over_at_once_get_it_one_after_the_other() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 8, "files");
    let id = repo.task(&names[0], "Keep the return path", &[]);
    repo.as_agent(&names[0], ["claim", &id]).ok();
    let args = ["--json", "claim", &id, "--take-over", "--reason", "urgent"];
    let outputs = race(names[1..].iter().map(|name| repo.command(args).agent(name)));
    let mut fences = BTreeSet::new();
    for output in outputs {
        fences.insert(output.ok().json()["claim"]["fence"].as_u64().unwrap());
    }
    assert_eq!(fences, (2..=8).collect());
    let holder = claims(&repo)[&id]["agent"].as_str().unwrap().to_owned();
    for name in &names {
        let told = repo.as_agent(name, ["--json", "inbox"]).ok().json();
        let losses = usize::from(*name != holder);
        assert_eq!(
            told["messages"].as_array().unwrap().len(),
            losses,
            "{name}: {told:#}"
        );
    }
    never_mended(&repo);
    sound(&repo);
}

#[test]
fn cancelling_and_claiming_at_once_leaves_nothing_held() {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 2, "files");
    for round in 0..8 {
        let id = repo.task(&names[0], &format!("Round {round}"), &[]);
        let outputs = race([
            repo.command(["cancel", &id, "--reason", "no use"])
                .agent(&names[0]),
            repo.command(["claim", &id]).agent(&names[1]),
        ]);
        match (outputs[0].status, outputs[1].status) {
            // Whether a claimed task may be cancelled is a rule of its own.
            (Some(0), Some(0 | 4)) => assert!(claims(&repo).is_empty(), "{outputs:?}"),
            (Some(4), Some(0)) => drop(repo.as_agent(&names[1], ["release", &id]).ok()),
            _ => panic!("{outputs:?}"),
        }
        sound(&repo);
    }
    never_mended(&repo);
}
