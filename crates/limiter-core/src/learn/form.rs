//! What the headers do not say about a limit: its window, and whether it refills continuously or all at once.
//!
//! The same header means requests per minute for one account and per day for another. A token bucket that says when
//! it will be full betrays its window: `reset * limit / (limit - remaining)`. A fixed window says when it turns, and
//! that instant stays where it is while time passes and more is used. A sliding one is full a window after the latest
//! request, so the reset stays the same, however much is used. One answer can look like any of them by chance, so
//! only two answers that agree are believed, and the form only where they are far enough apart to tell.

use crate::{Limit, Nanos, Reading, Refill};

/// What is known so far about the form of one limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FormGuess {
    last: Option<Sample>,
    /// An older sample, kept until a newer one is far enough from it to tell the forms apart.
    anchor: Option<Sample>,
    /// The same to tell a sliding window, for which some time has to pass.
    earlier: Option<Sample>,
    /// Whether the two told the same reset, though much was used in between.
    same_resets: bool,
    /// The first of those in a row that fit a window.
    short: Option<Sample>,
    /// The first of those that fit a window of a length that providers seldom use.
    odd: Option<Sample>,
    /// Whether resets are told more exactly than in whole seconds.
    is_exact: bool,
    /// The longest two, and the longest one that is believed.
    resets: [Nanos; 2],
    longest_reset: Nanos,
    window: Option<Nanos>,
    refill: Option<Refill>,
    /// How often a request was refused that had to fit if the window was as guessed, and the longest such guess.
    doubts: u32,
    wrong: Nanos,
    /// Under a window as short as this, found by what came back, requests were refused that had to fit.
    too_short: Nanos,
    /// How often more remained than before though no window had turned.
    rises: u32,
    /// How often in a row a window was empty that had to be full.
    emptied: u32,
    /// How many times in a row a window that is thought to be fixed looked like a bucket.
    contrary: u32,
    /// Whether resets seem to say how long the window is, and not when anything comes back.
    names_window: bool,
    /// The longest that the window can be, by what came back within less.
    at_most: Option<Nanos>,
    /// The same by what was let through when somebody asked, or by how much came back at most.
    asked: Option<Nanos>,
    /// Under a window as short as this, found by asking, one was refused that had to fit.
    too_brief: Nanos,
    /// The longest that a window of any length can be by what came back.
    bound: Option<Nanos>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Nanos,
    /// How long before the provider may have said it.
    age: Nanos,
    limit: u64,
    used: u64,
    /// When the limit is full again.
    full_at: Nanos,
    /// When it turns: as long after the request may have been counted at the latest.
    turns_at: Nanos,
    /// The window that a token bucket would have, in nanoseconds, and its uncertainty.
    window: u128,
    tolerance: u128,
}

/// The windows that providers state limits for.
const WINDOWS: [Nanos; 6] =
    [Nanos::SECOND, Nanos::from_secs(10), Nanos::MINUTE, Nanos::HOUR, Nanos::DAY, Nanos::from_secs(30 * 86_400)];

/// Resets may be written in whole seconds.
const RESET_ERROR: Nanos = Nanos::SECOND;

/// A reset that is so many times as long as any other was is not believed by one answer: resets of one limit grow as it is
/// used, from one answer to the next.
const ALONE: u64 = 4;

/// Two windows of a length that is seldom used are the same where they differ by no more than a twentieth: rounded figures
/// make so much of one. Each is exact to an eighth, and named by resets that differ by a quarter.
const SAME: u128 = 20;
const EXACT: u128 = 8;
const OTHER: (i128, i128) = (5, 4);

/// A window that explains so few refusals was guessed wrongly.
const DOUBTS: u32 = 3;

/// A window found by asking under which one is refused that had to fit is longer by a quarter.
const LONGER: u64 = 4;

/// So many rises before the turn say that it is no fixed window: one may be another client's that was given back.
const RISES: u32 = 2;
/// A rise by less than a hundredth may be a rounded figure.
const RISE: u64 = 100;

/// Others hardly use more than three quarters of a window in its first second.
const OTHERS: u64 = 4;

/// How long after its sending a request is counted at the latest: however long its answer takes, what that says was true by
/// then.
const REORDERING: Nanos = Nanos::SECOND;

/// Answers to requests of one moment tell resets that differ by so much.
const JITTER: Nanos = Nanos::from_millis(100);

