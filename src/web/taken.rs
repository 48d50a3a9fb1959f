//! Who listens at a port that is taken.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long whoever is there may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most that is read of its answer, in bytes.
const ANSWER_MAX: u64 = 64 * 1024;

/// Returns the repository whose team is served at an address, if that is what listens there.
pub fn repository_at(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // Whatever came before it was cut off may be enough.
    stream.take(ANSWER_MAX).read_to_end(&mut answer).ok();
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let health: Value = serde_json::from_str(body.trim()).ok()?;
    Some(health["repository"].as_str()?.to_owned())
}
