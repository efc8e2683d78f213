//! How a limit is charged that is let out second by second: by what each second loses.
//!
//! All that goes in a second goes where it begins, and of a burst nobody knows what was counted before what. But a second
//! begins full, and when every request of it is answered, the least that a word left is what all of them were charged. No
//! order matters, and nothing came back in between.

use super::{Books, Found};
use crate::learn::{Account, Shape, Word};
use crate::{Amounts, Nanos, Reservation};

/// What went in one second, and what is heard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    turn: Nanos,
    /// What had been admitted before, and with all that went in it and was not refused.
    before: Account,
    after: Account,
    /// How many went and are not answered yet.
    unanswered: u64,
    /// The least that a word left.
    least: u64,
    /// Whether its words say what was charged.
    is_telling: bool,
}

impl Found {
    /// A request of `amounts` goes at `at`.
    pub(super) fn count_in_second(&mut self, amounts: &Amounts, at: Nanos, books: &Books<'_>) {
        let turn = self.last_turn(at).filter(|_| self.is_sliced && self.is_charged_by_rule());
        let Some((turn, before)) = turn.zip(books.ledger.of(self.dimension()).copied()) else {
            self.second = None;
            return;
        };
        let parts = self.parts(amounts);
        let second = match &mut self.second {
            Some(second) if second.turn == turn => second,
            second => {
                // What is owed of it is no part of what it loses, and of the first one something may have gone before it was
                // known to be one.
                let is_telling = self.owed.is_none() && second.is_some();
                let least = u64::MAX;
                second.insert(Second { turn, before, after: before, unanswered: 0, least, is_telling })
            }
        };
        second.after.admit(&parts);
        second.unanswered = second.unanswered.saturating_add(1);
    }

    /// The answer to `reservation` says that `remaining` is left, or that it was `refused`. Learns how a limit is charged once
    /// everything of the second is answered.
    pub(super) fn hear_of_second(&mut self, reservation: &Reservation, remaining: u64, refused: bool) {
        let full = self.bucket.limit().burst();
        let is_cut_off = self.is_cut_off(remaining);
        let sent = reservation.admitted_at;
        let (parts, dimension) = (self.parts(reservation.cost.expected()), self.dimension());
        let Some(second) = self.second.as_mut().filter(|second| sent >= second.turn) else { return };
        second.is_telling &= !is_cut_off;
        second.least = second.least.min(remaining);
        second.unanswered = second.unanswered.saturating_sub(1);
        if refused {
            second.after.forget(&parts);
        } else if let Some(account) = reservation.ledger.of(dimension) {
            second.after.has_ended_as(account);
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
