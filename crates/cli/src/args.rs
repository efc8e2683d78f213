//! What can be written on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use simulator::Disturbance;

use crate::foreign::ForeignArguments;
use crate::limits::LimitsArguments;

/// Sends requests to LLM providers at the ceiling of the quota and not past it, without being told the limits
#[derive(Debug, Parser)]
#[command(
    name = "chat-limiter",
    version,
    after_help = "Exit codes: 0 all went well, 1 some requests failed or the run was stopped, 2 wrong usage or unusable input."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send every request of a batch file and write a result for each
    Run(RunArguments),
    /// Be a provider on this machine, for any client in any language
    Simulate(SimulateArguments),
    /// Count the tokens of a text, or of each request of a batch file, and what they will cost
    Count(CountArguments),
    /// Ask a provider for the limits and the credit of an account
    Limits(LimitsArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The requests, one JSON object a line; - reads standard input
    ///
    /// A line is a request in the batch form of OpenAI {"custom_id", "method", "url", "body"} or of Anthropic
    /// {"custom_id", "params"}, or a bare request body.
    #[arg(value_name = "REQUESTS.jsonl")]
    pub(crate) requests: PathBuf,
    /// Where the results go, one JSON object a line; - is standard output
    ///
    /// They have the form of OpenAI's batch output, in the order of the answers. Results that are there already are
    /// kept in FILE.old, in place of older ones.
    #[arg(short, long, value_name = "RESULTS.jsonl", default_value = "-")]
    pub(crate) output: PathBuf,
    /// openai, anthropic, openrouter, openai-compatible, or simulated
    ///
    /// simulated is an embedded provider that makes its answers up and needs no key and no network. It is the default
    /// where no --base-url is given; with one, the address tells the provider.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// Where the provider's interface is, such as http://127.0.0.1:8080/v1
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The environment variable that holds the API key [default: the provider's own, such as OPENAI_API_KEY]
    #[arg(long, value_name = "VAR")]
    pub(crate) api_key_env: Option<String>,
    /// A ceiling of your own on requests; the provider's limits are found and kept in any case
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) requests_per_minute: Option<u64>,
    /// A ceiling of your own on tokens, input and output together
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) tokens_per_minute: Option<u64>,
    /// The most requests in flight at once [default: 1000, or fewer where the system allows fewer connections]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) concurrency: Option<u64>,
    /// How often a request is sent at most, the first time included [default: 100, of which 10 may fail otherwise than
    /// for the rate]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_attempts: Option<u32>,
    /// How long to wait for an answer to begin [default: 120, and longer where a long answer is asked for]
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one)]
    pub(crate) timeout: Option<u64>,
    /// Go on where an earlier run with the same files ended
    ///
    /// Requests that have a successful result in the output file are left out; failed ones are sent again.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Write the run's figures to this file as one JSON object
    #[arg(long, value_name = "FILE.json")]
    pub(crate) summary: Option<PathBuf>,
    /// Start with what an earlier run has learned of prompts and answers, and write there what this one has
    ///
    /// The file need not be there. One that cannot be read is named, and the run starts without it.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) learned: Option<PathBuf>,
    /// Say nothing but what goes wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// The port on 127.0.0.1; 0 takes a free one and says which
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub(crate) port: u16,
    /// Requests per minute
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = at_least_one)]
    pub(crate) requests_per_minute: u64,
    /// Tokens per minute, input and output together
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = at_least_one)]
    pub(crate) tokens_per_minute: u64,
    /// The time to an answer
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub(crate) latency_ms: u64,
    /// Additional time for each token of an answer, in microseconds
    #[arg(long, value_name = "US", default_value_t = 0)]
    pub(crate) token_latency_us: u64,
    /// How much quota can be saved up, in seconds of it
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = span)]
    pub(crate) bucket_seconds: Duration,
    /// How full the buckets are at the start, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share)]
    pub(crate) start_fill: f64,
    /// How quota comes back
    #[arg(long, value_enum, default_value_t = MeteringArgument::TokenBucket)]
    pub(crate) metering: MeteringArgument,
    /// What a request costs in tokens
    #[arg(long, value_enum, default_value_t = ChargeArgument::Documented)]
    pub(crate) charge: ChargeArgument,
    /// Which requests share one set of limits
    #[arg(long, value_enum, default_value_t = SharingArgument::Account)]
    pub(crate) sharing: SharingArgument,
    /// Which answers tell the limits in their headers
    #[arg(long, value_enum, default_value_t = HeadersArgument::Always)]
    pub(crate) headers: HeadersArgument,
    /// The key that requests have to send [default: none is asked for]
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// The share of requests answered with status 500
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) server_errors: f64,
    /// The share of requests answered as overloaded (503, or 529 of Anthropic)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) overloaded: f64,
    /// The share of requests whose connection is dropped
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) resets: f64,
    /// The share of requests answered with garbage
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) garbage: f64,
    /// The share of requests that are never answered
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) hangs: f64,
    /// The share of streams that break off
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) stream_breaks: f64,
    /// The share of each prompt that is read from a cache, and told as such
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) cached_share: f64,
    /// By what the provider multiplies its count of a prompt, more than 0 and at most 10
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(crate) prompt_factor: f64,
    /// Make some answers much slower than most: by a Pareto distribution of shape 1.5, at most 30 times as slow
    #[arg(long)]
    pub(crate) latency_tail: bool,
    /// By how many seconds the provider's calendar is fast; below 0, slow
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true, value_parser = whole_seconds)]
    pub(crate) clock_error: i64,
    /// Let somebody else take a share of all limits for a while
    ///
    /// Such as 60:120:0.5, half of them in the second minute. Times are seconds since the start; can be given several
    /// times, as can the next three.
    #[arg(long, value_name = "FROM:UNTIL:SHARE", value_parser = other_client)]
    pub(crate) other_client: Vec<Disturbance>,
    /// Change all limits to a factor of what they are, from then on
    #[arg(long, value_name = "AT:FACTOR", value_parser = limit_factor)]
    pub(crate) limit_factor: Vec<Disturbance>,
    /// Answer every request as overloaded for a while
    #[arg(long, value_name = "FROM:UNTIL", value_parser = failing)]
    pub(crate) failing: Vec<Disturbance>,
    /// Drop every connection on which a request comes for a while
    #[arg(long, value_name = "FROM:UNTIL", value_parser = stopped)]
    pub(crate) stopped: Vec<Disturbance>,
    /// The seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) foreign: ForeignArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MeteringArgument {
    TokenBucket,
    FixedWindow,
    SlidingWindow,
    SlidingCounter,
    Slices,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChargeArgument {
    Documented,
    PromptPlusMaxTokens,
    MaxOfBoth,
    PromptOnly,
    Produced,
    CachedInputFree,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SharingArgument {
    Account,
    PerModel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HeadersArgument {
    Always,
    OnRefusal,
    Never,
    OnSuccess,
    RetryAfter,
}

#[derive(Debug, Args)]
pub(crate) struct CountArguments {
    /// A text, or a batch file (its first line is a JSON object); standard input where it is left out
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The model, or the encoding, to count a text for; the requests of a batch file name their own
    #[arg(long, value_name = "M")]
    pub(crate) model: Option<String>,
    /// Price them as the provider's batch service does
    #[arg(long)]
    pub(crate) batch: bool,
}

/// A number that is not zero.
pub(crate) fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("expected a whole number".to_owned()),
    }
}

