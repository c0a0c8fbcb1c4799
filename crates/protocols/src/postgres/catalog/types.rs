//! What the values of a type look like on the wire.
//!
//! The binary form of a type is made by its send function (`pg_type.typsend`), so its name tells the form.

use std::collections::HashMap;
use std::sync::Arc;

/// Oid, kind, element, base type, name of the send function, subtype of a range or multirange, types of the fields of a
/// row; from PostgreSQL 12 on.
pub(super) const QUERY: &str = "SELECT t.oid, t.typtype, t.typelem, t.typbasetype, p.proname, \
    COALESCE((SELECT min(r.rngsubtype) FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid \
              OR pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = t.oid::text), 0), \
    CASE WHEN t.typrelid <> 0 THEN (SELECT string_agg(a.atttypid::text, ',' ORDER BY a.attnum) \
              FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END \
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typsend WHERE t.typisdefined";

/// How values of a type are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, the same in both formats.
    Text,
    /// JSON text, the same in both formats.
    Json,
    /// JSON text; in binary after a version byte.
    Jsonb,
    /// Text; in binary after a version byte.
    VersionedText,
    /// A name as text, a number in binary.
    Name,
    /// Little that a detector looks for: flags, times, identifiers, addresses of a network.
    Plain(Plain),
    /// A UUID, which no detector looks for.
    Uuid,
    /// A 16-bit integer.
    Int2,
    /// A 32-bit integer.
    Int4,
    /// A 64-bit integer.
    Int8,
    /// An amount of money: in text as its country writes it, in binary a 64-bit integer.
    Money,
    /// A double.
    Float8,
    /// Doubles that make a figure.
    Floats(Figure),
    /// A decimal number.
    Numeric,
    /// Bytes; in text hexadecimal or with escapes.
    Bytea,
    /// An array of this type.
    Array(u32),
    /// A range of this type.
    Range(u32),
    /// Ranges of this type.
    Multirange(u32),
    /// One of a set of words, which `*` is not.
    Enum,
    /// A row: in binary each field with its type.
    Record,
    /// A row of this type, whose fields' types the catalog tells ([`Types::fields`]).
    Composite(u32),
    /// A form of PostgreSQL's own that holds text as it is between other bytes.
    Raw,
    /// A type of an extension that nobody here knows: text in text format, of which not any text is a value.
    Opaque,
    /// Text in text format; in binary who knows.
    Unknown,
}

/// A [`Form::Plain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// A truth value.
    Bool,
    /// An unsigned number of 32 bits.
    Oid,
    /// An unsigned number of 64 bits.
    Xid8,
    /// Where a row stands: block and number.
    Tid,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// The same with its zone's offset.
    TimeTz,
    /// Day and time.
    Timestamp,
    /// A moment.
    TimestampTz,
    /// Months, days and a time.
    Interval,
    /// A float of 32 bits.
    Float4,
    /// An address of a network's host, or of a network.
    Address,
    /// An address of a device.
    Mac,
    /// A place in the log.
    Lsn,
    /// Bits.
    Bits,
    /// Something else.
    Other,
}

/// What doubles make, and so how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// `(x,y)`
    Point,
    /// `[(x,y),(x,y)]`
    Segment,
    /// `(x,y),(x,y)`
    Box,
    /// `{a,b,c}`
    Line,
    /// `<(x,y),r>`
    Circle,
    /// `((x,y),…)`, after a count in binary.
    Polygon,
    /// The same, or with brackets, after a flag and a count.
    Path,
}

/// The forms of types by object identifier.
#[derive(Debug, Clone, Default)]
pub struct Types {
    forms: HashMap<u32, Form>,
    domains: HashMap<u32, u32>,
    fields: HashMap<u32, Arc<[u32]>>,
}

/// A domain over a domain is followed so far.
const DOMAIN_DEPTH_MAX: usize = 32;

