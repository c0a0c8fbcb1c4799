//! The one place that draws randomness.

use model::Timestamp;

/// Random bytes that nobody can guess.
///
/// # Errors
/// Where the system has no randomness to give, which is no state to go on in.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where randomness is drawn"
    )]
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The system's source of randomness failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's source of randomness failed: look into the kernel's log")]
pub struct NoRandomness;

/// A fresh id for a session: `s-`, the time in milliseconds as 11 hexadecimal digits so that ids sort by time, `-`, and
/// 8 random ones.
///
/// # Errors
/// [`NoRandomness`].
pub fn session_id(now: Timestamp) -> Result<String, NoRandomness> {
    let random = u32::from_be_bytes(bytes()?);
    Ok(format!("s-{:011x}-{random:08x}", now.micros() / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_sort_by_time() {
        let early = session_id(Timestamp::from_secs(1_700_000_000)).unwrap();
        let late = session_id(Timestamp::from_secs(1_700_000_001)).unwrap();
        assert!(early < late && early.len() == 22, "{early} {late}");
        assert_ne!(
            session_id(Timestamp::from_secs(5)).unwrap(),
            session_id(Timestamp::from_secs(5)).unwrap()
        );
    }
}
