//! Requests to AWS through the gateway by hand, for what no client would send, and a target that answers by hand.

use crate::gateway::Gateway;
use bytes::Bytes;
use model::{Secret, Timestamp};
use protocols::aws::assume;
use protocols::http::Head;
use protocols::http::canonical::PathForm;
use protocols::http::checksum::Algorithm;
use protocols::http::chunked::{Encoder, encoded_length};
use protocols::http::escape;
use protocols::http::sigv4::{Chunks, Credentials, Payload, Signer, sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

/// How long an answer may take, in seconds.
const ANSWER_SECONDS_MAX: u64 = 60;
const REGION: &str = "eu-central-1";

/// An answer, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, without chunks.
    pub body: Vec<u8>,
    /// Whether it came to its end.
    pub whole: bool,
}

impl Reply {
    /// The value of a field, if it is there.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends bytes to a listener without TLS, and reads one answer. `head` tells that it has no body.
///
/// # Panics
/// If there is no answer.
#[must_use]
pub fn exchange(to: SocketAddr, request: &[u8], head: bool) -> Reply {
    let mut stream = TcpStream::connect(to).unwrap();
    let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
    stream.set_read_timeout(Some(limit)).unwrap();
    // Whoever refuses may not read it all.
    let _ = stream.write_all(request);
    read_reply(&mut BufReader::new(stream), head)
}

fn read_reply(from: &mut impl BufRead, head: bool) -> Reply {
    let lines = read_head(from);
    let status = lines
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no answer: {lines:?}"));
    let fields: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut reply = Reply {
        status,
        fields,
        body: Vec::new(),
        whole: true,
    };
    let length = reply.field("content-length").map(str::parse::<u64>);
    let bodiless = head || matches!(status, 204 | 304);
    if bodiless {
        return reply;
    }
    if let Some(Ok(length)) = length {
        let read = from.take(length).read_to_end(&mut reply.body);
        reply.whole = read.is_ok_and(|read| read as u64 == length);
    } else if reply.field("transfer-encoding") == Some("chunked") {
        reply.whole = read_chunks(from, &mut reply.body).is_some();
    } else {
        reply.whole = from.read_to_end(&mut reply.body).is_ok();
    }
    reply
}

fn read_chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let size = u64::from_str_radix(line.trim(), 16).ok()?;
        let before = body.len() as u64;
        from.by_ref().take(size).read_to_end(body).ok()?;
        let mut end = [0; 2];
        from.read_exact(&mut end).ok()?;
        if body.len() as u64 != before + size {
            return None;
        }
        if size == 0 {
            return Some(());
        }
    }
}

/// The lines of a head, without the empty one.
#[must_use]
pub fn read_head(from: &mut impl BufRead) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let read = from.read_line(&mut line).unwrap_or(0);
        let line = line.trim_end();
        if read == 0 || line.is_empty() {
            return lines;
        }
        lines.push(line.to_owned());
    }
}

/// How long a head says that its body is.
#[must_use]
pub fn announced(head: &[String]) -> Option<u64> {
    head.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    })
}

/// A field that makes a request unlike those before it, as SDKs do; it asks the same.
#[must_use]
pub fn sending() -> (&'static str, String) {
    static SENDINGS: AtomicU64 = AtomicU64::new(0);
    let number = SENDINGS.fetch_add(1, Ordering::Relaxed);
    ("amz-sdk-invocation-id", number.to_string())
}

/// Whoever holds keys of the gateway, which listens without TLS.
pub struct Raw {
    /// Where the gateway listens.
    pub address: SocketAddr,
    /// The keys.
    pub keys: Credentials,
}

impl Raw {
    /// Keys for an agent of alice, who is in these groups.
    ///
    /// # Panics
    /// If STS gives none.
    #[must_use]
    pub fn of(gateway: &Gateway, target: &str, groups: &[&str]) -> Self {
        Self::of_human(gateway, target, "alice", groups)
    }

