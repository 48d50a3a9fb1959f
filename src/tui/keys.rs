//! Keys and the mouse. One key means one thing everywhere; what cannot be done says why.

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use crate::model::id::TaskId;

use super::act::Act;
use super::board::{Board, Effect, Over};
use super::form::{Came, Field, Form, Stage};
use super::layout::{Pane, is_wide};
use super::picture::{Card, Group};

/// A key, and what it does, as `?` and the bottom line tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    pub keys: &'static str,
    pub what: &'static str,
}

const fn hint(keys: &'static str, what: &'static str) -> Hint {
    Hint { keys, what }
}

/// What is so in every pane, in the order of `?`.
const EVERYWHERE: [Hint; 19] = [
    hint("j k ↓ ↑", "down, up"),
    hint("g G Home End", "first, last"),
    hint("PgDn PgUp ^D ^U", "a page down, up"),
    hint("Tab S-Tab → ←", "next pane, pane before (h too)"),
    hint("1 … 6", "needs you, agents, board, task, messages, log"),
    hint("Enter", "open the task or the message"),
    hint("Esc", "leave: a window, a filter, a page"),
    hint("/", "filter the list by words"),
    hint("a", "approve what was submitted"),
    hint("r", "request changes"),
    hint("c", "comment on the task"),
    hint("m", "send a message"),
    hint("n", "new task"),
    hint("l", "land what is approved"),
    hint("d", "show the difference in your pager"),
    hint("x", "mark the message as read"),
    hint("^L", "draw everything anew"),
    hint("^Z", "suspend; fg brings it back"),
    hint("q ^C", "quit"),
];

impl Board {
    /// Returns every key that does something here.
    pub fn help(&self) -> Vec<Hint> {
        let can = |hint: &Hint| match hint.keys {
            "a" | "r" | "c" | "l" | "d" => self.focus == Pane::Task || self.focus != Pane::Messages,
            "x" => matches!(self.focus, Pane::Needs | Pane::Messages),
            "/" => self.focus != Pane::Task,
            _ => true,
        };
        EVERYWHERE.into_iter().filter(can).collect()
    }

    /// Returns what the bottom line says: the few keys that matter now.
    pub fn hints(&self) -> Vec<Hint> {
        const MOVE: Hint = hint("j/k", "move");
        const CLOSE: Hint = hint("Esc", "close");
        match &self.over {
            Over::Help => vec![CLOSE],
            Over::Letter(..) => vec![MOVE, hint("m", "answer"), hint("x", "mark as read"), CLOSE],
            Over::Filter => vec![hint("Enter", "keep the filter"), hint("Esc", "clear it")],
            Over::Form(form) => match form.stage {
                Stage::Sure => vec![hint("y", "do it"), hint("n", "back"), hint("Esc", "leave")],
                Stage::Field(_) => vec![
                    hint("Enter", "next"),
                    hint("Alt-Enter", "new line"),
                    hint("↑", "back"),
                    hint("Esc", "leave (kept)"),
                ],
            },
            Over::Nothing => {
                let mut hints = vec![MOVE];
                match self.focus {
                    Pane::Task => hints.push(hint("Esc", "back")),
                    Pane::Log | Pane::Needs | Pane::Agents | Pane::Board | Pane::Messages => {
                        hints.extend([hint("Enter", "open"), hint("/", "filter")]);
                    }
                }
                hints.extend(self.possible());
                hints.extend([hint("Tab", "pane"), hint("?", "keys"), hint("q", "quit")]);
                hints
            }
        }
    }

