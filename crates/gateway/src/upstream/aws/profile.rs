//! The shared files of AWS's tools, `~/.aws/config` and `~/.aws/credentials` (AWS SDKs and Tools Reference Guide, "Shared config
//! and credentials files"), and the process that a profile may name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use model::{Secret, Timestamp};
use protocols::http::sigv4::Credentials;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::ask::Asker;
use super::chain::{Env, Found, by_token, read, variables};
use super::keys::Keys;
use super::metadata;
use super::sts::{OwnRole, Sts};

/// A shared file is at most so large.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Profiles that are each other's source, one after the other, at most.
const SOURCES_MAX: usize = 5;
/// The keys of a role are asked for so long unless its profile says otherwise, in seconds: AWS's own choice.
const ROLE_SECS: u64 = 3_600;
/// A process may write so much.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// And take so long.
const PROCESS_WITHIN: Duration = Duration::from_secs(60);

/// The settings of a profile, from both files.
type Profile = BTreeMap<String, String>;

/// What profiles are looked up with.
pub(super) struct Around<'a> {
    pub(super) sts: &'a Sts,
    pub(super) near: &'a Asker,
    pub(super) env: Env<'a>,
    pub(super) now: Timestamp,
}

/// What a profile gives: `name`, or the environment's, or `default`.
pub(super) async fn find(name: Option<&str>, around: &Around<'_>) -> Found {
    let wanted = name
        .map(str::to_owned)
        .or_else(|| (around.env)("AWS_PROFILE"));
    let name = wanted.as_deref().unwrap_or("default");
    let Some(profile) = load(name, around.env)? else {
        return match wanted {
            Some(name) => Err(format!("there is no profile {name} in the shared files")),
            None => Ok(None),
        };
    };
    keys(name, &profile, around, &[]).await
}

/// The keys of a profile that is the source of those in `of`.
async fn keys(name: &str, profile: &Profile, around: &Around<'_>, of: &[&str]) -> Found {
    let one = |key: &str| profile.get(key).map(String::as_str);
    let Some(role) = one("role_arn") else {
        return own(name, profile).await;
    };
    if let Some(file) = one("web_identity_token_file") {
        return by_token(around.sts, role, one("role_session_name"), file).await;
    }
    if one("mfa_serial").is_some() {
        return Err(format!(
            "the profile {name} asks for a code of MFA, which is for people: give the gateway keys of its own"
        ));
    }
    let base = source(name, profile, around, of).await?;
    let Some(base) = base else {
        return Err(format!(
            "the profile {name} assumes a role with keys that are not there"
        ));
    };
    let secs = one("duration_seconds").map(str::parse::<u64>).transpose();
    let secs = secs.map_err(|_| format!("duration_seconds of the profile {name} is no number"))?;
    let role = OwnRole {
        arn: role,
        session: one("role_session_name").unwrap_or("countersign"),
        external_id: one("external_id"),
        secs: secs.unwrap_or(ROLE_SECS),
    };
    let had = around.sts.own_role(&base.credentials, &role, around.now);
    had.await
        .map(Some)
        .map_err(|error| format!("the role of the profile {name} cannot be assumed: {error}"))
}

/// The keys with which a profile's role is assumed.
async fn source(name: &str, profile: &Profile, around: &Around<'_>, of: &[&str]) -> Found {
    let one = |key: &str| profile.get(key).map(String::as_str);
    match (one("source_profile"), one("credential_source")) {
        // Its own, which stand beside the role.
        (Some(source), None) if source == name => own(name, profile).await,
        (Some(source), None) => {
            let of = [of, &[name]].concat();
            if of.contains(&source) || of.len() > SOURCES_MAX {
                return Err(format!(
                    "the profiles {} are each other's source_profile, or too many",
                    of.join(", ")
                ));
            }
            let found = load(source, around.env)?
                .ok_or_else(|| format!("there is no profile {source}, which {name} needs"))?;
            Box::pin(keys(source, &found, around, &of)).await
        }
        (None, Some("Environment")) => variables(around.env),
        (None, Some("EcsContainer")) => metadata::container(around.near, around.env).await,
        (None, Some("Ec2InstanceMetadata")) => metadata::instance(around.near, around.env).await,
        (None, Some(other)) => Err(format!(
            "credential_source of the profile {name} is not known: {other}"
        )),
        (Some(_), Some(_)) => Err(format!(
            "the profile {name} has both source_profile and credential_source"
        )),
        (None, None) => Err(format!(
            "the profile {name} assumes a role: name the profile whose keys it uses (source_profile)"
        )),
    }
}

/// The keys that stand in a profile, or that its process gives.
async fn own(name: &str, profile: &Profile) -> Found {
    let one = |key: &str| profile.get(key).map(String::as_str);
    match (one("aws_access_key_id"), one("aws_secret_access_key")) {
        (Some(access_key), Some(secret)) => {
            return Ok(Some(Keys {
                credentials: Credentials {
                    access_key: access_key.to_owned(),
                    secret_key: secret.to_owned().into(),
                    token: one("aws_session_token").map(|token| Secret::from(token.to_owned())),
                },
                expires: None,
            }));
        }
        (None, None) => {}
        _ => return Err(format!("the profile {name} has half of a pair of keys")),
    }
    if let Some(command) = one("credential_process") {
        return process(command).await.map(Some);
    }
    if profile.keys().any(|key| key.starts_with("sso_")) {
        return Err(format!(
            "the profile {name} signs in by SSO, which is for people: give the gateway keys of its own"
        ));
    }
    Ok(None)
}

