//! A message as people read it, in `inbox`, `channel` and `ack`.

use crate::answer::command_line;
use crate::cli::excerpt;
use crate::cli::text::{RED, Text};
use crate::cli::ui::Ui;
use crate::model::message::Message;
use crate::model::name::AgentName;

/// Prints a message: its id and where it is from, and the text below.
pub fn show_message(ui: &Ui, message: &Message) {
    ui.line(heading(ui, message));
    ui.block(2, &message.body);
    show_advice(ui, message);
}

fn show_advice(ui: &Ui, message: &Message) {
    for advice in message.advice() {
        ui.line(Text::new().dim(format!("  → {}", command_line(&advice))));
    }
}

/// Prints a message, of a long one the beginning, and returns whether that was all.
pub fn show_beginning(ui: &Ui, message: &Message, lines: usize, chars: usize) -> bool {
    let body = &message.body;
    let shown = excerpt::beginning(body, lines, chars);
    if shown.len() == body.len() {
        show_message(ui, message);
        return true;
    }
    ui.line(heading(ui, message));
    ui.block(2, shown);
    let left = body[shown.len()..].chars().count();
    let more = format!("  … {left} more characters: reflectt inbox --all");
    ui.line(Text::new().dim(more));
    show_advice(ui, message);
    false
}

/// Returns the line above a message.
pub fn heading(ui: &Ui, message: &Message) -> Text {
    let mut line = Text::new()
        .dim(message.id.to_string())
        .plain(" from ")
        .bold(message.from.as_str());
    if let Some(channel) = &message.channel {
        line = line.plain(format!(" in #{channel}"));
    }
    if message.to.len() > 1 {
        let names: Vec<&str> = message.to.iter().map(AgentName::as_str).collect();
        line = line.plain(format!(" to {}", names.join(", ")));
    }
    line = line.plain(format!(", {}", ui.relative(message.id.at().0)));
    if let Some(task) = &message.task {
        line = line.plain(format!(", about task {task}"));
    }
    if let Some(answered) = &message.reply_to {
        line = line.plain(format!(", in reply to {answered}"));
    }
    if let Some(notice) = message.notice {
        line = line.plain(format!(" [{notice}]"));
    }
    if message.urgent {
        line = line.styled(RED, " URGENT");
    }
    line
}