    /// Returns the keys that do something to what is chosen.
    fn possible(&self) -> Vec<Hint> {
        if self.picture.read_only.is_some() {
            return Vec::new();
        }
        let mut hints = Vec::new();
        if let Some(card) = self.subject_card() {
            match card.group {
                Group::InReview => hints.extend([hint("a", "approve"), hint("r", "changes")]),
                Group::Approved => hints.push(hint("l", "land")),
                _ => {}
            }
            if card.submission.is_some() {
                hints.push(hint("d", "diff"));
            }
            hints.push(hint("c", "comment"));
        }
        hints.push(hint("m", "message"));
        hints
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => return self.quit(),
                KeyCode::Char('z') => return vec![Effect::Suspend],
                KeyCode::Char('l') => return vec![Effect::Redraw],
                _ => {}
            }
        }
        match std::mem::replace(&mut self.over, Over::Nothing) {
            Over::Nothing => self.plain_key(key),
            Over::Help => match key.code {
                KeyCode::Char('q') => self.quit(),
                KeyCode::Esc | KeyCode::Enter | KeyCode::Char('?') => Vec::new(),
                _ => {
                    self.over = Over::Help;
                    Vec::new()
                }
            },
            Over::Filter => self.filter_key(key),
            Over::Form(form) => self.form_key(form, key),
            Over::Letter(letter, top) => match key.code {
                KeyCode::Esc | KeyCode::Enter => Vec::new(),
                KeyCode::Char('q') => self.quit(),
                KeyCode::Char('m' | 'x') => self.act(key.code),
                code => {
                    let top = match code {
                        KeyCode::Char('j') | KeyCode::Down => top + 1,
                        KeyCode::Char('k') | KeyCode::Up => top.saturating_sub(1),
                        KeyCode::PageDown => top + 10,
                        KeyCode::PageUp => top.saturating_sub(10),
                        _ => top,
                    };
                    self.over = Over::Letter(letter, top);
                    Vec::new()
                }
            },
        }
    }

    fn plain_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        // What was said about the last thing is about the last thing.
        self.toast = None;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = self
            .areas()
            .inside(self.focus)
            .map_or(1, |area| usize::from(area.height));
        let page = page.saturating_sub(1).max(1).cast_signed();
        match key.code {
            KeyCode::Char('d') if control => self.go(page / 2),
            KeyCode::Char('u') if control => self.go(-(page / 2)),
            KeyCode::Char('f') if control => self.go(page),
            KeyCode::Char('b') if control => self.go(-page),
            KeyCode::Char(_) if control => {}
            KeyCode::Char('j') | KeyCode::Down => self.go(1),
            KeyCode::Char('k') | KeyCode::Up => self.go(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.go(page),
            KeyCode::PageUp => self.go(-page),
            KeyCode::Char('g') | KeyCode::Home => self.go(isize::MIN / 2),
            KeyCode::Char('G') | KeyCode::End => self.go(isize::MAX / 2),
            KeyCode::Tab | KeyCode::Right => self.turn_to(self.focus.step(1)),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => {
                self.turn_to(self.focus.step(-1));
            }
            KeyCode::Char(digit @ '1'..='6') => {
                let at = digit as usize - '1' as usize;
                self.turn_to(Pane::ALL[at]);
            }
            KeyCode::Enter => return self.enter(),
            KeyCode::Esc => self.escape(),
            KeyCode::Char('?') => self.over = Over::Help,
            KeyCode::Char('/') => match self.focus {
                Pane::Task => self.refuse("a page is not filtered; lists are"),
                _ => self.over = Over::Filter,
            },
            KeyCode::Char('q') => return self.quit(),
            code => return self.act(code),
        }
        Vec::new()
    }

    fn turn_to(&mut self, pane: Pane) {
        (self.focus, self.back) = (pane, None);
    }

    /// Moves in the list or on the page.
    fn go(&mut self, by: isize) {
        if self.focus == Pane::Task {
            let to = self.scroll.saturating_add_signed(by);
            self.scroll = to.min(super::draw::page_end(self));
            return;
        }
        let at = self.places[self.focus.at()].at;
        self.choose(self.focus, at.saturating_add_signed(by), by > 0);
    }

    fn enter(&mut self) -> Vec<Effect> {
        let Some(row) = self.chosen(self.focus) else {
            return Vec::new();
        };
        if let Some(letter) = row.letter() {
            self.over = Over::Letter(letter.clone(), 0);
            return Vec::new();
        }
        match row.task() {
            Some(id) => {
                (self.back, self.focus) = (Some(self.focus), Pane::Task);
                self.open(id)
            }
            None => {
                self.refuse("there is no task behind this line");
                Vec::new()
            }
        }
    }

    fn escape(&mut self) {
        let place = &mut self.places[self.focus.at()];
        if !place.filter.is_empty() {
            place.filter.clear();
        } else if let Some(back) = self.back.take() {
            self.focus = back;
        } else if self.focus == Pane::Task {
            self.focus = Pane::Board;
        }
    }

    fn quit(&mut self) -> Vec<Effect> {
        let Some((write, _)) = &self.writing else {
            return vec![Effect::Quit];
        };
        let command = write.command();
        self.leaving += 1;
        match self.leaving {
            1 => {
                self.say(format!(
                    "quits when this is done: {command} (again to end it)"
                ));
                Vec::new()
            }
            2 => {
                self.say(format!("ending: {command} (again to leave it alone)"));
                vec![Effect::Cancel]
            }
            _ => vec![Effect::Cancel, Effect::Quit],
        }
    }

    fn filter_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let place = &mut self.places[self.focus.at()];
        match key.code {
            KeyCode::Esc => place.filter.clear(),
            KeyCode::Enter => {}
            KeyCode::Up | KeyCode::Down => {
                self.over = Over::Filter;
                self.go(if key.code == KeyCode::Down { 1 } else { -1 });
            }
            _ => {
                let mut field = Field::of(&place.filter);
                field.key(key);
                place.filter = field.text;
                // The best match is the first.
                (place.at, place.key) = (0, None);
                self.over = Over::Filter;
            }
        }
        Vec::new()
    }

    fn form_key(&mut self, mut form: Form, key: KeyEvent) -> Vec<Effect> {
        match form.key(key) {
            Came::Open => self.over = Over::Form(form),
            Came::Left => {
                let is_written = form.fields.iter().any(|field| !field.text.is_empty());
                self.draft = is_written.then_some(form);
            }
            Came::Sure(write) => {
                if let Some((other, _)) = &self.writing {
                    let command = other.command();
                    self.refuse(format!("one thing after the other: {command} is under way"));
                    self.over = Over::Form(form);
                    return Vec::new();
                }
                self.toast = None;
                self.writing = Some((write.clone(), None));
                return vec![Effect::Write(write)];
            }
        }
        Vec::new()
    }

    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.over {
            Over::Form(form) => form.paste(text),
            Over::Filter => {
                let place = &mut self.places[self.focus.at()];
                place
                    .filter
                    .push_str(text.lines().next().unwrap_or_default());
            }
            // Pasted keys would be commands that nobody meant.
            Over::Nothing | Over::Help | Over::Letter(..) => {}
        }
    }

    /// Does what a letter stands for, or says why not.
    fn act(&mut self, code: KeyCode) -> Vec<Effect> {
        let form = match code {
            KeyCode::Char('a') => self.approve(),
            KeyCode::Char('r') => self
                .in_review("asked to be changed")
                .map(|id| Form::new(Act::RequestChanges { id }, &[])),
            KeyCode::Char('c') => self.task().map(|id| Form::new(Act::Comment { id }, &[])),
            KeyCode::Char('m') => Ok(self.message()),
            KeyCode::Char('n') => Ok(Form::new(Act::New, &[])),
            KeyCode::Char('l') => self.land(),
            KeyCode::Char('x') => self.read(),
            KeyCode::Char('d') => {
                return match self.difference() {
                    Ok(id) => vec![Effect::Range(id)],
                    Err(why) => {
                        self.refuse(why);
                        Vec::new()
                    }
                };
            }
            KeyCode::Char(c) => Err(format!(
                "`{}` does nothing; ? shows the keys",
                c.escape_debug()
            )),
            _ => return Vec::new(),
        };
        let why_not = self.picture.read_only.clone();
        match (why_not, form) {
            (Some(why), _) | (None, Err(why)) => self.refuse(why),
            (None, Ok(form)) => {
                // What was left, or was refused, is there again.
                let draft = self.draft.take_if(|draft| draft.act == form.act);
                let mut form = draft.unwrap_or(form);
                form.problem = None;
                if let Stage::Sure = form.stage
                    && !form.fields.is_empty()
                {
                    form.stage = Stage::Field(form.fields.len() - 1);
                }
                self.over = Over::Form(form);
            }
        }
        Vec::new()
    }

    fn task(&self) -> Result<TaskId, String> {
        let none = || "choose a task first".to_owned();
        self.subject().ok_or_else(none)
    }

    fn card(&self) -> Result<&Card, String> {
        let id = self.task()?;
        let gone = || format!("`{id}` is closed, or not known here");
        self.picture.card(id).ok_or_else(gone)
    }

    fn in_review(&self, what: &str) -> Result<TaskId, String> {
        let card = self.card()?;
        match card.group {
            Group::InReview => Ok(card.id),
            group => Err(format!(
                "`{}` is {}; only what is in review is {what}",
                card.id,
                group.title()
            )),
        }
    }

    fn approve(&self) -> Result<Form, String> {
        let id = self.in_review("approved")?;
        let card = self.card()?;
        if card.who.is_some() && card.who.as_deref() == self.me() {
            return Err(format!(
                "`{id}` is your own work, which somebody else reviews"
            ));
        }
        let Some(submitted) = card.submission.clone() else {
            return Err(format!("nothing was submitted of `{id}`"));
        };
        let act = Act::Approve {
            id,
            submission: submitted.event,
            commit: submitted.commit,
        };
        Ok(Form::new(act, &[]))
    }

    fn land(&self) -> Result<Form, String> {
        let card = self.card()?;
        match card.group {
            Group::Approved => Ok(Form::new(Act::Land { id: card.id }, &[])),
            group => Err(format!(
                "`{}` is {}; only what is approved lands",
                card.id,
                group.title()
            )),
        }
    }

    fn message(&self) -> Form {
        let row = self.chosen(self.focus);
        let card = self.subject_card();
        let whom = match self.focus {
            Pane::Task => card.and_then(|card| card.who.as_deref()),
            _ => row.and_then(|row| row.whom()),
        };
        let whom = whom.filter(|whom| Some(*whom) != self.me());
        let is_letter = row.is_some_and(|row| row.letter().is_some());
        let task = match self.focus {
            Pane::Agents | Pane::Log => None,
            _ if is_letter => row.and_then(|row| row.task()),
            _ => self.subject(),
        };
        Form::new(Act::Message { task }, whom.as_slice())
    }

    fn read(&self) -> Result<Form, String> {
        let row = self.chosen(self.focus);
        let letter = row.and_then(|row| row.letter());
        match letter {
            Some(letter) if letter.is_unread => {
                let message = letter.id.clone();
                Ok(Form::new(Act::Read { message }, &[]))
            }
            Some(_) => Err("it is not in your inbox, or was read".to_owned()),
            None => Err("choose a message first".to_owned()),
        }
    }

    fn difference(&self) -> Result<TaskId, String> {
        let id = self.task()?;
        match self.picture.card(id) {
            Some(card) if card.submission.is_none() => Err(format!(
                "nothing was submitted of `{id}` yet; there is no difference to show"
            )),
            _ => Ok(id),
        }
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> Vec<Effect> {
        let areas = self.areas();
        if self.over != Over::Nothing {
            return Vec::new();
        }
        let by = match mouse.kind {
            MouseEventKind::ScrollDown => 3,
            MouseEventKind::ScrollUp => -3,
            MouseEventKind::Down(MouseButton::Left) => 0,
            _ => return Vec::new(),
        };
        let names = super::draw::tab_names(self);
        if by == 0
            && let Some(pane) = areas.tab_at(mouse.column, mouse.row, &names)
        {
            self.turn_to(pane);
            return Vec::new();
        }
        let Some(pane) = areas.pane_at(mouse.column, mouse.row) else {
            return Vec::new();
        };
        if pane != self.focus {
            self.turn_to(pane);
        }
        if by != 0 {
            self.go(by);
            return Vec::new();
        }
        let Some(inside) = areas.inside(pane).filter(|_| pane != Pane::Task) else {
            return Vec::new();
        };
        let Some(below) = mouse.row.checked_sub(inside.y) else {
            return Vec::new();
        };
        let place = &self.places[pane.at()];
        let at = place.top + usize::from(below);
        let again = at == place.at;
        let rows = self.rows(pane);
        if at >= rows.len() || rows[at].key().is_none() {
            return Vec::new();
        }
        drop(rows);
        self.choose(pane, at, true);
        // A click on what is chosen opens it, where that shows more.
        match again && !is_wide(self.size) {
            true => self.enter(),
            false => Vec::new(),
        }
    }
}
