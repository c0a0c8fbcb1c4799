//! Names that are of no column that is known: columns that functions and rows give, and values that nobody quoted.

use std::collections::HashSet;

use super::{Groups, Known, Literals, Source};

/// Columns whose names the text does not tell: of a function in `FROM`, of a row that is taken apart.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) group: u32,
    /// Their names, where they are known all the same.
    pub(super) names: Option<&'static [&'static str]>,
}

impl Literals {
    /// The names of all columns of the relations of the statement, where the text has to do with what is no such name.
    pub(super) fn columns_known<'a>(&self, known: &Known<'a>) -> HashSet<&'a str> {
        if self.open.is_empty() && self.words.is_empty() {
            return HashSet::new();
        }
        let relations = self.relations.iter();
        let relations = relations.flat_map(|source| known.relations(source));
        let columns = relations.flat_map(|relation| &relation.columns);
        columns.map(|column| &*column.name).collect()
    }

    /// Where words stand that are names of no column, beside what is protected: values in the wrong quotes, or in none.
    pub(super) fn strays(
        &self,
        known: &Known<'_>,
        columns: &HashSet<&str>,
        held: &mut Groups,
    ) -> Vec<u32> {
        let unknown = |source: &Source| match source {
            Source::Relation(_) => known.relations(source).is_empty(),
            Source::Function(_) | Source::Type(_) => false,
        };
        let lacks_names = |open: &Open| open.names.is_none();
        let strange = || self.open.iter().any(lacks_names) || self.relations.iter().any(unknown);
        let mut places = Vec::new();
        let words = self.words.iter();
        let of_open = |word: &str| {
            let mut names = self.open.iter().filter_map(|open| open.names);
            names.any(|names| names.contains(&word))
        };
        let words = words.filter(|(word, _)| !columns.contains(&***word) && !of_open(word));
        let held_words = words.filter(|(word, _)| {
            let group = self.names.get(*word);
            group.is_some_and(|group| held.of(*group).is_some())
        });
        let mut held_words = held_words.peekable();
        // Where not all columns are known, only what no column is called in practice.
        let strange = held_words.peek().is_some() && strange();
        for (word, at) in held_words {
            let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '$');
            if !strange || !word.chars().all(plain) {
                places.extend(at);
            }
        }
        places.sort_unstable();
        places
    }

    /// Names that are of no column that is known may be of columns whose names the text does not tell.
    pub(super) fn follow_open(&self, columns: &HashSet<&str>, groups: &mut Groups) {
        for open in &self.open {
            for (name, group) in &self.names {
                let meant = match open.names {
                    Some(names) => names.contains(&&**name),
                    None => !columns.contains(&**name),
                };
                if meant {
                    groups.unite(open.group, *group);
                }
            }
        }
    }
}
