//! Finding what is wrong, explaining it, and mending what is safe to mend.
//!
//! Everything is looked at as it is: examining changes nothing. What can be mended without a
//! person's judgement is: locks of killed processes, damaged files of which a good version
//! exists, two tasks with one id, a claims table that cannot be read, and a record that does not
//! follow the table. No history is ever rewritten.

mod clone;
mod files;
mod tasks;

use std::path::PathBuf;

use crate::git::{GitVersion, ObjectFormat, RefFormat};
use crate::model::advice::{Advice, Call};
use crate::model::id::TaskId;
use crate::model::mend::Repairs;
use crate::model::name::AgentName;
use crate::model::task::TaskEvent;
use crate::model::time::Timestamp;
use crate::store::{Changes, Origin, Snapshot, StoreError, Turn, layout};

use super::{Context, OpsError, mend, sync};

/// What to do about what a later version wrote.
const UPDATE: &str = "update reflectt: what it cannot read is no damage";

/// The call that mends.
fn mend_all() -> Call {
    Call::to("doctor").flag("fix")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// Only look.
    Look,
    /// Mend what is safe.
    Mend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A path on the branch.
    File(String),
    /// A path of this machine.
    Local(PathBuf),
    Task(TaskId),
    Agent(String),
    Setting,
    Table,
    Git,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// A fixed word for the kind of finding, for programs.
    pub what: &'static str,
    pub thing: Thing,
    pub reason: String,
    pub fix: Option<Advice>,
    /// Whether it was mended just now.
    pub fixed: bool,
}

impl Finding {
    fn new(
        severity: Severity,
        what: &'static str,
        thing: Thing,
        reason: impl Into<String>,
    ) -> Finding {
        Finding {
            severity,
            what,
            thing,
            reason: reason.into(),
            fix: None,
            fixed: false,
        }
    }

    fn fix(mut self, fix: impl Into<Advice>) -> Finding {
        self.fix = Some(fix.into());
        self
    }

    /// Says that `doctor --fix` mends it, or has just done so.
    fn mends(self, mending: Mending) -> Finding {
        Finding {
            fixed: mending == Mending::Mend,
            ..self.fix(mend_all())
        }
    }
}

/// What this clone is, for whoever reads a report of a problem.
#[derive(Debug)]
pub struct Facts {
    pub git: Option<GitVersion>,
    pub refs: RefFormat,
    pub objects: ObjectFormat,
    pub open: usize,
    pub archived: usize,
    pub agents: usize,
    /// How many claims there are; `None` if the table cannot be read.
    pub claims: Option<usize>,
}

#[derive(Debug)]
pub struct Diagnosis {
    /// Worst first.
    pub findings: Vec<Finding>,
    pub facts: Facts,
}

impl Diagnosis {
    /// Adds what another layer has found.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }

    /// Returns whether an error is left that was not mended.
    pub fn has_errors(&self) -> bool {
        let is_left = |finding: &Finding| finding.severity == Severity::Error && !finding.fixed;
        self.findings.iter().any(is_left)
    }
}

/// What the examination of a snapshot finds, and the changes that would mend it.
struct Exam<'e, 's> {
    ctx: &'e Context,
    snapshot: &'e Snapshot<'s>,
    now: Timestamp,
    mending: Mending,
    findings: Vec<Finding>,
    changes: Changes,
}

impl Exam<'_, '_> {
    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn is_on_team(&self, name: &AgentName) -> Result<bool, StoreError> {
        Ok(self.snapshot.agents()?.contains_key(name))
    }
}

/// Looks at everything, and mends what is safe if asked to.
pub fn doctor(ctx: &Context, mending: Mending) -> Result<Diagnosis, OpsError> {
    let store = ctx.store();
    // Asked first: a repository without a record, or with a branch of that name which is not
    // ours, has nothing to examine, and nothing of it may be touched.
    drop(store.snapshot()?);
    let (mut findings, git) = clone::look(ctx, mending)?;
    findings.extend(table(ctx, mending)?);
    findings.extend(record(ctx, mending)?);
    findings.extend(agreement(ctx, mending)?);
    findings.extend(clone::heartbeats(ctx, mending)?);
    // After all the mending, or the board would be called old for what was just mended.
    let snapshot = store.snapshot()?;
    if super::board::is_stale(ctx, &snapshot).unwrap_or(false) {
        let reason = "the board is older than the tasks it shows";
        let thing = Thing::File(layout::README.to_owned());
        findings.push(
            Finding::new(Severity::Info, "old_board", thing, reason)
                .fix(Call::to("board").flag("write")),
        );
    }
    ctx.beat(&snapshot)?;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(Diagnosis {
        findings,
        facts: Facts {
            git,
            refs: ctx.repo().ref_format(),
            objects: ctx.repo().object_format(),
            open: snapshot.open()?.len(),
            archived: snapshot.archived()?.len(),
            agents: snapshot.agents()?.len(),
            claims: snapshot.table().ok().map(|table| table.claims.len()),
        },
    })
}

