//! Advice as a call of this door: method, path and body, as they are to be sent.

use serde_json::{Map, Value as Json, json};

use crate::answer;
use crate::model::advice::{Advice, Argument, Call, Value};

/// Returns what to call, and what for.
pub fn advice(advice: &Advice) -> String {
    match advice {
        Advice::Text(text) => text.clone(),
        Advice::Call { call, why: None } => line(call),
        Advice::Call {
            call,
            why: Some(why),
        } => format!("{} ({why})", line(call)),
    }
}

/// Returns what to call: a route, or a command of the shell where there is none.
pub fn line(call: &Call) -> String {
    match route(call) {
        Some((route, body)) if body.is_empty() => route,
        Some((route, body)) => format!("{route} {}", Json::Object(body)),
        None => answer::line(call),
    }
}

fn route(call: &Call) -> Option<(String, Map<String, Json>)> {
    let mut given: Map<String, Json> = (call.arguments.iter())
        .map(|argument| (argument.name.to_owned(), value(argument)))
        .collect();
    let id = given.remove("id");
    let id = id
        .as_ref()
        .and_then(Json::as_str)
        .unwrap_or("ID")
        .to_owned();
    let route = match call.operation {
        "status" => {
            given.clear();
            "GET /heartbeat/AGENT".to_owned()
        }
        "next" => {
            let claims = given.contains_key("claim");
            given.clear();
            match claims {
                true => "GET /tasks/next?agent=AGENT&claim=1".to_owned(),
                false => "GET /tasks/next?agent=AGENT".to_owned(),
            }
        }
        "task list" => "GET /tasks".to_owned(),
        "task show" => format!("GET /tasks/{id}"),
        "who" => "GET /presence".to_owned(),
        "claims" => "GET /claims".to_owned(),
        "inbox" => "GET /inbox/AGENT".to_owned(),
        "claim" => {
            // One argument here, two there; and no branch is switched from afar.
            if given.remove("take_over").is_some() {
                let reason = given.remove("reason").unwrap_or(json!("TEXT"));
                given.insert("take_over".to_owned(), reason);
            }
            given.remove("branch");
            format!("POST /tasks/{id}/claim")
        }
        "release" | "submit" => format!("POST /tasks/{id}/{}", call.operation),
        "review" if given.contains_key("approve") => {
            given.clear();
            given.insert("decision".to_owned(), json!("approve"));
            format!("POST /tasks/{id}/review")
        }
        "review" if given.contains_key("request_changes") => {
            given.clear();
            given.insert("decision".to_owned(), json!("reject"));
            given.insert("comment".to_owned(), json!("TEXT"));
            format!("POST /tasks/{id}/review")
        }
        "review" => format!("GET /tasks/{id}"),
        "block" => {
            given.insert("status".to_owned(), json!("blocked"));
            format!("PATCH /tasks/{id}")
        }
        "unblock" => {
            given.insert("status".to_owned(), json!("doing"));
            format!("PATCH /tasks/{id}")
        }
        "send" => {
            let text = given.remove("text").unwrap_or(json!("TEXT"));
            given.insert("content".to_owned(), text);
            "POST /chat/messages".to_owned()
        }
        "ack" => {
            given.remove("all");
            let which = match call.arguments.iter().any(|it| it.name == "id") {
                true => ("messageIds", json!([id])),
                false => ("all", json!(true)),
            };
            given.insert(which.0.to_owned(), which.1);
            "POST /inbox/AGENT/ack".to_owned()
        }
        "heartbeat" => "POST /presence/AGENT".to_owned(),
        "reflect" => "POST /reflections".to_owned(),
        _ => return None,
    };
    Some((route, given))
}

fn value(argument: &Argument) -> Json {
    match &argument.value {
        Value::Given(text) => json!(text),
        Value::Asked(what) => json!(what),
        Value::AskedForEach(count) => json!(vec!["TEXT"; (*count).min(20)]),
        Value::On => json!(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_request() {
        let take = Call::to("next").flag("claim").flag("branch");
        assert_eq!(line(&take), "GET /tasks/next?agent=AGENT&claim=1");
        let over = Call::to("claim").on("id", "k3f9x2").flag("take_over");
        let over = over.ask("reason", "TEXT").so("only if the holder is gone");
        assert_eq!(
            advice(&over),
            r#"POST /tasks/k3f9x2/claim {"take_over":"TEXT"} (only if the holder is gone)"#
        );
        let submit = Call::to("submit").on("id", "k3f9x2").ask("summary", "TEXT");
        assert_eq!(
            line(&submit.ask_for_each("evidence", 2)),
            r#"POST /tasks/k3f9x2/submit {"evidence":["TEXT","TEXT"],"summary":"TEXT"}"#
        );
        let send = Call::to("send").on("to", "kai").on_some("text", "TEXT");
        assert_eq!(
            line(&send),
            r#"POST /chat/messages {"content":"TEXT","to":"kai"}"#
        );
        let review = Call::to("review").on("id", "k3f9x2").flag("approve");
        assert_eq!(
            line(&review),
            r#"POST /tasks/k3f9x2/review {"decision":"approve"}"#
        );
        let ack = Call::to("ack").on("id", "01M8");
        assert_eq!(
            line(&ack),
            r#"POST /inbox/AGENT/ack {"messageIds":["01M8"]}"#
        );
        // What no route does is left to a shell.
        assert_eq!(line(&Call::to("doctor")), "reflectt doctor");
    }
}
