//! Where the parts of an upload meet: a value that stands across two of them is in neither.
//!
//! Of each part its first and last [`EDGE_BYTES`] are kept, which is as much as any finding depends on. What completes an upload
//! names its parts in their order, and by then each seam can be looked at, in whichever order they came.

use std::collections::BTreeSet;
use std::sync::Arc;

use mask::{Masker, STREAM_HOLD_BYTES};

use super::document;
use super::screen::{UNINSPECTED, characters, of_piece};

/// So much is kept of a part at either end: what is found at a place depends on no more around it.
pub const EDGE_BYTES: usize = STREAM_HOLD_BYTES;
/// At the far end of what is kept, half a word is left out up to this length: half a number may look like another.
const WORD_BYTES_MAX: usize = 1_024;
/// Parts that an upload may have: S3's own limit.
const PARTS_MAX: usize = 10_000;

/// What was seen of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    classes: BTreeSet<String>,
    edges: Edges,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Edges {
    /// All of it.
    Whole(Box<[u8]>),
    /// Its beginning and its end.
    Apart(Box<[u8]>, Box<[u8]>),
    /// Nothing is known of it.
    Unknown,
}

impl Seen {
    /// What was seen of a part that carries these classes; of one that was not held whole there is no `body`.
    #[must_use]
    pub fn new(classes: BTreeSet<String>, body: Option<&[u8]>) -> Self {
        let edges = match body {
            None => Edges::Unknown,
            Some(body) if body.len() <= 2 * EDGE_BYTES => Edges::Whole(body.into()),
            Some(body) => match (
                body.first_chunk::<EDGE_BYTES>(),
                body.last_chunk::<EDGE_BYTES>(),
            ) {
                (Some(first), Some(last)) => {
                    Edges::Apart(first.as_slice().into(), last.as_slice().into())
                }
                _ => Edges::Unknown,
            },
        };
        Self { classes, edges }
    }

    /// Nothing is known of the part.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new([UNINSPECTED.to_owned()].into(), None)
    }

    /// How much memory it takes, in bytes, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let names: usize = self.classes.iter().map(|class| class.len() + 32).sum();
        let edges = match &self.edges {
            Edges::Whole(whole) => whole.len(),
            Edges::Apart(first, last) => first.len() + last.len(),
            Edges::Unknown => 0,
        };
        names + edges + size_of::<Self>()
    }
}

/// The classes that an object carries which is made of these parts, in their order: those of each part, and what stands across
/// their seams.
#[must_use]
pub fn joined<'a>(
    parts: impl IntoIterator<Item = &'a Seen>,
    masker: &Arc<Masker>,
) -> BTreeSet<String> {
    let mut carried = BTreeSet::new();
    // A stretch of the object, and whether it goes on before it.
    let (mut stretch, mut before) = (Vec::new(), false);
    for part in parts {
        carried.extend(part.classes.iter().cloned());
        match &part.edges {
            Edges::Whole(whole) => stretch.extend_from_slice(whole),
            Edges::Apart(first, last) => {
                stretch.extend_from_slice(first);
                carried.extend(of_piece(inner(&stretch, before, true), masker));
                (stretch, before) = (last.to_vec(), true);
            }
            Edges::Unknown => {
                carried.extend(of_piece(inner(&stretch, before, true), masker));
                carried.insert(UNINSPECTED.to_owned());
                (stretch, before) = (Vec::new(), true);
            }
        }
    }
    carried.extend(of_piece(inner(&stretch, before, false), masker));
    carried
}

/// A stretch without half words where the object goes on.
fn inner(stretch: &[u8], before: bool, after: bool) -> &[u8] {
    let mut inner = characters(stretch, before, after);
    if before {
        let head = inner.get(..WORD_BYTES_MAX).unwrap_or(inner);
        let begins = head.iter().position(u8::is_ascii_whitespace).unwrap_or(0);
        inner = inner.get(begins..).unwrap_or_default();
    }
    if after {
        let from = inner.len().saturating_sub(WORD_BYTES_MAX);
        let tail = inner.get(from..).unwrap_or_default();
        let ends = tail.iter().rposition(u8::is_ascii_whitespace);
        let ends = ends.map_or(inner.len(), |at| from + at);
        inner = inner.get(..ends).unwrap_or_default();
    }
    inner
}

/// The parts that a CompleteMultipartUpload names, each with its number and ETag, in ascending order. `None` where it could be
/// read otherwise.
#[must_use]
pub fn completed(body: &[u8]) -> Option<Vec<(u32, String)>> {
    const ROOT: &str = "CompleteMultipartUpload";
    let mut parts: Vec<(u32, String)> = Vec::new();
    let (mut number, mut etag) = (None, None);
    document::read(body, ROOT, &["Part"], |path, text| {
        match path {
            [ROOT] => {}
            [ROOT, "Part"] => parts.push((number.take()?, etag.take()?)),
            [ROOT, "Part", "PartNumber"] if number.is_none() => number = Some(text.parse().ok()?),
            [ROOT, "Part", "ETag"] if etag.is_none() => {
                etag = Some(bare(&document::unescape(text)?).to_owned());
            }
            [ROOT, "Part", name] if name.starts_with("Checksum") => {}
            _ => return None,
        }
        Some(())
    })?;
    let ascending = parts.is_sorted_by(|(one, _), (next, _)| one < next);
    (ascending && !parts.is_empty() && parts.len() <= PARTS_MAX).then_some(parts)
}

