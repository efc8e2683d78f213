//! Providers that charge by each rule, and what is learned from their words.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::*;

/// A million a minute: 1,667 for each request, of ten a second.
const LIMIT: Shape = Shape { amount: 1_000_000, window: Nanos::MINUTE, full: 1_000_000, refill: Refill::Continuous };
const STEP: Nanos = Nanos::from_millis(100);
/// How many steps after its beginning a request ends.
const LASTS: usize = 13;

/// Charges requests by a rule, counts so much for 1,024 units of a prompt, and says what remains.
struct Provider {
    rule: Rule,
    factor: u64,
    level: i64,
    account: Account,
    in_flight: VecDeque<(Parts, Parts)>,
    state: u64,
    at: Nanos,
}

impl Provider {
    fn new(rule: Rule, factor: u64) -> Self {
        let in_flight = VecDeque::new();
        Self { rule, factor, level: 500_000, account: Account::NONE, in_flight, state: 7, at: Nanos::ZERO }
    }

    /// A number below `end`, without any order.
    fn any(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % end
    }

    /// A step later another request is sent, and one ends: what remains then, as a word.
    fn word(&mut self) -> (u64, Nanos, Account) {
        self.at = self.at.saturating_add(STEP);
        self.level += i64::try_from(LIMIT.amount / 600).unwrap();
        // Long prompts for some seconds, then long answers, then neither: else the rules differ by a factor only.
        let (long, short, middle) = (1_000 + self.any(500), 100 + self.any(200), 600 + self.any(200));
        let (prompt, output) = match self.at.get() / STEP.get() / 45 % 3 {
            0 => (long, short),
            1 => (short, long),
            _ => (middle, middle),
        };
        let produced = self.any(output);
        let reserved = Parts { whole: prompt + output, output, larger: prompt.max(output), requests: 1 };
        let actual = Parts { whole: prompt + produced, output: produced, larger: prompt.max(produced), requests: 1 };
        let counted = prompt * self.factor / 1_024;
        let sent = match self.rule {
            Rule::Whole | Rule::Corrected => counted + output,
            Rule::Larger => counted.max(output),
            Rule::Prompt | Rule::Late => counted,
        };
        self.level -= sent.cast_signed();
        self.account.admit(&reserved);
        self.in_flight.push_back((reserved, actual));
        if self.in_flight.len() > LASTS {
            let (reserved, actual) = self.in_flight.pop_front().unwrap();
            self.account.end(&reserved, &actual);
            let (output, produced) = (reserved.output.cast_signed(), actual.output.cast_signed());
            self.level -= match self.rule {
                Rule::Corrected => produced - output,
                Rule::Late => produced,
                _ => 0,
            };
        }
        assert!((0..=900_000).contains(&self.level), "{} is no level to learn from", self.level);
        (self.level.unsigned_abs(), self.at, self.account)
    }

    /// What is learned of it in `steps`.
    fn learned(&mut self, steps: usize, is_rare: bool) -> Charge {
        let mut charge = Charge::new();
        (0..steps).for_each(|_| charge.learn(of(self.word(), 0), &NOTHING, &LIMIT, is_rare));
        charge
    }
}

/// The rule, and what is counted of a prompt of 100,000.
fn known(charge: &Charge) -> (Rule, u64) {
    (charge.rule(), scaled(100_000, charge.factor()))
}

const NOTHING: Parts = Parts::NONE;

/// A word with exact figures.
fn of((remaining, at, account): (u64, Nanos, Account), doubtful: u64) -> Word {
    Word { at, remaining, account, doubtful, rounded: 0 }
}

#[test]
fn each_rule_is_recognised_from_the_words_of_a_provider_that_charges_by_it() {
    for rule in Rule::ALL {
        let charge = Provider::new(rule, ONE).learned(120, false);
        let (learned, charged) = known(&charge);
        assert!(!charge.is_unsettled());
        assert_eq!(learned, rule);
        assert!((98_000..=102_000).contains(&charged), "{rule:?}: {charged} for 100,000");
    }
}

#[test]
fn another_rule_is_recognised_after_the_provider_has_changed_to_it() {
    let mut provider = Provider::new(Rule::Whole, ONE);
    let mut charge = provider.learned(200, false);
    assert_eq!(charge.rule(), Rule::Whole);
    provider.rule = Rule::Prompt;
    (0..360).for_each(|_| charge.learn(of(provider.word(), 0), &NOTHING, &LIMIT, false));
    assert_eq!(charge.rule(), Rule::Prompt);
}