/// Resets of a bucket differ by much where they do by a thirtieth of the window, two seconds of a minute: more than levels
/// move by while two figures of one answer are written.
const MUCH: i128 = 30;

/// Two samples tell the forms apart when what they predict differs by more than both samples' errors.
const TELLING: Nanos = Nanos::from_secs(3);

impl FormGuess {
    /// Learns from a reading taken at `now` in the answer to a request sent at `sent`, of a limit whose window may be
    /// `stated`.
    ///
    /// At most `own` had been taken by this client when it was the first one.
    pub(crate) fn learn(&mut self, reading: &Reading, stated: Option<Nanos>, own: u64, sent: Nanos, now: Nanos) {
        let Some(sample) = Sample::of(reading, sent, now) else { return };
        self.hear_reset(sample.full_at.saturating_sub(now));
        let is_whole = sample.is_whole_window(stated.unwrap_or(Nanos::MINUTE));
        self.names_window = is_whole && (self.names_window || self.last.is_none() && sample.is_others(own));
        match self.last {
            Some(last) if last.limit == sample.limit => self.compare_windows(&last, &sample),
            _ => (self.anchor, self.earlier, self.window, self.refill, self.rises) = (None, None, None, None, 0),
        }
        self.last = Some(sample);
        match self.earlier {
            None => self.earlier = Some(sample),
            Some(earlier) => self.compare_with_sliding(&earlier, &sample, stated),
        }
        match self.anchor {
            None => self.anchor = Some(sample),
            Some(anchor) => self.compare_forms(&anchor, &sample, stated),
        }
        self.follow_phase(&sample);
    }

    /// More remained than before, by `risen` units of a limit of `amount`, in the answer to a request that was sent later:
    /// before its turn nothing comes back of a fixed window.
    pub(crate) fn rose(&mut self, risen: u64, amount: u64, since: Nanos, now: Nanos) {
        let window = self.window().unwrap_or(Nanos::MINUTE).get();
        let may_rise = match self.refill {
            Some(Refill::AtBoundary { phase }) => {
                let turn = |at: Nanos| (i128::from(at.get()) - i128::from(phase.get())).div_euclid(i128::from(window));
                // The turn may be told a second too early or too late.
                turn(since.saturating_sub(RESET_ERROR)) != turn(now.saturating_add(RESET_ERROR))
            }
            Some(Refill::Sliding) => false,
            _ => return,
        };
        if risen > amount / RISE && !may_rise {
            self.rises = self.rises.saturating_add(1);
            if self.rises >= RISES {
                self.refill = Some(Refill::Continuous);
            }
        }
    }

    /// Everything had to be there, because a window had turned or all that was taken of a sliding one had come back, and yet
    /// it `was_empty`, or it was not.
    pub(crate) fn was_empty(&mut self, was_empty: bool) {
        self.emptied = if was_empty { self.emptied.saturating_add(1) } else { 0 };
        if self.emptied >= RISES {
            // For good, as where more remained than a window allows.
            (self.refill, self.rises) = (Some(Refill::Continuous), RISES);
        }
    }

    /// A request was refused that had to fit, if the window is as guessed.
    pub(crate) fn doubt(&mut self) {
        if let Some(known) = self.window().filter(|_| self.asked.is_some()) {
            // Resets may have been rounded up, or not.
            let longer = known.saturating_add(Nanos::new(known.get() / LONGER));
            let [_, reset] = self.resets;
            self.asked = Some(if known < reset { reset } else { longer });
            self.too_brief = known;
            return;
        }
        self.doubts = self.doubts.saturating_add(1);
        if self.doubts < DOUBTS {
            return;
        }
        if let Some(most) = self.at_most.take() {
            // Of a window that providers seldom use more comes back than of the next longer one that they do.
            self.too_short = most;
            self.at_most = WINDOWS.into_iter().find(|window| *window > most);
            let next = self.at_most.unwrap_or(Nanos::MAX);
            self.asked = self.bound.filter(|bound| *bound > most && *bound < next);
            self.doubts = 0;
        } else if let Some(window) = self.window {
            (self.wrong, self.window, self.doubts) = (window, None, 0);
        }
    }

