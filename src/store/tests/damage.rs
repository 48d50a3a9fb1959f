//! Damaged files: the last good version stays in force, and no byte is lost.

use super::*;
use crate::model::agent::{AgentEvent, AgentLog, Profile};

const PATH: &str = "tasks/abcdef-one.toml";

fn reasons(place: &Place) -> Vec<(String, String)> {
    let mut bad = place.snapshot().quarantined().unwrap();
    bad.sort_by(|a, b| a.path.cmp(&b.path));
    bad.into_iter().map(|bad| (bad.path, bad.reason)).collect()
}

fn with_task() -> Place {
    let place = Place::founded();
    place.write([task(id("abcdef"), "one")]);
    place
}

/// Every way in which a task's file can be damaged, and what is said about it.
fn damages(good: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let text = String::from_utf8(good.to_vec()).unwrap();
    let edited = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1).into_bytes()
    };
    let (cut_in_a_string, _) = text.split_once("created\"").unwrap();
    vec![
        (cut_in_a_string.into(), "line "),
        (b"\x00\x01\xff\xfe binary".to_vec(), "is not UTF-8"),
        (vec![b'#'; 2 * 1024 * 1024], "the file has 2097152 bytes"),
        (edited("title = ", "title = \"x\"\ntitle = "), "duplicate"),
        (edited("format = 1", "format = 2"), "format 2 is newer"),
        (edited("status = \"todo\"", "status = \"stuck\""), "`stuck`"),
        (edited("id = \"abcdef\"", "id = \"zzzzzz\""), "`zzzzzz`"),
        (Vec::new(), "`title` is missing"),
        (edited("kind = \"created\"", "kind = \"begun\""), "by hand"),
    ]
}

#[test]
fn the_last_good_version_of_a_task_stays_in_force() {
    let place = with_task();
    let good = place.bytes(PATH);
    for (bytes, reason) in damages(&good) {
        place.edit(&[(PATH, Some(&bytes))]);
        let found = reasons(&place);
        assert_eq!(found.len(), 1, "{reason}");
        assert_eq!(found[0].0, PATH);
        assert!(found[0].1.contains(reason), "{} / {reason}", found[0].1);
        assert_eq!(place.title(id("abcdef")).as_deref(), Some("one"));
        let snapshot = place.snapshot();
        assert_eq!(snapshot.bad_files_of(id("abcdef")).unwrap().len(), 1);
        let entry = snapshot.entry(id("abcdef")).unwrap().unwrap();
        assert_eq!(snapshot.log_of(entry).unwrap(), task(id("abcdef"), "one"));
        assert_eq!(place.bytes(PATH), bytes, "reading changes nothing");
        place.edit(&[(PATH, Some(&good))]);
        assert!(reasons(&place).is_empty());
    }
}

#[test]
fn a_write_to_a_damaged_task_sets_the_bad_bytes_aside() {
    let place = with_task();
    place.edit(&[(PATH, Some(b"broken ["))]);
    let text = "on it".to_owned();
    place.write([then(
        task(id("abcdef"), "one"),
        NOW,
        TaskEvent::Commented { text },
    )]);
    assert!(reasons(&place).is_empty());
    assert_eq!(place.paths("quarantine"), [format!("quarantine/{PATH}")]);
    assert_eq!(place.bytes(&format!("quarantine/{PATH}")), b"broken [");
    let snapshot = place.snapshot();
    let entry = snapshot.entry(id("abcdef")).unwrap().unwrap();
    assert_eq!(snapshot.log_of(entry).unwrap().log.len(), 2);
}

/// Commits `count` times to the record by hand, with git alone.
fn age(place: &Place, count: usize) {
    use std::fmt::Write as _;
    let (record, tip) = (place.store.record_ref(), place.snapshot().tip);
    let mut stream = String::new();
    for number in 0..count {
        let from = match number {
            0 => format!("from {tip}\n"),
            _ => String::new(),
        };
        let _ = write!(
            stream,
            "commit {record}\ncommitter Ann <ann@example.com> {} +0000\ndata 1\nx\n{from}M 100644 inline notes.txt\ndata {}\n{number}\n",
            NOW.0 / 1000,
            number.to_string().len()
        );
    }
    let dir = place.test.path.to_str().unwrap();
    let file = place.test.path.join("stream");
    std::fs::write(&file, stream).unwrap();
    let script = format!(
        "git -C '{dir}' fast-import --quiet --force < '{}'",
        file.display()
    );
    let shell = crate::git::Git::new()
        .program("sh")
        .envs(place.test.env())
        .command(["-c", &script])
        .current_dir(&place.test.path);
    shell.checked().unwrap();
}

