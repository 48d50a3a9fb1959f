//! The lines of each pane: which there are, which fit a filter, and which is chosen.

use crate::model::id::TaskId;

use super::board::Board;
use super::layout::Pane;
use super::picture::{Card, Group, Letter, LogLine, Member, Need};

/// One line of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Row<'p> {
    /// The heading of a group, and how many it has.
    Group(Group, usize),
    Card(&'p Card),
    Member(&'p Member),
    Need(Need<'p>),
    Letter(&'p Letter),
    Log(&'p LogLine),
}

/// Where somebody is in a list. What is chosen stays chosen while others come and go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, counted with headings.
    pub at: usize,
    pub key: Option<String>,
    /// The first line that is shown.
    pub top: usize,
    /// Only lines with these words are shown.
    pub filter: String,
}

impl<'p> Row<'p> {
    /// Returns what the line is known by; headings cannot be chosen.
    pub fn key(&self) -> Option<String> {
        Some(match self {
            Row::Group(..) => return None,
            Row::Card(card) | Row::Need(Need::Review(card) | Need::Person(card)) => {
                card.id.to_string()
            }
            Row::Member(member) => member.name.clone(),
            Row::Letter(letter) | Row::Need(Need::Mail(letter)) => letter.id.clone(),
            Row::Log(line) => line.id.clone(),
        })
    }

    /// Returns the task it is about.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Row::Group(..) => None,
            Row::Card(card) | Row::Need(Need::Review(card) | Need::Person(card)) => Some(card.id),
            Row::Member(member) => member.holds.iter().find_map(|it| it.task),
            Row::Letter(letter) | Row::Need(Need::Mail(letter)) => letter.task,
            Row::Log(line) => line.task,
        }
    }

    /// Returns the message it is.
    pub fn letter(&self) -> Option<&'p Letter> {
        match self {
            Row::Letter(letter) | Row::Need(Need::Mail(letter)) => Some(letter),
            _ => None,
        }
    }

    /// Returns whom a message about it would go to.
    pub fn whom(&self) -> Option<&'p str> {
        match self {
            Row::Group(..) => None,
            Row::Card(card) | Row::Need(Need::Review(card) | Need::Person(card)) => {
                card.who.as_deref()
            }
            Row::Member(member) => Some(&member.name),
            Row::Letter(letter) | Row::Need(Need::Mail(letter)) => {
                Some(if letter.to.starts_with('#') {
                    &letter.to
                } else {
                    &letter.from
                })
            }
            Row::Log(line) => Some(&line.by),
        }
    }

    fn fits(&self, words: &[String]) -> bool {
        let text = match self {
            Row::Group(..) => return true,
            Row::Card(card) | Row::Need(Need::Review(card) | Need::Person(card)) => format!(
                "{} {} {} {} {}",
                card.id,
                card.title,
                card.who.as_deref().unwrap_or_default(),
                card.priority,
                card.group.title()
            ),
            Row::Member(member) => {
                let holds: Vec<&str> = member.holds.iter().map(|it| it.what.as_str()).collect();
                let note = member.note.as_deref().unwrap_or_default();
                format!(
                    "{} {} {note} {}",
                    member.name,
                    member.life.as_str(),
                    holds.join(" ")
                )
            }
            Row::Letter(letter) | Row::Need(Need::Mail(letter)) => {
                format!("{} {} {}", letter.from, letter.to, letter.body)
            }
            Row::Log(line) => {
                let id = line.task.map(|id| id.to_string()).unwrap_or_default();
                format!("{} {id} {}", line.by, line.what)
            }
        };
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    }
}

impl Board {
    /// Returns the lines of a list that fit its filter; the page of a task has none.
    pub fn rows(&self, pane: Pane) -> Vec<Row<'_>> {
        let picture = &self.picture;
        let filter = self.places[pane.at()].filter.to_lowercase();
        let words: Vec<String> = filter.split_whitespace().map(str::to_owned).collect();
        let fits = |row: &Row| words.is_empty() || row.fits(&words);
        match pane {
            Pane::Needs => {
                let needs = picture.needs(self.me()).into_iter().map(Row::Need);
                needs.filter(fits).collect()
            }
            Pane::Agents => picture
                .agents
                .iter()
                .map(Row::Member)
                .filter(fits)
                .collect(),
            Pane::Board => {
                let mut rows = Vec::with_capacity(picture.cards.len() + Group::ALL.len());
                let fitting: Vec<Row> = picture.cards.iter().map(Row::Card).filter(fits).collect();
                for group in Group::ALL {
                    let of_group =
                        |row: &&Row| matches!(row, Row::Card(card) if card.group == group);
                    let before = rows.len();
                    rows.push(Row::Group(group, 0));
                    rows.extend(fitting.iter().filter(of_group));
                    match rows.len() - before - 1 {
                        0 => drop(rows.pop()),
                        count => rows[before] = Row::Group(group, count),
                    }
                }
                rows
            }
            Pane::Task => Vec::new(),
            Pane::Messages => picture
                .letters
                .iter()
                .map(Row::Letter)
                .filter(fits)
                .collect(),
            Pane::Log => self.log.iter().map(Row::Log).filter(fits).collect(),
        }
    }

    /// Returns the line that is chosen in a list.
    pub fn chosen(&self, pane: Pane) -> Option<Row<'_>> {
        let row = self.rows(pane).get(self.places[pane.at()].at).copied();
        row.filter(|row| row.key().is_some())
    }

    /// Chooses the line nearest to `at`: what can be chosen, looking first in the way of the move.
    pub fn choose(&mut self, pane: Pane, at: usize, downwards: bool) {
        let rows = self.rows(pane);
        let can = |at: &usize| rows.get(*at).is_some_and(|row| row.key().is_some());
        let at = at.min(rows.len().saturating_sub(1));
        let below = || (at..rows.len()).find(can);
        let above = || (0..at).rev().find(can);
        let found = match downwards {
            true => below().or_else(above),
            false => (0..=at).rev().find(can).or_else(below),
        };
        let key = found.and_then(|at| rows[at].key());
        drop(rows);
        let place = &mut self.places[pane.at()];
        place.at = found.unwrap_or(0);
        place.key = key;
    }

    /// Brings every list back to what was chosen in it, after it has changed or was resized.
    pub fn settle(&mut self) {
        let areas = self.areas();
        for pane in Pane::ALL {
            if pane == Pane::Task {
                continue;
            }
            let rows = self.rows(pane);
            let place = &self.places[pane.at()];
            let is_it = |row: &Row| row.key() == place.key;
            let found = match &place.key {
                Some(_) => rows.iter().position(is_it),
                None => None,
            };
            let count = rows.len();
            drop(rows);
            let old = place.at;
            match found {
                Some(at) => self.places[pane.at()].at = at,
                // Gone, or never chosen: what is in its place now.
                None => self.choose(pane, old, true),
            }
            let height = areas
                .inside(pane)
                .map_or(1, |area| usize::from(area.height))
                .max(1);
            let place = &mut self.places[pane.at()];
            // The first heading is seen when the first line is.
            let at = if place.at == 1 { 0 } else { place.at };
            place.top = place.top.min(at).max((place.at + 1).saturating_sub(height));
            place.top = place.top.min(count.saturating_sub(height));
        }
    }
}
