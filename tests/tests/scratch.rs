//! scratch
#![cfg(test)]
use std::time::{Duration, SystemTime};
use chat_limiter::tokenizer::Encoding;
use chat_limiter_tests::{Face, Load, same_random_numbers, wire};
use simulator::{Charge, Config, HeaderPolicy, Metering, Simulator};

fn mix(n: u64) -> u64 { let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15); z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9); z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb); z ^ (z >> 31) }

#[test]
fn scratch() {
    let only = std::env::var("ONLY").unwrap_or_default();
    Encoding::for_model_or_default("gpt-4o-mini").load();
    for headers in [HeaderPolicy::Always, HeaderPolicy::OnRefusal, HeaderPolicy::Never] {
        for charge in [Charge::PromptPlusMaxTokens, Charge::MaxOfBoth, Charge::PromptOnly, Charge::Produced] {
            for (metering, depth, fill, latency) in [(Metering::TokenBucket, 60, 1.0, 50), (Metering::TokenBucket, 60, 0.0, 50), (Metering::TokenBucket, 60, 1.0, 5000),(Metering::TokenBucket, 6, 1.0, 50),(Metering::TokenBucket, 6, 1.0, 3000), (Metering::FixedWindow, 60, 1.0, 50)] {
                let name = format!("{headers:?} {charge:?} {metering:?} depth {depth} fill {fill} latency {latency}");
                if !only.is_empty() && !format!("{name}:").contains(&only) { continue; }
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
                runtime.block_on(async {
                    same_random_numbers();
                    let config = Config::default().with_requests_per_minute(600).with_tokens_per_minute(60_000)
                        .with_headers(headers).with_charge(charge).with_metering(metering).with_start_fill(fill)
                        .with_bucket_depth(Duration::from_secs(depth)).with_latency(Duration::from_millis(latency)).with_output_tokens(16, 40)
                        .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_620));
                    let simulator = Simulator::new(config).unwrap();
                    let face = Face::OpenAi;
                    let client = face.client(wire::to(&simulator)).concurrency(4000).look_ahead(Duration::from_secs(60)).build().unwrap();
                    let mut total = 0u64; let mut count = 0u64;
                    let mut sizes = Vec::new();
                    while total < 240_000 && count < 3000 {
                        let u = (mix(count) >> 11) as f64 / (1u64 << 53) as f64;
                        let size = (60.0 / (1.0 - u).powf(0.7)).min(1900.0) as u64;
                        let (prompt, most) = (size.max(10) / 2, size.max(10) / 2);
                        total += match charge { Charge::MaxOfBoth => prompt.max(most), Charge::PromptOnly => prompt, Charge::Produced => prompt + most.min(28), _ => prompt + most };
                        count += 1;
                        sizes.push((prompt, most));
                    }
                    let watch = chat_limiter_tests::Stopwatch::start();
                    let progress = async { loop { tokio::time::sleep(Duration::from_secs(10)).await; let s = simulator.statistics();
                        if !only.is_empty() { println!("  {:?} answered {} charged {} 429s {} inflight {}", watch.elapsed().as_secs(), s.answered, s.charged.tokens, s.rate_limited, chat_limiter_tests::in_flight(&client)); } } };
                    let load = Load::run(&client, sizes.iter().map(|(p, m)| face.question(face.model(), *p as usize, *m)));
                    let load = tokio::select! { load = load => load, _ = progress => unreachable!() };
                    let s = simulator.statistics();
                    let burst = fill * depth as f64;
                    let tokens = s.charged.tokens as f64 / 1000.0 - burst;
                    let requests = count as f64 / 10.0 - burst;
                    let least = if metering == Metering::FixedWindow { let w = (s.charged.tokens as f64 / 60_000.0).max(count as f64 / 600.0); 40.0 + ((w - 1.0).ceil() - 1.0) * 60.0 } else { tokens.max(requests) } + latency as f64 / 1000.0;
                    println!("{name}: {count} requests, {:.1} s / {least:.1} = {:.4}, 429s {}, failed {} attempts {}", load.elapsed.as_secs_f64(), load.elapsed.as_secs_f64() / least, s.rate_limited, load.failures.len(), load.attempts);
                    if let Some(f) = load.failures.first() { println!("   {f}"); }
                });
            }
        }
    }
}
