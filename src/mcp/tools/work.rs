//! Tools for one's own work, and for what others have finished.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{
    AgentsJson, ClaimJson, ClaimedJson, Cut, Fault, InspectionJson, LandJson, NextJson,
    ReleasedJson, StatusJson, TaskJson, of, on, sentence, when_done,
};
use crate::model::advice::Call as Next;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::task::Task;
use crate::ops::{self, Blocking, Branch, Checking, ClaimRequest, NewSubmission, Verdict, Wish};

use super::{Answer, Call, moved};
use crate::mcp::words;

/// The longest that one call waits: clients give up on those that take longer.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

fn wait(call: &Call) -> Option<Duration> {
    let seconds = call
        .args
        .count("wait_seconds")
        .filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(WAIT_MAX))
}

fn id(call: &Call) -> Result<Option<IdPrefix>, Fault> {
    call.args.parsed("id")
}

fn needed_id(call: &Call, what: &str) -> Result<IdPrefix, Fault> {
    id(call)?.ok_or_else(|| Fault::usage(format!("{what} needs `id`")))
}

pub fn status(call: &Call) -> Result<Answer, Fault> {
    let status = match wait(call) {
        Some(limit) => ops::wait_for_work(call.ctx, limit),
        None => ops::status(call.ctx),
    };
    let status = status.map_err(of)?;
    let mut value = json!(StatusJson::from(&status));
    value["action"] = sentence(status.action(), words::line).into();
    // What is said of each message is in `action` and in the answer of `message`.
    for message in value["inbox"].as_array_mut().into_iter().flatten() {
        for upkeep in ["hints", "to", "notice", "reply_to"] {
            message[upkeep] = Value::Null;
        }
    }
    for (at, task) in value["active"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .enumerate()
    {
        slim(task, at == 0);
    }
    slim(&mut value["next"], false);
    let cut = Cut {
        text: 180,
        list: 4,
        whole: &["action"],
        ..Cut::default()
    };
    // The answer carries some of them only.
    let left = status.inbox.len().saturating_sub(cut.list);
    if let Some(messages) = value["inbox"].as_array_mut().filter(|_| left > 0) {
        messages.truncate(cut.list);
        value["inbox_left_out"] = left.into();
    }
    let mut answer = Answer::new(value).cut(cut);
    if left > 0 {
        answer = answer.hint(Next::to("inbox").so("shows more of your messages"));
    }
    Ok(answer)
}

/// Leaves of a task what one needs to go on with it; of those that come later, what they are.
fn slim(task: &mut Value, first: bool) {
    let Some(fields) = task.as_object_mut() else {
        return;
    };
    let told = ["created_by", "resources", "tags", "fence", "approved"];
    let later = [
        "done_criteria",
        "paths",
        "shared",
        "checks",
        "handoff",
        "submission",
    ];
    fields.retain(|name, _| {
        !told.contains(&name.as_str()) && (first || !later.contains(&name.as_str()))
    });
}

pub fn next(call: &Call) -> Result<Answer, Fault> {
    let (ctx, args) = (call.ctx, &call.args);
    let branch = branch(call);
    let claim = (args.switch("claim") != Some(false)).then_some(&branch);
    let next = match wait(call) {
        Some(limit) => ops::wait_for_task(ctx, claim, limit),
        None => ops::next(ctx, claim),
    };
    let next = next.map_err(of)?;
    let answer = Answer::new(NextJson {
        task: next.task.as_ref().map(|task| TaskJson {
            body: Some(&task.body),
            ..TaskJson::left_by(ctx, task)
        }),
        claim: next
            .claim
            .as_ref()
            .map(|claim| ClaimJson::left_by(ctx, claim)),
        reason: &next.reason,
        reviews: next.reviews.iter().map(TaskId::as_str).collect(),
    });
    let answer = answer.cut(Cut {
        text: 400,
        list: 8,
        whole: &["title"],
        ..Cut::default()
    });
    Ok(match (&next.task, &next.claim) {
        (Some(task), Some(_)) => without_claim(answer).hint(submission(task)),
        (Some(_), None) => answer.hint(Next::to("next").flag("branch").so("takes it")),
        (None, _) => answer.and_next(ctx),
    })
}

/// Drops of a claim what its task says as well.
fn without_claim(mut answer: Answer) -> Answer {
    let Some(claim) = answer.value["claim"].as_object_mut() else {
        return answer;
    };
    let kept = ["id", "agent", "fence", "state", "branch"];
    claim.retain(|name, _| kept.contains(&name.as_str()));
    if let Some(task) = answer.value["task"].as_object_mut() {
        let told = ["assignee", "branch", "fence", "created_by"];
        task.retain(|name, _| !told.contains(&name.as_str()));
    }
    answer
}

fn submission(task: &Task) -> crate::model::advice::Advice {
    let submit = Next::to("submit").on("id", task.id).ask("summary", "TEXT");
    let submit = submit.ask_for_each("evidence", task.done_criteria.len());
    submit.so(when_done(task))
}

fn branch(call: &Call) -> Branch {
    match call.args.is_on("branch") {
        true => Branch::OfTask,
        false => Branch::AsItIs,
    }
}

pub fn claim(call: &Call) -> Result<Answer, Fault> {
    let (ctx, args) = (call.ctx, &call.args);
    if args.is_on("release") {
        return release(call);
    }
    let request = ClaimRequest {
        paths: args.paths(ctx, "paths")?,
        shared: args.paths(ctx, "share")?,
        take_over: args.owned("take_over"),
        branch: branch(call),
        ..ClaimRequest::default()
    };
    let claimed = match (id(call)?, args.text("why")) {
        (Some(id), _) => ops::claim(ctx, &id, &request).map_err(on(&id))?,
        (None, Some(why)) => ops::claim_paths(ctx, &request, why).map_err(of)?,
        (None, None) => {
            return Err(
                Fault::usage("a claim needs `id`, or `paths` and `why`").hint(
                    Next::to("next")
                        .flag("branch")
                        .so("takes the best task there is"),
                ),
            );
        }
    };
    let claim = ClaimedJson {
        claim: ClaimJson::left_by(ctx, &claimed.claim),
    };
    let mut answer = Answer::new(claim);
    let Some(task) = &claimed.task else {
        let release = Next::to("release").on("id", claimed.claim.id);
        return Ok(answer.hint(release.so("when you are through")));
    };
    answer.value["task"] = json!(TaskJson {
        body: Some(&task.body),
        ..TaskJson::left_by(ctx, task)
    });
    Ok(without_claim(answer).hint(submission(task)))
}

fn release(call: &Call) -> Result<Answer, Fault> {
    let id = needed_id(call, "to release something")?;
    let note = call.args.text("note");
    let released = ops::release(call.ctx, &id, note).map_err(on(&id))?;
    let answer = match &released.task {
        Some(task) => moved(call.ctx, task),
        None => Answer::new(ReleasedJson {
            id: released.id.to_string(),
            task: None,
        }),
    };
    Ok(answer.and_next(call.ctx))
}

pub fn progress(call: &Call) -> Result<Answer, Fault> {
    let (ctx, args) = (call.ctx, &call.args);
    let what = ["comment", "block", "handoff"].into_iter();
    let mut what: Vec<&str> = what.filter(|name| args.text(name).is_some()).collect();
    what.extend(args.is_on("unblock").then_some("unblock"));
    let task = match what.as_slice() {
        [] => {
            let note = args.text("note");
            let seat = ops::heartbeat(ctx, note).map_err(of)?;
            let seen: AgentsJson = [&seat].into_iter().collect();
            return Ok(Answer::new(seen));
        }
        ["comment"] => {
            let id = needed_id(call, "a comment")?;
            ops::comment(ctx, &id, &args.whole("comment")).map_err(on(&id))?
        }
        ["block"] => {
            let id = needed_id(call, "to block a task")?;
            let blocking = Blocking {
                reason: args.whole("block"),
                on: args.parsed("on")?,
                needs_human: args.is_on("needs_human"),
            };
            ops::block(ctx, &id, &blocking).map_err(on(&id))?
        }
        ["unblock"] => {
            let id = needed_id(call, "to unblock a task")?;
            ops::unblock(ctx, &id).map_err(on(&id))?
        }
        ["handoff"] => {
            let id = needed_id(call, "a hand-off")?;
            let Some(to) = args.parsed("handoff")? else {
                return Err(Fault::usage("`handoff` names the agent who goes on"));
            };
            ops::handoff(ctx, &id, &to, &args.whole("note"))
                .map_err(on(&id))?
                .task
        }
        several => {
            let several = several.join("` and `");
            return Err(Fault::usage(format!("`{several}` are one call each")));
        }
    };
    let answer = moved(ctx, &task);
    Ok(match what.as_slice() {
        ["comment"] => answer,
        ["block"] => answer.hint(
            Next::to("unblock")
                .on("id", task.id)
                .so("when it can go on"),
        ),
        _ => answer.and_next(ctx),
    })
}

pub fn submit(call: &Call) -> Result<Answer, Fault> {
    let (ctx, args) = (call.ctx, &call.args);
    let id = needed_id(call, "a submission")?;
    let evidence = args.texts("evidence").into_iter().enumerate();
    let evidence: BTreeMap<usize, String> = evidence
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(at, text)| (at + 1, text.to_owned()))
        .collect();
    let new = NewSubmission {
        summary: args.whole("summary"),
        evidence,
        commit: args.owned("commit"),
        pr: args.owned("pr"),
        caveat: args.owned("caveat"),
        branch: None,
        reviewer: args.parsed("reviewer")?,
        checking: match (args.is_on("no_check"), args.is_on("again")) {
            (true, _) => Checking::Without,
            (false, true) => Checking::Again,
            (false, false) => Checking::AsNeeded,
        },
    };
    let task = ops::submit(ctx, &id, &new, call.watch).map_err(on(&id))?;
    Ok(moved(ctx, &task).and_next(ctx))
}

