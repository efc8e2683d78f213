//! Requests that are dropped, at every point of their path.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use chat_limiter::limiter_core::Dimension;
use chat_limiter::tokenizer::Encoding;
use chat_limiter::{ChatLimiter, ChatRequest, Error, Message, Request};
use chat_limiter_tests::{Face, Part, Reply, Scripted, in_flight, waiting, wire};
use futures::future::LocalBoxFuture;
use futures::{FutureExt, TryStreamExt};
use serde_json::json;
use simulator::{Config, Simulator};

/// When a future is dropped: at once after so many polls, or when it is woken after them, so that what it waited for has
/// happened and it does not know yet.
#[derive(Clone, Copy, Debug)]
enum Drop {
    AfterPolls(usize),
    WhenWokenAfterPolls(usize),
}

/// A future that is dropped early.
struct Dropped<F> {
    future: Option<Pin<Box<F>>>,
    when: Drop,
}

impl<F: Future> Dropped<F> {
    fn new(when: Drop, future: F) -> Self {
        Self { future: Some(Box::pin(future)), when }
    }
}

impl<F: Future> Future for Dropped<F> {
    /// `None` where it was dropped.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (Drop::AfterPolls(left) | Drop::WhenWokenAfterPolls(left)) = &mut this.when;
        if let Some(future) = this.future.as_mut().filter(|_| *left > 0) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            *left -= 1;
            if *left > 0 || matches!(this.when, Drop::WhenWokenAfterPolls(_)) {
                return Poll::Pending;
            }
        }
        this.future = None;
        Poll::Ready(None)
    }
}

/// No path has more awaits than this.
const MOST_POLLS: usize = 200;

const TOKENS_PER_MINUTE: u64 = 6_000;

/// A request that takes about a sixtieth of the limit: a second's worth of it.
fn small() -> Request {
    Face::OpenAi.question("gpt-4o-mini", 20, 80)
}

/// A request that takes all of the limit there is: it goes when the bucket is full.
fn whole() -> Request {
    Face::OpenAi.question("gpt-4o-mini", 20, TOKENS_PER_MINUTE)
}

/// A client with one slot and a limit that it is told: it notices whatever is lost.
fn client(server: &Scripted) -> ChatLimiter {
    server.client(Face::OpenAi).concurrency(1).tokens_per_minute(TOKENS_PER_MINUTE).build().unwrap()
}

fn level(client: &ChatLimiter) -> u64 {
    let limits = client.limits();
    let limit = limits[0].state.limits.iter().find(|state| state.limit.dimension() == Dimension::Tokens).unwrap();
    u64::try_from(limit.level).unwrap()
}

/// A server that does the same about every request while it is in trouble, and the switch.
fn in_trouble(reply: Reply) -> (Scripted, Arc<AtomicBool>) {
    let trouble = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&trouble);
    let script = move |_| if trouble.load(Ordering::Relaxed) { reply.clone() } else { Reply::success_without_usage() };
    (Scripted::new(script), switch)
}

/// What is left when a request was dropped: nobody in flight, nobody waiting, and a request for the whole limit goes at
/// the instant at which the level that is seen has filled up, or the pause has ended that the server asked for. That
/// needs the one slot, too.
async fn nothing_leaked(server: &Scripted, client: &ChatLimiter, pause: Duration) {
    assert_eq!((in_flight(client), waiting(client)), (0, 0));
    let dropped = server.now();
    let missing = TOKENS_PER_MINUTE - level(client);
    let full_at = dropped + Duration::from_secs(60).mul_f64(missing as f64 / TOKENS_PER_MINUTE as f64);
    // Who is dropped before it has read the answer does not know of a pause.
    let is_paused = client.limits().iter().any(|scope| scope.state.paused_until.is_some());
    let paused_until = server.arrivals().last().filter(|_| is_paused).map_or(dropped, |arrival| *arrival + pause);
    let attempts = client.request(whole()).await.unwrap().attempts;
    let at = *server.arrivals().last().unwrap();
    // The level that is shown is cut to a whole token: up to 10 ms of refill.
    let earliest = full_at.saturating_sub(Duration::from_millis(10)).max(paused_until).max(dropped);
    let latest = full_at.max(paused_until) + Duration::from_millis(1);
    assert!((earliest..=latest).contains(&at), "{at:?}, not from {earliest:?} to {latest:?}");
    assert_eq!(attempts, 1);
}

/// What is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Request,
    Chat,
    /// A stream, from its request to its last event.
    Stream,
    ChatStream,
    /// The same, as bytes.
    Bytes,
}

impl Call {
    const ALL: [Self; 5] = [Self::Request, Self::Chat, Self::Stream, Self::ChatStream, Self::Bytes];

    fn run(self, client: &ChatLimiter) -> LocalBoxFuture<'_, Result<(), Error>> {
        async move {
            let mut chat = ChatRequest::new("gpt-4o-mini", vec![Message::user("Hello!")]);
            chat.max_tokens = Some(80);
            let stream = match self {
                Self::Request => return client.request(small()).await.map(drop),
                Self::Chat => return client.chat_with(&chat).await.map(drop),
                Self::Stream | Self::Bytes => client.stream(small()).await?,
                Self::ChatStream => client.chat_stream(&chat).await?,
            };
            match self {
                Self::Bytes => stream.into_bytes().map_ok(drop).try_collect().await,
                _ => stream.map_ok(drop).try_collect().await,
            }
        }
        .boxed_local()
    }

    fn is_stream(self) -> bool {
        !matches!(self, Self::Request | Self::Chat)
    }
}

