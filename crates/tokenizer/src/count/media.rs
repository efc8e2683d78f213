//! What is not text: recognised by its shape, charged by flat rules.
//!
//! Neither the size of an image nor the length of a recording or document is looked at, so each is charged as a common
//! one: an image of 1024 x 1024 pixels, ten seconds of sound or film, three pages. Base64 is never counted as text.

use serde_json::{Map, Value};

use super::PayloadKind;
use crate::model::base_name;

/// A part of a prompt that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Image {
        /// `"detail": "low"`.
        low_detail: bool,
    },
    Audio,
    Video,
    Document,
}

impl Medium {
    const IMAGE: Self = Self::Image { low_detail: false };

    /// The medium that a message part is, in the shapes of OpenAI, Anthropic, Gemini and Bedrock.
    pub(super) fn of_part(part: &Map<String, Value>) -> Option<Self> {
        let low_detail = [Some(part), part.get("image_url").and_then(Value::as_object)]
            .into_iter()
            .flatten()
            .any(|object| object.get("detail").and_then(Value::as_str) == Some("low"));
        match part.get("type").and_then(Value::as_str) {
            Some("image" | "image_url" | "input_image") => return Some(Self::Image { low_detail }),
            Some("input_audio" | "audio" | "audio_url") => return Some(Self::Audio),
            Some("video" | "video_url" | "input_video") => return Some(Self::Video),
            Some("file" | "input_file" | "document_url") => return Some(Self::Document),
            // A document's source is text, a list of parts, or data.
            Some("document") => return (!has_text_source(part)).then_some(Self::Document),
            _ => {}
        }
        if part.contains_key("image_url") {
            return Some(Self::Image { low_detail });
        }
        if let Some(data) = ["inlineData", "inline_data", "fileData", "file_data"].iter().find_map(|key| part.get(*key))
        {
            let mime = ["mimeType", "mime_type"].iter().find_map(|key| data.get(*key)?.as_str());
            return Some(mime.map_or(Self::Document, Self::of_mime_type));
        }
        let holds = |key: &str| part.get(key).and_then(|medium| medium.get("source")).is_some();
        [("image", Self::IMAGE), ("document", Self::Document), ("video", Self::Video), ("audio", Self::Audio)]
            .into_iter()
            .find_map(|(key, medium)| holds(key).then_some(medium))
    }

    /// The medium that a `data:` URL holds, if `text` is one in base64.
    pub(super) fn of_data_url(text: &str) -> Option<Self> {
        let (head, _) = text.strip_prefix("data:")?.split_once(";base64,")?;
        (head.len() <= 128).then(|| Self::of_mime_type(head))
    }

    fn of_mime_type(mime: &str) -> Self {
        match mime.split('/').next() {
            Some("image") => Self::IMAGE,
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Document,
        }
    }
}

fn has_text_source(document: &Map<String, Value>) -> bool {
    let kind = document.get("source").and_then(|source| source.get("type")).and_then(Value::as_str);
    matches!(kind, Some("text" | "content"))
}

/// What the media of one model cost, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prices {
    image: u64,
    low_detail: u64,
    audio: u64,
    video: u64,
    page: u64,
}

impl Prices {
    /// How many seconds a recording is taken to last.
    const SECONDS: u64 = 10;
    /// How many pages a document is taken to have.
    const PAGES: u64 = 3;

    /// The prices of `model` behind the API of `kind`.
    pub(super) fn of(kind: PayloadKind, model: &str) -> Self {
        let model = base_name(model);
        match kind {
            PayloadKind::AnthropicMessages => Self::ANTHROPIC,
            PayloadKind::Gemini => Self::GEMINI,
            _ if model.starts_with("claude") => Self::ANTHROPIC,
            _ if model.starts_with("gemini") => Self::GEMINI,
            _ => Self::openai(&model),
        }
    }

    /// Width x height / 750 for an image, a page as text of 1,500 to 3,000 tokens:
    /// <https://docs.claude.com/en/docs/build-with-claude/vision> and `/pdf-support`.
    const ANTHROPIC: Self = Self { image: 1_398, low_detail: 1_398, audio: 0, video: 0, page: 2_250 };

    /// 258 for each tile of 768 pixels of an image, as much for a page of a document, 32 for a second of sound,
    /// 263 for one of film: <https://ai.google.dev/gemini-api/docs/tokens>. A square of 1024 pixels is four tiles.
    const GEMINI: Self =
        Self { image: 258 * 4, low_detail: 258, audio: 32 * Self::SECONDS, video: 263 * Self::SECONDS, page: 258 };

    /// Tiles of 512 pixels after the shorter side was scaled to 768, four for a square, or patches of 32 pixels, 1,024
    /// for it, times a factor: <https://platform.openai.com/docs/guides/images-vision#calculating-costs>. Sound is ten
    /// tokens a second. A page is charged as its text and as an image.
    fn openai(model: &str) -> Self {
        /// Models by how their names begin, the more special ones first: tokens of a square, and at low detail.
        const MODELS: [(&str, u64, u64); 13] = [
            ("gpt-4.1-mini", 1_024 * 162 / 100, 1_024 * 162 / 100),
            ("gpt-4.1-nano", 1_024 * 246 / 100, 1_024 * 246 / 100),
            ("o4-mini", 1_024 * 172 / 100, 1_024 * 172 / 100),
            ("codex-mini", 1_024 * 172 / 100, 1_024 * 172 / 100),
            ("gpt-5-mini", 1_024 * 162 / 100, 1_024 * 162 / 100),
            ("gpt-5-nano", 1_024 * 246 / 100, 1_024 * 246 / 100),
            ("gpt-5.4-mini", 1_024 * 162 / 100, 1_024 * 162 / 100),
            ("gpt-5.4-nano", 1_024 * 246 / 100, 1_024 * 246 / 100),
            ("gpt-5", 70 + 4 * 140, 70),
            ("gpt-4o-mini", 2_833 + 4 * 5_667, 2_833),
            ("o1", 75 + 4 * 150, 75),
            ("o3", 75 + 4 * 150, 75),
            ("computer-use-preview", 65 + 4 * 129, 65),
        ];
        let (image, low_detail) = MODELS
            .iter()
            .find(|(prefix, ..)| model.starts_with(prefix))
            .map_or((85 + 4 * 170, 85), |&(_, image, low_detail)| (image, low_detail));
        Self { image, low_detail, audio: 10 * Self::SECONDS, video: 0, page: 500 + image }
    }

    pub(super) fn of_medium(self, medium: Medium) -> u64 {
        match medium {
            Medium::Image { low_detail: true } => self.low_detail,
            Medium::Image { low_detail: false } => self.image,
            Medium::Audio => self.audio,
            Medium::Video => self.video,
            Medium::Document => self.page * Self::PAGES,
        }
    }
}
