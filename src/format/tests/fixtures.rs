//! One file of every shape ever written: each must stay readable, and print as it was.

use crate::format::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/format-1/", $name, ".toml"))
    };
}

#[test]
fn tasks() {
    for file in [fixture!("task"), fixture!("task-done")] {
        let log = parse_task(file.as_bytes()).unwrap().into_log().unwrap();
        assert_eq!(print_task(&log), file);
    }
    let parsed = parse_task(fixture!("task-title-only").as_bytes()).unwrap();
    assert_eq!(
        parsed.shown.title.as_deref(),
        Some("Write the release notes")
    );
    assert_eq!(parsed.into_log(), None);
}

#[test]
fn agents() {
    let file = fixture!("agent");
    let parsed = parse_agent(file.as_bytes()).unwrap();
    let log = parsed.clone().into_log().unwrap();
    assert_eq!(parsed.shown, ShownAgent::of(&log.fold().unwrap()));
    assert_eq!(print_agent(&log), file);
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
    assert_eq!(print_settings(&parsed.log), file);
}

#[test]
fn messages() {
    let file = fixture!("message");
    assert_eq!(
        print_message(&parse_message(file.as_bytes()).unwrap()),
        file
    );
}

#[test]
fn reflections() {
    let file = fixture!("reflection");
    assert_eq!(
        print_reflection(&parse_reflection(file.as_bytes()).unwrap()),
        file
    );
}

#[test]
fn claims() {
    let file = fixture!("claim");
    assert_eq!(print_claim(&parse_claim(file.as_bytes()).unwrap()), file);
    let first = parse_table(fixture!("table").as_bytes()).unwrap();
    let file = include_str!("../../../tests/fixtures/format-2/table.toml");
    let second = parse_table(file.as_bytes()).unwrap();
    assert_eq!(print_table(&second), file);
    assert_eq!((first.epoch, first.pause), (second.epoch, second.pause));
}
