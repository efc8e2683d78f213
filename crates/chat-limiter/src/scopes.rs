//! Which models share limits, found out.
//!
//! Providers share limits between models and say so nowhere; the answers give it away. All models begin in one scope,
//! because a quota wrongly shared is only used carefully, and one wrongly split is overrun. A model gets a scope of its
//! own when
//!
//! * its answers state other limits than those of the models it shares with: models whose answers state the same limits
//!   come together again, so a limit that changes for all moves all of them; or
//! * its answers show, repeatedly, far more requests left than were sent: the provider counts the others elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use limiter_core::{Dimension, Limit, Limiter, Nanos, Observation, Order, State};

use crate::clock::Clock;
use crate::scope::{Patience, Permit, Scope};

/// How many model groups are told apart. A file with more names than that is not a list of models; the rest share the
/// first scope.
const MOST_GROUPS: usize = 1_000;

/// The scopes of one credential.
#[derive(Debug)]
pub(crate) struct Scopes {
    groups: Mutex<Groups>,
}

#[derive(Debug)]
struct Groups {
    closed: bool,
    first: Arc<Scope>,
    known: HashMap<Arc<str>, Group>,
}

#[derive(Debug)]
struct Group {
    scope: Arc<Scope>,
    /// The limits its last answer stated.
    stated: Stated,
    /// Whether it was found to be counted apart from models that state the same limits.
    apart: bool,
    surprises: u32,
    /// Whether the last answer in its scope was its own: then nothing can be told from comparing.
    was_last: bool,
}

/// The limits that one answer states.
type Stated = Vec<(Dimension, Option<Nanos>, u64)>;

/// So many surprises in a row are no coincidence (a window that turned, a limit that was raised).
const SURPRISES: u32 = 2;

impl Scopes {
    pub(crate) fn new(told: &[Limit], expected: &[Limit], order: Order, clock: Clock, patience: Patience) -> Self {
        let first = new_scope(told, expected, order, clock, patience);
        let groups = Mutex::new(Groups { closed: false, first, known: HashMap::new() });
        Self { groups }
    }

    /// The scope that `group` is in now.
    pub(crate) fn of(&self, group: &str) -> Arc<Scope> {
        let groups = self.lock();
        Arc::clone(groups.known.get(group).map_or(&groups.first, |known| &known.scope))
    }

    /// Takes in what the answer to a request of `group` said. May move the group to another scope.
    pub(crate) fn observe(&self, permit: &mut Permit, group: &Arc<str>, observation: &Observation) {
        let mut groups = self.lock();
        let Some(current) = groups.enter(group) else {
            permit.observe(observation);
            return;
        };
        if !Arc::ptr_eq(&current, permit.scope()) {
            // Sent before the group moved: what it says of the new scope is old, and it says nothing of the old one.
            return;
        }
        let stated = stated(observation);
        if stated.is_empty() {
            permit.observe(observation);
            return;
        }
        let sharing = groups.scope_stating(&stated, &current);
        if groups.has_strangers(group, &current, &stated) || sharing.is_some() && groups.has_changed(group, &stated) {
            let next = sharing.unwrap_or_else(|| Arc::new(current.split()));
            groups.assign(group, &next, stated, false);
            drop(groups);
            next.adopt(observation, &current);
            current.evict(group);
            return;
        }
        let surplus = permit.observe(observation);
        if groups.is_surprised(group, &current, surplus, observation, stated.clone()) {
            let next = Arc::new(current.split());
            groups.assign(group, &next, stated, true);
            drop(groups);
            next.adopt(observation, &current);
            current.evict(group);
        }
    }

    /// Lets nobody through any more.
    pub(crate) fn close(&self) {
        let mut groups = self.lock();
        groups.closed = true;
        groups.first.close();
        groups.known.values().for_each(|group| group.scope.close());
    }

