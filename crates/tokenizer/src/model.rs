//! Which encoding a model uses.

use std::borrow::Cow;

use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use crate::Encoding;

/// Families that tiktoken's own table does not know or knows only under exact names, by how a name begins.
///
/// From the model pages of <https://platform.openai.com/docs/models>: these are built on GPT-4o or later. Embeddings
/// are reported with a version behind their name (`text-embedding-ada-002-v2`).
const FAMILIES: [(&str, Encoding); 10] = [
    ("text-embedding-3", Encoding::Cl100kBase),
    ("text-embedding-ada", Encoding::Cl100kBase),
    ("gpt-3.5", Encoding::Cl100kBase),
    ("gpt-4.", Encoding::O200kBase),
    ("gpt-audio", Encoding::O200kBase),
    ("gpt-realtime", Encoding::O200kBase),
    ("chatgpt-", Encoding::O200kBase),
    ("computer-use-preview", Encoding::O200kBase),
    ("omni-moderation", Encoding::O200kBase),
    ("o4", Encoding::O200kBase),
];

/// The encoding of `model`, whose name may be dated, fine-tuned, prefixed or have a variant.
pub(crate) fn encoding_of(model: &str) -> Option<Encoding> {
    let name = base_name(model);
    if let Some(tokenizer) = get_tokenizer(&name) {
        return Some(from_tiktoken(tokenizer));
    }
    let family = FAMILIES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, encoding)| *encoding);
    let is_new = is_later(&name, "gpt-", 6) || is_later(&name, "o", 5);
    family.or(is_new.then_some(Encoding::O200kBase))
}

/// Whether `name` is of a series of OpenAI's and of this generation or a later one: `gpt-6-mini` is of the sixth of
/// `gpt-`. What is not out yet is taken to be as the latest that is.
pub(crate) fn is_later(name: &str, series: &str, generation: u8) -> bool {
    let Some([number @ b'0'..=b'9', rest @ ..]) = name.strip_prefix(series).map(str::as_bytes) else { return false };
    number - b'0' >= generation && rest.first().is_none_or(|next| matches!(next, b'-' | b'.' | b'_'))
}

/// The model's own name in lower case: `openai/gpt-4o:free`, `ft:gpt-4o:org::id` and `openai.gpt-4o` are `gpt-4o`.
///
/// A name is asked for several times in each request, and is nearly always written in lower case: then nothing is copied.
pub(crate) fn base_name(model: &str) -> Cow<'_, str> {
    let name = model.trim();
    // Most names are no longer than they have to be, and are read once.
    if !name.bytes().any(|byte| matches!(byte, b'/' | b':' | b'A'..=b'Z')) {
        return Cow::Borrowed(name.strip_prefix("openai.").unwrap_or(name));
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(own_name(&name.to_ascii_lowercase()).to_owned());
    }
    Cow::Borrowed(own_name(name))
}

fn own_name(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.strip_prefix("ft:").unwrap_or(name);
    let name = name.split(':').next().unwrap_or(name);
    name.strip_prefix("openai.").unwrap_or(name)
}

fn from_tiktoken(tokenizer: Tokenizer) -> Encoding {
    match tokenizer {
        Tokenizer::Cl100kBase => Encoding::Cl100kBase,
        Tokenizer::O200kBase => Encoding::O200kBase,
        Tokenizer::O200kHarmony => Encoding::O200kHarmony,
        Tokenizer::P50kBase => Encoding::P50kBase,
        Tokenizer::P50kEdit => Encoding::P50kEdit,
        Tokenizer::R50kBase | Tokenizer::Gpt2 => Encoding::R50kBase,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_its_encoding_under_every_name_in_use() {
        fn check(model: &str, expected: Option<Encoding>) {
            assert_eq!(Encoding::for_model(model), expected, "{model:?}");
            assert_eq!(Encoding::for_model_or_default(model), expected.unwrap_or(Encoding::O200kBase));
        }
        check("gpt-4o", Some(Encoding::O200kBase));
        check("gpt-4o-mini-2024-07-18", Some(Encoding::O200kBase));
        check("GPT-4o-Mini", Some(Encoding::O200kBase));
        check(" gpt-4o ", Some(Encoding::O200kBase));
        check("openai/gpt-4o", Some(Encoding::O200kBase));
        check("openrouter/openai/gpt-4o:free", Some(Encoding::O200kBase));
        check("ft:gpt-4o-2024-08-06:org::id", Some(Encoding::O200kBase));
        check("ft:gpt-3.5-turbo-0125:org::id", Some(Encoding::Cl100kBase));
        check("openai/ft:gpt-3.5-turbo:org::id", Some(Encoding::Cl100kBase));
        check("gpt-4.1-nano-2025-04-14", Some(Encoding::O200kBase));
        check("gpt-5.1-codex-mini", Some(Encoding::O200kBase));
        check("o1", Some(Encoding::O200kBase));
        check("o3-mini-2025-01-31", Some(Encoding::O200kBase));
        check("o4-mini-deep-research", Some(Encoding::O200kBase));
        check("codex-mini-latest", Some(Encoding::O200kBase));
        check("gpt-oss-120b", Some(Encoding::O200kHarmony));
        check("openai.gpt-oss-20b-1:0", Some(Encoding::O200kHarmony));
        check("accounts/fireworks/models/gpt-oss-20b", Some(Encoding::O200kHarmony));
        check("gpt-4", Some(Encoding::Cl100kBase));
        check("gpt-4-turbo-2024-04-09", Some(Encoding::Cl100kBase));
        check("gpt-35-turbo", Some(Encoding::Cl100kBase));
        check("gpt-3.5-turbo-instruct:20230824-v2", Some(Encoding::Cl100kBase));
        check("text-embedding-3-small", Some(Encoding::Cl100kBase));
        check("text-embedding-ada-002-v2", Some(Encoding::Cl100kBase));
        check("text-davinci-003", Some(Encoding::P50kBase));
        check("text-davinci-edit-001", Some(Encoding::P50kEdit));
        check("babbage:2023-07-21-v2", Some(Encoding::R50kBase));
        check("gpt2", Some(Encoding::R50kBase));
        check("openai/gpt-6-mini-2027-01-01", Some(Encoding::O200kBase));
        check("gpt-7.1", Some(Encoding::O200kBase));
        check("o5", Some(Encoding::O200kBase));
        check("o6-mini", Some(Encoding::O200kBase));
        check("gpt-6b-of-another-maker", None);
        check("gpt-neox-20b", None);
        check("o5x", None);
        check("text-embedding-004", None);
        check("claude-sonnet-4-5", None);
        check("gemini-2.5-flash", None);
        check("", None);
        check("ft:", None);
        check("///:::", None);
    }
}
