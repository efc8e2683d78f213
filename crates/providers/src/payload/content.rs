//! What a message holds: text, images, and parts in a provider's own form.

use serde_json::Value;

use super::PayloadError;

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

/// An image, by its address or in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where its bytes are.
    pub source: ImageSource,
    /// How closely it is looked at, where the provider lets the caller choose: `low`, `high`, `auto`.
    pub detail: Option<String>,
}

/// Where the bytes of an image or a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// At this address, which the provider fetches.
    Url(String),
    /// Here.
    Base64 {
        /// Its media type, such as `image/png` or `application/pdf`.
        media_type: String,
        /// Its bytes in base64.
        data: String,
    },
}

/// A document or sound, by its address or in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Where its bytes are.
    pub source: ImageSource,
    /// Its name.
    pub name: Option<String>,
}

impl Attachment {
    /// A file in full: its media type, such as `application/pdf` or `audio/wav`, and its bytes in base64.
    #[must_use]
    pub fn from_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        let source = ImageSource::Base64 { media_type: media_type.into(), data: data.into() };
        Self { source, name: None }
    }

    /// The file at an address, which the provider fetches.
    #[must_use]
    pub fn from_url(url: impl Into<String>) -> Self {
        Self { source: Image::from_url(url).source, name: None }
    }

    /// The same under a name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What is after the slash of its media type, where it is sound: `wav`, `mp3`.
    pub(crate) fn sound_format(&self) -> Option<&str> {
        match &self.source {
            ImageSource::Base64 { media_type, .. } => media_type.strip_prefix("audio/"),
            ImageSource::Url(_) => None,
        }
    }

    /// Its name, or one that says nothing: some providers require one.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or("file")
    }
}

/// A file of a kind, or in a way, that a provider does not take.
pub(crate) fn no_such_files() -> PayloadError {
    PayloadError::unusable("messages", "this provider does not take such a file")
}

impl Image {
    /// The image at an address. A `data:` address becomes the image that it holds.
    #[must_use]
    pub fn from_url(url: impl Into<String>) -> Self {
        let url = url.into();
        let inline = url.strip_prefix("data:").and_then(|inline| inline.split_once(";base64,"));
        let source = match inline {
            Some((media_type, data)) => {
                ImageSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
            }
            None => ImageSource::Url(url),
        };
        Self { source, detail: None }
    }

    /// An image in full: its media type, such as `image/png`, and its bytes in base64.
    #[must_use]
    pub fn from_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        let source = ImageSource::Base64 { media_type: media_type.into(), data: data.into() };
        Self { source, detail: None }
    }

    /// The same, looked at this closely.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// One address for both kinds: `data:TYPE;base64,DATA` for an image in full.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.source {
            ImageSource::Url(url) => url.clone(),
            ImageSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        }
    }

    /// Its media type and data, for providers that fetch nothing.
    pub(crate) fn inline(&self) -> Result<(&str, &str), PayloadError> {
        match &self.source {
            ImageSource::Base64 { media_type, data } => Ok((media_type, data)),
            ImageSource::Url(url) if url.starts_with("data:") => Err(not_base64()),
            ImageSource::Url(_) => {
                Err(PayloadError::unusable("messages", "this provider takes images in full, not by their address"))
            }
        }
    }
}

/// The result of a tool with an image or a file in it, where a provider takes texts only.
pub(crate) fn no_images_of_tools() -> PayloadError {
    PayloadError::unusable("messages", "this provider takes only texts as results of tools")
}

/// A `data:` address that could not be read.
pub(crate) fn not_base64() -> PayloadError {
    PayloadError::unusable("messages", "an inline image must be of the form `data:TYPE;base64,DATA`")
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
    fn a_data_address_is_the_image_it_holds_and_back() {
        let image = Image::from_url("data:image/png;base64,AAAA");
        assert_eq!(image, Image::from_base64("image/png", "AAAA"));
        assert_eq!(image.url(), "data:image/png;base64,AAAA");
        assert_eq!(image.inline(), Ok(("image/png", "AAAA")));
    }

    #[test]
    fn an_image_that_must_be_sent_in_full_is_not_sent_by_its_address() {
        for (url, expected) in [
            ("https://h/a.png", "`messages` cannot be used: this provider takes images in full, not by their address"),
            (
                "data:image/png,AAAA",
                "`messages` cannot be used: an inline image must be of the form `data:TYPE;base64,DATA`",
            ),
        ] {
            assert_eq!(Image::from_url(url).inline().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_texts_of_parts_are_joined() {
        let raw = serde_json::json!({"type": "text", "text": "c", "cache_control": {"type": "ephemeral"}});
        let content = Content::from(vec![Part::text("a"), Part::image_url("https://h"), Part::Raw(raw)]);
        assert_eq!(content.text(), "a\nc");
        assert!(!content.is_empty());
        assert!(Content::from(vec![Part::text("")]).is_empty());
    }
}
