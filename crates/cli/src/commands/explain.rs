//! `countersign aws explain`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use clap::{Args, Subcommand};
use gateway::config::{AwsTarget, Config};
use mask::{Masker, MaskerConfig};
use model::{Command, Decision, Denial, DenialCode, Identity, Obligations};
use policy::{PolicySet, TargetRef};
use protocols::aws::NAME;
use protocols::aws::classify::{Call, Wire, classify};
use protocols::aws::command::{Body, command};
use protocols::aws::expressions;
use protocols::aws::inside;
use protocols::aws::s3::wants_body;
use protocols::aws::screen;
use protocols::aws::secrets::Hider;
use protocols::aws::sts::{self, Ask};
use protocols::aws::why;
use protocols::http::sigv4::{Payload, Presented, Scope};
use protocols::http::{Fields, Head, escape};
use serde_json::{Value, json};

use super::asker::Asker;
use super::{block_on, check};
use crate::capture::{self, Caught};
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::escape as shown;

/// What concerns AWS's APIs.
#[derive(Debug, Subcommand)]
pub(crate) enum Aws {
    Explain(Box<Explain>),
}

impl Aws {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Explain(explain) => explain.run(globals, output),
        }
    }
}

/// Show how a request of AWS's APIs is understood, and what policy would say of it. Nothing is sent.
///
/// A client is run with keys that open nothing, and what it asks is caught on this machine and refused; so only its first request is seen where the next depends on the answer. Or the request is given by --method, --url and --body. Policies are those of the configuration's folder, as they stand there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign aws explain --for alice --group data -- aws s3 rm s3://reports/2026.csv
  countersign aws explain --target lake --for alice --agent claude-code -- python3 job.py
  countersign aws explain --for alice --service s3 --method DELETE --url /reports/2026.csv
  countersign aws explain --for alice --service dynamodb --url / --header 'X-Amz-Target: DynamoDB_20120810.GetItem' --body item.json")]
pub(crate) struct Explain {
    /// The target that is asked. Default: the only one that speaks AWS's APIs.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,

    #[command(flatten)]
    asker: Asker,

    /// The request's method. Default: POST.
    #[arg(long, value_name = "METHOD", requires = "url")]
    method: Option<String>,

    /// The request's path and query; a scheme and host before it do not count.
    #[arg(
        long,
        value_name = "URL",
        requires = "service",
        conflicts_with = "command"
    )]
    url: Option<String>,

    /// The service the request is signed for, such as s3.
    #[arg(long, value_name = "NAME", requires = "url")]
    service: Option<String>,

    /// A header field of the request; may be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "url")]
    headers: Vec<String>,

    /// The file that holds the request's body. Without it an upload's content counts as not inspected.
    #[arg(long, value_name = "FILE", requires = "url")]
    body: Option<PathBuf>,

    /// The client and its arguments.
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "url")]
    command: Vec<OsString>,
}

/// Operations whose body is content, and not what is asked.
const UPLOADS: [&str; 2] = ["PutObject", "UploadPart"];

/// Whom and what the requests are asked of.
struct Scene<'a> {
    identity: Identity,
    name: &'a str,
    target: &'a AwsTarget,
    /// All that speak AWS's APIs, which STS gives keys for.
    targets: &'a BTreeMap<String, AwsTarget>,
    policies: PolicySet,
}