#[test]
fn settings_and_agents_stay_in_force_however_long_they_are_damaged() {
    use crate::model::settings::{EnforceMode, SettingsEvent};
    let place = Place::founded();
    let mut log = place.snapshot().settings_log().unwrap().clone();
    let set = SettingsEvent::Set {
        key: "enforce.mode".to_owned(),
        value: "warn".to_owned(),
    };
    log.log.push(stamp(NOW, 1), Author::lossy("kai"), set);
    let mut kai = AgentLog {
        name: agent("kai"),
        log: Log::default(),
    };
    let joined = AgentEvent::Joined(Profile::default());
    kai.log.push(stamp(NOW, 2), Author::lossy("kai"), joined);
    let changes = Changes {
        subject: "set".to_owned(),
        settings: Some(log),
        agents: vec![kai],
        ..Changes::default()
    };
    assert!(matches!(place.publish(&changes), Published::Moved(_)));
    let broken: Option<&[u8]> = Some(b"broken [");
    place.edit(&[("config.toml", broken), ("agents/kai.toml", broken)]);
    let right = |place: &Place| {
        let snapshot = place.snapshot();
        let mode = snapshot.settings().unwrap().enforce;
        mode == EnforceMode::Warn && snapshot.agents().unwrap().contains_key(&agent("kai"))
    };
    age(&place, 5_200);
    assert!(right(&place), "found behind thousands of commits");
    let memory = place.store.dir().join("cache/good");
    let first = std::fs::read_to_string(&memory).unwrap();
    age(&place, 3);
    assert!(right(&place));
    let then = std::fs::read_to_string(&memory).unwrap();
    assert_ne!(first, then, "what is new was looked at");
    // A good version in between counts, though the file is as damaged as before.
    let path = "config.toml";
    let good = place
        .store
        .known_version(place.snapshot().tip, path, &|_| false);
    let good = place
        .store
        .repo()
        .read_blob(good.unwrap().unwrap())
        .unwrap();
    let good = String::from_utf8(good)
        .unwrap()
        .replace("\"warn\"", "\"off\"");
    place.edit(&[(path, Some(good.as_bytes()))]);
    place.edit(&[(path, broken)]);
    let mode = |place: &Place| place.snapshot().settings().unwrap().enforce;
    assert_eq!(mode(&place), EnforceMode::Off);
    for text in ["", "nonsense", "reflectt 0.0.1\n"] {
        std::fs::write(&memory, text).unwrap();
        assert_eq!(mode(&place), EnforceMode::Off, "{text}");
    }
}

#[test]
fn the_archive_is_no_worse_off() {
    let place = Place::founded();
    place.write([cancelled(task(id("abcdef"), "one"), NOW)]);
    let path = "archive/2026-11/abcdef-one.toml";
    place.edit(&[(path, Some(b"broken ["))]);
    assert_eq!(reasons(&place).len(), 1);
    assert_eq!(place.title(id("abcdef")).as_deref(), Some("one"));
    let reason = "again".to_owned();
    let log = cancelled(task(id("abcdef"), "one"), NOW);
    place.write([then(log, NOW, TaskEvent::Reopened { reason })]);
    assert!(reasons(&place).is_empty());
    assert_eq!(place.bytes(&format!("quarantine/{path}")), b"broken [");
    assert_eq!(place.paths("tasks"), [PATH]);
    assert!(place.paths("archive").is_empty());
}

#[test]
fn what_is_no_file_at_all_hurts_nobody() {
    let place = with_task();
    let repo = place.store.repo();
    let tip = place.snapshot().tip;
    // Symbolic links and submodules, where files should be.
    let script = format!(
        "git -C '{0}' read-tree --index-output='{0}/.git/i' reflectt && export GIT_INDEX_FILE='{0}/.git/i' && cd '{0}' && \
         for p in {PATH} agents/kai.toml config.toml inbox/kai/x.toml README.md channels/a/2026-11/x.toml; do \
           git update-index --add --cacheinfo 160000,{tip},$p; done && \
         git update-index --add --cacheinfo 120000,$(printf x | git hash-object -w --stdin),tasks/link.toml && \
         c=$(git commit-tree -m x -p reflectt $(git write-tree)) && git update-ref refs/heads/reflectt $c",
        place.test.path.display()
    );
    let shell = crate::git::Git::new()
        .program("sh")
        .envs(place.test.env())
        .command(["-c", &script])
        .current_dir(&place.test.path);
    shell.checked().unwrap();
    assert_ne!(repo.read_ref(place.store.record_ref()).unwrap(), Some(tip));
    assert_eq!(place.title(id("abcdef")).as_deref(), Some("one"));
    let snapshot = place.snapshot();
    assert!(snapshot.agents().unwrap().is_empty());
    assert!(snapshot.unread(&agent("kai")).unwrap().is_empty());
    assert_eq!(snapshot.unreadable().unwrap().len(), 2);
    assert!(snapshot.settings_log().unwrap().is_founded());
    assert_eq!(snapshot.root_file(layout::README).unwrap(), None);
    assert_eq!(place.store.events(snapshot.tip, None, 10).unwrap().len(), 1);
    assert_eq!(reasons(&place).len(), 4);
    place.write([task(id("abcdef"), "one")]);
    place.test.git(&["fsck", "--no-dangling"]);
}

