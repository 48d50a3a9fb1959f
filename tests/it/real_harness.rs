//! The real programs that agents run in, set up by `reflectt setup` and with a script for a model.
//!
//! Each is looked for in `$REFLECTT_HARNESSES`, in `target/harness/node_modules/.bin` and on the
//! `PATH`; where it is not found, its tests say that they are skipped. They need no account and no
//! network.

mod claude;
mod codex;
mod copilot;
mod gemini;
mod model;
mod opencode;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::hooks::path_with_reflectt;
use super::support::process::run_within;
use super::support::{Output, Repo, TestEnv};
use model::{Model, Request};

/// How long a program may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// The file that `link` holds, and one that nobody does.
const CLAIMED: &str = "src/auth/login.rs";
const FREE: &str = "src/lib.rs";
const BEFORE: &str = "fn before() {}\n";
const AFTER: &str = "fn after() {}\n";

/// What the tests have to know of a harness.
struct Driver {
    /// Its name for `reflectt setup`.
    name: &'static str,
    program: &'static str,
    /// The arguments that list the MCP servers, and what is then said of one that answers.
    list: &'static [&'static str],
    listed: &'static str,
    /// The arguments of a session.
    session: &'static [&'static str],
    /// Writes what a person has set up for themself: whom they trust, and where their model is.
    prepare: fn(&Stage, &str),
    /// The variables that name the model.
    variables: fn(&str) -> Vec<(&'static str, String)>,
    /// The turns in which the model changes a file from `BEFORE` to `AFTER`.
    edit: fn(&Path) -> Vec<Value>,
    /// The turn in which it calls one of our tools.
    call: fn(&str, Value) -> Value,
    /// How often an agent is asked to go on that stops with its task undone.
    nudges: usize,
}

/// A repository of a team, set up for one harness. The checkout is `kai`'s, who has a task; `link`
/// holds `src/auth` from another worktree.
struct Stage {
    repo: Repo,
    program: PathBuf,
    path: String,
    /// The task of `kai`.
    task: String,
}

/// What came of a session.
struct Session {
    output: Output,
    requests: Vec<Request>,
}

impl Driver {
    /// Finds the program, or says that the test is skipped.
    fn find(&self) -> Option<PathBuf> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/harness/node_modules/.bin");
        let given = std::env::var_os("REFLECTT_HARNESSES").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = given.into_iter().chain([own]);
        let mut places = places.chain(std::env::split_paths(&path));
        let found =
            places.find_map(|place| Some(place.join(self.program)).filter(|it| it.exists()));
        if found.is_none() {
            // Past the test runner, which shows only what failing tests print.
            let line = format!("skipped: `{}` is not installed\n", self.program);
            std::io::stderr().write_all(line.as_bytes()).ok();
        }
        found
    }

    /// Sets up a fresh repository as its README says, or says that the test is skipped.
    fn stage(&self) -> Option<Stage> {
        let program = self.find()?;
        let repo = TestEnv::new().repo("repo");
        for file in [CLAIMED, FREE] {
            repo.write(file, BEFORE);
        }
        repo.commit("files");
        let path = path_with_reflectt(&repo);
        // A script that begins with `env node` is to find it.
        let bin = program.parent().unwrap().display();
        let path = format!("{path}:{bin}");

        repo.reflectt(["init"]).ok();
        repo.reflectt(["--as", "kai", "join", "kai"]).ok();
        let setup = repo.command(["setup", self.name]);
        setup.env("PATH", &path).run().ok();
        repo.commit("set up");

        let link = repo.worktree("link");
        link.reflectt(["--as", "link", "join", "link"]).ok();
        let held = link.task("link", "Keep the return path", &["--path", "src/auth"]);
        link.as_agent("link", ["claim", &held]).ok();
        let task = repo.task("kai", "Tidy the words", &["--path", FREE]);
        repo.as_agent("kai", ["claim", &task]).ok();
        Some(Stage {
            repo,
            program,
            path,
            task,
        })
    }

    /// Runs a session in which the model says this.
    fn run(&self, stage: &Stage, turns: &[Value]) -> Session {
        let model = Model::start(stage.repo.env(), &json!(turns));
        (self.prepare)(stage, &model.url());
        let mut command = stage.command();
        command
            .args(self.session)
            .envs((self.variables)(&model.url()));
        let output = stage.finish(command);
        let requests = model.requests();
        Session { output, requests }
    }

    /// The whole way of an agent through a session.
    fn go_through(&self) {
        let Some(stage) = self.stage() else { return };
        let path = |file: &str| stage.repo.path().join(file);
        let mut turns = (self.edit)(&path(CLAIMED));
        turns.extend((self.edit)(&path(FREE)));
        turns.push((self.call)("status", json!({})));
        turns.push((self.call)(
            "progress",
            json!({"note": "half of the words"}),
        ));
        turns.push(json!({"text": "That is all."}));
        let session = self.run(&stage, &turns);
        session.told_where_it_stands(&stage);
        session.has_tools(self);
        session.was_refused();
        for (file, text) in [(CLAIMED, BEFORE), (FREE, AFTER)] {
            let found = std::fs::read_to_string(path(file)).unwrap();
            assert_eq!(found, text, "{file}\n{session}");
        }
        session.called_status();
        let team = stage.repo.reflectt(["--json", "who"]).ok();
        assert!(
            team.stdout.contains("half of the words"),
            "{team}\n{session}"
        );
        session.was_nudged(turns.len(), self.nudges);
    }

    /// Asks the harness which servers it has, and whether they answer.
    fn lists_the_server(&self) {
        let Some(stage) = self.stage() else { return };
        (self.prepare)(&stage, "http://127.0.0.1:9");
        let mut command = stage.command();
        command
            .args(self.list)
            .envs((self.variables)("http://127.0.0.1:9"));
        let output = stage.finish(command);
        let said = format!("{}{}", output.stdout, output.stderr);
        let line = said.lines().find(|line| line.contains("reflectt"));
        assert!(
            line.is_some_and(|line| line.contains(self.listed)),
            "{output}"
        );
    }
}

