//! Parameters as they are digested, and as they may rest.

use bytes::Bytes;
use mask::Masker;
use model::Parameter;
use sql::postgres::Parameters;

use super::echo::Echo;
use super::rest::{at_rest, held_at_rest};

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

/// The parameters as they may rest: text is masked, whatever it looks like where it may be a value of a protected column
/// (`held`), binary numbers are written out and masked, other binary forms are told by their length alone.
pub(in crate::postgres) fn shown(
    parameters: &[Parameter],
    described: &[u32],
    held: &Parameters,
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
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let masked = match held.get(&number) {
            Some(held) => held_at_rest(masker, held, &text),
            None => at_rest(masker, &text.into()),
        };
        Some(String::from_utf8_lossy(&masked).into_owned())
    };
    parameters.iter().enumerate().map(one).collect()
}

/// Those of them that may be values of protected columns, as the server may say them back.
pub(in crate::postgres) fn echo_of(parameters: &[Parameter], held: &Parameters) -> Option<Echo> {
    if held.is_empty() {
        return None;
    }
    let numbers = held
        .keys()
        .filter_map(|number| usize::try_from(*number).ok());
    let given = numbers.filter_map(|number| parameters.get(number.checked_sub(1)?));
    let values: Vec<Bytes> = given
        .filter_map(|parameter| {
            let value = parameter.value.as_ref()?;
            let number = integer(parameter.kind.0, value);
            let number = number.filter(|_| parameter.kind.1 != Format::Text.code());
            Some(number.map_or_else(|| value.clone(), |number| number.to_string().into()))
        })
        .collect();
    Echo::of(values.iter().map(|value| &**value))
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
