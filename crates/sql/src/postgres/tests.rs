use super::{Handle, Output, Statement, parse};

mod bank;
mod bodies;
mod casts;
mod checks;
mod columns;
mod containers;
mod declared;
mod documents;
mod effects;
mod lineage;
mod literals;
mod nesting;
mod outline;
mod redefine;
mod scope;
mod told;
mod tree;

/// Runs on the stack that the crate documents.
fn on_big_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new()
        .stack_size(super::STACK_BYTES)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap()
}

fn one(sql: &str) -> Statement {
    let analysis = parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(analysis.statements.len(), 1, "{sql}");
    analysis.statements[0].clone()
}

#[test]
fn statements_know_their_text() {
    let sql = "  SELECT 1 ; -- é\n  DELETE FROM t;; /* x */ COMMIT";
    let analysis = parse(sql).unwrap();
    let texts: Vec<&str> = analysis
        .statements
        .iter()
        .map(|s| &sql[s.text.clone()])
        .collect();
    assert_eq!(texts, ["SELECT 1", "DELETE FROM t", "COMMIT"]);
    assert_eq!(parse("").unwrap().statements.len(), 0);
    assert_eq!(parse(" ; -- nothing").unwrap().statements.len(), 0);
}

#[test]
fn a_prepared_statement_fills_in_its_execution() {
    let prepare = one("PREPARE p AS DELETE FROM customers WHERE id = $1 RETURNING ssn");
    assert_eq!(prepare.handle, Some(Handle::Prepare("p".to_owned())));
    let execute = one("EXECUTE p(7)");
    assert!(matches!(execute.output, Output::Handle));
    let filled = execute.running(prepare.inner.as_ref().unwrap());
    let effects: Vec<String> = filled.effects.iter().map(ToString::to_string).collect();
    assert_eq!(effects, ["execute p", "delete customers where"]);
    assert!(matches!(filled.output, Output::Query(_)));
}
