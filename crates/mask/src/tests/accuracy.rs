//! How well values are found: recall and precision over a labelled corpus, compared with the table in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use corpus::{Document, Label};
use model::DataClass;

use crate::{CsvFormat, CsvMasker, Findings, Masker, MaskerConfig, Outcome, Strategy};

const SEED: u64 = 2026;

/// Documents of each kind.
const COUNT: usize = 250;

const SOURCES: [&str; 7] = ["letters", "logs", "code", "json", "encoded", "csv", "rows"];

/// How often something was there, and how often it was found.
#[derive(Clone, Copy, Default)]
struct Share {
    found: u32,
    of: u32,
}

impl Share {
    fn count(&mut self, found: bool) {
        self.found += u32::from(found);
        self.of += 1;
    }

    fn percent(self) -> String {
        match self.of {
            0 => "–".to_owned(),
            of => format!("{:.1}", f64::from(self.found) * 100.0 / f64::from(of)),
        }
    }
}

/// What one class's detector did.
#[derive(Default)]
struct Score {
    recall: BTreeMap<&'static str, Share>,
    precision: Share,
}

/// Masks one class and nothing else, every character of it.
fn masker(class: &DataClass) -> Masker {
    let find = DataClass::FOUND.map(|each| (each.clone(), each == *class));
    Masker::new(MaskerConfig {
        find: find.into(),
        strategies: [(class.clone(), Strategy::Redact)].into(),
        ..MaskerConfig::default()
    })
}

/// For each byte whether it is hidden.
fn hidden(masker: &Arc<Masker>, document: &Document) -> Vec<bool> {
    let text = &document.text;
    let mut out = Vec::new();
    let mut findings = Findings::counting();
    if document.source == "csv" {
        let mut rows = CsvMasker::new(Arc::clone(masker), CsvFormat::default());
        rows.push(text.as_bytes(), &mut out, &mut findings).unwrap();
        rows.finish(&mut out, &mut findings).unwrap();
    } else {
        let hint = masker.hint(document.column);
        let outcome = masker.mask_text(hint, text.as_bytes(), &mut out, &mut findings);
        if outcome == Outcome::Clean {
            return vec![false; text.len()];
        }
    }
    let shown = String::from_utf8(out).unwrap();
    assert_eq!(shown.chars().count(), text.chars().count());
    let chars = text.chars().zip(shown.chars());
    chars
        .flat_map(|(was, is)| std::iter::repeat_n(was != is, was.len_utf8()))
        .collect()
}

/// The hidden stretches; what a star hid that was a star does not show.
fn stretches(hidden: &[bool]) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> = Vec::new();
    for (pos, _) in hidden.iter().enumerate().filter(|(_, hidden)| **hidden) {
        match all.last_mut() {
            Some((_, end)) if *end == pos => *end = pos + 1,
            _ => all.push((pos, pos + 1)),
        }
    }
    all
}

/// All letters and digits of a value are hidden.
fn is_found(hidden: &[bool], text: &str, label: &Label) -> bool {
    let value = label.start..label.end;
    let mut pairs = text.as_bytes()[value.clone()].iter().zip(&hidden[value]);
    pairs.all(|(byte, hidden)| *hidden || !byte.is_ascii_alphanumeric())
}

/// A stretch lies in one value, but for a character on either side.
fn is_right(document: &Document, class: &str, (start, end): (usize, usize)) -> bool {
    let mut labels = document.labels.iter();
    labels.any(|it| it.name == class && it.start <= start + 1 && end <= it.end + 1)
}

