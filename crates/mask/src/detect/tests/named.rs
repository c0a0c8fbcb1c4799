//! What words announce: addresses, bank codes, birthdays, telephones, and secrets that only their name tells.

use super::{clean, finds, found};
use crate::detect::{Hint, Kind};

#[test]
fn postal_addresses_end_with_a_zip_code_or_follow_a_word() {
    for (text, address) in [
        (
            "at 12 Main St, Springfield, IL 62704.",
            "12 Main St, Springfield, IL 62704",
        ),
        (
            "to 1600 SW 5th Avenue, Apt 4B, Salt Lake City, UT 84101-1234",
            "1600 SW 5th Avenue, Apt 4B, Salt Lake City, UT 84101-1234",
        ),
        (
            "7 Martin Luther King Blvd.\nSan José, CA 95112",
            "7 Martin Luther King Blvd.\nSan José, CA 95112",
        ),
        ("Address: 9 Oak Lane", "9 Oak Lane"),
        ("\"address\": \"42 Elm Ct #7\"", "42 Elm Ct #7"),
    ] {
        finds(Kind::Address, text, address);
    }
    for text in [
        "12 Main St",
        "in Springfield, IL 62704",
        "12 apples, Springfield, IL 62704",
        "12 Main St, Springfield, XX 62704",
        "12 Main St, Springfield, IL 6270",
        "the address 12",
        "address: 10.0.0.1",
        "Suite 12 OK 12345",
    ] {
        clean(text);
    }
    assert_eq!(found(Hint::column("street"), "5 Oak Rd").len(), 1);
    assert_eq!(found(Hint::column("street"), "Oak"), []);
}

#[test]
fn postal_addresses_stand_behind_words_of_place() {
    for (text, address) in [
        ("Meet us at 12 Oak St on Monday", "12 Oak St"),
        ("at 5 Sunset Drive, at noon", "5 Sunset Drive"),
        (
            "We moved to 1600 SW 5th Avenue, Apt 4B.",
            "1600 SW 5th Avenue, Apt 4B",
        ),
        ("From 77 Cedar Hill Rd. it is not far", "77 Cedar Hill Rd."),
        ("to 2019 Main Street #7", "2019 Main Street #7"),
        ("near １２ Oak\u{a0}Lane", "１２ Oak\u{a0}Lane"),
    ] {
        finds(Kind::Address, text, address);
    }
    for text in [
        "from 2019 Wall Street grew",
        "copy it to 3 Google Drive folders",
        "no 12 Oak St",
        "that 12 Oak St",
        "at 12 oak st",
        "at 12 Oak Trees",
        "at 123456 Oak St",
        "at 12:30 Oak St",
        "up to 10 St",
    ] {
        clean(text);
    }
}

#[test]
fn passwords_are_told_in_sentences() {
    for (text, password) in [
        (
            "The password for the demo is hunter12, do not share it.",
            "hunter12",
        ),
        ("Your password is Kw9!xy.", "Kw9!xy"),
        (
            "the wifi passphrase is now \"horse-KdPqXz\"",
            "horse-KdPqXz",
        ),
        ("PASSWORD is: s3cret?", "s3cret"),
        ("The old password was AbCdEfGhIjKlMnOp", "AbCdEfGhIjKlMnOp"),
    ] {
        finds(Kind::Secret, text, password);
    }
    for text in [
        "The password for the portal is sent by post",
        "Your password is 12-character long",
        "the password is SHA-256 hashed",
        "A password is required. Version2024 too",
        "The password, that is known, is2easy",
        "passwords are is Kw9!xy",
        "the password is checked2()",
        "the password is $SECRET1",
        "the password is well-known",
        "the password is PostgreSQL",
        "the password is ********",
    ] {
        clean(text);
    }
}

#[test]
fn bank_codes_follow_their_name() {
    for (text, code) in [
        ("BIC DEUTDEFF", "DEUTDEFF"),
        ("swift: CHASUS33XXX;", "CHASUS33XXX"),
        ("\"bic\":\"BARCGB22\"", "BARCGB22"),
        ("SWIFT code: DEUTDEFF500", "DEUTDEFF500"),
        ("swift_code=DEUTDEFF500", "DEUTDEFF500"),
    ] {
        finds(Kind::Bic, text, code);
    }
    for text in [
        "DEUTDEFF",
        "a swift reply to PROJECTS",
        "BIC DEUTXXFF",
        "BIC DEUTDEFFX",
        "BIC DEUTDEFF****",
        "cubic: DEUTDEFF",
    ] {
        clean(text);
    }
    assert_eq!(found(Hint::column("swift_code"), "DEUTDEFF").len(), 1);
}

