//! What goes into new files, and into files that are there.

use super::*;

#[test]
fn a_fresh_repository_for_each_harness() {
    for (harness, expected) in FRESH {
        let repo = repo();
        run(&repo, &[harness]).ok();
        assert_eq!(names(&repo), expected, "{harness}");
        for name in expected {
            let text = std::fs::read_to_string(repo.path().join(name)).unwrap();
            assert!(text.ends_with('\n') && !text.contains('\r'), "{name}");
            for what in [repo.env().dir().to_str().unwrap(), "--as", "/reflectt"] {
                let found = text.find(what).map(|at| &text[at.saturating_sub(20)..]);
                let is_a_path = found.is_some() && what != "/reflectt";
                assert!(!is_a_path, "{name} names {what}");
            }
        }
        run(&repo, &["--remove", harness]).ok();
        assert_eq!(files(repo.path()), BTreeMap::new(), "{harness}");
    }
}

#[test]
fn all_at_once_share_the_instructions() {
    let repo = repo();
    let all: Vec<&str> = FRESH.iter().map(|(harness, _)| *harness).collect();
    there_and_back(&repo, &all);
    run(&repo, &all).ok();
    let agents = std::fs::read_to_string(repo.path().join("AGENTS.md")).unwrap();
    assert_eq!(agents.matches("BEGIN REFLECTT").count(), 1);
    let claude = std::fs::read_to_string(repo.path().join("CLAUDE.md")).unwrap();
    assert_eq!(claude.lines().nth(1), Some("@AGENTS.md"));
    // One that leaves takes nothing from the others.
    run(&repo, &["--remove", "claude", "codex"]).ok();
    let rest: Vec<String> = names(&repo);
    assert!(rest.contains(&"AGENTS.md".to_owned()), "{rest:?}");
    assert!(
        !rest
            .iter()
            .any(|name| name.contains("claude") || name.contains("codex"))
    );
    run(
        &repo,
        &["--check", "gemini", "copilot", "cursor", "opencode"],
    )
    .ok();
    run(&repo, &["--remove"]).ok();
    assert_eq!(names(&repo), Vec::<String>::new());
}

#[test]
fn the_shapes_that_the_harnesses_take() {
    let repo = repo();
    let all: Vec<&str> = FRESH.iter().map(|(harness, _)| *harness).collect();
    run(&repo, &all).ok();

    let claude = json(&repo, ".claude/settings.json");
    let edit = &claude["hooks"]["PreToolUse"][0];
    assert_eq!(edit["matcher"], "Edit|MultiEdit|Write|NotebookEdit");
    assert_eq!(edit["hooks"][0]["timeout"], 10);
    assert!(edit["hooks"][0].get("onFailure").is_none());
    let stop = &claude["hooks"]["Stop"];
    assert_eq!(
        stop[0]["hooks"][0]["command"],
        "reflectt hook agent stop --harness claude"
    );
    let wake = &stop[1]["hooks"][0];
    assert_eq!(wake["command"], "reflectt hook agent wake --harness claude");
    assert_eq!(wake["asyncRewake"], true);
    assert!(wake["timeout"].as_u64().unwrap() >= 3600);
    assert_eq!(
        json(&repo, ".mcp.json"),
        serde_json::json!({"mcpServers": {"reflectt":
            {"command": "reflectt", "args": ["mcp"], "alwaysLoad": true}}})
    );

    let codex = json(&repo, ".codex/hooks.json");
    let edit = &codex["hooks"]["PreToolUse"][0];
    assert_eq!(
        edit["hooks"][0],
        serde_json::json!({"type": "command", "timeout": 10,
            "command": "reflectt hook agent before-edit --harness codex"})
    );
    let table = std::fs::read_to_string(repo.path().join(".codex/config.toml")).unwrap();
    assert_eq!(
        table,
        "[mcp_servers.reflectt]\ncommand = \"reflectt\"\nargs = [\"mcp\"]\n\
         default_tools_approval_mode = \"approve\"\n"
    );

    let gemini = json(&repo, ".gemini/settings.json");
    assert_eq!(
        gemini["hooks"]["BeforeTool"][0]["hooks"][0]["timeout"],
        10_000
    );
    assert_eq!(gemini["mcpServers"]["reflectt"]["trust"], true);
    assert_eq!(
        gemini["context"]["fileName"],
        serde_json::json!(["AGENTS.md", "GEMINI.md"])
    );

    let copilot = json(&repo, ".github/hooks/reflectt.json");
    assert_eq!(copilot["version"], 1);
    let edit = &copilot["hooks"]["preToolUse"][0];
    let command = "reflectt hook agent before-edit --harness copilot";
    assert_eq!(
        (&edit["bash"], &edit["powershell"]),
        (&command.into(), &command.into())
    );
    assert_eq!(edit["timeoutSec"], 10);

    let cursor = json(&repo, ".cursor/hooks.json");
    assert_eq!(cursor["version"], 1);
    assert_eq!(cursor["hooks"]["preToolUse"][0]["matcher"], "Write");
    assert_eq!(cursor["hooks"]["stop"][0]["loop_limit"], 2);
    let rule = std::fs::read_to_string(repo.path().join(".cursor/rules/reflectt.mdc")).unwrap();
    assert!(rule.starts_with("---\n") && rule.contains("\nalwaysApply: true\n"));

    assert_eq!(
        json(&repo, "opencode.json"),
        serde_json::json!({"mcp": {"reflectt":
            {"type": "local", "command": ["reflectt", "mcp"], "enabled": true}}})
    );
}

