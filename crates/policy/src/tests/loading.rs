//! What is refused at load, and how it is told.

use std::fs;

use super::support::*;
use crate::{
    ANNOTATION_BYTES_MAX, FILE_BYTES_MAX, LoadError, PROBLEMS_SHOWN_MAX, PolicySet, SchemaFragment,
};

const GATE: &str =
    r#"@gate("g") forbid (principal, action in [Postgres::Action::"write"], resource)"#;

#[track_caller]
fn error(text: &str) -> LoadError {
    parse(text).expect_err("it loads")
}

/// Exactly one problem, on this line, that says this.
#[track_caller]
fn refused(text: &str, line: usize, reason: &str) {
    let error = error(text);
    let [problem] = error.problems() else {
        panic!("{error}");
    };
    let at = problem.place.as_ref().map_or(0, |place| place.line);
    assert_eq!(at, line, "{error}");
    assert!(problem.reason.contains(reason), "{error}");
}

fn files(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    list.iter().map(own).collect()
}

#[test]
fn problems_are_told_all_at_once_each_with_its_place() {
    let text = "permit (principal, action, resource);\n\n@gatee(\"x\")\nforbid (\n\tprincipal, action == \
                Postgres::Action::\"selekt\", resource);\npermit (principal, action in [Postgres::Action::\"read\"], \
                resource) when { context.foo };\n";
    let list = files(&[
        ("b.cedar", text),
        ("a.cedar", "permit (principal, action, resource)\n"),
    ]);
    let error = PolicySet::parse(&list, &[POSTGRES]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.cedar:1:37: unexpected end of input (expected `;` or identifier)\n  \
         1 | permit (principal, action, resource)\n    \
           |                                     ^\n\
         b.cedar:3:1: unknown annotation @gatee: known are @id, @gate, @quorum, @rows, @bytes, @description, @advice\n  \
         3 | @gatee(\"x\")\n    \
           | ^\n\
         b.cedar:5:23: unrecognized action `Postgres::Action::\"selekt\"`: docs/policy.md lists the actions\n  \
         5 | \tprincipal, action == Postgres::Action::\"selekt\", resource);\n    \
           | \t                     ^\n\
         b.cedar:6:75: attribute `foo` in context for Postgres::Action::\"copy_out\" not found: did you mean `tag`?\n  \
         6 | permit (principal, action in [Postgres::Action::\"read\"], resource) when { context.foo };\n    \
           |                                                                           ^",
    );
}

#[test]
fn many_problems_are_counted() {
    let text = "@x(\"1\") permit (principal, action, resource);\n".repeat(PROBLEMS_SHOWN_MAX + 3);
    let error = error(&text);
    assert_eq!(error.problems().len(), PROBLEMS_SHOWN_MAX + 3);
    assert!(error.to_string().ends_with("\n… and 3 more"));
}

#[test]
fn a_set_without_policies_is_refused() {
    refused("// nothing yet\n", 0, "no policy at all");
    let folder = tempfile::tempdir().unwrap();
    let error = PolicySet::load(folder.path(), &[POSTGRES]).unwrap_err();
    assert!(
        error.to_string().contains("holds no .cedar file"),
        "{error}"
    );
    let gone = folder.path().join("gone");
    let error = PolicySet::load(&gone, &[POSTGRES]).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn only_known_annotations_with_a_value_are_taken() {
    refused(
        &format!("@note(\"x\") {ALL}").replace("@id(\"all\")", ""),
        1,
        "unknown annotation @note",
    );
    refused(&format!("@advice {ALL}"), 1, "@advice is empty");
    refused(&format!("@advice(\"a\\nb\") {ALL}"), 1, "line break");
    let long = "x".repeat(ANNOTATION_BYTES_MAX + 1);
    refused(&format!("@advice(\"{long}\") {ALL}"), 1, "longer than");
    policies(&format!("@description(\"why\") @advice(\"what\") {ALL}"));
}

#[test]
fn ids_are_unique_across_files() {
    let list = files(&[("a.cedar", ALL), ("b.cedar", &format!("\n{ALL}"))]);
    let error = PolicySet::parse(&list, &[POSTGRES]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("b.cedar:2:1: @id \"all\" is taken by the policy at a.cedar:1"),
        "{error}"
    );
    // An id that another policy has by its place.
    let nameless = "permit (principal, action, resource);";
    refused(
        &format!("{nameless}\n@id(\"a.cedar#1\") {nameless}"),
        2,
        "is taken",
    );
}

#[test]
fn a_gate_is_a_forbid_that_its_approval_opens() {
    policies(&format!(
        "{ALL}{GATE} unless {{ context.approvals.contains(\"g\") }};"
    ));
    policies(&format!(
        "{ALL}{GATE} when {{ context.known }} unless {{ context.approvals.contains(\"g\") }} unless {{ context.has_where }};"
    ));
    let permit = GATE.replace("forbid", "permit");
    let error = error(&format!(
        "{permit} unless {{ context.approvals.contains(\"g\") }};"
    ));
    assert!(error.to_string().contains("@gate on a permit"), "{error}");
    for clauses in [
        "",
        "unless { context.known }",
        "when { context.approvals.contains(\"g\") }",
        "when { !context.approvals.contains(\"g\") }",
        "unless { !context.approvals.contains(\"g\") }",
        "unless { context.approvals.contains(\"h\") }",
        "unless { context.approvals.contains(\"g\") || context.known }",
        "unless { context.approvals.contains(\"g\") && context.known }",
        "unless { context.approvals.containsAll([\"g\"]) }",
        "unless { context.approvals.contains(context.tag) }",
        "unless { context.approvals.contains(\"g\") } unless { context.approvals.contains(\"g\") }",
        "unless { context.approvals.contains(\"g\") } unless { context.approvals.contains(\"h\") }",
        "unless { context.approvals.contains(\"g\") } when { context.approvals.contains(\"h\") }",
        "unless { context.approvals.contains(\"g\") } when { context.approvals == [\"h\"] }",
        "unless { context.approvals.contains(\"g\") } when { context has approvals }",
        "unless { context.approvals.contains(\"g\") } when { context[\"approvals\"].contains(\"h\") }",
        "unless { context.approvals.contains(\"g\") } when { {c: context}.c.approvals.contains(\"h\") }",
        "unless { context.approvals.contains(\"g\") } when { (if true then context else context).approvals.isEmpty() }",
    ] {
        refused(
            &format!("{ALL}{GATE} {clauses};"),
            2,
            "a gate of \"g\" has exactly one unless",
        );
    }
}

#[test]
fn approvals_are_for_gates() {
    for policy in [
        "forbid (principal, action, resource) unless { context.approvals.contains(\"g\") };",
        "permit (principal, action, resource) when { context.approvals.contains(\"g\") };",
        "forbid (principal, action, resource) when { context has approvals };",
        "forbid (principal, action, resource) when { context[\"approvals\"].isEmpty() };",
        "forbid (principal, action, resource) when { context == context };",
    ] {
        refused(policy, 1, "context.approvals is for gates");
    }
    // A string or an attribute of something else by that name is not it.
    policies(&format!(
        "{ALL} forbid (principal, action in [Postgres::Action::\"write\"], resource) when {{ context.tag == \"approvals\" || \
         {{approvals: 1}}.approvals == 2 }};"
    ));
}

#[test]
fn a_gate_cannot_stand_before_a_login() {
    let unless = "unless { context.approvals.contains(\"g\") };";
    for scope in [
        "principal, action, resource",
        "principal, action == Action::\"access\", resource",
        "principal, action, resource in Target::\"bank\"",
    ] {
        refused(
            &format!("{ALL}@gate(\"g\") forbid ({scope}) {unless}"),
            2,
            "a login cannot wait",
        );
    }
    policies(&format!(
        "{ALL}@gate(\"g\") forbid (principal, action, resource is Postgres::Table) {unless}"
    ));
}

#[test]
fn numbers_are_whole_and_in_range() {
    let unless = "unless { context.approvals.contains(\"g\") };";
    for quorum in ["0", "17", "-1", "two", "1.5", " 1", "4294967297"] {
        refused(
            &format!("{ALL}@quorum(\"{quorum}\") {GATE} {unless}"),
            2,
            "@quorum is a whole number",
        );
    }
    for quorum in ["1", "16"] {
        policies(&format!("{ALL}@quorum(\"{quorum}\") {GATE} {unless}"));
    }
    refused(&format!("@quorum(\"1\") {ALL}"), 1, "@quorum without @gate");
    for limit in ["0", "-5", "1,000", "1_000", "ten", "18446744073709551616"] {
        refused(
            &format!("@rows(\"{limit}\") {ALL}"),
            1,
            "@rows is a whole number",
        );
        refused(
            &format!("@bytes(\"{limit}\") {ALL}"),
            1,
            "@bytes is a whole number",
        );
    }
    policies(&format!(
        "@rows(\"1\") @bytes(\"18446744073709551615\") {ALL}"
    ));
    refused(
        &format!("{ALL}@rows(\"1\") forbid (principal, action, resource is Postgres::Table);"),
        2,
        "@rows on a forbid",
    );
}

#[test]
fn what_the_schema_does_not_allow_is_refused() {
    refused(
        "permit (principal == User::\"alice\", action, resource);",
        1,
        "unrecognized entity type",
    );
    refused(
        "permit (principal, action == Postgres::Action::\"select\", resource) when { principal.model == \"x\" };",
        1,
        "`model`",
    );
    refused(
        "permit (principal, action == Postgres::Action::\"select\", resource) when { context.has_where == \"x\" };",
        1,
        "not compatible",
    );
    refused(
        "permit (principal == ?principal, action, resource);",
        1,
        "template",
    );
    refused(
        "permit (principal, action == Action::\"reveal\", resource == DataClass::\"Card No\");",
        1,
        "data class",
    );
}

#[test]
fn the_line_is_that_of_the_policy_and_not_of_a_comment() {
    let policy = "@x(\"1\") permit (principal, action, resource);";
    refused(
        &format!("// {policy}\n{ALL}\n{policy}\n"),
        4,
        "unknown annotation @x",
    );
}

#[test]
fn a_policy_that_never_applies_is_a_warning() {
    let set = policies(&format!(
        "{ALL}\npermit (principal is Group, action, resource);"
    ));
    assert!(
        matches!(set.warnings(), [warning] if warning.starts_with("a.cedar:3:1: ")),
        "{:?}",
        set.warnings()
    );
}

#[test]
fn a_folder_gives_its_cedar_files_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    put(
        "b.cedar",
        b"forbid (principal, action, resource is Postgres::Function);\n",
    );
    put("a.cedar", ALL.as_bytes());
    put(".hidden.cedar", b"not cedar");
    put("notes.txt", b"not cedar");
    fs::create_dir(folder.path().join("old.cedar")).unwrap();
    let set = PolicySet::load(folder.path(), &[POSTGRES]).unwrap();
    let names: Vec<&str> = set.files().iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.cedar", "b.cedar"]);
    let pairs = files(&[("b.cedar", &set.sources()[1].1), ("a.cedar", ALL)]);
    let same = PolicySet::parse(&pairs, &[POSTGRES]).unwrap();
    assert_eq!((same.version(), same.files()), (set.version(), set.files()));

    put("c.cedar", b"\xff");
    put("d.cedar", &vec![b' '; FILE_BYTES_MAX + 1]);
    let error = PolicySet::load(folder.path(), &[POSTGRES]).unwrap_err();
    let mut lines: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "c.cedar: is not UTF-8: save it as UTF-8",
            "d.cedar: larger than 1048576 bytes: split it into several files"
        ]
    );
}