#[test]
fn birthdays_may_name_the_month() {
    for (text, date) in [
        ("born on March 3, 1985", "March 3, 1985"),
        ("DOB: 3 Mar 1985", "3 Mar 1985"),
        ("date of birth 21st September 2001.", "21st September 2001"),
    ] {
        finds(Kind::Birth, text, date);
    }
    for text in [
        "on March 3, 1985",
        "born March 3",
        "born in 1985",
        "born 33 May 1985",
    ] {
        clean(text);
    }
    assert_eq!(found(Hint::column("birthday"), "May 3, 1985").len(), 1);
}

#[test]
fn telephones_need_no_word_behind_a_plus_or_with_a_bracket() {
    for phone in [
        "+44 20 7946 0958",
        "+1 415-555-2671",
        "+1 (415) 555-2671",
        "+49 151 12345678",
        "(415) 555-2671",
    ] {
        finds(Kind::Phone, &format!("or {phone}."), phone);
    }
    for text in [
        "(115) 555-2671",
        "f(415) 5552671 x",
        "+1 415-555-267",
        "+4 4 2 0",
    ] {
        clean(text);
    }
}

#[test]
fn secrets_are_told_by_the_name_before_them() {
    let hex = "0123456789abcdef0123456789abcdef";
    for text in [
        format!("api_key={hex}"),
        format!("{{\"apiKey\": \"{hex}\"}}"),
        format!("X-API-Key: {hex}"),
        format!("AUTH_TOKEN = '{hex}'"),
        format!("client_secret: {hex}"),
        format!("Authorization: Bearer {hex}"),
    ] {
        finds(Kind::Secret, &text, hex);
    }
    for (text, value) in [
        ("\"password\": \"hunter two\"", "hunter two"),
        ("db_password: hunter2", "hunter2"),
        ("ALTER ROLE app PASSWORD 'agents-own-pw'", "agents-own-pw"),
        (
            "OPTIONS (user 'a', password 'agents-own-pw')",
            "agents-own-pw",
        ),
        ("Passphrase = 'correct horse'", "correct horse"),
        (r#""{\"password\":\"hunter2\"}""#, "hunter2"),
    ] {
        finds(Kind::Secret, text, value);
    }
    for text in [
        "token = get_token(request)",
        "token: abcdefghijklmnopqrst",
        "api_key = config.keys.production_1234567",
        "next_page_token=0123456789abcdef0123",
        "token_count=1234567890123456a",
        "password: at least 12 characters",
        "password: ********",
        "password_length = 1234567",
        "secret_name = \"prod/payments/database\"",
    ] {
        clean(text);
    }
    let named = |name: &str, text: &str| !found(Hint::column(name), text).is_empty();
    assert!(named("api_key", hex) && named("password", "hunter2"));
    assert!(named("password_hash", "$2b$12$abcdefghijklmnopqrstuv"));
    assert!(!named("token_type", hex) && !named("password", "not set yet"));
    assert!(!named("password_changed_at", "2024-01-15T10:23:45Z"));
}

#[test]
fn a_passport_is_spoken_of_before_its_number_is() {
    finds(
        Kind::Passport,
        "I lost my passport, the number was X02411386.",
        "X02411386",
    );
    finds(Kind::Passport, "My passport, number 121690981", "121690981");
    for text in [
        "I lost my passport, order 121690981",
        "passport 7, the number was 121690981",
        "my passport, the bus, the number 121690981",
    ] {
        clean(text);
    }
}

#[test]
fn licences_of_washington_are_letters_too() {
    for text in [
        "Driver's license number: WDL1DAPD5FKH (DOB soon)",
        "{\"driversLicense\":\"WDL1DAPD5FKH\"}",
        "DL# WDL1DAPD5FKH, please",
    ] {
        finds(Kind::License, text, "WDL1DAPD5FKH");
    }
    let column = Hint::column("driver_license");
    assert_eq!(
        found(column, "WDL1DAPD5FKH"),
        [(Kind::License, "WDL1DAPD5FKH".to_owned())]
    );
    for text in [
        "part WDL1DAPD5FKH",
        "driver license WDL1DAPD5F",
        "driver license WDL1DAPD5FKHX",
    ] {
        clean(text);
    }
}

#[test]
fn a_uuid_holds_no_account_number() {
    // Its check digits are right, by chance.
    clean("id ae04704b-e096-4abc-8def-00e0969ba7fe");
}
