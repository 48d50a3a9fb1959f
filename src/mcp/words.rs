//! Advice as a tool call: the name of the tool and its arguments, as they are to be given.

use serde_json::{Map, Value as Json, json};

use crate::answer;
use crate::model::advice::{Advice, Argument, Call, Value};
use crate::model::time::Span;

/// Returns what to call, and what for.
pub fn advice(advice: &Advice) -> String {
    answer::worded(advice, line)
}

/// Returns what to call: a tool, or a command of the shell where no tool does that.
pub fn line(call: &Call) -> String {
    match tool(call) {
        Some((name, arguments)) if arguments.is_empty() => format!("{name} {{}}"),
        Some((name, arguments)) => format!("{name} {}", Json::Object(arguments)),
        None => answer::line(call),
    }
}

/// Finds the tool for an operation, and its arguments.
fn tool(call: &Call) -> Option<(&'static str, Map<String, Json>)> {
    let mut given = Map::new();
    for argument in &call.arguments {
        given.insert(argument.name.to_owned(), value(argument));
    }
    let mut add = |name: &str, value: Json| given.insert(name.to_owned(), value);
    let name = match call.operation {
        "status" | "next" => {
            if let Some(wait) = add("wait", Json::Null) {
                let span = wait.as_str().and_then(|text| text.parse::<Span>().ok());
                let seconds = span.map(|span| std::time::Duration::from(span).as_secs());
                add("wait_seconds", json!(seconds.unwrap_or(600)));
            }
            given.remove("wait");
            // It claims unless it is told not to.
            given.remove("claim");
            if call.operation == "next" {
                "next"
            } else {
                "status"
            }
        }
        "task list" => "list",
        "task show" => "show",
        "task new" => "new_task",
        "claim" => {
            // One argument here, two there.
            if given.remove("take_over").is_some() {
                let reason = given.remove("reason").unwrap_or(json!("TEXT"));
                given.insert("take_over".to_owned(), reason);
            }
            "claim"
        }
        "release" => {
            add("release", json!(true));
            "claim"
        }
        "task comment" => "progress",
        "block" => {
            let reason = given.remove("reason").unwrap_or(json!("TEXT"));
            given.insert("block".to_owned(), reason);
            "progress"
        }
        "unblock" => {
            add("unblock", json!(true));
            "progress"
        }
        "handoff" => {
            let to = given.remove("to").unwrap_or(json!("NAME"));
            given.insert("handoff".to_owned(), to);
            "progress"
        }
        "heartbeat" => "progress",
        "submit" => "submit",
        "review" => "review",
        "land" => "land",
        "send" => {
            let to = given.remove("to").unwrap_or(json!("NAME"));
            given.insert("to".to_owned(), json!([to]));
            "message"
        }
        "inbox" => "message",
        "ack" => {
            match given.remove("id") {
                Some(id) => given.insert("ack".to_owned(), json!([id])),
                None => given.insert("ack_all".to_owned(), json!(true)),
            };
            given.remove("all");
            "message"
        }
        "reflect" => "reflect",
        _ => return None,
    };
    Some((name, given))
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
    fn a_call_is_a_tool_with_its_arguments() {
        let take = Call::to("next").flag("claim").flag("branch");
        assert_eq!(line(&take), r#"next {"branch":true}"#);
        let wait = Call::to("status").set("wait", "10m");
        assert_eq!(line(&wait), r#"status {"wait_seconds":600}"#);
        assert_eq!(line(&Call::to("land")), "land {}");
        let over = Call::to("claim").on("id", "k3f9x2").flag("take_over");
        let over = over.ask("reason", "TEXT").so("only if the holder is gone");
        assert_eq!(
            advice(&over),
            r#"claim {"id":"k3f9x2","take_over":"TEXT"} (only if the holder is gone)"#
        );
        let send = Call::to("send").on("to", "kai").on_some("text", "TEXT");
        assert_eq!(line(&send), r#"message {"text":"TEXT","to":["kai"]}"#);
        assert_eq!(line(&Call::to("inbox")), "message {}");
        assert_eq!(
            line(&Call::to("ack").flag("all")),
            r#"message {"ack_all":true}"#
        );
        let submit = Call::to("submit").on("id", "k3f9x2").ask("summary", "TEXT");
        assert_eq!(
            line(&submit.ask_for_each("evidence", 2)),
            r#"submit {"evidence":["TEXT","TEXT"],"id":"k3f9x2","summary":"TEXT"}"#
        );
        let blocked = Call::to("block").on("id", "a").ask("reason", "TEXT");
        assert_eq!(
            line(&blocked.flag("needs_human")),
            r#"progress {"block":"TEXT","id":"a","needs_human":true}"#
        );
        // What no tool does is left to a shell.
        assert_eq!(line(&Call::to("doctor")), "reflectt doctor");
    }
}
