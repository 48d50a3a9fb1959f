//! What lies over the panes: the keys, a form, a message.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use crate::answer::visible::{escape, escape_lines};
use crate::answer::width;

use super::super::board::{Board, Over};
use super::super::form::{Form, Stage};
use super::super::paint::Paint;
use super::super::picture::Letter;
use super::{ago, put};

/// Draws it, and returns where the cursor is to stand.
pub fn draw(cells: &mut Buffer, board: &Board, paint: Paint) -> Option<Position> {
    match &board.over {
        Over::Nothing | Over::Filter => None,
        Over::Help => {
            help(cells, board, paint);
            None
        }
        Over::Form(form) => draw_form(cells, form, board, paint),
        Over::Letter(letter, top) => {
            draw_letter(cells, letter, *top, board, paint);
            None
        }
    }
}

/// Clears a window in the middle of the screen, and returns its inside.
fn window(cells: &mut Buffer, board: &Board, paint: Paint, title: &str, lines: usize) -> Rect {
    let (width, height) = board.size;
    let wide = width
        .min(100)
        .saturating_sub(if width > 60 { 6 } else { 0 });
    let high = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    let high = high.min(height.saturating_sub(2));
    let area = Rect::new((width - wide) / 2, (height - high) / 2, wide, high);
    Clear.render(area, cells);
    Block::bordered()
        .title(Span::styled(format!(" {title} "), paint.bold()))
        .render(area, cells);
    Rect::new(
        area.x + 2.min(wide),
        area.y + 1.min(high),
        wide.saturating_sub(4),
        high.saturating_sub(2),
    )
}

fn row(area: Rect, y: usize) -> Option<Rect> {
    let y = u16::try_from(y).ok().filter(|y| *y < area.height)?;
    Some(Rect::new(area.x, area.y + y, area.width, 1))
}

fn write(cells: &mut Buffer, area: Rect, lines: &[(String, Style)]) {
    for (y, (text, style)) in lines.iter().enumerate() {
        if let Some(here) = row(area, y) {
            let text = width::truncate(text, usize::from(here.width));
            put(cells, here, &Line::from(Span::styled(text, *style)));
        }
    }
}

fn help(cells: &mut Buffer, board: &Board, paint: Paint) {
    let hints = board.help();
    let title = format!("Keys in {}", board.focus.title());
    let area = window(cells, board, paint, &title, hints.len());
    for (y, hint) in hints.iter().enumerate() {
        if let Some(here) = row(area, y) {
            let pad = 18_usize.saturating_sub(width::of(hint.keys));
            let line = Line::from(vec![
                Span::styled(hint.keys, paint.bold()),
                Span::raw(" ".repeat(pad)),
                Span::raw(hint.what),
            ]);
            put(cells, here, &line);
        }
    }
}

fn draw_form(cells: &mut Buffer, form: &Form, board: &Board, paint: Paint) -> Option<Position> {
    let asks = form.act.asks();
    let command = form.write().command();
    let (width_there, _) = board.size;
    let inside = usize::from(width_there.min(100)).saturating_sub(10);
    let command = width::wrap(&escape(&command), inside);
    let lines = asks.len() * 2 + command.len().min(6) + 4;
    let area = window(cells, board, paint, &form.act.title(), lines);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let mut cursor = None;
    for (at, (asked, field)) in asks.iter().zip(&form.fields).enumerate() {
        let is_here = form.stage == Stage::Field(at);
        let mark = if is_here { ">" } else { " " };
        let may = if asked.is_required {
            ""
        } else {
            ", may be empty"
        };
        let style = if is_here { paint.bold() } else { paint.dim() };
        lines.push((format!("{mark} {}{may}", asked.label), style));
        let before = escape(&field.text[..field.cursor]).into_owned();
        let text = escape(&field.text).into_owned();
        // The end of a long text is where somebody writes.
        let space = usize::from(area.width).saturating_sub(4).max(1);
        let (shown, x) = window_of(&text, width::of(&before), space);
        if is_here && let Some(here) = row(area, lines.len()) {
            let x = u16::try_from(x).unwrap_or(0);
            cursor = Some(Position::new(here.x + 2 + x, here.y));
        }
        lines.push((format!("  {shown}"), Style::new()));
    }
    lines.push((format!("This {}.", form.act.will()), paint.dim()));
    lines.push(match (&form.problem, form.stage) {
        (Some(problem), _) => (format!("! {problem}"), paint.bad()),
        (None, Stage::Sure) => ("Do it? y/n".to_owned(), paint.beware()),
        (None, Stage::Field(_)) => (String::new(), Style::new()),
    });
    lines.push(("the same as".to_owned(), paint.dim()));
    lines.extend(
        command
            .into_iter()
            .map(|line| (format!("  {line}"), Style::new())),
    );
    write(cells, area, &lines);
    cursor
}

/// Returns the part of a text that is shown in `space` columns, and in which of them the cursor
/// is.
fn window_of(text: &str, cursor: usize, space: usize) -> (String, usize) {
    let skip = cursor.saturating_sub(space.saturating_sub(1));
    let mut skipped = 0;
    let mut rest = text;
    while skipped < skip
        && let Some(c) = rest.chars().next()
    {
        let (first, after) = rest.split_at(c.len_utf8());
        skipped += width::of(first);
        rest = after;
    }
    (
        width::truncate(rest, space + 1),
        cursor.saturating_sub(skipped),
    )
}

fn draw_letter(cells: &mut Buffer, letter: &Letter, top: usize, board: &Board, paint: Paint) {
    let inside = usize::from(board.size.0.min(100)).saturating_sub(10);
    let mut lines = Vec::new();
    for line in escape_lines(&letter.body).lines() {
        let wrapped = width::wrap(&line.replace('\t', "    "), inside);
        match wrapped.is_empty() {
            true => lines.push(String::new()),
            false => lines.extend(wrapped),
        }
    }
    let about = letter
        .task
        .map(|id| format!(", about {id}"))
        .unwrap_or_default();
    let title = format!(
        "{} to {}, {}{about}",
        letter.from,
        letter.to,
        ago(board.now, letter.at)
    );
    let area = window(cells, board, paint, &title, lines.len());
    let height = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(height));
    let shown: Vec<(String, Style)> = lines
        .into_iter()
        .skip(top)
        .take(height)
        .map(|line| (line, Style::new()))
        .collect();
    write(cells, area, &shown);
}
