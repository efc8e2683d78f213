//! Payloads with a file in them: the fields of a form.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc7578>; how names are escaped:
//! <https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data>.

use std::collections::BTreeSet;
use std::fmt;

use memchr::memmem;
use serde_json::{Map, Value};

/// A file to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Its name. Servers tell the format of sound by its ending.
    pub name: String,
    /// Its media type; `application/octet-stream` says nothing about it.
    pub media_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl FilePart {
    /// A file of no stated media type.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), media_type: "application/octet-stream".to_owned(), bytes }
    }
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, media_type, bytes } = self;
        f.debug_struct("FilePart")
            .field("name", name)
            .field("media_type", media_type)
            .field("bytes", &bytes.len())
            .finish()
    }
}

/// The fields of a form, in the order in which they are sent: texts first, then the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormData {
    fields: Vec<(String, String)>,
    file_field: String,
    file: FilePart,
}

/// A form as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedForm {
    /// The value of `Content-Type`, with the boundary.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl FormData {
    /// A file in `file_field`, and fields beside it. A list becomes a field for each item, named `NAME[]`; an object is
    /// written as JSON.
    pub(crate) fn new(file_field: &str, file: FilePart, fields: &Map<String, Value>) -> Self {
        let mut texts = Vec::new();
        for (name, value) in fields {
            match value {
                Value::Array(items) => texts.extend(items.iter().map(|item| (format!("{name}[]"), text_of(item)))),
                other => texts.push((name.clone(), text_of(other))),
            }
        }
        Self { fields: texts, file_field: file_field.to_owned(), file }
    }

    /// The fields that are texts, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The name of the file's field.
    #[must_use]
    pub fn file_field(&self) -> &str {
        &self.file_field
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &FilePart {
        &self.file
    }

    /// The form as `multipart/form-data`. The boundary is one that does not occur in it.
    #[must_use]
    pub fn encode(&self) -> EncodedForm {
        let boundary = self.boundary();
        let mut body = Vec::with_capacity(self.file.bytes.len() + 512);
        let head = |body: &mut Vec<u8>, disposition: &str| {
            body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}").as_bytes());
        };
        for (name, value) in &self.fields {
            head(&mut body, &format!("name=\"{}\"\r\n\r\n", escape(name)));
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        let (field, name) = (escape(&self.file_field), escape(&self.file.name));
        let media_type: String = self.file.media_type.chars().filter(|c| !c.is_control()).collect();
        head(&mut body, &format!("name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"));
        body.extend_from_slice(&self.file.bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        EncodedForm { content_type: format!("multipart/form-data; boundary={boundary}"), body }
    }

    /// The first of a row of boundaries that nothing in the form contains. Everything is searched once, however many of
    /// them a hostile file holds.
    fn boundary(&self) -> String {
        const FRONT: &str = "chat-limiter-boundary-";
        let mut taken = BTreeSet::new();
        let texts = self.fields.iter().map(|(_, value)| value.as_bytes());
        for bytes in texts.chain([self.file.bytes.as_slice()]) {
            for start in memmem::find_iter(bytes, FRONT) {
                let digits = bytes.get(start + FRONT.len()..).and_then(|rest| rest.get(..16));
                let number = digits.and_then(|digits| u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
                taken.extend(number);
            }
        }
        let free = (0..=u64::MAX).find(|number| !taken.contains(number)).unwrap_or_default();
        format!("{FRONT}{free:016x}")
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A name between quotes.
fn escape(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(bytes: &[u8], fields: Value) -> FormData {
        FormData::new("file", FilePart::new("a.mp3", bytes.to_vec()), fields.as_object().unwrap())
    }

    #[test]
    fn fields_are_texts_and_lists_are_repeated() {
        let fields = json!({"model": "whisper-1", "temperature": 0, "stream": false, "timestamp_granularities": ["word", "segment"]});
        let form = form(b"", fields);
        let expected = [
            ("model", "whisper-1"),
            ("stream", "false"),
            ("temperature", "0"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
        ];
        let mut sent: Vec<(&str, &str)> = form.fields().collect();
        sent.sort_by_key(|(name, _)| *name);
        assert_eq!(sent, expected);
    }

    #[test]
    fn the_form_is_written_as_the_standard_says() {
        let encoded = form(b"\x00\xff", json!({"model": "whisper-1"})).encode();
        let boundary = "chat-limiter-boundary-0000000000000000";
        assert_eq!(encoded.content_type, format!("multipart/form-data; boundary={boundary}"));
        let mut expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        expected.extend_from_slice(b"\x00\xff");
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert_eq!(encoded.body, expected);
    }

    #[test]
    fn the_boundary_does_not_occur_in_the_file() {
        let first = b"chat-limiter-boundary-0000000000000000".as_slice();
        let second = b"chat-limiter-boundary-0000000000000001".as_slice();
        let encoded = form(&[first, second].concat(), json!({})).encode();
        assert!(encoded.content_type.ends_with("0000000000000002"));
    }

    #[test]
    fn a_name_cannot_add_headers() {
        let mut form = form(b"", json!({}));
        form.file.name = "a\"\r\nX-Evil: 1".to_owned();
        form.file.media_type = "audio/mpeg\r\nX-Evil: 1".to_owned();
        let body = String::from_utf8(form.encode().body).unwrap();
        assert!(!body.contains("\r\nX-Evil"), "{body}");
    }

    #[test]
    fn debug_does_not_print_the_file() {
        assert!(format!("{:?}", form(&[7; 10_000], json!({}))).len() < 300);
    }
}
