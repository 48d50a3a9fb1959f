//! Both lifecycles of the protocol, subscriptions, and how a server begins and ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::mcp::{Mcp, content};
use crate::support::{TestEnv, poll_until};

#[test]
fn a_client_of_the_newest_protocol_needs_no_handshake() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let mut mcp = Mcp::stateless(&repo, "kai");
    let found = mcp.request("server/discover", json!({}));
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    assert!(versions.contains(&json!("2025-06-18")), "{found}");
    let said = found["result"]["instructions"].as_str().unwrap();
    assert!(said.contains("`status`"), "{said}");
    let tools = mcp.request("tools/list", json!({}));
    assert_eq!(tools["result"]["resultType"], "complete", "{tools}");
    assert_eq!(mcp.tool("status", json!({}))["agent"], "kai");
    // The handshake of the others is not spoken here any more.
    assert_eq!(mcp.request("ping", json!({}))["error"]["code"], -32601);
}

#[test]
fn a_client_of_an_older_protocol_shakes_hands() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::spawn(&repo, "kai");
        let answer = mcp.shake_hands(version);
        assert_eq!(answer["result"]["protocolVersion"], version, "{answer}");
        assert!(mcp.request("ping", json!({}))["error"].is_null());
        let tools = mcp.request("tools/list", json!({}));
        assert!(tools["result"]["resultType"].is_null(), "{tools}");
        assert_eq!(mcp.tool("status", json!({}))["agent"], "kai");
    }
}

#[test]
fn what_is_subscribed_to_is_told_when_another_process_changes_it() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    let other = repo.task("kai", "Show the cart", &[]);
    let task = format!("reflectt://task/{id}");

    let mut old = Mcp::start(&repo, "kai");
    let answer = old.request("resources/subscribe", json!({"uri": task}));
    assert!(answer["error"].is_null(), "{answer}");
    let unknown = old.request("resources/subscribe", json!({"uri": "reflectt://nothing"}));
    assert!(unknown["error"].is_object(), "{unknown}");

    let mut new = Mcp::stateless(&repo, "kai");
    let wanted = json!({"notifications": {
        "resourceSubscriptions": [task, "reflectt://board", "file:///etc/passwd"],
    }});
    let listening = new.ask("subscriptions/listen", wanted);
    let agreed = new.notification("notifications/subscriptions/acknowledged");
    let accepted = &agreed["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(accepted, &json!([task, "reflectt://board"]), "{agreed}");

    // Both followers have begun when they have told of something.
    let mut n = 0;
    let mut tell = |mcp: &mut Mcp| {
        poll_until("a change is told", Duration::from_secs(60), || {
            n += 1;
            let text = format!("comment {n}");
            repo.as_agent("link", ["task", "comment", &other, &text])
                .ok();
            repo.as_agent("link", ["task", "comment", &id, &text]).ok();
            let told = mcp.notification("notifications/resources/updated");
            (told["params"]["uri"] == task.as_str()).then_some(())
        });
    };
    tell(&mut new);
    tell(&mut old);

    new.send(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": listening},
    }));
    assert_eq!(new.tool("status", json!({}))["agent"], "kai");
    assert!(old.request("resources/unsubscribe", json!({"uri": task}))["error"].is_null());
    assert_eq!(new.end(), Some(0));
    assert_eq!(old.end(), Some(0));
}

