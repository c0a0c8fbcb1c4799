//! The loop over real sockets, with a real ledger and real policies, and a toy protocol of lines.

mod toy;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::Verdict;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::super::link::OUTBOX_BYTES_HIGH;
use crate::config::TlsMode;
use crate::listen::{self, Listener, Lobby};
use crate::testing::{POLICIES, Scene, soon};
use crate::tls;
use toy::{Seen, Toy};

/// A gateway that serves the toy protocol, and the socket of its target.
struct Stage {
    scene: Scene,
    at: SocketAddr,
    target: TcpListener,
    seen: Arc<Seen>,
    sessions: Option<tokio::task::JoinHandle<tokio::task::JoinSet<()>>>,
}

impl Stage {
    async fn new() -> Self {
        Self::with("").await
    }

    async fn with(more: &str) -> Self {
        let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = target.local_addr().unwrap();
        Self::around(target, at, more).await
    }

    async fn around(target: TcpListener, target_at: SocketAddr, more: &str) -> Self {
        let scene = Scene::new(target_at, more).await;
        let socket = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let at = socket.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let listener = Listener {
            protocol: "postgres",
            socket,
            tls: tls::server(None, &scene.folder.path().join("data"), at.ip(), &[b"toy"]).unwrap(),
            make: Box::new(move |_| Box::new(Toy::new(shared.clone()))),
        };
        let lobby = Lobby::new(scene.gateway.limits.unauthenticated);
        let sessions = Some(tokio::spawn(listen::accept(
            listener,
            lobby,
            scene.gateway.clone(),
        )));
        Self {
            scene,
            at,
            target,
            seen,
            sessions,
        }
    }

    async fn connect(&self) -> Client<TcpStream> {
        Client(BufReader::new(TcpStream::connect(self.at).await.unwrap()))
    }

    /// A client that is logged in, and the target's side of its session.
    async fn logged_in(&self) -> (Client<TcpStream>, TcpStream) {
        let mut client = self.connect().await;
        client
            .say(&format!("login bank {}", self.scene.token("alice")))
            .await;
        assert_eq!(client.hear().await, "ready");
        let (target, _) = soon("the gateway connects", self.target.accept())
            .await
            .unwrap();
        (client, target)
    }

    /// The story in the ledger once every session is closed.
    async fn end(mut self) -> Vec<String> {
        self.scene.ending.send_replace(true);
        let sessions = self.sessions.take().unwrap();
        let mut sessions = soon("accepting ends", sessions).await.unwrap();
        soon("sessions end", async {
            while sessions.join_next().await.is_some() {}
        })
        .await;
        self.scene.story().await
    }
}

struct Client<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn say(&mut self, line: &str) {
        self.0
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
        self.0.get_mut().flush().await.unwrap();
    }

    /// A line; empty at the end of the stream.
    async fn hear(&mut self) -> String {
        let mut line = String::new();
        match soon("a line", self.0.read_line(&mut line)).await {
            Ok(_) => line.trim_end().to_owned(),
            Err(_) => String::new(),
        }
    }
}

