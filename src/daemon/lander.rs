//! Landing what is approved, where the team has the daemon do it: beside all else, because checks
//! take long.

use std::thread::JoinHandle;

use crate::git::{Cancel, Repo};
use crate::ops::{Context, LandReport, OpsError, Wish, chain, land, landable_by_daemon, now};

/// The landing that is under way, if one is.
#[derive(Default)]
pub struct Lander {
    running: Option<(JoinHandle<Landed>, Cancel)>,
}

/// How a landing ended: what there is to say of it.
type Landed = Result<Vec<String>, String>;

impl Lander {
    /// Says what came of the landing that has ended, if one has, and begins another if there is
    /// anything to land.
    pub fn see_to(&mut self, ctx: &Context) -> Landed {
        if self
            .running
            .as_ref()
            .is_some_and(|(it, _)| !it.is_finished())
        {
            return Ok(Vec::new());
        }
        let ended = self.running.take().map(|(thread, _)| {
            let ended = thread.join();
            ended.unwrap_or_else(|_| Err("the landing ended unexpectedly".to_owned()))
        });
        match landable_by_daemon(ctx) {
            Ok(true) => self.begin(ctx)?,
            Ok(false) => {}
            Err(error) => return Err(chain(&error)),
        }
        ended.unwrap_or(Ok(Vec::new()))
    }

    fn begin(&mut self, ctx: &Context) -> Result<(), String> {
        let options = ctx.repo().options().clone();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let repo = Repo::open(options).map_err(|error| chain(&error))?;
            // Whoever began it may have to end it.
            sender.send(repo.runner().cancel()).ok();
            let ctx = Context::new(repo, None, now, fastrand::Rng::new());
            match land(&ctx, &Wish::default(), &|_| {}) {
                Ok(report) => Ok(words(&report)),
                // Somebody else does it, or has done it.
                Err(OpsError::Held(_) | OpsError::Busy { .. } | OpsError::Nothing(_)) => {
                    Ok(Vec::new())
                }
                Err(error) => Err(chain(&error)),
            }
        });
        match receiver.recv() {
            Ok(cancel) => {
                self.running = Some((thread, cancel));
                Ok(())
            }
            Err(_) => match thread.join() {
                Ok(Err(reason)) => Err(reason),
                _ => Err("the landing did not begin".to_owned()),
            },
        }
    }

    /// Ends what is under way; it is finished by whoever lands next.
    pub fn stop(&mut self) {
        if let Some((thread, cancel)) = self.running.take() {
            cancel.cancel();
            drop(thread.join());
        }
    }
}

fn words(report: &LandReport) -> Vec<String> {
    let landed = report.landed.iter();
    let landed = landed.map(|(id, commit)| format!("landed `{id}` as {}", commit.short()));
    let returned = report.sent_back.iter();
    let returned = returned.map(|it| format!("sent `{}` back ({})", it.task, it.back.fault));
    let stopped = report
        .stopped
        .iter()
        .map(|it| format!("landing stopped: {it}"));
    let offered = report.offer.iter();
    let offered = offered.map(|it| format!("`{}` is for others to merge", it.branch));
    landed
        .chain(returned)
        .chain(stopped)
        .chain(offered)
        .collect()
}
