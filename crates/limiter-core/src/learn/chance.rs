//! Refusals that are nobody's fault.
//!
//! Where a provider is short of something that it shares among all, it refuses a few requests in a hundred, whatever their
//! rate is. Whoever goes slower for each of them ends at a fraction of what is allowed. So what is asked is whether going
//! slower helps. A refusal at less than what was refused before is a doubt. After a few of them the rate is lowered by more
//! than the share that is refused, and kept there for a test: a server whose rate was met refuses nothing then. If about as
//! many are refused as before, it is chance: what was lowered is raised again, and from then on about as many refusals say
//! nothing. More than that do: what was let through earns them, and when they are used up the next one counts (BBR v2 does
//! the same with losses). The test is made again from time to time.

/// How many refusals say nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    /// How many were let through since the last refusal, and since the first doubt or the last test.
    passed: u64,
    span: u64,
    /// Refusals at less than was refused before.
    doubts: u64,
    /// So many of them make a test.
    needed: u64,
    test: Option<Test>,
    /// So many are refused by chance, of so many let through, where it is known that they are.
    known: Option<(u64, u64)>,
    /// How many are let through until that is tested again.
    patience: u64,
    /// How many refusals say nothing yet, in 1,024 parts.
    credit: u64,
}

/// A test whether going slower helps.
#[derive(Clone, Copy, Debug)]
struct Test {
    /// Admissions up to this one are no part of it.
    after: u64,
    refused: u64,
    passed: u64,
    /// The share that is expected if it is chance, and how likely that is by now: the logarithm of the odds, in 1,024 parts.
    share: u64,
    odds: i64,
}

/// One, of what is earned.
const ONE: u64 = 1_024;
/// So many doubts make a test: the first rates are measured from little, and are often lowered twice.
const DOUBTS: u64 = 3;
/// After a test in vain twice as many are needed.
const MOST_DOUBTS: u64 = 6;
/// So many that were let through are against a doubt: lowering may have helped. What is rarer costs less than it takes to find out.
const QUIET: u64 = 200;
/// More than one in so many is no chance.
const LEAST: u64 = 10;
/// A test expects no more than one in so many: doubts that come in a run are why there is one.
const OFTEN: u64 = 32;
/// A test asks whether as many are refused as before, or an eighth: a few may be left over from what was sent before. One
/// that is refused makes it so many times as likely that it is chance (the logarithm, in 1,024 parts); each that is let
/// through makes it less likely. It ends when twenty to one speaks for either (Wald's sequential test).
const FEW: u64 = 8;
const MORE_LIKELY: i64 = 2_129;
const SURE: i64 = 3_068;
/// It takes so many that are let through at least, and ends where more are refused than these and one in [`LEAST`].
const SHORTEST: u64 = 30;
const SOME: u64 = 2;
/// What is known is tested again after so many, and each time after twice as many: a test costs an eighth of the rate.
const PATIENCE: u64 = 400;
const LONGEST_PATIENCE: u64 = 12_800;
/// Twice as many as are refused by chance say nothing, as chance comes in runs; so many can be saved up.
const RUNS: u64 = 2;
const SAVED: u64 = 4 * ONE;
/// The share is known from so many refusals; older ones count half.
const MEMORY: u64 = 8;

/// What a refusal that nothing explains says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Chance,
    /// That something was met.
    Met,
    /// That something was met, and it should be tested whether it was.
    Doubted,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tested {
    /// It is chance.
    Chance,
    /// It is still chance.
    Again,
    /// What was measured is right.
    Met,
}

impl Chance {
    pub(crate) const fn new() -> Self {
        Self { passed: 0, span: 0, doubts: 0, needed: DOUBTS, test: None, known: None, patience: PATIENCE, credit: 0 }
    }

