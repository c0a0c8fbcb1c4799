//! Notes and keys against published ones, against another implementation, and against every change of a byte.

use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

use super::*;

const VECTORS: &str = include_str!("../../testdata/note.txt");

fn vectors(name: &str) -> Vec<&'static str> {
    let values = VECTORS
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(found, _)| found.trim() == name);
    values.map(|(_, value)| value.trim()).collect()
}

fn vector(name: &str) -> &'static str {
    vectors(name)[0]
}

fn text(name: &str) -> String {
    vectors(name)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

fn peter() -> Verifier {
    Verifier::parse(vector("peter public")).unwrap()
}

fn enoch() -> Verifier {
    Verifier::parse(vector("enoch public")).unwrap()
}

fn signed_by_both() -> String {
    format!(
        "{}\n{}\n{}\n",
        text("text"),
        vector("peter signature"),
        vector("enoch signature")
    )
}

#[test]
fn the_published_key_signs_the_published_note() {
    let key = SigningKey::parse(vector("peter private")).unwrap();
    assert_eq!(key.verifier().to_string(), vector("peter public"));
    assert_eq!(
        (key.verifier().name(), key.verifier().id()),
        ("PeterNeumann", 0xc74f_20a3)
    );
    let note = key.sign(&text("text")).unwrap().to_string();
    assert_eq!(
        note,
        format!("{}\n{}\n", text("text"), vector("peter signature"))
    );
}

#[test]
fn any_known_signature_is_enough_and_unknown_ones_are_ignored() {
    let note = Note::parse(signed_by_both().as_bytes()).unwrap();
    assert_eq!(note.to_string(), signed_by_both());
    assert_eq!(note.text(), text("text"));
    assert_eq!(note.verify(&[peter()]).unwrap(), &peter());
    assert_eq!(note.verify(&[enoch()]).unwrap(), &enoch());
    assert_eq!(note.verify(&[enoch(), peter()]).unwrap(), &peter());
    assert_eq!(note.verify(&[]), Err(BadSignature::Unknown));
    let other = SigningKey::from_seed("PeterNeumann", &[1; 32]).unwrap();
    assert_eq!(
        note.verify(&[other.verifier().clone()]),
        Err(BadSignature::Unknown)
    );
}

#[test]
fn a_known_key_with_a_wrong_signature_spoils_the_note() {
    let forged = signed_by_both().replace("answer", "reason");
    let error = Note::parse(forged.as_bytes())
        .unwrap()
        .verify(&[enoch()])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signature of EnochRoot+af0cfe78 does not fit the text"
    );
    // One good signature does not save it.
    let mixed = signed_by_both().replace("rwz+eBzmZa0SO3Nb", "rwz+eBzmZa0SO3Nc");
    assert!(
        Note::parse(mixed.as_bytes())
            .unwrap()
            .verify(&[peter(), enoch()])
            .is_err()
    );
    assert!(
        Note::parse(mixed.as_bytes())
            .unwrap()
            .verify(&[peter()])
            .is_ok()
    );
}

#[test]
fn the_specifications_example_is_a_note() {
    let written = format!(
        "{}\n{}\n",
        text("quasimodo text"),
        vector("quasimodo signature")
    );
    let note = Note::parse(written.as_bytes()).unwrap();
    assert_eq!(note.text(), text("quasimodo text"));
    assert_eq!(note.signatures()[0].name(), "quasimodo.example/salvatore");
    assert_eq!(note.signatures()[0].bytes().len(), 64);
    assert_eq!(note.to_string(), written);
}

#[test]
fn what_breaks_a_rule_is_not_a_note() {
    let (text, signature) = (text("text"), vector("peter signature"));
    let form: &[String] = &[
        text.clone(),
        format!("{text}\n"),
        format!("{text}\n{signature}"),
        format!("{text}\n— Bad Name x08go/ZJkuBS9UG/SffcvIAQ\n"),
        format!("{text}\n{signature}\nUnexpected line.\n"),
        format!("{text}\n{signature}\n\n"),
        format!("{text}\n— a+b ABCDABCD\n"),
        format!("{text}\n— name ABCDAA==\n"),
        format!("{text}\n— name !\n"),
    ];
    for wrong in form {
        assert_eq!(Note::parse(wrong.as_bytes()), Err(BadNote::Form), "{wrong}");
    }
    assert_eq!(
        Note::parse(format!("\u{1}{text}\n{signature}\n").as_bytes()),
        Err(BadNote::Text)
    );
    assert_eq!(
        Note::parse(&[b"\xff", signed_by_both().as_bytes()].concat()),
        Err(BadNote::Text)
    );
    let many = |n| format!("{text}\n{}", format!("{signature}\n").repeat(n));
    assert!(Note::parse(many(100).as_bytes()).is_ok());
    assert_eq!(Note::parse(many(101).as_bytes()), Err(BadNote::TooLarge));
    assert_eq!(
        Note::parse(&vec![b'\n'; NOTE_BYTES_MAX + 1]),
        Err(BadNote::TooLarge)
    );
    let key = SigningKey::from_seed("k", &[1; 32]).unwrap();
    assert_eq!(key.sign("no newline"), Err(BadNote::Text));
    assert_eq!(key.sign("tab\t\n"), Err(BadNote::Text));
}

