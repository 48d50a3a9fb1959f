//! Judging commits that exist: what slipped past the hooks, or was made before a claim was.
//!
//! Nobody can be asked any more, so a commit is judged by what it proves itself: the fences in its
//! trailers, those of commits built upon it, its author's name, and overrides on the record.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::git::{CommitRange, LoggedCommit, Oid};
use crate::model::claim::Claim;
use crate::model::enforce::{Change, Judgement, Unclaimed, Voucher, Who};
use crate::model::id::{Fence, TaskId};
use crate::model::name::AgentName;
use crate::model::path::PathPattern;
use crate::model::settings::EnforceMode;
use crate::model::share::Hold;
use crate::model::task::{TaskEvent, TaskLog};
use crate::store::Snapshot;

use super::{
    CommitName, FENCE_TRAILER, Facts, Finding, OVERRIDE_TRAILER, TASK_TRAILER, Verdict, Why,
};
use crate::ops::{Context, OpsError};

/// Which version of the claims table commits are judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// This clone's own.
    Here,
    /// This clone's own, or what it has of the remote's: a build server has no other.
    HereOrRemote(String),
    /// The table at this commit.
    Table(Oid),
}

/// Judges the commits of a range, as pushed, or asked about, by `who`.
pub fn check_commits(
    ctx: &Context,
    who: &Who,
    range: &CommitRange,
    against: &Against,
    time_limit: Duration,
) -> Result<Verdict, OpsError> {
    let snapshot = snapshot(ctx, against)?;
    let facts = Facts::read(ctx, &snapshot, who)?;
    let mut verdict = facts.verdict(0)?;
    if verdict.mode == EnforceMode::Off {
        return Ok(verdict);
    }
    let trailers = [TASK_TRAILER, FENCE_TRAILER, OVERRIDE_TRAILER];
    let commits = ctx.repo().log_paths(range, &trailers, time_limit)?;
    verdict.checked = commits.len();
    // In a push that commit came from a remote; a build would be green, or red, for no reason.
    if let Some(cut) = commits.iter().find(|commit| commit.cut_off)
        && *against != Against::Here
    {
        return Err(OpsError::Shallow(cut.oid));
    }
    if commits.is_empty() {
        return Ok(verdict);
    }
    verdict.findings.extend(facts.loss()?);
    let index = facts.index()?;
    let email = ctx.repo().config("user.email");
    let mut history = History::new(&snapshot);
    let mut bases = Bases {
        ctx,
        range,
        time_limit,
        beyond: BTreeMap::new(),
    };
    let vouchers = vouchers(&commits);
    // Who pushes brings those commits in, and may build upon them: a holder takes over what was
    // made before it. Commits that are asked about say for themselves what they were made under.
    let builder = who.agent().filter(|_| *against == Against::Here);
    for (commit, proof) in commits.iter().zip(&vouchers) {
        let own_work = email.as_ref().is_none_or(|email| *email == commit.email);
        let change = Change {
            who,
            voucher: &proof.voucher,
            // A commit made under a claim, or by somebody else, needs no claim now.
            unclaimed: if own_work && proof.made_under.is_empty() && commit.parents.len() < 2 {
                facts.unclaimed
            } else {
                Unclaimed::Free
            },
        };
        let name = CommitName {
            oid: commit.oid,
            subject: commit.subject.clone(),
            author: commit.author.clone(),
        };
        let mut judged = index.judge(&commit.paths, &change);
        if !judged.is_clear() {
            let by_hand = by_hand(ctx, commit, &judged, time_limit)?;
            history.clear(&mut judged, commit, proof, &by_hand)?;
            bases.clear(&mut judged, commit)?;
        }
        let before = verdict.findings.len();
        let pick = |at: &usize| commit.paths[*at].clone();
        facts.report(&judged, Some(&name), &pick, &mut verdict.findings)?;
        for finding in &mut verdict.findings[before..] {
            if let Why::Outdated { fences, .. } = &mut finding.why {
                fences.extend(&proof.made_under);
            }
        }
        if judged.outdated.is_empty() {
            let superseded = history.superseded(builder, commit, proof)?;
            verdict.findings.extend(superseded.map(|why| Finding {
                commit: Some(name),
                paths: commit.paths.clone(),
                why,
            }));
        }
    }
    // As they were made.
    verdict.findings.reverse();
    Ok(verdict)
}

