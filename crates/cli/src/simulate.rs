//! `chat-limiter simulate`: a provider on this machine.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use simulator::{Charge, Config, Faults, HeaderPolicy, Metering, Sharing, Simulator};
use tokio::net::TcpListener;

use crate::args::{ChargeArgument, HeadersArgument, MeteringArgument, SharingArgument, SimulateArguments};
use crate::interrupt::Interrupts;
use crate::say;

pub(crate) async fn simulate(arguments: SimulateArguments) -> anyhow::Result<ExitCode> {
    let simulator = Simulator::new(config(&arguments))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{}", arguments.port))?;
    // Whoever reads the address may ask for the end at once.
    let mut interrupts = Interrupts::listen()?;
    let address = listener.local_addr()?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{address}/v1").and_then(|()| out.flush())?;
    say(&format!(
        "OpenAI and Anthropic at http://{address}/v1, OpenRouter at http://{address}/api/v1; end with Ctrl-C"
    ));
    simulator.clone().serve(listener, async move { interrupts.next().await }).await?;
    let statistics = simulator.statistics();
    say(&format!(
        "{} requests: {} answered, {} rate limited, {} refused for other reasons, {} faults; at most {} at once",
        statistics.requests,
        statistics.answered,
        statistics.rate_limited,
        statistics.refused_other,
        statistics.faults.total(),
        statistics.max_concurrent
    ));
    Ok(ExitCode::SUCCESS)
}

fn config(arguments: &SimulateArguments) -> Config {
    let SimulateArguments { other_client, limit_factor, failing, stopped, .. } = arguments;
    let disturbances = [other_client, limit_factor, failing, stopped].into_iter().flatten().copied().collect();
    let config = Config::default()
        .with_requests_per_minute(arguments.requests_per_minute)
        .with_tokens_per_minute(arguments.tokens_per_minute)
        .with_latency(Duration::from_millis(arguments.latency_ms))
        .with_latency_per_output_token(Duration::from_micros(arguments.token_latency_us))
        .with_bucket_depth(arguments.bucket_seconds)
        .with_start_fill(arguments.start_fill)
        .with_seed(arguments.seed)
        .with_metering(match arguments.metering {
            MeteringArgument::TokenBucket => Metering::TokenBucket,
            MeteringArgument::FixedWindow => Metering::FixedWindow,
            MeteringArgument::SlidingWindow => Metering::SlidingWindow,
            MeteringArgument::Slices => Metering::Slices,
        })
        .with_charge(match arguments.charge {
            ChargeArgument::Documented => Charge::Documented,
            ChargeArgument::PromptPlusMaxTokens => Charge::PromptPlusMaxTokens,
            ChargeArgument::MaxOfBoth => Charge::MaxOfBoth,
            ChargeArgument::PromptOnly => Charge::PromptOnly,
            ChargeArgument::Produced => Charge::Produced,
            ChargeArgument::CachedInputFree => Charge::CachedInputFree,
        })
        .with_sharing(match arguments.sharing {
            SharingArgument::Account => Sharing::Account,
            SharingArgument::PerModel => Sharing::PerModel,
        })
        .with_headers(match arguments.headers {
            HeadersArgument::Always => HeaderPolicy::Always,
            HeadersArgument::OnRefusal => HeaderPolicy::OnRefusal,
            HeadersArgument::Never => HeaderPolicy::Never,
        })
        .with_faults(Faults {
            server_error_rate: arguments.server_errors,
            overloaded_rate: arguments.overloaded,
            reset_rate: arguments.resets,
            garbage_rate: arguments.garbage,
            hang_rate: arguments.hangs,
            stream_break_rate: arguments.stream_breaks,
        })
        .with_cached_share(arguments.cached_share)
        .with_prompt_factor(arguments.prompt_factor)
        .with_latency_tail(arguments.latency_tail)
        .with_clock_error(arguments.clock_error)
        .with_disturbances(disturbances);
    match &arguments.api_key {
        Some(key) => config.with_api_key(key),
        None => config,
    }
}
