//! Unfinished work, and the newest commit that is known of each piece.

use std::collections::BTreeMap;

use crate::git::{Oid, RefFormat, RefName, Relation, Repo};
use crate::model::claim::{Claim, Phase, Table};
use crate::model::name::AgentName;
use crate::ops::{Context, OpsError, worktree};
use crate::store::Snapshot;

use super::Side;

/// A piece of unfinished work, and where it is.
pub(super) struct Work {
    pub side: Side,
    pub tip: Oid,
}

/// Returns what is claimed and has commits that are not landed, by its id.
pub(super) fn unfinished(
    ctx: &Context,
    snapshot: &Snapshot,
    landing: Oid,
) -> Result<Vec<Work>, OpsError> {
    let (table, _) = snapshot.table_in_force()?;
    let branches = Branches::new(ctx)?;
    let seats = seats(ctx, table);
    let mut works = Vec::new();
    for claim in table.claims.values() {
        let own = claim.branch.as_deref();
        let here = seats.get(&claim.agent).map(String::as_str);
        let here = here.filter(|_| claim.phase == Phase::Working);
        let mut tip = None;
        for branch in own.into_iter().chain(here) {
            let found = branches.tip(branch)?;
            if let Some(found) = found
                && tip.is_none()
                && is_beyond(ctx.repo(), found, landing)?
            {
                tip = Some(found);
            }
        }
        let submitted = submission(snapshot, claim)?.filter(|oid| ctx.repo().exists(*oid));
        if let Some(tip) = newest(ctx.repo(), claim.phase, tip, submitted)? {
            works.push(Work {
                side: Side {
                    id: claim.id,
                    agent: claim.agent.clone(),
                    fence: claim.fence,
                    since: claim.since,
                },
                tip,
            });
        }
    }
    Ok(works)
}

/// Returns which of branch and submission is ahead; where they have parted, what is asked about
/// now: the branch while it is worked on, and the submission from then on.
fn newest(
    repo: &Repo,
    phase: Phase,
    branch: Option<Oid>,
    submitted: Option<Oid>,
) -> Result<Option<Oid>, OpsError> {
    let (Some(branch), Some(submitted)) = (branch, submitted) else {
        return Ok(branch.or(submitted));
    };
    Ok(Some(match repo.relation(branch, submitted)? {
        Relation::Same | Relation::Ahead => branch,
        Relation::Behind => submitted,
        Relation::Diverged if matches!(phase, Phase::Working | Phase::Blocked) => branch,
        Relation::Diverged => submitted,
    }))
}

fn is_beyond(repo: &Repo, commit: Oid, landing: Oid) -> Result<bool, OpsError> {
    let stands = repo.relation(commit, landing)?;
    Ok(matches!(stands, Relation::Ahead | Relation::Diverged))
}

fn submission(snapshot: &Snapshot, claim: &Claim) -> Result<Option<Oid>, OpsError> {
    let Some(entry) = claim
        .task()
        .map(|id| snapshot.entry(id))
        .transpose()?
        .flatten()
    else {
        return Ok(None);
    };
    let submission = entry.task().submission.as_ref();
    let commit = submission.and_then(|(_, submission)| submission.commit.as_deref());
    Ok(commit.and_then(|commit| Oid::parse(commit).ok()))
}

/// Returns the branches that the worktrees of this clone have checked out, by whom they belong to;
/// only of those who work on one thing, so that it is clear on what.
fn seats(ctx: &Context, table: &Table) -> BTreeMap<AgentName, String> {
    let repo = ctx.repo();
    let bound: BTreeMap<_, AgentName> = (worktree::bound(ctx).into_iter())
        .map(|(agent, path)| (path, agent))
        .collect();
    let worktrees = repo.worktrees().unwrap_or_default().into_iter();
    let seats = worktrees.filter_map(|worktree| {
        let agent = bound.get(&worktree.path)?;
        let mut works = table
            .of_agent(agent)
            .filter(|it| it.phase == Phase::Working);
        let alone = works.next().is_some() && works.next().is_none();
        alone.then_some((agent.clone(), worktree.branch?))
    });
    seats.collect()
}

/// The branches of this clone and, behind them, of its remote.
struct Branches<'c> {
    repo: &'c Repo,
    /// What comes before the name of a branch, in order.
    places: Vec<String>,
    /// All of them, where reading each takes a process.
    listed: Option<BTreeMap<RefName, Oid>>,
}

impl Branches<'_> {
    fn new(ctx: &Context) -> Result<Branches<'_>, OpsError> {
        let repo = ctx.repo();
        let remote = ctx.store().link();
        let remote = remote.map(|link| format!("refs/remotes/{}/", link.name));
        let places: Vec<String> = ["refs/heads/".to_owned()]
            .into_iter()
            .chain(remote)
            .collect();
        let mut listed = None;
        if repo.ref_format() == RefFormat::Reftable {
            let all = places.iter().map(|place| repo.list_refs(place));
            let all: Vec<_> = all.collect::<Result<_, _>>()?;
            listed = Some(all.into_iter().flatten().collect());
        }
        Ok(Branches {
            repo,
            places,
            listed,
        })
    }

    fn tip(&self, branch: &str) -> Result<Option<Oid>, OpsError> {
        for place in &self.places {
            // What a claim says may be no name, or that of a remote may not be.
            let Ok(name) = RefName::new(format!("{place}{branch}")) else {
                continue;
            };
            let tip = match &self.listed {
                Some(listed) => listed.get(&name).copied(),
                None => self.repo.read_ref(&name)?,
            };
            if tip.is_some() {
                return Ok(tip);
            }
        }
        Ok(None)
    }
}
