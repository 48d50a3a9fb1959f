//! The command line: global flags and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::model::name::AgentName;

use super::command;

/// Share one repository with other agents without stepping on each other.
///
/// Start with `reflectt init`, `reflectt join NAME` and `reflectt status`.
#[derive(Debug, Parser)]
#[command(
    name = "reflectt",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Act as this agent [default: $REFLECTT_AGENT, else the worktree's agent].
    #[arg(long = "as", value_name = "NAME", global = true)]
    pub agent: Option<AgentName>,
    /// Run as if started in DIR.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Print JSON on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not exchange the record with the remote at the end.
    #[arg(long, global = true)]
    pub no_sync: bool,
    /// Leave the remote aside: what it has to decide is provisional until it does.
    #[arg(long, global = true)]
    pub offline: bool,
    /// Print no notes and hints.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say on standard error what is done: git's processes, turns, exchanges [same as
    /// REFLECTT_LOG=debug, which also takes `reflectt::git=debug`].
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(command::init::Init),
    Join(command::join::JoinArgs),
    Leave(command::leave::Leave),
    Status(command::status::StatusArgs),
    Next(command::next::Next),
    Task(Box<command::task::TaskArgs>),
    Claim(command::claim::ClaimArgs),
    Claims(command::claims::Claims),
    Release(command::release::Release),
    Block(command::block::Block),
    Unblock(command::unblock::Unblock),
    Handoff(command::handoff::Handoff),
    Submit(command::submit::Submit),
    Review(command::review::Review),
    Cancel(command::cancel::Cancel),
    Reopen(command::reopen::Reopen),
    Send(command::send::SendArgs),
    Inbox(command::inbox::InboxArgs),
    Ack(command::ack::AckArgs),
    Channel(command::channel::ChannelArgs),
    Who(command::who::WhoArgs),
    Heartbeat(command::heartbeat::HeartbeatArgs),
    Run(command::run::RunArgs),
    Board(command::board::BoardArgs),
    Log(command::log::LogArgs),
    Radar(command::radar::RadarArgs),
    Reflect(command::reflect::ReflectArgs),
    Pause(command::pause::PauseArgs),
    Resume(command::pause::ResumeArgs),
    Sync(command::sync::SyncArgs),
    Daemon(command::daemon::DaemonArgs),
    Config(command::config::ConfigArgs),
    Setup(command::setup::SetupArgs),
    Hooks(command::hooks::HooksArgs),
    Hook(command::hook::HookArgs),
    Check(command::check::CheckArgs),
    Checks(command::checks::ChecksArgs),
    Land(command::land::Land),
    Doctor(command::doctor::DoctorArgs),
    Demo(command::demo::DemoArgs),
    Guide(command::guide::GuideArgs),
    #[cfg(feature = "mcp")]
    Mcp(command::mcp::McpArgs),
    #[cfg(feature = "tui")]
    Ui(command::ui::UiArgs),
    #[cfg(feature = "web")]
    Serve(command::serve::ServeArgs),
    Completions(command::completions::CompletionsArgs),
    Man(command::man::ManArgs),
}

impl Command {
    /// Tells whether this is a step of an agent's work, and not one that looks after, or is, part
    /// of what is around it.
    pub fn is_work(&self) -> bool {
        !matches!(
            self,
            Command::Init(_)
                | Command::Join(_)
                | Command::Setup(_)
                | Command::Hooks(_)
                | Command::Hook(_)
                | Command::Daemon(_)
                | Command::Doctor(_)
                | Command::Demo(_)
        ) && !self.is_door()
    }
}

impl Command {
    /// Tells whether this only opens another door, whose calls are the work.
    fn is_door(&self) -> bool {
        match self {
            #[cfg(feature = "mcp")]
            Command::Mcp(_) => true,
            #[cfg(feature = "tui")]
            Command::Ui(_) => true,
            #[cfg(feature = "web")]
            Command::Serve(_) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// clap gives an argument of a command the value of a global one that has the same field name.
    #[test]
    fn no_argument_is_taken_for_a_global_one() {
        fn check(command: &clap::Command, globals: &[&str]) {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(!globals.contains(&id), "{}: {id}", command.get_name());
            }
            for inner in command.get_subcommands() {
                check(inner, globals);
            }
        }
        let cli = Cli::command();
        let globals: Vec<&str> = cli
            .get_arguments()
            .map(|arg| arg.get_id().as_str())
            .collect();
        assert!(globals.contains(&"directory"));
        for command in cli.get_subcommands() {
            check(command, &globals);
        }
    }
}
