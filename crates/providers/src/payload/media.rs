//! Images and files, by their address or in full.

use super::PayloadError;

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
}
