//! What a bundle's ZIP holds around its files' bytes, in the one form that bundles have (APPNOTE.TXT sections 4.3.7, 4.3.12,
//! 4.3.14 to 4.3.16 and 4.5.3). The reader compares every byte, so a header has no room for anything else.

/// A file as the directory has it.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) header: u64,
    pub(super) data: u64,
    pub(super) crc32: u32,
    pub(super) size: u64,
}

const FILE: u32 = 0x0403_4b50;
const DIRECTORY: u32 = 0x0201_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;
/// The fixed part of the header before a file.
const HEADER_BYTES: u64 = 30;
/// Made on Unix, which tells how to read the permissions.
const UNIX: u16 = 3 << 8;
/// A regular file that all may read and its owner may write.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// 1980-01-01, the first day that a ZIP can name.
const DATE: u16 = 0x21;
/// The tag of sizes and places of 64 bits.
const EXTRA_64: u16 = 1;
/// Stored as it is.
const METHOD: u16 = 0;
/// From this count on the directory's end needs 64 bits.
const COUNT_64: u64 = u16::MAX as u64;

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, value: u16) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
}

/// In 32 bits, or the mark that the value stands elsewhere in 64.
fn short(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A name's length; one that is longer than bundles have names fits nothing.
fn length(name: &str) -> u16 {
    u16::try_from(name.len()).unwrap_or(u16::MAX)
}

impl Place {
    pub(super) fn end(&self) -> u64 {
        self.data.saturating_add(self.size)
    }

    /// Its sizes stand in 64 bits.
    fn large(&self) -> bool {
        self.data.checked_sub(self.header) != Some(HEADER_BYTES + self.name.len() as u64)
    }

    /// The version of the format that reading it needs, times ten.
    fn needs(&self) -> u16 {
        if self.large() { 45 } else { 10 }
    }

    /// Its size, as it stands where there is room for 32 bits.
    fn short_size(&self) -> u32 {
        if self.large() {
            u32::MAX
        } else {
            short(self.size)
        }
    }

    /// What stands before its bytes.
    pub(super) fn local(&self) -> Vec<u8> {
        let size = self.short_size();
        let extra = if self.large() { 20 } else { 0 };
        let mut out = Bytes::default();
        out.u32(FILE).u16(self.needs()).u16(0).u16(METHOD);
        out.u16(0).u16(DATE).u32(self.crc32);
        out.u32(size).u32(size);
        out.u16(length(&self.name)).u16(extra);
        out.0.extend_from_slice(self.name.as_bytes());
        if self.large() {
            out.u16(EXTRA_64).u16(16);
            out.u64(self.size).u64(self.size);
        }
        out.0
    }

    /// What stands in the directory.
    pub(super) fn record(&self) -> Vec<u8> {
        let size = self.short_size();
        let far = self.header >= u64::from(u32::MAX);
        let wide = 16 * u16::from(self.large()) + 8 * u16::from(far);
        let extra = if wide == 0 { 0 } else { 4 + wide };
        let mut out = Bytes::default();
        out.u32(DIRECTORY).u16(UNIX | self.needs());
        out.u16(self.needs()).u16(0).u16(METHOD);
        out.u16(0).u16(DATE).u32(self.crc32);
        out.u32(size).u32(size);
        out.u16(length(&self.name)).u16(extra);
        out.u16(0).u16(0).u16(0);
        out.u32(ATTRIBUTES).u32(short(self.header));
        out.0.extend_from_slice(self.name.as_bytes());
        if wide > 0 {
            out.u16(EXTRA_64).u16(wide);
        }
        if self.large() {
            out.u64(self.size).u64(self.size);
        }
        if far {
            out.u64(self.header);
        }
        out.0
    }
}

/// What stands behind a directory of `size` bytes that begins at `begin`.
pub(super) fn end(places: &[Place], begin: u64, size: u64) -> Vec<u8> {
    let count = places.len() as u64;
    let wide = count > COUNT_64 || begin.max(size) > u64::from(u32::MAX);
    let mut out = Bytes::default();
    if wide {
        let needs = places.iter().map(Place::needs).max().unwrap_or(10);
        out.u32(END_64).u64(44).u16(needs).u16(needs).u32(0).u32(0);
        out.u64(count).u64(count).u64(size).u64(begin);
        out.u32(LOCATOR_64).u32(0).u64(begin + size).u32(1);
    }
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    out.u32(END).u16(0).u16(0).u16(count).u16(count);
    out.u32(if wide { u32::MAX } else { short(size) });
    out.u32(short(begin)).u16(0);
    out.0
}
