//! The page of one task: what was asked, what was shown for it, and everything that happened.

use crate::answer::told::{checked, describe};
use crate::answer::visible::{escape, escape_lines};
use crate::model::check::Outcome;
use crate::model::share::Cover;
use crate::model::task::{Submission, Task, TaskEvent};
use crate::model::text::short_commit;
use crate::ops::{Inspection, Shown, Work};

use super::picture::{Detail, DocLine, Tone};

/// How many commits and files are listed.
const LISTED: usize = 20;

/// Returns the page of a task; `inspection` is of what was submitted of it.
pub fn of(shown: &Shown, inspection: Option<&Inspection>) -> Detail {
    let mut page = Page(Vec::new());
    let task = &shown.row.task;
    page.head(shown);
    page.criteria(task, inspection);
    if let Some(inspection) = inspection {
        page.submission(inspection);
    }
    page.text(task);
    page.comments(shown);
    page.history(shown);
    Detail {
        id: task.id,
        lines: page.0,
    }
}

struct Page(Vec<DocLine>);

impl Page {
    fn add(&mut self, tone: Tone, indent: u16, text: &str) {
        // What others wrote may have lines of its own.
        for line in escape_lines(text).lines() {
            let line = line.replace('\t', "    ");
            self.0.push(DocLine::new(tone, indent, line));
        }
    }

    fn heading(&mut self, text: &str) {
        self.0.push(DocLine::new(Tone::Plain, 0, ""));
        self.0.push(DocLine::new(Tone::Heading, 0, text));
    }

    fn fact(&mut self, name: &str, value: &str) {
        let value = escape(value);
        let line = format!("{name}: {value}");
        self.0.push(DocLine::new(Tone::Plain, 0, line));
    }

    /// Puts the age of `at` behind the last line.
    fn since(&mut self, at: crate::model::time::Timestamp) {
        if let Some(line) = self.0.pop() {
            self.0.push(line.since(at));
        }
    }

    fn head(&mut self, shown: &Shown) {
        let task = &shown.row.task;
        self.add(
            Tone::Title,
            0,
            &format!("{}  {}", task.id, escape(&task.title)),
        );
        let held = match task.holder() {
            Some(holder) => format!(", held by {holder}"),
            None => match task.reserved_for() {
                Some(name) => format!(", reserved for {name}"),
                None => String::new(),
            },
        };
        let unsure = if shown.row.provisional {
            " (provisional)"
        } else {
            ""
        };
        self.fact("status", &format!("{}{held}{unsure}", task.told()));
        if let Some(at) = task.claimed_at.filter(|_| task.fence.is_some()) {
            self.since(at);
        }
        self.fact("priority", task.priority.as_str());
        if let Some(reviewer) = &task.reviewer {
            self.fact("reviewer", reviewer.as_str());
        }
        if let Some(block) = &task.block {
            let on = block.on.map(|id| format!(" (on {id})")).unwrap_or_default();
            let person = if block.needs_human {
                "needs a person: "
            } else {
                ""
            };
            let line = format!("blocked: {person}{}{on}", escape(&block.reason));
            self.0
                .push(DocLine::new(Tone::Bad, 0, line).since(block.since));
        }
        if let Some(changes) = &task.changes {
            let line = format!("changes: {}", escape(changes));
            self.0.push(DocLine::new(Tone::Bad, 0, line));
        }
        let waits: Vec<String> = (shown.row.waits_for.iter())
            .map(|(id, _)| id.to_string())
            .collect();
        if !waits.is_empty() {
            self.fact("waits for", &waits.join(", "));
        }
        let paths = Cover {
            paths: &task.paths,
            shared: &task.shared,
        };
        let paths = paths.told();
        if !paths.is_empty() {
            self.fact("paths", &paths.join(", "));
        }
        if let Some(branch) = &task.branch {
            self.fact("branch", branch);
        }
        if let Some(landed) = &task.landed {
            self.fact("landed", &format!("as {}", short_commit(&landed.commit)));
            self.since(landed.at);
        }
        if let Some(why) = &shown.quarantined {
            let line = format!("its file cannot be read, this is an older version: {why}");
            self.add(Tone::Bad, 0, &line);
        }
    }

    fn criteria(&mut self, task: &Task, inspection: Option<&Inspection>) {
        if task.done_criteria.is_empty() && task.checks.is_empty() {
            return;
        }
        self.heading("Done when");
        let bundle = inspection.map(|found| &found.submission.1);
        for (at, criterion) in task.done_criteria.iter().enumerate() {
            self.add(
                Tone::Plain,
                0,
                &format!("{}. {}", at + 1, escape(criterion)),
            );
            let Some(bundle) = bundle else { continue };
            match bundle.evidence.get(at).filter(|it| !it.is_empty()) {
                Some(evidence) => self.add(Tone::Good, 3, &format!("+ {evidence}")),
                None => self.add(Tone::Bad, 3, "! no evidence"),
            }
        }
        match inspection {
            Some(found) => self.checks(found),
            None => {
                for name in &task.checks {
                    self.add(Tone::Plain, 0, &format!("check {name} passes"));
                }
            }
        }
    }

