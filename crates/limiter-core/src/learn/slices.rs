//! Whether a limit is let out second by second.
//!
//! A provider may state a minute's limit and enforce a second's part of it in each second. Then no word ever leaves more
//! than that part, and more remains all at once where a second begins, by much more than comes back of a bucket in the
//! time between two words. A bucket that is six seconds deep shows neither: what it saves up is more than a second's part,
//! and it rises evenly.
//!
//! Before that is seen, it is held possible: what no word ever left more of than a second's part has nothing saved up that
//! is known of. Nobody loses who takes no more of it within a second than that, evenly: not of slices, whenever they
//! begin, and not of a bucket, of which that much comes back. The words then say which of both it is.

use super::Account;
use crate::Nanos;

/// So many rises, each in another second and all at the same part of it, are no coincidence: one may be another client's
/// that was given back.
const RISES: u32 = 3;
/// A rise tells of a turn where it is more than an even refill by an eighth of what a second may take.
const MORE: u64 = 8;
/// One rise elsewhere in the second was somebody else's; a second one says that these are no turns.
const STRAYS: u32 = 2;
/// Clocks drift apart, and answers are late: a rise may be so far from where it was expected.
const JITTER: Nanos = Nanos::from_millis(20);

/// Requests are counted so long after their sending as a rule, where their answers take longer than a second. Three rises
/// that agree confirm it.
const COUNTED: Nanos = Nanos::from_millis(100);
/// Two rises that are less than a second apart are no two turns; one may be what was given back, twice it comes back
/// evenly.
const EVEN: u32 = 2;
/// And so often nothing comes back that had to if it came evenly: once another client may have taken it.
const STANDS: u32 = 3;
/// A rise by less than this part of what a second may take, a fiftieth, may be another way of counting.
const LITTLE: u64 = 50;
/// More than a second or two nobody has to wait for slices.
const LONG: Nanos = Nanos::from_secs(2);
/// A turn that is not known better than to half a second says less of when something may go than what was taken when.
const DOUBT: Nanos = Nanos::from_millis(500);

/// A hint tells of the part of a second in which it was written: of one that came within a quarter.
const EXACT: Nanos = Nanos::from_millis(250);

/// What is known of one limit's slices.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slices {
    /// Whether a word was heard, and whether one left more than a slice holds.
    was_heard: bool,
    is_deeper: bool,
    /// Whether a success told what it left, when something rose last, and how often that was too soon for a turn.
    is_told: bool,
    rose: Option<(Nanos, Nanos)>,
    evens: u32,
    /// How often nothing came back though an even refill had brought something.
    stood: u32,
    last: Option<Heard>,
    /// Between which instants a turn was, as far as all rises tell: the latest of them.
    turn: Option<(Nanos, Nanos)>,
    rises: u32,
    strays: u32,
    is_known: bool,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    sent: Nanos,
    at: Nanos,
    remaining: u64,
    /// What had been admitted, with its own request.
    account: Option<Account>,
}

impl Slices {
    /// An answer at `now` to a request that was sent at `sent` says that `remaining` is left, give or take `error`, where a
    /// second's part of the limit is `worth`. Its request went as the last of `account`.
    pub(crate) fn learn(
        &mut self,
        remaining: u64,
        error: u64,
        worth: u64,
        account: Option<&Account>,
        sent: Nanos,
        now: Nanos,
    ) {
        if remaining > worth.saturating_add(error) {
            *self = Self { was_heard: true, is_deeper: true, ..Self::default() };
            return;
        }
        self.was_heard = true;
        let heard = Heard { sent, at: now, remaining, account: account.copied() };
        let Some(last) = self.last else {
            self.last = Some(heard);
            return;
        };
        // What was in flight together may have been counted in any order, but for what was sent much later.
        let until = if sent > last.at { now } else { now.min(sent.saturating_add(COUNTED)) };
        if sent <= last.at && sent < last.sent.saturating_add(COUNTED) {
            return;
        }
        self.last = Some(heard);
        let span = until.saturating_sub(last.sent);
        if span >= Nanos::SECOND {
            return;
        }
        let even = u128::from(worth) * u128::from(span.get()) / u128::from(Nanos::SECOND.get());
        let even = u64::try_from(even).unwrap_or(u64::MAX);
        let error = error.saturating_mul(2);
        self.stands(&last, &heard, even, worth, error);
        let even = if self.stood >= STANDS { 0 } else { even };
        let rest = (worth / MORE).max(1).saturating_add(error);
        if remaining > last.remaining.saturating_add((worth / LITTLE).saturating_add(error)) {
            self.rose(last.sent, until);
        }
        if remaining > last.remaining.saturating_add(even).saturating_add(rest) {
            self.turned(last.sent, until, true);
        }
    }

