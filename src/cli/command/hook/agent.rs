//! `reflectt hook agent EVENT` and `reflectt hook agent-edit`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::blocked::{self, Occasion};
use crate::cli::session::Session;
use crate::cli::text::Color;
use crate::git::{OpenOptions, Repo};
use crate::hooks::agent::{
    Answer, Asking, Edit, Input, Printed, Reader, Reply, by_repository, edits, judge, respond,
};
use crate::hooks::{self, Asked, Outcome};
use crate::model::harness::{AgentEvent, Harness};
use crate::model::name::AgentName;
use crate::ops::Context;
use crate::ops::enforce::Verdict;

use super::{input, put_off, report, words};

/// What follows `hook agent`, as far as it is understood.
///
/// Read by hand: files that a newer version has written may ask for events and harnesses that this
/// one does not know, and a wrong argument must not stop an agent from working, as exit code 2
/// would.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AgentArgs {
    event: Option<AgentEvent>,
    harness: Option<Harness>,
    /// What is not understood, a sentence each.
    unclear: Vec<String>,
}

impl AgentArgs {
    pub fn read(arguments: &[OsString]) -> AgentArgs {
        let mut read = AgentArgs::default();
        let mut words = arguments.iter().map(|word| word.to_string_lossy());
        let mut has_event = false;
        while let Some(word) = words.next() {
            let harness = match word.split_once('=') {
                Some(("--harness", name)) => Some(name.to_owned()),
                _ if word == "--harness" => Some(words.next().unwrap_or_default().into_owned()),
                _ => None,
            };
            if let Some(name) = harness {
                read.harness = name.parse().ok();
                if read.harness.is_none() {
                    read.unclear
                        .push(format!("`{name}` is no harness that is known"));
                }
            } else if !word.starts_with('-') && !has_event {
                has_event = true;
                read.event = word.parse().ok();
                if read.event.is_none() {
                    read.unclear
                        .push(format!("`{word}` is no event that is known"));
                }
            } else {
                read.unclear.push(format!("`{word}` is not understood"));
            }
        }
        if !has_event {
            let names = AgentEvent::ALL.map(AgentEvent::as_str).join(", ");
            read.unclear.push(format!("no event is named: {names}"));
        }
        read
    }

    /// Returns what `hook agent-edit` stands for.
    pub fn edit() -> AgentArgs {
        AgentArgs {
            event: Some(AgentEvent::BeforeEdit),
            ..AgentArgs::default()
        }
    }

    /// Answers, and returns the exit code.
    pub fn answer(&self, session: &Session, asked: &Asked) -> u8 {
        for unclear in &self.unclear {
            session.ui.warn(format!("reflectt hook agent: {unclear}"));
        }
        let Some(event) = self.event else {
            return 0;
        };
        let is_edit = event == AgentEvent::BeforeEdit;
        let input = match Input::read(&input()) {
            Ok(input) => input,
            Err(why) if is_edit => {
                return report(session, &Outcome::CannotDecide(why), &Occasion::Edit, true);
            }
            Err(why) => {
                session.ui.warn(format!("reflectt: {why}"));
                return 0;
            }
        };
        let has = |name: &str| session.variable(name).is_some();
        let harness = self.harness.unwrap_or_else(|| input.harness(has));
        let call = Call {
            session,
            input: &input,
            asked,
            event,
            harness,
        };
        if is_edit { call.edit() } else { call.respond() }
    }
}

/// One call of one harness.
struct Call<'a> {
    session: &'a Session,
    input: &'a Input,
    asked: &'a Asked<'a>,
    event: AgentEvent,
    harness: Harness,
}

