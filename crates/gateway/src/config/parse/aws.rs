//! Targets that speak AWS's APIs.

use std::time::Duration;

use model::DataClass;
use protocols::aws::answers::{self, Answers, Member, Pattern};
use protocols::aws::objects::{Declared, Form, MediaType, Name};
use protocols::aws::sts;

use super::super::read::{Item, Section};
use super::super::{
    AwsChain, AwsCredentials, AwsKeys, AwsRole, AwsTarget, ConfigError, Endpoint, KeySource,
};
use super::classes::{find, strategies};
use super::{OwnClasses, count, host_port, labels, path, secret, text};

/// So much of a body is kept unless the file says otherwise.
const RECORDED_BYTES: usize = 64 << 10;

pub(super) fn target(mut section: Section<'_>, own: &OwnClasses) -> Result<AwsTarget, ConfigError> {
    let region = section.need("region", "\"eu-central-1\"")?;
    let name = region.text()?;
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(region.error("is not a region: write one like \"eu-central-1\""));
    }
    let target = AwsTarget {
        region: name,
        endpoint: section
            .take("endpoint")
            .map(|item| endpoint(&item))
            .transpose()?,
        ca: path(&mut section, "ca")?,
        credentials: credentials(
            section
                .need(
                    "credentials",
                    "{ access_key = \"AKIA…\", secret_key = { env = \"…\" } } or { chain = [\"instance\"] }",
                )?
                .section()?,
        )?,
        role: section
            .take("role")
            .map(|item| role(item.section()?))
            .transpose()?,
        account_id: section.take("account").map(account).transpose()?,
        recorded_bytes: count(
            &mut section,
            "recorded_bytes",
            RECORDED_BYTES,
            0..=16 << 20,
        )?,
        labels: labels(section.section("labels")?)?,
        strategies: strategies(section.section("strategies")?)?,
        find: find(section.section("find")?, own)?,
        own: own.clone(),
        objects: objects(section.take("objects"))?,
        answers: answers(section.take("answers"))?,
    };
    section.finish()?;
    Ok(target)
}

fn account(item: Item<'_>) -> Result<String, ConfigError> {
    let wrong = item.error("is no account's id: write its twelve digits, as text");
    let id = item.text()?;
    let digits = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Ok(id) } else { Err(wrong) }
}

fn objects(item: Option<Item<'_>>) -> Result<Vec<Declared>, ConfigError> {
    let list = item.map_or(Ok(Vec::new()), Item::list)?;
    list.into_iter()
        .map(|item| declared(item.section()?))
        .collect()
}

fn declared(mut section: Section<'_>) -> Result<Declared, ConfigError> {
    let bucket = section.need("bucket", "\"reports\"")?.text()?;
    let prefix = text(&mut section, "prefix")?.unwrap_or_default();
    let content_type = section.take("content_type").map(media_type).transpose()?;
    let tags = labels(section.section("tags")?)?;
    let (form, names) = contents(&mut section)?;
    section.finish()?;
    Ok(Declared {
        bucket,
        prefix,
        content_type,
        tags,
        form,
        names,
    })
}

fn answers(item: Option<Item<'_>>) -> Result<Vec<Answers>, ConfigError> {
    let list = item.map_or(Ok(Vec::new()), Item::list)?;
    list.into_iter()
        .map(|item| answer(item.section()?))
        .collect()
}

fn answer(mut section: Section<'_>) -> Result<Answers, ConfigError> {
    let item = section.need("service", "\"dynamodb\"")?;
    let service = item.text()?;
    answers::known_service(&service).map_err(|error| item.error(error.to_string()))?;
    let operation = match section.take("operation") {
        None => None,
        Some(item) => {
            let name = item.text()?;
            let known = answers::known_operation(&service, &name);
            known.map_err(|error| item.error(error.to_string()))?;
            Some(name)
        }
    };
    let resource = match section.take("resource") {
        None => None,
        Some(item) => {
            let pattern = Pattern::read(&item.text()?, &service);
            Some(pattern.map_err(|error| item.error(error.to_string()))?)
        }
    };
    let members = section.section("members")?.rest().into_iter();
    let member = |(name, item): (String, Item<'_>)| {
        let member = Member::read(&name, &service);
        Ok((
            member.map_err(|error| item.error(error.to_string()))?,
            class(&item)?,
        ))
    };
    let members = members.map(member).collect::<Result<Vec<_>, _>>()?;
    let column = |(name, item): (String, Item<'_>)| {
        let known = answers::has_columns(&service);
        known.map_err(|error| item.error(error.to_string()))?;
        Ok((name, class(&item)?))
    };
    let columns = section.section("columns")?.rest().into_iter();
    let columns = columns.map(column).collect::<Result<Vec<_>, _>>()?;
    if members.is_empty() && columns.is_empty() {
        return Err(section.error("needs members or columns, each { name = \"class\" }"));
    }
    section.finish()?;
    Ok(Answers {
        service,
        operation,
        resource,
        members,
        columns,
    })
}

