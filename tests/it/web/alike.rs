//! Every door does the same.

use serde_json::{Value, json};

use crate::support::http::Web;
use crate::support::mcp::Mcp;
use crate::support::{Repo, TestEnv};

/// Returns what the record says happened, without what is drawn or timed.
fn record(repo: &Repo) -> Vec<Value> {
    let log = repo.reflectt(["--json", "log"]).ok().stdout;
    let lines = log.lines().map(serde_json::from_str);
    let mut events: Vec<Value> = lines.map(Result::unwrap).collect();
    for event in &mut events {
        for drawn in ["id", "at", "task", "fence"] {
            event[drawn] = Value::Null;
        }
    }
    events
}

#[test]
fn one_story_leaves_one_record_whatever_it_is_told_through() {
    let told = |tell: &dyn Fn(&Repo)| {
        let env = TestEnv::new();
        let repo = env.team(["kai", "link"]);
        repo.reflectt(["join", "kai"]).ok();
        tell(&repo);
        record(&repo)
    };
    let by_command = told(&|repo| {
        let id = repo.task(
            "kai",
            "Keep the return path",
            &["--path", "src", "--priority", "P1"],
        );
        repo.reflectt(["claim", &id]).ok();
        repo.reflectt(["task", "comment", &id, "half of it"]).ok();
        repo.reflectt(["block", &id, "--reason", "no network"]).ok();
        repo.reflectt(["send", "link", "have a look"]).ok();
        repo.reflectt(["release", &id, "--note", "for later"]).ok();
    });
    let by_tool = told(&|repo| {
        let mut mcp = Mcp::start(repo, "kai");
        let mut call = |name: &str, arguments: Value| {
            let answer = mcp.tool(name, arguments);
            assert!(answer["error"].is_null(), "{answer}");
            answer
        };
        let made = call(
            "new_task",
            json!({
                "title": "Keep the return path", "criteria": ["a test shows that it works"],
                "paths": ["src"], "priority": "P1",
            }),
        );
        let id = made["id"].clone();
        call("claim", json!({"id": id}));
        call("progress", json!({"id": id, "comment": "half of it"}));
        call("progress", json!({"id": id, "block": "no network"}));
        call("message", json!({"to": ["link"], "text": "have a look"}));
        call(
            "claim",
            json!({"id": id, "release": true, "note": "for later"}),
        );
    });
    let by_http = told(&|repo| {
        let web = Web::start(repo);
        let made = web.post("/tasks", &json!({
            "title": "Keep the return path", "done_criteria": ["a test shows that it works"],
            "paths": ["src"], "priority": "P1",
        })).code(200);
        let path = format!("/tasks/{}", made["task"]["id"].as_str().unwrap());
        web.post(&format!("{path}/claim"), &json!({})).code(200);
        web.post(
            &format!("{path}/comments"),
            &json!({"content": "half of it"}),
        )
        .code(200);
        web.patch(&path, &json!({"status": "blocked", "reason": "no network"}))
            .code(200);
        web.post(
            "/chat/messages",
            &json!({"to": "link", "content": "have a look"}),
        )
        .code(200);
        web.post(&format!("{path}/release"), &json!({"note": "for later"}))
            .code(200);
    });
    assert_eq!(by_command, by_tool);
    assert_eq!(by_command, by_http);
}
