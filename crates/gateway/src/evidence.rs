//! Evidence, from what this gateway keeps: one bundle at a time, made in a file of its own and handed out from there.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use evidence::{BuildError, Built, Request, Sources, TargetFacts};
use ledger::{Log, Reader, SigningKey};
use model::{Identity, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{Config, TargetProtocol, TlsMode};
use crate::policies::Archive;
use crate::random;
use crate::record::{Recordings, Transcripts};

/// A bundle is handed out in pieces of so many bytes.
const PIECE_BYTES: usize = 64 * 1_024;

/// What evidence is built with, as configured.
pub struct Evidence {
    key: SigningKey,
    people: BTreeMap<String, Vec<String>>,
    targets: Vec<TargetFacts>,
    spool: PathBuf,
    turns: Arc<Semaphore>,
}

/// The right to build a bundle.
pub struct Turn(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

/// What is kept, that bundles are made from.
pub struct Kept<'a> {
    /// The log, so that what was appended last is in it.
    pub log: &'a Log,
    /// The ledger's folder.
    pub ledger: &'a Path,
    /// The recordings.
    pub recordings: &'a Recordings,
    /// The policies' texts.
    pub policies: &'a Archive,
    /// The time.
    pub now: Timestamp,
    /// Who asked for it.
    pub builder: &'a Identity,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum NotBuilt {
    /// As the builder says.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The log's newest entries are not covered by a checkpoint.
    #[error("the ledger: {0}")]
    Flush(#[from] ledger::FlushError),
    /// The folder for temporary files.
    #[error("{0}: {1}: free space, or mend its permissions")]
    Spool(PathBuf, io::Error),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] random::NoRandomness),
}

impl Evidence {
    /// Empties `<data>/spool` of what an earlier run left; nobody else uses it.
    ///
    /// # Errors
    /// [`NotBuilt::Spool`].
    pub fn new(config: &Config, key: SigningKey) -> Result<Self, NotBuilt> {
        let spool = config.data.join("spool");
        match fs::remove_dir_all(&spool) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(NotBuilt::Spool(spool, error));
            }
            _ => {}
        }
        make_folder(&spool)?;
        let people = config.people.iter();
        Ok(Self {
            key,
            people: people
                .map(|(name, person)| (name.clone(), person.ssh_keys.clone()))
                .collect(),
            targets: targets(config),
            spool,
            turns: Arc::new(Semaphore::new(1)),
        })
    }

    /// The right to build a bundle now; `None` while somebody else does.
    #[must_use]
    pub fn turn(&self) -> Option<Turn> {
        self.turns.clone().try_acquire_owned().ok().map(Turn)
    }

    /// Builds a bundle. Blocks for the disk, as long as the log is large.
    ///
    /// # Errors
    /// [`NotBuilt`].
    pub fn build(
        &self,
        _turn: &Turn,
        request: &Request,
        kept: &Kept<'_>,
    ) -> Result<Bundle, NotBuilt> {
        kept.log.flush()?;
        let folder = Folder(self.spool.join(hex::encode(random::bytes::<8>()?)));
        make_folder(&folder.0)?;
        let reader =
            Reader::open(kept.ledger, Some(self.key.verifier())).map_err(BuildError::from)?;
        let sources = Sources {
            log: &reader,
            key: &self.key,
            recordings: kept.recordings,
            policies: &|version| kept.policies.kept(version),
            transcripts: &Transcripts,
            people: &self.people,
            targets: &self.targets,
            spool: &folder.0,
            now: kept.now,
            builder: kept.builder,
            version: env!("CARGO_PKG_VERSION"),
        };
        let path = folder.0.join("bundle.zip");
        let failed = |error| NotBuilt::Spool(path.clone(), error);
        let out = File::create_new(&path).map_err(failed)?;
        let built = evidence::build(request, &sources, out, &mut |progress| {
            tracing::trace!(?progress, "building evidence");
        })?;
        let file = File::open(&path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Bundle {
            built,
            bytes,
            file,
            _folder: folder,
        })
    }
}

/// A bundle that was built, as the pieces that are still to be handed out. Dropped, its file is removed.
pub struct Bundle {
    /// What is in it.
    pub built: Built,
    /// Its length.
    pub bytes: u64,
    file: File,
    _folder: Folder,
}

impl Iterator for Bundle {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let read = (&mut self.file)
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut piece);
        match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(piece.into())),
            Err(error) => Some(Err(error)),
        }
    }
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "temporary files stay until the next start");
        }
    }
}

fn make_folder(folder: &Path) -> Result<(), NotBuilt> {
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(|error| NotBuilt::Spool(folder.to_owned(), error))
}

/// The targets as configured, without secrets, by name.
fn targets(config: &Config) -> Vec<TargetFacts> {
    let wire = config.targets.iter().map(|(name, target)| TargetFacts {
        name: name.clone(),
        protocol: target.protocol.name().to_owned(),
        address: target.address.to_string(),
        account: target.user.clone(),
        tls: target.tls.name().to_owned(),
        masks: target
            .mask
            .iter()
            .map(|(declared, class)| (declared.to_string(), class.to_string()))
            .collect(),
    });
    let aws = config.aws_targets.iter().map(|(name, target)| {
        let clear = target
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| !endpoint.tls);
        TargetFacts {
            name: name.clone(),
            protocol: TargetProtocol::Aws.name().to_owned(),
            address: target.endpoint.as_ref().map_or_else(
                || format!("AWS, {} by default", target.region),
                |endpoint| endpoint.address.to_string(),
            ),
            account: target.account(),
            tls: if clear {
                TlsMode::Disable
            } else {
                TlsMode::VerifyFull
            }
            .name()
            .to_owned(),
            masks: Vec::new(),
        }
    });
    let mut targets: Vec<TargetFacts> = wire.chain(aws).collect();
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    targets
}
