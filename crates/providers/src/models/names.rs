//! The names under which a model may be known.

/// The names to look a model up by, the fullest first: the whole, without what stands before it, without its variant,
/// and without its date.
pub(super) fn candidates(model: &str) -> Vec<String> {
    let whole = model.trim().to_ascii_lowercase();
    let mut names = Vec::with_capacity(8);
    push(&mut names, &whole);
    let own = whole.rsplit('/').next().unwrap_or(&whole);
    push(&mut names, own);
    if let Some(tuned) = own.strip_prefix("ft:") {
        let base = tuned.split(':').next().unwrap_or(tuned);
        push(&mut names, &format!("ft:{base}"));
        for shorter in reductions(base) {
            push(&mut names, &format!("ft:{shorter}"));
        }
        push(&mut names, base);
        push_reduced(&mut names, base);
        return names;
    }
    // `us.anthropic.claude-3-haiku-20240307-v1:0` at Bedrock, `openai.gpt-oss-20b-1:0`.
    let plain = MAKERS.iter().find_map(|maker| {
        let (front, rest) = own.split_once(maker)?;
        rest.strip_prefix('.').filter(|_| front.is_empty() || front.ends_with('.'))
    });
    let plain = plain.unwrap_or(own);
    push(&mut names, plain);
    // `:free`, `:nitro`, `:0`; a tag at Ollama, `llama3:8b`, is part of the name and was looked for above.
    let plain = plain.split(':').next().unwrap_or(plain);
    push(&mut names, plain);
    push_reduced(&mut names, plain);
    names
}

const MAKERS: [&str; 7] = ["anthropic", "openai", "amazon", "meta", "mistral", "cohere", "deepseek"];

fn push(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && names.iter().all(|known| known != name) {
        names.push(name.to_owned());
    }
}

/// The name without its date, and with the version written as its maker writes it.
fn push_reduced(names: &mut Vec<String>, name: &str) {
    let shorter = reductions(name);
    shorter.iter().for_each(|name| push(names, name));
    let undated = shorter.last().copied().unwrap_or(name);
    // Azure may not have dots in names; OpenRouter has them where Anthropic has none.
    if let Some(rest) = undated.strip_prefix("gpt-35") {
        push(names, &format!("gpt-3.5{rest}"));
    }
    if undated.starts_with("claude-") {
        let dashed = undated.replace('.', "-");
        push(names, &dashed);
        if let Some(turned) = turned_claude(&dashed) {
            push(names, &turned);
        }
        push(names, dashed.strip_suffix("-0").unwrap_or(&dashed));
    }
}

/// `claude-haiku-3-5` and `claude-4-5-sonnet` are written both ways round, depending on the age of the model.
fn turned_claude(name: &str) -> Option<String> {
    let words: Vec<&str> = name.strip_prefix("claude-")?.split('-').collect();
    let is_number = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let numbers: Vec<&str> = words.iter().filter(is_number).copied().collect();
    let others: Vec<&str> = words.iter().filter(|word| !is_number(word)).copied().collect();
    if numbers.is_empty() || others.len() != 1 {
        return None;
    }
    let (number, family) = (numbers.join("-"), others.join("-"));
    let is_first = words.first().is_some_and(|word| is_number(&word));
    Some(if is_first { format!("claude-{family}-{number}") } else { format!("claude-{number}-{family}") })
}

/// The name without versions and dates at its end, one after the other: `-v1`, `@20250929`, `-2024-08-06`, `-20241022`,
/// `-08-2024`, `-0613`, `-preview-05-20`, `-001`, `-latest`. Each step is a name of its own.
fn reductions(name: &str) -> Vec<&str> {
    let mut name = name.split('@').next().unwrap_or(name);
    let mut names = vec![name];
    // Each round takes one off; no name has more than these.
    for _ in 0..4 {
        let Some(shorter) = without_end(name) else { break };
        name = shorter;
        names.push(name);
    }
    // Google's previews cost what the model does. Elsewhere a preview is another model.
    if let Some(final_name) = name.strip_suffix("-preview").filter(|_| name.starts_with("gemini-")) {
        names.push(final_name);
    }
    names
}

/// The name without the last version or date at its end.
fn without_end(name: &str) -> Option<&str> {
    let (front, end) = name.rsplit_once('-')?;
    if matches!(end, "latest" | "v1" | "v2") {
        return Some(front);
    }
    if !is_number(end) {
        return None;
    }
    match end.len() {
        1 => front.starts_with("gpt-oss").then_some(front),
        2 => dated(front),
        // Cohere writes the month before the year: `-08-2024`.
        4 if end.starts_with("20") => match front.rsplit_once('-') {
            Some((name, month)) if is_number(month) && month.len() == 2 => Some(name),
            _ => Some(front),
        },
        3 | 4 | 8 => Some(front),
        _ => None,
    }
}

/// What stands before `-2024-08` or `-preview-05`, whose day has been taken off.
fn dated(front: &str) -> Option<&str> {
    let (front, month) = front.rsplit_once('-')?;
    if !is_number(month) || month.len() != 2 {
        return None;
    }
    match front.rsplit_once('-') {
        Some((name, year)) if is_number(year) && year.len() == 4 => Some(name),
        Some((_, "preview")) => Some(front),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The provider that makes the models of such a name.
pub(super) fn maker(name: &str) -> Option<&'static str> {
    const FAMILIES: [(&str, &str); 21] = [
        ("claude-", "anthropic"),
        ("ft:gpt-", "openai"),
        ("gpt-oss", ""),
        ("gpt-", "openai"),
        ("chatgpt-", "openai"),
        ("codex-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("text-embedding-", "openai"),
        ("gemini-", "gemini"),
        ("mistral-", "mistral"),
        ("ministral-", "mistral"),
        ("magistral-", "mistral"),
        ("codestral", "mistral"),
        ("devstral", "mistral"),
        ("pixtral-", "mistral"),
        ("command", "cohere"),
        ("deepseek-", "deepseek"),
        ("grok-", "xai"),
        ("sonar", "perplexity"),
    ];
    FAMILIES.into_iter().find(|(front, _)| name.starts_with(front)).map(|(_, maker)| maker)
}

/// Whether it is a fine-tuned model. Those have prices of their own.
pub(super) fn is_tuned(model: &str) -> bool {
    model.trim().rsplit('/').next().is_some_and(|own| own.starts_with("ft:"))
}

/// Whether it is OpenRouter's variant that costs nothing.
pub(super) fn is_free(model: &str) -> bool {
    model.trim().ends_with(":free")
}
