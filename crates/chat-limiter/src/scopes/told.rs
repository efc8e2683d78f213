//! The caller's own limits as it stated them, and how much of all limits to use.

use std::collections::HashMap;
use std::sync::Arc;

use limiter_core::{Dimension, Limit, Limiter, Nanos};

/// How much of the limits to use, in millionths: of those on requests, and of those on tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BufferRatio {
    pub(crate) requests: u32,
    pub(crate) tokens: u32,
}

const WHOLE: u32 = 1_000_000;

impl Default for BufferRatio {
    /// All of them.
    fn default() -> Self {
        Self { requests: WHOLE, tokens: WHOLE }
    }
}

impl BufferRatio {
    /// A ratio in millionths; what is wrong with it, where it is none.
    pub(crate) fn parse(ratio: f64) -> Result<u32, String> {
        if ratio > 0.0 && ratio <= 1.0 {
            // Casting a float saturates, and the smallest ratio is not nothing.
            return Ok(((ratio * f64::from(WHOLE)).round() as u32).max(1));
        }
        Err(format!("a buffer ratio must be more than 0 and at most 1, not {ratio}"))
    }

    /// The share of limits on this dimension.
    pub(crate) const fn of(&self, dimension: Dimension) -> u32 {
        match dimension {
            Dimension::Requests => self.requests,
            Dimension::Tokens | Dimension::InputTokens | Dimension::OutputTokens => self.tokens,
            _ => WHOLE,
        }
    }

    /// What of a limit is used.
    pub(crate) fn applied(&self, limit: Limit) -> Limit {
        match self.of(limit.dimension()) {
            WHOLE => limit,
            share => limit.share(share),
        }
    }
}

/// What the caller told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Limits for every scope.
    everywhere: Vec<Limit>,
    /// Limits for one group, which win over those for every scope.
    of_group: HashMap<Arc<str>, Vec<Limit>>,
    pub(crate) ratio: BufferRatio,
    /// The most in flight in any scope that has no limit on it.
    concurrency: usize,
}

impl Told {
    pub(crate) fn new(everywhere: Vec<Limit>, concurrency: usize) -> Self {
        let mut told =
            Self { everywhere: Vec::new(), of_group: HashMap::new(), ratio: BufferRatio::default(), concurrency };
        everywhere.into_iter().for_each(|limit| told.set(None, limit));
        told
    }

    /// Sets a limit, for one group or all.
    pub(crate) fn set(&mut self, group: Option<&Arc<str>>, limit: Limit) {
        let limits = match group {
            None => &mut self.everywhere,
            Some(group) => self.of_group.entry(Arc::clone(group)).or_default(),
        };
        put(limits, limit);
    }

    /// Removes a limit. Whether there was one.
    pub(crate) fn remove(&mut self, group: Option<&str>, like: &Limit) -> bool {
        let limits = match group {
            None => &mut self.everywhere,
            Some(group) => match self.of_group.get_mut(group) {
                None => return false,
                Some(limits) => limits,
            },
        };
        let before = limits.len();
        limits.retain(|limit| !is_same(limit, like));
        let is_removed = limits.len() < before;
        if limits.is_empty()
            && let Some(group) = group
        {
            self.of_group.remove(group);
        }
        is_removed
    }

    pub(crate) const fn set_concurrency(&mut self, most: usize) {
        self.concurrency = most;
    }

    /// The groups that have limits of their own.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Arc<str>> {
        self.of_group.keys()
    }

    pub(crate) fn is_of_group(&self, group: &str) -> bool {
        self.of_group.contains_key(group)
    }

    /// The limits of a scope, as they are kept there: with the group's own ones, where it is one group's.
    pub(crate) fn limits(&self, group: Option<&str>) -> Vec<Limit> {
        let mut limits = self.everywhere.clone();
        let own = group.and_then(|group| self.of_group.get(group)).into_iter().flatten();
        own.for_each(|limit| put(&mut limits, *limit));
        if !limits.iter().any(|limit| limit.dimension() == Dimension::Concurrent) {
            // What has no place in flight yet is not admitted: its time would be past when it goes.
            limits.push(Limit::concurrent(u64::try_from(self.concurrency).unwrap_or(u64::MAX)));
        }
        limits.iter().map(|limit| self.ratio.applied(*limit)).collect()
    }

    /// Tells a new limiter.
    pub(crate) fn begin(&self, limiter: &mut Limiter, now: Nanos) {
        change(limiter, &[], &self.limits(None), self.ratio, now);
    }
}

/// Brings a limiter that knows the limits `before` to those `after`.
pub(crate) fn change(limiter: &mut Limiter, before: &[Limit], after: &[Limit], ratio: BufferRatio, now: Nanos) {
    for gone in before.iter().filter(|gone| !after.iter().any(|limit| is_same(limit, gone))) {
        limiter.remove_limit(gone.dimension(), gone.window());
    }
    for limit in after.iter().filter(|limit| !before.contains(limit)) {
        limiter.set_limit(*limit, now);
    }
    for dimension in Dimension::ALL {
        limiter.set_share(dimension, ratio.of(dimension), now);
    }
}

fn put(limits: &mut Vec<Limit>, limit: Limit) {
    match limits.iter_mut().find(|known| is_same(known, &limit)) {
        Some(known) => *known = limit,
        None => limits.push(limit),
    }
}

/// Whether both are for the same thing: how many are in flight has no window.
fn is_same(one: &Limit, other: &Limit) -> bool {
    one.dimension() == other.dimension() && (one.window() == other.window() || one.dimension() == Dimension::Concurrent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_own_limit_wins_over_the_one_for_all() {
        let group: Arc<str> = "a".into();
        let mut told = Told::new(vec![Limit::per_minute(Dimension::Requests, 10)], 7);
        told.set(Some(&group), Limit::per_minute(Dimension::Requests, 50));
        told.set(Some(&group), Limit::per_day(Dimension::Requests, 500));
        let all = [Limit::per_minute(Dimension::Requests, 10), Limit::concurrent(7)];
        assert_eq!(told.limits(None), all);
        assert_eq!(told.limits(Some("b")), all);
        let own = [
            Limit::per_minute(Dimension::Requests, 50),
            Limit::per_day(Dimension::Requests, 500),
            Limit::concurrent(7),
        ];
        assert_eq!(told.limits(Some("a")), own);
        assert!(told.remove(Some("a"), &own[0]) && told.remove(Some("a"), &own[1]) && !told.remove(Some("a"), &own[0]));
        assert!(!told.is_of_group("a"));
        assert_eq!(told.limits(Some("a")), all);
    }

    #[test]
    fn a_ratio_is_more_than_nothing_and_at_most_all() {
        assert_eq!(BufferRatio::parse(1.0), Ok(WHOLE));
        assert_eq!(BufferRatio::parse(0.9), Ok(900_000));
        assert_eq!(BufferRatio::parse(f64::MIN_POSITIVE), Ok(1));
        for ratio in [0.0, -0.0, -1.0, 1.000_000_1, f64::NAN, f64::INFINITY] {
            assert!(BufferRatio::parse(ratio).is_err(), "{ratio}");
        }
    }

    #[test]
    fn a_ratio_lowers_what_is_told_of_its_own_dimension() {
        let limits = vec![Limit::per_minute(Dimension::Requests, 10), Limit::per_minute(Dimension::InputTokens, 1_000)];
        let mut told = Told::new(limits, 7);
        told.ratio = BufferRatio { requests: WHOLE, tokens: 900_000 };
        let amounts: Vec<u64> = told.limits(None).iter().map(Limit::amount).collect();
        assert_eq!(amounts, [10, 900, 7]);
    }
}
