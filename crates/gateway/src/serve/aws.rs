//! The listener for AWS's clients.

use std::sync::Arc;

use protocols::aws::credentials::Mint;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{ServeError, address};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::relay::http::{self, Relay};
use crate::tls;

/// Its socket, where a target speaks AWS's APIs.
pub(super) fn bind(config: &Config) -> Result<Option<TcpListener>, ServeError> {
    if config.aws_targets.is_empty() {
        return Ok(None);
    }
    super::bind(config.aws.listen).map(Some)
}

/// Serves until the gateway ends, in a task of its own.
pub(super) fn serve(
    config: &Config,
    socket: Option<TcpListener>,
    mint: Mint,
    gateway: &Arc<Gateway>,
) -> Result<Option<JoinHandle<()>>, ServeError> {
    let Some(socket) = socket else {
        return Ok(None);
    };
    let ip = address(&socket)?.ip();
    let files = config.aws.tls.as_ref();
    let tls = files.map(|files| tls::server(Some(files), &config.data, ip, &[b"h2", b"http/1.1"]));
    let tls = tls.transpose()?;
    let relay = Relay::new(gateway.clone(), mint, &config.aws);
    Ok(Some(tokio::spawn(http::serve(
        Arc::new(relay),
        socket,
        tls,
    ))))
}
