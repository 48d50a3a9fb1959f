//! Making what is to land, and checking it.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{CommitRange, Oid, Person, Strategy, Weaving, Woven};
use crate::model::batch::{self, Entry, Made, Ran, Stop, Trial};
use crate::model::check::{Check, CheckResult};
use crate::model::id::TaskId;
use crate::model::name::CheckName;
use crate::model::settings::Strategy as Wanted;
use crate::model::task::{Fault, SentBack, Task};
use crate::ops::checks::{self, Manner, Step};
use crate::ops::enforce::TASK_TRAILER;
use crate::ops::landing::LandingBranch;
use crate::ops::{Context, OpsError, sync};
use crate::store::Snapshot;

use super::line::{Awaited, Ready};
use super::report::{LandReport, ReturnedTask};

/// Names who approved what lands.
const REVIEWER_TRAILER: &str = "Reviewed-by";

/// How many lines of a check's output an author is sent.
const TAIL: usize = 20;

/// What a run of the checks has to tell.
#[derive(Debug, Clone)]
pub struct Failure {
    pub check: CheckName,
    pub command: String,
    pub detail: String,
    /// The last lines.
    pub output: Vec<String>,
}

/// Makes and checks what may become the landing branch's next state.
pub struct Bench<'b> {
    ctx: &'b Context,
    snapshot: &'b Snapshot<'b>,
    branch: String,
    tip: Oid,
    ready: &'b [Ready],
    strategy: Strategy,
    checks: Vec<Check>,
    watch: &'b dyn Fn(Step<'_>),
}

