//! Files of the claims table: one for each claim, and one for the table itself.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use crate::model::claim::{Claim, CloneId, Intent, Pause, Table};
use crate::model::id::{Fence, IdError, TaskId};
use crate::model::path::PathPattern;

use super::field;
use super::reader::Reader;
use super::writer::Writer;
use super::{FormatError, TABLE_FORMAT};

/// Reads a claim's file.
pub fn parse_claim(bytes: &[u8]) -> Result<Claim, FormatError> {
    let mut file = Reader::open(bytes)?;
    let id: TaskId = file.need("id", field::parsed)?;
    let task = file.opt("task", |value| {
        let task: TaskId = field::parsed(value)?;
        if task == id {
            Ok(task)
        } else {
            Err(format!("`{task}` is not the claim's id, `{id}`"))
        }
    })?;
    let files: Vec<PathPattern> = file
        .opt("files", field::list(field::parsed))?
        .unwrap_or_default();
    let taken_for = |path: PathPattern| match files.contains(&path) {
        true => path.of_files(),
        false => path,
    };
    let paths: Option<Vec<PathPattern>> = file.opt("paths", field::list(field::parsed))?;
    let paths: Vec<PathPattern> = paths.into_iter().flatten().map(taken_for).collect();
    let mut shared: BTreeSet<PathPattern> = file
        .opt("shared", field::list(field::parsed))?
        .unwrap_or_default();
    shared.retain(|path| paths.contains(path));
    Ok(Claim {
        id,
        of_task: task.is_some(),
        agent: file.need("agent", field::parsed)?,
        clone: file.need("clone", field::parsed)?,
        paths,
        shared,
        resources: file
            .opt("resources", field::list(field::parsed))?
            .unwrap_or_default(),
        phase: file.need("phase", field::parsed)?,
        since: file.need("since", field::time)?,
        fence: file.need("fence", field::count).map(Fence)?,
        branch: file.opt("branch", field::note)?,
        base: file.opt("base", field::note)?,
        why: file.opt("why", field::note)?,
        intent: file.table("intent")?.map(read_intent).transpose()?,
        nonce: file.need("nonce", hexadecimal)?,
        extra: file.extra()?,
    })
}

/// Prints a claim.
pub fn print_claim(claim: &Claim) -> String {
    let mut out = Writer::new();
    out.word("id", claim.id);
    out.opt_word("task", claim.task());
    out.word("agent", &claim.agent);
    out.word("clone", &claim.clone);
    out.list("paths", &claim.paths);
    out.list("files", claim.of_files());
    out.list("shared", &claim.shared);
    out.list("resources", &claim.resources);
    out.word("phase", claim.phase);
    out.time("since", claim.since);
    out.number("fence", claim.fence.0);
    out.opt_text("branch", claim.branch.as_deref());
    out.opt_text("base", claim.base.as_deref());
    out.opt_text("why", claim.why.as_deref());
    out.word("nonce", format_args!("{:016x}", claim.nonce));
    out.extra(&claim.extra);
    if let Some(intent) = &claim.intent {
        out.table("intent");
        out.text("tip", &intent.tip);
        let tasks = intent.tasks.iter();
        let tasks: Vec<String> = tasks.map(|(id, commit)| format!("{id} {commit}")).collect();
        out.list("tasks", &tasks);
    }
    out.finish()
}

fn read_intent(mut table: Reader) -> Result<Intent, FormatError> {
    let task = |value: &DeValue| {
        let text = field::string(value)?;
        let (id, commit) = text.split_once(' ').unwrap_or((text, ""));
        let id = id.parse().map_err(|error: IdError| error.to_string())?;
        Ok((id, commit.to_owned()))
    };
    Ok(Intent {
        tip: table.need("tip", field::note)?,
        tasks: table.opt("tasks", field::list(task))?.unwrap_or_default(),
    })
}

/// Reads the table's own file; the claims are in files of their own.
pub fn parse_table(bytes: &[u8]) -> Result<Table, FormatError> {
    let mut file = Reader::open_up_to(TABLE_FORMAT, bytes)?;
    Ok(Table {
        epoch: file.need("epoch", field::count)?,
        fence: file.need("fence", field::count).map(Fence)?,
        pause: file.table("pause")?.map(read_pause).transpose()?,
        served: match file.table("served")? {
            Some(served) => read_served(served)?,
            None => BTreeMap::new(),
        },
        claims: BTreeMap::new(),
        extra: file.extra()?,
    })
}

/// Prints the table's own file: all but the claims.
pub fn print_table(table: &Table) -> String {
    let mut out = Writer::of_format(TABLE_FORMAT, "");
    out.number("epoch", table.epoch);
    out.number("fence", table.fence.0);
    out.extra(&table.extra);
    if let Some(pause) = &table.pause {
        out.table("pause");
        out.word("by", &pause.by);
        out.text("reason", &pause.reason);
        out.time("since", pause.since);
        out.opt_time("until", pause.until);
    }
    if !table.served.is_empty() {
        out.table("served");
        for (clone, number) in &table.served {
            out.number(clone.as_str(), *number);
        }
    }
    out.finish()
}

fn read_served(mut table: Reader) -> Result<BTreeMap<CloneId, u64>, FormatError> {
    let mut served = BTreeMap::new();
    for key in table.keys() {
        let number = table.need(&key, field::count)?;
        // What a later version adds here is not kept: it says nothing that this one could honour.
        if let Ok(clone) = key.parse() {
            served.insert(clone, number);
        }
    }
    Ok(served)
}

fn read_pause(mut table: Reader) -> Result<Pause, FormatError> {
    Ok(Pause {
        by: table.need("by", field::parsed)?,
        reason: table.need("reason", field::note)?,
        since: table.need("since", field::time)?,
        until: table.opt("until", field::time)?,
    })
}

fn hexadecimal(value: &DeValue) -> Result<u64, String> {
    let text = field::string(value)?;
    u64::from_str_radix(text, 16)
        .map_err(|_| format!("`{}` is not a hexadecimal number", text.escape_debug()))
}
