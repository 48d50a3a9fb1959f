//! Enforcement, through real git: hooks, pushes, builds, edits, and the installation of it all.

mod agent;
mod agent_edit;
mod chance;
mod check;
mod commit;
mod fence;
mod install;
mod managers;
mod merge;
mod outcomes;
mod push;
mod stories;
mod trailers;

use std::path::Path;
use std::process::Command;

use super::support::{Output, Repo, TestEnv};

/// A team of `kai` and `link` in a repository with some files; nobody is bound to the checkout.
pub fn team() -> Repo {
    let repo = TestEnv::new().repo("repo");
    for file in [
        "src/auth/login.rs",
        "src/auth/token.rs",
        "src/lib.rs",
        "docs/guide.md",
    ] {
        repo.write(file, format!("{file}\nsome words that are found again\n"));
    }
    repo.commit("files");
    repo.found(&["kai", "link"]);
    prepare(&repo);
    repo
}

/// Unbinds the checkout from the agent that joined last, and gives hooks time on a busy machine.
pub fn prepare(repo: &Repo) {
    repo.try_git(["config", "--worktree", "--unset-all", "reflectt.agent"]);
    repo.git(["config", "reflectt.hookTimeLimit", "60s"]);
}

/// The team, with `src/auth` claimed by `link` for a task, whose id is returned.
pub fn claimed() -> (Repo, String) {
    let repo = team();
    let id = claim(&repo, "link", "Keep the return path", "src/auth");
    (repo, id)
}

/// Makes a task with a path and has an agent claim it.
pub fn claim(repo: &Repo, agent: &str, title: &str, path: &str) -> String {
    let id = repo.task(agent, title, &["--path", path]);
    repo.as_agent(agent, ["claim", &id]).ok();
    id
}

/// Runs git as an agent, or as a person.
pub fn git_as(repo: &Repo, agent: Option<&str>, args: &[&str]) -> Output {
    git_with(repo, agent, &[], args)
}

pub fn git_with(repo: &Repo, agent: Option<&str>, env: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = repo.git_command(args);
    if let Some(agent) = agent {
        command.env("REFLECTT_AGENT", agent);
    }
    command.envs(env.iter().copied());
    run(repo, command, &args.join(" "))
}

pub fn run(repo: &Repo, mut command: Command, shown: &str) -> Output {
    Output::of(repo, format!("git {shown}"), command.output().unwrap())
}

pub fn head(repo: &Repo) -> String {
    repo.git(["rev-parse", "HEAD"])
}

/// Returns a `PATH` on which `reflectt` is found.
pub fn path_with_reflectt(repo: &Repo) -> String {
    let bin = repo.env().dir().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(crate::support::process::BINARY, bin.join("reflectt")).ok();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// Makes an executable script.
pub fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    set_mode(path, 0o755);
}

pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Stages all there is, expects the commit to be stopped for `kai` with these files named, and
/// made for `link`, who holds the claim.
#[track_caller]
pub fn only_the_holder_commits(repo: &Repo, files: &[&str]) {
    let before = repo.try_git(["rev-parse", "HEAD"]).stdout;
    let stopped = git_as(repo, Some("kai"), &["commit", "-qm", "x"]).code(1);
    for file in files {
        let line = format!("  {file}\n");
        assert!(stopped.stderr.contains(&line), "{file}\n{stopped}");
    }
    assert_eq!(repo.try_git(["rev-parse", "HEAD"]).stdout, before);
    git_as(repo, None, &["commit", "-qm", "x"]).code(1);
    git_as(repo, Some("link"), &["commit", "-qm", "x"]).ok();
}
