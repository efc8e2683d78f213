//! The end of a run, for a person and for a file.

use std::fs::File;
use std::io::Write;

use anyhow::Context;
use chat_limiter::Summary;

/// Writes the summary as one JSON object.
pub(crate) fn write(file: &mut File, summary: &Summary) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(summary)?;
    text.push('\n');
    file.write_all(text.as_bytes()).context("cannot write the summary")
}

/// A few lines for a person.
pub(crate) fn describe(summary: &Summary) -> String {
    let Summary { succeeded, failed, skipped, attempts, rate_limited, input_tokens, output_tokens, .. } = summary;
    let mut text = format!("{succeeded} succeeded, {failed} failed");
    if *skipped > 0 {
        text += &format!(", {skipped} done before");
    }
    text += &format!(
        " in {:.1} s: {:.1} requests/s, {:.0} tokens/s\n{attempts} attempts, {rate_limited} of them rate limited; \
         {input_tokens} input and {output_tokens} output tokens",
        summary.elapsed_seconds, summary.requests_per_second, summary.tokens_per_second
    );
    if let Some(share) = summary.quota_utilization {
        text += &format!("; {:.0} % of the quota's rate used", share * 100.0);
    }
    for (models, limits) in &summary.limits {
        let limits: Vec<String> = limits
            .iter()
            .map(|limit| {
                let per = limit.window_seconds.map(|seconds| format!(" per {}", window(seconds)));
                format!("{} {}{}", limit.amount, limit.dimension.replace('_', " "), per.unwrap_or_default())
            })
            .collect();
        text += &format!("\nlimits of {}: {}", shortened(models), limits.join(", "));
    }
    text
}

/// A window by its name, where it has one.
pub(crate) fn window(seconds: f64) -> String {
    let names = [(1.0, "second"), (60.0, "minute"), (3_600.0, "hour"), (86_400.0, "day")];
    let name = names.iter().find(|(span, _)| (seconds - span).abs() < f64::EPSILON);
    name.map_or_else(|| format!("{seconds:.0} s"), |(_, name)| (*name).to_owned())
}

/// A list of many models would fill the screen.
fn shortened(models: &str) -> String {
    let mut names = models.split(", ");
    let mut shown: Vec<&str> = names.by_ref().take(5).collect();
    let rest = names.count();
    let more = format!("and {rest} more");
    if rest > 0 {
        shown.push(&more);
    }
    shown.join(", ")
}