impl Explain {
    fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let config = Config::load(&globals.config).map_err(Failure::usage)?;
        let (name, target) = self.target(&config)?;
        let scene = Scene {
            identity: self.asker.identity("countersign aws explain"),
            name,
            target,
            targets: &config.aws_targets,
            policies: check::policies(&config).map_err(Failure::usage)?,
        };
        let requests = match &self.url {
            Some(url) => vec![self.given(url, target)?],
            None => {
                let caught = block_on(capture::requests(&self.command, &target.region))?;
                caught
                    .into_iter()
                    .map(of_client)
                    .collect::<Result<_, _>>()?
            }
        };
        for (caught, scope) in &requests {
            let explained = scene.explain(caught, scope);
            if output.is_json() {
                output.json(&explained)?;
            } else {
                output.line(&table(&explained))?;
            }
        }
        Ok(())
    }

    fn target<'a>(&self, config: &'a Config) -> Result<(&'a str, &'a AwsTarget), Failure> {
        let mut all = config.aws_targets.iter();
        let found = match &self.target {
            Some(name) => config.aws_targets.get_key_value(name),
            None => all.next().filter(|_| all.next().is_none()),
        };
        let (name, target) = found.ok_or_else(|| {
            let names: Vec<_> = config.aws_targets.keys().map(String::as_str).collect();
            Failure::usage(format!(
                "say with --target which target that speaks AWS's APIs: there are {}",
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                }
            ))
        })?;
        Ok((name, target))
    }

    fn given(&self, url: &str, to: &AwsTarget) -> Result<(Caught, Scope), Failure> {
        let target = match url.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => url,
        };
        if !target.starts_with('/') {
            return Err(Failure::usage(
                "--url needs a path that begins with a slash",
            ));
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut fields = Fields::default();
        for header in &self.headers {
            let (name, value) = header.split_once(':').ok_or_else(|| {
                Failure::usage(format!(
                    "--header {header:?} is no header: write NAME: VALUE"
                ))
            })?;
            fields.push(name.trim(), value.trim());
        }
        let body = match &self.body {
            Some(file) => std::fs::read(file)
                .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?,
            None => Vec::new(),
        };
        let head = Head {
            method: self
                .method
                .as_deref()
                .unwrap_or("POST")
                .to_ascii_uppercase(),
            path: path.to_owned(),
            query,
            fields,
        };
        let scope = Scope {
            day: "20260101".to_owned(),
            region: to.region.clone(),
            service: self.service.clone().unwrap_or_default(),
        };
        let mut caught = Caught {
            head,
            body: Some(Bytes::from(body)),
        };
        let call = classify(&caught.head, &scope, caught.body.as_deref(), &to.upstream());
        let uploads = UPLOADS.iter().any(|name| screen::is(&call, name));
        if uploads && self.body.is_none() {
            caught.body = None;
        }
        Ok((caught, scope))
    }
}

/// A caught request, and what it is signed for.
fn of_client(caught: Caught) -> Result<(Caught, Scope), Failure> {
    let Caught { head, .. } = &caught;
    if head.method == "CONNECT" {
        let host = &head.path;
        return Err(Failure::usage(format!(
            "the client would ask {host} itself, and not the gateway: leave out its own endpoint (--endpoint-url, endpoint_url)"
        )));
    }
    let presented = Presented::read(head)
        .map_err(|fault| format!("the client's request would be refused: {fault}"))?;
    Ok((caught, presented.scope))
}

