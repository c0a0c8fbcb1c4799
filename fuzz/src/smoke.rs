//! Each target with its seeds, with changed seeds and with noise: a bounded number of inputs, the same ones for the same seed.
//!
//! This needs no instrumented build and no other toolchain. It finds what is shallow; libFuzzer, which sees the branches,
//! finds what is deep.

use std::env;
use std::fmt::Write as _;

use crate::Target;

/// Inputs for each target besides its seeds, where [`INPUTS`] names no other number.
const INPUTS_DEFAULT: u64 = 150;
/// The variable with the number of inputs.
pub const INPUTS: &str = "FUZZ_INPUTS";
/// The variable with the number that all inputs are made from.
pub const SEED: &str = "FUZZ_SEED";

/// An input grows to about this.
const BYTES_MAX: usize = 4_096;
/// Noise that follows no seed.
const NOISE_BYTES_MAX: u64 = 200;
/// One input in so many is noise.
const NOISE_EVERY: u64 = 8;
/// A seed is changed in at most so many places.
const CHANGES_MAX: u64 = 6;

/// Numbers at whose borders decoders go wrong.
const EDGES: [u64; 12] = [
    0,
    1,
    4,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_fffb,
    0xffff_ffff,
    u64::MAX,
];

/// Runs a target on its seeds, and on inputs made of them.
///
/// # Panics
/// Where a property does not hold, or a variable holds no number. The input is printed first.
pub fn run(target: &Target) {
    let inputs = number(INPUTS).unwrap_or(INPUTS_DEFAULT);
    let seed = number(SEED).unwrap_or(1);
    println!("{}: {SEED}={seed} {INPUTS}={inputs}", target.name);
    let seeds = (target.seeds)();
    for (index, data) in seeds.iter().enumerate() {
        feed(target, &format!("seed {index}"), data);
    }
    let mut dice = Dice::new(seed, target.name);
    for index in 0..inputs {
        let data = input(&mut dice, &seeds);
        feed(target, &format!("input {index}"), &data);
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{variable}={text:?} is no number")))
}

fn feed(target: &Target, which: &str, data: &[u8]) {
    let told = Told {
        target: target.name,
        which,
        data,
    };
    (target.run)(data);
    drop(told);
}

/// Says what the input was when a target panics.
struct Told<'a> {
    target: &'a str,
    which: &'a str,
    data: &'a [u8],
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut hex = String::new();
            for byte in self.data {
                let _ = write!(hex, "{byte:02x}");
            }
            eprintln!(
                "{}, {}: b\"{}\"\nto libFuzzer: echo {hex} | xxd -r -p > input",
                self.target,
                self.which,
                self.data.escape_ascii()
            );
        }
    }
}

/// One input: a seed changed in some places, or noise.
fn input(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    if seeds.is_empty() || dice.below(NOISE_EVERY) == 0 {
        let length = dice.below(NOISE_BYTES_MAX);
        return (0..length).map(|_| dice.byte()).collect();
    }
    let mut data = dice.of(seeds).clone();
    for _ in 0..=dice.below(CHANGES_MAX) {
        change(dice, &mut data, seeds);
    }
    data.truncate(BYTES_MAX.max(data.len() / 2));
    data
}

/// Changes an input in one place.
fn change(dice: &mut Dice, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = dice.place(data.len());
    let end = at + dice.place((data.len() - at).min(64));
    match dice.below(9) {
        // A bit, a byte, a number in the network's order.
        0 => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => {
            if let Some(byte) = data.get_mut(at) {
                *byte = dice.byte();
            }
        }
        2 => {
            let number = dice.of(&EDGES).to_be_bytes();
            let width = *dice.of(&[1, 2, 4, 8]);
            for (byte, new) in data.iter_mut().skip(at).zip(&number[8 - width..]) {
                *byte = *new;
            }
        }
        // Something goes, or comes.
        3 => drop(data.drain(at..end)),
        4 => data.truncate(at),
        5 => {
            let noise: Vec<u8> = (0..dice.below(8)).map(|_| dice.byte()).collect();
            data.splice(at..at, noise);
        }
        // Something comes twice.
        6 => {
            let copy = data[at..end].to_vec();
            let times = 1 + dice.below(3) as usize;
            data.splice(end..end, copy.repeat(times));
        }
        // Another seed's end, or its middle.
        7 => {
            let other = dice.of(seeds);
            let from = dice.place(other.len());
            data.truncate(at);
            data.extend_from_slice(&other[from..]);
        }
        _ => {
            let other = dice.of(seeds);
            let from = dice.place(other.len());
            let to = from + dice.place((other.len() - from).min(64));
            data.splice(at..end, other[from..to].iter().copied());
        }
    }
}

/// The same numbers for the same beginning (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64, name: &str) -> Self {
        let mut dice = Self(seed);
        for byte in name.bytes() {
            dice.0 = dice.next() ^ u64::from(byte);
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    /// A place in something so long, or its end.
    fn place(&mut self, length: usize) -> usize {
        self.below(length as u64 + 1) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(seed: u64, name: &str) -> Vec<Vec<u8>> {
        let seeds = [b"a seed".to_vec(), b"another one".to_vec()];
        let mut dice = Dice::new(seed, name);
        (0..40).map(|_| input(&mut dice, &seeds)).collect()
    }

    #[test]
    fn inputs_follow_from_the_seed() {
        assert_eq!(some(1, "x"), some(1, "x"));
        assert_ne!(some(1, "x"), some(2, "x"));
        assert_ne!(some(1, "x"), some(1, "y"));
    }

    #[test]
    fn every_target_has_a_seed_and_a_name_of_its_own() {
        let mut names: Vec<_> = crate::ALL.iter().map(|target| target.name).collect();
        names.dedup();
        assert_eq!(names.len(), crate::ALL.len());
        for target in crate::ALL {
            assert!(!(target.seeds)().is_empty(), "{} has no seed", target.name);
            assert!(crate::target(target.name).is_some());
        }
    }

    #[test]
    #[should_panic(expected = "three")]
    fn a_find_fails() {
        let target = Target {
            name: "none",
            run: |data| assert!(!data.starts_with(&[3]), "three"),
            seeds: || vec![vec![1], vec![2], vec![3]],
        };
        run(&target);
    }
}
