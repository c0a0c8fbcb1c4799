//! A request as the AWS CLI would make it, for people who read what was asked.
//!
//! It is made of what was recorded, so what is hidden there is hidden here, and it is no more than that: what the CLI writes
//! otherwise than the request has it (the files of bodies, parameters of deep forms) stands as a word, or a comment behind the
//! command says that it is left out.

use super::command::is_signature;
use super::route::Path;
use super::table::{Operation, Route, Service, TABLE};
use crate::http::{Head, escape};

/// Services that the CLI calls otherwise than botocore.
const RENAMED: [(&str, &str); 3] = [
    ("codedeploy", "deploy"),
    ("config", "configservice"),
    ("s3", "s3api"),
];
/// Names that are words in themselves.
const WORDS: [(&str, &str); 4] = [
    ("HITs", "Hits"),
    ("HIT", "Hit"),
    ("PartiQL", "Partiql"),
    ("iSCSI", "Iscsi"),
];
/// Header fields of S3 that are parameters, beside those that begin with `x-amz-`.
const FIELDS: [&str; 12] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "range",
];
/// Header fields of S3 that the CLI calls otherwise, without `x-amz-`.
const OPTIONS: [(&str, &str); 11] = [
    (
        "bucket-object-lock-enabled",
        "object-lock-enabled-for-bucket",
    ),
    (
        "copy-source-server-side-encryption-customer-algorithm",
        "copy-source-sse-customer-algorithm",
    ),
    (
        "copy-source-server-side-encryption-customer-key",
        "copy-source-sse-customer-key",
    ),
    (
        "copy-source-server-side-encryption-customer-key-md5",
        "copy-source-sse-customer-key-md5",
    ),
    ("object-lock-legal-hold", "object-lock-legal-hold-status"),
    ("sdk-checksum-algorithm", "checksum-algorithm"),
    ("server-side-encryption-aws-kms-key-id", "ssekms-key-id"),
    (
        "server-side-encryption-context",
        "ssekms-encryption-context",
    ),
    (
        "server-side-encryption-customer-algorithm",
        "sse-customer-algorithm",
    ),
    ("server-side-encryption-customer-key", "sse-customer-key"),
    (
        "server-side-encryption-customer-key-md5",
        "sse-customer-key-md5",
    ),
];
const METADATA: &str = "x-amz-meta-";
/// Fields that are of every request.
const OF_ALL: [&str; 5] = [
    "accept",
    "content-encoding",
    "content-type",
    "user-agent",
    "x-amzn-query-mode",
];
/// Operations of S3 that write and have no body.
const BODILESS: [&str; 4] = [
    "CopyObject",
    "CreateMultipartUpload",
    "RenameObject",
    "UploadPartCopy",
];
/// So many names of what is left out are told.
const OMITTED_MAX: usize = 8;
/// Fields that say how the client works.
const OF_CLIENTS: [&str; 3] = ["x-amz-user-agent", "x-amz-trailer", "x-amz-te"];

/// The command for what was recorded of a request: its tag, its text and its body. `None` where the operation is not known.
#[must_use]
pub fn command(tag: &str, text: &str, body: Option<&str>) -> Option<String> {
    // What is told of it beside stands behind a space.
    let tag = tag.split(' ').next().unwrap_or(tag);
    let (prefix, name) = tag.split_once(':')?;
    let known = |service: &&Service| service.prefix == prefix && service.operation(name).is_some();
    let service = TABLE.services().iter().find(known)?;
    let operation = service.operation(name)?;
    let mut lines = text.lines();
    let region = lines.next()?.rsplit(' ').next().unwrap_or_default();
    let head = head(lines)?;
    let renamed = RENAMED.iter().find(|(name, _)| *name == service.name);
    let called = renamed.map_or(service.name, |(_, called)| called);
    let mut words = Words::new(format!("aws {called} {}", kebab(name)));
    words.put("region", region);
    match &operation.route {
        Some(route) => rest(&mut words, service, (operation, route), &head, body)?,
        None => by_name(&mut words, &head, body),
    }
    Some(words.finish())
}

/// The head of a recorded request: its first line and its fields.
fn head<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Head> {
    let (method, target) = lines.next()?.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query: (!query.is_empty()).then(|| query.to_owned()),
        fields: lines.filter_map(|line| line.split_once(": ")).collect(),
    })
}

