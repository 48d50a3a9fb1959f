//! Checks that a task must pass before it is submitted.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Output, Repo, TestEnv, define, team};
use crate::support::poll_until;
use crate::support::process::signal;
use crate::sync::Machines;

/// Counts its runs, and passes where there is a file `good`.
struct Counted {
    count: PathBuf,
}

impl Counted {
    fn new(env: &TestEnv) -> Counted {
        let count = env.dir().join("count");
        Counted { count }
    }

    fn file(&self) -> String {
        let count = self.count.display();
        format!("[checks.test]\nrun = 'echo x >> {count}; echo looking; test -e good'\n")
    }

    fn runs(&self) -> usize {
        fs::read_to_string(&self.count).map_or(0, |text| text.lines().count())
    }
}

/// Makes a task that must pass these checks, claimed by kai.
fn task(repo: &Repo, checks: &[&str]) -> String {
    repo.set("kai", "wip.agent", "5");
    let mut args: Vec<&str> = vec!["--json", "task", "new", "Keep the return path"];
    for check in checks {
        args.extend(["--check", check]);
    }
    let made = repo.as_agent("kai", args).ok().json();
    let id = made["id"].as_str().unwrap().to_owned();
    repo.as_agent("kai", ["claim", &id]).ok();
    id
}

fn submit(repo: &Repo, id: &str, more: &[&str]) -> Output {
    let args = ["--json", "submit", id, "--summary", "it is kept"];
    repo.as_agent("kai", [&args, more].concat())
}

fn shown(repo: &Repo, id: &str) -> Value {
    repo.reflectt(["--json", "task", "show", id]).ok().json()
}

fn kinds(shown: &Value) -> Vec<String> {
    let events = shown["events"].as_array().unwrap();
    let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
    events.iter().map(kind).collect()
}

