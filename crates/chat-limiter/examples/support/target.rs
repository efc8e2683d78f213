//! Who answers an example: the provider inside the program, or a real one.

use std::error::Error;
use std::sync::Arc;

use chat_limiter::transport::{HyperTransport, Timeouts, from_fn};
use chat_limiter::{Builder, ChatLimiter};
use simulator::{Config, Simulator};

/// Who answers.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The provider inside the program; `None` where real ones are asked.
    simulator: Option<Simulator>,
}

impl Target {
    /// As `--provider simulated` (the default: no key, no network) or `--provider real` says. Real providers' keys are in
    /// their own environment variables.
    pub(crate) fn from_arguments() -> Result<Self, Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1);
        match (arguments.next().as_deref(), arguments.next().as_deref()) {
            (None, _) | (Some("--provider"), Some("simulated")) => Self::simulated(Config::default()),
            (Some("--provider"), Some("real")) => Ok(Self { simulator: None }),
            _ => Err("usage: [--provider simulated | --provider real]".into()),
        }
    }

    /// A simulated provider.
    pub(crate) fn simulated(config: Config) -> Result<Self, Box<dyn Error>> {
        Ok(Self { simulator: Some(Simulator::new(config)?) })
    }

    /// Settings of a client of the provider with this name.
    pub(crate) fn client(&self, provider: &str) -> Builder {
        self.answered(ChatLimiter::builder(provider))
    }

    /// The same settings, with requests going to whoever answers.
    pub(crate) fn answered(&self, builder: Builder) -> Builder {
        let Some(simulator) = self.simulator.clone() else { return builder };
        let connector = from_fn(move |_| std::future::ready(Ok::<_, std::io::Error>(simulator.connect())));
        let transport = Arc::new(HyperTransport::with_connector(connector, Timeouts::default()));
        builder.base_url("http://simulated.invalid/v1").api_key("no-key-needed").transport(transport)
    }
}
