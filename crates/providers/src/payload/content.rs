//! What a message holds: text, images, files, and parts in a provider's own form.

use serde_json::Value;

use super::{Attachment, Image, PayloadError};

/// What is said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Text, images and others, in order.
    Parts(Vec<Part>),
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// Plain text.
    Text(String),
    /// An image.
    Image(Image),
    /// A document or sound.
    File(Attachment),
    /// A part in the provider's own form (references, cache marks), sent as it is.
    Raw(Value),
}

impl Part {
    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The image at an address, `https://...` or `data:image/png;base64,...`.
    #[must_use]
    pub fn image_url(url: impl Into<String>) -> Self {
        Self::Image(Image::from_url(url))
    }

    /// The text in it, where it is one: also that of a part in a provider's own form.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Image(_) | Self::File(_) => None,
            Self::Raw(part) => part.get("text").and_then(Value::as_str),
        }
    }
}

impl Content {
    /// The texts in it, joined by line breaks.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => {
                let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
                texts.join("\n")
            }
        }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.iter().all(|part| matches!(part, Part::Text(text) if text.is_empty())),
        }
    }

    /// Whether there is an image or a file in it.
    pub(crate) fn has_media(&self) -> bool {
        matches!(self, Self::Parts(parts) if parts.iter().any(|part| matches!(part, Part::Image(_) | Part::File(_))))
    }

    /// Every part that is not an empty text, in another form. Some providers refuse empty ones.
    pub(crate) fn map_said_parts(
        &self,
        convert: impl Fn(&Part) -> Result<Value, PayloadError>,
    ) -> Result<Vec<Value>, PayloadError> {
        let is_said = |part: &&Part| !matches!(part, Part::Text(text) if text.is_empty());
        match self {
            Self::Text(text) if text.is_empty() => Ok(Vec::new()),
            Self::Text(text) => Ok(vec![convert(&Part::Text(text.clone()))?]),
            Self::Parts(parts) => parts.iter().filter(is_said).map(convert).collect(),
        }
    }

    /// Every part in another form. Text alone is one part.
    pub(crate) fn map_parts(
        &self,
        convert: impl Fn(&Part) -> Result<Value, PayloadError>,
    ) -> Result<Vec<Value>, PayloadError> {
        match self {
            Self::Text(text) => Ok(vec![convert(&Part::Text(text.clone()))?]),
            Self::Parts(parts) => parts.iter().map(convert).collect(),
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Part>> for Content {
    fn from(parts: Vec<Part>) -> Self {
        Self::Parts(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_parts_are_joined() {
        let raw = serde_json::json!({"type": "text", "text": "c", "cache_control": {"type": "ephemeral"}});
        let content = Content::from(vec![Part::text("a"), Part::image_url("https://h"), Part::Raw(raw)]);
        assert_eq!(content.text(), "a\nc");
        assert!(!content.is_empty());
        assert!(Content::from(vec![Part::text("")]).is_empty());
    }
}