    /// Whether nothing came back from one word to the next, of so much of an `even` refill as there was room for.
    fn stands(&mut self, last: &Heard, heard: &Heard, even: u64, worth: u64, error: u64) {
        let Some((then, now)) = last.account.zip(heard.account) else { return };
        let (least, most) = (last.sent, last.at);
        let span = heard
            .sent
            .saturating_sub(most)
            .get()
            .max(heard.sent.saturating_sub(least).get().saturating_sub(COUNTED.get()));
        let surely = u128::from(worth) * u128::from(span) / u128::from(Nanos::SECOND.get());
        let surely = u64::try_from(surely).unwrap_or(u64::MAX).min(even).min(worth.saturating_sub(last.remaining));
        let used = now.admitted_since(&then).whole;
        let back = heard.remaining.saturating_add(used).saturating_sub(last.remaining);
        if surely >= (worth / MORE).max(2).saturating_add(error) && back <= surely / 4 {
            self.stood = self.stood.saturating_add(1);
        }
    }

    /// Whether what comes back was seen not to come evenly.
    pub(crate) const fn are_seen(&self) -> bool {
        self.stood >= STANDS
    }

    /// A success tells that `remaining` was left, where a second's part is `worth`: the little that a refusal tells of says
    /// nothing of what is there at other times, and neither do words that never leave anything.
    pub(crate) fn is_told(&mut self, remaining: u64, worth: u64) {
        self.is_told |= remaining >= (worth / MORE).max(1);
    }

    /// Something rose between these instants, by however little.
    fn rose(&mut self, from: Nanos, until: Nanos) {
        let Some(earlier) = self.rose.replace((from, until)) else { return };
        // So soon after one another that both are no turns.
        if from >= earlier.1 && until.saturating_sub(earlier.0).saturating_add(JITTER) < Nanos::SECOND {
            self.evens = self.evens.saturating_add(1);
        }
    }

    /// Whether it may be let out in slices of which it is not known when they begin: no word left more than one holds, and
    /// nothing shows how it comes back.
    pub(crate) fn are_possible(&self) -> bool {
        self.is_told && !self.is_deeper && self.evens < EVEN && self.turn().is_none()
    }

    /// Whether it was seen that it comes back in another way.
    pub(crate) const fn are_refuted(&self) -> bool {
        self.is_deeper || self.evens >= EVEN
    }

    /// It comes back in another way, unless turns are seen.
    pub(crate) const fn are_impossible(&mut self) {
        self.evens = EVEN;
    }

    /// A refusal at `now` of a request that was sent at `sent` says to come again after `span`, by what is told of this limit:
    /// when a second begins, where it is let out in slices. A bucket's waits end at any part of a second.
    pub(crate) fn hear_wait(&mut self, span: Nanos, sent: Nanos, now: Nanos) {
        if span > LONG {
            self.are_impossible();
        }
        let is_whole = span.get().is_multiple_of(Nanos::SECOND.get());
        if is_whole || self.is_deeper || now.saturating_sub(sent) > EXACT {
            return;
        }
        self.turned(sent.saturating_add(span), now.saturating_add(span), false);
    }

    /// A second begins between these instants: something `rose`, or a hint says so, which may speak of something else.
    fn turned(&mut self, from: Nanos, until: Nanos, rose: bool) {
        let Some((earlier, later)) = self.turn else {
            (self.turn, self.rises) = (Some((from, until)), 1);
            return;
        };
        // As many seconds later, or one more, where the one is at the end of a second and the other at the beginning.
        let seconds = until.saturating_sub(earlier).get() / Nanos::SECOND.get();
        let fits = [seconds.saturating_sub(1), seconds, seconds.saturating_add(1)].into_iter().find_map(|seconds| {
            let later_by = Nanos::from_secs(seconds);
            let start = from.max(earlier.saturating_add(later_by));
            let end = until.min(later.saturating_add(later_by));
            let turn = if start <= end { (start, end) } else { (from, until) };
            (start.saturating_sub(end) <= JITTER).then_some((seconds, turn))
        });
        match fits {
            Some((0, _)) => {}
            Some((_, turn)) => {
                (self.turn, self.strays) = (Some(turn), 0);
                self.rises = self.rises.saturating_add(1);
                self.is_known |= self.rises >= RISES && !self.is_deeper;
            }
            None if !rose && self.is_known => {}
            None => {
                self.strays = self.strays.saturating_add(1);
                if self.strays >= STRAYS {
                    (self.turn, self.rises, self.strays, self.is_known) = (None, 0, 0, false);
                }
            }
        }
    }

    /// When a second began for sure, once it is known that it counts.
    pub(crate) fn turn(&self) -> Option<Nanos> {
        self.turn.filter(|_| self.is_known && self.doubt() < DOUBT).map(|(_, later)| later)
    }

    /// How long before [`turn`](Self::turn) it may have been.
    pub(crate) fn doubt(&self) -> Nanos {
        self.turn.map_or(Nanos::ZERO, |(earlier, later)| later.saturating_sub(earlier))
    }

