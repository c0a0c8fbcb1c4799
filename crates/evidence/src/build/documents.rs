//! Files that are written, not computed: scope, controls, keys, how to verify, what is known of time and retention.

use std::io::{Seek, Write};

use model::Identity;
use serde::Serialize;

use super::{Build, BuildError, controls};
use crate::bundle::csv::Row;
use crate::bundle::writer::Writer;
use crate::bundle::{json, layout};
use crate::fold::Period;
use crate::signers;

/// `scope/extraction_query.json`.
#[derive(Serialize)]
struct Query<'a> {
    #[serde(flatten)]
    period: &'a Period,
    log: &'a str,
    built_by: &'a Identity,
    gateway_version: &'a str,
    range: &'static str,
}

const RANGE: &str = "first is the size of the last checkpoint before which every entry is earlier than from (0: the log's beginning); end is \
the size of the first checkpoint, not before that, that covers every entry earlier than to. So the range may reach a little beyond \
the times on both sides, and leaves nothing out.";

const TIME: &str = "Times are the gateway's own: the system clock of its host, in UTC, with microseconds. Entries carry them; the order of the\n\
leaves is what the log proves, and countersign-verify reports every entry that lies more than 60 s before one that stands before it.\n\
No external timestamp (RFC 3161) is on the checkpoints yet, so that nothing existed later than it says is the gateway's word;\n\
that nothing was changed afterwards is not. How the host's clock is kept is not recorded here: ask for its NTP configuration.\n";

const RETENTION: &str = "The log is append-only and has no deletion. A session's recording is sealed under a key of its own; destroying that key is\n\
how content is forgotten, and every proof still holds. Destructions, legal holds and retention periods are not recorded as entries\n\
yet: ask for the organisation's schedule. A drawn session whose recording or key is gone is named in its sample.json.\n";

const UNLOGGED: [[&str; 2]; 6] = [
    [
        "connections that do not pass the gateway",
        "whoever knows an account of the target and can reach it goes round: check network rules and the target's own log",
    ],
    [
        "what the target does by itself",
        "triggers, jobs, replication and its own administrators are not seen; effects name what a statement says it touches",
    ],
    [
        "rows that were changed",
        "the number of rows that the target reports is recorded, not their content",
    ],
    [
        "refusals while the log could not be written",
        "nothing was permitted then; such refusals are counted in a session's closing entry and listed as exceptions",
    ],
    [
        "the gateway's host",
        "its administrators, its system log and its disk are outside",
    ],
    [
        "connections that ended before they proved who they are",
        "they are not in the log",
    ],
];

impl Build<'_, '_> {
    pub(super) fn documents<W: Write + Seek>(
        &self,
        writer: &mut Writer<W>,
    ) -> Result<(), BuildError> {
        let query = Query {
            period: &self.period,
            log: self.log.checkpoint().origin(),
            built_by: self.sources.builder,
            gateway_version: self.sources.version,
            range: RANGE,
        };
        writer.add(layout::QUERY, json(&query).as_bytes())?;
        writer.add(layout::CONTROLS, controls::matrix().as_bytes())?;
        let mut unlogged = Row::of(&[&"not seen", &"what that means"]);
        for [what, means] in UNLOGGED {
            unlogged += &Row::of(&[&what, &means]);
        }
        writer.add(layout::UNLOGGED, unlogged.as_bytes())?;
        self.targets(writer)?;
        writer.add(layout::TIME, TIME.as_bytes())?;
        writer.add(layout::RETENTION, RETENTION.as_bytes())?;
        writer.add(
            layout::LOG_KEY,
            format!("{}\n", self.sources.key.verifier()).as_bytes(),
        )?;
        writer.add(
            layout::SIGNERS,
            signers::write(self.sources.people).as_bytes(),
        )?;
        writer.add(layout::VERIFY, include_str!("VERIFY.txt").as_bytes())
    }

    fn targets<W: Write + Seek>(&self, writer: &mut Writer<W>) -> Result<(), BuildError> {
        let mut targets = Row::of(&[
            &"target",
            &"protocol",
            &"address",
            &"account",
            &"tls",
            &"in this bundle",
        ]);
        let mut masks = Row::of(&[&"target", &"column", &"class"]);
        for target in self.sources.targets {
            let here = self
                .request
                .target
                .as_ref()
                .is_none_or(|asked| *asked == target.name);
            let (name, protocol) = (&target.name, &target.protocol);
            targets += &Row::of(&[
                name,
                protocol,
                &target.address,
                &target.account,
                &target.tls,
                &here,
            ]);
            for (column, class) in &target.masks {
                masks += &Row::of(&[name, column, class]);
            }
        }
        writer.add(layout::TARGETS, targets.as_bytes())?;
        writer.add(layout::MASK_RULES, masks.as_bytes())
    }
}
