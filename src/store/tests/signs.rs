//! Presence on a remote: what it costs, and that clocks do not matter.

use std::time::Duration;

use super::*;
use crate::git::{ObjectKind, RefName};
use crate::model::claim::CloneId;
use crate::model::observe::Uptime;

const LIMIT: Duration = Duration::from_secs(30);

fn linked(place: &Place) -> Link {
    let bare = place.test.dir.path().join("bare.git");
    place
        .test
        .git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    place
        .test
        .git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    Link {
        name: "origin".to_owned(),
        places: Places::Hidden,
    }
}

fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap();
    let size = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes_below(&path)
        } else {
            path.metadata().unwrap().len()
        }
    };
    entries.map(size).sum()
}

#[test]
fn a_day_of_heartbeats_adds_no_commit_and_little_else() {
    let mut place = Place::founded();
    let link = linked(&place);
    // The remote is part of the configuration that is read once.
    place.store = Store::new(place.test.open());
    let store = &place.store;
    let clone: CloneId = "0123456789ab".parse().unwrap();
    let bare = place.test.dir.path().join("bare.git/objects");
    let own = store.repo().common_dir().join("objects");
    let tip = place.snapshot().tip;
    let before = (bytes_below(&own), bytes_below(&bare));
    // An hour of it, every minute, with everyone alive at another moment.
    let mut rng = fastrand::Rng::with_seed(1);
    for minute in 1..=60 {
        let now = Timestamp(NOW.0 + minute * 60_000);
        for n in 0..50 {
            let agent = agent(&format!("agent-{n}"));
            let seen = Timestamp(now.0 - rng.i64(0..60_000));
            store
                .presence(Uptime::default())
                .beat(&agent, seen, None)
                .unwrap();
        }
        let said = store.publish_signs(&link, &clone, now, Duration::ZERO, LIMIT);
        assert!(said.unwrap());
    }
    let day = |after: u64, before: u64| (after - before) * 24;
    let (here, there) = (
        day(bytes_below(&own), before.0),
        day(bytes_below(&bare), before.1),
    );
    println!("a day of 50 agents: {here} bytes here, {there} on the remote");
    assert!(here < 2_000_000 && there < 2_000_000);
    assert_eq!(place.snapshot().tip, tip);
    let name = RefName::new(format!("{}{clone}", link.presence_tracking())).unwrap();
    let said = store.repo().read_ref(&name).unwrap().unwrap();
    assert_eq!(store.repo().kind(said).unwrap(), Some(ObjectKind::Blob));
    // Nothing new to say, nothing said.
    let now = Timestamp(NOW.0 + 61 * 60_000);
    let said = store.publish_signs(&link, &clone, now, Duration::ZERO, LIMIT);
    assert!(!said.unwrap());
}

#[test]
fn clocks_that_are_hours_off_change_nothing() {
    for skew in [-5 * 3_600_000, 0, 7 * 3_600_000] {
        let mut place = Place::founded();
        let link = linked(&place);
        place.store = Store::new(place.test.open());
        let store = &place.store;
        let (theirs, ours): (CloneId, CloneId) = (
            "0123456789ab".parse().unwrap(),
            "ba9876543210".parse().unwrap(),
        );
        let key = agent_key(&agent("kai"), &theirs);
        let at = |minutes: u64| Uptime {
            boot: "this one".to_owned(),
            millis: minutes * 60_000,
        };
        let look = |minutes: u64| {
            let snapshot = store.snapshot().unwrap();
            store.observe(&link, &ours, &snapshot, at(minutes)).unwrap();
            store
                .observed()
                .age(&key)
                .map(|age| age.as_millis() / 60_000)
        };
        // Here as two clones at once: what one says is read as another's.
        let say = |minutes: i64| {
            let now = Timestamp(NOW.0 + skew + minutes * 60_000);
            store
                .presence(Uptime::default())
                .beat(&agent("kai"), now, None)
                .unwrap();
            store
                .publish_signs(&link, &theirs, now, Duration::ZERO, LIMIT)
                .unwrap();
        };
        say(0);
        assert_eq!(look(0), Some(0), "skew {skew}");
        assert_eq!(look(50), Some(50), "skew {skew}");
        say(55);
        assert_eq!(look(59), Some(0), "skew {skew}");
        assert_eq!(look(119), Some(60), "skew {skew}");
    }
}

