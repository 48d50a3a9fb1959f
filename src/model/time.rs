//! Instants and spans, in milliseconds.

use std::fmt;
use std::str::FromStr;

/// An instant: milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the time since `earlier`, zero if that lies in the future.
    pub fn since(self, earlier: Timestamp) -> Span {
        Span::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    #[must_use]
    pub fn plus(self, span: Span) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)),
        )
    }
}

/// A length of time: milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis)
    }

    pub const fn from_secs(secs: u64) -> Span {
        Span(secs.saturating_mul(1000))
    }

    pub const fn from_mins(mins: u64) -> Span {
        Span::from_secs(mins.saturating_mul(60))
    }

    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl From<Span> for std::time::Duration {
    fn from(span: Span) -> Self {
        std::time::Duration::from_millis(span.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration; write it like `90s`, `45m`, `2h` or `1h30m`")]
pub struct SpanError(String);

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

impl FromStr for Span {
    type Err = SpanError;

    /// Reads `90s`, `45m`, `2h`, `1h30m`: numbers with a unit (`d h m s ms`), largest first.
    fn from_str(text: &str) -> Result<Span, SpanError> {
        let error = || SpanError(text.to_owned());
        let mut rest = text;
        let mut total: u64 = 0;
        let mut last = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let (number, tail) = rest.split_at(digits);
            let end = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            let scale = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(error)?
                .1;
            let number: u64 = number.parse().map_err(|_| error())?;
            if scale >= last {
                return Err(error());
            }
            last = scale;
            total = number
                .checked_mul(scale)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(error)?;
            rest = tail;
        }
        if last == u64::MAX {
            Err(error())
        } else {
            Ok(Span(total))
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, scale) in UNITS {
            if rest >= scale {
                write!(f, "{}{unit}", rest / scale)?;
                rest %= scale;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print() {
        for text in ["90s", "45m", "2h", "1h30m", "3d", "250ms", "1m1s1ms"] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span, "{text}");
        }
        assert_eq!("90s".parse::<Span>().unwrap(), Span::from_secs(90));
        assert_eq!("1h30m".parse::<Span>().unwrap(), Span::from_mins(90));
    }

    #[test]
    fn spans_that_are_none() {
        for text in [
            "",
            "5",
            "m",
            "5x",
            "-5m",
            "5 m",
            "30m1h",
            "1m1m",
            "99999999999999999999s",
            "é",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_in_the_future_is_no_time_ago() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Span::default());
    }
}
