//! Servers among those of others, and the name of the instructions.

use super::*;
use crate::setup::entries::{Strictness, install_hooks, remove_hooks};

fn read(text: &str) -> Document {
    Document::read(Some(text)).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn another_shape_is_refused() {
    for text in [
        "{\"mcpServers\": []}",
        "{\"mcpServers\": {\"reflectt\": 1}}",
    ] {
        assert!(install_server(&mut read(text), Harness::Claude).is_err());
    }
    assert!(install_context(&mut read("{\"context\": \"x\"}")).is_err());
}

#[test]
fn servers_come_and_go() {
    for harness in Harness::ALL {
        let list = table::server(harness).list;
        for text in [
            "{}".to_owned(),
            "{\n}\n".to_owned(),
            format!("{{\"{list}\": {{}}}}"),
            format!(
                "{{\n    \"{list}\": {{\n        \"other\": {{\"command\": \"x\"}}\n    }}\n}}\n"
            ),
        ] {
            let mut document = read(&text);
            install_server(&mut document, harness).unwrap();
            let once = document.text().to_owned();
            assert!(install_server(&mut document, harness).unwrap().is_nothing());
            assert_eq!(document.text(), once);
            assert_eq!(
                json(&once)[list]["reflectt"]
                    .as_object()
                    .map(serde_json::Map::len),
                { Some(table::server(harness).fields.len()) }
            );
            assert_eq!(remove_server(&mut document, harness).unwrap().len(), 1);
            assert_eq!(document.text(), text);
        }
    }
}

#[test]
fn a_server_is_told_by_what_it_runs() {
    let old = r#"{"mcpServers": {"reflectt": {"command": "/opt/reflectt", "args": ["mcp"], "env": {"A": "b"}}}}"#;
    let mut document = read(old);
    let done = install_server(&mut document, Harness::Claude).unwrap();
    assert_eq!(done.updated, ["mcpServers.reflectt"]);
    assert_eq!(
        document.text(),
        r#"{"mcpServers": {"reflectt": {"command": "reflectt", "args": ["mcp"], "env": {"A": "b"}, "alwaysLoad": true}}}"#
    );
    let theirs = r#"{"mcpServers": {"reflectt": {"command": "npx", "args": ["reflectt"]}}}"#;
    let mut document = read(theirs);
    let done = install_server(&mut document, Harness::Claude).unwrap();
    assert_eq!((done.is_nothing(), done.notes.len()), (true, 1));
    assert_eq!(
        remove_server(&mut document, Harness::Claude),
        Ok(Vec::new())
    );
    assert_eq!(document.text(), theirs);
    // What a person has set stays set.
    let off = r#"{"mcp": {"reflectt": {"type": "local", "command": ["reflectt", "mcp"], "enabled": false}}}"#;
    let mut document = read(off);
    assert!(
        install_server(&mut document, Harness::OpenCode)
            .unwrap()
            .is_nothing()
    );
}

#[test]
fn the_name_of_the_instructions_comes_and_goes() {
    for text in [
        "{}",
        "{\"context\": {}}",
        "{\n  \"context\": {\n    \"x\": 1\n  }\n}",
    ] {
        let mut document = read(text);
        assert!(!install_context(&mut document).unwrap().is_nothing());
        assert!(install_context(&mut document).unwrap().is_nothing());
        let names = context_names(&document).unwrap();
        assert_eq!(names, ["AGENTS.md", "GEMINI.md"]);
        remove_context(&mut document).unwrap();
        assert_eq!(document.text(), text);
    }
    let theirs = "{\"context\": {\"fileName\": [\"AGENTS.md\", \"GEMINI.md\"]}}";
    let mut document = read(theirs);
    assert!(install_context(&mut document).unwrap().is_nothing());
    assert_eq!(remove_context(&mut document), Ok(Vec::new()));
    assert_eq!(
        context_names(&read("{\"context\": {\"fileName\": \"X\"}}")).unwrap(),
        ["X"]
    );
}

/// All that a settings file of Gemini CLI's gets, and in what order it goes.
#[test]
fn several_parts_of_one_file_go_in_turn() {
    for text in [
        "{}",
        "{ // c\n}",
        "{\n  \"ui\": {}, // c\n}",
        "{\"mcpServers\": {}}",
    ] {
        let mut document = read(text);
        install_hooks(&mut document, Harness::Gemini, Strictness::AsItIs).unwrap();
        install_server(&mut document, Harness::Gemini).unwrap();
        install_context(&mut document).unwrap();
        remove_context(&mut document).unwrap();
        remove_server(&mut document, Harness::Gemini).unwrap();
        remove_hooks(&mut document, Harness::Gemini).unwrap();
        assert_eq!(document.text(), text);
    }
}
