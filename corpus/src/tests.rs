//! The corpus is what it says: repeatable, and every template can be filled.

use crate::{Random, documents, makers, templates};

#[test]
fn the_same_seed_gives_the_same_texts() {
    let texts = |seed| -> Vec<String> {
        let documents = documents(seed, 3);
        documents.into_iter().map(|it| it.text).collect()
    };
    assert_eq!(texts(1), texts(1));
    assert_ne!(texts(1), texts(2));
}

#[test]
fn labels_stand_where_they_say() {
    for document in documents(7, 5) {
        let mut end = 0;
        for label in &document.labels {
            assert!(
                label.start >= end && label.start < label.end,
                "{document:?}"
            );
            assert!(document.text.get(label.start..label.end).is_some());
            end = label.end;
        }
    }
}

#[test]
fn everything_that_can_be_made_is_used_and_nothing_else() {
    let lines = templates::SOURCES.iter().flat_map(|(_, lines)| *lines);
    let named = lines.flat_map(|line| line.split('«').skip(1));
    let mut named: Vec<&str> = named.filter_map(|it| Some(it.split_once('»')?.0)).collect();
    named.extend(templates::COLUMNS.iter().map(|(_, maker)| *maker));
    named.sort_unstable();
    named.dedup();
    let mut made: Vec<&str> = makers().map(|maker| maker.name).collect();
    made.sort_unstable();
    assert_eq!(named, made);
    let mut random = Random::new(3);
    assert!(makers().all(|maker| !(maker.make)(&mut random).is_empty()));
}
