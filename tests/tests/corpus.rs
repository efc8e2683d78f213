//! Recorded requests of real programs, run as batch files. Skipped, and says so, where the recordings are not there.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use chat_limiter::tokenizer::Encoding;
use chat_limiter::{Batch, ChatLimiter, Summary};
use chat_limiter_tests::{Face, same_random_numbers, wire};
use serde_json::Value;
use simulator::{Config, Simulator};
use tokio::net::TcpListener;

/// The limits that the client is not told.
fn simulator() -> Simulator {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let config = Config::default().with_requests_per_minute(3_000).with_tokens_per_minute(1_000_000);
    Simulator::new(config.with_start_time(start)).unwrap()
}

/// The unpacked file; `None`, with a word why, where it or what unpacks it is not there.
fn recorded(name: &str) -> Option<Vec<u8>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus").join(name);
    if !path.exists() {
        eprintln!("skipped: there is no {}", path.display());
        return None;
    }
    match Command::new("gzip").arg("-dc").arg(&path).output() {
        Ok(output) if output.status.success() => Some(output.stdout),
        Ok(output) => panic!("{}: {}", path.display(), String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!("skipped: gzip cannot be run ({error})");
            None
        }
    }
}

/// Runs a batch file, and checks that every line has its answer.
async fn run(client: ChatLimiter, input: &[u8]) -> Summary {
    let mut output = Vec::new();
    let batch = Batch::new(client, "recorded.jsonl");
    let summary = batch.run(input, &mut output, std::future::pending(), &()).await.unwrap();
    println!(
        "{} requests, {} failed, {} refusals, {:.1} s, utilization {:?}",
        summary.requests, summary.failed, summary.rate_limited, summary.elapsed_seconds, summary.quota_utilization
    );
    let custom_ids = |bytes: &[u8]| -> Vec<String> {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
        lines.map(|line| line["custom_id"].as_str().unwrap().to_owned()).collect()
    };
    let (asked, answered) = (custom_ids(input), custom_ids(&output));
    assert_eq!((summary.requests, summary.succeeded, summary.failed), (asked.len() as u64, asked.len() as u64, 0));
    assert_eq!(answered.len(), asked.len());
    assert_eq!(answered.into_iter().collect::<BTreeSet<_>>(), asked.into_iter().collect());
    summary
}

fn refused_one_in_a_hundred_at_most(summary: &Summary) {
    assert!(summary.rate_limited * 100 <= summary.requests, "{} refusals", summary.rate_limited);
}

/// On virtual time: the file holds more tokens than a minute's limit, so it takes more than a minute.
#[tokio::test(start_paused = true)]
async fn every_recorded_request_to_openai_is_answered() {
    let Some(input) = recorded("batch_openai.jsonl.gz") else { return };
    Encoding::for_model_or_default("gpt-4o").load();
    same_random_numbers();
    let client = Face::OpenAi.client(wire::to(&simulator())).build().unwrap();
    let summary = run(client, &input).await;
    refused_one_in_a_hundred_at_most(&summary);
}

/// On virtual time, too.
#[tokio::test(start_paused = true)]
async fn every_recorded_request_to_anthropic_is_answered() {
    let Some(input) = recorded("batch_anthropic.jsonl.gz") else { return };
    same_random_numbers();
    let client = Face::Anthropic.client(wire::to(&simulator())).build().unwrap();
    let summary = run(client, &input).await;
    refused_one_in_a_hundred_at_most(&summary);
}

/// Over real sockets.
#[tokio::test]
async fn every_recorded_request_to_anthropic_is_answered_over_tcp() {
    let Some(input) = recorded("batch_anthropic.jsonl.gz") else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = simulator();
    let serving = tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
    let builder = ChatLimiter::builder("anthropic").base_url(format!("http://{address}/v1")).api_key("none");
    let summary = run(builder.concurrency(200).build().unwrap(), &input).await;
    serving.abort();
    refused_one_in_a_hundred_at_most(&summary);
    assert_eq!(simulator.statistics().answered, summary.requests);
}
