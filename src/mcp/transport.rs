//! Standard input and output as a transport: one message a line.
//!
//! Our own, because what is asked of it is not what the library's does: a line that is no message
//! gets an error instead of silence, and the end of input waits until all that was read has been
//! answered. Reading is done by a thread, as a read of a terminal or a file cannot be cancelled;
//! the thread ends with the program.

use std::collections::HashSet;
use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorCode, ErrorData, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, watch};

/// The longest message that is read, in bytes. No call of ours needs a hundredth of it; but of what
/// is read the answer can name the request, so that its client does not wait in vain.
const LINE_MAX: u64 = 16 * 1024 * 1024;
/// How many messages may wait; then the client waits.
const WAITING: usize = 64;

/// A line of input.
enum Line {
    Text(Vec<u8>),
    /// Longer than any message may be.
    TooLong,
}

/// What was asked and is not answered, and what runs, and word when there is neither: then nothing
/// is lost if we end.
///
/// Both, because what was read may not have begun to run, and what was cancelled gets no answer but
/// may still run to its end.
#[derive(Debug, Default)]
pub struct Pending {
    open: Mutex<Open>,
    none: Notify,
}

#[derive(Debug, Default)]
struct Open {
    asked: HashSet<RequestId>,
    running: usize,
}

impl Pending {
    fn change(&self, change: impl FnOnce(&mut Open)) {
        // Each change is complete in itself.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut open);
        if open.asked.is_empty() && open.running == 0 {
            self.none.notify_waiters();
        }
    }

    /// Counts something as running for as long as what is returned lives.
    pub fn begin(self: &Arc<Pending>) -> Begun {
        self.change(|open| open.running += 1);
        Begun(Arc::clone(self))
    }

    async fn wait_for_none(&self) {
        loop {
            let told = self.none.notified();
            let mut none = false;
            self.change(|open| none = open.asked.is_empty() && open.running == 0);
            if none {
                return;
            }
            told.await;
        }
    }

    /// Notes what a message of the client asks for, or no longer wants.
    fn see_asked(&self, message: &ClientJsonRpcMessage) {
        match message {
            ClientJsonRpcMessage::Request(request) => {
                self.change(|open| {
                    open.asked.insert(request.id.clone());
                });
            }
            ClientJsonRpcMessage::Notification(told) => {
                if let ClientNotification::CancelledNotification(it) = &told.notification {
                    let id = it.params.request_id.as_ref();
                    self.change(|open| open.asked.retain(|asked| Some(asked) != id));
                }
            }
            _ => {}
        }
    }

    fn see_answered(&self, message: &ServerJsonRpcMessage) {
        let id = match message {
            ServerJsonRpcMessage::Response(response) => Some(&response.id),
            ServerJsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        if let Some(id) = id {
            self.change(|open| {
                open.asked.remove(id);
            });
        }
    }
}

/// Something that runs.
pub struct Begun(Arc<Pending>);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.change(|open| open.running -= 1);
    }
}

/// Standard input and output.
pub struct Stdio {
    lines: mpsc::Receiver<Line>,
    /// Becomes true when the server is to end.
    ending: watch::Sender<bool>,
    pending: Arc<Pending>,
    /// Whether a request has come, with which everything begins.
    opened: bool,
}

