//! The terminal: taken when the screen begins, given back however it ends.

use std::io::{self, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::process::{Signal, kill_current_process_group};

use super::board::Event;

/// How long a look for keys lasts; whoever wants the terminal for a pager waits as long at most.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the terminal is ours: what a panic has to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
pub struct Screen {
    pub drawn: Terminal<CrosstermBackend<Stdout>>,
    keys: Arc<Keys>,
}

/// Who may read keys: our thread, or a pager that was given the terminal.
#[derive(Default)]
struct Keys {
    /// Somebody else wants to; our thread waits until that is over.
    wanted: AtomicBool,
    reading: Mutex<()>,
}

impl Screen {
    /// Takes the terminal, and begins to tell of keys.
    ///
    /// # Errors
    ///
    /// If it cannot be switched to single keys, or has no size.
    pub fn take(to: Sender<Event>) -> io::Result<Screen> {
        give_back_on_panic();
        take()?;
        let drawn = Terminal::new(CrosstermBackend::new(io::stdout()));
        let drawn = drawn.inspect_err(|_| give_back())?;
        let keys = Arc::new(Keys::default());
        let reader = Arc::clone(&keys);
        thread::spawn(move || reader.read(&to));
        Ok(Screen { drawn, keys })
    }

    /// Gives the terminal to `use_it`, and takes it again.
    ///
    /// # Errors
    ///
    /// If it cannot be taken again.
    pub fn lend<T>(&mut self, use_it: impl FnOnce() -> T) -> io::Result<T> {
        let keys = Arc::clone(&self.keys);
        let held = keys.hold();
        give_back();
        let used = use_it();
        let taken = take();
        drop(held);
        taken?;
        self.redraw()?;
        Ok(used)
    }

    /// Stops this process, and all that was started with it, as Ctrl-Z does everywhere; returns
    /// when somebody lets it go on.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be taken again.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.lend(|| {
            // Where nobody could wake it again, the system does not stop it.
            kill_current_process_group(Signal::TSTP).ok();
        })
    }

    /// Takes the terminal anew: somebody else may have left it in another state.
    ///
    /// # Errors
    ///
    /// If it cannot be taken.
    pub fn retake(&mut self) -> io::Result<()> {
        self.lend(|| {})
    }

    /// Forgets what was drawn, so that all of it is drawn again.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be written to.
    pub fn redraw(&mut self) -> io::Result<()> {
        self.drawn.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

impl Keys {
    fn hold(&self) -> Held<'_> {
        self.wanted.store(true, Ordering::SeqCst);
        // Nothing is behind it but whose turn it is.
        let turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        Held {
            keys: self,
            _turn: turn,
        }
    }

    /// Tells of keys until nobody listens, or the terminal is gone.
    fn read(&self, to: &Sender<Event>) {
        loop {
            if self.wanted.load(Ordering::SeqCst) {
                thread::sleep(LOOK / 4);
                continue;
            }
            let turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
            // The turn may have come only now that it is somebody else's.
            let found = match self.wanted.load(Ordering::SeqCst) {
                true => Ok(None),
                false => next(),
            };
            drop(turn);
            let told = match found {
                Ok(Some(event)) => to.send(event),
                Ok(None) => Ok(()),
                Err(_) => {
                    to.send(Event::NoTerminal).ok();
                    return;
                }
            };
            if told.is_err() {
                return;
            }
        }
    }
}

/// The right to read keys.
struct Held<'k> {
    keys: &'k Keys,
    _turn: MutexGuard<'k, ()>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.keys.wanted.store(false, Ordering::SeqCst);
    }
}

/// Waits a while for a key, a click or a new size.
fn next() -> io::Result<Option<Event>> {
    if !event::poll(LOOK)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        event::Event::Key(key) => Some(Event::Key(key)),
        event::Event::Mouse(mouse) => Some(Event::Mouse(mouse)),
        event::Event::Paste(text) => Some(Event::Paste(text)),
        event::Event::Resize(width, height) => Some(Event::Resize(width, height)),
        event::Event::FocusGained | event::Event::FocusLost => None,
    })
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste
    )
    .inspect_err(|_| give_back())
}

/// Leaves the terminal as it was found. Does nothing where it is not ours.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Each on its own: what fails must not keep the rest from being done.
    let mut out = io::stdout();
    execute!(out, DisableBracketedPaste, DisableMouseCapture).ok();
    execute!(out, LeaveAlternateScreen, Show).ok();
    out.flush().ok();
    disable_raw_mode().ok();
}

/// Has a panic, on whichever thread, end the program with the terminal given back: a screen whose
/// reader has died would go on as if all were well. Nothing is unwound in a release build, so
/// nothing but a hook runs there.
fn give_back_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let was_ours = TAKEN.load(Ordering::SeqCst);
        give_back();
        before(info);
        if was_ours {
            std::process::exit(101);
        }
    }));
}