    /// Another limit of the same provider is let out in slices: so is this one, unless more remained.
    pub(crate) const fn follow(&mut self, other: &Self) {
        if self.was_heard && !self.is_deeper && !self.is_known {
            (self.turn, self.rises, self.is_known) = (other.turn, other.rises, other.is_known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORTH: u64 = 1_000;
    const LATENCY: Nanos = Nanos::from_millis(50);

    fn ms(millis: u64) -> Nanos {
        Nanos::from_millis(millis)
    }

    /// Hears what `remaining` says at every instant, in milliseconds, in answers to requests sent a latency before.
    fn after(times: impl IntoIterator<Item = u64>, remaining: impl Fn(u64) -> u64) -> Slices {
        let mut slices = Slices::default();
        for time in times {
            slices.learn(remaining(time), 0, WORTH, None, ms(time).saturating_sub(LATENCY), ms(time));
        }
        slices
    }

    /// What is left of a second that begins 300 ms after the full one, and is used up within 400 ms.
    fn of_slices(time: u64) -> u64 {
        let within = (time - LATENCY.get() / 1_000_000 + 700) % 1_000;
        WORTH.saturating_sub(within * 5 / 2)
    }

    #[test]
    fn seconds_that_begin_again_and_again_are_known_and_when_they_do() {
        let slices = after((100..5_000).step_by(100), of_slices);
        let turn = slices.turn().unwrap();
        let part = turn.get() % Nanos::SECOND.get();
        assert!((300_000_000..=450_000_000).contains(&part), "{turn:?}");
        assert!(slices.doubt() <= ms(150), "{:?}", slices.doubt());
    }

    #[test]
    fn what_comes_back_evenly_has_no_slices() {
        let even = after((100..20_000).step_by(130), |time| time * 7 % 1_000);
        let known =
            after((100..20_000).step_by(100), |time| if time % 3_700 < 2_000 { (time % 1_000) * 9 / 10 } else { 0 });
        assert_eq!((even.turn(), known.turn()), (None, None));
    }

    #[test]
    fn more_than_a_second_s_part_is_left_of_no_slice() {
        let mut slices = after((100..5_000).step_by(100), of_slices);
        slices.learn(WORTH + 1, 1, WORTH, None, ms(5_000), ms(5_050));
        assert!(slices.turn().is_some(), "the word is off by one");
        slices.learn(WORTH + 2, 1, WORTH, None, ms(5_100), ms(5_150));
        assert_eq!(slices.turn(), None);
        for time in (5_200..20_000_u64).step_by(100) {
            slices.learn(of_slices(time), 0, WORTH, None, ms(time).saturating_sub(LATENCY), ms(time));
        }
        assert_eq!(slices.turn(), None, "more than a second's part was there once");
    }

    #[test]
    fn waits_that_end_at_one_part_of_a_second_tell_as_much() {
        let mut slices = Slices::default();
        for (sent, span) in [(100, 900), (900, 1_100), (1_400, 600), (1_405, 595)] {
            assert_eq!(slices.turn(), None);
            slices.hear_wait(ms(span), ms(sent), ms(sent + 5));
        }
        assert_eq!(slices.turn(), None, "three of them are of one second");
        slices.hear_wait(ms(500), ms(4_500), ms(4_505));
        assert!(slices.turn().is_some());
        let mut bucket = Slices::default();
        for (sent, span) in [(100, 913), (1_400, 370), (2_950, 2_110), (4_120, 640), (5_770, 1_220), (7_700, 430)] {
            bucket.hear_wait(ms(span), ms(sent), ms(sent + 5));
            assert_eq!(bucket.turn(), None);
        }
        let mut whole = Slices::default();
        (0..20).for_each(|second| whole.hear_wait(Nanos::SECOND, ms(second * 1_000), ms(second * 1_000 + 5)));
        assert_eq!(whole.turn(), None, "a whole second may be a rounded one");
    }

    #[test]
    fn slices_are_possible_until_a_word_shows_how_a_limit_comes_back() {
        let heard = |remaining: &[(u64, u64)]| {
            let mut slices = Slices::default();
            for (time, remaining) in remaining {
                slices.is_told(*remaining, WORTH);
                slices.learn(*remaining, 0, WORTH, None, ms(*time), ms(time + 50));
            }
            slices
        };
        assert!(!heard(&[]).are_possible(), "nothing is told");
        assert!(!heard(&[(0, 0), (100, 50)]).are_possible(), "what is never left tells nothing");
        assert!(heard(&[(0, 900), (100, 700), (300, 400)]).are_possible());
        assert!(!heard(&[(0, 900), (1_500, 1_200)]).are_possible(), "more is saved up");
        assert!(!heard(&[(0, 500), (100, 550), (200, 500), (300, 550), (400, 500), (500, 550)]).are_possible());
        let mut slices = heard(&[(0, 900), (100, 700)]);
        slices.hear_wait(Nanos::from_secs(40), ms(200), ms(250));
        assert!(!slices.are_possible(), "nobody waits so long for a second to begin");
    }
}
