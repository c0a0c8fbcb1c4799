//! From the verdicts of Cedar to a decision: errors deny, forbids win, gates ask, permits limit.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    AuthorizationError, Authorizer, Decision as CedarDecision, Effect, EntityUid, PolicyId,
};
use model::{Ask, Asks, DataClass, Decision, Denial, DenialCode, Gate, Identity, Obligations};

use crate::TargetRef;
use crate::denial;
use crate::entity::{Asker, Question};
use crate::load::Loaded;
use crate::rule::{Limits, Rule};
use crate::schema::uid;

/// The most asks of one command.
pub const ASKS_MAX: usize = 4_096;

/// What Cedar says of one question, with the rules that determined it, in the order of the files.
struct Verdict {
    allowed: bool,
    rules: BTreeSet<usize>,
}

/// One decision being made.
pub(crate) struct Decider<'a> {
    loaded: &'a Loaded,
    classes: &'a BTreeSet<DataClass>,
    target: &'a TargetRef<'a>,
    identity: &'a Identity,
    authorizer: Authorizer,
}

impl<'a> Decider<'a> {
    pub(crate) fn new(
        loaded: &'a Loaded,
        classes: &'a BTreeSet<DataClass>,
        identity: &'a Identity,
        target: &'a TargetRef<'a>,
    ) -> Self {
        Self {
            loaded,
            classes,
            target,
            identity,
            authorizer: Authorizer::new(),
        }
    }

    /// May the target be used at all?
    pub(crate) fn connect(&self) -> Result<Decision, Denial> {
        let asker = self.asker()?;
        let question = asker
            .core(&self.loaded.types, "access")
            .map_err(denial::unfit)?;
        let verdict = self.evaluate(&asker, &question, &BTreeSet::new())?;
        if verdict.allowed {
            let policies = self.ids(&verdict.rules);
            return Ok(Decision::Allow(Obligations {
                policies,
                ..Obligations::default()
            }));
        }
        let mut denial = denial::unknown_target(self.target.name);
        denial.policies = self.ids(&verdict.rules);
        Ok(Decision::Deny(denial))
    }

    /// May the command run?
    pub(crate) fn decide(
        &self,
        asks: &Asks,
        approved: &BTreeSet<String>,
    ) -> Result<Decision, Denial> {
        let list = asks.list();
        if list.is_empty() {
            return Err(denial::nothing_asked());
        }
        if list.len() > ASKS_MAX {
            return Err(denial::too_many(list.len()));
        }
        let asker = self.asker()?;
        let questions = list
            .iter()
            .map(|ask| asker.ask(&self.loaded.types, self.target.protocol, ask))
            .collect::<Result<Vec<_>, _>>()
            .map_err(denial::unfit)?;

        let now = self.evaluate_all(&asker, &questions, approved)?;
        if now.iter().all(|verdict| verdict.allowed) {
            return Ok(Decision::Allow(self.obligations(&asker, &now, approved)?));
        }
        if let Some(denial) = self.denial(list, &now) {
            return Ok(Decision::Deny(denial));
        }
        let gates = self.gates(&now);
        let mut opened = approved.clone();
        opened.extend(gates.iter().map(|gate| gate.group.clone()));
        let then = self.evaluate_all(&asker, &questions, &opened)?;
        if then.iter().all(|verdict| verdict.allowed) && !gates.is_empty() {
            let obligations = self.obligations(&asker, &then, &opened)?;
            return Ok(Decision::Ask { gates, obligations });
        }
        // Behind the gates nothing permits it, so nobody is bothered.
        Ok(Decision::Deny(self.denial(list, &then).unwrap_or_else(
            || denial::failed(self.ids_of(&then), "gates do not open"),
        )))
    }

    fn asker(&self) -> Result<Asker, Denial> {
        Asker::new(self.identity, self.target).ok_or_else(|| {
            Denial::new(
                DenialCode::PolicyError,
                "this identity or target cannot be put to policy: tell whoever runs this gateway",
            )
        })
    }

    /// All of them, so that every error and every forbid of the command is known.
    fn evaluate_all(
        &self,
        asker: &Asker,
        questions: &[Question],
        approvals: &BTreeSet<String>,
    ) -> Result<Vec<Verdict>, Denial> {
        questions
            .iter()
            .map(|question| self.evaluate(asker, question, approvals))
            .collect()
    }

    fn evaluate(
        &self,
        asker: &Asker,
        question: &Question,
        approvals: &BTreeSet<String>,
    ) -> Result<Verdict, Denial> {
        let request = asker
            .request(&self.loaded.types.schema, question, approvals)
            .map_err(denial::unfit)?;
        let Some(policies) = self.loaded.slices.get(&question.action) else {
            return Err(denial::failed(Vec::new(), "no such action"));
        };
        let response = self
            .authorizer
            .is_authorized(&request, policies, &question.entities);
        let diagnostics = response.diagnostics();
        // Cedar leaves a policy that errors out, a forbid too. Here it denies.
        let failed: BTreeSet<usize> = diagnostics
            .errors()
            .filter_map(|error| self.rule_at(policy_of(error)))
            .collect();
        if diagnostics.errors().next().is_some() {
            return Err(denial::failed(self.ids(&failed), "evaluation"));
        }
        let mut rules = BTreeSet::new();
        for id in diagnostics.reason() {
            let at = self.rule_at(id);
            rules.insert(at.ok_or_else(|| denial::failed(Vec::new(), "unknown policy"))?);
        }
        Ok(Verdict {
            allowed: response.decision() == CedarDecision::Allow,
            rules,
        })
    }