impl Call<'_> {
    /// Returns the directory the agent works in.
    fn directory(&self) -> PathBuf {
        let here = self.session.directory();
        let given = self.input.cwd.as_ref().map(|cwd| here.join(cwd));
        given.filter(|cwd| cwd.is_dir()).unwrap_or(here)
    }

    /// Tells whether this is Copilot with a file that was written for Claude Code.
    fn is_guest(&self) -> bool {
        self.input.is_of_guest() && self.session.variable("COPILOT_CLI").is_some()
    }

    fn print(&self, answer: Answer) -> u8 {
        let reader = Reader {
            harness: self.harness,
            as_guest: self.is_guest(),
            event: self.input.event.as_deref(),
        };
        let Printed {
            stdout,
            stderr,
            code,
        } = answer.print(self.event, reader);
        if let Some(text) = stdout {
            self.session.ui.data(&format!("{text}\n"));
        }
        if let Some(text) = stderr {
            self.session.ui.words(&text);
        }
        code
    }

    /// Answers at an event that is not about an edit. Whatever goes wrong is a warning.
    fn respond(&self) -> u8 {
        let Ok(repo) = Repo::open(OpenOptions::new(self.directory())) else {
            return 0;
        };
        put_off(&repo, self.asked.limit);
        let me = self.session.identity_or_warn(&repo);
        let ctx = Context::new(repo, me, crate::ops::now, fastrand::Rng::new());
        let number = |name: &str| self.session.variable(name)?.to_str()?.parse().ok();
        let attended = self.session.variable("CLAUDE_CODE_SESSION_ATTENDED");
        let reply = respond(
            &ctx,
            &Asking {
                event: self.event,
                input: self.input,
                harness: self.harness,
                pid: match self.harness {
                    Harness::Claude => number("CLAUDE_PID"),
                    Harness::OpenCode => number("OPENCODE_PID"),
                    _ => None,
                },
                is_unattended: attended.is_some_and(|it| it == "0"),
                is_guest: self.is_guest(),
                limit: self.asked.limit,
            },
        );
        self.asked.limit.lift();
        let ui = &self.session.ui;
        self.print(match reply {
            Ok(Reply::Nothing) => return 0,
            Ok(Reply::Context(parts)) => Answer::Context(words::of(ui, &parts)),
            Ok(Reply::GoOn(parts)) => Answer::GoOn(words::of(ui, &parts)),
            Ok(Reply::Rouse(parts)) => Answer::Rouse(words::of(ui, &parts)),
            Err(error) => {
                if let Outcome::CannotDecide(why) = hooks::unknown(error) {
                    ui.warn(format!("reflectt: {why}"));
                }
                return 0;
            }
        })
    }

    /// Answers an agent that is about to change files.
    fn edit(&self) -> u8 {
        let (session, ui) = (self.session, &self.session.ui);
        let cwd = self.directory();
        let found = edits(self.input, &cwd);
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (root, edits) in by_repository(found.edits) {
            outcomes.push(self.judge(&root, &edits, &cwd));
        }
        outcomes.extend(found.unclear.into_iter().map(Outcome::CannotDecide));
        // Whoever asks for JSON gets one answer, and it is of what weighs most.
        outcomes.sort_by_key(weight);
        let say = |verdict: &Verdict| blocked::words(verdict, &Occasion::Edit, ui.now());
        let mut denied = String::new();
        let mut remarks = String::new();
        for outcome in &outcomes {
            match outcome {
                Outcome::Block(verdict) | Outcome::Unrecorded(verdict, _) => {
                    append(&mut denied, &say(verdict).as_error(Color::Off));
                }
                Outcome::Warn(verdict) => {
                    append(&mut remarks, &say(verdict).as_warning(Color::Off));
                }
                Outcome::CannotDecide(_) if !ui.is_json() || denied.is_empty() => {
                    report(session, outcome, &Occasion::Edit, true);
                }
                _ => {}
            }
        }
        if !denied.is_empty() {
            return self.print(Answer::Deny(denied));
        }
        if !remarks.is_empty() {
            return self.print(Answer::Remark(remarks));
        }
        // What lets the edit go on is no answer to the agent; whoever asks for JSON gets it.
        let quiet = Outcome::NotManaged;
        match outcomes.first().unwrap_or(&quiet) {
            Outcome::CannotDecide(_) => 0,
            outcome if ui.is_json() => report(session, outcome, &Occasion::Edit, false),
            _ => 0,
        }
    }

    /// Judges edits in the repository they are in, wherever the agent works.
    fn judge(&self, root: &Path, edits: &[Edit], cwd: &Path) -> Outcome {
        let repo = match Repo::open(OpenOptions::new(root)) {
            Ok(repo) => repo,
            Err(error) => return hooks::unknown(error.into()),
        };
        put_off(&repo, self.asked.limit);
        let me = self.editor(&repo, cwd);
        let ctx = Context::new(repo, me, crate::ops::now, fastrand::Rng::new());
        judge(&ctx, edits, self.asked)
    }

    /// Finds out who edits: the agent of the worktree it works in, even if the target is in
    /// another's.
    fn editor(&self, target: &Repo, cwd: &Path) -> Option<AgentName> {
        let here = match target.work_dir() {
            Some(top) if top == cwd => None,
            _ => Repo::open(OpenOptions::new(cwd)).ok(),
        };
        let here = here.filter(|here| here.common_dir() == target.common_dir());
        self.session
            .identity_or_warn(here.as_ref().unwrap_or(target))
    }
}

/// Appends what is said of one repository, without the hints that were given for another.
fn append(text: &mut String, more: &str) {
    for line in more.lines() {
        let is_known = line.starts_with("hint: ") && text.lines().any(|known| known == line);
        if !is_known {
            text.push_str(line);
            text.push('\n');
        }
    }
}

/// Returns how much an outcome weighs: the less, the more.
fn weight(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Block(_) | Outcome::Unrecorded(..) => 0,
        Outcome::Warn(_) => 1,
        Outcome::CannotDecide(_) => 2,
        Outcome::Overridden(_) => 3,
        Outcome::Allow(_) => 4,
        Outcome::NotManaged => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> AgentArgs {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        AgentArgs::read(&words)
    }

    #[test]
    fn event_and_harness_are_read_in_any_order() {
        let expected = AgentArgs {
            event: Some(AgentEvent::Stop),
            harness: Some(Harness::Codex),
            unclear: Vec::new(),
        };
        for line in [
            "stop --harness codex",
            "--harness codex stop",
            "stop --harness=codex",
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
        assert_eq!(read("wake").harness, None);
    }

    #[test]
    fn what_is_not_known_is_said_and_the_rest_counts() {
        let newer = read("stop --harness vim --later");
        assert_eq!((newer.event, newer.harness), (Some(AgentEvent::Stop), None));
        assert_eq!(newer.unclear.len(), 2);
        assert_eq!(read("later").event, None);
        assert_eq!(read("").unclear.len(), 1);
        assert_eq!(
            read("stop --harness").unclear,
            ["`` is no harness that is known"]
        );
    }
}
