//! Limits that change while requests wait.

use std::sync::Arc;

use limiter_core::Limit;

use super::told::{BufferRatio, Told};
use super::{Group, Groups, Scopes, Stated};
use crate::scope::Scope;

impl Scopes {
    /// Sets a limit of the caller's, for one group or for every scope. Who fits now goes at once.
    pub(crate) fn set_limit(&self, group: Option<&Arc<str>>, limit: Limit) {
        let mut groups = self.lock();
        if let Some(group) = group {
            groups.pin(group);
        }
        groups.retell(|told| told.set(group, limit));
    }

    /// Removes a limit of the caller's. Whether there was one.
    pub(crate) fn remove_limit(&self, group: Option<&str>, like: &Limit) -> bool {
        let mut groups = self.lock();
        let is_removed = groups.retell(|told| told.remove(group, like));
        if let Some(name) = group
            && !groups.told.is_of_group(name)
            && let Some(group) = groups.known.get_mut(name)
        {
            group.pinned = false;
        }
        is_removed
    }

    /// Counts what is used from zero again.
    pub(crate) fn reset_usage(&self) {
        let groups = self.lock();
        groups.scopes().iter().for_each(|(scope, _)| scope.reset_refused());
        self.books.reset();
    }

    /// So many are in flight at most in a scope.
    pub(crate) fn set_concurrency(&self, most: usize) {
        self.lock().retell(|told| told.set_concurrency(most));
    }

    /// So much of all limits is used. What `change` leaves as it is stays.
    pub(crate) fn set_ratio(&self, change: impl FnOnce(&mut BufferRatio)) {
        self.lock().retell(|told| change(&mut told.ratio));
    }
}

impl Groups {
    /// Gives a group a scope of its own, where it stays. What it took of the caller's limits stays taken.
    pub(super) fn pin(&mut self, name: &Arc<str>) {
        let Some(current) = self.known.get(name).map(|group| Arc::clone(&group.scope)) else {
            // However many there are: the caller names these, not a file.
            let scope = Arc::new(self.first.split());
            self.tell(&scope, None, Some(name));
            self.known.insert(Arc::clone(name), Group { pinned: true, ..Group::new(scope) });
            self.first.evict(name);
            return;
        };
        let is_alone = !Arc::ptr_eq(&current, &self.first)
            && !self.known.iter().any(|(other, group)| other != name && Arc::ptr_eq(&group.scope, &current));
        if !is_alone {
            let next = Arc::new(current.split());
            self.tell(&next, None, Some(name));
            self.assign(name, &next, Stated::new(), false);
            current.evict(name);
        }
        if let Some(group) = self.known.get_mut(name) {
            group.pinned = true;
        }
    }

    /// Changes what is told, in every scope.
    fn retell<T>(&mut self, change: impl FnOnce(&mut Told) -> T) -> T {
        let before = self.told.clone();
        let result = change(&mut self.told);
        for (scope, owner) in self.scopes() {
            let owner = owner.as_deref();
            let (known, limits) = (before.limits(owner), self.told.limits(owner));
            scope.retell(&known, &limits, self.told.ratio);
        }
        result
    }

    /// Tells a scope that knows what is told to `before` what is told to `after`.
    fn tell(&self, scope: &Scope, before: Option<&str>, after: Option<&str>) {
        scope.retell(&self.told.limits(before), &self.told.limits(after), self.told.ratio);
    }

    /// Every scope, with the group that has it for limits of its own.
    pub(super) fn scopes(&self) -> Vec<(Arc<Scope>, Option<Arc<str>>)> {
        let mut scopes: Vec<(Arc<Scope>, Option<Arc<str>>)> = vec![(Arc::clone(&self.first), None)];
        for (name, group) in &self.known {
            let owner = group.pinned.then(|| Arc::clone(name));
            if owner.is_some() || !scopes.iter().any(|(known, _)| Arc::ptr_eq(known, &group.scope)) {
                scopes.push((Arc::clone(&group.scope), owner));
            }
        }
        scopes
    }
}
