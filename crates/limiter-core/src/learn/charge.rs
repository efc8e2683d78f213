//! By which rule a provider charges, found out by comparing what was sent with what `remaining` lost.
//!
//! Providers charge the prompt and `max_tokens`, or the larger one of both, or the prompt alone, or what was produced
//! when it has been; they count tokens in their own way, leave cached ones out, and change all of it without notice.
//! What is reserved beyond the charge is quota that nobody uses while the request is in flight; what is reserved less
//! is a refusal. So each rule keeps its own account of what should have been lost between two of the provider's words,
//! the one that explains them best is believed. What the provider counts of a prompt may differ from what is counted here
//! by a factor (a tokenizer, a cache), and that is found with it; what may be produced is a number in the request, which
//! both read alike.

use crate::learn::flat::Flat;
use crate::learn::ledger::{Account, Parts};
use crate::{Nanos, Refill};

/// A way to charge a request for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// All that may be taken, when it begins.
    Whole,
    /// The larger one of the prompt and what may be produced, when it begins.
    Larger,
    /// The prompt, when it begins.
    Prompt,
    /// All that may be taken when it begins, corrected to what was taken when it ends.
    Corrected,
    /// The prompt when it begins, and what was produced when it ends.
    Late,
}

impl Rule {
    /// In the order in which they are preferred where several explain as much: careful ones first.
    const ALL: [Self; 5] = [Self::Whole, Self::Corrected, Self::Larger, Self::Late, Self::Prompt];

    const fn index(self) -> usize {
        self as usize
    }

    /// What this rule charges for all that happened from `earlier` to `account`: what depends on how prompts are counted,
    /// and what does not, which is less than nothing where more came back than may be produced.
    fn charged(self, account: &Account, earlier: &Account) -> (u64, i64) {
        let admitted = account.admitted_since(earlier);
        let prompt = admitted.whole.wrapping_sub(admitted.output);
        let (prompt, output) = match self {
            Self::Whole => (prompt, admitted.output),
            Self::Larger => (admitted.larger, 0),
            Self::Prompt => (prompt, 0),
            Self::Corrected => (prompt, admitted.output.wrapping_sub(account.unused_since(earlier))),
            Self::Late => (prompt, account.produced_since(earlier)),
        };
        // It wrapped below nothing where more was refused than was admitted.
        (prompt.cast_signed().max(0).unsigned_abs(), output.cast_signed())
    }

    /// The same of one request, when it begins, where `yields` of 1,024 units that may be produced are.
    fn of_one(self, parts: &Parts, yields: u64) -> (u64, u64) {
        let prompt = parts.whole.saturating_sub(parts.output);
        match self {
            Self::Whole | Self::Corrected => (prompt, parts.output),
            Self::Larger => (parts.larger, 0),
            Self::Prompt => (prompt, 0),
            Self::Late => (prompt, scaled(parts.output, yields)),
        }
    }

    /// Whether the end of a request changes what it is charged.
    pub(crate) const fn settles(self) -> bool {
        matches!(self, Self::Corrected | Self::Late)
    }
}

/// A word of the provider's, and what had been admitted when its request was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// When the request was sent that it answers.
    pub(crate) at: Nanos,
    pub(crate) remaining: u64,
    /// What had been admitted with that request.
    pub(crate) account: Account,
    /// What else may be part of the word or not.
    pub(crate) doubtful: u64,
    /// By how much the figure may be off.
    pub(crate) rounded: u64,
}

/// What one rule has explained.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// What was lost, and what the rule would have charged for it, where neither was cut off.
    lost: i64,
    prompts: u64,
    outputs: i64,
    /// By how much its predictions were off.
    error: u64,
}

/// By which rule one limit is charged, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    rule: Rule,
    /// What the provider counts for 1,024 units of a prompt.
    factor: u64,
    anchor: Option<Word>,
    evidence: [Evidence; 5],
    /// What was lost or came back in all intervals looked at.
    moved: u64,
    /// What the figures of the words were off by at most.
    rounded: u64,
    intervals: u32,
    /// Whether a rule was chosen that explains them.
    is_chosen: bool,
    /// How many intervals have to be compared before a rule is chosen, and how many flights were refused since one was.
    enough: u32,
    refusals: u32,
    /// What every request is charged, where that is the same whatever it asks for.
    flat: Flat,
}

