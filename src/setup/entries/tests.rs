//! Hooks and servers among those of others.

use super::*;

const WITH_HOOKS: [Harness; 5] = [
    Harness::Claude,
    Harness::Codex,
    Harness::Gemini,
    Harness::Copilot,
    Harness::Cursor,
];

fn read(text: &str) -> Document {
    Document::read(Some(text)).unwrap()
}

fn hooks(text: &str, harness: Harness) -> (String, Done) {
    let mut document = read(text);
    let done = install_hooks(&mut document, harness, Strictness::AsItIs).unwrap();
    (document.into_text().unwrap(), done)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn there_and_back(text: &str, harness: Harness) {
    let (once, done) = hooks(text, harness);
    assert!(!done.is_nothing());
    let (twice, done) = hooks(&once, harness);
    assert_eq!((&twice, done.is_nothing()), (&once, true), "{harness}");
    let mut document = read(&once);
    remove_hooks(&mut document, harness).unwrap();
    assert_eq!(document.into_text().as_deref(), Some(text), "{harness}");
}

#[test]
fn hooks_come_and_go_in_every_layout() {
    let other = r#"{"type": "command", "command": "lint"}"#;
    for harness in WITH_HOOKS {
        let native = table::hooks(harness)[2].native;
        for text in [
            "{}".to_owned(),
            "{ }\n".to_owned(),
            "{\"version\": 1}\n".to_owned(),
            "{\"hooks\": {}}".to_owned(),
            "{\"hooks\": {}, \"version\": 1}".to_owned(),
            "{\n  \"hooks\": {\n    // none\n  }, // c\n  \"version\": 1,\n}\n".to_owned(),
            format!("{{\"hooks\": {{\"{native}\": []}}}}"),
            format!("{{\"hooks\": {{\"{native}\": [{{\"hooks\": [{other}]}}], \"Z\": []}}}}"),
            format!("{{\n\t\"hooks\": {{\n\t\t\"{native}\": [\n\t\t\t{other},\n\t\t]\n\t}}\n}}\n"),
        ] {
            there_and_back(&text, harness);
        }
    }
}

#[test]
fn a_new_file_is_readable() {
    let mut document = Document::read(None).unwrap();
    install_hooks(&mut document, Harness::Cursor, Strictness::Strict).unwrap();
    let text = document.text();
    let start = "{
  \"hooks\": {
    \"sessionStart\": [
      {
        \"command\": \"reflectt hook agent session-start --harness cursor\",
        \"timeout\": 10
      }
    ],
";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with("  },\n  \"version\": 1\n}\n"), "{text}");
    assert_eq!(json(text)["hooks"]["preToolUse"][0]["failClosed"], true);
    assert_eq!(json(text)["hooks"]["stop"][0]["loop_limit"], 2);
    remove_hooks(&mut document, Harness::Cursor).unwrap();
    assert_eq!(document.into_text(), None);
}

#[test]
fn what_an_older_version_wrote_is_brought_up_to_date_in_its_place() {
    let old = r#"{
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Edit|Write",
        "hooks": [
          {
            "type": "command",
            "command": "/opt/bin/reflectt hook agent-edit", // ours
            "statusMessage": "claims",
            "timeout": 5
          }
        ]
      },
      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "lint" }] }
    ]
  }
}
"#;
    let (new, done) = hooks(old, Harness::Claude);
    assert_eq!(done.updated, ["PreToolUse"]);
    let expected = old
        .replace("\"Edit|Write\"", "\"Edit|MultiEdit|Write|NotebookEdit\"")
        .replace(
            "/opt/bin/reflectt hook agent-edit",
            "reflectt hook agent before-edit --harness claude",
        )
        .replace("\"timeout\": 5", "\"timeout\": 10");
    let (before, _) = expected.split_once("\n    ]\n  }\n}").unwrap();
    assert!(new.starts_with(before), "{new}");
    assert_eq!(hooks(&new, Harness::Claude).0, new);
}

