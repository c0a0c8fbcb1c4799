//! The gate: decide, ask people, record, permit.
//!
//! ```text
//! command ─▶ decide ─┬─ Deny ──▶ Refused entry ─▶ refusal
//!                    ├─ Allow ─▶ Intent entry ─▶ receipt ─▶ permit
//!                    └─ Ask ───▶ grant there? ─┬─ yes ─▶ decide again ─▶ Intent entry ─▶ receipt ─▶ permit
//!                                              └─ no ──▶ people ─▶ granted ─▶ decide again ─▶ …
//! ```
//!
//! A permit is made of a receipt and of nothing else, and the receipt is of the intent. What people granted is used up by the
//! command that it is taken for, unless the upstream failed in passing, and holds only under the policies it was asked under.

mod approved;
mod caller;
mod entry;
mod guesses;
mod intended;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use model::{
    Asks, Command, CommandDigest, Decision, Denial, DenialCode, Event, Gate as GateInTheWay, Held,
    Intent, Obligations, PolicyVersion, Settle,
};
use policy::PolicySet;
use protocols::session::Answer;

use crate::approval::{Approvals, Asked as AskedOfPeople, Grant, GrantKey, Settled, Ticket};
use crate::clock::Clock;
use crate::journal::Journal;
use crate::policies::Policies;
use crate::random;
use crate::stats::Stats;

use approved::Approved;
pub use caller::{Caller, Counts};
use guesses::Guesses;
use intended::Intended;

/// Something under way.
pub type Underway<T> = Pin<Box<dyn Future<Output = T> + Send>>;

static NOTHING_APPROVED: BTreeSet<String> = BTreeSet::new();

/// The gate that every command goes through.
pub struct Gate {
    journal: Journal,
    policies: Arc<Policies>,
    approvals: Approvals,
    key: hmac::Key,
    hold: Duration,
    guesses: Guesses,
    stats: Arc<Stats>,
}

/// What [`Gate::begin`] led to.
pub enum Begun {
    /// It is being written; the answer follows.
    Writing(Underway<Answer>),
    /// People must be asked: hand it to [`Gate::ask`] when everything before it is answered.
    People(Box<Asked>),
}

/// A command of a caller, about which people are to be asked.
pub struct Asked {
    caller: Arc<Caller>,
    seq: u64,
    command: Box<Command>,
    digest: CommandDigest,
    hold: Duration,
}

impl Asked {
    /// The command waits no longer than this for people, as its client would not.
    #[must_use]
    pub fn at_most(mut self: Box<Self>, hold: Duration) -> Box<Self> {
        self.hold = self.hold.min(hold);
        self
    }
}

/// What people granted for something of which a command is a part. It opens the gates that it opened then, under the same policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The gates.
    pub gates: Vec<GateInTheWay>,
    /// The policies in force.
    pub policy: PolicyVersion,
}

impl Standing {
    /// The groups whose gates are open, where these are all that are in the way.
    fn opens(&self, policies: &PolicySet, gates: &[GateInTheWay]) -> Option<BTreeSet<String>> {
        let open = |gate: &GateInTheWay| self.gates.contains(gate);
        let opens = self.policy == policies.version() && gates.iter().all(open);
        opens.then(|| gates.iter().map(|gate| gate.group.clone()).collect())
    }
}

/// What [`Gate::ask`] led to.
pub enum Asking {
    /// The answer.
    Done(Answer),
    /// People are being asked; the answer follows. Dropping it withdraws the request.
    Held(Held, Underway<Answer>),
}

