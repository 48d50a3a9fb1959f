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
        let line = |tone, indent, text: &str| DocLine::new(tone, indent, text);
        let lines = vec![
            line(Tone::Title, 0, &format!("{id}  The task")),
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
    expect(
        &board((80, 24), "1"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
[Needs you 3]| Agents 4 | Board 5 | Task | Messages 1 | Log |
person b00001 Pay by card: which bank do we use?                              1h
review r00001 ログインの修正 after a very long title that no line of eight…   1h
mail          link: please look at r00001                                     7m


















j/k move  Enter open  / filter  c comment  m message  Tab pane  ? keys  q quit
"#,
    );
}

#[test]
fn the_board_has_a_line_for_each_task() {
    expect(
        &board((80, 24), "3j"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
 Needs you 3 | Agents 4 |[Board 5]| Task | Messages 1 | Log |
-- blocked (1)
! b00001 P0 Pay by card: which bank do we use?               echo             1h
-- in review (1)
? r00001 P2 ログインの修正 after a very long title that no…  kai>ann          1h
-- approved (1)
+ a00001 P2 The task a00001                                  link             1h
-- doing (1)
~ d00001 P2 The task d00001                                  kai              2m
-- done today (1)
= e00001 P2 The task e00001                                  link             1h
-- to do (1)
- t00001 P2 The task t00001                                  -                1h









j/k move  Enter open  / filter  a approve  r changes  d diff  ? keys  q quit
"#,
    );
}

#[test]
fn agents_are_told_apart_by_words() {
    expect(
        &board((80, 24), "2"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
 Needs you 3 |[Agents 4]| Board 5 | Task | Messages 1 | Log |
! echo           SILENT 42m   b00001 Pay by card - asked the bank
* kai            active now   d00001 The task d00001
o link           idle 12m     free
. ann            offline 10h  person

















j/k move  Enter open  / filter  c comment  m message  Tab pane  ? keys  q quit
"#,
    );
}

#[test]
fn a_task_is_a_page() {
    expect(
        &board((80, 24), "3jjj\n"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
 Needs you 3 | Agents 4 | Board 5 |[Task]| Messages 1 | Log |
d00001 The task
status: doing, held by kai (just now)

Done when
1. it is
   ! no evidence















j/k move  Esc back  c comment  m message  Tab pane  ? keys  q quit
"#,
    );
}

#[test]
fn messages_and_who_they_are_for() {
    expect(
        &board((80, 24), "5"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
 Needs you 3 | Agents 4 | Board 5 | Task |[Messages 1]| Log |
*   7m link         ann            please look at r00001
    7m link         #general       who knows the header? …



















j/k move  Enter open  / filter  m message  Tab pane  ? keys  q quit
"#,
    );
}

#[test]
fn an_approval_asks_first_and_names_the_command() {
    expect(
        &board((80, 24), "3jawell done\n"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
 Needs you 3 | Agents 4 |[Board 5]| Task | Messages 1 | Log |
-- blocked (1)
! b00001 P0 Pay by card: which bank do we use?               echo             1h
-- in review (1)
? r00001 P2 ログインの修正 after a very long title that no…  kai>ann          1h
-- approved (1)
+ a┌ Approve r00001 ────────────────────────────────────────────────────────┐ 1h
-- │   note, may be empty                                                   │
~ d│   well done                                                            │ 2m
-- │ This approves the submission you were shown, commit 0123456789ab.      │
= e│ Do it? y/n                                                             │ 1h
-- │ the same as                                                            │
- t│   reflectt review r00001 --approve --commit 0123456789ab --note 'well  │ 1h
   │   done'                                                                │
   │                                                                        │
   └────────────────────────────────────────────────────────────────────────┘






y do it  n back  Esc leave
"#,
    );
}

#[test]
fn the_keys_of_a_pane() {
    expect(
        &board((80, 24), "3?"),
        r#"
shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review       live
 Needs you 3 | Agents 4 |[Board 5]| Task | Messages 1 | Log |
-- ┌ Keys in Board ─────────────────────────────────────────────────────────┐
! b│ j k ↓ ↑           down, up                                             │ 1h
-- │ g G Home End      first, last                                          │
? r│ PgDn PgUp ^D ^U   a page down, up                                      │ 1h
-- │ Tab S-Tab → ←     next pane, pane before (h too)                       │
+ a│ 1 … 6             needs you, agents, board, task, messages, log        │ 1h
-- │ Enter             open the task or the message                         │
~ d│ Esc               leave: a window, a filter, a page                    │ 2m
-- │ /                 filter the list by words                             │
= e│ a                 approve what was submitted                           │ 1h
-- │ r                 request changes                                      │
- t│ c                 comment on the task                                  │ 1h
   │ m                 send a message                                       │
   │ n                 new task                                             │
   │ l                 land what is approved                                │
   │ d                 show the difference in your pager                    │
   │ ^L                draw everything anew                                 │
   │ ^Z                suspend; fg brings it back                           │
   │ q ^C              quit                                                 │
   └────────────────────────────────────────────────────────────────────────┘

Esc close
"#,
    );
}

#[test]
fn a_wide_screen_shows_all() {
    expect(
        &board((200, 60), "3jj"),
        r#"
reflectt  shop  you are ann  !1 silent  x1 blocked  =1 done today  ?1 in review  +1 to land  >1 doing                                                                                               live
┌ Needs you 3 ─────────────────────────────────────────────┐╔>Board 5 ═══════════════════════════════════════════════════════════╗┌ Task ──────────────────────────────────────────────────────────────┐
│person b00001 Pay by card: which bank do we use?        1h│║-- blocked (1)                                                      ║│a00001 The task                                                     │
│review r00001 ログインの修正 after a very long title…   1h│║! b00001 P0 Pay by card: which bank do we use?   echo             1h║│status: doing, held by kai (just now)                               │
│mail          link: please look at r00001               7m│║-- in review (1)                                                    ║│                                                                    │
└──────────────────────────────────────────────────────────┘║? r00001 P2 ログインの修正 after a very long ti… kai>ann          1h║│Done when                                                           │
┌ Agents 4 ────────────────────────────────────────────────┐║-- approved (1)                                                     ║│1. it is                                                            │
│! echo       SILENT 42m   b00001 Pay by card - asked the… │║+ a00001 P2 The task a00001                      link             1h║│   ! no evidence                                                    │
│* kai        active now   d00001 The task d00001          │║-- doing (1)                                                        ║│                                                                    │
│o link       idle 12m     free                            │║~ d00001 P2 The task d00001                      kai              2m║│                                                                    │
│. ann        offline 10h  person                          │║-- done today (1)                                                   ║│                                                                    │
│                                                          │║= e00001 P2 The task e00001                      link             1h║│                                                                    │
│                                                          │║-- to do (1)                                                        ║│                                                                    │
│                                                          │║- t00001 P2 The task t00001                      -                1h║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
│                                                          │║                                                                    ║│                                                                    │
└──────────────────────────────────────────────────────────┘╚════════════════════════════════════════════════════════════════════╝└────────────────────────────────────────────────────────────────────┘
┌ Messages 1 ──────────────────────────────────────────────────────────────────────────────────────┐┌ Log ─────────────────────────────────────────────────────────────────────────────────────────────┐
│*   7m link         ann            please look at r00001                                          ││ now kai        d00001 claimed it, fence 3                                                        │
│    7m link         #general       who knows the header? …                                        ││ now kai        d00001 created it                                                                 │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
│                                                                                                  ││                                                                                                  │
└──────────────────────────────────────────────────────────────────────────────────────────────────┘└──────────────────────────────────────────────────────────────────────────────────────────────────┘

j/k move  Enter open  / filter  l land  d diff  c comment  m message  Tab pane  ? keys  q quit
"#,
    );
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