#[test]
fn without_a_shell_and_twice() {
    let old = r#"{"hooks": {
  "PreToolUse": [{"matcher": "Edit|MultiEdit|Write|NotebookEdit", "hooks": [
    {"type": "command", "command": "reflectt", "args": ["hook", "agent-edit"], "timeout": 10}]},
    {"matcher": "Write", "hooks": [{"type": "command", "command": "reflectt hook agent-edit"}]}],
  "PreCompact": [{"hooks": [{"type": "command", "command": "reflectt hook agent session-start"}, {"type": "command", "command": "x"}]}]
}}"#;
    let (new, _) = hooks(old, Harness::Claude);
    let value = json(&new);
    let edits = value["hooks"]["PreToolUse"].as_array().unwrap();
    assert_eq!(edits.len(), 1, "{new}");
    assert_eq!(
        edits[0]["hooks"][0],
        serde_json::json!({"type": "command", "timeout": 10,
            "command": "reflectt hook agent before-edit --harness claude"})
    );
    let compact = serde_json::json!([{"hooks": [{"type": "command", "command": "x"}]}]);
    assert_eq!(value["hooks"]["PreCompact"], compact);
}

#[test]
fn in_a_group_of_others_only_ours_changes() {
    let text = |command: &str, tools: &str| {
        format!(
            "{{\"hooks\": {{\"PreToolUse\": [{{\"matcher\": \"{tools}\", \"hooks\": [{{\"command\": \"lint\"}}, {{\"command\": \"{command}\"}}]}}]}}}}"
        )
    };
    let tools = "Edit|MultiEdit|Write|NotebookEdit";
    let (new, _) = hooks(&text("reflectt hook agent-edit", tools), Harness::Claude);
    let group = &json(&new)["hooks"]["PreToolUse"][0];
    assert_eq!(group["hooks"][0], serde_json::json!({"command": "lint"}));
    assert_eq!(group["hooks"][1]["timeout"], 10);
    // Their tools are not ours to change: ours leaves.
    let (new, _) = hooks(&text("reflectt hook agent-edit", "Write"), Harness::Claude);
    let groups = &json(&new)["hooks"]["PreToolUse"];
    assert_eq!(
        groups[0],
        serde_json::json!({"matcher": "Write", "hooks": [{"command": "lint"}]})
    );
    assert_eq!(groups[1]["matcher"], tools);
    assert_eq!(hooks(&new, Harness::Claude).0, new);
}

#[test]
fn strict_stays_strict_and_says_so() {
    let mut document = Document::read(None).unwrap();
    install_hooks(&mut document, Harness::Claude, Strictness::AsItIs).unwrap();
    let lenient = document.text().to_owned();
    let done = install_hooks(&mut document, Harness::Claude, Strictness::Strict).unwrap();
    assert_eq!(done.updated, ["PreToolUse"]);
    let strict = document.text().to_owned();
    let edit = json(&strict)["hooks"]["PreToolUse"][0]["hooks"][0].clone();
    assert_eq!(edit["onFailure"], "block");
    let done = install_hooks(&mut document, Harness::Claude, Strictness::AsItIs).unwrap();
    assert!(done.is_nothing());
    assert_eq!(done.notes, ["the hook before edits stays strict"]);
    assert_eq!(document.text(), strict);
    assert!(!lenient.contains("onFailure"));
}

#[test]
fn another_shape_is_refused_with_its_place() {
    for (text, line, column) in [
        ("[]", 1, 1),
        ("\"x\"", 1, 1),
        ("{\n  \"hooks\": []\n}", 2, 12),
        ("{\"hooks\": {\"PreToolUse\": {}}}", 1, 26),
        ("{\"hooks\": null}", 1, 11),
    ] {
        let mut document = read(text);
        let strictness = Strictness::AsItIs;
        let refused = install_hooks(&mut document, Harness::Claude, strictness).unwrap_err();
        assert_eq!(refused.position(), Position { line, column }, "{text}");
        assert_eq!(document.text(), text);
        assert_eq!(remove_hooks(&mut document, Harness::Claude), Ok(Vec::new()));
    }
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
