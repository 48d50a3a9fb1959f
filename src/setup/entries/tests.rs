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
}
