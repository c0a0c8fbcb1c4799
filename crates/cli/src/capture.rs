//! What a client of AWS would ask, caught on loopback and refused: nothing of it goes anywhere.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use model::Secret;
use protocols::aws::classify::{self, Wire};
use protocols::aws::deny::{Kind, Refusal};
use protocols::http::chunked;
use protocols::http::sigv4::{Derived, Payload, Presented};
use protocols::http::{Fields, Head};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::commands::run::is_ambient;
use crate::failure::Failure;
use crate::reach::WITHOUT_PREFIX;
use crate::when;

/// The client's secret key: there is nothing that it opens.
const SECRET_KEY: &str = "opens-nothing";
/// A client gets so long.
const CLIENT_WITHIN: Duration = Duration::from_secs(60);
/// So much of a body is read, as the gateway reads it.
const BODY_BYTES_MAX: usize = 16 << 20;
/// So many requests of a client are kept.
const REQUESTS_MAX: usize = 64;

/// A request that was caught.
pub(crate) struct Caught {
    /// Its head.
    pub(crate) head: Head,
    /// Its body; nothing where it was longer than the gateway reads.
    pub(crate) body: Option<Bytes>,
}

type Kept = Arc<Mutex<Vec<Caught>>>;

/// Runs a client until it ends, with keys that open nothing and an endpoint on loopback, and gives what it asked there. What it
/// printed is dropped unless it asked nothing.
pub(crate) async fn requests(command: &[OsString], region: &str) -> Result<Vec<Caught>, Failure> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Failure::usage("no command is given"))?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let kept = Kept::default();
    let serving = tokio::spawn(serve(listener, kept.clone()));
    let mut client = Command::new(program);
    // The AWS CLI's version 1 sends some services to AWS itself unless its own option says where to.
    if Path::new(program).file_stem() == Some("aws".as_ref()) {
        client.args(["--endpoint-url", &endpoint]);
    }
    client.args(arguments);
    for (name, _) in std::env::vars_os() {
        if is_ambient(&name) {
            client.env_remove(&name);
        }
    }
    client
        .env("AWS_ENDPOINT_URL", &endpoint)
        // Terraform's S3 backend takes the one above for S3 alone.
        .env("AWS_ENDPOINT_URL_STS", &endpoint)
        .env(WITHOUT_PREFIX, "true")
        // Whatever would go elsewhere is refused here too.
        .envs(
            ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
                .map(|name| (name, &endpoint)),
        )
        // By name, hosts with an account before them (S3 Control) too.
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXPLAINEXPLAIN00")
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_REGION", region)
        .env("AWS_DEFAULT_REGION", region)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_PAGER", "")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(CLIENT_WITHIN, client.output()).await;
    serving.abort();
    let caught = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
    if !caught.is_empty() {
        return Ok(caught);
    }
    let program = program.display();
    let output = ran
        .map_err(|_| {
            format!(
                "{program} asked nothing within {} s",
                CLIENT_WITHIN.as_secs()
            )
        })?
        .map_err(|error| Failure::usage(format!("{program} cannot be run: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{program} asked nothing of AWS ({}): {}",
        output.status,
        said.trim()
    )
    .into())
}

async fn serve(listener: TcpListener, kept: Kept) {
    while let Ok((stream, _)) = listener.accept().await {
        let kept = kept.clone();
        let service = service_fn(move |request| {
            let kept = kept.clone();
            async move { Ok::<_, Infallible>(refuse(request, &kept).await) }
        });
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(served);
    }
}

/// What is in a body that came in chunks, and any other body as it is; nothing of one that is not what was signed.
fn content(head: &Head, body: Bytes) -> Option<Bytes> {
    let Ok(presented) = Presented::read(head) else {
        return Some(body);
    };
    if !matches!(presented.payload, Some(Payload::Chunks(_))) {
        return Some(body);
    }
    let secret = Secret::from(SECRET_KEY.to_owned());
    let keys = (&secret, &Derived::default());
    let verified = presented.verify(head, keys, None, when::now()).ok()?;
    let (mut intake, _) = chunked::intake(&verified, head, body.len() as u64).ok()?;
    let mut out = Vec::new();
    intake.push(body, &mut out).ok()?;
    intake.finish(&mut out).ok()?;
    Some(out.concat().into())
}

async fn refuse(request: Request<Incoming>, kept: &Kept) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let mut fields = Fields::default();
    for (name, value) in &parts.headers {
        fields.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let head = Head {
        method: parts.method.as_str().to_owned(),
        path: match parts.uri.authority() {
            Some(host) if parts.method == Method::CONNECT => host.to_string(),
            _ => parts.uri.path().to_owned(),
        },
        query: parts.uri.query().map(str::to_owned),
        fields,
    };
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).ok();
    let body = body.and_then(|body| content(&head, body));
    let wire = Presented::read(&head).map_or(Wire::S3, |it| classify::guess(&head, &it.scope));
    let say = "countersign aws explain caught this request; nothing was sent";
    let is_head = head.method == "HEAD";
    let reply = Refusal::new(Kind::Denied, say).reply(wire, &head.path, "0", is_head);
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < REQUESTS_MAX {
        kept.push(Caught { head, body });
    }
    let mut response = Response::builder()
        .status(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::FORBIDDEN));
    for (name, value) in reply.fields {
        response = response.header(name, value);
    }
    response
        .body(Full::from(reply.body))
        .unwrap_or_else(|_| Response::new(Full::default()))
}
