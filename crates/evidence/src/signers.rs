//! People's keys in OpenSSH's `allowed_signers` format (`ssh-keygen(1)`, section ALLOWED SIGNERS).

use std::collections::BTreeMap;

use model::SIGNATURE_NAMESPACE;

use crate::sshsig;

/// Each person's public keys, by name.
pub(crate) type People = BTreeMap<String, Vec<String>>;

/// The file for these people. A name that the format cannot carry becomes a comment.
pub(crate) fn write(people: &People) -> String {
    let mut out = String::from(
        "# name, purpose, public key. Compare the fingerprints (ssh-keygen -l) on another way.\n",
    );
    for (name, keys) in people {
        for key in keys {
            let mut words = key.split_whitespace();
            let (Some(kind), Some(body)) = (words.next(), words.next()) else {
                continue;
            };
            if !is_plain(name) || sshsig::fingerprint(key).is_err() {
                let shown: String = name.chars().filter(|c| !c.is_control()).collect();
                out += &format!("# left out, because the format cannot carry it: {shown}\n");
                continue;
            }
            let quote = if name.contains(' ') { "\"" } else { "" };
            out += &format!(
                "{quote}{name}{quote} namespaces=\"{SIGNATURE_NAMESPACE}\" {kind} {body}\n"
            );
        }
    }
    out
}

/// Whether a name is one principal and no pattern.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['#', ' '])
        && !name
            .chars()
            .any(|c| c.is_control() || ",*?!\"\\".contains(c) || (c.is_whitespace() && c != ' '))
}

/// Reads such a file. Lines for another purpose are passed over; patterns are not understood.
pub(crate) fn read(text: &str) -> Result<People, String> {
    let mut people = People::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bad = || format!("line {number} is not `name [options] key-type key`");
        let (names, rest) = word(line).ok_or_else(bad)?;
        let (mut next, mut rest) = word(rest).ok_or_else(bad)?;
        let mut ours = true;
        if next.contains('=') || next == "cert-authority" {
            if next.contains("cert-authority") || next.contains("valid-") {
                return Err(format!(
                    "line {number} holds an option that is not understood here: give plain keys"
                ));
            }
            if let Some((_, purposes)) = next.split_once("namespaces=") {
                ours = purposes
                    .trim_matches('"')
                    .split(',')
                    .any(|one| one == SIGNATURE_NAMESPACE);
            }
            (next, rest) = word(rest).ok_or_else(bad)?;
        }
        let body = rest.split_whitespace().next().ok_or_else(bad)?;
        let key = format!("{next} {body}");
        sshsig::fingerprint(&key).map_err(|error| format!("line {number}: {error}"))?;
        if ours {
            for name in names.trim_matches('"').split(',') {
                people.entry(name.to_owned()).or_default().push(key.clone());
            }
        }
    }
    Ok(people)
}

/// The first word, in which quotes hold spaces together, and the rest.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let mut quoted = false;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            quoted ^= *c == '"';
            !quoted && c.is_whitespace()
        })
        .map_or(text.len(), |(at, _)| at);
    let (word, rest) = text.split_at_checked(end)?;
    (!word.is_empty()).then_some((word, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDCHSzn15dhmyX3q1+7GvV5yAfOyKUCDpoRA4FRq5sQ";

    #[test]
    fn what_is_written_reads_back() {
        let people = People::from([
            (
                "bob@example.com".to_owned(),
                vec![format!("{KEY} bob's laptop")],
            ),
            ("Carol Doe".to_owned(), vec![KEY.to_owned()]),
            ("bad,name".to_owned(), vec![KEY.to_owned()]),
        ]);
        let text = write(&people);
        let read = read(&text).unwrap();
        assert_eq!(
            read.keys().collect::<Vec<_>>(),
            ["Carol Doe", "bob@example.com"]
        );
        assert_eq!(read["bob@example.com"], [KEY]);
        assert!(text.contains("# left out"));
    }

    #[test]
    fn other_purposes_are_passed_over_and_garbage_is_named() {
        assert_eq!(
            read(&format!("a,b {KEY}\nc namespaces=\"git\" {KEY} x\n"))
                .unwrap()
                .len(),
            2
        );
        for bad in [
            "a",
            "a ssh-ed25519",
            "a ssh-ed25519 AAAA",
            "a cert-authority ssh-ed25519 AAAA",
        ] {
            assert!(read(bad).unwrap_err().contains("line 1"), "{bad}");
        }
    }
}
