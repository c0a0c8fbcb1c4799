//! S3 through the gateway: small requests and large objects, beside the same server direct and through nginx.
//!
//! The server is another nginx, which gives files and takes them by PUT as fast as the machine can and looks at no signature: what is
//! measured is what stands before it.

use std::borrow::Cow;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::raw::{Canned, Raw};
use tests::{Config, Gateway};

use crate::peers::{found, peak_mb};
use crate::{Effort, figure, median, table};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const SMALL_BYTES: usize = 1_024;

/// Everything may be done; masks are on, but for those who may see all.
const POLICY: &str = r#"
    @id("bench")
    permit (principal, action, resource) unless { action == Action::"reveal" };
    @id("see")
    permit (principal in Group::"clear", action == Action::"reveal", resource);
"#;

/// A way to the server: whoever signs for it.
struct Peer {
    name: &'static str,
    raw: Raw,
    pid: Option<u32>,
}

struct Lake {
    /// direct, nginx, then the gateway, masked; at the end the gateway, revealed.
    all: Vec<Peer>,
    server: Nginx,
    _nginx: Nginx,
    _gateways: Vec<Gateway>,
}

impl Lake {
    fn start() -> Self {
        eprintln!("Starting a server, nginx before it and two gateways…");
        let server = Nginx::server();
        let nginx = Nginx::before(server.address);
        let direct = |address| Raw {
            address,
            keys: Canned::keys(),
        };
        let mut all = vec![
            Peer {
                name: "direct",
                raw: direct(server.address),
                pid: None,
            },
            Peer {
                name: "nginx",
                raw: direct(nginx.address),
                pid: None,
            },
        ];
        let gateways: Vec<Gateway> = ["sync", "interval"]
            .map(|mode| gateway(server.address, mode))
            .into();
        let names = ["countersign sync", "countersign interval"];
        for (name, gateway) in names.into_iter().zip(&gateways) {
            all.push(Peer {
                name,
                raw: Raw::of(gateway, "lake", &[]),
                pid: Some(gateway.pid()),
            });
        }
        let last = gateways.last().unwrap();
        all.push(Peer {
            name: "countersign interval, revealed",
            raw: Raw::of(last, "lake", &["clear"]),
            pid: Some(last.pid()),
        });
        Self {
            all,
            server,
            _nginx: nginx,
            _gateways: gateways,
        }
    }
}

fn gateway(server: SocketAddr, mode: &str) -> Gateway {
    let keys = Canned::keys();
    let secret = String::from_utf8_lossy(keys.secret_key.expose()).into_owned();
    // In the clear on loopback everywhere: TLS would measure itself.
    let config = Config::account(server, &keys.access_key, &secret)
        .unset(&["aws", "tls"])
        .policy("bench.cedar", POLICY);
    Gateway::start(match mode {
        "interval" => config.set(&["ledger", "durability", "interval"], "10ms"),
        _ => config,
    })
}

/// Measures; a large object has `megabytes` of 2^20 bytes.
pub(crate) fn measure(effort: &Effort, megabytes: usize) -> Value {
    let lake = Lake::start();
    let mut small = Vec::new();
    for (name, method) in [("small GET", "GET"), ("small PUT", "PUT")] {
        for connections in CONNECTIONS {
            small.push(rates(&lake, effort, name, method, connections));
        }
    }
    json!({ "small": small, "large": large(&lake, effort, megabytes) })
}

#[derive(Clone, Copy)]
struct Measured {
    per_s: f64,
    p50_us: f64,
    p99_us: f64,
}

