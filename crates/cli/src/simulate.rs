//! `chat-limiter simulate`: a provider on this machine.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use simulator::{Config, Faults, HeaderPolicy, Metering, Sharing, Simulator};
use tokio::net::{TcpListener, TcpSocket};

use crate::args::{HeadersArgument, MeteringArgument, SharingArgument, SimulateArguments};
use crate::interrupt::Interrupts;
use crate::{open_files, say};

/// The connections that may wait to be accepted: what Linux allows at most unless it is told otherwise. A client that opens
/// more than fit is told nothing, and its connections hang until they are tried again a second later.
const BACKLOG: u32 = 4_096;

/// What is open beside connections: standard streams, the listener, the runtime's own, with room to spare.
const OTHER_FILES: u64 = 64;

pub(crate) async fn simulate(arguments: SimulateArguments) -> anyhow::Result<ExitCode> {
    let simulator = Simulator::new(config(&arguments))?;
    let listener = listen(arguments.port).with_context(|| format!("cannot listen on 127.0.0.1:{}", arguments.port))?;
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

/// Listens with room for many that come at once: the library's own choice may be as few as 128.
fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(BACKLOG)
}

fn config(arguments: &SimulateArguments) -> Config {
    let SimulateArguments { other_client, limit_factor, failing, stopped, foreign, .. } = arguments;
    let disturbances = [other_client, limit_factor, failing, stopped, &foreign.charge_change];
    let disturbances = disturbances.into_iter().flatten().copied().collect();
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
            MeteringArgument::SlidingCounter => Metering::SlidingCounter,
            MeteringArgument::Slices => Metering::Slices,
        })
        .with_charge(arguments.charge.rule())
        .with_sharing(match arguments.sharing {
            SharingArgument::Account => Sharing::Account,
            SharingArgument::PerModel => Sharing::PerModel,
        })
        .with_headers(match arguments.headers {
            HeadersArgument::Always => HeaderPolicy::Always,
            HeadersArgument::OnRefusal => HeaderPolicy::OnRefusal,
            HeadersArgument::Never => HeaderPolicy::Never,
            HeadersArgument::OnSuccess => HeaderPolicy::OnSuccess,
            HeadersArgument::RetryAfter => HeaderPolicy::RetryAfter,
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
    let connections = usize::try_from(open_files::raise().saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let config = foreign.applied_to(config).with_most_connections(connections);
    match &arguments.api_key {
        Some(key) => config.with_api_key(key),
        None => config,
    }
}