fn rest(
    words: &mut Words,
    service: &Service,
    (operation, route): (&Operation, &Route),
    head: &Head,
    body: Option<&str>,
) -> Option<()> {
    let query = escape::pairs(head.query.as_deref().unwrap_or_default()).ok()?;
    let (_, labels) = route.fits(head, &Path::of(&head.path), &query)?;
    for (name, value) in &labels {
        words.put(&kebab(name), value);
    }
    // `?delete` is the operation, in whichever of its two ways it is written.
    let fixed = |name: &str, given: &str| {
        let named = |(it, value): &(&str, Option<&str>)| {
            *it == name && (value.is_some() || given.is_empty())
        };
        name == "x-id" || name == "list-type" || is_signature(name) || route.query.iter().any(named)
    };
    for (name, value) in query.iter().filter(|(name, value)| !fixed(name, value)) {
        words.put(&kebab(name), value);
    }
    if service.name != "s3" {
        words.input(body);
        let other = |name: &&str| !OF_ALL.contains(name) && !OF_CLIENTS.contains(name);
        let fields = head.fields.iter().map(|(name, _)| name);
        fields.filter(other).for_each(|name| words.omit(name));
        return Some(());
    }
    let mut metadata = Vec::new();
    for (name, value) in head.fields.iter() {
        if let Some(name) = name.strip_prefix(METADATA) {
            metadata.push(format!("{name}={value}"));
        } else if OF_CLIENTS.contains(&name) {
        } else if let Some(name) = name.strip_prefix("x-amz-") {
            let called = OPTIONS.iter().find(|(it, _)| *it == name);
            words.put(called.map_or(name, |(_, called)| called), value);
        } else if FIELDS.contains(&name) {
            words.put(name, value);
        } else if !OF_ALL.contains(&name) {
            words.omit(name);
        }
    }
    if !metadata.is_empty() {
        words.put("metadata", &metadata.join(","));
    }
    match (operation.name, body) {
        ("PutObject" | "UploadPart", Some(_)) => words.text.push_str(" --body FILE"),
        ("GetObject", _) => words.text.push_str(" FILE"),
        (_, Some(body)) if has_body(operation, head, body) => words.omit("the body"),
        _ => {}
    }
    Some(())
}

/// Whether a request of S3 had a body. Of one that passes by it is only known that it may.
fn has_body(operation: &Operation, head: &Head, body: &str) -> bool {
    let none = matches!(head.method.as_str(), "GET" | "HEAD" | "DELETE")
        || BODILESS.contains(&operation.name);
    !(none || is_empty(body))
}

/// Whether a body that is told by its digest was empty.
fn is_empty(body: &str) -> bool {
    const NOTHING: &str =
        "<SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855>";
    body.is_empty() || body == NOTHING
}

/// Forms and JSON, whose parameters stand in the body.
fn by_name(words: &mut Words, head: &Head, body: Option<&str>) {
    let body = body.unwrap_or_default();
    if head.fields.has("x-amz-target") || head.fields.has("smithy-protocol") {
        words.input(Some(body));
        return;
    }
    let query = escape::pairs(head.query.as_deref().unwrap_or_default()).unwrap_or_default();
    let form = body.lines().filter_map(|line| line.split_once('='));
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (name, value) in query.into_iter().chain(form) {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        if matches!(first, "Action" | "Version") || is_signature(first) {
            continue;
        }
        let simple =
            parts.all(|part| part == "member" || part.bytes().all(|it| it.is_ascii_digit()));
        if simple {
            words.put(&kebab(first), &value);
        } else {
            words.omit(&name);
        }
    }
}

/// The words of a command so far, and the names of what is left out.
struct Words {
    text: String,
    omitted: Vec<String>,
}

impl Words {
    fn new(text: String) -> Self {
        Self {
            text,
            omitted: Vec::new(),
        }
    }