/// A part of the whole.
fn share(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    parsed.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// Seconds, with a fraction or without.
fn span(text: &str) -> Result<Duration, String> {
    let span = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.filter(|span| !span.is_zero()).ok_or_else(|| "expected seconds, more than 0".to_owned())
}

/// A number that is more than 0.
fn factor(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|factor: &f64| *factor > 0.0 && factor.is_finite());
    parsed.ok_or_else(|| "expected a number more than 0".to_owned())
}

/// Whole seconds, fewer than none too.
fn whole_seconds(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "expected whole seconds".to_owned())
}

fn other_client(text: &str) -> Result<Disturbance, String> {
    let fields = text.split_once(':').and_then(|(from, rest)| Some((from, rest.split_once(':')?)));
    let (from, (until, taken)) = fields.ok_or_else(|| "expected FROM:UNTIL:SHARE, such as 60:120:0.5".to_owned())?;
    let (from, until) = begins_and_ends(from, until)?;
    Ok(Disturbance::OtherClient { from, until, share: share(taken)? })
}

fn limit_factor(text: &str) -> Result<Disturbance, String> {
    let (at, by) = text.split_once(':').ok_or_else(|| "expected AT:FACTOR, such as 60:0.5".to_owned())?;
    Ok(Disturbance::LimitFactor { at: moment(at)?, factor: factor(by)? })
}

