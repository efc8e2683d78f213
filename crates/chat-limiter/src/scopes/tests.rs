//! Models that part and come together.

use limiter_core::{Cost, LimitSource, LimitState, Priority, Reading};

use super::*;

const PATIENCE: Patience =
    Patience { wait: Nanos::from_secs(600), outage: Nanos::from_secs(900), silence: Nanos::from_secs(60) };

fn answer(limit: u64, remaining: u64) -> Observation {
    let mut observation = Observation::new();
    let reading = Reading::of(Dimension::Requests);
    observation.push(Reading { limit: Some(limit), remaining: Some(remaining), ..reading });
    observation
}

fn scopes(told: &[Limit], clock: Clock) -> Scopes {
    Scopes::new(Told::new(told.to_vec(), 1_000), &[], Order::Turn, clock, PATIENCE, crate::observe::Meters::new("test"))
}

/// Sends one request of each (model, limit, remaining) in turn.
async fn send(scopes: &Scopes, answers: &[(&str, u64, u64)]) {
    for (model, limit, remaining) in answers {
        let group: Arc<str> = (*model).into();
        let mut permit =
            scopes.of(model).acquire(&group, Cost::of_request(1, 0), Priority::NORMAL, false).await.unwrap();
        scopes.observe(&mut permit, &group, &answer(*limit, *remaining));
        permit.settle(None);
    }
}

/// The limits that answers told.
fn found(view: &View) -> Vec<LimitState> {
    view.state.limits.iter().filter(|known| known.source == LimitSource::Found).copied().collect()
}

fn sharing(scopes: &Scopes) -> Vec<Vec<String>> {
    let mut names: Vec<Vec<String>> = scopes
        .views()
        .into_iter()
        .map(|view| view.models.iter().map(ToString::to_string).collect())
        .filter(|names: &Vec<String>| !names.is_empty())
        .collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn models_that_draw_on_one_quota_stay_together() {
    let scopes = scopes(&[], Clock::start());
    send(&scopes, &[("a", 100, 99), ("b", 100, 98), ("a", 100, 97), ("b", 100, 96), ("c", 100, 95)]).await;
    assert_eq!(sharing(&scopes), [["a", "b", "c"]]);
}

#[tokio::test(start_paused = true)]
async fn models_with_other_limits_part_and_equal_ones_come_together() {
    let scopes = scopes(&[], Clock::start());
    send(&scopes, &[("a", 100, 99), ("b", 500, 499), ("c", 500, 498), ("d", 100, 98), ("c", 500, 497)]).await;
    assert_eq!(sharing(&scopes), [["a", "d"], ["b", "c"]]);
    let states = scopes.views();
    assert_eq!(found(&states[1])[0].level, 497);
}

#[tokio::test(start_paused = true)]
async fn models_with_equal_limits_part_when_they_are_counted_apart() {
    let scopes = scopes(&[], Clock::start());
    for _ in 0..4 {
        for answer in [("a", 1_000, 300), ("b", 1_000, 990)] {
            send(&scopes, &[answer]).await;
            tokio::time::advance(std::time::Duration::from_millis(1_100)).await;
        }
    }
    assert_eq!(sharing(&scopes), [["a"], ["b"]]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_for_all_moves_all_of_them() {
    let scopes = scopes(&[], Clock::start());
    send(&scopes, &[("a", 100, 99), ("b", 100, 98), ("a", 200, 197), ("b", 200, 196), ("a", 200, 195)]).await;
    assert_eq!(sharing(&scopes), [["a", "b"]]);
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_everybody_left_shows_no_limits() {
    let scopes = scopes(&[], Clock::start());
    for (model, limit, left) in [("a", 100, 99), ("b", 100, 98), ("a", 200, 197), ("b", 200, 196), ("a", 200, 195)] {
        send(&scopes, &[(model, limit, left)]).await;
    }
    let all: Vec<_> = scopes.views().into_iter().map(|view| (view.models.clone(), found(&view).len())).collect();
    assert!(all.iter().all(|(models, limits)| !models.is_empty() || *limits == 0), "{all:?}");
}
/// The caller's own ceiling of 10 a minute, two models whose stated limits change with every answer.
#[tokio::test(start_paused = true)]
async fn the_callers_ceiling_holds_for_one_model_that_moves() {
    let clock = Clock::start();
    let told = vec![Limit::per_minute(Dimension::Requests, 10)];
    let scopes = scopes(&told, clock);
    let start = clock.now();
    let mut sent = 0;
    send(&scopes, &[("b", 1_000, 999)]).await;
    for n in 0..100_u64 {
        send(&scopes, &[("a", 1_000 + n, 900)]).await;
        if clock.now().saturating_sub(start) >= Nanos::MINUTE {
            break;
        }
        sent += 1;
    }
    assert!(sent <= 21, "{sent} requests of one model in a minute, of 10 that the caller allows");
}
/// The limit that is stated is raised once for all.
#[tokio::test(start_paused = true)]
async fn the_callers_ceiling_holds_when_a_limit_changes_once() {
    let clock = Clock::start();
    let scopes = scopes(&[Limit::per_minute(Dimension::Requests, 10)], clock);
    let start = clock.now();
    let mut sent = 0;
    for n in 0..100_u64 {
        if n == 1 {
            send(&scopes, &[("b", 1_000, 999)]).await;
        }
        send(&scopes, &[("a", if n < 8 { 1_000 } else { 2_000 }, 900)]).await;
        if clock.now().saturating_sub(start) >= Nanos::from_millis(500) {
            break;
        }
        sent += 1;
    }
    assert!(sent <= 10, "{sent} requests of one model at one instant, of 10 a minute that the caller allows");
}
