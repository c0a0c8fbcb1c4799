mod chunked;
mod faults;
mod parts;
mod vectors;

use model::{Secret, Timestamp};

use super::sigv4::Credentials;
use super::{Head, date};

/// A head from its text, in which a line that begins with a space goes on with the one before.
fn head(text: &str) -> (Head, String) {
    let (lines, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = lines.lines();
    let first = lines.next().unwrap();
    let (method, rest) = first.split_once(' ').unwrap();
    let target = rest.strip_suffix(" HTTP/1.1").unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            let last = fields.last_mut().unwrap();
            last.1.push('\n');
            last.1.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    let head = Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        fields: fields.into_iter().collect(),
    };
    (head, body.trim_end_matches('\n').to_owned())
}

fn example() -> Credentials {
    Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_key: Secret::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        token: None,
    }
}

fn at(text: &str) -> Timestamp {
    date::read(text).unwrap()
}