fn failing(text: &str) -> Result<Disturbance, String> {
    from_until(text).map(|(from, until)| Disturbance::Failing { from, until })
}

fn stopped(text: &str) -> Result<Disturbance, String> {
    from_until(text).map(|(from, until)| Disturbance::Stopped { from, until })
}

/// When something begins and ends.
fn from_until(text: &str) -> Result<(Duration, Duration), String> {
    let (from, until) = text.split_once(':').ok_or_else(|| "expected FROM:UNTIL, such as 60:120".to_owned())?;
    begins_and_ends(from, until)
}

fn begins_and_ends(from: &str, until: &str) -> Result<(Duration, Duration), String> {
    let (from, until) = (moment(from)?, moment(until)?);
    if from > until { Err("expected an end that is not before the beginning".to_owned()) } else { Ok((from, until)) }
}

/// Seconds since the start, with a fraction or without.
pub(crate) fn moment(text: &str) -> Result<Duration, String> {
    let moment = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    moment.ok_or_else(|| format!("expected seconds, 0 or more, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
    #[test]
    fn numbers_are_checked_where_they_are_read() {
        for (text, expected) in [("0", false), ("1", true), ("-1", false), ("1.5", false), ("x", false), ("", false)] {
            assert_eq!(at_least_one(text).is_ok(), expected, "{text:?}");
        }
        for (text, expected) in
            [("0", true), ("1", true), ("0.5", true), ("1.01", false), ("-0.1", false), ("NaN", false)]
        {
            assert_eq!(share(text).is_ok(), expected, "{text:?}");
        }
        for (text, expected) in
            [("60", true), ("0.5", true), ("0", false), ("-1", false), ("inf", false), ("1e40", false)]
        {
            assert_eq!(span(text).is_ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn disturbances_are_read_in_seconds_since_the_start() {
        let seconds = Duration::from_secs;
        let (from, until) = (seconds(0), Duration::from_millis(1_500));
        assert_eq!(other_client("0:1.5:0.25"), Ok(Disturbance::OtherClient { from, until, share: 0.25 }));
        assert_eq!(failing("0:1.5"), Ok(Disturbance::Failing { from, until }));
        assert_eq!(stopped("0:1.5"), Ok(Disturbance::Stopped { from, until }));
        assert_eq!(limit_factor("60:2"), Ok(Disturbance::LimitFactor { at: seconds(60), factor: 2.0 }));
    }

    #[test]
    fn disturbances_that_cannot_be_read_are_explained() {
        #[track_caller]
        fn check(read: fn(&str) -> Result<Disturbance, String>, text: &str, expected: &str) {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        check(other_client, "1:2", "FROM:UNTIL:SHARE");
        check(other_client, "1:2:3", "from 0 to 1");
        check(other_client, "1:2:0.5:1", "from 0 to 1");
        check(limit_factor, "2", "AT:FACTOR");
        check(limit_factor, "2:0", "more than 0");
        check(limit_factor, "2:inf", "more than 0");
        check(failing, "1", "FROM:UNTIL");
        check(failing, "2:1", "not before the beginning");
        check(stopped, "-1:1", "0 or more, not \"-1\"");
        check(stopped, "1:x", "0 or more, not \"x\"");
        check(stopped, ":", "0 or more");
    }
}
