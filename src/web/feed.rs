//! What happens, for all who listen: one follower of the record, as long as somebody does.
//!
//! Each event is made once and shared. A listener that is too far behind misses what is dropped
//! here, is told so, and goes on from its last point; so memory does not grow with slow listeners.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use crate::answer::{Fault, LogEventJson, ReflectionJson, TaskJson};
use crate::model::id::{Stamp, TaskId};
use crate::model::task::TaskEvent;
use crate::model::time::Timestamp;
use crate::ops::{
    self, Context, Heard, HistoryEvent, HistorySubject, OpsError, Point, Step, keep_following,
};

use super::{Opener, Who, shape};

/// How many steps a listener may be behind.
const BEHIND: usize = 256;
/// Of how many tasks the state is told with what happened; beyond that it is looked up by whoever
/// needs it.
const STATES: usize = 50;

/// An event as it is sent.
#[derive(Debug)]
pub struct Event {
    pub kind: &'static str,
    /// Where to go on after it; nowhere new for what is in no record.
    pub id: Option<Point>,
    /// Its own name in the record.
    pub stamp: Option<Stamp>,
    pub at: Timestamp,
    pub data: Value,
    /// The agents whom it is about; everybody if there is none.
    pub about: Vec<String>,
}

/// Events that came together.
pub type Told = Arc<Vec<Event>>;

/// One follower for all who listen; none as long as nobody does.
pub struct Feed {
    opener: Arc<Opener>,
    follower: Mutex<Option<Follower>>,
}

#[derive(Clone)]
struct Follower {
    sender: broadcast::Sender<Told>,
    /// Up to where everything was sent.
    at: watch::Sender<Option<Point>>,
}

/// A listener's end.
pub struct Listening {
    pub told: broadcast::Receiver<Told>,
    pub at: watch::Receiver<Option<Point>>,
}

impl Feed {
    pub fn new(opener: Arc<Opener>) -> Feed {
        Feed {
            opener,
            follower: Mutex::new(None),
        }
    }

    /// Returns what happens from now on.
    pub fn listen(&self) -> Listening {
        let mut follower = self.locked();
        // One that nobody listened to has ended, or ends.
        let running = follower
            .as_ref()
            .filter(|it| it.sender.receiver_count() > 0);
        if let Some(running) = running {
            return running.listening();
        }
        let new = Follower {
            sender: broadcast::channel(BEHIND).0,
            at: watch::Sender::new(None),
        };
        let listening = new.listening();
        *follower = Some(new.clone());
        let opener = Arc::clone(&self.opener);
        thread::spawn(move || new.run(&opener));
        listening
    }

    /// Tells of a sign of life, which is in no record.
    pub fn tell_presence(&self, presence: Value) {
        let follower = self.locked();
        let Some(running) = follower.as_ref() else {
            return;
        };
        let agent = presence["agent"].as_str().map(str::to_owned);
        let event = Event {
            kind: "presence_updated",
            id: None,
            stamp: None,
            at: ops::now(),
            about: agent.into_iter().collect(),
            data: presence,
        };
        running.sender.send(Arc::new(vec![event])).ok();
    }

