//! Logs in to a PostgreSQL server, loads its catalog, and shows the rows of a query as a client of the gateway would see them.
//!
//! ```text
//! PGPASSWORD=… cargo run -p protocols --example pg_login -- 127.0.0.1:5432 user database 'SELECT …' [schema.table.column=class]…
//! ```
//!
//! Without TLS, so for a server on loopback. What the protocol modules promise without I/O is seen here against the real server.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Read, Write};
#[expect(
    clippy::disallowed_types,
    reason = "an example is the outer edge: it plays the gateway"
)]
use std::net::TcpStream;
use std::sync::Arc;

use bytes::Bytes;
use mask::Findings;
use model::Secret;
use protocols::postgres::catalog::{Loaded, Loading, Within};
use protocols::postgres::known::Known;
use protocols::postgres::login::{LoggedIn, Login, Wishes};
use protocols::postgres::rows::{CopyPlan, Reports, RowPlan, Shown};
use protocols::postgres::settings::{AuthMethods, Settings, commitment_key};
use protocols::postgres::transcript::{Event, Transcript};
use protocols::postgres::wire::{
    CopyBegin, Frame, Framer, UPSTREAM_BYTES_MAX, row_fields, server, write,
};
use protocols::session::{Effect, Effects, Peer, TlsWish, Upstream};
use sql::postgres::{Declaration, Resolved, STACK_BYTES, Statement};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let work = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(run)?;
    work.join().map_err(|_| "the example panicked")?
}

fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, user, database, query, declared @ ..] = arguments.as_slice() else {
        return Err("address, user, database and a query are needed".into());
    };
    let settings = Settings {
        auth: AuthMethods {
            md5: true,
            password: true,
        },
        declared: declared
            .iter()
            .map(|text| declaration(text))
            .collect::<Result<_, _>>()?,
        ..Settings::new("example", database)
    };
    let mut random = [0; 64];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let mut server = Server::connect(address)?;
    let logged_in = server.login(&settings, user, random)?;
    println!(
        "logged in: {} parameters, cancel key: {}",
        logged_in.parameters.len(),
        logged_in.backend_key.is_some()
    );
    let loaded = server.load(&settings)?;
    println!("catalog: {} relations", loaded.catalog.relations().count());
    let known = Arc::new(Known::new(loaded, &settings.declared, &settings.trusted));
    println!("declared but not found: {}", known.protected.missing.len());
    server.query(query, &settings, &known, random)
}

fn declaration(text: &str) -> Result<Declaration, Failure> {
    let (column, class) = text.split_once('=').ok_or("schema.table.column=class")?;
    let parts: Vec<&str> = column.split('.').collect();
    let [schema, table, column] = parts.as_slice() else {
        return Err("schema.table.column=class".into());
    };
    Ok(Declaration {
        schema: (*schema).to_owned(),
        table: (*table).to_owned(),
        column: (*column).to_owned(),
        class: class.to_owned().try_into()?,
        path: None,
    })
}

struct Server {
    #[expect(
        clippy::disallowed_types,
        reason = "an example is the outer edge: it plays the gateway"
    )]
    socket: TcpStream,
    framer: Framer,
}

