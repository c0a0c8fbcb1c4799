//! Parameters as they are digested, and as they may rest.

use bytes::Bytes;
use mask::{Findings, Hint, Masker};
use model::Parameter;

use crate::postgres::wire::{Bind, Format};

/// Types whose binary form is their text: text, varchar, bpchar, name, json, xml, "unknown".
const TEXTUAL: [u32; 7] = [25, 1043, 1042, 19, 114, 142, 705];

/// The exact parameters, with the types that Parse named (0 where it named none) and their formats.
pub(in crate::postgres) fn canonical(bind: &Bind, types: &[u32]) -> Vec<Parameter> {
    let parameter = |(index, value): (usize, &Option<Bytes>)| Parameter {
        kind: (
            types.get(index).copied().unwrap_or(0),
            Format::pick(&bind.formats, index).code(),
        ),
        value: value.clone(),
    };
    bind.values.iter().enumerate().map(parameter).collect()
}

/// The parameters as they may rest: text is masked, binary numbers are written out and masked, other binary forms are
/// told by their length alone.
pub(in crate::postgres) fn shown(
    parameters: &[Parameter],
    described: &[u32],
    masker: &Masker,
) -> Vec<Option<String>> {
    let one = |(index, parameter): (usize, &Parameter)| {
        let value = parameter.value.as_ref()?;
        let kind = if parameter.kind.0 == 0 {
            described.get(index).copied().unwrap_or(0)
        } else {
            parameter.kind.0
        };
        let text = if parameter.kind.1 == Format::Text.code() || TEXTUAL.contains(&kind) {
            value.to_vec()
        } else if let Some(number) = integer(kind, value) {
            number.to_string().into_bytes()
        } else {
            return Some(format!("<{} bytes>", value.len()));
        };
        Some(String::from_utf8_lossy(&at_rest(masker, &text.into())).into_owned())
    };
    parameters.iter().enumerate().map(one).collect()
}

/// int8, int2, int4 in binary form.
fn integer(kind: u32, value: &[u8]) -> Option<i64> {
    match kind {
        20 => value.try_into().ok().map(i64::from_be_bytes),
        21 => value
            .try_into()
            .ok()
            .map(|bytes| i64::from(i16::from_be_bytes(bytes))),
        23 => value
            .try_into()
            .ok()
            .map(|bytes| i64::from(i32::from_be_bytes(bytes))),
        _ => None,
    }
}

/// Text as it may rest: what is protected in it is masked, by [`crate::postgres::settings::Masks::at_rest`].
pub(in crate::postgres) fn at_rest(masker: &Masker, text: &Bytes) -> Bytes {
    let mut out = Vec::new();
    match masker.mask_text(Hint::NONE, text, &mut out, &mut Findings::counting()) {
        mask::Outcome::Clean => text.clone(),
        mask::Outcome::Masked => out.into(),
        _ => Bytes::new(),
    }
}
