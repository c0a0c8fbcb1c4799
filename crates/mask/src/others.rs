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
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

    use std::collections::BTreeSet;

    use super::*;

    fn with<T>(make: impl FnOnce(Others<'_>) -> T) -> T {
        let key = MaskKey::new(b"key");
        make(Others {
            key: &key,
            class: &DataClass::US_SSN,
        })
    }

    fn made(text: &str) -> String {
        with(|others| others.number(text)).unwrap()
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
            assert_eq!(with(|others| others.number(none)), None);
        }
    }

    #[test]
    fn moments_become_others_of_their_kind() {
        let made = |micros| with(|others| others.moment(micros));
        let days: BTreeSet<_> = (0..1_000)
            .map(|day| made(day * DAY_MICROS).unwrap())
            .collect();
        assert_eq!(days.len(), 1_000);
        assert!(days.iter().all(|micros| micros % DAY_MICROS == 0));
        assert_eq!(made(90 * SECOND_MICROS).unwrap() % SECOND_MICROS, 0);
        assert_ne!(made(1).unwrap(), 1);
        assert_eq!(made(i64::MAX), None);
    }

    #[test]
    fn times_become_others_of_their_kind() {
        let made = |micros| with(|others| others.time(micros));
        let minutes: BTreeSet<_> = (0..1_440)
            .map(|minute| made(minute * MINUTE_MICROS).unwrap())
            .collect();
        assert_eq!(minutes.len(), 1_440);
        assert!(minutes.iter().all(|micros| micros % MINUTE_MICROS == 0));
        assert_eq!(made(DAY_MICROS), None);
        assert_eq!(made(-1), None);
    }

    #[test]
    fn floats_become_others_of_their_size() {
        let double = |value: f64| with(|others| others.double(value, &value.to_string())).unwrap();
        assert_eq!(double(48271.5).to_string(), made("48271.5"));
        assert_eq!(double(-0.0), double(0.0));
        assert_eq!(double(-17.0), -double(17.0));
        for value in [1e300, -2.5e-9, 0.1 + 0.2, 123_456_789.123_456_79] {
            let other = with(|others| others.double(value, &format!("{value:e}"))).unwrap();
            assert!(other != value && other.signum() == value.signum());
            assert!((0.5..=2.0).contains(&(other / value)), "{value} {other}");
        }
        for none in [f64::NAN, f64::INFINITY] {
            assert_eq!(with(|others| others.double(none, &none.to_string())), None);
        }
        let single = |value: f32| with(|others| others.single(value, &value.to_string())).unwrap();
        assert_eq!(single(0.5).to_string(), made("0.5"));
        assert_ne!(single(16_777_215.0), 16_777_215.0);
        let many: BTreeSet<u64> = (1..2_000)
            .map(|it| double(f64::from(it) / 8.0).to_bits())
            .collect();
        assert_eq!(many.len(), 1_999);
    }

    #[test]
    fn addresses_become_others_of_their_network() {
        let made = |text: &str, network| {
            let other = with(|others| others.address(text.parse().unwrap(), network));
            other.map(|other| other.to_string())
        };
        let hosts: BTreeSet<_> = (0..=255)
            .map(|host| made(&format!("10.1.2.{host}"), 32))
            .collect();
        assert_eq!(hosts.len(), 256);
        assert!(made("10.1.2.0", 24).unwrap().ends_with(".0"));
        let network = |text: &str| text.rsplit_once('.').map(|it| it.0.to_owned()).unwrap();
        let (net, host) = (made("10.1.2.0", 24).unwrap(), made("10.1.2.3", 24).unwrap());
        assert_eq!(network(&net), network(&host));
        assert_ne!(net, host);
        assert_eq!(made("0.0.0.0", 0), None);
        let six = made("2001:db8::1", 128).unwrap();
        assert!(
            six != "2001:db8::1" && !six.starts_with("2001:db8:"),
            "{six}"
        );
        assert!(made("2001:db8::", 32).unwrap().ends_with("::"));
        assert_ne!(made("2001:db8::5", 32), made("2001:db8::6", 32));
    }

    #[test]
    fn bits_become_as_many_others() {
        let made = |bits: &str| with(|others| others.bits(bits));
        let all: BTreeSet<_> = (0..256)
            .map(|bits| made(&format!("{bits:08b}")).unwrap())
            .collect();
        assert_eq!(all.len(), 256);
        assert!(all.iter().all(|bits| bits.len() == 8));
        let (one, other) = ("0".repeat(200), format!("{}1", "0".repeat(199)));
        let (one, other) = (made(&one).unwrap(), made(&other).unwrap());
        assert!(one.len() == 200 && one[..64] != other[..64] && one[64..128] != other[64..128]);
        for none in ["", "1", "101", "10a1"] {
            assert_eq!(made(none), None);
        }
    }
}
