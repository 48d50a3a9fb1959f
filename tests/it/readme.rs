//! The README's stories: every `console` block is run, in order, and prints what it says.
//!
//! The word before `$` is a directory beside the repository. Ids of tasks, of messages and of
//! commits, times and directories may be others than those in the text.

use std::path::Path;
use std::process::Command;

use super::support::process::BINARY;
use super::support::snapshot::mask;
use super::support::{Repo, TestEnv};

const README: &str = include_str!("../../README.md");

/// Where the repositories of the text are.
const PLACE: &str = "/home/ann";

/// A command of the text, and what it prints there.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    dir: String,
    command: String,
    output: String,
}

fn told(text: &str) -> Vec<Told> {
    let mut story: Vec<Told> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some((dir, command))) = (inside, prompt(line)) {
            story.push(Told {
                dir: dir.to_owned(),
                command: command.to_owned(),
                output: String::new(),
            });
        } else if inside {
            let last = story.last_mut().expect("output follows a command");
            last.output.push_str(&format!("{line}\n"));
        }
    }
    story
}

fn prompt(line: &str) -> Option<(&str, &str)> {
    let (dir, command) = line.split_once("$ ")?;
    let word = !dir.is_empty() && dir.bytes().all(|b| b.is_ascii_lowercase());
    word.then_some((dir, command))
}

/// Returns the ids that are printed when tasks are made.
fn ids(story: &[Told]) -> Vec<String> {
    let made = story
        .iter()
        .filter(|told| told.command.starts_with("reflectt task new"));
    made.map(|told| told.output[..6].to_owned()).collect()
}

fn placeholders(text: &str, ids: &[String]) -> String {
    mask(text, |word| {
        let at = ids.iter().position(|id| id == word)?;
        Some(format!("[ID{at}]"))
    })
}

fn run(repo: &Repo, command: &str) -> String {
    let mut shell = Command::new("sh");
    repo.env().prepare(&mut shell);
    let mut path = Path::new(BINARY).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    shell.env("PATH", path);
    for role in ["AUTHOR", "COMMITTER"] {
        shell.env(format!("GIT_{role}_NAME"), "Ann");
        shell.env(format!("GIT_{role}_EMAIL"), "ann@example.com");
    }
    // In one stream, as on a terminal.
    shell.args(["-c", &format!("exec 2>&1\n{command}")]);
    let output = shell.current_dir(repo.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn its_stories_are_true() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let story = told(README);
    let known = ids(&story);
    let mut made: Vec<String> = Vec::new();
    for part in &story {
        let repo = Repo::at(env.clone(), env.dir().join(&part.dir));
        let command = made
            .iter()
            .zip(&known)
            .fold(part.command.clone(), |command, (new, old)| {
                command.replace(old, new)
            });
        let output = run(&repo, &command).replace(env.dir().to_str().unwrap(), PLACE);
        if command.starts_with("reflectt task new") {
            made.push(output[..6].to_owned());
        }
        // Two tasks of one priority and second are listed by their ids, which differ.
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if command.starts_with("reflectt task list") {
                lines.sort();
            }
            lines
        };
        assert_eq!(
            sorted(placeholders(&output, &made)),
            sorted(placeholders(&part.output, &known)),
            "{}$ {}",
            part.dir,
            part.command
        );
    }
    assert_eq!(known.len(), 2);
    let refs = shop.git(["for-each-ref", "--format=%(refname)"]);
    assert!(!refs.contains("reflectt"), "removed completely:\n{refs}");
    assert!(!shop.common_dir().join("reflectt").exists());
    shop.try_git(["config", "--get-regexp", "reflectt"]).code(1);
}

#[test]
fn stories_are_read_from_blocks() {
    let text =
        "a$ no\n```console\na$ one --x '$ y'\nout\n\n$ out\nb$ two\n```\n```sh\nc$ no\n```\n";
    let part = |dir: &str, command: &str, output: &str| Told {
        dir: dir.to_owned(),
        command: command.to_owned(),
        output: output.to_owned(),
    };
    assert_eq!(
        told(text),
        [
            part("a", "one --x '$ y'", "out\n\n$ out\n"),
            part("b", "two", "")
        ]
    );
}

#[test]
fn it_names_every_command_and_fits_a_newcomers_patience() {
    let env = TestEnv::new();
    let help = env.outside().reflectt(["--help"]).ok().stdout;
    let commands = help.split_once("Commands:\n").unwrap().1;
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        assert!(
            README.contains(&format!("`{name}"))
                || README.contains(&format!("`reflectt {name}"))
                || README.contains(&format!("reflectt {name}`")),
            "`{name}` is not in the README"
        );
    }
    assert!(README.lines().count() <= 290);
}
