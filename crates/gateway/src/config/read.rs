//! Reading TOML with the place in hand: every error can name line and key, and every unknown key is found.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// Durations are at most so long: what is longer is a slip of the pen.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 3_600);

/// The file that is read.
pub(super) struct Document<'a> {
    text: &'a str,
    file: &'a Path,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str, file: &'a Path) -> Self {
        Self { text, file }
    }

    /// The whole file as a section.
    pub(super) fn root(&'a self) -> Result<Section<'a>, ConfigError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            // Of other mistakes it is no key that stands there.
            let (key, what) = match error.message() {
                "duplicate key" => (
                    self.text.get(span.clone()).unwrap_or_default(),
                    "stands there twice: leave one",
                ),
                what => ("", what),
            };
            self.error(span.start, key, what)
        })?;
        Ok(Section::new(self, String::new(), 0, table.into_inner()))
    }

    fn error(&self, at: usize, key: &str, what: impl Into<String>) -> ConfigError {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        ConfigError {
            file: self.file.to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            key: key.to_owned(),
            what: what.into(),
        }
    }
}

/// A table, from which keys are taken; what is left when it is finished is unknown.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    path: String,
    at: usize,
    left: BTreeMap<String, (usize, usize, DeValue<'a>)>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    fn new(document: &'a Document<'a>, path: String, at: usize, table: DeTable<'a>) -> Self {
        let left = table
            .into_iter()
            .map(|(key, value)| {
                let (key_at, value_at) = (key.span().start, value.span().start);
                (
                    key.into_inner().into_owned(),
                    (key_at, value_at, value.into_inner()),
                )
            })
            .collect();
        Self {
            document,
            path,
            at,
            left,
            asked: Vec::new(),
        }
    }

    /// The value of a key that may be missing.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let (_, at, value) = self.left.remove(key)?;
        Some(Item {
            document: self.document,
            path: self.child(key),
            at,
            value,
        })
    }

    /// The value of a key that must be there; `example` says what it could be.
    pub(super) fn need(
        &mut self,
        key: &'static str,
        example: &str,
    ) -> Result<Item<'a>, ConfigError> {
        self.take(key).ok_or_else(|| {
            let slip = self
                .left
                .iter()
                .find(|(name, _)| nearest(name, &[key]).is_some());
            if let Some((name, (at, ..))) = slip {
                let what = format!("is not a setting: did you mean {key}?");
                return self.document.error(*at, &self.child(name), what);
            }
            let path = self.child(key);
            self.document
                .error(self.at, &path, format!("is missing: add {key} = {example}"))
        })
    }

    /// The table under a key; an empty one where the key is missing.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Section<'a>, ConfigError> {
        match self.take(key) {
            Some(item) => item.section(),
            None => Ok(Section::new(
                self.document,
                self.child(key),
                self.at,
                DeTable::new(),
            )),
        }
    }

    /// Everything left, for tables whose keys are names.
    pub(super) fn rest(&mut self) -> Vec<(String, Item<'a>)> {
        std::mem::take(&mut self.left)
            .into_iter()
            .map(|(key, (key_at, value_at, value))| {
                let at = if value_at == 0 { key_at } else { value_at };
                let item = Item {
                    document: self.document,
                    path: self.child(&key),
                    at,
                    value,
                };
                (key, item)
            })
            .collect()
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        let Some((key, (at, _, _))) = self.left.iter().next() else {
            return Ok(());
        };
        let what = match nearest(key, &self.asked) {
            Some(near) => format!("is not a setting: did you mean {near}?"),
            None if self.asked.is_empty() => "is not a setting: remove it".to_owned(),
            None => format!("is not a setting: there are {}", self.asked.join(", ")),
        };
        Err(self.document.error(*at, &self.child(key), what))
    }

    /// An error about the section as a whole.
    pub(super) fn error(&self, what: impl Into<String>) -> ConfigError {
        self.document.error(self.at, &self.path, what)
    }

    fn child(&self, key: &str) -> String {
        let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let quoted = if !key.is_empty() && key.bytes().all(bare) {
            key.to_owned()
        } else {
            format!("{key:?}")
        };
        if self.path.is_empty() {
            quoted
        } else {
            format!("{}.{quoted}", self.path)
        }
    }
}

