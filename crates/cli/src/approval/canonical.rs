//! Reading [`model::Command::canonical`] back: what an approver's signature binds to.

/// A command, read from its canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    /// The protocol.
    pub(super) protocol: Vec<u8>,
    /// The text.
    pub(super) text: Vec<u8>,
    /// The parameters.
    pub(super) parameters: Vec<Given>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// Its type.
    pub(super) kind: u32,
    /// Its format: 0 is text, 1 is binary.
    pub(super) format: u16,
    /// Its value; `None` is NULL.
    pub(super) value: Option<Vec<u8>>,
}

impl Canonical {
    /// Reads all of `bytes`.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Rest(bytes);
        let (protocol, text) = (rest.counted()?, rest.counted()?);
        let mut parameters = Vec::new();
        while !rest.0.is_empty() {
            let kind = u32::from_be_bytes(rest.array()?);
            let format = u16::from_be_bytes(rest.array()?);
            let value = match rest.array()? {
                [0] => None,
                [1] => Some(rest.counted()?),
                _ => return Err("a parameter is neither there nor NULL"),
            };
            parameters.push(Given {
                kind,
                format,
                value,
            });
        }
        Ok(Self {
            protocol,
            text,
            parameters,
        })
    }
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (head, rest) = self.0.split_first_chunk().ok_or("they end too soon")?;
        self.0 = rest;
        Ok(*head)
    }

    fn counted(&mut self) -> Result<Vec<u8>, &'static str> {
        let length = usize::try_from(u64::from_be_bytes(self.array()?))
            .map_err(|_| "a length is too large")?;
        let (head, rest) = self.0.split_at_checked(length).ok_or("they end too soon")?;
        self.0 = rest;
        Ok(head.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use model::{Asks, Command, Parameter};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn commands_come_back_and_nothing_shorter_does(
            text in any::<Vec<u8>>(),
            parameters in prop::collection::vec((any::<(u32, u16)>(), any::<Option<Vec<u8>>>()), 0..4),
        ) {
            let command = Command {
                protocol: "postgres",
                tag: Arc::from("X"),
                text: Bytes::from(text.clone()),
                parameters: parameters
                    .iter()
                    .map(|(kind, value)| Parameter { kind: *kind, value: value.clone().map(Bytes::from) })
                    .collect(),
                shown: Bytes::new(),
                shown_parameters: Vec::new(),
                asks: Arc::new(Asks::new(Vec::new())),
            };
            let bytes = command.canonical();
            let read = Canonical::parse(&bytes).unwrap();
            prop_assert_eq!(&read.protocol, b"postgres");
            prop_assert_eq!(&read.text, &text);
            let back: Vec<_> = read.parameters.into_iter().map(|p| ((p.kind, p.format), p.value)).collect();
            prop_assert_eq!(&back, &parameters);
            for cut in 0..bytes.len() {
                // A command that is cut between parameters is a shorter command: its digest is another.
                if let Ok(shorter) = Canonical::parse(&bytes[..cut]) {
                    prop_assert!(shorter.parameters.len() < parameters.len());
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            let _ = Canonical::parse(&bytes);
        }
    }
}
