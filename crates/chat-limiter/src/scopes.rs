//! Which models share limits, found out.
//!
//! Providers share limits between models and say so nowhere; the answers give it away. All models begin in one scope,
//! because a quota wrongly shared is only used carefully, and one wrongly split is overrun. A model gets a scope of its
//! own when
//!
//! * its answers state other limits than those of the models it shares with: models whose answers state the same limits
//!   come together again, so a limit that changes for all moves all of them; or
//! * its answers show, repeatedly, far more requests left than were sent: the provider counts the others elsewhere.

mod change;
mod discovered;
pub(crate) mod told;
mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use limiter_core::{Dimension, Limit, Limiter, Nanos, Observation, Order};

use crate::clock::Clock;
use crate::observe::Meters;
use crate::scope::{Patience, Permit, Scope};
use crate::usage::Books;

use discovered::Discovered;

pub(crate) use told::{BufferRatio, Told};
pub(crate) use view::View;

/// How many model groups are told apart. A file with more names than that is not a list of models; the rest share the
/// first scope.
const MOST_GROUPS: usize = 1_000;

/// The scopes of one credential.
#[derive(Debug)]
pub(crate) struct Scopes {
    groups: Mutex<Groups>,
    books: Arc<Books>,
}

#[derive(Debug)]
struct Groups {
    closed: bool,
    first: Arc<Scope>,
    known: HashMap<Arc<str>, Group>,
    told: Told,
    /// What was told of limits, also for groups that were not used yet.
    discovered: HashMap<Arc<str>, Arc<Discovered>>,
}

#[derive(Debug)]
struct Group {
    scope: Arc<Scope>,
    /// The limits its last answer stated.
    stated: Stated,
    /// Whether it was found to be counted apart from models that state the same limits.
    apart: bool,
    /// Whether the caller gave it limits of its own: then it is alone in its scope and stays there.
    pinned: bool,
    surprises: u32,
    /// Whether the last answer in its scope was its own: then nothing can be told from comparing.
    was_last: bool,
}

/// The limits that one answer states.
type Stated = Vec<(Dimension, Option<Nanos>, u64)>;

/// So many surprises in a row are no coincidence (a window that turned, a limit that was raised).
const SURPRISES: u32 = 2;

impl Scopes {
    pub(crate) fn new(
        told: Told,
        expected: &[Limit],
        order: Order,
        clock: Clock,
        patience: Patience,
        meters: Meters,
    ) -> Self {
        let books = Arc::new(Books::new(meters));
        let mut limiter = Limiter::new();
        limiter.set_order(order);
        told.begin(&mut limiter, clock.now());
        for limit in expected {
            limiter.expect_limit(*limit, clock.now());
        }
        let first = Arc::new(Scope::new(limiter, clock, patience, Arc::clone(&books)));
        let mut groups = Groups { closed: false, first, known: HashMap::new(), told, discovered: HashMap::new() };
        let own: Vec<_> = groups.told.groups().cloned().collect();
        own.iter().for_each(|group| groups.pin(group));
        Self { groups: Mutex::new(groups), books }
    }

    /// What was used, and who wants to hear of changes.
    pub(crate) const fn books(&self) -> &Arc<Books> {
        &self.books
    }

    /// The scope that `group` is in now.
    pub(crate) fn of(&self, group: &str) -> Arc<Scope> {
        let mut groups = self.lock();
        if let Some(known) = groups.known.get(group) {
            return Arc::clone(&known.scope);
        }
        groups.enter_discovered(group).unwrap_or_else(|| Arc::clone(&groups.first))
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
        if stated.is_empty() || groups.is_pinned(group) {
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    const fn new(scope: Arc<Scope>) -> Self {
        Self { scope, stated: Stated::new(), apart: false, pinned: false, surprises: 0, was_last: false }
    }
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
        self.known.insert(Arc::clone(name), Group::new(Arc::clone(&scope)));
        Some(scope)
    }

    fn is_pinned(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|group| group.pinned)
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
        let group = self.known.values().find(|group| {
            group.stated == *stated && !group.apart && !group.pinned && !Arc::ptr_eq(&group.scope, but)
        })?;
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
mod tests;
