//! Drawing: the state at a moment becomes cells. Only what is visible is made.

mod lists;
mod over;
mod page;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget as _};

use crate::answer::{age, width};
use crate::model::time::Timestamp;

use super::board::{Board, Over};
use super::layout::{Areas, Pane};
use super::paint::Paint;
use super::picture::{Group, Member, Picture};

/// From this age on, in milliseconds, what is shown is called old.
const OLD: i64 = 30_000;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, board: &Board, paint: Paint) {
    let areas = board.areas();
    let cells = frame.buffer_mut();
    header(cells, areas.header, board, paint);
    if let Some(tabs) = areas.tabs {
        draw_tabs(cells, tabs, board, paint);
    }
    for (pane, area) in &areas.panes {
        draw_pane(cells, &areas, *pane, *area, board, paint);
    }
    toast(cells, areas.toast, board, paint);
    hints(cells, areas.hints, board, paint);
    if let Some(cursor) = over::draw(cells, board, paint) {
        frame.set_cursor_position(cursor);
    } else if board.over == Over::Filter {
        let text = filter_line(board);
        let x = u16::try_from(width::of(&text)).unwrap_or(u16::MAX);
        frame.set_cursor_position((x.min(areas.toast.width.saturating_sub(1)), areas.toast.y));
    }
}

/// Returns how far down the page of the task can be moved: until its end is seen.
pub fn page_end(board: &Board) -> usize {
    let areas = Areas::of(board.size, Pane::Task, 0);
    areas.inside(Pane::Task).map_or(0, |area| {
        page::length(board, area.width).saturating_sub(usize::from(area.height))
    })
}

/// Returns the names in the row of panes, as they are written there.
pub fn tab_names(board: &Board) -> Vec<String> {
    let name = |pane: Pane| {
        let count = count_of(board, pane);
        let count = count.map(|count| format!(" {count}")).unwrap_or_default();
        match pane == board.focus {
            // Not by colour alone.
            true => format!("[{}{count}]", pane.title()),
            false => format!(" {}{count} ", pane.title()),
        }
    };
    Pane::ALL.into_iter().map(name).collect()
}

fn count_of(board: &Board, pane: Pane) -> Option<usize> {
    let picture = &board.picture;
    let count = match pane {
        Pane::Needs => picture.needs(board.me()).len(),
        Pane::Agents => picture.agents.len(),
        Pane::Board => {
            let open = picture
                .cards
                .iter()
                .filter(|card| card.group != Group::Done);
            open.count()
        }
        Pane::Messages => picture.letters.iter().filter(|it| it.is_unread).count(),
        Pane::Task | Pane::Log => 0,
    };
    (count > 0).then_some(count)
}

/// Writes one line into an area, cut to its width and to the screen: that may have become smaller
/// since it was divided.
fn put(cells: &mut Buffer, area: Rect, line: &Line<'_>) {
    let area = area.intersection(cells.area);
    if area.height > 0 && area.width > 0 {
        cells.set_line(area.x, area.y, line, area.width);
    }
}

fn header(cells: &mut Buffer, area: Rect, board: &Board, paint: Paint) {
    let (fresh, fresh_style) = freshness(board, paint);
    let mut left = usize::from(area.width).saturating_sub(width::of(&fresh) + 1);
    let name = match left > 100 {
        true => format!("reflectt  {}", board.team),
        // Its name is no news; what is told of the team is.
        false => width::truncate(&board.team, 16),
    };
    let who = match board.me() {
        Some(me) => format!("you are {me}"),
        None => "read-only".to_owned(),
    };
    let mut parts = vec![(name, paint.bold()), (who, Style::new())];
    parts.extend(summary(&board.picture, paint));
    let mut spans = Vec::new();
    for (said, style) in parts {
        // What does not fit is left out whole: half a number would be another one.
        if let Some(rest) = left.checked_sub(width::of(&said) + 2) {
            left = rest;
            spans.extend([Span::styled(said, style), Span::raw("  ")]);
        }
    }
    put(cells, area, &Line::from(spans));
    let wide = u16::try_from(width::of(&fresh)).unwrap_or(u16::MAX);
    if let Some(x) = area.right().checked_sub(wide)
        && x > area.x
    {
        let right = Rect::new(x, area.y, wide, area.height);
        put(cells, right, &Line::from(Span::styled(fresh, fresh_style)));
    }
}

/// Says who is stuck and what landed, in a few words.
fn summary(picture: &Picture, paint: Paint) -> Vec<(String, Style)> {
    let silent = picture.agents.iter().filter(|it| it.is_silent()).count();
    let of = |group| {
        picture
            .cards
            .iter()
            .filter(|card| card.group == group)
            .count()
    };
    let mut all = Vec::new();
    if picture.paused.is_some() {
        all.push(("PAUSED".to_owned(), paint.beware()));
    }
    if silent > 0 {
        all.push((format!("!{silent} silent"), paint.bad()));
    }
    // The order is of what must not be left out.
    for (group, what) in [
        (Group::Blocked, "blocked"),
        (Group::Done, "done today"),
        (Group::InReview, "in review"),
        (Group::Approved, "to land"),
        (Group::Doing, "doing"),
    ] {
        let count = of(group);
        if count > 0 {
            let said = format!("{}{count} {what}", group.mark());
            all.push((said, paint.group(group)));
        }
    }
    all
}

