//! A whole session: whatever both peers send, in whatever pieces, and whatever the gateway answers.
//!
//! An input is a script, one byte for what happens and one for how (see [`script`]). The first byte says where it begins:
//! `0` before the first packet, anything else logged in on both sides.

mod gateway;
pub(crate) mod say;
mod script;
mod server;

use arbitrary::Unstructured;

use crate::on_big_stack;
use gateway::Gateway;
pub(crate) use say::TEXTS;
use script::Step;

/// A script is at most so long.
const STEPS_MAX: usize = 200;

pub(crate) fn session(data: &[u8]) {
    // The catalog's views, the statements: everything here may parse.
    on_big_stack(|| run(data));
}

fn run(data: &[u8]) {
    let mut script = Unstructured::new(data);
    let begin: u8 = script.arbitrary().unwrap_or_default();
    let mut gateway = if begin == b'0' {
        Gateway::new()
    } else {
        Gateway::live()
    };
    for _ in 0..STEPS_MAX {
        if script.is_empty() || gateway.is_over() {
            break;
        }
        match Step::take(&mut script) {
            Ok(step) => gateway.play(step),
            Err(_) => break,
        }
    }
    gateway.finish();
}
