//! The command under test, run to its end or in the background.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// No run of these tests may take longer.
const LONGEST: Duration = Duration::from_secs(50);

/// The command, in a directory, with an environment that holds no keys.
pub(crate) fn chat_limiter(directory: &Path) -> Invocation {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-limiter"));
    command.current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().ends_with("_API_KEY") {
            command.env_remove(name);
        }
    }
    Invocation { command, input: Vec::new() }
}

/// A command line about to be run.
pub(crate) struct Invocation {
    command: Command,
    input: Vec<u8>,
}

impl Invocation {
    /// Adds arguments, separated by spaces.
    pub(crate) fn args(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads from standard input.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // It may end without reading all of it.
        std::thread::spawn(move || stdin.write_all(&input));
        let stderr = Stream::read(child.stderr.take().unwrap());
        Running { child, stdout: None, stderr }
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Outcome {
        self.start().end()
    }
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    stdout: Option<Stream>,
    stderr: Stream,
}

impl Running {
    /// What it has said so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Standard output, to be read (or not) by the test.
    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// Sends a signal: `INT`, `TERM`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Outcome {
        let stdout = self.stdout.take().or_else(|| self.child.stdout.take().map(Stream::read));
        let in_time = self.stderr.wait() && stdout.as_ref().is_none_or(Stream::wait);
        if !in_time {
            self.child.kill().unwrap();
            panic!("it does not end; it said: {}", self.stderr.text());
        }
        let code = self.child.wait().unwrap().code();
        Outcome { code, stdout: stdout.map(|stream| stream.text()).unwrap_or_default(), stderr: self.stderr.text() }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Exit code 2, and one line on standard error that says all of `words`.
    #[track_caller]
    pub(crate) fn check_refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {:?}", self.stderr);
        }
    }
}

/// What comes out of a pipe, read in the background.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Stream {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let (bytes, (end, ended)) = (Arc::new(Mutex::new(Vec::new())), channel());
        let shared = Arc::clone(&bytes);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                shared.lock().unwrap().extend(&buffer[..count]);
            }
            end.send(())
        });
        Self { bytes, ended }
    }

    /// Whether it ended in time.
    fn wait(&self) -> bool {
        self.ended.recv_timeout(LONGEST).is_ok()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }
}
