//! Heartbeats: files whose time is what counts.

use super::*;
use crate::git::OpenOptions;
use crate::model::observe::Uptime;
use crate::model::presence::{Haunt, Heartbeat, Liveness};

const HOUR: i64 = 3_600_000;

fn later(millis: i64) -> Timestamp {
    Timestamp(NOW.0 + millis)
}

#[test]
fn a_beat_sets_the_time_and_keeps_the_note() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(Uptime::default()), agent("kai"));
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
    assert_eq!(presence.names().unwrap(), ["kai"]);
}

#[test]
fn signing_off_lasts_until_the_next_beat() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(Uptime::default()), agent("kai"));
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
    let (presence, kai) = (place.store.presence(Uptime::default()), agent("kai"));
    presence.beat(&kai, later(24 * HOUR), None).unwrap();
    let seen = |beat: Option<Heartbeat>| beat.unwrap().seen;
    assert_eq!(seen(presence.peek("kai").unwrap()), later(24 * HOUR));
    assert_eq!(seen(presence.get(&kai, NOW).unwrap()), NOW);
    // From then on it ages: the clock that was set back would else keep it alive for a day.
    assert_eq!(seen(presence.get(&kai, later(HOUR)).unwrap()), NOW);
}

fn up(boot: &str, millis: u64) -> Uptime {
    Uptime {
        boot: boot.to_owned(),
        millis,
    }
}

#[test]
fn a_clock_that_is_set_while_the_machine_runs_makes_nobody_older_or_younger() {
    let place = Place::founded();
    let kai = agent("kai");
    let minute = 60_000;
    let beat = |at: i64, up: Uptime| {
        let presence = place.store.presence(up);
        presence.beat(&kai, later(at), None).unwrap();
    };
    let age = |at: i64, up: Uptime| {
        let presence = place.store.presence(up);
        let seen = presence.get(&kai, later(at)).unwrap().unwrap().seen;
        let silent = presence.silent_for(&kai, later(at)).unwrap();
        assert_eq!(silent, later(at).since(seen));
        silent.as_millis()
    };
    beat(0, up("a", 1000));
    assert_eq!(
        age(2 * HOUR + minute, up("a", 1000 + 60_000)),
        60_000,
        "set forward"
    );
    assert_eq!(age(-2 * HOUR, up("a", 1000 + 90_000)), 90_000, "set back");
    // Nothing is lost by it: a beat after it counts as any other, and only touches the file.
    beat(2 * HOUR, up("a", 200_000));
    let file = place.store.dir().join("heartbeats/kai");
    let inode = || std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&file).unwrap());
    let before = inode();
    beat(2 * HOUR + 1000, up("a", 201_010));
    assert_eq!(inode(), before, "the same clock: nothing is written");
    assert_eq!(age(2 * HOUR + 61_000, up("a", 261_000)), 60_000);
    assert_eq!(age(9 * HOUR, up("a", 261_000)), 60_000);
    // Since the machine was started anew, only the clock on the wall knows.
    assert_eq!(age(2 * HOUR + 121_000, up("b", 5000)), 120_000);
    beat(2 * HOUR + 121_000, up("b", 5000));
    assert_eq!(age(9 * HOUR, up("b", 6000)), 1000);
}

#[test]
fn who_was_never_seen_is_silent_from_the_first_question_on_and_not_here() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(Uptime::default()), agent("kai"));
    let silent = |at| presence.silent_for(&kai, later(at)).unwrap().as_millis();
    assert_eq!(silent(0), 0);
    assert_eq!(silent(5000), 5000);
    assert_eq!(presence.get(&kai, later(5000)).unwrap(), None);
    assert_eq!(presence.peek("kai").unwrap(), None);
    assert!(
        place
            .store
            .own_signs(later(5000))
            .unwrap()
            .agents
            .is_empty()
    );
    presence.beat(&kai, later(6000), None).unwrap();
    assert!(presence.get(&kai, later(6000)).unwrap().is_some());
}

#[test]
fn a_copy_of_a_clone_is_another_clone_without_its_agents() {
    let place = Place::founded();
    let mut rng = fastrand::Rng::with_seed(1);
    let first = place.store.here(&mut rng).unwrap();
    let presence = place.store.presence(Uptime::default());
    presence.beat(&agent("kai"), NOW, None).unwrap();
    let (number, text) = (place.store.next_request(0).unwrap(), String::new());
    place.store.enqueue(&Queued { number, text }).unwrap();
    let own = place.store.repo().work_dir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (copy, moved) = (dir.path().join("copy"), dir.path().join("moved"));
    let mut cp = std::process::Command::new("cp");
    assert!(cp.arg("-a").args([own, &copy]).status().unwrap().success());
    let open = |dir: &Path| {
        let options = OpenOptions {
            dir: dir.to_owned(),
            ..place.store.repo().options().clone()
        };
        Store::new(Repo::open(options).unwrap())
    };
    let store = open(&copy);
    let here = store.here(&mut rng).unwrap();
    assert_ne!(here.id, first.id);
    assert!(here.copied_from.is_some() && !here.made(&first.id));
    assert_eq!(store.presence(Uptime::default()).names().unwrap(), [""; 0]);
    // What was asked for is the original's to ask for, once.
    assert!(place.store.has_requests() && !store.has_requests());
    let again = store.here(&mut rng).unwrap();
    assert_eq!((again.id, again.copied_from), (here.id.clone(), None));
    // The original stays what it was, and a repository that is moved is the same clone.
    assert_eq!(place.store.here(&mut rng).unwrap().id, first.id);
    assert_eq!(presence.names().unwrap(), ["kai"]);
    std::fs::rename(&copy, &moved).unwrap();
    assert_eq!(open(&moved).here(&mut rng).unwrap().id, here.id);
}

#[test]
fn heartbeats_can_be_deleted_at_any_time() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(Uptime::default()), agent("kai"));
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
    let presence = place.store.presence(Uptime::default());
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
                    store.here(&mut fastrand::Rng::with_seed(seed)).unwrap().id
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    std::fs::write(place.store.dir().join("clone"), "nonsense").unwrap();
    let mut rng = fastrand::Rng::with_seed(9);
    let new = place.store.here(&mut rng).unwrap().id;
    assert_eq!(place.store.here(&mut rng).unwrap().id, new);
}

#[test]
fn where_an_agent_was_seen_is_written_when_it_goes_elsewhere() {
    let place = Place::founded();
    let (presence, kai) = (place.store.presence(Uptime::default()), agent("kai"));
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
