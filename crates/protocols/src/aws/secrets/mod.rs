//! Secrets in answers: response members that are hidden by their name, whatever they hold.
//!
//! Which members those are is known twice: AWS's own models call members sensitive (in the [`table`](super::table)), and
//! [`own`] lists what gives access. Everything below a member is hidden, at its own length and so that the SDKs can read the
//! answer all the same: text becomes stars, Base64 other Base64, numbers zero.

mod asked;
mod cbor;
mod csv;
mod dates;
mod encoded;
mod errors;
mod json;
mod members;
mod own;
mod rows;
mod xml;

use std::sync::Arc;

use mask::{Findings, Hint, Masker, Stream};
use model::DataClass;

use super::answers::Answers;
use super::classify::{Call, Wire};
use super::objects::{Declared, Form};
use members::{Fitting, Kind, Member, Members};
use own::CONTENTS;

pub(super) use asked::{Asked, HIDDEN, field};
pub use encoded::{is_encoded, searched_field};

/// What gives access: keys, passwords, tokens, plaintexts.
pub const SECRET: &str = "secret";
/// What AWS's models call sensitive, and is no such thing.
pub const SENSITIVE: &str = "aws_sensitive";

/// What an error says of itself.
const MESSAGES: [&str; 2] = ["message", "Message"];

/// What searches the answer to a call: its bytes keep their places, and what SDKs decode stays decodable. Who lists keys of IAM needs
/// their ids to change them.
#[must_use]
pub fn search(call: &Call, masker: &Arc<Masker>) -> Stream {
    let stream = masker.stream(Hint::NONE).in_place();
    match call.service.map_or("", |it| it.name) {
        "s3" => stream,
        "iam" => stream.decodable().with_key_ids(),
        _ => stream.decodable(),
    }
}

/// Whether a call makes a secret that the caller is to use, and that is hidden. Whoever used the zeros or stars in its place would
/// use what everybody knows.
#[must_use]
pub fn makes_secret(call: &Call, masker: &Masker) -> bool {
    let name = (
        call.service.map_or("", |it| it.name),
        call.operation.map_or("", |it| it.name),
    );
    let makes = match name {
        ("kms", name) => matches!(
            name,
            "DeriveSharedSecret" | "GenerateDataKey" | "GenerateDataKeyPair" | "GenerateRandom"
        ),
        ("secretsmanager", name) => name == "GetRandomPassword",
        _ => false,
    };
    makes && DataClass::try_from(SECRET.to_owned()).is_ok_and(|class| masker.masks(&class))
}

/// The class of a declared attribute that a call copies to where nothing hides it, and that is hidden.
#[must_use]
pub fn copies<'a>(call: &'a Call, masker: &Masker) -> Option<&'a DataClass> {
    let mut copied = call.touched.copied.iter();
    copied.find(|class| masker.masks(class))
}

/// Whether a statement to the RDS Data API may give rows without the names of their columns, though columns are declared: its
/// answer would be withheld when it has run.
#[must_use]
pub fn gives_unnamed_rows(call: &Call, declared: &[Answers], masker: &Masker, body: &[u8]) -> bool {
    let names = (
        call.service.map(|it| it.name),
        call.operation.map(|it| it.name),
    );
    if names != (Some("rds-data"), Some("ExecuteStatement")) {
        return false;
    }
    let mut columns = declared
        .iter()
        .filter(|it| it.fits(call))
        .flat_map(|it| &it.columns);
    columns.any(|(_, class)| masker.masks(class)) && rows::are_unnamed(body)
}

/// An answer that cannot be read as its protocol has it, so nothing more of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not what the service's protocol has, so it cannot be inspected")]
pub struct Unreadable;

/// Hides members in the answer to one call, piece by piece.
#[derive(Debug)]
pub struct Hider {
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Cbor(cbor::Cbor),
    Csv(csv::Csv),
    Json(json::Json),
    Rows(Box<rows::Rows>),
    Xml(xml::Xml),
    /// Of what is declared nothing could be found.
    Withheld(Members),
}

impl Hider {
    /// For the answer to `call`, of which this is declared; `None` where nothing in it is hidden by name: policy reveals the classes,
    /// the service has no such members and none are declared, or the answer is an object's own content.
    #[must_use]
    pub fn new(call: &Call, declared: &[Answers], masker: &Masker) -> Option<Self> {
        Self::of(call, declared, masker, false)
    }

    /// The same for an error: what its message says is searched, whatever is called so in other answers.
    #[must_use]
    pub fn of_error(call: &Call, declared: &[Answers], masker: &Masker) -> Option<Self> {
        Self::of(call, declared, masker, true)
    }

