//! Which views depend on declared columns, by the analysis and by PostgreSQL's own list of dependencies.

use serde_json::Value;
use sql::postgres::{Catalog, STACK_BYTES};
use std::collections::HashMap;
use std::fmt::Write as _;
use tests::Postgres;

use crate::writer::Writer;
use crate::{DECLARED, PEOPLE, compiled, file_of};

const VIEWS: &str = include_str!("views.py");
/// The seeds of the statements that views are made of.
const SEEDS: std::ops::Range<u64> = 30_000_000..30_001_500;

/// Whether PostgreSQL says that a view depends on a declared column: itself, through the view `seen`, which computes
/// of some whatever is asked of it, by a function in SQL, or by whole rows, of which it lists no columns.
fn depends(view: &Value) -> bool {
    let mut columns = view["columns"].as_array().unwrap().iter();
    let declared = columns.any(|of| {
        let (table, column) = (of[0].as_str().unwrap(), of[1].as_str().unwrap());
        DECLARED.contains(&(table, column)) || table == "seen"
    });
    let functions = view["functions"].as_array().unwrap();
    let whole_row = view["text"].as_str().unwrap().contains(".*");
    declared || !functions.is_empty() || whole_row
}

#[test]
fn views_depend_on_what_postgresql_says() {
    let database = Postgres::shared().database();
    database.endpoint().psql(PEOPLE).success();
    let statements: Vec<String> = SEEDS.map(Writer::statement).collect();
    let file = file_of(&statements);
    let queries = serde_json::to_string(Catalog::QUERIES).unwrap();
    let program = format!(
        "import sys\nsys.argv = ['-', {:?}, {:?}, {queries:?}]\n{VIEWS}",
        file.path(),
        database.endpoint().database
    );
    let endpoint = database.endpoint();
    let lines = endpoint.python_script(&program).success().json_lines();
    let judge = move || {
        let (catalog, protected) = compiled(&lines[..Catalog::QUERIES.len()]);
        let oids: HashMap<&str, u32> = catalog
            .relations()
            .map(|relation| (&*relation.name, relation.oid))
            .collect();
        let (mut both, mut neither, mut wrong) = (0, 0, String::new());
        for view in &lines[Catalog::QUERIES.len()..] {
            let oid = oids[view["view"].as_str().unwrap()];
            match (
                protected.touches(oid) || protected.computes(oid),
                depends(view),
            ) {
                (true, true) => both += 1,
                (false, false) => neither += 1,
                // What a view reads and neither shows nor asks after.
                (false, true) => {}
                (true, false) => writeln!(wrong, "{}", view["text"].as_str().unwrap()).unwrap(),
            }
        }
        println!("{both} views depend on declared columns, {neither} do not");
        assert!(both > 300 && neither > 50, "{both} {neither}");
        assert!(
            wrong.is_empty(),
            "only the analysis says that these depend:\n{wrong}"
        );
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(judge).unwrap().join().unwrap();
}
