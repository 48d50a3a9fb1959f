//! Tests of every shape: round trips, fixtures of what was ever written, and bad input.

mod bad;
mod fixtures;

use proptest::prelude::*;

use crate::model::agent::AgentLog;
use crate::model::arbitrary;
use crate::model::task::TaskLog;

use super::*;

/// Checks that `print` after `parse` gives the same value, and the same text again.
fn round_trip<T: Clone + PartialEq + std::fmt::Debug>(
    value: &T,
    print: impl Fn(&T) -> String,
    parse: impl Fn(&[u8]) -> Result<T, FormatError>,
) -> Result<(), TestCaseError> {
    let text = print(value);
    let again = parse(text.as_bytes());
    prop_assert_eq!(again.as_ref(), Ok(value), "{}", text);
    prop_assert_eq!(print(&again.unwrap()), text);
    Ok(())
}

/// Reads a file as each shape in turn; none may panic, and every message is one line.
fn read_as_all(bytes: &[u8]) -> Vec<Option<FormatError>> {
    let errors = vec![
        parse_task(bytes).err(),
        parse_agent(bytes).err(),
        parse_settings(bytes).err(),
        parse_message(bytes).err(),
        parse_reflection(bytes).err(),
        parse_claim(bytes).err(),
        parse_table(bytes).err(),
    ];
    for error in errors.iter().flatten() {
        let message = error.to_string();
        assert!(!message.contains(char::is_control), "{message:?}");
    }
    errors
}

fn read_task(bytes: &[u8]) -> Result<TaskLog, FormatError> {
    parse_task(bytes).map(|parsed| parsed.into_log().unwrap())
}

fn read_agent(bytes: &[u8]) -> Result<AgentLog, FormatError> {
    parse_agent(bytes).map(|parsed| parsed.into_log().unwrap())
}

proptest! {
    #[test]
    fn tasks_round_trip(log in prop_oneof![arbitrary::task_log(), arbitrary::lived_log()]) {
        round_trip(&log, print_task, read_task)?;
        if let Some(folded) = log.fold() {
            let shown = parse_task(print_task(&log).as_bytes()).unwrap().shown;
            prop_assert_eq!(shown, Shown::of(&folded.task));
        }
    }

    #[test]
    fn agents_round_trip(agent in arbitrary::agent_log()) {
        round_trip(&agent, print_agent, read_agent)?;
        if let Some(folded) = agent.fold() {
            let shown = parse_agent(print_agent(&agent).as_bytes()).unwrap().shown;
            prop_assert_eq!(shown, ShownAgent::of(&folded));
        }
    }

    #[test]
    fn settings_round_trip(settings in arbitrary::settings_log()) {
        let text = print_settings(&settings);
        let parsed = parse_settings(text.as_bytes());
        let parsed = parsed.map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(parsed.log.log.iter().collect::<Vec<_>>(), settings.log.iter().collect::<Vec<_>>());
        let values = settings.values();
        for (key, value) in &parsed.shown {
            prop_assert_eq!(values.get(key.as_str()), Some(&value.as_str()));
        }
        prop_assert_eq!(print_settings(&parsed.log), text);
    }

    #[test]
    fn messages_round_trip(message in arbitrary::message()) {
        round_trip(&message, print_message, parse_message)?;
    }

    #[test]
    fn reflections_round_trip(reflection in arbitrary::reflection()) {
        round_trip(&reflection, print_reflection, parse_reflection)?;
    }

    #[test]
    fn claims_round_trip(claim in arbitrary::claim()) {
        round_trip(&claim, print_claim, parse_claim)?;
        let read = parse_claim(print_claim(&claim).as_bytes()).unwrap();
        prop_assert!(read.of_files().eq(claim.of_files()));
    }

    #[test]
    fn the_table_round_trips(table in arbitrary::table()) {
        round_trip(&table, print_table, parse_table)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_as_all(&bytes);
    }

    #[test]
    fn any_toml_is_read_or_refused(lines in prop::collection::vec(prop::sample::select(vec![
        "format = 1\n", "id = \"k3f9x2\"\n", "id = 7\n", "title = \"x\"\n", "[event]\n", "[[event]]\n",
        "[[event.x]]\n", "kind = \"created\"\n", "by = \"kai\"\n", "id = \"01ARZ3NDEKTSV4RRFFQ69G5FAV\"\n",
        "name = \"kai\"\n", "event = [1]\n", "wip.agent.x = 1\n", "[wip]\n", "[[pause]]\n", "paths = [\"..\"]\n",
        "since = 2026-13-01\n", "fence = -1\n", "fence = 99999999999999999999\n", "tags = [[]]\n", "x = \"\"\"\n",
        "body = '''\r\n", "epoch = 0xff\n", "f = -nan\n", "g = 1_0.5e+3\n",
    ]), 0..12)) {
        let text = lines.concat();
        read_as_all(text.as_bytes());
        // What can be read, once printed, stays what it is.
        if let Some(log) = parse_task(text.as_bytes()).ok().and_then(ParsedTask::into_log)
            && !log.log.is_empty()
        {
            round_trip(&log, print_task, read_task)?;
        }
        if let Some(agent) = parse_agent(text.as_bytes()).ok().and_then(ParsedAgent::into_log) {
            round_trip(&agent, print_agent, read_agent)?;
        }
        if let Ok(table) = parse_table(text.as_bytes()) {
            round_trip(&table, print_table, parse_table)?;
        }
    }

    #[test]
    fn mutated_files_are_read_or_refused(
        log in arbitrary::lived_log(),
        at in any::<prop::sample::Index>(),
        cut in 0..20usize,
        put in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut bytes = print_task(&log).into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, put);
        read_as_all(&bytes);
    }
}

