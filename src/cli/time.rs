//! How times and durations read. Both count milliseconds; dates are in UTC.

use chrono::{DateTime, SecondsFormat, Utc};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Returns `then` as seen from `now`: `just now`, `42s ago`, `2d ago`, or the date after a week.
///
/// Clocks of two machines differ, so a time can lie ahead: `in 5m`.
pub fn relative(now: i64, then: i64) -> String {
    let age = now.saturating_sub(then);
    let distance = age.saturating_abs();
    let amount = match distance {
        0..5_000 => return "just now".to_owned(),
        5_000..MINUTE => format!("{}s", distance / SECOND),
        MINUTE..HOUR => format!("{}m", distance / MINUTE),
        HOUR..DAY => format!("{}h", distance / HOUR),
        DAY..WEEK => format!("{}d", distance / DAY),
        _ => return date(then),
    };
    if age < 0 {
        format!("in {amount}")
    } else {
        format!("{amount} ago")
    }
}

/// Returns the date of a time, as `2026-11-20`.
pub fn date(at: i64) -> String {
    utc(at).format("%Y-%m-%d").to_string()
}

/// Returns a time as JSON carries it, as `2026-11-20T14:47:05Z`, with milliseconds if it has any.
pub fn rfc3339(at: i64) -> String {
    let format = if at % SECOND == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Millis
    };
    utc(at).to_rfc3339_opts(format, true)
}

/// Returns a duration exactly, as settings write it: `90s`, `45m`, `2h`, `1h30m`.
pub fn duration(millis: u64) -> String {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    // Up to two minutes, seconds read better than `1m30s`.
    let units = if seconds < 120 && seconds != 60 {
        [(0, "h"), (0, "m"), (seconds, "s"), (rest, "ms")]
    } else {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        [
            (hours, "h"),
            (minutes, "m"),
            (seconds % 60, "s"),
            (rest, "ms"),
        ]
    };
    let parts = units.iter().filter(|(amount, _)| *amount > 0);
    let text: String = parts
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// A time no calendar can hold reads as the nearest one it can, rather than fail a whole listing.
fn utc(at: i64) -> DateTime<Utc> {
    let nearest = if at < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp_millis(at).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T14:47:05Z
    const NOW: i64 = 1_795_186_025_000;

    #[test]
    fn ages() {
        for (age, text) in [
            (0, "just now"),
            (4_999, "just now"),
            (5_000, "5s ago"),
            (42_900, "42s ago"),
            (59_999, "59s ago"),
            (MINUTE, "1m ago"),
            (5 * MINUTE, "5m ago"),
            (HOUR - 1, "59m ago"),
            (3 * HOUR, "3h ago"),
            (DAY, "1d ago"),
            (7 * DAY - 1, "6d ago"),
            (7 * DAY, "2026-11-13"),
            (365 * DAY, "2025-11-20"),
        ] {
            assert_eq!(relative(NOW, NOW - age), text, "{age}");
        }
    }

    #[test]
    fn clocks_that_run_ahead() {
        for (ahead, text) in [
            (3_000, "just now"),
            (30_000, "in 30s"),
            (5 * MINUTE, "in 5m"),
            (2 * DAY, "in 2d"),
            (30 * DAY, "2026-12-20"),
        ] {
            assert_eq!(relative(NOW, NOW + ahead), text, "{ahead}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(date(NOW), "2026-11-20");
        assert_eq!(rfc3339(NOW), "2026-11-20T14:47:05Z");
        assert_eq!(rfc3339(NOW + 250), "2026-11-20T14:47:05.250Z");
        assert_eq!(rfc3339(-1_000), "1969-12-31T23:59:59Z");
        // The extremes print something and do not panic.
        assert!(relative(i64::MAX, i64::MIN).starts_with('-'));
        assert!(relative(i64::MIN, i64::MAX).starts_with('+'));
    }

    #[test]
    fn durations() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1_000, "1s"),
            (1_500, "1s500ms"),
            (60_000, "1m"),
            (90_000, "90s"),
            (120_000, "2m"),
            (125_000, "2m5s"),
            (45 * 60_000, "45m"),
            (60 * 60_000, "1h"),
            (90 * 60_000, "1h30m"),
            (120 * 60_000, "2h"),
            (3_605_000, "1h5s"),
            (48 * 3_600_000, "48h"),
        ] {
            assert_eq!(duration(millis), text, "{millis}");
        }
    }
}
