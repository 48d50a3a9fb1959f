//! What a rule refused: its facts, for programs, and what to do next.

use serde_json::{Value, json};

use crate::format::CHECKS_FILE;
use crate::model::advice::Call;
use crate::model::check::CheckResult;
use crate::model::id::TaskId;
use crate::model::name::{AgentName, CheckName};
use crate::model::queue::Dependency;
use crate::model::rule::{Refusal, Rule};
use crate::model::text::short_commit;

use super::of_ops::{next_claim, without_checks};
use super::{CheckJson, Fault, texts};

/// Returns it as it is printed; hints name what it is about as it was typed, if it was.
pub(super) fn of_refusal(refusal: &Refusal, id: Option<&str>) -> Fault {
    let error = facts(refusal);
    let about = refusal.about().map(|about| about.to_string());
    let id = id.map(str::to_owned).or(about);
    let id = id.unwrap_or_else(|| "ID".to_owned());
    let show = || Call::to("task show").on("id", &id);
    let edit = || Call::to("task edit").on("id", &id);
    match refusal.rule() {
        Rule::Criteria => error.hint(edit().ask("criterion", "TEXT")),
        // Waiting cannot help.
        Rule::Dependencies if awaits_cancelled(refusal) => {
            let drop = edit().ask("drop_after", "ID");
            error.hint(drop.so("waits no more for what was cancelled"))
        }
        Rule::Dependencies => error.hint(show()).hint(next_claim()),
        Rule::Cycle => error.hint(show().so("says what it waits for")),
        Rule::WipAgent => error
            .hint(Call::to("status"))
            .hint("reflectt submit ID …, reflectt block ID --reason TEXT or reflectt release ID"),
        Rule::WipTeam => error.hint(Call::to("claims").so("shows who works on what")),
        Rule::Resource => error.hint(Call::to("claims").so("shows who uses what")),
        Rule::Paused => error.hint(Call::to("resume").so("when the reason is gone")),
        Rule::Reserved => error.hint(next_claim()),
        Rule::Submission if may_come(refusal) => {
            error.hint(Call::to("sync").so("brings it, if its author has published it"))
        }
        Rule::Holder | Rule::Status | Rule::Submission => error.hint(show()),
        Rule::NewerSubmission => {
            let review = Call::to("review").on("id", &id);
            error.hint(review.so("shows what there is to judge now"))
        }
        Rule::Reviewer => error
            .hint(edit().ask("reviewer", "NAME"))
            .hint(Call::to("who").so("shows who could review")),
        Rule::Evidence => {
            let submit = Call::to("submit").on("id", &id).ask("summary", "TEXT");
            let submit = submit.ask("evidence", "1=TEXT …");
            error
                .hint(show().so("lists the criteria"))
                .hint(submit.so("one for each criterion"))
        }
        Rule::Dirty => error.hint("git stash, or git commit, and then the same again"),
        Rule::Humans => {
            error.hint("a person runs it, or `reflectt config set land.by anyone` lets agents")
        }
        Rule::Member => error.hint(Call::to("who")),
        Rule::Check => match refusal {
            Refusal::CheckFailed { failed, .. } => error.hint(again(failed)),
            Refusal::UndefinedChecks { checks, branch, .. } => {
                undefined(error, &id, checks, branch.as_deref()).hint(without_checks(&id))
            }
            _ => error.hint(without_checks(&id)),
        },
    }
}

