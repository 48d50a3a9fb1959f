//! Merging versions of the record: the same whichever way, with nothing missing.

use std::collections::BTreeSet;

use super::*;
use crate::model::agent::{AgentEvent, AgentLog, Profile};
use crate::model::message::Message;
use crate::model::reflection::Reflection;

/// A line of history that grows without moving a ref.
struct Branch<'p> {
    place: &'p Place,
    tip: Oid,
    rng: fastrand::Rng,
    clock: i64,
}

impl Branch<'_> {
    fn stamp(&mut self) -> Stamp {
        self.clock += self.rng.i64(1..5000);
        Stamp::new(Timestamp(NOW.0 + self.clock), &mut self.rng, None)
    }

    fn add(&mut self, changes: &Changes) {
        let snapshot = self.place.store.snapshot_at(self.tip, None).unwrap();
        let tips = self.place.store.compose(&snapshot, changes, &origin());
        self.tip = tips.unwrap().record.unwrap();
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.place.store.snapshot_at(self.tip, None).unwrap()
    }

    fn new_task(&mut self) {
        let id = TaskId::random(&mut self.rng);
        let title = format!("task {id}");
        let draft = Draft {
            title,
            ..Draft::default()
        };
        let log = TaskLog::created(id, self.stamp(), Author::lossy("kai"), draft);
        self.tasks(vec![log]);
    }

    fn tasks(&mut self, logs: Vec<TaskLog>) {
        let changes = Changes {
            subject: "tasks".to_owned(),
            tasks: logs.into_iter().map(|log| (log.id, log)).collect(),
            ..Changes::default()
        };
        self.add(&changes);
    }

    fn change_task(&mut self) {
        let stamp = self.stamp();
        let log = {
            let snapshot = self.snapshot();
            let mut all: Vec<Entry> = snapshot.open().unwrap().to_vec();
            all.extend(snapshot.archived().unwrap().iter().cloned());
            if all.is_empty() {
                return;
            }
            let entry = &all[self.rng.clone().usize(..all.len())];
            let mut log = snapshot.log_of(entry).unwrap();
            let reason = "because".to_owned();
            let event = match self.rng.clone().u8(..4) {
                0 => TaskEvent::Cancelled { reason },
                1 => TaskEvent::Reopened { reason },
                2 => TaskEvent::Edited(Box::new(crate::model::task::Edit {
                    title: Some(format!("renamed {}", self.clock)),
                    ..crate::model::task::Edit::default()
                })),
                _ => TaskEvent::Commented { text: reason },
            };
            log.log.push(stamp, Author::lossy("link"), event);
            log
        };
        self.rng.u8(..);
        self.tasks(vec![log]);
    }

    fn send(&mut self) {
        let id = self.stamp();
        let message = Message {
            id,
            from: Author::lossy("kai"),
            to: vec!["link".parse().unwrap()],
            channel: self.rng.bool().then(|| "general".parse().unwrap()),
            task: None,
            reply_to: None,
            urgent: false,
            notice: None,
            body: format!("message {id}"),
            extra: crate::model::extra::Extra::default(),
        };
        self.add(&Changes {
            messages: vec![message],
            ..Changes::default()
        });
    }

    fn read(&mut self) {
        let link: AgentName = "link".parse().unwrap();
        let read = {
            let mut unread = self.snapshot().unread(&link).unwrap();
            unread.truncate(1);
            unread
        };
        self.add(&Changes {
            read: read.into_iter().map(|mail| (link.clone(), mail)).collect(),
            ..Changes::default()
        });
    }

    fn join(&mut self) {
        let name: AgentName = ["kai", "link", "sage"][self.rng.usize(..3)]
            .parse()
            .unwrap();
        let mut log = self
            .snapshot()
            .agent_log(&name)
            .unwrap()
            .unwrap_or(AgentLog {
                name,
                log: Log::default(),
            });
        let profile = Profile {
            role: Some(format!("role {}", self.clock)),
            ..Profile::default()
        };
        let stamp = self.stamp();
        log.log
            .push(stamp, Author::lossy("kai"), AgentEvent::Joined(profile));
        self.add(&Changes {
            agents: vec![log],
            ..Changes::default()
        });
    }

    fn reflect(&mut self) {
        let id = self.stamp();
        let reflection = Reflection {
            id,
            by: Author::lossy("kai"),
            task: None,
            worked: "this".to_owned(),
            pain: "that".to_owned(),
            change: "more".to_owned(),
            severity: crate::model::reflection::Severity::Low,
            tags: BTreeSet::new(),
            extra: crate::model::extra::Extra::default(),
        };
        self.add(&Changes {
            reflections: vec![reflection],
            ..Changes::default()
        });
    }

    fn work(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.rng.u8(..8) {
                0 | 1 => self.new_task(),
                2 | 3 => self.change_task(),
                4 => self.send(),
                5 => self.read(),
                6 => self.join(),
                _ => self.reflect(),
            }
        }
    }

    fn split(&self, seed: u64) -> Branch<'_> {
        Branch {
            place: self.place,
            tip: self.tip,
            rng: fastrand::Rng::with_seed(seed),
            clock: self.clock,
        }
    }
}

