//! Listening, and the life of a connection.
//!
//! The loop is our own, because that of axum has no limits in time: a head must come within
//! [`HEAD_LIMIT`] (hyper's own timer, from the first byte it waits for), a body within the limit of
//! `answering`, and a client must read ([`super::patient`]). There are at most [`CONNECTIONS_MAX`].

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::answer::Fault;
use crate::store::StoreError;

use super::answering::{About, App, router};
use super::feed::Feed;
use super::guard::{Guard, without_port};
use super::patient::Patient;
use super::{Opener, Who, taken};

/// How many connections there are at most.
const CONNECTIONS_MAX: usize = 256;
/// How many of them may stay to listen.
const LISTENERS_MAX: usize = 200;
/// How many calls run at the same time; those beyond wait.
const THREADS: usize = 8;
/// How long the head of a request may take, the wait for the next one included.
const HEAD_LIMIT: Duration = Duration::from_secs(15);
/// How long a client may take nothing of what it is sent.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// How long what is under way may go on once the server is to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Where to listen, and for whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// 0 takes any that is free.
    pub port: u16,
    pub host: String,
    /// Whether every caller must have a token.
    pub token: bool,
}

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    opener: Arc<Opener>,
    guard: Guard,
    about: About,
    url: String,
    new_token: Option<String>,
    ending: watch::Sender<bool>,
}

/// Ends a server, from any thread.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Ends it: what is under way is still done, nothing new is taken.
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    ///
    /// If there is no team here, if the address is not this machine's own and nobody asked for a
    /// token, or if it is taken; then it says by whom, as far as they tell.
    pub fn bind(opener: Arc<Opener>, options: &Options) -> Result<Server, Fault> {
        let ctx = opener(Who::Nobody)?;
        let store = ctx.store();
        drop(store.snapshot().map_err(crate::ops::OpsError::from)?);
        let address = resolve(&options.host, options.port)?;
        let is_own = address.ip().is_loopback();
        if !is_own && !options.token {
            return Err(Fault::usage(format!(
                "`{}` is for other machines, too: whoever reaches it could act as anybody",
                options.host
            ))
            .hint("--token (asks every caller for one)")
            .hint("--host 127.0.0.1 (for this machine alone)"));
        }
        let listener = TcpListener::bind(address).map_err(|error| refused(address, error))?;
        let failed = |error: io::Error| {
            Fault::failed(format!("cannot listen at `{address}`")).caused_by(error)
        };
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (token, is_new) = match options.token {
            true => {
                let (token, is_new) = store
                    .web_token()
                    .map_err(|error: StoreError| crate::answer::of(error.into()))?;
                (Some(token), is_new)
            }
            false => (None, false),
        };
        let repository = ctx.repo().common_dir();
        let place = ctx.repo().work_dir().unwrap_or(repository);
        let team = place.file_name().unwrap_or_default().to_string_lossy();
        let about = About {
            team: team.into_owned(),
            repository: repository.display().to_string(),
            port: address.port(),
            begun: Instant::now(),
        };
        let named = match address.ip().is_unspecified() {
            true => SocketAddr::from(([127, 0, 0, 1], address.port())).to_string(),
            false => address.to_string(),
        };
        Ok(Server {
            listener,
            opener,
            guard: Guard {
                host: (!is_own).then(|| without_port(&in_brackets(&options.host)).to_lowercase()),
                any_address: address.ip().is_unspecified(),
                token: token.clone(),
            },
            about,
            url: format!("http://{named}"),
            new_token: token.filter(|_| is_new),
            ending: watch::Sender::new(false),
        })
    }

    /// Returns where it is reached from here.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the token, if it was made now.
    pub fn new_token(&self) -> Option<&str> {
        self.new_token.as_deref()
    }

    /// Returns what ends it.
    pub fn stop(&self) -> Stop {
        Stop(self.ending.clone())
    }

    /// Answers until it is told to stop.
    ///
    /// # Errors
    ///
    /// If there is no thread to be had.
    pub fn run(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(THREADS)
            .build()?;
        let app = Arc::new(App {
            feed: Arc::new(Feed::new(Arc::clone(&self.opener))),
            opener: self.opener,
            guard: self.guard,
            about: self.about,
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
            ending: self.ending.subscribe(),
        });
        let served = runtime.block_on(serve(self.listener, &app));
        // A call that does not end in time does not keep us.
        runtime.shutdown_background();
        served
    }
}

fn in_brackets(host: &str) -> String {
    match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, Fault> {
    let unknown = || Fault::usage(format!("`{host}` is no address of this machine"));
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut found = (bare, port).to_socket_addrs().map_err(|_| unknown())?;
    found.next().ok_or_else(unknown)
}

fn refused(address: SocketAddr, error: io::Error) -> Fault {
    if error.kind() != io::ErrorKind::AddrInUse {
        return Fault::failed(format!("cannot listen at `{address}`")).caused_by(error);
    }
    let port = address.port();
    let by = match taken::repository_at(address) {
        Some(repository) => format!("reflectt serves `{repository}` there already"),
        None => "another program listens there".to_owned(),
    };
    let next = port.checked_add(1).unwrap_or(4446);
    Fault::failed(format!("port {port} is taken: {by}"))
        .hint(format!("reflectt serve --port {next}"))
}

/// Takes connections until the server is to end, and then waits for those there are.
async fn serve(listener: TcpListener, app: &Arc<App>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = router(app);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut ending = app.ending.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = is_over(&mut ending) => break,
        };
        let Ok((stream, _)) = accepted else {
            // No more files may be open, as a rule: those that end make room.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                tokio::spawn(attend(stream, router.clone(), app.ending.clone(), place));
            }
            Err(_) => drop(tokio::spawn(turn_away(stream))),
        }
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    // Whoever has not ended by then is cut off.
    drop(timeout(END_LIMIT, places.acquire_many(all)).await);
    Ok(())
}

/// Waits until the server is to end.
pub async fn is_over(ending: &mut watch::Receiver<bool>) {
    // Nobody is left to tell only when all has ended.
    drop(ending.wait_for(|ending| *ending).await);
}

/// Answers what comes on a connection.
async fn attend(
    stream: TcpStream,
    router: Router,
    mut ending: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    stream.set_nodelay(true).ok();
    let io = TokioIo::new(Patient::new(stream, READ_LIMIT));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(64 * 1024)
        .serve_connection(io, TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What goes wrong with a client is the client's to know.
        _ = connection.as_mut() => return,
        () = is_over(&mut ending) => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await.ok();
}

/// Tells a client that there is no room.
async fn turn_away(stream: TcpStream) {
    let body =
        "{\"success\":false,\"error\":\"too many connections\",\"code\":\"BUSY\",\"status\":503}\n";
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // So little fits into what the system keeps for it, or the client is not worth the wait.
    if stream.writable().await.is_ok() {
        stream.try_write(text.as_bytes()).ok();
    }
}
