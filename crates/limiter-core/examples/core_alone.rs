//! Twelve requests through two limits, without a clock: time is a variable that jumps to where the core says.
//!
//! ```text
//! cargo run --package limiter-core --example core_alone
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks to the person who runs it")]

use limiter_core::{Admission, Amounts, Cost, Dimension, Limit, Limiter, Nanos, NeverFits, Priority};

fn main() -> Result<(), NeverFits> {
    let mut now = Nanos::ZERO;
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Requests, 10), now);
    limiter.set_limit(Limit::per_minute(Dimension::Tokens, 6_000), now);

    for _ in 0..12 {
        // A prompt of 200 tokens that may produce 600.
        limiter.enqueue(&Cost::of_request(200, 600), Priority::NORMAL, now)?;
    }
    let mut sent = 0;
    loop {
        match limiter.admit(now) {
            Admission::Granted(_, reservation) => {
                sent += 1;
                println!("request {sent:>2} goes after {} s", now.as_secs_f64());
                // It produced 100: the other 500 come back at once.
                limiter.settle(reservation, &Amounts::of_request(200, 100), now);
            }
            Admission::NotYet(at) => now = at,
            Admission::Refused(_, never) => return Err(never),
            Admission::Blocked | Admission::Idle => return Ok(()),
        }
    }
}