fn snapshot<'c>(ctx: &'c Context, against: &Against) -> Result<Snapshot<'c>, OpsError> {
    let store = ctx.store();
    let snapshot = match against {
        Against::Here => store.snapshot()?,
        Against::HereOrRemote(remote) => store.snapshot_or_tracked(remote)?,
        Against::Table(tip) => {
            let here = store.snapshot_or_tracked("origin")?;
            let asked_for = store.snapshot_at(here.tip, Some(*tip))?;
            // No other version will do.
            asked_for.table()?;
            asked_for
        }
    };
    // Without the table nothing would ever be found, and a build would be green for no reason.
    if snapshot.table_tip.is_none() && *against != Against::Here {
        let claimed = snapshot.open_tasks()?.find(|task| task.fence.is_some());
        if let Some(task) = claimed {
            return Err(OpsError::Nothing(format!(
                "the record says that `{}` is claimed, but there is no claims table here",
                task.id
            )));
        }
    }
    Ok(snapshot)
}

/// Returns which paths of a commit were edited, as git's own merges are nobody's edits.
fn by_hand(
    ctx: &Context,
    commit: &LoggedCommit,
    judged: &Judgement,
    time_limit: Duration,
) -> Result<BTreeSet<Vec<u8>>, OpsError> {
    let held = judged.held.iter().chain(&judged.outdated);
    let hits = held
        .flat_map(|(_, paths)| paths)
        .chain(&judged.unclaimed)
        .map(|at| commit.paths[*at].clone());
    let hits: Vec<Vec<u8>> = hits.collect::<BTreeSet<_>>().into_iter().collect();
    let left = ctx.repo().merged_by_hand(commit, hits, time_limit)?;
    Ok(left.into_iter().collect())
}

/// Which commits were there before a claim was.
///
/// The holder had a commit checked out when it claimed, and knows all that led to it. Everything
/// else counts, even if its date is older: a commit's date is that of the moment at which its
/// making began, and a claim may come while its message is written.
struct Bases<'b> {
    ctx: &'b Context,
    range: &'b CommitRange,
    time_limit: Duration,
    /// For each claim that was asked about, the commits of the range that its base does not lead
    /// to; none if its base is unknown here.
    beyond: BTreeMap<TaskId, Option<HashSet<Oid>>>,
}

impl Bases<'_> {
    fn clear(&mut self, judged: &mut Judgement, commit: &LoggedCommit) -> Result<(), OpsError> {
        for group in [&mut judged.held, &mut judged.outdated] {
            let mut left = Vec::new();
            for (claim, paths) in std::mem::take(group) {
                if !self.is_older(commit, claim)? {
                    left.push((claim, paths));
                }
            }
            *group = left;
        }
        Ok(())
    }

    fn is_older(&mut self, commit: &LoggedCommit, claim: &Claim) -> Result<bool, OpsError> {
        if !self.beyond.contains_key(&claim.id) {
            let base = claim.base.as_ref().and_then(|base| Oid::parse(base).ok());
            let beyond = match base {
                Some(base) => {
                    let repo = self.ctx.repo();
                    repo.list_beyond(self.range, base, self.time_limit)?
                }
                None => None,
            };
            self.beyond.insert(claim.id, beyond);
        }
        Ok(match self.beyond.get(&claim.id) {
            Some(Some(beyond)) => !beyond.contains(&commit.oid),
            // All that is left to go by is the clocks.
            _ => commit.committed.saturating_add(1).saturating_mul(1000) < claim.since.0,
        })
    }
}

