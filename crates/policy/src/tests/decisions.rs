//! What is decided.

use std::collections::BTreeMap;

use model::{Ask, Asks, DataClass, Decision, DenialCode, Obligations, Value};

use super::support::*;
use crate::{ASKS_MAX, NO_LABELS, TargetRef, unknown_target};

const GATED: &str = r#"
@id("all") permit (principal, action, resource);
@id("gate") @gate("payments-oncall") @quorum("2")
forbid (principal, action in [Postgres::Action::"write"], resource == Postgres::Table::"public.payments")
unless { context.approvals.contains("payments-oncall") };
"#;

/// A policy that errors whenever it is evaluated, and validates: an entity that no request brings.
const ERRS: &str = r#"when { Human::"nobody".issuer == "x" }"#;

#[test]
fn a_permit_permits_and_nothing_else_does() {
    let set = policies(
        r#"@id("read") permit (principal, action == Postgres::Action::"select", resource in Postgres::Schema::"public");"#,
    );
    let who = agent(&[]);
    let obligations = allowed(decide(&set, &who, &[on("select", "payments")]));
    assert_eq!(
        obligations,
        Obligations {
            policies: vec!["read".to_owned()],
            ..Obligations::default()
        }
    );
    let denial = denied(decide(&set, &who, &[on("insert", "payments")]));
    assert_eq!(
        (denial.code, denial.policies, denial.message.as_str()),
        (
            DenialCode::Forbidden,
            vec![],
            "no policy permits insert on public.payments for claude-code: ask whoever keeps this gateway's policies for a \
             permit"
        )
    );
}

#[test]
fn a_forbid_wins_and_gives_its_advice() {
    let set = policies(&format!(
        r#"{ALL}
        @id("no-drop") @advice("ask for a change ticket")
        forbid (principal, action in [Postgres::Action::"drop", Postgres::Action::"truncate"], resource);"#
    ));
    let denial = denied(decide(&set, &human(&[]), &[on("drop", "payments")]));
    assert_eq!(
        denial.message,
        "policy no-drop forbids drop on public.payments: ask for a change ticket"
    );
    assert_eq!(denial.policies, ["no-drop"]);
    let denial = denied(decide(&set, &human(&[]), &[plain("drop")]));
    assert_eq!(
        denial.message,
        "policy no-drop forbids drop on bank: ask for a change ticket"
    );
}

#[test]
fn no_broad_permit_walks_round_a_gate() {
    let set = policies(GATED);
    let (gates, obligations) = asked(decide(&set, &agent(&[]), &[on("update", "payments")]));
    assert_eq!(gates, [gate("payments-oncall", 2, "gate")]);
    let then = approved(
        &set,
        &agent(&[]),
        &[on("update", "payments")],
        &["payments-oncall"],
    );
    assert_eq!(then, Decision::Allow(obligations));
    // Being in the group that may approve does not open it, nor does another group's approval.
    asked(decide(
        &set,
        &human(&["payments-oncall"]),
        &[on("update", "payments")],
    ));
    asked(approved(
        &set,
        &agent(&[]),
        &[on("update", "payments")],
        &["payments", "Payments-oncall", "payments-oncall "],
    ));
    allowed(decide(&set, &agent(&[]), &[on("update", "accounts")]));
}

#[test]
fn a_gate_with_a_plain_forbid_is_a_denial() {
    let set = policies(&format!(
        r#"{GATED} @id("where") forbid (principal, action == Postgres::Action::"update", resource)
        unless {{ context.has_where }};"#
    ));
    forbidden_by(
        decide(&set, &agent(&[]), &[on("update", "payments")]),
        &["where"],
    );
    forbidden_by(
        approved(
            &set,
            &agent(&[]),
            &[on("update", "payments")],
            &["payments-oncall"],
        ),
        &["where"],
    );
    let ask = with(on("update", "payments"), "has_where", Value::Bool(true));
    asked(decide(&set, &agent(&[]), &[ask]));
}

