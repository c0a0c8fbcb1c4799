//! The commands, a file each.

pub(crate) mod approvals;
mod asker;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod discover;
pub(crate) mod env;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod explain_statement;
pub(crate) mod mask;
pub(crate) mod released;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod show;
pub(crate) mod token;
pub(crate) mod verdict;

use crate::failure::Failure;

/// Runs what speaks to a gateway, to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
