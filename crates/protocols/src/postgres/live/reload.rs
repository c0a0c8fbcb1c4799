//! Reading the catalog again after it may have changed.

use std::sync::Arc;

use bytes::Bytes;

use super::Live;
use crate::postgres::catalog::{LoadError, Loading, Tries, Within};
use crate::postgres::known::Known;
use crate::postgres::session::upstream_broke;
use crate::postgres::wire::Frame;
use crate::session::{Effects, Violation};

/// A catalog being read again between two commands.
#[derive(Debug)]
pub(super) struct Reload {
    loading: Loading,
    within: Within,
    tries: Tries,
}

impl Live {
    /// Begins. Nothing may be under way.
    pub(super) fn begin_reload(&mut self, fx: &mut Effects<Bytes>) {
        let within = if self.status == b'T' {
            Within::Transaction
        } else {
            Within::Idle
        };
        let loading = Loading::start(within, self.served.settings.limits, fx);
        let tries = Tries::default();
        self.reload = Some(Reload {
            loading,
            within,
            tries,
        });
    }

    /// Takes what the upstream says to it.
    pub(super) fn reloading(
        &mut self,
        mut reload: Reload,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        match reload.loading.receive(frame) {
            Ok(None) => self.reload = Some(reload),
            Ok(Some(loaded)) => {
                let known = Arc::new(Known::new(loaded, &self.served.settings.declared));
                match reload.within {
                    // What a transaction made is not there for others, and goes if it is rolled back.
                    Within::Transaction => self.known = known,
                    Within::Idle => self.learn(known, fx),
                }
                self.unsettled = false;
                self.unsettled_at_end = matches!(reload.within, Within::Transaction);
            }
            Err(error) if reload.tries.again(&error) => {
                let limits = self.served.settings.limits;
                reload.loading = Loading::start(reload.within, limits, fx);
                self.reload = Some(reload);
            }
            Err(LoadError::Malformed(malformed)) => return Err(upstream_broke(malformed.0)),
            Err(error) => {
                // The server's own words are not for the client: nothing has masked them.
                let words = "the catalog changed and could not be read again: tell whoever runs the gateway, its log says why";
                self.die("58000", words, fx);
                return Err(upstream_broke(error.to_string()));
            }
        }
        Ok(())
    }
}
