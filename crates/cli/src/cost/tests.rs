//! Figures computed by hand from prices that are made up.

use super::*;

/// Two dollars for a million tokens of prompt and eight of output, half of it in batches, twice as much above a thousand
/// tokens of prompt; and a model without a price for batches.
const MODELS: &str = r#"{"date": "2001-02-03", "models": [
    {"provider": "p", "name": "m", "price": {"input": 2, "output": 8}, "batch": {"input": 1, "output": 4},
     "long": {"above": 1000, "price": {"input": 4, "output": 16}}},
    {"provider": "p", "name": "dear", "price": {"input": 1000, "output": 1000}}
]}"#;

fn table() -> ModelTable {
    let mut table = ModelTable::empty();
    table.extend_from_json(MODELS).unwrap();
    table
}

/// The columns of requests: the model, the tokens of the prompt, and the bound.
#[track_caller]
fn check(billing: Billing, requests: &[(&str, u64, Option<u64>)], expected: &str) {
    let table = table();
    let prices = Prices::new(&table, "p", billing);
    let mut estimate = Estimate::default();
    for (model, input, bound) in requests {
        let mut size = RequestSize::default();
        (size.input_tokens, size.max_output_tokens) = (*input, *bound);
        estimate.add(&prices, model, &size);
    }
    assert_eq!(estimate.columns(&prices), expected);
}

#[test]
fn output_costs_at_most_what_its_bound_costs() {
    let unit = "US dollars at prices of 2001-02-03, output at most";
    // 300 at 2 and 50 at 8 for a million.
    check(Billing::Standard, &[("m", 100, Some(50)), ("m", 200, Some(0))], &format!("0.000600\t0.000400\t{unit}"));
    check(Billing::Standard, &[], &format!("0.000000\t0.000000\t{unit}"));
}

#[test]
fn output_without_a_bound_is_said_to_be_expected() {
    let expected = "0.000400\t0.004896\tUS dollars at prices of 2001-02-03, output expected: 1 of 2 requests set no \
                    bound and are taken for 512 tokens each";
    // 512 + 100 tokens at 8.
    check(Billing::Standard, &[("m", 100, None), ("m", 100, Some(100))], expected);
}

#[test]
fn each_request_has_the_price_of_its_own_length() {
    // 1,000 at 2 and 1,001 at 4; 10 at 8 and 10 at 16. Together they would all be long.
    let expected = "0.006004\t0.000240\tUS dollars at prices of 2001-02-03, output at most";
    check(Billing::Standard, &[("m", 1_000, Some(10)), ("m", 1_001, Some(10))], expected);
}

#[test]
fn requests_without_a_price_are_counted_and_left_out() {
    check(Billing::Standard, &[("mystery", 100, None)], "-\t-\tno known price");
    check(Billing::Batch, &[("dear", 100, Some(1))], "-\t-\tno known batch price");
    let expected = "0.000100\t0.000040\tUS dollars at batch prices of 2001-02-03, output at most, without 2 of 3 \
                    requests: no known batch price";
    check(Billing::Batch, &[("dear", 100, None), ("m", 100, Some(10)), ("mystery", 1, Some(1))], expected);
}

#[test]
fn no_size_makes_a_sum_that_is_no_number() {
    let table = table();
    let prices = Prices::new(&table, "p", Billing::Standard);
    let mut estimate = Estimate::default();
    let mut size = RequestSize::default();
    (size.input_tokens, size.max_output_tokens) = (u64::MAX, Some(u64::MAX));
    (0..3).for_each(|_| estimate.add(&prices, "dear", &size));
    assert!(estimate.input.is_finite() && estimate.output.is_finite() && estimate.output > 0.0, "{estimate:?}");
}

#[test]
fn a_prompt_alone_is_priced_in_words() {
    let table = table();
    let describe = |billing, model| Prices::new(&table, "p", billing).describe_input(model, 500);
    assert_eq!(describe(Billing::Standard, "m"), "input cost: 0.001000 US dollars at prices of 2001-02-03");
    assert_eq!(describe(Billing::Batch, "m"), "input cost: 0.000500 US dollars at batch prices of 2001-02-03");
    assert_eq!(describe(Billing::Standard, "x\n"), "input cost: no known price of \"x\\n\"");
}
