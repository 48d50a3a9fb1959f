//! One who listens to what happens: server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The task that writes waits for its client: at most [`AHEAD`] frames are ready for it. A client
//! that takes none is cut off with its connection; one that is too slow is ended, and goes on from
//! its last point when it comes back, as every `EventSource` does by itself.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use crate::model::id::Stamp;
use crate::ops::{self, Point};

use super::answering::App;
use super::feed::{Event, Listening};
use super::problem::Problem;
use super::received::{Query, Received};
use super::server;

/// How many frames may wait for their client.
const AHEAD: usize = 16;
/// How long what comes together is gathered.
const WINDOW: Duration = Duration::from_secs(2);
/// How much is gathered at most.
const GATHERED: usize = 200;
/// How often a client is shown that we are there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long to wait for the follower to begin.
const BEGIN: Duration = Duration::from_secs(10);
/// How much of what was missed is told; whoever was away for longer is told to look for itself.
const MISSED: usize = 5_000;

/// What a listener wants to hear.
struct Wish {
    agent: Option<String>,
    types: Vec<String>,
    topics: Vec<String>,
    batch: bool,
}

impl Wish {
    fn of(query: &Query) -> Wish {
        Wish {
            agent: query.get("agent").map(str::to_owned),
            types: query.all("types").map(str::to_owned).collect(),
            topics: query.all("topics").map(str::to_owned).collect(),
            batch: query.is_on("batch"),
        }
    }

    fn has_type(&self, kind: &str) -> bool {
        let any = self.types.is_empty() && self.topics.is_empty();
        any || self.types.iter().any(|it| it == kind)
            || self.topics.iter().any(|it| kind.contains(it.as_str()))
    }

    fn fits(&self, event: &Event) -> bool {
        let is_about = |agent: &String| event.about.is_empty() || event.about.contains(agent);
        self.has_type(event.kind) && self.agent.as_ref().is_none_or(is_about)
    }
}

