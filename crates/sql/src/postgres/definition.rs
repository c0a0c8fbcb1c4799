//! Statements that define, change and remove objects, and who may use them.

use std::fmt::{self, Write};

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::{DropBehavior, GrantTargetType, ObjectType};

use super::statement::Statement;
use super::utility::inner;
use super::walk::{Walk, name_of, texts};
use crate::{Action, Effect, Name};

/// Analyzes a definition; a statement that is not known here is opaque.
#[expect(clippy::too_many_lines, reason = "one arm per kind of node")]
pub(super) fn analyze<'a>(node: NodeRef<'a>, statement: &mut Statement, walk: &mut Walk<'a>) {
    match node {
        NodeRef::GrantStmt(s) => grant(s, statement, walk),
        NodeRef::GrantRoleStmt(s) => {
            statement.tag = if s.is_grant {
                "GRANT ROLE"
            } else {
                "REVOKE ROLE"
            };
            let action = if s.is_grant {
                Action::Grant
            } else {
                Action::Revoke
            };
            for role in s.granted_roles.iter().filter_map(object_name) {
                walk.push(Effect::on(action, "ROLE", Some(role)));
            }
        }
        NodeRef::AlterDefaultPrivilegesStmt(s) => {
            statement.tag = "ALTER DEFAULT PRIVILEGES";
            let grants = s.action.as_ref().is_none_or(|action| action.is_grant);
            let action = if grants {
                Action::Grant
            } else {
                Action::Revoke
            };
            walk.push(Effect::on(action, "DEFAULT PRIVILEGES", None));
        }
        NodeRef::DropStmt(s) => {
            let object = object_type(s.remove_type);
            statement.tag = tag("DROP", object);
            statement.cascades = s.behavior == DropBehavior::DropCascade as i32;
            for name in s.objects.iter().map(object_name) {
                walk.push(Effect::on(Action::Drop, object, name));
            }
        }
        NodeRef::DropRoleStmt(s) => {
            statement.tag = "DROP ROLE";
            for name in s.roles.iter().map(object_name) {
                walk.push(Effect::on(Action::Drop, "ROLE", name));
            }
        }
        NodeRef::CreateSchemaStmt(s) => {
            statement.tag = "CREATE SCHEMA";
            walk.push(Effect::on(
                Action::Create,
                "SCHEMA",
                Some(Name::bare(&s.schemaname)),
            ));
            for element in s
                .schema_elts
                .iter()
                .filter_map(|element| element.node.as_ref())
            {
                let inside = super::statement::of_node(element, statement.text.clone());
                statement.takes.extend(inside.takes);
                walk.functions.extend(inside.functions);
                walk.fields.extend(inside.fields);
                inside
                    .effects
                    .into_iter()
                    .for_each(|effect| walk.push(effect));
            }
        }
        other => match one(other) {
            Some((verb, object, name)) => {
                statement.tag = tag(verb.0, object);
                if is_of_the_server(other) {
                    walk.push(Effect::on(Action::Administer, object, name.clone()));
                }
                walk.push(Effect::on(verb.1, object, name));
                let relation = relation_of(other);
                statement.temporary = relation.is_some_and(|it| it.relpersistence == "t");
                if let NodeRef::ViewStmt(view) = other {
                    statement.inner = inner(view.query.as_deref(), statement);
                }
                statement.renames_to = renames_to(other);
                statement.takes.extend(taken(other).map(name_of));
                statement.cascades = matches!(other, NodeRef::DropOwnedStmt(_));
                walk.below(other, relation_of(other));
                if let NodeRef::CreateForeignTableStmt(s) = other
                    && let Some(base) = &s.base_stmt
                {
                    walk.below(NodeRef::CreateStmt(base), relation_of(other));
                }
            }
            None => walk.push(Effect::because(
                Action::Opaque,
                format!("statement node {}", node_name(other)),
            )),
        },
    }
}

