//! `reflectt status`

use clap::Args;

use crate::answer::{StatusJson, line, sentence};
use crate::cli::error::{CliError, Kind};
use crate::cli::excerpt::{cut, first_line};
use crate::cli::session::Session;
use crate::cli::text::{BOLD, Color, DIM, GREEN, RED, Text, YELLOW};
use crate::cli::ui::Ui;
use crate::cli::view;
use crate::model::message::Message;
use crate::model::task::{Status, Task};
use crate::model::time::Span;
use crate::ops::{self, AgentStatus};

/// Show where you stand and what to do now. Changes nothing.
///
/// Short whatever there is: long lists and texts are cut, with the command that shows the rest.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Wait until there is something to do, for at most this long, like `90s` or `10m`; exits with
    /// 5 if there is nothing by then.
    #[arg(long, value_name = "DURATION")]
    wait: Option<Span>,
}

/// How many tasks of a kind are listed.
const TASKS_SHOWN: usize = 4;
/// How many criteria of a task are listed.
const CRITERIA_SHOWN: usize = 6;
/// How many messages are listed.
const MESSAGES_SHOWN: usize = 5;
/// How much of a text written by others is shown, in characters.
const LINE_MAX: usize = 90;
/// How much of the sentence that says what to do is shown, in characters.
const ACTION_MAX: usize = 500;

impl StatusArgs {
    /// Returns the exit code: that nothing came is an answer, with a code of its own.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        let status = match self.wait {
            Some(limit) => ops::wait_for_work(context, limit.into())?,
            None => ops::status(context)?,
        };
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&StatusJson::from(&status));
        } else {
            for line in lines(ui, &status) {
                ui.line(line);
            }
        }
        Ok(match self.wait {
            Some(_) if !status.has_work() => Kind::Nothing.exit_code(),
            _ => 0,
        })
    }
}

