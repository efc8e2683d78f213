//! Servers that do not say why they refuse, each with a client that has a file to send.
//!
//! A row is a server, a number of requests, the least time that anybody needs for them, how many times as long it may take
//! (over all, or after the first minute), and how many may be refused.

mod asked;
mod meter;
mod server;

use server::{Latency, Resets, Says, Server, Sizes};

use super::*;
use crate::{Dimension, Refill};

/// The time over all, to the least.
struct Within(f64);
/// The same after the first minute.
struct Later(f64);

trait Bound {
    fn of(&self, run: &server::Run, least: f64) -> (f64, f64);
}

impl Bound for Within {
    fn of(&self, run: &server::Run, least: f64) -> (f64, f64) {
        (run.seconds / least, self.0)
    }
}

impl Bound for Later {
    fn of(&self, run: &server::Run, least: f64) -> (f64, f64) {
        (run.later(least), self.0)
    }
}

#[track_caller]
fn check(name: &str, server: Server, (requests, least): (usize, f64), bound: impl Bound, refused: u64) {
    let run = server.run(requests);
    let (ratio, most) = bound.of(&run, least);
    let case = alloc::format!(
        "{name}: {requests} in {:.1} s instead of {least}: {ratio:.3}; {} refused; in each ten seconds {}",
        run.seconds,
        run.refused,
        run.per_ten
    );
    assert!(ratio <= most, "{case}");
    assert!(run.refused <= refused, "{case}");
}

fn bucket(per_minute: u64, burst: u64) -> Limit {
    Limit::per_minute(Dimension::Requests, per_minute).with_burst(burst)
}

fn window(amount: u64, span: Nanos) -> Limit {
    Limit::new(Dimension::Requests, amount, span).with_refill(Refill::AtBoundary { phase: Nanos::ZERO })
}

fn sliding(per_minute: u64) -> Limit {
    Limit::per_minute(Dimension::Requests, per_minute).with_refill(Refill::Sliding)
}

fn answering_in(millis: u64) -> Server {
    Server::NEW.answering_in(Latency::Of(millis))
}

fn tailed() -> Server {
    Server::NEW.answering_in(Latency::Tail)
}

#[test]
fn a_server_that_serves_so_many_at_once_is_kept_busy_for_a_handful_of_refusals() {
    for (most, millis, requests) in [(1, 500, 200), (5, 500, 600), (5, 2_000, 400), (50, 2_000, 2_000)] {
        let least = requests as f64 / most as f64 * millis as f64 / 1_000.0;
        let name = alloc::format!("{most} at once");
        check(&name, answering_in(millis).at_once(most), (requests, least), Within(1.05), 6);
    }
    check("5 at once, some for long", tailed().at_once(5), (400, 95.0), Within(1.05), 4);
}

/// Headers tell a quota that is never met, and nothing tells what is.
#[test]
fn a_server_that_serves_so_many_at_once_behind_good_headers_is_never_met_by_all_of_them() {
    let told = || bucket(3_000, 3_000);
    check("bare", answering_in(500).at_once(5).telling(told()), (500, 50.0), Within(1.05), 4);
    let says_it = answering_in(500).at_once(5).telling(told()).saying(Says::Headers);
    check("headers on refusals, too", says_it, (500, 50.0), Within(1.05), 4);
    check("some for long", tailed().at_once(20).telling(bucket(60_000, 60_000)), (2_000, 119.0), Within(1.05), 8);
}

#[test]
fn a_server_with_a_number_at_once_and_a_rate_is_kept_within_both() {
    check("both", tailed().at_once(20).limited(bucket(600, 10)), (2_000, 199.0), Within(1.1), 20);
}

#[test]
fn a_quota_that_is_enforced_in_smaller_portions_than_it_is_told_in_is_used_evenly() {
    let slices = |per_second| answering_in(300).limited(window(per_second, Nanos::SECOND));
    check("5 a second", slices(5).telling(bucket(300, 300)), (600, 119.0), Later(1.15), 20);
    let says_it = slices(5).telling(bucket(3_000, 3_000)).saying(Says::Headers);
    check("5 a second, refusals that tell of the minute", says_it, (600, 119.0), Within(1.25), 20);
    check("50 a second", slices(50).telling(bucket(3_000, 3_000)), (6_000, 119.0), Later(1.2), 60);
    let other = answering_in(300).limited(bucket(300, 3)).telling(bucket(3_000, 3_000));
    check("a tenth of what is told", other, (500, 100.0), Within(1.2), 16);
}

