//! How a limit is charged that is let out second by second: by what each second loses.
//!
//! All that goes in a second goes where it begins, and of a burst nobody knows what was counted before what. But a second
//! begins full, and when every request of it is answered, the least that a word left is what all of them were charged. No
//! order matters, and nothing came back in between.

use super::{Books, Found};
use crate::Nanos;
use crate::learn::{Account, Shape, Word};

/// What went in one second, and what is heard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    turn: Nanos,
    /// What had been admitted before, and the latest word's.
    before: Account,
    after: Account,
    /// How many went and are not answered yet.
    unanswered: u64,
    /// The least that a word left.
    least: u64,
    /// Whether nothing was refused in it, and its words say what was charged.
    is_telling: bool,
}

impl Found {
    /// A request goes at `at`.
    pub(super) fn count_in_second(&mut self, at: Nanos, books: &Books<'_>) {
        let turn = self.last_turn(at).filter(|_| self.is_sliced && self.is_charged_by_rule());
        let Some((turn, before)) = turn.zip(books.ledger.of(self.dimension()).copied()) else {
            self.second = None;
            return;
        };
        match &mut self.second {
            Some(second) if second.turn == turn => second.unanswered = second.unanswered.saturating_add(1),
            second => {
                // What is owed of it is no part of what it loses, and of the first one something may have gone before it was
                // known to be one.
                let is_telling = self.owed.is_none() && second.is_some();
                let least = u64::MAX;
                *second = Some(Second { turn, before, after: before, unanswered: 1, least, is_telling });
            }
        }
    }

    /// The answer to a request of the instant `sent`, with which `account` had been admitted, says that `remaining` is left,
    /// or that it was `refused`. Learns how a limit is charged once everything of the second is answered.
    pub(super) fn hear_of_second(&mut self, sent: Nanos, account: Option<&Account>, remaining: u64, refused: bool) {
        let full = self.bucket.limit().burst();
        let is_cut_off = self.is_cut_off(remaining);
        let Some((second, account)) = self.second.as_mut().zip(account).filter(|(second, _)| sent >= second.turn)
        else {
            return;
        };
        second.is_telling &= !refused && !is_cut_off;
        second.least = second.least.min(remaining);
        second.unanswered = second.unanswered.saturating_sub(1);
        if account.requests_since(&second.after) <= u64::MAX / 2 {
            second.after = *account;
        }
        let Second { turn, before, after, least, .. } = *second;
        if second.unanswered > 0 || !second.is_telling {
            return;
        }
        let word = |at, remaining, account| Word { at, remaining, account, doubtful: 0, rounded: self.grain.error() };
        // Nothing runs over in a second.
        let shape = Shape { full: full.saturating_mul(2), ..self.shape() };
        self.charge.learn_between(&word(turn, full, before), &word(sent, least, after), &shape);
        // What goes in it from now on is another sample.
        self.second = self.second.map(|second| Second { is_telling: false, ..second });
    }
}