fn score(documents: &[Document], class: &DataClass, alarms: &mut BTreeMap<&str, Share>) -> Score {
    let masker = Arc::new(masker(class));
    let mut score = Score::default();
    for document in documents {
        let hidden = hidden(&masker, document);
        for label in document.labels.iter().filter(|it| it.name == class.name()) {
            let found = is_found(&hidden, &document.text, label);
            let share = score.recall.entry(document.source).or_default();
            share.count(found);
            if !found && std::env::var_os("SHOW_MISSES").is_some() {
                let text = &document.text;
                println!(
                    "MISS {class} {} {}: {}",
                    document.source,
                    document.column,
                    line(text, label.start)
                );
            }
        }
        for stretch in stretches(&hidden) {
            let right = is_right(document, class.name(), stretch);
            score.precision.count(right);
            if !right && std::env::var_os("SHOW_MISSES").is_some() {
                let (text, value) = (&document.text, &document.text[stretch.0..stretch.1]);
                println!(
                    "ALARM {class} {} {} {value}: {}",
                    document.source,
                    document.column,
                    line(text, stretch.0)
                );
            }
            for label in &document.labels {
                let touched = label.start < stretch.1 && stretch.0 < label.end;
                if touched && !label.protected {
                    alarms.entry(label.name).or_default().found += 1;
                }
            }
        }
    }
    score
}

fn line(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |it| it + 1);
    let end = text[at..].find('\n').map_or(text.len(), |it| at + it);
    &text[start..end]
}

/// The table, as the documentation has it.
fn table() -> String {
    let documents = corpus::documents(SEED, COUNT);
    let mut alarms: BTreeMap<&str, Share> = BTreeMap::new();
    for label in documents.iter().flat_map(|it| &it.labels) {
        if !label.protected {
            alarms.entry(label.name).or_default().of += 1;
        }
    }
    let mut out = HEAD.to_owned();
    for class in DataClass::FOUND {
        let score = score(&documents, &class, &mut alarms);
        let all = score
            .recall
            .values()
            .fold(Share::default(), |sum, it| Share {
                found: sum.found + it.found,
                of: sum.of + it.of,
            });
        let precision = score.precision.percent();
        write!(
            out,
            "| `{class}` | {} | {precision} | {} |",
            all.of,
            all.percent()
        )
        .unwrap();
        for source in SOURCES {
            let share = score.recall.get(source).copied().unwrap_or_default();
            write!(out, " {} |", share.percent()).unwrap();
        }
        out.push('\n');
    }
    out.push_str(MIDDLE);
    for (name, share) in alarms {
        let name = name.replace('_', " ");
        let (found, of) = (share.found, share.of);
        writeln!(out, "| {name} | {of} | {found} | {} |", share.percent()).unwrap();
    }
    out
}

const HEAD: &str = "\
# How well values are found

Measured by a test over a corpus of letters, logs, source code, JSON, CSV and rows, in which values of every class stand beside what
only looks like them. `corpus/` makes it from a seed: the values from the published formats of each class, the words around them from
what such texts say. No value in it is anybody's. `UPDATE_DOCS=1` before the test writes this page anew; otherwise the test fails
where the page is no longer true.

*Recall* is the share of the values of which every letter and digit is hidden, *precision* the share of hidden stretches that lie
within a value of their class. Each class is measured by itself, IP addresses switched on. A row is a value with its column's name, and
CSV is told to be CSV, so that its header speaks for its columns (`countersign mask --csv`). *Encoded* are values in base64, hexadecimal,
percent-encoding and character references, beside identifiers, pictures and digests that look the same.

| Class | Values | Precision % | Recall % | letters | logs | code | JSON | encoded | CSV | rows |
|---|---|---|---|---|---|---|---|---|---|---|
";

const MIDDLE: &str = "
## What only looks like a value

How often each occurs in the corpus, and how often something of it is hidden.

| What | Occurs | Hidden | % |
|---|---|---|---|
";

#[test]
fn the_documentation_says_how_well_values_are_found() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/masking-accuracy.md");
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, (now, then)) in (1..).zip(table.lines().zip(written.lines())) {
        assert_eq!(now, then, "line {line}: UPDATE_DOCS=1 writes the page anew");
    }
    assert_eq!(table.len(), written.len());
}