#[test]
fn what_passes_is_submitted_with_its_results_in_one_commit() {
    let env = TestEnv::new();
    let counted = Counted::new(&env);
    let repo = team(
        &env,
        &format!("{}[checks.lint]\nrun = 'true'\n", counted.file()),
    );
    let id = task(&repo, &["test", "lint"]);
    repo.write("good", "");
    let commit = repo.commit("work");
    let tree = repo.git(["rev-parse", "HEAD^{tree}"]);
    let before = repo.git(["rev-list", "--count", "reflectt"]);
    let submission = &submit(&repo, &id, &[]).ok().json()["submission"];
    assert_eq!(submission["no_check"], false);
    let checks = submission["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 2);
    let test = &checks[1];
    assert_eq!(test["name"], "test");
    assert_eq!(
        (&test["outcome"], &test["passed"]),
        (&json!("passed"), &json!(true))
    );
    assert_eq!(
        (&test["exit_code"], &test["by"]),
        (&json!(0), &json!("kai"))
    );
    assert_eq!(
        (&test["commit"], &test["tree"]),
        (&json!(commit), &json!(tree))
    );
    assert!(test["seconds"].is_f64() && test["at"].is_string(), "{test}");
    let after = repo.git(["rev-list", "--count", "reflectt"]);
    assert_eq!(
        after.parse::<u32>().unwrap(),
        before.parse::<u32>().unwrap() + 1
    );
    let known = shown(&repo, &id);
    assert_eq!(
        kinds(&known),
        ["created", "claimed", "submitted", "checked", "checked"]
    );
    assert_eq!(known["submission"]["checks"], submission["checks"]);
    // What is submitted anew on the same files needs no run, unless it is wanted.
    assert_eq!(counted.runs(), 1);
    submit(&repo, &id, &[]).ok();
    repo.commit("nothing");
    let again = submit(&repo, &id, &[]).ok().json();
    assert_eq!(again["submission"]["checks"][1]["at"], test["at"]);
    assert_ne!(again["submission"]["checks"][1]["commit"], test["commit"]);
    assert_eq!(counted.runs(), 1);
    submit(&repo, &id, &["--again"]).ok();
    assert_eq!(counted.runs(), 2);
    repo.as_agent(
        "kai",
        ["submit", &id, "--summary", "x", "--again", "--no-check"],
    )
    .code(2);
}

#[test]
fn what_fails_is_not_submitted_and_its_author_sees_why() {
    let env = TestEnv::new();
    let counted = Counted::new(&env);
    let repo = team(&env, &counted.file());
    let id = task(&repo, &["test"]);
    let commit = repo.commit("work");
    let short = &commit[..12];
    let tips = crate::sync::tips(&repo);
    let output = repo
        .as_agent("kai", ["submit", &id, "--summary", "it is kept"])
        .code(4);
    assert_eq!(
        output.stderr,
        format!(
            "error: check `test` (exit code 1) failed on commit {short}\n  rule: check\n\
             hint: reflectt checks run test --commit {short}\n"
        )
    );
    assert!(
        output
            .stdout
            .starts_with(&format!("test on {short}: failed with exit code 1")),
        "{output}"
    );
    assert!(output.stdout.ends_with("\n  looking\n"), "{output}");
    let error = &submit(&repo, &id, &[]).code(4).json()["error"];
    assert_eq!(
        (&error["rule"], &error["id"]),
        (&json!("check"), &json!(id))
    );
    assert_eq!(error["failed"][0]["output"], json!(["looking"]));
    // What failed is not remembered.
    assert_eq!(counted.runs(), 2);
    assert_eq!(crate::sync::tips(&repo), tips);
    assert_eq!(shown(&repo, &id)["status"], "doing");
    assert_eq!(shown(&repo, &id)["submission"], Value::Null);
    assert_eq!(
        repo.try_git([
            "rev-parse",
            "--verify",
            "-q",
            &format!("refs/reflectt/work/{id}")
        ])
        .status,
        Some(1)
    );
}

#[test]
fn what_could_not_run_says_how_to_go_on() {
    let env = TestEnv::new();
    let repo = team(&env, "[checks.test]\nrun = 'no-such-command'\n");
    let id = task(&repo, &["test"]);
    let tips = crate::sync::tips(&repo);
    let output = repo
        .as_agent("kai", ["submit", &id, "--summary", "it is kept"])
        .code(6);
    assert_eq!(
        output.stderr,
        format!(
            "error: `{id}` is not submitted: check `test` could not run: a command was not found (exit code 127)\n\
             hint: it says nothing about the commit: run it again when that is mended\n\
             hint: reflectt submit {id} --summary TEXT --no-check (says that they did not run)\n"
        )
    );
    assert!(output.stdout.contains("no-such-command"), "{output}");
    assert_eq!(crate::sync::tips(&repo), tips);
    // As it says.
    let done = submit(&repo, &id, &["--no-check"]).ok().json();
    assert_eq!(done["status"], "validating");
    assert_eq!(done["submission"]["no_check"], true);
    let check = &done["submission"]["checks"][0];
    assert_eq!(
        (&check["outcome"], &check["passed"]),
        (&json!("not_run"), &json!(false))
    );
    for key in ["exit_code", "seconds", "at", "by", "commit", "tree"] {
        assert_eq!(check[key], Value::Null, "{key}");
    }
    let inbox = repo.as_agent("link", ["inbox"]).ok();
    assert!(inbox.stdout.contains("Its checks did not run."), "{inbox}");
    // With a task that asks for none there is nothing to do without.
    let plain = repo.task("kai", "No checks here", &[]);
    repo.as_agent("kai", ["claim", &plain]).ok();
    let args = ["--evidence", "1=seen", "--no-check"];
    let done = submit(&repo, &plain, &args).ok().json();
    assert_eq!(done["submission"]["no_check"], false);
    assert_eq!(done["submission"]["checks"], json!([]));
}

/// What runs on other people's machines has been reviewed.
#[test]
fn a_submission_that_redefines_its_check_does_not_pass_by_that() {
    let env = TestEnv::new();
    let repo = team(&env, "[checks.test]\nrun = 'test -e good'\n");
    let id = task(&repo, &["test"]);
    repo.git(["checkout", "-q", "-b", "work"]);
    define(&repo, "[checks.test]\nrun = 'true'\n");
    let error = &submit(&repo, &id, &[]).code(4).json()["error"];
    assert_eq!(error["failed"][0]["command"], "test -e good");
    assert_eq!(shown(&repo, &id)["submission"], Value::Null);
    // Nor by one that it adds.
    let other = task(&repo, &["test"]);
    repo.as_agent(
        "kai",
        [
            "task",
            "edit",
            &other,
            "--check",
            "mine",
            "--drop-check",
            "test",
        ],
    )
    .ok();
    define(&repo, "[checks.mine]\nrun = 'true'\n");
    let error = &submit(&repo, &other, &[]).code(4).json()["error"];
    assert_eq!(error["rule"], "check");
    assert_eq!(error["checks"], json!(["mine"]));
}

#[test]
fn a_check_that_nobody_defines_is_refused() {
    let env = TestEnv::new();
    let repo = team(&env, "[checks.lint]\nrun = 'true'\n");
    let id = task(&repo, &["test"]);
    repo.as_agent("kai", ["submit", &id, "--summary", "it is kept"])
        .snapshot(
            "
        exit 4
        --- stderr
        error: task `[ID1]` must pass the check `test`: `main` does not define it
          rule: check
        hint: bring a `reflectt.toml` with `[checks.test]` to `main`
        hint: reflectt task edit [ID1] --drop-check test (asks for it no longer)
        hint: reflectt submit [ID1] --summary TEXT --no-check (says that they did not run)
        ",
        );
    repo.as_agent("kai", ["config", "set", "land.branch", "none"])
        .ok();
    let output = repo.as_agent("kai", ["submit", &id, "--summary", "it is kept"]);
    output.snapshot(
        "
        exit 4
        --- stderr
        error: task `[ID1]` must pass the check `test`: there is no landing branch to define it
          rule: check
        hint: reflectt config set land.branch BRANCH (names it)
        hint: reflectt task edit [ID1] --drop-check test (asks for it no longer)
        hint: reflectt submit [ID1] --summary TEXT --no-check (says that they did not run)
        ",
    );
    submit(&repo, &id, &["--no-check"]).ok();
    // A file that is wrong is named.
    repo.as_agent("kai", ["config", "set", "land.branch", "main"])
        .ok();
    let id = task(&repo, &["lint"]);
    define(&repo, "[checks.lint]\nrun = 7\n");
    let output = repo
        .as_agent("kai", ["submit", &id, "--summary", "it is kept"])
        .code(1);
    assert!(
        output
            .stderr
            .contains("`reflectt.toml` on `main` cannot be read"),
        "{output}"
    );
}

#[test]
fn what_is_refused_anyway_runs_no_check() {
    let env = TestEnv::new();
    let counted = Counted::new(&env);
    let repo = team(&env, &counted.file());
    repo.write("good", "");
    repo.commit("work");
    let id = task(&repo, &["test"]);
    repo.as_agent(
        "kai",
        ["task", "edit", &id, "--criterion", "a test covers it"],
    )
    .ok();
    let error = &submit(&repo, &id, &[]).code(4).json()["error"];
    assert_eq!(error["rule"], "evidence");
    let as_link = [
        "--json",
        "submit",
        &id,
        "--summary",
        "x",
        "--evidence",
        "1=x",
    ];
    let error = &repo.as_agent("link", as_link).code(4).json()["error"];
    assert_eq!(error["rule"], "holder");
    submit(&repo, &id, &["--evidence", "1=x", "--reviewer", "kai"]).code(4);
    repo.as_agent("kai", ["cancel", &id, "--reason", "no need"])
        .ok();
    let error = &submit(&repo, &id, &["--evidence", "1=x"]).code(4).json()["error"];
    assert_eq!(error["rule"], "status");
    submit(&repo, "zzzz", &[]).code(5);
    assert_eq!(counted.runs(), 0);
    // There may be nothing to run them on.
    let empty = env.empty_repo("empty", &[]);
    empty.found(&["kai", "link"]);
    let id = task(&empty, &["test"]);
    let output = submit(&empty, &id, &[]).code(4);
    let message = output.json()["error"]["message"].clone();
    assert_eq!(
        message,
        format!("the check `test` of `{id}` did not run on what is submitted: there is no commit")
    );
    submit(&empty, &id, &["--no-check"]).ok();
}

#[test]
fn whoever_reviews_sees_what_ran_and_what_did_not() {
    let env = TestEnv::new();
    let repo = team(
        &env,
        "[checks.test]\nrun = 'true'\n[checks.lint]\nrun = 'true'\n[checks.fuzz]\nrun = 'exit 3'\n",
    );
    let id = task(&repo, &["test"]);
    repo.write("file", "");
    let commit = repo.commit("work");
    let tree = repo.git(["rev-parse", "HEAD^{tree}"]);
    submit(&repo, &id, &[]).ok();
    repo.as_agent("link", ["checks", "run", "fuzz", "--task", &id])
        .code(4);
    repo.as_agent("kai", ["task", "edit", &id, "--check", "lint"])
        .ok();
    let review = repo.as_agent("link", ["--json", "review", &id]).ok().json();
    let told = |check: &Value| {
        let word = |key: &str| check[key].as_str().unwrap_or("-").to_owned();
        [word("name"), word("outcome"), word("by"), word("tree")].join(" ")
    };
    let checks = review["checks"].as_array().unwrap();
    assert_eq!(
        checks.iter().map(told).collect::<Vec<_>>(),
        [
            "lint not_run - -".to_owned(),
            format!("test passed kai {tree}"),
            format!("fuzz failed link {tree}"),
        ]
    );
    assert_eq!(checks[1]["commit"], commit);
    // The task asks for two of them.
    let of_task = review["task"]["submission"]["checks"].as_array().unwrap();
    assert_eq!(of_task.len(), 2);
    let text = repo.as_agent("link", ["review", &id]).ok().stdout;
    let tree = &tree[..12];
    for expected in [
        "  check lint: did not run on this commit\n".to_owned(),
        format!(", on tree {tree})\n  check fuzz: failed with exit code 3 after "),
        "  check test: passed in ".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}\n{text}");
    }
    submit(&repo, &id, &["--no-check"]).ok();
    repo.write("file", "more");
    repo.commit("more");
    submit(&repo, &id, &["--no-check"]).ok();
    let text = repo.as_agent("link", ["review", &id]).ok().stdout;
    let expected = "  check test: did not run: the author did without (--no-check)\n";
    assert!(text.contains(expected), "{text}");
    let file = repo.git([
        "show",
        &format!("reflectt:{}", shown(&repo, &id)["path"].as_str().unwrap()),
    ]);
    assert!(file.contains("no_check = true"), "{file}");
}

