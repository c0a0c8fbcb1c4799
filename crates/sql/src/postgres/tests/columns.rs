//! Which declared columns each output column depends on and how, and which the predicates do.

use model::DataClass;

use super::bank::bank;
use super::{on_big_stack, one};
use crate::postgres::{
    BaseColumns, Catalog, Declaration, How, OutputColumn, OutputRule, Protected, Resolved, resolve,
};

/// The bank with two columns of one class: `ssn` and `boss` are social security numbers, of customers and of tenants.
const DECLARED: [(&str, &str, &str, DataClass); 4] = [
    ("ssn", "customers", "ssn", DataClass::US_SSN),
    ("email", "customers", "email", DataClass::EMAIL),
    ("pan", "cards", "pan", DataClass::PAN),
    ("boss", "tenants", "name", DataClass::US_SSN),
];

fn protected(catalog: &Catalog) -> Protected {
    let declared = DECLARED.map(|(_, table, column, class)| Declaration {
        schema: "public".into(),
        table: table.into(),
        column: column.into(),
        class,
        path: None,
    });
    Protected::compile(&declared, &[], catalog)
}

fn short(name: &str) -> &'static str {
    let of = |(_, table, column, _): &&(&str, &str, &str, DataClass)| {
        name == format!("public.{table}.{column}")
    };
    DECLARED.iter().find(of).unwrap().0
}

/// `ssn` for a value of it, `f(ssn)` for what is computed of it, `n(ssn)` for what counts it; `.` for nothing, `?` for what
/// cannot be told, `*` behind what stands for any number of columns.
fn written(output: &OutputColumn) -> String {
    let one = |(column, how): &(_, How)| {
        let column: &crate::postgres::BaseColumn = column;
        let name = short(column.name());
        match how {
            How::Direct => name.to_owned(),
            How::Derived => format!("f({name})"),
            How::Counted => format!("n({name})"),
        }
    };
    let of: Vec<_> = output.of.iter().map(one).collect();
    let of = match (of.is_empty(), &output.unknown) {
        (_, Some(_)) => "?".to_owned(),
        (true, None) => ".".to_owned(),
        (false, None) => of.join("+"),
    };
    of + if output.many { "*" } else { "" }
}

/// Whether constants may stand beside the values of a declared column.
#[test]
fn what_stands_beside_declared_values_is_known() {
    let pure = [
        "SELECT ssn FROM customers",
        "SELECT max(ssn), array_agg(ssn) FROM customers",
        "SELECT ssn FROM customers UNION SELECT name FROM public.tenants",
        "SELECT coalesce(c.ssn, t.name) FROM customers c, public.tenants t",
        "WITH RECURSIVE r AS (SELECT ssn FROM customers UNION SELECT ssn FROM r) SELECT ssn FROM r",
        "SELECT lag(ssn) OVER () FROM customers",
        "SELECT x.ssn FROM customers c LEFT JOIN customers x ON true",
    ];
    let mixed = [
        "SELECT coalesce(ssn, '1') FROM customers",
        "SELECT CASE WHEN id = 1 THEN ssn ELSE '1' END FROM customers",
        "SELECT CASE id WHEN 1 THEN '1' ELSE ssn END FROM customers",
        "SELECT ssn FROM customers UNION ALL SELECT '1'",
        "SELECT ssn FROM customers UNION ALL VALUES ('1')",
        "SELECT x FROM (SELECT '1' UNION SELECT ssn FROM customers) t(x)",
        "WITH RECURSIVE r(x) AS (SELECT '1' UNION SELECT ssn FROM r, customers) SELECT x FROM r",
        "SELECT lag(ssn, 1, '1') OVER () FROM customers",
        "SELECT array_agg(coalesce(ssn, '1')) FROM customers",
        "SELECT ARRAY[ssn, '1'] FROM customers",
        "SELECT max(coalesce(ssn, $1)) FROM customers",
        "SELECT ssn FROM customers FULL JOIN (VALUES ('1')) v(ssn) USING (ssn)",
        "SELECT coalesce((SELECT ssn FROM customers), '1')",
        "VALUES ('1'), ((SELECT ssn FROM customers))",
    ];
    let (catalog, _) = bank();
    let protected = protected(&catalog);
    for (queries, is_mixed) in [(&pure[..], false), (&mixed[..], true)] {
        for query in queries {
            let resolved = resolve(&one(query), &catalog, &protected);
            let count = resolved.outputs().len();
            for column in resolved.copied(count) {
                // What is withheld shows neither.
                match column.rule {
                    OutputRule::Declared(of) => assert_eq!(of.is_mixed(), is_mixed, "{query}"),
                    OutputRule::Withheld(_) => assert!(is_mixed, "{query}"),
                    rule => panic!("{query}: {rule:?}"),
                }
            }
        }
    }
}

