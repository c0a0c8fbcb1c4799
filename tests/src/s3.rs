//! An S3 server that verifies signatures: s3s-fs, which keeps objects as files.

use crate::place;
use crate::process::{Watchdog, clean_command};
use model::Secret;
use protocols::http::sigv4::Credentials;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How often its socket is tried at start, and how long in between.
const TRIES_MAX: u32 = 600;
const BETWEEN: Duration = Duration::from_millis(50);

/// A running server. It ends when this process does.
pub struct S3 {
    child: Child,
    watchdog: Option<Watchdog>,
    directory: tempfile::TempDir,
    /// Where it listens.
    pub address: SocketAddr,
    /// The only keys that it takes.
    pub access_key: &'static str,
    /// Their secret.
    pub secret_key: &'static str,
}

impl S3 {
    /// Starts one, with nothing in it.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("s3-")
            .tempdir_in(place::scratch())
            .unwrap();
        // Nobody else binds it meanwhile: the system hands ports out in turn.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let (access_key, secret_key) =
            ("AKIAS3S0FS0EXAMPLE00", "c2VjcmV0LW9mLXMzcy1mcy1pbi10ZXN0cw");
        let mut command = clean_command(program());
        command
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--access-key", access_key, "--secret-key", secret_key])
            .arg(directory.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut watchdog = Watchdog::over(directory.path(), "TERM");
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("s3s-fs does not start ({error}): run scripts/setup test")
        });
        watchdog.server(&child);
        let this = Self {
            child,
            watchdog: Some(watchdog),
            directory,
            address,
            access_key,
            secret_key,
        };
        for _ in 0..TRIES_MAX {
            if TcpStream::connect(address).is_ok() {
                return this;
            }
            sleep(BETWEEN);
        }
        panic!("s3s-fs does not listen");
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> Credentials {
        Credentials {
            access_key: self.access_key.to_owned(),
            secret_key: Secret::from(self.secret_key.to_owned()),
            token: None,
        }
    }

    /// The folder that its buckets are folders in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.watchdog = None;
    }
}

fn program() -> PathBuf {
    place::workspace().join(".cache/tools/bin/s3s-fs")
}
