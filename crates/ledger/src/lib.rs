//! An append-only Merkle log of opaque bytes in the C2SP tlog-tiles format.
//!
//! A [`Log`] takes entries of 1 to 65,535 bytes and gives a [`Receipt`] for each once it is durable. Within
//! [`Options::integrate_every`] it hashes them into the tree, writes the tiles and signs a [`Checkpoint`]. A [`Reader`]
//! reads the same folder, or a copy of it, and proves what stands in it. Nothing here knows what an entry means.
//!
//! # On disk
//!
//! ```text
//! checkpoint                       the newest checkpoint, a signed note (C2SP tlog-checkpoint)
//! tile/0/x001/234                  256 leaf hashes; tile/1/… hashes of full tiles below (C2SP tlog-tiles)
//! tile/0/x001/235.p/17             the same for a tile that is not full yet
//! tile/entries/x001/234            256 entries, each behind its length as a big-endian uint16
//! .ledger/lock                     held by the one writer
//! .ledger/journal-00000000000007   entries that may not stand in tiles yet
//! .ledger/checkpoints              every checkpoint ever signed, oldest first, an empty line after each
//! .ledger/scratch-…                a file on its way to its name; removed at the next start
//! ```
//!
//! `checkpoint` and `tile/` are what a web server serves and a foreign tool reads; C2SP gives no meaning to a name that
//! begins with a dot, and most web servers refuse to serve one. Everything that is the writer's own is under `.ledger`.

pub mod checkpoint;
mod log;
pub mod note;
pub mod proof;
mod reader;
pub mod tile;
pub mod tree;

pub use checkpoint::Checkpoint;
pub use log::{Append, AppendError, Durability, FlushError, Log, OpenError, Options, Receipt};
pub use note::{SigningKey, Verifier};
pub use proof::TlogProof;
pub use reader::{Entries, ReadError, Reader};
pub use tile::ENTRY_BYTES_MAX;
pub use tree::Hash;
