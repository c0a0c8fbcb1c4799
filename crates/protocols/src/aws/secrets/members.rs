//! Which members of an answer are hidden: those that are known by name, and those that are declared.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mask::{Findings, Masker};
use model::DataClass;

use super::super::answers::Answers;
use super::super::classify::{Call, Wire};
use super::super::objects::{Form, Name, Step};

use super::dates::epoch;
use super::own::{OWN, TEXTS};
use super::{SECRET, SENSITIVE};

/// A value is committed to up to this length; a longer one is only counted.
pub(super) const VALUE_BYTES_MAX: usize = 64 << 10;

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

/// What is to be hidden: which of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) kind: Kind,
    /// Names below it are hidden as values are. In what a model has they are the model's own.
    pub(super) names: bool,
}

/// What is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Base64 of bytes.
    Blob,
    /// A number that is written as a text.
    Number,
    /// A number or word.
    Bare,
}

/// A member as the tables have it: `outer>name:b|Operation|Operation`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    /// Below what it stands, where that counts.
    pub(super) outer: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) kind: Kind,
}

impl<'a> Listed<'a> {
    /// `None` where it is none of this operation; one that is not known may be any.
    pub(super) fn read(text: &'a str, operation: Option<&str>) -> Option<Self> {
        let (name, of) = text.split_once('|').unwrap_or((text, ""));
        let is_of = |operation: &str| of.split('|').any(|it| it == operation);
        if !of.is_empty() && !operation.is_none_or(is_of) {
            return None;
        }
        let (name, kind) = match name.strip_suffix(":b") {
            Some(name) => (name, Kind::Blob),
            None => (name, Kind::Text),
        };
        let (outer, name) = match name.split_once('>') {
            Some((outer, name)) => (Some(outer), name),
            None => (None, name),
        };
        Some(Self { outer, name, kind })
    }
}

/// What is declared of an answer.
pub(super) struct Fitting {
    /// Whether something of it is hidden.
    pub(super) some: bool,
    /// Whether it can be found where the answer is in the form that the call is.
    pub(super) known: bool,
}

/// The members by name, and where what was hidden is counted.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) list: Vec<(String, DataClass)>,
    pub(super) by_name: HashMap<String, Member>,
    /// Those that stand at one place only.
    pub(super) by_path: Vec<(Vec<Step>, Member)>,
    /// Those that stand somewhere below another only: its name, and theirs.
    pub(super) below: Vec<(&'static str, &'static str, Member)>,
    /// Columns of CSV without a header.
    pub(super) by_column: Vec<(usize, Member)>,
    /// Columns of results.
    pub(super) by_label: Vec<(String, Member)>,
    /// Whether values stand below the name of their type, as DynamoDB writes them.
    pub(super) typed: bool,
    /// Whether they are looked for in texts that are JSON too.
    pub(super) in_texts: bool,
    /// Whether SDKs read timestamps here, so that what stands for one is one.
    pub(super) dated: bool,
    pub(super) masker: Masker,
}

impl Members {
    pub(super) fn new(masker: &Masker) -> Self {
        Self {
            list: Vec::new(),
            by_name: HashMap::new(),
            by_path: Vec::new(),
            below: Vec::new(),
            by_column: Vec::new(),
            by_label: Vec::new(),
            typed: false,
            in_texts: false,
            dated: false,
            masker: masker.clone(),
        }
    }

