//! How many requests may be in flight, where nobody says it.
//!
//! Two things make a server refuse that does not say why: too many at once, and too many in a while. As TCP does with a
//! network that it knows nothing about (RFC 5681), a few go at first, and twice as many each round trip while all goes
//! well, so that a server that serves five at once is not met by hundreds. A refusal then says which of the two it was.
//! If it is their number, then all goes well as long as fewer are in flight than were when it came: that is what is tried
//! first, because it costs no time. If one is refused all the same, it is the rate, and the number is not what counts.
//!
//! The number that was found is kept; one more is tried rarely, because it costs a refusal, and more and more where that
//! goes well.

use crate::Nanos;

/// What is known of the number of requests in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlightWindow {
    allowed: u64,
    /// Below it the window doubles every round trip, above it grows by one.
    threshold: u64,
    answered: u64,
    /// The most that were in flight when one went that was answered well.
    carried: u64,
    found: Found,
    /// When the latest request went.
    admitted_at: Nanos,
    /// Refusals of requests admitted up to this one belong to what was judged already.
    judged_up_to: u64,
    /// How many were in flight at the latest refusals that were thought to be for the rate, and how many of these in a row
    /// came when about as many were.
    met_at: u64,
    alike: u32,
}

/// Whether a refusal told how many may be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// None did, and none told that this is not what counts.
    Nothing,
    Ceiling(Ceiling),
    /// It is the rate that counts.
    NoCeiling,
}

/// The most that may be in flight, as far as refusals have shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ceiling {
    most: u64,
    /// How many were answered well that went when so many were in flight, since the last trial or refusal.
    kept: u64,
    /// When the first of these went, and how far apart they are.
    since: Nanos,
    gap: Nanos,
    /// How many of these it takes until more is tried.
    patience: u64,
    /// How many more are tried, and how many that came to the last time.
    step: u64,
    tried: u64,
    /// Whether it was lowered already because one was refused that was within it.
    is_doubtful: bool,
}

/// What a refusal was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Too many were in flight.
    Crowd,
    /// Too many came in a while.
    Rate,
}

/// RFC 6928's ten segments are for hosts that expect them; four requests find out the limits just as well, and a
/// free-tier quota may be three a minute.
const INITIAL: u64 = 4;
/// One request in a hundred is what a trial may cost. The first number may be much too low, where it was the rate that was
/// met, and it is tried sooner.
const PATIENCE: u64 = 100;
const FIRST_PATIENCE: u64 = 20;
/// The longest patience: at a hundred requests a second a limit that was raised is found within minutes.
const LONGEST_PATIENCE: u64 = 12_800;
/// So many that went well at the ceiling, or as many as it allows if that is more, say that it is one. If one is
/// refused then, it has become lower; a second one says that it is none after all.
const KEPT: u64 = 8;

/// So many refusals in a row, when about as many were in flight, speak for their number, though one spoke for the rate.
const ALIKE: u32 = 4;

impl FlightWindow {
    pub(crate) const fn new() -> Self {
        Self {
            allowed: INITIAL,
            threshold: u64::MAX,
            answered: 0,
            carried: 0,
            admitted_at: Nanos::ZERO,
            found: Found::Nothing,
            judged_up_to: 0,
            met_at: 0,
            alike: 0,
        }
    }

    /// How many may be in flight; `spaced` where they go one after the other and none was refused yet.
    pub(crate) fn allowed(&self, spaced: Option<u64>, now: Nanos) -> u64 {
        match self.found {
            Found::Ceiling(ceiling) if self.trial_at().is_some_and(|at| at <= now) => {
                ceiling.most.saturating_add(ceiling.step)
            }
            Found::Ceiling(ceiling) => ceiling.most,
            Found::Nothing | Found::NoCeiling => self.allowed.max(spaced.unwrap_or(0)),
        }
    }

    /// When one more than is known to be allowed may go, if `in_flight` are. It keeps the distance that others have had
    /// from each other: one that goes at once with another would be refused where none is saved up, and their number
    /// would seem to be why.
    pub(crate) fn ready_at(&self, in_flight: u64) -> Option<Nanos> {
        match self.found {
            Found::Ceiling(ceiling) if in_flight < ceiling.most.saturating_add(ceiling.step) => self.trial_at(),
            _ => None,
        }
    }

    fn trial_at(&self) -> Option<Nanos> {
        match self.found {
            Found::Ceiling(ceiling) if ceiling.kept >= ceiling.patience => {
                Some(self.admitted_at.saturating_add(ceiling.gap))
            }
            _ => None,
        }
    }

    /// Whether a number was found of which it is not known yet whether it is what counts.
    pub(crate) fn is_tried(&self) -> bool {
        matches!(self.found, Found::Ceiling(ceiling) if !ceiling.is_kept() && ceiling.patience == FIRST_PATIENCE)
    }

    /// Whether one that is refused, which went as the last of `beside` in flight, was within the number that was found.
    pub(crate) const fn keeps(&self, beside: u64) -> bool {
        matches!(self.found, Found::Ceiling(ceiling) if beside <= ceiling.most)
    }

    /// All refusals so far were chance: no number was met.
    pub(crate) fn clear(&mut self) {
        (self.found, self.threshold, self.alike) = (Found::Nothing, u64::MAX, 0);
    }