#[test]
fn a_clone_runs_what_the_remotes_branch_says_and_the_other_reads_it() {
    let env = TestEnv::new();
    let machines = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = machines.pair();
    define(kai, "[checks.test]\nrun = 'test -e good'\n");
    kai.git(["push", "-q", "origin", "HEAD:main"]);
    let id = task(kai, &["test"]);
    kai.git(["checkout", "-q", "-b", "work"]);
    define(kai, "[checks.test]\nrun = 'true'\n");
    submit(kai, &id, &[]).code(4);
    kai.write("good", "");
    let commit = kai.commit("good");
    submit(kai, &id, &[]).ok();
    link.reflectt(["sync"]).ok();
    let review = link.as_agent("link", ["--json", "review", &id]).ok().json();
    assert_eq!(review["checks"][0]["passed"], true);
    assert_eq!(review["checks"][0]["by"], "kai");
    assert_eq!(review["checks"][0]["commit"], commit);
    // A check that the other asks for meanwhile runs, too, before anything is submitted.
    kai.write("good", "more");
    kai.commit("more");
    let none = json!(["nothing"]);
    link.as_agent("link", ["task", "edit", &id, "--check", "more"])
        .ok();
    let error = &submit(kai, &id, &["--no-sync"]).code(4).json()["error"];
    assert_eq!(error.get("checks").unwrap_or(&none), &json!(["more"]));
    link.as_agent("link", ["task", "edit", &id, "--drop-check", "more"])
        .ok();
    submit(kai, &id, &[]).ok();
    machines.agree();
}

