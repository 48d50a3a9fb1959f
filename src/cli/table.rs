//! Aligned tables: two spaces between columns, no lines drawn, no spaces at the end.
//!
//! On a terminal a table never exceeds its width: columns that may shrink are cut with `…`, and
//! where that does not help, or the terminal is narrow, each row is wrapped instead. Anywhere else
//! nothing is cut, because the reader is an agent that needs the whole text.

use anstyle::Style;

use super::text::{BOLD, PLAIN, Text};
use super::visible::escape;
use super::width;

const GUTTER: usize = 2;
/// Below this many columns, rows that do not fit are wrapped rather than cut.
const NARROW: usize = 60;
/// A terminal smaller than this gets lines of this width.
const SMALLEST: usize = 10;

/// A table; one without rows prints nothing.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// One column: its heading, its alignment, and whether it may shrink.
#[derive(Clone, Debug)]
pub struct Column {
    header: &'static str,
    align: Align,
    min: usize,
    shrink: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

/// The text of one field, in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    style: Style,
    /// Escaped already.
    text: String,
}

impl Column {
    /// Returns a column aligned to the left, for text.
    pub fn left(header: &'static str) -> Self {
        Self {
            header,
            align: Align::Left,
            min: 0,
            shrink: None,
        }
    }

    /// Returns a column aligned to the right, for numbers.
    pub fn right(header: &'static str) -> Self {
        Self {
            align: Align::Right,
            ..Self::left(header)
        }
    }

    /// Lets the column be cut where the table is too wide; the lowest `order` goes first.
    #[must_use]
    pub fn shrink(self, order: u8) -> Self {
        Self {
            shrink: Some(order),
            ..self
        }
    }

    /// Sets the width below which the column is not cut.
    #[must_use]
    pub fn min_width(self, min: usize) -> Self {
        Self { min, ..self }
    }

    /// A heading is never cut, and a cut field keeps one character and its `…`.
    fn floor(&self) -> usize {
        self.min.max(width::of(self.header)).max(3)
    }
}

impl Cell {
    /// Returns a field in `style`.
    pub fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self {
            style,
            text: escape(text.as_ref()).trim_end().to_owned(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::styled(PLAIN, text)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::styled(PLAIN, text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::styled(PLAIN, text)
    }
}

impl Table {
    /// Returns a table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row; fields it lacks are empty, fields beyond the columns are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let empty = std::iter::repeat_with(|| Cell::from(""));
        self.rows.push(
            cells
                .into_iter()
                .chain(empty)
                .take(self.columns.len())
                .collect(),
        );
    }

    /// Returns whether there is nothing to print.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the lines of the table, within `width` columns if there is a limit.
    pub fn lines(&self, width: Option<usize>) -> Vec<Text> {
        if self.is_empty() {
            return Vec::new();
        }
        let natural = self.natural_widths();
        let Some(limit) = width.map(|width| width.max(SMALLEST)) else {
            return self.aligned(&natural);
        };
        if total(&natural) <= limit {
            return self.aligned(&natural);
        }
        match self.shrunk(natural, limit) {
            Some(widths) if limit >= NARROW => self.aligned(&widths),
            _ => self
                .rows
                .iter()
                .flat_map(|row| wrapped(row, limit))
                .collect(),
        }
    }

    fn natural_widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|c| width::of(c.header)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(width::of(&cell.text));
            }
        }
        widths
    }

    /// Takes what is too much from the columns that may shrink, in their order.
    fn shrunk(&self, mut widths: Vec<usize>, limit: usize) -> Option<Vec<usize>> {
        let mut excess = total(&widths).saturating_sub(limit);
        let mut order: Vec<(u8, usize)> = (self.columns.iter().enumerate())
            .filter_map(|(at, column)| Some((column.shrink?, at)))
            .collect();
        order.sort_unstable();
        for (_, at) in order {
            let give = excess.min(widths[at].saturating_sub(self.columns[at].floor()));
            widths[at] -= give;
            excess -= give;
        }
        (excess == 0).then_some(widths)
    }

    fn aligned(&self, widths: &[usize]) -> Vec<Text> {
        let header: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::styled(BOLD, column.header))
            .collect();
        let rows = std::iter::once(&header).chain(&self.rows);
        rows.map(|row| self.aligned_row(row, widths)).collect()
    }

    fn aligned_row(&self, row: &[Cell], widths: &[usize]) -> Text {
        let mut line = Text::new();
        // Spaces are owed until a field follows, so that none end a line.
        let mut owed = 0;
        for ((cell, column), &width) in row.iter().zip(&self.columns).zip(widths) {
            if cell.text.is_empty() {
                owed += width + GUTTER;
                continue;
            }
            let text = width::truncate(&cell.text, width);
            let pad = width.saturating_sub(width::of(&text));
            let (before, after) = match column.align {
                Align::Left => (0, pad),
                Align::Right => (pad, 0),
            };
            line.push_escaped(PLAIN, " ".repeat(owed + before));
            line.push_escaped(cell.style, text);
            owed = after + GUTTER;
        }
        line
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GUTTER * widths.len().saturating_sub(1)
}

