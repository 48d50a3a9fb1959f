//! The state machine, without a terminal and without a repository.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::super::act::{Act, Write};
use super::super::form::Stage;
use super::super::picture::Group;
use super::super::picture::testing::{self, NOW};
use super::*;

/// A board of 80 × 24 with the team that all tests have.
fn board(me: Option<&str>) -> Board {
    sized(me, (80, 24))
}

fn sized(me: Option<&str>, size: (u16, u16)) -> Board {
    Board::new(
        "shop".to_owned(),
        me.map(str::to_owned),
        size,
        testing::picture(me),
    )
}

fn press(board: &mut Board, code: KeyCode) -> Vec<Effect> {
    board.handle(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn control(board: &mut Board, c: char) -> Vec<Effect> {
    let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    board.handle(Event::Key(key))
}

/// Types letters; returns what the last one has caused.
fn keys(board: &mut Board, text: &str) -> Vec<Effect> {
    let each = text.chars().map(|c| press(board, KeyCode::Char(c)));
    each.last().unwrap_or_default()
}

fn chosen(board: &Board) -> Option<String> {
    board.chosen(board.focus).and_then(|row| row.key())
}

fn toast(board: &Board) -> (bool, &str) {
    let toast = board.toast.as_ref().expect("something is said");
    (toast.is_bad, &toast.said)
}

fn choose(board: &mut Board, id: &str) {
    keys(board, "3g");
    while chosen(board).as_deref() != Some(id) {
        let before = chosen(board);
        keys(board, "j");
        assert_ne!(chosen(board), before, "there is no `{id}`");
    }
}

#[test]
fn what_waits_for_whoever_looks_is_first() {
    assert_eq!(board(Some("ann")).focus, Pane::Needs);
    let mut quiet = testing::picture(None);
    quiet.cards.retain(|card| !card.needs_human);
    let board = Board::new("shop".to_owned(), None, (80, 24), quiet);
    assert_eq!(board.focus, Pane::Board);
}

#[test]
fn moving_skips_headings_and_stops_at_the_ends() {
    let mut board = board(Some("ann"));
    keys(&mut board, "3");
    assert_eq!(chosen(&board).as_deref(), Some("b00001"));
    press(&mut board, KeyCode::Up);
    assert_eq!(chosen(&board).as_deref(), Some("b00001"));
    press(&mut board, KeyCode::Down);
    assert_eq!(chosen(&board).as_deref(), Some("r00001"));
    keys(&mut board, "G");
    assert_eq!(chosen(&board).as_deref(), Some("t00001"));
    keys(&mut board, "j");
    assert_eq!(chosen(&board).as_deref(), Some("t00001"));
    keys(&mut board, "gj");
    assert_eq!(chosen(&board).as_deref(), Some("r00001"));
}

#[test]
fn what_is_chosen_stays_chosen_while_others_come_and_go() {
    let mut board = board(Some("ann"));
    choose(&mut board, "d00001");
    let mut picture = testing::picture(Some("ann"));
    picture.cards.retain(|card| card.id.as_str() != "b00001");
    picture
        .cards
        .insert(0, testing::card("r00009", Group::InReview));
    board.handle(Event::Read(Box::new(picture.clone())));
    assert_eq!(chosen(&board).as_deref(), Some("d00001"));
    // Gone, it leaves its place to what is there now.
    picture.cards.retain(|card| card.id.as_str() != "d00001");
    board.handle(Event::Read(Box::new(picture)));
    assert!(chosen(&board).is_some());
}

#[test]
fn an_approval_is_of_what_was_shown_and_after_a_yes() {
    let mut board = board(Some("ann"));
    choose(&mut board, "r00001");
    assert!(keys(&mut board, "a").is_empty());
    assert!(keys(&mut board, "well done").is_empty());
    assert!(press(&mut board, KeyCode::Enter).is_empty());
    // Whatever comes meanwhile, the submission is the one that was on the screen.
    let mut picture = testing::picture(Some("ann"));
    for card in &mut picture.cards {
        if let Some(submission) = &mut card.submission {
            submission.event = "01NEWER".to_owned();
        }
    }
    board.handle(Event::Read(Box::new(picture)));
    let effects = keys(&mut board, "y");
    let [Effect::Write(Write { act, texts })] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let Act::Approve { submission, .. } = act else {
        panic!("{act:?}");
    };
    assert_eq!(
        (submission.as_str(), texts[0].as_str()),
        ("01SUBMITTED", "well done")
    );
    assert_eq!(board.over, Over::Nothing);
    board.handle(Event::Written(Outcome {
        is_done: true,
        said: "approved r00001".to_owned(),
    }));
    assert_eq!(toast(&board), (false, "approved r00001"));
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut board = board(Some("ann"));
    for (id, key, why) in [
        (
            "b00001",
            "a",
            "`b00001` is blocked; only what is in review is approved",
        ),
        (
            "t00001",
            "r",
            "`t00001` is to do; only what is in review is asked to be changed",
        ),
        (
            "r00001",
            "l",
            "`r00001` is in review; only what is approved lands",
        ),
        (
            "t00001",
            "d",
            "nothing was submitted of `t00001` yet; there is no difference to show",
        ),
        ("t00001", "x", "choose a message first"),
        ("t00001", "z", "`z` does nothing; ? shows the keys"),
    ] {
        choose(&mut board, id);
        assert!(keys(&mut board, key).is_empty(), "{key}");
        assert_eq!(toast(&board), (true, why));
        assert_eq!(board.over, Over::Nothing);
    }
    let mut own = self::board(Some("kai"));
    choose(&mut own, "r00001");
    keys(&mut own, "a");
    let why = "`r00001` is your own work, which somebody else reviews";
    assert_eq!(toast(&own), (true, why));
}

#[test]
fn whoever_is_nobody_only_looks() {
    let mut board = board(None);
    for key in ["c", "m", "n"] {
        keys(&mut board, "3");
        assert!(keys(&mut board, key).is_empty());
        let (is_bad, said) = toast(&board);
        assert!(is_bad && said.contains("--as NAME"), "{said}");
        assert_eq!(board.over, Over::Nothing);
    }
    choose(&mut board, "r00001");
    assert_eq!(
        keys(&mut board, "d"),
        [Effect::Range("r00001".parse().unwrap())]
    );
}

#[test]
fn what_was_written_is_not_lost() {
    let mut board = board(Some("ann"));
    choose(&mut board, "d00001");
    keys(&mut board, "chello");
    press(&mut board, KeyCode::Esc);
    assert_eq!(board.over, Over::Nothing);
    keys(&mut board, "c");
    press(&mut board, KeyCode::Enter);
    assert!(
        matches!(keys(&mut board, "y").as_slice(), [Effect::Write(write)] if write.texts == ["hello"])
    );
    // Refused, it can be sent again.
    board.handle(Event::Written(Outcome {
        is_done: false,
        said: "the remote cannot be reached".to_owned(),
    }));
    keys(&mut board, "c");
    let Over::Form(form) = &board.over else {
        panic!("{:?}", board.over);
    };
    assert_eq!(
        (form.fields[0].text.as_str(), form.stage),
        ("hello", Stage::Field(0))
    );
}

#[test]
fn escape_leaves_everything() {
    let mut board = board(Some("ann"));
    for open in ["?", "3/", "3c", "5"] {
        keys(&mut board, open);
        if open == "5" {
            press(&mut board, KeyCode::Enter);
            assert!(matches!(board.over, Over::Letter(..)));
        }
        assert_ne!(board.over, Over::Nothing, "{open}");
        press(&mut board, KeyCode::Esc);
        assert_eq!(board.over, Over::Nothing, "{open}");
    }
    // A page leads back to the list it was opened from.
    choose(&mut board, "d00001");
    assert_eq!(
        press(&mut board, KeyCode::Enter),
        [Effect::Look("d00001".parse().unwrap())]
    );
    assert_eq!(board.focus, Pane::Task);
    press(&mut board, KeyCode::Esc);
    assert_eq!(
        (board.focus, chosen(&board).as_deref()),
        (Pane::Board, Some("d00001"))
    );
}

#[test]
fn a_filter_is_of_its_list() {
    let mut board = board(Some("ann"));
    keys(&mut board, "3/doing kai");
    let shown = |board: &Board| -> Vec<String> {
        board
            .rows(Pane::Board)
            .iter()
            .filter_map(super::super::rows::Row::key)
            .collect()
    };
    assert_eq!(shown(&board), ["d00001"]);
    assert_eq!(chosen(&board).as_deref(), Some("d00001"));
    press(&mut board, KeyCode::Enter);
    keys(&mut board, "2");
    assert_eq!(board.rows(Pane::Agents).len(), 4, "the other list is whole");
    keys(&mut board, "3");
    assert_eq!(shown(&board), ["d00001"]);
    press(&mut board, KeyCode::Esc);
    assert_eq!(shown(&board).len(), 6);
    keys(&mut board, "/nothing like it");
    assert_eq!(chosen(&board), None);
    press(&mut board, KeyCode::Enter);
    keys(&mut board, "a");
    assert_eq!(toast(&board), (true, "choose a task first"));
}

#[test]
fn an_old_picture_stays_with_its_age() {
    let mut board = board(Some("ann"));
    board.handle(Event::NotRead("the disk is gone".to_owned()));
    assert_eq!(board.picture.cards.len(), 6);
    assert_eq!(board.stale.as_deref(), Some("the disk is gone"));
    board.handle(Event::Read(Box::new(testing::picture(Some("ann")))));
    assert_eq!(board.stale, None);
}

#[test]
fn a_page_is_read_again_when_something_has_changed() {
    let mut board = board(Some("ann"));
    choose(&mut board, "d00001");
    press(&mut board, KeyCode::Enter);
    let id: TaskId = "d00001".parse().unwrap();
    let detail = Detail {
        id,
        lines: Vec::new(),
    };
    board.handle(Event::Looked(Box::new(detail.clone())));
    assert_eq!(board.detail, Some(detail));
    let other: TaskId = "t00001".parse().unwrap();
    board.handle(Event::NotLooked(other, "too late".to_owned()));
    assert_eq!(board.no_detail, None, "that was of another page");
    let picture = Box::new(testing::picture(Some("ann")));
    assert_eq!(board.handle(Event::Read(picture)), [Effect::Look(id)]);
}

#[test]
fn quitting_waits_for_a_write() {
    let mut board = board(Some("ann"));
    assert_eq!(keys(&mut board, "q"), [Effect::Quit]);
    choose(&mut board, "a00001");
    keys(&mut board, "l");
    assert!(matches!(
        keys(&mut board, "y").as_slice(),
        [Effect::Write(_)]
    ));
    assert!(keys(&mut board, "q").is_empty());
    assert!(toast(&board).1.contains("reflectt land a00001"));
    assert_eq!(control(&mut board, 'c'), [Effect::Cancel]);
    let outcome = Outcome {
        is_done: false,
        said: "ended".to_owned(),
    };
    assert_eq!(board.handle(Event::Written(outcome)), [Effect::Quit]);
}

#[test]
fn one_thing_is_written_after_the_other() {
    let mut board = board(Some("ann"));
    choose(&mut board, "a00001");
    keys(&mut board, "ly");
    keys(&mut board, "chi");
    press(&mut board, KeyCode::Enter);
    assert!(keys(&mut board, "y").is_empty());
    assert!(toast(&board).1.contains("reflectt land a00001"));
    assert!(matches!(board.over, Over::Form(_)), "it waits for its turn");
}

#[test]
fn what_is_pasted_is_text_and_no_keys() {
    let mut board = board(Some("ann"));
    assert!(board.handle(Event::Paste("qly".to_owned())).is_empty());
    assert_eq!(board.over, Over::Nothing);
    choose(&mut board, "d00001");
    keys(&mut board, "c");
    board.handle(Event::Paste("one\r\ntwo".to_owned()));
    press(&mut board, KeyCode::Enter);
    let effects = keys(&mut board, "y");
    assert!(matches!(effects.as_slice(), [Effect::Write(write)] if write.texts == ["one\ntwo"]));
}

#[test]
fn the_mouse_chooses_opens_and_turns() {
    let mut board = board(Some("ann"));
    let at = |kind, column, row| {
        Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
    let names = super::super::draw::tab_names(&board);
    let x = u16::try_from(names[0].len() + 1 + names[1].len() + 2).unwrap();
    board.handle(at(CLICK, x, 1));
    assert_eq!(board.focus, Pane::Board);
    // The heading, `b00001`, the next heading, `r00001`.
    board.handle(at(CLICK, 10, 5));
    assert_eq!(chosen(&board).as_deref(), Some("r00001"));
    board.handle(at(CLICK, 10, 4));
    assert_eq!(
        chosen(&board).as_deref(),
        Some("r00001"),
        "a heading is none"
    );
    assert_eq!(
        board.handle(at(CLICK, 10, 5)),
        [Effect::Look("r00001".parse().unwrap())]
    );
    keys(&mut board, "3g");
    board.handle(at(MouseEventKind::ScrollDown, 10, 10));
    assert_eq!(
        chosen(&board).as_deref(),
        Some("a00001"),
        "three lines on is a heading"
    );
    board.handle(at(CLICK, 70, 23));
    board.handle(at(CLICK, 300, 300));
}

#[test]
fn a_wide_screen_shows_the_page_of_what_is_chosen() {
    let mut board = sized(Some("ann"), (200, 60));
    let id = |text: &str| -> TaskId { text.parse().unwrap() };
    assert_eq!(keys(&mut board, "3"), [Effect::Look(id("b00001"))]);
    assert_eq!(keys(&mut board, "j"), [Effect::Look(id("r00001"))]);
    // Made small, the list is what is left, and what was chosen stays so.
    board.handle(Event::Resize(80, 24));
    assert_eq!(
        (board.focus, chosen(&board).as_deref()),
        (Pane::Board, Some("r00001"))
    );
    board.handle(Event::Resize(1, 1));
    board.handle(Event::Resize(0, 0));
    keys(&mut board, "jjkG");
    board.handle(Event::Resize(80, 24));
    assert!(chosen(&board).is_some());
}

#[test]
fn what_is_chosen_is_in_sight() {
    let mut picture = testing::picture(Some("ann"));
    for number in 2..1002 {
        picture
            .cards
            .push(testing::card(&format!("t{number:05}"), Group::Todo));
    }
    let mut board = Board::new("shop".to_owned(), Some("ann".to_owned()), (80, 24), picture);
    keys(&mut board, "3");
    for key in [
        "G",
        "g",
        "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjj",
        "kkkkkkkkkkkkkkkk",
    ] {
        keys(&mut board, key);
        let place = &board.places[Pane::Board.at()];
        assert!(
            (place.top..place.top + 20).contains(&place.at),
            "{key}: {place:?}"
        );
    }
    keys(&mut board, "g");
    assert_eq!(board.places[Pane::Board.at()].top, 0, "the heading is seen");
}

#[test]
fn the_log_keeps_the_newest() {
    let mut board = board(None);
    let line = |number: usize| LogLine {
        id: number.to_string(),
        at: NOW,
        by: "kai".to_owned(),
        task: None,
        what: format!("event {number}"),
    };
    board.handle(Event::Happened((0..600).map(line).collect()));
    // Told again of the past, it is not told twice.
    board.handle(Event::Happened((590..601).map(line).collect()));
    assert_eq!(board.log.len(), LOG_MAX);
    assert_eq!(board.log[0].what, "event 600");
    assert_eq!(board.log[1].what, "event 599");
}
