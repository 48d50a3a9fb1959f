//! What a coding agent is told, in words: short, with the next command in each part.

use crate::answer::{self, command_line, sentence, show};
use crate::cli::command::status;
use crate::cli::excerpt::{beginning, cut, first_line};
use crate::cli::time;
use crate::cli::ui::Ui;
use crate::cli::visible::escape;
use crate::hooks::agent::{BEFORE_STOP, Fact, Part};
use crate::model::advice::Call;
use crate::model::message::{Message, Notice};
use crate::model::name::AgentName;
use crate::model::task::Task;
use crate::ops::enforce::Finding;

/// How much of where an agent stands is told, in characters: a token has about four.
const STANDING_MAX: usize = 5_400;
/// How many messages are told.
const MESSAGES_SHOWN: usize = 5;
/// How much of an urgent message is told, and of another one, in characters.
const URGENT_MAX: usize = 500;
const LINE_MAX: usize = 160;
/// How many lines of an urgent message are told.
const URGENT_LINES: usize = 8;
/// How many things to do are told.
const FACTS_SHOWN: usize = 4;
/// How much of a sentence is told, in characters.
const SENTENCE_MAX: usize = 400;
/// How many files of a claim are told.
const FILES_SHOWN: usize = 8;

/// What comes before where an agent stands.
const INTRODUCTION: &str = "This repository's agents work as a team through reflectt: claim a task before you change files, commit what you did, submit it, read your messages; `reflectt status` says where you stand, `reflectt guide` has the rules.";

/// Returns the words for all parts, one below the other.
pub fn of(ui: &Ui, parts: &[Part]) -> String {
    let texts: Vec<String> = parts.iter().map(|part| words(ui, part)).collect();
    texts.join("\n\n")
}

fn words(ui: &Ui, part: &Part) -> String {
    match part {
        Part::Join(name) => join(name.as_ref()),
        Part::Standing(standing) => {
            let text = status::text(ui, standing, STANDING_MAX);
            format!("{INTRODUCTION}\n\n{text}")
        }
        Part::Crowded(me) => crowded(me),
        Part::Mail(messages) => mail(ui, messages),
        Part::Strays(findings) => strays(ui, findings),
        Part::Undone(facts) => format!("{BEFORE_STOP}\n{}", undone(facts)),
        Part::News(facts) => news(ui, facts),
        Part::Unsubmitted(task) => unsubmitted(task),
    }
}

fn join(name: Option<&AgentName>) -> String {
    match name {
        None => "A team works in this repository through reflectt, and this worktree is nobody's yet: `reflectt join NAME` (a name of your own) makes it yours, and says what to do.".to_owned(),
        Some(name) => format!("A team works in this repository through reflectt, and `{name}` is not on it: `reflectt join {name}` joins it, and says what to do."),
    }
}

fn crowded(me: &AgentName) -> String {
    format!(
        "Another session works in this worktree as `{me}`, too: you change the same files, and take each other's claims and messages for your own. Give one of the two a worktree and a name of its own: `git worktree add -b NAME ../NAME && cd ../NAME && reflectt join NAME`."
    )
}

/// Returns the urgent messages in full, as far as they are short, and of the others the first line.
fn mail(ui: &Ui, messages: &[Message]) -> String {
    let pressing = |message: &Message| message.urgent || message.notice == Some(Notice::ClaimLost);
    let mut order: Vec<&Message> = messages.iter().collect();
    order.sort_by_key(|message| !pressing(message));
    let mut text = match messages {
        [_] => "A new message for you:".to_owned(),
        many => format!("{} new messages for you:", many.len()),
    };
    for message in order.iter().take(MESSAGES_SHOWN) {
        text.push_str(&format!("\n- {}: ", heading(ui, message)));
        if pressing(message) {
            let shown = beginning(&message.body, URGENT_LINES, URGENT_MAX);
            let lines: Vec<_> = shown.lines().map(|line| escape(line.trim_end())).collect();
            text.push_str(&lines.join("\n  "));
            if shown.len() < message.body.len() {
                text.push_str(" …");
            }
        } else {
            text.push_str(&first_line(&message.body, LINE_MAX));
        }
    }
    let more = messages.len().saturating_sub(MESSAGES_SHOWN);
    if more > 0 {
        text.push_str(&format!("\n- and {more} more"));
    }
    let read = "`reflectt inbox` shows them whole; `reflectt ack --all` then says that you have read them.";
    format!("{text}\n{read}")
}

