//! Ranges of objects (RFC 9110 section 14): which part is wanted, and what must be read to mask it as in the whole.

use super::classify::{Call, Wire};
use crate::http::Head;

/// So many bytes around a part are read too: what is found in it depends on no more than that.
pub const AROUND_BYTES: u64 = 2 * mask::STREAM_HOLD_BYTES as u64;

/// The part of an object that a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// From a byte to another, or to the end.
    From(u64, Option<u64>),
    /// So many last bytes.
    Last(u64),
}

impl Wanted {
    /// Reads a `Range`. `None` where it is not one range of bytes.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let (first, last) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| -> Option<u64> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        match (first, last) {
            ("", last) => number(last).filter(|last| *last > 0).map(Self::Last),
            (first, "") => number(first).map(|first| Self::From(first, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// The `Range` that takes in what is around it.
    #[must_use]
    pub fn widened(self) -> String {
        match self {
            Self::Last(count) => format!("bytes=-{}", count.saturating_add(AROUND_BYTES)),
            Self::From(first, last) => {
                let first = first.saturating_sub(AROUND_BYTES);
                let last = last.map(|last| last.saturating_add(AROUND_BYTES).to_string());
                format!("bytes={first}-{}", last.unwrap_or_default())
            }
        }
    }

    /// The `Range` that takes in all that is before it too.
    #[must_use]
    pub fn from_the_start(self) -> String {
        match self {
            Self::From(_, Some(last)) => format!("bytes=0-{}", last.saturating_add(AROUND_BYTES)),
            Self::From(_, None) | Self::Last(_) => "bytes=0-".to_owned(),
        }
    }

    /// Whether a part from `read` to `until` of an object of `total` bytes holds all that [`widened`](Self::widened) takes in.
    #[must_use]
    pub fn is_covered(self, read: u64, until: u64, total: u64) -> bool {
        let wide = match self {
            Self::Last(count) => Self::Last(count.saturating_add(AROUND_BYTES)),
            Self::From(first, last) => Self::From(
                first.saturating_sub(AROUND_BYTES),
                last.map(|last| last.saturating_add(AROUND_BYTES)),
            ),
        };
        wide.within(total)
            .is_some_and(|(first, last)| read <= first && until >= last)
    }

    /// Its first and last byte in an object of `total` bytes. `None` where it has none.
    #[must_use]
    pub fn within(self, total: u64) -> Option<(u64, u64)> {
        let end = total.checked_sub(1)?;
        match self {
            Self::Last(count) => Some((total.saturating_sub(count), end)),
            Self::From(first, _) if first > end => None,
            Self::From(first, last) => Some((first, last.map_or(end, |last| last.min(end)))),
        }
    }
}

/// Whether a request copies an object, or a part of it, into a part of another. What a value was cut into nobody knows for one
/// again, and whoever is to put the parts together must be told digests of them.
#[must_use]
pub fn copies_part(call: &Call, head: &Head) -> bool {
    let of_part = call.operation.is_some_and(|it| it.name == "UploadPartCopy");
    call.wire == Wire::S3 && (of_part || head.fields.has("x-amz-copy-source-range"))
}

/// First byte, last byte and the object's length of a `Content-Range`.
#[must_use]
pub fn content_range(value: &str) -> Option<(u64, u64, u64)> {
    let (span, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, total) = (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (first <= last && last < total).then_some((first, last, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_widened() {
        let around = AROUND_BYTES;
        let text = format!("bytes=5-{}", 9 + around);
        for (value, wanted, widened) in [
            (
                "bytes=0-9",
                Wanted::From(0, Some(9)),
                format!("bytes=0-{}", 9 + around),
            ),
            (
                text.as_str(),
                Wanted::From(5, Some(9 + around)),
                format!("bytes=0-{}", 9 + 2 * around),
            ),
            ("bytes=7-", Wanted::From(7, None), "bytes=0-".to_owned()),
            (
                "bytes=-4",
                Wanted::Last(4),
                format!("bytes=-{}", 4 + around),
            ),
        ] {
            assert_eq!(Wanted::read(value), Some(wanted), "{value}");
            assert_eq!(wanted.widened(), widened);
        }
        let whole = [
            Wanted::From(7, Some(9)),
            Wanted::From(7, None),
            Wanted::Last(4),
        ];
        assert_eq!(
            whole.map(Wanted::from_the_start),
            [
                format!("bytes=0-{}", 9 + around),
                "bytes=0-".to_owned(),
                "bytes=0-".to_owned()
            ]
        );
        let huge = Wanted::From(u64::MAX, Some(u64::MAX));
        assert_eq!(
            huge.widened(),
            format!("bytes={}-{}", u64::MAX - around, u64::MAX)
        );
        for bad in [
            "bytes=1-2,4-5",
            "bytes=2-1",
            "bytes=-",
            "bytes=-0",
            "lines=1-2",
            "bytes=+1-2",
            "",
        ] {
            assert_eq!(Wanted::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_around_a_part_must_be_there_too() {
        let around = AROUND_BYTES;
        let wanted = Wanted::From(around + 10, Some(around + 19));
        let total = 10 * around;
        for (read, until, covered) in [
            (10, 2 * around + 19, true),
            (0, total - 1, true),
            (11, 2 * around + 19, false),
            (10, 2 * around + 18, false),
            (around + 10, around + 19, false),
        ] {
            assert_eq!(
                wanted.is_covered(read, until, total),
                covered,
                "{read} {until}"
            );
        }
        // An object ends where it ends.
        assert!(wanted.is_covered(0, around + 29, around + 30));
        assert!(Wanted::Last(4).is_covered(0, 9, 10));
        assert!(!Wanted::Last(4).is_covered(6, 9, 10));
        assert!(!Wanted::From(4, None).is_covered(0, 8, 10));
    }

    #[test]
    fn ranges_lie_within_objects() {
        assert_eq!(Wanted::From(3, Some(90)).within(10), Some((3, 9)));
        assert_eq!(Wanted::From(3, Some(4)).within(10), Some((3, 4)));
        assert_eq!(Wanted::From(10, None).within(10), None);
        assert_eq!(Wanted::Last(4).within(10), Some((6, 9)));
        assert_eq!(Wanted::Last(40).within(10), Some((0, 9)));
        assert_eq!(Wanted::Last(4).within(0), None);
        assert_eq!(content_range("bytes 3-9/10"), Some((3, 9, 10)));
        for bad in [
            "bytes */10",
            "bytes 3-10/10",
            "bytes 3-2/10",
            "bytes 3-9/*",
            "3-9/10",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