    /// The denial, unless only gates stand in the way.
    fn denial(&self, asks: &[Ask], verdicts: &[Verdict]) -> Option<Denial> {
        let denied = || asks.iter().zip(verdicts).filter(|(_, it)| !it.allowed);
        let forbids: Vec<(&Rule, &Ask)> = denied()
            .flat_map(|(ask, it)| self.rules(&it.rules).map(move |rule| (rule, ask)))
            .filter(|(rule, _)| rule.gate.is_none())
            .collect();
        if !forbids.is_empty() {
            let ids: BTreeSet<usize> = denied()
                .flat_map(|(_, it)| it.rules.iter().copied())
                .filter(|at| self.rule(*at).is_some_and(|rule| rule.gate.is_none()))
                .collect();
            return Some(denial::forbidden(&forbids, self.target, self.ids(&ids)));
        }
        denied()
            .find(|(_, it)| it.rules.is_empty())
            .map(|(ask, _)| denial::not_permitted(ask, self.target, self.identity))
    }

    /// Every gate in the way, each once.
    fn gates(&self, verdicts: &[Verdict]) -> Vec<Gate> {
        let gates: BTreeSet<Gate> = verdicts
            .iter()
            .filter(|verdict| !verdict.allowed)
            .flat_map(|verdict| self.rules(&verdict.rules))
            .filter_map(|rule| {
                let gate = rule.gate.as_ref()?;
                Some(Gate {
                    group: gate.group.clone(),
                    quorum: gate.quorum,
                    policy: rule.id.clone(),
                })
            })
            .collect();
        gates.into_iter().collect()
    }

    fn obligations(
        &self,
        asker: &Asker,
        verdicts: &[Verdict],
        approvals: &BTreeSet<String>,
    ) -> Result<Obligations, Denial> {
        let mut limits = Limits::default();
        let mut rules = BTreeSet::new();
        for verdict in verdicts {
            let widest = self
                .rules(&verdict.rules)
                .map(|rule| rule.limits)
                .reduce(Limits::wider)
                .unwrap_or_default();
            limits = limits.stricter(widest);
            rules.extend(verdict.rules.iter().copied());
        }
        let revealed = self.reveal(asker, approvals)?;
        rules.extend(revealed.values().flatten().copied());
        Ok(Obligations {
            reveal: revealed.into_keys().collect(),
            rows_max: limits.rows,
            bytes_max: limits.bytes,
            policies: self.ids(&rules),
        })
    }

    /// The classes this identity may see in clear in this target, each with the permits that say so.
    fn reveal(
        &self,
        asker: &Asker,
        approvals: &BTreeSet<String>,
    ) -> Result<BTreeMap<DataClass, BTreeSet<usize>>, Denial> {
        let mut revealed = BTreeMap::new();
        if !self.may_reveal() {
            return Ok(revealed);
        }
        let mut question = asker
            .core(&self.loaded.types, "reveal")
            .map_err(denial::unfit)?;
        for class in self.classes {
            let Some(resource) = uid("DataClass", class.name()) else {
                continue;
            };
            question.set_resource(resource);
            let verdict = self.evaluate(asker, &question, approvals)?;
            if verdict.allowed {
                revealed.insert(class.clone(), verdict.rules);
            }
        }
        Ok(revealed)
    }

    /// Whether any permit could reveal anything; most sets have few, and many have none.
    fn may_reveal(&self) -> bool {
        let slice =
            uid("Action", "reveal").and_then(|action: EntityUid| self.loaded.slices.get(&action));
        slice.is_some_and(|set| {
            set.policies()
                .any(|policy| policy.effect() == Effect::Permit)
        })
    }

    fn rule_at(&self, id: &PolicyId) -> Option<usize> {
        self.loaded.by_id.get::<str>(id.as_ref()).copied()
    }

    fn rule(&self, at: usize) -> Option<&'a Rule> {
        self.loaded.rules.get(at)
    }

    fn rules<'b>(
        &'b self,
        at: &'b BTreeSet<usize>,
    ) -> impl Iterator<Item = &'a Rule> + use<'a, 'b> {
        at.iter().filter_map(|at| self.rule(*at))
    }

    fn ids(&self, at: &BTreeSet<usize>) -> Vec<String> {
        self.rules(at).map(|rule| rule.id.clone()).collect()
    }

    fn ids_of(&self, verdicts: &[Verdict]) -> Vec<String> {
        let all = verdicts
            .iter()
            .flat_map(|verdict| verdict.rules.iter().copied());
        self.ids(&all.collect())
    }
}

fn policy_of(error: &AuthorizationError) -> &PolicyId {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
    }
}