    /// Keeps the longest reset. One answer that tells a far longer one than all others is not believed alone.
    fn hear_reset(&mut self, reset: Nanos) {
        self.is_exact |= rounding(reset) < RESET_ERROR.get();
        let [longest, second] = self.resets;
        self.resets = [longest.max(reset), longest.min(reset).max(second)];
        let [longest, second] = self.resets;
        let is_alone = second > Nanos::SECOND && longest.get() / ALONE > second.get();
        self.longest_reset = if is_alone { second } else { longest };
    }

    /// A sample that fits no window of those that are common: two that name the same one, by resets that differ, tell it.
    fn learn_odd(&mut self, sample: &Sample) {
        let first = *self.odd.get_or_insert(*sample);
        let window = u64::try_from(sample.window).map_or(Nanos::ZERO, Nanos::new);
        if first.window.abs_diff(sample.window) * SAME > first.window {
            self.odd = Some(*sample);
        } else if window > self.wrong.max(Nanos::MINUTE) && sample.tolerance * EXACT <= sample.window {
            let (shorter, longer) = (first.reset().min(sample.reset()), first.reset().max(sample.reset()));
            // A constant is no measure.
            if longer * OTHER.1 >= shorter * OTHER.0 {
                self.window = Some(window);
            }
        }
    }

    /// As much came `back` of a `limit` within `span`, in which less can come back: its window is shorter. Of a fixed one
    /// all comes back at its turns, and there is one more of these than whole windows.
    pub(crate) fn is_shorter(&mut self, back: u64, span: Nanos, limit: &Limit) {
        // Of a bucket that is as deep as its amount is large, or of turns that come at any moment.
        let beyond = back.saturating_sub(limit.amount()).max(1);
        let bound = u128::from(span.get()) * u128::from(limit.amount()) / u128::from(beyond);
        let bound = u64::try_from(bound).map_or(Nanos::MAX, Nanos::new);
        self.bound = Some(self.bound.map_or(bound, |known| known.min(bound)));
        if self.asked.is_some() {
            self.asked = self.asked.min(self.bound);
            return;
        }
        let can = |window: &Nanos| {
            let turns = span.get() / window.get() + 1;
            *window > self.too_short && *window < limit.window() && limit.amount().saturating_mul(turns) >= back
        };
        let [shortest, ..] = WINDOWS;
        let window = WINDOWS.into_iter().rev().find(can).unwrap_or(shortest);
        if window <= self.too_short {
            return;
        }
        // A reset that is longer than a window tells of another: what came back was of several limits, perhaps.
        if self.longest_reset > window {
            return;
        }
        self.at_most = Some(window);
        if window == shortest {
            // No reset is as exact as that. And what is within a sliding window is within one that turns at any moment, and
            // within a bucket.
            self.slides();
        }
    }

    /// All that a window gives came back within `window`. It is the next shorter one that providers
    /// use, where that is an eighth shorter at most, as answers take time.
    pub(crate) fn is_at_most(&mut self, window: Nanos) {
        let is_near = |common: &Nanos| *common <= window && window.saturating_sub(*common).get() <= window.get() / 8;
        let window = WINDOWS.into_iter().find(is_near).unwrap_or(window);
        if self.refill != Some(Refill::Continuous) {
            // What is within a sliding window is within one that turns at any moment, and within a bucket.
            self.slides();
        }
        // What was refused under one as short has shown that it is longer.
        if window > self.too_brief {
            self.asked = Some(window);
        }
    }

    /// A window is at least as long as the longest wait for its end, which one stray answer alone does not tell.
    fn shortest(&self) -> Nanos {
        let [_, reset] = self.resets;
        reset.saturating_sub(if self.is_exact { Nanos::ZERO } else { RESET_ERROR })
    }

    /// Whether resets tell of a longer window than was found by asking: less is seen of one that turns than it is long.
    pub(crate) fn is_told_longer(&self) -> bool {
        self.asked.is_some_and(|asked| asked < self.shortest())
    }

    /// The longest reset that was told, but for one alone that is far longer than all others.
    pub(crate) const fn longest_reset(&self) -> Nanos {
        self.longest_reset
    }

    /// Whether the window was found by asking.
    pub(crate) const fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether the window is one that nobody told.
    pub(crate) const fn is_found(&self) -> bool {
        self.asked.is_some() || self.at_most.is_some()
    }

    /// The limit is another one now.
    pub(crate) const fn is_another(&mut self) {
        self.at_most = None;
    }

    /// What was told as its turns gave back what a sliding window does.
    pub(crate) const fn slides(&mut self) {
        (self.refill, self.window) = (Some(Refill::Sliding), None);
    }

