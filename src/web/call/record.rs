//! What there is of the whole: health, claims, what happened, the board; and what was learned.

use serde_json::{Value, json};

use crate::answer::{ClaimsJson, LogEventJson, ReflectionJson};
use crate::ops::{self, NewReflection};

use super::{Call, Content, Reply};
use crate::web::openapi;
use crate::web::problem::Problem;

/// How many events are shown where that is not said, and at most.
const SHOWN: (usize, usize) = (60, 200);

pub fn health(call: &Call) -> Result<Reply, Problem> {
    let seats = ops::who(call.ctx)?;
    let about = call.about;
    Ok(Reply::json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "team": about.team,
        "repository": about.repository,
        "remote": call.ctx.store().link().map(|link| link.name),
        "agents": seats.len(),
        "pid": std::process::id(),
        "port": about.port,
        "uptime_seconds": about.begun.elapsed().as_secs(),
        "timestamp": call.ctx.now().0,
    })))
}

pub fn claims(call: &Call) -> Result<Reply, Problem> {
    let view = ops::claims(call.ctx)?;
    Ok(Reply::json(json!(ClaimsJson::from(&view))))
}

pub fn log(call: &Call) -> Result<Reply, Problem> {
    let limit = call.received.query.limit(SHOWN.0, SHOWN.1)?;
    let events = ops::events(call.ctx, limit)?;
    let events: Vec<LogEventJson> = events.iter().map(LogEventJson::from).collect();
    Ok(Reply::json(json!({"events": events})))
}

pub fn board(call: &Call) -> Result<Reply, Problem> {
    Ok(Reply {
        status: 200,
        content: Content::Markdown(ops::board(call.ctx)?),
    })
}

pub fn openapi(_: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(openapi::document()))
}

pub fn reflect(call: &Call) -> Result<Reply, Problem> {
    let args = &call.received.args;
    let mut pain = args.whole("pain");
    for (name, word) in [("impact", "impact"), ("suspected_why", "why")] {
        if let Some(text) = args.text(name) {
            pain = format!("{pain}\n{word}: {text}");
        }
    }
    let severity = match args.text("severity") {
        // There is nothing above it here.
        Some("critical") => Some(crate::model::reflection::Severity::High),
        _ => args.parsed("severity")?,
    };
    let new = NewReflection {
        task: args.parsed("task")?,
        worked: args.whole("worked"),
        pain,
        change: args.whole("change"),
        severity: severity.unwrap_or_default(),
        tags: args.all("tags")?,
    };
    let reflection = ops::reflect(call.ctx, &new)?;
    let mut shown = json!(ReflectionJson::from(&reflection));
    shown["created_at"] = json!(reflection.id.at().0);
    shown["author"] = shown["by"].clone();
    Ok(Reply {
        status: 201,
        content: Content::Json(json!({
            "success": true, "reflection": shown, "insight": Value::Null,
        })),
    })
}

pub fn insights(_: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(json!({"insights": [], "total": 0})))
}

pub fn asks(_: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(json!({"asks": [], "total": 0})))
}

pub fn answer(call: &Call) -> Result<Reply, Problem> {
    let id = call.param("id");
    let message = format!("there is no ask `{}`", id.escape_debug());
    Err(Problem::new(404, "NOT_FOUND", message).with("input", id))
}