#[test]
fn a_gate_opens_nothing_that_nothing_permits() {
    let set = policies(&GATED.replace(
        "@id(\"all\") permit (principal, action, resource)",
        "@id(\"all\") permit (principal, action == Postgres::Action::\"select\", resource)",
    ));
    forbidden_by(decide(&set, &agent(&[]), &[on("update", "payments")]), &[]);
}

#[test]
fn all_gates_in_the_way_are_asked() {
    let set = policies(&format!(
        r#"{GATED}
        @id("second") @gate("security")
        forbid (principal is Agent, action == Postgres::Action::"update", resource)
        unless {{ context.approvals.contains("security") }};
        @id("same-group") @gate("security") @quorum("3")
        forbid (principal is Agent, action == Postgres::Action::"update", resource)
        unless {{ context.approvals.contains("security") }};"#
    ));
    let asks = [on("update", "payments")];
    let (gates, obligations) = asked(decide(&set, &agent(&[]), &asks));
    assert_eq!(
        gates,
        [
            gate("payments-oncall", 2, "gate"),
            gate("security", 1, "second"),
            gate("security", 3, "same-group")
        ]
    );
    let (gates, _) = asked(approved(&set, &agent(&[]), &asks, &["payments-oncall"]));
    assert_eq!(gates.len(), 2);
    let (gates, _) = asked(approved(&set, &agent(&[]), &asks, &["security"]));
    assert_eq!(gates, [gate("payments-oncall", 2, "gate")]);
    let both = approved(&set, &agent(&[]), &asks, &["payments-oncall", "security"]);
    assert_eq!(both, Decision::Allow(obligations));
    let (gates, _) = asked(decide(&set, &human(&[]), &asks));
    assert_eq!(gates, [gate("payments-oncall", 2, "gate")]);
}

#[test]
fn a_gate_may_have_exceptions_of_their_own() {
    let set = policies(&format!(
        r#"{ALL} @id("gate") @gate("oncall")
        forbid (principal, action in [Postgres::Action::"write"], resource)
        when {{ resource in Postgres::Schema::"public" }}
        unless {{ context.approvals.contains("oncall") }}
        unless {{ principal in Group::"dba" }};"#
    ));
    asked(decide(&set, &agent(&[]), &[on("insert", "cards")]));
    allowed(decide(&set, &agent(&["dba"]), &[on("insert", "cards")]));
}

#[test]
fn every_ask_of_a_command_must_be_allowed() {
    let set = policies(&format!(
        r#"{GATED} @id("no-ssn") forbid (principal, action, resource == Postgres::Table::"public.ssn");"#
    ));
    let who = agent(&[]);
    allowed(decide(&set, &who, &[on("select", "a"), on("select", "b")]));
    // One gated: the whole waits. One forbidden: the whole is refused, whatever the order, and nobody is asked.
    asked(decide(
        &set,
        &who,
        &[on("select", "a"), on("insert", "payments")],
    ));
    let (gated, forbidden) = (on("insert", "payments"), on("select", "ssn"));
    forbidden_by(
        decide(&set, &who, &[gated.clone(), forbidden.clone()]),
        &["no-ssn"],
    );
    forbidden_by(decide(&set, &who, &[forbidden, gated]), &["no-ssn"]);
}

#[test]
fn a_gated_ask_beside_an_unpermitted_one_is_denied() {
    let set = policies(
        r#"@id("write") permit (principal, action == Postgres::Action::"insert", resource);
        @id("gate") @gate("g") forbid (principal, action == Postgres::Action::"insert", resource)
        unless { context.approvals.contains("g") };"#,
    );
    asked(decide(&set, &agent(&[]), &[on("insert", "a")]));
    forbidden_by(
        decide(&set, &agent(&[]), &[on("insert", "a"), on("select", "a")]),
        &[],
    );
}

#[test]
fn an_error_denies_whatever_else_is_said() {
    for (effect, id) in [("forbid", "f"), ("permit", "p")] {
        let set = policies(&format!(
            r#"{ALL} @id("{id}") {effect} (principal, action == Postgres::Action::"select", resource) {ERRS};"#
        ));
        let denial = denied(decide(&set, &agent(&[]), &[on("select", "a")]));
        assert_eq!(denial.code, DenialCode::PolicyError, "{effect}");
        assert_eq!(denial.policies, [id]);
        assert!(!denial.message.contains("nobody"), "{}", denial.message);
        // Another action does not reach it.
        allowed(decide(&set, &agent(&[]), &[on("insert", "a")]));
        // One ask of several is enough.
        let denial = denied(decide(
            &set,
            &agent(&[]),
            &[on("insert", "a"), on("select", "a")],
        ));
        assert_eq!(denial.code, DenialCode::PolicyError);
    }
}

