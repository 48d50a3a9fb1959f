//! Whether changed paths may be committed, pushed or edited: what every layer of enforcement asks.
//!
//! The decision is [`crate::model::enforce`]'s. Here it is given the facts, and its answer is
//! filled up with what a person or an agent needs to go on: title, liveness, who lost what.

mod attribute;
mod commits;
mod strays;

pub use attribute::{Attributed, attribute};
pub use commits::{Against, check_commits, fixup_target};
pub use strays::strays;

use crate::git::Oid;
use crate::model::agent::AgentKind;
use crate::model::claim::Claim;
use crate::model::enforce::{Change, ClaimIndex, Judgement, Unclaimed, Voucher, Who};
use crate::model::id::{Fence, TaskId};
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::presence::Liveness;
use crate::model::settings::{EnforceMode, Settings};
use crate::model::share::Hold;
use crate::model::time::Timestamp;
use crate::store::Snapshot;

use super::silence::Silence;
use super::tx::Contact;
use super::{Context, OpsError, requests};

/// Names the task, or the claim without one, that a commit was made under.
pub const TASK_TRAILER: &str = "Reflectt-Task";
/// The fence of that claim.
pub const FENCE_TRAILER: &str = "Reflectt-Fence";
/// The reason why a commit was made in spite of a claim.
pub const OVERRIDE_TRAILER: &str = "Reflectt-Override";

/// What is to be said about a change.
#[derive(Debug)]
pub struct Verdict {
    pub mode: EnforceMode,
    /// Whether a person acts, on the team or not.
    pub human: bool,
    pub findings: Vec<Finding>,
    /// Claims of whoever acts that cover any of the paths.
    pub own: Vec<Claim>,
    /// What of the settings and the claims table could not be used, a sentence each.
    pub problems: Vec<String>,
    /// How many paths, or commits, were looked at.
    pub checked: usize,
}

/// Something that stands against a change.
#[derive(Debug)]
pub struct Finding {
    /// The commit that changes the paths; none if it is still to be made.
    pub commit: Option<CommitName>,
    pub paths: Vec<Vec<u8>>,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitName {
    pub oid: Oid,
    pub subject: String,
    pub author: String,
}

#[derive(Debug)]
pub enum Why {
    /// Somebody else has claimed the paths.
    Held(Box<Holder>),
    /// Nobody has claimed them, and the team requires that.
    Unclaimed,
    /// The agent lost a claim and has not taken notice of it.
    Lost {
        task: Option<TaskId>,
        holder: Option<AgentName>,
        message: String,
    },
    /// The commit was made under a claim of a task that went to somebody else since.
    Outdated {
        task: TaskId,
        fences: Vec<Fence>,
        /// The fence under which the task was given out last, and to whom.
        now: Fence,
        holder: AgentName,
        /// The claim, if it is still held.
        held: Option<Box<Holder>>,
    },
}

/// A claim in the way, and its holder.
#[derive(Debug, Clone)]
pub struct Holder {
    pub claim: Claim,
    /// The title of its task.
    pub title: Option<String>,
    /// How alive the holder is; unknown where it was never seen.
    pub seen: Option<(Liveness, Timestamp)>,
}

impl Finding {
    /// Returns the claim in the way, if there is one.
    pub fn holder(&self) -> Option<&Holder> {
        match &self.why {
            Why::Held(holder) => Some(holder),
            Why::Outdated { held, .. } => held.as_deref(),
            Why::Unclaimed | Why::Lost { .. } => None,
        }
    }

    /// Whether the claim in the way lets others who share the paths change them.
    pub fn is_shared(&self) -> bool {
        let Why::Held(holder) = &self.why else {
            return false;
        };
        let cover = holder.claim.cover();
        (self.paths.iter()).all(|path| cover.holds(path) == Some(Hold::Shared))
    }

    /// Whether the agent acted, or would act, under a claim that is not its own any more.
    pub fn is_fenced(&self) -> bool {
        matches!(self.why, Why::Lost { .. } | Why::Outdated { .. })
    }

