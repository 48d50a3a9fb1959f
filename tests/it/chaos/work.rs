//! What agents do, and what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::NAMES;
use crate::support::process::{Victims, kill};
use crate::support::{Output, Repo};

/// What was acknowledged, and so must be there at the end.
#[derive(Default)]
pub struct Notes {
    pub tasks: BTreeSet<String>,
    /// The body of each message, and the agent it went to; none for a channel.
    pub messages: BTreeMap<String, (String, Option<&'static str>)>,
    /// Who has read what.
    pub read: BTreeSet<(&'static str, String)>,
    /// A task, and a text that one event of it has.
    pub events: Vec<(String, String)>,
    /// The same of what was asked for offline, and may have been refused later.
    pub wishes: Vec<(String, String)>,
    /// What worked, by id.
    pub reflections: BTreeMap<String, String>,
    pub claims: Vec<Told>,
    /// Commands that may have ended somebody's claim of this task, and when they began.
    pub ends: Vec<(String, Instant)>,
    pub kills: BTreeMap<&'static str, usize>,
    /// How often each exit code was seen.
    pub codes: BTreeMap<i32, usize>,
}

/// An agent was told that a claim is confirmed.
#[derive(Debug)]
pub struct Told {
    pub id: String,
    pub agent: &'static str,
    pub fence: u64,
    /// When the command began, and when it had answered.
    pub asked: Instant,
    pub told: Instant,
}

impl Notes {
    pub fn summary(&self) -> String {
        format!(
            "{} tasks, {} messages, {} of them read, {} events, {} wishes, {} reflections, {} confirmed claims; killed {:?}; exit codes {:?}",
            self.tasks.len(),
            self.messages.len(),
            self.read.len(),
            self.events.len(),
            self.wishes.len(),
            self.reflections.len(),
            self.claims.len(),
            self.kills,
            self.codes,
        )
    }
}

/// One agent at work in its clone.
pub struct Worker<'w> {
    clone: &'w Repo,
    place: &'static str,
    me: &'static str,
    rng: fastrand::Rng,
    notes: &'w Mutex<Notes>,
    /// Whether it leaves the remote aside for now.
    offline: bool,
}

impl<'w> Worker<'w> {
    pub fn new(
        clone: &'w Repo,
        place: &'static str,
        me: &'static str,
        rng: fastrand::Rng,
        notes: &'w Mutex<Notes>,
    ) -> Worker<'w> {
        Worker {
            clone,
            place,
            me,
            rng,
            notes,
            offline: false,
        }
    }

    /// Does one thing, whatever it is.
    pub fn act(&mut self, step: u64) {
        let text = format!("{} {step}", self.place);
        match self.rng.u8(..42) {
            0..3 => self.send(&text),
            3..6 => self.new_task(&text),
            6..8 => self.comment(&text),
            8..12 => self.next(),
            12..14 => self.claim(),
            14 => self.take_over(&text),
            15 => self.release(&text),
            16 => self.block(&text),
            17..20 => self.submit(&text),
            20..24 => self.review(&text),
            24 => self.hand_off(&text),
            25 => self.hand_off_to_the_busy(&text),
            26..28 => self.cancel(&text),
            28 => self.reopen(&text),
            29 => self.reflect(&text),
            30..32 => self.ack(),
            32 => self.set_offline_claims(),
            33..36 => self.work_offline(&text),
            36..38 => drop(self.run(&["sync"])),
            38 => self.killed_sync(),
            39..41 => self.start_daemon(),
            _ => self.kill_daemon(),
        }
    }

    /// Does several things one after the other that nobody decides before the next sync.
    fn work_offline(&mut self, text: &str) {
        self.offline = true;
        for n in 0..self.rng.u8(2..6) {
            let text = format!("{text}/{n}");
            match self.rng.u8(..11) {
                0..3 => self.next(),
                3 => self.claim(),
                4 => self.release(&text),
                5..7 => self.block(&text),
                7 => self.submit(&text),
                8 => self.hand_off(&text),
                9 => self.cancel(&text),
                _ => self.claim_paths(&text),
            }
        }
        self.offline = false;
    }