/// An ETag without its quotes.
#[must_use]
pub fn bare(etag: &str) -> &str {
    etag.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use mask::MaskerConfig;

    use super::*;

    fn joins(parts: &[&[u8]]) -> BTreeSet<String> {
        let masker = Arc::new(Masker::new(MaskerConfig::default()));
        let seen: Vec<Seen> = parts
            .iter()
            .map(|part| {
                let text = characters(part, true, true);
                Seen::new(of_piece(text, &masker), Some(part))
            })
            .collect();
        joined(&seen, &masker)
    }

    fn classes(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A line of text, `length` bytes in all, ending in `end`.
    fn ending(end: &str, length: usize) -> Vec<u8> {
        let mut text = "some words ".repeat(length / 11 + 1).into_bytes();
        text.truncate(length - end.len() - 1);
        text.extend_from_slice(b"\n");
        text.extend_from_slice(end.as_bytes());
        text
    }

    #[test]
    fn a_value_across_a_seam_is_found_wherever_it_is_cut() {
        let card = "4111 1111 1111 1111";
        for length in [100, 2 * EDGE_BYTES, 2 * EDGE_BYTES + 1, 5 * EDGE_BYTES] {
            for cut in 1..card.len() {
                let (one, other) = card.split_at(cut);
                let after = [other.as_bytes(), b"\n", &ending("", length)].concat();
                let parts = [ending(one, length), after];
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                assert_eq!(joins(&parts), classes(&["pan"]), "{length} {cut}");
            }
            let (one, other) = (ending("4111 1111", length), ending("", length));
            assert_eq!(joins(&[&one, &other]), classes(&[]), "{length}");
        }
        // Across more than two, and characters too.
        assert_eq!(
            joins(&[b"a 4111 11", b"11 11", b"11 1111 "]),
            classes(&["pan"])
        );
        let text = "ü".repeat(40_000).into_bytes();
        let (one, other) = text.split_at(40_001);
        assert_eq!(joins(&[one, other]), classes(&[]));
        assert_eq!(joins(&[other, one]), classes(&[UNINSPECTED]));
        assert_eq!(joins(&[&one[..40_000], &one[..3]]), classes(&[UNINSPECTED]));
    }

    #[test]
    fn what_was_not_seen_may_hold_anything() {
        assert_eq!(joins(&[b"text", &[0, 1]]), classes(&[UNINSPECTED]));
        let masker = Arc::new(Masker::new(MaskerConfig::default()));
        assert_eq!(joined([&Seen::nothing()], &masker), classes(&[UNINSPECTED]));
        let long = Seen::new(BTreeSet::new(), None);
        assert_eq!(joined([&long], &masker), classes(&[UNINSPECTED]));
        // What was seen before it still counts.
        let seen = |text: &[u8]| Seen::new(BTreeSet::new(), Some(text));
        let parts = [seen(b"a 4111 1111"), seen(b" 1111 1111 b"), long];
        assert_eq!(joined(&parts, &masker), classes(&["pan", UNINSPECTED]));
    }

    #[test]
    fn the_parts_are_read_or_nothing_is() {
        let whole = |inner: &str| {
            let name = "CompleteMultipartUpload";
            completed(format!("<{name} xmlns=\"x\">{inner}</{name}>").as_bytes())
        };
        assert_eq!(
            whole(
                "<Part><ETag>\"a\"</ETag><PartNumber>1</PartNumber></Part> \
                 <Part><PartNumber>3</PartNumber><ChecksumCRC32>x</ChecksumCRC32><ETag>&quot;b&quot;</ETag></Part>"
            ),
            Some(vec![(1, "a".to_owned()), (3, "b".to_owned())])
        );
        let part =
            |number: u32| format!("<Part><PartNumber>{number}</PartNumber><ETag>a</ETag></Part>");
        for odd in [
            String::new(),
            part(2) + &part(1),
            part(1) + &part(1),
            "<Part><PartNumber>1</PartNumber></Part>".to_owned(),
            "<Part><PartNumber>1</PartNumber></Part><Part><ETag>a</ETag></Part>".to_owned(),
            "<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>a</ETag></Part>"
                .to_owned(),
            "<Part><PartNumber>1</PartNumber><ETag>a</ETag><Other>x</Other></Part>".to_owned(),
            "<PartNumber>1</PartNumber><ETag>a</ETag>".to_owned(),
        ] {
            assert_eq!(whole(&odd), None, "{odd}");
        }
    }
}
