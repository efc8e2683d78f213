//! How many items of a group go at once.

use super::BatchConfig;

/// As many as the configuration says; fewer after refusals, where it adapts: additive increase, multiplicative decrease.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    least: usize,
    most: usize,
    adapts: bool,
    /// Items that ended without a refusal since the size changed.
    clean: usize,
    /// How many had begun when it shrank: they knew nothing of that, and do not shrink it again.
    begun_at_cut: u64,
    begun: u64,
}

impl Window {
    pub(super) fn new(config: &BatchConfig) -> Self {
        let adapts = config.adaptive_batch_size;
        let most = match adapts {
            true => config.max_batch_size.min(config.max_concurrent_requests),
            false => config.max_concurrent_requests,
        };
        Self { size: most, least: config.min_batch_size.min(most), most, adapts, clean: 0, begun_at_cut: 0, begun: 0 }
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// An item begins. Returns its number.
    pub(super) const fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// The item with this number ended, and was refused for the rate on the way or not.
    pub(super) fn end(&mut self, number: u64, was_refused: bool) {
        if !self.adapts {
            return;
        }
        if was_refused {
            if number > self.begun_at_cut {
                self.size = (self.size / 2).max(self.least);
                self.begun_at_cut = self.begun;
                self.clean = 0;
            }
            return;
        }
        self.clean += 1;
        if self.clean >= self.size {
            self.size = (self.size + 1).min(self.most);
            self.clean = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(least: usize, most: usize, concurrent: usize, adapts: bool) -> Window {
        Window::new(&BatchConfig {
            min_batch_size: least,
            max_batch_size: most,
            max_concurrent_requests: concurrent,
            adaptive_batch_size: adapts,
            ..BatchConfig::default()
        })
    }

    #[test]
    fn it_halves_once_for_all_that_began_before_and_grows_by_one_for_each_window_without_a_refusal() {
        let mut window = window(2, 100, 16, true);
        let first: Vec<u64> = (0..16).map(|_| window.begin()).collect();
        for number in first {
            window.end(number, true);
        }
        assert_eq!(window.size(), 8);
        for _ in 0..8 {
            let number = window.begin();
            window.end(number, false);
        }
        assert_eq!(window.size(), 9);
        for _ in 0..10 {
            let number = window.begin();
            window.end(number, true);
        }
        assert_eq!(window.size(), 2);
    }

    #[test]
    fn it_stays_within_its_bounds_and_still_where_it_does_not_adapt() {
        let mut bounded = window(1, 4, 16, true);
        assert_eq!(bounded.size(), 4);
        for _ in 0..100 {
            let number = bounded.begin();
            bounded.end(number, false);
        }
        assert_eq!(bounded.size(), 4);
        assert_eq!(window(50, 100, 3, true).size(), 3);
        let mut still = window(1, 4, 16, false);
        let number = still.begin();
        still.end(number, true);
        assert_eq!(still.size(), 16);
    }
}
