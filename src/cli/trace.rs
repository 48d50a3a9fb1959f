//! What the program does, for whoever looks into it: nothing, unless it is asked for.

use std::io;

use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::time;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

/// Says what to tell: a level, or `TARGET=LEVEL`, joined by commas.
const VARIABLE: &str = "REFLECTT_LOG";

/// Tells on standard error what is done from now on, if the user or the environment wants that.
///
/// # Errors
///
/// Says what is wrong with the variable; then nothing is told.
pub fn start(verbose: bool) -> Result<(), String> {
    let wanted = std::env::var_os(VARIABLE).filter(|text| !text.is_empty());
    let targets = match wanted {
        Some(text) => {
            let text = text.to_string_lossy();
            let wrong = |error: ParseError| {
                let text = text.escape_debug();
                format!("{VARIABLE}: `{text}` is no filter ({error}); `debug` tells all")
            };
            text.parse::<Targets>().map_err(wrong)?
        }
        None if verbose => Targets::new().with_default(LevelFilter::DEBUG),
        None => return Ok(()),
    };
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_timer(time::uptime())
        .with_filter(targets);
    // Started twice in one process, as no program does, the first counts.
    registry().with(lines).try_init().ok();
    Ok(())
}
