//! Reading the catalog again after it may have changed.

use std::sync::Arc;

use bytes::Bytes;

use super::Live;
use crate::postgres::catalog::{LoadError, Loading, Tries, Within};
use crate::postgres::deny;
use crate::postgres::known::Known;
use crate::postgres::session::upstream_broke;
use crate::postgres::wire::{Frame, server};
use crate::session::{Effects, Knowledge, Violation};

/// Whether what is known of the catalog is fit to read a statement by.
pub(super) enum Settled {
    Yes,
    /// It will be: the statement waits.
    Later,
    /// It could not be read; this is what the client is told.
    Never(Bytes),
}

/// A catalog being read again between two commands.
#[derive(Debug)]
pub(super) struct Reload {
    loading: Loading,
    within: Within,
    tries: Tries,
    /// It changed, and is not only old.
    changed: bool,
}

impl Live {
    /// Keeps what another session learned for the next command.
    pub(super) fn learned(&mut self, knowledge: Option<Knowledge>) {
        match knowledge.map(Arc::downcast::<Known>) {
            Some(Ok(known)) => {
                self.heard += u64::from(!known.is_like(&self.known));
                self.news = Some(known);
            }
            Some(Err(_)) => {}
            None => {
                self.news = None;
                self.outdated = true;
                self.heard += 1;
            }
        }
    }

    /// Takes over what another session learned, where no command is under way that was judged before. This session's own
    /// changes may not be in it, so while there are any it counts for nothing.
    fn take_news(&mut self) {
        if !self.steps.is_empty() || self.reload.is_some() {
            return;
        }
        let own = self.unsettled || self.unsettled_at_end || self.unsettling > 0;
        if let Some(known) = self.news.take().filter(|_| !own) {
            // Also where it says the same: analyses are shared by those who know by the same one.
            self.knows(known);
            (self.outdated, self.aged) = (false, false);
        }
    }

    /// Whether another session learned of another catalog.
    fn has_news(&self) -> bool {
        let news = self.news.as_ref();
        news.is_some_and(|news| !news.is_like(&self.known))
    }

    /// Whether the next statement may be read, or must wait until an earlier batch has settled what names mean, or what is known of them
    /// is old. Begins to read the catalog again where that can be done now.
    pub(super) fn settle(&mut self, fx: &mut Effects<Bytes>) -> Settled {
        self.take_news();
        if self.batch.unsettles {
            return Settled::Yes;
        }
        if std::mem::take(&mut self.locked) {
            return Settled::Never(locked());
        }
        if self.unsettling > 0 || (self.ending > 0 && self.unsettled_at_end) {
            return Settled::Later;
        }
        // What was judged before goes first.
        if self.has_news() {
            return Settled::Later;
        }
        let old = self.unsettled || self.outdated || (self.aged && !self.snapshot);
        if old && self.status != b'E' && !self.batch.sent {
            let idle = self.steps.is_empty() && self.owed.is_empty();
            if idle && self.reload.is_none() && self.cancelling == 0 {
                self.begin_reload(fx);
            }
            return Settled::Later;
        }
        Settled::Yes
    }

    /// Begins. Nothing may be under way.
    pub(super) fn begin_reload(&mut self, fx: &mut Effects<Bytes>) {
        let within = if self.status == b'T' {
            Within::Transaction
        } else {
            Within::Idle
        };
        let loading = Loading::start(within, self.served.settings.limits, fx);
        // What makes it old from now on is not in what is read.
        let changed = self.unsettled || std::mem::take(&mut self.outdated);
        self.aged = false;
        let tries = Tries::default();
        self.reload = Some(Reload {
            loading,
            within,
            tries,
            changed,
        });
    }

    /// Takes what the upstream says to it.
    pub(super) fn reloading(
        &mut self,
        mut reload: Reload,
        frame: &Frame,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        let aside = match frame.kind {
            server::NOTICE | server::NOTIFICATION => {
                let said = self.aside(frame)?;
                self.say(said);
                true
            }
            server::PARAMETER_STATUS => {
                self.parameter(frame, fx)?;
                true
            }
            _ => false,
        };
        if aside {
            self.reload = Some(reload);
            return Ok(());
        }
        match reload.loading.receive(frame) {
            Ok(None) => self.reload = Some(reload),
            Ok(Some(_)) if !reload.changed && !reload.loading.is_present() => {
                // What is known is newer than what the snapshot shows, or as old: it is read when the transaction has ended.
                (self.aged, self.snapshot) = (true, true);
            }
            Ok(Some(loaded)) => {
                self.own_temporary.clone_from(&loaded.own_temporary);
                let known = Known::again(&self.shared, loaded, &self.served);
                match reload.within {
                    // What a transaction made is not there for others, and goes if it is rolled back.
                    Within::Transaction => self.knows(known),
                    Within::Idle => self.learn(known, fx),
                }
                // The server looks names up as they are now.
                self.blind |= !reload.loading.is_present();
                // What another learned meanwhile may be newer than this, or lack what this session changed.
                self.outdated |= self.unsettled && self.news.take().is_some();
                self.unsettled = false;
                self.unsettled_at_end = matches!(reload.within, Within::Transaction);
            }
            Err(error) if reload.tries.again(&error) => {
                let limits = self.served.settings.limits;
                reload.loading = Loading::start(reload.within, limits, fx);
                self.reload = Some(reload);
            }
            // The session goes on: the statement that waited is refused, and the next one tries again.
            Err(error) if error.is_locked() => {
                self.locked = true;
                self.outdated = true;
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

fn locked() -> Bytes {
    let words = "the catalog changed, and cannot be read again while another session holds a lock on what it defines";
    deny::plain(
        "ERROR",
        "55P03",
        words,
        "Try again when that session is done.",
    )
}
