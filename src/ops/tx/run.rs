//! Running an operation: read, decide, publish, and again until what was decided is published.
//!
//! Without a remote the refs here decide. With one the remote does, about all that depends on the
//! claims table or changes who may do what: table and record move there together, and only then
//! here. What needs no decision (a message, a comment) is published here and exchanged later. What
//! has to be decided while the remote cannot be asked becomes a request that waits for it.

use crate::git::AdvisoryLock;
use crate::model::name::{AgentName, Author};
use crate::model::settings::OfflineClaims;
use crate::ops::requests::{self, Pushed, Wanted};
use crate::ops::sync::{self, OnTop};
use crate::ops::{Context, OpsError, mend};
use crate::store::{Changes, Link, Origin, Published, Snapshot, Turn, advisory};

use super::remote::{Remote, Seen};
use super::{Contact, Tx};

/// What whoever asks for something is told while the remote cannot be.
const PROVISIONAL: &str =
    "this is provisional: the remote has not decided it, and may not grant it";

/// Runs `act` on the present state and publishes what it wrote, as one agent's doing.
///
/// If others are faster, `act` runs again on the new state. If table and record disagree, because
/// a process died between the two, that is mended first, in a commit of its own, so that it is
/// mended even if `act` is refused.
///
/// With a remote, a refusal or that nothing is to be done, decided on what it held some time ago,
/// is not believed before it was asked.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if the remote has to decide and does not answer.
pub fn transact<T>(
    ctx: &Context,
    act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    run(ctx, ctx.me()?, Seat::OfTheTeam, act)
}

/// Runs `act` as what reflectt does by itself.
pub fn transact_itself<T>(
    ctx: &Context,
    act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    run(ctx, &AgentName::reflectt(), Seat::Unasked, act)
}

/// Runs `act` as the doing of an agent that may not be on the team yet.
pub fn transact_as<T>(
    ctx: &Context,
    name: &AgentName,
    act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    run(ctx, name, Seat::Unasked, act)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    OfTheTeam,
    /// It is not asked whether there is one.
    Unasked,
}

/// What a look at one state came to.
enum Decision<T> {
    Publish(Written<T>),
    Answer(T),
    /// It may be otherwise by now: the remote has to be asked.
    Doubted(Option<OpsError>),
    /// There is something to mend, but not by an old table.
    Unmended,
}

/// What an operation writes.
struct Written<T> {
    changes: Box<Changes>,
    /// Without one, it mends what is there, and the operation is still to come.
    answer: Option<T>,
    /// The same as a request, if it can be one.
    wanted: Option<Wanted>,
}

/// An operation and who does it.
struct Run<'c, F> {
    ctx: &'c Context,
    me: &'c AgentName,
    seat: Seat,
    act: F,
}

fn run<T, F>(ctx: &Context, me: &AgentName, seat: Seat, act: F) -> Result<T, OpsError>
where
    F: FnMut(&mut Tx) -> Result<T, OpsError>,
{
    sync::adopt_here(ctx)?;
    let mut run = Run { ctx, me, seat, act };
    let answer = match ctx.store().link() {
        Some(_) if ctx.is_offline() => run.provisionally(None)?,
        Some(link) => run.with_remote(&link)?,
        None => run.here()?,
    };
    ctx.note_work();
    Ok(answer)
}

