//! What was told, as lines of four columns.

use std::fmt;

use chat_limiter::providers::discovery::ScopeLimits;
use chat_limiter::providers::discovery::openrouter::{Credits, KeyStatus};

use crate::summary::window;

/// Whose limit it is, what it is on, how much, and of what, with tabs between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line([String; 4]);

impl Line {
    /// What servers say may hold anything; a line and its columns stay whole.
    fn new(owner: &str, scope: &str, amount: impl fmt::Display, what: &str) -> Self {
        let columns = [owner.to_owned(), scope.to_owned(), amount.to_string(), what.to_owned()];
        Self(columns.map(|column| column.replace(char::is_control, " ")))
    }

    fn dollars(owner: &str, scope: &str, sum: f64, what: &str) -> Self {
        Self::new(owner, scope, format_args!("{sum:.6}"), &format!("US dollars {what}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\t"))
    }
}

/// A line for each limit of the models that share it.
pub(super) fn of_scope(owner: &str, scope: &ScopeLimits) -> Vec<Line> {
    let models = if scope.models.is_empty() { scope.scope.clone() } else { scope.models.join(", ") };
    let line = |amount: u64, what: &str| Line::new(owner, &models, amount, what);
    let mut lines = Vec::new();
    for limit in &scope.limits {
        let (what, window) = (limit.dimension().name().replace('_', " "), window(limit.window().as_secs_f64()));
        lines.push(line(limit.amount(), &format!("{what} per {window}")));
    }
    for dimension in &scope.without_quota {
        lines.push(line(0, &dimension.name().replace('_', " ")));
    }
    for (name, amount) in &scope.other {
        lines.push(line(*amount, name));
    }
    lines
}

/// What a key of OpenRouter may spend, has spent, and may ask for. Its label is left out: it shows a part of the key.
pub(super) fn of_key(status: &KeyStatus) -> Vec<Line> {
    let most = status.limit_reset.as_ref().map_or("at most".to_owned(), |again| format!("at most, {again}"));
    let sums = [
        (status.limit, most.as_str()),
        (status.limit_remaining, "left"),
        (status.usage, "spent"),
        (status.usage_daily, "spent today"),
        (status.usage_weekly, "spent this week"),
        (status.usage_monthly, "spent this month"),
    ];
    let mut lines: Vec<Line> =
        sums.iter().filter_map(|(sum, what)| Some(Line::dollars("key", "credit", (*sum)?, what))).collect();
    lines.extend(status.limits().iter().flat_map(|scope| of_scope("key", scope)));
    lines.extend(status.free_requests.map(|free| Line::new("key", ":free", free.remaining, "requests left today")));
    lines
}

/// What an account has bought, spent, and not spent.
pub(super) fn of_credits(credits: &Credits) -> Vec<Line> {
    let sums = [(credits.total_credits, "bought"), (credits.total_usage, "spent"), (credits.remaining(), "left")];
    sums.iter().map(|(sum, what)| Line::dollars("account", "credit", *sum, what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_a_line_or_a_column() {
        let mut scope = ScopeLimits::default();
        scope.models = vec!["a\tb\nc\u{1b}[31m".to_owned()];
        scope.other = vec![("other\r".to_owned(), 7)];
        let lines: Vec<String> = of_scope("p\0", &scope).iter().map(Line::to_string).collect();
        assert_eq!(lines, ["p \ta b c [31m\t7\tother "]);
    }

    #[test]
    fn what_is_not_told_has_no_line() {
        assert_eq!(of_key(&KeyStatus::default()), []);
        assert_eq!(of_scope("p", &ScopeLimits::default()), []);
    }
}
