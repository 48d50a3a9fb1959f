//! What happens, as it happens: for whoever stays and looks.
//!
//! A thread with a context of its own waits and reads; what it finds goes to whoever holds the
//! other end, on any thread. Each step says how far it goes, so that one who was away goes on
//! there.

use std::fmt;
use std::str::FromStr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::git::{Cancel, Oid, RefWatcher};
use crate::store::{HistoryEvent, Snapshot};

use super::{Context, OpsError, sync};

/// How often a follower is shown to be alive.
const BEAT: Duration = Duration::from_secs(60);

/// A version of the record, up to which everything was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point(Oid);

impl Point {
    /// Returns the point at which everything in a snapshot was told.
    pub fn of(snapshot: &Snapshot) -> Point {
        Point(snapshot.tip)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Point {
    type Err = OpsError;

    fn from_str(text: &str) -> Result<Point, OpsError> {
        let unknown = || {
            OpsError::Usage(format!(
                "`{}` is no point to go on from",
                text.escape_debug()
            ))
        };
        Oid::parse(text).map(Point).map_err(|_| unknown())
    }
}

/// Returns what has happened since a point, up to now.
///
/// # Errors
///
/// [`OpsError::Nothing`] if this clone does not know the point.
pub fn changes_since(ctx: &Context, from: Point) -> Result<Step, OpsError> {
    check_known(ctx, from)?;
    let store = ctx.store();
    let snapshot = store.snapshot()?;
    ctx.beat(&snapshot)?;
    Ok(Step {
        events: store.events(snapshot.tip, Some(from.0), usize::MAX)?,
        to: Point::of(&snapshot),
    })
}

fn check_known(ctx: &Context, point: Point) -> Result<(), OpsError> {
    match ctx.repo().exists(point.0) {
        true => Ok(()),
        false => Err(OpsError::Nothing(format!(
            "nothing is known here of `{}`; follow from now on",
            point.0.short()
        ))),
    }
}

/// How often a follower without news looks whether anybody still listens, and how long it pauses
/// when it cannot follow.
const LOOK: Duration = Duration::from_secs(5);

/// What somebody who follows is told.
#[derive(Debug)]
pub enum Heard {
    /// From here on everything is told. What was before may not have been.
    From(Point),
    Step(Step),
}

/// Follows for as long as it is `wanted`, whatever goes wrong meanwhile: that there is no team, or
/// no repository, may pass. What happened during it is told afterwards, where that is known.
pub fn keep_following(
    open: impl Fn() -> Result<Context, OpsError> + Clone + Send + 'static,
    wanted: impl Fn() -> bool,
    mut tell: impl FnMut(Heard),
) {
    let mut at: Option<Point> = None;
    while wanted() {
        let changes = Changes::follow(open.clone(), at, 0);
        let mut heard = false;
        while wanted() {
            match changes.next(LOOK) {
                Ok(Some(step)) => {
                    heard = true;
                    match at.replace(step.to) {
                        Some(_) => tell(Heard::Step(step)),
                        None => tell(Heard::From(step.to)),
                    }
                }
                Ok(None) => {}
                Err(_) => {
                    // A record that was replaced knows nothing of where we were.
                    at = at.filter(|_| heard);
                    thread::sleep(LOOK);
                    break;
                }
            }
        }
    }
}

/// Events that came together, oldest first, and how far everything was told with them.
#[derive(Debug)]
pub struct Step {
    pub events: Vec<HistoryEvent>,
    pub to: Point,
}

/// A stream of what happens. Dropped, it ends.
pub struct Changes {
    steps: Receiver<Result<Step, OpsError>>,
    cancel: Cancel,
}

impl Changes {
    /// Starts to follow with the context that `open` makes: the last `limit` events at once, or,
    /// where `from` is known, all since then.
    pub fn follow(
        open: impl FnOnce() -> Result<Context, OpsError> + Send + 'static,
        from: Option<Point>,
        limit: usize,
    ) -> Changes {
        let (sender, steps) = mpsc::channel();
        let cancel = Cancel::default();
        let cancelled = cancel.clone();
        thread::spawn(move || {
            let followed = open().and_then(|ctx| run(&ctx, from, limit, &sender, cancelled));
            if let Err(error) = followed {
                sender.send(Err(error)).ok();
            }
        });
        Changes { steps, cancel }
    }

    /// Returns the next step, or `None` if there was none within `limit`.
    ///
    /// # Errors
    ///
    /// Why the stream has ended.
    pub fn next(&self, limit: Duration) -> Result<Option<Step>, OpsError> {
        match self.steps.recv_timeout(limit) {
            Ok(step) => step.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(OpsError::Nothing("nothing is followed any more".to_owned()))
            }
        }
    }

    /// Returns what ends the stream, for another thread to keep.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Tells what happens until nobody listens any more.
fn run(
    ctx: &Context,
    from: Option<Point>,
    limit: usize,
    to: &Sender<Result<Step, OpsError>>,
    cancel: Cancel,
) -> Result<(), OpsError> {
    let store = ctx.store();
    let names = [store.record_ref().clone()];
    let mut watcher = RefWatcher::new(ctx.repo(), &names)?.cancelled_by(cancel.clone());
    let mut told = from.map(|point| point.0);
    if let Some(point) = from {
        check_known(ctx, point)?;
    }
    let mut limit = match told {
        Some(_) => usize::MAX,
        None => limit,
    };
    while !cancel.is_cancelled() {
        let snapshot = store.snapshot()?;
        ctx.beat(&snapshot)?;
        if told != Some(snapshot.tip) {
            let step = Step {
                events: store.events(snapshot.tip, told, limit)?,
                to: Point::of(&snapshot),
            };
            if to.send(Ok(step)).is_err() {
                return Ok(());
            }
            (told, limit) = (Some(snapshot.tip), usize::MAX);
        }
        drop(snapshot);
        let until = sync::listen(ctx).unwrap_or(BEAT).min(BEAT);
        watcher.wait(Some(Instant::now() + until))?;
    }
    Ok(())
}
