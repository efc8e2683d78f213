//! `chat-limiter count`: tokens of a text, or of each request of a batch file, and what they cost.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use chat_limiter::BatchItem;
use chat_limiter::providers::models::{Billing, ModelTable};
use chat_limiter::providers::{Provider, Registry, RequestSize};
use chat_limiter::tokenizer::Encoding;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::args::CountArguments;
use crate::cost::{Estimate, Prices};
use crate::form::Form;
use crate::input::Input;
use crate::say;

pub(crate) async fn count(arguments: CountArguments) -> anyhow::Result<ExitCode> {
    let billing = if arguments.batch { Billing::Batch } else { Billing::Standard };
    let mut input = Input::open(arguments.file.as_deref().unwrap_or(Path::new("-"))).await?;
    let beginning = input.beginning().await?;
    let form = Form::of(beginning);
    let is_batch = beginning.trim_ascii_start().starts_with(b"{") && form.is_some();
    if is_batch || arguments.file.is_some_and(|file| file.extension().is_some_and(|extension| extension == "jsonl")) {
        return count_requests(input, form.unwrap_or(Form::OpenAi), billing).await;
    }
    let mut bytes = Vec::new();
    input.reader.read_to_end(&mut bytes).await.with_context(|| format!("cannot read {}", input.name))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", input.name))?;
    let model = arguments.model.as_deref();
    let tokens = encoding(model).count(&text);
    writeln!(std::io::stdout(), "{tokens}")?;
    match model {
        // An encoding costs nothing.
        Some(name) if Encoding::by_name(name).is_ok() => {}
        Some(model) => say(&Prices::new(ModelTable::standard(), "", billing).describe_input(model, tokens as u64)),
        None if arguments.batch => say("--batch prices a text only where --model names a model"),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The encoding of a model, or the encoding itself, by name.
fn encoding(name: Option<&str>) -> Encoding {
    let Some(name) = name else { return Encoding::DEFAULT };
    let known = Encoding::by_name(name).ok().or_else(|| Encoding::for_model(name));
    known.unwrap_or_else(|| {
        let used = Encoding::DEFAULT.name();
        say(&format!("the encoding of {name:?} is not known: counted with {used}, so this is an estimate"));
        Encoding::DEFAULT
    })
}

/// What requests add up to, of one model or of all.
#[derive(Debug, Default)]
struct Total {
    requests: u64,
    input: u64,
    /// The most that they can produce; of those that set no bound nothing.
    output: u64,
    cost: Estimate,
}

impl Total {
    fn add(&mut self, prices: &Prices<'_>, model: &str, size: &RequestSize) {
        self.requests += 1;
        self.input = self.input.saturating_add(size.input_tokens);
        self.output = self.output.saturating_add(size.max_output_tokens.unwrap_or(0));
        self.cost.add(prices, model, size);
    }
}

/// A line for each request (tokens, most output tokens, model, custom_id), for each model where there are several, and
/// the total. The last two kinds end with what it costs.
async fn count_requests(mut input: Input, form: Form, billing: Billing) -> anyhow::Result<ExitCode> {
    let registry = Registry::standard();
    let provider: Arc<dyn Provider> = registry.by_name(match form {
        Form::OpenAi => "openai",
        Form::Anthropic => "anthropic",
    })?;
    let prices = Prices::new(ModelTable::standard(), provider.name(), billing);
    let mut out = BufWriter::new(std::io::stdout());
    let mut models: BTreeMap<String, Total> = BTreeMap::new();
    let (mut number, mut total, mut failed) = (0, Total::default(), 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.reader.read_until(b'\n', &mut line).await;
        if read.with_context(|| format!("cannot read {}", input.name))? == 0 {
            break;
        }
        number += 1;
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            continue;
        }
        match measure(number, text, provider.as_ref()) {
            Ok((item, size)) => {
                let most = size.max_output_tokens.map_or("-".to_owned(), |most| most.to_string());
                writeln!(out, "{}\t{most}\t{}\t{}", size.input_tokens, item.model, item.custom_id)?;
                total.add(&prices, &item.model, &size);
                models.entry(item.model.to_string()).or_default().add(&prices, &item.model, &size);
            }
            Err(why) => {
                say(&format!("{}:{number}: {why}", input.name));
                failed += 1;
            }
        }
    }
    if models.len() > 1 {
        for (model, Total { requests, input, output, cost }) in &models {
            writeln!(out, "{input}\t{output}\t{model}\ttotal of {requests} requests\t{}", cost.columns(&prices))?;
        }
    }
    writeln!(out, "{}\ttotal of {} requests\t{}", total.input, total.requests, total.cost.columns(&prices))?;
    out.flush()?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn measure(number: u64, line: &[u8], provider: &dyn Provider) -> Result<(BatchItem, RequestSize), String> {
    let item = BatchItem::parse(number, line, provider).map_err(|invalid| invalid.to_string())?;
    let body = serde_json::from_slice(&item.request.body).map_err(|error| error.to_string())?;
    let size = provider.cost(&item.request.path, &body);
    Ok((item, size))
}
