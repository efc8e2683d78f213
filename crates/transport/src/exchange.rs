//! One request on its way: a timeout for each stage, and an error that says how far it got.

use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
#[cfg(feature = "compression")]
use http::header::CONTENT_ENCODING;
use http::{Response, StatusCode};
use hyper_util::client::legacy::connect::CaptureConnection;
use hyper_util::client::legacy::{self, ResponseFuture};
use tokio::time::timeout;

#[cfg(feature = "compression")]
use crate::compression;
use crate::error::Fault;
use crate::peer::Peer;
use crate::pools::Place;
use crate::proxy::{Proxy, Refusal};
use crate::upload::Broken;
use crate::{Body, Error, Stage, Timeouts};

/// A request that was handed to hyper.
pub(crate) struct Exchange {
    pub(crate) peer: Peer,
    pub(crate) timeouts: Timeouts,
    /// Tells when the request has a connection.
    pub(crate) connection: CaptureConnection,
    pub(crate) place: Place,
    /// The request's own body, where that may break off.
    pub(crate) upload: Option<Broken>,
    /// Who reads the request and passes it on.
    pub(crate) proxy: Option<Arc<Proxy>>,
    #[cfg(feature = "compression")]
    pub(crate) is_decoded: bool,
}

impl Exchange {
    /// Waits for a connection, then for the head of the response, each within its time.
    pub(crate) async fn run(mut self, response: ResponseFuture) -> Result<Response<Body>, Error> {
        let Timeouts { connect, first_byte, idle } = self.timeouts;
        let connected = async {
            self.connection.wait_for_connection_metadata().await;
        };
        let outcome = match timeout(connect, select(response, pin!(connected))).await {
            Err(_) => return Err(Error::at(Stage::Connect, Some(self.peer), Fault::TimedOut(connect))),
            Ok(Either::Left((outcome, _))) => outcome,
            Ok(Either::Right(((), response))) => match timeout(first_byte, response).await {
                Err(_) => return Err(Error::at(Stage::Response, Some(self.peer), Fault::TimedOut(first_byte))),
                Ok(outcome) => outcome,
            },
        };
        let response = match outcome {
            Ok(response) => response,
            Err(error) => return Err(self.failed(error)),
        };
        if let Some(proxy) = self.proxy
            && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            let cause = proxy.failed(Refusal::of(response.status(), proxy.authorization().is_some()));
            return Err(Error::at(Stage::Connect, Some(self.peer), Fault::Failed(cause.into())));
        }
        #[cfg(feature = "compression")]
        if self.is_decoded && response.headers().contains_key(CONTENT_ENCODING) {
            let response = response.map(|body| Body::watched(body, Some(self.peer.clone()), idle, Some(self.place)));
            return Ok(compression::decode(response, &self.peer));
        }
        Ok(response.map(|body| Body::watched(body, Some(self.peer), idle, Some(self.place))))
    }

    /// Sorts an error of the client by how far the request got.
    #[cold]
    fn failed(self, error: legacy::Error) -> Error {
        if let Some(broken) = self.upload.and_then(|upload| upload.take()) {
            return broken.of_request(self.peer);
        }
        let is_connected = self.connection.connection_metadata().is_some();
        let stage = if error.is_connect() || !is_connected { Stage::Connect } else { Stage::Response };
        // hyper says "canceled" of a request that it took back before writing any of it.
        let taken_back = error.source().and_then(|cause| cause.downcast_ref()).is_some_and(hyper::Error::is_canceled);
        let error = Error::at(stage, Some(self.peer), Fault::Failed(error.into()));
        if taken_back { error.unsent() } else { error }
    }
}
