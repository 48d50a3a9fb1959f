//! Heartbeats: files whose time is what counts.

use super::*;
use crate::model::presence::{Haunt, Heartbeat, Liveness};

const HOUR: i64 = 3_600_000;

fn later(millis: i64) -> Timestamp {
    Timestamp(NOW.0 + millis)
}

#[test]
fn a_beat_sets_the_time_and_keeps_the_note() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(), agent("kai"));
    assert_eq!(presence.get(&kai, NOW).unwrap(), None);
    presence.beat(&kai, NOW, Some("reading")).unwrap();
    presence.beat(&kai, later(5000), None).unwrap();
    let beat = presence.get(&kai, later(6000)).unwrap().unwrap();
    let expected = Heartbeat {
        seen: later(5000),
        note: Some("reading".to_owned()),
        signed_off: false,
    };
    assert_eq!(beat, expected);
    let settings = place.snapshot().settings().unwrap().clone();
    assert_eq!(beat.liveness(later(6000), &settings), Liveness::Active);
    assert!(!beat.expired(later(5000 + HOUR - 1), &settings));
    assert!(beat.expired(later(5000 + HOUR), &settings));
    assert_eq!(presence.names().unwrap(), ["kai"]);
}

#[test]
fn signing_off_lasts_until_the_next_beat() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(), agent("kai"));
    presence.beat(&kai, NOW, Some("done for today")).unwrap();
    presence.sign_off(&kai, later(1000)).unwrap();
    let beat = presence.get(&kai, later(1000)).unwrap().unwrap();
    assert!(beat.signed_off);
    assert_eq!(beat.note.as_deref(), Some("done for today"));
    presence.beat(&kai, later(2000), None).unwrap();
    assert!(!presence.get(&kai, later(2000)).unwrap().unwrap().signed_off);
}

#[test]
fn a_heartbeat_from_the_future_counts_from_now() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(), agent("kai"));
    presence.beat(&kai, later(24 * HOUR), None).unwrap();
    let seen = |beat: Option<Heartbeat>| beat.unwrap().seen;
    assert_eq!(seen(presence.peek("kai").unwrap()), later(24 * HOUR));
    assert_eq!(seen(presence.get(&kai, NOW).unwrap()), NOW);
    // From then on it ages: the clock that was set back would else keep it alive for a day.
    assert_eq!(seen(presence.get(&kai, later(HOUR)).unwrap()), NOW);
}

#[test]
fn heartbeats_can_be_deleted_at_any_time() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(), agent("kai"));
    presence.beat(&kai, NOW, None).unwrap();
    presence.forget("kai").unwrap();
    assert_eq!(presence.get(&kai, NOW).unwrap(), None);
    assert!(presence.forget("kai").is_err());
    std::fs::remove_dir_all(place.store.dir()).unwrap();
    assert_eq!(presence.names().unwrap(), [""; 0]);
    presence.beat(&kai, NOW, None).unwrap();
    assert!(presence.get(&kai, NOW).unwrap().is_some());
}

#[test]
fn beats_write_no_object() {
    let place = Place::founded();
    let before = place.test.git(&["count-objects"]);
    let presence = place.store.presence();
    for second in 0..1000 {
        presence
            .beat(&agent("kai"), later(second * 1000), None)
            .unwrap();
    }
    assert_eq!(place.test.git(&["count-objects"]), before);
}

#[test]
fn a_clone_has_one_id_however_many_ask_first() {
    let place = Place::founded();
    let ids: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|seed| {
                let options = place.store.repo().options().clone();
                scope.spawn(move || {
                    let store = Store::new(Repo::open(options).unwrap());
                    store.clone_id(&mut fastrand::Rng::with_seed(seed)).unwrap()
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    std::fs::write(place.store.dir().join("clone"), "nonsense").unwrap();
    let mut rng = fastrand::Rng::with_seed(9);
    let new = place.store.clone_id(&mut rng).unwrap();
    assert_eq!(place.store.clone_id(&mut rng).unwrap(), new);
}

#[test]
fn where_an_agent_was_seen_is_written_when_it_goes_elsewhere() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(), agent("kai"));
    let note = |worktree: &str, path: &str, at| {
        let path = Path::new(path);
        presence
            .note_haunt(&kai, worktree, path, later(at))
            .unwrap();
    };
    let file = place.store.dir().join("worktrees/kai");
    let made = || std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&file).unwrap());
    note("worktrees/a", "/a", 0);
    let first = made();
    note("worktrees/a", "/a", 1000);
    assert_eq!(made(), first, "nothing is written where nothing changed");
    note("main", "/repo", 2000);
    note("worktrees/a", "/moved\n", 3000);
    let haunt = |worktree: &str, path: &str, left| Haunt {
        worktree: worktree.to_owned(),
        path: path.to_owned(),
        left,
    };
    let expected = [
        haunt("main", "/repo", Some(later(3000))),
        haunt("worktrees/a", "", None),
    ];
    assert_eq!(presence.haunts(&kai), expected);
    assert_eq!(presence.haunting(), std::slice::from_ref(&kai));
    presence.forget_haunts(&kai).unwrap();
    assert!(presence.haunts(&kai).is_empty() && presence.haunting().is_empty());
}
