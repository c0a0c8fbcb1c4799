//! Every version of the policies that ever was in force, so that evidence can show it.
//!
//! ```text
//! <data>/policies/<version>/<file>.cedar
//! ```

use std::fs;
use std::io;
use std::path::PathBuf;

use model::PolicyVersion;
use policy::PolicySet;

use crate::tls::write_once;

/// The kept versions.
#[derive(Debug, Clone)]
pub struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// Those under `folder`, which is made with the first.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps the texts of a set; they are on the disk when this returns. Keeping a version twice changes nothing.
    ///
    /// # Errors
    /// Those of the disk, with the path.
    pub fn keep(&self, set: &PolicySet) -> io::Result<()> {
        let folder = self.folder.join(set.version().to_string());
        let name = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
        };
        fs::create_dir_all(&folder).map_err(name)?;
        for (file, text) in set.sources() {
            write_once(&folder.join(file), text.as_bytes()).map_err(name)?;
        }
        Ok(())
    }

    /// The files of a version, by name; `None` where it was not kept.
    #[must_use]
    pub fn kept(&self, version: PolicyVersion) -> Option<Vec<(String, String)>> {
        let folder = fs::read_dir(self.folder.join(version.to_string())).ok()?;
        let read = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            // Anything else is what a crash left of writing one.
            if !name.ends_with(".cedar") {
                return None;
            }
            Some((name, fs::read_to_string(entry.path()).ok()?))
        };
        Some(folder.filter_map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_given_back_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(folder.path().join("policies"));
        let file = |text: &str| vec![("a.cedar".to_owned(), text.to_owned())];
        let first = "permit (principal, action == Action::\"access\", resource);";
        let set = PolicySet::parse(&file(first), &[]).unwrap();
        let other = PolicySet::parse(&file(&format!("{first}\n")), &[]).unwrap();
        archive.keep(&set).unwrap();
        archive.keep(&set).unwrap();
        assert_eq!(archive.kept(set.version()), Some(file(first)));
        assert_eq!(archive.kept(other.version()), None);
    }
}
