//! Limits that the provider told when it was asked, for models that may not have been used yet.

use std::sync::Arc;

use limiter_core::Observation;

use super::{Group, Groups, MOST_GROUPS, Scopes, Stated};
use crate::scope::Scope;

/// The groups that share some limits, and these.
#[derive(Debug)]
pub(super) struct Discovered {
    groups: Vec<Arc<str>>,
    limits: Observation,
}

/// Of so many groups it is remembered what was told.
const MOST_DISCOVERED: usize = 10_000;

impl Scopes {
    /// These groups share these limits, and no others do. Those that were used have them now, the others when they are.
    pub(crate) fn tell(&self, groups: Vec<Arc<str>>, limits: Observation) {
        let told = Arc::new(Discovered { groups, limits });
        let mut known = self.lock();
        for group in &told.groups {
            if known.discovered.len() < MOST_DISCOVERED || known.discovered.contains_key(group) {
                known.discovered.insert(Arc::clone(group), Arc::clone(&told));
            }
        }
        let used: Vec<_> = told.groups.iter().filter(|group| known.known.contains_key(*group)).collect();
        used.into_iter().for_each(|group| known.gather(group, &told));
    }

    /// Every model draws on these limits.
    pub(crate) fn tell_all(&self, limits: &Observation) {
        self.lock().scopes().iter().for_each(|(scope, _)| scope.hear(limits));
    }
}

impl Groups {
    /// The scope of a group that is used for the first time, where its limits were told already.
    pub(super) fn enter_discovered(&mut self, group: &str) -> Option<Arc<Scope>> {
        let told = Arc::clone(self.discovered.get(group)?);
        let name = told.groups.iter().find(|name| ***name == *group)?;
        if self.known.len() >= MOST_GROUPS {
            return None;
        }
        let scope = self.scope_of(&told).unwrap_or_else(|| Arc::new(self.first.split()));
        scope.hear(&told.limits);
        self.known.insert(Arc::clone(name), Group { apart: true, ..Group::new(Arc::clone(&scope)) });
        if self.closed {
            scope.close();
        }
        Some(scope)
    }

    /// Brings a group that was used to the others with which it shares the limits that were told.
    fn gather(&mut self, name: &Arc<str>, told: &Discovered) {
        let Some(group) = self.known.get(name) else { return };
        let current = Arc::clone(&group.scope);
        let is_strange = |other: &Arc<str>| !told.groups.contains(other);
        let has_strangers = Arc::ptr_eq(&current, &self.first)
            || self.known.iter().any(|(other, group)| Arc::ptr_eq(&group.scope, &current) && is_strange(other));
        if group.pinned || !has_strangers {
            current.hear(&told.limits);
            return;
        }
        let next = self.scope_of(told).unwrap_or_else(|| Arc::new(current.split()));
        self.assign(name, &next, Stated::new(), true);
        next.hear(&told.limits);
        current.evict(name);
    }

    /// The scope where groups that share these limits are, and no others.
    fn scope_of(&self, told: &Discovered) -> Option<Arc<Scope>> {
        let members = self.known.iter().filter(|(name, group)| !group.pinned && told.groups.contains(name));
        let mut scopes = members.map(|(_, group)| &group.scope);
        let is_theirs = |scope: &&Arc<Scope>| {
            let mut inside = self.known.iter().filter(|(_, group)| Arc::ptr_eq(&group.scope, scope));
            !Arc::ptr_eq(scope, &self.first) && inside.all(|(name, _)| told.groups.contains(name))
        };
        scopes.find(is_theirs).cloned()
    }
}
