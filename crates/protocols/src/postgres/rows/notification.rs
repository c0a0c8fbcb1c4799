//! What notifications carry.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{BufMut, Bytes};
use mask::{Findings, Hint, Outcome};
use serde::de::IgnoredAny;
use sql::postgres::{BaseColumn, Kind, Member, Members, OfClass};

use super::cell::{Cells, Look, Rule};
use super::report::free_text;
use super::{json, plan};
use crate::postgres::known::Known;
use crate::postgres::settings::Masks;
use crate::postgres::wire::{Frame, Malformed, Reader, write};

/// A NotificationResponse as it may be shown; `None` where it may be shown as it came.
///
/// Nobody knows what a payload is made of: a trigger may send whole rows. So on a target with declared columns one that is not JSON
/// of the row of a table with declared columns is withheld, which leaves it empty, unless it stands in `own`, the NOTIFY of this session that sent it.
///
/// # Errors
/// [`Malformed`]
pub fn mask_notification(
    frame: &Frame,
    masks: &Masks,
    known: &Arc<Known>,
    own: Option<&[u8]>,
    findings: &mut Findings,
) -> Result<Option<Bytes>, Malformed> {
    let mut body = Reader::new(&frame.body);
    let (process, channel, payload) = (body.u32()?, body.cstr()?, body.cstr()?);
    body.end()?;
    let place = findings.place("notification");
    findings.enter(place);
    let masks = masks.for_chosen();
    let masked_channel = free_text(&masks.text, &channel, findings);
    let strict = !known.protected.is_empty() && !masks.open;
    let is_own = own.is_some_and(|own| memchr::memmem::find(own, &payload).is_some());
    let masked_payload = if strict && !is_own && !payload.is_empty() {
        row_told(&payload, masks, known, findings)
    } else {
        free_text(&masks.text, &payload, findings)
    };
    if masked_channel.is_none() && masked_payload.is_none() {
        return Ok(None);
    }
    Ok(Some(write::one(frame.kind, |out| {
        out.put_u32(process);
        write::cstr(out, &masked_channel.unwrap_or(channel));
        write::cstr(out, &masked_payload.unwrap_or(payload));
    })))
}

/// JSON of a row of a table with declared columns, these masked; what is something else is withheld.
fn row_told(
    payload: &Bytes,
    masks: &Masks,
    known: &Arc<Known>,
    findings: &mut Findings,
) -> Option<Bytes> {
    let mut out = Vec::new();
    let outcome = row_members(payload, known).map(|members| {
        let cells = Cells::new(Arc::clone(known), masks.clone());
        let rule = Rule::Members(Arc::new(members));
        let look = Look {
            rule: &rule,
            hint: Hint::NONE,
            depth: 0,
        };
        json::json(&cells, look, payload, &mut out, findings)
    });
    match outcome {
        Some(Outcome::Clean) => None,
        Some(Outcome::Masked) => Some(out.into()),
        Some(Outcome::Null | Outcome::Withheld) => Some(Bytes::new()),
        None => {
            findings.record_withheld(&plan::uninspected(), "lineage");
            Some(Bytes::new())
        }
    }
}

/// What the members of JSON hold that has those of a table's row, all of them and no others.
fn row_members(payload: &[u8], known: &Known) -> Option<Members> {
    let row: BTreeMap<String, IgnoredAny> = serde_json::from_slice(payload).ok()?;
    let mut members: Option<Members> = None;
    // Of a shape that holds nothing protected anybody may have made one, whatever a trigger puts into it.
    let relations = known.catalog.relations();
    for relation in relations.filter(|it| known.protected.touches(it.oid)) {
        let same = relation.columns.len() == row.len()
            && relation
                .columns
                .iter()
                .all(|column| row.contains_key(&column.name));
        if !same {
            continue;
        }
        let members = members.get_or_insert_default();
        for column in &relation.columns {
            let taint = known.protected.column(relation.oid, column.number);
            let held = match &taint.kind {
                Kind::Clear => Member::Clear,
                // Of what cannot be told nothing is shown.
                Kind::Unknown(_) => return None,
                Kind::Direct(of) => Member::Held(of.clone()),
                _ => {
                    let columns = taint.columns();
                    // Of several classes one may be revealed.
                    if columns.classes().len() != 1 {
                        return None;
                    }
                    let first = columns.iter().next()?;
                    Member::Held(OfClass::one(BaseColumn::clone(first)))
                }
            };
            let member = members.entry(column.name.clone()).or_insert(Member::Clear);
            if *member == Member::Clear {
                *member = held;
            }
        }
    }
    members
}
