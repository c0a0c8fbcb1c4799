//! Secrets in answers: response members that are hidden by their name, whatever they hold.
//!
//! Which members those are is known twice: AWS's own models call members sensitive (in the [`table`](super::table)), and
//! [`own`] lists what gives access. Everything below a member is hidden, at its own length and so that the SDKs can read the
//! answer all the same: text becomes stars, Base64 other Base64, numbers zero.

mod cbor;
mod csv;
mod errors;
mod json;
mod own;
mod rows;
mod xml;

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mask::{Findings, Hint, Masker, Stream};
use model::DataClass;

use super::answers::Answers;
use super::classify::{Call, Wire};
use super::objects::{Declared, Form, Name, Step};
use own::{CONTENTS, OWN};

/// What gives access: keys, passwords, tokens, plaintexts.
pub const SECRET: &str = "secret";
/// What AWS's models call sensitive, and is no such thing.
pub const SENSITIVE: &str = "aws_sensitive";

/// A value is committed to up to this length; a longer one is only counted.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// What S3 calls an object's digest, mostly an MD5.
const ETAG: &[&str] = &["ETag"];
/// And those that were asked for.
const CHECKSUMS: &[&str] = &[
    "ChecksumCRC32",
    "ChecksumCRC32C",
    "ChecksumCRC64NVME",
    "ChecksumMD5",
    "ChecksumSHA1",
    "ChecksumSHA256",
    "ChecksumSHA512",
    "ChecksumXXHASH128",
    "ChecksumXXHASH3",
    "ChecksumXXHASH64",
];
/// Those of a queue's messages.
const MESSAGES: &[&str] = &["MD5OfBody", "MD5OfMessageAttributes"];

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

/// Members of the answer to a call that are digests of what may be hidden. They tell something of it, and are not those of what
/// is shown. Who completes an upload has told the digests of its parts, so that of the whole tells nothing more.
fn digests(call: &Call) -> &'static [&'static [&'static str]] {
    let of = call.operation.map(|it| it.name);
    match (call.wire, of.unwrap_or_default()) {
        (Wire::S3, "CopyObject" | "GetObjectAttributes" | "ListParts" | "UploadPartCopy") => {
            &[ETAG, CHECKSUMS]
        }
        (Wire::S3, "ListObjects" | "ListObjectsV2" | "ListObjectVersions") => &[ETAG],
        (Wire::S3, "CompleteMultipartUpload") => &[CHECKSUMS],
        (_, "ReceiveMessage") => &[MESSAGES],
        _ => &[],
    }
}

/// Keys that a list gives as far as a delimiter: whoever chooses another than the slash may cut values apart with it.
fn cut_keys(call: &Call) -> &'static [&'static str] {
    let lists = call.operation.is_some_and(|it| {
        matches!(
            it.name,
            "ListMultipartUploads" | "ListObjectVersions" | "ListObjects" | "ListObjectsV2"
        )
    });
    let cuts = |(name, value): &(String, String)| {
        name == "delimiter" && !matches!(value.as_str(), "" | "/")
    };
    if call.wire == Wire::S3 && lists && call.parameters.iter().any(cuts) {
        &["Prefix", "NextMarker", "NextKeyMarker"]
    } else {
        &[]
    }
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

/// What is to be hidden: which of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    index: usize,
    kind: Kind,
}

/// What is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Base64 of bytes.
    Blob,
    /// A number that is written as a text.
    Number,
    /// A number or word.
    Bare,
}

/// What is declared of an answer.
struct Fitting {
    /// Whether something of it is hidden.
    some: bool,
    /// Whether it can be found where the answer is in the form that the call is.
    known: bool,
}

/// The members by name, and where what was hidden is counted.
#[derive(Debug)]
struct Members {
    list: Vec<(String, DataClass)>,
    by_name: HashMap<String, Member>,
    /// Those that stand at one place only.
    by_path: Vec<(Vec<Step>, Member)>,
    /// Columns of CSV without a header.
    by_column: Vec<(usize, Member)>,
    /// Columns of results.
    by_label: Vec<(String, Member)>,
    /// Whether values stand below the name of their type, as DynamoDB writes them.
    typed: bool,
    masker: Masker,
}

