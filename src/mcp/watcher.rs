//! Following what happens, for those who have subscribed to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::broadcast;

use crate::answer::Fault;
use crate::ops::{Context, Heard, HistorySubject, OpsError, keep_following};

use super::Opener;
use super::resource::Uri;

/// How many changes a slow client may be behind before it is told that anything may have changed.
const BEHIND: usize = 64;

/// What has changed.
#[derive(Debug, Clone)]
pub enum Told {
    /// These tasks, and with them what is about all.
    Tasks(Vec<String>),
    /// Nobody knows what.
    Everything,
}

impl Told {
    /// Returns which of the names wanted stand for something that has changed.
    pub fn concerning<'w>(&self, wanted: impl Iterator<Item = &'w String>) -> Vec<String> {
        let concerns = |uri: &&String| match (self, uri.parse()) {
            (Told::Everything, _) | (_, Ok(Uri::Board | Uri::Me)) => true,
            (Told::Tasks(ids), Ok(Uri::Task(id))) => {
                ids.iter().any(|it| it.starts_with(id.as_str()))
            }
            (_, Err(_)) => false,
        };
        wanted.filter(concerns).cloned().collect()
    }
}

/// One follower for all who have subscribed; none as long as nobody has.
pub struct Watcher {
    opener: Arc<Opener>,
    follower: Mutex<Option<broadcast::Sender<Told>>>,
}

impl Watcher {
    pub fn new(opener: Arc<Opener>) -> Watcher {
        Watcher {
            opener,
            follower: Mutex::new(None),
        }
    }

    /// Returns what happens from now on.
    pub fn follow(&self) -> broadcast::Receiver<Told> {
        let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        // One that nobody listened to has ended.
        let running = follower.as_ref().filter(|it| it.receiver_count() > 0);
        if let Some(running) = running {
            return running.subscribe();
        }
        let (sender, receiver) = broadcast::channel(BEHIND);
        *follower = Some(sender.clone());
        let opener = Arc::clone(&self.opener);
        thread::spawn(move || run(&opener, &sender));
        receiver
    }
}

fn run(opener: &Arc<Opener>, to: &broadcast::Sender<Told>) {
    let opener = Arc::clone(opener);
    let open = move || -> Result<Context, OpsError> {
        opener(Box::new(|_| {})).map_err(|fault: Fault| OpsError::Nothing(fault.to_string()))
    };
    let wanted = || to.receiver_count() > 0;
    keep_following(open, wanted, |heard| {
        // What was before the first step is not news; what comes with it may be.
        let Heard::Step(step) = heard else { return };
        let ids = step.events.iter().filter_map(|event| match &event.subject {
            HistorySubject::Task { id, .. } => Some(id.to_string()),
            _ => None,
        });
        to.send(Told::Tasks(ids.collect())).ok();
    });
}
