//! The files of a folder, and their digests.

use std::fs;
use std::path::Path;

use model::{Digest, FileDigest, PolicyVersion};

use crate::{LoadError, Problem};

/// The largest policy file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// The most policy files in a folder.
pub const FILES_MAX: usize = 1_000;

/// Reads the `*.cedar` files of a folder, sorted by name. Folders in it, and names that begin with a dot, are not read.
pub(crate) fn read(folder: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let place = folder.display().to_string();
    let entries = fs::read_dir(folder)
        .map_err(|error| LoadError::whole(&place, format!("cannot be read: {error}")))?;
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for entry in entries {
        match entry {
            Err(error) => problems.push(Problem::whole(&place, format!("cannot be read: {error}"))),
            Ok(entry) => match read_file(&entry.path()) {
                None => {}
                Some(Ok(file)) => files.push(file),
                Some(Err(problem)) => problems.push(problem),
            },
        }
        if files.len() > FILES_MAX {
            let reason = format!("more than {FILES_MAX} policy files: put several into one");
            return Err(LoadError::whole(place, reason));
        }
    }
    if problems.is_empty() {
        files.sort();
        Ok(files)
    } else {
        Err(LoadError::new(problems))
    }
}

fn read_file(path: &Path) -> Option<Result<(String, String), Problem>> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    if name.starts_with('.') || path.extension().is_none_or(|end| end != "cedar") || path.is_dir() {
        return None;
    }
    let fail = |reason: String| Some(Err(Problem::whole(&name, reason)));
    match fs::metadata(path) {
        Err(error) => return fail(format!("cannot be read: {error}")),
        Ok(meta) if meta.len() > FILE_BYTES_MAX as u64 => {
            return fail(format!(
                "larger than {FILE_BYTES_MAX} bytes: split it into several files"
            ));
        }
        Ok(_) => {}
    }
    match fs::read(path).map(String::from_utf8) {
        Err(error) => fail(format!("cannot be read: {error}")),
        Ok(Err(_)) => fail("is not UTF-8: save it as UTF-8".to_owned()),
        Ok(Ok(text)) => Some(Ok((name, text))),
    }
}

/// Each file's digest, and the digest of them all: SHA-256 over what `sha256sum` prints for the files sorted by name.
pub(crate) fn digests(files: &[(String, String)]) -> (Vec<FileDigest>, PolicyVersion) {
    let list: Vec<FileDigest> = files
        .iter()
        .map(|(name, text)| FileDigest {
            name: name.clone(),
            sha256: Digest::of(&[text.as_bytes()]),
        })
        .collect();
    let lines: String = list
        .iter()
        .map(|file| format!("{}  {}\n", file.sha256, file.name))
        .collect();
    (list, Digest::of(&[lines.as_bytes()]))
}