/// Returns the error with what the refusal carries.
fn facts(refusal: &Refusal) -> Fault {
    let error = Fault::refused(refusal.rule().as_str(), refusal.to_string());
    let error = match refusal.about() {
        Some(id) => error.told("id", id.as_str()),
        None => error,
    };
    match refusal {
        Refusal::WipAgent {
            agent,
            limit,
            holding,
        } => error
            .told("agent", agent.as_str())
            .told("limit", *limit)
            .told("holding", texts(holding)),
        Refusal::WipTeam { limit, working } => {
            error.told("limit", *limit).told("working", *working)
        }
        Refusal::Resource {
            resource,
            capacity,
            users,
        } => {
            let user = |(agent, id): &(AgentName, TaskId)| json!({"agent": agent.as_str(), "id": id.as_str()});
            error
                .told("resource", resource.as_str())
                .told("capacity", *capacity)
                .told("users", Value::from_iter(users.iter().map(user)))
        }
        Refusal::Waits { on, .. } => error.told("waits_for", texts(on.iter().map(|(id, _)| id))),
        Refusal::Cycle { circle, .. } => error.told("circle", texts(circle)),
        Refusal::Reserved { agent, .. } => error.told("reserved_for", agent.as_str()),
        Refusal::NotHolder { holder, .. }
        | Refusal::NotClaimant { holder, .. }
        | Refusal::NotTheirsToCancel { holder, .. } => error.told("holder", holder.as_str()),
        Refusal::NotReviewer { reviewer, .. } => error.told("reviewer", reviewer.as_str()),
        Refusal::CheckFailed { failed, .. } => {
            let failed: Vec<CheckJson> = failed.iter().map(CheckJson::from).collect();
            error.told("failed", serde_json::to_value(failed).unwrap_or_default())
        }
        Refusal::UndefinedChecks { checks, .. } | Refusal::Unchecked { checks, .. } => {
            error.told("checks", texts(checks))
        }
        Refusal::NoEvidence { missing, .. } => {
            let numbers: Vec<usize> = missing.iter().map(|(number, _)| *number).collect();
            error.told("missing", numbers)
        }
        _ => error,
    }
}

fn may_come(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NotHere { can_come: true, .. })
}

/// Returns the call that runs what failed once more.
fn again(failed: &[CheckResult]) -> Call {
    let run = (failed.iter()).fold(Call::to("checks run"), |run, it| run.on("name", &it.name));
    match failed.first() {
        Some(one) => run.set("commit", short_commit(&one.commit)),
        None => run,
    }
}

/// Advises to define these checks, or to ask for them no longer.
fn undefined(error: Fault, id: &str, checks: &[CheckName], branch: Option<&str>) -> Fault {
    let error = match branch {
        Some(branch) => error.hint(format!(
            "bring a `{CHECKS_FILE}` with `[checks.{}]` to `{branch}`",
            checks.first().map_or("NAME", CheckName::as_str)
        )),
        None => {
            let set = Call::to("config set").on("key", "land.branch");
            error.hint(set.on_some("value", "BRANCH").so("names it"))
        }
    };
    let edit = Call::to("task edit").on("id", id);
    let drop = (checks.iter()).fold(edit, |edit, name| edit.set("drop_check", name));
    error.hint(drop.so("asks for it no longer"))
}

fn awaits_cancelled(refusal: &Refusal) -> bool {
    let cancelled = |(_, state): &(TaskId, Dependency)| *state == Dependency::Cancelled;
    matches!(refusal, Refusal::Waits { on, .. } if on.iter().any(cancelled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_the_facts_and_people_the_sentence() {
        let id = |text: &str| text.parse::<TaskId>().unwrap();
        let refusal = Refusal::WipAgent {
            agent: "kai".parse().unwrap(),
            limit: 2,
            holding: vec![id("k3f9x2"), id("m4p8q1")],
        };
        let fault = of_refusal(&refusal, None);
        let json = serde_json::to_value(&fault).unwrap();
        assert_eq!(
            json["message"],
            "`kai` already works on 2 of 2: k3f9x2, m4p8q1"
        );
        assert_eq!(json["rule"], "wip.agent");
        assert_eq!(json["limit"], 2);
        assert_eq!(json["holding"], json!(["k3f9x2", "m4p8q1"]));
        let said: Vec<&str> = fault.facts().map(|(name, _)| name).collect();
        assert_eq!(said, ["rule"], "the message tells the rest");
    }

    #[test]
    fn what_waits_for_a_cancelled_task_is_told_how_to_go_on() {
        let waits = |state| Refusal::Waits {
            task: "k3f9x2".parse().unwrap(),
            on: vec![("m4p8q1".parse().unwrap(), state)],
        };
        let fault = of_refusal(&waits(Dependency::Cancelled), Some("k3"));
        assert_eq!(
            fault.message(),
            "task `k3f9x2` waits for `m4p8q1` (cancelled)"
        );
        let json = serde_json::to_value(&fault).unwrap();
        assert_eq!(json["waits_for"], json!(["m4p8q1"]));
        assert_eq!(
            json["hints"][0],
            "reflectt task edit k3 --drop-after ID (waits no more for what was cancelled)"
        );
        let fault = of_refusal(&waits(Dependency::Open), None);
        let show = Call::to("task show").on("id", "k3f9x2");
        assert_eq!(fault.advice()[0], show.into());
    }
}
