//! The small parts.

use proptest::prelude::*;

use super::super::{Fields, date, escape};

#[test]
fn times_read_as_they_are_written() {
    for text in ["20150830T123600Z", "19700101T000000Z", "20240229T235959Z"] {
        assert_eq!(date::write(date::read(text).unwrap()), text);
    }
    assert_eq!(
        date::rfc3339(date::read("20150830T123600Z").unwrap()),
        "2015-08-30T12:36:00Z"
    );
    for text in [
        "",
        "20150830T123600",
        "20150830t123600Z",
        "20150230T123600Z",
        "20150830T243600Z",
        "2015083 T123600Z",
        "+2150830T123600Z",
        "19691231T235959Z",
        "2015-08-30T12:36",
    ] {
        assert_eq!(date::read(text), None, "{text}");
    }
}

#[test]
fn a_field_that_stands_twice_means_nothing_certain() {
    let fields: Fields = [("A", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
    assert_eq!(
        (fields.one("a"), fields.one("b"), fields.one("c")),
        (None, Some("2"), None)
    );
    assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "3"]);
    let mut fields = fields;
    fields.set("A", "4");
    assert_eq!(fields.iter().collect::<Vec<_>>(), [("b", "2"), ("a", "4")]);
}

#[test]
fn escapes_are_read_strictly() {
    assert_eq!(escape::decode("a%2Fb+c").unwrap(), "a/b+c");
    assert_eq!(escape::decode_form("a%2Fb+c").unwrap(), "a/b c");
    for text in ["%", "%2", "%zz", "%ff", "%+1"] {
        assert_eq!(escape::decode(text), Err(escape::BadEscape), "{text}");
    }
    let pairs = escape::pairs("a=1&&b&c=%3D=").unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(pairs, [pair("a", "1"), pair("b", ""), pair("c", "==")]);
}

proptest! {
    #[test]
    fn what_is_escaped_is_read_back(text in any::<String>()) {
        prop_assert_eq!(escape::decode(&escape::encode(&text)).unwrap(), text.clone());
        prop_assert_eq!(escape::decode(&escape::encode_path(&text)).unwrap(), text);
    }
}
