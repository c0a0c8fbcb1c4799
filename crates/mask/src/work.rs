//! How much is read: counted in tests, so that they can say that no text makes the search slow.

/// Some detector read so many characters around a candidate.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn done(_chars: usize) {}

#[cfg(test)]
pub(crate) use counted::{done, of};

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static DONE: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn done(chars: usize) {
        DONE.with(|done| done.set(done.get() + chars));
    }

    /// How many characters are read by what `run` does.
    pub(crate) fn of(run: impl FnOnce()) -> usize {
        let before = DONE.with(Cell::get);
        run();
        DONE.with(Cell::get) - before
    }
}