/// What ended after a word was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// How much less was produced than had been reserved for it. Wraps.
    pub(crate) unused: u64,
    /// What was produced. Wraps.
    pub(crate) produced: u64,
}

/// One as a factor.
pub(crate) const ONE: u64 = 1_024;
/// The provider may count a prompt in another way, and leave cached tokens out, but not by more than this.
const LEAST_FACTOR: u64 = ONE / 16;
const MOST_FACTOR: u64 = ONE * 4;
/// Two words are compared when so much of the window lies between them that a few requests counted in another order
/// are little beside it: a fortieth, 1.5 s of a minute.
const INTERVALS_PER_WINDOW: u64 = 40;
/// While nothing is known, a full bucket waits for what they tell: the first ones are half a second of a minute each.
const FIRST_INTERVALS_PER_WINDOW: u64 = 120;
/// Or a request is answered that may produce so much of what there can be: a hundredth.
const TELLING: u64 = 100;
/// And so many requests.
const REQUESTS: u64 = 8;
/// Fewer intervals tell too little.
const ENOUGH: u32 = 3;
/// What may be part of a word or not is little beside what was admitted between two: a quarter of it at most.
const DOUBTFUL: u64 = 4;
/// Half of it where words are rare: the next one comes after a trial that costs a refusal.
const DOUBTFUL_RARE: u64 = 2;
/// So many flights that were refused say that the rule is too light: one may be somebody else's doing.
const REFUSALS: u32 = 2;
/// A rule that was wrong is chosen again after so many times as many intervals.
const PATIENCE: u32 = 4;
/// After so many intervals what is left unexplained is a measure of chance.
const MANY: u32 = 16;
/// What is older than this many intervals counts half.
const MEMORY: u32 = 8;

impl Charge {
    pub(crate) const fn new() -> Self {
        const NONE: Evidence = Evidence { lost: 0, prompts: 0, outputs: 0, error: 0 };
        Self {
            rule: Rule::Whole,
            factor: ONE,
            anchor: None,
            evidence: [NONE; 5],
            moved: 0,
            rounded: 0,
            intervals: 0,
            is_chosen: false,
            enough: ENOUGH,
            refusals: 0,
            flat: Flat::new(),
        }
    }

    /// What the provider counts for 1,024 units of a prompt.
    pub(crate) const fn factor(&self) -> u64 {
        self.factor
    }

    pub(crate) const fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether anything was compared.
    pub(crate) const fn has_compared(&self) -> bool {
        self.intervals > 0
    }

    /// Whether so little was compared, or is explained by any rule, that each may still be right, and any factor.
    pub(crate) const fn is_unsettled(&self) -> bool {
        (self.intervals < ENOUGH || !self.is_chosen) && !self.flat.is_believed()
    }

    /// What is reserved for a request of these parts, where `yields` of 1,024 units that may be produced are.
    pub(crate) fn amount(&self, parts: &Parts, yields: u64) -> u64 {
        if let Some(amount) = self.flat.amount(parts) {
            return amount;
        }
        let (prompt, output) = self.rule.of_one(parts, yields);
        scaled(prompt, self.factor).saturating_add(output)
    }

    /// What a request is charged in the end for which `reserved` was reserved and that took `actual`. The prompt is what it
    /// was counted as at first: how many tokens it had is not how a limit counts it.
    pub(crate) fn settled(&self, reserved: &Parts, actual: &Parts) -> u64 {
        scaled(reserved.whole.saturating_sub(reserved.output), self.factor).saturating_add(actual.output)
    }

    /// What has to be there for a request of these parts: what is charged on average may be too little for one.
    pub(crate) fn needed(&self, parts: &Parts, yields: u64) -> u64 {
        Self { factor: self.factor.max(ONE), ..*self }.amount(parts, yields)
    }

    /// What is charged for the prompt alone.
    pub(crate) fn prompt(&self, parts: &Parts) -> u64 {
        scaled(parts.whole.saturating_sub(parts.output), self.factor)
    }