    /// What was told as its turns gave all of it back: they are.
    pub(crate) const fn turns(&mut self, phase: Nanos) {
        (self.refill, self.emptied) = (Some(Refill::AtBoundary { phase }), 0);
    }

    /// The window, once it is known.
    pub(crate) fn window(&self) -> Option<Nanos> {
        let longest = self.shortest();
        if let Some(asked) = self.asked {
            return Some(asked.max(longest));
        }
        match (self.told_window(), self.at_most.map(|most| most.max(longest))) {
            (Some(window), Some(most)) => Some(window.min(most)),
            (window, most) => most.or(window),
        }
    }

    /// The same by what resets say.
    fn told_window(&self) -> Option<Nanos> {
        if let Some(Refill::Sliding) = self.refill {
            // One that is not half as long as a reset is none.
            let is_near = |window: &Nanos| window.saturating_add(*window) > self.longest_reset;
            return WINDOWS.into_iter().find(|window| self.longest_reset > Nanos::ZERO && is_near(window));
        }
        if let Some(Refill::AtBoundary { .. }) = self.refill {
            // A window is at least as long as the longest wait for its end.
            let shortest = self.longest_reset.saturating_sub(RESET_ERROR);
            // One in which the window before counts in part is full when two have turned.
            let shortest = Nanos::new(shortest.get() / 2).max(Nanos::MINUTE);
            let common = WINDOWS.into_iter().find(|window| *window >= shortest);
            // One of another length is no longer than its longest reset, as far as that tells.
            let is_far = |window: &Nanos| window.get() / 2 > self.longest_reset.get();
            let other = Some(self.longest_reset).filter(|reset| *reset > Nanos::MINUTE);
            return other.filter(|_| common.as_ref().is_some_and(is_far)).or(common);
        }
        // One that was wrong is not what is known any more.
        self.window.or((self.wrong > Nanos::ZERO).then_some(Nanos::MINUTE.max(self.wrong)))
    }

    /// Whether a reset was ever as long as half of `window`: it may well be that long.
    pub(crate) fn fills(&self, window: Nanos) -> bool {
        self.longest_reset.get() >= window.get() / 2
    }

    /// How it refills, once that is known.
    pub(crate) const fn refill(&self) -> Option<Refill> {
        self.refill
    }

    /// Two samples that show the same window of a token bucket.
    fn compare_windows(&mut self, last: &Sample, sample: &Sample) {
        if last.used == sample.used || matches!(self.refill, Some(Refill::AtBoundary { .. } | Refill::Sliding)) {
            return;
        }
        let fits = |window: &Nanos| *window > self.wrong && last.fits(*window) && sample.fits(*window);
        let Some(window) = WINDOWS.into_iter().find(fits) else {
            self.short = None;
            self.learn_odd(sample);
            return;
        };
        // What a bucket's resets say that is not as deep as the limit is large grows with them, and passes the short windows.
        let first = *self.short.get_or_insert(*sample);
        let is_far = |one: &Sample, other: &Sample| one.reset() * 4 >= other.reset() * 5;
        if window >= Nanos::MINUTE || first.fits(window) && (is_far(&first, sample) || is_far(sample, &first)) {
            self.window = Some(window);
        }
    }

    /// Two samples between which a token bucket's fullness would have moved, and a fixed window's turn would not.
    fn compare_forms(&mut self, anchor: &Sample, sample: &Sample, stated: Option<Nanos>) {
        // Resets that stay the same say nothing of turns.
        if self.refill == Some(Refill::Sliding) || self.same_resets || self.names_window {
            return;
        }
        let moved = i128::from(sample.full_at.get()) - i128::from(anchor.full_at.get());
        let predicted = |window: Nanos| {
            let used = i128::from(sample.used) - i128::from(anchor.used);
            i128::from(sample.at.saturating_sub(anchor.at).get())
                + used * i128::from(window.get()) / i128::from(sample.limit)
        };
        // Of a token bucket, each sample tells the window itself.
        let own = Nanos::new(u64::try_from(sample.window).unwrap_or(u64::MAX));
        let predicted = predicted(stated.or(self.window).unwrap_or(own));
        let age = i128::from(anchor.age.get()) + i128::from(sample.age.get());
        let telling = i128::from(TELLING.get()) + age;
        if predicted.abs() <= telling {
            return;
        }
        self.anchor = Some(*sample);
        let contrary = core::mem::take(&mut self.contrary);
        if moved.abs() <= i128::from(RESET_ERROR.get()) && self.rises < RISES {
            if !matches!(self.refill, Some(Refill::AtBoundary { .. })) {
                let window = stated.or(self.window).unwrap_or(Nanos::MINUTE);
                self.refill = Some(Refill::AtBoundary { phase: sample.turns_within(window) });
            }
        } else if (moved - predicted).abs() <= telling {
            // What a turn is told to be may be when the oldest part comes back, which moves as it likes.
            if contrary == 0 && matches!(self.refill, Some(Refill::AtBoundary { .. })) {
                self.contrary = 1;
                return;
            }
            self.refill = Some(Refill::Continuous);
        }
    }

