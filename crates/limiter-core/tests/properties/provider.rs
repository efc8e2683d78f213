//! Truth from the server, end to end: an exact provider whose answers come late and in any order, and nobody else on it.

use limiter_core::{Amounts, Cost, Limit, Limiter, Nanos, Observation, Refusal, Reservation};
use proptest::prelude::*;

use crate::observation::{TOKENS, says, uncertain, window};
use crate::oracle::{History, instant};
use crate::sequences;

/// A request to a provider: when it is wanted, what it takes, how long it travels (in thousandths of the span for which
/// its count may be uncertain), and how long its answer does.
#[derive(Clone, Copy, Debug)]
struct Sent {
    later: u64,
    tokens: u64,
    there: u64,
    back: u64,
}

fn sent() -> impl Strategy<Value = Sent> {
    let later = prop_oneof![Just(0), 0_u64..500_000_000, 0_u64..20_000_000_000];
    let back = prop_oneof![0_u64..500_000_000, 0_u64..20_000_000_000];
    (later, 1_u64..=400, 0_u64..=1_000, back).prop_map(|(later, tokens, there, back)| Sent {
        later,
        tokens,
        there,
        back,
    })
}

/// A provider that counts a request when it arrives, and the client's limiter.
struct Traffic {
    limiter: Limiter,
    provider: History,
    /// Those on their way there, and those on their way back with what they say.
    going: Vec<(Nanos, Sent, Reservation)>,
    coming: Vec<(Nanos, Sent, Reservation, Observation)>,
    refused: i64,
}

impl Traffic {
    /// When the next thing happens.
    fn next(&self) -> Option<Nanos> {
        let going = self.going.iter().map(|(at, ..)| *at);
        going.chain(self.coming.iter().map(|(at, ..)| *at)).min()
    }

    /// Lets happen what happens until `now`.
    fn pass(&mut self, now: Nanos) {
        while let Some(at) = self.next().filter(|at| *at <= now) {
            if let Some(index) = self.going.iter().position(|going| going.0 == at) {
                let (at, sent, reservation) = self.going.remove(index);
                let lacking = sent.tokens.cast_signed() - self.provider.level(instant(at));
                self.refused = self.refused.max(lacking);
                self.provider.take(sent.tokens, instant(at));
                let left = u64::try_from(self.provider.level(instant(at))).unwrap_or(0);
                let observation = says(self.provider.limit(), left);
                self.coming.push((at.saturating_add(Nanos::new(sent.back)), sent, reservation, observation));
            } else if let Some(index) = self.coming.iter().position(|coming| coming.0 == at) {
                let (at, sent, mut reservation, observation) = self.coming.remove(index);
                self.limiter.observe(&mut reservation, &observation, at);
                self.limiter.settle(reservation, &Amounts::of_request(sent.tokens, 0), at);
            }
        }
    }
}

proptest! {
    #![proptest_config(sequences(200))]

    #[test]
    fn property_7_a_provider_that_counts_in_time_lacks_no_more_than_comes_back_while_a_request_travels(
        (window, amount) in (window(), 400_u64..20_000),
        taken_before in 0_u64..20_000,
        requests in proptest::collection::vec(sent(), 2..40),
    ) {
        let limit = Limit::new(TOKENS, amount, window);
        let mut provider = History::new(limit);
        provider.take(taken_before.min(amount - 400), 0);
        let limiter = Limiter::new();
        let mut traffic = Traffic { limiter, provider, going: Vec::new(), coming: Vec::new(), refused: 0 };
        let mut now = Nanos::ZERO;
        for (index, sent) in requests.into_iter().enumerate() {
            now = now.saturating_add(Nanos::new(sent.later));
            traffic.pass(now);
            let reservation = loop {
                match traffic.limiter.try_reserve(&Cost::of_request(sent.tokens, 0), now) {
                    Ok(reservation) => break reservation,
                    Err(Refusal::NotYet { ready_at }) => {
                        now = traffic.next().unwrap_or(ready_at).min(ready_at);
                        traffic.pass(now);
                    }
                    Err(never) => prop_assert!(false, "{:?}", never),
                }
            };
            let arrives = now.saturating_add(Nanos::new(uncertain(window).get() / 1_000 * sent.there));
            traffic.going.push((arrives, sent, reservation));
            if index == 0 {
                // Before the first answer nothing is known.
                now = arrives.saturating_add(Nanos::new(sent.back));
                traffic.pass(now);
            }
        }
        traffic.pass(Nanos::MAX);
        // While a request travels, a full bucket here refills that is still full there.
        let travels = u128::from(uncertain(window).get());
        let comes_back = i64::try_from(u128::from(amount) * travels / u128::from(window.get())).unwrap();
        // Of what leaves no more than a second's part, as much again may be thought to come back in a second.
        prop_assert!(traffic.refused <= 2 * comes_back + 1, "{} lacked", traffic.refused);
    }
}