fn origin(ctx: &Context) -> Origin {
    Origin {
        author: ctx.person(),
        now: ctx.now(),
    }
}

/// Examines the claims table itself.
fn table(ctx: &Context, mending: Mending) -> Result<Option<Finding>, OpsError> {
    let store = ctx.store();
    let snapshot = store.snapshot()?;
    let reason = match snapshot.table_in_force()? {
        (table, None) if table.is_plausible() => return Ok(None),
        (table, None) => format!(
            "it says that it is version {} and has given out {} fences, which no team can reach; who holds what stays, the numbers go back to what they were",
            table.epoch, table.fence
        ),
        (_, Some(damage)) if damage.is_newer_table() => {
            let reason = super::chain(&damage);
            let finding = Finding::new(Severity::Error, "claims_table", Thing::Table, reason);
            return Ok(Some(finding.fix(UPDATE)));
        }
        (_, Some(damage)) => {
            let found = snapshot.last_table()?;
            let damage = super::chain(&damage);
            match found.commit {
                Some(commit) => format!(
                    "{damage}; the last version that can be read is {} ({} before it), and claims taken since are lost",
                    commit.short(),
                    found.damaged
                ),
                None => format!(
                    "{damage}; tasks are held as the record says, and claims of paths are lost"
                ),
            }
        }
    };
    let finding = Finding::new(Severity::Error, "claims_table", Thing::Table, reason);
    if mending == Mending::Mend {
        store.restore_table(&origin(ctx))?;
    }
    Ok(Some(finding.mends(mending)))
}

/// Examines the files of the record and what they say.
fn record(ctx: &Context, mending: Mending) -> Result<Vec<Finding>, OpsError> {
    if mending == Mending::Mend {
        // What cannot be read is among the findings.
        ctx.note_warnings(sync::take_in(ctx)?.warnings);
    }
    ctx.store().transact(|snapshot| {
        let mut exam = Exam {
            ctx,
            snapshot,
            now: ctx.now(),
            mending,
            findings: Vec::new(),
            changes: Changes::default(),
        };
        exam.files()?;
        exam.tasks()?;
        exam.claims()?;
        let turn = match mending {
            Mending::Mend if exam.changes.touches_record() => {
                exam.changes.subject = "doctor: mend the record".to_owned();
                Turn::Publish(Box::new(exam.changes), exam.findings)
            }
            _ => Turn::Answer(exam.findings),
        };
        Ok((turn, origin(ctx)))
    })
}

/// Examines whether table and record agree.
///
/// With a remote, the next operation mends it, after it has asked the remote how things stand.
fn agreement(ctx: &Context, mending: Mending) -> Result<Vec<Finding>, OpsError> {
    let linked = ctx.store().link().is_some();
    let mending = match linked {
        true => Mending::Look,
        false => mending,
    };
    ctx.store().transact(|snapshot| {
        let repairs = mend::disagreement(snapshot)?;
        let mut findings = disagreements(&repairs, mending);
        if linked {
            for finding in &mut findings {
                finding.fix = Some(Call::to("sync").into());
            }
        }
        let changes = match mending {
            Mending::Mend => mend::changes(ctx, snapshot, ctx.now())?,
            Mending::Look => None,
        };
        let turn = match changes {
            Some(changes) => Turn::Publish(Box::new(changes), findings),
            None => Turn::Answer(findings),
        };
        Ok((turn, origin(ctx)))
    })
}

fn disagreements(repairs: &Repairs, mending: Mending) -> Vec<Finding> {
    let finding = |what, id, reason: String| {
        Finding::new(Severity::Error, what, Thing::Task(id), reason).mends(mending)
    };
    let mut found = Vec::new();
    for (id, by, event) in &repairs.events {
        found.push(match event {
            TaskEvent::Lapsed { agent, .. } => finding(
                "record_without_claim",
                *id,
                format!("the record says that `{agent}` holds it, the claims table does not"),
            ),
            TaskEvent::Extended { .. } => finding(
                "claim_without_record",
                *id,
                format!("`{by}` has claimed more than the record says"),
            ),
            _ => finding(
                "claim_without_record",
                *id,
                format!("`{by}` holds it by the claims table, the record does not say so"),
            ),
        });
    }
    for id in &repairs.drop {
        let reason = "the claims table has a claim on it that is over".to_owned();
        found.push(finding("claim_left_over", *id, reason));
    }
    for (id, phase) in &repairs.phases {
        let reason = format!("its phase in the claims table should be `{phase}`");
        found.push(finding("claim_phase", *id, reason));
    }
    for (id, fence) in &repairs.fences {
        let reason = format!("its claim has a number that is not its own; it becomes {fence}");
        found.push(finding("claim_number", *id, reason));
    }
    if let Some(floor) = repairs.floor {
        let reason = format!("it was lost or set back: the record knows claim {floor} already");
        let set_back = Finding::new(Severity::Error, "fence", Thing::Table, reason);
        found.push(set_back.mends(mending));
    }
    found
}
