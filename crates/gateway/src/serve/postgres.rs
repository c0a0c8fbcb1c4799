//! The PostgreSQL listener.

use std::sync::Arc;

use mask::MaskKey;
use protocols::postgres::known::Known;
use protocols::postgres::settings::{AuthMethods, Limits, Settings};
use protocols::postgres::{Analyses, Connection, Served, Targets, Transport};
use protocols::session::Knowledge;
use sql::Name;
use sql::postgres::Declaration;
use tokio::net::TcpListener;

use super::{ServeError, address};
use crate::config::{AuthMethod, Config, Target, TargetProtocol};
use crate::listen::Listener;
use crate::tls;

/// So much memory the analyzed statements of one target may take, in bytes.
const ANALYSES_BYTES_MAX: usize = 16 << 20;

/// The listener, with the targets that speak the protocol.
pub(super) fn listener(
    config: &Config,
    socket: TcpListener,
    mask_key: &MaskKey,
) -> Result<Listener, ServeError> {
    let at = address(&socket)?;
    let tls = tls::server(
        config.postgres.tls.as_ref(),
        &config.data,
        at.ip(),
        &[b"postgresql"],
    )?;
    let targets: Targets = config
        .targets
        .iter()
        .filter(|(_, target)| target.protocol == TargetProtocol::Postgres)
        .map(|(name, target)| {
            let served = served(name, target, config.limits.postgres, mask_key);
            (name.clone(), served)
        })
        .collect();
    let targets = Arc::new(targets);
    Ok(Listener {
        protocol: "postgres",
        socket,
        tls,
        make: Box::new(move |source| {
            let local = source.ip().to_canonical().is_loopback();
            let transport = if local {
                Transport::Loopback
            } else {
                Transport::Remote
            };
            Box::new(Connection::new(targets.clone(), transport, true))
        }),
    })
}

fn served(name: &str, target: &Target, limits: Limits, mask_key: &MaskKey) -> Served {
    let settings = Settings {
        mask_key: Some(mask_key.clone()),
        ..settings(name, target, limits)
    };
    Served {
        settings: Arc::new(settings),
        analyses: Arc::new(Analyses::new(ANALYSES_BYTES_MAX)),
        meant: Arc::default(),
    }
}

/// The declared columns that were not found, by what a session learned of a target.
pub(crate) fn missing(knowledge: &Knowledge) -> Option<Vec<String>> {
    let known = knowledge.downcast_ref::<Known>()?;
    Some(known.protected.missing_names())
}

/// What the configuration says of a target, without the key of its masks.
pub(crate) fn settings(name: &str, target: &Target, limits: Limits) -> Settings {
    let declared = target.mask.iter().map(|(declared, class)| Declaration {
        schema: declared.schema.clone(),
        table: declared.table.clone(),
        column: declared.column.clone(),
        class: class.clone(),
        path: declared.path.clone(),
    });
    let trusted = target.trusted_functions.iter();
    let trusted = trusted.map(|(schema, name)| Name::qualified(schema, name));
    Settings {
        auth: AuthMethods {
            md5: target.auth.contains(&AuthMethod::Md5),
            password: target.auth.contains(&AuthMethod::Password),
        },
        replication: target.replication,
        declared: declared.collect(),
        trusted: trusted.collect(),
        strategies: target.strategies.clone(),
        find: target.find.clone(),
        own: target.own.clone(),
        limits,
        ..Settings::new(name, &target.database)
    }
}