    /// Returns what has happened since a point.
    ///
    /// # Errors
    ///
    /// If it is no point of this record.
    pub fn since(&self, from: Point) -> Result<(Vec<Event>, Point), Fault> {
        let ctx = (self.opener)(Who::Nobody)?;
        let step = ops::changes_since(&ctx, from)?;
        let to = step.to;
        Ok((events(Some(&ctx), step, from), to))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Follower>> {
        // It is put there as a whole.
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    fn listening(&self) -> Listening {
        Listening {
            told: self.sender.subscribe(),
            at: self.at.subscribe(),
        }
    }

    fn run(&self, opener: &Arc<Opener>) {
        let nobody = Arc::clone(opener);
        let open = move || -> Result<Context, OpsError> {
            nobody(Who::Nobody).map_err(|fault: Fault| OpsError::Nothing(fault.to_string()))
        };
        let wanted = || self.sender.receiver_count() > 0;
        let mut last = None;
        keep_following(open, wanted, |heard| {
            let to = match heard {
                Heard::From(point) => point,
                Heard::Step(step) => {
                    let (to, from) = (step.to, last.unwrap_or(step.to));
                    let ctx = opener(Who::Nobody).ok();
                    let events = events(ctx.as_ref(), step, from);
                    self.sender.send(Arc::new(events)).ok();
                    to
                }
            };
            last = Some(to);
            // After the events: whoever reads it has been sent all up to here.
            self.at.send_replace(Some(to));
        });
    }
}

/// Makes events of what happened between two points.
///
/// All but the last say to go on from where they began: whoever is cut off in the middle hears the
/// first of them twice, and misses none.
fn events(ctx: Option<&Context>, step: Step, from: Point) -> Vec<Event> {
    let states = ctx.map(|ctx| states(ctx, &step)).unwrap_or_default();
    let mut made = Vec::new();
    for event in &step.events {
        for kind in kinds(&event.subject) {
            let (data, about) = told(event, &states);
            made.push(Event {
                kind,
                id: Some(from),
                stamp: Some(event.id),
                at: event.id.at(),
                data,
                about,
            });
        }
    }
    if let Some(last) = made.last_mut() {
        last.id = Some(step.to);
    }
    made
}

/// Returns the tasks that something happened to, as they are now.
fn states(ctx: &Context, step: &Step) -> BTreeMap<TaskId, Value> {
    let mut states = BTreeMap::new();
    for event in &step.events {
        let HistorySubject::Task { id, .. } = &event.subject else {
            continue;
        };
        if states.len() >= STATES || states.contains_key(id) {
            continue;
        }
        // What cannot be read now is told without its state.
        if let Ok(shown) = ops::show(ctx, &(*id).into()) {
            let task = shape::task(TaskJson::from(&shown.row), &shown.row.task, false);
            states.insert(*id, task);
        }
    }
    states
}

/// Returns the names that the original has for what happened; a task that is claimed is assigned
/// and changed.
fn kinds(subject: &HistorySubject) -> &'static [&'static str] {
    match subject {
        HistorySubject::Task { event, .. } => match event {
            TaskEvent::Created(_) => &["task_created"],
            TaskEvent::Claimed { .. } | TaskEvent::HandedOff { .. } => {
                &["task_assigned", "task_updated"]
            }
            _ => &["task_updated"],
        },
        HistorySubject::Message(_) => &["message_posted"],
        HistorySubject::Reflection(_) => &["reflection_created"],
        HistorySubject::Agent { .. } => &["presence_updated"],
        HistorySubject::Settings { .. } => &["settings_updated"],
    }
}

/// Returns what is told of an event, and whom it is about.
fn told(event: &HistoryEvent, states: &BTreeMap<TaskId, Value>) -> (Value, Vec<String>) {
    let mut about = vec![event.by.to_string()];
    let data = match &event.subject {
        HistorySubject::Task { id, title, .. } => {
            let bare = || json!({"id": id.as_str(), "title": title});
            let mut data = states.get(id).cloned().unwrap_or_else(bare);
            for name in ["assignee", "reviewer"] {
                about.extend(data[name].as_str().map(str::to_owned));
            }
            data["updates"] = json!(LogEventJson::from(event));
            for name in ["agent", "to", "assignee", "reviewer"] {
                about.extend(data["updates"][name].as_str().map(str::to_owned));
            }
            data
        }
        HistorySubject::Message(message) => {
            about.extend(message.to.iter().map(ToString::to_string));
            if message.channel.is_some() {
                about.clear();
            }
            shape::message(message, false)
        }
        HistorySubject::Reflection(reflection) => json!(ReflectionJson::from(reflection)),
        HistorySubject::Agent { name, .. } => {
            about.push(name.to_string());
            json!(LogEventJson::from(event))
        }
        HistorySubject::Settings { .. } => {
            about.clear();
            json!(LogEventJson::from(event))
        }
    };
    (data, about)
}