#[test]
fn a_rate_of_which_nothing_is_told_is_used_for_one_refusal_in_a_hundred() {
    let bare = |limit| answering_in(200).limited(limit);
    check("1 a second, none saved up", bare(bucket(60, 1)), (240, 239.0), Later(1.15), 8);
    check("5 a second, none saved up", bare(bucket(300, 1)), (600, 120.0), Later(1.15), 6);
    check("10 a second, none saved up", bare(bucket(600, 1)), (2_400, 240.0), Later(1.15), 24);
    let slow = |limit| answering_in(2_000).refusing_in(1).limited(limit);
    check("10 a second, none saved up, 2 s", slow(bucket(600, 1)), (1_500, 150.0), Later(1.15), 15);
    check("slices of a second", bare(window(5, Nanos::SECOND)), (600, 119.0), Later(1.15), 12);
    check("a second's saved up", bare(bucket(600, 10)), (3_000, 299.0), Within(1.05), 30);
    check("six seconds' saved up", bare(bucket(600, 60)), (1_200, 114.0), Within(1.05), 12);
    check("a minute's saved up", bare(bucket(600, 600)), (1_800, 120.0), Within(1.05), 30);
}

/// A provider that is short of what it shares among all refuses some whatever is sent: going slower helps nobody.
#[test]
fn refusals_that_come_whatever_is_sent_do_not_make_it_ever_slower() {
    for one_in in [30, 50] {
        let unlucky = |limit| answering_in(200).limited(limit).refusing_one_in(one_in);
        let name = |what| alloc::format!("one in {one_in}, {what}");
        let refused = |requests: u64| requests / one_in * 5 / 4 + requests / 50;
        let told = unlucky(bucket(600, 600)).telling(bucket(600, 600));
        check(&name("told"), told, (3_000, 240.0), Within(1.7), refused(3_000));
        let saved_up = (6_000, 540.0);
        check(&name("nothing told"), unlucky(bucket(600, 600)), saved_up, Within(1.9), refused(6_000));
        check(&name("none saved up"), unlucky(bucket(600, 10)), (6_000, 599.0), Within(1.6), refused(6_000));
    }
}

/// What is exhausted at once comes back a minute later, which nobody tells: it is asked for now and then.
#[test]
fn windows_of_which_nothing_is_told_are_found_to_have_come_back() {
    let bare = |limit| answering_in(200).limited(limit);
    check("fixed", bare(window(300, Nanos::MINUTE)), (600, 60.0), Within(1.35), 24);
    check("fixed, for long", bare(window(300, Nanos::MINUTE)), (1_500, 240.0), Within(1.25), 60);
    check("sliding, for long", bare(sliding(300)), (1_500, 240.0), Within(1.45), 60);
}

/// What was taken comes back a window later, to the moment: what went in two seconds goes in two seconds again.
#[test]
fn a_sliding_window_that_is_told_is_used_up_as_it_comes_back() {
    let told = |limit| answering_in(50).telling(limit).saying(Says::Headers);
    check("resets", told(sliding(600)), (1_800, 120.0), Within(1.02), 0);
    // It is seen when it is used up, and how much comes back when is not known of what went before.
    let untold = told(sliding(600)).resetting(Resets::Untold);
    check("no resets", untold, (1_800, 120.0), Within(1.15), 20);
}

#[test]
fn a_limit_that_is_no_sliding_window_is_not_held_for_one_for_long() {
    let told = |limit| answering_in(50).telling(limit).saying(Says::Headers);
    let minute = || told(bucket(600, 600));
    check("resets", minute(), (1_800, 120.0), Within(1.05), 0);
    check("no resets", minute().resetting(Resets::Untold), (1_800, 120.0), Within(1.05), 0);
    check("a constant", minute().resetting(Resets::Window), (1_800, 120.0), Within(1.05), 0);
    let shallow = || told(bucket(600, 60));
    check("six seconds' saved up", shallow(), (1_800, 174.0), Within(1.05), 2);
    let deep = |resets| told(bucket(3_000, 300)).resetting(resets);
    check("a constant, six seconds' saved up", deep(Resets::Window), (2_000, 34.0), Within(1.05), 2);
    check("a constant, less of it", shallow().resetting(Resets::Window), (1_800, 174.0), Within(1.05), 2);
    check("six seconds' saved up of fifty a second", deep(Resets::Full), (2_000, 34.0), Within(1.05), 2);
    check("the same without resets", shallow().resetting(Resets::Untold), (1_800, 174.0), Within(1.05), 2);
    check("fixed", told(window(600, Nanos::MINUTE)), (1_800, 120.0), Within(1.02), 0);
}

