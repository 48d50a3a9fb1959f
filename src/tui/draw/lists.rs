//! Lists: a line for each agent, task, message and event, in columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::answer::excerpt::first_line;
use crate::answer::width;
use crate::model::presence::Liveness;

use super::super::board::Board;
use super::super::layout::Pane;
use super::super::paint::Paint;
use super::super::picture::{Card, Letter, LogLine, Member, Need};
use super::super::rows::Row;
use super::{life, put, short_ago};

pub fn draw(cells: &mut Buffer, area: Rect, pane: Pane, board: &Board, paint: Paint) {
    let rows = board.rows(pane);
    let place = &board.places[pane.at()];
    if rows.is_empty() {
        let words = match (place.filter.is_empty(), pane) {
            (false, _) => "nothing fits the filter; Esc clears it",
            (true, Pane::Needs) => "nothing waits for you",
            (true, Pane::Agents) => "nobody is on the team: reflectt join NAME",
            (true, Pane::Board) => "no tasks yet: n makes one",
            (true, Pane::Messages) => "no messages yet: m sends one",
            (true, _) => "nothing has happened yet",
        };
        put(cells, area, &Line::from(Span::styled(words, paint.dim())));
        return;
    }
    let shown = rows.iter().enumerate().skip(place.top);
    for (y, (at, row)) in shown.take(usize::from(area.height)).enumerate() {
        let y = area.y + u16::try_from(y).unwrap_or(u16::MAX);
        let here = Rect::new(area.x, y, area.width, 1);
        let line = line(row, usize::from(area.width), board, paint);
        put(cells, here, &line);
        if at == place.at && row.key().is_some() {
            let style = match pane == board.focus {
                true => paint.chosen(),
                false => paint.marked(),
            };
            cells.set_style(here, style);
        }
    }
}

fn line(row: &Row<'_>, wide: usize, board: &Board, paint: Paint) -> Line<'static> {
    match row {
        Row::Group(group, count) => Line::from(Span::styled(
            format!("-- {} ({count})", group.title()),
            paint.group(*group).add_modifier(Modifier::BOLD),
        )),
        Row::Card(card) => of_card(card, wide, board, paint),
        Row::Member(member) => of_member(member, wide, board, paint),
        Row::Need(need) => of_need(need, wide, board, paint),
        Row::Letter(letter) => of_letter(letter, wide, board, paint),
        Row::Log(event) => of_event(event, wide, board, paint),
    }
}

/// Returns a text in exactly this many columns.
fn column(text: &str, wide: usize) -> String {
    let mut text = width::truncate(text, wide);
    let pad = wide.saturating_sub(width::of(&text));
    text.extend(std::iter::repeat_n(' ', pad));
    text
}

/// A line of columns: those before the text, the text in all the space there is, those after it.
fn columns(
    before: Vec<(String, Style)>,
    text: (&str, Style),
    after: Vec<(String, Style)>,
    wide: usize,
) -> Line<'static> {
    let taken = |parts: &[(String, Style)]| -> usize {
        parts.iter().map(|(part, _)| width::of(part) + 1).sum()
    };
    // Where there is little space the text goes before what follows it.
    let after = match taken(&before) + taken(&after) + 12 > wide {
        true => Vec::new(),
        false => after,
    };
    let space = wide.saturating_sub(taken(&before) + taken(&after));
    let mut spans = Vec::new();
    for (part, style) in before {
        spans.extend([Span::styled(part, style), Span::raw(" ")]);
    }
    spans.push(Span::styled(column(text.0, space), text.1));
    for (part, style) in after {
        spans.extend([Span::raw(" "), Span::styled(part, style)]);
    }
    Line::from(spans)
}

fn of_card(card: &Card, wide: usize, board: &Board, paint: Paint) -> Line<'static> {
    let mark = match (card.needs_human, card.provisional) {
        (true, _) => "!",
        (_, true) => "~",
        _ => card.group.mark(),
    };
    let text = match &card.reason {
        Some(reason) => format!("{}: {}", card.title, first_line(reason, 200)),
        None => card.title.clone(),
    };
    let who = card.who.as_deref().unwrap_or("-");
    let who = match (&card.reviewer, card.group) {
        (Some(reviewer), super::super::picture::Group::InReview) => format!("{who}>{reviewer}"),
        _ => who.to_owned(),
    };
    let who_wide = if wide > 64 { 14 } else { 10 };
    columns(
        vec![
            (mark.to_owned(), paint.group(card.group)),
            (card.id.to_string(), paint.bold()),
            (card.priority.to_string(), paint.dim()),
        ],
        (&text, Style::new()),
        vec![
            (column(&who, who_wide), Style::new()),
            (
                format!("{:>4}", short_ago(board.now, card.since)),
                paint.dim(),
            ),
        ],
        wide,
    )
}

