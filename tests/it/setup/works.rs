//! Whether what is set up works: `doctor`, and the plugin in a real JavaScript engine.

use crate::hooks::script;

use super::*;

/// Returns what `doctor` finds about harnesses, as `severity what`, with a program of this text
/// in the place of `reflectt`; none if it is empty.
fn findings(repo: &Repo, program: &str) -> Vec<(String, String)> {
    let bin = repo.env().dir().join("tools");
    std::fs::remove_file(bin.join("reflectt")).ok();
    if !program.is_empty() {
        script(&bin.join("reflectt"), program);
    }
    let doctor = repo
        .command(["doctor", "--json"])
        .env("PATH", bin.to_str().unwrap());
    let told = doctor.run().json();
    let all = told["findings"].as_array().unwrap().iter();
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    all.filter(|finding| text(finding, "what").starts_with("harness"))
        .map(|finding| {
            let word = format!("{} {}", text(finding, "severity"), text(finding, "what"));
            (word, text(finding, "reason"))
        })
        .collect()
}

const WELL: &str = "#!/bin/sh\nwhile read -r line; do :; done\n";

#[test]
fn doctor_runs_what_is_installed() {
    let repo = repo();
    repo.found(&["kai"]);
    assert_eq!(findings(&repo, WELL), []);
    run(
        &repo,
        &["claude", "codex", "gemini", "copilot", "cursor", "opencode"],
    )
    .ok();
    let words = |program: &str| -> Vec<String> {
        findings(&repo, program)
            .into_iter()
            .map(|(word, _)| word)
            .collect()
    };
    assert_eq!(words(WELL), ["info harness_trust"]);
    let missing = findings(&repo, "");
    assert_eq!(missing[0].0, "error harness_program");
    assert!(
        missing[0].1.contains("Claude Code, Codex CLI"),
        "{missing:?}"
    );
    assert_eq!(
        words("#!/bin/sh\nexit 3\n")
            .iter()
            .filter(|w| *w == "error harness_hook")
            .count(),
        6
    );
    // Each is asked in its own words, with the command of its own file.
    let said = repo.env().dir().join("said");
    let listen = format!(
        "#!/bin/sh\nread -r line\nprintf '%s\\n' \"$* $line\" >> '{}'\n",
        said.display()
    );
    assert_eq!(words(&listen), ["info harness_trust"]);
    let said = std::fs::read_to_string(said).unwrap();
    for (harness, word) in [
        ("claude", "\"tool_name\":\"Write\""),
        ("codex", "*** Begin Patch"),
        ("gemini", "\"tool_name\":\"write_file\""),
        ("copilot", "\"toolName\":\"apply_patch\""),
        ("cursor", "\"conversation_id\""),
        ("opencode", "\"filePath\""),
    ] {
        let line = format!("hook agent before-edit --harness {harness} ");
        let line = said.lines().find(|l| l.starts_with(&line)).unwrap();
        assert!(line.contains(word), "{line}");
    }
    let warns = "#!/bin/sh\necho 'warning: what is this' >&2\n";
    let found = findings(&repo, warns);
    assert!(found[0].1.contains("does not understand"), "{found:?}");

    std::fs::write(repo.path().join(".cursor/mcp.json"), "{}").unwrap();
    let found = findings(&repo, WELL);
    assert_eq!(found[0].0, "warning harness_outdated");
    assert!(found[0].1.ends_with(": .cursor/mcp.json"), "{found:?}");
    std::fs::write(repo.path().join(".cursor/mcp.json"), "{").unwrap();
    let found = findings(&repo, WELL);
    assert_eq!(found[0].0, "error harness_file");
}

