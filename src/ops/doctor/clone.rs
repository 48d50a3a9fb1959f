//! What is wrong with this clone: git itself, locks, caches, heartbeats, worktrees.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::git::{Advisory, GIT_OLDEST, GitVersion};
use crate::model::advice::Call;
use crate::model::name::AgentName;
use crate::model::time::Span;
use crate::ops::{AGENT_KEY, Context, OpsError};
use crate::store::CacheState;

use super::{Finding, Mending, Severity, Thing};

/// A heartbeat this far ahead of the clock was made by another clock.
const AHEAD_MAX: Span = Span::from_secs(10);

/// Examines what does not depend on the record.
pub fn look(
    ctx: &Context,
    mending: Mending,
) -> Result<(Vec<Finding>, Option<GitVersion>), OpsError> {
    let mut findings = Vec::new();
    let version = git(ctx, &mut findings);
    locks(ctx, mending, &mut findings)?;
    for (path, state) in ctx.store().caches() {
        if state == CacheState::Damaged {
            let reason = "the cache was damaged; it has been built anew";
            let finding = Finding::new(Severity::Info, "cache", Thing::Local(path), reason);
            findings.push(Finding {
                fixed: true,
                ..finding
            });
        }
    }
    for (check, times) in ctx.store().flaky() {
        let reason = format!(
            "the check `{check}` has failed and then passed on the very same files, {times} times so far"
        );
        let thing = Thing::Local(ctx.store().flaky_path());
        let finding = Finding::new(Severity::Info, "flaky", thing, reason);
        findings.push(finding.fix("make it say the same each time, and remove that file"));
    }
    worktrees(ctx, &mut findings)?;
    remote(ctx, &mut findings)?;
    Ok((findings, version))
}

/// Examines what the remote has, as far as it was fetched.
///
/// Nothing mends it by itself: it may be a later version's, or somebody's, at work with it.
fn remote(ctx: &Context, findings: &mut Vec<Finding>) -> Result<(), OpsError> {
    let store = ctx.store();
    let Some(link) = store.link() else {
        return Ok(());
    };
    let names = ctx.repo().remote_names();
    // Git takes a path or an address for a remote, too.
    let is_name = !link.name.contains(['/', ':']);
    if is_name && !names.contains(&link.name) {
        let reason = format!(
            "the team is shared through the remote `{}`, which this clone does not have",
            link.name
        );
        let finding = Finding::new(Severity::Error, "no_remote", Thing::Git, reason);
        // Renamed, it has its branches under its new name.
        let renamed = names.iter().find(|name| store.has_tracked(name));
        findings.push(match renamed.or(names.first()) {
            Some(name) => finding.fix(Call::to("init").set("remote", name)),
            None => finding.fix("git remote add NAME URL, then reflectt init --remote NAME"),
        });
        return Ok(());
    }
    let (here, there) = (store.local_tips()?, store.tracking_tips(&link)?);
    if let Some(tip) = there.record
        && let Err(error) = store.check_theirs(&link, tip)
    {
        let reason = crate::ops::chain(&error);
        let thing = Thing::Git;
        let finding = Finding::new(Severity::Error, "remote_record", thing, reason);
        findings.push(finding.fix(Call::to("sync").so("says how to put it right")));
    }
    let (Some(record), Some(table)) = (here.record, there.table) else {
        return Ok(());
    };
    // What is built on here is mended here, and goes there with the next exchange.
    let is_here = |own| Ok::<_, OpsError>(own == table || ctx.repo().is_ancestor(table, own)?);
    if here.table.map(is_here).transpose()? == Some(true) {
        return Ok(());
    }
    if let Err(error) = store.snapshot_at(record, Some(table))?.table() {
        let (remote, name) = (&link.name, link.claims_on_remote());
        let reason = crate::ops::chain(&error);
        let reason = format!("on `{remote}`, which decides about claims: {reason}");
        let ours = here.table.map_or("", |_| store.claims_ref().as_str());
        let finding = Finding::new(Severity::Error, "remote_table", Thing::Table, reason);
        findings.push(finding.fix(match error.is_newer_table() {
            true => super::UPDATE.to_owned(),
            false => format!(
                "upgrade reflectt if others have a later one; else give it what is here: git push --force-with-lease={name}:{table} {remote} {ours}:{name}"
            ),
        }));
    }
    Ok(())
}