    fn note(&self, write: impl FnOnce(&mut Notes)) {
        write(&mut self.notes.lock().unwrap());
    }

    /// Runs a command and expects an answer, whatever it is, and no breakdown.
    ///
    /// `None` if it was killed halfway, with or without the git it waits for: then nothing is
    /// known, and nothing was acknowledged.
    fn run(&mut self, args: &[&str]) -> Option<Output> {
        let flags: &[&str] = match self.offline {
            true => &["--json", "--offline"],
            false => &["--json"],
        };
        let running = self.clone.command(flags.iter().chain(args)).spawn();
        let output = if self.rng.u8(..10) == 0 {
            std::thread::sleep(Duration::from_millis(self.rng.u64(..120)));
            running.kill_with(self.victims())
        } else {
            running.finish()
        };
        let Some(code) = output.status else {
            self.note(|notes| *notes.kills.entry("commands").or_default() += 1);
            return None;
        };
        assert!(matches!(code, 0 | 3..=7), "{output}");
        self.note(|notes| *notes.codes.entry(code).or_default() += 1);
        Some(output)
    }

    /// Runs a command and returns what it printed, if it did what it was to do.
    fn done(&mut self, args: &[&str]) -> Option<Value> {
        let output = self.run(args)?;
        (output.status == Some(0)).then(|| output.json())
    }

    /// Runs a command that adds an event with this text to a task. Whether it is there at once, or
    /// only asked for, its answer says.
    fn event(&mut self, id: &str, text: &str, args: &[&str]) {
        let output = self.run(args);
        self.note_event(id, text, output.as_ref());
    }

    fn note_event(&self, id: &str, text: &str, output: Option<&Output>) {
        let event = (id.to_owned(), text.to_owned());
        let marks = [r#""provisional":true"#, r#""state":"provisional""#];
        let asked_for = |output: &Output| {
            self.offline
                || output.stderr.contains("provisional")
                || marks.iter().any(|mark| output.stdout.contains(mark))
        };
        match output {
            Some(output) if output.status != Some(0) => {}
            Some(output) if !asked_for(output) => self.note(|notes| notes.events.push(event)),
            // Killed, or not decided yet.
            _ => self.note(|notes| notes.wishes.push(event)),
        }
    }

    /// Does the same with a command that may end somebody's claim of the task.
    fn ending(&mut self, id: &str, text: &str, args: &[&str]) {
        let began = Instant::now();
        let output = self.run(args);
        self.note_event(id, text, output.as_ref());
        // Killed, or unsure what the remote did: it may have happened.
        if output
            .as_ref()
            .is_none_or(|it| matches!(it.status, Some(0 | 6)))
        {
            self.note(|notes| notes.ends.push((id.to_owned(), began)));
        }
    }

    fn victims(&mut self) -> Victims {
        match self.rng.bool() {
            true => Victims::Alone,
            false => Victims::WithChildren,
        }
    }

    fn other(&mut self) -> &'static str {
        let others: Vec<_> = NAMES.into_iter().filter(|name| *name != self.me).collect();
        others[self.rng.usize(..others.len())]
    }

    /// Picks a task that somebody was told is there.
    fn known(&mut self) -> Option<String> {
        let notes = self.notes.lock().unwrap();
        let count = notes.tasks.len();
        let at = (count > 0).then(|| self.rng.usize(..count))?;
        notes.tasks.iter().nth(at).cloned()
    }

    /// Picks a task that this agent holds, as far as its clone knows.
    fn held(&mut self, phase: &str) -> Option<String> {
        let table = self.done(&["claims"])?;
        let mut claims = table["claims"].as_array().unwrap().iter();
        let mine = claims.find(|claim| {
            claim["agent"] == self.me && claim["phase"] == phase && !claim["task"].is_null()
        })?;
        Some(mine["id"].as_str().unwrap().to_owned())
    }