#[test]
fn damaged_agents_and_settings_keep_their_last_good_version_too() {
    let place = Place::founded();
    let mut log = Log::default();
    let role = Some("tests".to_owned());
    let profile = Profile {
        role: role.clone(),
        ..Profile::default()
    };
    log.push(
        stamp(NOW, 1),
        Author::from(&agent("kai")),
        AgentEvent::Joined(profile),
    );
    let mut settings = place.snapshot().settings_log().unwrap().clone();
    let set = SettingsEvent::Set {
        key: "wip.agent".to_owned(),
        value: "3".to_owned(),
    };
    settings.log.push(stamp(NOW, 2), Author::reflectt(), set);
    let changes = Changes {
        subject: "join".to_owned(),
        agents: vec![AgentLog {
            name: agent("kai"),
            log,
        }],
        settings: Some(settings.clone()),
        ..Changes::default()
    };
    place.publish(&changes);
    let large = vec![b'#'; 2 * 1024 * 1024];
    let other = b"format = 1\nname = \"link\"\n".as_slice();
    for bytes in [b"broken [".as_slice(), &large, other] {
        place.edit(&[
            ("agents/kai.toml", Some(bytes)),
            ("config.toml", Some(b"wip = {")),
        ]);
        let snapshot = place.snapshot();
        assert_eq!(snapshot.agents().unwrap()[&agent("kai")].role, role);
        assert_eq!(snapshot.settings().unwrap().wip_agent, 3);
        assert_eq!(snapshot.settings_problems().unwrap().len(), 1);
        assert_eq!(reasons(&place).len(), 2);
        let log = snapshot.agent_log(&agent("kai")).unwrap().unwrap();
        assert_eq!(log.fold().unwrap().role, role);
    }
    place.edit(&[("config.toml", Some(&large))]);
    assert_eq!(place.snapshot().settings().unwrap().wip_agent, 3);
    // Written again, they are whole, and what was there is kept.
    place.publish(&changes);
    assert!(reasons(&place).is_empty());
    assert_eq!(place.bytes("quarantine/agents/kai.toml"), other);
    assert_eq!(place.bytes("quarantine/config.toml"), large);
}

#[test]
fn without_a_good_version_there_is_nothing_in_force() {
    let place = Place::founded();
    place.edit(&[
        ("tasks/abcdef-new.toml", Some(b"title = ")),
        ("agents/kai.toml", Some(b"name = 7\n")),
    ]);
    assert_eq!(place.title(id("abcdef")), None);
    assert!(place.snapshot().agents().unwrap().is_empty());
    assert_eq!(reasons(&place).len(), 2);
    // Somebody else takes the id that nobody could read: the file stays, for whoever mends it.
    place.write([task(id("abcdef"), "one")]);
    assert_eq!(place.paths("tasks").len(), 2);
}

#[test]
fn files_made_by_hand_wait_to_be_taken_in() {
    let place = Place::founded();
    place.edit(&[(
        "tasks/an-idea.toml",
        Some(b"title = \"an idea of a person\"\n"),
    )]);
    let snapshot = place.snapshot();
    assert!(snapshot.open().unwrap().is_empty());
    let bad = snapshot.quarantined().unwrap();
    assert!(bad[0].is_by_hand());
    assert!(!snapshot.is_newer(&bad[0]).unwrap());
    place.edit(&[("tasks/x.toml", Some(b"format = 9\n"))]);
    let snapshot = place.snapshot();
    let bad = snapshot.quarantined().unwrap();
    assert!(snapshot.is_newer(&bad[1]).unwrap());
}

#[test]
fn unreadable_messages_are_left_out_and_named() {
    let place = Place::founded();
    let changes = Changes {
        subject: "send".to_owned(),
        messages: vec![message(1, "kai"), message(2, "kai")],
        ..Changes::default()
    };
    place.publish(&changes);
    let paths = place.paths("inbox");
    let other = place.bytes(&paths[1]);
    let misnamed = "inbox/kai/01KAXK5V0QWERTY123456789AB.toml";
    place.edit(&[(&paths[0], Some(b"broken [")), (misnamed, Some(&other))]);
    let snapshot = place.snapshot();
    assert_eq!(snapshot.unread(&agent("kai")).unwrap().len(), 1);
    let bad = snapshot.unreadable().unwrap();
    assert_eq!(bad.len(), 2, "{bad:?}");
    // One of them was whole once.
    let good: Vec<bool> = bad.iter().map(|bad| bad.last_good.is_some()).collect();
    assert_eq!(good.iter().filter(|good| **good).count(), 1);
}
