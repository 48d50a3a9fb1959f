//! What must be true at the end, from what is in the remote and in every clone.

use std::collections::{BTreeMap, BTreeSet};

use reflectt::format;
use reflectt::git::{ConfigScope, OpenOptions, Repo as GitRepo};
use reflectt::model::audit;
use reflectt::model::claim::Table;
use reflectt::model::id::{Stamp, TaskId};
use reflectt::model::message::Notice;
use reflectt::model::name::AgentName;
use reflectt::model::task::{TaskEvent, TaskLog};
use reflectt::model::time::Timestamp;
use reflectt::ops::{self, Answers, Context};
use reflectt::store::Store;

use super::work::{Notes, Told};
use super::{NAMES, WIP};
use crate::support::{Repo, check};
use crate::sync::Machines;

/// Checks everything.
pub fn of(it: &Machines, notes: &Notes) {
    it.agree();
    // Who wrote last may have been killed between table and record, or have claimed what somebody
    // else had cancelled meanwhile: the next command that writes sets that right.
    for clone in &it.clones {
        clone.reflectt(["send", "#team", "good night"]).ok();
    }
    it.agree();
    check::intact(&it.bare);
    let versions = versions(&it.bare);
    println!("{} versions of the table", versions.len());
    history(&it.bare, &versions);
    answers(&versions, notes);
    // All have the same by now.
    ends(&it.clones[0], &versions);
    for clone in &it.clones {
        check::sound(clone);
        let claims = check::claims(clone);
        assert!(
            claims.values().all(|it| it["state"] == "confirmed"),
            "{claims:#?}"
        );
        nothing_is_missing(clone, notes);
        in_order(clone);
    }
}

fn open(repo: &Repo) -> GitRepo {
    GitRepo::open(OpenOptions {
        config: ConfigScope::Repository,
        ..OpenOptions::new(repo.path())
    })
    .unwrap()
}

/// Returns every version of the remote's table, oldest first.
fn versions(bare: &Repo) -> Vec<Table> {
    let store = Store::new(open(bare));
    let tip = store.local_tips().unwrap().table.unwrap();
    store.table_versions(tip).unwrap()
}

/// Tells who had what in every version, and what made it.
fn told(bare: &Repo, versions: &[Table]) -> String {
    let subjects = bare.git(["log", "--reverse", "--format=%s", "refs/reflectt/claims"]);
    let mut text = String::new();
    for (table, subject) in versions.iter().zip(subjects.lines()) {
        let claims = table.claims.values().map(|claim| {
            let (id, agent, fence) = (claim.id, &claim.agent, claim.fence.0);
            format!("{id} {agent} {fence} {}", claim.phase.as_str())
        });
        let claims: Vec<String> = claims.collect();
        text += &format!("{} {subject}: {}\n", table.epoch, claims.join(", "));
    }
    text
}

/// Checks that no version of the table breaks a rule.
fn history(bare: &Repo, versions: &[Table]) {
    let claims = audit::one_holder(versions).unwrap();
    let pairs = audit::disjoint_paths(versions, &[]).unwrap();
    println!("{claims} claims, {pairs} pairs of paths");
    assert!(claims > 0);
    if let Err(wrong) = audit::within_limits(versions, |_| WIP) {
        panic!("{wrong}\n{}", told(bare, versions));
    }
    let mut owners: BTreeMap<u64, (TaskId, &AgentName)> = BTreeMap::new();
    for claim in versions.iter().flat_map(|table| table.claims.values()) {
        let owner = owners
            .entry(claim.fence.0)
            .or_insert((claim.id, &claim.agent));
        assert_eq!(*owner, (claim.id, &claim.agent), "a fence of two claims");
    }
}