    fn send(&mut self, text: &str) {
        let to = match self.rng.u8(..3) {
            0 => None,
            _ => Some(self.other()),
        };
        let body = format!("{text} says");
        let Some(sent) = self.done(&["send", to.unwrap_or("#team"), &body]) else {
            return;
        };
        let id = sent["id"].as_str().unwrap().to_owned();
        self.note(|notes| notes.messages.extend([(id, (body, to))]));
    }

    fn new_task(&mut self, text: &str) {
        let paths = [
            "src/a",
            "src/b/x",
            "src/*/c.rs",
            "docs",
            "docs/x",
            "tests/**",
            "ci",
            "tools",
        ];
        let path = paths[self.rng.usize(..paths.len())];
        let title = format!("{text} needs");
        let criterion = "a test shows that it works";
        let args = ["task", "new", &title, "--criterion", criterion];
        if let Some(task) = self.done(&[&args[..], &["--path", path]].concat()) {
            let id = task["id"].as_str().unwrap().to_owned();
            self.note(|notes| notes.tasks.extend([id]));
        }
    }

    fn comment(&mut self, text: &str) {
        let text = format!("{text} thinks");
        if let Some(id) = self.known() {
            self.event(&id, &text, &["task", "comment", &id, &text]);
        }
    }

    fn next(&mut self) {
        self.claiming(&["next", "--claim"]);
    }

    fn claim(&mut self) {
        if let Some(id) = self.known() {
            self.claiming(&["claim", &id]);
        }
    }

    fn take_over(&mut self, text: &str) {
        let Some(id) = self.known() else { return };
        let began = Instant::now();
        let why = format!("{text} is in a hurry");
        self.claiming(&["claim", &id, "--take-over", "--reason", &why]);
        // Without having asked first: the table tells whether it was taken over.
        self.note(|notes| notes.ends.push((id, began)));
    }

    fn claiming(&mut self, args: &[&str]) {
        let asked = Instant::now();
        let Some(answer) = self.done(args) else {
            return;
        };
        let claim = &answer["claim"];
        if claim["state"] == "confirmed" {
            let told = Told {
                id: claim["id"].as_str().unwrap().to_owned(),
                agent: self.me,
                fence: claim["fence"].as_u64().unwrap(),
                asked,
                told: Instant::now(),
            };
            assert_eq!(claim["agent"], self.me, "{claim}");
            self.note(|notes| notes.claims.push(told));
        }
    }

    fn release(&mut self, text: &str) {
        let note = format!("{text} rests");
        if let Some(id) = self.held("working") {
            self.ending(&id, &note, &["release", &id, "--note", &note]);
        }
    }

    fn claim_paths(&mut self, text: &str) {
        let path = format!("misc/{}", self.place);
        let why = format!("{text} looks");
        let Some(answer) = self.done(&["claim", "--path", &path, "-m", &why]) else {
            return;
        };
        let id = answer["claim"]["id"].as_str().unwrap();
        self.run(&["release", id]);
    }

    fn block(&mut self, text: &str) {
        if let Some(id) = self.held("blocked") {
            self.run(&["unblock", &id]);
        } else if let Some(id) = self.held("working") {
            let reason = format!("{text} waits");
            self.event(&id, &reason, &["block", &id, "--reason", &reason]);
        }
    }

    fn submit(&mut self, text: &str) {
        let Some(id) = self.held("working") else {
            return;
        };
        let summary = format!("{text} did it");
        let args = ["submit", &id, "--summary", &summary, "--evidence", "1=seen"];
        self.event(&id, &summary, &args);
    }

