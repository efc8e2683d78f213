//! The customer's account: who shares which limits, who is in, and what it cost.
//!
//! A request is admitted in every dimension or refused in all of them; a refused one costs nothing, not even the
//! request. What was admitted is held by a [`Ticket`], which settles the charge when the answer ends, in whatever way
//! it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::faces::Face;
use crate::faults::Fault;
use crate::quota::{Amounts, Quota, Reading, Refusal};
use crate::work::Work;
use crate::{Charge, Config, Counting, RefusalCost, Sharing, Statistics, disturbance};

/// The most models that have limits of their own; further ones share one set, so that invented names take no memory.
const MAX_MODELS: usize = 1_024;

/// The answer to a request that asked to be let in.
#[derive(Debug)]
pub(crate) struct Decision {
    /// When it was decided, by the provider's calendar: the span since the Unix epoch.
    pub(crate) at: Duration,
    pub(crate) readings: Vec<Reading>,
    pub(crate) outcome: Result<Ticket, Refusal>,
}

/// Who shares a quota: a face's whole account, or one of its models.
type Scope = (Face, Option<String>);

/// Everything that is counted, behind one lock that is held for arithmetic alone.
#[derive(Debug, Default)]
struct Books {
    quotas: HashMap<Scope, Quota>,
    statistics: Statistics,
    in_flight: u64,
}

/// The account: configuration, clock and books of one simulator.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    books: Mutex<Books>,
}

impl Account {
    pub(crate) fn new(config: Config) -> Self {
        let clock = Clock::new(config.start_time, config.clock_error);
        Self { config, clock, books: Mutex::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let mut books = self.books();
        let now = self.clock.now();
        let mut by_others = Amounts::default();
        for quota in books.quotas.values_mut() {
            quota.advance(now);
            quota.add_others(&mut by_others);
        }
        Statistics { taken_by_others: by_others, ..books.statistics }
    }

    /// Changes the statistics.
    pub(crate) fn record(&self, change: impl FnOnce(&mut Statistics)) {
        change(&mut self.books().statistics);
    }

    /// Counts a request in and numbers it.
    pub(crate) fn arrive(&self) -> u64 {
        let statistics = &mut self.books().statistics;
        statistics.requests += 1;
        statistics.requests
    }

    /// Decides on a request.
    pub(crate) fn admit(self: &Arc<Self>, face: Face, work: &Work) -> Decision {
        let mut books = self.books();
        // Read under the lock: decisions are made in the order of their times.
        let at = self.clock.now();
        let since_start = at.saturating_sub(self.clock.started());
        let rule = disturbance::charge(&self.config.disturbances, since_start).unwrap_or(self.config.charge);
        let charged = rule.at_start(face, work, self.config.unbounded_output);
        let taken = match self.config.counting {
            Counting::AtAdmission => charged,
            Counting::AtEnd => Amounts::default(),
        };
        let books = &mut *books;
        let scope = self.scope(&books.quotas, face, work);
        let quota =
            books.quotas.entry(scope.clone()).or_insert_with(|| Quota::new(&self.config, face, self.clock.started()));
        let outcome = quota.admit(at, &charged, &taken);
        if outcome.is_err() && self.config.refusal_cost == RefusalCost::Request {
            quota.punish();
        }
        let readings = quota.readings();
        let outcome = outcome.map(|()| {
            books.in_flight += 1;
            books.statistics.last_admitted = since_start;
            books.statistics.max_concurrent = books.statistics.max_concurrent.max(books.in_flight);
            let (account, work) = (Arc::clone(self), work.clone());
            Ticket { account, scope, work, rule, charged, taken, at, produced: 0, end: None }
        });
        Decision { at: self.clock.calendar(at), readings, outcome }
    }

    /// What the limits of `work` look like now, and what time it is by the provider's calendar.
    pub(crate) fn readings(&self, face: Face, work: &Work) -> (Vec<Reading>, Duration) {
        let mut books = self.books();
        let at = self.clock.now();
        let scope = self.scope(&books.quotas, face, work);
        let readings = books.quotas.get_mut(&scope).map(|quota| {
            quota.advance(at);
            quota.readings()
        });
        (readings.unwrap_or_default(), self.clock.calendar(at))
    }

    fn scope(&self, quotas: &HashMap<Scope, Quota>, face: Face, work: &Work) -> Scope {
        let own = (face, Some(work.model.clone()));
        match self.config.sharing {
            Sharing::PerModel if quotas.len() < MAX_MODELS || quotas.contains_key(&own) => own,
            Sharing::PerModel | Sharing::Account => (face, None),
        }
    }
}

/// How a request that was let in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    Failed(Fault),
}

/// A request that was let in. Dropping it settles the account.
#[derive(Debug)]
pub(crate) struct Ticket {
    account: Arc<Account>,
    scope: Scope,
    work: Work,
    /// The rule of the moment at which it was let in.
    rule: Charge,
    charged: Amounts,
    /// What of it the limits have lost so far.
    taken: Amounts,
    at: Duration,
    produced: u64,
    end: Option<End>,
}

impl Ticket {
    /// Counts `tokens` as produced.
    pub(crate) const fn produce(&mut self, tokens: u64) {
        self.produced += tokens;
    }

    /// The answer was given in full.
    pub(crate) const fn answered(&mut self) {
        self.end = Some(End::Answered);
    }

    /// The request failed on purpose.
    pub(crate) const fn failed(&mut self, fault: Fault) {
        self.end = Some(End::Failed(fault));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let face = self.scope.0;
        let charged = self.rule.at_end(face, &self.work, self.produced).unwrap_or(self.charged);
        let mut books = self.account.books();
        let now = self.account.clock.now();
        if let Some(quota) = books.quotas.get_mut(&self.scope) {
            quota.leave();
            if charged != self.taken {
                quota.correct(now, self.at, &self.taken, &charged);
            }
        }
        books.in_flight -= 1;
        let statistics = &mut books.statistics;
        for &dimension in face.dimensions() {
            let total = statistics.charged.of_mut(dimension);
            *total = total.saturating_add(charged.of(dimension));
        }
        match self.end {
            Some(End::Answered) => statistics.answered += 1,
            Some(End::Failed(fault)) => statistics.faults.count(fault),
            None => statistics.abandoned += 1,
        }
        if self.produced > 0 || self.end == Some(End::Answered) {
            statistics.input_tokens += self.work.input_tokens;
            statistics.output_tokens += self.produced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_model_names_take_no_more_than_their_share_of_memory() {
        let account = Arc::new(Account::new(Config::default().with_sharing(Sharing::PerModel)));
        for number in 0..MAX_MODELS + 100 {
            let work = Work { model: number.to_string(), choices: 1, ..Work::default() };
            assert!(account.admit(Face::OpenAi, &work).outcome.is_ok());
        }
        assert_eq!(account.books().quotas.len(), MAX_MODELS + 1);
    }
}
