//! The same program under the name by which `git reflectt` finds it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(reflectt::cli::main(std::env::args_os().collect()))
}
