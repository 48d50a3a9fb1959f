//! The page of one task, wrapped to the width there is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::answer::width;

use super::super::board::Board;
use super::super::paint::Paint;
use super::super::picture::{DocLine, Tone};
use super::{ago, put};

pub fn draw(cells: &mut Buffer, area: Rect, board: &Board, paint: Paint) {
    let note = match (&board.detail, &board.no_detail, board.opened) {
        (Some(_), ..) => None,
        (None, Some(why), _) => Some(format!("! {why}")),
        (None, None, Some(id)) => Some(format!("reading {id} …")),
        (None, None, None) => Some("choose a task and press Enter".to_owned()),
    };
    if let Some(note) = note {
        let note = width::truncate(&note, usize::from(area.width));
        put(cells, area, &Line::from(Span::styled(note, paint.dim())));
        return;
    }
    let lines = wrapped(board, area.width);
    let height = usize::from(area.height);
    let top = board.scroll.min(lines.len().saturating_sub(height));
    for (y, (tone, text)) in lines.iter().skip(top).take(height).enumerate() {
        let y = area.y + u16::try_from(y).unwrap_or(u16::MAX);
        let here = Rect::new(area.x, y, area.width, 1);
        put(
            cells,
            here,
            &Line::from(Span::styled(text.clone(), paint.tone(*tone))),
        );
    }
}

/// Returns how far one can go down.
pub fn length(board: &Board, wide: u16) -> usize {
    wrapped(board, wide).len()
}

fn wrapped(board: &Board, wide: u16) -> Vec<(Tone, String)> {
    let lines = board.detail.iter().flat_map(|detail| &detail.lines);
    let wide = usize::from(wide);
    let mut all = Vec::new();
    for line in lines {
        wrap(line, wide, board, &mut all);
    }
    all
}

fn wrap(line: &DocLine, wide: usize, board: &Board, into: &mut Vec<(Tone, String)>) {
    let indent = usize::from(line.indent);
    let text = match line.at {
        Some(at) => format!("{} ({})", line.text, ago(board.now, at)),
        None => line.text.clone(),
    };
    let parts = width::wrap(&text, wide.saturating_sub(indent));
    if parts.is_empty() {
        into.push((line.tone, String::new()));
    }
    for part in parts {
        into.push((line.tone, format!("{:indent$}{part}", "")));
    }
}