/// The profile, as both files have it; what the credentials file says counts more.
fn load(name: &str, env: Env<'_>) -> Result<Option<Profile>, String> {
    let file = |variable: &str, usual: &str| {
        env(variable)
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(env("HOME")?).join(usual)))
    };
    let config = text(file("AWS_CONFIG_FILE", ".aws/config"))?;
    let credentials = text(file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"))?;
    let in_config = match name {
        "default" => section(&config, &["default", "profile default"]),
        _ => section(&config, &[&format!("profile {name}")]),
    };
    let in_credentials = section(&credentials, &[name]);
    if in_config.is_none() && in_credentials.is_none() {
        return Ok(None);
    }
    let mut profile = in_config.unwrap_or_default();
    profile.extend(in_credentials.unwrap_or_default());
    Ok(Some(profile))
}

/// The file's text; nothing where it is not there.
fn text(file: Option<PathBuf>) -> Result<String, String> {
    let Some(file) = file else {
        return Ok(String::new());
    };
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    match std::fs::metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(failed(error)),
        Ok(found) if found.len() > FILE_BYTES_MAX => Err(format!(
            "{} is larger than {FILE_BYTES_MAX} bytes",
            file.display()
        )),
        Ok(_) => std::fs::read_to_string(&file).map_err(failed),
    }
}

/// The settings under one of these headings. Indented lines belong to a nested setting and say nothing here.
fn section(text: &str, headings: &[&str]) -> Option<Profile> {
    let mut found = None;
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with(['#', ';', ' ', '\t']) || line.is_empty() {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            let heading = heading.split(']').next().unwrap_or_default();
            let heading: Vec<_> = heading.split_whitespace().collect();
            inside = headings.contains(&heading.join(" ").as_str());
            if inside {
                found.get_or_insert_with(Profile::new);
            }
        } else if let (true, Some(profile), Some((key, value))) =
            (inside, found.as_mut(), line.split_once('='))
        {
            let value = value.trim();
            if !value.is_empty() {
                profile.insert(key.trim().to_ascii_lowercase(), value.to_owned());
            }
        }
    }
    found
}

/// Runs a process that writes keys, without a shell.
async fn process(command: &str) -> Result<Keys, String> {
    let words = words(command).ok_or("credential_process has a quote that does not end")?;
    let (program, arguments) = words.split_first().ok_or("credential_process is empty")?;
    let failed = |error: std::io::Error| format!("credential_process {program}: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Whatever it says may hold secrets.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let output = child.stdout.take();
    let run = async {
        let mut written = zeroize::Zeroizing::new(Vec::new());
        if let Some(output) = output {
            let mut output = output.take(OUTPUT_BYTES_MAX);
            output.read_to_end(&mut written).await.map_err(failed)?;
        }
        let status = child.wait().await.map_err(failed)?;
        if !status.success() {
            return Err(format!(
                "credential_process {program} failed ({status}): run it by hand to see why"
            ));
        }
        read(&written).map_err(|why| format!("credential_process {program}: {why}"))
    };
    let late = |_| {
        format!(
            "credential_process {program} took longer than {} s",
            PROCESS_WITHIN.as_secs()
        )
    };
    tokio::time::timeout(PROCESS_WITHIN, run)
        .await
        .map_err(late)?
}

/// The words of a command line: quotes and backslashes as a POSIX shell has them, and nothing else of it.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None | Some('"'), '\\') => word.get_or_insert_default().push(chars.next()?),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let words = |line| words(line).map(|words| words.join("|"));
        assert_eq!(words("  a  b\tc ").as_deref(), Some("a|b|c"));
        assert_eq!(
            words(r#"a "b c" 'd "e' f\ g """#).as_deref(),
            Some("a|b c|d \"e|f g|")
        );
        assert_eq!(
            words(r#""a\"b" 'c\d' e"f"'g'"#).as_deref(),
            Some("a\"b|c\\d|efg")
        );
        assert_eq!(words("").as_deref(), Some(""));
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("a \\"), None);
    }

    #[test]
    fn a_profile_is_its_section() {
        let text = "# [bank]\n[default]\nregion=x\n[ profile  bank ]\nAWS_Access_Key_Id = A\ns3 =\n  aws_access_key_id = nested\n; b = c\nempty =\n[profile bank2]\nd = e\n[profile bank]\nf = g = h\n";
        let bank = section(text, &["profile bank"]).unwrap();
        let pairs: Vec<_> = bank.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("aws_access_key_id", "A"), ("f", "g = h")]);
        assert_eq!(section(text, &["bank"]), None);
    }
}
