//! What stands in place of values is of their type, and equal where they are.

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