    /// A request went, as the last of so many in flight.
    pub(crate) fn admitted(&mut self, beside: u64, now: Nanos) {
        self.admitted_at = now;
        if let Found::Ceiling(ceiling) = &mut self.found
            && beside >= ceiling.most.saturating_add(ceiling.step)
        {
            // One trial at a time.
            (ceiling.kept, ceiling.tried) = (0, beside);
        }
    }

    /// The admission `number`, the last of `beside` in flight when it went, was answered well; `in_flight` are now, with
    /// it.
    pub(crate) fn answered(&mut self, number: u64, beside: u64, in_flight: u64) {
        self.carried = self.carried.max(beside);
        // What is not used says nothing (RFC 7661).
        if in_flight >= self.allowed / 2 {
            self.answered += 1;
            if self.allowed < self.threshold {
                self.allowed = self.allowed.max(in_flight).saturating_add(1);
            } else if self.answered >= self.allowed {
                (self.allowed, self.answered) = (self.allowed.saturating_add(1), 0);
            }
        }
        if let Found::Ceiling(ceiling) = &mut self.found
            // Of those that were in flight with one that was refused, others may have been, which do not count.
            && number > self.judged_up_to
        {
            ceiling.answered(beside, self.admitted_at);
        }
    }

    /// The admission `number` was refused by a provider that tells what remains only then: half as many go, once for all that
    /// were in flight together, because what they are charged is not known yet.
    pub(crate) fn halve(&mut self, number: u64, latest: u64) {
        if number > self.judged_up_to {
            self.judged_up_to = latest;
            self.threshold = (self.allowed / 2).max(1);
            (self.allowed, self.answered) = (self.threshold, 0);
        }
    }

    /// Successes tell what remains, too: what a refusal halved because nothing was known grows as at first.
    pub(crate) const fn is_told(&mut self) {
        self.threshold = u64::MAX;
    }

    /// The admission `number`, the last of `beside` in flight when it went, was refused, and nothing explains it. `latest`
    /// is the newest admission there is. `has_rate`: one was measured that may explain it.
    pub(crate) fn refused(&mut self, number: u64, beside: u64, latest: u64, has_rate: bool) -> Cause {
        let fewer = beside.saturating_sub(1);
        if number <= self.judged_up_to {
            // They are not always counted in the order in which they went.
            if let Found::Ceiling(ceiling) = &mut self.found {
                ceiling.most = ceiling.most.min(fewer).max(1);
                return Cause::Crowd;
            }
            return Cause::Rate;
        }
        self.judged_up_to = latest;
        let is_alike = self.is_alike(beside);
        self.found = match self.found {
            // Nobody else was there.
            _ if fewer == 0 => Found::NoCeiling,
            Found::Nothing if beside > self.carried => Found::Ceiling(Ceiling::at(fewer)),
            Found::NoCeiling if is_alike => Found::Ceiling(Ceiling::at(fewer)),
            Found::Ceiling(ceiling) if beside > ceiling.most => Found::Ceiling(ceiling.confirmed()),
            Found::Ceiling(_) if has_rate => return Cause::Rate,
            Found::Ceiling(ceiling) if ceiling.is_kept() && !ceiling.is_doubtful => {
                Found::Ceiling(Ceiling { is_doubtful: true, ..Ceiling::at(fewer) })
            }
            _ => Found::NoCeiling,
        };
        if matches!(self.found, Found::Ceiling(_)) { Cause::Crowd } else { Cause::Rate }
    }

    /// Whether the latest refusals came when about as many were in flight, at whatever rate.
    fn is_alike(&mut self, beside: u64) -> bool {
        // One or two are alike at any rate.
        let is_alike = beside > 2 && beside.abs_diff(self.met_at) <= (beside / 16).max(1);
        (self.met_at, self.alike) = (beside, if is_alike { self.alike.saturating_add(1) } else { 1 });
        self.alike >= ALIKE
    }
}

impl Ceiling {
    const fn at(most: u64) -> Self {
        let (since, gap) = (Nanos::ZERO, Nanos::ZERO);
        Self { most, kept: 0, since, gap, patience: FIRST_PATIENCE, step: 1, tried: u64::MAX, is_doubtful: false }
    }

    fn is_kept(&self) -> bool {
        self.kept >= self.most.max(KEPT)
    }

    fn answered(&mut self, beside: u64, latest_at: Nanos) {
        if beside > self.most {
            self.most = beside;
            if beside >= self.tried {
                // It went well: more is tried at once, and no more than an eighth, because all that is too many is refused.
                (self.kept, self.step) = (self.patience, self.step.saturating_mul(2).min(beside / 8 + 1));
            }
        } else if beside == self.most {
            if self.kept == 0 {
                self.since = latest_at;
            }
            self.kept = self.kept.saturating_add(1);
            self.gap = Nanos::new(latest_at.saturating_sub(self.since).get() / self.kept);
        }
    }

    /// More were tried, and refused.
    fn confirmed(self) -> Self {
        // What went well before that says that it is another one, which is not known yet.
        let longer = self.patience.saturating_mul(2).clamp(PATIENCE, LONGEST_PATIENCE);
        let patience = if self.step > 1 { PATIENCE } else { longer };
        Self { patience, step: 1, kept: 0, ..self }
    }
}

#[cfg(test)]
mod tests;
