//! Which settings of the session a client may choose as it connects.

use bytes::Bytes;
use model::{Denial, DenialCode};

/// Settings that change how the client's own values are written, or how long it waits, and nothing that it may do.
/// Everything else is a statement (`SET`), which policy decides about.
const OFFERED: [&str; 23] = [
    "array_nulls",
    "bytea_output",
    "client_min_messages",
    "datestyle",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "escape_string_warning",
    "extra_float_digits",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "jit",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "lock_timeout",
    "search_path",
    "statement_timeout",
    "timezone",
    "transaction_timeout",
    "xmlbinary",
    "xmloption",
];
/// A wish is at most so long.
const VALUE_BYTES_MAX: usize = 1_024;
/// So many wishes are taken.
const WISHES_MAX: usize = 32;

/// Settings that a client asked for in its StartupMessage and that it may choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    list: Vec<(String, String)>,
}

impl Wishes {
    /// From the parameters of a StartupMessage. Left out are those that the gateway gives itself (`user`, `database`,
    /// `application_name`, `client_encoding`) and protocol options (`_pq_.…`), which are negotiated.
    ///
    /// `replication` passes only where `replication` is true: then policy named such connections.
    ///
    /// # Errors
    /// [`Denial`] for a setting that is not offered; it names the setting.
    pub fn read(parameters: &[(Bytes, Bytes)], replication: bool) -> Result<Self, Denial> {
        let mut wishes = Self::default();
        for (name, value) in parameters {
            let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value))
            else {
                return Err(unsupported("a startup parameter is not UTF-8: write it so"));
            };
            match name {
                "user" | "database" | "application_name" => {}
                "options" => wishes.options(value)?,
                "replication" => wishes.replication(value, replication)?,
                name if name.starts_with("_pq_.") => {}
                name => wishes.setting(name, value)?,
            }
        }
        Ok(wishes)
    }

    /// Names in lower case and values, in order.
    #[must_use]
    pub fn list(&self) -> &[(String, String)] {
        &self.list
    }

    /// The last value wished for the setting `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut last_first = self.list.iter().rev();
        last_first
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn setting(&mut self, name: &str, value: &str) -> Result<(), Denial> {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "application_name" => return Ok(()),
            "client_encoding" => return encoding(value),
            "standard_conforming_strings" if is_on(value) => return Ok(()),
            name if OFFERED.contains(&name) => {}
            _ => {
                return Err(unsupported(format!(
                    "the startup parameter {name:?} is not offered through the gateway: leave it out, or use SET once connected"
                )));
            }
        }
        if value.len() > VALUE_BYTES_MAX || self.list.len() >= WISHES_MAX {
            return Err(Denial::new(
                DenialCode::LimitExceeded,
                format!(
                    "startup parameters: at most {WISHES_MAX} settings of {VALUE_BYTES_MAX} bytes are taken"
                ),
            ));
        }
        self.list.push((name, value.to_owned()));
        Ok(())
    }

    fn replication(&mut self, value: &str, allowed: bool) -> Result<(), Denial> {
        let wanted = match value.to_ascii_lowercase().as_str() {
            "database" => "database",
            "true" | "on" | "yes" | "1" => "true",
            "false" | "off" | "no" | "0" => return Ok(()),
            _ => {
                return Err(unsupported(
                    "replication is true, false or database: mend the connection's settings",
                ));
            }
        };
        if !allowed {
            return Err(unsupported(
                "replication connections are not offered by this target: leave out the replication setting",
            ));
        }
        self.list
            .push(("replication".to_owned(), wanted.to_owned()));
        Ok(())
    }

    /// The command-line options of a backend: only `-c name=value` and `--name=value`.
    fn options(&mut self, text: &str) -> Result<(), Denial> {
        let mut words = split(text).into_iter();
        while let Some(word) = words.next() {
            let assignment = if word == "-c" {
                words.next()
            } else {
                let long = word.strip_prefix("--").map(str::to_owned);
                long.or_else(|| word.strip_prefix("-c").map(str::to_owned))
            };
            let assignment = assignment.unwrap_or_default();
            let Some((name, value)) = assignment.split_once('=') else {
                return Err(unsupported(
                    "of the startup parameter \"options\" only -c name=value is offered through the gateway",
                ));
            };
            self.setting(&name.replace('-', "_"), value)?;
        }
        Ok(())
    }
}

/// Everything is UTF-8 on the wire; a client that cannot say (`SQL_ASCII`) is told so by ParameterStatus.
fn encoding(value: &str) -> Result<(), Denial> {
    let plain: String = value
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|char| char.to_ascii_lowercase())
        .collect();
    match plain.as_str() {
        "utf8" | "unicode" | "sqlascii" => Ok(()),
        _ => Err(unsupported(
            "through the gateway client_encoding is UTF8: set it so (PGCLIENTENCODING=UTF8)",
        )),
    }
}

fn is_on(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "on" | "true" | "yes" | "1"
    )
}

/// Words between white space, where a backslash takes the next character as it is (`pg_split_opts`).
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            char if char.is_ascii_whitespace() || char == '\x0b' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

fn unsupported(message: impl Into<String>) -> Denial {
    Denial::new(DenialCode::Unsupported, message)
}