impl<F> Run<'_, F> {
    /// Decides once, on one snapshot.
    fn decide<T>(
        &mut self,
        snapshot: &Snapshot,
        contact: Contact,
        mending: bool,
    ) -> Result<(Decision<T>, Origin), OpsError>
    where
        F: FnMut(&mut Tx) -> Result<T, OpsError>,
    {
        let ctx = self.ctx;
        if self.seat == Seat::OfTheTeam {
            ctx.my_seat(snapshot)?;
            ctx.beat(snapshot)?;
        }
        let mut tx = Tx::new(ctx, snapshot, self.me.clone());
        tx.contact = contact;
        let origin = Origin {
            author: Author::from(self.me),
            now: tx.now,
        };
        if mending && let Some(changes) = mend::changes(ctx, snapshot, tx.now)? {
            let decision = match contact {
                Contact::Old => Decision::Unmended,
                _ => Decision::Publish(Written {
                    changes: Box::new(changes),
                    answer: None,
                    wanted: None,
                }),
            };
            return Ok((decision, origin));
        }
        let mut answer = (self.act)(&mut tx);
        if answer.is_ok() && self.seat == Seat::OfTheTeam && tx.has_changes() {
            answer = tx.sit_down().and(answer);
        }
        let asked = tx.asked.get();
        let is_old = contact == Contact::Old;
        let decision = match answer {
            // What is not here may have come into being elsewhere.
            Err(refusal) if is_old && (asked || matches!(refusal, OpsError::NotFound { .. })) => {
                Decision::Doubted(Some(refusal))
            }
            Err(error) => return Err(error),
            Ok(answer) => {
                let wanted = tx.wanted();
                let changes = tx.into_changes()?;
                if is_old && asked && changes.table.is_none() {
                    Decision::Doubted(None)
                } else if changes.touches_record() || changes.table.is_some() {
                    Decision::Publish(Written {
                        changes: Box::new(changes),
                        answer: Some(answer),
                        wanted,
                    })
                } else {
                    Decision::Answer(answer)
                }
            }
        };
        Ok((decision, origin))
    }

    /// Decides by the refs of this clone.
    fn here<T>(&mut self) -> Result<T, OpsError>
    where
        F: FnMut(&mut Tx) -> Result<T, OpsError>,
    {
        loop {
            let done = self.ctx.store().transact(|snapshot| {
                let (decision, origin) = self.decide(snapshot, Contact::Fresh, true)?;
                let turn = match decision {
                    Decision::Publish(it) => Turn::Publish(it.changes, it.answer),
                    Decision::Answer(answer) => Turn::Answer(Some(answer)),
                    Decision::Doubted(_) | Decision::Unmended => {
                        unreachable!("nothing is old where nobody else decides")
                    }
                };
                Ok::<_, OpsError>((turn, origin))
            })?;
            if let Some(answer) = done {
                return Ok(answer);
            }
        }
    }

    /// Publishes what needs no decision, on what is here: it waits for nobody.
    fn publish_here<T>(&mut self, lock: Option<&AdvisoryLock>) -> Result<Round<T>, OpsError>
    where
        F: FnMut(&mut Tx) -> Result<T, OpsError>,
    {
        let store = self.ctx.store();
        let snapshot = store.snapshot()?;
        // Whether there is anything to doubt was asked before.
        let (decision, origin) = self.decide(&snapshot, Contact::Told, false)?;
        let (changes, answer) = match decision {
            Decision::Publish(Written {
                changes,
                answer: Some(answer),
                ..
            }) if changes.table.is_none() => (changes, answer),
            Decision::Answer(answer) => return Ok(Round::Done(answer)),
            _ => return Ok(Round::Ask(None)),
        };
        let published = store.publish(&snapshot, &changes, &origin, advisory(lock))?;
        Ok(match published {
            Published::Moved(_) | Published::Unchanged => Round::Done(answer),
            Published::Lost => Round::Again,
        })
    }
}

/// How one round of an operation ended that the remote has a say in.
enum Round<T> {
    Done(T),
    /// Others were faster, or something was mended: decide again.
    Again,
    /// The remote has to be asked. The refusal stands if it does not answer.
    Ask(Option<OpsError>),
    /// The same, and there is something to mend, which can wait.
    AskToMend,
    /// The remote did not say whether it took what was staged.
    Unanswered(OpsError, Option<Pushed>),
}