/// Checks that whoever was told that it has a claim had it, and had it alone.
fn answers(versions: &[Table], notes: &Notes) {
    let all = versions.iter().flat_map(|table| table.claims.values());
    let granted: BTreeSet<(String, String, u64)> = all
        .map(|claim| (claim.id.to_string(), claim.agent.to_string(), claim.fence.0))
        .collect();
    for Told {
        id, agent, fence, ..
    } in &notes.claims
    {
        let claim = (id.clone(), (*agent).to_owned(), *fence);
        assert!(granted.contains(&claim), "{claim:?} is not in the history");
    }
    for earlier in &notes.claims {
        let later = notes.claims.iter().filter(|later| {
            later.id == earlier.id && later.fence > earlier.fence && later.agent != earlier.agent
        });
        for later in later {
            assert!(
                earlier.asked < later.told,
                "the older claim was confirmed when the newer one had been:\n{earlier:?}\n{later:?}"
            );
            let mut ends = notes.ends.iter().filter(|(id, _)| *id == earlier.id);
            assert!(
                ends.any(|(_, began)| *began < later.told),
                "both were told that it is theirs:\n{earlier:?}\n{later:?}"
            );
        }
    }
}

/// Checks that nothing that was decided is void, and that no claim ended without an event that
/// says so, and a message if it was not its holder's doing.
fn ends(clone: &Repo, versions: &[Table]) {
    let store = Store::new(open(clone));
    let snapshot = store.snapshot().unwrap();
    let mut mail: BTreeMap<(AgentName, TaskId), usize> = BTreeMap::new();
    for (owner, message) in snapshot.all_mail().unwrap() {
        if let (Some(Notice::ClaimLost), Some(task)) = (message.notice, message.task) {
            *mail.entry((owner, task)).or_default() += 1;
        }
    }
    let mut tenures: BTreeMap<TaskId, BTreeSet<u64>> = BTreeMap::new();
    let claims = versions.iter().flat_map(|table| table.claims.values());
    for claim in claims.filter(|claim| claim.of_task) {
        tenures.entry(claim.id).or_default().insert(claim.fence.0);
    }
    let last = versions.last().unwrap();
    for (id, fences) in tenures {
        let entry = snapshot.entry(id).unwrap().unwrap();
        let log = snapshot.log_of(entry).unwrap().log;
        let void = TaskLog {
            id,
            log: log.clone(),
        }
        .fold()
        .unwrap()
        .void;
        assert!(void.is_empty(), "{id}: {void:#?}\n{log:#?}");
        let mut ended = 0;
        let mut losses: BTreeMap<AgentName, usize> = BTreeMap::new();
        let mut holder = None;
        for (_, event) in log.iter() {
            let (ends, taken_from, now) = match &event.kind {
                TaskEvent::Claimed {
                    agent, taken_over, ..
                } => {
                    let taken = taken_over.as_ref().and(holder.take());
                    (taken.is_some(), taken, Some(agent.clone()))
                }
                TaskEvent::Lapsed { agent, .. } => (true, Some(agent.clone()), None),
                TaskEvent::HandedOff { to, fence, .. } => (true, None, fence.map(|_| to.clone())),
                TaskEvent::Released { .. }
                | TaskEvent::Approved { .. }
                | TaskEvent::Cancelled { .. } => (true, None, None),
                _ => continue,
            };
            ended += usize::from(ends);
            holder = now;
            if let Some(loser) = taken_from {
                *losses.entry(loser).or_default() += 1;
            }
        }
        let open = usize::from(last.claims.contains_key(&id));
        assert!(
            ended >= fences.len() - open,
            "{id}: {} claims, {open} of them open, and {ended} ends\n{log:#?}",
            fences.len()
        );
        for (agent, times) in losses {
            let told = mail.get(&(agent.clone(), id)).copied().unwrap_or_default();
            assert!(told >= times, "{agent} lost {id} {times} times\n{log:#?}");
        }
    }
}

