//! A door of its own: what one needs of the layers below, and nothing of the command line.
//!
//! It reads a call on each line and answers each with a line: `status`, `claim`, `overview`, and
//! `changes`, which tells what has happened since a point.

use std::path::Path;
use std::time::Duration;

use reflectt::answer::{ClaimJson, Envelope, LogEventJson, Outcome, OverviewJson, StatusJson};
use reflectt::git::{ConfigScope, OpenOptions, Repo};
use reflectt::model::advice::{Advice, Value as Argued};
use reflectt::ops::{self, Changes, ClaimRequest, Context, Exchange, OpsError};
use serde_json::{Value, json};

use crate::support::TestEnv;

fn open(dir: &Path, agent: &str) -> Result<Context, OpsError> {
    let none = |name: &str| (name.into(), "/dev/null".into());
    let repo = Repo::open(OpenOptions {
        dir: dir.to_owned(),
        git_dir: None,
        config: ConfigScope::Repository,
        env: vec![none("GIT_CONFIG_GLOBAL"), none("GIT_CONFIG_SYSTEM")],
    })?;
    let me = Some(agent.parse()?);
    Ok(Context::new(repo, me, ops::now, fastrand::Rng::new()))
}

/// Answers one call. What may be done next is a call as well.
fn answer(dir: &Path, line: &str) -> Value {
    let call: Value = serde_json::from_str(line).unwrap();
    let word = |name: &str| call[name].as_str().unwrap_or_default();
    let ctx = open(dir, word("agent")).unwrap();
    let result = match word("call") {
        "status" => ops::status(&ctx).map(|it| {
            let calls = it.action().calls().into_iter().map(Advice::from);
            json!({"status": StatusJson::from(&it), "next": calls.filter_map(|it| next(&it)).collect::<Value>()})
        }),
        "overview" => ops::overview(&ctx).map(|it| json!(OverviewJson::from(&it))),
        "claim" => claim(&ctx, word("id")),
        "changes" => changes(dir, &call),
        other => Err(OpsError::Usage(format!("there is no call `{other}`"))),
    };
    let envelope = Envelope::of(&ctx, result, Exchange::Now);
    let mut line = json!(envelope);
    if let Outcome::Error(fault) = &envelope.outcome {
        line["next"] = fault.advice().iter().filter_map(next).collect();
    }
    line
}

/// Words advice as a call of this door.
fn next(advice: &Advice) -> Option<Value> {
    let Advice::Call { call, why } = advice else {
        return None;
    };
    let mut next = json!({"call": call.operation, "why": why});
    for argument in &call.arguments {
        next[argument.name] = match &argument.value {
            Argued::Given(value) => json!(value),
            Argued::Asked(what) => json!({"ask": what}),
            Argued::AskedForEach(count) => json!({"ask for each": count}),
            Argued::On => json!(true),
        };
    }
    Some(next)
}

fn claim(ctx: &Context, id: &str) -> Result<Value, OpsError> {
    let claimed = ops::claim(ctx, &id.parse()?, &ClaimRequest::default())?;
    Ok(json!(ClaimJson::from(&claimed.claim)))
}

fn changes(dir: &Path, call: &Value) -> Result<Value, OpsError> {
    let from = call["since"].as_str().map(str::parse).transpose()?;
    let dir = dir.to_owned();
    let stream = Changes::follow(move || open(&dir, "kai"), from, 10);
    let step = stream.next(Duration::from_secs(20))?;
    let step = step.ok_or_else(|| OpsError::Nothing("nothing has happened".to_owned()))?;
    let events: Vec<_> = step.events.iter().map(LogEventJson::from).collect();
    Ok(json!({"to": step.to.to_string(), "events": events}))
}

#[test]
fn a_door_needs_no_other_layer() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &["--path", "src"]);
    let call = |line: Value| answer(repo.path(), &line.to_string());

    let status = call(json!({"call": "status", "agent": "kai"}));
    assert_eq!(status["agent"], "kai");
    assert_eq!(status["answer"]["status"]["next"]["id"], id);
    let take = json!({"call": "next", "claim": true, "branch": true, "why": null});
    assert_eq!(status["answer"]["next"], json!([take]));
    let at = call(json!({"call": "overview", "agent": "kai"}))["answer"]["at"].clone();

    let claimed = call(json!({"call": "claim", "agent": "kai", "id": id}));
    assert_eq!(claimed["answer"]["agent"], "kai", "{claimed}");
    let refused = call(json!({"call": "claim", "agent": "link", "id": id}));
    let error = &refused["error"];
    assert_eq!(
        (&error["kind"], &error["holder"]),
        (&json!("held"), &json!("kai"))
    );
    let ask =
        json!({"call": "send", "to": "kai", "text": {"ask": "TEXT"}, "why": "asks the holder"});
    assert_eq!(refused["next"][1], ask, "{refused}");

    let overview = call(json!({"call": "overview", "agent": "link"}));
    let overview = &overview["answer"];
    assert_eq!(overview["tasks"][0]["status"], "doing");
    assert_eq!(overview["claims"][0]["id"], id);
    assert_eq!(overview["agents"].as_array().unwrap().len(), 2);

    let changes = call(json!({"call": "changes", "agent": "kai", "since": at}));
    assert_eq!(
        changes["answer"]["events"][0]["kind"], "claimed",
        "{changes}"
    );
    assert_eq!(changes["answer"]["to"], overview["at"]);
    let unknown = call(json!({"call": "changes", "agent": "kai", "since": "1".repeat(40)}));
    assert_eq!(unknown["error"]["kind"], "nothing", "{unknown}");
    let wrong = call(json!({"call": "fly", "agent": "kai"}));
    assert_eq!(wrong["error"]["kind"], "usage", "{wrong}");
}