/// Where there is no `node`, the plugin is at least what the table says.
#[test]
fn the_plugin_asks_and_passes_on_the_answers() {
    let repo = repo();
    run(&repo, &["opencode"]).ok();
    let plugin = repo.path().join(".opencode/plugins/reflectt.js");
    let text = std::fs::read_to_string(&plugin).unwrap();
    for event in [
        "session-start",
        "prompt",
        "before-edit",
        "after-tool",
        "stop",
        "session-end",
    ] {
        assert!(text.contains(&format!("\"{event}\"")), "{event}");
    }
    let node = std::process::Command::new("node").arg("--version").output();
    if !node.is_ok_and(|output| output.status.success()) {
        return;
    }
    let bin = repo.env().dir().join("fake");
    let said = repo.env().dir().join("said");
    let answers = "#!/bin/sh
read -r line
echo \"$* $line\" >> SAID
case $3 in
  before-edit) echo '{\"deny\": \"held by link\"}';;
  after-tool) echo '{\"context\": \"new mail\"}';;
  session-start) echo '{\"context\": \"status\"}';;
  stop) echo '{\"context\": \"submit it\"}';;
  prompt) echo 'no json';;
esac
";
    script(
        &bin.join("reflectt"),
        &answers.replace("SAID", said.to_str().unwrap()),
    );
    let copy = repo.env().dir().join("plugin.mjs");
    std::fs::copy(&plugin, &copy).unwrap();
    let story = r#"
const { Reflectt } = await import(process.argv[2])
const prompted = []
const client = { session: {
  get: async ({ path }) => ({ data: { parentID: path.id === "child" ? "s" : undefined } }),
  promptAsync: async (it) => prompted.push(it),
} }
const hooks = await Reflectt({ client, directory: process.cwd() })
const system = []
for (let i = 0; i < 2; i++) await hooks["experimental.chat.system.transform"]({ sessionID: "s" }, { system })
const parts = [{ type: "text", text: "hi" }]
await hooks["chat.message"]({ sessionID: "s" }, { parts })
let denied = ""
const edit = (tool) => hooks["tool.execute.before"]({ tool, sessionID: "s", callID: "c" }, { args: { filePath: "a" } })
await edit("read")
try { await edit("edit") } catch (error) { denied = error.message }
const output = { output: "done" }
await hooks["tool.execute.after"]({ tool: "bash", sessionID: "s", callID: "c", args: {} }, output)
await hooks["tool.execute.after"]({ tool: "mcp", sessionID: "s", callID: "c" }, {})
for (const sessionID of ["s", "child"]) await hooks.event({ event: { type: "session.idle", properties: { sessionID } } })
await hooks.event({ event: { type: "session.deleted", properties: { info: { id: "s" } } } })
console.log(JSON.stringify({ system, parts, denied, output, prompted }))
"#;
    let script_file = repo.env().dir().join("story.mjs");
    std::fs::write(&script_file, story).unwrap();
    let tell = |path: String| {
        let mut node = std::process::Command::new("node");
        let output = node
            .arg(&script_file)
            .arg(&copy)
            .env("PATH", path)
            .current_dir(repo.path())
            .output()
            .unwrap();
        Output::of(&repo, "node", output).ok().json()
    };
    let path = std::env::var("PATH").unwrap();
    let told = tell(format!("{}:{path}", bin.display()));
    assert_eq!(told["system"], serde_json::json!(["status", "status"]));
    assert_eq!(told["parts"][0]["text"], "hi");
    assert_eq!(told["denied"], "held by link");
    assert_eq!(told["output"]["output"], "done\n\nnew mail");
    assert_eq!(told["prompted"].as_array().unwrap().len(), 1);
    assert_eq!(told["prompted"][0]["body"]["parts"][0]["text"], "submit it");
    let said = std::fs::read_to_string(&said).unwrap();
    let events: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    assert_eq!(
        events,
        [
            "session-start",
            "prompt",
            "before-edit",
            "after-tool",
            "after-tool",
            "stop",
            "session-end"
        ]
    );
    assert!(
        said.contains("\"tool_input\":{\"filePath\":\"a\"}"),
        "{said}"
    );

    // Nothing ends without the program.
    let gone = tell(path);
    assert_eq!(
        (&gone["denied"], &gone["output"]["output"]),
        (&"".into(), &"done".into())
    );
}
