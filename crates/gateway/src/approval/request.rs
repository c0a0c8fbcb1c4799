//! Asking, and waiting for the answer.

use model::{
    ApprovalRequest, Command, CommandDigest, Denial, DenialCode, Entry, Event, Gate, Identity,
    PolicyVersion,
};
use tokio::sync::watch;

use super::{
    Approvals, Exact, Grant, GrantKey, OPEN_MAX, OPEN_PER_IDENTITY_MAX, Open, Sendings, Status,
};

/// What is asked: everything that the request binds to.
pub struct Asked<'a> {
    /// Who asks.
    pub identity: &'a Identity,
    /// The session.
    pub session: &'a str,
    /// The target.
    pub target: &'a str,
    /// The command, and its digest.
    pub command: &'a Command,
    /// Its digest.
    pub digest: &'a CommandDigest,
    /// The policies in force.
    pub policy: PolicyVersion,
    /// The gates to open.
    pub gates: &'a [Gate],
}

/// A place in the queue of one request.
pub struct Ticket {
    approvals: Approvals,
    id: String,
    message: String,
    key: GrantKey,
    session: String,
    status: watch::Receiver<Status>,
}

/// How a request ended.
#[derive(Debug)]
pub enum Settled {
    /// It was granted, and the grant is taken.
    Granted(Grant),
    /// It was not, for this reason.
    Refused(Denial),
}

impl Approvals {
    /// Asks people; where the same thing is asked already, joins that request. The request is durable when this returns.
    /// `random` is fresh and becomes the id.
    ///
    /// # Errors
    /// A [`Denial`] where too much is open, or the ledger cannot write.
    pub async fn request(&self, asked: Asked<'_>, random: [u8; 4]) -> Result<Ticket, Denial> {
        let key = GrantKey {
            identity: asked.identity.key(),
            target: asked.target.to_owned(),
            command: asked.digest.digest,
            policy: asked.policy,
        };
        if let Some(ticket) = self.join(&key, asked.session) {
            return Ok(ticket);
        }
        let now = self.shared.clock.stamp();
        let lasts = i64::try_from(self.shared.terms.expires.as_micros()).unwrap_or(i64::MAX);
        let request = ApprovalRequest {
            id: format!("cs-{}", hex::encode(random)),
            session: asked.session.to_owned(),
            human: asked.identity.human.clone(),
            agent: asked
                .identity
                .agent
                .as_ref()
                .map(|agent| agent.name.clone()),
            identity: key.identity,
            target: key.target.clone(),
            tag: asked.command.tag.to_string(),
            command: key.command,
            policy: asked.policy,
            gates: asked.gates.to_vec(),
            requested: now,
            expires: now.plus_micros(lasts),
        };
        self.has_room(&request)?;
        let event = Event::ApprovalRequested(Box::new(request.clone()));
        let entry = Entry { at: now, event }
            .encode()
            .map_err(|error| limit(error.to_string()))?;
        self.shared.log.append(entry).await.map_err(|error| {
            tracing::error!(%error, "an approval could not be recorded");
            let say = "the approval cannot be recorded, so it is not asked for: tell the gateway's operator";
            Denial::new(DenialCode::LedgerUnavailable, say)
        })?;
        let exact = Exact::new(asked.command, asked.digest);
        let (status, _) = watch::channel(Status::Pending);
        let open = Open {
            request,
            exact,
            given: Vec::new(),
            status,
            sendings: Sendings::default(),
        };
        let ticket = self.ticket(&open, asked.session);
        self.shared.lock().insert(open.request.id.clone(), open);
        self.shared.changed();
        Ok(ticket)
    }

    fn join(&self, key: &GrantKey, session: &str) -> Option<Ticket> {
        let now = self.shared.clock.stamp();
        let open = self.shared.lock();
        open.values()
            .find(|one| {
                one.request.expires > now
                    && one.sendings.may(session)
                    && GrantKey::of(&one.request) == *key
            })
            .map(|one| self.ticket(one, session))
    }

    fn ticket(&self, open: &Open, session: &str) -> Ticket {
        let request = &open.request;
        Ticket {
            approvals: self.clone(),
            id: request.id.clone(),
            message: format!(
                "approval {id} is pending ({groups}): countersign approve {id}",
                id = request.id,
                groups = groups(&request.gates)
            ),
            key: GrantKey::of(request),
            session: session.to_owned(),
            status: open.status.subscribe(),
        }
    }

    fn has_room(&self, request: &ApprovalRequest) -> Result<(), Denial> {
        let open = self.shared.lock();
        let own = open
            .values()
            .filter(|one| one.is_open() && one.request.identity == request.identity)
            .count();
        if own >= OPEN_PER_IDENTITY_MAX {
            return Err(limit(format!(
                "you have {own} approvals open: have them decided, or wait until they expire"
            )));
        }
        let all = open.values().filter(|one| one.is_open()).count();
        if all >= OPEN_MAX {
            return Err(limit(format!(
                "{all} approvals are open: have some of them decided first"
            )));
        }
        if open.contains_key(&request.id) {
            return Err(limit(
                "an approval of this id is open: try again".to_owned(),
            ));
        }
        Ok(())
    }
}

impl Ticket {
    /// The approval's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A sentence for the client: who is asked, and how to approve.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Waits until people have decided. Of several that wait for one request, one gets the grant.
    pub async fn wait(&mut self) -> Settled {
        let status = match self
            .status
            .wait_for(|status| *status != Status::Pending)
            .await
        {
            Ok(status) => status.clone(),
            // Taken by another who waited.
            Err(_) => Status::Closed("used"),
        };
        let (code, say) = match status {
            Status::Pending | Status::Granted => {
                match self.approvals.grant(&self.key, &self.session) {
                    Some(grant) => return Settled::Granted(grant),
                    None => (
                        DenialCode::ApprovalInvalid,
                        format!("approval {} was used already", self.id),
                    ),
                }
            }
            Status::Denied { by, reason } => {
                let why = if reason.is_empty() {
                    String::new()
                } else {
                    format!(": {reason}")
                };
                (
                    DenialCode::ApprovalDenied,
                    format!("approval {} was denied by {by}{why}", self.id),
                )
            }
            Status::Closed(reason) => {
                let why = match reason {
                    "policy_changed" => "is void because policies changed: run the command again",
                    "expired" => "expired before it was decided: run the command again to ask anew",
                    "withdrawn" => "was withdrawn",
                    _ => "was used already",
                };
                (
                    DenialCode::ApprovalInvalid,
                    format!("approval {} {why}", self.id),
                )
            }
        };
        Settled::Refused(Denial {
            approval: Some(self.id.clone()),
            ..Denial::new(code, say)
        })
    }

    /// Withdraws the request: its client is gone, or no longer wants it. Other sessions that wait for it are told so too.
    pub fn withdraw(self) {
        let id = self.id;
        self.approvals.shared.close_where("withdrawn", |open, _| {
            open.request.id == id && !open.is_granted()
        });
    }
}

/// The groups of gates, for a person to read: `payments-oncall, two of audit`.
fn groups(gates: &[Gate]) -> String {
    let one = |gate: &Gate| match gate.quorum {
        1 => gate.group.clone(),
        quorum => format!("{quorum} of {}", gate.group),
    };
    gates.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn limit(message: String) -> Denial {
    Denial::new(DenialCode::LimitExceeded, message)
}