/// The body of a response, as it is written.
struct Frames(mpsc::Receiver<Bytes>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(cx)
            .map(|frame| frame.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Begins to tell what happens; since a point, if one is named.
pub async fn listen(
    app: &Arc<App>,
    asked: (Received, Option<String>),
) -> Result<Response, Problem> {
    let (received, last) = asked;
    let many = |_| Problem::new(503, "BUSY", "too many listen already");
    let permit = Arc::clone(&app.listeners)
        .try_acquire_owned()
        .map_err(many)?;
    let mut listening = app.feed.listen();
    let begun = timeout(BEGIN, listening.at.wait_for(Option::is_some)).await;
    let begun = begun.ok().and_then(|it| it.ok().and_then(|point| *point));
    let silent = || {
        Problem::new(
            503,
            "BUSY",
            "the record cannot be followed now; `GET /health` says more",
        )
    };
    let begun = begun.ok_or_else(silent)?;
    let (frames, body) = mpsc::channel(AHEAD);
    let speaker = Speaker {
        frames,
        wish: Wish::of(&received.query),
        gathered: Vec::new(),
        told: HashSet::new(),
    };
    let (app, ending) = (Arc::clone(app), app.ending.clone());
    tokio::spawn(async move {
        // Its client is gone, or we are to end: nobody is left to be told.
        speaker
            .speak(&app, last, begun, listening, ending, permit)
            .await;
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CONNECTION, "keep-alive"),
    ];
    Ok((headers, Body::new(Frames(body))).into_response())
}

/// Writes to one client.
struct Speaker {
    frames: mpsc::Sender<Bytes>,
    wish: Wish,
    /// What waits for its window to close.
    gathered: Vec<Sent>,
    /// What was told of the past, and may come again as news.
    told: HashSet<Stamp>,
}

/// An event that waits to be written.
struct Sent {
    kind: &'static str,
    id: Option<Point>,
    at: i64,
    data: Value,
}

impl Speaker {
    /// Tells until its client is gone, or the server ends. `None` says so.
    async fn speak(
        mut self,
        app: &Arc<App>,
        last: Option<String>,
        begun: Point,
        mut listening: Listening,
        mut ending: watch::Receiver<bool>,
        _permit: OwnedSemaphorePermit,
    ) -> Option<()> {
        self.catch_up(app, last, begun).await?;
        let mut alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let mut closes = Instant::now();
        loop {
            tokio::select! {
                told = listening.told.recv() => match told {
                    Ok(told) => {
                        if self.gathered.is_empty() {
                            closes = Instant::now() + WINDOW;
                        }
                        self.tell(&told).await?;
                    }
                    // It comes back, and is told what it has missed.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => {
                        self.flush().await?;
                        return self.write(":behind; go on with Last-Event-ID\n\n".to_owned()).await;
                    }
                },
                () = sleep_until(closes), if !self.gathered.is_empty() => self.flush().await?,
                _ = alive.tick() => self.write(":keepalive\n\n".to_owned()).await?,
                () = server::is_over(&mut ending) => {
                    self.flush().await?;
                    return None;
                }
                () = self.frames.closed() => return None,
            }
        }
    }

    /// Says that it begins, and what happened since a point.
    async fn catch_up(&mut self, app: &Arc<App>, last: Option<String>, begun: Point) -> Option<()> {
        let from = last.as_deref().map(str::parse::<Point>);
        let Some(from) = from else {
            return self.begin(begun).await;
        };
        let feed = Arc::clone(&app.feed);
        let missed = tokio::task::spawn_blocking(move || {
            let from = from.ok()?;
            feed.since(from).ok().map(|(events, to)| (from, events, to))
        });
        match missed.await.ok().flatten() {
            Some((from, events, to)) if events.len() <= MISSED => {
                self.begin(from).await?;
                self.told = events.iter().filter_map(|event| event.stamp).collect();
                for event in &events {
                    self.tell_one(event).await?;
                }
                // Of what nobody wants to hear, too, it has heard.
                self.flush().await?;
                self.write(format!("id: {to}\n\n")).await
            }
            _ => {
                self.begin(begun).await?;
                let data = json!({"content": "what happened before this is not told; look it up"});
                self.write(frame("resync", Some(begun), &data)).await
            }
        }
    }

    async fn begin(&self, at: Point) -> Option<()> {
        let kind = match self.wish.has_type("message_posted") {
            true => "message_posted",
            // Whoever wants no messages gets none.
            false => "connected",
        };
        let data = json!({
            "from": "system", "channel": "system", "timestamp": ops::now().0,
            "content": "Connected to event stream",
        });
        let first = frame(kind, Some(at), &data);
        self.write(format!("retry: 1500\n{first}")).await
    }

    async fn tell(&mut self, told: &[Event]) -> Option<()> {
        for event in told {
            let known = event.stamp.is_some_and(|stamp| self.told.contains(&stamp));
            if !known {
                self.tell_one(event).await?;
            }
        }
        Some(())
    }

    async fn tell_one(&mut self, event: &Event) -> Option<()> {
        if !self.wish.fits(event) {
            return Some(());
        }
        if !self.wish.batch {
            return self.write(frame(event.kind, event.id, &event.data)).await;
        }
        self.gathered.push(Sent {
            kind: event.kind,
            id: event.id,
            at: event.at.0,
            data: event.data.clone(),
        });
        match self.gathered.len() {
            ..GATHERED => Some(()),
            _ => self.flush().await,
        }
    }

    /// Writes what was gathered: one as it is, several as one.
    async fn flush(&mut self) -> Option<()> {
        let gathered = std::mem::take(&mut self.gathered);
        match gathered.as_slice() {
            [] => Some(()),
            [one] => self.write(frame(one.kind, one.id, &one.data)).await,
            several => {
                let list = several.iter().map(|it| {
                    let id = it.id.map(|it| it.to_string());
                    json!({"id": id, "type": it.kind, "timestamp": it.at, "data": it.data})
                });
                let id = several.iter().rev().find_map(|it| it.id);
                self.write(frame("batch", id, &list.collect())).await
            }
        }
    }

    async fn write(&self, text: String) -> Option<()> {
        self.frames.send(text.into()).await.ok()
    }
}

/// Returns an event as it stands in the stream. JSON has no line breaks outside of its texts, and
/// has them escaped there.
fn frame(kind: &str, id: Option<Point>, data: &Value) -> String {
    let mut text = format!("event: {kind}\ndata: {data}\n");
    if let Some(id) = id {
        // Nothing can go wrong in writing to a text.
        writeln!(text, "id: {id}").ok();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_event_whatever_is_in_it() {
        let id = "1".repeat(40).parse().unwrap();
        let data = json!({"content": "a\n\nevent: evil\ndata: x\r\r"});
        let text = frame("message_posted", Some(id), &data);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.starts_with("event: message_posted\ndata: {"));
        assert!(text.ends_with(&format!("\nid: {id}\n\n")));
        assert!(!text.contains('\r'));
    }

    #[test]
    fn only_what_is_wanted_is_told() {
        let event = |kind, about: &[&str]| Event {
            kind,
            id: None,
            stamp: None,
            at: ops::now(),
            data: Value::Null,
            about: about.iter().map(ToString::to_string).collect(),
        };
        let wish = |query: &str| {
            let uri = format!("/events?{query}").parse().unwrap();
            Wish::of(&Query::of(&uri).unwrap())
        };
        let task = event("task_updated", &["kai"]);
        assert!(wish("").fits(&task));
        assert!(wish("agent=kai&topics=message,task").fits(&task));
        assert!(!wish("agent=link").fits(&task));
        assert!(!wish("types=task").fits(&task));
        assert!(wish("types=task_updated").fits(&task));
        assert!(
            wish("agent=link").fits(&event("message_posted", &[])),
            "to all"
        );
    }
}
