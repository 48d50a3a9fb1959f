//! The team on a terminal. Three kinds of threads: this one draws and decides, one reads the team,
//! and one for each write; what they say to each other is [`board::Event`].

mod act;
mod board;
mod detail;
mod draw;
mod form;
mod keys;
mod layout;
mod paint;
mod picture;
mod reading;
mod rows;
mod terminal;
mod writing;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::answer::Fault;
use crate::ops::{self, Context, Exchange};

use board::{Board, Effect, Event};
use paint::Paint;
use reading::Ask;
use terminal::Screen;
use writing::Writer;

/// Is told what an exchange with a remote is at.
pub type Listener = Box<dyn Fn(String) + Send>;
/// Opens the repository anew, as whoever acts here.
pub type Opener = dyn Fn(Listener) -> Result<Context, Fault> + Send + Sync;

/// How often what the clock says is drawn.
const TICK: Duration = Duration::from_secs(1);
/// How many events are taken before the screen is drawn again.
const AT_ONCE: usize = 256;
/// How long a write may take to end when this process was told to.
const ENDING: Duration = Duration::from_secs(10);

/// Has the screen panic once it is drawn: for a test that the terminal is given back.
const PANIC_VARIABLE: &str = "REFLECTT_TEST_PANIC";

/// What the screen is of.
pub struct Start {
    pub opener: Arc<Opener>,
    /// What the team is called in the first line.
    pub team: String,
    /// Whether writes are exchanged with the remote at once.
    pub exchange: Exchange,
    pub has_colors: bool,
}

/// Shows the team until whoever looks has seen enough; returns the signal that ended it, if one did.
///
/// # Errors
///
/// If there is no team, or the terminal cannot be taken.
pub fn run(start: Start) -> Result<Option<i32>, Fault> {
    // Before the terminal is taken: what is wrong from the beginning is said as everywhere.
    let (picture, me) = reading::read(&*start.opener)?;
    let (to, events) = mpsc::channel();
    let no_terminal = |error: io::Error| {
        let what = "the terminal cannot be used for a board";
        Fault::failed(what).caused_by(error).hint("reflectt board")
    };
    signals(to.clone()).map_err(no_terminal)?;
    let size = crossterm::terminal::size().map_err(no_terminal)?;
    let me = me.map(|name| name.to_string());
    let board = Board::new(start.team, me, size, picture);
    let screen = Screen::take(to.clone()).map_err(no_terminal)?;
    let asks = reading::start(Arc::clone(&start.opener), to.clone());
    let mut door = Door {
        writer: Writer::new(Arc::clone(&start.opener), start.exchange, to),
        opener: start.opener,
        paint: Paint {
            has_colors: start.has_colors,
        },
        board,
        screen,
        asks,
        events,
    };
    let ended = door.attend().map_err(no_terminal);
    let Door {
        screen,
        writer,
        events,
        ..
    } = door;
    drop(screen);
    if writer.cancel() {
        wait_for_write(&events);
    }
    ended
}

/// All that the thread of the screen holds.
struct Door {
    board: Board,
    screen: Screen,
    paint: Paint,
    opener: Arc<Opener>,
    asks: Sender<Ask>,
    writer: Writer,
    events: Receiver<Event>,
}

/// Whether the screen goes on.
enum Flow {
    On,
    End(Option<i32>),
}

impl Door {
    /// Draws and decides until the end.
    fn attend(&mut self) -> io::Result<Option<i32>> {
        self.draw()?;
        let panics = cfg!(debug_assertions) && std::env::var_os(PANIC_VARIABLE).is_some();
        assert!(!panics, "asked to panic by {PANIC_VARIABLE}");
        loop {
            let first = match self.events.recv_timeout(TICK) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => Event::Tick(ops::now()),
                // Our own sender is among them.
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            };
            let mut pending = vec![first];
            pending.extend(self.events.try_iter().take(AT_ONCE));
            for event in pending {
                if let Flow::End(signal) = self.take(event)? {
                    return Ok(signal);
                }
            }
            self.board.handle(Event::Tick(ops::now()));
            self.draw()?;
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        // A pager, or a shell that we were suspended for, is told of a new size in our place.
        let (width, height) = crossterm::terminal::size()?;
        if (width, height) != self.board.size {
            self.board.handle(Event::Resize(width, height));
        }
        let (board, paint) = (&self.board, self.paint);
        self.screen
            .drawn
            .draw(|frame| draw::draw(frame, board, paint))?;
        Ok(())
    }

    fn take(&mut self, event: Event) -> io::Result<Flow> {
        match event {
            Event::Signal(SIGCONT) => {
                // Stopped by somebody who did not ask, and let go on: the shell was there meanwhile.
                self.screen.retake()?;
                return Ok(Flow::On);
            }
            // Ctrl-C while a pager has the terminal is for the pager; as a key it is one of ours.
            Event::Signal(SIGINT) => return Ok(Flow::On),
            Event::Signal(signal) => return Ok(Flow::End(Some(signal))),
            Event::NoTerminal => return Ok(Flow::End(None)),
            _ => {}
        }
        // Whoever has written, or has lost to somebody, wants to see how it is now.
        let is_written = matches!(event, Event::Written(_));
        if is_written {
            self.asks.send(Ask::Changed).ok();
        }
        for effect in self.board.handle(event) {
            match effect {
                Effect::Look(id) => drop(self.asks.send(Ask::Look(id))),
                Effect::Range(id) => drop(self.asks.send(Ask::Range(id))),
                Effect::Page(range) => self.page(&range)?,
                Effect::Write(write) => self.writer.start(write),
                Effect::Cancel => drop(self.writer.cancel()),
                Effect::Suspend => self.screen.suspend()?,
                Effect::Redraw => self.screen.redraw()?,
                Effect::Quit => return Ok(Flow::End(None)),
            }
        }
        Ok(Flow::On)
    }

    /// Shows a difference in the user's pager, which has the terminal meanwhile.
    fn page(&mut self, range: &str) -> io::Result<()> {
        let opener = Arc::clone(&self.opener);
        let shown = self.screen.lend(|| -> Result<Option<i32>, String> {
            let ctx = opener(Box::new(|_| {})).map_err(|fault| reading::said(&fault))?;
            let paged = ctx.repo().page_diff(range);
            let paged = paged.map_err(|error| ops::chain(&error))?;
            if paged.is_left {
                wait_for_enter();
            }
            Ok(paged.code)
        })?;
        let said = match shown {
            Ok(None) => return Ok(()),
            Ok(Some(code)) => format!("git diff {range} ended with exit code {code}"),
            Err(why) => why,
        };
        self.board.handle(Event::Paged(said));
        Ok(())
    }
}

/// Waits until whoever reads has read what no pager holds for them.
fn wait_for_enter() {
    use std::io::Write as _;
    let mut out = io::stdout();
    out.write_all(b"-- Enter goes back to the board --").ok();
    out.flush().ok();
    io::stdin().read_line(&mut String::new()).ok();
}

/// Waits for the write under way to end, and for no other thing: its checks must not outlive us.
fn wait_for_write(events: &Receiver<Event>) {
    let until = Instant::now() + ENDING;
    while let Ok(event) = events.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if matches!(event, Event::Written(_)) {
            return;
        }
    }
}

/// Tells of signals. A thread takes them from the handler, which may do next to nothing; it ends
/// with the program.
fn signals(to: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGCONT, SIGHUP, SIGINT, SIGTERM])?;
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            if to.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
