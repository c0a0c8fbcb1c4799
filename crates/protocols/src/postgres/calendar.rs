//! Days and times as PostgreSQL writes them (manual, "Date/Time Output"): in the style ISO, and read in all four.

/// Days from 0000-03-01 to 2000-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_2000: i64 = 730_425;
/// Microseconds.
pub(super) const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;

/// A day, counted from 2000-01-01, by counting years from March, so that a leap day ends them: 400 years are 146,097 days.
pub(super) fn day(days: i64) -> String {
    let days = days + DAYS_TO_2000;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year_of_era + next;
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} BC", 1 - year)
    }
}

/// The same of the type `date`, which has two days that never come.
pub(super) fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        days => day(days.into()),
    }
}

/// Microseconds since midnight.
pub(super) fn time(micros: i64) -> String {
    let (secs, rest) = (micros.div_euclid(SECOND), micros.rem_euclid(SECOND));
    let text = format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60);
    if rest == 0 {
        text
    } else {
        format!("{text}.{rest:06}").trim_end_matches('0').to_owned()
    }
}

/// Microseconds since 2000-01-01 00:00; `zone` stands behind the time.
pub(super) fn timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => return "infinity".to_owned(),
        i64::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (date, time) = (day(micros.div_euclid(DAY)), time(micros.rem_euclid(DAY)));
    match date.strip_suffix(" BC") {
        Some(date) => format!("{date} {time}{zone} BC"),
        None => format!("{date} {time}{zone}"),
    }
}

/// A time with its zone's offset, which `timetz` counts in seconds to the west.
pub(super) fn time_and_zone(micros: i64, west: i32) -> String {
    let (sign, secs) = (if west > 0 { '-' } else { '+' }, west.unsigned_abs());
    let mut zone = format!("{sign}{:02}", secs / 3_600);
    let (minutes, secs) = (secs / 60 % 60, secs % 60);
    if minutes != 0 || secs != 0 {
        zone.push_str(&format!(":{minutes:02}"));
    }
    if secs != 0 {
        zone.push_str(&format!(":{secs:02}"));
    }
    time(micros) + &zone
}

/// An interval in the style `postgres`.
pub(super) fn interval(micros: i64, days: i32, months: i32) -> String {
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) => return "infinity".to_owned(),
        (i64::MIN, i32::MIN, i32::MIN) => return "-infinity".to_owned(),
        _ => {}
    }
    let mut parts = Vec::new();
    let mut before = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            let plus = if before && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{plus}{count} {unit}{plural}"));
            before = count < 0;
        }
    }
    if micros != 0 || parts.is_empty() {
        let sign = match (micros < 0, before) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        let micros = i64::try_from(micros.unsigned_abs()).unwrap_or(i64::MAX);
        parts.push(format!("{sign}{}", time(micros)));
    }
    parts.join(" ")
}

/// A day in any of the styles, counted from 2000-01-01; `None` where it could be two.
pub(super) fn read_day(text: &str) -> Option<i64> {
    let (text, bc) = without_bc(text);
    days(read_parts(text)?, bc)
}

/// The days that a text in figures may be: that of [`read_day`], or the two of which it is one.
pub(super) fn read_days(text: &str) -> Vec<i64> {
    let (text, bc) = without_bc(text.trim());
    let one = read_parts(text);
    let two = || {
        let (year, first, second) = behind_year(text)?;
        Some([(year, first, second), (year, second, first)])
    };
    let read = match one {
        Some(one) => vec![one],
        None => two().map(Vec::from).unwrap_or_default(),
    };
    read.into_iter().filter_map(|day| days(day, bc)).collect()
}

/// A time and day in any of the styles, in microseconds since 2000-01-01 00:00, of which one with a zone is that of UTC; `None`
/// where it could be two, or goes by a zone's name.
pub(super) fn read_timestamp(text: &str, zoned: bool) -> Option<i64> {
    let (text, bc) = without_bc(text);
    let (date, time, zone) = if text.starts_with(|char: char| char.is_ascii_alphabetic()) {
        let mut words = text.split(' ').skip(1);
        let (first, second) = (words.next()?, words.next()?);
        let (time, year) = (words.next()?, number(words.next()?, 4..=6)?);
        let (name, day) = match month(first) {
            Some(month) => (month, second),
            None => (month(second)?, first),
        };
        let zone = words.next();
        words.next().is_none().then_some(())?;
        ((year, name, number(day, 1..=2)?), time, zone)
    } else {
        let (date, time) = text.split_once([' ', 'T'])?;
        let (time, zone) = match time.find([' ', '+', '-', 'Z']) {
            Some(at) => {
                let (time, zone) = time.split_at_checked(at)?;
                (time, Some(zone.trim_start()))
            }
            None => (time, None),
        };
        (read_parts(date)?, time, zone)
    };
    let east = match (zoned, zone) {
        (true, Some(zone)) => read_zone(zone)?,
        (false, None) => 0,
        _ => return None,
    };
    days(date, bc)?
        .checked_mul(DAY)?
        .checked_add(read_time(time)? - east)
}

