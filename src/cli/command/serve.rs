//! `reflectt serve`

use std::thread;

use clap::Args;
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::web::{Options, Server};

/// Serve the team by HTTP, to programs of this machine.
///
/// A program needs no key; pages of other sites are refused. Who acts is named in each call
/// (`agent` in the body or the query, or the header X-Reflectt-Agent), else it is the worktree's
/// agent. GET /openapi.json describes every call. Ends on Ctrl-C, after what is under way.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt serve
  curl -X POST localhost:4445/tasks -d '{\"title\": \"Fix auth redirect\", \"assignee\": \"link\"}'
  curl -N localhost:4445/events")]
pub struct ServeArgs {
    /// Listen on this port; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 4445)]
    port: u16,
    /// Listen on this address. Any other than this machine's own needs --token.
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// Ask every caller for a token, which is made and shown once, and kept in `http-token` in
    /// `reflectt/` of the git directory.
    #[arg(long)]
    token: bool,
}

#[derive(Serialize)]
struct ServingJson<'a> {
    url: &'a str,
    pid: u32,
    /// Only when it is new.
    token: Option<&'a str>,
}

impl ServeArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let options = Options {
            port: self.port,
            host: self.host.clone(),
            token: self.token,
        };
        let server = Server::bind(session.opener_for_all(), &options)?;
        let failed = |error| CliError::failed("cannot serve").caused_by(anyhow::Error::new(error));
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
        let (handle, stop) = (signals.handle(), server.stop());
        let listener = thread::spawn(move || {
            for _ in signals.forever() {
                stop.now();
            }
        });
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&ServingJson {
                url: server.url(),
                pid: std::process::id(),
                token: server.new_token(),
            });
        } else {
            ui.line(format!("{} serves the team", server.url()));
            if let Some(token) = server.new_token() {
                ui.line(format!("token {token}"));
                ui.hint("every call needs the header `Authorization: Bearer TOKEN`");
            }
        }
        ui.flush();
        let served = server.run().map_err(failed);
        handle.close();
        listener.join().ok();
        served
    }
}
