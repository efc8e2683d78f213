//! The scopes of a client, for display.

use std::sync::Arc;

use limiter_core::State;

use super::told::BufferRatio;
use super::{Groups, Scopes};
use crate::scope::{Latest, Scope};
use crate::usage::UsageTotals;

/// One scope at one moment.
#[derive(Debug)]
pub(crate) struct View {
    /// The groups in it, in the order of their names.
    pub(crate) models: Vec<Arc<str>>,
    pub(crate) state: State,
    pub(crate) latest: Latest,
    /// What its groups have used, wherever they were then.
    pub(crate) used: UsageTotals,
    /// How many of its requests, and of its tokens, in a million are used.
    pub(crate) ratio: BufferRatio,
}

impl View {
    fn of(models: Vec<Arc<str>>, scope: &Scope, used: UsageTotals, ratio: BufferRatio) -> Self {
        Self { models, state: scope.state(), latest: scope.latest(), used, ratio }
    }
}

impl Scopes {
    /// Every scope with the groups in it. The first one has no name while nothing was sent in it.
    pub(crate) fn views(&self) -> Vec<View> {
        let groups = self.lock();
        let mut used = self.books.used();
        let mut views = Vec::new();
        for (scope, models) in groups.by_scope() {
            let mut sum = UsageTotals::default();
            models.iter().filter_map(|model| used.remove(model)).for_each(|totals| sum.add(&totals));
            views.push(View::of(models, scope, sum, groups.told.ratio));
        }
        // Groups that are not told apart are in the first one.
        if let Some(first) = views.first_mut() {
            used.values().for_each(|totals| first.used.add(totals));
        }
        let is_first_call = groups.known.values().all(|group| group.pinned);
        drop(groups);
        // One that everybody left says nothing any more, unless something is still in flight there.
        views.retain(|view| !view.models.is_empty() || is_first_call || view.state.in_flight > 0);
        views
    }
}

impl Groups {
    /// Each scope with its groups in the order of their names; the first one first.
    fn by_scope(&self) -> Vec<(&Arc<Scope>, Vec<Arc<str>>)> {
        let mut scopes = vec![(&self.first, Vec::new())];
        for (name, group) in &self.known {
            match scopes.iter_mut().find(|(scope, _)| Arc::ptr_eq(scope, &group.scope)) {
                Some((_, names)) => names.push(Arc::clone(name)),
                None => scopes.push((&group.scope, vec![Arc::clone(name)])),
            }
        }
        scopes.iter_mut().for_each(|(_, names)| names.sort());
        scopes
    }
}
