//! What the tests of several modules share: clients of a simulated provider, over pipes inside the process.

use std::sync::Arc;

use simulator::{Config, Simulator};
use transport::{HyperTransport, Timeouts, from_fn};

use crate::{Builder, ChatLimiter};

/// A client of the provider `name`, whose every connection ends at the simulator.
pub(crate) fn client_of(simulator: &Simulator, name: &str) -> Builder {
    let simulator = simulator.clone();
    let connector = from_fn(move |_| std::future::ready(Ok::<_, std::io::Error>(simulator.connect())));
    let base_url = if name == "openrouter" { "http://provider.invalid/api/v1" } else { "http://provider.invalid/v1" };
    ChatLimiter::builder(name)
        .base_url(base_url)
        .api_key("no-key-needed")
        .transport(Arc::new(HyperTransport::with_connector(connector, Timeouts::default())))
}

/// A simulated provider, and a client of its OpenAI interface.
pub(crate) fn simulated(config: Config) -> (Simulator, ChatLimiter) {
    let simulator = Simulator::new(config).unwrap();
    let limiter = client_of(&simulator, "openai").build().unwrap();
    (simulator, limiter)
}
