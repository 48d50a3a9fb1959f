//! The calls that a team makes, and what they answer.

use serde_json::{Value, json};

use crate::support::http::{Answer, Web};
use crate::support::{Repo, TestEnv};

/// A server for kai's worktree, and its description.
struct Door {
    web: Web,
    described: Value,
}

impl Door {
    fn open(repo: &Repo) -> Door {
        repo.reflectt(["join", "kai"]).ok();
        let web = Web::start(repo);
        let described = web.get("/openapi.json").code(200);
        Door { web, described }
    }

    /// Makes a call that is done, and asserts that its answer is as it is described.
    #[track_caller]
    fn call(&self, verb: &str, path: &str, body: Value) -> Value {
        let sent = if verb == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self.web.with(verb, path, "", &sent);
        assert!(answer.status < 300, "{verb} {path}: {answer:?}");
        let template = self.template(path);
        let operation = &self.described["paths"][&template][verb.to_lowercase()];
        let success = &operation["responses"][answer.status.to_string()]["content"];
        let schema = &success["application/json"]["schema"];
        assert!(
            schema.is_object(),
            "{verb} {template} answers {}",
            answer.status
        );
        let json = answer.json();
        for name in schema["required"].as_array().into_iter().flatten() {
            let wanted = &schema["properties"][name.as_str().unwrap()]["type"];
            let value = &json[name.as_str().unwrap()];
            let kind = match value {
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
                Value::Number(_) => "integer",
                Value::Bool(_) => "boolean",
                Value::Null => "null",
            };
            assert_eq!(wanted, kind, "{verb} {template}: {name} in {json}");
        }
        json
    }

    /// Finds the described path that stands for one.
    fn template(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap();
        let fits = |template: &str| {
            let (one, other) = (template.split('/'), path.split('/'));
            template.split('/').count() == path.split('/').count()
                && one.zip(other).all(|(a, b)| a == b || a.starts_with('{'))
        };
        let paths = self.described["paths"].as_object().unwrap();
        let exact = paths.keys().find(|it| *it == path);
        let found = exact.or_else(|| paths.keys().find(|it| fits(it)));
        found
            .unwrap_or_else(|| panic!("{path} is not described"))
            .clone()
    }
}

#[test]
fn calls_of_the_original_work_word_for_word() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let door = Door::open(&repo);
    let headers = "Content-Type: application/json\r\n";
    let body = r#"{"title": "Fix auth redirect", "assignee": "link", "priority": "P1"}"#;
    let made = door.web.with("POST", "/tasks", headers, body).code(200);
    assert_eq!(made["success"], true);
    assert_eq!(
        (&made["task"]["assignee"], &made["task"]["priority"]),
        (&json!("link"), &json!("P1"))
    );
    // curl says this of every body it is not told the type of.
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body =
        r##"{"from": "kai", "content": "@link PR #522 is green, merge it", "channel": "general"}"##;
    let sent = door
        .web
        .with("POST", "/chat/messages", headers, body)
        .code(200);
    assert_eq!(sent["message"]["to"], json!(["link"]));
    let here = door.web.get("/presence").code(200);
    assert_eq!(here["agents"][1]["name"], "link");
    let seen = here["agents"][1]["lastSeen"].as_str().unwrap();
    assert!(seen.ends_with(" ago"), "{seen}");
    assert_eq!(here["presences"][0]["agent"], "kai");
    assert!(here["presences"][0]["lastUpdate"].is_i64());
    // What its channel plugin asks.
    let waiting = door
        .web
        .get("/tasks?assignee=link&status=todo&limit=1")
        .code(200);
    assert_eq!(waiting["total"], 1);
    let said = door.web.get("/chat/messages?limit=500").code(200);
    assert_eq!(
        said["messages"][0]["content"],
        "@link PR #522 is green, merge it"
    );
    assert_eq!(
        repo.as_agent("link", ["--json", "inbox"]).ok().json()["messages"][0]["from"],
        "kai"
    );
}

