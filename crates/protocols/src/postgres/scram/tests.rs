use proptest::prelude::*;

use super::*;

// RFC 7677 section 3 (Copyright (c) 2015 IETF Trust; a Code Component under the Simplified BSD License).
const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const SERVER_FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn pencil() -> Scram {
    let password = Secret::from("pencil".to_owned());
    Scram::start("user", password, NONCE.to_owned(), Binding::Unable)
}

fn refusal(server_first: &str) -> ScramError {
    match pencil().reply(server_first.as_bytes()) {
        Ok(_) => panic!("{server_first} was accepted"),
        Err(error) => error,
    }
}

#[test]
fn the_vector_of_rfc_7677() {
    let scram = pencil();
    assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let (last, awaiting) = scram.reply(SERVER_FIRST.as_bytes()).unwrap();
    assert_eq!(last, CLIENT_FINAL);
    assert_eq!(awaiting.verify(SERVER_FINAL.as_bytes()), Ok(()));
}

#[test]
fn every_flipped_bit_of_the_signature_is_noticed() {
    let signature = STANDARD.decode(&SERVER_FINAL[2..]).unwrap();
    for bit in 0..signature.len() * 8 {
        let mut forged = signature.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let (_, awaiting) = pencil().reply(SERVER_FIRST.as_bytes()).unwrap();
        let text = format!("v={}", STANDARD.encode(forged));
        assert_eq!(awaiting.verify(text.as_bytes()), Err(ScramError::Signature));
    }
}

#[test]
fn a_shortened_signature_is_noticed() {
    let signature = STANDARD.decode(&SERVER_FINAL[2..]).unwrap();
    for length in 0..signature.len() {
        let (_, awaiting) = pencil().reply(SERVER_FIRST.as_bytes()).unwrap();
        let text = format!("v={}", STANDARD.encode(&signature[..length]));
        assert_eq!(awaiting.verify(text.as_bytes()), Err(ScramError::Signature));
    }
}

#[test]
fn a_refusal_is_told() {
    let (_, awaiting) = pencil().reply(SERVER_FIRST.as_bytes()).unwrap();
    let refused = ScramError::Refused("invalid-proof".to_owned());
    assert_eq!(awaiting.verify(b"e=invalid-proof"), Err(refused));
}

#[test]
fn a_foreign_nonce_is_refused() {
    for nonce in [
        "",
        "other",
        "rOprNGfwEbeRWgbNEkqO",
        "rOprNGfwEbeRWgbNEkq0more",
    ] {
        let first = format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        assert_eq!(refusal(&first), ScramError::Nonce, "{nonce}");
    }
}

#[test]
fn iterations_are_bounded() {
    for iterations in [0, 1, 4_095, 1_000_001, u32::MAX] {
        let first = format!("r={NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i={iterations}");
        assert_eq!(refusal(&first), ScramError::Iterations(iterations));
    }
}

#[test]
fn malformed_challenges_are_refused() {
    for first in [
        "",
        "r=",
        "m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096",
        "r=rOprNGfwEbeRWgbNEkqOx,i=4096,s=W22ZaJ0SNY7soEsUEjb6gQ==",
    ] {
        assert!(
            matches!(refusal(first), ScramError::Malformed(_)),
            "{first}"
        );
    }
    let long = format!("{SERVER_FIRST},x={}", "y".repeat(MESSAGE_BYTES_MAX));
    assert!(matches!(refusal(&long), ScramError::Malformed(_)));
}

#[test]
fn the_binding_stands_in_both_messages() {
    for (binding, header, attribute, mechanism) in [
        (Binding::Unable, "n,,", "biws", MECHANISM),
        (Binding::NotOffered, "y,,", "eSws", MECHANISM),
        (
            Binding::ServerEndPoint(vec![0xff, 0, 1]),
            "p=tls-server-end-point,,",
            "cD10bHMtc2VydmVyLWVuZC1wb2ludCws/wAB",
            MECHANISM_PLUS,
        ),
    ] {
        assert_eq!(binding.mechanism(), mechanism);
        let password = Secret::from("pencil".to_owned());
        let scram = Scram::start("", password, NONCE.to_owned(), binding);
        assert_eq!(scram.first(), format!("{header}n=,r={NONCE}"));
        let (last, _) = scram.reply(SERVER_FIRST.as_bytes()).unwrap();
        assert!(last.starts_with(&format!("c={attribute},r=")), "{last}");
    }
}

#[test]
fn passwords_are_prepared_as_postgresql_does() {
    // RFC 4013 section 3, and PostgreSQL's way out: what cannot be prepared is taken as it is.
    assert_eq!(&*prepared("I\u{ad}X".as_bytes()), b"IX");
    assert_eq!(&*prepared("\u{aa}".as_bytes()), b"a");
    assert_eq!(&*prepared("\u{2168}".as_bytes()), b"IX");
    assert_eq!(&*prepared(b"bell\x07"), b"bell\x07");
    assert_eq!(&*prepared(b"latin \xe9"), b"latin \xe9");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_message_of_a_server_upsets_it(first in "\\PC{0,80}", last in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = pencil().reply(first.as_bytes());
        let (_, awaiting) = pencil().reply(SERVER_FIRST.as_bytes()).unwrap();
        prop_assert!(awaiting.verify(&last).is_err());
    }
}
