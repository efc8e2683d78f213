//! `--models`: the models that a provider lists.

use std::fmt::Display;
use std::sync::Arc;

use anyhow::bail;
use chat_limiter::providers::discovery::{KeyKind, model_list, parse_model_list};
use chat_limiter::providers::{ModelFacts, OpenAiCompatible, Provider};
use chat_limiter::{Builder, ChatLimiter};

use super::ask::ask_all;

/// Settings of a client that may ask for the list: without a key where none is asked for.
pub(super) fn builder(provider: &Arc<dyn Provider>) -> anyhow::Result<Builder> {
    let Some(question) = model_list(provider.name(), None) else {
        bail!("{} has no list of models at its address", provider.name());
    };
    Ok(match question.key {
        KeyKind::None => Builder::for_provider(Arc::new(OpenAiCompatible::new())).base_url(provider.base_url()),
        _ => Builder::for_provider(Arc::clone(provider)),
    })
}

/// A line for each model, in the order of the answer.
pub(super) async fn lines(client: &ChatLimiter, provider: &str) -> anyhow::Result<Vec<String>> {
    let Some(first) = model_list(provider, None) else { return Ok(Vec::new()) };
    let question = |page: Option<&str>| model_list(provider, page).unwrap_or_else(|| first.clone());
    let models = ask_all(client, question, |body| parse_model_list(provider, body)).await?;
    Ok(models.iter().map(line).collect())
}

/// Its name, its window, the largest answer, and the prices of input and output: `-` for what is not told.
fn line(model: &ModelFacts) -> String {
    let dollars = |sum: f64| format!("{sum:.6}");
    let columns = [
        model.name.replace(char::is_control, " "),
        or_dash(model.context),
        or_dash(model.max_output),
        or_dash(model.price.map(|price| dollars(price.input))),
        or_dash(model.price.map(|price| dollars(price.output))),
    ];
    columns.join("\t")
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
