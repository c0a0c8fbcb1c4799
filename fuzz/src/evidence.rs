//! Signatures of people.

use evidence::sshsig;

/// What signs the seed; the private half was thrown away.
pub(crate) const KEY: &str = include_str!("../keys/approver.pub");
/// What it signed.
pub(crate) const MESSAGE: &[u8] = b"yes\n";
/// For what.
pub(crate) const NAMESPACE: &str = ::model::SIGNATURE_NAMESPACE;
/// Its one signature.
pub(crate) const SIGNATURE: &str = include_str!("../keys/approver.sshsig");

/// One signature has one text, and nobody without the key makes another.
pub(crate) fn sshsig(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = sshsig::fingerprint(text);
    let keys = [KEY.to_owned()];
    if sshsig::verify(&keys, NAMESPACE, MESSAGE, text).is_ok() {
        assert_eq!(body(text), body(SIGNATURE), "a second signature");
    }
    // A key of the input's own choosing: its signature is checked as far as it can be.
    let lines: Vec<&str> = text.splitn(2, '\n').collect();
    if let [key, signature] = lines.as_slice() {
        let _ = sshsig::verify(&[(*key).to_owned()], NAMESPACE, MESSAGE, signature);
    }
}

fn body(text: &str) -> String {
    text.split_whitespace().collect()
}