impl<'b> Bench<'b> {
    /// Returns the bench for work on `tip`, whose own file says which checks must pass.
    pub fn new(
        ctx: &'b Context,
        snapshot: &'b Snapshot<'b>,
        branch: &str,
        tip: Oid,
        ready: &'b [Ready],
        watch: &'b dyn Fn(Step<'_>),
    ) -> Result<Bench<'b>, OpsError> {
        let landing = LandingBranch {
            name: branch.to_owned(),
            tip,
        };
        Ok(Bench {
            ctx,
            snapshot,
            branch: branch.to_owned(),
            tip,
            ready,
            strategy: match snapshot.settings()?.land.strategy {
                Wanted::Merge => Strategy::Merge,
                Wanted::Squash => Strategy::Squash,
                Wanted::Rebase => Strategy::Rebase,
            },
            checks: checks::read_checks(ctx, &landing)?.for_landing(),
            watch,
        })
    }

    fn ready(&self, id: TaskId) -> Option<&'b Ready> {
        self.ready.iter().find(|ready| ready.task.id == id)
    }

    fn weave(&self, tip: Oid, ready: &Ready) -> Result<Woven, OpsError> {
        let task = &ready.task;
        let message = message(task);
        let reviewer = task.approved.as_ref().map(|it| it.by.to_string());
        let mut trailers = vec![(TASK_TRAILER, task.id.as_str())];
        trailers.extend(reviewer.as_deref().map(|name| (REVIEWER_TRAILER, name)));
        Ok(self.ctx.repo().weave(&Weaving {
            tip,
            head: ready.head,
            own: &ready.own,
            message: &message,
            trailers: &trailers,
            author: self.author(ready),
            // A merge would bring along what is below, too.
            strategy: match self.strategy {
                Strategy::Merge if ready.apart => Strategy::Rebase,
                strategy => strategy,
            },
        })?)
    }

    /// A merge is its lander's, or, where git knows of none, the author's of what is merged.
    fn author(&self, ready: &Ready) -> Option<Person> {
        let repo = self.ctx.repo();
        if repo.config("user.email").is_some() {
            return None;
        }
        let head = repo.read_commit(ready.head).ok()?;
        Some(Person {
            name: head.author.name,
            email: head.author.email,
        })
    }

    /// Returns what has to go back to its author, with the reason and how to see it again.
    pub fn returned(
        &self,
        outcome: &batch::Outcome<Oid, Vec<String>, Failure>,
    ) -> Result<Vec<ReturnedTask>, OpsError> {
        let mut returned = Vec::new();
        for clash in &outcome.clashes {
            let with = clash.with.iter().copied().collect();
            returned.extend(self.conflict(clash.id, clash.tip, &clash.paths, with)?);
        }
        for culprit in &outcome.culprits {
            let with = culprit.with.iter().copied().collect();
            returned.extend(self.breaks(culprit.id, outcome.tip, &culprit.detail, with));
        }
        Ok(returned)
    }

    fn conflict(
        &self,
        id: TaskId,
        tip: Oid,
        paths: &[String],
        mut with: BTreeSet<TaskId>,
    ) -> Result<Option<ReturnedTask>, OpsError> {
        let Some((ready, submission)) = self.submitted(id) else {
            return Ok(None);
        };
        let touches = |id: &TaskId| {
            let other = self.ready(*id);
            let touched = other.map(|it| self.ctx.repo().touched(&it.own));
            touched.is_some_and(|touched| {
                let touched = touched.unwrap_or_default();
                touched.iter().any(|path| paths.contains(&lossy(path)))
            })
        };
        with.retain(touches);
        with.extend(self.authors_since(ready, paths)?);
        with.remove(&id);
        let whose = match with.is_empty() {
            true => String::new(),
            false => format!(", where {} changed it too", self.named(&with)),
        };
        let note = format!(
            "it conflicts with `{}` at {} in {}{whose}. To see it: git merge {}",
            self.branch,
            tip.short(),
            listed(paths),
            tip.short(),
        );
        Ok(Some(ReturnedTask {
            task: id,
            back: SentBack {
                submission,
                fault: Fault::Conflict,
                note,
                paths: paths.to_vec(),
                with,
                tip: tip.to_string(),
            },
        }))
    }

    fn breaks(
        &self,
        id: TaskId,
        tip: Oid,
        failure: &Failure,
        with: BTreeSet<TaskId>,
    ) -> Option<ReturnedTask> {
        let (_, submission) = self.submitted(id)?;
        let together = match with.is_empty() {
            true => String::new(),
            false => format!(", alone or together with {}", self.named(&with)),
        };
        let mut note = format!(
            "it breaks the check `{}` on `{}` at {}{together}: {}. To see it: git merge {} && {}",
            failure.check,
            self.branch,
            tip.short(),
            failure.detail,
            tip.short(),
            failure.command.replace('\n', "; "),
        );
        for line in last(&failure.output) {
            note.push_str("\n  ");
            note.push_str(line);
        }
        Some(ReturnedTask {
            task: id,
            back: SentBack {
                submission,
                fault: Fault::Check,
                note,
                paths: Vec::new(),
                with,
                tip: tip.to_string(),
            },
        })
    }

    fn submitted(&self, id: TaskId) -> Option<(&'b Ready, crate::model::id::Stamp)> {
        let ready = self.ready(id)?;
        Some((ready, ready.task.submission.as_ref()?.0))
    }

    /// Returns the tasks whose work changed these paths on the branch since the work began.
    fn authors_since(&self, ready: &Ready, paths: &[String]) -> Result<BTreeSet<TaskId>, OpsError> {
        let repo = self.ctx.repo();
        let base = repo.merge_base(ready.head, self.tip)?;
        let range = CommitRange {
            include: vec![self.tip],
            exclude: base.into_iter().collect(),
            not_on_remote: None,
        };
        let limit = sync::time_limit(self.ctx);
        let commits = repo.log_paths(&range, &[TASK_TRAILER], limit)?;
        let touching = commits
            .iter()
            .filter(|it| it.paths.iter().any(|path| paths.contains(&lossy(path))));
        let named = touching.flat_map(|it| it.trailers.iter().flatten());
        Ok(named.filter_map(|id| id.parse().ok()).collect())
    }

    /// Names tasks with their titles.
    fn named(&self, ids: &BTreeSet<TaskId>) -> String {
        let name = |id: &TaskId| match self.snapshot.entry(*id) {
            Ok(Some(entry)) => format!("`{id}` ({})", entry.task().title),
            _ => format!("`{id}`"),
        };
        ids.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

impl batch::Bench for Bench<'_> {
    type Tip = Oid;
    type Paths = Vec<String>;
    type Detail = Failure;
    type Error = OpsError;

    fn make(&mut self, tip: &Oid, id: TaskId) -> Result<Made<Oid, Vec<String>>, OpsError> {
        let Some(ready) = self.ready(id) else {
            return Ok(Made::Clean(*tip));
        };
        if ready.comes_with_another {
            return Ok(Made::Clean(*tip));
        }
        Ok(match self.weave(*tip, ready)? {
            Woven::Made(commits) => Made::Clean(commits.last().copied().unwrap_or(*tip)),
            Woven::Contained => Made::Clean(*tip),
            Woven::Conflict { paths } => Made::Conflict(paths.iter().map(|it| lossy(it)).collect()),
            Woven::Unrelated => Made::Conflict(vec!["all files: no commit in common".to_owned()]),
        })
    }

    fn check(&mut self, trial: &Trial<Oid>) -> Result<Ran<Failure>, OpsError> {
        if self.checks.is_empty() || trial.tip == self.tip && !trial.again {
            return Ok(Ran::Passed);
        }
        let manner = Manner {
            again: trial.again,
            stop_early: true,
        };
        let results = checks::run(self.ctx, &self.checks, trial.tip, manner, self.watch)?;
        Ok(match results.into_iter().find(|result| !result.passed()) {
            None => Ran::Passed,
            Some(result) if result.failed() => Ran::Failed(Failure::of(result)),
            Some(result) => Ran::CouldNotRun(Failure::of(result)),
        })
    }
}

