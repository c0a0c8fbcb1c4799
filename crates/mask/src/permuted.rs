//! Numbers and moments in place of others: each of a domain gets another one of it, and no two the same, so that what was equal or
//! different stays so.

use std::ops::RangeInclusive;

use model::DataClass;

use crate::replace::MaskKey;

/// Of a Feistel network, alternately over its two halves.
const ROUNDS: u64 = 8;

/// Days from 2000-01-01: 1900 to 2099.
const DAYS: RangeInclusive<i64> = -36_524..=36_524;
const DAY_MICROS: i64 = 86_400_000_000;
const SECOND_MICROS: i64 = 1_000_000;

impl MaskKey {
    /// Another number with as many digits before and behind the point, for one as PostgreSQL writes it. Zeros at the end of a fraction
    /// stay, since they make no other number, and what an integer type can hold stays such. `None` for what has no digits only.
    pub(crate) fn number(&self, class: &DataClass, text: &str) -> Option<String> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let point = if digits.contains('.') { "." } else { "" };
        let short = fraction.trim_end_matches('0');
        let zeros = fraction.get(short.len()..)?;
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let all = [whole, short].concat();
        let made = match all.parse::<u64>() {
            Ok(value) if value <= i64::MAX.cast_unsigned() => {
                let domain = domain(value, all.len(), short.is_empty(), whole == "0");
                let ends = |value: u64| short.is_empty() || !value.is_multiple_of(10);
                let made = self.permuted(class, domain, value, ends);
                format!("{made:0>width$}", width = all.len())
            }
            _ => self.digits(class, &all)?,
        };
        let (whole, short) = made.split_at_checked(whole.len())?;
        Some([sign, whole, point, short, zeros].concat())
    }

    /// Another moment for one in microseconds from 2000-01-01 00:00: of midnights midnights, of whole seconds whole seconds. `None`
    /// outside of 1900 to 2099.
    pub(crate) fn moment(&self, class: &DataClass, micros: i64) -> Option<i64> {
        let day = micros.div_euclid(DAY_MICROS);
        DAYS.contains(&day).then_some(())?;
        let units = [DAY_MICROS, SECOND_MICROS, 1];
        let unit = units.into_iter().find(|unit| micros % unit == 0)?;
        let first = DAYS.start() * (DAY_MICROS / unit);
        let count = (DAYS.end() - DAYS.start() + 1) * (DAY_MICROS / unit);
        let last = u64::try_from(count - 1).ok()?;
        let value = u64::try_from(micros / unit - first).ok()?;
        let made = self.permuted(class, 0..=last, value, |_| true);
        Some((i64::try_from(made).ok()? + first) * unit)
    }

    /// The next of `value` in a circle that only the key tells, of all in the domain that `fits` takes.
    fn permuted(
        &self,
        class: &DataClass,
        domain: RangeInclusive<u64>,
        value: u64,
        fits: impl Fn(u64) -> bool,
    ) -> u64 {
        let (first, last) = domain.into_inner();
        let count = last - first;
        let bits = (u64::BITS - count.leading_zeros()).max(2);
        let network = Network {
            key: self,
            class,
            domain: [first.to_be_bytes(), last.to_be_bytes()].concat(),
            left: bits / 2,
            right: bits - bits / 2,
        };
        let all = u64::MAX >> (u64::BITS - bits);
        let mut place = network.back(value - first);
        loop {
            place = place.wrapping_add(1) & all;
            let made = network.forth(place);
            if made <= count && fits(made + first) {
                return made + first;
            }
        }
    }

    /// Digits for more of them than fit a number of 64 bits.
    fn digits(&self, class: &DataClass, digits: &str) -> Option<String> {
        let made = self.format(class, digits.as_bytes(), digits.as_bytes(), 0..digits.len())?;
        let made = String::from_utf8(made).ok()?;
        Some(match made.strip_prefix('0') {
            Some(rest) => format!("1{rest}"),
            None => made,
        })
    }
}