pub fn review(call: &Call) -> Result<Answer, Fault> {
    let (ctx, args) = (call.ctx, &call.args);
    let id = needed_id(call, "a review")?;
    let verdict = match (args.text("request_changes"), args.text("correct")) {
        (Some(_), Some(_)) => {
            return Err(Fault::usage(
                "`request_changes` and `correct` are one call each",
            ));
        }
        (Some(note), None) => Some(Verdict::RequestChanges {
            note: note.to_owned(),
        }),
        (None, Some(note)) => Some(Verdict::Correct {
            note: note.to_owned(),
        }),
        (None, None) => None,
    };
    let task = match (verdict, args.is_on("approve")) {
        (Some(_), true) => {
            return Err(Fault::usage(
                "`approve` does not go with a request for changes",
            ));
        }
        (Some(verdict), false) => ops::review(ctx, &id, &verdict).map_err(on(&id))?,
        (None, true) => {
            let (note, commit) = (args.owned("note"), args.text("commit"));
            ops::approve(ctx, &id, note, commit).map_err(on(&id))?
        }
        (None, false) => return judge_by(call, &id),
    };
    Ok(moved(ctx, &task).and_next(ctx))
}

/// Shows what there is to judge.
fn judge_by(call: &Call, id: &IdPrefix) -> Result<Answer, Fault> {
    let mut found = ops::inspect(call.ctx, id).map_err(on(id))?;
    if call.args.is_on("checkout") {
        ops::check_out(call.ctx, &mut found, None).map_err(on(id))?;
    }
    let review = || Next::to("review").on("id", found.task.id);
    let mut value = json!(InspectionJson::from(&found));
    // What was asked for stands beside what was done, in `evidence`.
    if let Some(task) = value["task"].as_object_mut() {
        task.remove("done_criteria");
    }
    if let Some(submission) = value["task"]["submission"].as_object_mut() {
        submission.remove("evidence");
    }
    let answer = Answer::new(value).cut(Cut {
        text: 1_500,
        list: 30,
        ..Cut::default()
    });
    let answer = match &found.work {
        Some(work) => answer.hint(format!("git diff {} (in a shell)", work.range)),
        None => answer,
    };
    Ok(answer
        .hint(review().flag("approve"))
        .hint(review().ask("request_changes", "TEXT")))
}

pub fn land(call: &Call) -> Result<Answer, Fault> {
    let wish = Wish {
        ids: call.args.all("ids")?,
        dry_run: call.args.is_on("dry_run"),
    };
    let report = ops::land(call.ctx, &wish, call.watch).map_err(of)?;
    let answer = Answer::new(LandJson::from(&report)).cut(Cut {
        text: 600,
        list: 20,
        ..Cut::default()
    });
    Ok(match report.dry_run {
        true => answer,
        false => answer.and_next(call.ctx),
    })
}