#[test]
fn a_clone_that_is_gone_for_a_month_is_taken_away_and_no_other() {
    let mut place = Place::founded();
    let link = linked(&place);
    place.store = Store::new(place.test.open());
    let store = &place.store;
    let clones: [CloneId; 3] =
        ["000000000001", "000000000002", "000000000003"].map(|text| text.parse().unwrap());
    let say = |clone: usize, day: i64| {
        let now = Timestamp(NOW.0 + day * 24 * 3_600_000);
        store
            .presence(Uptime::default())
            .beat(&agent("kai"), now, None)
            .unwrap();
        let said = store.publish_signs(&link, &clones[clone], now, Duration::ZERO, LIMIT);
        assert!(said.unwrap());
        store.fetch(&link, None, LIMIT).unwrap();
        let found = store.repo().list_refs(&link.presence_tracking()).unwrap();
        let names = found.iter().map(|(name, _)| name.as_str());
        let ids: Vec<&str> = names.map(|name| name.rsplit('/').next().unwrap()).collect();
        ids.join(" ")
    };
    let [first, second, third] = clones.each_ref().map(ToString::to_string);
    say(0, 0);
    assert_eq!(say(1, 20), format!("{first} {second}"));
    // A clock that is a year ahead takes nobody for gone who was here lately.
    assert_eq!(say(2, 365), format!("{first} {second} {third}"));
    assert_eq!(say(1, 21), format!("{first} {second} {third}"));
    assert_eq!(say(1, 40), format!("{second} {third}"));
    // It was not gone for ever.
    assert_eq!(say(0, 41), format!("{first} {second} {third}"));
}

#[test]
fn what_this_clone_says_is_no_sign_of_its_agents_from_elsewhere() {
    let mut place = Place::founded();
    let link = linked(&place);
    place.store = Store::new(place.test.open());
    let table = table::take(&place, id("aaaaaa"));
    let claim = &table.claims[&id("aaaaaa")];
    let store = &place.store;
    // Somebody else of this clone is alive.
    store
        .presence(Uptime::default())
        .beat(&agent("link"), NOW, None)
        .unwrap();
    let said = store.publish_signs(&link, &claim.clone, NOW, Duration::ZERO, LIMIT);
    assert!(said.unwrap());
    let now = Uptime {
        boot: "this one".to_owned(),
        millis: 1,
    };
    let snapshot = store.snapshot().unwrap();
    let key = agent_key(&claim.agent, &claim.clone);
    store
        .observe(&link, &claim.clone, &snapshot, now.clone())
        .unwrap();
    assert_eq!(store.observed().age(&key), None);
    // For every other clone it is one.
    let other: CloneId = "0123456789ab".parse().unwrap();
    store.observe(&link, &other, &snapshot, now).unwrap();
    assert!(store.observed().age(&key).is_some());
}

#[test]
fn another_clone_that_speaks_under_the_same_id_is_noticed() {
    let mut place = Place::founded();
    let link = linked(&place);
    place.store = Store::new(place.test.open());
    let store = &place.store;
    let mut rng = fastrand::Rng::with_seed(1);
    let own = store.here(&mut rng).unwrap().id;
    let say = |store: &Store, seconds: i64| {
        let now = Timestamp(NOW.0 + seconds * 1000);
        let presence = store.presence(Uptime::default());
        presence.beat(&agent("kai"), now, None).unwrap();
        let said = store.publish_signs(&link, &own, now, Duration::ZERO, LIMIT);
        assert!(said.unwrap());
    };
    let is_doubled = |store: &Store, id| store.is_doubled(&link, id).unwrap();
    assert!(!is_doubled(store, &own));
    say(store, 0);
    say(store, 1);
    assert!(!is_doubled(store, &own));
    // The copy cannot be told by where it is: a machine that was copied whole.
    let said = store.dir().join("said");
    let ours = std::fs::read_to_string(&said).unwrap();
    say(store, 2);
    std::fs::write(&said, ours).unwrap();
    assert!(is_doubled(store, &own));
    let here = store.part_from(&own, &mut rng).unwrap();
    assert!(
        here.id != own && here.made(&own),
        "what it claimed is its own still"
    );
    // Whoever finds the same a moment later comes to the same.
    assert_eq!(store.part_from(&own, &mut rng).unwrap().id, here.id);
    assert_eq!(store.here(&mut rng).unwrap().id, here.id);
    assert!(!is_doubled(store, &here.id));
}
