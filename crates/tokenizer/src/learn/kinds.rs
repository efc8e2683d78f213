//! What was learned of each kind of request, for a bounded number of kinds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::kind::RequestKind;

/// How many kinds are remembered. A program that sends more has no kinds, but instructions that differ each time.
const MOST: usize = 256;

/// Something for each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kinds<T> {
    known: HashMap<RequestKind, Known<T>>,
    /// Counts observations, to tell which kind was not seen for longest.
    turn: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Known<T> {
    value: T,
    turn: u64,
}

impl<T: Default> Kinds<T> {
    pub(super) fn get(&self, kind: RequestKind) -> Option<&T> {
        self.known.get(&kind).map(|known| &known.value)
    }

    /// What is known of a kind that was seen now. The one that was not seen for longest makes room for a new one.
    pub(super) fn observed(&mut self, kind: RequestKind) -> &mut T {
        if self.known.len() >= MOST && !self.known.contains_key(&kind) {
            let oldest = self.known.iter().min_by_key(|(kind, known)| (known.turn, **kind)).map(|(kind, _)| *kind);
            oldest.and_then(|kind| self.known.remove(&kind));
        }
        self.turn = self.turn.saturating_add(1);
        let known = self.known.entry(kind).or_default();
        known.turn = self.turn;
        &mut known.value
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
        let mut kinds: Kinds<u8> = Kinds::default();
        for number in 0..MOST as u64 {
            kinds.observed(kind(number));
        }
        kinds.observed(kind(0));
        kinds.observed(kind(1_000_000));
        assert_eq!(kinds.known.len(), MOST);
        assert!(kinds.get(kind(0)).is_some() && kinds.get(kind(1_000_000)).is_some());
        assert!(kinds.get(kind(1)).is_none());
    }
}