    /// What a word does not include: what is charged for those `in_flight` that may not have been counted, and what the
    /// end of others (`ended`) has changed since. What is charged when a request ends is not included for `all` that are
    /// in flight.
    pub(crate) fn unsaid(&self, in_flight: &Parts, all: &Parts, ended: &Ends, yields: u64) -> u64 {
        let prompt = scaled(in_flight.whole.saturating_sub(in_flight.output), self.factor);
        let counted = match self.rule {
            Rule::Whole | Rule::Larger | Rule::Prompt => return self.amount(in_flight, yields),
            Rule::Corrected => {
                let whole = prompt.saturating_add(in_flight.output);
                signed(whole).saturating_sub(ended.unused.cast_signed())
            }
            Rule::Late => {
                let coming = prompt.saturating_add(scaled(all.output, yields));
                signed(coming).saturating_add(ended.produced.cast_signed())
            }
        };
        counted.max(0).unsigned_abs()
    }

    /// A flight of requests was refused that had to fit by what is known, where all that they may take did not: a rule
    /// that lets too much through is given up, and it takes longer to believe another.
    pub(crate) fn doubt(&mut self) {
        if matches!(self.rule, Rule::Whole) && !self.flat.is_believed() {
            return;
        }
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            *self = Self { enough: self.enough.saturating_mul(PATIENCE), ..Self::new() };
        }
    }

    /// The limit is another one: what was said of the old one can't be compared with what is said of this one.
    pub(crate) const fn interrupt(&mut self) {
        self.anchor = None;
        self.flat.interrupt();
    }

    /// Takes in a word about a limit of this shape of which it is known what it includes: all that was admitted and nothing
    /// else was in flight with the request that it answers. Once a rule has explained what was charged, what is missing
    /// beside it was taken by somebody else, who takes as much between two requests that follow each other evenly.
    pub(crate) fn learn_exactly(&mut self, word: &Word, limit: &Shape) {
        if self.intervals >= ENOUGH && !self.flat.is_believed() {
            return;
        }
        if self.flat.learn(word, limit) {
            (self.rule, self.factor) = (Rule::Whole, ONE);
        }
    }

    /// Takes in a word about a limit of this shape, in the answer to a request of the parts `own`. Words are rare where
    /// only refusals bring them.
    pub(crate) fn learn(&mut self, word: Word, own: &Parts, limit: &Shape, is_rare: bool) {
        let Word { at, account, doubtful, .. } = word;
        let Some(anchor) = self.anchor else {
            self.anchor = Some(word);
            return;
        };
        if at < anchor.at || limit.turned(anchor.at, at) {
            self.anchor = Some(word);
            return;
        }
        let requests = account.requests_since(&anchor.account);
        let intervals = if self.is_unsettled() { FIRST_INTERVALS_PER_WINDOW } else { INTERVALS_PER_WINDOW };
        let is_long = at.saturating_sub(anchor.at).get() >= limit.window.get() / intervals;
        // A single request by which the rules differ by much tells as much as many, when it begins and when it has ended.
        let tells = |amount: u64| amount >= limit.full / TELLING && amount / 4 >= doubtful && amount <= u64::MAX / 2;
        let is_telling = requests > 0 && (tells(own.output) || tells(account.unused_since(&anchor.account)));
        // Where more was refused than admitted, the number has wrapped.
        if requests > u64::MAX / 2 || !(is_telling || is_long && requests >= REQUESTS) {
            return;
        }
        // In a burst nobody knows what was counted before what.
        let admitted = account.admitted_since(&anchor.account).whole;
        let most = admitted / if is_rare { DOUBTFUL_RARE } else { DOUBTFUL };
        if doubtful.saturating_add(word.rounded) > most {
            return;
        }
        self.anchor = Some(word);
        if anchor.doubtful > most {
            return;
        }
        self.compare(&anchor, &word, limit);
        if !self.flat.is_believed() {
            self.choose(is_rare);
        }
    }

    /// Takes in what is left `after` all that went since `before`, where it is known that nothing else is part of it.
    pub(crate) fn learn_between(&mut self, before: &Word, after: &Word, limit: &Shape) {
        self.anchor = None;
        self.compare(before, after, limit);
        if !self.flat.is_believed() {
            self.choose(false);
            self.is_at_least_measured();
        }
    }

    /// Takes over what is measured where it is a little more than what is believed: where requests are fitted together to
    /// the last unit, each unit that is charged more is a refusal.
    fn is_at_least_measured(&mut self) {
        let measured = self.evidence.get(self.rule.index()).map_or(0, Evidence::factor);
        if self.intervals >= self.enough && self.factor.abs_diff(measured) <= self.factor / 50 {
            self.factor = self.factor.max(measured);
        }
    }

    fn compare(&mut self, anchor: &Word, word: &Word, limit: &Shape) {
        let back = limit.refilled(anchor.at, word.at);
        let before = i128::from(anchor.remaining) + i128::from(back);
        // Near the top some of what came back may have run over.
        let is_near = word.remaining.max(anchor.remaining) > limit.full - limit.full / 10;
        let is_cut = is_near && limit.refill == Refill::Continuous;
        if self.intervals.is_multiple_of(MEMORY) && self.intervals > 0 {
            self.moved /= 2;
            self.rounded /= 2;
            for evidence in &mut self.evidence {
                evidence.lost /= 2;
                evidence.prompts /= 2;
                evidence.outputs /= 2;
                evidence.error /= 2;
            }
        }
        self.intervals = self.intervals.saturating_add(1);
        self.rounded = self.rounded.saturating_add(word.rounded.saturating_mul(2));
        let lost = i64::try_from(before - i128::from(word.remaining)).unwrap_or(0);
        let mut all = 0;
        for rule in Rule::ALL {
            let (prompt, output) = rule.charged(&word.account, &anchor.account);
            all = prompt.saturating_add_signed(output).max(all);
            let Some(evidence) = self.evidence.get_mut(rule.index()) else { continue };
            if !is_cut {
                evidence.lost = evidence.lost.saturating_add(lost);
                evidence.prompts = evidence.prompts.saturating_add(prompt);
                evidence.outputs = evidence.outputs.saturating_add(output);
            }
            let charged = i128::from(scaled(prompt, evidence.factor())) + i128::from(output);
            let predicted = (before - charged).clamp(0, i128::from(limit.full));
            let error = predicted.abs_diff(i128::from(word.remaining));
            evidence.error = evidence.error.saturating_add(u64::try_from(error).unwrap_or(u64::MAX));
        }
        self.moved = self.moved.saturating_add(lost.max(0).unsigned_abs().max(all));
    }

    /// Believes the most careful of the rules that explain nearly as much as the one that explains most: two rules may
    /// come to the same in the long run and differ in what they hold for those in flight. Where answers are rare, what is
    /// too careful adds up, and the one that explains most is believed.
    fn choose(&mut self, is_rare: bool) {
        let doubt = |evidence: &Evidence| {
            // A rule that has to be bent far is less likely than one that fits as it is. From few words a factor of what is
            // little beside the rest is mostly noise.
            let bent = if is_rare { evidence.prompts } else { self.moved };
            let bent = u128::from(evidence.factor().abs_diff(ONE)) * u128::from(bent) / u128::from(4 * ONE);
            evidence.error.saturating_add(u64::try_from(bent).unwrap_or(u64::MAX))
        };
        let error = |rule: Rule| self.evidence.get(rule.index()).map_or(u64::MAX, doubt);
        let enough = if is_rare { 1 } else { self.enough };
        if self.intervals < enough || self.moved == 0 {
            return;
        }
        // Where even the best one leaves more than a tenth of what moved unexplained, it is too early to tell them apart.
        let unexplained = self.evidence.iter().map(|evidence| evidence.error).min().unwrap_or(0);
        if !is_rare && self.intervals < MANY && unexplained > (self.moved / 10).saturating_add(self.rounded) {
            return;
        }
        let least = Rule::ALL.into_iter().map(error).min().unwrap_or(0);
        self.is_chosen = true;
        // As much again as the best one leaves unexplained may be chance, at first twice as much: requests are counted in
        // another order. A hundredth of all that moved always is, more than a twentieth never. And figures are rounded.
        let again = if self.intervals < MANY { least.saturating_mul(2) } else { least / 2 + self.moved / 100 };
        let chance = again.max(self.moved / 100).min(self.moved / 20);
        let acceptable = least.saturating_add(chance).saturating_add(self.rounded);
        let explains = |rule: &Rule| error(*rule) <= acceptable;
        // Who gives back what was not produced, and who never took it, look alike where as much comes out of both. Then
        // all is held that may be taken, and nothing given back: the next word tells what remains.
        let is_open = explains(&Rule::Corrected) && (explains(&Rule::Larger) || explains(&Rule::Prompt));
        let mut explaining = Rule::ALL.into_iter().filter(explains);
        self.rule = match explaining.next() {
            // What was told apart once need not be told apart by everything that comes later.
            _ if self.rule != Rule::Whole && explains(&self.rule) => self.rule,
            _ if is_rare => Rule::ALL.into_iter().min_by_key(|rule| error(*rule)).unwrap_or(self.rule),
            Some(Rule::Corrected) if is_open => {
                (self.rule, self.factor) = (Rule::Whole, ONE);
                return;
            }
            Some(rule) => rule,
            None => self.rule,
        };
        let Some(evidence) = self.evidence.get(self.rule.index()) else { return };
        let factor = evidence.factor();
        let factor = if is_rare { factor } else { careful(factor) };
        // Where it differs by less than that, changing it is noise.
        if factor.abs_diff(self.factor) > self.factor / 50 {
            self.factor = factor;
        }
    }
}

