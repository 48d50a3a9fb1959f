//! Many clones that want the same.

use super::{Machines, hold};
use crate::support::{Output, TestEnv, race};

#[test]
fn eight_clones_race_for_one_task_and_one_wins() {
    let env = TestEnv::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let it = Machines::new(&env, names);
    let rounds = 50;
    for round in 0..rounds {
        let title = format!("round {round}");
        let id = it.clones[0].task("a", &title, &["--path", &format!("src/{round}")]);
        it.sync_all();
        let outputs = race(
            it.clones
                .iter()
                .map(|clone| clone.command(["--json", "claim", &id])),
        );
        let mut winners = Vec::new();
        for (output, name) in outputs.iter().zip(names) {
            match output.status {
                Some(0) => winners.push(name),
                Some(3) => {}
                _ => panic!("{output}"),
            }
        }
        assert_eq!(winners.len(), 1, "{outputs:?}");
        for (clone, name) in it.clones.iter().zip(names) {
            clone.reflectt(["sync"]).ok();
            let expected = [(id.clone(), winners[0].to_owned(), "confirmed".to_owned())];
            assert_eq!(hold(clone), expected, "{name}");
        }
        let winner = names.iter().position(|name| *name == winners[0]).unwrap();
        it.clones[winner]
            .reflectt(["cancel", &id, "--reason", "over"])
            .ok();
    }
    it.agree();
}

/// Eight kinds of patterns that all overlap each other, and directories beside them that do not.
#[test]
fn overlapping_paths_have_one_winner_among_eight_clones() {
    let env = TestEnv::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let it = Machines::new(&env, names);
    let paths = [
        "src",
        "src/auth",
        "src/auth/*.rs",
        "src/**",
        "src/auth/login.rs",
        "src/a*/",
        "**/login.rs",
        "src/?uth/l[ao]gin.rs",
    ];
    for round in 0..50 {
        // Each gets another one each time.
        let runs = it.clones.iter().enumerate().map(|(n, clone)| {
            let path = paths[(n + round) % paths.len()];
            clone.command(["--json", "claim", "--path", path, "-m", "race"])
        });
        let outputs = race(runs);
        let winners: Vec<usize> = (0..names.len())
            .filter(|n| outputs[*n].status == Some(0))
            .collect();
        let lost = |output: &&Output| output.status == Some(3);
        let losers = outputs.iter().filter(lost).count();
        assert_eq!((winners.len(), losers), (1, 7), "{outputs:?}");
        let claim = &outputs[winners[0]].json()["claim"];
        assert_eq!(claim["state"], "confirmed");
        let id = claim["id"].as_str().unwrap();
        // The remote says the same, and nothing else.
        let table = it
            .bare
            .git(["ls-tree", "--name-only", "refs/reflectt/claims"]);
        let claims = table.lines().filter(|file| *file != "table.toml");
        let claims: Vec<&str> = claims.collect();
        assert!(claims.len() == 1 && claims[0].starts_with(id), "{table}");
        it.clones[winners[0]].reflectt(["release", id]).ok();
    }
    it.agree();
}

#[test]
fn eight_clones_drain_the_queue_and_take_nothing_twice() {
    let env = TestEnv::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let it = Machines::new(&env, names);
    let count = 100;
    for n in 0..count {
        it.clones[0]
            .command([
                "--no-sync",
                "task",
                "new",
                &format!("task {n}"),
                "--criterion",
                "a test shows that it works",
            ])
            .run()
            .ok();
    }
    it.sync_all();
    let taken: Vec<Vec<String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (it.clones.iter())
            .map(|clone| {
                scope.spawn(move || {
                    let mut taken = Vec::new();
                    loop {
                        let next = clone.reflectt(["--json", "next", "--claim"]);
                        match next.status {
                            Some(0) => {}
                            Some(5) => return taken,
                            // Everybody reached for the same one, again and again.
                            Some(3) => continue,
                            _ => panic!("{next}"),
                        }
                        let id = next.json()["task"]["id"].as_str().unwrap().to_owned();
                        clone.reflectt(["cancel", &id, "--reason", "done"]).ok();
                        taken.push(id);
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    let mut all: Vec<String> = taken.concat();
    let total = all.len();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), total), (count, count), "{taken:?}");
    it.agree();
}
