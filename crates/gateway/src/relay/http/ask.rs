//! What is asked: of policy, of people, and into the record.

use std::collections::BTreeSet;

use hyper::Response;
use hyper::body::Body as _;
use model::{Command, Decision, Denial, DenialCode, Note, Permit};
use policy::PolicySet;
use protocols::aws::classify::{self, Call, Wire};
use protocols::aws::command::{self, BODY_BYTES_MAX, Body};
use protocols::aws::deny::{Kind, Refusal};
use protocols::aws::expressions;
use protocols::aws::inside;
use protocols::aws::objects::Facts;
use protocols::aws::screen;
use protocols::aws::why::{self, Reason};
use protocols::http::chunked::Ended;
use protocols::http::sigv4::Payload;
use protocols::session::Answer;

use super::answer::Shown;
use super::begun::Begins;
use super::exchange::{Asked, Content, Refused, denied, malformed};
use super::send::{Going, unrecorded};
use super::sessions::Session;
use super::uploads::Step;
use super::used::Claim;
use super::{Relay, WHOLE_BYTES_MAX};
use crate::gate::{Asking, Begun, Caller, Standing};
use crate::upstream::aws::Account;

const BEGINS: &str = "CreateMultipartUpload";
const COMPLETES: &str = "CompleteMultipartUpload";
/// What whoever completes an upload in parts is told beside a refusal.
const INCOMPLETE: &str = "; the object was not made, and its parts stay at the target until the upload is aborted (AbortMultipartUpload)";

/// A refusal, with what becomes of an upload in parts that is not completed for what it carries.
fn incomplete(mut refused: Refused, call: &Call, carries: &BTreeSet<String>) -> Refused {
    if screen::is(call, COMPLETES) && !carries.is_empty() {
        refused.refusal.message.push_str(INCOMPLETE);
    }
    refused
}