/// Where a value stands.
pub(super) struct Origin<'a> {
    document: &'a Document<'a>,
    path: String,
    at: usize,
}

impl Origin<'_> {
    /// An error about the value.
    pub(super) fn error(&self, what: impl Into<String>) -> ConfigError {
        self.document.error(self.at, &self.path, what)
    }
}

/// One value.
pub(super) struct Item<'a> {
    document: &'a Document<'a>,
    path: String,
    at: usize,
    value: DeValue<'a>,
}

impl<'a> Item<'a> {
    /// Where it stands, to be named once the value is taken.
    pub(super) fn origin(&self) -> Origin<'a> {
        Origin {
            document: self.document,
            path: self.path.clone(),
            at: self.at,
        }
    }

    /// An error about this value.
    pub(super) fn error(&self, what: impl Into<String>) -> ConfigError {
        self.document.error(self.at, &self.path, what)
    }

    fn wrong(&self, wanted: &str) -> ConfigError {
        self.error(format!(
            "is of type {}: write {wanted}",
            self.value.type_str()
        ))
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn text(&self) -> Result<String, ConfigError> {
        match self.value.as_str() {
            Some("") => Err(self.error("is empty: write something or remove the key")),
            Some(text) => Ok(text.to_owned()),
            None => Err(self.wrong("a text in quotes")),
        }
    }

    /// One of the words, by its meaning.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, ConfigError> {
        let text = self.text()?;
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| {
                let list: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                self.error(format!("is {text:?}: write one of {}", list.join(", ")))
            })
    }

    /// A text of a form; `wanted` describes it.
    pub(super) fn parse<T: std::str::FromStr>(&self, wanted: &str) -> Result<T, ConfigError> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| self.error(format!("is {text:?}: write {wanted}")))
    }

    /// A path; a relative one is relative to the file's folder.
    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        let folder = self.document.file.parent().unwrap_or(Path::new(""));
        Ok(folder.join(self.text()?))
    }

    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("true or false"))
    }

    pub(super) fn count(&self, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.value.as_integer().ok_or_else(|| self.wrong(&wanted))?;
        u64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.error(format!("is {number}: write {wanted}")))
    }

    /// A length of time above zero, such as `250ms`, `30s`, `10m`, `1h` or `1d`.
    pub(super) fn duration(&self) -> Result<Duration, ConfigError> {
        let text = self
            .value
            .as_str()
            .ok_or_else(|| self.wrong("a length of time such as \"30s\""))?;
        parse_duration(text).ok_or_else(|| {
            self.error(format!("is {text:?}: write a length of time with its unit, ms, s, m, h or d, such as \"30s\""))
        })
    }

    pub(super) fn list(self) -> Result<Vec<Item<'a>>, ConfigError> {
        if !self.value.is_array() {
            return Err(self.wrong("a list in brackets"));
        }
        let Item {
            document,
            path,
            value: DeValue::Array(array),
            ..
        } = self
        else {
            return Ok(Vec::new());
        };
        Ok(array
            .into_iter()
            .enumerate()
            .map(|(index, value)| Item {
                document,
                path: format!("{path}[{index}]"),
                at: value.span().start,
                value: value.into_inner(),
            })
            .collect())
    }

    pub(super) fn texts(self) -> Result<Vec<String>, ConfigError> {
        self.list()?.iter().map(Item::text).collect()
    }

    pub(super) fn section(self) -> Result<Section<'a>, ConfigError> {
        if !self.value.is_table() {
            return Err(self.wrong("a table"));
        }
        let Item {
            document,
            path,
            at,
            value: DeValue::Table(table),
        } = self
        else {
            return Err(ConfigError::default());
        };
        Ok(Section::new(document, path, at, table))
    }
}

pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let millis_per_unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(millis_per_unit)?;
    Some(Duration::from_millis(millis))
        .filter(|length| !length.is_zero() && *length <= DURATION_MAX)
}

/// The known key that a slip of the pen may have meant: the nearest by edit distance, at most two edits away.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|name| (distance(key, name), *name))
        .filter(|(far, _)| *far <= 2)
        .min()
        .map(|(_, name)| name)
}

fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let here = (diagonal + usize::from(x != y))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
