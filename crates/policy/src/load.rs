//! From files to a checked set: parse, validate, and say everything that is wrong at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicyId, PolicySet as CedarSet, Schema, ValidationError,
    ValidationMode, Validator,
};
use miette::Diagnostic;
use model::DataClass;

use crate::files::FILE_BYTES_MAX;
use crate::rule::{self, Rule};
use crate::schema::{Types, uid};
use crate::{LoadError, Problem, SchemaFragment};

/// The most policies in a set.
pub const POLICIES_MAX: usize = 10_000;

/// What a load gives.
pub(crate) struct Loaded {
    pub(crate) types: Types,
    pub(crate) rules: Vec<Rule>,
    /// From a Cedar policy's id to its place in `rules`.
    pub(crate) by_id: HashMap<String, usize>,
    /// The policies that can apply to each action. Cedar's cost is linear in policies, so this is what it is handed.
    pub(crate) slices: HashMap<EntityUid, Arc<CedarSet>>,
    pub(crate) classes: BTreeSet<DataClass>,
    /// The attributes that any policy looks at.
    pub(crate) attributes: BTreeSet<String>,
    /// Those that each looks at, by its id.
    pub(crate) looks: HashMap<String, BTreeSet<String>>,
    pub(crate) warnings: Vec<String>,
}

/// A policy and where it stands.
struct Found {
    file: usize,
    offset: usize,
    policy: Policy,
}

/// Parses and checks files that are sorted by name.
pub(crate) fn check(
    files: &[(String, String)],
    fragments: &[SchemaFragment],
) -> Result<Loaded, LoadError> {
    let types = Types::new(fragments)?;
    let mut problems = check_names(files);
    let found = parse_all(files, &mut problems);
    let rules = read_rules(files, &found, &mut problems);
    let (set, classes) = name_all(&found, &rules);
    let warnings = validate(files, &types.schema, &found, &rules, &set, &mut problems);
    if problems.is_empty() && set.is_empty() {
        let reason = "no policy at all, so everything would be denied: put .cedar files here, or start from examples/policies";
        problems.push(Problem::whole("policies", reason));
    }
    if set.num_of_policies() > POLICIES_MAX {
        let reason = format!("more than {POLICIES_MAX} policies: write fewer, broader ones");
        problems.push(Problem::whole("policies", reason));
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| {
            let place = problem.place.as_ref().map(|at| (at.line, at.column));
            (problem.file.clone(), place)
        });
        problems.dedup();
        return Err(LoadError::new(problems));
    }
    let rules: Vec<Rule> = rules.into_iter().flatten().collect();
    let by_id = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| (rule.id.clone(), at))
        .collect();
    let slices = slice(&types.schema, &set)
        .ok_or_else(|| LoadError::whole("schema", "its actions cannot be listed"))?;
    let looks = rules.iter().zip(&found);
    let looks = looks.map(|(rule, found)| (rule.id.clone(), rule::attributes(&found.policy)));
    let looks: HashMap<String, BTreeSet<String>> = looks.collect();
    let attributes = looks.values().flatten().cloned().collect();
    Ok(Loaded {
        types,
        attributes,
        looks,
        rules,
        by_id,
        slices,
        classes,
        warnings,
    })
}

/// Names that a shell's `*.cedar` lists in the same order and that `sha256sum` prints as they are.
fn check_names(files: &[(String, String)]) -> Vec<Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut problems: Vec<Problem> = files
        .iter()
        .filter(|(name, _)| {
            !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(legal)
        })
        .map(|(name, _)| {
            let reason = "rename it: a policy file's name is ASCII letters, digits, dots, dashes and underscores, a \
                          letter or digit first";
            Problem::whole(name.escape_debug().to_string(), reason)
        })
        .collect();
    for pair in files.windows(2) {
        if let [(first, _), (second, _)] = pair
            && first == second
        {
            problems.push(Problem::whole(first, "given twice"));
        }
    }
    problems
}