fn rates(lake: &Lake, effort: &Effort, name: &str, method: &str, connections: usize) -> Value {
    let peers = &lake.all[..4];
    let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); peers.len()];
    for _ in 0..effort.rounds {
        for (peer, of) in peers.iter().zip(&mut rounds) {
            of.push(load(peer, method, connections, effort.each));
        }
    }
    let of =
        |peer: usize, what: fn(&Measured) -> f64| median(rounds[peer].iter().map(what).collect());
    let ratio = |peer: usize, to: usize| {
        let pairs = rounds[peer].iter().zip(&rounds[to]);
        median(pairs.map(|(one, other)| one.per_s / other.per_s).collect())
    };
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for (index, peer) in peers.iter().enumerate() {
        let (per_s, p50, p99) = (
            of(index, |m| m.per_s),
            of(index, |m| m.p50_us),
            of(index, |m| m.p99_us),
        );
        rows.push(vec![
            peer.name.to_owned(),
            format!("{per_s:.0}"),
            format!("{:.2}", ratio(index, 0)),
            format!("{:.2}", ratio(index, 1)),
            format!("{p50:.0}"),
            format!("{p99:.0}"),
        ]);
        results.push(json!({
            "peer": peer.name, "per_s": figure(per_s), "ratio_to_direct": figure(ratio(index, 0)),
            "ratio_to_nginx": figure(ratio(index, 1)), "p50_us": figure(p50), "p99_us": figure(p99),
        }));
    }
    table::print(
        &format!("{name} of {SMALL_BYTES} bytes, {connections} connections"),
        &["", "requests/s", "÷direct", "÷nginx", "p50 µs", "p99 µs"],
        &rows,
    );
    json!({ "case": name, "connections": connections, "peers": results })
}