impl Hider {
    /// For the answer to `call`, of which this is declared; `None` where nothing in it is hidden by name: policy reveals the classes,
    /// the service has no such members and none are declared, or the answer is an object's own content.
    #[must_use]
    pub fn new(call: &Call, declared: &[Answers], masker: &Masker) -> Option<Self> {
        let service = call.service?;
        let operation = call.operation.map_or("", |it| it.name);
        let contents = CONTENTS.iter().find(|(name, _)| *name == service.name);
        let is_content = contents.is_some_and(|(_, operations)| operations.contains(&operation));
        let mut members = Members::new(masker);
        if !is_content {
            members.listed(call);
        }
        let Fitting { some, known } = members.answers(call, declared);
        if is_content && !some {
            return None;
        }
        // Texts in CBOR are searched here too, and what a detector hid of a number stays one.
        let searched = (call.wire == Wire::Cbor || members.typed) && !masker.hides_nothing();
        if members.by_name.is_empty() && !some && !searched {
            return None;
        }
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
        let members = match &self.reader {
            Reader::Cbor(cbor) => cbor.members(),
            Reader::Csv(csv) => csv.members(),
            Reader::Json(json) => json.members(),
            Reader::Rows(rows) => rows.members(),
            Reader::Xml(xml) => xml.members(),
            Reader::Withheld(members) => members,
        };
        let at = members.by_path.iter().map(|(_, member)| member.index);
        let at = at.chain(members.by_label.iter().map(|(_, member)| member.index));
        let at = at.filter_map(|index| Some(members.list.get(index)?.0.as_str()));
        let anywhere = members.by_name.keys().map(String::as_str);
        let mut names: Vec<_> = anywhere.chain(at).collect();
        names.sort_unstable();
        names
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

impl Members {
    fn new(masker: &Masker) -> Self {
        Self {
            list: Vec::new(),
            by_name: HashMap::new(),
            by_path: Vec::new(),
            by_column: Vec::new(),
            by_label: Vec::new(),
            typed: false,
            masker: masker.clone(),
        }
    }

    /// Adds the members of the answer to a call that are known by their name.
    fn listed(&mut self, call: &Call) {
        let Some(service) = call.service else {
            return;
        };
        let own = OWN.iter().find(|(name, _)| *name == service.name);
        let own = own.map_or(&[] as &[&str], |(_, members)| members);
        let listed = [
            (SENSITIVE, service.shown_sensitive.as_slice()),
            (SECRET, own),
        ];
        for (class, names) in listed {
            let Ok(class) = DataClass::try_from(class.to_owned()) else {
                continue;
            };
            for name in names {
                let (name, of) = name.split_once('|').unwrap_or((name, ""));
                let is_of = |operation: &&str| of.split('|').any(|it| it == *operation);
                let operation = call.operation.map(|it| it.name);
                if !of.is_empty() && !operation.as_ref().is_none_or(is_of) {
                    continue;
                }
                let (name, kind) = match name.strip_suffix(":b") {
                    Some(name) => (name, Kind::Blob),
                    None => (name, Kind::Text),
                };
                self.add(name, &class, kind);
            }
        }
        if !self.masker.hides_nothing() {
            let digests = digests(call).iter().flat_map(|it| *it);
            digests.chain(cut_keys(call)).for_each(|it| self.hide(it));
        }
    }

    /// Adds what is declared of the answer to a call.
    fn answers(&mut self, call: &Call, declared: &[Answers]) -> Fitting {
        self.typed = call.service.is_some_and(|it| it.prefix == "dynamodb");
        let of_xml = matches!(
            call.wire,
            Wire::Query | Wire::Ec2 | Wire::RestXml | Wire::S3
        );
        let mut fitting = Fitting {
            some: false,
            known: true,
        };
        for answers in declared.iter().filter(|it| it.fits(call)) {
            let (mut here, mut elsewhere) = (false, false);
            for (member, class) in &answers.members {
                if !self.masker.masks(class) {
                    continue;
                }
                fitting.some = true;
                match member.form {
                    Some(form) if of_xml != (form == Form::Xml) => elsewhere = true,
                    form => {
                        here |= form.is_some();
                        self.declare(&member.name, class);
                    }
                }
            }
            // A service that answers in two forms, of which paths are declared in the other.
            fitting.known &= here || !elsewhere;
            for (column, class) in &answers.columns {
                if self.masker.masks(class) {
                    fitting.some = true;
                    let index = self.list.len();
                    self.list.push((format!("column {column}"), class.clone()));
                    let kind = Kind::Text;
                    self.by_label.push((column.clone(), Member { index, kind }));
                }
            }
        }
        fitting
    }

    /// The column of this name, case aside.
    fn column(&self, name: &str) -> Option<Member> {
        let named = |(column, _): &&(String, Member)| column.eq_ignore_ascii_case(name);
        self.by_label.iter().find(named).map(|(_, member)| *member)
    }

    /// Adds a member that holds rows as one text; which of them is which column nobody tells.
    fn hide_rows(&mut self, name: &str) {
        if let Some((_, member)) = self.by_label.first() {
            self.by_name.insert(name.to_owned(), *member);
        }
    }

    /// Adds a member, unless policy reveals its class. The last of a name counts.
    fn add(&mut self, name: &str, class: &DataClass, kind: Kind) {
        if !self.masker.masks(class) {
            self.by_name.remove(name);
            return;
        }
        let index = self.list.len();
        self.list.push((name.to_owned(), class.clone()));
        self.by_name.insert(name.to_owned(), Member { index, kind });
    }

    /// Adds what is declared of an object or answer, unless policy reveals its class.
    fn declare(&mut self, name: &Name, class: &DataClass) {
        if !self.masker.masks(class) {
            return;
        }
        let member = Member {
            index: self.list.len(),
            kind: Kind::Text,
        };
        self.list.push((name.to_string(), class.clone()));
        match name {
            Name::Anywhere(name) => {
                let known = self.by_name.get(name).map_or(Kind::Text, |it| it.kind);
                let member = Member {
                    kind: known,
                    ..member
                };
                self.by_name.insert(name.clone(), member);
            }
            Name::At(steps) => self.by_path.push((steps.clone(), member)),
            Name::Column(column) => self.by_column.push((*column, member)),
        }
    }

    /// Adds a member that is hidden and is no finding.
    fn hide(&mut self, name: &str) {
        let index = self.list.len();
        let kind = Kind::Text;
        self.by_name.insert(name.to_owned(), Member { index, kind });
    }

    fn find(&self, name: &[u8]) -> Option<Member> {
        let name = std::str::from_utf8(name).ok()?;
        self.by_name.get(name).copied()
    }

    /// Whether places count, and not only names.
    fn has_paths(&self) -> bool {
        !self.by_path.is_empty()
    }

    /// The member of this name, which stands below those `around`, from the outermost.
    fn find_at<'a>(
        &self,
        around: impl Iterator<Item = &'a [u8]> + Clone,
        name: &'a [u8],
    ) -> Option<Member> {
        self.find(name).or_else(|| {
            let is = |(step, name): (&Step, &[u8])| match step {
                Step::To(wanted) => wanted.as_bytes() == name,
                // Attributes are named by themselves.
                Step::Any => !name.starts_with(b"@"),
            };
            let at = |steps: &[Step]| {
                let path = around.clone().chain(std::iter::once(name));
                path.clone().count() == steps.len() && steps.iter().zip(path).all(is)
            };
            let found = self.by_path.iter().find(|(steps, _)| at(steps));
            found.map(|(_, member)| *member)
        })
    }

    /// Counts a value that is hidden; `None` is one that is too long or not written as it should be. Base64 of a text counts as
    /// that text. One in which a detector hid something is not known any more.
    fn count(&self, member: Member, value: Option<&[u8]>, findings: &mut Findings) {
        let Some((name, class)) = self.list.get(member.index) else {
            return;
        };
        if value.is_some_and(<[u8]>::is_empty) {
            return;
        }
        let place = findings.place(name);
        findings.enter(place);
        let of_blob = member.kind == Kind::Blob;
        let whole = |value: &&[u8]| {
            let zeros = || value.windows(4).any(|it| it == b"AAAA");
            value.len() <= VALUE_BYTES_MAX && !value.contains(&b'*') && !(of_blob && zeros())
        };
        let value = value.filter(whole);
        let decoded = value.filter(|_| of_blob).and_then(|it| {
            let bytes = STANDARD.decode(it).ok()?;
            String::from_utf8(bytes).ok()
        });
        let value = decoded.as_ref().map(String::as_bytes).or(value);
        self.masker.count_declared(class, value, findings);
    }

    /// The same of what stands between the quotes of a text in JSON.
    fn count_text(&self, member: Member, inner: &[u8], findings: &mut Findings) {
        let text = if inner.contains(&b'\\') {
            let quoted = [b"\"", inner, b"\""].concat();
            serde_json::from_slice::<String>(&quoted).ok()
        } else {
            String::from_utf8(inner.to_vec()).ok()
        };
        let whole = text.as_ref().filter(|_| inner.len() <= VALUE_BYTES_MAX);
        self.count(member, whole.map(String::as_bytes), findings);
    }
}

impl Member {
    /// What stands for a byte of its text.
    fn hidden(self, byte: u8) -> u8 {
        match (self.kind, byte) {
            (Kind::Blob, b'=') => b'=',
            (Kind::Blob, _) => b'A',
            (Kind::Number, _) => b'0',
            (Kind::Text | Kind::Bare, _) => b'*',
        }
    }
}

#[cfg(test)]
mod tests;
