//! The repository's own checks: defined on the landing branch, run on any commit in a worktree
//! that is nobody's, kept in the history of a task.

mod definition;
mod running;
mod submitting;
mod tasks;

use super::support::{Output, Repo, TestEnv};

/// A team whose landing branch defines these checks.
fn team(env: &TestEnv, file: &str) -> Repo {
    let repo = env.team(["kai", "link"]);
    define(&repo, file);
    repo
}

/// Commits this definition of checks.
fn define(repo: &Repo, file: &str) -> String {
    repo.write("reflectt.toml", file);
    repo.commit("checks")
}

fn run(repo: &Repo, more: &[&str]) -> Output {
    repo.reflectt([&["--json", "checks", "run"], more].concat())
}

/// Returns the outcomes, by the names of the checks.
fn outcomes(output: &Output) -> Vec<String> {
    let json = output.json();
    let checks = json["checks"].as_array().unwrap();
    let of = |check: &serde_json::Value| {
        let word = |key: &str| check[key].as_str().unwrap().to_owned();
        format!("{} {}", word("name"), word("outcome"))
    };
    checks.iter().map(of).collect()
}
