//! Servers written by hand: whole answers, or anything at all over a socket.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `POST /v1/chat/completions HTTP/1.1`
    pub(crate) line: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    /// Reads one; `None` where the connection ends before.
    pub(crate) fn read(stream: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).ok().filter(|length| *length > 0)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        Some(Self { line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).unwrap() })
    }

    /// The `user` in the body, which is the request's `custom_id`.
    pub(crate) fn id(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["user"].as_str().unwrap_or_default().to_owned()
    }
}

/// An answer to write.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.into() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    fn write(&self, stream: &mut impl Write) -> std::io::Result<()> {
        let mut text = format!("HTTP/1.1 {} Said\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        stream.write_all((text + "\r\n" + &self.body).as_bytes())
    }
}

/// A chat completion, as OpenAI's interface answers.
pub(crate) fn completion() -> String {
    r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#.to_owned()
}

/// A server on a free port, until the test's process ends.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request over connections that stay open.
    pub(crate) fn answering(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::speaking(move |stream, note| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut stream = stream;
            while let Some(request) = Request::read(&mut reader) {
                note(&request);
                if answer(&request).write(&mut stream).is_err() {
                    break;
                }
            }
        })
    }

    /// Does anything at all with each connection. The function that it is given notes a request as seen.
    pub(crate) fn speaking(talk: impl Fn(TcpStream, &dyn Fn(&Request)) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (shared, talk) = (Arc::clone(&seen), Arc::new(talk));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, talk) = (Arc::clone(&shared), Arc::clone(&talk));
                std::thread::spawn(move || talk(stream, &|request| shared.lock().unwrap().push(request.clone())));
            }
        });
        Self { address, seen }
    }

    /// `http://127.0.0.1:PORT`, to which a path may be added.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The arguments that send a run there.
    pub(crate) fn arguments(&self) -> String {
        format!("--provider openai-compatible --base-url {}/v1", self.origin())
    }

    /// The requests that came so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Something to wait for until a test opens it.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let mut is_open = self.0.0.lock().unwrap();
        while !*is_open {
            is_open = self.0.1.wait(is_open).unwrap();
        }
    }
}