    /// Every scope with the groups in it, for display. The first one has no name while nothing was sent in it.
    pub(crate) fn states(&self) -> Vec<(Vec<Arc<str>>, State)> {
        let groups = self.lock();
        let mut scopes: Vec<(Vec<Arc<str>>, &Arc<Scope>)> = vec![(Vec::new(), &groups.first)];
        for (name, group) in &groups.known {
            match scopes.iter_mut().find(|(_, scope)| Arc::ptr_eq(scope, &group.scope)) {
                Some((names, _)) => names.push(Arc::clone(name)),
                None => scopes.push((vec![Arc::clone(name)], &group.scope)),
            }
        }
        scopes.iter_mut().for_each(|(names, _)| names.sort());
        let is_first_call = groups.known.is_empty();
        let scopes = scopes.into_iter().map(|(names, scope)| (names, scope.state()));
        // One that everybody left says nothing any more, unless something is still in flight there.
        scopes.filter(|(names, state)| !names.is_empty() || is_first_call || state.in_flight > 0).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_scope(told: &[Limit], expected: &[Limit], order: Order, clock: Clock, patience: Patience) -> Arc<Scope> {
    let mut limiter = Limiter::new();
    limiter.set_order(order);
    for limit in told {
        limiter.set_limit(*limit, clock.now());
    }
    for limit in expected {
        limiter.expect_limit(*limit, clock.now());
    }
    Arc::new(Scope::new(limiter, clock, patience))
}

impl Groups {
    /// The scope of `group`, which is known from now on; `None` where there are too many to tell apart.
    fn enter(&mut self, name: &Arc<str>) -> Option<Arc<Scope>> {
        if let Some(group) = self.known.get(name) {
            return Some(Arc::clone(&group.scope));
        }
        if self.known.len() >= MOST_GROUPS {
            return None;
        }
        let scope = Arc::clone(&self.first);
        let group =
            Group { scope: Arc::clone(&scope), stated: Stated::new(), apart: false, surprises: 0, was_last: false };
        self.known.insert(Arc::clone(name), group);
        Some(scope)
    }

    /// Whether another group in `scope` is told other limits than these.
    fn has_strangers(&self, name: &str, scope: &Arc<Scope>, stated: &Stated) -> bool {
        self.known.iter().any(|(other, group)| {
            **other != *name
                && Arc::ptr_eq(&group.scope, scope)
                && !group.stated.is_empty()
                && are_at_odds(&group.stated, stated)
        })
    }

    /// Whether the group was told other limits before.
    fn has_changed(&self, name: &str, stated: &Stated) -> bool {
        self.known.get(name).is_some_and(|group| are_at_odds(&group.stated, stated))
    }

    /// A scope other than `but` whose groups are told exactly these limits.
    fn scope_stating(&self, stated: &Stated, but: &Arc<Scope>) -> Option<Arc<Scope>> {
        let group = self
            .known
            .values()
            .find(|group| group.stated == *stated && !group.apart && !Arc::ptr_eq(&group.scope, but))?;
        Some(Arc::clone(&group.scope))
    }

    fn assign(&mut self, name: &str, scope: &Arc<Scope>, stated: Stated, apart: bool) {
        if self.closed {
            scope.close();
        }
        if let Some(group) = self.known.get_mut(name) {
            group.scope = Arc::clone(scope);
            group.stated = stated;
            group.apart |= apart;
            (group.surprises, group.was_last) = (0, true);
        }
    }

    /// Whether this answer is one surprise too many: `surplus` more requests left than were counted.
    fn is_surprised(
        &mut self,
        name: &str,
        scope: &Arc<Scope>,
        surplus: u64,
        observation: &Observation,
        stated: Stated,
    ) -> bool {
        let alone = !self.known.iter().any(|(other, group)| **other != *name && Arc::ptr_eq(&group.scope, scope));
        let mut surprised = false;
        if let Some(group) = self.known.get_mut(name) {
            group.stated = stated;
            if !group.was_last && !alone {
                let in_flight = scope.state().in_flight;
                let limit = observation.readings().iter().find(|reading| reading.dimension == Dimension::Requests);
                // What is in flight may not have been counted yet, and a count may be rounded.
                let noise = 5 + in_flight + limit.and_then(|reading| reading.limit).unwrap_or(0) / 50;
                let far_off = surplus > noise;
                group.surprises = if far_off { group.surprises + 1 } else { 0 };
            }
            surprised = group.surprises >= SURPRISES;
        }
        for (other, group) in &mut self.known {
            if Arc::ptr_eq(&group.scope, scope) {
                group.was_last = **other == *name;
            }
        }
        surprised
    }
}

fn stated(observation: &Observation) -> Stated {
    let readings = observation.readings().iter();
    readings.filter_map(|reading| Some((reading.dimension, reading.window, reading.limit?))).collect()
}

/// Whether both state the same limit and differ in its amount. What only one of them states says nothing.
fn are_at_odds(one: &Stated, other: &Stated) -> bool {
    one.iter()
        .any(|(dimension, window, limit)| other.iter().any(|(d, w, l)| (d, w) == (dimension, window) && l != limit))
}

#[cfg(test)]
mod tests {
    use limiter_core::{Cost, Priority, Reading};

    use super::*;

    const PATIENCE: Patience =
        Patience { wait: Nanos::from_secs(600), outage: Nanos::from_secs(900), silence: Nanos::from_secs(60) };

    fn answer(limit: u64, remaining: u64) -> Observation {
        let mut observation = Observation::new();
        let reading = Reading::of(Dimension::Requests);
        observation.push(Reading { limit: Some(limit), remaining: Some(remaining), ..reading });
        observation
    }

    /// Sends one request of each (model, limit, remaining) in turn.
    async fn send(scopes: &Scopes, answers: &[(&str, u64, u64)]) {
        for (model, limit, remaining) in answers {
            let group: Arc<str> = (*model).into();
            let mut permit =
                scopes.of(model).acquire(&group, Cost::of_request(1, 0), Priority::NORMAL, false).await.unwrap();
            scopes.observe(&mut permit, &group, &answer(*limit, *remaining));
            permit.settle(None);
        }
    }

    fn sharing(scopes: &Scopes) -> Vec<Vec<String>> {
        let mut names: Vec<Vec<String>> = scopes
            .states()
            .into_iter()
            .map(|(names, _)| names.iter().map(ToString::to_string).collect())
            .filter(|names: &Vec<String>| !names.is_empty())
            .collect();
        names.sort();
        names
    }

    #[tokio::test(start_paused = true)]
    async fn models_that_draw_on_one_quota_stay_together() {
        let scopes = Scopes::new(&[], &[], Order::Turn, Clock::start(), PATIENCE);
        send(&scopes, &[("a", 100, 99), ("b", 100, 98), ("a", 100, 97), ("b", 100, 96), ("c", 100, 95)]).await;
        assert_eq!(sharing(&scopes), [["a", "b", "c"]]);
    }

    #[tokio::test(start_paused = true)]
    async fn models_with_other_limits_part_and_equal_ones_come_together() {
        let scopes = Scopes::new(&[], &[], Order::Turn, Clock::start(), PATIENCE);
        send(&scopes, &[("a", 100, 99), ("b", 500, 499), ("c", 500, 498), ("d", 100, 98), ("c", 500, 497)]).await;
        assert_eq!(sharing(&scopes), [["a", "d"], ["b", "c"]]);
        let states = scopes.states();
        assert_eq!(states[1].1.limits[0].level, 497);
    }

    #[tokio::test(start_paused = true)]
    async fn models_with_equal_limits_part_when_they_are_counted_apart() {
        let scopes = Scopes::new(&[], &[], Order::Turn, Clock::start(), PATIENCE);
        for _ in 0..4 {
            for answer in [("a", 1_000, 300), ("b", 1_000, 990)] {
                send(&scopes, &[answer]).await;
                tokio::time::advance(std::time::Duration::from_millis(1_100)).await;
            }
        }
        assert_eq!(sharing(&scopes), [["a"], ["b"]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_changes_for_all_moves_all_of_them() {
        let scopes = Scopes::new(&[], &[], Order::Turn, Clock::start(), PATIENCE);
        send(&scopes, &[("a", 100, 99), ("b", 100, 98), ("a", 200, 197), ("b", 200, 196), ("a", 200, 195)]).await;
        assert_eq!(sharing(&scopes), [["a", "b"]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_scope_that_everybody_left_shows_no_limits() {
        let scopes = Scopes::new(&[], &[], Order::Turn, Clock::start(), PATIENCE);
        for (model, limit, left) in [("a", 100, 99), ("b", 100, 98), ("a", 200, 197), ("b", 200, 196), ("a", 200, 195)]
        {
            send(&scopes, &[(model, limit, left)]).await;
        }
        let all: Vec<_> = scopes.states().into_iter().map(|(names, state)| (names, state.limits.len())).collect();
        assert!(all.iter().all(|(names, limits)| !names.is_empty() || *limits == 0), "{all:?}");
    }
    /// The caller's own ceiling of 10 a minute, two models whose stated limits change with every answer.
    #[tokio::test(start_paused = true)]
    async fn the_callers_ceiling_holds_for_one_model_that_moves() {
        let clock = Clock::start();
        let told = vec![Limit::per_minute(Dimension::Requests, 10)];
        let scopes = Scopes::new(&told, &[], Order::Turn, clock, PATIENCE);
        let start = clock.now();
        let mut sent = 0;
        send(&scopes, &[("b", 1_000, 999)]).await;
        for n in 0..100_u64 {
            send(&scopes, &[("a", 1_000 + n, 900)]).await;
            if clock.now().saturating_sub(start) >= Nanos::MINUTE {
                break;
            }
            sent += 1;
        }
        assert!(sent <= 21, "{sent} requests of one model in a minute, of 10 that the caller allows");
    }
    /// The limit that is stated is raised once for all.
    #[tokio::test(start_paused = true)]
    async fn the_callers_ceiling_holds_when_a_limit_changes_once() {
        let clock = Clock::start();
        let scopes = Scopes::new(&[Limit::per_minute(Dimension::Requests, 10)], &[], Order::Turn, clock, PATIENCE);
        let start = clock.now();
        let mut sent = 0;
        for n in 0..100_u64 {
            if n == 1 {
                send(&scopes, &[("b", 1_000, 999)]).await;
            }
            send(&scopes, &[("a", if n < 8 { 1_000 } else { 2_000 }, 900)]).await;
            if clock.now().saturating_sub(start) >= Nanos::from_millis(500) {
                break;
            }
            sent += 1;
        }
        assert!(sent <= 10, "{sent} requests of one model at one instant, of 10 a minute that the caller allows");
    }
}
