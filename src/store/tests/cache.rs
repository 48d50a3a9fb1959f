//! The cache: whatever becomes of its file, what is read is what the branch says.

use std::fs;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::store::cache::row::{self, Rows};
use crate::store::cache::{Cache, CacheState, Source};
use crate::store::shelf::{Shelf, Slot};

/// Reads the open tasks with no cache to start from.
fn fresh(place: &Place) -> Shelf {
    let mut store = Store::new(place.store.repo().reopen().unwrap());
    let dir = tempfile::tempdir().unwrap();
    store.dir = dir.path().to_owned();
    store.snapshot().unwrap().open_shelf().unwrap().clone()
}

fn cached(place: &Place) -> Shelf {
    place.snapshot().open_shelf().unwrap().clone()
}

fn file(place: &Place) -> PathBuf {
    place.store.dir().join("cache/tasks")
}

fn size(place: &Place) -> u64 {
    fs::metadata(file(place)).unwrap().len()
}

fn state(place: &Place) -> CacheState {
    Cache::new(place.store.repo(), place.store.dir(), layout::TASKS).state()
}

#[test]
fn a_change_is_appended_and_read_again() {
    let place = Place::founded();
    place.write((0..50).map(|n| task(nth(n), "one of many")));
    assert_eq!(cached(&place), fresh(&place));
    let before = size(&place);
    place.write([task(nth(50), "one more")]);
    assert_eq!(cached(&place).entries.len(), 51);
    let grown = size(&place) - before;
    assert!((1..1000).contains(&grown), "{grown} bytes were added");
    assert_eq!(cached(&place), fresh(&place));
    assert_eq!(size(&place), before + grown, "reading alone writes nothing");
    assert_eq!(state(&place), CacheState::Sound);
}

#[test]
fn a_long_tail_is_folded_into_the_base() {
    let place = Place::founded();
    let long = "x".repeat(180);
    place.write([task(nth(0), "base")]);
    cached(&place);
    let mut largest = 0;
    for round in 0..8 {
        let many = (0..60).map(|n| task(nth(n), &format!("{round} {long}")));
        place.write(many);
        cached(&place);
        largest = largest.max(size(&place));
    }
    // Eight rounds of 60 tasks are some 150 KB; the tail is folded at 64.
    assert!(largest < 120_000, "{largest}");
    assert_eq!(cached(&place), fresh(&place));
}

#[test]
fn any_damage_to_the_file_is_noticed_and_mended() {
    let place = Place::founded();
    place.write([task(nth(0), "first")]);
    cached(&place);
    place.write([task(nth(1), "second")]);
    cached(&place);
    let whole = fs::read(file(&place)).unwrap();
    let right = fresh(&place);
    // Cut short at every place, as a crash of the machine does.
    for end in 0..whole.len() {
        fs::write(file(&place), &whole[..end]).unwrap();
        assert_eq!(cached(&place), right, "cut at {end}");
    }
    // One wrong byte anywhere, as a bad disk does.
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        fs::write(file(&place), &bytes).unwrap();
        assert_eq!(cached(&place), right, "byte {at}");
    }
    fs::write(file(&place), [whole.as_slice(), b"torn"].concat()).unwrap();
    assert_eq!(state(&place), CacheState::Damaged);
    place.write([task(nth(2), "third")]);
    cached(&place);
    assert_eq!(state(&place), CacheState::Sound, "the torn end is gone");
    fs::remove_file(file(&place)).unwrap();
    assert_eq!(state(&place), CacheState::Missing);
    assert_eq!(cached(&place), fresh(&place));
    fs::remove_file(file(&place)).unwrap();
    fs::create_dir(file(&place)).unwrap();
    assert_eq!(cached(&place), fresh(&place), "it cannot be written");
}