#[test]
fn an_error_behind_a_gate_denies_too() {
    let set = policies(&format!(
        r#"{ALL}
        @id("gate") @gate("g") forbid (principal, action == Postgres::Action::"select", resource) {ERRS}
        unless {{ context.approvals.contains("g") }};"#
    ));
    let denial = denied(decide(&set, &agent(&[]), &[on("select", "a")]));
    assert_eq!(denial.code, DenialCode::PolicyError);
}

#[test]
fn an_error_in_reveal_denies() {
    let set = policies(&format!(
        r#"@id("read") permit (principal, action in [Postgres::Action::"read"], resource);
        @id("show") permit (principal, action == Action::"reveal", resource) {ERRS};"#
    ));
    let denial = denied(decide(&set, &agent(&[]), &[on("select", "a")]));
    assert_eq!(
        (denial.code, denial.policies),
        (DenialCode::PolicyError, vec!["show".to_owned()])
    );
}

#[test]
fn what_the_schema_does_not_know_is_denied() {
    let set = policies(ALL);
    let who = agent(&[]);
    let code = |ask| denied(decide(&set, &who, &[ask])).code;
    assert_eq!(code(on("obliterate", "a")), DenialCode::PolicyError);
    assert_eq!(code(on("reveal", "a")), DenialCode::PolicyError);
    assert_eq!(code(on("write", "a")), DenialCode::PolicyError);
    let mut unknown = on("select", "a");
    unknown.resource.kind = "Bucket";
    assert_eq!(code(unknown), DenialCode::PolicyError);
    let mut core = on("select", "a");
    core.resource.kind = "DataClass";
    assert_eq!(code(core), DenialCode::PolicyError);
    let mut missing = on("select", "a");
    missing.context.remove("known");
    assert_eq!(code(missing), DenialCode::PolicyError);
    let more = with(on("select", "a"), "mood", Value::Bool(true));
    assert_eq!(code(more), DenialCode::PolicyError);
    let wrong = with(on("select", "a"), "known", Value::Long(1));
    assert_eq!(code(wrong), DenialCode::PolicyError);
    let mut bare = on("select", "a");
    bare.resource.attributes.clear();
    assert_eq!(code(bare), DenialCode::PolicyError);
    let target = TargetRef {
        protocol: "smtp",
        ..BANK
    };
    let asks = Asks::new(vec![on("select", "a")]);
    let decision = set.decide(&who, &target, &asks, &set_of(&[]));
    assert_eq!(denied((*decision).clone()).code, DenialCode::PolicyError);
}

fn set_of(items: &[&str]) -> std::collections::BTreeSet<String> {
    set(items)
}

#[test]
fn a_protocol_cannot_bring_approvals() {
    let set = policies(GATED);
    let forged = with(
        on("update", "payments"),
        "approvals",
        Value::Texts(vec!["payments-oncall".to_owned()]),
    );
    let denial = denied(decide(&set, &agent(&[]), &[forged]));
    assert_eq!(denial.code, DenialCode::PolicyError);
}

#[test]
fn no_ask_and_too_many_are_denied() {
    let set = policies(ALL);
    let code = |asks: &[_]| denied(decide(&set, &agent(&[]), asks)).code;
    assert_eq!(code(&[]), DenialCode::PolicyError);
    let many = vec![on("select", "a"); ASKS_MAX + 1];
    assert_eq!(code(&many), DenialCode::LimitExceeded);
}

