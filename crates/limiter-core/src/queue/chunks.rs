//! A list that grows at its end, is looked up by place, and gives back the memory of places left empty.
//!
//! One buffer that doubles would hold up to twice what is in it, and moving a million waiting requests to a larger one
//! is a pause that everybody notices. So the places are kept in chunks.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Places in a chunk.
const CHUNK: usize = 64;

/// Values by place. A place at the end may be given out again when its value was taken.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: VecDeque<Chunk<T>>,
    /// The place at which the first chunk begins, a multiple of [`CHUNK`].
    start: u64,
    /// The first place in use and the place after the last one.
    front: u64,
    back: u64,
}

#[derive(Debug)]
struct Chunk<T> {
    filled: usize,
    /// Empty where nothing is left in it.
    places: Box<[Option<T>]>,
}

impl<T> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: VecDeque::new(), start: 0, front: 0, back: 0 }
    }

    /// Puts a value behind all others. Returns its place.
    pub(super) fn push(&mut self, value: T) -> u64 {
        let place = self.back;
        if place.wrapping_sub(self.start) == (self.chunks.len() * CHUNK) as u64 {
            if let Some(last) = self.chunks.back_mut()
                && last.filled == 0
            {
                last.places = Box::default();
            }
            self.chunks.push_back(Chunk::new());
        }
        self.back = place.wrapping_add(1);
        if let Some((chunk, offset)) = self.position(place)
            && let Some(chunk) = self.chunks.get_mut(chunk)
            && let Some(slot) = chunk.places.get_mut(offset)
        {
            *slot = Some(value);
            chunk.filled += 1;
        }
        place
    }

    /// The first value and its place.
    pub(super) fn first(&self) -> Option<(u64, &T)> {
        // `take` leaves no empty place at the front.
        Some((self.front, self.get(self.front)?))
    }

    /// Every value with its place, from the front.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let chunks = self.chunks.iter().enumerate();
        chunks.flat_map(move |(index, chunk)| {
            let start = self.start.wrapping_add((index * CHUNK) as u64);
            let places = chunk.places.iter().enumerate();
            places.filter_map(move |(offset, value)| Some((start.wrapping_add(offset as u64), value.as_ref()?)))
        })
    }

    pub(super) fn get(&self, place: u64) -> Option<&T> {
        let (chunk, offset) = self.position(place)?;
        self.chunks.get(chunk)?.places.get(offset)?.as_ref()
    }

    /// Takes the value out that is at a place.
    pub(super) fn take(&mut self, place: u64) -> Option<T> {
        let (index, offset) = self.position(place)?;
        let is_last = index + 1 >= self.chunks.len();
        let chunk = self.chunks.get_mut(index)?;
        let value = chunk.places.get_mut(offset)?.take()?;
        chunk.filled -= 1;
        if chunk.filled == 0 && !is_last {
            chunk.places = Box::default();
        }
        if place == self.front {
            self.trim();
        }
        if place.wrapping_add(1) == self.back {
            self.trim_back();
        }
        Some(value)
    }

    /// Moves the back behind the last value that is left. Its places are given out again.
    fn trim_back(&mut self) {
        while self.front != self.back && self.get(self.back.wrapping_sub(1)).is_none() {
            self.back = self.back.wrapping_sub(1);
            if self.back.wrapping_sub(self.start) == (self.chunks.len().saturating_sub(1) * CHUNK) as u64 {
                self.chunks.pop_back();
            }
        }
    }

    /// Moves the front to the first value that is left.
    fn trim(&mut self) {
        while self.front != self.back && self.get(self.front).is_none() {
            let is_empty = self.chunks.front().is_none_or(|chunk| chunk.filled == 0);
            let end = self.start.wrapping_add(CHUNK as u64);
            self.front = if is_empty { end } else { self.front.wrapping_add(1) };
            // The last chunk is not whole.
            if self.back.wrapping_sub(self.start) < CHUNK as u64 && is_empty {
                self.front = self.back;
            }
            if self.front == end {
                self.chunks.pop_front();
                self.start = end;
            }
        }
    }

    /// The chunk and the offset in it of a place between front and back.
    fn position(&self, place: u64) -> Option<(usize, usize)> {
        if place.wrapping_sub(self.front) >= self.back.wrapping_sub(self.front) {
            return None;
        }
        let index = usize::try_from(place.wrapping_sub(self.start)).ok()?;
        Some((index / CHUNK, index % CHUNK))
    }
}

impl<T> Chunk<T> {
    fn new() -> Self {
        Self { filled: 0, places: Self::empty_places() }
    }

    fn empty_places() -> Box<[Option<T>]> {
        let mut places = Vec::with_capacity(CHUNK);
        places.resize_with(CHUNK, || None);
        places.into_boxed_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same operations on a plain list, place by place.
    #[test]
    fn places_are_found_wherever_values_come_and_go() {
        let mut chunks = Chunks::new();
        let mut plain: Vec<(u64, u64)> = Vec::new();
        let mut random = 12_345_u64;
        for step in 0..20_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pick = (random >> 33) as usize;
            // Long phases in which it grows and in which it empties.
            let grows = step / 1_000 % 2 == 0;
            match pick % 8 {
                0..=5 if grows => plain.push((chunks.push(step), step)),
                6 => {
                    let place = chunks.first().map(|(place, _)| place);
                    assert_eq!(place, plain.first().map(|(place, _)| *place));
                    assert_eq!(place.and_then(|place| chunks.take(place)), plain.first().map(|(_, value)| *value));
                    plain.drain(..1.min(plain.len()));
                }
                _ if !plain.is_empty() => {
                    let (place, value) = plain.remove(pick / 8 % plain.len());
                    assert_eq!(chunks.take(place), Some(value));
                    assert_eq!(chunks.take(place), None);
                }
                _ => {}
            }
            assert_eq!(chunks.first(), plain.first().map(|(place, value)| (*place, value)));
            if step % 500 == 0 {
                assert!(chunks.iter().map(|(place, value)| (place, *value)).eq(plain.iter().copied()));
            }
        }
    }

    #[test]
    fn places_left_empty_behind_one_that_stays_cost_next_to_nothing() {
        let mut chunks = Chunks::new();
        chunks.push(0);
        for value in 1..=100 * CHUNK {
            let place = chunks.push(value);
            assert_eq!(chunks.take(place), Some(value));
        }
        assert!(chunks.chunks.iter().filter(|chunk| !chunk.places.is_empty()).count() <= 2);
        assert_eq!(chunks.first().map(|(_, value)| *value), Some(0));
    }
}
