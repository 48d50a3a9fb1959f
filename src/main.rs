//! The program: arguments and environment in, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(reflectt::cli::main(std::env::args_os().collect()))
}