/// Checks that all that was acknowledged is in this clone, once.
fn nothing_is_missing(clone: &Repo, notes: &Notes) {
    let store = Store::new(open(clone));
    let snapshot = store.snapshot().unwrap();
    let at = clone.path().display();
    let mut boxes: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    for (owner, message) in snapshot.all_mail().unwrap() {
        let id = message.id.to_string();
        *boxes.entry((owner.to_string(), id.clone())).or_default() += 1;
        bodies.insert(id, message.body);
    }
    let mut channel: BTreeMap<String, usize> = BTreeMap::new();
    for message in snapshot.all_of_channels().unwrap() {
        let id = message.id.to_string();
        *channel.entry(id.clone()).or_default() += 1;
        bodies.insert(id, message.body);
    }
    for (id, (body, to)) in &notes.messages {
        let count = match to {
            Some(to) => boxes.get(&((*to).to_owned(), id.clone())),
            None => channel.get(id),
        };
        assert_eq!(count, Some(&1), "{at}: `{body}` to {to:?}");
        assert_eq!(bodies.get(id), Some(body), "{at}");
    }
    for name in NAMES {
        let agent: AgentName = name.parse().unwrap();
        for unread in snapshot.unread(&agent).unwrap() {
            let id = unread.message.id.to_string();
            assert!(
                !notes.read.contains(&(name, id)),
                "{at}: {name} has read {unread:?}"
            );
        }
    }
    for (name, id) in &notes.read {
        let count = boxes.get(&((*name).to_owned(), id.clone()));
        assert_eq!(count, Some(&1), "{at}: {name} has read {id}");
    }
    for id in &notes.tasks {
        let entry = snapshot.entry(id.parse().unwrap()).unwrap();
        assert!(entry.is_some(), "{at}: the task {id}");
    }
    let events = notes.events.iter().map(|event| (event, 1..=1));
    // What was asked for offline may have been refused.
    let wishes = notes.wishes.iter().map(|event| (event, 0..=1));
    for ((id, text), times) in events.chain(wishes) {
        let entry = snapshot.entry(id.parse().unwrap()).unwrap().unwrap();
        let log = snapshot.log_of(entry).unwrap();
        let has = |event: &TaskEvent| {
            !matches!(event, TaskEvent::Lapsed { .. }) && format!("{event:?}").contains(text)
        };
        let found: Vec<Stamp> = (log.log.iter())
            .filter(|(_, event)| has(&event.kind))
            .map(|(stamp, _)| stamp)
            .collect();
        let count = found.len();
        assert!(
            times.contains(&count),
            "{at}: `{text}` is {count} times in {id}"
        );
    }
    let mut reflections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in snapshot.files("reflections").unwrap() {
        let bytes = file.read(store.repo()).unwrap().unwrap();
        let reflection = format::parse_reflection(&bytes).unwrap();
        let id = reflection.id.to_string();
        reflections.entry(id).or_default().push(reflection.worked);
    }
    for (id, worked) in &notes.reflections {
        let found = reflections.get(id);
        assert_eq!(found, Some(&vec![worked.clone()]), "{at}: {id}");
    }
}

/// Checks that nothing here is wrong by the program's own lights.
fn in_order(clone: &Repo) {
    let now = || Timestamp(0);
    let ctx = Context::new(open(clone), None, now, fastrand::Rng::new());
    for proof in ops::audit(&ctx, &Answers::default()).unwrap() {
        // Who was told what is not in the data; see `answers`.
        if proof.what != "true_answers" {
            proof.found.unwrap_or_else(|wrong| panic!("{wrong}"));
        }
    }
    clone.reflectt(["doctor", "--fix"]).ok();
    let found = clone.reflectt(["--json", "doctor"]).ok().json();
    let findings = found["findings"].as_array().unwrap();
    // The lock of a git that was killed seconds ago may still be somebody's, to all appearance, and
    // clocks do differ.
    let known = |it: &&serde_json::Value| it["what"] != "lock" && it["what"] != "clock_ahead";
    let wrong: Vec<_> = findings.iter().filter(known).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