    /// Two samples between which the fullness of a token bucket and of a fixed window would have moved otherwise than that
    /// of a sliding window, which is full a window after the latest request: so late after both.
    fn compare_with_sliding(&mut self, earlier: &Sample, sample: &Sample, stated: Option<Nanos>) {
        let elapsed = i128::from(sample.at.saturating_sub(earlier.at).get());
        // Both were rounded in one way, and said as long after sending or before the answer, but for what one took longer.
        let error = earlier.rounding().max(sample.rounding()) + earlier.age.get().abs_diff(sample.age.get());
        let error = i128::from(JITTER.get().saturating_add(error));
        let moved = (sample.reset() - earlier.reset()).abs();
        // What the reset of a bucket would be: one as deep as the limit is large, of any window; and by how much it would
        // have moved, of one of any depth.
        let of_bucket = earlier.reset() * i128::from(sample.used) / i128::from(earlier.used);
        let window = i128::from(stated.or(self.window).unwrap_or(Nanos::MINUTE).get());
        let of_any = i128::from(sample.used.abs_diff(earlier.used)) * window / i128::from(sample.limit);
        // Until then a fixed window may have turned, or the first of the two after which one is full in which the window
        // before counts in part.
        let is_second = earlier.reset() > window && earlier.reset() <= 2 * window;
        let until = if is_second { earlier.reset() - window } else { earlier.reset() };
        // What was told is as old as the answer that told it.
        let is_over = elapsed >= until - i128::from(earlier.age.get());
        // Figures are in whole units. And a part of the window is more than what levels move by while both are written.
        let error = error + window / i128::from(sample.limit);
        let much = (window / MUCH).max(error * 2);
        let tells = elapsed > error + moved && (of_bucket - sample.reset()).abs() > much && of_any > much;
        if is_over || tells {
            self.earlier = Some(*sample);
        }
        if tells && !is_over {
            self.same_resets = moved <= error;
            if self.same_resets && matches!(self.refill, Some(Refill::AtBoundary { .. })) {
                // A turn comes nearer as time passes.
                self.refill = None;
            }
            // Where half as much again is used, the resets of no bucket stay the same. Where it is less, because less can be
            // there than is told, they may say how long the window is.
            let is_sure = sample.used.saturating_mul(2) >= earlier.used.saturating_mul(3);
            if self.same_resets && is_sure && self.refill != Some(Refill::Continuous) {
                (self.refill, self.window) = (Some(Refill::Sliding), None);
            }
        }
    }

    /// Whether resets are those of a sliding window. They may as well say how long a window is, of any form.
    pub(crate) const fn has_same_resets(&self) -> bool {
        self.same_resets
    }

    /// Nothing came back as time went by, by what remained of what is counted without doubt.
    pub(crate) const fn stood_still(&mut self) {
        let is_open = match self.refill {
            None => true,
            Some(Refill::AtBoundary { .. }) => self.same_resets,
            Some(_) => false,
        };
        if is_open {
            (self.refill, self.window) = (Some(Refill::Sliding), None);
        }
    }

    /// Resets rounded down say that the window turns earlier than it does: the latest instant said is believed.
    fn follow_phase(&mut self, sample: &Sample) {
        let Some(window) = self.window() else { return };
        if let Some(Refill::AtBoundary { phase }) = &mut self.refill {
            let said = sample.turns_within(window);
            let until =
                (i128::from(phase.get()) - i128::from(sample.at.get())).rem_euclid(i128::from(window.get().max(1)));
            let error = i128::from(RESET_ERROR.get());
            // Where a whole window is left it has turned, though a turn was told that is to come within a second.
            let has_turned = until <= error && sample.reset() + error >= i128::from(window.get());
            *phase = if has_turned { said } else { latest_turn(*phase, said, window) };
        }
    }
}

