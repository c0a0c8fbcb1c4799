//! The schema: the core of this crate, and a namespace for each protocol.

use std::collections::HashMap;
use std::str::FromStr;

use cedar_policy::{
    CedarSchemaError, EntityId, EntityTypeName, EntityUid, Schema, SchemaFragment as CedarFragment,
};
use miette::Diagnostic;

use crate::LoadError;
use crate::load::describe;

/// The core schema's text.
pub const CORE_SCHEMA: &str = include_str!("core.cedarschema");

/// What a protocol contributes: one namespace with its actions, resources and context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaFragment {
    /// The protocol's name, such as `postgres`.
    pub protocol: &'static str,
    /// Cedar schema text. Declares exactly one namespace, such as `Postgres`.
    pub text: &'static str,
}

/// The whole schema, and which namespace is whose.
#[derive(Debug)]
pub(crate) struct Types {
    pub(crate) schema: Schema,
    namespaces: HashMap<String, String>,
}

impl Types {
    /// Puts the core and the fragments together.
    pub(crate) fn new(fragments: &[SchemaFragment]) -> Result<Self, LoadError> {
        let mut parts = vec![parse("core", CORE_SCHEMA)?];
        let mut namespaces = HashMap::new();
        for fragment in fragments {
            let name = file_name(fragment.protocol);
            let part = parse(fragment.protocol, fragment.text)?;
            let mut spaces: Vec<_> = part
                .namespaces()
                .map(|space| space.map(|name| name.to_string()))
                .collect();
            let (Some(Some(space)), true) = (spaces.pop(), spaces.is_empty()) else {
                return Err(LoadError::whole(
                    name,
                    "a protocol's schema declares exactly one namespace",
                ));
            };
            if namespaces
                .insert(fragment.protocol.to_owned(), space)
                .is_some()
            {
                return Err(LoadError::whole(name, "this protocol has two schemas"));
            }
            parts.push(part);
        }
        let schema = Schema::from_schema_fragments(parts)
            .map_err(|error| LoadError::whole("schema", describe(&error)))?;
        Ok(Self { schema, namespaces })
    }

    /// An action of a protocol; `None` where the protocol has no schema.
    pub(crate) fn action(&self, protocol: &str, action: &str) -> Option<EntityUid> {
        let space = self.namespaces.get(protocol)?;
        uid(&format!("{space}::Action"), action)
    }

    /// A resource of a protocol.
    pub(crate) fn resource(&self, protocol: &str, kind: &str, name: &str) -> Option<EntityUid> {
        let space = self.namespaces.get(protocol)?;
        uid(&format!("{space}::{kind}"), name)
    }
}

/// An entity's id. Whatever stands in `name`, it is one id: it is never parsed.
pub(crate) fn uid(kind: &str, name: &str) -> Option<EntityUid> {
    let kind = EntityTypeName::from_str(kind).ok()?;
    Some(EntityUid::from_type_name_and_id(kind, EntityId::new(name)))
}

fn file_name(protocol: &str) -> String {
    format!("{protocol}.cedarschema")
}

fn parse(protocol: &str, text: &str) -> Result<CedarFragment, LoadError> {
    let fail = |error: CedarSchemaError| {
        let offset = error
            .labels()
            .and_then(|mut labels| labels.next())
            .map(|label| label.offset());
        let problem = match offset {
            Some(offset) => {
                crate::Problem::at(&file_name(protocol), text, offset, describe(&error))
            }
            None => crate::Problem::whole(file_name(protocol), describe(&error)),
        };
        LoadError::new(vec![problem])
    };
    CedarFragment::from_cedarschema_str(text)
        .map(|(fragment, _)| fragment)
        .map_err(fail)
}
