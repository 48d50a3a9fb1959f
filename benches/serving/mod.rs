//! A client of `reflectt mcp` that measures it.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A server that runs, and our end of it.
pub struct Client {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    next: u64,
}

impl Client {
    /// Starts a server by this command, and shakes hands with it.
    pub fn start(mut command: Command) -> Client {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(stdout).lines();
        let mut client = Client {
            child,
            stdin,
            lines,
            next: 0,
        };
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        });
        client.request("initialize", hello);
        client
    }

    fn line(&mut self) -> Value {
        let line = self.lines.next().expect("a line").expect("it is read");
        serde_json::from_str(&line).expect("JSON")
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        writeln!(self.stdin, "{request}").expect("the server reads");
        loop {
            let message = self.line();
            if message["id"] == id {
                return message;
            }
        }
    }

    pub fn tool(&mut self, name: &str) {
        let answer = self.request("tools/call", json!({"name": name, "arguments": {}}));
        assert!(
            answer["result"]["structuredContent"].is_object(),
            "{answer}"
        );
    }

    /// Returns how long it takes until a change is told.
    pub fn until_told(&mut self, since: Instant) -> Duration {
        while self.line()["method"] != "notifications/resources/updated" {}
        since.elapsed()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
