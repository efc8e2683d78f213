//! What can stand behind a model: a provider, or a service of your own.

use std::fmt;
use std::sync::Arc;

use providers::Provider;
use providers::tasks::{self, Endpoint};

use crate::Builder;

/// A service that an [`IModel`](super::IModel) can use. Every [`Provider`] is one; others say which provider's interface
/// they speak.
///
/// ```
/// use std::sync::Arc;
/// use chat_limiter::providers::{OpenAiCompatible, Provider};
/// use chat_limiter::service::{Service, register_service};
///
/// #[derive(Debug)]
/// struct CustomService;
///
/// impl Service for CustomService {
///     fn provider(self: Arc<Self>) -> Arc<dyn Provider> {
///         Arc::new(OpenAiCompatible::new().with_base_url("http://127.0.0.1:8000/v1"))
///     }
///
///     fn list_tasks(&self) -> Vec<String> {
///         vec!["chat".to_owned(), "completion".to_owned()]
///     }
/// }
///
/// register_service("custom_service", CustomService)?;
/// # Ok::<(), chat_limiter::service::InvalidServiceName>(())
/// ```
pub trait Service: Send + Sync + fmt::Debug {
    /// The provider that says how the service is spoken to.
    fn provider(self: Arc<Self>) -> Arc<dyn Provider>;

    /// The names of what it can be asked to do: those of the provider's tasks in any spelling that
    /// [`tasks::find`] understands.
    fn list_tasks(&self) -> Vec<String> {
        names(&tasks::of_provider("openai-compatible"))
    }

    /// The settings of a client of it, before those of the model.
    fn builder(self: Arc<Self>) -> Builder {
        Builder::for_provider(self.provider())
    }
}

impl<P: Provider + 'static> Service for P {
    fn provider(self: Arc<Self>) -> Arc<dyn Provider> {
        self
    }

    fn list_tasks(&self) -> Vec<String> {
        names(&self.endpoints())
    }
}

/// A provider by its own trait object.
#[derive(Debug)]
pub(super) struct Standard(pub(super) Arc<dyn Provider>);

impl Service for Standard {
    fn provider(self: Arc<Self>) -> Arc<dyn Provider> {
        Arc::clone(&self.0)
    }

    fn list_tasks(&self) -> Vec<String> {
        names(&self.0.endpoints())
    }
}

fn names(endpoints: &[Endpoint]) -> Vec<String> {
    endpoints.iter().map(|endpoint| endpoint.task.name().to_owned()).collect()
}
