//! What people and agents get wrong: a clear error, its exit code, and nothing changed.

mod arguments;
mod entries;
mod files;
mod forged;
mod places;

use super::support::{Output, Repo, TestEnv, snapshot};

/// What no refused command may change: refs, the checkout, the index.
fn state(repo: &Repo) -> String {
    let git_dir = repo
        .path()
        .join(repo.git(["rev-parse", "--absolute-git-dir"]));
    let index = std::fs::read(git_dir.join("index")).unwrap_or_default();
    let refs = repo.git(["for-each-ref"]);
    let status = repo.git(["status", "--porcelain", "--branch", "--untracked-files=all"]);
    let config = std::fs::read_to_string(git_dir.join("config")).unwrap();
    format!("{refs}\n{status}\n{index:?}\n{config}")
}

/// One line of input and all that is said about it.
struct Case<'c> {
    args: Vec<&'c str>,
    stdin: Option<&'c [u8]>,
    expected: &'c str,
}

fn case<'c>(args: impl AsRef<[&'c str]>, expected: &'c str) -> Case<'c> {
    Case {
        args: args.as_ref().to_vec(),
        stdin: None,
        expected,
    }
}

impl<'c> Case<'c> {
    /// Feeds standard input, too.
    fn fed(self, input: &'c [u8]) -> Case<'c> {
        Case {
            stdin: Some(input),
            ..self
        }
    }
}

/// Runs each as an agent; all have to fail as expected, and to leave everything as it was.
#[track_caller]
fn refused(repo: &Repo, agent: &str, cases: &[Case]) {
    let before = state(repo);
    let mut wrong = String::new();
    for case in cases {
        let mut run = repo.command(&case.args).agent(agent);
        if let Some(input) = case.stdin {
            run = run.stdin(input);
        }
        let output = run.run();
        assert!(output.status.is_some_and(|code| code != 0), "{output}");
        assert_eq!(state(repo), before, "{output}");
        if let Err(actual) = snapshot::check(&output, case.expected) {
            wrong.push_str(&format!("{}\n{actual}\n", output.shown.escape_debug()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Commits a file to the record, as a person or another program would.
fn plant(repo: &Repo, edits: &[(&str, &[u8])]) {
    plant_on(repo, "refs/heads/reflectt", edits);
}

fn plant_on(repo: &Repo, name: &str, edits: &[(&str, &[u8])]) {
    let index = repo.common_dir().join("planted-index");
    let git = |args: &[&str], input: Option<&[u8]>| -> String {
        use std::io::Write as _;
        let mut command = repo.git_command(args);
        command.env("GIT_INDEX_FILE", &index);
        command.stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.unwrap_or_default()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["read-tree", name], None);
    for (path, bytes) in edits {
        let blob = git(&["hash-object", "-w", "--stdin"], Some(bytes));
        let info = format!("100644,{blob},{path}");
        git(&["update-index", "--add", "--cacheinfo", &info], None);
    }
    let tree = git(&["write-tree"], None);
    let commit = git(&["commit-tree", "-p", name, "-m", "by hand", &tree], None);
    git(&["update-ref", name, &commit], None);
}

/// Returns a task's file as reflectt would have written it.
fn task_file(id: &str, number: u32, title: &str) -> String {
    format!(
        "format = 1\nid = \"{id}\"\ntitle = \"{title}\"\nstatus = \"todo\"\npriority = \"P2\"\n\
         done_criteria = [\"a test shows that it works\"]\ncreated_by = \"kai\"\n\n\
         [[event]]\nid = \"01KAXK5V0QWERTY12345678{number:03}\"\nby = \"kai\"\nkind = \"created\"\n\
         title = \"{title}\"\ndone_criteria = [\"a test shows that it works\"]\n"
    )
}

/// Returns a team of three with tasks of known ids.
fn team(env: &TestEnv) -> Repo {
    let repo = env.team(["kai", "link", "sage"]);
    repo.as_agent("link", ["join", "link", "--lane", "backend"])
        .ok();
    repo.set("kai", "channels.deploys", "what goes out");
    let tasks = [
        ("k3f9x2", "Keep the return path"),
        ("k3f9y7", "Keep the query too"),
        ("a7d20c", "Add the table"),
    ];
    let files: Vec<(String, String)> = (1..)
        .zip(tasks)
        .map(|(number, (id, title))| {
            env.id_number(id);
            (format!("tasks/{id}-x.toml"), task_file(id, number, title))
        })
        .collect();
    let edits: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_bytes()))
        .collect();
    plant(&repo, &edits);
    repo
}

/// Expects the task to be listed once with this title, whatever became of its file.
#[track_caller]
fn listed(repo: &Repo, id: &str) -> Option<String> {
    let tasks: Output = repo.as_agent("kai", ["--json", "task", "list"]).ok();
    let tasks = tasks.json();
    let tasks = tasks["tasks"].as_array().unwrap();
    let found: Vec<&serde_json::Value> = tasks.iter().filter(|task| task["id"] == id).collect();
    assert!(found.len() < 2, "{found:?}");
    Some(found.first()?["title"].as_str().unwrap().to_owned())
}
