//! From a request to its answer: who may, what it carries, the thread that does it, and the time
//! that may take.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::git::LateCancel;
use crate::ops::{self, Aftermath};

use super::Opener;
use super::call::{Call, Content, Reply};
use super::feed::Feed;
use super::guard::{self, Guard};
use super::listener;
use super::problem::Problem;
use super::received::Received;
use super::route::{Does, Route, Verb};

/// The longest body that is read, in bytes.
const BODY_MAX: usize = 256 * 1024;
/// How much more of a longer one is taken in, so that its sender gets to read the refusal.
const OVERRUN_MAX: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// What all calls share.
pub struct App {
    pub opener: Arc<Opener>,
    pub guard: Guard,
    pub about: About,
    pub feed: Arc<Feed>,
    /// Of those who listen to events there are so many at most, that calls still get through.
    pub listeners: Arc<Semaphore>,
    pub ending: watch::Receiver<bool>,
}

/// What the server says of itself.
#[derive(Debug)]
pub struct About {
    pub team: String,
    pub repository: String,
    pub port: u16,
    pub begun: Instant,
}

/// Returns what answers every request.
pub fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in Route::all() {
        let filter = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Patch => MethodFilter::PATCH,
        };
        let answer = move |State(app): State<Arc<App>>, params: RawPathParams, request: Request| {
            answer(app, route, params, request)
        };
        router = router.route(route.path, on(filter, answer));
    }
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), guarded))
        .with_state(Arc::clone(app))
}

async fn unknown(uri: Uri) -> Response {
    let message = format!("there is nothing at `{}`", uri.path().escape_debug());
    let problem = Problem::new(404, "NOT_FOUND", message);
    refusal(&problem.hint("GET /openapi.json says what there is"))
}

async fn wrong_method(request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let message = format!("`{}` does not take {method}", path.escape_debug());
    let problem = Problem::new(405, "METHOD_NOT_ALLOWED", message);
    refusal(&problem.hint("GET /openapi.json says what there is"))
}

/// Lets through whoever may call, and says with every answer what a browser may do with it.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = match app.guard.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(problem) => refusal(&problem),
    };
    let headers = response.headers_mut();
    let mut say = |name, value| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::CACHE_CONTROL, "no-store");
    say(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    say(header::REFERRER_POLICY, "no-referrer");
    say(
        header::HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    response
}

/// Returns a refusal as a response.
pub fn refusal(problem: &Problem) -> Response {
    let mut response = (problem.status_code(), written(&problem.to_json())).into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if problem.status() == 401 {
        let wanted = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, wanted);
    }
    response
}

fn written(value: &Value) -> String {
    format!("{value}\n")
}

async fn answer(
    app: Arc<App>,
    route: &'static Route,
    params: RawPathParams,
    request: Request,
) -> Response {
    let params = params.iter();
    let params: Vec<(String, String)> = params
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let received = match receive(route, &params, request).await {
        Ok(received) => received,
        Err(problem) => return refusal(&problem),
    };
    if route.does == Does::Listens {
        return listener::listen(&app, received)
            .await
            .unwrap_or_else(|problem| refusal(&problem));
    }
    match work(app, route, params, received.0).await {
        Ok(Reply { status, content }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let (kind, text) = match content {
                Content::Json(value) => ("application/json", written(&value)),
                Content::Markdown(text) => ("text/markdown; charset=utf-8", text),
            };
            (status, [(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(problem) => refusal(&problem),
    }
}

/// Reads what a request carries, and where its sender goes on listening.
async fn receive(
    route: &Route,
    params: &[(String, String)],
    request: Request,
) -> Result<(Received, Option<String>), Problem> {
    let (parts, body) = request.into_parts();
    let named = params.iter().find(|(name, _)| name == "agent");
    let named = named
        .filter(|_| route.acts_in_path())
        .map(|it| it.1.as_str());
    let bytes = match route.takes_body() {
        true => {
            guard::check_body(&parts.headers)?;
            read(body).await?
        }
        false => Vec::new(),
    };
    let received = Received::read(route, &parts.uri, &parts.headers, named, &bytes)?;
    let last = parts.headers.get("last-event-id");
    let last = last.and_then(|it| it.to_str().ok()).map(str::to_owned);
    Ok((received, last))
}

/// Reads a body, if it is not too long and does not take too long.
async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let late = |_| {
        let seconds = BODY_LIMIT.as_secs();
        let message = format!("the body has not come within {seconds} seconds");
        Problem::new(408, "TIMEOUT", message)
    };
    timeout(BODY_LIMIT, collect(body)).await.map_err(late)?
}

async fn collect(mut body: Body) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut length: usize = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| Problem::bad(format!("the body ends early: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= BODY_MAX {
            bytes.extend_from_slice(&data);
        }
        if length > OVERRUN_MAX {
            break;
        }
    }
    match length {
        ..=BODY_MAX => Ok(bytes),
        _ => Err(Problem::new(
            413,
            "PAYLOAD_TOO_LARGE",
            format!("a body has at most {BODY_MAX} bytes"),
        )),
    }
}

/// Ends what a thread waits for, once nobody waits for the thread.
struct Abandoned(Arc<LateCancel>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Does it on a thread of its own, with a context of its own.
async fn work(
    app: Arc<App>,
    route: &'static Route,
    params: Vec<(String, String)>,
    received: Received,
) -> Result<Reply, Problem> {
    let cancel = Arc::new(LateCancel::default());
    let abandoned = Abandoned(Arc::clone(&cancel));
    let limit = route.does.limit();
    let worker = tokio::task::spawn_blocking(move || run(&app, route, &params, &received, &cancel));
    let done = timeout(limit, worker).await;
    // The thread ends soon after, whatever it waits for; what it has done by then stays done.
    drop(abandoned);
    match done {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => Err(Problem::new(
            500,
            "INTERNAL_ERROR",
            "the call ended by a fault of ours; `GET /heartbeat/AGENT` says what came of it",
        )),
        Err(_) => Err(Problem::new(
            504,
            "TIMEOUT",
            format!(
                "not done within {} seconds; it may still be",
                limit.as_secs()
            ),
        )),
    }
}

fn run(
    app: &App,
    route: &Route,
    params: &[(String, String)],
    received: &Received,
    cancel: &LateCancel,
) -> Result<Reply, Problem> {
    let ctx = (app.opener)(received.who(route))?;
    cancel.set(ctx.repo().runner().cancel());
    let call = Call {
        ctx: &ctx,
        received,
        params,
        about: &app.about,
        feed: &app.feed,
        notes: RefCell::new(received.notes.clone()),
    };
    let result = (route.run)(&call).map_err(|problem| match problem.is_of_stranger() {
        true => {
            let seats = ops::who(&ctx).unwrap_or_default();
            let names = seats.iter().map(|seat| seat.agent.name.to_string());
            problem.with("agents", names.collect::<Vec<_>>())
        }
        false => problem,
    });
    let Aftermath {
        warnings,
        removed_locks,
    } = ops::finish(&ctx, route.does.exchange());
    let mut notes = call.notes.take();
    notes.extend(warnings);
    for lock in removed_locks {
        let lock = lock.display();
        notes.push(format!("removed `{lock}`, left behind by a killed process"));
    }
    if notes.is_empty() {
        return result;
    }
    match result {
        Ok(mut reply) => {
            if let Content::Json(Value::Object(fields)) = &mut reply.content {
                fields.insert("warnings".to_owned(), json!(notes));
            }
            Ok(reply)
        }
        Err(problem) => Err(problem.with("warnings", notes)),
    }
}