/// Returns what is printed, as text of at most `max` characters, with the command that shows what
/// was left out.
pub fn text(ui: &Ui, status: &AgentStatus, max: usize) -> String {
    const MORE: &str = "… `reflectt status` shows the rest";
    let mut text = String::new();
    let mut left = max.saturating_sub(MORE.len());
    for line in lines(ui, status) {
        let line = line.render(Color::Off);
        let len = line.chars().count() + 1;
        if len > left {
            text.push_str(MORE);
            return text;
        }
        left -= len;
        text.push_str(&line);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

/// Returns what is printed: what to do first, and then why.
fn lines(ui: &Ui, status: &AgentStatus) -> Vec<Text> {
    let mut lines = vec![
        Text::from("You are ")
            .bold(status.agent.as_str())
            .plain("."),
        Text::new()
            .styled(BOLD, "ACTION: ")
            .plain(cut(&sentence(status.action(), line), ACTION_MAX)),
    ];
    if let Some(pause) = &status.paused {
        let until = match pause.until {
            Some(until) => format!("(ends {})", ui.relative(until.0)),
            None => "(until `reflectt resume`)".to_owned(),
        };
        lines.push(
            Text::new()
                .styled(YELLOW, "PAUSED")
                .plain(format!(" by {} {until}: ", pause.by))
                .plain(cut(&pause.reason, LINE_MAX)),
        );
    }
    mine(&mut lines, ui, status);
    reviews(&mut lines, ui, status);
    messages(&mut lines, ui, status);
    if let Some(task) = &status.next {
        heading(&mut lines, "Next for you");
        lines.push(task_line(task));
    }
    let queue = &status.queue;
    lines.push(Text::new());
    lines.push(Text::new().bold("Queue: ").plain(format!(
        "{} to do ({} ready for you), {} in progress, {} blocked, {} in review{}",
        queue.todo,
        queue.ready,
        queue.doing,
        queue.blocked,
        queue.validating - queue.approved,
        match queue.approved {
            0 => String::new(),
            approved => format!(", {approved} approved"),
        }
    )));
    lines
}

fn heading(lines: &mut Vec<Text>, text: &str) {
    lines.push(Text::new());
    lines.push(Text::new().bold(text));
}

fn more(lines: &mut Vec<Text>, total: usize, shown: usize, command: &str) {
    if total > shown {
        lines.push(Text::new().dim(format!("  and {} more: {command}", total - shown)));
    }
}

fn mine(lines: &mut Vec<Text>, ui: &Ui, status: &AgentStatus) {
    if status.active.is_empty() && status.paths.is_empty() {
        return;
    }
    heading(lines, "Your work");
    for (at, task) in status.active.iter().take(TASKS_SHOWN).enumerate() {
        lines.push(task_line(task));
        if status.provisional.contains(&task.id) {
            let text = "    provisional: the remote has not confirmed it";
            lines.push(Text::new().styled(YELLOW, text));
        }
        details(lines, ui, task, at == 0);
    }
    let command = format!("reflectt task list --assignee {}", status.agent);
    more(lines, status.active.len(), TASKS_SHOWN, &command);
    for claim in status.paths.iter().take(TASKS_SHOWN) {
        let paths = view::paths(&claim.paths, &claim.shared).join(", ");
        let why = claim.why.as_deref().unwrap_or_default();
        lines.push(Text::from("  ").bold(claim.id.as_str()).plain(format!(
            "  {}: {}",
            cut(&paths, LINE_MAX),
            cut(why, LINE_MAX)
        )));
    }
    more(lines, status.paths.len(), TASKS_SHOWN, "reflectt claims");
}

/// Adds what one needs to go on with a task; the criteria only of the `first`.
fn details(lines: &mut Vec<Text>, ui: &Ui, task: &Task, first: bool) {
    let mut detail = |label: &str, text: &str| {
        lines.push(
            Text::from("    ")
                .dim(format!("{label}: "))
                .plain(cut(text, LINE_MAX)),
        );
    };
    if let Some(changes) = task
        .changes
        .as_ref()
        .filter(|_| task.status == Status::Doing)
    {
        detail("changes asked for", changes);
    }
    match &task.block {
        Some(block) => detail(
            &format!("blocked {}", ui.relative(block.since.0)),
            &block.reason,
        ),
        None if first && task.status == Status::Doing => {
            if let Some(handoff) = &task.handoff {
                detail(&format!("note of {}", handoff.from), &handoff.note);
            }
            let paths = view::paths(&task.paths, &task.shared).join(", ");
            if !paths.is_empty() {
                detail("paths", &paths);
            }
            let checks = task
                .checks
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            if !checks.is_empty() {
                detail("checks to pass", &checks);
            }
            for (at, criterion) in task.done_criteria.iter().take(CRITERIA_SHOWN).enumerate() {
                detail(&(at + 1).to_string(), criterion);
            }
            let command = format!("reflectt task show {}", task.id);
            more(lines, task.done_criteria.len(), CRITERIA_SHOWN, &command);
        }
        None => {}
    }
}

fn reviews(lines: &mut Vec<Text>, ui: &Ui, status: &AgentStatus) {
    if status.reviews.is_empty() {
        return;
    }
    heading(lines, "Waiting for your review");
    for task in status.reviews.iter().take(TASKS_SHOWN) {
        let author = task.assignee.as_ref().map(ToString::to_string);
        let since = task
            .submission
            .as_ref()
            .map(|(id, _)| ui.relative(id.at().0));
        lines.push(task_line(task).dim(format!(
            "  by {}, {}",
            author.unwrap_or_default(),
            since.unwrap_or_default()
        )));
    }
    let command = "reflectt task list --status in-review";
    more(lines, status.reviews.len(), TASKS_SHOWN, command);
}

fn messages(lines: &mut Vec<Text>, ui: &Ui, status: &AgentStatus) {
    if status.inbox.is_empty() {
        return;
    }
    heading(lines, &format!("Unread messages: {}", status.inbox.len()));
    // The urgent first, as they are what ACTION speaks of; and oldest first among each.
    let mut order: Vec<&Message> = status.inbox.iter().collect();
    order.sort_by_key(|message| !message.urgent);
    for message in order.into_iter().take(MESSAGES_SHOWN) {
        let mut line = Text::from("  ").bold(message.from.as_str());
        if message.urgent {
            line = line.styled(RED, " URGENT");
        }
        if let Some(channel) = &message.channel {
            line = line.plain(format!(" in #{channel}"));
        }
        if let Some(task) = &message.task {
            line = line.plain(format!(" about {task}"));
        }
        lines.push(
            line.dim(format!(", {}", ui.relative(message.id.at().0)))
                .plain(": ")
                .plain(first_line(&message.body, LINE_MAX)),
        );
    }
    more(lines, status.inbox.len(), MESSAGES_SHOWN, "reflectt inbox");
}

fn task_line(task: &Task) -> Text {
    let style = match task.status {
        Status::Doing => GREEN,
        Status::Blocked => YELLOW,
        _ => DIM,
    };
    Text::from("  ")
        .bold(task.id.as_str())
        .plain(format!("  {}  ", task.priority))
        .styled(style, task.told())
        .plain("  ")
        .plain(cut(&task.title, LINE_MAX))
}

#[cfg(test)]
mod tests {
    use crate::cli::options::{Terminal, UiOptions};
    use crate::cli::text::Color;
    use crate::model::extra::Extra;
    use crate::model::id::{Stamp, TaskId};
    use crate::model::message::Notice;
    use crate::model::name::Author;
    use crate::model::task::{Draft, TaskEvent, TaskLog};
    use crate::model::time::Timestamp;
    use crate::ops::QueueCounts;

    use super::*;

    /// As long as any text may be, in characters that show as eight.
    fn long(max: usize) -> String {
        "\u{202e}x".repeat(max / 4)
    }

    struct Made {
        rng: fastrand::Rng,
    }

    impl Made {
        fn stamp(&mut self) -> Stamp {
            Stamp::new(Timestamp(1_000), &mut self.rng, None)
        }

        fn task(&mut self) -> Task {
            let author = Author::lossy(&"a".repeat(40));
            let draft = Draft {
                title: "x".repeat(200),
                body: long(64 * 1024),
                done_criteria: vec![long(4 * 1024); 20],
                paths: (0..50)
                    .map(|n| format!("src/{n}").parse().unwrap())
                    .collect(),
                ..Draft::default()
            };
            let id = TaskId::random(&mut self.rng);
            let mut log = TaskLog::created(id, self.stamp(), author.clone(), draft);
            let comment = TaskEvent::Commented { text: long(4096) };
            log.log.push(self.stamp(), author, comment);
            let mut task = log.fold().unwrap().task;
            task.status = Status::Doing;
            task.assignee = Some("a".repeat(40).parse().unwrap());
            task.changes = Some(long(4096));
            task
        }

        fn message(&mut self) -> Message {
            Message {
                id: self.stamp(),
                from: Author::lossy(&"a".repeat(40)),
                to: vec!["b".repeat(40).parse().unwrap()],
                channel: Some("c".repeat(40).parse().unwrap()),
                task: Some(TaskId::random(&mut self.rng)),
                reply_to: None,
                urgent: true,
                notice: Some(Notice::Mentioned),
                body: long(64 * 1024),
                extra: Extra::default(),
            }
        }
    }

    #[test]
    fn it_stays_short_whatever_there_is() {
        let mut made = Made {
            rng: fastrand::Rng::with_seed(1),
        };
        let status = AgentStatus {
            landable: Vec::new(),
            agent: "b".repeat(40).parse().unwrap(),
            active: (0..30).map(|_| made.task()).collect(),
            paths: Vec::new(),
            next: Some(made.task()),
            reason: long(4096),
            reviews: (0..30).map(|_| made.task()).collect(),
            inbox: (0..200).map(|_| made.message()).collect(),
            queue: QueueCounts::default(),
            provisional: std::collections::BTreeSet::new(),
            off_branch: std::collections::BTreeSet::new(),
            paused: None,
        };
        let ui = Ui::stdio(UiOptions::from_env(|_| None, Terminal::default(), || 2_000));
        let text: Vec<String> = lines(&ui, &status)
            .iter()
            .map(|line| line.render(Color::Off))
            .collect();
        let text = text.join("\n");
        assert!(text.chars().count() < 6_000, "{}", text.chars().count());
        assert!(text.contains("and 26 more: reflectt task list"), "{text}");
        assert!(text.contains("and 195 more: reflectt inbox"), "{text}");
        let json = serde_json::to_value(StatusJson::from(&status)).unwrap();
        assert_eq!(json["inbox_count"], 200);
        assert_eq!(json["inbox"].as_array().unwrap().len(), 20);
        assert_eq!(json["inbox"][0]["truncated"], true);
        let idle = AgentStatus {
            active: Vec::new(),
            next: None,
            reviews: Vec::new(),
            landable: Vec::new(),
            inbox: Vec::new(),
            ..status
        };
        let action = lines(&ui, &idle)[1].render(Color::Off);
        assert!(action.chars().count() < 6_000, "{action}");
    }
}
