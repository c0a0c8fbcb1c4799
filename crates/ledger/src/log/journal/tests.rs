//! Segments cut at every byte and flipped at every bit: torn is dropped, damaged is reported, nothing else is read.

use std::fs;

use tempfile::TempDir;

use super::super::storage::Disk;
use super::*;

/// A segment of three batches that begins at index 40: 3, 1 and 2 entries.
fn segment() -> (Vec<u8>, Vec<Vec<u8>>) {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join(OWN_DIR)).unwrap();
    let mut journal = Journal::resume(Arc::new(Disk), dir.path(), 40, &[]);
    let entries: Vec<Vec<u8>> = [5, 200, 1, 64, 30, 90]
        .iter()
        .map(|length| vec![b'e'; *length])
        .collect();
    for batch in [0..3, 3..4, 4..6] {
        let batch: Vec<Entry> = entries[batch].iter().cloned().map(Entry::new).collect();
        journal.append(&batch).unwrap();
    }
    (
        fs::read(&journal.current.as_ref().unwrap().path).unwrap(),
        entries,
    )
}

/// Where batches begin, and how many entries come before each.
fn batches(bytes: &[u8]) -> Vec<(usize, usize)> {
    let starts = (0..bytes.len())
        .step_by(ALIGN)
        .filter(|at| bytes[*at..].starts_with(BATCH));
    starts.zip([0, 3, 4]).collect()
}

#[test]
fn a_segment_is_read_back() {
    let (bytes, entries) = segment();
    assert_eq!(bytes.len() % ALIGN, 0);
    assert_eq!(batches(&bytes).len(), 3);
    let content = read_segment(&bytes);
    assert_eq!(content.next_index(), Some(46));
    assert_eq!(
        content,
        SegmentContent {
            first: Some(40),
            entries,
            corrupt_at: None
        }
    );
}

#[test]
fn a_segment_cut_anywhere_gives_the_batches_before_the_cut() {
    let (bytes, entries) = segment();
    for cut in 0..bytes.len() {
        let content = read_segment(&bytes[..cut]);
        let whole = [(3, 1), (4, 2), (6, 3)].iter().rev().find(|(_, batch)| {
            let (start, _) = batches(&bytes)[batch - 1];
            let length =
                u32::from_be_bytes(bytes[start + 20..start + 24].try_into().unwrap()) as usize;
            start + HEADER + length <= cut
        });
        let expected = whole.map_or(0, |(count, _)| *count);
        assert_eq!(content.entries, entries[..expected], "cut at {cut}");
        assert_eq!(content.corrupt_at, None, "cut at {cut}");
        assert_eq!(content.first.is_some(), cut >= HEADER);
        // The same with zeros behind, as a file system leaves it that had grown the file.
        let mut zeroed = bytes[..cut].to_vec();
        zeroed.resize(bytes.len() + 1000, 0);
        // Cut within a header, which no disk does, it is damage; cut elsewhere, it is the same torn batch.
        let content = read_segment(&zeroed);
        assert!(entries.starts_with(&content.entries));
        if cut % ALIGN == 0 {
            assert_eq!(
                (content.entries.len(), content.corrupt_at),
                (expected, None),
                "cut at {cut}, zeros behind"
            );
        }
    }
}

#[test]
fn a_flipped_bit_is_damage_wherever_it_is() {
    let (bytes, entries) = segment();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let content = read_segment(&flipped);
        // Every batch is sealed, so it was durable. Only padding says nothing, and a change of it changes nothing.
        assert!(entries.starts_with(&content.entries));
        assert!(
            content.corrupt_at.is_some() || content.entries == entries,
            "bit {bit}"
        );
        if content.corrupt_at.is_none() {
            assert_eq!(bytes[bit / 8], 0, "bit {bit}");
        }
    }
}

#[test]
fn a_lost_sector_is_damage_if_anything_follows_and_torn_if_nothing_does() {
    let (bytes, entries) = segment();
    for (start, before) in batches(&bytes) {
        let mut lost = bytes.clone();
        lost[start..start + HEADER].fill(0);
        let content = read_segment(&lost);
        assert_eq!(
            (content.entries.len(), content.corrupt_at),
            (before, Some(start))
        );
    }
    // Of the last batch, written but not sealed, the header did not arrive, the body did.
    let (start, before) = batches(&bytes)[2];
    let mut torn = bytes[..bytes.len() - HEADER].to_vec();
    torn[start..start + HEADER].fill(0);
    let content = read_segment(&torn);
    assert_eq!(
        (content.entries, content.corrupt_at),
        (entries[..before].to_vec(), None)
    );
    // Or the header did, and the body only in part.
    let mut torn = bytes[..bytes.len() - HEADER].to_vec();
    torn[start + HEADER + 10] ^= 1;
    let content = read_segment(&torn);
    assert_eq!(
        (content.entries, content.corrupt_at),
        (entries[..before].to_vec(), None)
    );
}

#[test]
fn records_of_another_place_are_not_taken_for_the_next() {
    let (bytes, entries) = segment();
    let starts = batches(&bytes);
    // The second batch left out: the third neither continues the index nor the chain.
    let mut spliced = bytes[..starts[1].0].to_vec();
    spliced.extend_from_slice(&bytes[starts[2].0..]);
    let content = read_segment(&spliced);
    assert_eq!(
        (content.entries, content.corrupt_at),
        (entries[..3].to_vec(), Some(starts[1].0))
    );
    // The first batch twice.
    let mut doubled = bytes[..starts[1].0].to_vec();
    doubled.extend_from_slice(&bytes[starts[0].0..]);
    assert_eq!(read_segment(&doubled).corrupt_at, Some(starts[1].0));
    // No segment header.
    assert_eq!(read_segment(&bytes[HEADER..]).corrupt_at, Some(0));
}

#[test]
fn old_segments_go_when_their_entries_stand_in_tiles() {
    let dir = TempDir::new().unwrap();
    let own = dir.path().join(OWN_DIR);
    fs::create_dir(&own).unwrap();
    let mut journal = Journal::resume(Arc::new(Disk), dir.path(), 0, &[]);
    let large: Vec<Entry> = (0..70).map(|_| Entry::new(vec![1; 60_000])).collect();
    for _ in 0..6 {
        journal.append(&large).unwrap();
    }
    // 4.2 MB a batch, 8 MiB a segment: two batches fill one.
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&own)
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(),
        [
            "journal-00000000000000",
            "journal-00000000000001",
            "journal-00000000000002"
        ]
    );
    journal.prune(139);
    assert_eq!(names().len(), 3);
    journal.prune(140);
    assert_eq!(
        names(),
        ["journal-00000000000001", "journal-00000000000002"]
    );
    journal.prune(420);
    assert_eq!(names(), ["journal-00000000000002"]);
}
