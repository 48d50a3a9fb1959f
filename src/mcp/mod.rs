//! The team as a server of the Model Context Protocol, on standard input and output.
//!
//! Both lifecycles are spoken: `server/discover` of 2026-07-28 and `initialize` of the versions
//! before it (<https://modelcontextprotocol.io/specification>). Each call runs on a thread with a
//! context of its own, as a process of the command line would; nothing is kept between two calls.

mod alive;
mod args;
mod prompt;
mod resource;
mod server;
mod tool;
mod tools;
mod transport;
mod watcher;
mod words;

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::answer::Fault;
use crate::ops::Context;

use server::Server;
use transport::{Pending, Stdio};
use watcher::Told;

/// Is told what a slow call is at.
pub type Listener = Box<dyn Fn(String) + Send>;
/// Opens the repository for one call, as whoever the server works for.
pub type Opener = dyn Fn(Listener) -> Result<Context, Fault> + Send + Sync;

/// How many calls run at the same time; those beyond wait.
const THREADS: usize = 8;

/// Serves until input ends or the program that started us is gone.
///
/// # Errors
///
/// If there is no thread to be had.
pub fn serve(opener: Arc<Opener>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(THREADS)
        .build()?;
    let (ending, ended) = watch::channel(false);
    alive::watch(Arc::clone(&opener), ending.clone())?;
    let pending = Arc::new(Pending::default());
    let stdio = Stdio::open(ending, Arc::clone(&pending))?;
    runtime.block_on(async {
        let server = Server::new(opener, pending, ended);
        // What ends it is said by the transport, or was said to the client.
        if let Ok(running) = rmcp::serve_server(server, stdio).await {
            running.waiting().await.ok();
        }
    });
    // A call that does not end with its client does not keep us.
    runtime.shutdown_background();
    Ok(())
}