    fn of(call: &Call, declared: &[Answers], masker: &Masker, is_error: bool) -> Option<Self> {
        let service = call.service?;
        let operation = call.operation.map_or("", |it| it.name);
        let contents = CONTENTS.iter().find(|(name, _)| *name == service.name);
        let is_content = contents.is_some_and(|(_, operations)| operations.contains(&operation));
        let mut members = Members::new(masker);
        members.dated = true;
        if !is_content {
            members.listed(call);
        }
        if is_error {
            members
                .by_name
                .retain(|name, _| !MESSAGES.contains(&name.as_str()));
        }
        let Fitting { some, known } = members.answers(call, declared);
        if is_content && !some {
            return None;
        }
        // Texts in CBOR are searched here too, and what a detector hid of a number stays one.
        let searched = (call.wire == Wire::Cbor || members.typed) && !masker.hides_nothing();
        if members.by_name.is_empty() && members.below.is_empty() && !some && !searched {
            return None;
        }
        members.in_texts |= some;
        let layout = rows::Layout::of(service.name, operation);
        let layout = if members.by_label.is_empty() {
            Ok(None)
        } else {
            layout
        };
        // What is declared is found only in what is read to its last byte.
        let json = if some {
            json::Of::Object
        } else {
            json::Of::Answer
        };
        let reader = match (call.wire, layout) {
            _ if !known => Reader::Withheld(members),
            (Wire::Json(_) | Wire::RestJson, Ok(Some(layout))) => {
                for name in layout.texts {
                    members.hide_rows(name);
                }
                let json = json::Json::new(members, json);
                Reader::Rows(Box::new(rows::Rows::new(json, layout)))
            }
            (_, Err(_) | Ok(Some(_))) => Reader::Withheld(members),
            (Wire::Json(_) | Wire::RestJson, _) => Reader::Json(json::Json::new(members, json)),
            (Wire::Query | Wire::Ec2 | Wire::RestXml | Wire::S3, _) if some => {
                Reader::Xml(xml::Xml::new(members, xml::Of::Object))
            }
            // Some of these answer in JSON where they are asked to.
            (Wire::Query | Wire::Ec2, _) => Reader::Xml(xml::Xml::new(members, xml::Of::Answer)),
            (Wire::RestXml | Wire::S3, _) => Reader::Xml(xml::Xml::new(members, xml::Of::Any)),
            (Wire::Cbor, _) => Reader::Cbor(cbor::Cbor::new(members)),
        };
        Some(Self { reader })
    }

    /// The names of the members that are hidden, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let members = self.members();
        let at = members.by_path.iter().map(|(_, member)| member.index);
        let at = at.chain(members.below.iter().map(|(.., member)| member.index));
        let at = at.chain(members.by_label.iter().map(|(_, member)| member.index));
        let at = at.filter_map(|index| Some(members.list.get(index)?.0.as_str()));
        let anywhere = members.by_name.keys().map(String::as_str);
        let mut names: Vec<_> = anywhere.chain(at).collect();
        names.sort_unstable();
        names
    }

    /// Whether it hides something of a class of which this is true.
    #[must_use]
    pub fn hides(&self, is: impl Fn(&DataClass) -> bool) -> bool {
        self.members().list.iter().any(|(_, class)| is(class))
    }

    fn members(&self) -> &Members {
        match &self.reader {
            Reader::Cbor(cbor) => cbor.members(),
            Reader::Csv(csv) => csv.members(),
            Reader::Json(json) => json.members(),
            Reader::Rows(rows) => rows.members(),
            Reader::Xml(xml) => xml.members(),
            Reader::Withheld(members) => members,
        }
    }

    /// For the content of an object of which this is declared; `None` where policy reveals all of it.
    #[must_use]
    pub fn of_object(declared: &Declared, masker: &Masker) -> Option<Self> {
        let mut members = Members::new(masker);
        for (name, class) in &declared.names {
            members.declare(name, class);
        }
        if members.list.is_empty() {
            return None;
        }
        members.in_texts = true;
        let reader = match declared.form {
            Form::Csv { separator, header } => {
                Reader::Csv(csv::Csv::new(members, separator, header))
            }
            Form::Json => Reader::Json(json::Json::new(members, json::Of::Object)),
            Form::Xml => Reader::Xml(xml::Xml::new(members, xml::Of::Object)),
        };
        Some(Self { reader })
    }

    /// Takes the next piece and appends to `out` what is ready: as many bytes in all as came in.
    ///
    /// # Errors
    /// [`Unreadable`]: nothing more may be shown.
    pub fn push(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        match &mut self.reader {
            Reader::Cbor(cbor) => cbor.push(piece),
            Reader::Csv(csv) => csv.push(piece, out, findings),
            Reader::Json(json) => json.push(piece, out, findings),
            Reader::Rows(rows) => rows.push(piece, findings),
            Reader::Xml(xml) => xml.push(piece, out, findings),
            Reader::Withheld(_) if piece.is_empty() => Ok(()),
            Reader::Withheld(_) => Err(Unreadable),
        }
    }

    /// The answer is complete: appends what was held back.
    ///
    /// # Errors
    /// [`Unreadable`]: what was held back may not be shown.
    pub fn finish(self, out: &mut Vec<u8>, findings: &mut Findings) -> Result<(), Unreadable> {
        match self.reader {
            Reader::Cbor(cbor) => return cbor.finish(out, findings),
            Reader::Csv(csv) => csv.finish(out, findings)?,
            Reader::Json(json) => drop(json.finish(out, findings)),
            Reader::Rows(rows) => return rows.finish(out, findings),
            Reader::Xml(xml) => xml.finish(out, findings),
            Reader::Withheld(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
