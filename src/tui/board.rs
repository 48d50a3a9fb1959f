//! The state of the screen, and what each event makes of it. Pure: what is to be done outside is
//! returned, and the time comes in.

use std::collections::VecDeque;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::model::id::TaskId;
use crate::model::time::Timestamp;

use super::act::Write;
use super::form::Form;
use super::layout::{Areas, Pane};
use super::picture::{Card, Detail, Letter, LogLine, Picture};
use super::rows::Place;

/// How many events of the past are kept.
const LOG_MAX: usize = 500;

/// What happens to the screen.
#[derive(Debug)]
pub enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(u16, u16),
    /// The time goes on.
    Tick(Timestamp),
    Read(Box<Picture>),
    /// The team could not be read; what was read before stays.
    NotRead(String),
    /// Newest last.
    Happened(Vec<LogLine>),
    Looked(Box<Detail>),
    NotLooked(TaskId, String),
    /// The arguments of `git diff` for a task.
    Range(TaskId, Result<String, String>),
    /// What a slow write is at.
    Progress(String),
    Written(Outcome),
    /// What showing a difference came to, where there is something to say.
    Paged(String),
    /// The system has something to say, by this number.
    Signal(i32),
    /// No more keys will come.
    NoTerminal,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read all there is to say of a task.
    Look(TaskId),
    /// Find out what a task's difference is.
    Range(TaskId),
    /// Give the terminal to the pager.
    Page(String),
    Write(Write),
    /// Have the write that is under way end early.
    Cancel,
    Suspend,
    /// Draw everything anew.
    Redraw,
    Quit,
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub is_done: bool,
    pub said: String,
}

/// What lies over the panes.
#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    Nothing,
    Help,
    /// The filter of the pane is being written.
    Filter,
    Form(Form),
    /// A message, read whole: the first line that is shown.
    Letter(Letter, usize),
}

/// A line about what was done last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub is_bad: bool,
    pub said: String,
}

/// Everything that decides what the screen shows.
#[derive(Debug)]
pub struct Board {
    /// What the team is called here.
    pub team: String,
    me: Option<String>,
    pub size: (u16, u16),
    pub now: Timestamp,
    pub picture: Picture,
    /// Newest first.
    pub log: VecDeque<LogLine>,
    /// Why the last reading failed.
    pub stale: Option<String>,
    pub focus: Pane,
    /// Where Esc leads from the page of a task.
    pub back: Option<Pane>,
    pub places: [Place; 6],
    /// The task whose page is wanted.
    pub opened: Option<TaskId>,
    /// The page, when it is there.
    pub detail: Option<Detail>,
    /// Why it is not.
    pub no_detail: Option<String>,
    /// The first line of the page that is shown.
    pub scroll: usize,
    pub over: Over,
    /// What was written and not sent.
    pub(super) draft: Option<Form>,
    pub toast: Option<Toast>,
    /// The write that is under way, and what it is at.
    pub writing: Option<(Write, Option<String>)>,
    /// How often it was said that this is to end.
    pub(super) leaving: u8,
}

impl Board {
    /// Returns the screen of a team as it was read first; `me` is who acts.
    pub fn new(team: String, me: Option<String>, size: (u16, u16), picture: Picture) -> Board {
        let mut board = Board {
            team,
            me,
            size,
            now: picture.read,
            picture,
            log: VecDeque::new(),
            stale: None,
            focus: Pane::Board,
            back: None,
            places: Default::default(),
            opened: None,
            detail: None,
            no_detail: None,
            scroll: 0,
            over: Over::Nothing,
            draft: None,
            toast: None,
            writing: None,
            leaving: 0,
        };
        if !board.picture.needs(board.me()).is_empty() {
            board.focus = Pane::Needs;
        }
        board.settle();
        board
    }

    /// Returns who acts.
    pub fn me(&self) -> Option<&str> {
        self.me.as_deref()
    }

    pub fn areas(&self) -> Areas {
        Areas::of(self.size, self.focus, self.picture.needs(self.me()).len())
    }

