//! Where things lie: the workspace, what cargo built, and where scratch servers may put their files.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The workspace's root.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The directory of the profile that this test was built in, such as `target/debug`: binaries lie there.
pub(crate) fn profile_directory() -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let deps = executable.parent().unwrap();
    match deps.file_name() {
        Some(name) if name == "deps" => deps.parent().unwrap().to_owned(),
        _ => deps.to_owned(),
    }
}

/// A directory for scratch servers, on the disk that holds the build, which the user they run as can reach.
///
/// Under root the servers run as another user. Where that user cannot enter the build directory (a checkout under /root),
/// the place is /var/tmp.
pub(crate) fn scratch() -> PathBuf {
    let built = profile_directory();
    let wanted = built.parent().unwrap().join("tests");
    let place = if !is_root() || built.ancestors().all(anyone_may_enter) {
        wanted
    } else {
        Path::new("/var/tmp").join("countersign-tests")
    };
    fs::create_dir_all(&place).unwrap();
    place
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn anyone_may_enter(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
}
