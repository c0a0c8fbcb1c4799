//! Objects that a request reads beside: the source of a copy, and what is renamed.
//!
//! Servers read these fields in more ways than one: `+` as a space, a scheme before the bucket, what follows `?` or `#` cut
//! off. So what is not of one plain form is not read, and what was read is written anew before it goes on.

use crate::http::escape;

/// Names the source of a copy.
pub(super) const COPY: &str = "x-amz-copy-source";
/// Names the object that is renamed.
pub(super) const RENAME: &str = "x-amz-rename-source";

/// An object of another bucket or the same, maybe in one version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    version: Option<String>,
}

impl Source {
    /// Reads `bucket/key`, escaped, with a slash before it or without and with `?versionId=…` behind it or without. `None`
    /// for anything else.
    pub(super) fn read(value: &str) -> Option<Self> {
        let (path, version) = match value.split_once('?') {
            Some((path, query)) => {
                let id = query.strip_prefix("versionId=")?;
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                let plain = !id.is_empty() && id.bytes().all(plain);
                (path, Some(plain.then(|| id.to_owned())?))
            }
            None => (value, None),
        };
        let path = read(path)?;
        let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let named = bucket.starts_with(|c: char| c.is_ascii_alphanumeric());
        (named && bucket.bytes().all(plain) && !key.is_empty()).then(|| Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version,
        })
    }

    fn written(&self) -> String {
        let version = self.version.as_deref();
        let version = version.map_or(String::new(), |id| format!("?versionId={id}"));
        let Self { bucket, key, .. } = self;
        format!("{bucket}/{}{version}", escape::encode_path(key))
    }
}

/// The keys in `bucket` that an object which is renamed may have, as servers read the field: all of it, or what follows a
/// slash or the bucket's name.
pub(super) fn renamed(value: &str, bucket: &str) -> Option<Vec<String>> {
    let path = read(value)?;
    let bare = path.strip_prefix('/').unwrap_or(&path);
    let inner = bare
        .strip_prefix(bucket)
        .and_then(|it| it.strip_prefix('/'));
    let mut keys = vec![path.as_str(), bare];
    keys.extend(inner);
    keys.dedup();
    let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
    keys.iter().all(|key| !key.is_empty()).then_some(keys)
}

/// The field of this name with the value as it goes on: what was understood of it. What was not stays as it is, which policy
/// must have permitted by name.
pub(super) fn written(name: &str, value: &str) -> Option<String> {
    match name {
        COPY => Source::read(value).map(|it| it.written()),
        RENAME => read(value).map(|it| escape::encode_path(&it)),
        _ => None,
    }
}

/// An escaped path in which nothing begins a query or fragment.
fn read(value: &str) -> Option<String> {
    if value.contains(['?', '#']) {
        return None;
    }
    escape::decode(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_in_one_way_or_not_at_all() {
        for (value, bucket, key, onward) in [
            ("b/a/c", "b", "a/c", "b/a/c"),
            ("/b/k%20x", "b", "k x", "b/k%20x"),
            ("b/a+b.txt", "b", "a+b.txt", "b/a%2Bb.txt"),
            ("b/a%2Bb.txt", "b", "a+b.txt", "b/a%2Bb.txt"),
            ("b%2Fa%3Fb%23c", "b", "a?b#c", "b/a%3Fb%23c"),
            ("b/ü", "b", "ü", "b/%C3%BC"),
            ("b//k", "b", "/k", "b//k"),
            ("/b/k?versionId=x.1-_", "b", "k", "b/k?versionId=x.1-_"),
        ] {
            let source = Source::read(value).unwrap();
            assert_eq!(
                (source.bucket.as_str(), source.key.as_str()),
                (bucket, key),
                "{value}"
            );
            assert_eq!(written(COPY, value).as_deref(), Some(onward), "{value}");
            assert_eq!(written(COPY, onward).as_deref(), Some(onward), "{value}");
        }
        for odd in [
            "b",
            "b/",
            "/b",
            "//b/k",
            "./b/k",
            "../b/k",
            "x://y/vault/v.txt",
            "t:b/k",
            "b/k?x",
            "b/k?versionId=",
            "b/k?versionId=1&versionId=2",
            "b/k?versionId=1%26",
            "b/k?a&versionId=1",
            "b/k#x",
            "b/k#/../y",
            "b/%zz",
            "arn:aws:s3:r:1:accesspoint/p/object/k",
        ] {
            assert_eq!(Source::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_renamed_is_named_by_each_reading() {
        assert_eq!(renamed("k%2Fl+m", "b").unwrap(), ["k/l+m"]);
        assert_eq!(renamed("b/k", "b").unwrap(), ["b/k", "k"]);
        assert_eq!(renamed("/b/k", "b").unwrap(), ["/b/k", "b/k", "k"]);
        assert_eq!(written(RENAME, "b/k+l").as_deref(), Some("b/k%2Bl"));
        for odd in ["", "/", "b/", "k?x", "k#x"] {
            assert_eq!(renamed(odd, "b"), None, "{odd}");
        }
    }
}
