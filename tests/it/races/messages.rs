//! Many senders, one inbox.

use std::collections::BTreeSet;

use super::team;
use crate::support::check::{intact, never_mended};
use crate::support::{Repo, TestEnv, Upkeep, race};

/// Returns ids and bodies of the unread messages, oldest first.
fn inbox(repo: &Repo, name: &str) -> Vec<(String, String)> {
    let json = repo.as_agent(name, ["--json", "inbox"]).ok().json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let messages = json["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|m| (text(&m["id"]), text(&m["body"])))
        .collect()
}

/// Returns how many files there are below a path of the record.
fn files(repo: &Repo, path: &str) -> Vec<String> {
    let names = repo.git(["ls-tree", "-r", "--name-only", "refs/heads/reflectt", path]);
    names.lines().map(str::to_owned).collect()
}

fn thirty_two_send_to_one_inbox(format: &str) {
    let env = TestEnv::new();
    let (repo, names) = team(&env, 4, format);
    let upkeep = Upkeep::start(&repo);
    let bodies: Vec<String> = (0..32).map(|n| format!("message {n}")).collect();
    let send = |(at, body): (usize, &String)| {
        let from = &names[1 + at % 3];
        repo.command(["--json", "send", &names[0], body])
            .agent(from)
    };
    let outputs = race(bodies.iter().enumerate().map(send));
    upkeep.stop();
    let told: BTreeSet<String> = outputs
        .iter()
        .map(|output| {
            output.clone().ok().json()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(told.len(), 32, "every message has an id of its own");
    let found = inbox(&repo, &names[0]);
    assert_eq!(found.len(), 32);
    let ids: BTreeSet<String> = found.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, told);
    let there: BTreeSet<String> = found.into_iter().map(|(_, body)| body).collect();
    assert_eq!(there, bodies.into_iter().collect());
    never_mended(&repo);
    intact(&repo);
}

#[test]
fn nothing_is_lost_when_thirty_two_send_to_one_inbox() {
    thirty_two_send_to_one_inbox("files");
}

#[test]
fn nothing_is_lost_when_thirty_two_send_to_one_inbox_in_a_reftable() {
    thirty_two_send_to_one_inbox("reftable");
}

#[test]
fn what_is_read_while_others_send_is_read_once() {
    const EACH: usize = 12;
    let env = TestEnv::new();
    let (repo, names) = team(&env, 5, "files");
    let upkeep = Upkeep::start(&repo);
    let mut seen = BTreeSet::new();
    std::thread::scope(|scope| {
        for name in &names[1..] {
            let (repo, to) = (&repo, &names[0]);
            scope.spawn(move || {
                for number in 0..EACH {
                    repo.as_agent(name, ["send", to, &format!("{number} by {name}")])
                        .ok();
                }
            });
        }
        // The reader acknowledges what it was shown, while more comes in; two of its processes
        // may want the same message, and one of them finds it gone.
        while seen.len() < 4 * EACH {
            let unread = inbox(&repo, &names[0]);
            let Some((id, body)) = unread.first().cloned() else {
                continue;
            };
            let ack = || repo.command(["ack", &id]).agent(&names[0]);
            let mut codes: Vec<_> = race([ack(), ack()]).iter().map(|o| o.status).collect();
            codes.sort();
            assert!(
                codes == [Some(0), Some(5)] || codes == [Some(0); 2],
                "{codes:?}"
            );
            assert!(seen.insert(body.clone()), "`{body}` was unread again");
        }
    });
    upkeep.stop();
    assert_eq!(inbox(&repo, &names[0]), []);
    let read = format!("inbox/{}/", names[0]);
    let files = files(&repo, &read);
    assert_eq!(files.len(), 4 * EACH);
    assert!(
        files
            .iter()
            .all(|path| path.starts_with(&format!("{read}read/")))
    );
    never_mended(&repo);
    intact(&repo);
}
