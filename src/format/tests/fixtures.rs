//! One file of every shape ever written: each must stay readable, and print as it was.

use crate::format::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/format-1/", $name, ".toml"))
    };
}

/// Returns what version 0.1 would have printed: it did not show when an event happened.
fn undated(text: &str) -> String {
    let mut last = "";
    let mut kept = Vec::new();
    for line in text.lines() {
        if !(line.starts_with("at = ") && last.starts_with("id = ")) {
            kept.push(line);
        }
        last = line;
    }
    kept.join("\n") + "\n"
}

#[test]
fn tasks() {
    for file in [fixture!("task"), fixture!("task-done")] {
        let log = parse_task(file.as_bytes()).unwrap().into_log().unwrap();
        assert_eq!(undated(&print_task(&log)), file);
    }
    for dated in [
        fixture!("task-dated"),
        fixture!("task-checked"),
        fixture!("task-reviewed"),
    ] {
        let log = parse_task(dated.as_bytes()).unwrap().into_log().unwrap();
        assert_eq!(print_task(&log), dated);
    }
    let parsed = parse_task(fixture!("task-title-only").as_bytes()).unwrap();
    assert_eq!(
        parsed.shown.title.as_deref(),
        Some("Write the release notes")
    );
    assert_eq!(parsed.into_log(), None);
}

/// The time that counts is in the id.
#[test]
fn a_time_that_somebody_changed_says_nothing() {
    let dated = fixture!("task-dated");
    let changed = dated.replacen("at = 2026-03-02T09:00:00Z", "at = \"yesterday\"", 1);
    assert_ne!(changed, dated);
    let read = |file: &str| parse_task(file.as_bytes()).unwrap();
    assert_eq!(read(&changed), read(dated));
}

#[test]
fn agents() {
    for file in [fixture!("agent"), fixture!("agent-seated")] {
        let parsed = parse_agent(file.as_bytes()).unwrap();
        let log = parsed.clone().into_log().unwrap();
        assert_eq!(parsed.shown, ShownAgent::of(&log.fold().unwrap()));
        assert_eq!(undated(&print_agent(&log)), file);
    }
    let left = fixture!("agent-left");
    let log = parse_agent(left.as_bytes()).unwrap().into_log().unwrap();
    assert_eq!(log.fold(), None);
    assert_eq!(undated(&print_agent(&log)), left);
}

#[test]
fn settings() {
    let file = fixture!("config");
    let parsed = parse_settings(file.as_bytes()).unwrap();
    let shown: Vec<(&str, &str)> = parsed
        .shown
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(shown, parsed.log.values().into_iter().collect::<Vec<_>>());
    assert_eq!(undated(&print_settings(&parsed.log)), file);
}

#[test]
fn messages() {
    let file = fixture!("message");
    let message = parse_message(file.as_bytes()).unwrap();
    assert_eq!(undated(&print_message(&message)), file);
    let dated = fixture!("message-dated");
    assert_eq!(parse_message(dated.as_bytes()), Ok(message.clone()));
    assert_eq!(print_message(&message), dated);
}

#[test]
fn reflections() {
    let file = fixture!("reflection");
    let reflection = parse_reflection(file.as_bytes()).unwrap();
    assert_eq!(undated(&print_reflection(&reflection)), file);
}

#[test]
fn claims() {
    for file in [fixture!("claim"), fixture!("claim-shared")] {
        assert_eq!(print_claim(&parse_claim(file.as_bytes()).unwrap()), file);
    }
    let first = parse_table(fixture!("table").as_bytes()).unwrap();
    let file = include_str!("../../../tests/fixtures/format-2/table.toml");
    let second = parse_table(file.as_bytes()).unwrap();
    assert_eq!(print_table(&second), file);
    assert_eq!((first.epoch, first.pause), (second.epoch, second.pause));
}
