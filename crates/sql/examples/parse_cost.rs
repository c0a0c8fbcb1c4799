//! Prints what parsing and analysis cost for typical statements: `cargo run -p sql --example parse_cost`.

use std::hint::black_box;
use std::time::Instant;

use sql::postgres::{Catalog, Protected, STACK_BYTES, parse, resolve};

const STATEMENTS: &[(&str, &str)] = &[
    (
        "point select",
        "SELECT abalance FROM pgbench_accounts WHERE aid = 123456",
    ),
    (
        "join",
        "SELECT c.name, a.balance, p.amount FROM customers c JOIN accounts a ON a.customer_id = c.id \
         LEFT JOIN payments p ON p.account_id = a.id AND p.booked > now() - interval '7 days' \
         WHERE c.country = 'DE' ORDER BY p.amount DESC LIMIT 50",
    ),
    (
        "insert",
        "INSERT INTO payments (account_id, amount, currency, memo) VALUES (17, 12.50, 'EUR', 'rent') RETURNING id",
    ),
    (
        "writing CTE",
        "WITH moved AS (DELETE FROM queue WHERE id IN (SELECT id FROM queue ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED) \
         RETURNING *) INSERT INTO archive SELECT * FROM moved",
    ),
    (
        "report",
        "SELECT date_trunc('month', booked) AS m, currency, count(*), sum(amount) FILTER (WHERE amount > 0), \
         percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), rank() OVER (PARTITION BY currency ORDER BY sum(amount)) \
         FROM payments JOIN accounts USING (account_id) WHERE CASE WHEN kind = 'x' THEN amount > 10 ELSE true END \
         GROUP BY 1, 2 HAVING count(*) > 5 UNION ALL SELECT NULL, 'all', 0, 0, 0, 0 ORDER BY 1, 2",
    ),
];

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn cost(runs: u32, mut run: impl FnMut()) -> f64 {
    run();
    let start = Instant::now();
    (0..runs).for_each(|_| run());
    start.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
}

fn main() {
    let measured = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(|| {
            let (catalog, protected) = (Catalog::default(), Protected::default());
            println!(
                "{:<14} {:>6} {:>10} {:>12}",
                "statement", "bytes", "parse µs", "resolve µs"
            );
            for (name, text) in STATEMENTS {
                let Ok(analysis) = parse(text) else { continue };
                let parsed = cost(2_000, || drop(black_box(parse(black_box(text)))));
                let resolved = cost(2_000, || {
                    for statement in analysis.statements.iter() {
                        black_box(resolve(statement, &catalog, &protected));
                    }
                });
                println!(
                    "{name:<14} {:>6} {parsed:>10.1} {resolved:>12.1}",
                    text.len()
                );
            }
            let rows = "(1, 'Ann', 12.5, NULL), ".repeat(43_000);
            let insert = format!("INSERT INTO t VALUES {rows}(2, 'Bob', 1, NULL)");
            let parsed = cost(3, || drop(black_box(parse(black_box(&insert)))));
            println!("{:<14} {:>6} {parsed:>10.1}", "flat insert", insert.len());
        });
    if let Ok(thread) = measured {
        let _ = thread.join();
    }
}
