//! Large results, read off the wire by a reader that does nothing else, so that it is not what is measured.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::{Value, json};
use tests::Endpoint;

use crate::peers::{BULK_ROWS, Peers, peak_mb};
use crate::{Effort, figure, median, table};

const CASES: [(&str, &str); 4] = [
    ("SELECT, clear", "SELECT * FROM bulk_clear"),
    ("SELECT, masked", "SELECT * FROM bulk_masked"),
    ("COPY, clear", "COPY bulk_clear TO STDOUT"),
    ("COPY, masked", "COPY bulk_masked TO STDOUT"),
];

pub(crate) fn measure(peers: &Peers, effort: &Effort) -> Value {
    let mut all = Vec::new();
    for (name, query) in CASES {
        let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); peers.all.len()];
        let mut peaks: Vec<f64> = vec![0.0; peers.all.len()];
        for _ in 0..effort.rounds {
            for (index, peer) in peers.all.iter().enumerate() {
                peer.pid.map(peak_mb);
                speeds[index].push(read(&peer.endpoint, query));
                peaks[index] = peer.pid.map_or(0.0, peak_mb).max(peaks[index]);
            }
        }
        let mut rows = Vec::new();
        let mut results = Vec::new();
        for (index, peer) in peers.all.iter().enumerate() {
            let speed = median(speeds[index].clone());
            let ratio = median(
                speeds[index]
                    .iter()
                    .zip(&speeds[0])
                    .map(|(one, direct)| one / direct)
                    .collect(),
            );
            let peak = if peer.pid.is_some() {
                format!("{:.0}", peaks[index])
            } else {
                String::new()
            };
            rows.push(vec![
                peer.name.to_owned(),
                format!("{speed:.0}"),
                format!("{ratio:.2}"),
                peak,
            ]);
            results.push(json!({
                "peer": peer.name, "mb_per_s": figure(speed), "ratio_to_direct": figure(ratio),
                "peak_mb": figure(peaks[index]),
            }));
        }
        table::print(
            &format!("{name}, {BULK_ROWS} rows"),
            &["", "MB/s", "÷direct", "peak MB"],
            &rows,
        );
        all.push(json!({ "case": name, "peers": results }));
    }
    Value::Array(all)
}

/// MB of protocol a second.
fn read(of: &Endpoint, query: &str) -> f64 {
    let (bytes, seconds) = run(of, query);
    bytes as f64 / 1e6 / seconds
}

/// Of a query that gives so many rows, how many come a second.
pub(crate) fn rows_per_second(of: &Endpoint, query: &str, rows: u32) -> f64 {
    f64::from(rows) / run(of, query).1
}

/// Logs in, sends the query and reads to its end: how many bytes, in how many seconds.
fn run(of: &Endpoint, query: &str) -> (u64, f64) {
    let mut stream = TcpStream::connect((of.host.as_str(), of.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let parameters = [
        "user",
        &of.user,
        "database",
        &of.database,
        "client_encoding",
        "UTF8",
        "",
    ]
    .join("\0");
    let mut startup = 196_608_u32.to_be_bytes().to_vec();
    startup.extend_from_slice(parameters.as_bytes());
    startup.push(0);
    send(&mut stream, None, &startup);
    let mut buffer = vec![0; 256 * 1_024];
    let mut frames = Frames::default();
    loop {
        match frames.next(&mut stream, &mut buffer) {
            (b'R', Some(3)) => send(
                &mut stream,
                Some(b'p'),
                format!("{}\0", of.password).as_bytes(),
            ),
            (b'E', _) => panic!(
                "login failed: {:?}",
                String::from_utf8_lossy(&buffer[..200])
            ),
            (b'Z', _) => break,
            _ => {}
        }
    }
    let began = Instant::now();
    send(&mut stream, Some(b'Q'), format!("{query}\0").as_bytes());
    let before = frames.bytes;
    loop {
        match frames.next(&mut stream, &mut buffer) {
            (b'E', _) => panic!(
                "{query} failed: {:?}",
                String::from_utf8_lossy(&buffer[..300])
            ),
            (b'Z', _) => break,
            _ => {}
        }
    }
    (frames.bytes - before, began.elapsed().as_secs_f64())
}

fn send(stream: &mut TcpStream, kind: Option<u8>, body: &[u8]) {
    let mut message = Vec::from_iter(kind);
    message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    message.extend_from_slice(body);
    stream.write_all(&message).unwrap();
}

/// Steps from message to message without looking inside.
#[derive(Default)]
struct Frames {
    start: usize,
    end: usize,
    bytes: u64,
}

impl Frames {
    /// The next message's kind, and its first four bytes as a number where they were read with it.
    fn next(&mut self, stream: &mut TcpStream, buffer: &mut [u8]) -> (u8, Option<u32>) {
        while self.end - self.start < 5 {
            self.fill(stream, buffer);
        }
        let head = &buffer[self.start..];
        let kind = head[0];
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize + 1;
        while self.end - self.start < length.min(9) {
            self.fill(stream, buffer);
        }
        let head = &buffer[self.start..self.end];
        let number =
            (length >= 9).then(|| u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
        let mut left = length;
        while self.end - self.start < left {
            left -= self.end - self.start;
            self.start = self.end;
            self.fill(stream, buffer);
        }
        self.start += left;
        self.bytes += length as u64;
        (kind, number)
    }

    fn fill(&mut self, stream: &mut TcpStream, buffer: &mut [u8]) {
        buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let read = stream.read(&mut buffer[self.end..]).unwrap();
        assert!(read > 0, "the connection was closed");
        self.end += read;
    }
}