/// What a commit proves.
struct Proof {
    voucher: Voucher,
    /// The fences of its own trailers.
    made_under: BTreeSet<Fence>,
    overridden: bool,
}

/// Reads the trailers of every commit. A commit vouches for those it was built upon, and a
/// `fixup!` is what the commit is that it mends.
fn vouchers(commits: &[LoggedCommit]) -> Vec<Proof> {
    let mut from_children: HashMap<Oid, BTreeSet<Fence>> = HashMap::new();
    let mut proofs = Vec::with_capacity(commits.len());
    let named = |commit: &LoggedCommit| {
        let tasks = commit.trailers[0].iter();
        let fences = commit.trailers[1].iter();
        let tasks: BTreeSet<TaskId> = tasks.filter_map(|id| id.parse().ok()).collect();
        let fences: BTreeSet<Fence> = fences
            .filter_map(|fence| fence.parse().ok().map(Fence))
            .collect();
        (tasks, fences)
    };
    let mut by_subject: HashMap<&str, &LoggedCommit> = HashMap::new();
    for commit in commits.iter().filter(|c| !c.trailers[1].is_empty()) {
        by_subject.insert(&commit.subject, commit);
    }
    for commit in commits {
        let (mut tasks, mut own) = named(commit);
        if own.is_empty()
            && let Some(target) = fixup_target(&commit.subject)
            && let Some(mended) = by_subject.get(target)
            && mended.email == commit.email
        {
            (tasks, own) = named(mended);
        }
        let mut fences = from_children.remove(&commit.oid).unwrap_or_default();
        fences.extend(&own);
        if !fences.is_empty() {
            for parent in &commit.parents {
                from_children.entry(*parent).or_default().extend(&fences);
            }
        }
        proofs.push(Proof {
            voucher: Voucher {
                tasks,
                fences,
                author: Some(commit.author.clone()),
            },
            made_under: own,
            overridden: !commit.trailers[2].is_empty(),
        });
    }
    proofs
}

/// Returns the subject of the commit that this one is to be squashed into.
pub fn fixup_target(subject: &str) -> Option<&str> {
    let mut rest = subject;
    while let Some(target) = ["fixup! ", "squash! ", "amend! "]
        .iter()
        .find_map(|mark| rest.strip_prefix(mark))
    {
        rest = target;
    }
    (rest.len() < subject.len()).then_some(rest)
}

/// The histories of tasks that commits name, each read once.
struct History<'h, 's> {
    snapshot: &'h Snapshot<'s>,
    logs: BTreeMap<TaskId, Option<TaskLog>>,
}

impl<'h, 's> History<'h, 's> {
    fn new(snapshot: &'h Snapshot<'s>) -> History<'h, 's> {
        History {
            snapshot,
            logs: BTreeMap::new(),
        }
    }

    fn log(&mut self, id: TaskId) -> Result<Option<&TaskLog>, OpsError> {
        if !self.logs.contains_key(&id) {
            let log = match self.snapshot.entry(id)? {
                Some(entry) => Some(self.snapshot.log_of(entry)?),
                None => None,
            };
            self.logs.insert(id, log);
        }
        Ok(self.logs.get(&id).and_then(Option::as_ref))
    }