impl Stage {
    /// Returns a command of the harness in the repository, with nothing of the environment that the
    /// tests run in but the `PATH`.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        self.repo.prepare(&mut command);
        command
            .env("PATH", &self.path)
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.repo.path());
        command
    }

    fn finish(&self, command: Command) -> Output {
        let shown = format!("{command:?}");
        let output = run_within(command, LIMIT);
        Output::of(&self.repo, shown, output)
    }

    /// Writes a file of the user's.
    fn write_home(&self, path: &str, text: impl AsRef<str>) {
        let path = self.repo.env().home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_ref()).unwrap();
    }
}

impl Session {
    /// What the model had read when it was asked this, or an empty text.
    fn words(&self, request: usize) -> String {
        self.requests
            .get(request)
            .map(Request::words)
            .unwrap_or_default()
    }

    fn last_words(&self) -> String {
        self.requests.last().map(Request::words).unwrap_or_default()
    }

    #[track_caller]
    fn told_where_it_stands(&self, stage: &Stage) {
        let words = self.words(0);
        assert!(
            words.contains(&stage.task),
            "no status at the start\n{self}"
        );
        assert!(words.contains("Tidy the words"), "{self}");
    }

    #[track_caller]
    fn has_tools(&self, driver: &Driver) {
        let call = (driver.call)("claim", json!({}));
        // Codex keeps the tools behind a search, and finds them when they are called.
        let Some(claim) = call["tool"].as_str() else {
            return;
        };
        let tools = self
            .requests
            .first()
            .map(Request::tools)
            .unwrap_or_default();
        assert!(tools.iter().any(|tool| tool == claim), "{tools:?}\n{self}");
    }

    #[track_caller]
    fn was_refused(&self) {
        let words = self.last_words();
        let reason = format!("`{CLAIMED}` is claimed by others");
        assert!(words.contains(&reason), "the reason was not read\n{self}");
        assert!(words.contains("link"), "{self}");
    }

    #[track_caller]
    fn called_status(&self) {
        let words = self.last_words();
        let told = words.contains("\"agent\":\"kai\"") || words.contains("\"agent\": \"kai\"");
        assert!(told, "no answer of `status`\n{self}");
    }

    /// Expects that the turn went on so often, and then ended.
    #[track_caller]
    fn was_nudged(&self, turns: usize, nudges: usize) {
        assert_eq!(self.requests.len(), turns + nudges, "{self}");
        let told = self.last_words().matches("Before you stop:").count();
        assert!(told >= nudges, "{self}");
    }
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 6_000;
        // The last request has all of those before it.
        let words = self.last_words();
        let from = words
            .char_indices()
            .rev()
            .nth(SHOWN)
            .map_or(0, |(at, _)| at);
        writeln!(
            f,
            "--- the last of {} requests ends with",
            self.requests.len()
        )?;
        writeln!(f, "{}\n---", &words[from..])?;
        write!(f, "{}", self.output)
    }
}