#[test]
fn names_are_those_that_a_shell_lists_alike() {
    for name in [
        "a b.cedar",
        "-a.cedar",
        "é.cedar",
        "a\n.cedar",
        "a\\.cedar",
        "",
        "../a.cedar",
    ] {
        let error = PolicySet::parse(&files(&[(name, ALL)]), &[POSTGRES]).unwrap_err();
        assert!(error.to_string().contains("rename it"), "{name:?}: {error}");
    }
    let error =
        PolicySet::parse(&files(&[("a.cedar", ALL), ("a.cedar", ALL)]), &[POSTGRES]).unwrap_err();
    assert!(error.to_string().contains("given twice"), "{error}");
}

/// Computed with coreutils: `LC_ALL=C sha256sum *.cedar | sha256sum`.
#[test]
fn the_version_is_what_sha256sum_says() {
    let list = files(&[
        ("B.cedar", "permit (principal, action, resource);\n"),
        (
            "a.cedar",
            "forbid (principal, action, resource is Postgres::Function);\n",
        ),
    ]);
    let set = PolicySet::parse(&list, &[POSTGRES]).unwrap();
    assert_eq!(
        set.version().to_string(),
        "b026550ec68cfc7540f87ff64e9c9c9a55a79ca8f01bbed49db2cb2020b88e59"
    );
    // Every byte counts: of a text and of a name.
    let mut other = list.clone();
    other[0].1.push(' ');
    assert_ne!(
        PolicySet::parse(&other, &[POSTGRES]).unwrap().version(),
        set.version()
    );
    other = list;
    other[0].0 = "b.cedar".to_owned();
    assert_ne!(
        PolicySet::parse(&other, &[POSTGRES]).unwrap().version(),
        set.version()
    );
}