#[test]
fn a_torn_record_is_noticed_where_its_length_is_right() {
    let place = Place::founded();
    place.write([task(nth(0), "first")]);
    cached(&place);
    place.write([task(nth(1), "second")]);
    cached(&place);
    let mut bytes = fs::read(file(&place)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(file(&place), bytes).unwrap();
    assert_eq!(state(&place), CacheState::Damaged);
    cached(&place);
    assert_eq!(state(&place), CacheState::Sound);
}

#[test]
fn a_file_of_another_version_is_ignored() {
    let place = Place::founded();
    place.write([task(nth(0), "first")]);
    cached(&place);
    let mut bytes = fs::read(file(&place)).unwrap();
    bytes[7] += 1;
    fs::write(file(&place), bytes).unwrap();
    assert_eq!(cached(&place), fresh(&place));
    assert_eq!(state(&place), CacheState::Sound);
}

#[test]
fn a_row_that_says_nothing_valid_is_read_anew() {
    let place = Place::founded();
    let reserved = |number, title: &str| {
        let mut log = task(nth(number), title);
        let edit = crate::model::task::Edit {
            assignee: Some(Some(agent("somebody"))),
            ..Default::default()
        };
        log.log.push(
            stamp(Timestamp(NOW.0 + 1), 77),
            Author::lossy("kai"),
            TaskEvent::Edited(Box::new(edit)),
        );
        log
    };
    place.write([reserved(0, "first"), reserved(1, "second")]);
    cached(&place);
    // Written by another program, with a checksum that is right.
    let mut bytes = fs::read(file(&place)).unwrap();
    let mut names = bytes
        .windows(8)
        .enumerate()
        .filter(|(_, name)| *name == b"somebody");
    let (at, _) = names.next_back().unwrap();
    bytes[at..at + 8].copy_from_slice(b"some/bod");
    let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let checksum = crc32fast::hash(&bytes[16..16 + length]);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    fs::write(file(&place), &bytes).unwrap();
    assert_eq!(cached(&place), fresh(&place));
    assert_eq!(state(&place), CacheState::Missing);
    assert_eq!(cached(&place), fresh(&place));
    assert_eq!(state(&place), CacheState::Sound);
}

#[test]
fn two_that_append_at_once_do_not_disturb_each_other() {
    let place = Place::founded();
    place.write([task(nth(0), "first")]);
    cached(&place);
    let base = fs::read(file(&place)).unwrap();
    let old = place.store.repo().read_ref(place.store.record_ref());
    let old = old.unwrap().unwrap();
    // Both saw the same cache; one wrote what led to one tree, the other to another.
    place.write([task(nth(1), "of one")]);
    cached(&place);
    let one = fs::read(file(&place)).unwrap();
    let now = place.snapshot().tip;
    swap(
        place.store.repo(),
        place.store.record_ref(),
        Some(now),
        Some(old),
    );
    fs::write(file(&place), &base).unwrap();
    place.write([task(nth(2), "of the other")]);
    let other = cached(&place);
    let two = fs::read(file(&place)).unwrap();
    let both = [&one[..], &two[base.len()..]].concat();
    fs::write(file(&place), &both).unwrap();
    assert_eq!(cached(&place), other);
    assert_eq!(cached(&place), fresh(&place));
}

#[test]
fn a_cached_tree_that_was_pruned_costs_nothing_but_time() {
    let place = Place::founded();
    place.write((0..5).map(|n| task(nth(n), "kept")));
    let lost = cached(&place);
    let tip = place.snapshot().tip;
    // The branch is taken back, as after a failed experiment, and the tree is thrown away.
    let parent = place.store.repo().read_commit(tip).unwrap().parents[0];
    swap(
        place.store.repo(),
        place.store.record_ref(),
        Some(tip),
        Some(parent),
    );
    place.write([task(nth(9), "new")]);
    place
        .test
        .git(&["reflog", "expire", "--all", "--expire=now"]);
    place.test.git(&["gc", "-q", "--prune=now"]);
    let again = Place {
        store: Store::new(place.test.open()),
        test: place.test,
    };
    let read = cached(&again);
    assert_ne!(read, lost);
    assert_eq!(read, fresh(&again));
    assert_eq!(read.entries.len(), 1);
}

/// What somebody does to the branch.
#[derive(Debug, Clone)]
enum Step {
    Write(usize, String),
    Close(usize),
    Break(usize),
    Delete(usize),
    Copy(usize, &'static str),
    ByHand(String),
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..6_usize;
    prop_oneof![
        4 => (which.clone(), "[a-z]{1,8}").prop_map(|(n, title)| Step::Write(n, title)),
        1 => which.clone().prop_map(Step::Close),
        2 => which.clone().prop_map(Step::Break),
        1 => which.clone().prop_map(Step::Delete),
        1 => (which, prop::sample::select(vec!["tasks/a/b/copy.toml", "tasks/zz.toml"]))
            .prop_map(|(n, to)| Step::Copy(n, to)),
        1 => "[a-z]{1,8}".prop_map(Step::ByHand),
        3 => Just(Step::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_task_comes_back_from_its_row(log in crate::model::arbitrary::lived_log()) {
        let place = "tasks/x.toml";
        let blob = Oid::from_bytes(&[7; 20]).unwrap();
        let Some(entry) = shelf::entry(place, blob, &log) else { return Ok(()) };
        let mut bytes = Vec::new();
        row::write_entry(&entry, &mut bytes).unwrap();
        let home = Place::founded();
        let source = Rc::new(Source::new(bytes.clone(), &file(&home), home.store.repo()));
        let mut rows = Rows::new(&source, 0..bytes.len());
        let (_, read) = rows.next().unwrap().unwrap();
        prop_assert_eq!(&read, &Slot::Task(entry));
        // Written again without having been looked at, it is the same.
        let mut again = Vec::new();
        row::write_slot(place, &read, &mut again).unwrap();
        prop_assert_eq!(&again, &bytes);
        prop_assert!(rows.next().unwrap().is_none());
    }

    #[test]
    fn the_cache_holds_what_a_fresh_look_finds(steps in prop::collection::vec(step(), 1..14)) {
        let place = Place::founded();
        for (number, step) in steps.into_iter().enumerate() {
            let path_of = |n: usize| {
                let snapshot = place.snapshot();
                let entry = snapshot.entry(nth(n)).unwrap();
                entry.map(|entry| entry.path().to_owned())
            };
            match step {
                Step::Write(n, title) => place.write([task(nth(n), &format!("{title} {number}"))]),
                Step::Close(n) => place.write([cancelled(task(nth(n), &format!("closed {number}")), NOW)]),
                Step::Break(n) => {
                    if let Some(path) = path_of(n) {
                        // Never the same bytes twice: which version was good before would then
                        // depend on the way there.
                        let text = format!("broken {number} [");
                        place.edit(&[(&path, Some(text.as_bytes()))]);
                    }
                }
                Step::Delete(n) => {
                    if let Some(path) = path_of(n) {
                        place.edit(&[(&path, None)]);
                    }
                }
                Step::Copy(n, to) => {
                    if let Some(path) = path_of(n) {
                        let bytes = place.bytes(&path);
                        place.edit(&[(to, Some(&bytes))]);
                    }
                }
                Step::ByHand(title) => {
                    let text = format!("title = \"{title}\"\n");
                    place.edit(&[(&format!("tasks/{title}.toml"), Some(text.as_bytes()))]);
                }
                Step::Read => {
                    prop_assert_eq!(cached(&place), fresh(&place));
                }
            }
        }
        prop_assert_eq!(cached(&place), fresh(&place));
        prop_assert_eq!(cached(&place), fresh(&place));
    }
}
