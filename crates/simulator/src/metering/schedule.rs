//! The disturbances of one limit, in the order in which they come.

use std::time::Duration;

use super::units::{billionths, nanoseconds, part};
use crate::Disturbance;

/// The longest step in which somebody else takes, in nanoseconds, and the shortest.
const STEPS: (i128, i128) = (100_000_000, 1_000_000);
/// The fewest steps in which somebody else takes a window's worth, and the most.
const PER_DEPTH: (i128, i128) = (10, 600);

/// Somebody else who takes a share of a limit.
#[derive(Clone, Copy, Debug)]
struct Client {
    from: i128,
    until: i128,
    /// In billionths.
    share: i128,
}

/// What happens to a limit by the clock. Times are nanoseconds since the Unix epoch.
#[derive(Debug)]
pub(super) struct Schedule {
    clients: Vec<Client>,
    /// When the limit changes, and to how many billionths of what was configured; in order.
    changes: Vec<(i128, i128)>,
    /// The time between two takings by somebody else. They happen at whole multiples of it, so that a second of the
    /// calendar begins untouched.
    step: i128,
}

impl Schedule {
    /// What `disturbances` mean to a limit of this depth whose provider started at `started`.
    pub(super) fn new(disturbances: &[Disturbance], depth: i128, started: Duration) -> Self {
        let time = |since_start: Duration| nanoseconds(started.saturating_add(since_start));
        let (longest, shortest) = STEPS;
        let (fewest, most) = PER_DEPTH;
        // A shallow bucket holds less than a long step takes; a log of short steps of a long window is too long.
        let step = (depth / fewest).clamp(shortest, longest).max(depth / most);
        let (mut clients, mut changes) = (Vec::new(), Vec::new());
        for disturbance in disturbances {
            match *disturbance {
                Disturbance::OtherClient { from, until, share } => {
                    clients.push(Client { from: time(from), until: time(until), share: billionths(share) });
                }
                Disturbance::LimitFactor { at, factor } => changes.push((time(at), billionths(factor))),
                Disturbance::ChargeChange { .. } | Disturbance::Failing { .. } | Disturbance::Stopped { .. } => {}
            }
        }
        changes.sort_by_key(|&(at, _)| at);
        Self { clients, changes, step }
    }

    /// When something happens next, after `after`.
    pub(super) fn next(&self, after: i128) -> Option<i128> {
        let taking = |client: &Client| {
            let at = (after.max(client.from).div_euclid(self.step) + 1) * self.step;
            (at - self.step < client.until).then_some(at)
        };
        let change = self.changes.iter().map(|&(at, _)| at).find(|&at| at > after);
        self.clients.iter().filter_map(taking).chain(change).min()
    }

    /// What others take of a limit of `per_minute` at `at`, for the step that ends there; nothing between two steps.
    pub(super) fn taken(&self, at: i128, per_minute: u64) -> impl Iterator<Item = i128> {
        let step = if at.rem_euclid(self.step) == 0 { self.step } else { 0 };
        self.clients.iter().map(move |client| {
            let span = at.min(client.until) - client.from.max(at - step);
            part(i128::from(per_minute).saturating_mul(span.max(0)), client.share)
        })
    }

    /// The limit at `at` where `configured` was configured: never less than one.
    pub(super) fn limit(&self, at: i128, configured: u64) -> u64 {
        let Some((_, factor)) = self.changes.iter().rfind(|&&(change, _)| change <= at) else { return configured };
        u64::try_from(part(i128::from(configured), *factor).max(1)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(disturbances: &[Disturbance], depth: Duration) -> Schedule {
        Schedule::new(disturbances, nanoseconds(depth), Duration::ZERO)
    }

    #[test]
    fn somebody_else_takes_at_whole_steps_and_for_the_span_alone() {
        let (from, until) = (Duration::from_millis(950), Duration::from_millis(1_120));
        let schedule = schedule(&[Disturbance::OtherClient { from, until, share: 0.5 }], 60 * SECOND);
        let mut at = 0;
        let mut taken = Vec::new();
        while let Some(next) = schedule.next(at) {
            at = next;
            taken.push((at / 1_000_000, schedule.taken(at, 10).sum::<i128>() / 1_000_000));
        }
        assert_eq!(taken, [(1_000, 250), (1_100, 500), (1_200, 100)]);
        assert_eq!(schedule.taken(1_050_000_000, 10).sum::<i128>(), 0);
    }

    #[test]
    fn steps_follow_the_depth_where_it_is_far_from_a_minute() {
        #[track_caller]
        fn check(depth: Duration, expected: Duration) {
            assert_eq!(schedule(&[], depth).step, nanoseconds(expected), "{depth:?}");
        }
        check(60 * SECOND, Duration::from_millis(100));
        check(SECOND, Duration::from_millis(100));
        check(Duration::from_millis(100), Duration::from_millis(10));
        check(Duration::from_nanos(1), Duration::from_millis(1));
        check(86_400 * SECOND, Duration::from_secs(144));
    }

    #[test]
    fn the_latest_change_holds_and_leaves_at_least_one() {
        let change = |seconds, factor| Disturbance::LimitFactor { at: seconds * SECOND, factor };
        let schedule = schedule(&[change(20, 0.001), change(10, 2.0)], 60 * SECOND);
        let limit = |seconds: i128| schedule.limit(seconds * 1_000_000_000, 300);
        assert_eq!([limit(9), limit(10), limit(19), limit(20)], [300, 600, 600, 1]);
        assert_eq!((schedule.next(0), schedule.next(10_000_000_000)), (Some(10_000_000_000), Some(20_000_000_000)));
    }
}