impl Failure {
    fn of(result: CheckResult) -> Failure {
        Failure {
            detail: result.outcome.detail().unwrap_or_default(),
            check: result.name,
            command: result.command,
            output: result.output,
        }
    }
}

/// Says why a batch ended before all was decided.
pub fn reason(stopped: &Stop<Failure>) -> String {
    match stopped {
        Stop::CouldNotRun(failure) => {
            format!(
                "the check `{}` could not run: {}",
                failure.check, failure.detail
            )
        }
        Stop::TipFails(failure) => format!(
            "the check `{}` fails on the landing branch itself: {}",
            failure.check, failure.detail
        ),
    }
}

/// Makes what would land, one on the other, without checking it.
pub fn preview(
    ctx: &Context,
    snapshot: &Snapshot,
    tip: Oid,
    ready: &[Ready],
    report: &mut LandReport,
) -> Result<(), OpsError> {
    report.dry_run = true;
    let watch = |_: Step<'_>| {};
    let branch = report.branch.clone();
    let bench = Bench::new(ctx, snapshot, &branch, tip, ready, &watch)?;
    let entries: Vec<Entry> = ready.iter().map(Ready::entry).collect();
    let mut now = tip;
    let mut aside: BTreeSet<TaskId> = BTreeSet::new();
    for (entry, ready) in entries.iter().zip(ready) {
        let below: Vec<TaskId> = entry.beneath.intersection(&aside).copied().collect();
        if !below.is_empty() {
            aside.insert(entry.id);
            let below = below.into_iter().map(Awaited::Task).collect();
            report.wait(BTreeMap::from([(entry.id, below)]));
            continue;
        }
        match bench.weave(now, ready)? {
            Woven::Made(commits) => {
                now = commits.last().copied().unwrap_or(now);
                report.landed.push((entry.id, now));
            }
            Woven::Contained => report.landed.push((entry.id, ready.head)),
            Woven::Conflict { paths } => {
                aside.insert(entry.id);
                let paths: Vec<String> = paths.iter().map(|it| lossy(it)).collect();
                let back = bench.conflict(entry.id, now, &paths, BTreeSet::new())?;
                report.sent_back.extend(back);
            }
            Woven::Unrelated => {
                aside.insert(entry.id);
                let why = "it has no commit in common with the landing branch".to_owned();
                let waits = vec![Awaited::Person(why)];
                report.wait(BTreeMap::from([(entry.id, waits)]));
            }
        }
    }
    Ok(())
}

fn message(task: &Task) -> String {
    let summary = task.submission.as_ref().map(|it| it.1.summary.as_str());
    match summary.filter(|it| !it.is_empty()) {
        Some(summary) => format!("Merge {}: {}\n\n{summary}\n", task.id, task.title),
        None => format!("Merge {}: {}\n", task.id, task.title),
    }
}

fn listed(paths: &[String]) -> String {
    let more = paths.len().saturating_sub(5);
    let mut text = paths[..paths.len().min(5)].join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn last(lines: &[String]) -> &[String] {
    &lines[lines.len().saturating_sub(TAIL)..]
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