/// Requests on each connection one after the other: for GET the same over and over, while a PUT is signed each time, since the
/// same one counts once.
fn load(peer: &Peer, method: &str, connections: usize, each: Duration) -> Measured {
    let line = "a line of a small object, in which nothing is to be found\n";
    let body = line.repeat(SMALL_BYTES.div_ceil(line.len()));
    let body = &body.as_bytes()[..SMALL_BYTES];
    let put = peer.raw.s3("PUT", "/lake/small.txt", &[], body);
    assert!(put.status < 300, "{}: {}", peer.name, put.text());
    let length = SMALL_BYTES.to_string();
    let put = |number: usize| {
        let number = number.to_string();
        let fields = [
            ("content-length", length.as_str()),
            ("x-amz-meta-number", &number),
        ];
        peer.raw
            .signed("s3", "PUT", "/lake/small.txt", &fields, body)
    };
    let get = peer.raw.signed("s3", "GET", "/lake/small.txt", &[], b"");
    let numbers = AtomicUsize::new(0);
    let next = || match method {
        "GET" => Cow::Borrowed(&get),
        _ => Cow::Owned(put(numbers.fetch_add(1, Ordering::Relaxed))),
    };
    let began = Instant::now();
    let work = || {
        let mut stream = BufReader::new(connect(peer.raw.address));
        let mut took = Vec::new();
        while began.elapsed() < each {
            let request = next();
            let sent = Instant::now();
            stream.get_mut().write_all(&request).unwrap();
            answered(&mut stream, |_| {});
            took.push(sent.elapsed().as_secs_f64() * 1e6);
        }
        took
    };
    let mut took: Vec<f64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().flat_map(|it| it.join().unwrap());
        joined.collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() as f64 * share) as usize).min(took.len() - 1)];
    Measured {
        per_s: took.len() as f64 / seconds,
        p50_us: at(0.5),
        p99_us: at(0.99),
    }
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one good answer with a length; gives that.
fn answered(from: &mut BufReader<TcpStream>, mut take: impl FnMut(&[u8])) -> u64 {
    let (mut line, mut length, mut first) = (String::new(), 0_u64, true);
    loop {
        line.clear();
        from.read_line(&mut line).unwrap();
        if first {
            assert!(line.starts_with("HTTP/1.1 20"), "{line}");
            first = false;
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut left = length;
    while left > 0 {
        let piece = from.fill_buf().unwrap();
        assert!(!piece.is_empty(), "the connection was closed");
        let used = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        take(&piece[..used]);
        from.consume(used);
        left -= used as u64;
    }
    length
}

fn large(lake: &Lake, effort: &Effort, megabytes: usize) -> Value {
    let folder = lake.server.folder.path().join("files/lake");
    let clear = "an ordinary line of a report about nothing in particular, and then some more\n";
    let dirty = "4111 1111 1111 1111, an ordinary line of a report about nothing in particular\n";
    for (name, line) in [("clear.txt", clear), ("dirty.txt", dirty)] {
        let mut file = std::io::BufWriter::new(std::fs::File::create(folder.join(name)).unwrap());
        let lines = (1 << 20) / line.len();
        // A finding every tenth line.
        let block: String = (0..lines)
            .map(|n| if n % 10 == 0 { line } else { clear })
            .collect();
        for _ in 0..megabytes {
            file.write_all(block.as_bytes()).unwrap();
        }
        file.flush().unwrap();
    }
    let cases: [(&str, &str, &str, &[usize]); 4] = [
        ("GET, revealed", "GET", "clear.txt", &[0, 1, 4]),
        ("GET, nothing to find", "GET", "clear.txt", &[0, 1, 2, 3]),
        ("GET, masked", "GET", "dirty.txt", &[0, 1, 2, 3]),
        ("PUT", "PUT", "put.txt", &[0, 1, 2, 3]),
    ];
    let mut all = Vec::new();
    for (name, method, key, peers) in cases {
        let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
        let mut peaks = vec![0.0_f64; peers.len()];
        for _ in 0..effort.rounds {
            for (index, peer) in peers.iter().map(|it| &lake.all[*it]).enumerate() {
                peer.pid.map(peak_mb);
                speeds[index].push(once(peer, method, key, megabytes, clear));
                peaks[index] = peer.pid.map_or(0.0, peak_mb).max(peaks[index]);
            }
        }
        all.push(large_case(
            lake,
            &format!("{name}, {megabytes} MiB"),
            peers,
            &speeds,
            &peaks,
        ));
    }
    Value::Array(all)
}

fn large_case(
    lake: &Lake,
    name: &str,
    peers: &[usize],
    speeds: &[Vec<f64>],
    peaks: &[f64],
) -> Value {
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for (index, peer) in peers.iter().map(|it| &lake.all[*it]).enumerate() {
        let speed = median(speeds[index].clone());
        let ratio = |to: usize| {
            let pairs = speeds[index].iter().zip(&speeds[to]);
            median(pairs.map(|(one, other)| one / other).collect())
        };
        let peak = peer
            .pid
            .map_or_else(String::new, |_| format!("{:.0}", peaks[index]));
        rows.push(vec![
            peer.name.to_owned(),
            format!("{speed:.0}"),
            format!("{:.2}", ratio(0)),
            format!("{:.2}", ratio(1)),
            peak,
        ]);
        results.push(json!({
            "peer": peer.name, "mb_per_s": figure(speed), "ratio_to_direct": figure(ratio(0)),
            "ratio_to_nginx": figure(ratio(1)), "peak_mb": figure(peaks[index]),
        }));
    }
    table::print(name, &["", "MB/s", "÷direct", "÷nginx", "peak MB"], &rows);
    json!({ "case": name, "peers": results })
}

/// One object there or back: MB a second.
fn once(peer: &Peer, method: &str, key: &str, megabytes: usize, line: &str) -> f64 {
    let target = format!("/lake/{key}");
    let mut stream = BufReader::with_capacity(256 << 10, connect(peer.raw.address));
    let block: Vec<u8> = line.bytes().cycle().take(1 << 20).collect();
    let began;
    let bytes = if method == "GET" {
        let request = peer.raw.signed("s3", "GET", &target, &[], b"");
        began = Instant::now();
        stream.get_mut().write_all(&request).unwrap();
        answered(&mut stream, |_| {})
    } else {
        let length = ((megabytes as u64) << 20).to_string();
        let fields = [
            ("content-length", length.as_str()),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        let request = peer.raw.signed("s3", "PUT", &target, &fields, b"");
        began = Instant::now();
        stream.get_mut().write_all(&request).unwrap();
        for _ in 0..megabytes {
            stream.get_mut().write_all(&block).unwrap();
        }
        answered(&mut stream, |_| {});
        (megabytes as u64) << 20
    };
    bytes as f64 / 1e6 / began.elapsed().as_secs_f64()
}

/// An nginx.
struct Nginx {
    server: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// One that gives and takes files.
    fn server() -> Self {
        Self::start("", |here| {
            let lake = format!("{here}/files/lake");
            std::fs::create_dir_all(&lake).unwrap();
            open_to_all(&lake);
            format!("root {here}/files; sendfile on; location / {{ dav_methods PUT; }}")
        })
    }

    /// One as a plain reverse proxy that keeps its connections.
    fn before(to: SocketAddr) -> Self {
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