fn of_member(member: &Member, wide: usize, board: &Board, paint: Paint) -> Line<'static> {
    let (mark, style) = match member.life {
        _ if member.is_silent() => ("!", paint.bad()),
        Liveness::Active => ("*", paint.good()),
        Liveness::Idle => ("o", Style::new()),
        Liveness::Stale | Liveness::Offline => (".", paint.dim()),
    };
    let first = member.holds.iter().find(|it| it.is_active);
    let first = first.or(member.holds.first());
    let mut text = match first {
        Some(holds) => match holds.task {
            Some(id) => format!("{id} {}", holds.what),
            None => holds.what.clone(),
        },
        None if member.is_human => "person".to_owned(),
        None => "free".to_owned(),
    };
    if member.holds.len() > 1 {
        text.push_str(&format!(" +{}", member.holds.len() - 1));
    }
    if let Some(note) = &member.note {
        text.push_str(&format!(" - {}", first_line(note, 200)));
    }
    let name_wide = if wide > 64 { 14 } else { 10 };
    columns(
        vec![
            (mark.to_owned(), style),
            (column(&member.name, name_wide), paint.bold()),
            (column(&life(member, board.now), 12), style),
        ],
        (&text, Style::new()),
        Vec::new(),
        wide,
    )
}

fn of_need(need: &Need<'_>, wide: usize, board: &Board, paint: Paint) -> Line<'static> {
    let (what, id, text, since) = match need {
        Need::Review(card) => {
            let by = card.who.as_ref().map(|who| format!(" (by {who})"));
            let text = format!("{}{}", card.title, by.unwrap_or_default());
            ("review", card.id.to_string(), text, card.since)
        }
        Need::Person(card) => {
            let reason = card.reason.as_deref().unwrap_or_default();
            let text = format!("{}: {}", card.title, first_line(reason, 200));
            ("person", card.id.to_string(), text, card.since)
        }
        Need::Mail(letter) => {
            let what = if letter.urgent { "URGENT" } else { "mail" };
            let text = format!("{}: {}", letter.from, first_line(&letter.body, 200));
            let id = letter.task.map(|id| id.to_string());
            (what, id.unwrap_or_else(|| " ".repeat(6)), text, letter.at)
        }
    };
    columns(
        vec![(column(what, 6), paint.beware()), (id, paint.bold())],
        (&text, Style::new()),
        vec![(format!("{:>4}", short_ago(board.now, since)), paint.dim())],
        wide,
    )
}

fn of_letter(letter: &Letter, wide: usize, board: &Board, paint: Paint) -> Line<'static> {
    let mark = match (letter.urgent, letter.is_unread) {
        (true, true) => "!",
        (false, true) => "*",
        (_, false) => " ",
    };
    let style = match letter.is_unread {
        true => paint.beware(),
        false => Style::new(),
    };
    let (name, to) = if wide > 64 { (12, 14) } else { (8, 9) };
    columns(
        vec![
            (mark.to_owned(), style),
            (
                format!("{:>4}", short_ago(board.now, letter.at)),
                paint.dim(),
            ),
            (column(&letter.from, name), paint.bold()),
            (column(&letter.to, to), paint.dim()),
        ],
        (&first_line(&letter.body, 400), Style::new()),
        Vec::new(),
        wide,
    )
}

fn of_event(event: &LogLine, wide: usize, board: &Board, paint: Paint) -> Line<'static> {
    let id = event.task.map(|id| id.to_string());
    columns(
        vec![
            (
                format!("{:>4}", short_ago(board.now, event.at)),
                paint.dim(),
            ),
            (column(&event.by, 10), paint.bold()),
            (column(id.as_deref().unwrap_or_default(), 6), Style::new()),
        ],
        (&event.what, Style::new()),
        Vec::new(),
        wide,
    )
}