/// The numbers of as many digits that the same integer types can hold.
fn domain(value: u64, digits: usize, integer: bool, zero: bool) -> RangeInclusive<u64> {
    let power = |digits: usize| {
        let digits = u32::try_from(digits).unwrap_or(u32::MAX);
        10_u64.checked_pow(digits).unwrap_or(u64::MAX)
    };
    let first = if zero { 0 } else { power(digits - 1) };
    let (mut first, mut last) = (if digits == 1 { 0 } else { first }, power(digits) - 1);
    // Of a number below one only the digits behind the point are others.
    if zero && digits > 1 {
        last = power(digits - 1) - 1;
    }
    if integer {
        for most in [32_767, 2_147_483_647, i64::MAX.cast_unsigned()] {
            if value <= most {
                last = last.min(most);
                break;
            }
            first = first.max(most + 1);
        }
    }
    first..=last.min(i64::MAX.cast_unsigned())
}

/// A permutation of the numbers of some bits.
struct Network<'a> {
    key: &'a MaskKey,
    class: &'a DataClass,
    domain: Vec<u8>,
    left: u32,
    right: u32,
}

impl Network<'_> {
    fn forth(&self, value: u64) -> u64 {
        (0..ROUNDS).fold(value, |value, round| self.round(value, round))
    }

    fn back(&self, value: u64) -> u64 {
        (0..ROUNDS)
            .rev()
            .fold(value, |value, round| self.round(value, round))
    }

    /// Its own inverse: one half decides what is added to the other.
    fn round(&self, value: u64, round: u64) -> u64 {
        let (left, right) = (value >> self.right, value & mask(self.right));
        let (left, right) = if round.is_multiple_of(2) {
            (left ^ self.noise(right, round) & mask(self.left), right)
        } else {
            (left, right ^ self.noise(left, round) & mask(self.right))
        };
        left << self.right | right
    }

    fn noise(&self, half: u64, round: u64) -> u64 {
        let text = [&self.domain[..], &half.to_be_bytes()].concat();
        let digest = self.key.digest(b"number", self.class, &text, round);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

fn mask(bits: u32) -> u64 {
    u64::MAX.checked_shr(u64::BITS - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

    use std::collections::BTreeSet;

    use super::*;

    fn made(text: &str) -> String {
        MaskKey::new(b"key")
            .number(&DataClass::US_SSN, text)
            .unwrap()
    }

    #[test]
    fn every_number_becomes_another_one_and_no_two_the_same() {
        for range in [0..=9, 10..=99, 100..=999, 10_000..=40_000] {
            let values: Vec<u64> = range.collect();
            let others: BTreeSet<_> = values
                .iter()
                .map(|value| made(&value.to_string()))
                .collect();
            assert_eq!(others.len(), values.len());
            for value in values {
                let value = value.to_string();
                assert_eq!(made(&value).len(), value.len());
                assert_ne!(made(&value), value);
            }
        }
    }

    #[test]
    fn numbers_that_are_equal_stay_equal_and_keep_their_type() {
        assert_eq!(made("5.00"), format!("{}.00", made("5")));
        assert_eq!(made("1.50"), format!("{}0", made("1.5")));
        assert_eq!(made("-17"), format!("-{}", made("17")));
        assert!(!made("1.5").ends_with('0') && made("0.05").starts_with("0."));
        for value in 0..500 {
            let number = made(&(2_147_483_647 - value).to_string());
            assert!(number.parse::<i32>().is_ok(), "{number}");
            let number = made(&(i64::MAX - i64::from(value)).to_string());
            assert!(number.parse::<i64>().is_ok(), "{number}");
            assert!(made(&(32_767 - value).to_string()).parse::<i16>().is_ok());
        }
        let long = "123456789012345678901234567890.5";
        assert_eq!(made(long).len(), long.len());
        for none in ["NaN", "1e5", "", "."] {
            assert_eq!(MaskKey::new(b"key").number(&DataClass::US_SSN, none), None);
        }
    }

    #[test]
    fn moments_become_others_of_their_kind() {
        let key = MaskKey::new(b"key");
        let made = |micros| key.moment(&DataClass::DATE_OF_BIRTH, micros);
        let days: BTreeSet<_> = (0..1_000)
            .map(|day| made(day * DAY_MICROS).unwrap())
            .collect();
        assert_eq!(days.len(), 1_000);
        assert!(days.iter().all(|micros| micros % DAY_MICROS == 0));
        assert_eq!(made(90 * SECOND_MICROS).unwrap() % SECOND_MICROS, 0);
        assert_ne!(made(1).unwrap(), 1);
        assert_eq!(made(i64::MAX), None);
    }
}
