//! What a statement's predicates tell of protected values, against the bank of `bank.rs`.

use super::bank::bank;
use super::{on_big_stack, one};
use crate::postgres::{BaseColumns, resolve};

/// Statements, and the classes that they match and probe: `s` a social security number, `p` a card number.
const TOLD: &[(&str, &str, &str)] = &[
    // Nothing decides by what is protected.
    ("SELECT * FROM customers", "", ""),
    (
        "SELECT ssn FROM customers WHERE id = 1 ORDER BY name LIMIT 3",
        "",
        "",
    ),
    (
        "SELECT ssn::text, coalesce(ssn, 'x') FROM customers",
        "",
        "",
    ),
    (
        "SELECT CASE WHEN id = 1 THEN ssn END FROM customers",
        "",
        "",
    ),
    (
        "SELECT name, count(ssn), count(*) FROM customers GROUP BY name",
        "",
        "",
    ),
    ("SELECT c FROM customers c", "", ""),
    ("SELECT tableoid FROM payments", "", ""),
    (
        "SELECT id FROM customers WHERE tableoid = 'customers_eu'::regclass",
        "",
        "s",
    ),
    (
        "SELECT c.id FROM payments p, customers c ORDER BY c.tableoid",
        "",
        "s",
    ),
    ("SELECT 1 FROM pg_stats WHERE correlation > 0", "", "ps"),
    (
        "SELECT trim(ssn), pg_typeof(ssn), num_nulls(ssn), to_jsonb(c) - 'ssn', to_jsonb(c) ->> 'name' FROM customers c",
        "",
        "",
    ),
    (
        "SELECT to_jsonb(c) - 'ssn', nullif(name, ''), ssn IS NULL, $1 FROM customers c ORDER BY id",
        "",
        "",
    ),
    (
        "SELECT count(ssn) FILTER (WHERE id > 1), count(ssn) OVER (ORDER BY id) FROM customers",
        "",
        "",
    ),
    ("SELECT tail FROM v_derived", "", ""),
    (
        "SELECT 1 FROM customers WHERE ssn IS NULL OR ssn IS NOT NULL",
        "",
        "",
    ),
    ("SELECT 1 FROM customers WHERE NOT (ssn IS NULL)", "", ""),
    (
        "SELECT 1 FROM payments p WHERE EXISTS (SELECT * FROM customers c WHERE c.id = p.id)",
        "",
        "",
    ),
    (
        "SELECT 1 FROM payments WHERE id IN (SELECT id FROM customers)",
        "",
        "",
    ),
    ("SELECT id AS x FROM customers ORDER BY x, 1", "", ""),
    (
        "SELECT upper(name) FROM customers GROUP BY upper(name) ORDER BY upper",
        "",
        "",
    ),
    (
        "SELECT name FROM customers UNION SELECT name FROM customers ORDER BY name",
        "",
        "",
    ),
    (
        "SELECT id FROM customers GROUP BY GROUPING SETS ((id), ())",
        "",
        "",
    ),
    (
        "SELECT row_number() OVER w FROM customers WINDOW w AS (ORDER BY id)",
        "",
        "",
    ),
    ("INSERT INTO payments VALUES (1, 2, 3)", "", ""),
    (
        "UPDATE customers SET name = 'x' WHERE id = 1 RETURNING ssn",
        "",
        "",
    ),
    ("COPY customers TO STDOUT", "", ""),
    ("SELECT x FROM nosuch", "", ""),
    (
        "SELECT id FROM customers WHERE nothing LIKE 'a%' GROUP BY nothing ORDER BY nothing",
        "",
        "",
    ),
    // One value, or a few.
    (
        "SELECT id FROM customers WHERE ssn = '078-05-1120'",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE $1 = ssn::text AND id > 5",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE ssn = replace(upper($1), '-', '') || 'x'",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE id = 4 OR (ssn IN ('1', $2) AND name LIKE 'a%')",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE ssn IS NOT DISTINCT FROM $1",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE ssn = ANY (ARRAY['1', '2'])",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE ssn = ANY ('{1,2,3}'::text[])",
        "s",
        "",
    ),
    ("SELECT id FROM v_plain WHERE s = 'x'", "s", ""),
    ("SELECT n FROM v_over WHERE s = 'x'", "s", ""),
    (
        "SELECT x FROM (SELECT ssn AS x FROM customers) q WHERE q.x = '1'",
        "s",
        "",
    ),
    (
        "WITH q AS (SELECT * FROM customers WHERE ssn = $1) SELECT id FROM q",
        "s",
        "",
    ),
    (
        "SELECT 1 FROM customers a JOIN customers_eu b ON a.ssn = b.ssn",
        "s",
        "",
    ),
    (
        "SELECT 1 FROM customers a JOIN customers_eu b USING (ssn)",
        "s",
        "",
    ),
    (
        "SELECT 1 FROM customers a, public.cards k WHERE a.ssn = '1' AND k.pan = '2'",
        "ps",
        "",
    ),
    (
        "SELECT 1 FROM payments p WHERE p.id IN (SELECT id FROM customers WHERE ssn = $1)",
        "s",
        "",
    ),
    (
        "SELECT 1 FROM payments p WHERE EXISTS (SELECT * FROM customers c WHERE c.id = p.id AND c.ssn = $1)",
        "s",
        "",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM customers WHERE ssn = '1')",
        "s",
        "",
    ),
    (
        "SELECT CASE WHEN ssn = '1' THEN 'a' END FROM customers",
        "s",
        "",
    ),
    ("UPDATE customers SET name = 'x' WHERE ssn = '1'", "s", ""),
    ("DELETE FROM customers WHERE ssn = '1'", "s", ""),
    (
        "INSERT INTO customers (id, ssn) VALUES (1, '1'), (2, upper($1))",
        "s",
        "",
    ),
    ("UPDATE customers SET ssn = lower($1)", "s", ""),
    (
        "INSERT INTO customers_eu (ssn) SELECT ssn FROM customers",
        "",
        "",
    ),
    (
        "PREPARE p AS SELECT 1 FROM customers WHERE ssn = $1",
        "s",
        "",
    ),
    ("EXPLAIN SELECT 1 FROM customers WHERE ssn = $1", "s", ""),
    (
        "DECLARE c CURSOR FOR SELECT 1 FROM customers WHERE ssn = $1",
        "s",
        "",
    ),
    (
        "COPY (SELECT 1 FROM customers WHERE ssn = '1') TO STDOUT",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE lower(ssn) = lower($1)",
        "s",
        "",
    ),
    (
        "SELECT id FROM customers WHERE upper(trim(ssn)::text) IN ('A', 'B')",
        "s",
        "",
    ),
    ("SELECT nullif(ssn, '1') FROM customers", "s", ""),
    // Conditions of other kinds.
    ("SELECT id FROM customers WHERE ssn LIKE '1%'", "", "s"),
    ("SELECT id FROM customers WHERE ssn ~ '^1'", "", "s"),
    ("SELECT id FROM customers WHERE ssn < '1'", "", "s"),
    (
        "SELECT id FROM customers WHERE ssn BETWEEN '1' AND '2'",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE ssn <> '1'", "", "s"),
    ("SELECT id FROM customers WHERE NOT ssn = '1'", "s", "s"),
    (
        "SELECT id FROM customers WHERE (ssn = '1') IS NOT TRUE",
        "s",
        "s",
    ),
    ("SELECT id FROM customers WHERE ssn NOT IN ('1')", "", "s"),
    (
        "SELECT id FROM customers WHERE ssn IS DISTINCT FROM '1'",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE left(ssn, 1) = '1'", "", "s"),
    (
        "SELECT id FROM customers WHERE ssn COLLATE \"x\" = '1'",
        "",
        "s",
    ),
    (
        "SELECT id FROM customers WHERE ssn = '1' COLLATE \"x\"",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM (SELECT ssn COLLATE \"x\" AS y FROM customers) q WHERE y = '1'",
        "",
        "s",
    ),
    (
        "SELECT id FROM customers WHERE ssn::varchar(3) = '1'",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE ssn = name", "", "s"),
    (
        "SELECT id FROM customers WHERE ssn = (SELECT name FROM customers LIMIT 1)",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE ssn = ANY ($1)", "", "s"),
    ("SELECT id FROM customers WHERE ssn > ANY ('{1}')", "", "s"),
    (
        "SELECT id FROM customers WHERE ssn = ANY (SELECT name FROM customers)",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE ssn IN ('1', name)", "", "s"),
    ("SELECT id FROM customers WHERE ssn = reader()", "", "ps"),
    (
        "SELECT id FROM customers WHERE ssn = count(*)::text",
        "",
        "s",
    ),
    (
        "SELECT id FROM customers WHERE ssn OPERATOR(other.=) '1'",
        "",
        "s",
    ),
    (
        "SELECT id FROM customers WHERE (ssn, id) = ('1', 2)",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE upper(ssn) IS NULL", "", "s"),
    ("SELECT id FROM v_derived WHERE tail IS NULL", "", "s"),
    ("SELECT id FROM v_derived WHERE tail = '1'", "", "s"),
    ("SELECT id FROM customers c WHERE c.* IS NULL", "", "s"),
    ("SELECT id FROM customers c WHERE c = c", "", "s"),
    (
        "SELECT 1 FROM customers a, public.cards k WHERE a.ssn = k.pan",
        "",
        "ps",
    ),
    (
        "SELECT 1 FROM pg_stats WHERE most_common_vals IS NOT NULL",
        "",
        "ps",
    ),
    (
        "SELECT 1 FROM customers WHERE CASE WHEN ssn LIKE '1%' THEN true END",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM payments WHERE EXISTS (SELECT 1 FROM customers WHERE ssn LIKE '1%')",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM payments WHERE id = (SELECT id FROM customers ORDER BY ssn LIMIT 1)",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM payments WHERE EXISTS (SELECT generate_series(1, length(ssn)) FROM customers)",
        "",
        "s",
    ),
    ("SELECT 1 FROM customers WHERE writer(ssn)", "", "ps"),
    ("SELECT 1 FROM payments WHERE amount = reader()", "", "ps"),
    ("SELECT 1 FROM nosuch WHERE x = 1", "", "ps"),
    ("SELECT 1 FROM nosuch ORDER BY x", "", "ps"),
    // Order, groups, how many.
    ("SELECT id FROM customers ORDER BY ssn", "", "s"),
    (
        "SELECT to_jsonb(c) - 'id' FROM customers c ORDER BY \"?column?\"",
        "",
        "s",
    ),
    (
        "SELECT nullif(ssn, '') FROM customers ORDER BY nullif",
        "s",
        "s",
    ),
    ("SELECT id, ssn FROM customers ORDER BY 2", "", "s"),
    ("SELECT ssn AS x FROM customers ORDER BY x", "", "s"),
    (
        "SELECT id, CASE WHEN true THEN s END FROM customers c(\"case\", n, s) ORDER BY \"case\"",
        "",
        "s",
    ),
    ("SELECT * FROM customers ORDER BY 3", "", "s"),
    ("SELECT * FROM v_plain ORDER BY 2", "", "s"),
    ("SELECT *, 1 FROM nosuch, customers ORDER BY 5", "", "s"),
    (
        "SELECT ssn FROM customers UNION ALL SELECT name FROM customers ORDER BY 1",
        "",
        "s",
    ),
    (
        "SELECT ssn FROM customers UNION ALL SELECT name FROM customers ORDER BY ssn",
        "",
        "s",
    ),
    ("SELECT count(*) FROM customers GROUP BY ssn", "", "s"),
    ("SELECT ssn, count(*) FROM customers GROUP BY 1", "", "s"),
    (
        "SELECT count(*) FROM customers GROUP BY ROLLUP (id, (name, ssn))",
        "",
        "s",
    ),
    (
        "SELECT ssn, count(*) FROM customers GROUP BY GROUPING SETS ((1), ())",
        "",
        "s",
    ),
    (
        "SELECT name FROM customers GROUP BY name HAVING max(ssn) > '1'",
        "",
        "s",
    ),
    ("SELECT DISTINCT ssn FROM customers", "", "s"),
    ("SELECT DISTINCT * FROM customers", "", "s"),
    ("SELECT DISTINCT ON (ssn) id FROM customers", "", "s"),
    ("SELECT ssn FROM customers UNION SELECT 'x'", "", "s"),
    (
        "SELECT name FROM customers EXCEPT SELECT ssn FROM customers",
        "",
        "s",
    ),
    (
        "SELECT name FROM customers INTERSECT ALL SELECT ssn FROM customers",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM customers LIMIT (SELECT length(ssn) FROM customers)",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM customers OFFSET (SELECT ssn FROM customers)",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM customers TABLESAMPLE BERNOULLI ((SELECT ssn FROM customers))",
        "",
        "s",
    ),
    (
        "SELECT row_number() OVER (ORDER BY ssn) FROM customers",
        "",
        "s",
    ),
    (
        "SELECT row_number() OVER (PARTITION BY ssn) FROM customers",
        "",
        "s",
    ),
    (
        "SELECT row_number() OVER w FROM customers WINDOW w AS (ORDER BY ssn)",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM customers WINDOW w AS (ORDER BY ssn)",
        "",
        "s",
    ),
    ("SELECT count(DISTINCT ssn) FROM customers", "", "s"),
    (
        "SELECT count(*) FILTER (WHERE ssn = '1') FROM customers",
        "s",
        "",
    ),
    ("SELECT array_agg(id ORDER BY ssn) FROM customers", "", "s"),
    ("SELECT min(ssn) FROM customers", "", "s"),
    (
        "SELECT 1 FROM customers c, generate_series(1, c.ssn) g",
        "",
        "s",
    ),
    ("SELECT 1 FROM customers c, unnest(ARRAY[c.ssn]) g", "", "s"),
    (
        "SELECT generate_series(1, length(ssn)) FROM customers",
        "",
        "s",
    ),
    (
        "WITH q AS (SELECT 1 FROM customers WHERE ssn > '1') SELECT 1",
        "",
        "s",
    ),
    (
        "WITH RECURSIVE q AS (SELECT 1 n UNION ALL SELECT n + 1 FROM q, customers WHERE ssn > '1') SELECT n FROM q",
        "",
        "s",
    ),
    // Joins.
    (
        "SELECT g FROM generate_series(1, 9) g JOIN customers t ON t.ssn = g",
        "",
        "s",
    ),
    (
        "SELECT x FROM (VALUES ('1'), ('2')) v(x) JOIN customers t ON t.ssn = v.x",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM customers JOIN (SELECT g AS ssn FROM generate_series(1, 9) g) v USING (ssn)",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM customers NATURAL JOIN (SELECT name AS ssn FROM customers) v",
        "",
        "s",
    ),
    ("SELECT 1 FROM customers NATURAL JOIN nosuch", "", "ps"),
    (
        "SELECT 1 FROM customers a LEFT JOIN payments b ON a.ssn LIKE '1%'",
        "",
        "s",
    ),
    (
        "SELECT d.n FROM (SELECT ssn, 0 AS n FROM customers WHERE false UNION ALL SELECT g, g FROM generate_series(1, 9) g) d JOIN customers t ON t.ssn = d.ssn",
        "",
        "s",
    ),
    (
        "SELECT 1 FROM (SELECT coalesce(ssn, name) AS ssn, name FROM customers) d JOIN customers t ON t.ssn = d.ssn",
        "",
        "s",
    ),
    (
        "SELECT g FROM generate_series(1, 9) g, customers t WHERE EXISTS (SELECT 1 FROM generate_series(1, g) HAVING t.ssn = count(*))",
        "",
        "s",
    ),
    // Outputs that can fail.
    ("SELECT 1 / (ascii(ssn) - 49) FROM customers", "", "s"),
    ("SELECT ssn::int FROM customers", "", "s"),
    (
        "SELECT CASE WHEN ssn LIKE '1%' THEN 1 / 0 END FROM customers",
        "",
        "s",
    ),
    ("SELECT upper(ssn) FROM customers", "", "s"),
    ("SELECT count(nullif(ssn, '1')) FROM customers", "s", "s"),
    (
        "SELECT 1 FROM (SELECT nullif(ssn, '1') AS n FROM customers) q WHERE n = '2'",
        "s",
        "s",
    ),
    (
        "SELECT nullif(ssn, g::text) FROM customers, generate_series(1, 9) g",
        "",
        "s",
    ),
    (
        "SELECT id FROM customers WHERE lower(ssn) LIKE 'a%'",
        "",
        "s",
    ),
    ("SELECT id FROM customers WHERE lower(ssn) = name", "", "s"),
    (
        "SELECT 1 FROM (SELECT lower(ssn) AS n FROM customers) q WHERE n = '2'",
        "",
        "s",
    ),
    (
        "SELECT id FROM customers WHERE rtrim(ssn, '0123456789') = '1'",
        "",
        "s",
    ),
    (
        "SELECT count(ssn) FILTER (WHERE ssn > '1') FROM customers",
        "",
        "s",
    ),
    // Changes.
    (
        "UPDATE customers SET name = 'x' WHERE ssn LIKE '1%'",
        "",
        "s",
    ),
    (
        "DELETE FROM payments USING customers c WHERE c.ssn > '1'",
        "",
        "s",
    ),
    (
        "MERGE INTO payments p USING customers c ON p.id = c.id AND c.ssn > '1' WHEN MATCHED THEN DELETE",
        "",
        "s",
    ),
    (
        "MERGE INTO payments p USING customers c ON p.id = c.id WHEN MATCHED AND c.ssn LIKE '1%' THEN DELETE",
        "",
        "s",
    ),
    (
        "INSERT INTO customers (id, ssn) VALUES (1, '1') ON CONFLICT (id) DO UPDATE SET ssn = excluded.ssn",
        "s",
        "",
    ),
    (
        "INSERT INTO customers (id, ssn) VALUES (1, '1') ON CONFLICT (id) DO UPDATE SET ssn = excluded.name",
        "s",
        "s",
    ),
    (
        "INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE customers.ssn > '1'",
        "",
        "s",
    ),
    (
        "INSERT INTO customers (id, ssn) VALUES (1, '1') ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE customers.ssn = excluded.ssn",
        "s",
        "s",
    ),
    (
        "INSERT INTO customers (ssn, name) SELECT g, g FROM generate_series(1, 9) g ON CONFLICT DO NOTHING RETURNING name",
        "",
        "s",
    ),
    (
        "INSERT INTO customers_eu (ssn) SELECT ssn FROM customers WHERE false UNION ALL SELECT name FROM customers",
        "",
        "s",
    ),
    ("INSERT INTO customers SELECT * FROM nosuch", "", "s"),
    ("UPDATE customers SET ssn = name", "", "s"),
    ("COPY customers FROM STDIN", "", "s"),
    ("COPY customers (id, name) FROM STDIN", "", ""),
    // Definitions.
    (
        "CREATE VIEW v AS SELECT id FROM customers WHERE ssn LIKE '1%'",
        "",
        "s",
    ),
    ("CREATE UNIQUE INDEX ON customers (left(ssn, 1))", "", "s"),
    (
        "ALTER TABLE payments ADD FOREIGN KEY (card_id) REFERENCES customers (ssn)",
        "",
        "s",
    ),
    ("CREATE TABLE x (c text REFERENCES customers)", "", "s"),
    ("CREATE TABLE x (c text REFERENCES customers (id))", "", ""),
    ("ALTER TABLE customers ADD CHECK (ssn LIKE '1%')", "", "s"),
    ("CLUSTER customers USING customers_ssn", "", "s"),
    (
        "EXPLAIN SELECT 1 FROM customers WHERE ssn LIKE '1%'",
        "",
        "s",
    ),
    (
        "PREPARE p AS SELECT 1 FROM customers WHERE ssn LIKE $1",
        "",
        "s",
    ),
    (
        "DECLARE c CURSOR FOR SELECT 1 FROM customers ORDER BY ssn",
        "",
        "s",
    ),
    (
        "COPY (SELECT 1 FROM customers ORDER BY ssn) TO STDOUT",
        "",
        "s",
    ),
    (
        "CREATE TABLE x AS SELECT id FROM customers ORDER BY ssn",
        "",
        "s",
    ),
];

fn told(sql: &str) -> (String, String) {
    let (catalog, protected) = bank();
    let resolved = resolve(&one(sql), &catalog, &protected);
    let letters = |columns: &BaseColumns| {
        columns
            .classes()
            .iter()
            .map(|class| if class.name() == "pan" { 'p' } else { 's' })
            .collect()
    };
    (letters(&resolved.matched), letters(&resolved.probed))
}

#[test]
fn predicates_tell_what_they_depend_on() {
    on_big_stack(|| {
        let wrong: Vec<String> = TOLD
            .iter()
            .filter_map(|&(sql, matched, probed)| {
                let found = told(sql);
                (found != (matched.to_owned(), probed.to_owned())).then(|| {
                    format!("{sql}\n  expected {matched:?} {probed:?}\n  found    {found:?}")
                })
            })
            .collect();
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}

#[test]
fn many_guesses_are_a_search() {
    let list = |count: usize| vec!["'1'"; count].join(", ");
    let where_in = |count| format!("SELECT 1 FROM customers WHERE ssn IN ({})", list(count));
    assert_eq!(told(&where_in(16)), ("s".into(), String::new()));
    assert_eq!(told(&where_in(17)), (String::new(), "s".into()));
    let split = format!("{} UNION ALL {}", where_in(9), where_in(8));
    assert_eq!(told(&split), (String::new(), "s".into()));
    let array = format!(
        "SELECT 1 FROM customers WHERE ssn = ANY ('{{{}}}')",
        vec!["1"; 17].join(",")
    );
    assert_eq!(told(&array), (String::new(), "s".into()));
    let rows = vec!["('1')"; 17].join(", ");
    let insert = format!("INSERT INTO customers (ssn) VALUES {rows}");
    assert_eq!(told(&insert), (String::new(), "s".into()));
    // A recursive term is looked at several times, and compares as often as it is written.
    let recursive = "WITH RECURSIVE q AS (SELECT 1 n UNION ALL SELECT n FROM q, customers WHERE ssn IN \
        ('1', '2', '3', '4', '5', '6', '7', '8', '9', '10')) SELECT n FROM q";
    assert_eq!(told(recursive), ("s".into(), String::new()));
}

#[test]
fn without_declared_columns_nothing_is_told() {
    let (catalog, _) = bank();
    let protected = crate::postgres::Protected::compile(&[], &[], &catalog);
    let sql = one("SELECT 1 FROM customers, nosuch WHERE ssn LIKE '1%' AND x ORDER BY ssn");
    let resolved = resolve(&sql, &catalog, &protected);
    assert!(resolved.matched.is_empty() && resolved.probed.is_empty());
}
