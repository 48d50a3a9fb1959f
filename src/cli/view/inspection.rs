//! A submission, as its reviewer reads it.

use crate::cli::text::{DIM, GREEN, RED, Text, YELLOW};
use crate::cli::ui::Ui;
use crate::cli::view;
use crate::model::task::{Status, Task};
use crate::model::text::short_commit;
use crate::ops::{Inspection, Work};

/// How many commits and files are listed.
const LISTED: usize = 20;

pub fn print(ui: &Ui, found: &Inspection) {
    let (task, bundle) = (&found.task, &found.submission.1);
    let author = task.assignee.as_ref().map(|name| format!(", by {name}"));
    ui.line(
        Text::new()
            .bold(task.id.as_str())
            .plain("  ")
            .plain(&task.title)
            .styled(
                DIM,
                format!(" ({}{})", task.told(), author.unwrap_or_default()),
            ),
    );
    ui.line(format!("  {}", bundle.summary));
    if let Some(caveat) = &bundle.caveat {
        ui.line(Text::new().styled(YELLOW, format!("  beware: {caveat}")));
    }
    for (at, criterion) in task.done_criteria.iter().enumerate() {
        ui.line(format!("  {}. {criterion}", at + 1));
        match bundle.evidence.get(at).filter(|it| !it.is_empty()) {
            Some(evidence) => ui.line(Text::new().styled(DIM, format!("     {evidence}"))),
            None => ui.line(Text::new().styled(YELLOW, "     no evidence")),
        }
    }
    view::passing(ui, &found.checks(), bundle.no_check);
    for below in &found.beneath {
        ui.line(Text::new().styled(YELLOW, on_top_of(below)));
    }
    match (&bundle.commit, &found.work) {
        (None, _) => ui.line("  there is no commit"),
        (Some(commit), None) => ui.line(Text::new().styled(
            YELLOW,
            format!(
                "  its commit {} is not in this clone yet",
                short_commit(commit)
            ),
        )),
        (Some(_), Some(work)) => print_work(ui, work),
    }
    if !found.published {
        let words = "  it is not published yet: that is done with the author's next sync";
        ui.line(Text::new().styled(YELLOW, words));
    }
    if let Some(path) = &found.checkout {
        ui.line(format!("  checked out in {}", path.display()));
    }
}

fn print_work(ui: &Ui, work: &Work) {
    for line in work.commits.iter().take(LISTED) {
        let text = Text::new()
            .styled(YELLOW, format!("  {}", line.oid.short()))
            .plain(format!(" {}", line.subject));
        ui.line(text.styled(DIM, format!(" ({})", line.author)));
    }
    more(ui, work.commits.len(), "commits");
    if work.commits.is_empty() {
        ui.line(Text::new().styled(
            YELLOW,
            "  no commit is this task's own: all was there before",
        ));
    }
    for file in work.files.iter().take(LISTED) {
        let text = Text::new().plain(format!("  {}", file.path));
        ui.line(match file.lines {
            Some((added, deleted)) => text
                .styled(GREEN, format!(" +{added}"))
                .styled(RED, format!(" -{deleted}")),
            None => text.styled(DIM, " (no text)"),
        });
    }
    more(ui, work.files.len(), "files");
    ui.hint(format!("git diff {}", work.range));
    if let Some(ranges) = &work.since_last {
        ui.hint(format!(
            "git range-diff {ranges} (what is new since the submission before)"
        ));
    }
}

fn more(ui: &Ui, count: usize, what: &str) {
    if count > LISTED {
        ui.line(format!("  and {} more {what}", count - LISTED));
    }
}

/// Says what lies below a submission, and whether it can land.
pub fn on_top_of(below: &Task) -> String {
    let state = match below.status {
        Status::Doing | Status::Todo | Status::Blocked if below.changes.is_some() => {
            "which was sent back"
        }
        _ if below.waits_to_land() => "which is approved",
        _ => "which is not approved",
    };
    format!(
        "  on top of {} ({}), {state} and lands first",
        below.id, below.title
    )
}
