//! What a caller is told when a call did not do what was asked: one object, under the names that
//! clients of the original server read (`success`, `error`, `code`, `status`, `hint`, `gate`), with
//! all the facts of our own error object beside them.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::{Fault, Kind, of, on};
use crate::model::id::IdPrefix;
use crate::ops::OpsError;

use super::words;

/// Why a call was not done.
#[derive(Debug)]
pub struct Problem {
    status: u16,
    code: &'static str,
    fault: Fault,
    /// Facts that this door alone gives.
    more: Map<String, Value>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Problem {
        let kind = match status {
            404 => Kind::Nothing,
            403 => Kind::Refused,
            500.. => Kind::Failed,
            _ => Kind::Usage,
        };
        Problem {
            status,
            code,
            fault: Fault::new(kind, message),
            more: Map::new(),
        }
    }

    pub fn bad(message: impl Into<String>) -> Problem {
        Problem::new(400, "BAD_REQUEST", message)
    }

    pub fn forbidden(message: impl Into<String>) -> Problem {
        Problem::new(403, "FORBIDDEN", message)
    }

    pub fn unauthorized() -> Problem {
        let message = "this server asks for the token it was started with";
        let problem = Problem::new(401, "UNAUTHORIZED", message);
        problem.hint("Authorization: Bearer TOKEN, as `http-token` in the git directory's `reflectt/` has it")
    }

    pub fn hint(mut self, hint: &str) -> Problem {
        self.fault = self.fault.hint(hint);
        self
    }

    /// Adds a fact.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Tells whether an agent was named who is not on the team.
    pub fn is_of_stranger(&self) -> bool {
        self.more.get("what").is_some_and(|what| what == "agent")
    }

    /// Returns the status of HTTP.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the object that a caller gets.
    pub fn to_json(&self) -> Value {
        let mut value = json!(&self.fault);
        let hints: Vec<String> = self.fault.advice().iter().map(words::advice).collect();
        let Some(fields) = value.as_object_mut() else {
            return value;
        };
        if let Some(rule) = fields.get("rule").cloned() {
            fields.insert("gate".to_owned(), rule);
        }
        if let Some(hint) = hints.first() {
            fields.insert("hint".to_owned(), json!(hint));
        }
        fields.insert("hints".to_owned(), json!(hints));
        fields.extend(self.more.clone());
        fields.insert("success".to_owned(), json!(false));
        fields.insert("error".to_owned(), json!(self.fault.message()));
        fields.insert("code".to_owned(), json!(self.code));
        fields.insert("status".to_owned(), json!(self.status));
        value
    }

    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Returns how errors about one task are told: hints name it as it was given.
pub fn about(id: &IdPrefix) -> impl Fn(OpsError) -> Problem {
    let id = id.clone();
    move |error| told(error, Some(&id))
}

impl From<OpsError> for Problem {
    fn from(error: OpsError) -> Problem {
        told(error, None)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        let (status, code) = match fault.kind() {
            Kind::Failed => (500, "INTERNAL_ERROR"),
            Kind::Usage => (400, "BAD_REQUEST"),
            Kind::Held => (409, "CONFLICT"),
            Kind::Refused => (422, "REFUSED"),
            Kind::Nothing => (404, "NOT_FOUND"),
            Kind::Unreachable => (503, "UNREACHABLE"),
            Kind::Fenced => (409, "FENCED"),
        };
        Problem {
            status,
            code,
            fault,
            more: Map::new(),
        }
    }
}

fn told(error: OpsError, id: Option<&IdPrefix>) -> Problem {
    let mut more = Map::new();
    let mut code = None;
    match &error {
        OpsError::Ambiguous { matches, .. } => {
            let near = matches
                .iter()
                .map(|(id, title)| json!({"id": id.as_str(), "title": title}));
            more.insert("suggestions".to_owned(), near.collect());
        }
        OpsError::NotFound { near, name, what } => {
            more.insert("what".to_owned(), json!(what));
            more.insert("suggestions".to_owned(), json!(near));
            more.insert("input".to_owned(), json!(name));
        }
        OpsError::Held(held) => {
            more.insert("assignee".to_owned(), json!(held.by.agent.as_str()));
            code = (held.wanted == Some(held.by.id)).then_some("TASK_ALREADY_ASSIGNED");
        }
        OpsError::Refused(refusal) if refusal.rule().as_str() == "status" => {
            code = Some("STATE_TRANSITION_REJECTED");
        }
        OpsError::NoIdentity { .. } => {
            let hint = "name who acts: `agent` in the body, ?agent=NAME, or the header X-Reflectt-Agent: NAME";
            return Problem::bad(error.to_string()).hint(hint);
        }
        _ => {}
    }
    let fault = match id {
        Some(id) => on(id)(error),
        None => of(error),
    };
    let problem = Problem::from(fault);
    Problem {
        code: code.unwrap_or(problem.code),
        more,
        ..problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_say_the_same() {
        let fault = Fault::refused("wip.agent", "`kai` already works on 1 of 1").told("limit", 1);
        let json = Problem::from(fault).to_json();
        assert_eq!(json["success"], false);
        assert_eq!(
            (&json["status"], &json["code"]),
            (&json!(422), &json!("REFUSED"))
        );
        assert_eq!(
            (&json["gate"], &json["rule"]),
            (&json!("wip.agent"), &json!("wip.agent"))
        );
        assert_eq!(json["error"], json["message"]);
        assert_eq!(json["limit"], 1);
    }

    #[test]
    fn nobody_is_told_how_to_say_who_acts() {
        let json = Problem::from(OpsError::NoIdentity {
            elsewhere: Vec::new(),
        })
        .to_json();
        assert_eq!(json["status"], 400);
        assert!(
            json["hint"].as_str().unwrap().contains("X-Reflectt-Agent"),
            "{json}"
        );
    }
}
