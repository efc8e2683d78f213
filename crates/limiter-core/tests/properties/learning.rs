//! What a limiter learns from long conversations about one limit, sensible or not: how requests are charged, and a rate
//! between refusals. Whatever it was, requests go at the instant that is answered, and nothing overflows.

use limiter_core::{Amounts, Cost, Dimension, Limit, Limiter, Nanos, Observation, Reading, Refusal};
use proptest::prelude::*;

use crate::inputs::any_units;
use crate::robust::{Checked, One, amounts, cost};
use crate::sequences;

/// A request and its answer.
#[derive(Clone, Debug)]
struct Exchange {
    /// How long after the one before.
    after: Nanos,
    cost: Cost,
    /// What the answer says, if anything: what the limit is, and what remains.
    word: Option<(u64, u64)>,
    actual: Amounts,
    end: End,
    /// Which of those in flight it is that ends, and how many stay.
    which: usize,
    stay: usize,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Settle,
    Refuse(Option<Nanos>),
    Fail(bool),
    Release,
    Forfeit,
}

fn exchange(dimension: Dimension, is_told: bool) -> BoxedStrategy<Exchange> {
    let after = prop_oneof![4 => 0_u64..500, 1 => 0_u64..20_000].prop_map(Nanos::from_millis);
    // A request that is not limited in this dimension teaches nothing.
    let cost = prop_oneof![6 => (1_u64..1_000, 1_u64..1_000).prop_map(|(prompt, output)| Cost::of_request(prompt, output)), 1 => cost()];
    let limit = prop_oneof![8 => Just(60_000_u64), 1 => Just(30_000), 1 => any_units()];
    let remaining = prop_oneof![6 => 0_u64..60_000, 1 => any_units()];
    let word = proptest::option::weighted(0.9, (limit, remaining));
    let actual = prop_oneof![6 => (0_u64..1_000, 0_u64..2_000).prop_map(|(prompt, output)| Amounts::of_request(prompt, output)), 1 => amounts()];
    let hint = proptest::option::of((0_u64..70_000).prop_map(Nanos::from_millis));
    let end = prop_oneof![
        8 => Just(End::Settle),
        2 => hint.prop_map(End::Refuse),
        1 => any::<bool>().prop_map(End::Fail),
        1 => Just(End::Release),
        1 => Just(End::Forfeit),
    ];
    let rest = (actual, end, 0_usize..20, 0_usize..20);
    (after, cost.boxed(), word.boxed(), rest.boxed())
        .prop_map(move |(after, cost, word, (actual, end, which, stay))| {
            // A limit of requests is counted in requests.
            let word = word.filter(|_| is_told).map(|(limit, left)| {
                if dimension == Dimension::Requests { (limit / 100, left / 100) } else { (limit, left) }
            });
            Exchange { after, cost, word, actual, end, which, stay }
        })
        .boxed()
}

/// How often another instant may be answered.
const AGAIN: usize = 8;

/// Reserves at the instant that is answered.
fn reserve(one: &mut One, live: &mut Vec<limiter_core::Reservation>, cost: &Cost) -> Checked {
    match one.limiter.try_reserve(cost, one.latest) {
        Ok(reservation) => live.push(reservation),
        Err(Refusal::NeverFits(never)) => {
            prop_assert!(never.needed > never.capacity);
            return Ok(());
        }
        Err(Refusal::NotYet { ready_at: Nanos::MAX }) => {
            prop_assert!(!live.is_empty(), "blocked with nothing in flight");
            return Ok(());
        }
        Err(Refusal::NotYet { ready_at }) => {
            one.check_answer(ready_at)?;
            // What is held possible until it is over (others, slices, a turn) may move the instant while time passes: it is
            // answered anew then, a few times at most.
            let mut ready_at = ready_at;
            for _ in 0..AGAIN {
                one.latest = ready_at;
                match one.limiter.try_reserve(cost, ready_at) {
                    Ok(reservation) => {
                        live.push(reservation);
                        one.own.push(*cost);
                        return Ok(());
                    }
                    Err(Refusal::NotYet { ready_at: later }) => {
                        prop_assert!(later > ready_at, "{:?} at {:?}", later, ready_at);
                        ready_at = later;
                    }
                    Err(never) => prop_assert!(false, "{:?}", never),
                }
            }
            prop_assert!(false, "not served by {:?}", ready_at);
        }
    }
    one.own.push(*cost);
    Ok(())
}

fn converse(mut limiter: Limiter, dimension: Dimension, exchanges: Vec<Exchange>) -> Checked {
    limiter.set_limit(Limit::concurrent(64), Nanos::ZERO);
    let mut one = One { limiter, latest: Nanos::SECOND, own: Vec::new() };
    let mut live = Vec::new();
    for exchange in exchanges {
        one.latest = one.latest.saturating_add(exchange.after);
        reserve(&mut one, &mut live, &exchange.cost)?;
        while live.len() > exchange.stay {
            let mut reservation = live.swap_remove(exchange.which % live.len());
            let (limiter, now) = (&mut one.limiter, one.latest);
            let mut said = Observation::new();
            said.refused = matches!(exchange.end, End::Refuse(_));
            if let Some((limit, left)) = exchange.word {
                said.push(Reading { limit: Some(limit), remaining: Some(left), ..Reading::of(dimension) });
            }
            limiter.observe(&mut reservation, &said, now);
            match exchange.end {
                End::Settle => limiter.settle(reservation, &exchange.actual, now),
                End::Refuse(hint) => limiter.refuse(reservation, hint, now, 7),
                End::Fail(sent) => limiter.fail(reservation, sent, now, 7),
                End::Release => limiter.release(reservation, now),
                End::Forfeit => limiter.forfeit(reservation, now),
            }
            one.check(0)?;
        }
    }
    for reservation in live {
        one.limiter.forfeit(reservation, one.latest);
    }
    prop_assert_eq!(one.limiter.in_flight_amounts(), Amounts::ZERO);
    Ok(())
}

fn conversation(is_told: bool) -> impl Strategy<Value = (Dimension, Vec<Exchange>)> {
    let dimension = prop_oneof![
        3 => Just(Dimension::Tokens),
        1 => Just(Dimension::Requests),
        1 => Just(Dimension::InputTokens),
        1 => Just(Dimension::OutputTokens),
    ];
    dimension.prop_flat_map(move |dimension| {
        (Just(dimension), proptest::collection::vec(exchange(dimension, is_told), 1..150))
    })
}

proptest! {
    #![proptest_config(sequences(100))]

    #[test]
    fn property_3_and_7_requests_go_at_the_instant_answered_whatever_is_learned_of_how_they_are_charged(
        (dimension, exchanges) in conversation(true),
    ) {
        converse(Limiter::new(), dimension, exchanges)?;
    }

    #[test]
    fn property_3_requests_go_at_the_instant_answered_whatever_rate_is_measured_where_nothing_is_told(
        (dimension, exchanges) in conversation(false),
    ) {
        converse(Limiter::new(), dimension, exchanges)?;
    }

    #[test]
    fn property_3_requests_go_at_the_instant_answered_whatever_is_expected(
        (dimension, exchanges) in any::<bool>().prop_flat_map(conversation),
        expected in 1_u64..100_000,
    ) {
        let mut limiter = Limiter::new();
        limiter.expect_limit(Limit::per_minute(dimension, expected), Nanos::ZERO);
        converse(limiter, dimension, exchanges)?;
    }
}