    /// The same for an agent of somebody else.
    ///
    /// # Panics
    /// If STS gives none.
    #[must_use]
    pub fn of_human(gateway: &Gateway, target: &str, human: &str, groups: &[&str]) -> Self {
        let address = gateway.address("aws");
        let token = gateway.token_in(Some("claude-code"), human, groups);
        let form = format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=raw&RoleArn={}&WebIdentityToken={}",
            escape::encode(&format!("arn:aws:iam::000000000000:role/{target}")),
            escape::encode(&token)
        );
        let reply = exchange(address, &sts(address, &form), false);
        let keys = assume::read(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"));
        Self {
            address,
            keys: keys.credentials,
        }
    }

    /// A request in bytes, signed with everything in it. `target` is path and query.
    #[must_use]
    pub fn signed(
        &self,
        service: &str,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        self.signed_ago(0, service, method, (target, fields), body)
    }

    /// The same, signed so many seconds ago; later than now where that is negative.
    #[must_use]
    pub fn signed_ago(
        &self,
        secs: i64,
        service: &str,
        method: &str,
        (target, fields): (&str, &[(&str, &str)]),
        body: &[u8],
    ) -> Vec<u8> {
        let at = Timestamp::from_secs(now().secs() - secs);
        let mut head = self.head(method, target, fields);
        let stated = head.fields.one("x-amz-content-sha256").map(str::to_owned);
        let payload = stated
            .and_then(|it| Payload::read(&it))
            .unwrap_or_else(|| Payload::Sha256(sha256(body)));
        head.fields.set("x-amz-content-sha256", payload.as_str());
        self.signer(service).sign(&mut head, &payload, at).unwrap();
        let mut bytes = written(&head);
        bytes.extend_from_slice(body);
        bytes
    }

