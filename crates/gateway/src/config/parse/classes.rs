//! Classes of data: those that configuration defines, and what is done about all of them.

use std::collections::BTreeMap;
use std::path::Path;

use ::mask::Strategy;
use ::mask::own::{Check, Context, Form, OWN_CLASSES_MAX, OwnClass, OwnClasses, Pattern, Words};
use model::DataClass;

use sql::postgres::PLACES_MAX;

use super::super::read::{Item, Section};
use super::super::{ConfigError, Declared};

/// A list of words is at most so many bytes.
const WORDS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// At most so many letters and digits of a value show.
const SHOW_LAST_MAX: u64 = 16;

/// The classes that are defined, and the text of the files that hold their words.
pub(super) fn own(mut section: Section<'_>) -> Result<(OwnClasses, Vec<String>), ConfigError> {
    let mut classes = Vec::new();
    let mut files = Vec::new();
    for (name, item) in section.rest() {
        let class =
            DataClass::try_from(name).map_err(|error| item.error(format!("is a {error}")))?;
        if DataClass::FOUND.contains(&class) {
            return Err(item.error("is a class that is built in: give yours another name"));
        }
        if classes.len() == OWN_CLASSES_MAX {
            return Err(item.error(format!(
                "is one too many: there can be {OWN_CLASSES_MAX} classes; join some, or declare columns"
            )));
        }
        classes.push(one(class, item.section()?, &mut files)?);
    }
    Ok((OwnClasses::new(classes), files))
}

fn one(
    class: DataClass,
    mut section: Section<'_>,
    files: &mut Vec<String>,
) -> Result<OwnClass, ConfigError> {
    let form = match (section.take("pattern"), section.take("words")) {
        (Some(item), None) => {
            let pattern = Pattern::new(&item.text()?);
            Form::Pattern(pattern.map_err(|error| item.error(error.to_string()))?)
        }
        (None, Some(item)) => Form::Words(words(item, files)?),
        _ => {
            return Err(section.error(
                "needs one of pattern = 'ACME-\\d{6}' and words = [\"…\"] or words = \"file\"",
            ));
        }
    };
    let context = section.take("context").map(context).transpose()?;
    let check = section.take("check");
    let check = check.map(|item| item.word(&Check::NAMES)).transpose()?;
    let show_last = super::count(&mut section, "show_last", 0, 0..=SHOW_LAST_MAX)?;
    section.finish()?;
    Ok(OwnClass {
        class,
        form,
        context,
        check,
        show_last,
    })
}

/// A list, or the lines of a file.
fn words(item: Item<'_>, files: &mut Vec<String>) -> Result<Words, ConfigError> {
    let origin = item.origin();
    if !item.is_text() {
        let words = Words::new(item.texts()?);
        return words.map_err(|error| origin.error(error.to_string()));
    }
    let file = item.path()?;
    let text = read(&file).map_err(|why| item.error(format!("{}: {why}", file.display())))?;
    let words = Words::new(text.lines().map(str::to_owned).collect());
    let words = words.map_err(|error| item.error(format!("{}: {error}", file.display())))?;
    files.push(text);
    Ok(words)
}

fn read(file: &Path) -> Result<String, String> {
    let length = std::fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?;
    if length.len() > WORDS_BYTES_MAX {
        return Err(format!(
            "is {} bytes long; a list of words has at most {WORDS_BYTES_MAX}",
            length.len()
        ));
    }
    std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))
}

fn context(item: Item<'_>) -> Result<Context, ConfigError> {
    let origin = item.origin();
    let words = item.texts()?;
    Context::new(words).map_err(|error| origin.error(error.to_string()))
}

/// `schema.table.column`, or a place in the JSON that it holds, to class.
pub(super) fn mask(mut section: Section<'_>) -> Result<BTreeMap<Declared, DataClass>, ConfigError> {
    let mut mask = BTreeMap::new();
    let mut places: BTreeMap<[String; 3], usize> = BTreeMap::new();
    for (name, item) in section.rest() {
        let declared =
            Declared::try_from(name.as_str()).map_err(|error| item.error(error.to_string()))?;
        let class = DataClass::try_from(item.text()?)
            .map_err(|error| item.error(format!("is a {error}")))?;
        let [schema, table, column] = [&declared.schema, &declared.table, &declared.column];
        let count = places.entry([schema.clone(), table.clone(), column.clone()]);
        let count = count.or_default();
        *count += usize::from(declared.path.is_some());
        if *count > PLACES_MAX {
            return Err(item.error(format!(
                "is one place too many: a column has {PLACES_MAX} at most, so declare the column as a whole"
            )));
        }
        mask.insert(declared, class);
    }
    Ok(mask)
}

/// How values of a class are hidden.
pub(super) fn strategies(
    mut section: Section<'_>,
) -> Result<BTreeMap<DataClass, Strategy>, ConfigError> {
    let mut strategies = BTreeMap::new();
    for (class, item) in section.rest() {
        let class =
            DataClass::try_from(class).map_err(|error| item.error(format!("is a {error}")))?;
        let name = item.text()?;
        let strategy = Strategy::named(&name).ok_or_else(|| {
            item.error(format!(
                "is {name:?}: write redact, partial, hash, format, null or withhold"
            ))
        })?;
        strategies.insert(class, strategy);
    }
    Ok(strategies)
}

/// Which classes are looked for.
pub(super) fn find(
    mut section: Section<'_>,
    own: &OwnClasses,
) -> Result<BTreeMap<DataClass, bool>, ConfigError> {
    let mut find = BTreeMap::new();
    let own = own.iter().map(|own| own.class.clone());
    let known: Vec<_> = DataClass::FOUND.into_iter().chain(own).collect();
    for (name, item) in section.rest() {
        let Some(class) = known.iter().find(|class| class.name() == name) else {
            let known: Vec<_> = known.iter().map(DataClass::name).collect();
            return Err(item.error(format!(
                "is not a class that can be found: there are {}",
                known.join(", ")
            )));
        };
        find.insert(class.clone(), item.flag()?);
    }
    Ok(find)
}