impl Server {
    #[expect(
        clippy::disallowed_types,
        reason = "an example is the outer edge: it plays the gateway"
    )]
    fn connect(address: &str) -> Result<Self, Failure> {
        Ok(Self {
            socket: TcpStream::connect(address)?,
            framer: Framer::messages(UPSTREAM_BYTES_MAX),
        })
    }

    fn read(&mut self) -> Result<Bytes, Failure> {
        let mut buffer = vec![0; 64 << 10];
        let count = self.socket.read(&mut buffer)?;
        buffer.truncate(count);
        if count == 0 {
            Err("the server closed the connection".into())
        } else {
            Ok(buffer.into())
        }
    }

    fn next(&mut self) -> Result<Frame, Failure> {
        loop {
            if let Some(frame) = self.framer.next()? {
                return Ok(frame);
            }
            let piece = self.read()?;
            self.framer.push(piece);
        }
    }

    fn carry_out(&mut self, fx: &mut Effects<Bytes>) -> Result<(), Failure> {
        for effect in fx.drain(..) {
            match effect {
                Effect::Send(Peer::Upstream, bytes) => self.socket.write_all(&bytes)?,
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    }

    fn login(
        &mut self,
        settings: &Settings,
        user: &str,
        random: [u8; 64],
    ) -> Result<LoggedIn, Failure> {
        let upstream = Upstream {
            session: "example".to_owned(),
            user: user.to_owned(),
            password: Secret::from(std::env::var("PGPASSWORD").unwrap_or_default()),
            tls: TlsWish::Disable,
            random,
            knowledge: None,
        };
        let mut fx = Vec::new();
        let mut login = Login::start(upstream, settings, Wishes::default(), &mut fx);
        loop {
            self.carry_out(&mut fx)?;
            if let Some(logged_in) = login.receive(self.read()?, &mut fx)? {
                return Ok(logged_in);
            }
        }
    }

    fn load(&mut self, settings: &Settings) -> Result<Loaded, Failure> {
        let mut fx = Vec::new();
        let mut loading = Loading::start(Within::Idle, settings.limits, &mut fx);
        self.carry_out(&mut fx)?;
        loop {
            let frame = self.next()?;
            if let Some(loaded) = loading.receive(&frame)? {
                return Ok(loaded);
            }
        }
    }

    fn query(
        &mut self,
        text: &str,
        settings: &Settings,
        known: &Arc<Known>,
        random: [u8; 64],
    ) -> Result<(), Failure> {
        let analysis = sql::postgres::parse(text)?;
        let statement = analysis.statements.first().ok_or("no statement")?;
        let resolved = sql::postgres::resolve(statement, &known.catalog, &known.protected);
        let mut answer = Answer {
            text,
            statement,
            resolved: &resolved,
            settings,
            known,
            findings: Findings::new(&commitment_key(&random)),
            rows: None,
            copy: None,
        };
        self.socket.write_all(&write::query(text.as_bytes()))?;
        let mut transcript = Transcript::default();
        loop {
            let frame = self.next()?;
            let mut events: Vec<Event> = Vec::new();
            transcript.shown(answer.show(&frame)?, &mut events);
            events.iter().for_each(|event| println!("{event:?}"));
            if frame.kind == server::READY {
                answer
                    .findings
                    .facts()
                    .iter()
                    .for_each(|fact| println!("{fact:?}"));
                return Ok(());
            }
        }
    }
}

struct Answer<'a> {
    text: &'a str,
    statement: &'a Statement,
    resolved: &'a Resolved,
    settings: &'a Settings,
    known: &'a Arc<Known>,
    findings: Findings,
    rows: Option<RowPlan>,
    copy: Option<CopyPlan>,
}

impl Answer<'_> {
    /// What the client is shown of a message.
    fn show(&mut self, frame: &Frame) -> Result<Bytes, Failure> {
        let masks = self.settings.masks(&BTreeSet::new());
        let mut out = Vec::new();
        let shown = match frame.kind {
            server::ROW_DESCRIPTION => {
                let fields = row_fields(frame)?;
                self.rows = Some(RowPlan::new(
                    &fields,
                    self.resolved,
                    self.known,
                    &masks,
                    None,
                    &mut self.findings,
                )?);
                Shown::Untouched
            }
            server::COPY_OUT => {
                let begin = CopyBegin::read(frame)?;
                let findings = &mut self.findings;
                self.copy = Some(CopyPlan::new(
                    &begin,
                    self.statement,
                    self.resolved,
                    self.known,
                    &masks,
                    findings,
                )?);
                Shown::Untouched
            }
            server::DATA_ROW => {
                let plan = self.rows.as_mut().ok_or("a row without a plan")?;
                plan.row(frame, &mut out, &mut self.findings)?
            }
            server::COPY_DATA => {
                let plan = self.copy.as_mut().ok_or("data without a plan")?;
                plan.data(frame, &mut out, &mut self.findings)?
            }
            server::COPY_DONE => {
                self.copy.take().ok_or("data without a plan")?.finish()?;
                Shown::Untouched
            }
            server::ERROR | server::NOTICE => {
                let reports = Reports {
                    masks: &masks,
                    known: self.known,
                    statement: self.text.as_bytes(),
                    computes: false,
                };
                let masked = reports.mask(frame, &mut self.findings)?;
                return Ok(masked.unwrap_or_else(|| frame.whole.clone()));
            }
            _ => Shown::Untouched,
        };
        Ok(if shown == Shown::Untouched {
            frame.whole.clone()
        } else {
            out.into()
        })
    }
}
