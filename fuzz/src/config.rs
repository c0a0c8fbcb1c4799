//! The configuration file.

use std::path::Path;

use gateway::config::Config;

pub(crate) fn parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = Config::parse(text, Path::new("/etc/countersign.toml")) {
        assert!(
            error.line <= text.lines().count() + 1,
            "an error names a line that there is"
        );
        assert!(!error.what.is_empty());
    }
}
