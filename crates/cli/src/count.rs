//! `chat-limiter count`: tokens of a text, or of each request of a batch file.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use chat_limiter::BatchItem;
use chat_limiter::providers::{Provider, Registry};
use chat_limiter::tokenizer::TiktokenCalculator;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::args::CountArguments;
use crate::input::Input;
use crate::say;

pub(crate) async fn count(arguments: CountArguments) -> anyhow::Result<ExitCode> {
    let mut input = Input::open(arguments.file.as_deref().unwrap_or(Path::new("-"))).await?;
    let beginning = input.beginning().await?;
    if beginning.starts_with('{') {
        return count_requests(input, &beginning).await;
    }
    let mut bytes = Vec::new();
    input.reader.read_to_end(&mut bytes).await.with_context(|| format!("cannot read {}", input.name))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", input.name))?;
    let calculator = TiktokenCalculator::new(arguments.model.as_deref().unwrap_or_default());
    writeln!(std::io::stdout(), "{}", calculator.calculate(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// A line for each request (tokens, most output tokens, model, custom_id) and the total.
async fn count_requests(mut input: Input, beginning: &str) -> anyhow::Result<ExitCode> {
    let registry = Registry::standard();
    let is_anthropic = beginning.contains("\"params\"") || beginning.contains("/v1/messages\"");
    let provider: Arc<dyn Provider> = registry.by_name(if is_anthropic { "anthropic" } else { "openai" })?;
    let mut out = BufWriter::new(std::io::stdout());
    let (mut number, mut total, mut requests, mut failed) = (0, 0_u64, 0, 0);
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
                total += size.input_tokens;
                requests += 1;
            }
            Err(why) => {
                say(&format!("{}:{number}: {why}", input.name));
                failed += 1;
            }
        }
    }
    writeln!(out, "{total}\ttotal of {requests} requests")?;
    out.flush()?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn measure(
    number: u64,
    line: &[u8],
    provider: &dyn Provider,
) -> Result<(BatchItem, chat_limiter::providers::RequestSize), String> {
    let item = BatchItem::parse(number, line, provider).map_err(|invalid| invalid.to_string())?;
    let body = serde_json::from_slice(&item.request.body).map_err(|error| error.to_string())?;
    let size = provider.cost(&item.request.path, &body);
    Ok((item, size))
}