impl Gate {
    /// A gate. `key` is that of command digests; a command waits `hold` for people.
    #[must_use]
    pub fn new(
        journal: Journal,
        policies: Arc<Policies>,
        approvals: Approvals,
        key: hmac::Key,
        hold: Duration,
        clock: Clock,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            journal,
            policies,
            approvals,
            key,
            hold,
            guesses: Guesses::new(clock),
            stats,
        }
    }

    /// Decides about a command. Its entry is appended before this returns, so entries stand in the order of the commands.
    pub fn begin(self: &Arc<Self>, caller: &Arc<Caller>, seq: u64, command: Box<Command>) -> Begun {
        self.begin_under(caller, seq, command, None)
    }

    /// The same of a command that is a part of what people granted.
    pub fn begin_under(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        seq: u64,
        command: Box<Command>,
        standing: Option<&Standing>,
    ) -> Begun {
        if let Err(denial) = self.journal.healthy() {
            // There is nowhere to write it.
            return Begun::Writing(self.unrecorded(caller, denial));
        }
        let policies = self.policies.current();
        let digest = self.digest(&command);
        let mut decision = self.decide(&policies, caller, &command, &digest);
        if let Decision::Ask { gates, .. } = &*decision
            && let Some(groups) = standing.and_then(|it| it.opens(&policies, gates))
        {
            decision = decide(&policies, caller, &command.asks, &groups);
        }
        match &*decision {
            Decision::Allow(obligations) => Begun::Writing(self.intend(
                &policies,
                caller,
                seq,
                &command,
                &digest,
                obligations.clone(),
                None,
            )),
            Decision::Deny(denial) => Begun::Writing(self.refuse(
                &policies,
                caller,
                seq,
                &command,
                &digest,
                denial.clone(),
            )),
            Decision::Ask { .. } => Begun::People(Box::new(Asked {
                caller: caller.clone(),
                seq,
                command,
                digest,
                hold: self.hold,
            })),
        }
    }

    /// Refuses a command for a reason that is not policy's: it is recorded as any other refusal.
    pub fn deny(
        &self,
        caller: &Arc<Caller>,
        seq: u64,
        command: &Command,
        denial: Denial,
    ) -> Underway<Answer> {
        if let Err(denial) = self.journal.healthy() {
            return self.unrecorded(caller, denial);
        }
        let policies = self.policies.current();
        let digest = self.digest(command);
        self.refuse(&policies, caller, seq, command, &digest, denial)
    }

    /// Asks people about a command, or uses what they granted already.
    pub async fn ask(self: Arc<Self>, asked: Box<Asked>) -> Asking {
        let Asked {
            caller,
            seq,
            command,
            digest,
            ..
        } = &*asked;
        let policies = self.policies.current();
        let gates = match &*self.decide(&policies, caller, command, digest) {
            Decision::Ask { gates, .. } => gates.clone(),
            // Policies changed since it was begun.
            Decision::Allow(obligations) => {
                let obligations = obligations.clone();
                let intent =
                    self.intend(&policies, caller, *seq, command, digest, obligations, None);
                return Asking::Done(intent.await);
            }
            Decision::Deny(denial) => {
                let refusal = self.refuse(&policies, caller, *seq, command, digest, denial.clone());
                return Asking::Done(refusal.await);
            }
        };
        let key = GrantKey {
            identity: caller.key,
            target: caller.target.name.clone(),
            command: digest.digest,
            policy: policies.version(),
        };
        if let Some(grant) = self.approvals.grant(&key, &caller.session) {
            return Asking::Done(self.granted(&asked, &key, grant).await);
        }
        match self.request(&asked, &policies, &gates).await {
            Ok(ticket) => {
                self.stats.held.up();
                let message = ticket.message().to_owned();
                let held = Held {
                    approval: ticket.id().to_owned(),
                    message,
                };
                // Made here: dropped before it was ever polled, it must withdraw too.
                let waiting = Waiting::new(ticket, &self.stats);
                Asking::Held(held, Box::pin(self.hold(asked, key, waiting)))
            }
            Err(denial) => Asking::Done(
                self.refuse(&policies, caller, *seq, command, digest, denial)
                    .await,
            ),
        }
    }

    async fn request(
        &self,
        asked: &Asked,
        policies: &PolicySet,
        gates: &[GateInTheWay],
    ) -> Result<Ticket, Denial> {
        let random = random::bytes()
            .map_err(|error| Denial::new(DenialCode::LimitExceeded, error.to_string()))?;
        let caller = &asked.caller;
        let request = AskedOfPeople {
            identity: &caller.identity,
            session: &caller.session,
            target: &caller.target.name,
            command: &asked.command,
            digest: &asked.digest,
            policy: policies.version(),
            gates,
        };
        self.approvals.request(request, random).await
    }

    /// Waits for people, as long as commands may.
    async fn hold(
        self: Arc<Self>,
        asked: Box<Asked>,
        key: GrantKey,
        mut waiting: Waiting,
    ) -> Answer {
        let settled = match tokio::time::timeout(asked.hold, waiting.settled()).await {
            Ok(settled) => settled,
            Err(_) => Settled::Refused(waiting.leave_open(asked.hold)),
        };
        waiting.over();
        match settled {
            Settled::Granted(grant) => self.granted(&asked, &key, grant).await,
            Settled::Refused(denial) => {
                let policies = self.policies.current();
                self.refuse(
                    &policies,
                    &asked.caller,
                    asked.seq,
                    &asked.command,
                    &asked.digest,
                    denial,
                )
                .await
            }
        }
    }

    /// People said yes. Whether that still holds is asked again, of the policies in force now.
    async fn granted(&self, asked: &Asked, key: &GrantKey, grant: Grant) -> Answer {
        let Asked {
            caller,
            seq,
            command,
            digest,
            ..
        } = asked;
        let policies = self.policies.current();
        let id = grant.id.clone();
        let invalid = |why: &str| Denial {
            approval: Some(id.clone()),
            ..Denial::new(DenialCode::ApprovalInvalid, format!("approval {id} {why}"))
        };
        let denial = if policies.version() == key.policy {
            let approved = grant.groups.iter().cloned().collect();
            // What it asks after they saw, so it is no guess.
            match &*decide(&policies, caller, &command.asks, &approved) {
                Decision::Allow(obligations) => {
                    let obligations = obligations.clone();
                    let intent = self.intend(
                        &policies,
                        caller,
                        *seq,
                        command,
                        digest,
                        obligations,
                        Some(grant),
                    );
                    return intent.await;
                }
                Decision::Deny(denial) => denial.clone(),
                Decision::Ask { .. } => invalid(
                    "does not open every gate in the way: run the command again to ask anew",
                ),
            }
        } else {
            invalid("is void because policies changed: run the command again to ask anew")
        };
        self.refuse(&policies, caller, *seq, command, digest, denial)
            .await
    }

    /// Appends the intent; the answer is a permit once it is durable.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the intent's own members"
    )]
    fn intend(
        &self,
        policies: &PolicySet,
        caller: &Arc<Caller>,
        seq: u64,
        command: &Command,
        digest: &CommandDigest,
        obligations: Obligations,
        grant: Option<Grant>,
    ) -> Underway<Answer> {
        let record = match entry::record(caller, command, digest) {
            Ok(record) => record,
            Err(denial) => return self.unrecorded(caller, denial),
        };
        let held_to = Arc::new(obligations.clone());
        let writing = self.journal.write(Event::Intent(Box::new(Intent {
            session: caller.session.clone(),
            seq,
            human: caller.identity.human.clone(),
            agent: caller
                .identity
                .agent
                .as_ref()
                .map(|agent| agent.name.clone()),
            target: caller.target.name.clone(),
            command: record,
            policy: policies.version(),
            obligations,
            approval: grant.as_ref().map(|grant| grant.id.clone()),
        })));
        let settler: Arc<dyn Settle> = match grant {
            Some(grant) => Arc::new(Approved::new(caller.clone(), grant)),
            None => caller.clone(),
        };
        Box::pin(Intended::new(
            writing,
            held_to,
            caller.clone(),
            settler,
            self.stats.clone(),
        ))
    }

    /// Appends the refusal; the client hears it once it is durable.
    fn refuse(
        &self,
        policies: &PolicySet,
        caller: &Arc<Caller>,
        seq: u64,
        command: &Command,
        digest: &CommandDigest,
        denial: Denial,
    ) -> Underway<Answer> {
        let record = match entry::record(caller, command, digest) {
            Ok(record) => record,
            Err(denial) => return self.unrecorded(caller, denial),
        };
        let writing = self.journal.write(Event::Refused {
            session: caller.session.clone(),
            seq,
            command: record,
            policy: policies.version(),
            denial: denial.clone(),
        });
        self.stats.refused.up();
        caller.count_refused();
        Box::pin(async move {
            Answer::Refused(
                writing
                    .await
                    .map_or_else(|unwritten| unwritten.denial(), |_| denial),
            )
        })
    }

    /// A refusal that could not be recorded.
    fn unrecorded(&self, caller: &Caller, denial: Denial) -> Underway<Answer> {
        self.stats.refused.up();
        caller.count_refused();
        Box::pin(std::future::ready(Answer::Refused(denial)))
    }

    /// What policy says before anybody is asked. Of somebody who has asked after too many protected values it is asked as of
    /// one who searches.
    fn decide(
        &self,
        policies: &PolicySet,
        caller: &Caller,
        command: &Command,
        digest: &CommandDigest,
    ) -> Arc<Decision> {
        let decision = decide(policies, caller, &command.asks, &NOTHING_APPROVED);
        let (Decision::Allow(obligations), Some(searching)) =
            (&*decision, command.asks.searching())
        else {
            return decision;
        };
        if self.guesses.may(caller, command, digest, obligations) {
            return decision;
        }
        let decision = decide(policies, caller, searching, &NOTHING_APPROVED);
        match &*decision {
            Decision::Deny(denial) => Arc::new(Decision::Deny(guesses::too_many(caller, denial))),
            Decision::Allow(_) | Decision::Ask { .. } => decision,
        }
    }

    fn digest(&self, command: &Command) -> CommandDigest {
        CommandDigest::new(&self.key, &command.canonical())
    }
}

