//! What is drawn, as whole screens.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::board::Event;
use super::super::picture::testing;
use super::super::picture::{Detail, DocLine, LogLine, Tone};
use super::*;

const MONO: Paint = Paint { has_colors: false };

fn board(size: (u16, u16), keys: &str) -> Board {
    let picture = testing::picture(Some("ann"));
    let mut board = Board::new("shop".to_owned(), Some("ann".to_owned()), size, picture);
    let event = |id: &str, what: &str| LogLine {
        id: id.to_owned(),
        at: testing::NOW,
        by: "kai".to_owned(),
        task: Some("d00001".parse().unwrap()),
        what: what.to_owned(),
    };
    let events = vec![event("1", "created it"), event("2", "claimed it, fence 3")];
    board.handle(Event::Happened(events));
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            c => KeyCode::Char(c),
        };
        board.handle(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
    if let Some(id) = board.opened {
        let line = DocLine::new;
        let lines = vec![
            line(Tone::Title, 0, format!("{id}  The task")),
            line(Tone::Plain, 0, "status: doing, held by kai").since(testing::NOW),
            line(Tone::Plain, 0, ""),
            line(Tone::Heading, 0, "Done when"),
            line(Tone::Plain, 0, "1. it is"),
            line(Tone::Bad, 3, "! no evidence"),
        ];
        board.handle(Event::Looked(Box::new(Detail { id, lines })));
    }
    board
}

fn cells(board: &Board, paint: Paint) -> Buffer {
    let backend = TestBackend::new(board.size.0, board.size.1);
    let mut terminal = Terminal::new(backend).unwrap();
    terminal.draw(|frame| draw(frame, board, paint)).unwrap();
    terminal.backend().buffer().clone()
}

/// Returns the screen as text; what a wide character covers is not repeated.
fn screen(board: &Board) -> String {
    let cells = cells(board, MONO);
    let mut text = String::new();
    for y in 0..board.size.1 {
        let mut line = String::new();
        let mut x = 0;
        while x < board.size.0 {
            let symbol = cells[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(width::of(symbol).max(1)).unwrap();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[track_caller]
fn expect(board: &Board, expected: &str) {
    let drawn = screen(board);
    assert!(
        drawn == expected.trim_start_matches('\n'),
        "drawn is:\n{drawn}"
    );
}

#[test]
fn what_needs_a_person_comes_first() {
    expect(&board((80, 24), "1"), "@@what_needs_a_person_comes_first@@");
}

#[test]
fn the_board_has_a_line_for_each_task() {
    expect(
        &board((80, 24), "3j"),
        "@@the_board_has_a_line_for_each_task@@",
    );
}

#[test]
fn agents_are_told_apart_by_words() {
    expect(&board((80, 24), "2"), "@@agents_are_told_apart_by_words@@");
}

#[test]
fn a_task_is_a_page() {
    expect(&board((80, 24), "3jjj\n"), "@@a_task_is_a_page@@");
}

#[test]
fn messages_and_who_they_are_for() {
    expect(&board((80, 24), "5"), "@@messages_and_who_they_are_for@@");
}

#[test]
fn an_approval_asks_first_and_names_the_command() {
    expect(
        &board((80, 24), "3jawell done\n"),
        "@@an_approval_asks_first_and_names_the_command@@",
    );
}

#[test]
fn the_keys_of_a_pane() {
    expect(&board((80, 24), "3?"), "@@the_keys_of_a_pane@@");
}

#[test]
fn a_wide_screen_shows_all() {
    expect(&board((200, 60), "3jj"), "@@a_wide_screen_shows_all@@");
}

#[test]
fn nothing_needs_colours() {
    for keys in ["1", "2", "3", "5", "6", "3jc", "?"] {
        for size in [(80, 24), (200, 60)] {
            let board = board(size, keys);
            let plain = cells(&board, MONO);
            let is_plain = |color: Color| color == Color::Reset;
            let plain_cells = plain.content().iter();
            assert!(
                plain_cells
                    .clone()
                    .all(|cell| is_plain(cell.fg) && is_plain(cell.bg))
            );
            // The words are the same with them.
            let colored = cells(&board, Paint { has_colors: true });
            let words = |cells: &Buffer| -> String {
                cells
                    .content()
                    .iter()
                    .map(ratatui::buffer::Cell::symbol)
                    .collect()
            };
            assert_eq!(words(&plain), words(&colored));
        }
    }
}

#[test]
fn every_size_is_drawn_without_a_fault() {
    for width in [0, 1, 2, 5, 13, 40, 79, 139, 140, 300] {
        for height in [0, 1, 2, 3, 4, 7, 24, 33, 34, 100] {
            for keys in ["1", "3\n", "3ja", "n", "?", "5\n", "3/kai"] {
                cells(&board((width, height), keys), MONO);
            }
        }
    }
}

#[test]
fn what_is_old_says_so() {
    let mut board = board((80, 24), "3");
    board.handle(Event::NotRead("cannot open the repository".to_owned()));
    board.handle(Event::Tick(Timestamp(testing::NOW.0 + 125_000)));
    let drawn = screen(&board);
    let first = drawn.lines().next().unwrap();
    assert!(first.ends_with("! read 2m ago"), "{first}");
    assert!(
        drawn.contains("! cannot read: cannot open the repository"),
        "{drawn}"
    );
    assert!(drawn.contains("b00001"), "what was known stays");
}

#[test]
fn what_others_wrote_steers_no_terminal() {
    let mut picture = testing::picture(Some("ann"));
    picture.letters[0].body = "\u{1b}[2J\u{202e}evil\u{7}".to_owned();
    let mut board = Board::new("shop".to_owned(), Some("ann".to_owned()), (80, 24), picture);
    for code in [KeyCode::Char('5'), KeyCode::Enter] {
        let drawn = screen(&board);
        assert!(!drawn.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{drawn}");
        board.handle(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
    assert!(screen(&board).contains(r"␛[2J\u{202e}evil␇"));
}