/// When a window turns next, of which `known` was thought to be a turn and `said` is said to be one. Resets rounded
/// down say a moment too early, so of two that are nearly the same, whole windows apart, the later one is believed.
pub(crate) fn latest_turn(known: Nanos, said: Nanos, window: Nanos) -> Nanos {
    let window = window.get();
    let later = said.saturating_sub(known).get() % window;
    if said <= known {
        return if known.saturating_sub(said) <= RESET_ERROR { known } else { said };
    }
    if later > RESET_ERROR.get() && window - later <= RESET_ERROR.get() {
        return said.saturating_add(Nanos::new(window - later));
    }
    said
}

impl Sample {
    /// `None` where the reading cannot tell anything: a part is missing, nothing is used, or it contradicts itself.
    fn of(reading: &Reading, sent: Nanos, now: Nanos) -> Option<Self> {
        let (limit, reset) = (reading.limit?, reading.reset?);
        let used = limit.checked_sub(reading.remaining?)?;
        if used == 0 || reset == Nanos::ZERO || limit > Limit::MAX_AMOUNT {
            return None;
        }
        let per_window = |span: u64| u128::from(span) * u128::from(limit) / u128::from(used);
        Some(Self {
            at: now,
            age: now.saturating_sub(sent),
            limit,
            used,
            full_at: now.saturating_add(reset),
            turns_at: sent.saturating_add(REORDERING).min(now).saturating_add(reset),
            window: per_window(reset.get()),
            // The reset is rounded, `remaining` too (to a whole unit), and the levels move while both are written.
            tolerance: per_window(rounding(reset))
                + per_window(reset.get()) / u128::from(used.max(8))
                + per_window(reset.get()) / 50,
        })
    }

    /// Whether nearly all of it was used, and not by this client, which had taken `own`. Little of a window had passed then
    /// whose whole length is left.
    fn is_others(&self, own: u64) -> bool {
        self.used.saturating_sub(own) >= self.limit - self.limit / OTHERS
    }

    /// When it turns; a reset that was rounded up to more than the window is that of the whole window.
    fn turns_within(&self, window: Nanos) -> Nanos {
        let over = self.full_at.saturating_sub(self.at).saturating_sub(window);
        if over > RESET_ERROR { self.turns_at } else { self.turns_at.saturating_sub(over) }
    }

    fn is_whole_window(&self, window: Nanos) -> bool {
        self.full_at.saturating_sub(self.at).get().abs_diff(window.get()) <= RESET_ERROR.get()
    }

    /// In how many nanoseconds it is full.
    fn reset(&self) -> i128 {
        i128::from(self.full_at.saturating_sub(self.at).get())
    }

    fn rounding(&self) -> u64 {
        rounding(self.full_at.saturating_sub(self.at))
    }

    fn fits(&self, window: Nanos) -> bool {
        let (nanos, distance) = (u128::from(window.get()), self.window.abs_diff(u128::from(window.get())));
        // What is as uncertain as half of it tells nothing.
        window <= Limit::MAX_WINDOW && distance <= self.tolerance && self.tolerance <= nanos / 2
    }
}

