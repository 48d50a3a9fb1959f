//! A client of `reflectt mcp`: lines in, lines out, and nothing hidden.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Repo;
use super::process::BINARY;

/// The longest that an answer may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and the client's end of it.
pub struct Mcp {
    child: Option<Child>,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What came while something else was waited for.
    told: VecDeque<Value>,
    next: u64,
    /// What every request carries, in the way of the newest protocol.
    meta: Option<Value>,
}

/// Returns what each request has with it in the way of the newest protocol.
pub fn of_version(version: &str) -> Value {
    json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }})
}

impl Mcp {
    /// Starts a server and opens it as clients before 2026-07-28 do.
    pub fn start(repo: &Repo, agent: &str) -> Mcp {
        let mut mcp = Mcp::spawn(repo, agent);
        let answer = mcp.shake_hands("2025-11-25");
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
        mcp
    }

    /// Opens a server as clients before 2026-07-28 do, and returns what it says of itself.
    pub fn shake_hands(&mut self, version: &str) -> Value {
        let hello = json!({
            "protocolVersion": version, "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        });
        let answer = self.request("initialize", hello);
        assert_eq!(
            answer["result"]["serverInfo"]["name"], "reflectt",
            "{answer}"
        );
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    /// Starts a server to be spoken to without a handshake: each request says what it is.
    pub fn stateless(repo: &Repo, agent: &str) -> Mcp {
        let mut mcp = Mcp::spawn(repo, agent);
        mcp.meta = Some(of_version("2026-07-28")["_meta"].clone());
        mcp
    }

    /// Starts a server, and says nothing.
    pub fn spawn(repo: &Repo, agent: &str) -> Mcp {
        let mut command = Command::new(BINARY);
        repo.prepare(&mut command);
        let mut child = command
            .arg("mcp")
            .current_dir(repo.path())
            .env("REFLECTT_AGENT", agent)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut mcp = Mcp::over(stdin.unwrap(), stdout.unwrap());
        mcp.child = Some(child);
        mcp
    }

    /// Speaks to a server that somebody else has started.
    pub fn over(stdin: ChildStdin, stdout: impl Read + Send + 'static) -> Mcp {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines();
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Mcp {
            child: None,
            stdin: Some(stdin),
            lines,
            told: VecDeque::new(),
            next: 0,
            meta: None,
        }
    }

    pub fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    fn send_line(&mut self, line: &str) {
        self.send_bytes(line.as_bytes());
    }

    /// Sends a line that need not be a message.
    pub fn send_bytes(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().expect("input is still open");
        stdin.write_all(&[line, b"\n"].concat()).unwrap();
    }

    /// Returns what has come that nobody waited for.
    pub fn others(&self) -> &VecDeque<Value> {
        &self.told
    }

    /// Sends a request and returns its id.
    pub fn ask(&mut self, method: &str, mut params: Value) -> u64 {
        self.next += 1;
        if let Some(meta) = self.meta.as_ref().filter(|_| params["_meta"].is_null()) {
            params["_meta"] = meta.clone();
        }
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Sends a request and returns its answer.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Waits for the answer to a request.
    #[track_caller]
    pub fn answer(&mut self, id: u64) -> Value {
        if let Some(at) = self.told.iter().position(|it| it["id"] == id) {
            return self.told.remove(at).unwrap();
        }
        loop {
            let message = self.line().expect("an answer");
            if message["id"] == id {
                return message;
            }
            self.told.push_back(message);
        }
    }

    /// Waits for a notification of this kind.
    #[track_caller]
    pub fn notification(&mut self, method: &str) -> Value {
        if let Some(at) = self.told.iter().position(|it| it["method"] == method) {
            return self.told.remove(at).unwrap();
        }
        loop {
            let message = self.line().expect("a notification");
            if message["method"] == method {
                return message;
            }
            self.told.push_back(message);
        }
    }

    /// Returns the next message; `None` when the server has ended.
    #[track_caller]
    pub fn line(&mut self) -> Option<Value> {
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the server says nothing"),
        };
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Calls a tool, and returns what a model is given of the answer.
    #[track_caller]
    pub fn tool(&mut self, name: &str, arguments: Value) -> Value {
        let answer = self.request("tools/call", json!({"name": name, "arguments": arguments}));
        content(&answer)
    }

    /// Closes the input, and returns the exit code.
    pub fn end(&mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.exit_code()
    }

    /// Waits until the server has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            let child = self.child.as_mut().expect("a child of ours");
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Returns what a model is given of the answer to a tool call, which is the text, too.
#[track_caller]
pub fn content(answer: &Value) -> Value {
    let result = &answer["result"];
    let structured = &result["structuredContent"];
    assert!(structured.is_object(), "{answer}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(&serde_json::from_str::<Value>(text).unwrap(), structured);
    let failed = result["isError"] == true;
    assert_eq!(failed, structured["error"].is_object(), "{answer}");
    structured.clone()
}