#[test]
fn resources_and_prompts_say_how_things_stand() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    let mut mcp = Mcp::start(&repo, "kai");
    let mut read = |uri: &str| {
        let answer = mcp.request("resources/read", json!({"uri": uri}));
        answer["result"]["contents"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(read("reflectt://board").contains("Keep the return path"));
    let me: Value = serde_json::from_str(&read("reflectt://me")).unwrap();
    assert_eq!(me["agent"], "kai");
    let task: Value = serde_json::from_str(&read(&format!("reflectt://task/{id}"))).unwrap();
    assert_eq!(task["title"], "Keep the return path");
    assert_eq!(read("reflectt://task/zzzzzz"), "");
    let listed = mcp.request("resources/list", json!({}));
    assert_eq!(listed["result"]["resources"].as_array().unwrap().len(), 2);
    let templates = mcp.request("resources/templates/list", json!({}));
    let template = &templates["result"]["resourceTemplates"][0]["uriTemplate"];
    assert_eq!(template, "reflectt://task/{id}");

    let prompts = mcp.request("prompts/list", json!({}));
    let names = prompts["result"]["prompts"].as_array().unwrap().iter();
    assert!(
        names.map(|it| &it["name"]).eq(["work", "review"]),
        "{prompts}"
    );
    let mut prompt = |name: &str, arguments: Value| {
        mcp.request("prompts/get", json!({"name": name, "arguments": arguments}))
    };
    let said = |answer: Value| answer["result"]["messages"][0]["content"]["text"].to_string();
    assert!(said(prompt("work", json!({}))).contains("best task"));
    assert!(said(prompt("work", json!({"id": id}))).contains("Keep the return path"));
    assert!(said(prompt("review", json!({"id": id}))).contains("Keep the return path"));
    assert_eq!(prompt("review", json!({}))["error"]["code"], -32602);
    assert_eq!(prompt("sleep", json!({}))["error"]["code"], -32602);
}

#[test]
fn a_server_answers_what_it_has_read_and_ends_with_its_input() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let mut mcp = Mcp::start(&repo, "kai");
    let task = json!({"name": "new_task", "arguments": {"title": "One last thing"}});
    let waits = json!({"name": "status", "arguments": {"wait_seconds": 600}});
    let made = mcp.ask("tools/call", task);
    let looked = mcp.ask("tools/call", json!({"name": "list", "arguments": {}}));
    let waited = mcp.ask("tools/call", waits);
    assert_eq!(mcp.end(), Some(0));
    assert_eq!(content(&mcp.answer(made))["title"], "One last thing");
    assert!(content(&mcp.answer(looked))["tasks"].is_array());
    // It was told that there is nothing, rather than left without an answer.
    assert_eq!(content(&mcp.answer(waited))["agent"], "kai");
    assert_eq!(mcp.line(), None);
    let there = repo.as_agent("kai", ["task", "list"]).ok();
    assert!(there.stdout.contains("One last thing"), "{there}");
}

#[test]
fn a_wait_ends_when_it_is_cancelled() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let mut mcp = Mcp::start(&repo, "kai");
    let waits = json!({"name": "status", "arguments": {"wait_seconds": 600}});
    let waiting = mcp.ask("tools/call", waits);
    mcp.send(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": waiting},
    }));
    assert_eq!(mcp.tool("status", json!({}))["agent"], "kai");
    assert_eq!(mcp.end(), Some(0));
}

#[test]
fn a_slow_call_says_what_it_is_at_and_can_be_cancelled() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let go = env.dir().join("go");
    let script = format!(
        "echo compiling; until test -e {}; do sleep 0.1; done",
        go.display()
    );
    repo.write(
        "reflectt.toml",
        format!("[checks.slow]\nrun = \"{script}\"\n"),
    );
    repo.commit("A check that takes its time");
    let id = repo.task("kai", "Keep the return path", &["--check", "slow"]);
    let place = repo.worktree("kai-work");
    place.reflectt(["join", "kai"]).ok();
    place.reflectt(["claim", &id]).ok();
    place.write("a.txt", "kept\n");
    place.commit("Keep it");

    let mut mcp = Mcp::start(&place, "kai");
    let done = json!({"id": id, "summary": "it is kept", "evidence": ["looked"]});
    let submit = json!({
        "name": "submit", "arguments": done, "_meta": {"progressToken": "p1"},
    });
    let submitting = mcp.ask("tools/call", submit.clone());
    let told = mcp.notification("notifications/progress");
    assert_eq!(told["params"]["progressToken"], "p1", "{told}");
    let said = told["params"]["message"].as_str().unwrap();
    assert!(said.starts_with("check slow runs for"), "{said}");
    mcp.send(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": submitting},
    }));
    // It comes after what was taken back, of which nothing is there.
    assert_eq!(mcp.tool("show", json!({"id": id}))["status"], "doing");

    std::fs::write(go, "").unwrap();
    let answer = mcp.request("tools/call", submit);
    assert_eq!(content(&answer)["status"], "validating", "{answer}");
}