fn decide(
    policies: &PolicySet,
    caller: &Caller,
    asks: &Asks,
    approved: &BTreeSet<String>,
) -> Arc<Decision> {
    policies.decide(&caller.identity, &caller.target.as_policy(), asks, approved)
}

/// A command that waits for people. Dropped on the way, its request is withdrawn.
struct Waiting {
    ticket: Option<Ticket>,
    stats: Arc<Stats>,
}

impl Waiting {
    fn new(ticket: Ticket, stats: &Arc<Stats>) -> Self {
        stats.holding.up();
        Self {
            ticket: Some(ticket),
            stats: stats.clone(),
        }
    }

    async fn settled(&mut self) -> Settled {
        match &mut self.ticket {
            Some(ticket) => ticket.wait().await,
            None => std::future::pending().await,
        }
    }

    /// The command waits no longer; the request does.
    fn leave_open(&mut self, held: Duration) -> Denial {
        let Some(ticket) = self.ticket.take() else {
            return Denial::new(DenialCode::ApprovalPending, "an approval is pending");
        };
        let message = format!(
            "{} (nobody decided within {}; the same command runs once it is approved)",
            ticket.message(),
            length(held)
        );
        Denial {
            approval: Some(ticket.id().to_owned()),
            ..Denial::new(DenialCode::ApprovalPending, message)
        }
    }

    fn over(mut self) {
        self.ticket = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.stats.holding.down();
        if let Some(ticket) = self.ticket.take() {
            ticket.withdraw();
        }
    }
}

/// A length of time as the configuration writes it.
fn length(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (0, millis) => format!("{millis}ms"),
        (secs, 0) if secs % 3_600 == 0 => format!("{}h", secs / 3_600),
        (secs, 0) if secs % 60 == 0 => format!("{}m", secs / 60),
        (secs, _) => format!("{secs}s"),
    }
}