#[test]
fn people_and_agents_are_told_apart() {
    let set = policies(
        r#"@id("person") permit (principal is Human, action == Postgres::Action::"insert", resource);
        @id("alices") permit (principal in Human::"alice", action == Postgres::Action::"select", resource);
        @id("group") permit (principal in Group::"dba", action == Postgres::Action::"update", resource);
        @id("agent") permit (principal == Agent::"claude-code", action == Postgres::Action::"delete", resource)
        when { principal.human in Group::"dba" && principal has model && principal.model == "m-1" };"#,
    );
    let select = [on("select", "a")];
    allowed(decide(&set, &human(&[]), &select));
    allowed(decide(&set, &agent(&[]), &select));
    allowed(decide(&set, &human(&[]), &[on("insert", "a")]));
    forbidden_by(decide(&set, &agent(&[]), &[on("insert", "a")]), &[]);
    allowed(decide(&set, &agent(&["dba"]), &[on("update", "a")]));
    allowed(decide(&set, &human(&["dba"]), &[on("update", "a")]));
    forbidden_by(decide(&set, &human(&[]), &[on("update", "a")]), &[]);
    let delete = [on("delete", "a")];
    forbidden_by(decide(&set, &agent(&["dba"]), &delete), &[]);
    let mut named = agent(&["dba"]);
    named.agent.as_mut().unwrap().model = Some("m-1".to_owned());
    allowed(decide(&set, &named, &delete));
    // A person who calls themselves as the agent is called is not the agent.
    let mut person = human(&["dba"]);
    person.human = "claude-code".to_owned();
    forbidden_by(decide(&set, &person, &delete), &[]);
}

#[test]
fn policies_can_tell_issuers_apart() {
    let set = policies(&format!(
        r#"{ALL} @id("issuer") forbid (principal, action, resource)
        unless {{ principal.issuer == "https://issuer.example" }};"#
    ));
    let select = [on("select", "a")];
    allowed(decide(&set, &agent(&[]), &select));
    for mut other in [agent(&[]), human(&[])] {
        other.proof.issuer = "https://elsewhere.example".to_owned();
        forbidden_by(decide(&set, &other, &select), &["issuer"]);
    }
}

#[test]
fn names_are_never_read_as_cedar() {
    let set = policies(
        r#"@id("one") permit (principal == Agent::"claude-code", action, resource == Postgres::Table::"public.a");
        @id("odd") permit (principal, action, resource == Postgres::Table::"public.\"é\"\"\\ 😀\"");"#,
    );
    allowed(decide(&set, &agent(&[]), &[on("select", "a")]));
    for name in [
        "a\" || true || \"",
        "a\\",
        "A",
        "a ",
        "a\0",
        "a\n",
        "::a",
        "a\u{301}",
        "",
        "?resource",
        "\u{202e}a",
    ] {
        let denial = denied(decide(&set, &agent(&[]), &[on("select", name)]));
        assert_eq!(denial.code, DenialCode::Forbidden, "{name:?}");
        assert!(
            !denial
                .message
                .chars()
                .any(|c| c.is_control() || c == '\u{202e}'),
            "{:?}",
            denial.message
        );
        let mut who = agent(&[name]);
        who.human = name.to_owned();
        who.proof.issuer = name.to_owned();
        allowed(decide(&set, &who, &[on("select", "a")]));
        who.agent.as_mut().unwrap().name = name.to_owned();
        forbidden_by(decide(&set, &who, &[on("select", "a")]), &[]);
    }
    allowed(decide(&set, &agent(&[]), &[on("select", "\"é\"\"\\ 😀\"")]));
}

#[test]
fn columns_that_are_not_known_cannot_pass_for_none() {
    let set = policies(
        r#"permit (principal, action == Postgres::Action::"update", resource)
        when { context has columns && ["memo", "status"].containsAll(context.columns) };"#,
    );
    let columns = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        [with(on("update", "a"), "columns", Value::Texts(names))]
    };
    allowed(decide(&set, &agent(&[]), &columns(&["memo"])));
    denied(decide(&set, &agent(&[]), &columns(&["memo", "amount"])));
    denied(decide(&set, &agent(&[]), &[on("update", "a")]));
}

