//! The servers that requests come to in the end, and nginx before them.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use protocols::http::sigv4::Credentials;
use tests::S3;
use tests::raw::Canned;

use crate::peers::found;

/// What everybody asks in the end.
pub(crate) enum Server {
    /// nginx, which gives and takes files.
    Files(Nginx),
    /// s3s-fs, which verifies each request.
    S3(S3),
}

impl Server {
    /// As the tables name it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Files(_) => "files",
            Self::S3(_) => "s3s-fs",
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Files(nginx) => nginx.address,
            Self::S3(s3) => s3.address,
        }
    }

    /// The keys that requests to it are signed with.
    pub(crate) fn keys(&self) -> Credentials {
        match self {
            Self::Files(_) => Canned::keys(),
            Self::S3(s3) => s3.keys(),
        }
    }

    /// The folder of the bucket `lake`.
    pub(crate) fn bucket(&self) -> PathBuf {
        match self {
            Self::Files(nginx) => nginx.folder.path().join("files/lake"),
            Self::S3(s3) => s3.folder().join("lake"),
        }
    }
}

/// An nginx.
pub(crate) struct Nginx {
    server: Child,
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// One that gives and takes files.
    pub(crate) fn server() -> Self {
        Self::start("", |here| {
            let lake = format!("{here}/files/lake");
            std::fs::create_dir_all(&lake).unwrap();
            open_to_all(&lake);
            format!("root {here}/files; sendfile on; location / {{ dav_methods PUT; }}")
        })
    }

    /// One as a plain reverse proxy that keeps its connections.
    pub(crate) fn before(to: SocketAddr) -> Self {
        let upstream =
            format!("upstream s3 {{ server {to}; keepalive 64; keepalive_requests 100000000; }}");
        Self::start(&upstream, |_| {
            "location / { proxy_pass http://s3; proxy_http_version 1.1; proxy_set_header Connection \"\";
             proxy_set_header Host $http_host; proxy_request_buffering off; proxy_max_temp_file_size 0; }"
                .to_owned()
        })
    }

    fn start(upstream: &str, location: impl Fn(&str) -> String) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in("target")
            .unwrap();
        let here = std::fs::canonicalize(folder.path()).unwrap();
        let here = here.to_string_lossy().into_owned();
        open_to_all(&here);
        let location = location(&here);
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let settings = format!(
            "daemon off; pid {here}/pid; error_log {here}/error.log;\n\
             worker_processes auto; events {{ worker_connections 1024; }}\n\
             http {{\n access_log off; client_max_body_size 0; keepalive_requests 100000000;\n\
             client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/f;\n\
             uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
             {upstream} server {{ listen {address}; {location} }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(found(&["/usr/sbin/nginx", "/usr/bin/nginx"]));
        let server = command
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let this = Self {
            server,
            address,
            folder,
        };
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return this;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let mut log = String::new();
        let file = std::fs::File::open(this.folder.path().join("error.log"));
        let _ = file.map(|mut file| file.read_to_string(&mut log));
        panic!("nginx does not start: {log}");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it only where it is asked to.
        let _ = Command::new("kill")
            .arg(self.server.id().to_string())
            .status();
        let _ = self.server.wait();
    }
}

/// nginx's workers are another user where it is started by root.
fn open_to_all(folder: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
}