    /// The same keys with another secret.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        let keys = Credentials {
            secret_key: Secret::from(secret.to_owned()),
            ..self.keys.clone()
        };
        Self {
            address: self.address,
            keys,
        }
    }

    /// An upload in signed chunks with a checksum behind them, in bytes, of which the body is as `spoil` leaves it.
    ///
    /// # Panics
    /// If it cannot be signed.
    #[must_use]
    pub fn chunked(
        &self,
        target: &str,
        content: &Bytes,
        spoil: impl FnOnce(&mut Vec<u8>),
    ) -> Vec<u8> {
        let checksum = Algorithm::Crc64Nvme;
        let (mut head, payload, length) = self.chunks(target, content.len() as u64, checksum);
        let signed = self.signer("s3").sign(&mut head, &payload, now()).unwrap();
        let mut encoder = Encoder::new(signed, length, Some(checksum));
        let mut out = Vec::new();
        encoder.push(content.clone(), &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        let mut body = out.concat();
        spoil(&mut body);
        [written(&head), body].concat()
    }

    /// The head of an upload in signed chunks.
    fn chunks(&self, target: &str, length: u64, checksum: Algorithm) -> (Head, Payload, u64) {
        let chunks = Chunks {
            signed: true,
            trailer: true,
        };
        let payload = Payload::Chunks(chunks);
        let fields = [
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", payload.as_str()),
            ("x-amz-decoded-content-length", &length.to_string()),
            ("x-amz-trailer", checksum.header()),
            (
                "content-length",
                &encoded_length(length, Some(checksum)).to_string(),
            ),
        ];
        let head = self.head("PUT", target, &fields);
        (head, payload, length)
    }

    /// A presigned URL's path and query, for `PUT` or another method.
    #[must_use]
    pub fn presigned(&self, method: &str, target: &str, secs: i64) -> String {
        let mut head = self.head(method, target, &[]);
        let signer = self.signer("s3");
        let payload = Payload::Unsigned;
        signer.presign(&mut head, &payload, now(), secs).unwrap();
        format!("{}?{}", head.path, head.query.unwrap())
    }

    /// Sends an S3 request.
    #[must_use]
    pub fn s3(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        let length = body.len().to_string();
        let mut all = fields.to_vec();
        if !body.is_empty() {
            all.push(("content-length", &length));
        }
        let request = self.signed("s3", method, target, &all, body);
        exchange(self.address, &request, method == "HEAD")
    }

    /// DynamoDB's PutItem in bytes, with these fields beside its own.
    #[must_use]
    pub fn put_item(&self, more: &[(&str, &str)], item: &[u8]) -> Vec<u8> {
        let length = item.len().to_string();
        let own = [
            ("content-length", length.as_str()),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
        ];
        self.signed("dynamodb", "POST", "/", &[&own, more].concat(), item)
    }

    /// Uploads `count` times `block` in signed chunks with a checksum, as much as is sent being all that is held.
    ///
    /// # Panics
    /// If the connection ends.
    #[must_use]
    pub fn put_stream(&self, target: &str, block: &Bytes, count: u64) -> Reply {
        let (checksum, length) = (Algorithm::Crc64Nvme, block.len() as u64 * count);
        let (mut head, payload, length) = self.chunks(target, length, checksum);
        let signed = self.signer("s3").sign(&mut head, &payload, now()).unwrap();
        let mut encoder = Encoder::new(signed, length, Some(checksum));
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(&written(&head)).unwrap();
        let mut out = Vec::new();
        for _ in 0..count {
            encoder.push(block.clone(), &mut out).unwrap();
            for piece in out.drain(..) {
                stream.write_all(&piece).unwrap();
            }
        }
        encoder.finish(&mut out).unwrap();
        for piece in out {
            stream.write_all(&piece).unwrap();
        }
        read_reply(&mut BufReader::new(stream), false)
    }

    /// Downloads an object piece by piece. Gives the head, and how long the body was.
    ///
    /// # Panics
    /// If there is no answer with a length.
    pub fn get_stream(&self, target: &str, mut take: impl FnMut(&[u8])) -> (Reply, u64) {
        let request = self.signed("s3", "GET", target, &[], b"");
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(&request).unwrap();
        let mut stream = BufReader::with_capacity(256 << 10, stream);
        let reply = read_reply(&mut stream, true);
        let length = reply
            .field("content-length")
            .unwrap()
            .parse::<u64>()
            .unwrap();
        let mut read = 0;
        while read < length {
            let piece = stream.fill_buf().unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            take(piece);
            let used = piece.len();
            read += used as u64;
            stream.consume(used);
        }
        (reply, read)
    }

    fn head(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Head {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut head = Head {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            fields: fields.iter().copied().collect(),
        };
        if !head.fields.has("host") {
            head.fields.set("host", self.address.to_string());
        }
        head
    }

    fn signer<'a>(&'a self, service: &'a str) -> Signer<'a> {
        Signer {
            credentials: &self.keys,
            region: REGION,
            service,
            form: PathForm::of(service),
        }
    }
}

/// A form for STS in bytes.
#[must_use]
pub fn sts(to: SocketAddr, form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "POST / HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

/// A head in bytes.
fn written(head: &Head) -> Vec<u8> {
    let mut text = format!("{} {}", head.method, head.path);
    if let Some(query) = &head.query {
        text.push('?');
        text.push_str(query);
    }
    text.push_str(" HTTP/1.1\r\n");
    for (name, value) in head.fields.iter() {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client reads the clock of its machine"
)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_secs(i64::try_from(since.unwrap().as_secs()).unwrap())
}

/// A target that answers each request with the same bytes and then ends the connection, whatever it is asked.
pub struct Canned {
    /// Where it listens.
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Canned {
    /// Starts it. It ends with the test's process.
    #[must_use]
    pub fn start(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, heads) = (answer.into(), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let head = read_head(&mut reader);
                let length = announced(&head);
                seen.lock().unwrap().push(head);
                let mut body = Vec::new();
                let _ = reader
                    .by_ref()
                    .take(length.unwrap_or(0))
                    .read_to_end(&mut body);
                let _ = reader.get_mut().write_all(&answer);
            }
        });
        Self { address, heads }
    }

    /// The heads of the requests so far, line by line.
    #[must_use]
    pub fn heads(&self) -> Vec<Vec<String>> {
        self.heads.lock().unwrap().clone()
    }

    /// Keys that mean nothing to it.
    #[must_use]
    pub fn keys() -> Credentials {
        Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: Secret::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            token: None,
        }
    }
}
