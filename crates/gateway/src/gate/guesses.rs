//! How many protected values people and their agents asked after, so that what is too much in one text is not free in many.
//!
//! Counted by human, issuer and target: a new session, another agent's name or another text gives nobody more of them. The
//! same command asks after the same values, so it counts once.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{Command, CommandDigest, Denial, Obligations};

use super::Caller;
use crate::clock::Clock;

/// How long guesses count, from the first.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// So many people's are counted; of more, those of whoever has the fewest are forgotten.
const PEOPLE_MAX: usize = 4_096;

/// The guesses of everybody.
pub(super) struct Guesses {
    clock: Clock,
    people: Mutex<HashMap<Who, Day>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Who {
    issuer: String,
    human: String,
    target: String,
}

struct Day {
    began: Duration,
    guesses: u64,
    /// The commands that they are of.
    commands: HashSet<u64>,
}

impl Guesses {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            people: Mutex::default(),
        }
    }

    /// Counts what a command asks after, but for what is shown to its caller anyway. Whether that is not too many.
    pub(super) fn may(
        &self,
        caller: &Caller,
        command: &Command,
        digest: &CommandDigest,
        obligations: &Obligations,
    ) -> bool {
        let guesses = command.asks.guesses().iter();
        let hidden = guesses.filter(|(class, _)| !obligations.reveal.contains(*class));
        let count: u64 = hidden.map(|(_, count)| *count).sum();
        let who = Who {
            issuer: caller.identity.proof.issuer.clone(),
            human: caller.identity.human.clone(),
            target: caller.target.name.clone(),
        };
        let now = self.clock.monotonic();
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= PEOPLE_MAX && !people.contains_key(&who) {
            make_room(&mut people, now);
        }
        let day = people.entry(who).or_insert_with(|| Day::new(now));
        if day.is_over(now) {
            *day = Day::new(now);
        }
        day.count(short(digest), count, caller.target.guesses_per_day)
    }
}

impl Day {
    fn new(began: Duration) -> Self {
        Self {
            began,
            guesses: 0,
            commands: HashSet::new(),
        }
    }

    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.began) >= DAY
    }

    fn count(&mut self, command: u64, count: u64, guesses_max: u64) -> bool {
        let all = self.guesses.saturating_add(count);
        if count == 0 || self.commands.contains(&command) {
            return true;
        }
        if all > guesses_max {
            return false;
        }
        self.guesses = all;
        self.commands.insert(command);
        true
    }
}

fn make_room(people: &mut HashMap<Who, Day>, now: Duration) {
    people.retain(|_, day| !day.is_over(now));
    if people.len() < PEOPLE_MAX {
        return;
    }
    if let Some(fewest) = people.values().map(|day| day.guesses).min() {
        people.retain(|_, day| day.guesses > fewest);
    }
}

/// Enough of it to tell one person's commands of a day apart; it is made with the gateway's key, so nobody chooses it.
fn short(digest: &CommandDigest) -> u64 {
    let (first, _) = digest.digest.0.split_at(8);
    first.try_into().map_or(0, u64::from_be_bytes)
}

/// The refusal of a search, where it is one by number alone.
pub(super) fn too_many(caller: &Caller, denial: &Denial) -> Denial {
    let limit = caller.target.guesses_per_day;
    let message = format!(
        "{} within a day were asked after more than {limit} protected values (guesses_per_day), so that comparing with another counts as a search: {}",
        caller.identity.human, denial.message
    );
    Denial {
        message,
        ..denial.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_so_many_and_the_same_command_counts_once() {
        let mut day = Day::new(Duration::ZERO);
        assert!(day.count(1, 3, 5) && day.count(2, 2, 5));
        assert!(!day.count(3, 1, 5));
        assert!(day.count(1, 3, 5) && day.count(4, 0, 5));
        assert!(!day.is_over(DAY - Duration::from_secs(1)));
        assert!(day.is_over(DAY));
    }

    #[test]
    fn of_too_many_people_those_who_guess_most_are_remembered() {
        let mut people = HashMap::new();
        for number in 0..PEOPLE_MAX {
            let who = Who {
                issuer: String::new(),
                human: number.to_string(),
                target: String::new(),
            };
            let mut day = Day::new(Duration::from_secs(1));
            assert!(day.count(1, if number == 7 { 9 } else { 1 }, 10));
            people.insert(who, day);
        }
        make_room(&mut people, Duration::from_secs(2));
        assert_eq!(people.len(), 1);
        make_room(&mut people, DAY);
        assert_eq!(people.len(), 1);
    }
}
