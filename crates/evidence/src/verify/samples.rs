//! The samples: drawn as the seed says, proved, and what their leaves say.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use ledger::{TlogProof, tree};
use model::{CommandDigest, Digest, Entry, Event, Identity};
use recording::{HEAD_BYTES, MAGIC, RawChunk};

use super::Run;
use super::log::Content;
use crate::bundle::sample::{self, OPEN, PRESENT, Placed, Sample};
use crate::bundle::{Defect, json, layout};
use crate::fold::Done;
use crate::fold::sampling::Drawn;

/// Leaves kept for the samples of one bundle.
const KEPT_MAX: usize = 10_000_000;
/// A chunk is read up to so many bytes at once.
const PART_BYTES: usize = 64 << 10;

/// Leaves by their index.
type Leaves = BTreeMap<u64, Vec<u8>>;

/// What the leaves say of a drawn session.
#[derive(Default)]
struct Told {
    identity: Option<Identity>,
    /// By leaf: digest and protocol.
    commands: BTreeMap<u64, (Digest, String)>,
    chunks: Vec<(u64, Digest)>,
    masks: String,
    masks_begun: bool,
}

impl<R: Read + Seek> Run<'_, R> {
    pub(super) fn samples(&mut self, done: &Done) {
        let checked = self.bundle.text(layout::METHOD).and_then(|text| {
            if text == sample::method(&self.period, &done.draw) {
                Ok(())
            } else {
                Err(Defect::new(
                    layout::METHOD,
                    "is not the draw that its seed gives from these leaves",
                ))
            }
        });
        let drawn = done.draw.sample();
        self.report.check(
            "draw",
            checked.map(|()| format!("{} sessions, as the seed gives", drawn.len())),
        );
        let told = self.told(&drawn);
        let (mut first, mut recordings) = (Ok(()), Ok(()));
        let mut absent = 0;
        match told {
            Err(defect) => first = Err(defect),
            Ok((told, approvals)) => {
                for ((number, one), told) in (1..).zip(&drawn).zip(&told) {
                    let folder = layout::sample(number);
                    first = first.and(
                        self.sample(&folder, one, told, &approvals)
                            .map(|here| absent += u64::from(!here)),
                    );
                    recordings = recordings.and(self.recording(&folder, told));
                }
            }
        }
        let sampled = drawn.len() as u64;
        self.report.check(
            "samples",
            first.map(|()| format!("{sampled} are proved and are what their leaves say")),
        );
        let here = sampled - absent;
        self.report.check(
            "sample recordings",
            recordings.map(|()| format!("{here} whole, chunk by chunk as the log has them")),
        );
        if absent > 0 {
            self.report.note(format!(
                "{absent} drawn sessions have no recording any more: see their sample.json"
            ));
        }
    }

    /// Reads the drawn sessions' leaves, and those of their approvals.
    fn told(&mut self, drawn: &[Drawn]) -> Result<(Vec<Told>, Leaves), Defect> {
        let mut told: Vec<Told> = drawn
            .iter()
            .map(|_| Told {
                masks_begun: true,
                ..Told::default()
            })
            .collect();
        let by_name: BTreeMap<&str, usize> = (0..)
            .zip(drawn)
            .map(|(at, one)| (one.session.as_str(), at))
            .collect();
        let mut approvals: Leaves = BTreeMap::new();
        for leaf in drawn.iter().flat_map(|one| &one.approvals) {
            approvals.insert(*leaf, self.context.get(leaf).cloned().unwrap_or_default());
        }
        let ranges: Vec<(u64, u64)> = drawn
            .iter()
            .map(|one| (one.first_leaf, one.last_leaf))
            .collect();
        let mut kept = 0;
        self.walk(&mut |leaf, content| {
            let Content::Entry(bytes) = content else {
                return Ok(());
            };
            if let Some(place) = approvals.get_mut(&leaf) {
                place.clone_from(&bytes);
            }
            if !ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&leaf))
            {
                return Ok(());
            }
            let Ok(Entry { event, .. }) = Entry::decode(&bytes) else {
                return Ok(());
            };
            let at = session_of(&event).and_then(|name| by_name.get(name));
            if let Some(told) = at.and_then(|at| told.get_mut(*at)) {
                kept += 1;
                told.take(leaf, event);
            }
            if kept > KEPT_MAX {
                return Err(Defect::new(
                    "samples/",
                    format!("the drawn sessions have more than {KEPT_MAX} entries"),
                ));
            }
            Ok(())
        })?;
        Ok((told, approvals))
    }

    /// One sample but its recording. Says whether the recording is here.
    fn sample(
        &mut self,
        folder: &str,
        drawn: &Drawn,
        told: &Told,
        approvals: &Leaves,
    ) -> Result<bool, Defect> {
        let path = |name: &str| format!("{folder}{name}");
        self.event(folder, drawn)?;
        let identity = told.identity.as_ref().map(json).unwrap_or_default();
        if self.bundle.text(&path("identity.json"))? != identity {
            return Err(Defect::new(
                path("identity.json"),
                "is not the identity of the session's first entry",
            ));
        }
        let masks = format!("{}{}", told.masks, sample::masks_end(told.masks_begun));
        if self.bundle.text(&path("masking.json"))? != masks {
            return Err(Defect::new(
                path("masking.json"),
                "is not what the session's outcomes say",
            ));
        }
        self.approvals(folder, drawn, approvals)?;
        self.commands(&path("commands.csv"), told)?;
        let place = path("sample.json");
        let given: Sample = serde_json::from_str(&self.bundle.text(&place)?)
            .map_err(|error| Defect::new(&*place, error.to_string()))?;
        let due = Sample {
            session: drawn.session.clone(),
            stratum: drawn.stratum,
            rank: drawn.rank,
            event_leaf: drawn.event,
            first_leaf: drawn.first_leaf,
            last_leaf: drawn.last_leaf,
            recording: given.recording.clone(),
            chunks: told.chunks.len() as u64,
            content: given.content.clone(),
        };
        if given != due {
            return Err(Defect::new(place, "does not say what the leaves say"));
        }
        let here = self.bundle.has(&path("recording.rec"));
        if here != (given.recording == PRESENT) {
            return Err(Defect::new(
                path("recording.rec"),
                "sample.json says otherwise of whether it is here",
            ));
        }
        let transcript = path("transcript.");
        if given.content == OPEN
            && !self
                .bundle
                .names()
                .any(|name| name.starts_with(&transcript))
        {
            return Err(Defect::new(
                transcript,
                "is missing: sample.json says that the session was written out",
            ));
        }
        Ok(here)
    }

    /// The entry for which it was drawn, with its proof.
    fn event(&mut self, folder: &str, drawn: &Drawn) -> Result<(), Defect> {
        let place = format!("{folder}event.tlog-proof");
        let bytes = self.bundle.whole(&format!("{folder}event.json"))?;
        let proof = TlogProof::parse(&self.bundle.text(&place)?)
            .map_err(|error| Defect::new(&*place, error.to_string()))?;
        if proof.index != drawn.event {
            return Err(Defect::new(
                place,
                format!("is about leaf {}, not {}", proof.index, drawn.event),
            ));
        }
        let origin = self
            .end
            .as_ref()
            .map(|end| end.origin().to_owned())
            .unwrap_or_default();
        proof
            .verify(
                &tree::leaf_hash(&bytes),
                &origin,
                std::slice::from_ref(&self.key),
            )
            .map(drop)
            .map_err(|error| Defect::new(place, format!("does not prove event.json: {error}")))
    }

    fn approvals(&mut self, folder: &str, drawn: &Drawn, approvals: &Leaves) -> Result<(), Defect> {
        let place = format!("{folder}approval.json");
        let placed: Vec<Placed> = serde_json::from_str(&self.bundle.text(&place)?)
            .map_err(|error| Defect::new(&*place, error.to_string()))?;
        if placed
            .iter()
            .map(|one| one.leaf)
            .ne(drawn.approvals.iter().copied())
        {
            return Err(Defect::new(
                place,
                "does not hold the approvals that the session asked for or used",
            ));
        }
        for one in placed {
            let due = approvals
                .get(&one.leaf)
                .map(Vec::as_slice)
                .unwrap_or_default();
            if one.entry.get().as_bytes() != due
                || one.leaf_hash != tree::leaf_hash(due).to_base64()
            {
                return Err(Defect::new(
                    place,
                    format!("leaf {} is another in the log", one.leaf),
                ));
            }
            if let Ok(Entry {
                event:
                    Event::ApprovalGiven {
                        statement,
                        signature,
                        ..
                    },
                ..
            }) = Entry::decode(due)
            {
                for (name, text) in [("statement", statement), ("sshsig", signature)] {
                    let path = format!("{folder}approval_{}.{name}", one.leaf);
                    if self.bundle.text(&path)? != text {
                        return Err(Defect::new(path, "is another in the log"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The commands are those of the leaves; where the salt is shown, the text is the one that was decided about.
    fn commands(&mut self, place: &str, told: &Told) -> Result<(), Defect> {
        let bytes = self.bundle.whole(place)?;
        let bad = |why: String| Defect::new(place, why);
        if !bytes.starts_with(sample::COMMANDS_HEADER.as_bytes()) {
            return Err(bad("does not begin as it should".to_owned()));
        }
        let mut due = told.commands.iter();
        let mut rows = csv::Reader::from_reader(bytes.as_slice());
        for row in rows.records() {
            let row = row.map_err(|error| bad(error.to_string()))?;
            let cell = |at: usize| row.get(at).unwrap_or_default();
            let Some((leaf, (digest, protocol))) = due.next() else {
                return Err(bad(format!(
                    "has a row of leaf {}, which is none of the session's",
                    cell(0)
                )));
            };
            if cell(0) != leaf.to_string() || cell(9) != digest.to_string() {
                return Err(bad(format!(
                    "where leaf {leaf} with digest {digest} is due, it has another"
                )));
            }
            if let (Ok(salt), "") = (cell(10).parse::<Digest>(), cell(6)) {
                // A leading apostrophe may be the spreadsheet guard's.
                let texts = [Some(cell(5)), cell(5).strip_prefix('\'')];
                let opens =
                    |text: &str| CommandDigest::open(&salt, &canonical(protocol, text)) == *digest;
                if !texts.into_iter().flatten().any(opens) {
                    return Err(bad(format!(
                        "the text of leaf {leaf} is not the one that its digest is of"
                    )));
                }
            }
        }
        due.next().map_or(Ok(()), |(leaf, _)| {
            Err(bad(format!("has no row of leaf {leaf}")))
        })
    }

    /// Every chunk is as the log has it, and there are no others.
    fn recording(&mut self, folder: &str, told: &Told) -> Result<(), Defect> {
        let place = format!("{folder}recording.rec");
        if !self.bundle.has(&place) {
            return Ok(());
        }
        let bad = |why: String| Defect::new(&*place, why);
        let mut file = self.bundle.stream(&place)?;
        let mut magic = [0; MAGIC.len()];
        if file.read_exact(&mut magic).is_err() || magic != MAGIC {
            return Err(bad("is no recording".to_owned()));
        }
        for (index, (bytes, sha256)) in (0_u64..).zip(&told.chunks) {
            let mut head = [0; HEAD_BYTES];
            file.read_exact(&mut head)
                .map_err(|_| bad(format!("ends where chunk {index} is due: it was cut off")))?;
            if RawChunk::length(head) as u64 != *bytes {
                return Err(bad(format!(
                    "chunk {index} has another length than in the log"
                )));
            }
            let found = rest(&mut file, &head, *bytes)
                .ok_or_else(|| bad(format!("is cut off in chunk {index}")))?;
            if found != *sha256 {
                return Err(bad(format!(
                    "chunk {index} is not the one whose SHA-256 stands in the log: it was changed or replaced"
                )));
            }
        }
        if file
            .read(&mut [0])
            .map_err(|error| bad(error.to_string()))?
            > 0
        {
            return Err(bad("holds more than the chunks that the log has".to_owned()));
        }
        Ok(())
    }
}

/// SHA-256 of a chunk of which the head is read.
fn rest(file: &mut impl Read, head: &[u8; HEAD_BYTES], bytes: u64) -> Option<Digest> {
    use aws_lc_rs::digest::{Context, SHA256};
    let mut context = Context::new(&SHA256);
    context.update(head);
    let mut left = bytes.checked_sub(HEAD_BYTES as u64)?;
    let mut buffer = vec![0; PART_BYTES];
    while left > 0 {
        let part = buffer.get_mut(..usize::try_from(left.min(PART_BYTES as u64)).ok()?)?;
        file.read_exact(part).ok()?;
        context.update(part);
        left -= part.len() as u64;
    }
    let mut digest = Digest([0; 32]);
    digest.0.copy_from_slice(context.finish().as_ref());
    Some(digest)
}

/// The canonical bytes of a command without parameters ([`model::Command::canonical`]).
fn canonical(protocol: &str, text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + protocol.len() + text.len());
    for part in [protocol, text] {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

fn session_of(event: &Event) -> Option<&str> {
    match event {
        Event::SessionOpened(opened) => Some(&opened.session),
        Event::Intent(intent) => Some(&intent.session),
        Event::Outcome { session, .. }
        | Event::Refused { session, .. }
        | Event::Recorded { session, .. } => Some(session),
        _ => None,
    }
}

impl Told {
    fn take(&mut self, leaf: u64, event: Event) {
        match event {
            Event::SessionOpened(opened) => self.identity = Some(opened.identity),
            Event::Intent(intent) => drop(
                self.commands
                    .insert(leaf, (intent.command.digest, intent.command.protocol)),
            ),
            Event::Refused { command, .. } => drop(
                self.commands
                    .insert(leaf, (command.digest, command.protocol)),
            ),
            Event::Outcome {
                intent, outcome, ..
            } if !outcome.masks.is_empty() => {
                self.masks +=
                    &sample::mask_line(&mut self.masks_begun, leaf, intent, &outcome.masks);
            }
            Event::Recorded { bytes, sha256, .. } => self.chunks.push((bytes, sha256)),
            _ => {}
        }
    }
}
