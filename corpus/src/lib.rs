//! Labelled text to measure detectors with: letters, logs, source code, JSON, CSV and rows of tables, in which values of
//! protected classes stand beside what only looks like them.
//!
//! Values are made from the published formats of each class, the words around them from what such texts say, and
//! neither from the detectors. The same seed gives the same texts. Nothing in them is anybody's.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "lists and templates of this crate, which a test walks through whole"
)]

mod encoded;
mod look_alikes;
mod people;
mod random;
mod secrets;
mod templates;
mod values;

pub use random::Random;

/// A text, and what stands in it.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// What kind of text: `letters`, `logs`, `code`, `json`, `encoded`, `csv`, `rows`.
    pub source: &'static str,
    /// The column's name, for a value of a row; else empty.
    pub column: &'static str,
    /// The text.
    pub text: String,
    /// What stands where, in order.
    pub labels: Vec<Label>,
}

/// A piece of a text that is something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The class of data, such as `pan`; or for a look-alike what it is, such as `uuid`.
    pub name: &'static str,
    /// Whether it belongs to a class. Otherwise it only looks as if.
    pub protected: bool,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Makes one kind of value.
pub(crate) struct Maker {
    /// Its name in templates.
    pub(crate) name: &'static str,
    /// The label.
    pub(crate) label: &'static str,
    pub(crate) protected: bool,
    pub(crate) make: fn(&mut Random) -> String,
}

impl Maker {
    pub(crate) const fn of(
        label: &'static str,
        name: &'static str,
        make: fn(&mut Random) -> String,
    ) -> Self {
        Self {
            name,
            label,
            protected: true,
            make,
        }
    }
}

fn makers() -> impl Iterator<Item = &'static Maker> {
    values::MAKERS
        .iter()
        .chain(people::MAKERS)
        .chain(secrets::MAKERS)
        .chain(encoded::MAKERS)
        .chain(look_alikes::MAKERS)
}

impl Document {
    fn new(source: &'static str) -> Self {
        Self {
            source,
            ..Self::default()
        }
    }

    /// Appends a template, each `«name»` in it replaced by a value.
    fn write(&mut self, random: &mut Random, template: &str) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('«') {
            self.text.push_str(before);
            let (name, after) = after
                .split_once('»')
                .unwrap_or_else(|| panic!("{template}"));
            self.value(random, name);
            rest = after;
        }
        self.text.push_str(rest);
    }

    /// Appends a value.
    fn value(&mut self, random: &mut Random, name: &str) {
        let mut all = makers();
        let maker = all.find(|maker| maker.name == name);
        let maker = maker.unwrap_or_else(|| panic!("nothing makes {name}"));
        let start = self.text.len();
        self.text.push_str(&(maker.make)(random));
        self.labels.push(Label {
            name: maker.label,
            protected: maker.protected,
            start,
            end: self.text.len(),
        });
    }
}

/// A template of the caller's, each `«name»` in it replaced by a value of that name, such as `card`, `uuid` or `timestamp`.
///
/// # Panics
/// Where nothing makes such a value.
#[must_use]
pub fn filled(random: &mut Random, template: &str) -> String {
    let mut document = Document::default();
    document.write(random, template);
    document.text
}

/// So many documents of each kind but rows, of which there are twenty times as many.
#[must_use]
pub fn documents(seed: u64, count: usize) -> Vec<Document> {
    let mut random = Random::new(seed);
    let mut all = Vec::new();
    for (source, lines) in templates::SOURCES {
        for _ in 0..count {
            let mut document = Document::new(source);
            for _ in 0..8 {
                let line = *random.pick(lines);
                document.write(&mut random, line);
                document.text.push('\n');
            }
            all.push(document);
        }
    }
    for _ in 0..count {
        all.push(table(&mut random));
    }
    for _ in 0..20 * count {
        let (column, maker) = *random.pick(templates::COLUMNS);
        let mut document = Document::new("rows");
        document.column = column;
        document.value(&mut random, maker);
        all.push(document);
    }
    all
}

/// A table as a program exports it: a header, then rows.
fn table(random: &mut Random) -> Document {
    let mut document = Document::new("csv");
    let columns: Vec<_> = (0..5).map(|_| *random.pick(templates::COLUMNS)).collect();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    document.text.push_str(&names.join(","));
    document.text.push('\n');
    for _ in 0..6 {
        for (place, (_, maker)) in columns.iter().enumerate() {
            if place > 0 {
                document.text.push(',');
            }
            document.text.push('"');
            document.value(random, maker);
            document.text.push('"');
        }
        document.text.push('\n');
    }
    document
}

#[cfg(test)]
mod tests;