#[test]
fn cut_off_its_results_wait_with_the_submission() {
    let env = TestEnv::new();
    let counted = Counted::new(&env);
    let machines = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = machines.pair();
    define(kai, &counted.file());
    kai.git(["push", "-q", "origin", "HEAD:main"]);
    let [id, other] = [(); 2].map(|()| {
        let args = [
            "--json",
            "task",
            "new",
            "Keep the return path",
            "--check",
            "test",
        ];
        let made = kai.as_agent("kai", args).ok().json();
        made["id"].as_str().unwrap().to_owned()
    });
    kai.set("kai", "wip.agent", "5");
    for id in [&id, &other] {
        kai.as_agent("kai", ["claim", id]).ok();
    }
    kai.write("good", "");
    let commit = kai.commit("good");
    let away = machines.bare.path().with_extension("away");
    fs::rename(machines.bare.path(), &away).unwrap();
    submit(kai, &id, &[]).code(6);
    assert_eq!(counted.runs(), 1);
    let asked = submit(kai, &id, &["--offline"]).ok().json();
    assert_eq!(asked["submission"]["checks"][0]["passed"], true);
    submit(kai, &other, &["--offline"]).ok();
    assert_eq!(counted.runs(), 1);
    kai.git(["rm", "-q", "good"]);
    kai.commit("bad");
    let error = &submit(kai, &other, &["--offline"]).code(4).json()["error"];
    assert_eq!(error["rule"], "check");
    assert_eq!(kinds(&shown(kai, &id)).last().unwrap(), "checked");
    fs::rename(&away, machines.bare.path()).unwrap();
    // Of one of them more is asked by then.
    link.as_agent("link", ["sync"]).ok();
    link.as_agent("link", ["task", "edit", &other, "--check", "lint"])
        .ok();
    let sync = kai.reflectt(["--json", "sync"]).ok().json();
    link.reflectt(["sync"]).ok();
    for clone in [kai, link] {
        let granted = shown(clone, &id);
        let check = &granted["submission"]["checks"][0];
        assert_eq!(
            (&check["passed"], &check["by"]),
            (&json!(true), &json!("kai"))
        );
        assert_eq!(check["commit"], commit);
        assert_eq!(shown(clone, &other)["status"], "doing", "{sync}");
    }
    let inbox = kai.as_agent("kai", ["inbox"]).ok().stdout;
    let why = format!(
        "the check `lint` of `{other}` did not run on {}",
        &commit[..12]
    );
    assert!(inbox.contains(&why), "{inbox}");
}

#[test]
fn interrupted_while_it_checks_nothing_is_submitted() {
    let env = TestEnv::new();
    let here = env.dir().join("here");
    let file = format!(
        "[checks.test]\nrun = 'echo > {}; sleep 600; true'\n",
        here.display()
    );
    let repo = team(&env, &file);
    let id = task(&repo, &["test"]);
    let running = repo
        .command(["submit", &id, "--summary", "x"])
        .agent("kai")
        .spawn();
    let there = || here.exists().then_some(());
    poll_until("it runs", Duration::from_secs(30), there);
    signal(running.child.id().cast_signed(), libc::SIGTERM);
    let output = running.finish().code(1);
    assert!(
        output.stderr.contains("was ended before it was done"),
        "{output}"
    );
    assert_eq!(shown(&repo, &id)["submission"], Value::Null);
}