/// What its resets tell is when the oldest of what was taken comes back, which looks like a turn until then.
#[test]
fn a_sliding_window_that_tells_when_its_oldest_part_comes_back_is_not_taken_for_a_fixed_one() {
    let told =
        |per_minute| answering_in(50).telling(sliding(per_minute)).saying(Says::Headers).resetting(Resets::Oldest);
    check("600 a minute", told(600), (1_750, 120.0), Within(1.02), 0);
    check("60 a minute", told(60).answering_in(Latency::Of(300)), (130, 120.0), Within(1.02), 0);
    check("2 s", told(600).answering_in(Latency::Of(2_000)), (1_750, 120.0), Within(1.12), 0);
    check("some for long", told(600).answering_in(Latency::Tail), (1_750, 120.0), Within(1.12), 4);
    // One that does turn is used up at once when it has, and not asked about twice.
    let fixed = |resets| answering_in(50).telling(window(600, Nanos::MINUTE)).saying(Says::Headers).resetting(resets);
    check("fixed", fixed(Resets::Full), (1_750, 120.0), Within(1.01), 0);
    check("fixed, always a minute", fixed(Resets::Window), (1_750, 120.0), Within(1.01), 0);
}

/// At its first turn a fixed window would give all of it back and a log what was taken so long ago; this gives back nothing
/// at once, and then evenly what was taken in the window before.
#[test]
fn a_window_in_which_the_one_before_counts_in_part_is_used_as_it_comes_back() {
    let told = |latency| answering_in(50).telling_of_two(bucket(600, 600)).saying(Says::Headers).answering_in(latency);
    check("at once", told(Latency::Of(50)), (1_800, 180.0), Within(1.02), 3);
    check("2 s", told(Latency::Of(2_000)), (1_800, 182.0), Within(1.04), 6);
    check("some for long", told(Latency::Tail), (1_800, 182.0), Within(1.04), 6);
}

/// What is told is what remains, and that more comes back than does: each word is right, and what is made of it is not.
#[test]
fn words_that_let_too_much_be_refused_are_not_believed_for_long() {
    let told = answering_in(50).telling(sliding(600)).claiming(1_200).saying(Says::Headers);
    // Without a guard the window after that is met by two hundred more.
    check("twice", told, (2_400, 180.0), Within(1.35), 300);
}

/// Nothing says that ten are ten a second, but that they are there again so soon.
#[test]
fn a_limit_of_a_second_that_does_not_say_so_is_not_held_for_one_of_a_minute() {
    let second = |refill| Limit::new(Dimension::Requests, 10, Nanos::SECOND).with_refill(refill);
    let told = |refill, resets| answering_in(50).telling(second(refill)).saying(Says::Headers).resetting(resets);
    let turning = Refill::AtBoundary { phase: Nanos::ZERO };
    for resets in [Resets::Untold, Resets::Seconds(0), Resets::Seconds(1)] {
        // Whether less has to be waited for is asked, which costs some refusals until it is known.
        check("a bucket", told(Refill::Continuous, resets), (1_000, 99.0), Within(1.1), 16);
        check("turning", told(turning, resets), (1_000, 99.0), Within(1.1), 16);
        check("sliding", told(Refill::Sliding, resets), (1_000, 99.0), Within(1.1), 16);
        let slow = told(Refill::Continuous, resets).answering_in(Latency::Of(2_000));
        check("a bucket, 2 s", slow, (1_000, 99.0), Within(1.1), 16);
        let minute = |limit| answering_in(50).telling(limit).saying(Says::Headers).resetting(resets);
        check("ten a minute", minute(bucket(10, 10)), (40, 180.0), Within(1.05), 5);
        check("ten a minute, turning", minute(window(10, Nanos::MINUTE)), (40, 180.0), Within(1.15), 18);
    }
}