/// Microseconds since midnight.
pub(super) fn read_time(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':').map(|part| number(part, 2..=2));
    let (hours, minutes, secs) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = parts.next().is_none() && hours <= 24 && minutes < 60 && secs <= 60;
    fits.then_some(())?;
    let micros = match fraction {
        "" => 0,
        fraction => number(&format!("{fraction:0<6}"), 6..=6)?,
    };
    Some(((hours * 60 + minutes) * 60 + secs) * SECOND + micros)
}

fn without_bc(text: &str) -> (&str, bool) {
    match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    }
}

/// Year, month and day.
fn read_parts(text: &str) -> Option<(i64, i64, i64)> {
    if let Some((day, rest)) = text.split_once('.') {
        let (month, year) = rest.split_once('.')?;
        return Some((
            number(year, 4..=7)?,
            number(month, 1..=2)?,
            number(day, 1..=2)?,
        ));
    }
    let iso = || {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        Some((
            number(year, 4..=7)?,
            number(month, 2..=2)?,
            number(day, 2..=2)?,
        ))
    };
    iso().or_else(|| match behind_year(text)? {
        (year, first, second) if first > 12 || first == second => Some((year, second, first)),
        (year, first, second) if second > 12 => Some((year, first, second)),
        _ => None,
    })
}

/// The year, and the two numbers before it, in the styles SQL and Postgres, where the session says which of them is the month.
fn behind_year(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(['/', '-']);
    let (first, second) = (number(parts.next()?, 1..=2)?, number(parts.next()?, 1..=2)?);
    let year = number(parts.next()?, 4..=7)?;
    parts.next().is_none().then_some((year, first, second))
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let fits = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn month(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let at = MONTHS.iter().position(|month| *month == name)?;
    i64::try_from(at + 1).ok()
}

/// Microseconds to the east.
fn read_zone(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "UTC" | "GMT") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut secs = 0;
    let mut unit = 3_600;
    for part in rest.split(':') {
        secs += number(part, 2..=2)? * unit;
        unit /= 60;
    }
    Some(sign * secs * SECOND)
}

fn days((year, month, day): (i64, i64, i64), bc: bool) -> Option<i64> {
    let year = if bc { 1 - year } else { year };
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then_some(())?;
    let (years, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (years.div_euclid(400), years.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_2000;
    // The thirtieth of February is no day.
    let text = self::day(days);
    let (_, read) = text.trim_end_matches(" BC").rsplit_once('-')?;
    (number(read, 2..=2)? == day).then_some(days)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

    use super::*;

    #[test]
    fn a_day_is_the_same_in_all_styles() {
        let day = read_day("1985-03-31").unwrap();
        assert_eq!(date(i32::try_from(day).unwrap()), "1985-03-31");
        for text in [
            "03/31/1985",
            "31/03/1985",
            "03-31-1985",
            "31-03-1985",
            "31.03.1985",
        ] {
            assert_eq!(read_day(text), Some(day), "{text}");
        }
        assert_eq!(
            read_day("0044-03-15 BC").map(self::day).unwrap(),
            "0044-03-15 BC"
        );
        for text in [
            "03/04/1985",
            "1985-02-30",
            "1985-13-01",
            "infinity",
            "",
            "1985",
        ] {
            assert_eq!(read_day(text), None, "{text}");
        }
        let two: Vec<_> = read_days("03/04/1985").into_iter().map(self::day).collect();
        assert_eq!(two, ["1985-03-04", "1985-04-03"]);
        assert_eq!(read_days("03/03/1985").len(), 1);
    }

    #[test]
    fn a_moment_is_the_same_in_all_styles_and_zones() {
        let moment = read_timestamp("1985-03-31 22:30:05.25+00", true).unwrap();
        assert_eq!(timestamp(moment, "+00"), "1985-03-31 22:30:05.25+00");
        for text in [
            "1985-04-01 00:30:05.25+02",
            "1985-03-31T22:30:05.25Z",
            "1985-03-31 17:00:05.25-05:30",
            "03/31/1985 22:30:05.25 UTC",
            "31.03.1985 22:30:05.25 UTC",
            "Sun Mar 31 22:30:05.25 1985 UTC",
            "Sun 31 Mar 22:30:05.25 1985 UTC",
        ] {
            assert_eq!(read_timestamp(text, true), Some(moment), "{text}");
        }
        assert_eq!(
            read_timestamp("1985-03-31 22:30:05.25", false),
            Some(moment)
        );
        for text in [
            "1985-03-31 22:30:05 CEST",
            "1985-03-31 22:30:05",
            "1985-03-31",
        ] {
            assert_eq!(read_timestamp(text, true), None, "{text}");
        }
    }

    #[test]
    fn intervals_are_written_as_the_server_writes_them() {
        let hour = 3_600 * SECOND;
        assert_eq!(
            interval(4 * hour + 5, 3, 14),
            "1 year 2 mons 3 days 04:00:00.000005"
        );
        assert_eq!(interval(0, 0, 0), "00:00:00");
        assert_eq!(interval(hour, -3, 0), "-3 days +01:00:00");
        assert_eq!(interval(-hour, 1, -1), "-1 mons +1 day -01:00:00");
        assert_eq!(time_and_zone(hour, -7_200), "01:00:00+02");
        assert_eq!(time_and_zone(hour, 19_800), "01:00:00-05:30");
    }
}