impl Relay {
    /// Knows what is asked, asks the gate, and sends it.
    pub(super) async fn ask(
        &self,
        asked: Asked,
        mut content: Content,
        session: Session,
    ) -> Result<Response<Shown>, Refused> {
        let caller = session.caller.clone();
        let Some(account) = caller.target.account() else {
            let wire = classify::guess(&asked.head, &asked.scope);
            return Err(malformed("the target does not speak AWS's APIs", wire));
        };
        let policies = self.gateway.policies.current();
        let call = understood(&asked, content.whole(), account, &policies);
        let (wire, target) = (call.wire, caller.target.as_policy());
        session
            .admitted_by(&policies)
            .map_err(|denial| denied(&denial, wire))?;
        let masker = account.maskers.at_rest_anywhere();
        let make = |body: Body<'_>, carries: &BTreeSet<String>| {
            command::command(&call, &asked.head, body, masker, carries)
        };
        let (mut carries, mut step, mut ended) = (screen::unknown(&call), None, None);
        let denied = || {
            let whatever = make(Body::Unknown, &BTreeSet::new());
            is_denied(&policies, &caller, &whatever)
        };
        if screen::sends(&call) && policies.mentions(screen::ATTRIBUTE) && !denied() {
            if is_short(&content, &asked) {
                let unknown = || make(Body::Unknown, &carries);
                let spooled = self.spooled(content, &asked, &session, unknown, wire);
                (content, ended) = spooled.await?;
            }
            (carries, step) = self.inspected(account, &caller, &call, &asked, &content);
            carries.extend(screen::said(&call, &asked.head, account.maskers.at_rest()));
        }
        let mut command = make(told(&content, &asked, ended.as_ref()), &carries);
        let unbound = matches!(content, Content::Stream(_))
            && !matches!(asked.verified.payload, Payload::Sha256(_));
        let asks = || policies.decide(&caller.identity, &target, &command.asks, &BTreeSet::new());
        if (unbound || is_legible(&content, &asked)) && matches!(*asks(), Decision::Ask { .. }) {
            // People approve bytes, so the bytes must be here first; and where they are few, people see them.
            let unknown = || make(Body::Unknown, &carries);
            let spooled = self.spooled(content, &asked, &session, unknown, wire);
            (content, ended) = spooled.await?;
            command = make(told(&content, &asked, ended.as_ref()), &carries);
        }
        let seq = session.next();
        let claim = match self.claim(&asked, &call) {
            Ok(claim) => claim,
            Err(why) => return Err(self.turned_away(&session, seq, command, why, wire).await),
        };
        let of = (&call, &asked, &content);
        let allowed = self.allowed(&session, seq, command, of, &policies).await;
        let (permit, begins) = allowed.map_err(|refused| incomplete(refused, &call, &carries))?;
        let going = Going {
            asked,
            call,
            session,
            seq,
            masker: account.maskers.shown(&permit.obligations().reveal),
            permit,
            ended,
            key: String::new(),
            whole: false,
            coded: false,
            known: None,
            facts: Facts::default(),
            claim,
            step,
            list: None,
            begins,
        };
        Box::pin(self.send(going, content)).await
    }

    /// Asks the gate, and people unless they let the upload begin that it is a part of; gives the upload that it begins so.
    async fn allowed(
        &self,
        session: &Session,
        seq: u64,
        mut command: Command,
        (call, asked, content): (&Call, &Asked, &Content),
        policies: &PolicySet,
    ) -> Result<(Permit, Option<Begins>), Refused> {
        let why = why(call, asked, content);
        if let Some(why) = &why {
            command.tag = format!("{} ({})", command.tag, why.word()).into();
        }
        let now = self.gateway.clock.now();
        let standing = self.begun.standing(call, asked, session, now);
        if let Some((_, intent)) = &standing {
            command.tag = format!("{} (upload approved with entry {intent})", command.tag).into();
        }
        let (caller, nobody) = (&session.caller, BTreeSet::new());
        let target = caller.target.as_policy();
        let decided = policies.decide(&caller.identity, &target, &command.asks, &nobody);
        let gates = match &*decided {
            Decision::Ask { gates, .. } if screen::is(call, BEGINS) => gates.clone(),
            _ => Vec::new(),
        };
        let standing = standing.map(|(standing, _)| standing);
        let how = (call.wire, why, standing);
        let permit = self.permit(session, seq, command, how).await?;
        let begins = (!gates.is_empty()).then(|| {
            let policy = policies.version();
            let standing = (Standing { gates, policy }, permit.intent());
            self.begun.begins(asked, session, standing, now)
        });
        Ok((permit, begins))
    }

    /// What is found in what a request sends, and what it does to an upload in parts.
    fn inspected(
        &self,
        account: &Account,
        caller: &Caller,
        call: &Call,
        asked: &Asked,
        content: &Content,
    ) -> (BTreeSet<String>, Option<Step>) {
        let masker = account.maskers.at_rest();
        let place = (caller.target.name.as_str(), asked.head.path.as_str());
        let Content::Whole(bytes, _) = content else {
            let carries = screen::unknown(call);
            let step = Step::new(call, place, &carries, None);
            return (carries, step);
        };
        let mut carries = screen::carried(call, &asked.head, bytes, &account.objects, masker);
        let step = Step::new(call, place, &carries, Some(bytes));
        if let (Some(step), true) = (&step, screen::is(call, COMPLETES)) {
            carries = self.uploads.carried(step, bytes, masker);
        }
        (carries, step)
    }

    /// Uses the signature of a request that changes something.
    fn claim(&self, asked: &Asked, call: &Call) -> Result<Option<Claim>, Refusal> {
        if !screen::sends(call) {
            return Ok(None);
        }
        let now = self.gateway.clock.now();
        let (signature, connection) = (&asked.verified.signature, asked.connection);
        let claimed = self.used.claim(signature, asked.ends, now, connection);
        claimed.map(Some)
    }

    /// A body that is still to come, held whole. One that is not what was said of it stands in the ledger as a request that was
    /// refused.
    async fn spooled(
        &self,
        content: Content,
        asked: &Asked,
        session: &Session,
        command: impl FnOnce() -> Command,
        wire: Wire,
    ) -> Result<(Content, Option<Ended>), Refused> {
        match self.spool(content, asked, wire).await {
            Ok((bytes, room, ended)) => Ok((Content::Whole(bytes, Some(room)), Some(ended))),
            Err(Refused { refusal, wire }) => {
                let (seq, command) = (session.next(), command());
                Err(self.turned_away(session, seq, command, refusal, wire).await)
            }
        }
    }

    /// A request that may not run, whatever policy says: its signature was used already, or its body is wrong. It stands in the
    /// ledger as one that was refused.
    async fn turned_away(
        &self,
        session: &Session,
        seq: u64,
        command: Command,
        refusal: Refusal,
        wire: Wire,
    ) -> Refused {
        let code = match refusal.kind {
            Kind::Replayed => DenialCode::Unauthenticated,
            Kind::Unavailable | Kind::TooLarge => DenialCode::LimitExceeded,
            _ => DenialCode::Withheld,
        };
        let denial = Denial::new(code, refusal.message.clone());
        if let Err(refused) = self.asked(session, seq, &command, wire).await {
            return refused;
        }
        let gate = &self.gateway.gate;
        let Answer::Refused(written) = gate.deny(&session.caller, seq, &command, denial).await
        else {
            return Refused { refusal, wire };
        };
        let unwritten = written.message != refusal.message;
        let denial = written.clone();
        match self
            .note(session, &Note::Refused { seq, denial }, wire)
            .await
        {
            Err(refused) => refused,
            Ok(()) if unwritten => denied(&written, wire),
            Ok(()) => Refused { refusal, wire },
        }
    }

    /// Records what was asked.
    async fn asked(
        &self,
        session: &Session,
        seq: u64,
        command: &Command,
        wire: Wire,
    ) -> Result<(), Refused> {
        let note = Note::Asked {
            seq,
            tag: command.tag.clone(),
            text: command.shown.clone(),
            parameters: command.shown_parameters.clone(),
        };
        self.note(session, &note, wire).await
    }

    /// Asks the gate; every refusal is recorded there.
    async fn permit(
        &self,
        session: &Session,
        seq: u64,
        command: Command,
        (wire, why, standing): (Wire, Option<Reason>, Option<Standing>),
    ) -> Result<Permit, Refused> {
        let caller = &session.caller;
        let gate = &self.gateway.gate;
        self.asked(session, seq, &command, wire).await?;
        let answer = match gate.begin_under(caller, seq, Box::new(command), standing.as_ref()) {
            Begun::Writing(answer) => answer.await,
            Begun::People(asked) => match gate.clone().ask(asked.at_most(self.hold)).await {
                Asking::Done(answer) => answer,
                Asking::Held(held, answer) => {
                    self.note(session, &Note::Held { seq, held }, wire).await?;
                    answer.await
                }
            },
        };
        match answer {
            Answer::Permitted(permit) => {
                let intent = permit.intent();
                self.note(session, &Note::Allowed { seq, intent }, wire)
                    .await?;
                Ok(permit)
            }
            Answer::Refused(mut denial) => {
                if let Some(why) = why {
                    denial.message = format!("{} (it is opaque: {why})", denial.message);
                }
                let refused = denied(&denial, wire);
                self.note(session, &Note::Refused { seq, denial }, wire)
                    .await?;
                Err(refused)
            }
            _ => Err(malformed("the gate gave no answer", wire)),
        }
    }

    /// Puts something in the recording, with room for it there. What cannot be recorded does not go on.
    async fn note(&self, session: &Session, note: &Note, wire: Wire) -> Result<(), Refused> {
        let recorder = &session.caller.recorder;
        let noted = match recorder.ready().await {
            Ok(()) => recorder.note(note),
            Err(error) => Err(error),
        };
        noted.map_err(|error| unrecorded(&error, wire))
    }
}

