//! What happens, as it happens.

use serde_json::{Value, json};

use crate::support::TestEnv;
use crate::support::http::Web;

#[test]
fn what_happens_is_told_in_order_and_by_name() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.reflectt(["join", "kai"]).ok();
    let mut web = Web::start(&repo);
    let mut all = web.listen("", "");
    let mut tasks = web.listen("?topics=task", "");
    let mut links = web.listen("?agent=link&types=message_posted", "");
    let first = all.next().unwrap();
    assert_eq!(first.kind, "message_posted");
    assert_eq!(first.data["content"], "Connected to event stream");
    assert_eq!(
        tasks.next().unwrap().kind,
        "connected",
        "it wants no messages"
    );
    links.next().unwrap();

    // By the command line as through the server.
    let id = repo.task("kai", "Keep the return path", &[]);
    let made = all.of("task_created");
    assert_eq!(
        (&made.data["id"], &made.data["status"]),
        (&json!(id), &json!("todo"))
    );
    assert_eq!(tasks.next().unwrap().kind, "task_created");
    web.post(&format!("/tasks/{id}/claim"), &json!({"agent": "kai"}))
        .code(200);
    assert_eq!(all.next().unwrap().kind, "task_assigned");
    let claimed = all.next().unwrap();
    assert_eq!(claimed.kind, "task_updated");
    assert_eq!(claimed.data["updates"]["kind"], "claimed");
    assert_eq!(tasks.of("task_updated").data["assignee"], "kai");
    web.post("/presence/kai", &json!({"status": "working"}))
        .code(200);
    assert_eq!(all.of("presence_updated").data["agent"], "kai");
    repo.as_agent("kai", ["send", "link", "a\n\ndata: b"]).ok();
    assert_eq!(all.of("message_posted").data["content"], "a\n\ndata: b");
    assert_eq!(links.next().unwrap().data["from"], "kai");

    assert_eq!(web.stop(), Some(0), "it ends although somebody listens");
    while all.next().is_some() {}
}

#[test]
fn whoever_was_away_goes_on_where_they_were() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let web = Web::start(&repo);
    let at = web.listen("", "").next().unwrap().id.unwrap();
    for number in 0..5 {
        repo.as_agent("kai", ["send", "#general", &format!("message {number}")])
            .ok();
    }
    let mut back = web.listen("", &format!("Last-Event-ID: {at}\r\n"));
    assert_eq!(back.next().unwrap().id.as_ref(), Some(&at));
    let mut heard = Vec::new();
    let last = loop {
        let event = back.next().unwrap();
        if event.kind.is_empty() {
            break event.id.unwrap();
        }
        heard.push(event.data["content"].as_str().unwrap().to_owned());
    };
    assert_eq!(
        heard,
        (0..5).map(|n| format!("message {n}")).collect::<Vec<_>>()
    );
    repo.as_agent("kai", ["send", "#general", "now"]).ok();
    assert_eq!(back.of("message_posted").data["content"], "now");
    let mut again = web.listen("", &format!("Last-Event-ID: {last}\r\n"));
    again.next().unwrap();
    assert_eq!(again.of("message_posted").data["content"], "now");
    for unknown in ["1".repeat(40), "nonsense".to_owned()] {
        let mut lost = web.listen("", &format!("Last-Event-ID: {unknown}\r\n"));
        lost.next().unwrap();
        assert_eq!(lost.next().unwrap().kind, "resync");
    }
}

#[test]
fn what_comes_together_is_told_together_where_asked_for() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let web = Web::start(&repo);
    let mut batched = web.listen("?batch=1&types=message_posted", "");
    batched.next().unwrap();
    let mut told: Vec<Value> = Vec::new();
    for number in 0..4 {
        let said = json!({"from": "kai", "content": format!("message {number}")});
        web.post("/chat/messages", &said).code(200);
    }
    let mut batches = 0;
    while told.len() < 4 {
        let event = batched.next().unwrap();
        match event.kind.as_str() {
            "batch" => {
                batches += 1;
                let list = event.data.as_array().unwrap();
                assert!(list.iter().all(|it| it["type"] == "message_posted"));
                told.extend(list.iter().map(|it| it["data"]["content"].clone()));
            }
            _ => told.push(event.data["content"].clone()),
        }
        assert!(event.id.is_some());
    }
    let wanted: Vec<Value> = (0..4).map(|n| json!(format!("message {n}"))).collect();
    assert_eq!(told, wanted);
    assert!(batches > 0, "four within a moment are not four events");
}
