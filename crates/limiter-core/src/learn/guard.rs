//! Whether a provider's words may be believed as they are: they are the plan, what comes of it is the judge.
//!
//! A refusal that says that little remains is explained by that, and where words tell what is there, the next one is as
//! unlikely as the first. Where they do not, whatever the reason, one refusal after the other is explained, and nothing
//! is learned from any. So there is a budget: a few refusals, and one in a hundred of what was let through since. When it
//! is overdrawn, every refusal counts as one that nothing explains, and what is let through between them
//! ([`Pace`](super::Pace)) bounds what goes beside the words, until all of it is paid back.

use super::Pace;
use crate::{Amounts, Dimension, Nanos};

/// What a refusal costs, in what one request that is let through pays back: one in a hundred may be refused, as a trial of
/// a measured rate costs.
const REFUSAL: i64 = 100;
/// A further one of the same flight costs a part of that, an eighth, and so does one before which nothing was let through:
/// those that were in flight together were refused for one mistake, but one that cost hundreds is not a small one; and where
/// nothing is let through, one asks now and then whether there is anything.
const SAME_FLIGHT: i64 = REFUSAL / 8;
/// So many may be refused at first: a form, a rule of charging, a depth and another client may each cost one or two.
const FIRST: i64 = 8 * REFUSAL;
/// What is let through in five minutes to ten tells a rate: most windows are a minute, and what is saved up at first is
/// little beside so many.
const SPAN: Nanos = Nanos::from_secs(300);
/// Before a minute has passed, what was saved up is most of it.
const LEAST: Nanos = Nanos::MINUTE;

/// So many times as large as the others on average is much larger, as where rates are measured.
const LARGE: u64 = 4;

/// The budget of refusals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    left: i64,
    is_on: bool,
    /// Refusals of admissions up to this one belong to a flight that was counted.
    counted: u64,
    /// Whether anything was let through since the last one that counted.
    recovered: bool,
    /// What was let through in the present span, and in the one before.
    let_through: [Sum; 2],
}

/// What was let through since an instant, in [`Pace::DIMENSIONS`].
#[derive(Clone, Copy, Debug)]
struct Sum {
    since: Option<Nanos>,
    amounts: [u64; 2],
}

impl Sum {
    const NONE: Self = Self { since: None, amounts: [0; 2] };
}

impl Guard {
    pub(crate) const fn new() -> Self {
        Self { left: FIRST, is_on: false, counted: 0, recovered: true, let_through: [Sum::NONE; 2] }
    }

    /// Whether words alone let too much be refused.
    pub(crate) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// A request that was admitted at `sent` was let through.
    pub(crate) fn answered(&mut self, amounts: &Amounts, sent: Nanos, now: Nanos) {
        self.recovered = true;
        if self.left < FIRST {
            self.left += 1;
        } else {
            self.is_on = false;
        }
        let [present, before] = &mut self.let_through;
        let since = *present.since.get_or_insert(sent);
        if now >= since.saturating_add(SPAN) {
            *before = core::mem::replace(present, Sum { since: Some(now), amounts: [0; 2] });
        }
        for (sum, dimension) in present.amounts.iter_mut().zip(Pace::DIMENSIONS) {
            *sum = sum.saturating_add(amounts.of(dimension));
        }
    }

    /// The rates at which requests were let through lately, in [`Pace::WINDOW`], where that is long enough to tell.
    pub(crate) fn rates(&self, now: Nanos) -> Option<[u64; 2]> {
        let [present, before] = &self.let_through;
        let span = now.saturating_sub(before.since.or(present.since)?);
        let rate = |(present, before): (&u64, &u64)| {
            let sum = u128::from(present.saturating_add(*before)) * u128::from(Pace::WINDOW.get());
            u64::try_from(sum / u128::from(span.get().max(1))).unwrap_or(u64::MAX)
        };
        let ([requests, tokens], [requests_before, tokens_before]) = (&present.amounts, &before.amounts);
        (span >= LEAST).then(|| [rate((requests, requests_before)), rate((tokens, tokens_before))])
    }

    /// Whether a request takes many times as many tokens as others on average: it is refused for its size, which says nothing
    /// of how many may go.
    pub(crate) fn is_large(&self, amounts: &Amounts) -> bool {
        let [present, before] = &self.let_through;
        let ([requests, tokens], [requests_before, tokens_before]) = (present.amounts, before.amounts);
        let mean = tokens.saturating_add(tokens_before) / requests.saturating_add(requests_before).max(1);
        amounts.of(Dimension::Tokens) / LARGE > mean
    }

    /// The admission `number` was refused; `latest` is the newest one.
    pub(crate) fn refused(&mut self, number: u64, latest: u64) {
        let is_news = number > self.counted && core::mem::replace(&mut self.recovered, false);
        self.counted = if number > self.counted { latest } else { self.counted };
        // What is owed is paid back by as many as are let through at first.
        self.left = (self.left - if is_news { REFUSAL } else { SAME_FLIGHT }).max(-FIRST);
        self.is_on |= self.left < 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_refusals_and_one_in_a_hundred_leave_words_their_due() {
        let mut guard = Guard::new();
        for number in 0..10_000 {
            if number % 100 == 0 || number < 8 {
                guard.refused(number + 1, number + 1);
            }
            guard.answered(&Amounts::ZERO, Nanos::ZERO, Nanos::ZERO);
            assert!(!guard.is_on(), "{number}");
        }
    }

    #[test]
    fn one_in_ten_are_too_many_until_it_is_paid_back() {
        let mut guard = Guard::new();
        let refused = (1..=10).take_while(|flight| {
            guard.refused(flight * 10, flight * 10);
            (0..9).for_each(|_| guard.answered(&Amounts::ZERO, Nanos::ZERO, Nanos::ZERO));
            !guard.is_on()
        });
        assert_eq!(refused.count(), 8);
        (0..800).for_each(|_| guard.answered(&Amounts::ZERO, Nanos::ZERO, Nanos::ZERO));
        assert!(guard.is_on());
        (0..100).for_each(|_| guard.answered(&Amounts::ZERO, Nanos::ZERO, Nanos::ZERO));
        assert!(!guard.is_on());
    }

    #[test]
    fn those_in_flight_together_count_less_and_a_large_flight_counts() {
        let mut guard = Guard::new();
        (1..=40).for_each(|number| guard.refused(number, 100));
        assert!(!guard.is_on());
        (41..=80).for_each(|number| guard.refused(number, 100));
        assert!(guard.is_on());
    }
}