/// Whether it changes who may log in and how, or what sessions begin with: that reaches past every session here.
fn is_of_the_server(node: NodeRef<'_>) -> bool {
    matches!(
        node,
        NodeRef::CreateRoleStmt(_)
            | NodeRef::AlterRoleStmt(_)
            | NodeRef::AlterRoleSetStmt(_)
            | NodeRef::AlterDatabaseSetStmt(_)
    )
}

type Verb = (&'static str, Action);
const CREATE: Verb = ("CREATE", Action::Create);
const ALTER: Verb = ("ALTER", Action::Alter);
const DROP: Verb = ("DROP", Action::Drop);

/// Statements that do one thing to one object.
fn one(node: NodeRef<'_>) -> Option<(Verb, &'static str, Option<Name>)> {
    if let Some(relation) = relation_of(node) {
        let (verb, object) = on_relation(node)?;
        return Some((verb, object, Some(name_of(relation))));
    }
    created(node)
        .or_else(|| altered(node))
        .or_else(|| dropped(node))
}

/// The relation that a definition is about.
fn relation_of(node: NodeRef<'_>) -> Option<&protobuf::RangeVar> {
    match node {
        NodeRef::CreateStmt(s) => s.relation.as_ref(),
        NodeRef::CreateForeignTableStmt(s) => s.base_stmt.as_ref()?.relation.as_ref(),
        NodeRef::AlterTableStmt(s) => s.relation.as_ref(),
        NodeRef::IndexStmt(s) => s.relation.as_ref(),
        NodeRef::RuleStmt(s) => s.relation.as_ref(),
        NodeRef::ViewStmt(s) => s.view.as_ref(),
        NodeRef::CreateSeqStmt(s) => s.sequence.as_ref(),
        NodeRef::AlterSeqStmt(s) => s.sequence.as_ref(),
        NodeRef::CreateTrigStmt(s) => s.relation.as_ref(),
        NodeRef::CreatePolicyStmt(s) => s.table.as_ref(),
        NodeRef::AlterPolicyStmt(s) => s.table.as_ref(),
        NodeRef::RenameStmt(s) => s.relation.as_ref(),
        NodeRef::AlterObjectSchemaStmt(s) => s.relation.as_ref(),
        NodeRef::AlterObjectDependsStmt(s) => s.relation.as_ref(),
        NodeRef::AlterOwnerStmt(s) => s.relation.as_ref(),
        NodeRef::CompositeTypeStmt(s) => s.typevar.as_ref(),
        _ => None,
    }
}

/// The name that something gets which had another, or is found by another since.
fn renames_to(node: NodeRef<'_>) -> Option<String> {
    match node {
        NodeRef::RenameStmt(s) if !is_part(s.rename_type) => Some(s.newname.clone()),
        NodeRef::AlterObjectSchemaStmt(s) => {
            let object = s.object.as_deref().and_then(object_name);
            Some(s.relation.as_ref().map(name_of).or(object)?.name)
        }
        _ => None,
    }
}

/// Relations whose rows or columns it makes part of another, or has the server compute with from now on.
fn taken(node: NodeRef<'_>) -> impl Iterator<Item = &protobuf::RangeVar> {
    let (nodes, commands) = match node {
        NodeRef::CreateStmt(s) => (s.inh_relations.as_slice(), &[][..]),
        NodeRef::CreateStatsStmt(s) => (s.relations.as_slice(), &[][..]),
        NodeRef::AlterTableStmt(s) => (&[][..], s.cmds.as_slice()),
        _ => (&[][..], &[][..]),
    };
    let commands = commands
        .iter()
        .filter_map(|node| match node.node.as_ref()? {
            NodeEnum::AlterTableCmd(command) => command.def.as_deref(),
            _ => None,
        });
    let nodes = nodes.iter().chain(commands);
    nodes.filter_map(|node| match node.node.as_ref()? {
        NodeEnum::RangeVar(relation) => Some(relation),
        NodeEnum::PartitionCmd(part) => part.name.as_ref(),
        _ => None,
    })
}

fn on_relation(node: NodeRef<'_>) -> Option<(Verb, &'static str)> {
    Some(match node {
        NodeRef::CreateStmt(_) => (CREATE, "TABLE"),
        NodeRef::CreateForeignTableStmt(_) => (CREATE, "FOREIGN TABLE"),
        NodeRef::AlterTableStmt(s) => (ALTER, object_type(s.objtype)),
        NodeRef::IndexStmt(_) => (CREATE, "INDEX"),
        NodeRef::RuleStmt(_) => (CREATE, "RULE"),
        NodeRef::ViewStmt(_) => (CREATE, "VIEW"),
        NodeRef::CreateSeqStmt(_) => (CREATE, "SEQUENCE"),
        NodeRef::AlterSeqStmt(_) => (ALTER, "SEQUENCE"),
        NodeRef::CreateTrigStmt(_) => (CREATE, "TRIGGER"),
        NodeRef::CreatePolicyStmt(_) => (CREATE, "POLICY"),
        NodeRef::AlterPolicyStmt(_) => (ALTER, "POLICY"),
        NodeRef::RenameStmt(s) if is_part(s.rename_type) => (ALTER, object_type(s.relation_type)),
        NodeRef::RenameStmt(s) => (ALTER, object_type(s.rename_type)),
        NodeRef::AlterObjectSchemaStmt(s) => (ALTER, object_type(s.object_type)),
        NodeRef::AlterObjectDependsStmt(s) => (ALTER, object_type(s.object_type)),
        NodeRef::AlterOwnerStmt(s) => (ALTER, object_type(s.object_type)),
        NodeRef::CompositeTypeStmt(_) => (CREATE, "TYPE"),
        _ => return None,
    })
}

/// Whether a rename is of a column, attribute or constraint.
fn is_part(kind: i32) -> bool {
    matches!(
        ObjectType::try_from(kind),
        Ok(ObjectType::ObjectColumn
            | ObjectType::ObjectAttribute
            | ObjectType::ObjectTabconstraint)
    )
}

fn created(node: NodeRef<'_>) -> Option<(Verb, &'static str, Option<Name>)> {
    let bare = |name: &String| Some(Name::bare(name));
    let dotted = |names: &[Node]| Name::from_parts(texts(names));
    let (object, name) = match node {
        NodeRef::CreateFunctionStmt(s) => (
            if s.is_procedure {
                "PROCEDURE"
            } else {
                "FUNCTION"
            },
            dotted(&s.funcname),
        ),
        NodeRef::DefineStmt(s) => (object_type(s.kind), dotted(&s.defnames)),
        NodeRef::CreateDomainStmt(s) => ("DOMAIN", dotted(&s.domainname)),
        NodeRef::CreateEnumStmt(s) => ("TYPE", dotted(&s.type_name)),
        NodeRef::CreateRangeStmt(s) => ("TYPE", dotted(&s.type_name)),
        NodeRef::CreatedbStmt(s) => ("DATABASE", bare(&s.dbname)),
        NodeRef::CreateRoleStmt(s) => ("ROLE", bare(&s.role)),
        NodeRef::CreateExtensionStmt(s) => ("EXTENSION", bare(&s.extname)),
        NodeRef::CreateEventTrigStmt(s) => ("EVENT TRIGGER", bare(&s.trigname)),
        NodeRef::CreatePlangStmt(s) => ("LANGUAGE", bare(&s.plname)),
        NodeRef::CreateTableSpaceStmt(s) => ("TABLESPACE", bare(&s.tablespacename)),
        NodeRef::CreateFdwStmt(s) => ("FOREIGN DATA WRAPPER", bare(&s.fdwname)),
        NodeRef::CreateForeignServerStmt(s) => ("SERVER", bare(&s.servername)),
        NodeRef::CreateUserMappingStmt(s) => ("USER MAPPING", bare(&s.servername)),
        NodeRef::ImportForeignSchemaStmt(s) => ("FOREIGN TABLE", bare(&s.remote_schema)),
        NodeRef::CreateConversionStmt(s) => ("CONVERSION", dotted(&s.conversion_name)),
        NodeRef::CreateCastStmt(_) => ("CAST", None),
        NodeRef::CreateTransformStmt(_) => ("TRANSFORM", None),
        NodeRef::CreateOpClassStmt(s) => ("OPERATOR CLASS", dotted(&s.opclassname)),
        NodeRef::CreateOpFamilyStmt(s) => ("OPERATOR FAMILY", dotted(&s.opfamilyname)),
        NodeRef::CreateAmStmt(s) => ("ACCESS METHOD", bare(&s.amname)),
        NodeRef::CreatePublicationStmt(s) => ("PUBLICATION", bare(&s.pubname)),
        NodeRef::CreateSubscriptionStmt(s) => ("SUBSCRIPTION", bare(&s.subname)),
        NodeRef::CreateStatsStmt(s) => ("STATISTICS", dotted(&s.defnames)),
        _ => return None,
    };
    Some((CREATE, object, name))
}

fn altered(node: NodeRef<'_>) -> Option<(Verb, &'static str, Option<Name>)> {
    let bare = |name: &String| Some(Name::bare(name));
    let dotted = |names: &[Node]| Name::from_parts(texts(names));
    let of = |node: &Option<Box<Node>>| node.as_deref().and_then(object_name);
    let (object, name) = match node {
        NodeRef::RenameStmt(s) => (
            object_type(s.rename_type),
            of(&s.object).or_else(|| bare(&s.subname)),
        ),
        NodeRef::AlterObjectSchemaStmt(s) => (object_type(s.object_type), of(&s.object)),
        NodeRef::AlterObjectDependsStmt(s) => (object_type(s.object_type), of(&s.object)),
        NodeRef::AlterOwnerStmt(s) => (object_type(s.object_type), of(&s.object)),
        NodeRef::CommentStmt(s) => (object_type(s.objtype), of(&s.object)),
        NodeRef::SecLabelStmt(s) => (object_type(s.objtype), of(&s.object)),
        NodeRef::AlterFunctionStmt(s) => {
            ("FUNCTION", s.func.as_ref().and_then(|f| dotted(&f.objname)))
        }
        NodeRef::AlterDomainStmt(s) => ("DOMAIN", dotted(&s.type_name)),
        NodeRef::AlterEnumStmt(s) => ("TYPE", dotted(&s.type_name)),
        NodeRef::AlterTypeStmt(s) => ("TYPE", dotted(&s.type_name)),
        NodeRef::AlterOperatorStmt(s) => (
            "OPERATOR",
            s.opername.as_ref().and_then(|o| dotted(&o.objname)),
        ),
        NodeRef::AlterOpFamilyStmt(s) => ("OPERATOR FAMILY", dotted(&s.opfamilyname)),
        NodeRef::AlterDatabaseStmt(s) => ("DATABASE", bare(&s.dbname)),
        NodeRef::AlterDatabaseSetStmt(s) => ("DATABASE", bare(&s.dbname)),
        NodeRef::AlterDatabaseRefreshCollStmt(s) => ("DATABASE", bare(&s.dbname)),
        NodeRef::AlterRoleStmt(s) => ("ROLE", s.role.as_ref().map(role_name)),
        NodeRef::AlterRoleSetStmt(s) => ("ROLE", s.role.as_ref().map(role_name)),
        NodeRef::AlterExtensionStmt(s) => ("EXTENSION", bare(&s.extname)),
        NodeRef::AlterExtensionContentsStmt(s) => ("EXTENSION", bare(&s.extname)),
        NodeRef::AlterEventTrigStmt(s) => ("EVENT TRIGGER", bare(&s.trigname)),
        NodeRef::AlterFdwStmt(s) => ("FOREIGN DATA WRAPPER", bare(&s.fdwname)),
        NodeRef::AlterForeignServerStmt(s) => ("SERVER", bare(&s.servername)),
        NodeRef::AlterUserMappingStmt(s) => ("USER MAPPING", bare(&s.servername)),
        NodeRef::AlterTableSpaceOptionsStmt(s) => ("TABLESPACE", bare(&s.tablespacename)),
        NodeRef::AlterTableMoveAllStmt(s) => (object_type(s.objtype), bare(&s.orig_tablespacename)),
        NodeRef::AlterPublicationStmt(s) => ("PUBLICATION", bare(&s.pubname)),
        NodeRef::AlterSubscriptionStmt(s) => ("SUBSCRIPTION", bare(&s.subname)),
        NodeRef::AlterStatsStmt(s) => ("STATISTICS", dotted(&s.defnames)),
        NodeRef::AlterCollationStmt(s) => ("COLLATION", dotted(&s.collname)),
        NodeRef::AlterTsdictionaryStmt(s) => ("TEXT SEARCH DICTIONARY", dotted(&s.dictname)),
        NodeRef::AlterTsconfigurationStmt(s) => ("TEXT SEARCH CONFIGURATION", dotted(&s.cfgname)),
        NodeRef::ReassignOwnedStmt(s) => ("OWNED", s.newrole.as_ref().map(role_name)),
        _ => return None,
    };
    let verb = match node {
        NodeRef::CommentStmt(_) => ("COMMENT", Action::Alter),
        NodeRef::SecLabelStmt(_) => ("SECURITY LABEL", Action::Alter),
        NodeRef::ReassignOwnedStmt(_) => ("REASSIGN", Action::Alter),
        _ => ALTER,
    };
    Some((verb, object, name))
}

fn dropped(node: NodeRef<'_>) -> Option<(Verb, &'static str, Option<Name>)> {
    let (object, name) = match node {
        NodeRef::DropdbStmt(s) => ("DATABASE", Some(Name::bare(&s.dbname))),
        NodeRef::DropTableSpaceStmt(s) => ("TABLESPACE", Some(Name::bare(&s.tablespacename))),
        NodeRef::DropSubscriptionStmt(s) => ("SUBSCRIPTION", Some(Name::bare(&s.subname))),
        NodeRef::DropUserMappingStmt(s) => ("USER MAPPING", Some(Name::bare(&s.servername))),
        NodeRef::DropOwnedStmt(s) => ("OWNED", s.roles.first().and_then(object_name)),
        _ => return None,
    };
    Some((DROP, object, name))
}

fn grant(s: &protobuf::GrantStmt, statement: &mut Statement, walk: &mut Walk<'_>) {
    statement.tag = if s.is_grant { "GRANT" } else { "REVOKE" };
    let action = if s.is_grant {
        Action::Grant
    } else {
        Action::Revoke
    };
    let object = match GrantTargetType::try_from(s.targtype) {
        Ok(GrantTargetType::AclTargetAllInSchema) => "ALL IN SCHEMA",
        _ => object_type(s.objtype),
    };
    for name in s.objects.iter().map(object_name) {
        walk.push(Effect::on(action, object, name));
    }
}

/// The name of an object, in any of the shapes the grammar gives it.
fn object_name(node: &Node) -> Option<Name> {
    match node.node.as_ref()? {
        NodeEnum::String(s) => Some(Name::bare(&s.sval)),
        NodeEnum::List(list) => match list.items.as_slice() {
            // DROP CAST and the like name types: what matters is that it is one.
            [
                Node {
                    node: Some(NodeEnum::TypeName(of)),
                },
                ..,
            ] => Name::from_parts(texts(&of.names)),
            items => {
                let parts = texts(items);
                let skip = parts.len().saturating_sub(3);
                Name::from_parts(parts.into_iter().skip(skip).collect())
            }
        },
        NodeEnum::ObjectWithArgs(object) => Name::from_parts(texts(&object.objname)),
        NodeEnum::TypeName(name) => Name::from_parts(texts(&name.names)),
        NodeEnum::RangeVar(relation) => Some(name_of(relation)),
        NodeEnum::RoleSpec(role) => Some(role_name(role)),
        NodeEnum::AccessPriv(privilege) => Some(Name::bare(&privilege.priv_name)),
        _ => None,
    }
}

fn role_name(role: &protobuf::RoleSpec) -> Name {
    use protobuf::RoleSpecType::{
        RolespecCurrentRole, RolespecCurrentUser, RolespecPublic, RolespecSessionUser,
    };
    Name::bare(match protobuf::RoleSpecType::try_from(role.roletype) {
        Ok(RolespecCurrentRole) => "current_role",
        Ok(RolespecCurrentUser) => "current_user",
        Ok(RolespecSessionUser) => "session_user",
        Ok(RolespecPublic) => "public",
        _ => role.rolename.as_str(),
    })
}

/// The node's type, as `CreateStmt`.
fn node_name(node: NodeRef<'_>) -> String {
    let mut head = Head(String::new());
    // Stops with an error at the first bracket, so that the tree below is not printed.
    let _ = write!(head, "{node:?}");
    head.0
}

struct Head(String);

impl Write for Head {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let name = part.split('(').next().unwrap_or(part);
        self.0.push_str(name);
        if name.len() == part.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

macro_rules! object_types {
    ($($variant:ident = $name:literal,)*) => {
        /// The object's kind as SQL spells it.
        fn object_type(kind: i32) -> &'static str {
            match ObjectType::try_from(kind) {
                $(Ok(ObjectType::$variant) => $name,)*
                _ => "OBJECT",
            }
        }

        /// The command tag of a verb on a kind of object.
        fn tag(verb: &'static str, object: &'static str) -> &'static str {
            match (verb, object) {
                ("COMMENT", _) => "COMMENT",
                ("SECURITY LABEL", _) => "SECURITY LABEL",
                ("CREATE", "OWNED") | ("ALTER", "OWNED") => "OBJECT",
                ("DROP", "OWNED") => "DROP OWNED",
                ("REASSIGN", _) => "REASSIGN OWNED",
                ("CREATE", "USER MAPPING") => "CREATE USER MAPPING",
                ("ALTER", "USER MAPPING") => "ALTER USER MAPPING",
                ("DROP", "USER MAPPING") => "DROP USER MAPPING",
                $(("CREATE", $name) => concat!("CREATE ", $name),
                ("ALTER", $name) => concat!("ALTER ", $name),
                ("DROP", $name) => concat!("DROP ", $name),)*
                _ => "OBJECT",
            }
        }
    };
}

