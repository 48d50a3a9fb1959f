//! The command line: parses arguments, calls one operation, prints its answer.
//!
//! Everything printed goes through [`ui::Ui`].

pub mod args;
mod blocked;
pub mod command;
mod complete;
mod criterion;
mod demo;
pub mod error;
mod input;
mod interrupt;
mod meter;
pub mod options;
pub mod session;
pub mod table;
pub mod text;
mod trace;
pub mod ui;
pub mod usage;
mod view;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser as _;

use crate::answer::{age as time, excerpt, visible, width};

use args::{Cli, Command};
use error::CliError;
use options::{Terminal, UiOptions};
use session::{Environment, Session};
use ui::Ui;
use usage::Stop;

/// Runs the program and returns its exit code.
pub fn main(args: Vec<OsString>) -> u8 {
    let env = |name: &str| std::env::var_os(name);
    let mut options = UiOptions::from_env(env, Terminal::detect(), || crate::ops::now().0);
    if let Some(shell) = env(complete::VARIABLE).filter(|shell| !shell.is_empty()) {
        let ui = Ui::stdio(options);
        let answer = complete::answer(&shell, args, &working_directory());
        ui.data(&String::from_utf8_lossy(&answer));
        return ui.finish(0);
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            options.json = usage::asks_for_json(args);
            let ui = Ui::stdio(options);
            return match Stop::from(error) {
                Stop::Help(help) => {
                    ui.help(&help);
                    ui.finish(0)
                }
                Stop::Usage(error) => {
                    ui.error(&error);
                    ui.finish(error.kind().exit_code())
                }
            };
        }
    };
    options.json = cli.global.json;
    options.quiet = cli.global.quiet;
    let traced = trace::start(cli.global.verbose);
    let environment = Environment {
        directory: working_directory(),
        agent: env(session::AGENT_VARIABLE),
        git_dir: env("GIT_DIR").map(PathBuf::from),
        variables: std::env::vars_os().collect(),
    };
    let session = Session::new(Ui::stdio(options), cli.global, environment);
    if let Err(wrong) = traced {
        session.ui.warn(wrong);
    }
    let result = run(&session, &cli.command);
    if cli.command.is_work() && session.acts_for_agent() {
        command::hooks::look_after(&session);
    }
    session.finish();
    match result {
        Ok(code) => session.ui.finish(code),
        Err(error) => {
            session.ui.error(&error);
            session.ui.finish(error.kind().exit_code())
        }
    }
}

fn working_directory() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// Runs a command and returns the exit code of its answer.
fn run(session: &Session, command: &Command) -> Result<u8, CliError> {
    match command {
        Command::Init(command) => command.run(session),
        Command::Join(command) => command.run(session),
        Command::Leave(command) => command.run(session),
        Command::Status(command) => return command.run(session),
        Command::Next(command) => return command.run(session),
        Command::Task(command) => command.run(session),
        Command::Claim(command) => command.run(session),
        Command::Claims(command) => command.run(session),
        Command::Release(command) => command.run(session),
        Command::Block(command) => command.run(session),
        Command::Unblock(command) => command.run(session),
        Command::Handoff(command) => command.run(session),
        Command::Submit(command) => command.run(session),
        Command::Review(command) => command.run(session),
        Command::Cancel(command) => command.run(session),
        Command::Reopen(command) => command.run(session),
        Command::Send(command) => command.run(session),
        Command::Inbox(command) => return command.run(session),
        Command::Ack(command) => command.run(session),
        Command::Channel(command) => command.run(session),
        Command::Who(command) => command.run(session),
        Command::Heartbeat(command) => command.run(session),
        Command::Run(command) => return command.run(session),
        Command::Board(command) => command.run(session),
        Command::Log(command) => command.run(session),
        Command::Radar(command) => command.run(session),
        Command::Reflect(command) => command.run(session),
        Command::Pause(command) => command.run(session),
        Command::Resume(command) => command.run(session),
        Command::Daemon(command) => return command.run(session),
        Command::Sync(command) => command.run(session),
        Command::Config(command) => command.run(session),
        Command::Setup(command) => command.run(session),
        Command::Hooks(command) => command.run(session),
        Command::Hook(command) => return command.run(session),
        Command::Check(command) => return command.run(session),
        Command::Checks(command) => return command.run(session),
        Command::Land(command) => return command.run(session),
        Command::Doctor(command) => return command.run(session),
        Command::Demo(command) => return command.run(session),
        Command::Guide(command) => command.run(session),
        #[cfg(feature = "mcp")]
        Command::Mcp(command) => command.run(session),
        #[cfg(feature = "tui")]
        Command::Ui(command) => command.run(session),
        #[cfg(feature = "web")]
        Command::Serve(command) => command.run(session),
        Command::Completions(command) => command.run(session),
        Command::Man(command) => command.run(session),
    }
    .map(|()| 0)
}
