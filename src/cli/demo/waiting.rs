//! Waiting for something that will happen, and not for ever.

use std::thread;
use std::time::{Duration, Instant};

use crate::cli::error::CliError;

/// How often to look, and for how long at most.
const LOOK: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until there is something to return.
///
/// Gives up after a while, and says then what was `still` so.
pub fn until<T>(
    still: &str,
    mut look: impl FnMut() -> Result<Option<T>, CliError>,
) -> Result<T, CliError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            let patience = PATIENCE.as_secs();
            return Err(CliError::failed(format!("after {patience} s {still}")));
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_until_there_is_something() {
        let mut looks = 0;
        let found = until("nothing is there", || {
            looks += 1;
            Ok((looks == 3).then_some("it"))
        });
        assert_eq!((found.unwrap(), looks), ("it", 3));
        let failed = until("unused", || Err::<Option<()>, _>(CliError::failed("no")));
        assert_eq!(failed.unwrap_err().message(), "no");
    }
}
