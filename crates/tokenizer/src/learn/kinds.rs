//! What was learned of each kind of request, for a bounded number of kinds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::kind::RequestKind;

/// How many kinds are remembered. A program that sends more has no kinds, but instructions that differ each time.
const MOST: usize = 256;

/// Something for each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written<T>", bound(deserialize = "T: Deserialize<'de>"))]
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

/// Kinds as they were written down, maybe by hand: as many as there are, in any turns.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Written<T> {
    known: HashMap<RequestKind, Known<T>>,
    turn: u64,
}

impl<T> From<Written<T>> for Kinds<T> {
    /// Those that were seen last, in turns that leave room for more.
    fn from(Written { known, mut turn }: Written<T>) -> Self {
        let mut known: Vec<_> = known.into_iter().collect();
        known.sort_unstable_by_key(|(kind, known)| (known.turn, *kind));
        known.drain(..known.len().saturating_sub(MOST));
        let last = known.last().map_or(0, |(_, known)| known.turn);
        if turn < last || turn > u64::MAX / 2 {
            turn = 0;
            for (_, known) in &mut known {
                turn += 1;
                known.turn = turn;
            }
        }
        Self { known: known.into_iter().collect(), turn }
    }
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

    #[test]
    fn more_than_may_be_known_in_turns_without_an_end_are_cut_to_the_last_ones() {
        let known = |number: u64| (number.to_string(), json!({"value": 1, "turn": u64::MAX - number}));
        let written = json!({"known": serde_json::Map::from_iter((0..1_000).map(known)), "turn": u64::MAX});
        let mut kinds: Kinds<u8> = serde_json::from_value(written).unwrap();
        assert_eq!(kinds.known.len(), MOST);
        // The one seen first of those that are left makes room, not the one seen now.
        kinds.observed(kind(0));
        kinds.observed(kind(1));
        let (first, last): (RequestKind, RequestKind) =
            (serde_json::from_str("255").unwrap(), serde_json::from_str("0").unwrap());
        assert_eq!(kinds.known.len(), MOST);
        assert!(kinds.get(first).is_none() && kinds.get(last).is_some() && kinds.get(kind(0)).is_some());
    }
}
