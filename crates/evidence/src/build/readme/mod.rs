//! The page for people: fifteen questions, answered from the data, with what is not covered said plainly. No script, no network.

mod answers;

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

use model::Timestamp;

use super::excerpts::{Excerpts, ROWS_MAX};
use super::{Build, PolicyFiles};
use crate::fold::{Done, Period, Table, Totals};
use answers::{Answer, Excerpt, State};

const STYLE: &str = include_str!("style.css");

/// A page that loads nothing and runs nothing, whatever gets into it.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<title>Evidence of privileged access</title>\n<style>\n";

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// To the second, for people. Tables have the microseconds.
fn when(at: Timestamp) -> String {
    let text = at.to_string();
    let second = text.get(..19).unwrap_or(&text);
    format!("{} UTC", second.replace('T', " "))
}

/// A count with its noun.
fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{} {many}", grouped(number))
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn link(path: &str) -> String {
    format!("<a href=\"{path}\">{path}</a>")
}

/// What the page is made from.
struct Facts<'a> {
    totals: &'a Totals,
    policies: &'a PolicyFiles,
    excerpts: &'a Excerpts,
    period: &'a Period,
    durabilities: &'a BTreeSet<String>,
}

impl Facts<'_> {
    fn rows(&self, table: Table) -> u64 {
        let rows = self.totals.rows_by_table.get(table.path());
        rows.copied().unwrap_or(0)
    }

    /// Rows of a table in words, with a link to it.
    fn rows_of(&self, table: Table, one: &str, many: &str) -> String {
        let text = count(self.rows(table), one, many);
        format!("<a href=\"{}\">{text}</a>", table.path())
    }
}

/// The page.
pub(super) fn page(
    build: &Build<'_, '_>,
    done: &Done,
    policies: &PolicyFiles,
    excerpts: &Excerpts,
) -> String {
    let facts = Facts {
        totals: &done.totals,
        policies,
        excerpts,
        period: &build.period,
        durabilities: &build.durabilities,
    };
    let answers = answers::all(&facts);
    let mut out = format!("{HEAD}{STYLE}</style>\n</head>\n<body>\n");
    out += &head(&facts);
    out += &figures(&facts);
    out += &look_first(&facts);
    out += &about(build);
    out += &contents(&answers);
    out += "<h2>Questions and answers</h2>\n";
    for (number, answer) in (1..).zip(&answers) {
        out += &section(number, answer, &facts);
    }
    out += FOOT;
    out
}

const FOOT: &str = "<footer>\n<p>Every file and what it is: <a href=\"01_index.csv\">01_index.csv</a>. Which file answers which \
examination procedure: <a href=\"controls/control_matrix.csv\">controls/control_matrix.csv</a>; it maps to procedures, and neither claims nor \
stands for a certification.</p>\n<p>Not in this bundle: events in OCSF, documents in OSCAL, a PDF summary (this page prints), external \
timestamps, cosignatures of witnesses, reconciliation with the targets' own logs, reviews of access and of logs, legal holds.</p>\n</footer>\n\
</body>\n</html>\n";

fn head(facts: &Facts<'_>) -> String {
    let Period { from, to, .. } = facts.period;
    let target = match &facts.period.target {
        None => "every target".to_owned(),
        Some(target) => format!("target {}", escape(target)),
    };
    format!(
        "<header>\n<p class=\"kind\">Evidence bundle</p>\n<h1>Privileged access, {target}</h1>\n<p class=\"period\">{} to {}</p>\n</header>\n\
         <p><b>Verify before you read.</b> <code>countersign-verify bundle.zip --key … --allowed-signers …</code>, or the commands of {} with tools \
         that are not ours. This page is vouched for by the manifest's signature; the tables it quotes follow from the log, and the verifier \
         makes them again.</p>\n",
        when(*from),
        when(*to),
        link("verify/VERIFY.txt")
    )
}

fn figures(facts: &Facts<'_>) -> String {
    let totals = facts.totals;
    let masked = totals.masked_values_by_class.values().sum::<u64>();
    let revealed = totals.revealed_values_by_class.values().sum::<u64>();
    let cells = [
        (facts.rows(Table::Sessions), "sessions"),
        (facts.rows(Table::Agents), "agents"),
        (totals.permitted, "commands permitted"),
        (totals.refused, "commands refused"),
        (totals.permitted_with_approval, "ran on an approval"),
        (masked, "values masked or withheld"),
        (revealed, "values revealed by policy"),
        (facts.rows(Table::Exceptions), "exceptions"),
    ];
    let mut out = "<ul class=\"figures\">\n".to_owned();
    for (number, name) in cells {
        let _ = writeln!(out, "<li><b>{}</b>{name}</li>", grouped(number));
    }
    out + "</ul>\n"
}