/// Lays the fields of a row one after the other; all lines but the first are indented.
fn wrapped(row: &[Cell], limit: usize) -> Vec<Text> {
    let mut lines = vec![(Text::new(), 0)];
    let mut append = |style: Style, text: &str, may_follow: bool| {
        let taken = width::of(text);
        let (line, used) = lines
            .last_mut()
            .expect("starts with one line and only grows");
        let gap = if *used == 0 { 0 } else { GUTTER };
        if *used + gap + taken <= limit && (may_follow || *used == 0) {
            line.push(PLAIN, " ".repeat(gap));
            line.push_escaped(style, text.to_owned());
            *used += gap + taken;
        } else {
            let mut indented = Text::from(" ".repeat(GUTTER));
            indented.push_escaped(style, text.to_owned());
            lines.push((indented, GUTTER + taken));
        }
    };
    for cell in row {
        for (at, part) in width::wrap(&cell.text, limit - GUTTER).iter().enumerate() {
            append(cell.style, part, at == 0);
        }
    }
    lines
        .into_iter()
        .map(|(line, _)| line)
        .filter(|line| *line != Text::new())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::{Color, GREEN};
    use super::super::visible::tests::any_text;
    use super::*;

    fn tasks() -> Table {
        let mut table = Table::new([
            Column::left("ID"),
            Column::left("TITLE").shrink(0).min_width(12),
            Column::right("N"),
            Column::left("AGENT").shrink(1),
        ]);
        table.row(
            [
                "k3f9x2",
                "Keep the return path after login, in every case",
                "2",
                "link",
            ]
            .map(Cell::from),
        );
        table.row(["a7d20c", "ログインの修正 🦀", "12", ""].map(Cell::from));
        table
    }

    fn plain(table: &Table, width: Option<usize>) -> Vec<String> {
        table
            .lines(width)
            .iter()
            .map(|line| line.render(Color::Off))
            .collect()
    }

    #[test]
    fn nothing_is_cut_where_no_person_reads() {
        assert_eq!(
            plain(&tasks(), None),
            [
                "ID      TITLE                                             N  AGENT",
                "k3f9x2  Keep the return path after login, in every case   2  link",
                "a7d20c  ログインの修正 🦀                                12",
            ]
        );
        assert_eq!(plain(&tasks(), None), plain(&tasks(), Some(66)));
    }

    #[test]
    fn the_flexible_column_is_cut_on_a_terminal() {
        assert_eq!(
            plain(&tasks(), Some(60)),
            [
                "ID      TITLE                                       N  AGENT",
                "k3f9x2  Keep the return path after login, in eve…   2  link",
                "a7d20c  ログインの修正 🦀                          12",
            ]
        );
    }

    #[test]
    fn rows_wrap_on_a_narrow_terminal() {
        assert_eq!(
            plain(&tasks(), Some(40)),
            [
                "k3f9x2",
                "  Keep the return path after login, in",
                "  every case  2  link",
                "a7d20c  ログインの修正 🦀  12",
            ]
        );
    }

    #[test]
    fn a_narrow_table_stays_a_table_on_a_narrow_terminal() {
        let mut table = Table::new([Column::left("NAME"), Column::left("SEEN")]);
        table.row(["kai".into(), Cell::styled(GREEN, "just now")]);
        assert_eq!(plain(&table, Some(20)), ["NAME  SEEN", "kai   just now"]);
        assert_eq!(
            table.lines(None)[1].render(Color::On),
            "kai   \x1b[32mjust now\x1b[0m"
        );
    }

    #[test]
    fn an_empty_table_prints_nothing() {
        let table = Table::new([Column::left("ID")]);
        assert!(table.is_empty());
        assert!(table.lines(None).is_empty());
    }

    #[test]
    fn text_of_others_stays_in_its_field() {
        let mut table = Table::new([Column::left("A"), Column::left("B")]);
        table.row(["x\n\x1b[2Jy", "z "].map(Cell::from));
        assert_eq!(plain(&table, None), ["A        B", "x␊␛[2Jy  z"]);
    }

    proptest! {
        #[test]
        fn never_wider_than_the_terminal_and_no_spaces_at_the_end(
            rows in prop::collection::vec(prop::array::uniform4(any_text()), 1..5),
            width in SMALLEST..120,
            shrink in any::<[bool; 4]>(),
        ) {
            let columns = ["A", "BB", "C", "HEADER"].iter().zip(shrink).enumerate();
            let mut table = Table::new(columns.map(|(at, (&header, shrink))| {
                let column = if at == 2 { Column::right(header) } else { Column::left(header) };
                if shrink { column.shrink(0) } else { column }
            }));
            for row in &rows {
                table.row(row.iter().map(Cell::from));
            }
            for line in plain(&table, Some(width)) {
                prop_assert!(width::of(&line) <= width, "{line:?}");
                prop_assert_eq!(line.trim_end(), &line);
            }
            for line in plain(&table, None) {
                prop_assert_eq!(line.trim_end(), &line);
            }
        }
    }
}