fn git(ctx: &Context, findings: &mut Vec<Finding>) -> Option<GitVersion> {
    match ctx.repo().runner().version() {
        Ok(version) => {
            if version < GIT_OLDEST {
                let reason = format!("git {version} is too old; {GIT_OLDEST} is the oldest");
                findings.push(
                    Finding::new(Severity::Error, "git_version", Thing::Git, reason)
                        .fix(format!("install git {GIT_OLDEST} or later")),
                );
            }
            Some(version)
        }
        Err(error) => {
            let reason = crate::ops::chain(&error);
            findings.push(
                Finding::new(Severity::Error, "git_version", Thing::Git, reason)
                    .fix(format!("install git {GIT_OLDEST} or later")),
            );
            None
        }
    }
}

fn locks(ctx: &Context, mending: Mending, findings: &mut Vec<Finding>) -> Result<(), OpsError> {
    for lock in ctx.repo().find_locks()? {
        let age = Span::from_millis(u64::try_from(lock.age.as_millis()).unwrap_or(u64::MAX));
        let age = crate::ops::tx::coarse(age);
        let thing = Thing::Local(lock.path.clone());
        if !lock.stale {
            let reason = format!("locked for {age}; a git process is at work on it");
            findings.push(Finding::new(Severity::Info, "lock", thing, reason));
            continue;
        }
        // In a reftable repository the list of tables is locked for updates, and single tables
        // while git compacts them.
        let of_one_table = lock.path.to_string_lossy().ends_with(".ref.lock");
        let (severity, harm) = match of_one_table {
            true => (Severity::Warning, "it stops git from compacting the refs"),
            false => (Severity::Error, "it stops updates"),
        };
        let reason = format!("left behind by a killed git process {age} ago; {harm}");
        let mut finding =
            Finding::new(severity, "stale_lock", thing, reason).fix(super::mend_all());
        if mending == Mending::Mend {
            let removed = ctx
                .repo()
                .remove_stale_lock(&lock.path, Advisory::NotHeld)?;
            finding.fixed = removed.is_some() || !lock.path.exists();
        }
        findings.push(finding);
    }
    Ok(())
}

/// Examines which worktree acts as whom.
fn worktrees(ctx: &Context, findings: &mut Vec<Finding>) -> Result<(), OpsError> {
    let join = || Call::to("join").on_some("name", "NAME");
    let snapshot = ctx.store().snapshot()?;
    let mut bound: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for worktree in ctx.repo().worktrees()? {
        let repo = ctx.repo();
        if let Some(name) = repo.worktree_config_of(&worktree.git_dir, AGENT_KEY)? {
            bound.entry(name).or_default().push(worktree.path);
        }
    }
    for (name, paths) in bound {
        let joined = match name.parse::<AgentName>() {
            Ok(agent) => snapshot.agents()?.contains_key(&agent),
            Err(_) => false,
        };
        for path in &paths {
            let thing = Thing::Local(path.clone());
            if !joined {
                let reason = format!("the worktree acts as `{name}`, who is not on the team");
                findings.push(
                    Finding::new(Severity::Warning, "worktree_of_unknown", thing, reason)
                        .fix(join().so("there")),
                );
            } else if let Some(other) = paths.iter().find(|other| *other != path) {
                let reason = format!(
                    "the worktree acts as `{name}`, as does `{}`: they would work as one",
                    other.display()
                );
                findings.push(
                    Finding::new(Severity::Warning, "worktrees_of_one", thing, reason)
                        .fix(join().so("in one of them, with another name")),
                );
            }
        }
    }
    Ok(())
}

/// Examines the heartbeats of this clone.
pub fn heartbeats(ctx: &Context, mending: Mending) -> Result<Vec<Finding>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    let presence = ctx.presence();
    let now = ctx.now();
    let mut findings = Vec::new();
    for name in presence.names()? {
        let known = match name.parse::<AgentName>() {
            Ok(agent) => snapshot.agents()?.contains_key(&agent),
            Err(_) => false,
        };
        let thing = Thing::Agent(name.clone());
        if !known {
            let reason = "it has a heartbeat here and is not on the team";
            findings.push(
                Finding::new(Severity::Warning, "heartbeat_of_unknown", thing, reason)
                    .mends(mending),
            );
            if mending == Mending::Mend {
                presence.forget(&name)?;
            }
            continue;
        }
        let Some(beat) = presence.peek(&name)? else {
            continue;
        };
        let ahead = beat.seen.since(now);
        if ahead > AHEAD_MAX {
            let ahead = crate::ops::tx::coarse(ahead);
            let reason =
                format!("its last heartbeat is {ahead} ahead of this clock; it counts from now on");
            let finding = Finding::new(Severity::Warning, "heartbeat_ahead", thing, reason);
            if mending == Mending::Mend
                && let Ok(agent) = name.parse::<AgentName>()
            {
                presence.get(&agent, now)?;
            }
            findings.push(finding.mends(mending));
        }
    }
    Ok(findings)
}
