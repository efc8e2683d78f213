//! What is not text: recognised by its shape, charged by documented rules.
//!
//! The size of an image is read where the image is in the request, and nothing is fetched: an image elsewhere is charged
//! as one of 1024 x 1024 pixels. The length of a recording or a document is not looked at: each is charged as ten seconds
//! of sound or film, or three pages. Base64 is never counted as text.

use serde_json::{Map, Value};

use super::PayloadKind;
use super::image::ImageRule;
use super::image_size::Size;
use crate::model::base_name;

/// A part of a prompt that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Image {
        /// `"detail": "low"`.
        low_detail: bool,
        /// How large it is, where that can be seen.
        size: Option<Size>,
    },
    Audio,
    Video,
    Document,
}

impl Medium {
    const IMAGE: Self = Self::Image { low_detail: false, size: None };

    /// The medium that a message part is, in the shapes of OpenAI, Anthropic, Gemini and Bedrock.
    pub(super) fn of_part(part: &Map<String, Value>) -> Option<Self> {
        let low_detail = [Some(part), part.get("image_url").and_then(Value::as_object)]
            .into_iter()
            .flatten()
            .any(|object| object.get("detail").and_then(Value::as_str) == Some("low"));
        match part.get("type").and_then(Value::as_str) {
            Some("image" | "image_url" | "input_image") => return Some(Self::Image { low_detail, size: size(part) }),
            Some("input_audio" | "audio" | "audio_url") => return Some(Self::Audio),
            Some("video" | "video_url" | "input_video") => return Some(Self::Video),
            Some("file" | "input_file" | "document_url") => return Some(Self::Document),
            // A document's source is text, a list of parts, or data.
            Some("document") => return (!has_text_source(part)).then_some(Self::Document),
            _ => {}
        }
        if part.contains_key("image_url") {
            return Some(Self::Image { low_detail, size: size(part) });
        }
        if let Some(data) = ["inlineData", "inline_data", "fileData", "file_data"].iter().find_map(|key| part.get(*key))
        {
            let mime = ["mimeType", "mime_type"].iter().find_map(|key| data.get(*key)?.as_str());
            return Some(mime.map_or(Self::Document, Self::of_mime_type).with_size(size(part)));
        }
        let holds = |key: &str| part.get(key).and_then(|medium| medium.get("source")).is_some();
        [("image", Self::IMAGE), ("document", Self::Document), ("video", Self::Video), ("audio", Self::Audio)]
            .into_iter()
            .find_map(|(key, medium)| holds(key).then_some(medium))
    }

    /// The medium that a `data:` URL holds, if `text` is one in base64.
    pub(super) fn of_data_url(text: &str) -> Option<Self> {
        let (head, data) = text.strip_prefix("data:")?.split_once(";base64,")?;
        (head.len() <= 128).then(|| Self::of_mime_type(head).with_size(Size::of_base64(data)))
    }

    /// The same with the size that was found, if it is an image.
    fn with_size(self, found: Option<Size>) -> Self {
        match self {
            Self::Image { low_detail, .. } => Self::Image { low_detail, size: found },
            other => other,
        }
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

/// The size of the image in a part: a `data:` URL, or data beside its type.
fn size(part: &Map<String, Value>) -> Option<Size> {
    let url = part.get("image_url").map(|url| url.get("url").unwrap_or(url));
    if let Some(url) = url.and_then(Value::as_str) {
        return Size::of_base64(url.strip_prefix("data:")?.split_once(";base64,")?.1);
    }
    let holders = ["source", "inlineData", "inline_data"].iter().find_map(|key| part.get(*key));
    Size::of_base64(holders.and_then(|holder| holder.get("data"))?.as_str()?)
}

fn has_text_source(document: &Map<String, Value>) -> bool {
    let kind = document.get("source").and_then(|source| source.get("type")).and_then(Value::as_str);
    matches!(kind, Some("text" | "content"))
}

/// What the media of one model cost, in tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Prices {
    image: ImageRule,
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
            _ if model.starts_with("gemini-3") => Self { image: ImageRule::Flat(1_090), ..Self::GEMINI },
            PayloadKind::Gemini => Self::GEMINI,
            _ if model.starts_with("claude") => Self::ANTHROPIC,
            _ if model.starts_with("gemini") => Self::GEMINI,
            _ => Self::openai(&model),
        }
    }

    /// How images are counted.
    pub(super) const fn image(&self) -> ImageRule {
        self.image
    }

    /// A page as text of 1,500 to 3,000 tokens: <https://docs.claude.com/en/docs/build-with-claude/pdf-support>.
    const ANTHROPIC: Self = Self { image: ImageRule::Claude, audio: 0, video: 0, page: 2_250 };

    /// As much as a small image for a page of a document, 32 for a second of sound, 263 for one of film:
    /// <https://ai.google.dev/gemini-api/docs/tokens>.
    const GEMINI: Self =
        Self { image: ImageRule::Gemini, audio: 32 * Self::SECONDS, video: 263 * Self::SECONDS, page: 258 };

    /// Images by the table of <https://platform.openai.com/docs/guides/images-vision#calculating-costs>. Sound is ten
    /// tokens a second. A page is charged as its text and as an image.
    fn openai(model: &str) -> Self {
        const fn patches(hundredths: u64) -> ImageRule {
            ImageRule::Patches { hundredths }
        }
        const fn tiles(base: u64, tile: u64) -> ImageRule {
            ImageRule::Tiles { base, tile }
        }
        /// Models by how their names begin, the more special ones first.
        const MODELS: [(&str, ImageRule); 13] = [
            ("gpt-4.1-mini", patches(162)),
            ("gpt-4.1-nano", patches(246)),
            ("o4-mini", patches(172)),
            ("codex-mini", patches(172)),
            ("gpt-5-mini", patches(162)),
            // The table has 2.46; a recorded image of 48 patches was charged 72.
            ("gpt-5-nano", patches(150)),
            ("gpt-5.4-mini", patches(162)),
            ("gpt-5.4-nano", patches(246)),
            ("gpt-5", tiles(70, 140)),
            ("gpt-4o-mini", tiles(2_833, 5_667)),
            ("o1", tiles(75, 150)),
            ("o3", tiles(75, 150)),
            ("computer-use-preview", tiles(65, 129)),
        ];
        let image =
            MODELS.iter().find(|(prefix, _)| model.starts_with(prefix)).map_or(tiles(85, 170), |&(_, image)| image);
        Self { image, audio: 10 * Self::SECONDS, video: 0, page: 500 + image.tokens(None, false) }
    }

    pub(super) fn of_medium(self, medium: Medium) -> u64 {
        match medium {
            Medium::Image { low_detail, size } => self.image.tokens(size, low_detail),
            Medium::Audio => self.audio,
            Medium::Video => self.video,
            Medium::Document => self.page * Self::PAGES,
        }
    }
}