/// What an examiner would look at first.
fn look_first(facts: &Facts<'_>) -> String {
    let mut points = Vec::new();
    let mut point = |table: Table, one: &str, many: &str| {
        if facts.rows(table) > 0 {
            points.push(facts.rows_of(table, one, many));
        }
    };
    point(
        Table::SodViolations,
        "verdict by the person who asked, or by an agent",
        "verdicts by the person who asked, or by an agent",
    );
    point(
        Table::Exceptions,
        "exception: what did not go as it should",
        "exceptions: what did not go as it should",
    );
    point(
        Table::Gaps,
        "time without entries: a stop, a crash or silence",
        "times without entries: stops, crashes, silence",
    );
    point(
        Table::Reveals,
        "place where protected data was shown because policy reveals it",
        "places where protected data was shown because policy reveals it",
    );
    for durability in facts.durabilities.iter().filter(|text| *text != "sync") {
        let mode = escape(durability);
        points.push(format!(
            "The gateway ran with durability <code>{mode}</code>: commands were sent before their entries were safe from a crash"
        ));
    }
    if facts.policies.missing > 0 {
        let missing = facts.policies.missing as u64;
        points.push(format!(
            "{} known by digest alone",
            count(missing, "policy file is", "policy files are")
        ));
    }
    if facts.totals.leaves_redacted > 0 {
        points.push(format!(
            "{} other targets and here as a hash only",
            count(
                facts.totals.leaves_redacted,
                "entry is about",
                "entries are about"
            )
        ));
    }
    if points.is_empty() {
        return "<div class=\"look calm\"><b>Nothing stands out:</b> no exception, no gap, no violation of duties, nothing revealed.</div>\n"
            .to_owned();
    }
    let mut out = "<div class=\"look\"><b>Look at first</b>\n<ul>\n".to_owned();
    for point in points {
        let _ = writeln!(out, "<li>{point}</li>");
    }
    out + "</ul></div>\n"
}

fn about(build: &Build<'_, '_>) -> String {
    let (period, end) = (&build.period, build.log.checkpoint());
    let code = |text: &dyn Display| format!("<code>{}</code>", escape(&text.to_string()));
    let rows = [
        ("Log", escape(end.origin())),
        ("Key of the log", code(build.sources.key.verifier())),
        (
            "Leaves",
            format!(
                "{} up to {}, not included: {} in all",
                grouped(period.first),
                grouped(period.end),
                grouped(period.end - period.first)
            ),
        ),
        ("Root at the end", code(&end.root().to_base64())),
        (
            "Built",
            format!(
                "{} by {}, gateway version {}",
                when(period.built),
                escape(build.sources.builder.name()),
                escape(build.sources.version)
            ),
        ),
    ];
    let mut out = "<h2>What this bundle is of</h2>\n<table class=\"about\">\n".to_owned();
    for (name, value) in rows {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"
        );
    }
    out + "</table>\n"
}

fn badge(state: State) -> String {
    let (class, text) = match state {
        State::Answered => ("yes", "answered"),
        State::InPart => ("part", "answered in part"),
        State::Elsewhere => ("no", "not from this bundle"),
    };
    format!("<span class=\"s {class}\">{text}</span>")
}

fn contents(answers: &[Answer]) -> String {
    let mut out = "<h2>Fifteen questions</h2>\n<table class=\"contents\">\n".to_owned();
    for (number, answer) in (1..).zip(answers) {
        let (question, badge) = (answer.question, badge(answer.state));
        let _ = writeln!(
            out,
            "<tr><td>{number}</td><td><a href=\"#q{number}\">{question}</a></td><td>{badge}</td></tr>"
        );
    }
    out + "</table>\n"
}

fn section(number: usize, answer: &Answer, facts: &Facts<'_>) -> String {
    let mut out = format!(
        "<section class=\"a\" id=\"q{number}\">\n<h3><span class=\"n\">{number}</span><span class=\"q\">{}</span>{}</h3>\n<p>{}</p>\n",
        answer.question,
        badge(answer.state),
        answer.text
    );
    if let Some(excerpt) = &answer.excerpt {
        out += &table(excerpt, facts);
    }
    if !answer.not.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"not\"><b>Not covered:</b> {}</p>",
            answer.not
        );
    }
    let files: Vec<String> = answer.files.iter().map(|path| link(path)).collect();
    if !files.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"files\">Evidence: {}</p>",
            files.join(" · ")
        );
    }
    out + "</section>\n"
}

/// The first rows of a table.
fn table(excerpt: &Excerpt, facts: &Facts<'_>) -> String {
    let columns: Vec<&str> = excerpt.columns.iter().map(|(column, _)| *column).collect();
    let rows: Vec<Vec<&str>> = facts.excerpts.rows(excerpt.table, &columns).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut out = "<table>\n<tr>".to_owned();
    for (_, label) in excerpt.columns {
        let _ = write!(out, "<th scope=\"col\">{label}</th>");
    }
    out += "</tr>\n";
    for row in rows {
        out += "<tr>";
        for cell in row {
            out += &shown(cell);
        }
        out += "</tr>\n";
    }
    out += "</table>\n";
    let all = facts.rows(excerpt.table);
    if all > ROWS_MAX as u64 {
        let path = link(excerpt.table.path());
        let _ = writeln!(
            out,
            "<p class=\"more\">The first {ROWS_MAX} of {}; all are in {path}.</p>",
            grouped(all)
        );
    }
    out
}

/// A cell as people read it: digests by their begin, times to the second, kinds as words, sentences not without end.
fn shown(cell: &str) -> String {
    const SENTENCE: usize = 160;
    if let Ok(at) = Timestamp::parse(cell) {
        return format!("<td class=\"t\">{}</td>", when(at));
    }
    let digest = cell.len() == 64 && cell.bytes().all(|b| b.is_ascii_hexdigit());
    let kind = cell.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let text = if digest {
        format!("{}…", cell.get(..12).unwrap_or_default())
    } else if kind {
        cell.replace('_', " ")
    } else if cell.chars().count() > SENTENCE {
        cell.chars().take(SENTENCE).chain(['…']).collect()
    } else {
        cell.to_owned()
    };
    // A name is not broken at its hyphens.
    let short = text.chars().count() <= 24 && !text.contains(' ');
    let class = if short { " class=\"t\"" } else { "" };
    format!("<td{class}>{}</td>", escape(&text))
}