#[test]
fn files_that_are_there_come_back_byte_for_byte() {
    for (json, md, toml) in [
        ("", "", ""),
        ("{}", "# Rules", "model = \"o\""),
        ("{ }\n", "# Rules\n", "model = \"o\"\n"),
        ("\u{feff}{\n}\n", "\u{feff}# Rules\n", "\u{feff}a = 1\n"),
        (
            "{\r\n\t\"a\": [1, 2], // one\r\n\t/* two */ \"b\": {\"c\": null},\r\n}\r\n",
            "# Rules\r\n\r\nNone.\r\n",
            "# c\r\na = 1\r\n\r\n[mcp_servers.other]\r\ncommand = \"x\"\r\n",
        ),
        (
            "{\n    \"permissions\": {\"allow\": []},\n    \"mcpServers\": {\n        \"x\": {\"command\": \"y\"}\n    } // last\n    // and more\n}",
            "a\n\n\n",
            "[z]\nq = [\n  1,\n]  # end",
        ),
    ] {
        let repo = repo();
        for name in [
            ".claude/settings.json",
            ".mcp.json",
            ".codex/hooks.json",
            ".gemini/settings.json",
            ".github/hooks/reflectt.json",
            ".cursor/hooks.json",
            ".cursor/mcp.json",
            "opencode.jsonc",
        ] {
            repo.write(name, json);
        }
        repo.write(".codex/config.toml", toml);
        for name in ["AGENTS.md", "CLAUDE.md", "GEMINI.md"] {
            repo.write(name, md);
        }
        let all: Vec<&str> = FRESH.iter().map(|(harness, _)| *harness).collect();
        there_and_back(&repo, &all);
    }
}

