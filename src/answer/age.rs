//! How times and durations read. Both count milliseconds; dates are in UTC.

use chrono::{DateTime, Utc};

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
        // The extremes print something and do not panic.
        assert!(relative(i64::MAX, i64::MIN).starts_with('-'));
        assert!(relative(i64::MIN, i64::MAX).starts_with('+'));
    }
}