    /// The admission `number` was let through. `is_large`: it takes more than others.
    pub(crate) fn answered(&mut self, number: u64, is_large: bool) -> Option<Tested> {
        self.passed = self.passed.saturating_add(1);
        self.span = self.span.saturating_add(1);
        if let Some((refused, passed)) = self.known {
            self.credit = self.credit.saturating_add(RUNS * ONE * refused / passed.max(1)).min(SAVED);
        } else if self.passed.is_multiple_of(QUIET) {
            self.doubts = self.doubts.saturating_sub(1);
        }
        let test = self.test.as_mut().filter(|test| number > test.after && !is_large)?;
        test.passed += 1;
        test.odds -= i64::try_from(test.share - test.share / FEW).unwrap_or(i64::MAX);
        self.judge()
    }

    /// Whether what is known should be tested again.
    pub(crate) const fn is_due(&self) -> bool {
        self.known.is_some() && self.test.is_none() && self.span > self.patience
    }

    /// Whether nothing was refused lately beyond chance.
    pub(crate) const fn is_clear(&self) -> bool {
        self.credit == SAVED
    }

    /// The rates were lowered for a test, when `latest` was the newest admission.
    pub(crate) fn begin(&mut self, latest: u64) {
        let (refused, passed) = self.known.unwrap_or((self.doubts, self.span));
        let share = (refused * ONE / passed.max(1)).clamp(ONE / QUIET, ONE / OFTEN);
        self.test = Some(Test { after: latest, refused: 0, passed: 0, share, odds: 0 });
    }

    /// The admission `number` was refused. `was_lowered`: what the last one was put down to had been lowered since.
    /// `is_large`: it takes more than others, of which there may not be enough long after a rate was met.
    pub(crate) fn refused(&mut self, number: u64, was_lowered: bool, is_large: bool) -> (Verdict, Option<Tested>) {
        let passed = core::mem::replace(&mut self.passed, 0);
        if passed == 0 {
            // One after the other is refused: that is no chance.
            return (Verdict::Met, None);
        }
        if is_large && self.known.is_none() {
            return (Verdict::Met, None);
        }
        if let Some(test) = &mut self.test {
            if number > test.after && !is_large {
                test.refused += 1;
                test.odds += MORE_LIKELY;
            }
            let tested = self.judge();
            return (if tested == Some(Tested::Met) { Verdict::Met } else { Verdict::Chance }, tested);
        }
        if self.known.is_some() {
            let left = self.credit.checked_sub(ONE);
            self.credit = left.unwrap_or(SAVED / 2);
            return (if left.is_some() { Verdict::Chance } else { Verdict::Doubted }, None);
        }
        if passed < LEAST {
            return (Verdict::Met, None);
        }
        if self.doubts == 0 {
            self.span = 0;
        }
        self.doubts = if was_lowered { self.doubts + 1 } else { self.doubts.saturating_sub(1) };
        (if self.doubts >= self.needed { Verdict::Doubted } else { Verdict::Met }, None)
    }

    /// What came of the test, if it is over.
    fn judge(&mut self) -> Option<Tested> {
        let test = self.test?;
        let is_too_often = test.refused > SOME + test.passed / LEAST;
        let is_chance = test.odds >= SURE && test.passed >= SHORTEST;
        if !is_too_often && !is_chance && test.odds > -SURE {
            return None;
        }
        (self.test, self.span, self.doubts) = (None, 0, 0);
        if is_too_often && self.known.is_some() {
            // Beyond chance, there is a rate that was met.
            return Some(Tested::Met);
        }
        if is_too_often || !is_chance {
            *self = Self { needed: self.needed.saturating_mul(2).min(MOST_DOUBTS), ..Self::new() };
            return Some(Tested::Met);
        }
        if let Some((refused, passed)) = &mut self.known {
            (*refused, *passed) = (*refused + test.refused, *passed + test.passed);
            if *refused > MEMORY {
                (*refused, *passed) = (*refused / 2, *passed / 2);
            }
            self.patience = self.patience.saturating_mul(2).min(LONGEST_PATIENCE);
            return Some(Tested::Again);
        }
        // The share that was expected counts as much as the test.
        let expected = test.refused * ONE / test.share;
        (self.known, self.credit) = (Some((2 * test.refused, test.passed + expected)), SAVED);
        Some(Tested::Chance)
    }
}

#[cfg(test)]
mod tests;