    /// Whether whoever acts may go on with a reason. Not one who has to take notice of a loss
    /// first: that is a command away.
    pub fn may_be_overridden(&self) -> bool {
        !matches!(self.why, Why::Lost { .. })
    }
}

impl Verdict {
    /// Whether something stands against the change, and the team wants such changes stopped.
    pub fn blocks(&self) -> bool {
        self.mode == EnforceMode::Block && !self.findings.is_empty()
    }
}

/// Returns who acts: the agent this process acts as, or a person.
pub fn acting(ctx: &Context) -> Who {
    match ctx.identity() {
        Some(name) => Who::Agent(name.clone()),
        None => Who::Person,
    }
}

/// Returns whether claims are enforced.
pub fn mode(ctx: &Context) -> Result<EnforceMode, OpsError> {
    Ok(requests::look(ctx)?.settings()?.enforce)
}

/// Judges a change of the paths that `paths` returns by `who`. Counts as a sign of life of that
/// agent.
///
/// The paths are asked for when all else is known: another process may be finding them out.
pub fn check_paths(
    ctx: &Context,
    who: &Who,
    paths: impl FnOnce() -> Result<Vec<Vec<u8>>, OpsError>,
) -> Result<Verdict, OpsError> {
    let snapshot = requests::look(ctx)?;
    let facts = Facts::read(ctx, &snapshot, who)?;
    let mut verdict = facts.verdict(0)?;
    if verdict.mode == EnforceMode::Off {
        return Ok(verdict);
    }
    let loss = facts.loss()?;
    let index = facts.index()?;
    let paths = paths()?;
    verdict.checked = paths.len();
    if paths.is_empty() {
        return Ok(verdict);
    }
    verdict.findings.extend(loss);
    let judged = index.judge(
        &paths,
        &Change {
            who,
            voucher: &Voucher::default(),
            unclaimed: facts.unclaimed,
        },
    );
    verdict.own = judged.own.iter().map(|claim| (*claim).clone()).collect();
    let pick = |at: &usize| paths[*at].clone();
    facts.report(&judged, None, &pick, &mut verdict.findings)?;
    Ok(verdict)
}

/// What every judgement of one run needs, read once.
struct Facts<'c, 's> {
    ctx: &'c Context,
    snapshot: &'c Snapshot<'s>,
    settings: &'c Settings,
    who: &'c Who,
    human: bool,
    unclaimed: Unclaimed,
}

impl<'c, 's> Facts<'c, 's> {
    fn read(
        ctx: &'c Context,
        snapshot: &'c Snapshot<'s>,
        who: &'c Who,
    ) -> Result<Facts<'c, 's>, OpsError> {
        let settings = snapshot.settings()?;
        // One file is read, not the whole team: this runs at every commit.
        let log = match who.agent() {
            Some(name) => snapshot.agent_log(name)?,
            None => None,
        };
        let seat = log.and_then(|log| log.fold());
        if let Some(agent) = &seat {
            let presence = ctx.presence();
            presence.beat(&agent.name, ctx.now(), None)?;
            ctx.note_place(&agent.name);
        }
        let human = match who {
            Who::Person => true,
            Who::Agent(_) => seat.is_some_and(|agent| agent.kind == AgentKind::Human),
        };
        let unclaimed = if settings.require_claim && !human {
            Unclaimed::Refused
        } else {
            Unclaimed::Free
        };
        Ok(Facts {
            ctx,
            snapshot,
            settings,
            who,
            human,
            unclaimed,
        })
    }

    fn verdict(&self, checked: usize) -> Result<Verdict, OpsError> {
        let settings = self.snapshot.settings_problems()?.iter();
        let damaged = |problem| format!("the team's settings are damaged: {problem}");
        let mut problems: Vec<String> = settings.map(damaged).collect();
        if self.settings.enforce != EnforceMode::Off {
            let (_, damage) = self.snapshot.table_in_force()?;
            problems.extend(damage.map(|damage| super::unknown_claims(&damage)));
        }
        Ok(Verdict {
            mode: self.settings.enforce,
            human: self.human,
            findings: Vec::new(),
            own: Vec::new(),
            problems,
            checked,
        })
    }

    fn index(&self) -> Result<ClaimIndex<'c>, OpsError> {
        // A hook asks no remote, so of other clones nobody counts as silent.
        let silence = Silence::new(self.ctx, self.snapshot, Contact::Old)?;
        let expired = |claim: &Claim| silence.is_expired(claim);
        let elsewhere =
            |claim: &Claim| self.who.agent() == Some(&claim.agent) && silence.is_elsewhere(claim);
        Ok(ClaimIndex::new(
            self.snapshot.table_in_force()?.0,
            &self.settings.shared_paths,
            &expired,
            &elsewhere,
        ))
    }

    /// Returns the loss that the agent has not taken notice of. It may have worked on under a
    /// claim that is over, so nothing goes on before it says that it knows.
    fn loss(&self) -> Result<Option<Finding>, OpsError> {
        let Some(me) = self.who.agent() else {
            return Ok(None);
        };
        let unread = self.snapshot.unread(me)?;
        let lost = unread
            .into_iter()
            .find(|mail| mail.message.notice == Some(Notice::ClaimLost));
        let Some(message) = lost.map(|mail| mail.message) else {
            return Ok(None);
        };
        // Forgotten, it is only shown again.
        self.ctx.store().note_message_shown(me, message.id).ok();
        let (table, _) = self.snapshot.table_in_force()?;
        let held = message.task.and_then(|task| table.claims.get(&task));
        // Claimed again since: then it is its own.
        if held.is_some_and(|claim| claim.agent == *me) {
            return Ok(None);
        }
        // Whoever is stopped reads it. Forgotten, it is only shown again.
        (self.snapshot.store().note_message_shown(me, message.id)).ok();
        Ok(Some(Finding {
            commit: None,
            paths: Vec::new(),
            why: Why::Lost {
                task: message.task,
                holder: held.map(|claim| claim.agent.clone()),
                message: message.body,
            },
        }))
    }

    fn holder(&self, claim: &Claim) -> Result<Holder, OpsError> {
        let title = match claim.task() {
            Some(id) => self
                .snapshot
                .entry(id)?
                .map(|entry| entry.task().title.clone()),
            None => claim.why.clone(),
        };
        Ok(Holder {
            title,
            seen: self.ctx.liveness(&claim.agent, self.settings)?,
            claim: claim.clone(),
        })
    }

    /// Turns a judgement into findings.
    fn report(
        &self,
        judged: &Judgement,
        commit: Option<&CommitName>,
        pick: &dyn Fn(&usize) -> Vec<u8>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), OpsError> {
        let finding = |paths: &[usize], why| Finding {
            commit: commit.cloned(),
            paths: paths.iter().map(pick).collect(),
            why,
        };
        for (claim, paths) in &judged.held {
            let holder = Box::new(self.holder(claim)?);
            findings.push(finding(paths, Why::Held(holder)));
        }
        for (claim, paths) in &judged.outdated {
            let why = Why::Outdated {
                task: claim.id,
                fences: Vec::new(),
                now: claim.fence,
                holder: claim.agent.clone(),
                held: Some(Box::new(self.holder(claim)?)),
            };
            findings.push(finding(paths, why));
        }
        if !judged.unclaimed.is_empty() {
            findings.push(finding(&judged.unclaimed, Why::Unclaimed));
        }
        Ok(())
    }
}
