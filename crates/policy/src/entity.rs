//! Identities, targets and asks as Cedar's entities and requests.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use model::{Ask, Identity, Value};

use crate::TargetRef;
use crate::schema::{Types, uid};

/// Why a question could not be put to Cedar. The message names the action and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} does not fit the policy schema ({reason})")]
pub(crate) struct Unfit {
    pub(crate) action: String,
    pub(crate) reason: &'static str,
}

/// Who asks, and of which target.
pub(crate) struct Asker {
    principal: EntityUid,
    target: EntityUid,
    entities: Vec<Entity>,
}

/// A question, but for the approvals.
pub(crate) struct Question {
    pub(crate) action: EntityUid,
    resource: EntityUid,
    context: Vec<(String, RestrictedExpression)>,
    pub(crate) entities: Entities,
}

impl Question {
    /// The same question of another resource without attributes.
    pub(crate) fn set_resource(&mut self, resource: EntityUid) {
        self.resource = resource;
    }
}

impl Asker {
    /// The principal: the agent where one asks, else the person; both stand in the person's groups.
    pub(crate) fn new(identity: &Identity, target: &TargetRef<'_>) -> Option<Self> {
        let groups = identity
            .groups
            .iter()
            .map(|group| uid("Group", group))
            .collect::<Option<HashSet<_>>>()?;
        let human = uid("Human", &identity.human)?;
        let attributes = HashMap::from([
            text("name", &identity.human),
            text("issuer", &identity.proof.issuer),
        ]);
        let mut entities = vec![Entity::new(human.clone(), attributes, groups.clone()).ok()?];
        let mut principal = human.clone();
        if let Some(agent) = &identity.agent {
            principal = uid("Agent", &agent.name)?;
            let mut attributes = HashMap::from([
                text("name", &agent.name),
                text("issuer", &identity.proof.issuer),
            ]);
            let human_of = RestrictedExpression::new_entity_uid(human.clone());
            attributes.insert("human".to_owned(), human_of);
            attributes.extend(agent.instance.as_ref().map(|value| text("instance", value)));
            attributes.extend(agent.model.as_ref().map(|value| text("model", value)));
            let mut parents = groups;
            parents.insert(human);
            entities.push(Entity::new(principal.clone(), attributes, parents).ok()?);
        }
        let target_uid = uid("Target", target.name)?;
        let attributes = [text("name", target.name), text("protocol", target.protocol)];
        let tags = target.labels.iter().map(|(name, value)| text(name, value));
        entities.push(Entity::new_with_tags(target_uid.clone(), attributes, [], tags).ok()?);
        Some(Self {
            principal,
            target: target_uid,
            entities,
        })
    }

    /// An action of the core schema, on the target.
    pub(crate) fn core(&self, types: &Types, action: &str) -> Result<Question, Unfit> {
        let unfit = |reason| Unfit {
            action: action.to_owned(),
            reason,
        };
        Ok(Question {
            action: uid("Action", action).ok_or_else(|| unfit("action"))?,
            resource: self.target.clone(),
            context: vec![self.target_context()],
            entities: Entities::from_entities(self.entities.iter().cloned(), Some(&types.schema))
                .map_err(|_| unfit("entities"))?,
        })
    }

    /// An ask of a protocol.
    pub(crate) fn ask(&self, types: &Types, protocol: &str, ask: &Ask) -> Result<Question, Unfit> {
        let unfit = |reason| Unfit {
            action: ask.action.to_owned(),
            reason,
        };
        let action = types
            .action(protocol, ask.action)
            .ok_or_else(|| unfit("protocol"))?;
        let (resource, chain) = self
            .resource(types, protocol, ask)
            .ok_or_else(|| unfit("resource"))?;
        let mut context = vec![self.target_context()];
        context.extend(ask.context.iter().map(|(name, it)| value(name, it)));
        let entities = self.entities.iter().cloned().chain(chain);
        Ok(Question {
            action,
            resource,
            context,
            entities: Entities::from_entities(entities, Some(&types.schema))
                .map_err(|_| unfit("resource"))?,
        })
    }

    /// The resource with what it stands in, up to the target.
    fn resource(
        &self,
        types: &Types,
        protocol: &str,
        ask: &Ask,
    ) -> Option<(EntityUid, Vec<Entity>)> {
        let resource = &ask.resource;
        if resource.kind == "Target" {
            return Some((self.target.clone(), Vec::new()));
        }
        let id = types.resource(protocol, resource.kind, &resource.name)?;
        let mut parents = Vec::with_capacity(resource.parents.len() + 1);
        for (kind, name) in &resource.parents {
            parents.push(types.resource(protocol, kind, name)?);
        }
        parents.push(self.target.clone());
        let mut nearest = parents.iter().cloned();
        let attributes = resource.attributes.iter().map(|(name, it)| value(name, it));
        let first = Entity::new(
            id.clone(),
            attributes.collect(),
            nearest.next().into_iter().collect(),
        );
        let mut chain = vec![first.ok()?];
        chain.extend(
            parents
                .iter()
                .zip(nearest)
                .map(|(it, above)| Entity::new_no_attrs(it.clone(), HashSet::from([above]))),
        );
        Some((id, chain))
    }

    fn target_context(&self) -> (String, RestrictedExpression) {
        let target = RestrictedExpression::new_entity_uid(self.target.clone());
        ("target".to_owned(), target)
    }

    /// The question as a request, checked against the schema.
    pub(crate) fn request(
        &self,
        schema: &Schema,
        question: &Question,
        approvals: &BTreeSet<String>,
    ) -> Result<Request, Unfit> {
        let unfit = |reason| Unfit {
            action: AsRef::<str>::as_ref(question.action.id()).to_owned(),
            reason,
        };
        let groups = approvals
            .iter()
            .cloned()
            .map(RestrictedExpression::new_string);
        let approvals = (
            "approvals".to_owned(),
            RestrictedExpression::new_set(groups),
        );
        let context = question.context.iter().cloned().chain([approvals]);
        // A name given twice is refused here, so that a protocol cannot bring approvals of its own.
        let context = Context::from_pairs(context).map_err(|_| unfit("context"))?;
        Request::new(
            self.principal.clone(),
            question.action.clone(),
            question.resource.clone(),
            context,
            Some(schema),
        )
        .map_err(|_| unfit("request"))
    }
}

fn text(name: &str, value: &str) -> (String, RestrictedExpression) {
    (
        name.to_owned(),
        RestrictedExpression::new_string(value.to_owned()),
    )
}

fn value(name: &str, value: &Value) -> (String, RestrictedExpression) {
    let value = match value {
        Value::Bool(flag) => RestrictedExpression::new_bool(*flag),
        Value::Long(number) => RestrictedExpression::new_long(*number),
        Value::Text(text) => RestrictedExpression::new_string(text.clone()),
        Value::Texts(texts) => RestrictedExpression::new_set(
            texts.iter().cloned().map(RestrictedExpression::new_string),
        ),
    };
    (name.to_owned(), value)
}

/// No labels: for targets that have none.
pub static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();