/// Everything that was ever said in a version: the names of messages and the ids of events.
fn said(place: &Place, tip: Oid) -> BTreeSet<String> {
    let snapshot = place.store.snapshot_at(tip, None).unwrap();
    let mut said = BTreeSet::new();
    for directory in ["inbox", "channels", "reflections"] {
        for file in snapshot.files(directory).unwrap() {
            let name = file.path.rsplit('/').next().unwrap();
            said.insert(format!("{directory} {name}"));
        }
    }
    let entries = snapshot.open().unwrap().iter();
    for entry in entries.chain(snapshot.archived().unwrap()) {
        let log = snapshot.log_of(entry).unwrap();
        said.extend(log.log.iter().map(|(id, _)| format!("{} {id}", log.id)));
    }
    for name in ["kai", "link", "sage"] {
        let log = snapshot.agent_log(&name.parse().unwrap()).unwrap();
        let events = log.iter().flat_map(|log| log.log.iter());
        said.extend(events.map(|(id, _)| format!("{name} {id}")));
    }
    said
}

fn merge(place: &Place, a: Oid, b: Oid) -> Oid {
    let merged = place.store.merge_records(a, b).unwrap();
    assert_eq!(merged.set_aside, Vec::<String>::new());
    merged.commit
}

fn tree(place: &Place, tip: Oid) -> Oid {
    place.store.repo().read_commit(tip).unwrap().tree
}

#[test]
fn versions_merge_alike_in_any_order_and_nothing_is_missing() {
    let place = Place::founded();
    for seed in 0..12 {
        let mut base = Branch {
            place: &place,
            tip: place.snapshot().tip,
            rng: fastrand::Rng::with_seed(seed),
            clock: 0,
        };
        base.work(12);
        let mut branches = [1, 2, 3].map(|n| base.split(seed * 10 + n));
        for branch in &mut branches {
            branch.work(8);
        }
        let [a, b, c] = branches.each_ref().map(|branch| branch.tip);
        let ab = merge(&place, a, b);
        assert_eq!(ab, merge(&place, b, a), "the same commit on every clone");
        let left = merge(&place, ab, c);
        let right = merge(&place, a, merge(&place, b, c));
        assert_eq!(tree(&place, left), tree(&place, right), "seed {seed}");
        assert_eq!(tree(&place, merge(&place, a, ab)), tree(&place, ab));
        let all: BTreeSet<String> = [a, b, c]
            .iter()
            .flat_map(|tip| said(&place, *tip))
            .collect();
        assert_eq!(said(&place, left), all, "seed {seed}");
        // What one of them has read is read.
        let link: AgentName = "link".parse().unwrap();
        let unread = |tip: Oid| -> BTreeSet<Stamp> {
            let snapshot = place.store.snapshot_at(tip, None).unwrap();
            let unread = snapshot.unread(&link).unwrap();
            unread.into_iter().map(|mail| mail.message.id).collect()
        };
        let known: Vec<BTreeSet<String>> = [a, b, c].iter().map(|tip| said(&place, *tip)).collect();
        for id in unread(left) {
            for (tip, known) in [a, b, c].iter().zip(&known) {
                let has = known.contains(&format!("inbox {id}.toml"));
                assert!(!has || unread(*tip).contains(&id), "seed {seed}");
            }
        }
        let snapshot = place.store.snapshot_at(left, None).unwrap();
        assert_eq!(snapshot.quarantined().unwrap(), []);
    }
}

