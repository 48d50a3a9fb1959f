//! What every end-to-end test stands on: an environment of its own, repositories, output, waiting.
//!
//! ```text
//! let env = TestEnv::new();
//! let repo = env.team(["kai", "link"]);
//! let id = repo.task("kai", "Keep the return path", &["--path", "src/auth"]);
//! repo.as_agent("kai", ["claim", &id]).ok();
//! repo.as_agent("link", ["--json", "claim", &id]).code(3).json()["error"]["holder"]
//! ```

pub mod check;
pub mod env;
pub mod http;
pub mod mcp;
pub mod output;
pub mod process;
pub mod repo;
pub mod snapshot;
pub mod tmux;
pub mod upkeep;
pub mod wait;

pub use env::TestEnv;
pub use output::Output;
pub use process::{Run, Running, race};
pub use repo::Repo;
pub use upkeep::Upkeep;
pub use wait::poll_until;

mod tests;