impl Stdio {
    /// Begins to read. `ending` is told when input ends, and ends the reading when it is told.
    pub fn open(ending: watch::Sender<bool>, pending: Arc<Pending>) -> io::Result<Stdio> {
        let (sender, lines) = mpsc::channel(WAITING);
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || read_lines(io::stdin().lock(), &sender))?;
        Ok(Stdio {
            lines,
            ending,
            pending,
            opened: false,
        })
    }

    /// Reads a line as a message, or answers what is none.
    fn understand(&mut self, line: &Line) -> Option<ClientJsonRpcMessage> {
        let refused = match line {
            Line::TooLong => refusal(
                Value::Null,
                ErrorCode::INVALID_REQUEST,
                &format!("a message may have {} MiB at most", LINE_MAX / 1024 / 1024),
            ),
            Line::Text(text) => match serde_json::from_slice::<ClientJsonRpcMessage>(text) {
                Ok(message) => {
                    let request = matches!(message, ClientJsonRpcMessage::Request(_));
                    // Before the first request there is nothing to notify of, and no answer.
                    self.opened |= request;
                    self.pending.see_asked(&message);
                    return self.opened.then_some(message);
                }
                Err(error) => misunderstood(text, &error)?,
            },
        };
        write_line(&refused).ok();
        None
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let written = write_line(&message);
        self.pending.see_answered(&message);
        async move { written }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let mut ended = self.ending.subscribe();
        loop {
            let line = tokio::select! {
                line = self.lines.recv() => line,
                _ = ended.wait_for(|ended| *ended) => None,
            };
            let Some(line) = line else { break };
            if let Some(message) = self.understand(&line) {
                return Some(message);
            }
        }
        self.ending.send_replace(true);
        self.pending.wait_for_none().await;
        None
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        Ok(())
    }
}

fn write_line(message: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// Returns the answer to a line that is no message we know; none for a notification.
fn misunderstood(text: &[u8], error: &serde_json::Error) -> Option<Value> {
    if text.trim_ascii().is_empty() {
        return None;
    }
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        let said = format!("this is not JSON: {error}");
        return Some(refusal(Value::Null, ErrorCode::PARSE_ERROR, &said));
    };
    let id = value.get("id").filter(|id| id.is_string() || id.is_i64());
    match (id, value.get("method").and_then(Value::as_str)) {
        (None, Some(_)) => None,
        (Some(id), Some(method)) => {
            let said = format!("`{}` is not called like this", method.escape_debug());
            Some(refusal(id.clone(), ErrorCode::INVALID_PARAMS, &said))
        }
        (id, None) => {
            let id = id.cloned().unwrap_or_default();
            let said =
                "this is no message of the protocol: a request has `jsonrpc`, `id` and `method`";
            Some(refusal(id, ErrorCode::INVALID_REQUEST, said))
        }
    }
}

fn refusal(id: Value, code: ErrorCode, message: &str) -> Value {
    let error = ErrorData::new(code, message.to_owned(), None);
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

/// Hands on line by line, until there are no more or nobody takes them.
fn read_lines(mut input: impl BufRead, to: &mpsc::Sender<Line>) {
    loop {
        let mut line = Vec::new();
        let read = (&mut input).take(LINE_MAX).read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) {
            return;
        }
        let complete = line.last() == Some(&b'\n');
        let line = match !complete && line.len() as u64 == LINE_MAX {
            true => {
                if skip_line(&mut input).is_err() {
                    return;
                }
                Line::TooLong
            }
            false => Line::Text(line),
        };
        if to.blocking_send(line).is_err() {
            return;
        }
    }
}

/// Reads to the end of a line without keeping it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<Option<usize>> {
        let (sender, mut receiver) = mpsc::channel(16);
        read_lines(input, &sender);
        drop(sender);
        let mut found = Vec::new();
        while let Some(line) = receiver.blocking_recv() {
            found.push(match line {
                Line::Text(text) => Some(text.len()),
                Line::TooLong => None,
            });
        }
        found
    }

    #[test]
    fn a_line_that_is_too_long_does_not_take_the_next_one_along() {
        let mut input = vec![b'x'; 3 * LINE_MAX as usize];
        input.extend(b"\nab\nc");
        assert_eq!(lines(&input), [None, Some(3), Some(1)]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn what_is_no_message_is_answered() {
        let answer = |text: &str| {
            let error = serde_json::from_str::<ClientJsonRpcMessage>(text).unwrap_err();
            let refused = misunderstood(text.as_bytes(), &error)?;
            Some((refused["id"].clone(), refused["error"]["code"].as_i64()?))
        };
        assert_eq!(answer("{"), Some((Value::Null, -32700)));
        assert_eq!(answer("[]"), Some((Value::Null, -32600)));
        assert_eq!(answer(r#"{"id": 7}"#), Some((json!(7), -32600)));
        let wrong = r#"{"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": 3}"#;
        assert_eq!(answer(wrong), Some((json!("a"), -32602)));
        assert_eq!(answer("\n"), None);
    }
}
