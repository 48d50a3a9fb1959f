//! Many who listen while many write.

use std::collections::BTreeSet;
use std::thread;

use crate::support::http::Web;
use crate::support::{TestEnv, race};

#[test]
fn twenty_listeners_miss_nothing_of_what_eight_processes_do() {
    const AGENTS: [&str; 8] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"];
    let env = TestEnv::new();
    let repo = env.team(AGENTS);
    let tasks: Vec<String> = (AGENTS.iter())
        .map(|agent| {
            repo.task(
                agent,
                &format!("work of {agent}"),
                &["--path", &format!("src/{agent}")],
            )
        })
        .collect();
    let web = Web::start(&repo);
    let listeners: Vec<_> = (0..20)
        .map(|_| {
            let mut events = web.listen("", "");
            events.next().unwrap();
            thread::spawn(move || {
                let mut claimed = BTreeSet::new();
                let mut said = BTreeSet::new();
                while claimed.len() < 8 || said.len() < 16 {
                    let event = events.next().expect("the stream goes on");
                    let text = |name: &str| event.data[name].as_str().unwrap().to_owned();
                    match event.kind.as_str() {
                        "task_assigned" => drop(claimed.insert(text("id"))),
                        "message_posted" => drop(said.insert(text("content"))),
                        _ => {}
                    }
                }
                claimed
            })
        })
        .collect();
    let mut runs = Vec::new();
    for (agent, id) in AGENTS.iter().zip(&tasks) {
        runs.push(repo.command(["claim", id]).agent(agent));
    }
    for output in race(runs) {
        output.ok();
    }
    for round in 0..2 {
        let send = |agent: &&str| {
            let text = format!("{agent} in round {round}");
            repo.command(["send", "#general", &text]).agent(agent)
        };
        for output in race(AGENTS.iter().map(send)) {
            output.ok();
        }
    }
    let wanted: BTreeSet<String> = tasks.into_iter().collect();
    for listener in listeners {
        assert_eq!(listener.join().unwrap(), wanted);
    }
    web.get("/health").code(200);
}
