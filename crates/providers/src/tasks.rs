//! What a provider can be asked to do, and where.

mod table;

use std::borrow::Cow;
use std::fmt;

use http::Method;
use thiserror::Error;

use crate::payload::{Form, path_segment};

/// Something that a provider can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Task {
    /// Answer in a conversation.
    Chat,
    /// Answer through OpenAI's responses.
    Responses,
    /// Go on with a text.
    Completions,
    /// Turn texts into vectors.
    Embeddings,
    /// Speak a text.
    Speech,
    /// Write down what is said in a file.
    Transcription,
    /// Write down in English what is said in a file.
    Translation,
    /// Make images after a text.
    Images,
    /// Judge whether a text is harmful.
    Moderation,
    /// Order documents by how well they answer a query.
    Rerank,
    /// Train a model further on a file.
    FineTuning,
    /// Upload a file.
    Files,
    /// Run a file of requests later, at a lower price.
    Batches,
    /// Count the tokens of a request.
    CountTokens,
    /// List the models.
    Models,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 15] = [
        Self::Chat,
        Self::Responses,
        Self::Completions,
        Self::Embeddings,
        Self::Speech,
        Self::Transcription,
        Self::Translation,
        Self::Images,
        Self::Moderation,
        Self::Rerank,
        Self::FineTuning,
        Self::Files,
        Self::Batches,
        Self::CountTokens,
        Self::Models,
    ];

    /// Its name, and then the other names under which it is looked for.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Chat => &["chat", "chat_completion", "create_chat_completion", "create_message", "chat/completions"],
            Self::Responses => &["responses", "create_response"],
            Self::Completions => &["completions", "create_completion"],
            Self::Embeddings => &["embeddings", "create_embeddings", "embed"],
            Self::Speech => &["speech", "create_speech", "audio_speech"],
            Self::Transcription => &["transcription", "create_transcription", "audio_transcriptions"],
            Self::Translation => &["translation", "create_translation", "audio_translations"],
            Self::Images => &["images", "create_image", "image_generation"],
            Self::Moderation => &["moderation", "create_moderation"],
            Self::Rerank => &["rerank"],
            Self::FineTuning => &["fine_tuning", "create_fine_tuning_job", "finetune"],
            Self::Files => &["files", "upload_file"],
            Self::Batches => &["batches", "create_batch"],
            Self::CountTokens => &["count_tokens"],
            Self::Models => &["models", "list_models"],
        }
    }

    /// Its name: lower case, such as `chat` or `fine_tuning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a task is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyKind {
    /// Nothing.
    Empty,
    /// JSON.
    Json,
    /// A form with a file in it: [`FormData`](crate::payload::FormData).
    Multipart,
}

/// Where a task is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The task.
    pub task: Task,
    /// How it is asked for.
    pub method: Method,
    /// The path to join with the base address; `{model}` stands for the model.
    pub path: &'static str,
    /// What it is sent with.
    pub body: BodyKind,
}

impl Endpoint {
    /// The path for a model, with what would change the path escaped in it.
    #[must_use]
    pub fn path_for(&self, model: &str) -> Cow<'static, str> {
        if self.path.contains("{model}") {
            Cow::Owned(self.path.replace("{model}", &path_segment(model)))
        } else {
            Cow::Borrowed(self.path)
        }
    }
}

/// What the provider of this name can be asked to do; for a name that is not known, what most servers with OpenAI's
/// interface can.
#[must_use]
pub fn of_provider(provider: &str) -> Vec<Endpoint> {
    table::of(provider).iter().map(table::Row::endpoint).collect()
}

/// What can be asked for in a form that is not spoken at a provider's base address, with paths relative to
/// [`Form::base_url`]; nothing for the forms that are.
#[must_use]
pub fn of_form(form: Form) -> Vec<Endpoint> {
    table::of_form(form).iter().map(table::Row::endpoint).collect()
}

/// A task that cannot be told by its name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnknownTask {
    /// Nothing has such a name.
    #[error("no task `{name}`; there are {}", .known.join(", "))]
    None {
        /// The name that was asked for.
        name: String,
        /// The names of all tasks of the provider.
        known: Vec<&'static str>,
    },
    /// Several have.
    #[error("`{name}` may be any of {}", .candidates.join(", "))]
    Several {
        /// The name that was asked for.
        name: String,
        /// The names of the tasks it may mean.
        candidates: Vec<&'static str>,
    },
}

/// The endpoint that `name` means: in any case of letters, with any signs between its words, in singular or plural, and
/// in full or in part where no other has that part.
///
/// # Errors
///
/// [`UnknownTask`] lists what there is, or what it may mean.
pub fn find<'a>(endpoints: &'a [Endpoint], name: &str) -> Result<&'a Endpoint, UnknownTask> {
    let wanted = bare(name);
    let excerpt = || name.chars().take(100).collect();
    if wanted.is_empty() {
        return Err(UnknownTask::None { name: excerpt(), known: names_of(endpoints.iter()) });
    }
    let matching = |is_meant: &dyn Fn(&str) -> bool| -> Vec<&'a Endpoint> {
        endpoints.iter().filter(|endpoint| endpoint.task.names().iter().any(|name| is_meant(&bare(name)))).collect()
    };
    let exact = matching(&|name| name == wanted);
    let candidates = if exact.is_empty() { matching(&|name| name.contains(&wanted)) } else { exact };
    match candidates.as_slice() {
        [] => Err(UnknownTask::None { name: excerpt(), known: names_of(endpoints.iter()) }),
        [only] => Ok(only),
        several => Err(UnknownTask::Several { name: excerpt(), candidates: names_of(several.iter().copied()) }),
    }
}

fn names_of<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> Vec<&'static str> {
    endpoints.map(|endpoint| endpoint.task.name()).collect()
}

/// Letters and digits alone, in lower case, without the `s` of a plural.
fn bare(name: &str) -> String {
    let mut bare: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if bare.ends_with('s') {
        bare.pop();
    }
    bare
}

#[cfg(test)]
mod tests;
