//! Limits that change while requests wait.

use limiter_core::{Dimension, Limit};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn who_waits_goes_at_once_when_a_limit_is_raised_or_removed() {
    let changes: [fn(&ChatLimiter); 3] = [
        |limiter| limiter.set_limit(Limit::per_minute(Dimension::Tokens, 6_000)),
        |limiter| assert!(limiter.remove_limit(Dimension::Tokens, MINUTE)),
        |limiter| limiter.set_limit_for("m", Limit::per_minute(Dimension::Tokens, 6_000)),
    ];
    for change in changes {
        let limiter = builder().tokens_per_minute(60).build().unwrap();
        answered(&limiter, "m", tokens(60)).await;
        let clone = limiter.clone();
        let waiting = tokio::spawn(async move { seconds(answered(&clone, "m", tokens(60))).await.0 });
        tokio::time::sleep(SECOND).await;
        change(&limiter);
        assert_eq!(waiting.await.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lowered_limit_holds_for_who_waits() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    answered(&limiter, "m", tokens(60)).await;
    let mut waiting = Box::pin(limiter.acquire("m", tokens(40)));
    assert!(futures::poll!(&mut waiting).is_pending());
    limiter.set_limit(Limit::per_minute(Dimension::Tokens, 30));
    assert!(waiting.await.unwrap_err().is_too_large());
}

#[tokio::test(start_paused = true)]
async fn each_model_has_its_own_limit_beside_the_one_for_all() {
    let limiter = builder()
        .tokens_per_minute(60)
        .limit_for("small", Limit::per_minute(Dimension::Tokens, 6_000))
        .limit_for("rare", Limit::per_minute(Dimension::Requests, 1))
        .build()
        .unwrap();
    answered(&limiter, "small", tokens(6_000)).await;
    answered(&limiter, "other", tokens(60)).await;
    answered(&limiter, "rare", tokens(1)).await;
    for model in ["small", "other", "rare"] {
        assert!(limiter.try_acquire(model, tokens(60)).unwrap().is_none(), "{model}");
    }
    tokio::time::advance(MINUTE).await;
    for model in ["small", "other", "rare"] {
        assert!(limiter.try_acquire(model, tokens(59)).unwrap().is_some(), "{model}");
    }
    // The limits of one are shown with it, and in its place that for all.
    let limits = limiter.current_limits();
    let of = |model: &str| limits.iter().find(|it| it.models.iter().any(|name| name == model)).unwrap().token_limit;
    assert_eq!((of("small"), of("rare")), (Some(6_000), Some(60)));
    assert!(limiter.remove_limit_for("small", Dimension::Tokens, MINUTE));
    assert!(limiter.acquire("small", tokens(61)).await.unwrap_err().is_too_large());
}

#[tokio::test(start_paused = true)]
async fn a_model_with_limits_of_its_own_stays_alone_whatever_answers_say() {
    let limiter = builder().limit_for("own", Limit::per_minute(Dimension::Requests, 50)).build().unwrap();
    for _ in 0..3 {
        for model in ["own", "a", "b"] {
            let mut permit = limiter.acquire(model, tokens(1)).await.unwrap();
            state_requests(&mut permit, "1000", "900");
            permit.settle_as_reserved();
        }
    }
    let models: Vec<_> = limiter.current_limits().iter().map(|limits| limits.models.join(",")).collect();
    assert!(models.contains(&"own".to_owned()) && models.contains(&"a,b".to_owned()), "{models:?}");
    let own = limiter.current_limits().into_iter().find(|limits| limits.models == ["own"]).unwrap();
    assert_eq!(own.request_limit, Some(50), "the caller's is below the provider's");
}

#[tokio::test(start_paused = true)]
async fn the_number_in_flight_follows_at_once() {
    let limiter = builder().concurrency(1).requests_per_minute(1_000).build().unwrap();
    let first = limiter.acquire("m", tokens(1)).await.unwrap();
    let mut second = Box::pin(limiter.acquire("m", tokens(1)));
    assert!(futures::poll!(&mut second).is_pending());
    limiter.set_concurrency(2);
    let second = second.await.unwrap();
    limiter.set_concurrency(0);
    assert_eq!(limiter.concurrency(), 1);
    drop(first);
    assert!(limiter.try_acquire("m", tokens(1)).unwrap().is_none());
    drop(second);
    assert!(limiter.try_acquire("m", tokens(1)).unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_buffer_is_kept_of_limits_told_and_found_and_may_change() {
    let limiter = builder().tokens_per_minute(100).buffer_ratio(0.5).build().unwrap();
    assert!(limiter.acquire("m", tokens(51)).await.unwrap_err().to_string().contains("50"));
    let mut permit = limiter.acquire("m", tokens(50)).await.unwrap();
    state_requests(&mut permit, "10", "6");
    permit.settle_as_reserved();
    let limits = limiter.current_limits().remove(0);
    assert_eq!((limits.token_limit, limits.request_limit), (Some(50), Some(5)));
    answered(&limiter, "m", tokens(0)).await;
    assert!(limiter.try_acquire("m", tokens(0)).unwrap().is_none(), "the last five of ten are left");
    let mut waiting = Box::pin(limiter.acquire("m", tokens(0)));
    assert!(futures::poll!(&mut waiting).is_pending());
    limiter.set_buffer_ratio(1.0).unwrap();
    assert_eq!(seconds(waiting).await.0, 0);
    assert_eq!(limiter.current_limits()[0].token_limit, Some(100));
    for wrong in [0.0, 1.5, f64::NAN] {
        assert!(limiter.set_buffer_ratio(wrong).unwrap_err().is_configuration());
        assert!(builder().token_buffer_ratio(wrong).build().unwrap_err().to_string().contains("buffer ratio"));
    }
}

#[tokio::test(start_paused = true)]
async fn however_many_models_have_limits_of_their_own_they_hold() {
    let limiter = (0..1_200)
        .fold(builder(), |builder, n| builder.limit_for(format!("m{n}"), Limit::per_minute(Dimension::Requests, 1)));
    let limiter = limiter.build().unwrap();
    for model in ["m0", "m1199"] {
        answered(&limiter, model, tokens(1)).await;
        tokio::time::advance(SECOND).await;
        assert!(limiter.try_acquire(model, tokens(1)).unwrap().is_none(), "{model}");
    }
}