/// Says how old what is shown is, where that matters.
fn freshness(board: &Board, paint: Paint) -> (String, Style) {
    let old = board.now.0 - board.picture.read.0;
    match &board.stale {
        Some(_) => (
            format!("! read {}", ago(board.now, board.picture.read)),
            paint.bad(),
        ),
        None if old > OLD => (
            format!("read {}", ago(board.now, board.picture.read)),
            paint.beware(),
        ),
        None => ("live".to_owned(), paint.dim()),
    }
}

/// Returns an age in a few columns.
fn ago(now: Timestamp, then: Timestamp) -> String {
    age::relative(now.0, then.0)
}

/// The same without the word that a column of ages does not need.
fn short_ago(now: Timestamp, then: Timestamp) -> String {
    let words = ago(now, then);
    match words.strip_suffix(" ago") {
        Some(short) => short.to_owned(),
        None if words == "just now" => "now".to_owned(),
        None => words,
    }
}

fn draw_tabs(cells: &mut Buffer, area: Rect, board: &Board, paint: Paint) {
    let mut spans = Vec::new();
    for (pane, name) in Pane::ALL.into_iter().zip(tab_names(board)) {
        let style = match pane == board.focus {
            true => paint.chosen(),
            false if pane == Pane::Needs && count_of(board, pane).is_some() => paint.beware(),
            false => Style::new(),
        };
        spans.extend([Span::styled(name, style), Span::raw("|")]);
    }
    put(cells, area, &Line::from(spans));
}

fn draw_pane(
    cells: &mut Buffer,
    areas: &Areas,
    pane: Pane,
    area: Rect,
    board: &Board,
    paint: Paint,
) {
    let focused = pane == board.focus;
    if areas.tabs.is_none() {
        let count = count_of(board, pane).map(|count| format!(" {count}"));
        let count = count.unwrap_or_default();
        let filter = &board.places[pane.at()].filter;
        let filter = match filter.is_empty() {
            true => String::new(),
            false => format!(" /{}", crate::answer::visible::escape(filter)),
        };
        let mark = if focused { ">" } else { " " };
        let title = format!("{mark}{}{count}{filter} ", pane.title());
        let (border, style) = match focused {
            true => (BorderType::Double, paint.bold()),
            false => (BorderType::Plain, paint.dim()),
        };
        Block::bordered()
            .border_type(border)
            .border_style(style)
            .title(Span::styled(title, paint.bold()))
            .render(area, cells);
    }
    let Some(inside) = areas.inside(pane) else {
        return;
    };
    match pane {
        Pane::Task => page::draw(cells, inside, board, paint),
        pane => lists::draw(cells, inside, pane, board, paint),
    }
}

fn filter_line(board: &Board) -> String {
    let filter = &board.places[board.focus.at()].filter;
    format!("/{}", crate::answer::visible::escape(filter))
}

fn toast(cells: &mut Buffer, area: Rect, board: &Board, paint: Paint) {
    let plain = |said: String| Span::raw(said);
    let span = if board.over == Over::Filter {
        plain(filter_line(board))
    } else if let Some(toast) = &board.toast {
        match toast.is_bad {
            true => Span::styled(format!("! {}", toast.said), paint.bad()),
            false => plain(toast.said.clone()),
        }
    } else if let Some((write, at)) = &board.writing {
        match at {
            Some(at) => plain(format!("… {at}")),
            None => plain(format!("… {}", write.command())),
        }
    } else if let Some(why) = &board.stale {
        Span::styled(format!("! cannot read: {why}"), paint.bad())
    } else if let Some(why) = &board.picture.paused {
        Span::styled(format!("claiming is paused: {why}"), paint.beware())
    } else if !board.places[board.focus.at()].filter.is_empty() {
        plain(format!("{}  (Esc clears the filter)", filter_line(board)))
    } else if let Some(why) = &board.picture.read_only {
        Span::styled(why.clone(), paint.dim())
    } else {
        return;
    };
    let text = crate::answer::visible::escape(&span.content);
    let text = width::truncate(&text, usize::from(area.width));
    put(cells, area, &Line::from(Span::styled(text, span.style)));
}

fn hints(cells: &mut Buffer, area: Rect, board: &Board, paint: Paint) {
    let mut spans = Vec::new();
    let mut left = usize::from(area.width);
    let hints = board.hints();
    // The last ones lead to all others, so they have their place in any case.
    let fixed: usize = match board.over {
        Over::Nothing => 2,
        _ => 0,
    };
    let size = |hint: &super::keys::Hint| width::of(hint.keys) + 1 + width::of(hint.what) + 2;
    let split = hints.len() - fixed;
    let reserved: usize = hints[split..].iter().map(size).sum();
    left = left.saturating_sub(reserved);
    for (at, hint) in hints.iter().enumerate() {
        if at < split {
            if size(hint) > left {
                continue;
            }
            left -= size(hint);
        }
        spans.extend([
            Span::styled(hint.keys, paint.bold()),
            Span::styled(format!(" {}  ", hint.what), paint.dim()),
        ]);
    }
    put(cells, area, &Line::from(spans));
}

/// Says how alive somebody is, in words that need no colour.
fn life(member: &Member, now: Timestamp) -> String {
    let seen = member.seen.map(|seen| short_ago(now, seen));
    let seen = seen.unwrap_or_else(|| "never".to_owned());
    match member.is_silent() {
        true => format!("SILENT {seen}"),
        false => format!("{} {seen}", member.life.as_str()),
    }
}

#[cfg(test)]
mod tests;
