//! Where on the screen everything is: the one answer that drawing and the mouse share.

use ratatui::layout::Rect;

/// A part of the screen with contents of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pane {
    Needs,
    Agents,
    Board,
    Task,
    Messages,
    Log,
}

impl Pane {
    pub const ALL: [Pane; 6] = [
        Pane::Needs,
        Pane::Agents,
        Pane::Board,
        Pane::Task,
        Pane::Messages,
        Pane::Log,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Pane::Needs => "Needs you",
            Pane::Agents => "Agents",
            Pane::Board => "Board",
            Pane::Task => "Task",
            Pane::Messages => "Messages",
            Pane::Log => "Log",
        }
    }

    /// Returns its place in [`Pane::ALL`].
    pub fn at(self) -> usize {
        self as usize
    }

    /// Returns the pane that is so many steps away, round and round.
    pub fn step(self, by: isize) -> Pane {
        let count = Pane::ALL.len().cast_signed();
        let at = (self.at().cast_signed() + by).rem_euclid(count);
        Pane::ALL[at.unsigned_abs()]
    }
}

/// From this size on, all panes are shown at once.
const WIDE: (u16, u16) = (140, 34);

/// The places of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Areas {
    pub header: Rect,
    /// The names of the panes, where only one of them is shown.
    pub tabs: Option<Rect>,
    /// The panes that are shown, frames included.
    pub panes: Vec<(Pane, Rect)>,
    pub toast: Rect,
    pub hints: Rect,
}

/// Tells whether all panes are shown at once.
pub fn is_wide((width, height): (u16, u16)) -> bool {
    width >= WIDE.0 && height >= WIDE.1
}

impl Areas {
    /// Divides a screen; `needs` is how many lines wait for whoever looks.
    pub fn of(size: (u16, u16), focus: Pane, needs: usize) -> Areas {
        let (width, height) = size;
        let row = |y: u16| Rect::new(0, y.min(height), width, u16::from(y < height));
        let header = row(0);
        let hints = row(height.saturating_sub(1).max(1));
        let toast = row(height.saturating_sub(2).max(1));
        if !is_wide(size) {
            let body = Rect::new(0, 2.min(height), width, height.saturating_sub(4));
            return Areas {
                header,
                tabs: Some(row(1)),
                panes: vec![(focus, body)],
                toast,
                hints,
            };
        }
        let body = height - 3;
        let below = (body / 4).max(8);
        let above = body - below;
        let left = width * 3 / 10;
        let middle = width * 7 / 20;
        let right = width - left - middle;
        // A frame and a line even where nothing waits: it must not jump when something does.
        let wanted = u16::try_from(needs).unwrap_or(u16::MAX).max(1);
        let needs = wanted.saturating_add(2).min(above / 2);
        let half = width / 2;
        Areas {
            header,
            tabs: None,
            panes: vec![
                (Pane::Needs, Rect::new(0, 1, left, needs)),
                (Pane::Agents, Rect::new(0, 1 + needs, left, above - needs)),
                (Pane::Board, Rect::new(left, 1, middle, above)),
                (Pane::Task, Rect::new(left + middle, 1, right, above)),
                (Pane::Messages, Rect::new(0, 1 + above, half, below)),
                (Pane::Log, Rect::new(half, 1 + above, width - half, below)),
            ],
            toast,
            hints,
        }
    }

    /// Returns where the contents of a pane are; `None` where it is not shown.
    pub fn inside(&self, pane: Pane) -> Option<Rect> {
        let (_, area) = self.panes.iter().find(|(it, _)| *it == pane)?;
        Some(match self.tabs {
            Some(_) => *area,
            None => Rect::new(
                area.x + 1,
                area.y + 1,
                area.width.saturating_sub(2),
                area.height.saturating_sub(2),
            ),
        })
    }

    /// Returns which pane a place belongs to.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        let is_in = |area: &Rect| area.contains((x, y).into());
        let found = self.panes.iter().find(|(_, area)| is_in(area));
        found.map(|(pane, _)| *pane)
    }

    /// Returns the pane whose name in the row of tabs is at a place.
    pub fn tab_at(&self, x: u16, y: u16, names: &[String]) -> Option<Pane> {
        let tabs = self.tabs.filter(|tabs| tabs.y == y)?;
        let mut begin = tabs.x;
        for (pane, name) in Pane::ALL.into_iter().zip(names) {
            let width = u16::try_from(crate::answer::width::of(name)).unwrap_or(u16::MAX);
            let end = begin.saturating_add(width);
            if (begin..end).contains(&x) {
                return Some(pane);
            }
            begin = end.saturating_add(1);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_belongs_to_two_and_none_to_nobody() {
        for size in [(80, 24), (140, 34), (200, 60), (41, 9)] {
            let areas = Areas::of(size, Pane::Board, 30);
            let mut all: Vec<Rect> = areas.panes.iter().map(|(_, area)| *area).collect();
            all.extend([areas.header, areas.toast, areas.hints]);
            all.extend(areas.tabs);
            for y in 0..size.1 {
                for x in 0..size.0 {
                    let there = all.iter().filter(|it| it.contains((x, y).into()));
                    assert_eq!(there.count(), 1, "{size:?}: {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_tiny_screen_divides_without_a_fault() {
        for size in [(0, 0), (1, 1), (3, 2), (80, 3), (200, 4)] {
            let areas = Areas::of(size, Pane::Log, 0);
            for (_, area) in areas.panes {
                assert!(area.right() <= size.0.max(area.x) && area.bottom() <= size.1.max(area.y));
            }
        }
    }
}
