//! Servers on loopback: TLS with an authority of their own, and proxies. Never on paused time.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use futures::future::BoxFuture;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// Who signs the certificates of a test.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("an authority of a test")
    }

    /// Two of the same name would be mistaken for each other.
    pub(super) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server that shows a certificate for `name`, valid until `year`, and offers these protocols.
    pub(super) fn server(&self, name: &str, year: i32, protocols: &[&str]) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(year, 1, 1));
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config
    }
}

/// A server or proxy on loopback, how often it was connected to, and what else it has to say.
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    opened: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listening {
    /// `serve` gets every connection, and a place for what is heard on it.
    pub(super) async fn start<Serving>(
        serve: impl Fn(TcpStream, Arc<Mutex<Vec<u8>>>) -> Serving + Send + 'static,
    ) -> Self
    where
        Serving: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (opened, heard) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let listening = Self { address, opened: Arc::clone(&opened), heard: Arc::clone(&heard) };
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(connection, Arc::clone(&heard)));
            }
        });
        listening
    }

    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// All that clients have said so far.
    pub(super) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

pub(super) type Answer = Response<BoxBody<Bytes, io::Error>>;

/// Says which version a request came in, and its path and query.
pub(super) async fn describe(request: Request<Incoming>) -> Answer {
    let text = format!("{:?} {}", request.version(), request.uri().path());
    request.into_body().collect().await.unwrap();
    Response::new(Full::from(text).map_err(|never| match never {}).boxed())
}

/// Sends everybody on to `location`.
pub(super) fn redirect_to(location: String) -> impl Fn(Request<Incoming>) -> BoxFuture<'static, Answer> + Clone {
    move |request| {
        let location = location.clone();
        Box::pin(async move {
            let mut response = describe(request).await;
            *response.status_mut() = http::StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert("location", location.parse().unwrap());
            response
        })
    }
}

/// A TLS server that answers with `answer`, in the protocol that was negotiated.
pub(super) async fn tls_server<Answering>(
    config: ServerConfig,
    answer: impl Fn(Request<Incoming>) -> Answering + Clone + Send + Sync + 'static,
) -> Listening
where
    Answering: Future<Output = Answer> + Send + 'static,
{
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Listening::start(move |connection, _| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move {
            let Ok(connection) = acceptor.accept(connection).await else { return };
            if connection.get_ref().1.alpn_protocol() == Some(b"h2") {
                serve_http2(connection, answer).await;
            } else {
                serve_http1(connection, answer).await;
            }
        }
    })
    .await
}

/// Reads until the end of a head, and returns it.
pub(super) async fn read_head(connection: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A proxy that connects everybody to `host`, whatever they ask for, and listens.
pub(super) async fn proxy_to(host: SocketAddr) -> Listening {
    Listening::start(move |mut client, heard| async move {
        let head = read_head(&mut client).await;
        heard.lock().unwrap().extend_from_slice(head.as_bytes());
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        pass_on(client, host, &heard).await;
    })
    .await
}

/// Passes on what comes from either side, and keeps what the client says.
pub(super) async fn pass_on(client: impl AsyncRead + AsyncWrite + Unpin, host: SocketAddr, heard: &Mutex<Vec<u8>>) {
    let mut host = TcpStream::connect(host).await.unwrap();
    let (mut from_host, mut to_host) = host.split();
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let back = tokio::io::copy(&mut from_host, &mut to_client);
    let forth = async {
        let mut buffer = vec![0; 4096];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            heard.lock().unwrap().extend_from_slice(&buffer[..length]);
            to_host.write_all(&buffer[..length]).await?;
        }
        Ok::<_, io::Error>(())
    };
    let _ = futures::future::join(back, forth).await;
}