    /// Adds the members of the answer to a call that are known by their name.
    pub(super) fn listed(&mut self, call: &Call) {
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
            let operation = call.operation.map(|it| it.name);
            for listed in names.iter().filter_map(|it| Listed::read(it, operation)) {
                self.add(listed, &class);
            }
        }
        self.in_texts = TEXTS.contains(&service.name) && !self.below.is_empty();
        if !self.masker.hides_nothing() {
            let digests = digests(call).iter().flat_map(|it| *it);
            digests.chain(cut_keys(call)).for_each(|it| self.hide(it));
        }
    }

    /// Adds what is declared of the answer to a call.
    pub(super) fn answers(&mut self, call: &Call, declared: &[Answers]) -> Fitting {
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
                    let member = Member {
                        index,
                        kind: Kind::Text,
                        names: false,
                    };
                    self.by_label.push((column.clone(), member));
                }
            }
        }
        fitting
    }

    /// The column of this name, case aside.
    pub(super) fn column(&self, name: &str) -> Option<Member> {
        let named = |(column, _): &&(String, Member)| column.eq_ignore_ascii_case(name);
        self.by_label.iter().find(named).map(|(_, member)| *member)
    }

    /// Adds a member that holds rows as one text; which of them is which column nobody tells.
    pub(super) fn hide_rows(&mut self, name: &str) {
        if let Some((_, member)) = self.by_label.first() {
            self.by_name.insert(name.to_owned(), *member);
        }
    }

    /// Adds a member, unless policy reveals its class. The last of a name counts.
    fn add(&mut self, listed: Listed<'static>, class: &DataClass) {
        let Listed { outer, name, kind } = listed;
        let masks = self.masker.masks(class);
        // Of a member that the model calls sensitive, what gives access alone.
        if !masks || outer.is_some() {
            self.by_name.remove(outer.unwrap_or(name));
        }
        if !masks {
            return;
        }
        let member = Member {
            index: self.list.len(),
            kind,
            names: false,
        };
        let place = outer.map_or_else(|| name.to_owned(), |outer| format!("{outer}/{name}"));
        self.list.push((place, class.clone()));
        match outer {
            Some(outer) => self.below.push((outer, name, member)),
            None => {
                self.by_name.insert(name.to_owned(), member);
            }
        }
    }

    /// Adds what is declared of an object or answer, unless policy reveals its class.
    pub(super) fn declare(&mut self, name: &Name, class: &DataClass) {
        if !self.masker.masks(class) {
            return;
        }
        let member = Member {
            index: self.list.len(),
            kind: Kind::Text,
            names: true,
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
    pub(super) fn hide(&mut self, name: &str) {
        let member = Member {
            index: self.list.len(),
            kind: Kind::Text,
            names: false,
        };
        self.by_name.insert(name.to_owned(), member);
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Member> {
        let name = std::str::from_utf8(name).ok()?;
        self.by_name.get(name).copied()
    }

    /// Whether places count, and not only names.
    pub(super) fn has_paths(&self) -> bool {
        !self.by_path.is_empty() || !self.below.is_empty()
    }

    /// The member of this name, which stands below those `around`, from the outermost.
    pub(super) fn find_at<'a>(
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
            let found = found.map(|(_, member)| *member);
            found.or_else(|| {
                let is_outer = |outer: &str| around.clone().any(|it| it == outer.as_bytes());
                let mut below = self.below.iter();
                let found = below.find(|it| it.1.as_bytes() == name && is_outer(it.0));
                found.map(|(.., member)| *member)
            })
        })
    }

    /// Counts a value that is hidden; `None` is one that is too long or not written as it should be. Base64 of a text counts as
    /// that text. One in which a detector hid something is not known any more.
    pub(super) fn count(&self, member: Member, value: Option<&[u8]>, findings: &mut Findings) {
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
    pub(super) fn count_text(&self, member: Member, inner: &[u8], findings: &mut Findings) {
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
    /// What stands for a text.
    pub(super) fn stand_in(self, text: &[u8]) -> Vec<u8> {
        let date = (self.kind == Kind::Text).then(|| epoch(text)).flatten();
        date.unwrap_or_else(|| text.iter().map(|byte| self.hidden(*byte)).collect())
    }

    /// What stands for a byte of its text.
    pub(super) fn hidden(self, byte: u8) -> u8 {
        match (self.kind, byte) {
            (Kind::Blob, b'=') => b'=',
            (Kind::Blob, _) => b'A',
            (Kind::Number, _) => b'0',
            (Kind::Text | Kind::Bare, _) => b'*',
        }
    }
}