#[test]
fn nothing_is_revealed_unless_permitted() {
    let set = policies(
        r#"@id("read") permit (principal, action in [Postgres::Action::"read"], resource);
        @id("pan") permit (principal in Group::"fraud", action == Action::"reveal", resource == DataClass::"pan")
        when { context.target == Target::"bank" };
        @id("own") permit (principal in Group::"fraud", action == Action::"reveal", resource == DataClass::"loyalty_no");
        @id("not-agents") forbid (principal is Agent, action == Action::"reveal", resource == DataClass::"loyalty_no");
        @id("ssn") permit (principal in Group::"fraud", action == Action::"reveal", resource == DataClass::"us_ssn");
        @id("ssn-gate") @gate("privacy") forbid (principal, action == Action::"reveal", resource == DataClass::"us_ssn")
        unless { context.approvals.contains("privacy") };"#,
    );
    let select = [on("select", "cards")];
    let reveal = |decision| {
        let obligations = allowed(decision);
        let names: Vec<String> = obligations.reveal.iter().map(ToString::to_string).collect();
        (names, obligations.policies)
    };
    let none = reveal(decide(&set, &human(&[]), &select));
    assert_eq!(none, (vec![], vec!["read".to_owned()]));
    let (names, ids) = reveal(decide(&set, &human(&["fraud"]), &select));
    assert_eq!(names, ["loyalty_no", "pan"]);
    assert_eq!(ids, ["read", "pan", "own"]);
    let (names, _) = reveal(decide(&set, &agent(&["fraud"]), &select));
    assert_eq!(names, ["pan"]);
    let (names, _) = reveal(approved(&set, &agent(&["fraud"]), &select, &["privacy"]));
    assert_eq!(names, ["pan", "us_ssn"]);
    // Elsewhere `pan` stays masked.
    let shop = TargetRef {
        name: "shop",
        ..BANK
    };
    let decision = set.decide(
        &agent(&["fraud"]),
        &shop,
        &Asks::new(select.to_vec()),
        &set_of(&[]),
    );
    assert_eq!(reveal((*decision).clone()).0, Vec::<String>::new());
}

