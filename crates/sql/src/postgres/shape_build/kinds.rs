//! Types by their names.

use pg_query::protobuf;

use super::super::shape::Type;
use super::super::walk::texts;
use crate::Name;

/// PostgreSQL's own types: name, object identifier and that of arrays of it (`pg_type.dat`).
const KINDS: &[(&str, u32, u32)] = &[
    ("bool", 16, 1_000),
    ("bpchar", 1_042, 1_014),
    ("bytea", 17, 1_001),
    ("cidr", 650, 651),
    ("date", 1_082, 1_182),
    ("float4", 700, 1_021),
    ("float8", 701, 1_022),
    ("inet", 869, 1_041),
    ("int2", 21, 1_005),
    ("int4", 23, 1_007),
    ("int8", 20, 1_016),
    ("interval", 1_186, 1_187),
    ("json", 114, 199),
    ("jsonb", 3_802, 3_807),
    ("macaddr", 829, 1_040),
    ("money", 790, 791),
    ("numeric", 1_700, 1_231),
    ("text", 25, 1_009),
    ("time", 1_083, 1_183),
    ("timestamp", 1_114, 1_115),
    ("timestamptz", 1_184, 1_185),
    ("timetz", 1_266, 1_270),
    ("uuid", 2_950, 2_951),
    ("varchar", 1_043, 1_015),
];

/// Whether a cast to a type of that name is known to keep values of it.
pub(in super::super) fn is_kept_by_name(name: &str) -> bool {
    KINDS.iter().any(|(kind, ..)| *kind == name)
}

/// The type that a name means, if nothing more is said of it.
pub(super) fn type_of(name: &protobuf::TypeName) -> Option<Type> {
    if !name.typmods.is_empty() || name.setof || name.pct_type {
        return None;
    }
    let named = Name::from_parts(texts(&name.names))?;
    let own = Some(&named).filter(|it| it.may_be_builtin());
    let own = own.and_then(|own| KINDS.iter().find(|(kind, ..)| *kind == own.name));
    match (own, name.array_bounds.is_empty()) {
        (Some((_, own, _)), true) => Some(Type::Own(*own)),
        (Some((_, _, array)), false) => Some(Type::Own(*array)),
        (None, true) => Some(Type::Named(named)),
        (None, false) => None,
    }
}
