//! What an agent reads is paid for by every session: texts are measured in tokens, taken as
//! characters divided by four.

use serde_json::{Value, json};

use crate::support::mcp::Mcp;
use crate::support::{Repo, TestEnv};

/// 50 agents, 300 open tasks and 40 unread messages of kai; texts as long as agents write them.
fn much_is_going_on(env: &TestEnv) -> Repo {
    let repo = env.team(["kai", "link"]);
    let mut setup = String::new();
    for n in 0..48 {
        setup += &format!("$R join agent-{n} --role 'works on part {n}' || exit 1\n");
    }
    for n in 0..300 {
        setup += &format!(
            "$R task new 'Part {n}: keep the return path after login and after the token is renewed' \
             --criterion 'login from /app returns to /app, with its query string, in every browser' \
             --criterion 'the test of the login page covers it' \
             --path src/part-{n}/login.rs --path tests/part-{n}.rs || exit 1\n"
        );
    }
    for n in 0..40 {
        setup += &format!(
            "$R --as link send kai 'number {n}: the header of the cart is drawn twice when the \
             session was renewed; look at src/header.js before you go on, and tell me' || exit 1\n"
        );
    }
    repo.command(["--as", "kai", "status"])
        .by_shell(&format!(
            "R=\"$1 -q --no-sync\"; export REFLECTT_AGENT=kai\n{setup}"
        ))
        .run()
        .ok();
    repo
}

fn tokens(text: &str) -> usize {
    text.chars().count() / 4
}

#[track_caller]
fn at_most(limit: usize, what: &str, text: &str) {
    assert!(
        tokens(text) <= limit,
        "{what}: {} tokens\n{text}",
        tokens(text)
    );
}

#[test]
fn what_an_agent_reads_is_short_though_much_is_going_on() {
    let env = TestEnv::new();
    let repo = much_is_going_on(&env);
    let mut kai = Mcp::start(&repo, "kai");
    let mut link = Mcp::start(&repo, "link");
    let text = |value: &Value| value.to_string();

    let tools = kai.request("tools/list", json!({}));
    at_most(2_000, "tools/list", &text(&tools["result"]));
    let status = kai.tool("status", json!({}));
    assert_eq!(status["inbox_count"], 40);
    assert_eq!(status["inbox_left_out"], 36, "{status}");
    at_most(1_500, "the tool `status`", &text(&status));
    let shown = repo.as_agent("kai", ["status"]).ok().stdout;
    at_most(1_500, "`reflectt status`", &shown);
    let taken = kai.tool("next", json!({}));
    at_most(400, "the tool `next`", &text(&taken));
    let id = taken["task"]["id"].as_str().unwrap().to_owned();
    let shown = repo.as_agent("kai", ["next", "--claim"]).ok();
    at_most(
        400,
        "`reflectt next --claim`",
        &(shown.stdout + &shown.stderr),
    );
    let refused = link.tool("claim", json!({"id": id}));
    assert_eq!(refused["error"]["kind"], "held");
    at_most(200, "a refused claim", &text(&refused));
    let shown = repo.as_agent("link", ["claim", &id]).code(3);
    at_most(
        200,
        "a refused `reflectt claim`",
        &(shown.stdout + &shown.stderr),
    );

    let status = kai.tool("status", json!({}));
    at_most(1_500, "the tool `status` with work", &text(&status));
    let read = kai.tool("message", json!({}));
    assert_eq!(read["messages_left_out"], 30);
    at_most(1_500, "ten messages", &text(&read));
    let done = json!({"id": id, "summary": "kept", "evidence": ["looked", "ran it"]});
    let submitted = kai.tool("submit", done);
    assert_eq!(submitted["status"], "validating", "{submitted}");
    at_most(100, "the tool `submit`", &text(&submitted));
    let listed = kai.tool("list", json!({}));
    assert_eq!(listed["tasks_left_out"], 260, "{listed}");
    at_most(3_000, "the tool `list`", &text(&listed));
}