    /// Takes what happened, and returns what is to be done.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = match event {
            Event::Key(key) => self.key(key),
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Paste(text) => {
                self.paste(&text);
                Vec::new()
            }
            Event::Resize(width, height) => {
                self.size = (width, height);
                Vec::new()
            }
            Event::Tick(now) => {
                self.now = now;
                return Vec::new();
            }
            Event::Read(picture) => self.see(*picture),
            Event::NotRead(why) => {
                self.stale = Some(why);
                Vec::new()
            }
            Event::Happened(lines) => {
                for line in lines {
                    // One who follows anew is told of the past again.
                    if self.log.iter().all(|known| known.id != line.id) {
                        self.log.push_front(line);
                    }
                }
                self.log.truncate(LOG_MAX);
                Vec::new()
            }
            Event::Looked(detail) => {
                if self.opened == Some(detail.id) {
                    (self.detail, self.no_detail) = (Some(*detail), None);
                }
                Vec::new()
            }
            Event::NotLooked(id, why) => {
                if self.opened == Some(id) {
                    self.no_detail = Some(why);
                }
                Vec::new()
            }
            Event::Range(id, Ok(range)) => {
                self.say(format!("git diff {range}  ({id})"));
                vec![Effect::Page(range)]
            }
            Event::Range(_, Err(why)) => {
                self.refuse(why);
                Vec::new()
            }
            Event::Progress(words) => {
                if let Some((_, at)) = &mut self.writing {
                    *at = Some(words);
                }
                Vec::new()
            }
            Event::Written(outcome) => self.written(outcome),
            Event::Paged(said) => {
                self.refuse(said);
                Vec::new()
            }
            Event::Signal(_) | Event::NoTerminal => vec![Effect::Quit],
        };
        self.settle();
        effects.extend(self.follow());
        effects
    }

    /// On a wide screen the page is of what is chosen.
    fn follow(&mut self) -> Vec<Effect> {
        let is_list = matches!(self.focus, Pane::Needs | Pane::Agents | Pane::Board);
        if !super::layout::is_wide(self.size) || !is_list {
            return Vec::new();
        }
        let task = self.chosen(self.focus).and_then(|row| row.task());
        match task {
            Some(id) if self.opened != Some(id) => self.open(id),
            _ => Vec::new(),
        }
    }

    /// Turns to the page of a task.
    pub(super) fn open(&mut self, id: TaskId) -> Vec<Effect> {
        if self.opened != Some(id) {
            (self.detail, self.no_detail, self.scroll) = (None, None, 0);
        }
        self.opened = Some(id);
        vec![Effect::Look(id)]
    }

    fn see(&mut self, picture: Picture) -> Vec<Effect> {
        self.now = self.now.max(picture.read);
        self.picture = picture;
        self.stale = None;
        // Its history, its checks or its claim may be others.
        self.opened.map(Effect::Look).into_iter().collect()
    }

    fn written(&mut self, outcome: Outcome) -> Vec<Effect> {
        let write = self.writing.take().map(|(write, _)| write);
        if !outcome.is_done
            && let Some(write) = write
            && !write.texts.is_empty()
        {
            // What was written is not lost with it.
            let texts: Vec<&str> = write.texts.iter().map(String::as_str).collect();
            self.draft = Some(Form::new(write.act.clone(), &texts));
        }
        self.toast = Some(Toast {
            is_bad: !outcome.is_done,
            said: outcome.said,
        });
        match self.leaving {
            0 => Vec::new(),
            _ => vec![Effect::Quit],
        }
    }

    /// Says what was done.
    pub(super) fn say(&mut self, said: impl Into<String>) {
        let said = said.into();
        self.toast = Some(Toast {
            is_bad: false,
            said,
        });
    }

    /// Says why something is not done.
    pub(super) fn refuse(&mut self, said: impl Into<String>) {
        let said = said.into();
        self.toast = Some(Toast { is_bad: true, said });
    }

    /// Returns the task that a key is about: of the line that is chosen, or of the page.
    pub fn subject(&self) -> Option<TaskId> {
        match self.focus {
            Pane::Task => self.opened,
            pane => self.chosen(pane).and_then(|row| row.task()),
        }
    }

    pub fn subject_card(&self) -> Option<&Card> {
        self.picture.card(self.subject()?)
    }
}

#[cfg(test)]
mod tests;
