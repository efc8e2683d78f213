//! `bench tokenizer`: how fast tokens are counted, beside tiktoken-rs and other libraries.
//!
//! All count the same text in turn, in `o200k_base`, and have to agree. Values are nanoseconds for each 1,000 bytes: a
//! thousand is a gigabyte a second, 50,000 are twenty megabytes a second.

mod first_use;
mod request;
mod texts;

use std::hint::black_box;

use anyhow::ensure;

use crate::clock::Clock;
use crate::console;
use crate::processor;
use crate::report::{Goal, Report, Row, Section, Versus};
use texts::Text;

/// Nanoseconds for each 1,000 bytes.
const UNIT: &str = "ns/KB";
/// 20 MB/s.
const SLOWEST: f64 = 50_000.0;

const OURS: &str = "ours";
const REFERENCE: &str = "tiktoken-rs";

/// How many turns each has, and how often it counts the text in one.
const ROUNDS: usize = 25;
const IN_A_ROW: u32 = 3;

/// What counts tokens.
struct Counter {
    name: &'static str,
    count: fn(&str) -> usize,
    /// Whether it has to agree on every text, or else its figure is only told.
    is_held_to_it: bool,
}

const COUNTERS: [Counter; 2] = [
    Counter { name: OURS, count: |text| chat_limiter::tokenizer::Encoding::O200kBase.count(text), is_held_to_it: true },
    Counter {
        name: REFERENCE,
        count: |text| tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len(),
        is_held_to_it: true,
    },
];

/// Others, for a look at what else there is.
const OTHERS: [Counter; 2] = [
    Counter {
        name: "tiktoken",
        count: |text| tiktoken::get_encoding("o200k_base").map_or(0, |encoding| encoding.count(text)),
        is_held_to_it: false,
    },
    Counter { name: "bpe-openai", count: |text| bpe_openai::o200k_base().count(text), is_held_to_it: false },
];

/// Measures all.
///
/// # Errors
///
/// Somebody counted something else than tiktoken-rs.
pub(crate) fn report() -> anyhow::Result<Report> {
    let clock = Clock::start();
    // Before anything else has used them.
    let mut sections = vec![first_use::section()];
    for (title, texts) in [("texts that people write", &texts::NATURAL[..]), ("hostile texts", &texts::SLOW[..])] {
        console::complain(&format!("measuring: {title}"));
        let mut section = Section::new(format!("{title}, for each 1,000 bytes"));
        for text in texts {
            section.rows.extend(rows(text)?);
        }
        sections.push(section);
    }
    console::complain("measuring: a request");
    sections.push(request::section()?);
    let notes = vec![
        "values are the processor time of the fastest round of each, ratios are of these".into(),
        "20 MB/s are 50,000 ns for 1,000 bytes; a ratio of 0.2 is five times as fast".into(),
        format!("took {:.0} s", clock.elapsed().as_secs_f64()),
    ];
    Ok(Report { sections, notes })
}

/// Ours beside tiktoken-rs, once for the ratio and once for the speed, and the others beside it.
fn rows(text: &Text) -> anyhow::Result<Vec<Row>> {
    let made = (text.make)();
    let counters: Vec<&Counter> = COUNTERS.iter().chain(&OTHERS).collect();
    let mut times: Vec<Vec<f64>> = counters.iter().map(|_| Vec::new()).collect();
    let mut remarks = vec![String::new(); counters.len()];
    let expected = (COUNTERS[1].count)(&made);
    for (counter, remark) in counters.iter().zip(&mut remarks) {
        let found = (counter.count)(&made);
        ensure!(found == expected || !counter.is_held_to_it, "{}: {found} tokens, not {expected}", text.name);
        if found != expected {
            *remark = format!("counts {found}, not {expected}");
        }
    }
    for _ in 0..ROUNDS {
        for (counter, times) in counters.iter().zip(&mut times) {
            // What takes longer than two seconds for all rounds is not made to run them all.
            if times.iter().sum::<f64>() * made.len() as f64 / 1_000.0 > 2e9 {
                continue;
            }
            // Once before, as the one before has filled the caches with its own tables.
            black_box((counter.count)(black_box(&made)));
            let before = processor::used()?;
            for _ in 0..IN_A_ROW {
                black_box((counter.count)(black_box(&made)));
            }
            let used = processor::used()?.saturating_sub(before);
            times.push(used.as_secs_f64() * 1e9 / (f64::from(IN_A_ROW) * made.len() as f64 / 1_000.0));
        }
    }
    let fastest: Vec<f64> = times.iter().map(|times| times.iter().copied().fold(f64::INFINITY, f64::min)).collect();
    let reference = fastest.get(1).copied().unwrap_or(f64::NAN);
    let row = |(counter, (value, remark)): (&&Counter, (&f64, String))| {
        let is_ours = counter.name == OURS;
        Row {
            name: if is_ours { text.name.to_owned() } else { format!("{}, by {}", text.name, counter.name) },
            value: Some(*value),
            unit: UNIT,
            versus: Some(Versus {
                name: format!("{}, by {REFERENCE}", text.name),
                value: Some(reference),
                instructions: crate::report::Count::NotCounted,
            }),
            ratio: Some(value / reference),
            goal: text.times.filter(|_| is_ours).map(|times| Goal::RatioAtMost(1.0 / times)),
            remark,
            ..Row::default()
        }
    };
    let all = counters.iter().zip(fastest.iter().zip(remarks)).filter(|(counter, _)| counter.name != REFERENCE);
    let mut rows: Vec<Row> = all.map(row).collect();
    if let Some(ours) = rows.first() {
        let (name, value) = (format!("{}, at least 20 MB/s", text.name), ours.value);
        rows.insert(1, Row { name, value, unit: UNIT, goal: Some(Goal::ValueAtMost(SLOWEST)), ..Row::default() });
    }
    Ok(rows)
}
