//! What requests of each kind were charged beyond what was expected, lately.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::kind::RequestKind;
use super::recent::Recent;

/// How many kinds are remembered. A program that sends more has no kinds, but instructions that differ each time.
const MOST: usize = 256;

/// Kinds and their surpluses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kinds {
    known: HashMap<RequestKind, Surplus>,
    /// Counts observations, to tell which kind was not seen for longest.
    turn: u64,
}

/// What was charged beyond what was expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Surplus {
    /// Beyond the count.
    pub(super) of_count: Recent,
    /// Beyond what the filter expected.
    pub(super) of_filter: Recent,
    turn: u64,
}

impl Kinds {
    pub(super) fn get(&self, kind: RequestKind) -> Option<&Surplus> {
        self.known.get(&kind)
    }

    /// The surplus of a kind. The one that was not seen for longest makes room for a new one.
    pub(super) fn observed(&mut self, kind: RequestKind) -> &mut Surplus {
        if self.known.len() >= MOST && !self.known.contains_key(&kind) {
            let oldest = self.known.iter().min_by_key(|(kind, surplus)| (surplus.turn, **kind)).map(|(kind, _)| *kind);
            oldest.and_then(|kind| self.known.remove(&kind));
        }
        self.turn = self.turn.saturating_add(1);
        let surplus = self.known.entry(kind).or_default();
        surplus.turn = self.turn;
        surplus
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(number: u64) -> RequestKind {
        RequestKind::of(&json!({"tools": number}), false)
    }

    #[test]
    fn the_kind_that_was_not_seen_for_longest_makes_room() {
        let mut kinds = Kinds::default();
        for number in 0..MOST as u64 {
            kinds.observed(kind(number)).of_count.push(1.0);
        }
        kinds.observed(kind(0)).of_count.push(1.0);
        kinds.observed(kind(1_000_000));
        assert_eq!(kinds.known.len(), MOST);
        assert!(kinds.get(kind(0)).is_some() && kinds.get(kind(1_000_000)).is_some());
        assert!(kinds.get(kind(1)).is_none());
    }
}