#[test]
fn two_halves_that_fit_a_directory_fan_out_together() {
    let place = Place::founded();
    let base = Branch {
        place: &place,
        tip: place.snapshot().tip,
        rng: fastrand::Rng::with_seed(1),
        clock: 0,
    };
    let mut halves = [2, 3].map(|seed| base.split(seed));
    for half in &mut halves {
        let logs = (0..600).map(|_| {
            let id = TaskId::random(&mut half.rng);
            let stamp = half.stamp();
            let draft = Draft {
                title: "one of many".to_owned(),
                ..Draft::default()
            };
            TaskLog::created(id, stamp, Author::lossy("kai"), draft)
        });
        let logs = logs.collect();
        half.tasks(logs);
    }
    let merged = merge(&place, halves[0].tip, halves[1].tip);
    let snapshot = place.store.snapshot_at(merged, None).unwrap();
    assert_eq!(snapshot.open().unwrap().len(), 1200);
    let files = snapshot.files("tasks").unwrap();
    assert!(
        files.iter().all(|file| file.path.split('/').count() == 3),
        "{:?}",
        files[0]
    );
}

#[test]
fn files_of_people_are_merged_by_who_changed_them() {
    let place = Place::founded();
    let repo = place.store.repo();
    let base = place.edit(&[("notes.md", Some(b"one\n")), ("old.md", Some(b"x\n"))]);
    let on = |files: &[(&str, Option<&[u8]>)]| -> Oid {
        let tree = repo.read_commit(base).unwrap().tree;
        let files: Vec<_> = (files.iter())
            .map(|(path, bytes)| (*path, bytes.map(|bytes| repo.write_blob(bytes).unwrap())))
            .collect();
        let commit = NewCommit {
            tree: repo.edit_tree(Some(tree), files).unwrap(),
            parents: vec![base],
            author: signature(NOW.0 / 1000),
            committer: signature(NOW.0 / 1000),
            message: "by hand\n".to_owned(),
        };
        repo.write_commit(&commit).unwrap()
    };
    let ours = on(&[("notes.md", Some(b"two\n")), ("both.md", Some(b"a\n"))]);
    let theirs = on(&[
        ("old.md", None),
        ("both.md", Some(b"b\n")),
        ("new.md", Some(b"n\n")),
    ]);
    let merged = place.store.merge_records(ours, theirs).unwrap();
    let read = |path: &str| {
        let found = repo.find_path(tree(&place, merged.commit), path).unwrap();
        found.map(|entry| String::from_utf8(repo.read_blob(entry.oid).unwrap()).unwrap())
    };
    assert_eq!(read("notes.md").as_deref(), Some("two\n"));
    assert_eq!(read("new.md").as_deref(), Some("n\n"));
    assert_eq!(read("old.md"), None);
    // Both changed it: one stands, the other is kept beside.
    let mut both = vec![
        read("both.md").unwrap(),
        read(&merged.set_aside[0]).unwrap(),
    ];
    both.sort();
    assert_eq!(both, ["a\n", "b\n"]);
}
