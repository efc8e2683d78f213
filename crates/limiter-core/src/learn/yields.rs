//! How much of what may be produced really is.

/// What requests that were answered produced, beside what was reserved for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Yield {
    reserved: u64,
    produced: u64,
    answers: u32,
}

/// After so many answers the older ones count half: enough for a mean, few enough to follow a file that changes.
const MEMORY: u32 = 64;
const ONE: u64 = 1_024;

impl Yield {
    pub(crate) const fn new() -> Self {
        Self { reserved: 0, produced: 0, answers: 0 }
    }

    /// A request for which `reserved` was reserved produced `produced`.
    pub(crate) fn learn(&mut self, reserved: u64, produced: u64) {
        if self.answers >= MEMORY {
            (self.reserved, self.produced, self.answers) = (self.reserved / 2, self.produced / 2, MEMORY / 2);
        }
        self.reserved = self.reserved.saturating_add(reserved);
        self.produced = self.produced.saturating_add(produced);
        self.answers += 1;
    }

    /// The mean, in 1,024 parts of what was reserved: all of it before anything is known.
    pub(crate) fn parts(&self) -> u64 {
        if self.reserved == 0 {
            return ONE;
        }
        let parts = u128::from(self.produced) * u128::from(ONE) / u128::from(self.reserved);
        u64::try_from(parts).unwrap_or(u64::MAX).clamp(1, 4 * ONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_is_produced_is_a_mean_that_follows() {
        let mut share = Yield::new();
        assert_eq!(share.parts(), ONE);
        share.learn(100, 25);
        assert_eq!(share.parts(), 256);
        (0..1_000).for_each(|_| share.learn(100, 50));
        assert_eq!(share.parts(), 511);
        share.learn(u64::MAX, u64::MAX);
        assert!(share.parts() > 511);
    }
}
