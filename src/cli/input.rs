//! Text that is given as an argument, or with `-` on standard input.

use std::io::{self, Read};

use super::error::CliError;

/// What stands for standard input.
pub const STDIN: &str = "-";

/// How much is read, in bytes: more than any text may have, so that what is too long is told by
/// its length, and yet not without end.
const READ_MAX: u64 = 1024 * 1024;

/// Returns the text of an argument; `-` reads standard input to its end.
///
/// # Errors
///
/// Usage errors if the input is not UTF-8 or has no end in sight; whether the text is empty or too
/// long for what it is meant for is checked where it is used.
pub fn read_text(argument: &str) -> Result<String, CliError> {
    if argument == STDIN {
        read_to_end(io::stdin().lock())
    } else {
        Ok(argument.to_owned())
    }
}

fn read_to_end(input: impl Read) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    input
        .take(READ_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| CliError::failed("cannot read standard input").caused_by(error))?;
    if bytes.len() as u64 > READ_MAX {
        return Err(CliError::usage("standard input has more than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CliError::usage(format!("standard input is not UTF-8: see byte {at}"))
    })?;
    // Some editors begin a file with a byte order mark, which is no part of the text.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_its_own_text() {
        assert_eq!(read_text("done").unwrap(), "done");
        assert_eq!(read_text("").unwrap(), "");
    }

    #[test]
    fn input_is_read_whole() {
        let text = "one\r\ntwo — three\n".repeat(5_000);
        assert_eq!(read_to_end(text.as_bytes()).unwrap(), text);
        assert_eq!(read_to_end("\u{feff}one".as_bytes()).unwrap(), "one");
        assert_eq!(read_to_end(&b""[..]).unwrap(), "");
    }

    #[test]
    fn input_that_is_no_text() {
        let error = read_to_end(&b"caf\xe9"[..]).unwrap_err();
        assert_eq!(error.message(), "standard input is not UTF-8: see byte 3");
        let error = read_to_end(io::repeat(b'x')).unwrap_err();
        assert_eq!(error.message(), "standard input has more than 1 MiB");
    }
}
