//! `countersign env`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::reach::{Reach, Sdk, Where, absolute};

/// Print what clients need to reach a target: psql and other libpq clients, or AWS's CLI and SDKs.
///
/// Of a target that speaks AWS's APIs the SDKs read the token from --token-file themselves. With --token-file the password is read from that file when the shell evaluates the line, and does not stand in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(countersign env --target bank --token-file agent.token)\" && psql -c 'SELECT 1'
  COUNTERSIGN_TOKEN=… countersign env --target bank --format json
  eval \"$(countersign env --target lake --token-file agent.token)\" && aws s3 ls
  countersign env --target lake --format aws --token-file agent.token >> ~/.aws/config
  countersign env --target lake --format credential-process     as credential_process in ~/.aws/config
  countersign env --target bank --postgres gateway.example.com:15432 --user claude-code --token-file agent.token
  countersign env --target lake --aws https://gateway.example.com:8481 --region eu-central-1 --token-file agent.token")]
pub(crate) struct Env {
    /// The target; aws:NAME or postgres:NAME where no configuration says which it is.
    #[arg(long, value_name = "TARGET")]
    target: String,

    /// The form of what is printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "shell")]
    format: Format,

    #[command(flatten)]
    at: Where,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `export NAME='value'` lines.
    Shell,
    /// One JSON object.
    Json,
    /// A profile for ~/.aws/config.
    Aws,
    /// Keys of the gateway's STS, as an AWS configuration's credential_process prints them.
    CredentialProcess,
}

/// A variable and its value; what a shell reads from a file at the time is kept apart.
struct Variable {
    name: &'static str,
    value: String,
    file: Option<PathBuf>,
}

impl Env {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let place = Place::new(globals);
        let reach = self.at.reach(&self.target, &place, globals)?;
        let variables = match (&reach, self.format) {
            (Reach::Aws(sdk), Format::Aws) => {
                let profile = sdk.profile(&sdk.target, &token_file(globals)?)?;
                return Ok(output.line(profile.trim_end())?);
            }
            (Reach::Aws(sdk), Format::CredentialProcess) => {
                return Ok(output.line(&credentials(sdk, &place)?)?);
            }
            (Reach::Postgres(_), Format::Aws | Format::CredentialProcess) => {
                return Err(Failure::usage(format!(
                    "{} is no target that speaks AWS's APIs: use --format shell or json",
                    self.target
                )));
            }
            (Reach::Aws(sdk), _) => {
                let file = token_file(globals)?;
                let plain = |(name, value)| Variable {
                    name,
                    value,
                    file: None,
                };
                sdk.variables(&file).into_iter().map(plain).collect()
            }
            (Reach::Postgres(libpq), _) => {
                let token = place.required_token()?;
                let from_file =
                    std::env::var_os("COUNTERSIGN_TOKEN").is_none_or(|token| token.is_empty());
                let plain = |(name, value)| Variable {
                    name,
                    value,
                    file: None,
                };
                let mut variables: Vec<_> = libpq.variables().into_iter().map(plain).collect();
                variables.push(Variable {
                    name: "PGPASSWORD",
                    value: String::from_utf8_lossy(token.expose()).into_owned(),
                    file: globals.token_file.clone().filter(|_| from_file),
                });
                variables
            }
        };
        for line in self.format.lines(&variables)? {
            output.line(&line)?;
        }
        Ok(())
    }
}

fn token_file(globals: &Globals) -> Result<PathBuf, Failure> {
    let file = globals.token_file.as_deref().ok_or_else(|| {
        Failure::usage("AWS's SDKs read the token from a file: give --token-file".to_owned())
    })?;
    absolute(file)
}

/// As the SDKs' reference guide has it: "Process credential provider".
fn credentials(sdk: &Sdk, place: &Place<'_>) -> Result<String, Failure> {
    let keys = sdk.keys(place)?;
    let secret = String::from_utf8_lossy(keys.secret_key.expose());
    let printed = json!({
        "Version": 1,
        "AccessKeyId": keys.access_key,
        "SecretAccessKey": secret,
        "SessionToken": keys.session_token,
        "Expiration": keys.expiration,
    });
    Ok(printed.to_string())
}

impl Format {
    fn lines(self, variables: &[Variable]) -> Result<Vec<String>, Failure> {
        match self {
            Self::Json => {
                let pairs = variables
                    .iter()
                    .map(|v| (v.name.to_owned(), Value::String(v.value.clone())));
                Ok(vec![serde_json::to_string(&pairs.collect::<Map<_, _>>())?])
            }
            _ => Ok(variables.iter().map(Variable::export).collect()),
        }
    }
}

impl Variable {
    fn export(&self) -> String {
        match &self.file {
            Some(file) => format!(
                "export {}=\"$(cat -- {})\"",
                self.name,
                quoted(&file.display().to_string())
            ),
            None => format!("export {}={}", self.name, quoted(&self.value)),
        }
    }
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(value: &str, file: Option<&str>) -> Variable {
        Variable {
            name: "PGPASSWORD",
            value: value.to_owned(),
            file: file.map(PathBuf::from),
        }
    }

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        for value in ["plain", "it's", "$(touch x)", "a\nb", "`x` \"y\" \\"] {
            let script = format!(
                "{}; printf %s \"$PGPASSWORD\"",
                variable(value, None).export()
            );
            let ran = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(ran.stdout).unwrap(), value);
        }
    }

    #[test]
    fn a_token_in_a_file_stays_there() {
        let line = variable("secret", Some("my 'token'")).export();
        assert_eq!(line, "export PGPASSWORD=\"$(cat -- 'my '\\''token'\\''')\"");
    }

    #[test]
    fn json_is_one_object() {
        let lines = Format::Json.lines(&[variable("a\"b", None)]).unwrap();
        assert_eq!(lines, [r#"{"PGPASSWORD":"a\"b"}"#]);
    }
}