#[test]
fn a_fragment_has_one_namespace_and_a_protocol_one_fragment() {
    let list = files(&[("a.cedar", ALL)]);
    let load =
        |fragments: &[SchemaFragment]| PolicySet::parse(&list, fragments).unwrap_err().to_string();
    let fragment = |text| SchemaFragment {
        protocol: "x",
        text,
    };
    assert!(load(&[fragment("entity A;")]).contains("exactly one namespace"));
    assert!(load(&[fragment("namespace A {} namespace B {}")]).contains("exactly one namespace"));
    assert!(load(&[POSTGRES, POSTGRES]).contains("two schemas"));
    let error = load(&[fragment("namespace A {\n  entity;\n}")]);
    assert!(error.starts_with("x.cedarschema:2:9: "), "{error}");
    PolicySet::parse(&list, &[]).unwrap();
}

/// The names stand in two places, so they are compared; as text, since policy does not depend on the grammar.
#[test]
fn the_schema_knows_every_action_of_postgres_and_no_other() {
    let source = include_str!("../../../sql/src/action.rs");
    let (_, list) = source.split_once("\nactions! {").unwrap();
    let (list, _) = list.split_once("\n}").unwrap();
    let mut names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(names.len() > 30, "{names:?}");
    // Asked by the protocol itself, not by a statement.
    names.push("replication");
    names.sort_unstable();
    let types = crate::schema::Types::new(&[POSTGRES]).unwrap();
    let groups: Vec<String> = types
        .schema
        .action_groups()
        .map(ToString::to_string)
        .collect();
    let mut known: Vec<String> = types
        .schema
        .actions()
        .filter(|action| !groups.contains(&action.to_string()))
        .filter(|action| action.type_name().to_string() == "Postgres::Action")
        .map(|action| AsRef::<str>::as_ref(action.id()).to_owned())
        .collect();
    known.sort_unstable();
    assert_eq!(known, names);
}

#[test]
fn the_guide_is_true() {
    let guide = include_str!("../../../../docs/policy.md");
    let blocks: Vec<&str> = guide
        .split("```cedar\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    for block in blocks {
        assert_eq!(policies(block).warnings(), [""; 0], "{block}");
    }
    for part in POSTGRES.text.split("\naction ").skip(1) {
        let names = part.split([';', '\n']).next().unwrap_or_default();
        for name in names.split(" in [").next().unwrap_or_default().split(", ") {
            assert!(
                guide.contains(&format!("`{name}`")),
                "{name} is not in the guide"
            );
        }
    }
}

#[test]
fn what_policies_look_at_is_told_by_their_expressions_alone() {
    let text = "// context.unseen\n@id(\"matched\") permit (principal, action in [Postgres::Action::\"read\"], resource) when { \
                context has probed && context[\"t\\u{61}g\"] == \"SELECT\" };";
    let policies = parse(text).unwrap();
    assert!(policies.mentions("probed") && policies.mentions("tag"));
    assert!(!policies.mentions("matched") && !policies.mentions("unseen"));
}
