//! A team that works off a long list.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::team;
use crate::support::check::{claims, never_mended, sound, tasks};
use crate::support::{Repo, TestEnv, Upkeep};

/// Takes and finishes tasks until there are none; returns those it was given.
fn drain(repo: &Repo, name: &str) -> Vec<String> {
    let mut had = Vec::new();
    loop {
        let next = repo.as_agent(name, ["--json", "next", "--claim"]);
        let json = next.json();
        if next.status == Some(5) {
            assert!(json["task"].is_null(), "{next}");
            return had;
        }
        let next = next.ok();
        assert_eq!(json["claim"]["agent"], name, "{next}");
        let id = json["task"]["id"].as_str().unwrap().to_owned();
        let args = [
            "submit",
            &id,
            "--summary",
            "it works",
            "--evidence",
            "1=I saw it",
        ];
        repo.as_agent(name, args).ok();
        had.push(id);
    }
}

#[test]
fn sixteen_drain_two_hundred_tasks() {
    const TASKS: usize = 200;
    let env = TestEnv::new();
    let (repo, names) = team(&env, 16, "files");
    repo.set(&names[0], "review.required", "false");
    // Made by all at once, too.
    std::thread::scope(|scope| {
        for (at, name) in names.iter().enumerate() {
            let repo = &repo;
            scope.spawn(move || {
                for number in (at..TASKS).step_by(16) {
                    let path = format!("src/part-{number}");
                    repo.task(name, &format!("Part {number}"), &["--path", &path]);
                }
            });
        }
    });
    assert_eq!(tasks(&repo).len(), TASKS);

    let upkeep = Upkeep::start(&repo);
    let taken: Mutex<BTreeMap<String, Vec<String>>> = Mutex::default();
    std::thread::scope(|scope| {
        for name in &names {
            let (repo, taken) = (&repo, &taken);
            scope.spawn(move || {
                for id in drain(repo, name) {
                    taken
                        .lock()
                        .unwrap()
                        .entry(id)
                        .or_default()
                        .push(name.clone());
                }
            });
        }
    });
    println!("{} rounds of upkeep beside it", upkeep.stop());
    let taken = taken.into_inner().unwrap();
    let twice: Vec<_> = taken.iter().filter(|(_, by)| by.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(taken.len(), TASKS);
    let tasks = tasks(&repo);
    for (id, task) in &tasks {
        assert_eq!(task["status"], "done", "{task:#}");
        assert_eq!(task["assignee"], taken[id][0].as_str(), "{task:#}");
    }
    assert_eq!(tasks.len(), TASKS);
    assert!(claims(&repo).is_empty());
    never_mended(&repo);
    sound(&repo);
}