/// Drops a call at every point of its path, until it ends before that or the server has seen it `longest` times.
/// Returns how often the server had seen it, for each point.
async fn dropped_at_every_point(call: Call, reply: Reply, pause: Duration, longest: usize) -> Vec<usize> {
    let mut seen = Vec::new();
    for when in [Drop::AfterPolls, Drop::WhenWokenAfterPolls] {
        for is_first in [true, false] {
            for polls in 0.. {
                assert!(polls < MOST_POLLS, "the request does not end");
                let (server, trouble) = in_trouble(reply.clone());
                let client = client(&server);
                // Tokens are counted on another thread once, which takes one poll more or less.
                if !is_first {
                    client.request(small()).await.unwrap();
                }
                let before = server.arrivals().len();
                trouble.store(true, Ordering::Relaxed);
                if Dropped::new(when(polls), call.run(&client)).await.is_some() {
                    break;
                }
                seen.push(server.arrivals().len() - before);
                trouble.store(false, Ordering::Relaxed);
                nothing_leaked(&server, &client, pause).await;
                if seen.last().is_some_and(|times| *times >= longest) {
                    break;
                }
            }
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_on_its_way_leaks_nothing() {
    for call in Call::ALL {
        let seen = dropped_at_every_point(call, Reply::success(), Duration::ZERO, 2).await;
        assert!(seen.contains(&0) && seen.contains(&1), "{call:?}: dropped before and after it was sent: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_dropped_between_any_two_of_its_parts_leaks_nothing() {
    let text = |text| [Part::Wait(Duration::from_millis(3)), Part::text(text)];
    let parts = [text("One"), text("two"), text("three")].concat();
    let broken = [&parts[..], &[Part::Wait(Duration::from_millis(3)), Part::Break]].concat();
    let failed = [&parts[..], &[Part::event(&json!({"error": {"code": 502, "message": "Sorry."}}))]].concat();
    let ends = [&parts[..], &[Part::Wait(Duration::from_millis(3)), Part::end(20, 3)]].concat();
    for call in Call::ALL.into_iter().filter(|call| call.is_stream()) {
        for parts in [&broken, &failed, &ends] {
            let seen = dropped_at_every_point(call, Reply::stream(parts.clone()), Duration::ZERO, 2).await;
            let while_it_came = seen.iter().filter(|times| **times == 1).count();
            // On two clients, each dropped in two ways, at each of the four waits at least.
            assert!(while_it_came >= 16, "{call:?}: dropped {while_it_came} times while it came: {seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_to_be_tried_again_leaks_nothing() {
    for call in [Call::Request, Call::Stream] {
        for (status, name) in [(503, "overloaded"), (429, "rate_limit_exceeded")] {
            let trouble = Reply::error(status, &[("retry-after", "7")], name, "Later.");
            let seen = dropped_at_every_point(call, trouble, Duration::from_secs(7), 3).await;
            assert!(
                (0..3).all(|times| seen.contains(&times)),
                "{status}: dropped on its first and second way: {seen:?}"
            );
        }
    }
}

/// When the request behind one that is dropped arrives, and how many had arrived. Before them, one used the limit up.
async fn behind_one_dropped(when: Drop) -> (Duration, usize) {
    let server = Scripted::new(|_| Reply::success_without_usage());
    let client = client(&server);
    client.request(whole()).await.unwrap();
    let dropped = Dropped::new(when, client.request(small()));
    let (_, behind) = tokio::join!(dropped, client.request(small()));
    behind.unwrap();
    assert_eq!((in_flight(&client), waiting(&client)), (0, 0));
    let arrivals = server.arrivals();
    (arrivals[arrivals.len() - 1], arrivals.len())
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_request_that_is_dropped_goes_in_its_place() {
    let (alone, _) = behind_one_dropped(Drop::AfterPolls(0)).await;
    let (behind, _) = behind_one_dropped(Drop::AfterPolls(usize::MAX)).await;
    assert!(behind > alone, "{behind:?} behind another, {alone:?} alone");
    let mut in_its_place = 0;
    for when in [Drop::AfterPolls, Drop::WhenWokenAfterPolls] {
        for polls in 0..10 {
            let (at, arrivals) = behind_one_dropped(when(polls)).await;
            // What may have been sent stays counted.
            assert!(at == behind || at == alone && arrivals == 2, "after {polls} polls: {at:?}, {arrivals} arrivals");
            in_its_place += u32::from(at == alone);
        }
    }
    // Not polled at all, dropped in the queue, and dropped when it was granted and did not know yet.
    assert!(in_its_place >= 4, "only {in_its_place} times");
}

#[tokio::test(start_paused = true)]
async fn of_many_requests_every_third_is_dropped_and_the_others_are_answered() {
    Encoding::for_model_or_default("gpt-4o-mini").load();
    let config = Config::default().with_requests_per_minute(600).with_tokens_per_minute(60_000);
    let simulator = Simulator::new(config).unwrap();
    let client = Face::OpenAi.client(wire::to(&simulator)).concurrency(20).build().unwrap();
    let requests = (0..300).map(|number| {
        let polls = if number % 3 == 0 { number % 8 } else { usize::MAX };
        Dropped::new(Drop::AfterPolls(polls), client.request(Face::OpenAi.question("gpt-4o-mini", 100, 400)))
    });
    let outcomes = futures::future::join_all(requests).await;
    let answered = outcomes.iter().flatten().filter(|outcome| outcome.is_ok()).count();
    let dropped = outcomes.iter().filter(|outcome| outcome.is_none()).count();
    assert_eq!(answered + dropped, 300);
    assert!(dropped >= 50, "{dropped} dropped");
    assert_eq!((in_flight(&client), waiting(&client)), (0, 0));
    client.request(small()).await.unwrap();
}
