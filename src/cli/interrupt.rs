//! Ending what a command has started when the command itself is to end.
//!
//! What a check starts is in a session of its own, which Ctrl-C at the terminal does not reach.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::git::Cancel;

/// Lets the first signal that would end this process cancel what it does, and the next one end it.
///
/// A thread takes the signals from the handler, which may do next to nothing. It ends with the
/// program.
pub fn cancels(cancel: Cancel) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            if cancel.is_cancelled() {
                emulate_default_handler(signal).ok();
            }
            cancel.cancel();
        }
    })?;
    Ok(())
}
