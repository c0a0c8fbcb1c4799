//! Whose a resource is: the short name is for what is of the target's own account and of the region that is asked.

use std::borrow::Cow;

use super::table::{Operation, Service};

/// The account behind a target, and the region that a request is signed for.
pub(super) struct Home<'a> {
    /// The account's id, where it is known.
    pub(super) account: Option<&'a str>,
    pub(super) region: &'a str,
    /// What is asked: an ARN names it only where it is of its service and type.
    pub(super) asked: Option<(&'a Service, &'a Operation)>,
}

impl Home<'_> {
    /// Whether an account is the target's own. Of one that is not known none is.
    pub(super) fn owns(&self, account: &str) -> bool {
        self.account == Some(account)
    }

    /// The name of a resource as policy has it. An ARN of the target's own account and region, or of none, is the
    /// resource's own name where it is of the service and of a type that the operation is about; any other stays whole. A queue's URL is its name, behind its account where that is another.
    pub(super) fn name(&self, value: &str) -> String {
        self.short(value).into_owned()
    }

    fn short<'v>(&self, value: &'v str) -> Cow<'v, str> {
        if let Some(rest) = value.strip_prefix("arn:") {
            return Cow::Borrowed(self.of_arn(rest).unwrap_or(value));
        }
        match queue(value) {
            Some((account, name)) if self.owns(account) => Cow::Borrowed(name),
            Some((account, name)) => Cow::Owned(format!("{account}/{name}")),
            None => Cow::Borrowed(value),
        }
    }

    /// `partition:service:region:account:resource` (AWS General Reference, "Amazon Resource Names").
    fn of_arn<'v>(&self, rest: &'v str) -> Option<&'v str> {
        let mut parts = rest.splitn(5, ':').skip(1);
        let service = parts.next()?;
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let here = region.is_empty() || region == self.region;
        let own = account.is_empty() || self.owns(account);
        // The type ends at the first of either; both may stand in the name.
        let name = match resource.split_once(['/', ':']) {
            Some(("alias", _)) | None => resource,
            Some((_, name)) => name,
        };
        (here && own && self.expects(service, resource)).then_some(name)
    }

    /// Whether a resource of a service may be what an operation is done to.
    fn expects(&self, service: &str, resource: &str) -> bool {
        let Some((asked, operation)) = self.asked else {
            return true;
        };
        let own = |it: &str| it == asked.prefix;
        let is_type = |kind: &&str| {
            let (of, begins) = kind.split_once('|').unwrap_or((asked.prefix, kind));
            of == service && resource.starts_with(begins)
        };
        if operation.types.is_empty() {
            return own(service)
                || asked.arns.contains(&service)
                || asked.signed_as.contains(&service);
        }
        operation.types.iter().any(is_type)
    }
}

/// Account and name in `https://host/account/name`.
fn queue(value: &str) -> Option<(&str, &str)> {
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))?;
    let mut parts = rest.split('/').skip(1);
    let (account, name) = (parts.next()?, parts.next()?);
    let digits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let named = !name.is_empty() && name.bytes().all(plain);
    (digits && named && parts.next().is_none()).then_some((account, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_targets_own_has_a_short_name() {
        let home = Home {
            account: Some("111111111111"),
            region: "eu-west-1",
            asked: None,
        };
        for (value, name) in [
            ("payments", "payments"),
            (
                "arn:aws:dynamodb:eu-west-1:111111111111:table/payments",
                "payments",
            ),
            ("arn:aws:sns:eu-west-1:111111111111:topic", "topic"),
            ("arn:aws:lambda:eu-west-1:111111111111:function:f", "f"),
            ("arn:aws:s3:::bucket", "bucket"),
            (
                "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db",
                "prod/db",
            ),
            (
                "arn:aws:logs:eu-west-1:111111111111:log-group:/app/api",
                "/app/api",
            ),
            ("arn:aws:kms:eu-west-1:111111111111:alias/a", "alias/a"),
            (
                "https://sqs.eu-west-1.amazonaws.com/111111111111/q.fifo",
                "q.fifo",
            ),
            ("http://h:1/666666666666/q", "666666666666/q"),
        ] {
            assert_eq!(home.name(value), name);
        }
        for other in [
            "arn:aws:dynamodb:eu-west-1:666666666666:table/payments",
            "arn:aws:dynamodb:us-east-1:111111111111:table/payments",
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:sns:eu-west-1:111111111111",
            "https://x/111111111111/secret?/allowed",
            "https://x/111111111111/secret#/allowed",
            "https://x/111111111111/secret/allowed",
            "https://x/allowed",
        ] {
            assert_eq!(home.name(other), other);
        }
        let unknown = Home {
            account: None,
            region: "eu-west-1",
            asked: None,
        };
        let arn = "arn:aws:sns:eu-west-1:111111111111:topic";
        assert_eq!(unknown.name(arn), arn);
    }
}