fn parse_all(files: &[(String, String)], problems: &mut Vec<Problem>) -> Vec<Found> {
    let mut found = Vec::new();
    for (file, (name, text)) in files.iter().enumerate() {
        if text.len() > FILE_BYTES_MAX {
            let reason = format!("larger than {FILE_BYTES_MAX} bytes: split it into several files");
            problems.push(Problem::whole(name, reason));
            continue;
        }
        let set = match CedarSet::from_str(text) {
            Ok(set) => set,
            Err(errors) => {
                problems.extend(errors.iter().map(|error| located(name, text, error)));
                continue;
            }
        };
        for template in set.templates() {
            let source = template.to_cedar();
            let reason =
                "a template (?principal, ?resource): name the principal and the resource instead";
            problems.push(Problem::at(name, text, find(text, &source, 0), reason));
        }
        let mut policies: Vec<Policy> = set.policies().cloned().collect();
        policies.sort_by_key(|policy| number(policy.id()));
        let mut from = 0;
        for policy in policies {
            let source = policy.to_cedar().unwrap_or_default();
            let offset = find(text, &source, from);
            from = offset + source.len();
            found.push(Found {
                file,
                offset,
                policy,
            });
        }
    }
    found
}

/// Cedar numbers the policies of a text `policy0`, `policy1`… in their order.
fn number(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.trim_start_matches("policy")
        .parse()
        .unwrap_or(usize::MAX)
}

/// Where `source` stands in `text` from `from` on, outside comments.
fn find(text: &str, source: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(source)) {
        let offset = at + next;
        let line = text.get(..offset).and_then(|head| head.rsplit('\n').next());
        if !line.is_some_and(|line| line.contains("//")) {
            return offset;
        }
        at = offset + source.chars().next().map_or(1, char::len_utf8);
    }
    from
}

fn read_rules(
    files: &[(String, String)],
    found: &[Found],
    problems: &mut Vec<Problem>,
) -> Vec<Option<Rule>> {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut nth = (usize::MAX, 0);
    let mut rules = Vec::with_capacity(found.len());
    for item in found {
        nth = if nth.0 == item.file {
            (nth.0, nth.1 + 1)
        } else {
            (item.file, 1)
        };
        let Some((name, text)) = files.get(item.file) else {
            continue;
        };
        let mut problem = |reason: String| {
            problems.push(Problem::at(name, text, item.offset, reason));
        };
        match Rule::read(&item.policy, format!("{name}#{}", nth.1)) {
            Err(wrong) => {
                wrong.into_iter().for_each(&mut problem);
                rules.push(None);
            }
            Ok(rule) => {
                let line = text.get(..item.offset).unwrap_or_default();
                let place = format!("{name}:{}", line.matches('\n').count() + 1);
                if let Some(first) = seen.insert(rule.id.clone(), place) {
                    problem(format!(
                        "@id {:?} is taken by the policy at {first}: ids are unique across all files",
                        rule.id
                    ));
                    rules.push(None);
                } else {
                    rules.push(Some(rule));
                }
            }
        }
    }
    rules
}

/// The policies under their own ids, and the classes they name. Those with a problem of their own take part under a
/// number, so that validation sees them too.
fn name_all(found: &[Found], rules: &[Option<Rule>]) -> (CedarSet, BTreeSet<DataClass>) {
    let named = found
        .iter()
        .zip(rules)
        .enumerate()
        .map(|(at, (item, rule))| {
            let id = rule
                .as_ref()
                .map_or_else(|| nameless(at), |rule| rule.id.clone());
            item.policy.new_id(PolicyId::new(id))
        });
    let set = CedarSet::from_policies(named).unwrap_or_default();
    let classes = found
        .iter()
        .filter_map(|item| rule::classes(&item.policy).ok())
        .flatten()
        .collect();
    (set, classes)
}

fn nameless(at: usize) -> String {
    format!("\n{at}")
}