fn class(item: &Item<'_>) -> Result<DataClass, ConfigError> {
    DataClass::try_from(item.text()?).map_err(|error| item.error(error.to_string()))
}

fn media_type(item: Item<'_>) -> Result<MediaType, ConfigError> {
    let wrong = item.error("is no content type: write one like \"text/csv\" or \"text/*\"");
    MediaType::read(&item.text()?).ok_or(wrong)
}

/// How objects are written, and what in them holds which class.
fn contents(section: &mut Section<'_>) -> Result<(Form, Vec<(Name, DataClass)>), ConfigError> {
    let separator = match section.take("separator") {
        None => b',',
        Some(item) => match *item.text()?.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => byte,
            _ => return Err(item.error("is not one ASCII character: write one like \";\"")),
        },
    };
    let header = section.take("header").map(|item| item.flag());
    let header = header.transpose()?.unwrap_or(true);
    let forms = [
        ("columns", Form::Csv { separator, header }),
        ("members", Form::Json),
        ("elements", Form::Xml),
    ];
    let mut found = Vec::new();
    for (key, form) in forms {
        if let Some(item) = section.take(key) {
            found.push((form, classes(item.section()?, form)?));
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(section.error(
            "needs one of columns (CSV), members (JSON) and elements (XML), each { name = \"class\" }",
        )),
    }
}

fn classes(mut section: Section<'_>, form: Form) -> Result<Vec<(Name, DataClass)>, ConfigError> {
    let class = |(name, item): (String, Item<'_>)| {
        let name = Name::read(&name, form).map_err(|error| item.error(error.to_string()))?;
        Ok((name, self::class(&item)?))
    };
    section.rest().into_iter().map(class).collect()
}

fn endpoint(item: &Item<'_>) -> Result<Endpoint, ConfigError> {
    let text = item.text()?;
    let bad = || {
        item.error("is not an endpoint: write https://host, with a port if need be and without a path (http only on loopback)")
    };
    let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(bad()),
    };
    let port = if tls { 443 } else { 80 };
    let address = host_port(rest.trim_end_matches('/'), port).ok_or_else(bad)?;
    if !tls && !address.is_loopback() {
        return Err(bad());
    }
    Ok(Endpoint { tls, address })
}

fn credentials(mut section: Section<'_>) -> Result<AwsCredentials, ConfigError> {
    let credentials = match section.take("chain") {
        Some(sources) => AwsCredentials::Chain(AwsChain {
            sources: chain(sources)?,
            profile: text(&mut section, "profile")?,
        }),
        None => AwsCredentials::Keys(keys(&mut section)?),
    };
    section.finish()?;
    Ok(credentials)
}

fn keys(section: &mut Section<'_>) -> Result<AwsKeys, ConfigError> {
    let item = section.need("access_key", "\"AKIA…\"")?;
    let access_key = item.text()?;
    if access_key.len() > 128 || !access_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(item.error("is not an access key id: letters and digits, such as AKIA…"));
    }
    Ok(AwsKeys {
        access_key,
        secret_key: secret(section.need("secret_key", "{ env = \"…\" }")?)?,
        session_token: section.take("session_token").map(secret).transpose()?,
    })
}

fn chain(item: Item<'_>) -> Result<Vec<KeySource>, ConfigError> {
    let empty = item.error("is empty: name at least one place, such as [\"instance\"]");
    let words = KeySource::ALL.map(|source| (source.name(), source));
    let sources: Vec<_> = item
        .list()?
        .iter()
        .map(|item| item.word(&words))
        .collect::<Result<_, _>>()?;
    if sources.is_empty() {
        return Err(empty);
    }
    Ok(sources)
}

fn role(mut section: Section<'_>) -> Result<AwsRole, ConfigError> {
    let item = section.need("arn", "\"arn:aws:iam::123456789012:role/countersign\"")?;
    let arn = item.text()?;
    if !is_role(&arn) {
        return Err(item.error(
            "is not a role: write its ARN, like arn:aws:iam::123456789012:role/countersign",
        ));
    }
    let mut duration = Duration::from_secs(3_600);
    if let Some(item) = section.take("duration") {
        duration = item.duration()?;
        if !sts::DURATION_SECS.contains(&i64::try_from(duration.as_secs()).unwrap_or(0)) {
            return Err(item.error("must be from 15m to 12h, as AWS has it"));
        }
    }
    let role = AwsRole {
        arn,
        external_id: text(&mut section, "external_id")?,
        duration,
        sts: section
            .take("sts")
            .map(|item| endpoint(&item))
            .transpose()?,
    };
    section.finish()?;
    Ok(role)
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [first, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    (*first, *service, *region) == ("arn", "iam", "")
        && !partition.is_empty()
        && !account.is_empty()
        && !name.is_empty()
        && arn.len() <= 2_048
        && arn.bytes().all(|byte| byte.is_ascii_graphic())
}