    /// Takes out of a judgement what turns out to be right: merges by git alone, work of the
    /// holder's own under an earlier claim, overrides that are on the record.
    fn clear(
        &mut self,
        judged: &mut Judgement,
        commit: &LoggedCommit,
        proof: &Proof,
        by_hand: &BTreeSet<Vec<u8>>,
    ) -> Result<(), OpsError> {
        let mut makers: BTreeSet<AgentName> = BTreeSet::new();
        let mut shared: BTreeSet<PathPattern> = BTreeSet::new();
        for id in &proof.voucher.tasks {
            if let Some(log) = self.log(*id)? {
                let fates = proof.made_under.iter().filter_map(|f| log.fate_of(*f));
                let before = makers.len();
                makers.extend(fates.map(|fate| fate.agent));
                if makers.len() > before {
                    shared.extend(log.fold().into_iter().flat_map(|folded| folded.task.shared));
                }
            }
        }
        // A share that is over by now let its commits stand beside those of the others.
        let had_share = |claim: &Claim, path: &[u8]| {
            !proof.voucher.tasks.contains(&claim.id)
                && claim.cover().holds(path) == Some(Hold::Shared)
                && shared.iter().any(|it| it.matches(path))
        };
        let path = |at: &usize| &commit.paths[*at];
        for group in [&mut judged.held, &mut judged.outdated] {
            let mut left = Vec::new();
            for (claim, mut paths) in std::mem::take(group) {
                paths.retain(|at| by_hand.contains(path(at)) && !had_share(claim, path(at)));
                if makers.contains(&claim.agent) {
                    continue;
                }
                if proof.overridden {
                    let allowed = self.overridden(claim)?;
                    paths.retain(|at| !allowed.covers(path(at)));
                }
                if !paths.is_empty() {
                    left.push((claim, paths));
                }
            }
            *group = left;
        }
        judged.unclaimed.retain(|at| by_hand.contains(path(at)));
        if proof.overridden {
            judged.unclaimed.clear();
        }
        Ok(())
    }

    /// Returns what was changed with a reason while `claim` stood. Of a claim without a task only
    /// the message to its holder tells.
    fn overridden(&mut self, claim: &Claim) -> Result<Overridden, OpsError> {
        if claim.task().is_none() {
            let told = self
                .snapshot
                .was_told_of_override(&claim.agent, claim.since)?;
            return Ok(Overridden::Everything(told));
        }
        let Some(log) = self.log(claim.id)? else {
            return Ok(Overridden::Everything(false));
        };
        let paths = log.log.iter().filter_map(|(_, event)| match &event.kind {
            TaskEvent::Overridden { paths, .. } => Some(paths.iter().cloned()),
            _ => None,
        });
        Ok(Overridden::Paths(paths.flatten().collect()))
    }

    /// Finds out whether the commit was made under a claim that was lost, to a task that somebody
    /// else has taken up since, even if that is done by now.
    fn superseded(
        &mut self,
        builder: Option<&AgentName>,
        commit: &LoggedCommit,
        proof: &Proof,
    ) -> Result<Option<Why>, OpsError> {
        if proof.overridden || commit.paths.is_empty() {
            return Ok(None);
        }
        for id in &proof.voucher.tasks {
            let Some(log) = self.log(*id)? else { continue };
            let fates = proof.made_under.iter().filter_map(|f| log.fate_of(*f));
            for fate in fates.filter(|fate| fate.lost) {
                let Some((now, holder)) = fate.later else {
                    continue;
                };
                let vouched = proof.voucher.fences.contains(&now);
                if holder != fate.agent && builder != Some(&holder) && !vouched {
                    return Ok(Some(Why::Outdated {
                        task: *id,
                        fences: proof.made_under.iter().copied().collect(),
                        now,
                        holder,
                        held: None,
                    }));
                }
            }
        }
        Ok(None)
    }
}

/// Which paths were changed with a reason.
enum Overridden {
    Everything(bool),
    Paths(BTreeSet<String>),
}

impl Overridden {
    fn covers(&self, path: &[u8]) -> bool {
        match self {
            Overridden::Everything(covered) => *covered,
            Overridden::Paths(paths) => paths.contains(&*String::from_utf8_lossy(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixups_name_what_they_mend() {
        assert_eq!(fixup_target("fixup! squash! a b"), Some("a b"));
        assert_eq!(fixup_target("amend! x"), Some("x"));
        assert_eq!(fixup_target("fix: x"), None);
    }
}