    /// Says that something is left out.
    fn omit(&mut self, name: &str) {
        // A comment ends with its line.
        let plain = |c: char| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        };
        let name: String = name.chars().map(plain).collect();
        if !self.omitted.contains(&name) {
            self.omitted.push(name);
        }
    }

    /// The body of a request in JSON.
    fn input(&mut self, body: Option<&str>) {
        match body.unwrap_or_default() {
            "{}" => {}
            body if is_empty(body) => {}
            body if body.starts_with('{') => self.put("cli-input-json", body),
            _ => self.omit("the body"),
        }
    }

    fn finish(self) -> String {
        let Self {
            mut text,
            mut omitted,
        } = self;
        if omitted.is_empty() {
            return text;
        }
        let more = omitted.len().saturating_sub(OMITTED_MAX);
        omitted.truncate(OMITTED_MAX);
        text.push_str("  # not shown: ");
        text.push_str(&omitted.join(", "));
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text
    }

    fn put(&mut self, name: &str, value: &str) {
        self.text.push_str(" --");
        self.text.push_str(name);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@+".contains(&byte);
        // What begins with a dash would be an option of its own.
        self.text
            .push(if value.starts_with('-') { '=' } else { ' ' });
        if !value.is_empty() && value.bytes().all(plain) {
            self.text.push_str(value);
        } else {
            // As a shell takes it for what it is.
            self.text.push('\'');
            self.text.push_str(&value.replace('\'', r"'\''"));
            self.text.push('\'');
        }
    }
}

