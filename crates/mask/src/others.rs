//! Values of types that are no text in place of others: another one of the type, equal where the values were.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use model::DataClass;

use crate::replace::MaskKey;

/// Days from 2000-01-01: 1900 to 2099.
const DAYS: RangeInclusive<i64> = -36_524..=36_524;
const DAY_MICROS: i64 = 86_400_000_000;
const MINUTE_MICROS: i64 = 60_000_000;
const SECOND_MICROS: i64 = 1_000_000;

/// The digits with which every decimal is another `f64`, and another `f32`.
const DOUBLE_DIGITS: usize = 15;
const SINGLE_DIGITS: usize = 6;

/// Of fewer bits there are so few that another value would tell which one it was.
const BITS_MIN: usize = 4;

/// More are not replaced.
const BITS_MAX: usize = 4096;

/// Gives other values in place of those of a class. Equal ones get equal ones, and where nothing else is said different ones
/// different ones.
#[derive(Debug, Clone, Copy)]
pub struct Others<'a> {
    pub(crate) key: &'a MaskKey,
    pub(crate) class: &'a DataClass,
}

impl Others<'_> {
    /// Another number with as many digits before and behind the point, for one as PostgreSQL writes it. Zeros at the end of a fraction
    /// stay, since they make no other number, and what an integer type can hold stays such. `None` for what has no digits only.
    #[must_use]
    pub fn number(&self, text: &str) -> Option<String> {
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
                let fits = |value: u64| {
                    let ends = short.is_empty() || !value.is_multiple_of(10);
                    // Nothing else is equal to nought.
                    ends && (sign.is_empty() || value != 0)
                };
                let made = self.permuted(b"", domain, value, fits);
                format!("{made:0>width$}", width = all.len())
            }
            _ => self.digits(&all)?,
        };
        let (whole, short) = made.split_at_checked(whole.len())?;
        Some([sign, whole, point, short, zeros].concat())
    }

    /// Another moment for one in microseconds from 2000-01-01 00:00: of midnights midnights, of whole seconds whole seconds. `None`
    /// outside of 1900 to 2099.
    #[must_use]
    pub fn moment(&self, micros: i64) -> Option<i64> {
        let day = micros.div_euclid(DAY_MICROS);
        DAYS.contains(&day).then_some(())?;
        let units = [DAY_MICROS, SECOND_MICROS, 1];
        let unit = units.into_iter().find(|unit| micros % unit == 0)?;
        let first = DAYS.start() * (DAY_MICROS / unit);
        let count = (DAYS.end() - DAYS.start() + 1) * (DAY_MICROS / unit);
        let last = u64::try_from(count - 1).ok()?;
        let value = u64::try_from(micros / unit - first).ok()?;
        let made = self.permuted(b"", 0..=last, value, |_| true);
        Some((i64::try_from(made).ok()? + first) * unit)
    }

    /// Another time of a day for one in microseconds: of whole minutes whole minutes, of whole seconds whole seconds. `None` for
    /// 24:00, and for what is no time.
    #[must_use]
    pub fn time(&self, micros: i64) -> Option<i64> {
        (0..DAY_MICROS).contains(&micros).then_some(())?;
        let units = [MINUTE_MICROS, SECOND_MICROS, 1];
        let unit = units.into_iter().find(|unit| micros % unit == 0)?;
        let last = u64::try_from(DAY_MICROS / unit - 1).ok()?;
        let value = u64::try_from(micros / unit).ok()?;
        let made = self.permuted(b"time", 0..=last, value, |_| true);
        Some(i64::try_from(made).ok()? * unit)
    }

    /// Another double for one, which `text` is without an exponent if it can be written so: with as many digits, as
    /// [`Others::number`] makes them, or where those do not tell all doubles apart another one of about the size. `None` for what
    /// is no number, and for infinity.
    #[must_use]
    pub fn double(&self, value: f64, text: &str) -> Option<f64> {
        const FRACTION: u64 = (1 << 52) - 1;
        if let Some(made) = self.decimal(value == 0.0, text, DOUBLE_DIGITS) {
            return made.parse().ok();
        }
        value.is_finite().then_some(())?;
        let (rest, fraction) = (value.to_bits() & !FRACTION, value.to_bits() & FRACTION);
        let made = self.permuted(&rest.to_be_bytes(), 0..=FRACTION, fraction, |_| true);
        Some(f64::from_bits(rest | made))
    }

    /// The same for an `f32`.
    #[must_use]
    pub fn single(&self, value: f32, text: &str) -> Option<f32> {
        const FRACTION: u32 = (1 << 23) - 1;
        if let Some(made) = self.decimal(value == 0.0, text, SINGLE_DIGITS) {
            return made.parse().ok();
        }
        value.is_finite().then_some(())?;
        let (rest, fraction) = (value.to_bits() & !FRACTION, value.to_bits() & FRACTION);
        let domain = 0..=u64::from(FRACTION);
        let made = self.permuted(&rest.to_be_bytes(), domain, fraction.into(), |_| true);
        Some(f32::from_bits(rest | u32::try_from(made).ok()?))
    }

    /// A number of few enough digits.
    fn decimal(&self, zero: bool, text: &str, most: usize) -> Option<String> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        // Nought has no sign.
        let text = if zero { "0" } else { text };
        if digits > most {
            None
        } else {
            self.number(text)
        }
    }

    /// Another address for one of which so many bits are the network's: another network, and another host where there is one.
    /// `None` for the network of all.
    #[must_use]
    pub fn address(&self, address: IpAddr, network: u8) -> Option<IpAddr> {
        let (all, value) = match address {
            IpAddr::V4(address) => (32, u128::from(u32::from(address))),
            IpAddr::V6(address) => (128, u128::from(address)),
        };
        let host = u32::from(all - network.min(all));
        let among = [all, network];
        let hosts = 1_u128
            .checked_shl(host)
            .map_or(u128::MAX, |hosts| hosts - 1);
        let (net, rest) = (value.checked_shr(host).unwrap_or(0), value & hosts);
        let net = self.wide(&[b'n', all, network], u32::from(network.min(all)), net);
        let rest = match rest {
            0 => 0,
            rest if host <= u64::BITS => {
                let last = u64::try_from(hosts).ok()?;
                self.permuted(&among, 1..=last, u64::try_from(rest).ok()?, |_| true)
                    .into()
            }
            rest => self.wide(&[b'h', all, network], host, rest),
        };
        let made = net.checked_shl(host).unwrap_or(0) | rest;
        (made != value).then_some(())?;
        Some(match address {
            IpAddr::V4(_) => Ipv4Addr::from(u32::try_from(made).ok()?).into(),
            IpAddr::V6(_) => Ipv6Addr::from(made).into(),
        })
    }

    /// Another number of so many bits, 128 at most.
    fn wide(&self, among: &[u8], bits: u32, value: u128) -> u128 {
        let text = format!("{value:0width$b}", width = bits as usize);
        let text = if bits == 0 { "" } else { &text };
        u128::from_str_radix(&self.blocks(among, text), 2).unwrap_or(0)
    }

    /// As many other bits for some in text, `0` and `1`. `None` for fewer than four, and for very many.
    #[must_use]
    pub fn bits(&self, bits: &str) -> Option<String> {
        let are_bits = bits.bytes().all(|bit| matches!(bit, b'0' | b'1'));
        let fits = (BITS_MIN..=BITS_MAX).contains(&bits.len());
        (are_bits && fits).then(|| self.blocks(b"bits", bits))
    }

    /// Other bits, of which each depends on all: block by block, among what is made of those before it and those behind it.
    fn blocks(&self, among: &[u8], bits: &str) -> String {
        let mut blocks: Vec<(u32, u64)> = bits
            .as_bytes()
            .chunks(64)
            .filter_map(|block| {
                let text = std::str::from_utf8(block).ok()?;
                let count = u32::try_from(block.len()).ok()?;
                Some((count, u64::from_str_radix(text, 2).ok()?))
            })
            .collect();
        for place in 0..blocks.len() {
            let mut context = [among, b"/", place.to_string().as_bytes()].concat();
            for (other, (_, block)) in blocks.iter().enumerate() {
                let block = if other == place { 0 } else { *block };
                context.extend(block.to_be_bytes());
            }
            if let Some((count, block)) = blocks.get_mut(place) {
                let last = u64::MAX >> (u64::BITS - *count);
                *block = self.permuted(&context, 0..=last, *block, |_| true);
            }
        }
        let texts = blocks
            .iter()
            .map(|(count, block)| format!("{block:0width$b}", width = *count as usize));
        texts.collect()
    }

    fn permuted(
        &self,
        among: &[u8],
        domain: RangeInclusive<u64>,
        value: u64,
        fits: impl Fn(u64) -> bool,
    ) -> u64 {
        self.key.permuted(self.class, among, domain, value, fits)
    }

    /// Digits for more of them than fit a number of 64 bits.
    fn digits(&self, digits: &str) -> Option<String> {
        let made = self.key.format(
            self.class,
            digits.as_bytes(),
            digits.as_bytes(),
            0..digits.len(),
        )?;
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

#[cfg(test)]
mod tests;
