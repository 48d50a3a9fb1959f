//! `commit-msg`: the trailers that tell under which claim a commit was made.

use std::collections::BTreeSet;
use std::path::Path;

use crate::git::trailer_value;
use crate::ops::Context;
use crate::ops::enforce::{
    Attributed, FENCE_TRAILER, OVERRIDE_TRAILER, TASK_TRAILER, fixup_target,
};

use super::HookError;

/// Adds the trailers of what a commit is part of, and the reason of an override, to the message in a file.
///
/// Through `git interpret-trailers`, which knows what a trailer is. A message stays as it is if
/// it has them already, if it is to be squashed into another, or if git would find it empty: a
/// trailer would turn a commit that its author gave up into one that is made.
pub fn add_trailers(
    ctx: &Context,
    file: &Path,
    part_of: &Attributed,
    reason: Option<&str>,
) -> Result<(), HookError> {
    if part_of.task.is_none() && part_of.under.is_empty() && reason.is_none() {
        return Ok(());
    }
    let bytes = std::fs::read(file).map_err(|source| HookError::Message {
        path: file.to_owned(),
        source,
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let comment = comment_prefix(ctx);
    let template = template(ctx);
    let words = said(&text, &comment);
    if words.is_empty() || template.is_some_and(|template| said(&template, &comment) == words) {
        return Ok(());
    }
    if fixup_target(words[0]).is_some() {
        return Ok(());
    }
    let wanted = wanted(part_of, reason, &words);
    if wanted.is_empty() {
        return Ok(());
    }
    let repo = ctx.repo();
    let mut command = repo.git([
        "-c",
        "trailer.separators=:",
        "interpret-trailers",
        "--in-place",
        "--no-divider",
        "--where=end",
        "--if-missing=add",
    ]);
    for (rule, trailer) in &wanted {
        command = command
            .arg(format!("--if-exists={rule}"))
            .arg("--trailer")
            .arg(trailer);
    }
    command.arg("--").arg(file).checked()?;
    Ok(())
}

/// Returns the trailers to add, each with what is to happen if there is one of its kind.
fn wanted(
    part_of: &Attributed,
    reason: Option<&str>,
    words: &[&str],
) -> Vec<(&'static str, String)> {
    let count = |key: &str| {
        words
            .iter()
            .filter(|line| trailer_value(line, key).is_some())
            .count()
    };
    let has = |key: &str, wanted: &str| words.iter().any(|l| trailer_value(l, key) == Some(wanted));
    let mut pairs: Vec<(&str, String)> = Vec::new();
    // A provisional claim has no fence that the remote's table gave out.
    let fences: BTreeSet<u64> = part_of
        .under
        .iter()
        .filter_map(|it| it.fence.given())
        .collect();
    pairs.extend(part_of.task.map(|id| (TASK_TRAILER, id.to_string())));
    pairs.extend(fences.into_iter().map(|f| (FENCE_TRAILER, f.to_string())));
    if let Some(reason) = reason {
        let line: Vec<&str> = reason.split_whitespace().collect();
        pairs.push((OVERRIDE_TRAILER, line.join(" ")));
    }
    // The one claim of an amended commit replaces the one it had.
    let alone = part_of.under.len() <= 1;
    pairs
        .into_iter()
        .filter(|(key, value)| !has(key, value))
        .map(|(key, value)| {
            let replaces = alone && key != OVERRIDE_TRAILER && count(key) == 1;
            let rule = if replaces {
                "replace"
            } else {
                "addIfDifferent"
            };
            (rule, format!("{key}: {value}"))
        })
        .collect()
}

/// Returns the lines of a message that git will keep: no comments, nothing below the scissors,
/// nothing that only signs it off.
fn said<'t>(text: &'t str, comment: &str) -> Vec<&'t str> {
    let scissors = format!("{comment} ------------------------ >8 ---");
    text.lines()
        .take_while(|line| !line.starts_with(&scissors))
        .filter(|line| !line.starts_with(comment) && !line.trim().is_empty())
        .filter(|line| !line.starts_with("Signed-off-by: "))
        .collect()
}

fn comment_prefix(ctx: &Context) -> String {
    let keys = ["core.commentString", "core.commentChar"];
    let set = keys.iter().find_map(|key| ctx.repo().config(key));
    set.filter(|prefix| !prefix.is_empty() && prefix != "auto")
        .unwrap_or_else(|| "#".to_owned())
}

/// Returns the text of `commit.template`: git gives up a commit that leaves it as it is.
fn template(ctx: &Context) -> Option<String> {
    let repo = ctx.repo();
    repo.config("commit.template")?;
    let output = repo.git(["config", "--path", "--get", "commit.template"]);
    let path = String::from_utf8(output.checked().ok()?).ok()?;
    let top = repo.work_dir().unwrap_or(repo.git_dir());
    std::fs::read_to_string(top.join(path.trim_end_matches('\n'))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_strips_is_not_said() {
        let text = "# a\n\nfix: b\n\nSigned-off-by: Ann <a@b>\n# ------------------------ >8 ------------------------\ndiff\n";
        assert_eq!(said(text, "#"), ["fix: b"]);
        assert!(said("\n# only\n \n", "#").is_empty());
        assert_eq!(said("# b\n; a", ";"), ["# b"]);
    }
}
