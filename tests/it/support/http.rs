//! A client of `reflectt serve`: bytes out, bytes in, over one connection for each request.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Repo;
use super::process::{BINARY, signal};

/// The longest that an answer may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server.
pub struct Web {
    pub child: Child,
    pub port: u16,
    /// What it printed when it began, after where it listens.
    pub said: Vec<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status, and returns the body.
    #[track_caller]
    pub fn code(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let mut named = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value)
    }
}

impl Web {
    /// Starts a server at a free port, for the worktree of `repo`.
    pub fn start(repo: &Repo) -> Web {
        Web::start_with(repo, &[], 0)
    }

    /// Starts a server with more arguments that prints so many lines more.
    pub fn start_with(repo: &Repo, args: &[&str], lines: usize) -> Web {
        let mut command = Command::new(BINARY);
        repo.prepare(&mut command);
        let mut child = command
            .args(["serve", "--port", "0"])
            .args(args)
            .current_dir(repo.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = out.next().expect("it says where it listens").unwrap();
        let url = first.split(' ').next().unwrap();
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        let said = out.take(lines).map(Result::unwrap).collect();
        Web { child, port, said }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes as they are, and returns what comes until the server closes.
    #[track_caller]
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // It may answer before it has taken all.
        stream.write_all(bytes).ok();
        read(stream)
    }

    /// Makes a call with these header lines beside what every call has.
    #[track_caller]
    pub fn with(&self, verb: &str, path: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.raw(format!(
            "{verb} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.port
        ).as_bytes())
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.with("GET", path, "", "")
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.with("POST", path, "", &body.to_string())
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with("PATCH", path, "", &body.to_string())
    }

    /// Listens to what happens.
    pub fn listen(&self, query: &str, headers: &str) -> Events {
        let mut stream = self.connect();
        let request = format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut events = Events {
            lines: BufReader::new(stream),
        };
        while events.line().is_some_and(|line| !line.is_empty()) {}
        events
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        signal(self.child.id().cast_signed(), libc::SIGTERM);
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads an answer up to the end of the connection.
#[track_caller]
pub fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert!(!bytes.is_empty(), "no answer: {error}");
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no status: {text:?}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// A stream of events, read as they come.
pub struct Events {
    lines: BufReader<TcpStream>,
}

/// One event.
#[derive(Debug, PartialEq)]
pub struct Event {
    pub kind: String,
    pub id: Option<String>,
    pub data: Value,
}

impl Events {
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(error) => panic!("nothing happens: {error}"),
        }
    }

    /// Returns the next event; `None` when the stream has ended. An id alone is an event without
    /// a name.
    #[track_caller]
    pub fn next(&mut self) -> Option<Event> {
        let mut event = Event {
            kind: String::new(),
            id: None,
            data: Value::Null,
        };
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("event", kind)) => event.kind = kind.to_owned(),
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                // Between events, and where a chunk of the stream begins.
                _ if line.is_empty() && (event.id.is_some() || !event.kind.is_empty()) => {
                    return Some(event);
                }
                _ => {}
            }
        }
    }

    /// Returns the next event of a kind.
    #[track_caller]
    pub fn of(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next().expect("the stream goes on");
            if event.kind == kind {
                return event;
            }
        }
    }
}