/// What counts 30 % more, or leaves half of it out as cached, is multiplied. Where every answer tells what remains, less
/// than that is charged is believed with care: an eighth more than it is.
#[test]
fn what_is_counted_in_another_way_is_multiplied() {
    let cases = [
        (Rule::Whole, 1_331, false, 130_000),
        (Rule::Whole, 1_331, true, 130_000),
        (Rule::Prompt, 512, true, 50_000),
        (Rule::Prompt, 512, false, 56_250),
        // A fifth less is not believed where each answer tells.
        (Rule::Whole, 820, false, 100_000),
    ];
    for (rule, factor, is_rare, expected) in cases {
        let (learned, charged) = known(&Provider::new(rule, factor).learned(150, is_rare));
        assert_eq!(learned, rule, "{factor}");
        assert!(charged.abs_diff(expected) <= expected / 40, "{rule:?} by {factor}: {charged} for 100,000");
    }
}

#[test]
fn a_burst_that_was_counted_in_another_order_teaches_nothing() {
    for doubtful in [5_000_000, u64::MAX] {
        let mut provider = Provider::new(Rule::Prompt, ONE);
        let mut charge = Charge::new();
        (0..200).for_each(|_| charge.learn(of(provider.word(), doubtful), &NOTHING, &LIMIT, false));
        assert!(charge.is_unsettled());
        assert_eq!((charge.rule(), charge.factor()), (Rule::Whole, ONE));
    }
}

#[test]
fn words_that_say_nothing_of_what_was_charged_teach_nothing() {
    let account = |requests: u64| {
        let mut account = Account::NONE;
        (0..requests).for_each(|_| account.admit(&Parts { whole: 100, output: 50, larger: 50, requests: 1 }));
        account
    };
    let fixed = Shape { refill: Refill::AtBoundary { phase: Nanos::ZERO }, ..LIMIT };
    let held = Shape { refill: Refill::OnRelease, ..LIMIT };
    let cases = [
        ("too few requests lie between them", LIMIT, (0, 0), (2, 7)),
        ("too little time lies between them", LIMIT, (1, 0), (1, 100)),
        ("the second one is older", LIMIT, (9, 50), (2, 100)),
        ("more was refused than admitted", LIMIT, (0, 50), (9, 0)),
        ("everything came back in between", fixed, (59, 0), (61, 100)),
        ("nobody knows what came back", held, (0, 0), (9, 100)),
    ];
    for (case, shape, first, second) in cases {
        let mut charge = Charge::new();
        for (second, requests) in [first, second] {
            charge.learn(of((500_000, Nanos::from_secs(second), account(requests)), 0), &NOTHING, &shape, true);
        }
        assert_eq!(charge.intervals, 0, "{case}");
    }
    let mut charge = Charge::new();
    for second in [0, 9] {
        charge.interrupt();
        charge.learn(of((500_000, Nanos::from_secs(second), account(second * 10)), 0), &NOTHING, &LIMIT, true);
    }
    assert_eq!(charge.intervals, 0, "the limit became another one");
}

#[test]
fn what_is_reserved_and_settled_follows_the_rule() {
    let reserved = Parts { whole: 1_000, output: 600, larger: 600, requests: 1 };
    let actual = Parts { whole: 500, output: 100, larger: 400, requests: 1 };
    // Reserved, where a half of what may be produced is; charged in the end, where the end says it.
    for (rule, taken, due) in [
        (Rule::Whole, 1_400, None),
        (Rule::Larger, 1_200, None),
        (Rule::Prompt, 800, None),
        (Rule::Corrected, 1_400, Some(900)),
        (Rule::Late, 1_100, Some(900)),
    ] {
        let charge = Charge { rule, factor: 2 * ONE, ..Charge::new() };
        assert_eq!(charge.amount(&reserved, ONE / 2), taken, "{rule:?}");
        assert_eq!(rule.settles().then(|| charge.settled(&reserved, &actual)), due, "{rule:?}");
        assert_eq!(charge.prompt(&reserved), 800);
    }
}

/// Whatever is said of whatever limit, in whatever order, nothing overflows.
#[test]
fn absurd_words_and_amounts_do_no_harm() {
    let ends = [0, 1, u64::MAX / 2, u64::MAX];
    let shapes = [Refill::Continuous, Refill::Sliding, Refill::OnRelease, Refill::AtBoundary { phase: Nanos::MAX }]
        .into_iter()
        .flat_map(|refill| {
            ends.map(|amount| Shape { amount, window: Nanos::new(amount.max(1)), full: amount, refill })
        });
    for shape in shapes {
        let mut charge = Charge::new();
        let mut account = Account::NONE;
        for round in 0..40_usize {
            let pick = |shift: usize| ends[(round / (shift + 1) + shift) % ends.len()];
            let parts = Parts { whole: pick(0), output: pick(1), larger: pick(2), requests: 1 };
            for _ in 0..10 {
                account.admit(&parts);
            }
            account.end(&parts, &Parts { output: pick(3), ..parts });
            if round % 7 == 0 {
                account.forget(&parts);
            }
            charge.learn(of((pick(1), Nanos::new(pick(3)), account), pick(2) / 8), &NOTHING, &shape, round % 2 == 0);
            let ended = Ends { unused: pick(2), produced: pick(3) };
            for rule in Rule::ALL {
                let charge = Charge { rule, ..charge };
                for yields in ends {
                    let amount = charge.amount(&parts, yields);
                    assert!(charge.needed(&parts, yields) >= amount.min(shape.full / 4));
                    let _ = (charge.prompt(&parts), charge.settled(&parts, &parts));
                    let _ = charge.unsaid(&parts, &parts, &ended, yields);
                }
            }
        }
        assert!((LEAST_FACTOR..=MOST_FACTOR).contains(&charge.factor()));
    }
}

