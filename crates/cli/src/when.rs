//! Times and lengths of time, as people write and read them.

use std::time::Duration;

use gateway::clock::Clock;
use model::Timestamp;

/// The present.
pub(crate) fn now() -> Timestamp {
    Clock::system().now()
}

/// A length of time with its unit: `30s`, `15m`, `1h`, `2d`.
///
/// # Errors
/// Says how to write one.
pub(crate) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a length of time: write it like 30s, 15m, 1h or 2d");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let secs = match text.get(digits.len()..) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 60 * 60,
        Some("d") => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    count
        .checked_mul(secs)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// A point in time: RFC 3339, a date (its midnight in UTC), or a length of time ago.
///
/// # Errors
/// Says how to write one.
pub(crate) fn point(text: &str) -> Result<Timestamp, String> {
    point_from(text, now())
}

fn point_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(ago) = length(text) {
        let micros = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
        return Ok(now.plus_micros(micros.saturating_neg()));
    }
    let midnight = format!("{text}T00:00:00Z");
    Timestamp::parse(text)
        .or_else(|_| Timestamp::parse(&midnight))
        .map_err(|_| {
            format!("{text:?} is not a time: write 2026-01-31T09:30:00Z, 2026-01-31 (midnight UTC), or 24h for a day ago")
        })
}

/// A time to the second, for lists: `2026-01-31 09:30:00`. UTC.
pub(crate) fn short(at: Timestamp) -> String {
    let text = at.to_string();
    text.chars()
        .take(19)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect()
}

/// The length of time between two points in its largest units: `45s`, `12m`, `3h 05m`, `2d 4h`.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> String {
    let secs = to.micros().saturating_sub(from.micros()).max(0) / 1_000_000;
    match secs {
        0..60 => format!("{secs}s"),
        60..3_600 => format!("{}m {:02}s", secs / 60, secs % 60),
        3_600..86_400 => format!("{}h {:02}m", secs / 3_600, secs % 3_600 / 60),
        _ => format!("{}d {}h", secs / 86_400, secs % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_need_a_unit() {
        for (text, secs) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("1h", 3_600),
            ("2d", 172_800),
        ] {
            assert_eq!(length(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in [
            "",
            "1",
            "h",
            "-1h",
            "1.5h",
            "1 h",
            "1w",
            "1ms",
            "99999999999999999999d",
        ] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn points_are_times_dates_or_ago() {
        let now = Timestamp::parse("2026-02-01T12:00:00Z").unwrap();
        for (text, expect) in [
            ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000000Z"),
            ("2026-01-31T09:30:00+01:00", "2026-01-31T08:30:00.000000Z"),
            ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
            ("24h", "2026-01-31T12:00:00.000000Z"),
        ] {
            assert_eq!(point_from(text, now).unwrap().to_string(), expect, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "2026-01-31 09:30"] {
            assert!(point_from(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_short_for_lists() {
        let from = Timestamp::parse("2026-01-31T09:30:00.123456Z").unwrap();
        assert_eq!(short(from), "2026-01-31 09:30:00");
        for (secs, expect) in [
            (-5, "0s"),
            (59, "59s"),
            (61, "1m 01s"),
            (3_660, "1h 01m"),
            (90_000, "1d 1h"),
        ] {
            assert_eq!(between(from, from.plus_micros(secs * 1_000_000)), expect);
        }
    }
}
