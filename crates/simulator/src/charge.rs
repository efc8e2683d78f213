//! What a request is charged, when it starts and when it has ended.

use crate::Charge;
use crate::faces::Face;
use crate::quota::{Amounts, Dimension};
use crate::work::Work;

impl Charge {
    /// The tokens of the prompt that count.
    const fn prompt(self, work: &Work) -> u64 {
        match self {
            Self::CachedInputFree => work.uncached_tokens(),
            _ => work.input_tokens,
        }
    }

    /// What `work` is charged when it is admitted, where a choice whose output it does not bound counts as `unbounded`.
    pub(crate) fn at_start(self, face: Face, work: &Work, unbounded: u64) -> Amounts {
        let prompt = self.prompt(work);
        let ceiling = work.most_output().unwrap_or_else(|| unbounded.saturating_mul(work.choices));
        let (tokens, output_tokens) = match self {
            Self::PromptOnly | Self::CachedInputFree => (prompt, 0),
            Self::Documented if face == Face::Anthropic => (prompt, 0),
            Self::Documented | Self::MaxOfBoth => (prompt.max(ceiling), ceiling),
            Self::PromptPlusMaxTokens | Self::Produced => (prompt.saturating_add(ceiling), ceiling),
        };
        face.metered(Amounts { requests: 1, tokens, input_tokens: prompt, output_tokens })
    }

    /// What `work` is charged in the end, having produced `output` tokens, where that is not what it was at the start.
    pub(crate) fn at_end(self, face: Face, work: &Work, output: u64) -> Option<Amounts> {
        let corrected = match self {
            Self::Produced => true,
            Self::Documented | Self::CachedInputFree => face == Face::Anthropic,
            Self::PromptPlusMaxTokens | Self::MaxOfBoth | Self::PromptOnly => false,
        };
        corrected.then(|| {
            let input = self.prompt(work);
            let tokens = input.saturating_add(output);
            face.metered(Amounts { requests: 1, tokens, input_tokens: input, output_tokens: output })
        })
    }
}

impl Face {
    /// The dimensions this face limits.
    pub(crate) const fn dimensions(self) -> &'static [Dimension] {
        match self {
            Self::OpenAi | Self::OpenRouter => &[Dimension::Requests, Dimension::Tokens],
            Self::Anthropic => &[Dimension::Requests, Dimension::InputTokens, Dimension::OutputTokens],
        }
    }

    /// `amounts` with zero where this face has no limit.
    fn metered(self, amounts: Amounts) -> Amounts {
        let mut metered = Amounts::default();
        for &dimension in self.dimensions() {
            *metered.of_mut(dimension) = amounts.of(dimension);
        }
        metered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(input_tokens: u64, ceiling: Option<u64>) -> Work {
        let model = String::from("m");
        Work {
            model,
            input_tokens,
            cached_tokens: 30,
            ceiling,
            choices: 2,
            stream: false,
            include_usage: false,
            vectors: None,
        }
    }

    #[test]
    fn every_rule_charges_what_its_name_says() {
        #[track_caller]
        fn check(charge: Charge, face: Face, ceiling: Option<u64>, start: [u64; 3], end: Option<[u64; 3]>) {
            let tokens = |amounts: Amounts| [amounts.tokens, amounts.input_tokens, amounts.output_tokens];
            let work = work(100, ceiling);
            assert_eq!(tokens(charge.at_start(face, &work, 16)), start, "{charge:?} at the start");
            assert_eq!(charge.at_end(face, &work, 7).map(tokens), end, "{charge:?} at the end");
        }
        use Charge::{CachedInputFree, Documented, MaxOfBoth, Produced, PromptOnly, PromptPlusMaxTokens};
        use Face::{Anthropic, OpenAi};
        check(PromptPlusMaxTokens, OpenAi, Some(300), [700, 0, 0], None);
        check(PromptPlusMaxTokens, OpenAi, None, [132, 0, 0], None);
        check(PromptPlusMaxTokens, Anthropic, Some(300), [0, 100, 600], None);
        check(MaxOfBoth, OpenAi, Some(300), [600, 0, 0], None);
        check(MaxOfBoth, OpenAi, Some(10), [100, 0, 0], None);
        check(PromptOnly, OpenAi, Some(300), [100, 0, 0], None);
        check(PromptOnly, Anthropic, Some(300), [0, 100, 0], None);
        check(Produced, OpenAi, Some(300), [700, 0, 0], Some([107, 0, 0]));
        check(Produced, Anthropic, Some(300), [0, 100, 600], Some([0, 100, 7]));
        check(Documented, OpenAi, Some(300), [600, 0, 0], None);
        check(Documented, Anthropic, Some(300), [0, 100, 0], Some([0, 100, 7]));
        check(CachedInputFree, OpenAi, Some(300), [70, 0, 0], None);
        check(CachedInputFree, Anthropic, Some(300), [0, 70, 0], Some([0, 70, 7]));
        check(PromptPlusMaxTokens, OpenAi, Some(u64::MAX), [u64::MAX, 0, 0], None);
    }
}