impl Types {
    /// The types that come with PostgreSQL and that clients use most, so that a session can do without a catalog.
    #[must_use]
    pub fn built_in() -> Self {
        let mut types = Self::default();
        for (oid, send) in BUILT_IN {
            types.forms.insert(oid, of_send(send, oid));
        }
        for (array, element) in ARRAYS {
            types.forms.insert(array, Form::Array(element));
        }
        for (range, element) in RANGES {
            types.forms.insert(range, Form::Range(element));
        }
        types
    }

    /// The form of the type with this object identifier.
    #[must_use]
    pub fn form(&self, oid: u32) -> Form {
        let mut oid = oid;
        for _ in 0..DOMAIN_DEPTH_MAX {
            match self.domains.get(&oid) {
                Some(base) => oid = *base,
                None => break,
            }
        }
        self.forms.get(&oid).copied().unwrap_or(Form::Unknown)
    }

    /// The types of the fields of a [`Form::Composite`], in order.
    #[must_use]
    pub fn fields(&self, oid: u32) -> Option<&[u32]> {
        self.fields.get(&oid).map(AsRef::as_ref)
    }

    /// Takes a row of [`QUERY`]. One that cannot be read leaves its type unknown.
    pub(in crate::postgres) fn row(&mut self, values: &[Option<&[u8]>]) {
        let text = |index: usize| {
            let value = values.get(index).copied().flatten();
            value.and_then(|value| std::str::from_utf8(value).ok())
        };
        let number = |index| text(index).and_then(|text| text.parse::<u32>().ok());
        let (Some(oid), Some(kind)) = (number(0), text(1)) else {
            return;
        };
        let of = |number: Option<u32>, form: fn(u32) -> Form| {
            number.filter(|&n| n != 0).map_or(Form::Unknown, form)
        };
        let form = match (kind, text(4)) {
            ("d", _) => {
                self.domains.extend(number(3).map(|base| (oid, base)));
                return;
            }
            ("e", _) => Form::Enum,
            ("c", Some("record_send")) if text(6).is_some() => {
                let fields = text(6).unwrap_or_default().split(',');
                let fields = fields.map(|oid| oid.parse().unwrap_or_default()).collect();
                self.fields.insert(oid, fields);
                Form::Composite(oid)
            }
            (_, Some("array_send")) => of(number(2), Form::Array),
            (_, Some("range_send")) => of(number(5), Form::Range),
            (_, Some("multirange_send")) => of(number(5), Form::Multirange),
            (_, Some(send)) => of_send(send, oid),
            (_, None) => Form::Unknown,
        };
        self.forms.insert(oid, form);
    }
}

/// Object identifiers from here on are not PostgreSQL's own (`FirstNormalObjectId`).
const FIRST_NORMAL_OID: u32 = 16_384;

fn of_send(send: &str, oid: u32) -> Form {
    match send {
        "textsend" | "varcharsend" | "bpcharsend" | "namesend" | "unknownsend" | "cstring_send"
        | "charsend" | "citextsend" | "enum_send" | "xml_send" => Form::Text,
        "json_send" => Form::Json,
        "jsonb_send" => Form::Jsonb,
        "jsonpath_send" | "ltree_send" | "lquery_send" | "ltxtq_send" => Form::VersionedText,
        "boolsend" => Form::Plain(Plain::Bool),
        "oidsend" | "xidsend" | "cidsend" => Form::Plain(Plain::Oid),
        "xid8send" => Form::Plain(Plain::Xid8),
        "tidsend" => Form::Plain(Plain::Tid),
        "date_send" => Form::Plain(Plain::Date),
        "time_send" => Form::Plain(Plain::Time),
        "timetz_send" => Form::Plain(Plain::TimeTz),
        "timestamp_send" => Form::Plain(Plain::Timestamp),
        "timestamptz_send" => Form::Plain(Plain::TimestampTz),
        "interval_send" => Form::Plain(Plain::Interval),
        "float4send" => Form::Plain(Plain::Float4),
        "inet_send" | "cidr_send" => Form::Plain(Plain::Address),
        "macaddr_send" | "macaddr8_send" => Form::Plain(Plain::Mac),
        "pg_lsn_send" => Form::Plain(Plain::Lsn),
        "bit_send" | "varbit_send" => Form::Plain(Plain::Bits),
        "int2vectorsend" | "oidvectorsend" | "void_send" | "txid_snapshot_send"
        | "pg_snapshot_send" => Form::Plain(Plain::Other),
        "int2send" => Form::Int2,
        "int4send" => Form::Int4,
        "uuid_send" => Form::Uuid,
        "int8send" => Form::Int8,
        "cash_send" => Form::Money,
        "float8send" => Form::Float8,
        "numeric_send" => Form::Numeric,
        "point_send" => Form::Floats(Figure::Point),
        "lseg_send" => Form::Floats(Figure::Segment),
        "box_send" => Form::Floats(Figure::Box),
        "line_send" => Form::Floats(Figure::Line),
        "circle_send" => Form::Floats(Figure::Circle),
        "poly_send" => Form::Floats(Figure::Polygon),
        "path_send" => Form::Floats(Figure::Path),
        "byteasend" => Form::Bytea,
        "record_send" => Form::Record,
        send if send.starts_with("reg") && oid < FIRST_NORMAL_OID => Form::Name,
        _ if oid < FIRST_NORMAL_OID => Form::Raw,
        // Its words stand in quotes.
        "hstore_send" => Form::Unknown,
        _ => Form::Opaque,
    }
}

