//! The checksums that S3 takes and gives (S3 user guide, "Checking object integrity").

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32 of ISO-HDLC (zlib).
    Crc32,
    /// CRC-32C of Castagnoli (iSCSI).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The header or trailer that carries it.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm that a header or trailer carries.
    #[must_use]
    pub fn of_header(name: &str) -> Option<Self> {
        let known = |it: &Self| it.header().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(known)
    }

    /// Bytes of a value before Base64.
    #[must_use]
    pub fn value_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// A checksum under way.
#[derive(Clone)]
pub struct Checksum(State);

#[derive(Clone)]
enum State {
    /// A reflected CRC of at most 64 bits: its tables and its register, inverted at both ends.
    Crc(Algorithm, &'static Tables, u64),
    Sha(digest::Context),
}

impl Checksum {
    /// Of nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Crc32 => State::Crc(algorithm, &CRC32, 0xFFFF_FFFF),
            Algorithm::Crc32c => State::Crc(algorithm, &CRC32C, 0xFFFF_FFFF),
            Algorithm::Crc64Nvme => State::Crc(algorithm, &CRC64NVME, u64::MAX),
            Algorithm::Sha1 => State::Sha(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => State::Sha(digest::Context::new(&digest::SHA256)),
        })
    }

    /// Takes more.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc(_, tables, register) => *register = advance(tables, *register, bytes),
            State::Sha(context) => context.update(bytes),
        }
    }

    /// The value in Base64, as headers carry it.
    #[must_use]
    pub fn finish(self) -> String {
        match self.0 {
            State::Crc(algorithm, _, register) => {
                let bytes = (!register).to_be_bytes();
                let from = bytes.len().saturating_sub(algorithm.value_bytes());
                STANDARD.encode(bytes.get(from..).unwrap_or_default())
            }
            State::Sha(context) => STANDARD.encode(context.finish()),
        }
    }
}

/// For each of eight places a byte can stand in, what it adds to the register ("slicing by eight").
type Tables = [[u64; 256]; 8];

static CRC32: LazyLock<Tables> = LazyLock::new(|| tables(0xEDB8_8320));
static CRC32C: LazyLock<Tables> = LazyLock::new(|| tables(0x82F6_3B78));
static CRC64NVME: LazyLock<Tables> = LazyLock::new(|| tables(0x9A6C_9329_AC4B_C9B5));

/// The tables of a polynomial, its bits reflected.
fn tables(polynomial: u64) -> Tables {
    let mut tables = [[0; 256]; 8];
    let step = |register: u64| {
        let low = register & 1;
        (register >> 1) ^ (polynomial & low.wrapping_neg())
    };
    let mut before = [0; 256];
    for (byte, entry) in (0_u64..).zip(&mut before) {
        *entry = (0..8).fold(byte, |register, _| step(register));
    }
    for table in &mut tables {
        *table = before;
        for entry in &mut before {
            *entry = (0..8).fold(*entry, |register, _| step(register));
        }
    }
    tables
}

fn advance(tables: &Tables, mut register: u64, bytes: &[u8]) -> u64 {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
    let at = |table: &[u64; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or(0);
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let [a, b, c, d, e, f, g, h] = (register ^ u64::from_le_bytes(*eight)).to_le_bytes();
        register = at(t7, a) ^ at(t6, b) ^ at(t5, c) ^ at(t4, d);
        register ^= at(t3, e) ^ at(t2, f) ^ at(t1, g) ^ at(t0, h);
    }
    for byte in rest {
        let [low, ..] = register.to_le_bytes();
        register = (register >> 8) ^ at(t0, low ^ byte);
    }
    register
}
