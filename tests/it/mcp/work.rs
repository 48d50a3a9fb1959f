//! A task from new to landed by tools alone.

use serde_json::{Value, json};

use crate::support::TestEnv;
use crate::support::mcp::Mcp;

/// Asserts that an answer has only fields that its tool's schema names, each of its type.
#[track_caller]
fn fits(tools: &Value, name: &str, answer: &Value) {
    let tools = tools["result"]["tools"].as_array().unwrap();
    let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
    let properties = &tool["outputSchema"]["properties"];
    for (field, value) in answer.as_object().unwrap() {
        if field == "warnings" || field.ends_with("_left_out") {
            continue;
        }
        let kind = match value {
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Number(_) => "integer",
            _ => "boolean",
        };
        let wanted = &properties[field]["type"];
        assert!(
            wanted.is_null() || wanted == kind,
            "{name}.{field}: {answer}"
        );
    }
    let known = answer.as_object().unwrap().keys();
    let known = known.filter(|field| properties.get(field.as_str()).is_some());
    assert!(known.count() > 0, "{name}: {answer}");
}

#[test]
fn a_task_goes_from_new_to_landed_by_tools_alone() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let place = repo.worktree("kai-work");
    place.reflectt(["join", "kai"]).ok();
    let mut kai = Mcp::start(&place, "kai");
    let mut link = Mcp::start(&repo, "link");
    let tools = kai.request("tools/list", json!({}));
    let call = |by: &mut Mcp, name: &str, arguments: Value| {
        let answer = by.tool(name, arguments);
        assert!(answer["error"].is_null(), "{name}: {answer}");
        fits(&tools, name, &answer);
        answer
    };

    let task =
        json!({"title": "Keep the return path", "criteria": ["it is kept"], "paths": ["a.txt"]});
    let id = call(&mut kai, "new_task", task)["id"].clone();
    let id = id.as_str().unwrap();
    let status = call(&mut kai, "status", json!({}));
    assert_eq!(status["next"]["id"], id);
    let action = status["action"].as_str().unwrap();
    assert!(action.contains(r#"`next {"branch":true}`"#), "{action}");

    let taken = call(&mut kai, "next", json!({"branch": true}));
    assert_eq!(taken["task"]["done_criteria"], json!(["it is kept"]));
    assert_eq!(taken["claim"]["state"], "confirmed");
    assert!(place.git(["branch", "--show-current"]).starts_with("task/"));
    let wider = call(
        &mut kai,
        "claim",
        json!({"id": id, "paths": ["b.txt"], "share": ["LOG.md"]}),
    );
    assert_eq!(wider["task"]["paths"], json!(["a.txt", "b.txt", "LOG.md"]));
    call(&mut kai, "progress", json!({"note": "half of it"}));
    call(
        &mut kai,
        "progress",
        json!({"id": id, "comment": "@link have a look"}),
    );
    call(
        &mut kai,
        "progress",
        json!({"id": id, "block": "the disk is full"}),
    );
    let going = call(&mut kai, "progress", json!({"id": id, "unblock": true}));
    assert_eq!(going["status"], "doing");

    place.write("a.txt", "kept\n");
    place.commit("Keep it");
    let done =
        json!({"id": id, "summary": "it is kept", "evidence": ["looked"], "reviewer": "link"});
    let submitted = call(&mut kai, "submit", done);
    assert_eq!(submitted["status"], "validating");

    let status = call(&mut link, "status", json!({}));
    let action = status["action"].as_str().unwrap();
    assert!(
        action.contains(&format!(r#"`review {{"id":"{id}"}}`"#)),
        "{action}"
    );
    let shown = call(&mut link, "review", json!({"id": id}));
    assert_eq!(shown["files"][0]["path"], "a.txt", "{shown}");
    assert_eq!(shown["evidence"][0]["evidence"], "looked");
    // What was commented.
    call(&mut link, "message", json!({}));
    call(&mut link, "message", json!({"ack_all": true}));
    let approved = call(&mut link, "review", json!({"id": id, "approve": true}));
    assert_eq!(approved["approved"]["by"], "link", "{approved}");
    assert_eq!(
        approved["hints"][0], "land {} (1 task approved)",
        "{approved}"
    );
    let landed = call(&mut link, "land", json!({}));
    assert_eq!(landed["landed"][0]["task"], id);
    let shown = call(&mut kai, "show", json!({"id": id}));
    assert_eq!(shown["status"], "done");
    assert_eq!(shown["events"][0]["kind"], "created");
    let all = call(&mut kai, "list", json!({"all": true}));
    assert_eq!(all["tasks"][0]["id"], id);

    // What was done by tools is what the command line shows.
    let there = repo
        .as_agent("kai", ["--json", "task", "show", id])
        .ok()
        .json();
    assert_eq!(there["status"], shown["status"]);
    assert_eq!(there["landed"]["commit"], shown["landed"]["commit"]);
    let learned = json!({"worked": "tools", "pain": "none", "change": "nothing", "task": id});
    call(&mut kai, "reflect", learned);
    assert_eq!(kai.end(), Some(0));
}

#[test]
fn messages_are_read_and_marked_only_when_they_were_shown() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let mut kai = Mcp::start(&repo, "kai");
    for n in 0..13 {
        repo.as_agent("link", ["send", "kai", &format!("number {n}")])
            .ok();
    }
    let read = kai.tool("message", json!({}));
    assert_eq!(read["messages"].as_array().unwrap().len(), 10);
    assert_eq!(read["messages_left_out"], 3);
    let marked = kai.tool("message", json!({"ack_all": true}));
    assert_eq!(
        (&marked["acknowledged"], &marked["left"]),
        (&json!(10), &json!(3))
    );
    let rest = kai.tool("message", json!({}));
    assert_eq!(rest["messages"][0]["body"], "number 10", "{rest}");
    let id = rest["messages"][0]["id"].clone();
    assert_eq!(kai.tool("message", json!({"ack": [id]}))["left"], 2);

    // One that is cut is not shown whole, and stays.
    repo.as_agent("link", ["send", "kai", &"long ".repeat(1_000)])
        .ok();
    let read = kai.tool("message", json!({}));
    assert!(
        read["messages"][2]["body"].as_str().unwrap().ends_with('…'),
        "{read}"
    );
    assert_eq!(kai.tool("message", json!({"ack_all": true}))["left"], 1);

    let sent = kai.tool(
        "message",
        json!({"to": ["link", "#general"], "text": "all read"}),
    );
    assert!(sent["id"].is_string(), "{sent}");
    let there = repo.as_agent("link", ["--json", "inbox"]).ok().json();
    assert_eq!(there["messages"][0]["body"], "all read");
    let mut link = Mcp::start(&repo, "link");
    link.tool("message", json!({}));
    link.tool("message", json!({"ack_all": true}));
    assert_eq!(link.tool("message", json!({})), json!({"messages": []}));
}

#[test]
fn errors_are_the_object_of_the_command_line_with_calls_for_hints() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &["--path", "src"]);
    repo.as_agent("kai", ["claim", &id]).ok();
    let mut link = Mcp::start(&repo, "link");
    let refused = link.tool("claim", json!({"id": id}));
    let error = &refused["error"];
    let there = repo
        .as_agent("link", ["--json", "claim", &id])
        .code(3)
        .json();
    for field in [
        "kind",
        "message",
        "holder",
        "task",
        "since",
        "paths",
        "holder_status",
    ] {
        assert_eq!(error[field], there["error"][field], "{field}: {refused}");
    }
    assert_eq!(
        error["hints"][0],
        r#"next {"branch":true} (takes other work)"#
    );
    assert_eq!(
        error["hints"][1],
        r#"message {"text":"TEXT","to":["kai"]} (asks the holder)"#
    );
    let paths = link.tool("claim", json!({"paths": ["src/a.rs"], "why": "a look"}));
    assert_eq!(paths["error"]["kind"], "held", "{paths}");
    let unclear = link.tool("claim", json!({}));
    assert_eq!(unclear["error"]["kind"], "usage");
    let wrong = link.tool("claim", json!({"id": id, "force": true}));
    let said = wrong["error"]["message"].as_str().unwrap();
    assert!(
        said.starts_with("`claim` takes no `force`, but id, paths"),
        "{said}"
    );
    let unknown = link.request("tools/call", json!({"name": "destroy", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

#[test]
fn who_joins_while_the_server_runs_is_known_to_it() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let mut nobody = Mcp::start(&repo, "");
    let refused = nobody.tool("status", json!({}));
    assert_eq!(refused["error"]["hints"][0], "reflectt init", "{refused}");
    repo.reflectt(["init", "--no-sync"]).ok();
    let refused = nobody.tool("status", json!({}));
    assert_eq!(refused["error"]["kind"], "usage", "{refused}");
    repo.reflectt(["join", "kai"]).ok();
    assert_eq!(nobody.tool("status", json!({}))["agent"], "kai");
}