/// What a request asks, as these policies are asked about it.
fn understood(
    asked: &Asked,
    whole: Option<&[u8]>,
    account: &Account,
    policies: &PolicySet,
) -> Call {
    let mut call = classify::classify(&asked.head, &asked.scope, whole, account.upstream());
    expressions::look(&mut call, whole.unwrap_or_default(), &account.answers);
    inside::looked(call, &asked.head, whole, |it| policies.mentions(it))
}

/// Whether policy denies a request whatever it carries, so that its body need not come.
fn is_denied(policies: &PolicySet, caller: &Caller, whatever: &Command) -> bool {
    let (target, asks) = (caller.target.as_policy(), &whatever.asks);
    match &*policies.decide(&caller.identity, &target, asks, &BTreeSet::new()) {
        Decision::Deny(denial) => policies.stands(denial, screen::ATTRIBUTE),
        _ => false,
    }
}

/// Why a request is opaque, where it is.
fn why(call: &Call, asked: &Asked, content: &Content) -> Option<Reason> {
    let body = content.whole();
    let is_opaque = call.operation.is_none();
    is_opaque.then(|| why::opaque(call, &asked.head, body))
}

/// What is known of a body: all of it, or the digest that was checked, or that was signed.
fn told<'a>(content: &'a Content, asked: &'a Asked, ended: Option<&'a Ended>) -> Body<'a> {
    match (content, &asked.verified.payload, ended) {
        (Content::Whole(bytes, _), _, Some(_)) if bytes.len() <= BODY_BYTES_MAX => {
            Body::Whole(bytes)
        }
        (_, _, Some(upload)) => Body::Digest(&upload.sha256),
        (Content::Whole(bytes, _), ..) => Body::Whole(bytes),
        (Content::Stream(_), Payload::Sha256(digest), _) => Body::Digest(digest),
        (Content::Stream(_), ..) => Body::Unknown,
    }
}

/// Whether a body that is still to come is short enough to be held whole. SDKs that send it in chunks over TLS tell the length
/// of its content alone.
fn is_short(content: &Content, asked: &Asked) -> bool {
    let Content::Stream(body) = content else {
        return false;
    };
    body.is_end_stream() || travels(asked).is_some_and(|it| it <= WHOLE_BYTES_MAX)
}

/// Whether a body that is still to come is short enough to be shown to people.
fn is_legible(content: &Content, asked: &Asked) -> bool {
    matches!(content, Content::Stream(_))
        && travels(asked).is_some_and(|it| (1..=BODY_BYTES_MAX).contains(&it))
}

/// How long the body of a request will be, at most.
fn travels(asked: &Asked) -> Option<usize> {
    let told = |name: &str| asked.head.fields.one(name)?.parse::<usize>().ok();
    told("content-length").or_else(|| {
        let content = told("x-amz-decoded-content-length")?;
        content.checked_add(content / CHUNKED_PART)
    })
}

/// What is around the chunks of a body takes at most this part of its content: less than 100 bytes for 8 KiB, the least that S3 takes.
const CHUNKED_PART: usize = 16;