/// How far a reset may be from what it was before it was written: a whole second, rounded up or down, or half a
/// millisecond. In nanoseconds.
fn rounding(reset: Nanos) -> u64 {
    if reset.get().is_multiple_of(Nanos::SECOND.get()) { Nanos::SECOND.get() } else { 500_000 }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::Dimension;

    fn reading(limit: u64, remaining: u64, reset: Nanos) -> Reading {
        Reading {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(reset),
            ..Reading::of(Dimension::Requests)
        }
    }

    /// Samples are (at ms, limit, remaining, reset ms).
    fn learned(samples: &[(u64, u64, u64, u64)]) -> FormGuess {
        let mut guess = FormGuess::default();
        for (at, limit, remaining, reset) in samples {
            let now = Nanos::from_millis(*at);
            guess.learn(&reading(*limit, *remaining, Nanos::from_millis(*reset)), None, 0, now, now);
        }
        guess
    }

    #[test]
    fn the_window_is_inferred_from_two_answers_that_agree() {
        // 10,000 a minute: 6 ms a request; 10,000 a day: 8.64 s a request.
        for (samples, expected) in [
            (&[(0, 10_000, 9_999, 6), (0, 10_000, 9_998, 12)], Nanos::MINUTE),
            (&[(0, 10_000, 9_999, 8_640), (0, 10_000, 9_990, 86_400)], Nanos::DAY),
            (&[(0, 1_000_000, 999_000, 60), (5, 1_000_000, 990_000, 600)], Nanos::MINUTE),
        ] {
            assert_eq!(learned(samples).window(), Some(expected), "{samples:?}");
        }
    }

    #[test]
    fn one_answer_alone_is_not_believed() {
        assert_eq!(learned(&[(0, 10_000, 9_999, 8_640)]).window(), None);
        assert_eq!(learned(&[(0, 10_000, 9_999, 8_640), (1, 10_000, 9_999, 8_640)]).window(), None);
    }

    #[test]
    fn a_turn_that_stays_where_it_is_while_time_passes_is_a_fixed_window() {
        let guess = learned(&[(0, 3_000, 2_990, 42_000), (2_000, 3_000, 2_600, 40_000)]);
        assert_eq!(guess.window(), Some(Nanos::MINUTE));
        assert_eq!(guess.refill(), Some(Refill::AtBoundary { phase: Nanos::from_secs(42) }));
    }

    #[test]
    fn a_fixed_window_is_recognised_through_many_small_steps_and_whole_seconds() {
        let samples: Vec<_> =
            (0..400_u64).map(|i| (i * 20, 3_000, 2_999 - i, (60_000 - i * 20) / 1_000 * 1_000)).collect();
        let guess = learned(&samples);
        let Some(Refill::AtBoundary { phase }) = guess.refill() else { panic!("{guess:?}") };
        assert!(phase.get().abs_diff(Nanos::MINUTE.get()) <= 20_000_000, "{phase:?}");
    }

    #[test]
    fn a_token_bucket_at_a_steady_level_is_not_taken_for_a_fixed_window() {
        // Used stays at 1,500 of 3,000: full in 30 s, again and again.
        let samples: Vec<_> = (0..400_u64).map(|i| (i * 20, 3_000, 1_500 - i % 2, 30_000 + i % 2 * 20)).collect();
        let guess = learned(&samples);
        assert_eq!((guess.window(), guess.refill()), (Some(Nanos::MINUTE), Some(Refill::Continuous)));
    }

    #[test]
    fn absurd_readings_teach_nothing() {
        for (limit, remaining, reset) in
            [(0, 0, 5), (10, 59, 5), (10, 10, 5), (10, 3, 0), (u64::MAX, 0, u64::MAX), (1, 0, u64::MAX)]
        {
            let mut guess = FormGuess::default();
            guess.learn(&reading(limit, remaining, Nanos::new(reset)), None, 0, Nanos::MAX, Nanos::MAX);
            guess.learn(&reading(limit, remaining / 2, Nanos::new(reset)), None, 0, Nanos::ZERO, Nanos::ZERO);
            assert_eq!(guess.window(), None);
        }
    }

    /// 3,600 an hour: one a second comes back, and one a second is used.
    #[test]
    fn a_steady_token_bucket_of_an_hour_is_no_fixed_window() {
        for stated in [None, Some(Nanos::HOUR)] {
            let mut guess = FormGuess::default();
            for second in 0..400_u64 {
                let used = if second < 100 { 3_600 } else { 3_600 - (second - 100) / 2 };
                let now = Nanos::from_secs(second);
                guess.learn(&reading(3_600, 3_600 - used, Nanos::from_secs(used)), stated, 0, now, now);
            }
            assert!(!matches!(guess.refill(), Some(Refill::AtBoundary { .. })), "{stated:?}: {guess:?}");
        }
    }

    /// A tenth of a minute's 600 can be saved up, and resets are rounded up: it looks like 600 a second.
    #[test]
    fn a_reset_of_one_whole_second_tells_no_window() {
        assert_eq!(learned(&[(0, 600, 59, 1_000), (20, 600, 58, 1_000), (40, 600, 50, 1_000)]).window(), None);
    }

    #[test]
    fn a_window_under_which_requests_are_refused_again_and_again_is_taken_back() {
        let samples: Vec<_> = (1..20_u64).map(|used| (0, 600, 600 - used, used * 5 / 3)).collect();
        let mut guess = learned(&samples);
        assert_eq!(guess.window(), Some(Nanos::SECOND));
        (0..DOUBTS).for_each(|_| guess.doubt());
        assert_eq!(guess.window(), Some(Nanos::MINUTE));
        for (at, limit, remaining, reset) in samples {
            let now = Nanos::from_millis(at);
            guess.learn(&reading(limit, remaining, Nanos::from_millis(reset)), None, 0, now, now);
        }
        assert_eq!(guess.window(), Some(Nanos::MINUTE));
    }

    #[test]
    fn a_reset_that_is_rounded_up_beyond_the_window_turns_at_its_end() {
        let turn = |seconds| {
            let reading = reading(600, 0, Nanos::from_secs(seconds));
            Sample::of(&reading, Nanos::ZERO, Nanos::ZERO).unwrap().turns_within(Nanos::MINUTE)
        };
        assert_eq!([59, 60, 61, 100].map(turn), [59, 60, 60, 100].map(Nanos::from_secs));
    }

    #[test]
    fn one_reset_that_is_far_longer_than_all_others_is_not_believed() {
        let mut guess = FormGuess::default();
        for reset in [20, 40, 3_000, 30] {
            guess.learn(&reading(3_000, 5, Nanos::from_secs(reset)), None, 0, Nanos::ZERO, Nanos::ZERO);
        }
        assert_eq!(guess.longest_reset, Nanos::from_secs(40));
        guess.learn(&reading(3_000, 5, Nanos::from_secs(2_990)), None, 0, Nanos::ZERO, Nanos::ZERO);
        assert_eq!(guess.longest_reset, Nanos::from_secs(3_000));
    }

    #[test]
    fn a_window_that_is_seldom_used_is_known_by_two_resets_that_name_it() {
        let five_minutes = |left: u64| {
            let reset = Nanos::from_millis(300 * (1_000 - left));
            (reading(1_000, left, reset), Nanos::ZERO)
        };
        let mut guess = FormGuess::default();
        for left in [900, 895, 700] {
            let (reading, at) = five_minutes(left);
            guess.learn(&reading, None, 0, at, at);
        }
        assert_eq!(guess.window(), Some(Nanos::from_secs(300)));
    }

    #[test]
    fn what_came_back_says_how_long_a_window_is_at_most() {
        let mut guess = FormGuess::default();
        let limit = |window| Limit::new(Dimension::Requests, 10, window);
        guess.is_shorter(20, Nanos::from_secs(12), &limit(Nanos::MINUTE));
        assert_eq!((guess.window(), guess.refill()), (Some(Nanos::from_secs(10)), None));
        guess.is_shorter(19, Nanos::from_secs(2), &limit(Nanos::from_secs(10)));
        assert_eq!((guess.window(), guess.refill()), (Some(Nanos::SECOND), Some(Refill::Sliding)));
        // Whatever resets say.
        guess.learn(&reading(10, 5, Nanos::MINUTE), None, 0, Nanos::ZERO, Nanos::ZERO);
        assert_eq!(guess.window(), Some(Nanos::SECOND));
        guess.is_another();
        assert_eq!(guess.window(), None);
    }

    #[test]
    fn a_window_that_came_back_too_soon_is_taken_for_the_next_longer_one() {
        let mut guess = FormGuess::default();
        let limit = Limit::new(Dimension::Requests, 9, Nanos::MINUTE);
        guess.is_shorter(10, Nanos::from_secs(3), &limit);
        assert_eq!(guess.window(), Some(Nanos::SECOND));
        (0..DOUBTS).for_each(|_| guess.doubt());
        assert_eq!(guess.window(), Some(Nanos::from_secs(10)));
        guess.is_shorter(10, Nanos::from_secs(3), &limit);
        assert_eq!(guess.window(), Some(Nanos::from_secs(10)));
    }

    #[test]
    fn a_whole_window_that_is_left_though_others_used_most_of_it_is_no_turn() {
        let told = |own| {
            let mut guess = FormGuess::default();
            for (millis, left) in [(0, 299), (10, 200), (20, 100)] {
                let now = Nanos::from_millis(millis);
                guess.learn(&reading(3_000, left, Nanos::MINUTE), None, own, now, now);
            }
            guess.refill()
        };
        assert_eq!(told(10), None);
        assert!(matches!(told(2_701), Some(Refill::AtBoundary { .. })));
    }
}