#[test]
fn a_permit_of_a_target_reveals_nothing_in_it() {
    let set = policies(r#"permit (principal, action, resource in Target::"bank");"#);
    let obligations = allowed(decide(&set, &agent(&[]), &[on("select", "a")]));
    assert!(obligations.reveal.is_empty());
}

#[test]
fn classes_of_mask_files_can_be_revealed_when_they_are_told() {
    let text = r#"permit (principal, action, resource);"#;
    let select = [on("select", "a")];
    let own = DataClass::try_from("loyalty_no".to_owned()).unwrap();
    let built_in = allowed(decide(&policies(text), &agent(&[]), &select)).reveal;
    assert_eq!(built_in.len(), DataClass::FOUND.len());
    assert!(!built_in.contains(&own));
    let set = policies(text).with_classes([own.clone()]);
    assert!(
        allowed(decide(&set, &agent(&[]), &select))
            .reveal
            .contains(&own)
    );
}

#[test]
fn limits_are_those_of_the_widest_permit_and_the_strictest_ask() {
    let limits = |text: &str, asks: &[_]| {
        let obligations = allowed(decide(&policies(text), &agent(&[]), asks));
        (obligations.rows_max, obligations.bytes_max)
    };
    let permit = |annotations: &str, table: &str| {
        format!(
            "{annotations} permit (principal, action, resource == Postgres::Table::\"public.{table}\");\n"
        )
    };
    let one = permit("@rows(\"1000\") @bytes(\"5\")", "a");
    let (a, b) = ([on("select", "a")], [on("select", "a"), on("select", "b")]);
    assert_eq!(limits(&one, &a), (Some(1_000), Some(5)));
    // An unlimited permit beside it wins.
    assert_eq!(limits(&format!("{one}{ALL}"), &a), (None, None));
    // The widest is one permit, never a mixture that no permit grants.
    let two = format!("{one}{}", permit("@rows(\"10\")", "a"));
    assert_eq!(limits(&two, &a), (Some(1_000), Some(5)));
    let mixed = format!(
        "{}{}",
        permit("@rows(\"10\")", "a"),
        permit("@bytes(\"7\")", "a")
    );
    assert_eq!(limits(&mixed, &a), (None, Some(7)));
    // Across asks both hold.
    let across = format!("{one}{}", permit("@rows(\"10\")", "b"));
    assert_eq!(limits(&across, &b), (Some(10), Some(5)));
    let free = format!("{one}{}", permit("", "b"));
    assert_eq!(limits(&free, &b), (Some(1_000), Some(5)));
}

#[test]
fn an_ask_carries_the_limits_that_hold_after_approval() {
    let set = policies(&GATED.replace("@id(\"all\")", "@id(\"all\") @rows(\"7\")"));
    let (_, obligations) = asked(decide(&set, &agent(&[]), &[on("update", "payments")]));
    assert_eq!(obligations.rows_max, Some(7));
    assert_eq!(obligations.policies, ["all"]);
}

#[test]
fn targets_that_are_not_ones_own_look_like_none() {
    let set = policies(
        r#"@id("use") permit (principal in Group::"eng", action == Action::"access", resource == Target::"bank");
        @id("never") forbid (principal == Agent::"bad", action, resource);"#,
    );
    let allow = set.connect(&agent(&["eng"]), &BANK);
    assert_eq!(allowed(allow).policies, ["use"]);
    let denial = denied(set.connect(&agent(&[]), &BANK));
    assert_eq!(denial, unknown_target("bank"));
    let mut bad = agent(&["eng"]);
    bad.agent.as_mut().unwrap().name = "bad".to_owned();
    let denial = denied(set.connect(&bad, &BANK));
    assert_eq!(denial.message, unknown_target("bank").message);
    assert_eq!(
        (denial.code, denial.policies),
        (DenialCode::UnknownTarget, vec!["never".to_owned()])
    );
    let other = TargetRef {
        name: "Bank",
        ..BANK
    };
    denied(set.connect(&agent(&["eng"]), &other));
    let broken = policies(&format!(
        r#"{ALL} forbid (principal, action == Action::"access", resource) {ERRS};"#
    ));
    let denial = denied(broken.connect(&agent(&[]), &BANK));
    assert_eq!(denial.code, DenialCode::PolicyError);
}

#[test]
fn labels_of_the_target_can_be_looked_at() {
    let set = policies(&format!(
        r#"{ALL} @id("prod") forbid (principal is Agent, action in [Postgres::Action::"write"], resource)
        when {{ context.target.hasTag("environment") && context.target.getTag("environment") == "production" }};"#
    ));
    let labels = BTreeMap::from([("environment".to_owned(), "production".to_owned())]);
    let production = TargetRef {
        labels: &labels,
        ..BANK
    };
    let asks = Asks::new(vec![on("insert", "a")]);
    let decide =
        |target: &TargetRef<'_>| (*set.decide(&agent(&[]), target, &asks, &set_of(&[]))).clone();
    allowed(decide(&BANK));
    forbidden_by(decide(&production), &["prod"]);
    assert!(NO_LABELS.is_empty());
}

#[test]
fn every_reason_is_told_up_to_a_limit_and_each_once() {
    let mut text = ALL.to_owned();
    for id in ["a", "b", "c", "d", "e"] {
        text +=
            &format!("@id(\"{id}\") forbid (principal, action, resource is Postgres::Table);\n");
    }
    let ask = on("drop", "t");
    let denial = denied(decide(&policies(&text), &agent(&[]), &[ask.clone(), ask]));
    assert_eq!(
        denial.message,
        "policy a forbids drop on public.t; policy b forbids drop on public.t; policy c forbids drop on public.t; \
         and 2 more"
    );
    assert_eq!(denial.policies, ["a", "b", "c", "d", "e"]);
}

#[test]
fn advice_is_given_once_for_all_that_it_is_about() {
    let text = ALL.to_owned()
        + "@id(\"a\") @advice(\"leave it\") forbid (principal, action, resource);\n\
           @id(\"b\") @advice(\"ask an owner\") forbid (principal, action == Postgres::Action::\"redefine\", resource);";
    let set = policies(&text);
    let message = |asks: &[Ask]| denied(decide(&set, &agent(&[]), asks)).message;
    let (one, other) = (on("select", "t"), on("update", "u"));
    assert_eq!(
        message(&[one.clone(), other.clone(), one.clone()]),
        "policy a forbids select on public.t and update on public.u: leave it"
    );
    let many: Vec<Ask> = ["a", "b", "c", "d", "e"]
        .map(|name| on("select", name))
        .into();
    assert_eq!(
        message(&many),
        "policy a forbids select on public.a, select on public.b, select on public.c and 2 more: leave it"
    );
    // What would be redefined comes first.
    assert_eq!(
        message(&[one, on("redefine", "t")]),
        "policy a forbids redefine on public.t and select on public.t: leave it; policy b forbids redefine on public.t: ask an owner"
    );
}

#[test]
fn a_policy_without_an_id_is_called_by_its_place() {
    let set =
        policies("permit (principal, action, resource);\npermit (principal, action, resource);");
    let obligations = allowed(decide(&set, &agent(&[]), &[on("select", "a")]));
    assert_eq!(obligations.policies, ["a.cedar#1", "a.cedar#2"]);
}

/// Each input of a decision, changed alone, must change the decision: none may be missing from the cache's key.
#[test]
fn the_cache_tells_every_input_apart() {
    let set = policies(
        r#"permit (principal == Agent::"claude-code", action == Postgres::Action::"select", resource == Postgres::Table::"public.a")
        when { principal.human == Human::"alice" && principal in Group::"eng" && principal has instance
            && principal.instance == "i" && principal has model && principal.model == "m"
            && principal.issuer == "https://issuer.example" && context.target == Target::"bank"
            && context.target.protocol == "postgres" && context.target.hasTag("l") && context.known };
        @id("gate") @gate("g") forbid (principal, action == Postgres::Action::"select", resource)
        unless { context.approvals.contains("g") };"#,
    );
    let mut who = agent(&["eng"]);
    let a = who.agent.as_mut().unwrap();
    (a.instance, a.model) = (Some("i".to_owned()), Some("m".to_owned()));
    let labels = BTreeMap::from([("l".to_owned(), "x".to_owned())]);
    let target = TargetRef {
        labels: &labels,
        ..BANK
    };
    let asks = Asks::new(vec![on("select", "a")]);
    let is = |who: &_, target: &_, asks: &_, groups: &[&str]| {
        matches!(
            *set.decide(who, target, asks, &set_of(groups)),
            Decision::Allow(_)
        )
    };
    assert!(is(&who, &target, &asks, &["g"]));
    assert!(!is(&who, &target, &asks, &[]));
    let changed = |change: &dyn Fn(&mut model::Identity)| {
        let mut other = who.clone();
        change(&mut other);
        assert!(!is(&other, &target, &asks, &["g"]));
    };
    changed(&|it| it.human = "bob".to_owned());
    changed(&|it| it.agent = None);
    changed(&|it| it.groups.clear());
    changed(&|it| it.proof.issuer = "x".to_owned());
    changed(&|it| it.agent.as_mut().unwrap().name = "x".to_owned());
    changed(&|it| it.agent.as_mut().unwrap().instance = None);
    changed(&|it| it.agent.as_mut().unwrap().model = Some(String::new()));
    let shop = TargetRef {
        name: "shop",
        ..target
    };
    assert!(!is(&who, &shop, &asks, &["g"]));
    assert!(!is(&who, &BANK, &asks, &["g"]));
    let smtp = TargetRef {
        protocol: "smtp",
        ..target
    };
    assert!(!is(&who, &smtp, &asks, &["g"]));
    let unknown = with(on("select", "a"), "known", Value::Bool(false));
    for other in [on("select", "b"), on("insert", "a"), unknown] {
        assert!(!is(&who, &target, &Asks::new(vec![other]), &["g"]));
    }
    assert!(is(&who, &target, &asks, &["g"]));
}

#[test]
fn a_kept_decision_is_the_same_one() {
    let set = policies(ALL);
    let asks = Asks::new(vec![on("select", "a")]);
    let first = set.decide(&agent(&[]), &BANK, &asks, &set_of(&[]));
    let second = set.decide(&agent(&[]), &BANK, &asks, &set_of(&[]));
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}