#[test]
fn a_task_goes_from_new_to_approved_by_calls_alone() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let door = Door::open(&repo);
    let task = json!({
        "title": "Keep the return path", "description": "after login", "createdBy": "link",
        "done_criteria": ["login from /app returns to /app"], "paths": ["src"], "tags": ["auth"], "eta": "1h",
    });
    let made = door.call("POST", "/tasks", task);
    assert_eq!(made["task"]["created_by"], "link");
    assert_eq!(made["warnings"], json!(["`eta` is not kept"]));
    let id = made["task"]["id"].as_str().unwrap().to_owned();
    let next = door.call("GET", "/tasks/next?agent=kai", Value::Null);
    assert_eq!(next["task"]["id"], *id);
    assert_eq!(
        door.call("GET", "/heartbeat/kai", Value::Null)["action"],
        format!("Claim {id}")
    );
    let taken = door.call("GET", "/tasks/next?agent=kai&claim=1", Value::Null);
    assert_eq!(
        (&taken["claimed"], &taken["task"]["status"]),
        (&json!(true), &json!("doing"))
    );
    assert_eq!(
        door.call("GET", "/heartbeat/kai", Value::Null)["active"]["id"],
        *id
    );

    // The same task, by the beginning of its id.
    let path = format!("/tasks/{}", &id[..4]);
    let refused = door
        .web
        .post(&format!("{path}/claim"), &json!({"agent": "link"}))
        .code(409);
    assert_eq!(
        (&refused["code"], &refused["assignee"], &refused["holder"]),
        (
            &json!("TASK_ALREADY_ASSIGNED"),
            &json!("kai"),
            &json!("kai")
        )
    );
    let comment = door.call(
        "POST",
        &format!("{path}/comments"),
        json!({"author": "link", "content": "<script>alert(1)</script>"}),
    );
    assert_eq!(comment["comment"]["author"], "link");
    assert_eq!(
        door.call("GET", &format!("{path}/comments"), Value::Null)["count"],
        1
    );
    let blocked = door
        .web
        .patch(&path, &json!({"status": "blocked", "agent": "kai"}))
        .code(400);
    assert!(
        blocked["error"].as_str().unwrap().contains("`reason`"),
        "{blocked}"
    );
    let blocked = json!({"status": "blocked", "agent": "kai", "reason": "no network"});
    assert_eq!(
        door.call("PATCH", &path, blocked)["task"]["status"],
        "blocked"
    );
    let goes_on =
        json!({"status": "in-progress", "actor": "kai", "priority": "P0", "tags": ["login"]});
    let goes_on = door.call("PATCH", &path, goes_on);
    assert_eq!(
        (
            &goes_on["task"]["status"],
            &goes_on["task"]["priority"],
            &goes_on["task"]["tags"]
        ),
        (&json!("doing"), &json!("P0"), &json!(["login"]))
    );

    repo.write("src/login.js", "export const to = null\n");
    repo.commit("Keep the return path");
    let bare = json!({"agent": "kai", "summary": "it returns"});
    let refused = door.web.post(&format!("{path}/submit"), &bare).code(422);
    assert_eq!(
        (&refused["rule"], &refused["gate"]),
        (&json!("evidence"), &json!("evidence"))
    );
    let whole = json!({"agent": "kai", "status": "validating", "summary": "it returns", "evidence": ["logged in"], "reviewer": "link"});
    let submitted = door.call("PATCH", &path, whole);
    assert_eq!(submitted["task"]["status"], "validating");
    assert_eq!(
        submitted["task"]["submission"]["evidence"],
        json!(["logged in"])
    );
    let own = door
        .web
        .patch(&path, &json!({"status": "done", "agent": "kai"}))
        .code(422);
    assert_eq!(own["rule"], "reviewer");
    let back = json!({"reviewer": "link", "decision": "reject", "comment": "a test is missing"});
    assert_eq!(
        door.call("POST", &format!("{path}/review"), back)["task"]["status"],
        "doing"
    );
    let again = json!({"agent": "kai", "summary": "with a test", "evidence": "logged in"});
    door.call("POST", &format!("{path}/submit"), again);
    let done = door.call("PATCH", &path, json!({"status": "done", "agent": "link"}));
    assert_eq!(done["task"]["approved"]["by"], "link");
    let shown = door.call("GET", &path, Value::Null);
    assert_eq!(
        (&shown["matchType"], &shown["resolvedId"]),
        (&json!("prefix"), &json!(id))
    );
    assert_eq!(shown["task"]["commentCount"], 1);
    let kinds = shown["task"]["events"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|event| event["kind"].as_str().unwrap()).collect();
    // Its commit is on the landing branch already.
    assert_eq!(
        kinds,
        [
            "created",
            "claimed",
            "commented",
            "blocked",
            "edited",
            "unblocked",
            "submitted",
            "changes_requested",
            "submitted",
            "approved",
            "landed",
        ]
    );
}

#[test]
fn moves_of_every_kind_go_by_the_same_rules() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let door = Door::open(&repo);
    let id = repo.task("kai", "Keep the return path", &["--path", "src"]);
    let path = format!("/tasks/{id}");
    // Whoever a task is set to `doing` for claims it.
    let taken = door.call(
        "PATCH",
        &path,
        json!({"status": "doing", "assignee": "link"}),
    );
    assert_eq!(taken["task"]["assignee"], "link");
    assert_eq!(
        door.call("GET", "/claims", Value::Null)["claims"][0]["agent"],
        "link"
    );
    let given = door.call(
        "PATCH",
        &path,
        json!({"status": "todo", "assignee": null, "agent": "link", "note": "half of it"}),
    );
    assert_eq!(
        (&given["task"]["assignee"], &given["task"]["status"]),
        (&Value::Null, &json!("todo"))
    );
    let named = door.call(
        "PATCH",
        &path,
        json!({"assignee": "link", "done_criteria": ["one", "a test shows it"]}),
    );
    assert_eq!(
        named["task"]["done_criteria"],
        json!(["one", "a test shows it"])
    );
    assert_eq!(
        door.call("PATCH", &path, json!({"assignee": "unassigned"}))["task"]["assignee"],
        Value::Null
    );
    door.call(
        "POST",
        &format!("{path}/claim"),
        json!({"from": "link", "paths": ["docs"]}),
    );
    door.call("POST", &format!("{path}/release"), json!({"from": "link"}));
    let gone = json!({"status": "cancelled", "metadata": {"cancel_reason": "not needed"}});
    assert_eq!(
        door.call("PATCH", &path, gone)["task"]["status"],
        "cancelled"
    );
    let again = json!({"status": "todo", "metadata": {"reopen": true, "reopen_reason": "it is"}});
    assert_eq!(door.call("PATCH", &path, again)["task"]["status"], "todo");

    let all = door.call("GET", "/tasks?compact=1&tag=none", Value::Null);
    assert_eq!(all["total"], 0);
    let all = door.call("GET", "/tasks?compact=1&stauts=todo", Value::Null);
    assert!(all["tasks"][0]["description"].is_null(), "{all}");
    assert_eq!(
        all["warnings"],
        json!(["GET /tasks has no parameter `stauts`"])
    );
}