impl Scene<'_> {
    /// The command that a call is, and what it carries.
    fn command(
        &self,
        Caught { head, body }: &Caught,
        call: &Call,
        content: Body<'_>,
    ) -> (Command, BTreeSet<String>) {
        let masker = Arc::new(Masker::new(MaskerConfig {
            find: self.target.find.clone(),
            own: self.target.own.clone(),
            ..MaskerConfig::default()
        }));
        let mut carries = match body {
            Some(body) if screen::sends(call) => {
                screen::carried(call, head, body, &self.target.objects, &masker)
            }
            _ => screen::unknown(call),
        };
        carries.extend(screen::said(call, head, &masker));
        (command(call, head, content, &masker, &carries), carries)
    }

    /// Whether somebody may use a target.
    fn connect(&self, name: &str, target: &AwsTarget) -> Decision {
        let target = TargetRef {
            name,
            protocol: NAME,
            labels: &target.labels,
        };
        self.policies.connect(&self.identity, &target)
    }

    /// What policy says of a command.
    fn decision(&self, command: &Command) -> Decision {
        let connect = self.connect(self.name, self.target);
        if matches!(connect, Decision::Deny(_)) {
            return connect;
        }
        let target = TargetRef {
            name: self.name,
            protocol: NAME,
            labels: &self.target.labels,
        };
        let (asks, nobody) = (&command.asks, BTreeSet::new());
        let decided = self.policies.decide(&self.identity, &target, asks, &nobody);
        (*decided).clone()
    }

    /// Whether the gateway's own STS would answer: it gives keys to who may use the target.
    fn given_keys(&self, caught: &Caught) -> Decision {
        match asked_of_sts(caught) {
            Err(wrong) => Decision::Deny(Denial::new(DenialCode::Unsupported, wrong.to_string())),
            Ok(Ask::Role(role) | Ask::WebIdentity { role, .. }) => {
                match self.targets.get(&role.target) {
                    Some(target) => self.connect(&role.target, target),
                    None => Decision::Deny(policy::unknown_target(&role.target)),
                }
            }
            Ok(Ask::SessionToken { .. } | Ask::CallerIdentity) => {
                self.connect(self.name, self.target)
            }
        }
    }

    /// The target that STS is asked for keys of.
    fn role(&self, caught: &Caught) -> Option<String> {
        match asked_of_sts(caught).ok()? {
            Ask::Role(role) | Ask::WebIdentity { role, .. } => Some(role.target),
            Ask::SessionToken { .. } | Ask::CallerIdentity => None,
        }
    }

    /// What policies could look at in a request, by the attribute's name, whether they do or not.
    fn looked(
        &self,
        caught: &Caught,
        scope: &Scope,
        seen: Option<&[u8]>,
    ) -> impl Fn(&str) -> Vec<String> + use<> {
        let Caught { head, body } = caught;
        let mut call = classify(head, scope, body.as_deref(), &self.target.upstream());
        expressions::look(&mut call, seen.unwrap_or_default(), &self.target.answers);
        inside::look(&mut call, head, seen);
        let (command, _) = self.command(caught, &call, Body::Unknown);
        let sensitive = call.service.map_or(&[][..], |it| it.sensitive.as_slice());
        move |attribute| {
            let context = command.asks.list().first().map(|ask| &ask.context);
            let texts = match context.and_then(|it| it.get(attribute)) {
                Some(model::Value::Texts(texts)) => texts.as_slice(),
                _ => &[],
            };
            let hides = attribute == inside::PARAMETERS;
            let shown = |text: &String| match text.split_once('=') {
                // It may stand in a terminal's history.
                Some((path, _)) if hides && is_sensitive(sensitive, path) => {
                    format!("{path}=[hidden]")
                }
                _ => text.clone(),
            };
            texts.iter().map(shown).collect()
        }
    }

    /// How a request is understood, and what would become of it.
    fn explain(&self, caught: &Caught, scope: &Scope) -> Value {
        let Caught { head, body } = caught;
        // As the gateway has it: bodies of S3 pass, all others are read.
        let reads = |call: &Call| call.wire != Wire::S3 || wants_body(head);
        let mut call = classify(head, scope, body.as_deref(), &self.target.upstream());
        let seen = body.as_deref().filter(|_| reads(&call));
        expressions::look(&mut call, seen.unwrap_or_default(), &self.target.answers);
        let call = inside::looked(call, head, seen, |it| self.policies.mentions(it));
        let looked = self.looked(caught, scope, seen);
        let payload = Presented::read(head).ok().and_then(|it| it.payload);
        let content = match (body, &payload) {
            (Some(body), _) if reads(&call) || body.is_empty() => Body::Whole(body),
            (_, Some(Payload::Sha256(digest))) => Body::Digest(digest),
            _ => Body::Unknown,
        };
        let (command, carries) = self.command(caught, &call, content);
        let of_sts = scope.service == "sts";
        let decision = if of_sts {
            self.given_keys(caught)
        } else {
            self.decision(&command)
        };
        let obligations = match &decision {
            Decision::Allow(obligations) | Decision::Ask { obligations, .. } => obligations.clone(),
            Decision::Deny(_) => Obligations::default(),
        };
        let masker = Masker::new(MaskerConfig {
            reveal: obligations.reveal.clone(),
            strategies: self.target.strategies.clone(),
            find: self.target.find.clone(),
            own: self.target.own.clone(),
            key: None,
        });
        let hider = Hider::new(&call, &self.target.answers, &masker);
        let hidden = hider.as_ref().map(Hider::names).unwrap_or_default();
        let mut asks: Vec<_> = command.asks.list().iter().map(|ask| {
            json!({"action": ask.action, "kind": ask.resource.kind, "resource": ask.resource.name})
        }).collect();
        if of_sts {
            let target = self.role(caught).unwrap_or_else(|| self.name.to_owned());
            asks = vec![json!({"action": "access", "kind": "Target", "resource": target})];
        }
        json!({
            "target": self.name,
            "human": self.identity.human,
            "agent": self.identity.agent.as_ref().map(|agent| &agent.name),
            "service": call.prefix,
            "operation": call.action(),
            "level": call.operation.map_or("opaque", |it| it.level.name()),
            "opaque": call.operation.is_none().then(|| why::opaque(&call, head, seen).to_string()),
            "region": call.region,
            "protocol": call.wire.name(),
            "answered_by": if of_sts { "the gateway itself" } else { "the target" },
            "method": head.method,
            "path": escape::decode(&head.path).unwrap_or_else(|_| head.path.clone()),
            "asks": asks,
            "carries": carries,
            "parameters": looked(inside::PARAMETERS),
            "tags": looked(inside::TAGS),
            "roles": looked(inside::ROLES),
            "probed": looked(expressions::PROBED),
            "matched": looked(expressions::MATCHED),
            "unseen": call.unseen,
            "decision": decided(&decision),
            "reveals": obligations.reveal,
            "hidden_members": hidden,
            "command": String::from_utf8_lossy(&command.shown),
            "body": command.shown_parameters.first().cloned().flatten(),
            "policy": self.policies.version(),
        })
    }
}