#[test]
fn where_the_instructions_go() {
    let with = |given: &[(&str, &str)], harness: &str| {
        let repo = repo();
        for (name, text) in given {
            repo.write(name, text);
        }
        there_and_back(&repo, &[harness]);
        run(&repo, &[harness]).ok();
        let text = |name: &String| String::from_utf8(files(repo.path())[name].clone()).unwrap();
        let has = |what: &str| -> Vec<String> {
            let all = names(&repo).into_iter();
            all.filter(|name| name.ends_with(".md") && text(name).contains(what))
                .collect()
        };
        (has("ACTION"), has("\n@AGENTS.md\n<!--"))
    };
    let one = |name: &str| vec![name.to_owned()];
    let none = Vec::<String>::new();
    // Of its own.
    assert_eq!(with(&[], "claude"), (one("AGENTS.md"), one("CLAUDE.md")));
    assert_eq!(
        with(&[("CLAUDE.md", "x\n")], "claude"),
        (one("CLAUDE.md"), none.clone())
    );
    assert_eq!(
        with(&[(".claude/CLAUDE.md", "x\n")], "claude"),
        (one(".claude/CLAUDE.md"), none.clone())
    );
    // It reads the other one.
    assert_eq!(
        with(
            &[("CLAUDE.md", "@AGENTS.md\n"), ("AGENTS.md", "x\n")],
            "claude"
        ),
        (one("AGENTS.md"), none.clone())
    );
    assert_eq!(
        with(&[("AGENTS.md", "x\n")], "claude"),
        (one("AGENTS.md"), one("CLAUDE.md"))
    );
    assert_eq!(
        with(&[("GEMINI.md", "x\n")], "gemini"),
        (one("GEMINI.md"), none.clone())
    );
    assert_eq!(
        with(&[("GEMINI.md", "@./AGENTS.md\n")], "gemini"),
        (one("AGENTS.md"), none.clone())
    );
    let named = r#"{"context": {"fileName": "RULES.md"}}"#;
    assert_eq!(
        with(&[(".gemini/settings.json", named)], "gemini"),
        (one("RULES.md"), none)
    );
}

#[test]
fn a_guide_put_there_by_hand_is_not_given_twice() {
    let repo = repo();
    let guide = repo.reflectt(["guide"]).ok().stdout;
    repo.write("AGENTS.md", format!("# Rules\n\n{guide}"));
    let done = run(&repo, &["codex"]).ok();
    assert!(done.stdout.contains("put there by hand"), "{done}");
    let text = std::fs::read_to_string(repo.path().join("AGENTS.md")).unwrap();
    assert_eq!(text, format!("# Rules\n\n{guide}"));
    run(&repo, &["--remove"]).ok();
    assert_eq!(names(&repo), ["AGENTS.md"]);
}

#[test]
fn instructions_of_an_older_version_are_replaced() {
    let repo = repo();
    repo.write("AGENTS.md", "a\n");
    run(&repo, &["codex"]).ok();
    let path = repo.path().join("AGENTS.md");
    let new = std::fs::read_to_string(&path).unwrap();
    let old = new.replace("keeps tasks", "kept tasks") + "b\n";
    assert_ne!(old, new.clone() + "b\n");
    std::fs::write(&path, old).unwrap();
    let check = run(&repo, &["codex", "--check"]).code(4);
    assert!(check.stdout.contains("outdated  AGENTS.md"), "{check}");
    run(&repo, &["codex"]).ok();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), new + "b\n");
}

#[test]
fn strict_stays_until_it_is_taken_out() {
    let repo = repo();
    run(&repo, &["claude", "cursor", "--strict"]).ok();
    let strict = |expected: bool| {
        let claude = json(&repo, ".claude/settings.json");
        let edit = &claude["hooks"]["PreToolUse"][0]["hooks"][0];
        assert_eq!(edit.get("onFailure").is_some(), expected);
        let cursor = json(&repo, ".cursor/hooks.json");
        let edit = &cursor["hooks"]["preToolUse"][0];
        assert_eq!(edit.get("failClosed").is_some(), expected);
    };
    strict(true);
    let again = run(&repo, &["claude", "cursor"]).ok();
    assert_eq!(again.stdout.matches("stays strict").count(), 2, "{again}");
    strict(true);
    run(&repo, &["--remove"]).ok();
    run(&repo, &["claude", "cursor"]).ok();
    strict(false);
    run(&repo, &["claude", "cursor", "--strict", "--check"]).code(4);
}