    fn checks(&mut self, found: &Inspection) {
        for passing in found.checks() {
            let name = passing.name;
            let Some(run) = passing.run else {
                let why = match found.submission.1.no_check {
                    true => "its author did without",
                    false => "did not run on this commit",
                };
                self.add(Tone::Bad, 0, &format!("! check {name}: {why}"));
                continue;
            };
            let (mark, tone) = match run.result.outcome {
                Outcome::Passed => ("+", Tone::Good),
                Outcome::Failed { .. } | Outcome::CouldNotRun { .. } => ("!", Tone::Bad),
            };
            let words = checked(&run.result);
            self.add(
                tone,
                0,
                &format!("{mark} check {name}: {words}, by {}", run.by),
            );
        }
    }

    fn submission(&mut self, found: &Inspection) {
        let (stamp, bundle) = &found.submission;
        self.heading("Submitted");
        self.since(stamp.at());
        self.add(Tone::Plain, 0, &bundle.summary);
        if let Some(caveat) = &bundle.caveat {
            self.add(Tone::Bad, 0, &format!("! beware: {caveat}"));
        }
        self.bundle(bundle);
        for below in &found.beneath {
            let line = format!(
                "! lies on top of {} ({}), which lands first",
                below.id,
                escape(&below.title)
            );
            self.add(Tone::Bad, 0, &line);
        }
        match (&bundle.commit, &found.work) {
            (None, _) => self.add(Tone::Dim, 0, "there is no commit"),
            (Some(_), None) => self.add(
                Tone::Bad,
                0,
                "! its commit is not in this clone yet: reflectt sync",
            ),
            (Some(_), Some(work)) => self.work(work),
        }
        if !found.published {
            let line = "! not published yet: that is done with the author's next sync";
            self.add(Tone::Bad, 0, line);
        }
    }

    fn bundle(&mut self, bundle: &Submission) {
        if let Some(pr) = &bundle.pr {
            self.fact("pr", pr);
        }
        if let Some(commit) = &bundle.commit {
            self.fact("commit", short_commit(commit));
        }
    }

    fn work(&mut self, work: &Work) {
        self.fact("range", &format!("git diff {}", work.range));
        for line in work.commits.iter().take(LISTED) {
            let line = format!(
                "{} {} ({})",
                line.oid.short(),
                escape(&line.subject),
                escape(&line.author)
            );
            self.add(Tone::Plain, 2, &line);
        }
        self.more(work.commits.len(), "commits");
        for file in work.files.iter().take(LISTED) {
            let lines = match file.lines {
                Some((added, deleted)) => format!("+{added} -{deleted}"),
                None => "no text".to_owned(),
            };
            self.add(Tone::Plain, 2, &format!("{}  {lines}", escape(&file.path)));
        }
        self.more(work.files.len(), "files");
    }

    fn more(&mut self, count: usize, what: &str) {
        if count > LISTED {
            self.add(Tone::Dim, 2, &format!("and {} more {what}", count - LISTED));
        }
    }

    fn text(&mut self, task: &Task) {
        if !task.body.trim().is_empty() {
            self.heading("Description");
            self.add(Tone::Plain, 0, task.body.trim());
        }
    }

    fn comments(&mut self, shown: &Shown) {
        let said = shown
            .events
            .iter()
            .filter_map(|(stamp, by, event, void)| match event {
                TaskEvent::Commented { text } if void.is_none() => Some((stamp, by, text)),
                _ => None,
            });
        let said: Vec<_> = said.collect();
        if said.is_empty() {
            return;
        }
        self.heading("Comments");
        for (stamp, by, text) in said {
            self.add(Tone::Plain, 0, by.as_str());
            self.since(stamp.at());
            self.add(Tone::Plain, 2, text);
        }
    }

    fn history(&mut self, shown: &Shown) {
        self.heading("History");
        for (stamp, by, event, void) in &shown.events {
            let (what, words) = describe(event);
            // Comments stand above, whole.
            let words = words.filter(|_| !matches!(event, TaskEvent::Commented { .. }));
            let words = words.map(|words| format!(": {}", escape(&words)));
            let void = void.as_ref().map(|why| format!(" (void: {why})"));
            let line = format!(
                "{by} {what}{}{}",
                words.unwrap_or_default(),
                void.unwrap_or_default()
            );
            let line = escape(&line);
            self.0
                .push(DocLine::new(Tone::Plain, 0, line).since(stamp.at()));
        }
    }
}