    fn review(&mut self, text: &str) {
        let Some(list) = self.done(&["task", "list", "--status", "in-review"]) else {
            return;
        };
        let mut tasks = list["tasks"].as_array().unwrap().iter();
        let Some(task) = tasks.find(|task| task["reviewer"] == self.me) else {
            return;
        };
        let id = task["id"].as_str().unwrap();
        let note = format!("{text} has looked");
        match self.rng.u8(..3) {
            0 => self.event(id, &note, &["review", id, "--request-changes", &note]),
            _ => self.ending(id, &note, &["review", id, "--approve", "--note", &note]),
        }
    }

    fn hand_off(&mut self, text: &str) {
        let to = self.other();
        self.hand_off_to(to, text);
    }

    /// Whoever has no room for it is who the task waits for.
    fn hand_off_to_the_busy(&mut self, text: &str) {
        let Some(table) = self.done(&["claims"]) else {
            return;
        };
        let claims = table["claims"].as_array().unwrap();
        let works = |name: &str| {
            let of = |claim: &&Value| claim["agent"] == name && claim["phase"] == "working";
            claims.iter().filter(of).count()
        };
        let others = NAMES.into_iter().filter(|name| *name != self.me);
        if let Some(to) = others.max_by_key(|name| works(name)) {
            self.hand_off_to(to, text);
        }
    }

    fn hand_off_to(&mut self, to: &str, text: &str) {
        let note = format!("{text} hands over");
        if let Some(id) = self.held("working") {
            let args = ["handoff", &id, "--to", to, "--note", &note];
            self.ending(&id, &note, &args);
        }
    }

    fn cancel(&mut self, text: &str) {
        let reason = format!("{text} gives up");
        if let Some(id) = self.known() {
            self.ending(&id, &reason, &["cancel", &id, "--reason", &reason]);
        }
    }

    fn reopen(&mut self, text: &str) {
        let Some(list) = self.done(&["task", "list", "--status", "cancelled"]) else {
            return;
        };
        let reason = format!("{text} wants it back");
        if let Some(task) = list["tasks"].as_array().unwrap().first() {
            let id = task["id"].as_str().unwrap();
            self.event(id, &reason, &["reopen", id, "--reason", &reason]);
        }
    }

    fn reflect(&mut self, text: &str) {
        let worked = format!("{text} learned");
        let args = ["reflect", "--worked", &worked, "--pain", "the remote"];
        let Some(made) = self.done(&[&args[..], &["--change", "patience"]].concat()) else {
            return;
        };
        let id = made["id"].as_str().unwrap().to_owned();
        self.note(|notes| notes.reflections.extend([(id, worked)]));
    }

    fn ack(&mut self) {
        let Some(acked) = self.done(&["ack", "--all"]) else {
            return;
        };
        let me = self.me;
        let messages = acked["messages"].as_array().unwrap().iter();
        let ids = messages.map(|message| (me, message["id"].as_str().unwrap().to_owned()));
        self.note(|notes| notes.read.extend(ids));
    }

    fn set_offline_claims(&mut self) {
        let value = ["refuse", "provisional"][self.rng.usize(..2)];
        self.run(&["config", "set", "claims.offline", value]);
    }

    fn killed_sync(&mut self) {
        let running = self.clone.command(["sync"]).spawn();
        std::thread::sleep(Duration::from_millis(self.rng.u64(..150)));
        let output = running.kill_with(self.victims());
        if output.status.is_none() {
            self.note(|notes| *notes.kills.entry("syncs").or_default() += 1);
        }
    }

    fn start_daemon(&mut self) {
        self.clone.reflectt(["daemon", "start"]).ok();
    }

    fn kill_daemon(&mut self) {
        let status = self.clone.reflectt(["--json", "daemon", "status"]).ok();
        let status = status.json();
        if status["running"] == true {
            let pid = i32::try_from(status["pid"].as_i64().unwrap()).unwrap();
            kill(pid, self.victims());
            self.note(|notes| *notes.kills.entry("daemons").or_default() += 1);
        }
    }
}