impl<F> Run<'_, F> {
    fn with_remote<T>(&mut self, link: &Link) -> Result<T, OpsError>
    where
        F: FnMut(&mut Tx) -> Result<T, OpsError>,
    {
        let mut remote = Remote::new(self.ctx, link);
        let mut mending = true;
        let mut patience = self.ctx.store().patience();
        loop {
            let (error, pushed) = match self.round(&mut remote, mending)? {
                Round::Done(answer) => return Ok(answer),
                Round::Again => {
                    patience.lost()?;
                    continue;
                }
                Round::Ask(refusal) => match (remote.ask(), refusal) {
                    (Ok(()), _) => {
                        patience.lost()?;
                        continue;
                    }
                    // Refused by what is known here; the remote could only add to that.
                    (Err(OpsError::Unreachable { .. }), Some(refusal)) => return Err(refusal),
                    (Err(error), _) => (error, None),
                },
                Round::AskToMend => match remote.ask() {
                    Ok(()) => continue,
                    // Mending can wait; a message must not.
                    Err(OpsError::Unreachable { .. }) => {
                        mending = false;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                Round::Unanswered(error, pushed) => (error, pushed),
            };
            let unreachable = matches!(error, OpsError::Unreachable { .. });
            return match unreachable && self.may_wait() {
                true => self.provisionally(pushed),
                false => Err(error),
            };
        }
    }

    /// Tells whether the team wants things done while the remote does not answer.
    fn may_wait(&self) -> bool {
        let snapshot = self.ctx.store().snapshot();
        let settings = snapshot.as_ref().map(|snapshot| snapshot.settings());
        // Whoever cannot read them is told so soon enough.
        matches!(settings, Ok(Ok(settings)) if settings.offline == OfflineClaims::Provisional)
    }

    /// Decides once on what is known, and waits for the remote's word where it has one.
    fn round<T>(&mut self, remote: &mut Remote, mending: bool) -> Result<Round<T>, OpsError>
    where
        F: FnMut(&mut Tx) -> Result<T, OpsError>,
    {
        let (ctx, store) = (self.ctx, self.ctx.store());
        let lock = store.queue();
        let mut ground = match sync::ground(ctx, remote.link, OnTop::OfWhatIsStaged) {
            Ok(ground) => ground,
            // What is wrong with what the remote has is nothing to a message.
            Err(error) => {
                return match self.publish_here(lock.as_ref())? {
                    Round::Ask(_) => Err(error),
                    round => Ok(round),
                };
            }
        };
        loop {
            // What rests on something staged may come to nothing with it, and what was asked for
            // before comes first.
            let contact = match ground.is_staged || store.has_requests() {
                true => Contact::Old,
                false => remote.contact(),
            };
            let snapshot = ground.snapshot(store)?;
            let decided = self.decide(&snapshot, contact, mending);
            let is_final = matches!(decided, Err(_) | Ok((Decision::Answer(_), _)));
            if is_final && !ground.is_staged && !ground.is_here() {
                // What the answer rests on, whoever got it shall find here.
                drop(lock);
                sync::follow(ctx, remote.link)?;
                let (decision, _) = decided?;
                return match decision {
                    Decision::Answer(answer) => Ok(Round::Done(answer)),
                    _ => Ok(Round::Again),
                };
            }
            let (decision, origin) = decided?;
            let mut it = match decision {
                Decision::Publish(it) => it,
                Decision::Answer(answer) => return Ok(Round::Done(answer)),
                Decision::Doubted(_) | Decision::Unmended if ground.is_staged => {
                    if remote.contact() == Contact::Old {
                        drop(lock);
                        remote.wait_for_others(&ground)?;
                        return Ok(Round::Again);
                    }
                    // Refused by what is confirmed as well, it needs to wait for nobody.
                    ground = sync::ground(ctx, remote.link, OnTop::OfWhatIsConfirmed)?;
                    continue;
                }
                Decision::Doubted(refusal) if store.has_requests() => {
                    drop(lock);
                    return match (self.serve(remote)?, refusal) {
                        (Round::Unanswered(..), Some(missing @ OpsError::NotFound { .. }))
                            if !self.may_wait() =>
                        {
                            Err(missing)
                        }
                        (round, _) => Ok(round),
                    };
                }
                Decision::Unmended if store.has_requests() => {
                    drop(lock);
                    return Ok(match self.serve(remote)? {
                        Round::Unanswered(..) => Round::AskToMend,
                        round => round,
                    });
                }
                Decision::Doubted(refusal) => return Ok(Round::Ask(refusal)),
                Decision::Unmended => return Ok(Round::AskToMend),
            };
            if it.changes.table.is_none() {
                if !ground.is_here() {
                    return self.publish_here(lock.as_ref());
                }
                let published =
                    store.publish(&snapshot, &it.changes, &origin, advisory(lock.as_ref()))?;
                return Ok(match (published, it.answer) {
                    (Published::Lost, _) | (_, None) => Round::Again,
                    (_, Some(answer)) => Round::Done(answer),
                });
            }
            if ground.staged.is_some() && !ground.is_staged {
                drop(lock);
                remote.wait_for_others(&ground)?;
                return Ok(Round::Again);
            }
            if store.has_requests() {
                drop(lock);
                return self.serve(remote);
            }
            if remote.has_to_wait() {
                drop(lock);
                return Ok(match remote.wait_for_turn() {
                    Ok(()) => Round::Again,
                    Err(error) => Round::Unanswered(error, None),
                });
            }
            let number = match self.may_wait() {
                true => Some(requests::number(ctx, &snapshot, &mut it.changes)?),
                false => None,
            };
            let tips = store.compose(&snapshot, &it.changes, &origin)?;
            remote.stage(ground.onto, tips)?;
            drop(lock);
            let seen = remote.see_through(tips, &it.changes.subject);
            return Ok(match (seen, it.answer) {
                (Ok(Seen::Confirmed), Some(answer)) => Round::Done(answer),
                (Ok(_), _) => Round::Again,
                (Err(error), _) => {
                    let with = remote.unanswered().unwrap_or(tips);
                    let pushed = number.map(|number| Pushed { tips, with, number });
                    Round::Unanswered(error, pushed)
                }
            });
        }
    }

    /// Has the remote decide what this clone has asked for before.
    fn serve<T>(&self, remote: &Remote) -> Result<Round<T>, OpsError> {
        match requests::serve(self.ctx, remote.link) {
            Ok(served) => {
                let refused = served.iter().map(requests::NotGranted::to_string);
                self.ctx.note_warnings(refused);
                Ok(Round::Again)
            }
            Err(error @ OpsError::Unreachable { .. }) => Ok(Round::Unanswered(error, None)),
            Err(error) => Err(error),
        }
    }

    /// Makes a request of the operation, which the remote decides when it can be asked.
    ///
    /// It is granted or refused for now by what this clone knows, and by what waits before it.
    fn provisionally<T>(&mut self, pushed: Option<Pushed>) -> Result<T, OpsError>
    where
        F: FnMut(&mut Tx) -> Result<T, OpsError>,
    {
        let (ctx, store) = (self.ctx, self.ctx.store());
        let mut patience = store.patience();
        loop {
            let lock = store.queue();
            let view = requests::view(ctx)?;
            let snapshot = store.snapshot_at(view.record, view.table)?;
            let (decision, origin) = self.decide(&snapshot, Contact::None, false)?;
            let it = match decision {
                Decision::Publish(it) => it,
                Decision::Answer(answer) => return Ok(answer),
                Decision::Doubted(_) | Decision::Unmended => {
                    unreachable!("nothing is doubted that cannot be asked about")
                }
            };
            if it.changes.table.is_none() {
                match self.publish_here(lock.as_ref())? {
                    Round::Done(answer) => return Ok(answer),
                    _ => {
                        patience.lost()?;
                        continue;
                    }
                }
            }
            let (Some(wanted), Some(answer)) = (it.wanted, it.answer) else {
                let remote = store.link().map(|link| link.name).unwrap_or_default();
                let reason = "only it can decide this".to_owned();
                return Err(OpsError::Unreachable { remote, reason });
            };
            if !wanted.act.is_claim() {
                ctx.note_warnings([PROVISIONAL.to_owned()]);
            }
            let made = (&snapshot, *it.changes, &origin);
            requests::add(ctx, view, wanted, pushed, made)?;
            ctx.note_provisional();
            return Ok(answer);
        }
    }
}