/// A name as the CLI writes it (botocore's `xform_name`): `ListObjectsV2` is `list-objects-v2`.
fn kebab(name: &str) -> String {
    let name = WORDS
        .iter()
        .fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    // A plural of capitals is one word: `DescribeARNs`.
    let ends = name.strip_suffix('s').is_some_and(|it| {
        it.bytes()
            .rev()
            .take(2)
            .filter(u8::is_ascii_uppercase)
            .count()
            == 2
    });
    let chars: Vec<char> = if ends {
        let capitals = name.trim_end_matches('s').bytes().rev();
        let count = capitals.take_while(u8::is_ascii_uppercase).count();
        let (before, last) = name.split_at(name.len() - count - 1);
        let mut last = last.to_lowercase();
        if let Some(first) = last.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        before.chars().chain(last.chars()).collect()
    } else {
        name.chars().collect()
    };
    let mut out = String::with_capacity(name.len() + 8);
    for (place, &c) in chars.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|it| chars.get(it));
        let after = chars.get(place + 1);
        let begins = before.is_some_and(|before| {
            let lower = before.is_ascii_lowercase() || before.is_ascii_digit();
            let word = after.is_some_and(char::is_ascii_lowercase);
            c.is_ascii_uppercase() && (lower || word && *before != '-')
                || c.is_ascii_digit() && before.is_ascii_lowercase()
        });
        if begins {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_cli() {
        for (name, expect) in [
            ("ListObjectsV2", "list-objects-v2"),
            ("GetItem", "get-item"),
            ("CreateDBInstance", "create-db-instance"),
            ("DescribeVpcEndpoints", "describe-vpc-endpoints"),
            ("uploadId", "upload-id"),
            ("versionId", "version-id"),
            ("max-keys", "max-keys"),
            (
                "DescribeStorediSCSIVolumes",
                "describe-stored-iscsi-volumes",
            ),
            ("ExecutePartiQLStatement", "execute-partiql-statement"),
        ] {
            assert_eq!(kebab(name), expect);
        }
    }

    #[test]
    fn requests_are_commands() {
        for (tag, text, body, expect) in [
            (
                "s3:GetObject",
                "s3:GetObject eu-central-1\nGET /lake/a%20b?versionId=7&x-id=GetObject\nrange: bytes=0-9\n",
                None,
                Some(
                    "aws s3api get-object --region eu-central-1 --bucket lake --key 'a b' --version-id 7 --range bytes=0-9 FILE",
                ),
            ),
            (
                "s3:PutObject",
                "s3:PutObject eu-central-1\nPUT /lake/it's\ncontent-type: text/plain\nx-amz-acl: private\nx-amz-meta-of: a b\n",
                Some("<SHA-256 00>"),
                Some(
                    r"aws s3api put-object --region eu-central-1 --bucket lake --key 'it'\''s' --content-type text/plain --acl private --metadata 'of=a b' --body FILE",
                ),
            ),
            (
                "dynamodb:GetItem",
                "dynamodb:GetItem eu-central-1\nPOST /\ncontent-type: application/x-amz-json-1.0\nx-amz-target: DynamoDB_20120810.GetItem\n",
                Some(r#"{"TableName":"t"}"#),
                Some(
                    r#"aws dynamodb get-item --region eu-central-1 --cli-input-json '{"TableName":"t"}'"#,
                ),
            ),
            (
                "ec2:DescribeInstances",
                "ec2:DescribeInstances eu-central-1\nPOST /\n",
                Some(
                    "Action=DescribeInstances\nVersion=2016-11-15\nInstanceId.1=i-1\nFilter.1.Name=x\nMaxResults=5",
                ),
                Some(
                    "aws ec2 describe-instances --region eu-central-1 --instance-id i-1 --max-results 5  # not shown: Filter.1.Name",
                ),
            ),
            (
                "lambda:GetFunction",
                "lambda:GetFunction eu-central-1\nGET /2015-03-31/functions/f?Qualifier=1\n",
                None,
                Some(
                    "aws lambda get-function --region eu-central-1 --function-name f --qualifier 1",
                ),
            ),
            (
                "s3:unknown",
                "s3:unknown eu-central-1\nGET /a\n",
                None,
                None,
            ),
        ] {
            assert_eq!(command(tag, text, body).as_deref(), expect, "{tag}");
        }
    }

    #[test]
    fn what_is_empty_is_an_argument_and_no_body() {
        for (tag, text, body, expect) in [
            (
                "s3:ListObjectsV2",
                "s3:ListObjectsV2 eu-central-1\nGET /lake?delimiter=%2F&list-type=2&prefix=\n",
                Some("<SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855>"),
                Some(
                    "aws s3api list-objects-v2 --region eu-central-1 --bucket lake --delimiter / --prefix ''",
                ),
            ),
            (
                "s3:HeadObject",
                "s3:HeadObject eu-central-1\nHEAD /lake/a\n",
                Some("<streamed>"),
                Some("aws s3api head-object --region eu-central-1 --bucket lake --key a"),
            ),
            (
                "s3:CreateMultipartUpload",
                "s3:CreateMultipartUpload eu-central-1\nPOST /lake/a?uploads\n",
                Some("<streamed>"),
                Some(
                    "aws s3api create-multipart-upload --region eu-central-1 --bucket lake --key a",
                ),
            ),
        ] {
            assert_eq!(command(tag, text, body).as_deref(), expect, "{tag}");
        }
    }

    #[test]
    fn what_begins_with_a_dash_is_no_option() {
        let said = command(
            "s3:GetObject",
            "s3:GetObject eu-central-1\nGET /lake/-o--profile%20x?versionId=-1\n",
            None,
        );
        assert_eq!(
            said.as_deref(),
            Some(
                "aws s3api get-object --region eu-central-1 --bucket lake --key='-o--profile x' --version-id=-1 FILE"
            )
        );
    }

    #[test]
    fn what_is_left_out_is_told() {
        for (tag, text, body, expect) in [
            (
                "s3:PutObject",
                "s3:PutObject eu-central-1\nPUT /lake/a\nx-amz-server-side-encryption-aws-kms-key-id: k\nx-odd: 1\n",
                Some("<SHA-256 00>"),
                Some(
                    "aws s3api put-object --region eu-central-1 --bucket lake --key a --ssekms-key-id k --body FILE  # not shown: x-odd",
                ),
            ),
            (
                "s3:DeleteObjects",
                "s3:DeleteObjects eu-central-1\nPOST /lake?delete=\n",
                Some("<Delete><Object><Key>a</Key></Object></Delete>"),
                Some(
                    "aws s3api delete-objects --region eu-central-1 --bucket lake  # not shown: the body",
                ),
            ),
            (
                "lambda:Invoke",
                "lambda:Invoke eu-central-1\nPOST /2015-03-31/functions/f/invocations\nx-amz-invocation-type: Event\n",
                Some("<7 bytes, SHA-256 00>"),
                Some(
                    "aws lambda invoke --region eu-central-1 --function-name f  # not shown: the body, x-amz-invocation-type",
                ),
            ),
        ] {
            assert_eq!(command(tag, text, body).as_deref(), expect, "{tag}");
        }
        let odd: String = (0..10)
            .map(|number| format!("\nA.{number}.b\u{7}=1"))
            .collect();
        let ec2 = "ec2:DescribeInstances eu-central-1\nPOST /\n";
        let told = command("ec2:DescribeInstances", ec2, Some(&odd)).unwrap();
        assert!(told.ends_with("A.6.b?, A.7.b? and 2 more"), "{told}");
    }
}
