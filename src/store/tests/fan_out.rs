//! No directory passes a thousand files, and they come together again.

use super::*;
use crate::git::Mode;
use crate::store::fanout::FILES_MAX;

/// Returns the most entries any directory of the record has.
fn fullest(place: &Place) -> usize {
    let repo = place.store.repo();
    let mut waiting = vec![place.snapshot().tree];
    let mut most = 0;
    while let Some(tree) = waiting.pop() {
        let entries = repo.read_tree(tree).unwrap();
        most = most.max(entries.len());
        let trees = entries.iter().filter(|entry| entry.mode == Mode::Tree);
        waiting.extend(trees.map(|entry| entry.oid));
    }
    most
}

#[test]
fn tasks_spread_at_a_thousand_and_one_and_come_back() {
    let place = Place::founded();
    place.write((0..1000).map(|n| task(nth(n), "t")));
    assert!(
        place
            .paths("tasks")
            .iter()
            .all(|p| p.matches('/').count() == 1)
    );
    assert_eq!(fullest(&place), FILES_MAX);
    place.write([task(nth(1000), "t")]);
    let paths = place.paths("tasks");
    assert_eq!(paths.len(), 1001);
    for path in &paths {
        let parts: Vec<&str> = path.split('/').collect();
        assert_eq!(parts.len(), 3, "{path}");
        assert!(parts[2].starts_with(parts[1]), "{path}");
    }
    assert!(fullest(&place) < FILES_MAX);
    assert_eq!(place.snapshot().open().unwrap().len(), 1001);
    assert_eq!(place.title(nth(77)).as_deref(), Some("t"));
    // One is closed: a thousand are left, and lie flat as if it had never been there.
    place.write([cancelled(task(nth(500), "t"), NOW)]);
    let paths = place.paths("tasks");
    assert_eq!(paths.len(), 1000);
    assert!(paths.iter().all(|p| p.matches('/').count() == 1));
    assert_eq!(place.snapshot().open().unwrap().len(), 1000);
}

#[test]
fn the_archive_has_a_directory_for_each_month_and_spreads_alone() {
    let place = Place::founded();
    const MONTH: i64 = 31 * 24 * 3600 * 1000;
    let at = |months: i64| Timestamp(NOW.0 - months * MONTH);
    let closed = |n: usize, months: i64| cancelled(task_at(at(months), nth(n), "t"), at(months));
    place.write((0..1001).map(|n| closed(n, 0)));
    place.write((2000..2003).map(|n| closed(n, 1)));
    place.write((3000..3002).map(|n| closed(n, 12)));
    let in_dir = |dir: &str| place.paths(dir);
    assert!(
        in_dir("archive/2026-11")
            .iter()
            .all(|p| p.matches('/').count() == 3)
    );
    assert!(
        in_dir("archive/2026-10")
            .iter()
            .all(|p| p.matches('/').count() == 2)
    );
    assert_eq!(in_dir("archive/2025-11").len(), 2);
    assert_eq!(place.snapshot().archived().unwrap().len(), 1006);
    assert!(fullest(&place) < FILES_MAX);
}

#[test]
fn an_inbox_of_fifteen_hundred_spreads_and_empties() {
    let place = Place::founded();
    let changes = Changes {
        subject: "send".to_owned(),
        messages: (0..1500).map(|n| message(n, "kai")).collect(),
        ..Changes::default()
    };
    place.publish(&changes);
    assert!(fullest(&place) < FILES_MAX);
    let snapshot = place.snapshot();
    assert_eq!(snapshot.unread_count(&agent("kai")).unwrap(), 1500);
    let unread = snapshot.unread(&agent("kai")).unwrap();
    let bodies: Vec<&str> = unread.iter().map(|m| m.message.body.as_str()).collect();
    assert_eq!((bodies[0], bodies[1499]), ("message 0", "message 1499"));
    // Read in two goes: what is left lies flat, what was read is spread.
    let read = |mail: &[Mail]| Changes {
        subject: "read".to_owned(),
        read: mail.iter().map(|m| (agent("kai"), m.clone())).collect(),
        ..Changes::default()
    };
    place.publish(&read(&unread[..1200]));
    assert!(fullest(&place) < FILES_MAX);
    let snapshot = place.snapshot();
    let left = snapshot.unread(&agent("kai")).unwrap();
    assert_eq!(left.len(), 300);
    assert!(left.iter().all(|mail| mail.path.matches('/').count() == 2));
    place.publish(&read(&left));
    assert_eq!(place.snapshot().unread_count(&agent("kai")).unwrap(), 0);
    let all = place.paths("inbox");
    assert_eq!(all.len(), 1500);
    assert!(
        all.iter()
            .all(|path| path.starts_with("inbox/kai/read/2026-11/"))
    );
    assert!(fullest(&place) < FILES_MAX);
}

#[test]
fn damaged_files_stay_where_their_history_is() {
    let place = Place::founded();
    place.write((0..1000).map(|n| task(nth(n), "t")));
    let path = format!("tasks/{}-t.toml", nth(3));
    place.edit(&[(&path, Some(b"broken ["))]);
    place.write([task(nth(1000), "t")]);
    assert_eq!(place.bytes(&path), b"broken [");
    assert_eq!(place.title(nth(3)).as_deref(), Some("t"));
    assert_eq!(place.snapshot().open().unwrap().len(), 1001);
}