/// Nothing says that a limit is not for a minute, but that one who asks is let through.
#[test]
fn a_window_of_any_length_is_found_by_asking() {
    for refill in [Refill::Continuous, Refill::Sliding, Refill::AtBoundary { phase: Nanos::ZERO }] {
        for (amount, seconds, requests, least) in [(1, 1, 120, 119.0), (9, 3, 360, 117.0), (150, 30, 750, 120.0)] {
            let limit = Limit::new(Dimension::Requests, amount, Nanos::from_secs(seconds)).with_refill(refill);
            let name = alloc::format!("{amount} in {seconds} s, {refill:?}");
            let told = answering_in(50).telling(limit).saying(Says::Headers);
            check(&name, told, (requests, least), Within(1.5), 16);
        }
    }
}

/// Each answer says that a million a minute are allowed and that a thousand were left at first: what comes back is measured.
#[test]
fn a_limit_that_is_told_a_thousandfold_is_used_as_it_comes_back() {
    let told = |resets| {
        answering_in(50).telling(bucket(1_000, 1_000)).claiming(1_000_000).saying(Says::Headers).resetting(resets)
    };
    // The first flight is as large as what was left.
    check("resets", told(Resets::Full), (3_000, 120.0), Within(1.05), 1_500);
    check("no resets", told(Resets::Untold), (3_000, 120.0), Within(1.05), 1_500);
}

/// What is in flight when a window is used up was counted in it, and its answers say when it turns, however late they come.
#[test]
fn a_fixed_window_is_used_from_its_turn_on_behind_answers_that_take_long() {
    let told = |latency| answering_in(50).answering_in(latency).saying(Says::Headers);
    let windows = |latency| told(latency).telling(window(600, Nanos::MINUTE));
    check("some for long", windows(Latency::Tail), (1_750, 120.0), Within(1.06), 0);
    check("4 s", windows(Latency::Of(4_000)), (1_750, 124.0), Within(1.03), 0);
}

#[test]
fn a_limit_that_changes_is_followed() {
    let bare = |limit| answering_in(200).limited(limit);
    check("to a tenth", bare(bucket(600, 60)).changing(50, 60), (620, 109.0), Within(1.6), 30);
    check("tenfold", bare(bucket(120, 10)).changing(60, 1_200), (1_330, 120.0), Within(2.2), 13);
}

/// From one instant at which one may come to the next as many went as come back in between.
#[test]
fn a_server_that_only_says_when_to_come_back_is_measured_by_what_it_says() {
    let hints = |limit| answering_in(500).saying(Says::Hint).limited(limit);
    check("3 a minute", hints(bucket(3, 3)), (9, 120.0), Within(1.05), 2);
    check("3 a minute, for long", hints(bucket(3, 3)), (24, 420.0), Within(1.05), 2);
    check("3 in each minute", hints(window(3, Nanos::MINUTE)), (24, 420.0), Within(1.15), 2);
    check("10 a second", hints(bucket(600, 10)).answering_in(Latency::Of(200)), (1_200, 119.0), Within(1.1), 12);
    check("300 in each minute", hints(window(300, Nanos::MINUTE)), (1_500, 240.0), Within(1.25), 30);
}

/// Requests are of many sizes, and a refusal does not tell whether it is for the tokens.
#[test]
fn tokens_and_requests_of_which_nothing_is_told_are_told_apart() {
    let both = |burst, sizes| {
        let tokens = Limit::per_minute(Dimension::Tokens, 60_000).with_burst(burst);
        answering_in(50).limited(bucket(600, burst / 100)).of_tokens(tokens, sizes)
    };
    let row = |name, server: Server, requests, most, refused| {
        let least = server.least(requests);
        check(name, server, (requests, least), Within(most), refused);
    };
    let tailed = |burst| both(burst, Sizes::Tailed);
    row("a minute's saved up", tailed(60_000), 3_000, 1.1, 30);
    row("six seconds' saved up", tailed(6_000), 1_000, 1.25, 10);
    row("2 s", tailed(60_000).answering_in(Latency::Of(2_000)), 1_500, 1.25, 15);
    row("some for long", tailed(60_000).answering_in(Latency::Tail), 1_500, 1.25, 15);
    row("very large", both(60_000, Sizes::VeryLarge), 449, 1.2, 15);
    // The order is that of the file: both dimensions one after the other.
    row("small, then large", both(60_000, Sizes::Phased), 2_066, 2.3, 15);
}

#[test]
fn a_server_that_allows_everything_is_soon_sent_everything() {
    check("no limit", answering_in(200), (20_000, 12.0), Within(1.0), 0);
}
