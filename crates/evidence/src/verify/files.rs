//! The manifest and the files it lists.

use std::io::{Read, Seek};

use ledger::Verifier;

use super::Report;
use crate::bundle::manifest::{self, Files};
use crate::bundle::reader::Bundle;
use crate::bundle::{Defect, layout};
use crate::fold::Table;

/// Checks manifest, files and index. Gives every file as it is.
pub(super) fn check<R: Read + Seek>(
    bundle: &mut Bundle<R>,
    key: &Verifier,
    report: &mut Report,
) -> Files {
    let read = bundle.whole(layout::MANIFEST).and_then(|bytes| {
        manifest::read(&bytes, key)
            .map_err(|error| Defect::new(layout::MANIFEST, error.to_string()))
    });
    let (listed, signed) = match read {
        Ok((files, _, signed)) => (
            files,
            signed.map_err(|error| Defect::new(layout::MANIFEST, error.to_string())),
        ),
        Err(defect) => (Files::new(), Err(defect)),
    };
    report.check(
        "manifest",
        signed.map(|()| "signed with the log's key".to_owned()),
    );
    let mut actual = Files::new();
    let checked = compare(bundle, &listed, &mut actual);
    report.check(
        "files",
        checked.map(|()| format!("{} files, as listed and no others", actual.len())),
    );
    let checked = index(bundle, &actual);
    report.check(
        "index",
        checked.map(|()| "lists every file with its digest".to_owned()),
    );
    actual
}

/// Every file is listed and as listed. All are read, so that `actual` is complete.
fn compare<R: Read + Seek>(
    bundle: &mut Bundle<R>,
    listed: &Files,
    actual: &mut Files,
) -> Result<(), Defect> {
    let names: Vec<String> = bundle
        .names()
        .filter(|name| *name != layout::MANIFEST)
        .map(str::to_owned)
        .collect();
    let mut first = Ok(());
    for name in names {
        let found = match (bundle.digest(&name), listed.get(&name)) {
            (Err(defect), _) => Err(defect),
            (Ok(found), due) => {
                let checked = match due {
                    None => Err(Defect::new(&*name, "is not in the manifest")),
                    Some(due) if due.bytes != found.bytes => Err(Defect::new(
                        &*name,
                        format!(
                            "has {} bytes, and the manifest says {}",
                            found.bytes, due.bytes
                        ),
                    )),
                    Some(due) if due.sha256 != found.sha256 => Err(Defect::new(
                        &*name,
                        "its SHA-256 is not the one in the manifest: it was changed",
                    )),
                    Some(_) => Ok(()),
                };
                actual.insert(name, found);
                checked
            }
        };
        first = first.and(found);
    }
    let missing = listed.keys().find(|name| !bundle.has(name));
    let first = first.and(missing.map_or(Ok(()), |name| {
        Err(Defect::new(
            name.clone(),
            "is in the manifest, and not here",
        ))
    }));
    // The manifest's signer may have left something out, too.
    let always = Table::ALL.iter().map(|table| table.path());
    let mut always = always.chain(layout::ALWAYS);
    let missing = always.find(|name| !bundle.has(name));
    first.and(missing.map_or(Ok(()), |name| {
        Err(Defect::new(
            name,
            "belongs to every bundle, and is not here",
        ))
    }))
}

/// The index says of every file what is so.
fn index<R: Read + Seek>(bundle: &mut Bundle<R>, actual: &Files) -> Result<(), Defect> {
    let bytes = bundle.whole(layout::INDEX)?;
    let mut rows = csv::Reader::from_reader(bytes.as_slice());
    let bad = |why: String| Defect::new(layout::INDEX, why);
    let mut due = actual.iter().filter(|(path, _)| *path != layout::INDEX);
    for row in rows.records() {
        let row = row.map_err(|error| bad(error.to_string()))?;
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let Some((path, file)) = due.next() else {
            return Err(bad(format!("lists {}, which is not here", cell(0))));
        };
        if cell(0) != path
            || cell(1) != file.bytes.to_string()
            || cell(2) != file.sha256.to_string()
        {
            return Err(bad(format!("what it says where {path} is due is not so")));
        }
    }
    due.next().map_or(Ok(()), |(path, _)| {
        Err(bad(format!("does not list {path}")))
    })
}