object_types! {
    ObjectAccessMethod = "ACCESS METHOD",
    ObjectAggregate = "AGGREGATE",
    ObjectCast = "CAST",
    ObjectColumn = "COLUMN",
    ObjectCollation = "COLLATION",
    ObjectConversion = "CONVERSION",
    ObjectDatabase = "DATABASE",
    ObjectDomain = "DOMAIN",
    ObjectEventTrigger = "EVENT TRIGGER",
    ObjectExtension = "EXTENSION",
    ObjectFdw = "FOREIGN DATA WRAPPER",
    ObjectForeignServer = "SERVER",
    ObjectForeignTable = "FOREIGN TABLE",
    ObjectFunction = "FUNCTION",
    ObjectIndex = "INDEX",
    ObjectLanguage = "LANGUAGE",
    ObjectLargeobject = "LARGE OBJECT",
    ObjectMatview = "MATERIALIZED VIEW",
    ObjectOpclass = "OPERATOR CLASS",
    ObjectOperator = "OPERATOR",
    ObjectOpfamily = "OPERATOR FAMILY",
    ObjectParameterAcl = "PARAMETER",
    ObjectPolicy = "POLICY",
    ObjectProcedure = "PROCEDURE",
    ObjectPublication = "PUBLICATION",
    ObjectRole = "ROLE",
    ObjectRoutine = "ROUTINE",
    ObjectRule = "RULE",
    ObjectSchema = "SCHEMA",
    ObjectSequence = "SEQUENCE",
    ObjectSubscription = "SUBSCRIPTION",
    ObjectStatisticExt = "STATISTICS",
    ObjectTabconstraint = "CONSTRAINT",
    ObjectTable = "TABLE",
    ObjectTablespace = "TABLESPACE",
    ObjectTransform = "TRANSFORM",
    ObjectTrigger = "TRIGGER",
    ObjectTsconfiguration = "TEXT SEARCH CONFIGURATION",
    ObjectTsdictionary = "TEXT SEARCH DICTIONARY",
    ObjectTsparser = "TEXT SEARCH PARSER",
    ObjectTstemplate = "TEXT SEARCH TEMPLATE",
    ObjectType = "TYPE",
    ObjectView = "VIEW",
}
