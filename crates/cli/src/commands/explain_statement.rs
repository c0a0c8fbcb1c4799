//! `countersign explain`.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use clap::Args;
use gateway::config::{Config, Target};
use gateway::discover;
use model::{Decision, Obligations};
use policy::{PolicySet, TargetRef};
use protocols::postgres::explain::{
    BaseColumn, BaseColumns, Explained, OutputColumn, Resolved, STACK_BYTES, explain,
};
use serde_json::{Value, json};

use super::asker::Asker;
use super::explain::{ask, decided, or, verdict, words};
use super::{block_on, check};
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::{escape, table};

/// Show how SQL is understood, on which declared columns its results and conditions depend, and what policy would say of it. It is not run.
///
/// Runs on the gateway's machine: it logs in with the target's own account and reads the database's catalog, as a session does, in a transaction that cannot write. Policies are those of the configuration's folder, as they stand there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign explain bank --for alice 'SELECT upper(ssn) FROM customers'
  countersign explain bank --for alice --agent claude-code --group support < report.sql
  countersign explain bank --for alice 'TABLE customers' | jq '.statements[].columns'")]
pub(crate) struct Explain {
    /// The target.
    target: String,

    /// The SQL. Default: standard input.
    statement: Option<String>,

    #[command(flatten)]
    asker: Asker,
}

impl Explain {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let config = Config::load(&globals.config).map_err(Failure::usage)?;
        let Some(target) = config.targets.get(&self.target) else {
            let known: Vec<_> = config.targets.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!(
                "{} is no PostgreSQL target of {}: there are {}",
                self.target,
                globals.config.display(),
                known.join(", ")
            )));
        };
        let policies = check::policies(&config).map_err(Failure::usage)?;
        let text = match &self.statement {
            Some(text) => text.clone(),
            None => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                text
            }
        };
        let understood = self.understand(&text, target, &config)?;
        for column in &understood.missing {
            not_there(column, output)?;
        }
        let explained = self.explained(&understood, target, &policies);
        if output.is_json() {
            output.json(&explained)?;
        } else {
            output.line(&for_people(&explained))?;
        }
        Ok(())
    }

    /// Reads the text by the target's catalog, on a stack that is large enough.
    fn understand(
        &self,
        text: &str,
        target: &Target,
        config: &Config,
    ) -> Result<Explained, Failure> {
        // What a failure holds stays on its thread; its words do not.
        let work = || {
            let known = block_on(async {
                discover::known(&self.target, target, &config.limits)
                    .await
                    .map_err(Failure::usage)
            });
            let (settings, known) = known.map_err(|failure| failure.to_string())?;
            explain(text, &settings, &known)
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let joined = thread.spawn_scoped(scope, work)?.join();
            let nothing = || Err("the statement could not be read".to_owned());
            joined.unwrap_or_else(|_| nothing()).map_err(Failure::usage)
        })
    }

    fn explained(&self, understood: &Explained, target: &Target, policies: &PolicySet) -> Value {
        let identity = self.asker.identity("countersign explain");
        let asked = TargetRef {
            name: &self.target,
            protocol: "postgres",
            labels: &target.labels,
        };
        let connect = policies.connect(&identity, &asked);
        let decision = match &connect {
            Decision::Deny(_) => connect,
            _ => {
                let nobody = BTreeSet::new();
                (*policies.decide(&identity, &asked, &understood.asks, &nobody)).clone()
            }
        };
        let obligations = match &decision {
            Decision::Allow(obligations) | Decision::Ask { obligations, .. } => obligations.clone(),
            Decision::Deny(_) => Obligations::default(),
        };
        let asks = understood.asks.list().iter().map(|ask| {
            json!({"action": ask.action, "kind": ask.resource.kind, "resource": ask.resource.name})
        });
        let statements = understood.statements.iter();
        let statements = statements.map(|(tag, resolved)| {
            json!({
                "tag": tag,
                "columns": resolved.outputs().iter().map(column).collect::<Vec<_>>(),
                "predicates": predicates(resolved),
            })
        });
        json!({
            "target": self.target,
            "human": self.asker.human,
            "agent": self.asker.agent,
            "asks": asks.collect::<Vec<_>>(),
            "decision": decided(&decision),
            "reveals": obligations.reveal,
            "policy": policies.version(),
            "statements": statements.collect::<Vec<_>>(),
            "missing": understood.missing,
        })
    }
}

/// Warns of a declared column that is not in the database.
pub(super) fn not_there(column: &str, output: &Output) -> Result<(), Failure> {
    let warning = output.stderr_paint().yellow("warning:");
    let column = escape::visible(column);
    let words = "is declared and not in the database: correct the target's mask";
    Ok(writeln!(std::io::stderr(), "{warning} {column} {words}")?)
}

fn dependence(column: &BaseColumn, how: &str) -> Value {
    json!({"column": column.name(), "class": column.class(), "how": how})
}

/// An output column, and the declared columns that it depends on.
fn column(output: &OutputColumn) -> Value {
    let of = output.of.iter();
    let of = of.map(|(column, how)| dependence(column, how.name()));
    json!({
        "name": output.name,
        "any_number": output.many,
        "of": of.collect::<Vec<_>>(),
        "unknown": output.unknown,
    })
}

/// The declared columns that the statement's conditions, joins, sorting, grouping and computations depend on.
fn predicates(resolved: &Resolved) -> Vec<Value> {
    let of = |columns: &BaseColumns, how: &str| -> Vec<Value> {
        columns.iter().map(|it| dependence(it, how)).collect()
    };
    let mut all = of(&resolved.matched, "matched");
    all.extend(of(&resolved.probed, "probed"));
    all.extend(of(&resolved.counted, "counted"));
    all
}

/// The same for people.
fn for_people(explained: &Value) -> String {
    let lines = [
        ("Asks", words(&explained["asks"], &ask)),
        ("Decision", verdict(&explained["decision"])),
        (
            "Shown in clear",
            or(&explained["reveals"], "nothing that is protected"),
        ),
    ];
    let lines = lines.iter();
    let mut out: String = lines
        .map(|(name, value)| format!("{name:<15}{}\n", escape::visible(value)))
        .collect();
    for statement in explained["statements"].as_array().into_iter().flatten() {
        out += &format!("\n{}\n", statement["tag"].as_str().unwrap_or_default());
        let rows = rows(statement);
        out += &table::list(&["", "BASE COLUMN", "CLASS", "HOW"], &rows);
        out += "\n";
    }
    out
}

/// A line for each column that something depends on.
fn rows(statement: &Value) -> Vec<Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    let mut add = |what: String, of: &Value, otherwise: String| {
        let mut what = Some(what);
        for one in of.as_array().into_iter().flatten() {
            let cells = ["column", "class", "how"].map(|name| text(&one[name]));
            let [column, class, how] = cells;
            rows.push(vec![what.take().unwrap_or_default(), column, class, how]);
        }
        if let Some(what) = what {
            rows.push(vec![what, otherwise, String::new(), String::new()]);
        }
    };
    for column in statement["columns"].as_array().into_iter().flatten() {
        let name = match (column["name"].as_str(), column["any_number"] == true) {
            (Some(name), _) => name.to_owned(),
            (None, true) => "any others".to_owned(),
            (None, false) => "?".to_owned(),
        };
        let otherwise = match column["unknown"].as_str() {
            Some(why) => format!("not known: {why}"),
            None => "-".to_owned(),
        };
        add(format!("column {name}"), &column["of"], otherwise);
    }
    add(
        "predicates".to_owned(),
        &statement["predicates"],
        "-".to_owned(),
    );
    rows
}
