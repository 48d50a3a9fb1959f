//! `reflectt mcp`

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::mcp;

/// Serve the team to a coding agent as tools of the Model Context Protocol.
///
/// It speaks on standard input and output. A harness starts it; `reflectt setup` tells it so. It
/// acts as the agent of the worktree it is started in (or --as, or REFLECTT_AGENT), who is alive
/// while it runs, and ends when its input does.
#[derive(Debug, Args)]
#[command(after_help = "\
Example, for a harness that reads .mcp.json:
  {\"mcpServers\": {\"reflectt\": {\"command\": \"reflectt\", \"args\": [\"mcp\"]}}}")]
pub struct McpArgs {}

impl McpArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        mcp::serve(session.opener_for_calls()).map_err(|error| {
            CliError::failed("cannot start the threads of the server").caused_by(error)
        })
    }
}
