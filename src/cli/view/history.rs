//! What happened to a task, one line an event.

use crate::answer::told::describe;
use crate::answer::width;
use crate::cli::text::Text;
use crate::cli::ui::Ui;
use crate::model::id::Stamp;
use crate::model::name::Author;
use crate::model::task::TaskEvent;

/// Prints events, oldest first: when, who, what, and what was written on the way.
pub fn history(ui: &Ui, events: &[(Stamp, Author, TaskEvent, Option<String>)]) {
    ui.line(Text::new().dim("history"));
    let whens: Vec<String> = (events.iter())
        .map(|(stamp, ..)| ui.relative(stamp.at().0))
        .collect();
    let when_width = whens.iter().map(|when| width::of(when)).max().unwrap_or(0);
    let who_width = (events.iter())
        .map(|(_, by, ..)| Text::from(by.as_str()).width())
        .max()
        .unwrap_or(0);
    for ((_, by, event, void), when) in events.iter().zip(&whens) {
        let (what, words) = describe(event);
        let pad = who_width.saturating_sub(Text::from(by.as_str()).width());
        let mut line = Text::new()
            .dim(format!("  {when:<when_width$}  "))
            .plain(by.as_str())
            .plain(" ".repeat(pad + 2))
            .plain(what);
        let words = words.unwrap_or_default();
        let mut words = words.trim_end().lines();
        if let Some(first) = words.next() {
            line = line.plain(": ").plain(first);
        }
        if let Some(why) = void {
            line = line.plain(format!(" (void: {why})"));
        }
        ui.line(line);
        let rest: Vec<&str> = words.collect();
        ui.block(4, &rest.join("\n"));
    }
}