fn heading(ui: &Ui, message: &Message) -> String {
    let mut text = message.from.to_string();
    if message.urgent {
        text.push_str(" URGENT");
    }
    if let Some(channel) = &message.channel {
        text.push_str(&format!(" in #{channel}"));
    }
    if let Some(task) = &message.task {
        text.push_str(&format!(" about {task}"));
    }
    let at = time::relative(ui.now(), message.id.at().0);
    format!("{text}, {at}")
}

fn strays(ui: &Ui, findings: &[Finding]) -> String {
    let mut text = "Changed in this worktree, and claimed by others:".to_owned();
    for finding in findings {
        let Some(holder) = finding.holder() else {
            continue;
        };
        let shown = finding.paths.iter().take(FILES_SHOWN);
        let mut files: Vec<String> = shown.map(|path| show(path)).collect();
        let more = finding.paths.len().saturating_sub(FILES_SHOWN);
        if more > 0 {
            files.push(format!("and {more} more"));
        }
        let claim = &holder.claim;
        let since = time::relative(ui.now(), claim.since.0);
        let title = holder
            .title
            .as_deref()
            .map(|title| format!(" ({})", cut(title, LINE_MAX)));
        text.push_str(&format!(
            "\n- {}: `{}`, {since}, for `{}`{}",
            files.join(", "),
            claim.agent,
            claim.id,
            title.unwrap_or_default()
        ));
    }
    let advice = "If that was you, undo it (`git restore -- FILE`) or agree with the holder (`reflectt send NAME 'may I change FILE?'`): a commit with these files will be refused.";
    format!("{text}\n{advice}")
}

/// Returns a line for each thing to do.
fn list(facts: &[Fact]) -> String {
    let line = |fact: &Fact| {
        format!(
            "- {}",
            cut(&sentence(fact.action(), answer::line), SENTENCE_MAX)
        )
    };
    let mut lines: Vec<String> = facts.iter().take(FACTS_SHOWN).map(line).collect();
    // Several messages are read by one command.
    lines.dedup();
    let more = facts.len().saturating_sub(FACTS_SHOWN);
    if more > 0 {
        lines.push(format!("- and {more} more: `reflectt status`"));
    }
    lines.join("\n")
}

fn undone(facts: &[Fact]) -> String {
    let mut text = list(facts);
    let work = facts.iter().find_map(|fact| match fact {
        Fact::Work { task, .. } => Some(task),
        _ => None,
    });
    if let Some(task) = work {
        let block = command_line(
            &Call::to("block")
                .on("id", task.id)
                .ask("reason", "TEXT")
                .into(),
        );
        let release = command_line(&Call::to("release").on("id", task.id).into());
        text.push_str(&format!(
            "\nIf you cannot go on with `{}`: `{block}` says why, `{release}` gives it back.",
            task.id
        ));
    }
    text
}

fn news(ui: &Ui, facts: &[Fact]) -> String {
    let messages: Vec<Message> = facts.iter().filter_map(Fact::message).cloned().collect();
    let others: Vec<Fact> = facts
        .iter()
        .filter(|it| it.message().is_none())
        .cloned()
        .collect();
    let mut parts = Vec::new();
    if !messages.is_empty() {
        parts.push(mail(ui, &messages));
    }
    if !others.is_empty() {
        parts.push(format!(
            "There is something for you to do:\n{}",
            list(&others)
        ));
    }
    parts.join("\n\n")
}

fn unsubmitted(task: &Task) -> String {
    let moves = false;
    let action = Fact::Work {
        task: task.clone(),
        moves,
    };
    format!(
        "`{}` is not submitted, so it is not complete: its checks run then. {}",
        task.id,
        cut(&sentence(action.action(), answer::line), SENTENCE_MAX)
    )
}