/// Whether a member of a body is called, or stands in one that is called, as what may not rest.
fn is_sensitive(names: &[&str], path: &str) -> bool {
    let is = |part: &str| names.iter().any(|name| name.eq_ignore_ascii_case(part));
    path.split('.').any(is)
}

/// What STS is asked, as the gateway reads it.
fn asked_of_sts(Caught { head, body }: &Caught) -> Result<Ask, sts::Wrong> {
    let query = head.query.as_deref().unwrap_or_default();
    let query = query.split('&').filter(|part| !part.starts_with("X-Amz-"));
    let query = query.collect::<Vec<_>>().join("&");
    sts::read(&query, body.as_deref().unwrap_or_default())
}

/// What was decided, as JSON.
pub(super) fn decided(decision: &Decision) -> Value {
    match decision {
        Decision::Allow(it) => json!({"outcome": "allow", "policies": it.policies}),
        Decision::Ask { gates, obligations } => {
            json!({"outcome": "ask", "gates": gates, "policies": obligations.policies})
        }
        Decision::Deny(it) => {
            json!({"outcome": "deny", "message": it.message, "policies": it.policies})
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The items of a list, in these words.
pub(super) fn words(list: &Value, word: &dyn Fn(&Value) -> String) -> String {
    let words: Vec<_> = list.as_array().into_iter().flatten().map(word).collect();
    words.join(", ")
}

/// The texts of a list; `none` where there are none.
pub(super) fn or(list: &Value, none: &str) -> String {
    match words(list, &text) {
        words if words.is_empty() => none.to_owned(),
        words => words,
    }
}

/// One of the questions to policy.
pub(super) fn ask(ask: &Value) -> String {
    format!(
        "{} {} {:?}",
        text(&ask["action"]),
        text(&ask["kind"]),
        text(&ask["resource"])
    )
}

/// What [`decided`] gives, for people.
pub(super) fn verdict(decision: &Value) -> String {
    // People are asked by the policies that set the gates, and not by those that permit it then.
    let policies = match decision["gates"].as_array() {
        Some(gates) => gates.iter().map(|gate| gate["policy"].clone()).collect(),
        None => decision["policies"].clone(),
    };
    let by = match words(&policies, &text) {
        none if none.is_empty() => String::new(),
        by => format!(" (by {by})"),
    };
    match decision["outcome"].as_str() {
        Some("allow") => format!("allow{by}"),
        Some("ask") => {
            let gate = |gate: &Value| format!("{} of {}", gate["quorum"], text(&gate["group"]));
            format!("ask people: {}{by}", words(&decision["gates"], &gate))
        }
        _ => format!("deny{by}: {}", text(&decision["message"])),
    }
}

/// The same for people.
fn table(explained: &Value) -> String {
    let one = |name: &str| text(&explained[name]);
    let nothing = "nothing that is protected";
    let level = match one("opaque") {
        why if why.is_empty() => one("level"),
        why => format!("{}: {why}", one("level")),
    };
    let hidden = match or(&explained["hidden_members"], "") {
        none if none.is_empty() => "nothing".to_owned(),
        names => format!("{names} (wherever answers of the service have them)"),
    };
    let lines = [
        ("Request", format!("{} {}", one("method"), one("path"))),
        (
            "Operation",
            format!(
                "{} ({}), {}, {}",
                one("operation"),
                level,
                one("region"),
                one("protocol")
            ),
        ),
        ("Answered by", one("answered_by")),
        ("Asks", words(&explained["asks"], &ask)),
        ("Carries", or(&explained["carries"], nothing)),
        ("Decision", verdict(&explained["decision"])),
        ("Shown in clear", or(&explained["reveals"], nothing)),
        ("Hidden by name", hidden),
    ];
    // What policies can look at, where there is any of it.
    let attributes = [
        ("Parameters", "parameters"),
        ("Tags", "tags"),
        ("Roles", "roles"),
        ("Probed", "probed"),
        ("Matched", "matched"),
    ];
    let attributes = attributes.map(|(name, attribute)| (name, or(&explained[attribute], "")));
    lines
        .iter()
        .chain(attributes.iter().filter(|(_, value)| !value.is_empty()))
        .map(|(name, value)| format!("{name:<15}{}\n", shown::visible(value)))
        .collect()
}