async fn hear(target: &mut TcpStream, count: usize) -> String {
    let mut bytes = vec![0; count];
    soon("bytes at the target", target.read_exact(&mut bytes))
        .await
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_login_to_close() {
    let stage = Stage::new().await;
    let (mut client, mut target) = stage.logged_in().await;
    client.say("up one").await;
    assert_eq!(hear(&mut target, 3).await, "one");
    target.write_all(b"two\n").await.unwrap();
    assert_eq!(client.hear().await, "two");
    client.say("select 1").await;
    assert_eq!(client.hear().await, "permitted 1");
    client.say("delete 2").await;
    assert_eq!(client.hear().await, "refused 2 Forbidden");
    client.say("quit").await;
    assert_eq!(client.hear().await, "");
    assert_eq!(
        target.read(&mut [0; 8]).await.unwrap(),
        0,
        "the target's side is closed too"
    );
    assert_eq!(
        stage.end().await,
        [
            "login",
            "session_opened",
            "intent 1",
            "outcome Completed",
            "refused 2 Forbidden",
            "closed 1 1"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_recorded_and_told_and_opens_nothing() {
    let stage = Stage::new().await;
    for (line, answer) in [
        ("login bank nonsense".to_owned(), "refused Unauthenticated"),
        (
            format!("login vault {}", stage.scene.token("alice")),
            "refused UnknownTarget",
        ),
    ] {
        let mut client = stage.connect().await;
        client.say(&line).await;
        assert_eq!(
            (client.hear().await, client.hear().await),
            (answer.to_owned(), String::new())
        );
    }
    // A target that is there and forbidden is refused in the very same words as one that is not.
    stage
        .scene
        .policies(&POLICIES.replace("Target::\"bank\"", "Target::\"other\""));
    stage
        .scene
        .gateway
        .policies
        .reload(&stage.scene.gateway.journal, true)
        .await
        .unwrap();
    let mut said = Vec::new();
    for target in ["bank", "shed"] {
        let mut client = stage.connect().await;
        client
            .say(&format!("login {target} {}", stage.scene.token("alice")))
            .await;
        assert_eq!(client.hear().await, "refused UnknownTarget");
        said.push(stage.seen.last_denial().replace(target, "…"));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(stage.scene.gateway.stats.sessions.value(), 0);
    let story = stage.end().await;
    assert_eq!(
        story
            .iter()
            .filter(|entry| *entry == "login refused")
            .count(),
        4
    );
    assert!(
        !story.iter().any(|entry| entry == "session_opened"),
        "{story:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_target_is_a_clear_refusal() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::around(target, nobody, "").await;
    let mut client = stage.connect().await;
    client
        .say(&format!("login bank {}", stage.scene.token("alice")))
        .await;
    assert_eq!(client.hear().await, "refused UpstreamUnavailable");
    assert!(
        !stage
            .seen
            .last_denial()
            .contains(&nobody.port().to_string()),
        "nothing of the target is told"
    );
    assert_eq!(stage.end().await, ["login"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_keep_the_order_of_the_questions() {
    let stage = Stage::new().await;
    let (mut client, _target) = stage.logged_in().await;
    client.say("select 1\nupdate 2\nselect 3\ndelete 4").await;
    assert_eq!(client.hear().await, "permitted 1");
    assert!(client.hear().await.starts_with("held 2 cs-"));
    // What comes after is written already, and waits its turn.
    let id = stage.scene.pending().await;
    stage.scene.verdict(&id, Verdict::Approve).await;
    assert_eq!(client.hear().await, "permitted 2");
    assert_eq!(client.hear().await, "permitted 3");
    assert_eq!(client.hear().await, "refused 4 Forbidden");
    client.say("quit").await;
    assert_eq!(client.hear().await, "");
    let story = stage.end().await;
    assert_eq!(story.last().unwrap(), "closed 3 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_withdraws_what_is_held() {
    let stage = Stage::new().await;
    let (mut client, _target) = stage.logged_in().await;
    client.say("update 1\nupdate 2").await;
    assert!(client.hear().await.starts_with("held 1"));
    drop(client);
    let mut changes = stage.scene.approvals.changes();
    while !stage.scene.approvals.list().is_empty() {
        soon("the withdrawal", changes.changed()).await.unwrap();
    }
    let story = stage.end().await;
    assert!(
        story.contains(&"approval closed withdrawn".to_owned()),
        "{story:?}"
    );
    // People were asked about the first alone: the second's turn never came.
    assert_eq!(
        story
            .iter()
            .filter(|entry| *entry == "approval_requested")
            .count(),
        1
    );
    assert_eq!(story.last().unwrap(), "closed 0 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_key_reaches_its_session_and_withdraws_what_is_held() {
    let stage = Stage::new().await;
    let (mut client, _target) = stage.logged_in().await;
    client.say("key k1\nupdate 1").await;
    assert!(client.hear().await.starts_with("held 1"));
    let mut other = stage.connect().await;
    other.say("cancel wrong").await;
    assert_eq!(other.hear().await, "");
    assert_eq!(stage.scene.approvals.list().len(), 1);
    let mut other = stage.connect().await;
    other.say("cancel k1").await;
    assert_eq!(client.hear().await, "cancelled");
    assert_eq!(client.hear().await, "refused 1 Cancelled");
    client.say("quit").await;
    assert_eq!(client.hear().await, "");
    // The key reaches nobody any more.
    let mut late = stage.connect().await;
    late.say("cancel k1").await;
    assert_eq!(late.hear().await, "");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_a_violation_still_arrives() {
    let stage = Stage::new().await;
    let (mut client, _target) = stage.logged_in().await;
    client.say("hold\nselect 1\nbad").await;
    assert_eq!(client.hear().await, "holding");
    assert_eq!(client.hear().await, "you broke it");
    assert_eq!(client.hear().await, "");
    // What the session wanted in the turn that broke the protocol is not done any more.
    assert_eq!(stage.end().await[2..], ["closed 0 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_waits_for_any_more_is_aborted() {
    let stage = Stage::new().await;
    let (mut client, _target) = stage.logged_in().await;
    client.say("select 1\nquit").await;
    assert_eq!(client.hear().await, "");
    let story = stage.end().await;
    assert_eq!(story[2..], ["intent 1", "outcome Aborted", "closed 1 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_with_the_client_begins_where_the_session_says() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    client.say("tls").await;
    assert_eq!(client.hear().await, "S");
    assert!(client.0.buffer().is_empty());
    let config = tls::client(TlsMode::Require, None).unwrap().unwrap();
    let name = "localhost".try_into().unwrap();
    let secured = TlsConnector::from(config)
        .connect(name, client.0.into_inner())
        .await
        .unwrap();
    let mut client = Client(BufReader::new(secured));
    assert_eq!(client.hear().await, "secured");
    client
        .say(&format!("login bank {}", stage.scene.token("alice")))
        .await;
    assert_eq!(client.hear().await, "ready");
    client.say("quit").await;
    assert_eq!(client.hear().await, "");
    let entries = stage.scene.entries().await;
    let opened = entries.iter().find_map(|entry| match &entry.event {
        model::Event::SessionOpened(opened) => Some(opened.transport.clone()),
        _ => None,
    });
    assert_eq!(opened.as_deref(), Some("TLSv1.3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_where_tls_must_begin_ends_the_session() {
    let stage = Stage::new().await;
    let mut client = stage.connect().await;
    client.say("tls").await;
    assert_eq!(client.hear().await, "S");
    client
        .say(&format!("login bank {}", stage.scene.token("alice")))
        .await;
    // A TLS alert, or nothing: no line of the protocol.
    let mut rest = Vec::new();
    drop(soon("the end", client.0.read_to_end(&mut rest)).await);
    assert!(!rest.windows(5).any(|bytes| bytes == b"ready"));
    assert!(stage.end().await.is_empty());
}

/// A target with a certificate of its own authority.
fn target_tls(folder: &std::path::Path, name: &str) -> (TlsAcceptor, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (certificate, key) = (folder.join("target.crt"), folder.join("target.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let files = crate::config::CertificateFiles { certificate, key };
    let config = tls::server(
        Some(&files),
        folder,
        "127.0.0.1".parse().unwrap(),
        &[b"toy"],
    )
    .unwrap();
    (TlsAcceptor::from(config), made.cert.der().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_with_the_target_is_verified_as_configured() {
    for (mode, ca, name, trusted) in [
        ("verify-full", true, "127.0.0.1", true),
        ("verify-full", true, "elsewhere.example", false),
        ("verify-ca", true, "elsewhere.example", true),
        ("require", false, "elsewhere.example", true),
        ("verify-full", false, "127.0.0.1", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (acceptor, certificate) = target_tls(folder.path(), name);
        let ca = if ca {
            format!("ca = {:?}\n", folder.path().join("target.crt"))
        } else {
            String::new()
        };
        let stage = Stage::with(&format!("tls = {mode:?}\n{ca}")).await;
        let (mut client, mut target) = stage.logged_in().await;
        client.say("utls").await;
        assert_eq!(hear(&mut target, 4).await, "tls\n");
        target.write_all(b"S\n").await.unwrap();
        let shaken = soon("the handshake", acceptor.accept(target)).await;
        if trusted {
            let mut target = shaken.unwrap();
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
            assert_eq!(
                client.hear().await,
                format!("utls {}", hex::encode(digest)),
                "{mode} {name}"
            );
            client.say("up secret").await;
            let mut bytes = [0; 6];
            soon("bytes", target.read_exact(&mut bytes)).await.unwrap();
            assert_eq!(&bytes, b"secret");
        } else {
            assert_eq!(client.hear().await, "ended Upstream", "{mode} {name}");
        }
        drop(client);
        stage.end().await;
    }
}

/// Sends until the other side takes no more, or so much was sent.
async fn flood(target: &mut TcpStream, most: usize) -> usize {
    let piece = vec![b'x'; 64 * 1_024];
    let mut sent = 0;
    while sent < most {
        let stuck = std::time::Duration::from_millis(500);
        match tokio::time::timeout(stuck, target.write(&piece[..piece.len().min(most - sent)]))
            .await
        {
            Ok(written) => sent += written.unwrap(),
            Err(_) => break,
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_stops_the_target_and_loses_nothing() {
    let stage = Stage::new().await;
    let (mut client, mut target) = stage.logged_in().await;
    let most = 256 * 1_024 * 1_024;
    let sent = flood(&mut target, most).await;
    assert!(sent < most, "the target could send without end");
    // What the gateway itself has taken beyond what left it is bounded; the rest is in the system's buffers.
    assert!(stage.seen.from_upstream.load(Ordering::Relaxed) <= sent);
    drop(target);
    let mut rest = Vec::new();
    soon("the rest", client.0.read_to_end(&mut rest))
        .await
        .unwrap();
    let tail = b"ended Upstream\n";
    assert_eq!(rest.len(), sent + tail.len());
    assert!(rest.ends_with(tail) && rest[..sent].iter().all(|byte| *byte == b'x'));
    const { assert!(OUTBOX_BYTES_HIGH <= 1 << 20) };
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_wants_no_more_is_given_no_more() {
    let stage = Stage::new().await;
    let (mut client, mut target) = stage.logged_in().await;
    client.say("hold").await;
    assert_eq!(client.hear().await, "holding");
    target.write_all(b"later\n").await.unwrap();
    client.say("select 1").await;
    assert_eq!(client.hear().await, "permitted 1");
    assert_eq!(stage.seen.from_upstream.load(Ordering::Relaxed), 0);
    client.say("go").await;
    assert_eq!(client.hear().await, "later");
    drop((client, target));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_say_nothing_keep_nobody_out() {
    let stage = Stage::with("[limits]\nunauthenticated = 4\n").await;
    let (mut first, _t1) = stage.logged_in().await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(stage.connect().await);
    }
    let (mut second, _t2) = stage.logged_in().await;
    for client in [&mut first, &mut second] {
        client.say("select 1").await;
        assert_eq!(client.hear().await, "permitted 1");
    }
    // The ones who sat longest were sent away.
    assert_eq!(silent[0].hear().await, "");
    assert!(stage.scene.gateway.stats.evicted.value() >= 36);
    drop(silent);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_log_in_in_time_is_closed() {
    let stage = Stage::with("[limits]\nlogin = \"50ms\"\n").await;
    let mut client = stage.connect().await;
    assert_eq!(client.hear().await, "");
    // One that drips does not live longer.
    let mut client = stage.connect().await;
    let dripped = async {
        while client.0.get_mut().write_all(b"l").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon("the deadline", dripped).await;
    assert!(stage.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_ends_and_one_that_waits_for_people_does_not() {
    let stage = Stage::with("[limits]\nidle = \"100ms\"\n").await;
    let (mut idle, _t1) = stage.logged_in().await;
    let (mut held, _t2) = stage.logged_in().await;
    held.say("update 1").await;
    assert!(held.hear().await.starts_with("held 1"));
    assert_eq!(idle.hear().await, "");
    let id = stage.scene.pending().await;
    stage.scene.verdict(&id, Verdict::Approve).await;
    assert_eq!(held.hear().await, "permitted 1");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_quiet_sessions_are_told_and_running_ones_get_a_while() {
    let stage = Stage::with("[limits]\ndrain = \"200ms\"\n").await;
    let (mut quiet, _t1) = stage.logged_in().await;
    let (mut running, _t2) = stage.logged_in().await;
    running.say("keep 1").await;
    assert_eq!(running.hear().await, "permitted 1");
    let Stage {
        scene,
        mut sessions,
        ..
    } = stage;
    scene.ending.send_replace(true);
    assert_eq!(quiet.hear().await, "ended Upstream");
    assert_eq!(quiet.hear().await, "");
    assert_eq!(running.hear().await, "");
    let mut sessions = sessions.take().unwrap().await.unwrap();
    soon("sessions end", async {
        while sessions.join_next().await.is_some() {}
    })
    .await;
    let story = scene.story().await;
    assert!(story.contains(&"outcome Aborted".to_owned()), "{story:?}");
    assert_eq!(story.last().unwrap(), "closed 1 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_dies_is_told_to_the_client() {
    let stage = Stage::new().await;
    let (mut client, target) = stage.logged_in().await;
    drop(target);
    assert_eq!(client.hear().await, "ended Upstream");
    assert_eq!(client.hear().await, "");
    assert_eq!(stage.end().await.last().unwrap(), "closed 0 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn aside_and_knowledge() {
    let stage = Stage::new().await;
    let (mut client, _target) = stage.logged_in().await;
    client.say("aside stop it").await;
    let (mut aside, _) = soon("a further connection", stage.target.accept())
        .await
        .unwrap();
    assert_eq!(hear(&mut aside, 7).await, "stop it");
    drop(aside);
    assert_eq!(client.hear().await, "delivered");
    client.say("learn 42").await;
    client.say("select 1").await;
    assert_eq!(client.hear().await, "learned Some(\"42\")");
    assert_eq!(client.hear().await, "permitted 1");
    // Another session with the target is told.
    let (_other, _t2) = stage.logged_in().await;
    assert_eq!(stage.seen.knowledge.lock().unwrap().as_deref(), Some("42"));
    drop(client);
    stage.end().await;
}
