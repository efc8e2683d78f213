//! The options of `chat-limiter simulate` for what no large provider documents.

use std::time::Duration;

use clap::{Args, ValueEnum};
use simulator::{Charge, Config, Counting, Disturbance, HiddenLimit, ReadAt, RefusalCost, Resets};

use crate::args::{ChargeArgument, at_least_one, moment};

/// Servers of other kinds: gateways, inference servers, free tiers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Servers of other kinds")]
pub(crate) struct ForeignArguments {
    /// The most requests in flight; more are refused without a word, and nobody is told
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_in_flight: Option<u64>,
    /// Enforce a second's worth of the limits in each second, and tell only the minute's
    #[arg(long)]
    hidden_seconds: bool,
    /// A limit on requests per minute that only refusals show, by a retry-after
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    hidden_requests_per_minute: Option<u64>,
    /// Refuse one request in so many, whatever is left
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    refuse_one_in: Option<u64>,
    /// Requests per calendar day, told beside those per minute by the OpenAI interface
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    requests_per_day: Option<u64>,
    /// How the OpenAI interface tells when a limit is full again
    #[arg(long, value_enum, default_value_t = ResetFormArgument::Span)]
    reset_form: ResetFormArgument,
    /// When the levels are read that an answer tells
    #[arg(long, value_enum, default_value_t = ReadAtArgument::Admission)]
    levels_read_at: ReadAtArgument,
    /// What the OpenAI interface rounds remaining tokens to
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    rounding: u64,
    /// What is charged for output that a request does not bound
    #[arg(long, value_name = "TOKENS", default_value_t = 16)]
    unbounded_output: u64,
    /// When the limits lose what a request is charged
    #[arg(long, value_enum, default_value_t = CountingArgument::AtAdmission)]
    counting: CountingArgument,
    /// Take a request from the limit for each one that is refused
    #[arg(long)]
    refusals_cost: bool,
    /// What every 429 says in its retry-after, true or not
    #[arg(long, value_name = "SECONDS", value_parser = moment)]
    retry_after: Option<Duration>,
    /// Charge by another rule from then on; can be given several times
    #[arg(long, value_name = "AT:CHARGE", value_parser = charge_change)]
    pub(crate) charge_change: Vec<Disturbance>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ResetFormArgument {
    Span,
    EpochSeconds,
    Never,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReadAtArgument {
    Admission,
    Answer,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CountingArgument {
    AtAdmission,
    AtEnd,
}

impl ForeignArguments {
    /// The same provider with these peculiarities. What changes by the clock is not among them.
    pub(crate) fn applied_to(&self, config: Config) -> Config {
        let in_flight = self.max_in_flight.map(|most| HiddenLimit::InFlight { most });
        let each_second = self.hidden_seconds.then_some(HiddenLimit::EachSecond);
        let requests = self.hidden_requests_per_minute.map(|per_minute| HiddenLimit::Requests { per_minute });
        let at_random = self.refuse_one_in.map(|one_in| HiddenLimit::AtRandom { one_in });
        let config = config
            .with_hidden_limits([in_flight, each_second, requests, at_random].into_iter().flatten().collect())
            .with_resets(match self.reset_form {
                ResetFormArgument::Span => Resets::Span,
                ResetFormArgument::EpochSeconds => Resets::EpochSeconds,
                ResetFormArgument::Never => Resets::Never,
            })
            .with_levels_read_at(match self.levels_read_at {
                ReadAtArgument::Admission => ReadAt::Admission,
                ReadAtArgument::Answer => ReadAt::Answer,
            })
            .with_counting(match self.counting {
                CountingArgument::AtAdmission => Counting::AtAdmission,
                CountingArgument::AtEnd => Counting::AtEnd,
            })
            .with_rounding(self.rounding)
            .with_unbounded_output(self.unbounded_output);
        let config = if self.refusals_cost { config.with_refusal_cost(RefusalCost::Request) } else { config };
        let config = match self.retry_after {
            Some(span) => config.with_retry_after(span),
            None => config,
        };
        match self.requests_per_day {
            Some(requests) => config.with_requests_per_day(requests),
            None => config,
        }
    }
}

impl ChargeArgument {
    /// The rule of that name.
    pub(crate) const fn rule(self) -> Charge {
        match self {
            Self::Documented => Charge::Documented,
            Self::PromptPlusMaxTokens => Charge::PromptPlusMaxTokens,
            Self::MaxOfBoth => Charge::MaxOfBoth,
            Self::PromptOnly => Charge::PromptOnly,
            Self::Produced => Charge::Produced,
            Self::CachedInputFree => Charge::CachedInputFree,
        }
    }
}

fn charge_change(text: &str) -> Result<Disturbance, String> {
    let (at, charge) = text.split_once(':').ok_or_else(|| "expected AT:CHARGE, such as 60:prompt-only".to_owned())?;
    let charge = ChargeArgument::from_str(charge, false)
        .map_err(|_| format!("expected a rule that --charge takes, not {charge:?}"))?;
    Ok(Disturbance::ChargeChange { at: moment(at)?, charge: charge.rule() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_charge_is_read_with_its_time_or_explained() {
        let at = Duration::from_millis(1_500);
        assert_eq!(charge_change("1.5:prompt-only"), Ok(Disturbance::ChargeChange { at, charge: Charge::PromptOnly }));
        for (text, expected) in [("60", "AT:CHARGE"), ("x:produced", "0 or more"), ("60:half", "not \"half\"")] {
            let error = charge_change(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