#[test]
fn people_and_what_they_say() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let door = Door::open(&repo);
    let health = door.call("GET", "/health", Value::Null);
    assert_eq!(
        (&health["status"], &health["team"]),
        (&json!("ok"), &json!("repo"))
    );
    let beat = door.call(
        "POST",
        "/presence/link",
        json!({"status": "working", "task": "reads the log"}),
    );
    assert_eq!(beat["presence"]["status"], "working");
    assert_eq!(
        door.call("GET", "/presence", Value::Null)["agents"][1]["note"],
        "reads the log"
    );

    let said = json!({"from": "kai", "to": "link", "content": "one", "urgent": true});
    let sent = door.call("POST", "/chat/messages", said);
    assert_eq!(sent["message"]["channel"], Value::Null);
    let header = "X-Reflectt-Agent: kai\r\n";
    let answered = json!({"content": "two, @link", "threadId": sent["message"]["id"]}).to_string();
    door.web
        .with("POST", "/chat/messages", header, &answered)
        .code(200);
    let inbox = door.call("GET", "/inbox/link", Value::Null);
    assert_eq!(inbox["count"], 2);
    assert_eq!(
        (
            &inbox["messages"][0]["priority"],
            &inbox["messages"][1]["reason"]
        ),
        (&json!("high"), &json!("mention"))
    );
    assert_eq!(
        door.call("GET", "/inbox/link", Value::Null)["count"],
        2,
        "reading changes nothing"
    );
    let first = inbox["messages"][0]["timestamp"].clone();
    let acked = door.call("POST", "/inbox/link/ack", json!({"upTo": first}));
    assert!(acked["count"].as_u64() >= Some(1), "{acked}");
    let acked = door.call("POST", "/inbox/link/ack", json!({"all": true}));
    assert_eq!(acked["left"], 0);
    let talk = door.call(
        "GET",
        "/chat/messages?channel=general&compact=1",
        Value::Null,
    );
    assert_eq!(talk["messages"][0]["ch"], "general");

    let learned = json!({
        "author": "kai", "went_well": "pairing", "pain": "slow tests", "impact": "an hour",
        "proposed_fix": "fewer", "severity": "critical", "confidence": 7, "role_type": "agent",
    });
    let learned = door.call("POST", "/reflections", learned);
    assert_eq!(learned["reflection"]["pain"], "slow tests\nimpact: an hour");
    let log = door.call("GET", "/log?limit=1", Value::Null);
    assert_eq!(log["events"][0]["kind"], "reflection");
    door.call("GET", "/insights", Value::Null);
    door.call("GET", "/asks", Value::Null);
    door.web
        .post("/asks/x/answer", &json!({"answer": "yes"}))
        .code(404);
    let board: Answer = door.web.get("/board");
    assert_eq!(
        board.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    assert!(board.body.starts_with('#'), "{board:?}");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let door = Door::open(&repo);
    let stranger = door
        .web
        .post("/chat/messages", &json!({"from": "lnik", "content": "x"}))
        .code(404);
    assert_eq!(
        (&stranger["suggestions"], &stranger["agents"]),
        (&json!(["link"]), &json!(["kai", "link"]))
    );
    door.web.get("/heartbeat/nobody").code(404);
    door.web.get("/tasks/zzzz").code(404);
    door.web.get("/tasks/u").code(400);
    // Ids are drawn: some two of so many begin alike.
    let mut known: Vec<String> = Vec::new();
    let prefix = loop {
        let made = door
            .web
            .post("/tasks", &json!({"title": "one of many"}))
            .code(200);
        let id = made["task"]["id"].as_str().unwrap().to_owned();
        if known.iter().any(|other| other[..2] == id[..2]) {
            break id[..2].to_owned();
        }
        known.push(id);
    };
    let several = door.web.get(&format!("/tasks/{prefix}")).code(400);
    assert_eq!(
        several["suggestions"].as_array().unwrap().len(),
        2,
        "{several}"
    );
}
