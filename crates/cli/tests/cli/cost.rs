//! What `count` says that tokens cost. Prices are read from the table of models, sums are computed here.

use chat_limiter::providers::ModelTable;
use chat_limiter::providers::models::Price;

use crate::support::{Directory, chat_limiter};

/// That a column has what so many tokens cost at a price for a million, to the last digit that is shown.
#[track_caller]
fn check(column: &str, tokens: u64, price: f64) {
    let (shown, expected): (f64, f64) = (column.parse().unwrap(), tokens as f64 * price / 1_000_000.0);
    assert!((shown - expected).abs() < 0.000_001, "{shown}, not {expected}");
    assert_eq!(column.split_once('.').map(|(_, decimals)| decimals.len()), Some(6), "{column}");
}

/// The ordinary prices of a model, and those of batches.
fn prices(model: &str) -> (Price, Price) {
    let facts = ModelTable::standard().find("", model).unwrap();
    (facts.price.unwrap(), facts.batch.unwrap())
}

/// A line of a batch file, whose prompt has at least so many tokens, with a bound or without.
fn line(model: &str, words: usize, most: Option<u64>) -> String {
    let bound = most.map(|most| format!("\"max_tokens\":{most},")).unwrap_or_default();
    let messages = format!("[{{\"role\":\"user\",\"content\":\"{}\"}}]", "word ".repeat(words));
    let body = format!("{{\"model\":\"{model}\",{bound}\"messages\":{messages}}}");
    format!("{{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{body}}}\n")
}

/// The columns of what follows the lines of the requests.
#[track_caller]
fn totals(file: &str, arguments: &str) -> Vec<Vec<String>> {
    let outcome = chat_limiter(Directory::with_requests(file).path()).args(arguments).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect();
    outcome.stdout.lines().skip(file.lines().count()).map(columns).collect()
}

fn tokens(line: &[String]) -> u64 {
    line[0].parse().unwrap()
}

#[test]
fn requests_cost_their_prompt_and_the_most_they_may_produce() {
    let file = line("gpt-4o-mini", 5_000, Some(30_000)) + &line("gpt-4o-mini", 100, Some(10_000));
    let (price, batch) = prices("gpt-4o-mini");
    for (arguments, price, word) in
        [("count requests.jsonl", price, "prices"), ("count requests.jsonl --batch", batch, "batch prices")]
    {
        let totals = totals(&file, arguments);
        assert_eq!((totals.len(), totals[0][1].as_str()), (1, "total of 2 requests"));
        assert!(tokens(&totals[0]) > 5_100, "{totals:?}");
        check(&totals[0][2], tokens(&totals[0]), price.input);
        check(&totals[0][3], 40_000, price.output);
        assert!(totals[0][4].starts_with(&format!("US dollars at {word} of ")), "{totals:?}");
        assert!(totals[0][4].ends_with(", output at most"), "{totals:?}");
    }
}

#[test]
fn models_are_priced_each_for_itself_and_those_without_a_price_are_said_to_have_none() {
    let (claude, gpt) = (prices("claude-haiku-4-5").0, prices("gpt-4o").0);
    let file = line("claude-haiku-4-5", 20_000, Some(1_000)) + &line("gpt-4o", 20_000, None) + &line("odd-9", 9, None);
    let totals = totals(&file, "count requests.jsonl");
    for (total, model, price, output) in
        [(&totals[0], "claude-haiku-4-5", claude, 1_000), (&totals[1], "gpt-4o", gpt, 512)]
    {
        assert_eq!(total[2..4], [model, "total of 1 requests"]);
        check(&total[4], tokens(total), price.input);
        check(&total[5], output, price.output);
    }
    assert!(totals[0][6].ends_with("output at most"), "{totals:?}");
    assert!(totals[1][6].contains("output expected") && totals[1][6].contains("512 tokens each"), "{totals:?}");
    assert_eq!(totals[2][2..], ["odd-9", "total of 1 requests", "-", "-", "no known price"]);
    assert_eq!(totals[3][1], "total of 3 requests");
    let dollars = |line: &[String], column: usize| line[column].parse::<f64>().unwrap();
    for column in [4, 5] {
        let sum = dollars(&totals[0], column) + dollars(&totals[1], column);
        assert!((dollars(&totals[3], column - 2) - sum).abs() < 0.000_002, "{totals:?}");
    }
    assert!(totals[3][4].ends_with("without 1 of 3 requests: no known price"), "{totals:?}");
}

#[test]
fn requests_of_which_none_has_a_price_are_counted_all_the_same() {
    let totals = totals(&line("odd-9", 9, Some(5)), "count --batch requests.jsonl");
    assert_eq!(totals[0][1..], ["total of 1 requests", "-", "-", "no known batch price"]);
}

#[test]
fn the_cost_of_a_text_stands_beside_the_data() {
    let text = "word ".repeat(3_000);
    let (price, batch) = prices("gpt-4o");
    for (arguments, price) in [("count --model gpt-4o", price), ("count --model gpt-4o --batch", batch)] {
        let outcome = chat_limiter(Directory::new().path()).args(arguments).input(text.as_str()).run();
        let tokens = outcome.stdout.trim_end().parse().unwrap();
        assert!(tokens >= 3_000, "{outcome:?}");
        let said = outcome.stderr.strip_prefix("input cost: ").and_then(|rest| rest.split_once(" US dollars"));
        check(said.unwrap().0, tokens, price.input);
    }
    for (arguments, expected) in
        [("count --model odd-9", "no known price of \"odd-9\""), ("count --batch", "--model names a model")]
    {
        let outcome = chat_limiter(Directory::new().path()).args(arguments).input("hello world").run();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "2\n"));
        assert!(outcome.stderr.contains(expected), "{outcome:?}");
    }
}