#[test]
fn what_is_in_flight_stays_off_a_word_however_much_it_is() {
    let most = Parts { whole: u64::MAX, output: 0, larger: u64::MAX, requests: 1 };
    let ended = Ends { unused: 0, produced: 0 };
    for rule in Rule::ALL {
        let charge = Charge { rule, ..Charge::new() };
        assert!(charge.unsaid(&most, &most, &ended, ONE) >= u64::MAX / 2, "{rule:?}");
    }
}

#[test]
fn what_comes_back_beyond_what_may_be_produced_is_no_cheaper_prompt() {
    // Intervals in which large requests end, and small ones begin: more comes back than those may produce.
    let mut charge = Charge::new();
    let mut account = Account::NONE;
    let (mut at, mut remaining) = (Nanos::ZERO, 500_000);
    for round in 0..40 {
        let word = |account, at, remaining| Word { at, remaining, account, doubtful: 0, rounded: 0 };
        let before = word(account, at, remaining);
        let is_large = round % 2 == 0;
        let output = if is_large { 4_000 } else { 100 };
        let reserved = Parts { whole: 1_000 + output, output, larger: output.max(1_000), requests: 1 };
        account.admit(&reserved);
        at = at.saturating_add(Nanos::SECOND);
        let refilled = LIMIT.refilled(before.at, at);
        remaining = remaining + refilled - reserved.whole;
        if !is_large {
            // The large one before it ends: 3,900 of its 4,000 come back.
            account.end(&Parts { output: 4_000, ..Parts::NONE }, &Parts { output: 100, ..Parts::NONE });
            remaining += 3_900;
        }
        charge.learn_between(&before, &word(account, at, remaining), &LIMIT);
        remaining = remaining.min(500_000);
    }
    assert_eq!((charge.rule(), charge.factor()), (Rule::Corrected, ONE));
}

/// Between any two requests that follow each other evenly, another client that takes evenly takes the same.
#[test]
fn what_somebody_else_takes_evenly_is_no_part_of_each_request() {
    let believes = |explained: bool| {
        let mut charge = Charge::new();
        let mut provider = Provider::new(Rule::Whole, 1_024);
        for _ in 0..if explained { 600 } else { 0 } {
            let (remaining, at, account) = provider.word();
            charge.learn(Word { at, remaining, account, doubtful: 0, rounded: 0 }, &Parts::NONE, &LIMIT, false);
        }
        let own = Parts { whole: 20, output: 10, larger: 10, requests: 1 };
        for _ in 0..5 {
            provider.at = provider.at.saturating_add(STEP);
            provider.account.admit(&own);
            // What comes back, less what it takes and what somebody else does.
            provider.level += 1_666 - 20 - 500;
            let (at, account, remaining) = (provider.at, provider.account, provider.level.unsigned_abs());
            charge.learn_exactly(&Word { at, remaining, account, doubtful: 0, rounded: 0 }, &LIMIT);
        }
        charge.amount(&own, 1_024) > 20
    };
    assert_eq!([believes(false), believes(true)], [true, false]);
}

/// A bucket that is full tells no factor: some of what came back may have run over.
#[test]
fn a_rule_is_not_known_while_it_leaves_unexplained_what_was_lost_near_the_top() {
    let (mut charge, mut account) = (Charge::new(), Account::NONE);
    let mut remaining = LIMIT.full;
    let mut learned = Vec::new();
    for second in 0..8_u64 {
        for _ in 0..20 {
            account.admit(&Parts { whole: 2_000, output: 200, larger: 1_800, requests: 1 });
        }
        // 30 % more of the prompts, and what came back.
        remaining = remaining - 20 * (1_800 * 13 / 10 + 200) + LIMIT.amount / 60;
        let word = (remaining, Nanos::from_secs(second), account);
        charge.learn(of(word, 0), &NOTHING, &LIMIT, false);
        learned.push((charge.is_unsettled(), charge.factor()));
    }
    assert!(learned.iter().all(|(is_open, factor)| *is_open || *factor > ONE), "{learned:?}");
    assert!(!charge.is_unsettled(), "{learned:?}");
}
