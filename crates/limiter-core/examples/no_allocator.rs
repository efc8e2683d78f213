//! Three limits in an array: no allocator, no queue, no clock. A sensor sends reports over a metered link.
//!
//! ```text
//! cargo run --package limiter-core --example no_allocator --no-default-features
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks to the person who runs it")]

use limiter_core::{Amounts, Bucket, Cost, Dimension, Limit, Nanos, NeverFits, Quota, Refill, Refusal};

/// Six reports a minute of which two may go at once, 1,000 bytes an hour from each full hour on, one at a time.
/// Bytes are metered as tokens: the names of the dimensions are a service's, the arithmetic is the same for all.
fn limits(now: Nanos) -> Quota<[Bucket; 3]> {
    let bytes = Limit::new(Dimension::Tokens, 1_000, Nanos::HOUR);
    Quota::new([
        Bucket::full(Limit::per_minute(Dimension::Requests, 6).with_burst(2), now),
        Bucket::full(bytes.with_refill(Refill::AtBoundary { phase: Nanos::ZERO }), now),
        Bucket::full(Limit::concurrent(1), now),
    ])
}

/// One report: one request, and its bytes. That it is one in flight goes without saying, and comes back when it ends.
fn report(bytes: u64) -> Amounts {
    Amounts::ZERO.with(Dimension::Requests, 1).with(Dimension::Tokens, bytes)
}

fn main() -> Result<(), NeverFits> {
    // A device passes in what its timer says. Here time jumps to where the quota says.
    let mut now = Nanos::from_secs(3_500);
    let mut quota = limits(now);
    let mut sent = [Nanos::ZERO; 5];
    for at in &mut sent {
        // At least 50 bytes, at most 400: how many it will be shows on the way.
        let cost = Cost::estimate(report(50), report(400));
        let taken = loop {
            match quota.try_take(&cost, now) {
                Ok(taken) => break taken,
                Err(Refusal::NotYet { ready_at }) => now = ready_at,
                Err(Refusal::NeverFits(never)) => return Err(never),
            }
        };
        // Nothing else goes while this one is on its way: that ends with it, and with no instant.
        assert_eq!(quota.ready_at(&cost, now), Ok(Nanos::MAX));
        println!("a report goes after {} s", now.as_secs_f64());
        *at = now;
        // It was 350 bytes: 50 come back.
        quota.settle(taken, &cost, &report(350), now);
    }
    // Two at once; then the third needs 400 bytes of 300 and waits for the hour, at which two have come back.
    assert_eq!(sent.map(|at| at.get() / Nanos::SECOND.get()), [3_500, 3_500, 3_600, 3_600, 7_200]);

    // The certain part is larger than an hour's bytes: that is an error at once, and nothing was taken.
    let never = NeverFits { dimension: Dimension::Tokens, needed: 1_001, capacity: 1_000 };
    assert_eq!(quota.try_take(&Cost::exact(report(1_001)), now), Err(Refusal::NeverFits(never)));
    Ok(())
}