#[test]
fn a_title_is_enough() {
    let parsed = parse_task(b"title = \"  Fix login \"\n").unwrap();
    assert_eq!(parsed.shown.title.as_deref(), Some("Fix login"));
    assert!(parsed.log.is_empty() && parsed.id.is_none());
}

#[test]
fn what_an_agent_is_said_to_be_is_enough() {
    let parsed = parse_agent(b"role = \"writes the docs\"\nlanes = [\"docs\"]\n").unwrap();
    assert_eq!(parsed.shown.role.as_deref(), Some("writes the docs"));
    assert!(parsed.log.is_empty() && parsed.name.is_none());
    let error = parse_agent(b"format = 1\n").unwrap_err();
    assert_eq!(error.to_string(), "`name` is missing");
}

#[test]
fn unknown_keys_keep_their_values() {
    let file = "format = 1\nname = \"kai\"\nx = 0x1F\n\"y z\" = +1_0.5\nt = 2026-01-31 09:30:00.5+01:00\n\
        lines = '''a\\\nb'''\nq.r.s = [\n1, # one\n2]\n[later]\nb = \"é\"\na = {}\n[[list]]\nn = 1\n[[list]]\n";
    let agent = read_agent(file.as_bytes()).unwrap();
    let printed = print_agent(&agent);
    assert_eq!(
        printed,
        "format = 1\nname = \"kai\"\nlater = { a = {}, b = \"é\" }\n\
         lines = \"a\\\\\\nb\"\nlist = [{ n = 1 }, {}]\nq = { r = { s = [1, 2] } }\n\
         t = 2026-01-31T09:30:00.5+01:00\nx = 31\n\"y z\" = 10.5\n"
    );
    assert_eq!(read_agent(printed.as_bytes()).unwrap(), agent);
    let before: toml::Table = toml::from_str(file).unwrap();
    assert_eq!(before, toml::from_str::<toml::Table>(&printed).unwrap());
}

#[test]
fn a_notice_of_a_later_version_is_kept() {
    let file = "format = 1\nid = \"01ARZ3NDEKTSV4RRFFQ69G5FAV\"\nat = 2016-07-30T23:54:10.259Z\nfrom = \"kai\"\nbody = \"hi\"\nnotice = \"estimated\"\n";
    let message = parse_message(file.as_bytes()).unwrap();
    assert_eq!(message.notice, None);
    assert_eq!(print_message(&message), file);
}

#[test]
fn settings_edited_by_hand_are_shown() {
    let file = "format = 1\n[wip]\nagent = 3\nteam = \"none\"\n[team]\nhumans = [\"kai\", \"sage\"]\n\
        [resources]\napi = 2\n[colours]\nred = true\n";
    let parsed = parse_settings(file.as_bytes()).unwrap();
    let shown: Vec<(&str, &str)> = parsed
        .shown
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("resources.api", "2"),
            ("team.humans", "kai,sage"),
            ("wip.agent", "3"),
            ("wip.team", "none")
        ]
    );
    assert!(print_settings(&parsed.log).contains("colours = { red = true }\n"));
}

#[test]
fn other_programs_read_our_strings() {
    for text in [
        "",
        "\"",
        "\"\"\"\"\"\"\n",
        "\n\"",
        "\n\\",
        "\r\n",
        "\\\n  x",
        "\u{1}\u{7f}\u{85}\n",
        "🦀\n\n",
        "\n",
    ] {
        let mut toml = "a = ".to_owned();
        value::quote_text(&mut toml, text);
        toml.push_str("\nb = ");
        value::quote(&mut toml, text);
        let table: toml::Table = toml::from_str(&toml).unwrap();
        assert_eq!(table["a"].as_str(), Some(text), "{toml}");
        assert_eq!(table["b"].as_str(), Some(text), "{toml}");
    }
}

#[test]
fn times_are_instants() {
    let pause = |since: &str| {
        let file = format!(
            "epoch = 1\nfence = 1\n[pause]\nby = \"kai\"\nreason = \"x\"\nsince = {since}\n"
        );
        let printed = print_table(&parse_table(file.as_bytes()).unwrap());
        printed.rsplit_once(" = ").unwrap().1.trim_end().to_owned()
    };
    assert_eq!(pause("2026-01-31 01:30:00+02:00"), "2026-01-30T23:30:00Z");
    assert_eq!(
        pause("2026-01-31T09:30:00.1239Z"),
        "2026-01-31T09:30:00.123Z"
    );
    assert_eq!(pause("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59Z");
    assert_eq!(pause("0000-01-01T00:00:00+14:00"), "0000-01-01T00:00:00Z");
    assert_eq!(
        pause("9999-12-31T23:59:59.999-14:00"),
        "9999-12-31T23:59:59.999Z"
    );
}
