//! What the programs of this package share: a provider to run against, and reqwest as a tower service.

use chat_limiter::tower::BoxError;
use simulator::{Config, Simulator};
use tokio::net::TcpListener;
use tower::Service;

/// Starts a provider on loopback with a small quota (120 requests a minute, half of them saved up), and returns its address.
///
/// # Errors
///
/// No port is free.
pub async fn provider() -> Result<String, BoxError> {
    let config = Config::default().with_requests_per_minute(120).with_start_fill(0.5);
    let simulator = Simulator::new(config)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(simulator.serve(listener, std::future::pending()));
    Ok(format!("http://{address}/v1"))
}

/// A reqwest client in the form of tower's HTTP services.
pub fn service(
    client: reqwest::Client,
) -> impl Service<
    http::Request<reqwest::Body>,
    Response = http::Response<reqwest::Body>,
    Error = BoxError,
    Future: Future<Output = Result<http::Response<reqwest::Body>, BoxError>> + Send,
> + Clone
+ Send
+ Sync {
    tower::service_fn(move |request: http::Request<reqwest::Body>| {
        let client = client.clone();
        async move { Ok(client.execute(request.try_into()?).await?.into()) }
    })
}