/// Validates against the schema; gives the warnings.
fn validate(
    files: &[(String, String)],
    schema: &Schema,
    found: &[Found],
    rules: &[Option<Rule>],
    set: &CedarSet,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let ids: HashMap<String, &Found> = found
        .iter()
        .zip(rules)
        .enumerate()
        .map(|(at, (item, rule))| {
            let id = rule
                .as_ref()
                .map_or_else(|| nameless(at), |rule| rule.id.clone());
            (id, item)
        })
        .collect();
    let problem = |id: &PolicyId, error: &dyn Diagnostic, reason: String| {
        let item = ids.get::<str>(id.as_ref())?;
        let (name, text) = files.get(item.file)?;
        let offset = offset(error).unwrap_or(item.offset);
        Some(Problem::at(name, text, offset, without_id(&reason)))
    };
    let validator = Validator::new(schema.clone());
    let result = validator.validate(set, ValidationMode::Strict);
    // Cedar checks a policy once for each action it applies to, in no order: one word for each place will do.
    let mut told: BTreeMap<(String, Option<(usize, usize)>), Problem> = BTreeMap::new();
    for error in result.validation_errors() {
        let reason = match error {
            ValidationError::UnrecognizedActionId(it) => {
                format!("{it}: docs/policy.md lists the actions")
            }
            other => describe(other),
        };
        if let Some(problem) = problem(error.policy_id(), error, reason) {
            let place = problem.place.as_ref().map(|at| (at.line, at.column));
            let first = told
                .entry((problem.file.clone(), place))
                .or_insert_with(|| problem.clone());
            if problem.reason < first.reason {
                *first = problem;
            }
        }
    }
    problems.extend(told.into_values());
    for (item, rule) in found.iter().zip(rules) {
        if rule.as_ref().is_some_and(|rule| rule.gate.is_some())
            && let Some((name, text)) = files.get(item.file)
            && let Some(reason) = check_gate(schema, &item.policy)
        {
            problems.push(Problem::at(name, text, item.offset, reason));
        }
    }
    let mut warnings: Vec<Problem> = result
        .validation_warnings()
        .filter_map(|warning| problem(warning.policy_id(), warning, describe(warning)))
        .collect();
    warnings.sort_by_key(|problem| {
        let line = problem.place.as_ref().map(|at| at.line);
        (problem.file.clone(), line, problem.reason.clone())
    });
    warnings.dedup_by(|a, b| (&a.file, &a.place) == (&b.file, &b.place));
    warnings.iter().map(ToString::to_string).collect()
}

/// A gate before `access` would shut the target for good, since a login waits for nobody.
fn check_gate(schema: &Schema, policy: &Policy) -> Option<String> {
    let access = uid("Action", "access")?;
    policy
        .get_valid_request_envs(schema)
        .any(|env| *env.action() == access)
        .then(|| {
            "this gate also stands before Action::\"access\", and a login cannot wait for an approval: name the actions \
             it guards, such as action in [Postgres::Action::\"write\"]"
                .to_owned()
        })
}

/// The policies whose scope lets them apply to each action.
///
/// A policy that is left out is one whose action scope is false there, so that neither its result nor an error of its
/// conditions could have come of it.
///
/// This is all the slicing there is. With policies spread evenly over three action groups a decision that is not kept costs
/// about 60 µs at 10 policies, 90 µs at 100 and 560 µs at 1,000 (unoptimized build); one that is kept, 0.4 µs. Sets of
/// thousands would want a second index, by the resource that a scope names.
fn slice(schema: &Schema, set: &CedarSet) -> Option<HashMap<EntityUid, Arc<CedarSet>>> {
    let actions = schema.action_entities().ok()?;
    let mut shared: BTreeMap<Vec<String>, Arc<CedarSet>> = BTreeMap::new();
    let mut slices = HashMap::new();
    for action in schema.actions() {
        let within = |group: &EntityUid| group == action || actions.is_ancestor_of(group, action);
        let applies = |policy: &&Policy| match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(only) => only == *action,
            ActionConstraint::In(groups) => groups.iter().any(within),
        };
        let mut policies: Vec<&Policy> = set.policies().filter(applies).collect();
        policies.sort_by_key(|policy| policy.id().to_string());
        let key = policies.iter().map(|p| p.id().to_string()).collect();
        let slice = match shared.get(&key) {
            Some(slice) => Arc::clone(slice),
            None => {
                let slice = Arc::new(CedarSet::from_policies(policies.into_iter().cloned()).ok()?);
                shared.insert(key, Arc::clone(&slice));
                slice
            }
        };
        slices.insert(action.clone(), slice);
    }
    Some(slices)
}

/// A Cedar error in words, with its help.
pub(crate) fn describe(error: &dyn Diagnostic) -> String {
    let label = error
        .labels()
        .and_then(|mut labels| labels.find_map(|label| label.label().map(str::to_owned)));
    let mut text = error.to_string();
    if let Some(label) = label {
        text = format!("{text} ({label})");
    }
    match error.help() {
        None => text,
        Some(help) => format!("{text}: {help}"),
    }
}

fn offset(error: &dyn Diagnostic) -> Option<usize> {
    Some(error.labels()?.next()?.offset())
}

/// The place says which policy it is; Cedar's own prefix would say it again.
fn without_id(text: &str) -> String {
    let rest = text
        .strip_prefix("for policy `")
        .and_then(|rest| rest.split_once("`, "))
        .map(|(_, rest)| rest);
    rest.unwrap_or(text).to_owned()
}

fn located(name: &str, text: &str, error: &dyn Diagnostic) -> Problem {
    match offset(error) {
        Some(offset) => Problem::at(name, text, offset, describe(error)),
        None => Problem::whole(name, describe(error)),
    }
}