impl Evidence {
    fn factor(&self) -> u64 {
        if self.prompts == 0 || self.lost <= 0 {
            return ONE;
        }
        let prompts = u128::from(self.lost.saturating_sub(self.outputs).max(0).unsigned_abs());
        let factor = prompts * u128::from(ONE) / u128::from(self.prompts);
        u64::try_from(factor).unwrap_or(u64::MAX).clamp(LEAST_FACTOR, MOST_FACTOR)
    }
}

/// A factor that holds for each request, where `factor` holds on average. What is charged for a large one differs from
/// what is charged for a small one, by what stands around the prompt if by nothing else, and where every answer tells what
/// remains, a little too much is corrected at once: so only what makes much of a difference is believed, and not to the
/// last part. Where answers are rare, what is too much adds up, and the average is what counts.
const fn careful(factor: u64) -> u64 {
    if factor >= ONE {
        factor
    } else if factor >= ONE - ONE / 4 {
        ONE
    } else {
        factor + factor / 8
    }
}

/// What a limit gives back, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) amount: u64,
    pub(crate) window: Nanos,
    /// The most that can be there.
    pub(crate) full: u64,
    pub(crate) refill: Refill,
}

impl Shape {
    /// What comes back between two instants.
    pub(crate) fn refilled(&self, from: Nanos, to: Nanos) -> u64 {
        if self.refill != Refill::Continuous {
            return 0;
        }
        let span = u128::from(to.saturating_sub(from).get());
        u64::try_from(span * u128::from(self.amount) / u128::from(self.window.get())).unwrap_or(u64::MAX)
    }

    /// Whether everything came back at once between two instants, or nobody knows what did.
    pub(crate) fn turned(&self, from: Nanos, to: Nanos) -> bool {
        match self.refill {
            // Of a sliding window, nothing does in its first window.
            Refill::Continuous | Refill::Sliding => false,
            Refill::AtBoundary { phase } => {
                let window = i128::from(self.window.get());
                let number = |at: Nanos| (i128::from(at.get()) - i128::from(phase.get())).div_euclid(window);
                number(from) != number(to)
            }
            Refill::OnRelease => true,
        }
    }
}

/// An amount that does not wrap, as far as there are numbers with a sign.
fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// `amount` times `factor` / 1,024, rounded up.
pub(crate) fn scaled(amount: u64, factor: u64) -> u64 {
    if factor == ONE {
        return amount;
    }
    let product = (u128::from(amount) * u128::from(factor)).div_ceil(u128::from(ONE));
    u64::try_from(product).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
