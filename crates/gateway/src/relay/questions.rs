//! The questions of one session: worked on at once, answered in the order they were asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use model::{Denial, DenialCode, Held};
use protocols::session::Answer;

use crate::gate::{Asked, Asking, Begun, Gate, Underway};
use crate::login::{Login, Opened};

/// Questions that one session may have open.
pub(super) const QUESTIONS_MAX: usize = 4_096;

/// What became of the oldest question.
pub(super) enum Reply {
    /// Its answer.
    Answer(Answer),
    /// To `Who`.
    Known(Login),
    /// To `Reach`.
    Opened(Box<Opened>),
    /// People are being asked; it stays open.
    Held(Held),
}

enum Turn {
    /// Done, or under way.
    Work(Underway<Reply>),
    Answered(Answer),
    /// About which people are to be asked when its turn comes: what runs before it may make it needless.
    People(Box<Asked>),
    /// On the way to people.
    Asking(Underway<Asking>),
    /// People are being asked.
    Held(Underway<Answer>),
}

#[derive(Default)]
pub(super) struct Questions {
    turns: VecDeque<Turn>,
}

impl Questions {
    /// Open questions.
    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        self.turns.push_back(Turn::Answered(answer));
    }

    pub(super) fn work(&mut self, work: Underway<Reply>) {
        self.turns.push_back(Turn::Work(work));
    }

    pub(super) fn begun(&mut self, begun: Begun) {
        self.turns.push_back(match begun {
            Begun::People(asked) => Turn::People(asked),
            Begun::Writing(mut answer) => {
                // Often it is there already; nobody needs to be woken for it then.
                match answer
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                {
                    Poll::Ready(answer) => Turn::Answered(answer),
                    Poll::Pending => Turn::Work(Box::pin(async { Reply::Answer(answer.await) })),
                }
            }
        });
    }

    /// The oldest question's reply. Pending also where nothing was asked.
    pub(super) fn poll(&mut self, gate: &Arc<Gate>, cx: &mut Context<'_>) -> Poll<Reply> {
        loop {
            let Some(front) = self.turns.pop_front() else {
                return Poll::Pending;
            };
            let (turn, reply) = match front {
                Turn::Answered(answer) => return Poll::Ready(Reply::Answer(answer)),
                Turn::People(asked) => (Turn::Asking(Box::pin(gate.clone().ask(asked))), None),
                Turn::Work(mut work) => match work.as_mut().poll(cx) {
                    Poll::Ready(reply) => return Poll::Ready(reply),
                    Poll::Pending => (Turn::Work(work), Some(Poll::Pending)),
                },
                Turn::Held(mut answer) => match answer.as_mut().poll(cx) {
                    Poll::Ready(answer) => return Poll::Ready(Reply::Answer(answer)),
                    Poll::Pending => (Turn::Held(answer), Some(Poll::Pending)),
                },
                Turn::Asking(mut asking) => match asking.as_mut().poll(cx) {
                    Poll::Ready(Asking::Done(answer)) => return Poll::Ready(Reply::Answer(answer)),
                    Poll::Ready(Asking::Held(held, answer)) => {
                        (Turn::Held(answer), Some(Poll::Ready(Reply::Held(held))))
                    }
                    Poll::Pending => (Turn::Asking(asking), Some(Poll::Pending)),
                },
            };
            self.turns.push_front(turn);
            if let Some(reply) = reply {
                return Poll::Ready(ready!(reply));
            }
        }
    }

    /// Nobody will hear the answers. What has begun comes to its end: a session that was opened meanwhile is given back, to
    /// be closed.
    pub(super) async fn abandon(mut self) -> Option<Box<Opened>> {
        let mut opened = None;
        while let Some(turn) = self.turns.pop_front() {
            if let Turn::Work(work) = turn
                && let Reply::Opened(session) = work.await
            {
                opened = Some(session);
            }
        }
        opened
    }

    /// The oldest question is not wanted any more: if people are asked about it, that is withdrawn.
    pub(super) fn withdraw(&mut self) {
        if let Some(turn) = self.turns.front_mut() {
            turn.withdraw();
        }
    }

    /// None is wanted any more.
    pub(super) fn withdraw_all(&mut self) {
        self.turns.iter_mut().for_each(Turn::withdraw);
    }
}

impl Turn {
    fn withdraw(&mut self) {
        if let Self::People(_) | Self::Asking(_) | Self::Held(_) = self {
            let denial = Denial::new(DenialCode::Cancelled, "withdrawn before people had decided");
            *self = Self::Answered(Answer::Refused(denial));
        }
    }
}
