//! Times as AWS writes them in signatures: `20150830T123600Z` (ISO 8601 basic format, UTC, whole seconds).

use model::Timestamp;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Such a text, for a time between the years 1970 and 9999.
#[must_use]
pub fn write(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The time that such a text names; `None` where it is not exactly of that form.
#[must_use]
pub fn read(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let small = |from, to| number(from, to).and_then(|number| u8::try_from(number).ok());
    let year = i32::try_from(number(0, 4)?).ok()?;
    let month = Month::try_from(small(4, 6)?).ok()?;
    let date = Date::from_calendar_date(year, month, small(6, 8)?).ok()?;
    let time = Time::from_hms(small(9, 11)?, small(11, 13)?, small(13, 15)?).ok()?;
    let at = PrimitiveDateTime::new(date, time)
        .assume_utc()
        .unix_timestamp();
    Some(Timestamp::from_secs(at)).filter(|_| at >= 0)
}

/// The same instant as RFC 3339 has it with whole seconds, `2015-08-30T12:36:00Z`: what STS answers with.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    let text = write(at);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(9, 11),
        part(11, 13),
        part(13, 15)
    )
}
