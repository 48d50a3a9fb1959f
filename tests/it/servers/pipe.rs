//! A client that is nothing but a pipe: it writes lines and reads lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::process::BINARY;
use crate::support::{Repo, poll_until};

const LIMIT: Duration = Duration::from_secs(60);

/// A server, and the pipes to it.
pub struct Pipe {
    child: Option<Child>,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// What was said that nobody waited for yet.
    others: Vec<Value>,
    last: u64,
}

/// Returns what each request of the newest lifecycle has with it.
pub fn modern(version: &str) -> Value {
    json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": {"name": "pipe", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }})
}

impl Pipe {
    /// Starts a server for an agent, in the repository.
    pub fn start(repo: &Repo, agent: &str) -> Pipe {
        let mut command = Command::new(BINARY);
        repo.prepare(&mut command);
        command
            .arg("mcp")
            .env("REFLECTT_AGENT", agent)
            .current_dir(repo.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut pipe = Pipe::over(input.unwrap(), output.unwrap());
        pipe.child = Some(child);
        pipe
    }

    /// Starts a server, and shakes hands with it.
    pub fn begun(repo: &Repo, agent: &str) -> Pipe {
        let mut pipe = Pipe::start(repo, agent);
        pipe.begin();
        pipe
    }

    /// Talks to a server that somebody else has started.
    pub fn over(input: ChildStdin, output: impl Read + Send + 'static) -> Pipe {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                let value = serde_json::from_str(&line);
                let value = value.unwrap_or_else(|_| json!({"no message": line}));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Pipe {
            child: None,
            input: Some(input),
            lines,
            others: Vec::new(),
            last: 0,
        }
    }

    pub fn begin(&mut self) {
        let met = self.initialize("2025-11-25");
        assert_eq!(met["result"]["protocolVersion"], "2025-11-25", "{met}");
        self.notify("notifications/initialized", &json!({}));
    }

    pub fn initialize(&mut self, version: &str) -> Value {
        let client = json!({"name": "pipe", "version": "1"});
        let hello = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
        self.request("initialize", &hello)
    }

    /// Writes a line as it is.
    pub fn write(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(&[line, b"\n"].concat()).unwrap();
        input.flush().unwrap();
    }

    pub fn notify(&mut self, method: &str, params: &Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.write(message.to_string().as_bytes());
    }

    /// Asks, and returns the number that the answer will have.
    pub fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let message =
            json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        self.write(message.to_string().as_bytes());
        self.last
    }

    /// Waits for the answer with this number.
    #[track_caller]
    pub fn answer_to(&mut self, id: u64) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.others.iter().position(|it| it["id"] == id) {
                return self.others.remove(at);
            }
            let left = LIMIT.saturating_sub(begun.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(value) => self.others.push(value),
                Err(error) => panic!("no answer to {id}: {error}"),
            }
        }
    }

    #[track_caller]
    pub fn request(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        self.answer_to(id)
    }

    /// Calls a tool, which must do what it is to do, and returns its structured answer.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let call = json!({"name": tool, "arguments": arguments});
        let mut answer = self.request("tools/call", &call);
        assert_ne!(
            answer["result"]["isError"], true,
            "{tool} {arguments}: {answer}"
        );
        assert!(answer["error"].is_null(), "{tool} {arguments}: {answer}");
        answer["result"]["structuredContent"].take()
    }

    /// Returns what was said that was no answer to a request waited for.
    pub fn others(&self) -> Vec<Value> {
        self.others.clone()
    }

    /// Closes the server's input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Waits until the server has ended.
    pub fn end(mut self) -> ExitStatus {
        self.input = None;
        let child = self.child.as_mut().unwrap();
        poll_until("the server ends", LIMIT, || child.try_wait().unwrap())
    }

    /// Waits until nobody has the server's output open; its input stays open.
    pub fn wait_for_end(&mut self, limit: Duration) {
        let begun = Instant::now();
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
                Err(error) => panic!("the server is still there: {error}"),
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.input = None;
        let Some(child) = &mut self.child else { return };
        // A test that fails is not to leave it behind.
        if std::thread::panicking() {
            child.kill().ok();
        }
        child.wait().ok();
    }
}