const BUILT_IN: [(u32, &str); 55] = [
    (16, "boolsend"),
    (17, "byteasend"),
    (18, "charsend"),
    (19, "namesend"),
    (20, "int8send"),
    (21, "int2send"),
    (22, "int2vectorsend"),
    (23, "int4send"),
    (24, "regprocsend"),
    (25, "textsend"),
    (26, "oidsend"),
    (27, "tidsend"),
    (28, "xidsend"),
    (29, "cidsend"),
    (30, "oidvectorsend"),
    (114, "json_send"),
    (142, "xml_send"),
    (194, "pg_node_tree_send"),
    (600, "point_send"),
    (601, "lseg_send"),
    (602, "path_send"),
    (603, "box_send"),
    (604, "poly_send"),
    (628, "line_send"),
    (650, "cidr_send"),
    (700, "float4send"),
    (701, "float8send"),
    (705, "unknownsend"),
    (718, "circle_send"),
    (774, "macaddr8_send"),
    (790, "cash_send"),
    (829, "macaddr_send"),
    (869, "inet_send"),
    (1042, "bpcharsend"),
    (1043, "varcharsend"),
    (1082, "date_send"),
    (1083, "time_send"),
    (1114, "timestamp_send"),
    (1184, "timestamptz_send"),
    (1186, "interval_send"),
    (1266, "timetz_send"),
    (1560, "bit_send"),
    (1562, "varbit_send"),
    (1700, "numeric_send"),
    (2205, "regclasssend"),
    (2206, "regtypesend"),
    (2249, "record_send"),
    (2275, "cstring_send"),
    (2278, "void_send"),
    (2950, "uuid_send"),
    (3220, "pg_lsn_send"),
    (3614, "tsvectorsend"),
    (3615, "tsquerysend"),
    (3802, "jsonb_send"),
    (4072, "jsonpath_send"),
];

const ARRAYS: [(u32, u32); 33] = [
    (199, 114),
    (1000, 16),
    (1001, 17),
    (1002, 18),
    (1003, 19),
    (1005, 21),
    (1007, 23),
    (1009, 25),
    (1014, 1042),
    (1015, 1043),
    (1016, 20),
    (1021, 700),
    (1022, 701),
    (1028, 26),
    (1034, 1033),
    (1041, 869),
    (651, 650),
    (1115, 1114),
    (1182, 1082),
    (1183, 1083),
    (1185, 1184),
    (1187, 1186),
    (1231, 1700),
    (1263, 2275),
    (1270, 1266),
    (1561, 1560),
    (1563, 1562),
    (2210, 2205),
    (2211, 2206),
    (2287, 2249),
    (2951, 2950),
    (3807, 3802),
    (143, 142),
];

const RANGES: [(u32, u32); 6] = [
    (3904, 23),
    (3906, 1700),
    (3908, 1114),
    (3910, 1184),
    (3912, 1082),
    (3926, 20),
];
