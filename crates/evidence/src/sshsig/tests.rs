//! The signatures here are made by `ssh-keygen` itself.

use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

const NAMESPACE: &str = "countersign-approval";

fn keygen(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut child = Command::new("ssh-keygen")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is installed (Debian: openssh-client)");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ssh-keygen {arguments:?}");
    output.stdout
}

/// A key of this kind, and its signature of `message`.
fn signed(kind: &[&str], namespace: &str, message: &[u8]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let make = [&["-q", "-N", "", "-C", "somebody", "-f", "key"], kind].concat();
    keygen(folder.path(), &make, b"");
    let signature = keygen(
        folder.path(),
        &["-Y", "sign", "-n", namespace, "-f", "key"],
        message,
    );
    let key = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
    (key, String::from_utf8(signature).unwrap())
}

#[test]
fn what_ssh_keygen_signs_verifies_and_nothing_else_does() {
    let kinds: [&[&str]; 4] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "rsa", "-b", "2048"],
    ];
    for kind in kinds {
        let (key, signature) = signed(kind, NAMESPACE, b"yes\n");
        let keys = [key.clone()];
        assert_eq!(
            verify(&keys, NAMESPACE, b"yes\n", &signature),
            fingerprint(&key),
            "{kind:?}"
        );
        assert_eq!(
            verify(&keys, NAMESPACE, b"no\n", &signature),
            Err(SshsigError::Bad),
            "{kind:?}"
        );
        let other = verify(&keys, "git", b"yes\n", &signature);
        assert!(
            matches!(other, Err(SshsigError::Namespace { .. })),
            "{kind:?}: {other:?}"
        );
        let nobody = verify(&[], NAMESPACE, b"yes\n", &signature);
        assert!(
            matches!(nobody, Err(SshsigError::OtherKey(_))),
            "{kind:?}: {nobody:?}"
        );
    }
}

#[test]
fn another_key_of_the_same_person_is_found_among_several() {
    let (key, signature) = signed(&["-t", "ed25519"], NAMESPACE, b"yes");
    let (other, _) = signed(&["-t", "ed25519"], NAMESPACE, b"yes");
    assert!(verify(&[other.clone(), key], NAMESPACE, b"yes", &signature).is_ok());
    assert!(matches!(
        verify(&[other], NAMESPACE, b"yes", &signature),
        Err(SshsigError::OtherKey(_))
    ));
}

#[test]
fn weak_and_odd_keys_are_refused() {
    let (key, signature) = signed(&["-t", "rsa", "-b", "1024"], NAMESPACE, b"yes");
    assert_eq!(
        verify(&[key], NAMESPACE, b"yes", &signature),
        Err(SshsigError::Bad)
    );
    let (key, signature) = signed(&["-t", "ecdsa", "-b", "521"], NAMESPACE, b"yes");
    assert!(matches!(
        verify(&[key], NAMESPACE, b"yes", &signature),
        Err(SshsigError::Kind(_))
    ));
}

#[test]
fn every_changed_byte_of_a_signature_is_found() {
    let (key, signature) = signed(&["-t", "ed25519"], NAMESPACE, b"yes");
    let keys = [key];
    let body = signature
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect::<String>();
    use base64::Engine as _;
    let raw = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    for at in 0..raw.len() {
        let mut changed = raw.clone();
        changed[at] ^= 1;
        let body = base64::engine::general_purpose::STANDARD.encode(changed);
        let lines: Vec<_> = body
            .as_bytes()
            .chunks(70)
            .map(|l| std::str::from_utf8(l).unwrap())
            .collect();
        let pem = format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
            lines.join("\n")
        );
        assert!(verify(&keys, NAMESPACE, b"yes", &pem).is_err(), "byte {at}");
    }
}

#[test]
fn garbage_is_an_error() {
    assert_eq!(
        verify(&[], "n", b"", "x"),
        Err(SshsigError::Format("n".to_owned()))
    );
    assert_eq!(fingerprint("ssh-ed25519"), Err(SshsigError::Key));
}

#[test]
fn a_security_key_must_have_seen_its_user() {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use ssh_key::public::{Ed25519PublicKey, SkEd25519};
    let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
    let public: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    let data = KeyData::SkEd25519(SkEd25519::new(Ed25519PublicKey(public), "ssh:"));
    let key = PublicKey::new(data.clone(), "").to_openssh().unwrap();
    let with_flags = |flags: u8| {
        let signed = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, b"yes").unwrap();
        let tail = [flags, 0, 0, 0, 9];
        let what = [
            &Digest::of(&[b"ssh:"]).0[..],
            &tail,
            &Digest::of(&[&signed]).0,
        ]
        .concat();
        let raw = [pair.sign(&what).as_ref(), &tail].concat();
        let raw = ssh_key::Signature::new(Algorithm::SkEd25519, raw).unwrap();
        let signature = SshSig::new(data.clone(), NAMESPACE, HashAlg::Sha512, raw).unwrap();
        signature.to_pem(ssh_key::LineEnding::LF).unwrap()
    };
    assert!(
        verify(
            std::slice::from_ref(&key),
            NAMESPACE,
            b"yes",
            &with_flags(1)
        )
        .is_ok()
    );
    assert_eq!(
        verify(&[key], NAMESPACE, b"yes", &with_flags(0)),
        Err(SshsigError::Bad)
    );
}