fn names(columns: &BaseColumns) -> String {
    let names: Vec<_> = columns.iter().map(|it| short(it.name())).collect();
    names.join("+")
}

/// Statements, what their output columns depend on, and what they match, probe and count.
const COLUMNS: &[(&str, &str, &str)] = &[
    // Columns as they are.
    ("SELECT 1, now(), $1", ". . .", "/ /"),
    ("SELECT id, ssn, email FROM customers", ". ssn email", "/ /"),
    (
        "SELECT ssn AS x, c.email AS ssn FROM customers c",
        "ssn email",
        "/ /",
    ),
    ("SELECT * FROM customers", ". . ssn email .", "/ /"),
    (
        "SELECT c.*, t.name FROM customers c, public.tenants t",
        ". . ssn email . boss",
        "/ /",
    ),
    (
        "SELECT b, d FROM customers AS c(a, x, b, d)",
        "ssn email",
        "/ /",
    ),
    (
        "SELECT ssn::text, ssn::varchar, ssn COLLATE \"C\", email::bytea FROM customers",
        "ssn ssn ssn f(email)",
        "/ email /",
    ),
    // Computed.
    (
        "SELECT upper(ssn), ssn || email, length(ssn) + 1 FROM customers",
        "f(ssn) f(email)+f(ssn) f(ssn)",
        "/ email+ssn /",
    ),
    (
        "SELECT coalesce(ssn, name), coalesce(ssn, email), nullif(ssn, 'x') FROM customers",
        "ssn f(email)+f(ssn) ssn",
        "ssn / /",
    ),
    (
        "SELECT CASE WHEN id = 1 THEN ssn ELSE t.name END FROM customers c, public.tenants t",
        "ssn+boss",
        "/ /",
    ),
    (
        "SELECT CASE WHEN ssn = 'x' THEN email END FROM customers",
        "f(email)+f(ssn)",
        "ssn / /",
    ),
    // Counted.
    (
        "SELECT count(*), count(ssn), count(c.*) FROM customers c",
        ". n(ssn) n(email)+n(ssn)",
        "/ / email+ssn",
    ),
    (
        "SELECT ssn IS NULL, email IS NOT NULL, num_nulls(ssn, email), pg_typeof(ssn) FROM customers",
        "n(ssn) n(email) n(email)+n(ssn) n(ssn)",
        "/ / email+ssn",
    ),
    (
        "SELECT count(ssn) + 1, count(ssn) + length(email), greatest(count(ssn), 2) FROM customers GROUP BY email",
        "n(ssn) f(email)+n(ssn) n(ssn)",
        "/ email / ssn",
    ),
    (
        "SELECT CASE WHEN ssn IS NULL THEN email ELSE 'none' END FROM customers",
        "email+n(ssn)",
        "/ / ssn",
    ),
    (
        "SELECT count(DISTINCT ssn), count(upper(ssn)) FROM customers",
        "n(ssn) f(ssn)",
        "/ ssn / ssn",
    ),
    (
        "SELECT count(email) FILTER (WHERE ssn IS NULL), count(email) FILTER (WHERE ssn = 'x') FROM customers",
        "n(email)+n(ssn) f(ssn)+n(email)",
        "ssn / / email+ssn",
    ),
    (
        "SELECT EXISTS (SELECT ssn FROM customers), EXISTS (SELECT 1 FROM customers WHERE email = 'x')",
        "n(ssn) f(email)",
        "email / / ssn",
    ),
    ("SELECT id FROM customers WHERE ssn IS NULL", ".", "/ / ssn"),
    (
        "SELECT name FROM customers GROUP BY name HAVING count(email) > 3",
        ".",
        "/ / email",
    ),
    (
        "SELECT (SELECT name FROM customers WHERE ssn IS NULL LIMIT 1), (SELECT email FROM customers WHERE ssn IS NULL)",
        "n(ssn) email+n(ssn)",
        "/ / ssn",
    ),
    // Subqueries and common table expressions.
    (
        "SELECT x, n FROM (SELECT ssn AS x, count(email) AS n FROM customers GROUP BY ssn) q",
        "ssn n(email)",
        "/ ssn / email",
    ),
    (
        "SELECT (SELECT name FROM public.tenants LIMIT 1), ARRAY(SELECT ssn FROM customers)",
        "boss ssn",
        "/ /",
    ),
    (
        "WITH q(a, b) AS (SELECT ssn, email FROM customers) SELECT b, upper(a) FROM q",
        "email f(ssn)",
        "/ ssn /",
    ),
    (
        "WITH RECURSIVE r(a, b) AS (SELECT ssn, name FROM customers UNION ALL SELECT b, a FROM r) SELECT * FROM r",
        "ssn ssn",
        "/ /",
    ),
    (
        "WITH RECURSIVE r(a, b, c, d, e, f) AS (SELECT ssn, t.name, ssn, ssn, ssn, ssn FROM customers c, public.tenants t \
         UNION ALL SELECT f, a, b, c, d, e FROM r) SELECT * FROM r",
        "ssn+boss ssn+boss ssn+boss ssn+boss ssn+boss ssn+boss",
        "/ /",
    ),
    (
        "WITH RECURSIVE r(n, x) AS (SELECT 1, ssn FROM customers UNION ALL SELECT n + 1, t.name FROM r, public.tenants t) SELECT * FROM r",
        ". ssn+boss",
        "/ /",
    ),
    (
        "SELECT q.x FROM customers c, LATERAL (SELECT c.ssn AS x, c.email) q",
        "ssn",
        "/ /",
    ),
    (
        "SELECT g FROM customers c, unnest(ARRAY[c.ssn]) g",
        "f(ssn)",
        "/ ssn /",
    ),
    // Set operations, joins, VALUES.
    (
        "SELECT ssn FROM customers UNION ALL SELECT name FROM public.tenants",
        "ssn+boss",
        "/ /",
    ),
    (
        "SELECT ssn FROM customers UNION SELECT name FROM customers",
        "ssn",
        "/ ssn /",
    ),
    (
        "SELECT ssn FROM customers UNION ALL SELECT pan FROM public.cards",
        "f(pan)+f(ssn)",
        "/ /",
    ),
    (
        "SELECT ssn FROM customers EXCEPT SELECT name FROM public.tenants",
        "ssn+boss",
        "/ ssn+boss /",
    ),
    (
        "SELECT ssn FROM customers JOIN customers_eu USING (ssn)",
        "ssn",
        "ssn / /",
    ),
    (
        "SELECT name FROM (SELECT ssn AS name FROM customers) c JOIN public.tenants t USING (name)",
        "ssn+boss",
        "ssn+boss / /",
    ),
    (
        "SELECT j.name FROM (SELECT ssn AS name FROM customers) c NATURAL JOIN public.tenants j",
        "boss",
        "ssn+boss / /",
    ),
    (
        "VALUES ((SELECT ssn FROM customers), (SELECT count(email) FROM customers)), ('x', 2)",
        "ssn n(email)",
        "/ / email",
    ),
    // Aggregates and windows.
    (
        "SELECT min(ssn), array_agg(email), string_agg(email, ',') FROM customers",
        "ssn email f(email)",
        "/ email+ssn /",
    ),
    (
        "SELECT row_number() OVER (ORDER BY ssn), count(email) OVER (ORDER BY id), lag(email) OVER (ORDER BY ssn) FROM customers",
        "f(ssn) n(email) f(email)+f(ssn)",
        "/ ssn / email",
    ),
    // Whole rows, fields, arrays, JSON.
    (
        "SELECT c, (c).ssn, (c).name, c IS NULL FROM customers c",
        "email+ssn ssn . f(email)+f(ssn)",
        "/ email+ssn /",
    ),
    (
        "SELECT ROW(ssn, t.name), ARRAY[ssn, t.name], ROW(c.*) FROM customers c, public.tenants t",
        "ssn+boss ssn+boss email+ssn",
        "/ /",
    ),
    (
        "SELECT to_jsonb(c), to_jsonb(c) ->> 'ssn', to_jsonb(c) ->> 'name', to_jsonb(c) - 'ssn' FROM customers c",
        "email+ssn ssn . email+ssn",
        "/ /",
    ),
    (
        "SELECT json_build_object('a', ssn, 'n', count(email)) FROM customers GROUP BY ssn",
        "ssn+n(email)",
        "/ ssn / email",
    ),
    (
        "SELECT json_build_object('a', ssn, 'b', t.name) ->> 'b' FROM customers, public.tenants t",
        "boss",
        "/ /",
    ),
    (
        "SELECT jsonb_agg(q) FROM (SELECT ssn, name FROM customers) q",
        "ssn",
        "/ /",
    ),
    (
        "SELECT c::text, row_to_json(c)::text FROM customers c",
        "f(email)+f(ssn) f(email)+f(ssn)",
        "/ /",
    ),
    // Views, columns that hold what others do, functions.
    ("SELECT * FROM v_plain", ". ssn", "/ /"),
    ("SELECT s FROM v_over WHERE s = 'x'", "ssn", "ssn / /"),
    ("SELECT * FROM v_derived", ". f(ssn)", "/ /"),
    ("SELECT ssn FROM customers_eu", "ssn", "/ /"),
    (
        "SELECT card_pan, tail, number FROM receipts",
        "pan f(pan) .",
        "/ /",
    ),
    (
        "SELECT most_common_vals FROM pg_stats",
        "f(pan)+f(email)+f(ssn)+f(boss)",
        "/ /",
    ),
    (
        "SELECT peek(1), upped(email) FROM customers",
        "ssn f(email)",
        "/ email /",
    ),
    ("SELECT * FROM pairs()", ". ssn", "/ /"),
    (
        "SELECT reader(email), reader() FROM customers",
        "f(email) ?",
        "/ email /",
    ),
    // Changes.
    (
        "INSERT INTO customers VALUES (1) RETURNING *",
        ". . ssn email .",
        "/ /",
    ),
    (
        "UPDATE customers SET name = 'x' WHERE ssn = '1' RETURNING ssn, old.email, upper(new.email)",
        "ssn email f(email)",
        "ssn / email /",
    ),
    (
        "DELETE FROM payments USING customers c RETURNING c.ssn, amount",
        "ssn .",
        "/ /",
    ),
    (
        "MERGE INTO payments p USING customers c ON c.ssn > 'x' WHEN MATCHED THEN DELETE RETURNING c.email",
        "email",
        "/ ssn /",
    ),
    (
        "INSERT INTO customers (ssn) SELECT name FROM public.tenants",
        "",
        "ssn+boss / /",
    ),
    ("INSERT INTO customers (ssn) VALUES ('1')", "", "ssn / /"),
    ("UPDATE customers SET ssn = ssn", "", "/ /"),
    // Predicates.
    (
        "SELECT 1 FROM customers WHERE ssn = '1' AND email LIKE 'a%'",
        ".",
        "ssn / email /",
    ),
    (
        "SELECT 1 FROM public.tenants WHERE name > 'a'",
        ".",
        "/ boss /",
    ),
    (
        "SELECT 1 FROM customers c, public.tenants t WHERE c.ssn = t.name",
        ".",
        "ssn+boss / /",
    ),
    (
        "SELECT 1 FROM (SELECT ssn FROM customers UNION ALL SELECT name FROM public.tenants) q WHERE ssn = '1'",
        ".",
        "ssn+boss / /",
    ),
    ("SELECT 1 FROM customers ORDER BY email", ".", "/ email /"),
    // Where not all rows need come, the least values come first.
    (
        "SELECT a.id FROM customers a JOIN customers b USING (ssn) LIMIT 5",
        ".",
        "ssn / ssn /",
    ),
    (
        "SELECT a.id FROM customers a JOIN customers b ON a.ssn = b.ssn OFFSET 1",
        ".",
        "ssn / ssn /",
    ),
    (
        "SELECT 1 FROM (SELECT a.id FROM customers a NATURAL JOIN customers b FETCH FIRST ROW ONLY) x",
        ".",
        "email+ssn / email+ssn /",
    ),
    (
        "DECLARE c CURSOR FOR SELECT a.id FROM customers a JOIN customers b USING (ssn)",
        "",
        "ssn / ssn /",
    ),
    (
        "SELECT a.id FROM customers a JOIN customers b USING (ssn) LIMIT ALL",
        ".",
        "ssn / /",
    ),
    (
        "SELECT id FROM customers WHERE ssn = '1' LIMIT 5",
        ".",
        "ssn / /",
    ),
    // The rest of the value stays, so that a guess finds it.
    ("UPDATE customers SET ssn[1] = 'x'", "", "ssn / ssn /"),
    (
        "INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET ssn.a = 'x'",
        "",
        "ssn / ssn /",
    ),
    (
        "SELECT 1 FROM public.tenants WHERE name IN ('1','2','3','4','5','6','7','8','9','0','a','b','c','d','e','f','g')",
        ".",
        "/ boss /",
    ),
    // Of what cannot be told, everything may be.
    (
        "SELECT x FROM nosuch WHERE x = 1",
        "?",
        "/ pan+email+ssn+boss /",
    ),
    ("SELECT name FROM tenants", "?", "/ /"),
    (
        "SELECT name FROM tenants WHERE name = 'x'",
        "?",
        "/ pan+email+ssn+boss /",
    ),
    // A name may be a column of either.
    (
        "SELECT name FROM (SELECT email AS name FROM customers) a, public.tenants",
        "f(email)+f(boss)",
        "/ /",
    ),
    (
        "SELECT s FROM (SELECT ssn AS s FROM customers) a, (SELECT name AS s FROM public.tenants) b",
        "ssn+boss",
        "/ /",
    ),
];

fn told(resolved: &Resolved) -> String {
    let parts = [&resolved.matched, &resolved.probed, &resolved.counted].map(names);
    let parts = parts.join(" / ");
    parts.replace("  ", " ").trim().to_owned()
}

#[test]
fn outputs_and_predicates_name_their_columns() {
    on_big_stack(|| {
        let (catalog, _) = bank();
        let protected = protected(&catalog);
        let mut wrong = String::new();
        for (sql, outputs, predicates) in COLUMNS {
            let resolved = resolve(&one(sql), &catalog, &protected);
            let found: Vec<_> = resolved.outputs().iter().map(written).collect();
            let found = (found.join(" "), told(&resolved));
            if found != ((*outputs).to_owned(), (*predicates).to_owned()) {
                wrong += &format!(
                    "{sql}\n  expected {outputs}   {predicates}\n  found    {}   {}\n",
                    found.0, found.1
                );
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    });
}