#[test]
fn no_part_and_no_mangling_of_a_key_is_a_key() {
    let (public, private) = (vector("peter public"), vector("peter private"));
    for start in 0..private.len() {
        for end in start..=private.len() {
            assert_eq!(
                SigningKey::parse(&private[start..end]).is_ok(),
                (start, end) == (0, private.len())
            );
            if end <= public.len() {
                assert_eq!(
                    Verifier::parse(&public[start.min(end)..end]).is_ok(),
                    (start, end) == (0, public.len())
                );
            }
        }
    }
    for at in 0..private.len() {
        let mangle = |key: &str| {
            let mut bytes = key.as_bytes().to_vec();
            bytes[at] += 1;
            String::from_utf8(bytes).unwrap()
        };
        assert!(SigningKey::parse(&mangle(private)).is_err());
        if at < public.len() {
            assert!(Verifier::parse(&mangle(public)).is_err());
        }
    }
    assert_eq!(Verifier::parse(vector("bad length")), Err(BadKey::Form));
    assert_eq!(
        Verifier::parse(vector("bad type")),
        Err(BadKey::Type { kind: 0x65 })
    );
    assert!(matches!(Verifier::new("a b", [0; 32]), Err(BadKey::Name)));
    assert!(matches!(
        SigningKey::from_seed("a+b", &[0; 32]),
        Err(BadKey::Name)
    ));
    assert!(
        !is_key_name("")
            && !is_key_name("a\u{2003}b")
            && !is_key_name("a\nb")
            && is_key_name("example.com/log")
    );
}

#[test]
fn a_private_key_is_written_as_it_is_read_and_never_shown() {
    let written = private_key_text("example.com/log", &[9; 32]).unwrap();
    let key = SigningKey::parse(&written).unwrap();
    assert_eq!(
        key.verifier(),
        SigningKey::from_seed("example.com/log", &[9; 32])
            .unwrap()
            .verifier()
    );
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey(example.com/log+{:08x})", key.verifier().id())
    );
    assert_eq!(
        format!("{:?}", key.verifier()),
        format!("Verifier({})", key.verifier())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn another_implementation_agrees_on_keys_and_signatures(seed in any::<[u8; 32]>(), name in "[a-z./0-9]{1,20}", lines in prop::collection::vec("[ -~é—]{0,30}", 1..6)) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let key = SigningKey::from_seed(&name, &seed).unwrap();
        let ours = key.sign(&text).unwrap();

        let verifier = StandardVerifier::new(&key.verifier().to_string()).unwrap();
        let known = VerifierList::new(vec![Box::new(verifier)]);
        let read = signed_note::Note::from_bytes(ours.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read.verify(&known).unwrap().0.len(), 1);
        prop_assert_eq!(read.text(), text.as_bytes());

        let signer = StandardSigner::new(&private_key_text(&name, &seed).unwrap()).unwrap();
        let mut theirs = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&signer]).unwrap();
        prop_assert_eq!(String::from_utf8(theirs.to_bytes()).unwrap(), ours.to_string());
    }

    #[test]
    fn the_same_notes_are_notes_to_another_implementation(at in any::<prop::sample::Index>(), byte in any::<u8>(), drop in any::<bool>()) {
        let mut bytes = signed_by_both().into_bytes();
        let at = at.index(bytes.len());
        if drop { bytes.remove(at); } else { bytes[at] = byte; }
        let known = VerifierList::new(vec![
            Box::new(StandardVerifier::new(vector("peter public")).unwrap()),
            Box::new(StandardVerifier::new(vector("enoch public")).unwrap()),
        ]);
        let theirs = signed_note::Note::from_bytes(&bytes).ok().filter(|note| note.verify(&known).is_ok());
        let ours = Note::parse(&bytes).ok().filter(|note| note.verify(&[peter(), enoch()]).is_ok());
        prop_assert_eq!(theirs.map(|note| note.to_bytes()), ours.map(|note| note.to_string().into_bytes()));
    }
}
