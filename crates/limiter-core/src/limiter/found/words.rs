//! What a word of the provider's means: how exact it is, what it does not include, and what it tells of the charge.

use super::{Books, Found, JITTER};
use crate::learn::{Account, Ends, Grain, Growth, Parts, Rule, Shape, Word};
use crate::{Limit, Nanos};

impl Found {
    /// What remained, as exactly as it can be known where it is told in round figures: what was `counted` here, within
    /// what the figure may stand for; the least of that where nothing was counted yet, or not rightly.
    #[expect(clippy::too_many_arguments, reason = "what one answer says, and what was known before it")]
    pub(super) fn refined(
        &self,
        remaining: u64,
        refused: bool,
        counted: i64,
        said: Option<&Account>,
        sent: Nanos,
        books: &Books<'_>,
        now: Nanos,
    ) -> u64 {
        let error = self.grain.error();
        if error == 0 {
            return remaining;
        }
        let (least, most) = (remaining.saturating_sub(error), remaining.saturating_add(error));
        if refused || !self.has_word {
            return least;
        }
        let start = self.uncertain_since(sent, now);
        let unsaid = self.unsaid(&self.flight.parts_since(start, self.dimension()), said, sent, books);
        let mut nothing = self.bucket;
        nothing.set_level(0, sent.saturating_add(self.reordering()).min(now), 0, now);
        let refilled = nothing.level(now);
        let own = counted.saturating_add_unsigned(unsaid).saturating_sub(refilled);
        u64::try_from(own).unwrap_or(0).clamp(least, most)
    }

    /// How coarsely tokens are told.
    pub(in crate::limiter) fn grain_of_tokens(&self) -> Option<Grain> {
        self.is_charged_by_rule().then_some(self.grain)
    }

    /// Another limit on tokens is told so coarsely.
    pub(in crate::limiter) fn is_rounded_as(&mut self, other: &Grain) {
        if self.is_charged_by_rule() {
            self.grain.follow(other);
        }
    }

    /// From when on what was admitted may not be part of a word in the answer to a request of the instant `sent`, and counts.
    pub(super) fn uncertain_since(&self, sent: Nanos, now: Nanos) -> Nanos {
        let start = self.flight.start(sent.saturating_sub(self.reordering()));
        self.in_this_slice(now).map_or(start, |turn| turn.max(start))
    }

    /// What a word does not say that answers a request of the instant `sent`, when `said` had been admitted: what is charged for those `in_flight` that
    /// were not counted yet, and what the end of others has changed since. Less than nothing is nothing.
    pub(super) fn unsaid(&self, in_flight: &Parts, said: Option<&Account>, sent: Nanos, books: &Books<'_>) -> u64 {
        let Some((said, account)) = said.zip(books.ledger.of(self.dimension())) else {
            return self.charge.amount(in_flight, books.yields);
        };
        // Of what ended without an answer no word will come.
        let in_flight = &in_flight.saturating_add(&account.unanswered_since(said));
        let all = self.flight.parts_since(Nanos::ZERO, self.dimension());
        // What came back about when the request was sent may have been part of the word already.
        let then = self.flight.account_after(sent.saturating_add(self.reordering()));
        let unused = then.map_or(0, |then| account.unused_since(then));
        let ended = Ends { unused, produced: account.produced_since(said) };
        self.charge.unsaid(in_flight, &all, &ended, books.yields)
    }

    /// What was admitted and what came back about when a request of the parts `own` was admitted, and may be part of its
    /// answer's word or not: what went at the same time. `said` is what had been admitted with it.
    ///
    /// While the rule of charging is not known, every interval is waited for, and what was in flight together with it counts
    /// where that is less: what had been answered was counted before it, and what went after its answer later. Once it is
    /// known, words that are close together would tell the factor from a handful of requests.
    pub(super) fn doubtful(&self, said: &Account, sent: Nanos, own: &Parts, books: &Books<'_>) -> u64 {
        let now = books.ledger.of(self.dimension()).unwrap_or(&Account::NONE);
        let later = self.flight.account_after(sent.saturating_add(JITTER)).unwrap_or(now);
        let earlier = self.flight.account_before(sent.saturating_sub(JITTER));
        let ended =
            |later: &Account, earlier: &Account| later.unused_since(earlier).cast_signed().max(0).unsigned_abs();
        let lately =
            later.admitted_since(earlier).whole.saturating_sub(own.whole).saturating_add(ended(later, earlier));
        if !self.is_charged_by_rule() || !self.charge.is_unsettled() {
            return lately;
        }
        let beside = said.beside(now).saturating_sub(own.whole).saturating_add(ended(now, said));
        lately.min(beside)
    }

    /// Notices where more remains than an earlier word said, beyond what was given back.
    pub(super) fn notice_rise(&mut self, word: &Word, now: Nanos) {
        if let Some(last) = self.last_word.filter(|last| last.at < word.at) {
            let back = word.account.unused_since(&last.account).cast_signed().max(0).unsigned_abs();
            let risen = word.remaining.saturating_sub(last.remaining).saturating_sub(back);
            let risen = if self.is_moving(now) { 0 } else { risen.saturating_sub(self.back_by_log(now)) };
            let risen = if self.is_weighted() { 0 } else { risen };
            self.form.rose(risen, self.bucket.limit().amount(), last.at, now);
        }
        self.last_word = Some(*word);
    }

    /// Whether something of what was taken here comes back by now of a sliding window, or soon: a log joins moments and gives
    /// them back a little late, and requests are counted later than they are sent.
    pub(super) fn is_moving(&self, now: Nanos) -> bool {
        let slack = Nanos::new(self.bucket.limit().window().get() / 16);
        self.bucket.returned(now.saturating_add(slack)) > 0
    }

    /// Compares what the provider says with what was counted here. `is_alone`: nothing else was in flight when its request
    /// went.
    pub(super) fn learn_charge(&mut self, word: Word, own: &Parts, is_alone: bool, books: &Books<'_>) {
        if is_alone && self.flight.is_empty() {
            self.charge.learn_exactly(&word, &self.shape());
        }
        self.charge.learn(word, own, &self.shape(), !books.tells);
    }

    pub(super) fn shape(&self) -> Shape {
        let limit = self.bucket.limit();
        let full = self.depth.within(limit.burst());
        Shape { amount: limit.amount(), window: limit.window(), full, refill: limit.refill() }
    }

    /// The refusal of a request sent at `sent` spoke of this limit, and only refusals do. `before` is what was believed of
    /// its charge until then. Of those that were in flight together the first one counts.
    pub(super) fn was_met(&mut self, before: (Rule, u64), sent: Nanos, now: Nanos) {
        if sent < self.growth.since() {
            return;
        }
        // What was tried, and a refusal has confirmed, need not be tried again so soon.
        let gain = self.growth.gain(sent);
        let was_tried = gain > Growth::ONE;
        // Less than twice what was known confirms it as well where there is nothing to compare.
        let is_known = !self.is_charged_by_rule() || self.charge.has_compared() || gain < 2 * Growth::ONE;
        let is_confirmed = was_tried
            && is_known
            && before.0 == self.charge.rule()
            && before.1.abs_diff(self.charge.factor()) <= before.1 / 20;
        let plateau = match (self.has_word, is_confirmed) {
            (true, true) => Nanos::new(self.growth.plateau().get().saturating_mul(4)),
            _ => self.growth.plateau(),
        };
        self.growth.restart(now, plateau.min(Limit::MAX_WINDOW));
        self.gain = Growth::ONE;
    }
}
