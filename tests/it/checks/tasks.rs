//! Checks as criteria of tasks, and what came of them in their history.

use super::{Repo, TestEnv, team};

/// Makes a task that asks for nothing but a check, and returns its id.
fn checked_task(repo: &Repo, check: &str) -> String {
    let args = [
        "--json",
        "task",
        "new",
        "Keep the return path",
        "--check",
        check,
    ];
    let made = repo.as_agent("kai", args).ok().json();
    assert_eq!(made["checks"], serde_json::json!([check]));
    assert_eq!(made["done_criteria"], serde_json::json!([]));
    made["id"].as_str().unwrap().to_owned()
}

const FILE: &str =
    "[checks.test]\nrun = \"echo looking; test -e good\"\n[checks.lint]\nrun = \"true\"\n";

#[test]
fn a_check_is_a_criterion_that_needs_no_evidence() {
    let env = TestEnv::new();
    let repo = team(&env, FILE);
    let id = checked_task(&repo, "test");
    let claimed = repo.as_agent("kai", ["claim", &id]).ok();
    assert!(!claimed.stderr.contains("--evidence"), "{claimed}");
    let hint = format!(
        "reflectt submit {id} --summary TEXT (when it is done and committed: the check test runs)"
    );
    assert!(claimed.stderr.contains(&hint), "{claimed}");
    let status = repo.as_agent("kai", ["status"]).ok();
    assert!(status.stdout.contains("checks to pass: test"), "{status}");
    let action = format!(
        "`reflectt submit {id} --summary TEXT` when it is done and committed: the check test runs."
    );
    assert!(status.stdout.contains(&action), "{status}");
    repo.write("good", "");
    repo.commit("work");
    repo.as_agent(
        "kai",
        ["submit", &id, "--summary", "it is kept", "--no-check"],
    )
    .ok();
    // Who reviews runs it where the work was submitted, and all can read what came of it.
    let args = ["--json", "checks", "run", "--task", &id];
    let ran = repo.as_agent("link", args).ok().json();
    let commit = repo.git(["rev-parse", "HEAD"]);
    assert_eq!(ran["checks"].as_array().unwrap().len(), 1, "{ran}");
    assert_eq!(ran["checks"][0]["commit"], commit);
    let shown = repo
        .as_agent("kai", ["--json", "task", "show", &id])
        .ok()
        .json();
    assert_eq!(shown["status"], "validating");
    assert_eq!(shown["checked"][0]["name"], "test");
    assert_eq!(shown["checked"][0]["by"], "link");
    assert_eq!(shown["checked"][0]["commit"], commit);
    let events = shown["events"].as_array().unwrap();
    let event = events.last().unwrap();
    assert_eq!(
        (&event["kind"], &event["by"]),
        (&"checked".into(), &"link".into())
    );
    assert_eq!(event["outcome"], "passed");
    assert_eq!(event["ran_at"], ran["checks"][0]["at"]);
    assert_eq!(event["void"], serde_json::Value::Null);
    let log = repo.as_agent("kai", ["--json", "log", "--limit", "5"]).ok();
    let log = log.json_lines();
    assert!(
        log.iter()
            .any(|event| event["kind"] == "checked" && event["task"] == id)
    );
    let file = repo.git([
        "show",
        &format!("reflectt:{}", shown["path"].as_str().unwrap()),
    ]);
    assert!(file.contains("checks = [\"test\"]"), "{file}");
}

#[test]
fn what_did_not_pass_is_shown_with_its_last_lines() {
    let env = TestEnv::new();
    let repo = team(&env, FILE);
    let id = checked_task(&repo, "test");
    repo.as_agent("kai", ["claim", &id]).ok();
    let ran = repo
        .as_agent("kai", ["checks", "run", "--task", &id])
        .code(4);
    assert!(ran.stderr.contains("rule: check"), "{ran}");
    let commit = repo.git(["rev-parse", "HEAD"]);
    let short = &commit[..12];
    let shown = repo.as_agent("kai", ["task", "show", &id]).ok().stdout;
    for expected in [
        "done when\n  the check test passes\n".to_owned(),
        format!("checked {short}\n  test: failed with exit code 1 after "),
        format!("kai  ran check test on {short}: failed with exit code 1"),
        "\n    looking\n".to_owned(),
    ] {
        assert!(shown.contains(&expected), "{expected}\n{shown}");
    }
    // The task is what it was.
    let json = repo
        .as_agent("kai", ["--json", "task", "show", &id])
        .ok()
        .json();
    assert_eq!(json["status"], "doing");
    assert_eq!(json["checked"][0]["exit_code"], 1);
    assert_eq!(json["checked"][0]["output"], serde_json::json!([]));
    // The same check on the same commit is known once, with the latest result.
    repo.as_agent("kai", ["checks", "run", "lint", "--task", &id])
        .ok();
    repo.as_agent("kai", ["checks", "run", "--task", &id])
        .code(4);
    let json = repo
        .as_agent("kai", ["--json", "task", "show", &id])
        .ok()
        .json();
    let names: Vec<_> = (json["checked"].as_array().unwrap().iter())
        .map(|run| run["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["lint", "test"]);
}

#[test]
fn checks_are_added_and_dropped() {
    let env = TestEnv::new();
    let repo = team(&env, FILE);
    let id = checked_task(&repo, "test");
    let edit = |args: &[&str]| {
        let all = [&["--json", "task", "edit", &id], args].concat();
        repo.as_agent("kai", all)
    };
    let checks = |args: &[&str]| edit(args).ok().json()["checks"].clone();
    assert_eq!(
        checks(&["--check", "lint"]),
        serde_json::json!(["lint", "test"])
    );
    assert_eq!(
        checks(&["--drop-check", "test"]),
        serde_json::json!(["lint"])
    );
    let unknown = edit(&["--drop-check", "test"]).code(5).json();
    assert_eq!(unknown["error"]["message"], "there is no check `test`");
    // One that is still to be defined is allowed, and said.
    let output = repo
        .as_agent("kai", ["task", "edit", &id, "--check", "fuzz"])
        .ok();
    let warning = "warning: `reflectt.toml` on `main` defines no check `fuzz`";
    assert!(output.stderr.contains(warning), "{output}");
    let vague = [
        "task",
        "edit",
        &id,
        "--drop-check",
        "fuzz",
        "--drop-check",
        "lint",
    ];
    let output = repo.as_agent("kai", vague).ok();
    assert!(
        output.stderr.contains("nobody can claim it before"),
        "{output}"
    );
    let refused = repo
        .as_agent("kai", ["--json", "claim", &id])
        .code(4)
        .json();
    assert_eq!(refused["error"]["rule"], "criteria");
    edit(&["--check", "no good"]).code(2);
}

#[test]
fn checks_travel_with_the_task_and_may_be_named_by_hand() {
    let env = TestEnv::new();
    let machines = crate::sync::Machines::new(&env, ["kai", "link"]);
    let [kai, link] = machines.pair();
    let id = kai.task("kai", "Keep the return path", &["--check", "test"]);
    link.reflectt(["sync"]).ok();
    let checks = |repo: &Repo| {
        let shown = repo.reflectt(["--json", "task", "show", &id]).ok().json();
        shown["checks"].clone()
    };
    assert_eq!(checks(link), serde_json::json!(["test"]));
    let editor = env.clone_of(&machines.bare, "editor");
    editor.git(["checkout", "-q", "reflectt"]);
    let file = editor.git(["ls-files", &format!("*{id}*")]);
    let text = std::fs::read_to_string(editor.path().join(&file)).unwrap();
    let state = "checks = [\"test\"]\n";
    assert!(text.contains(state), "{text}");
    editor.write(&file, text.replacen(state, "checks = [\"lint\"]\n", 1));
    editor.commit("by hand");
    editor.git(["push", "-q", "origin", "reflectt"]);
    for clone in [kai, link] {
        clone.reflectt(["sync"]).ok();
        assert_eq!(checks(clone), serde_json::json!(["lint"]));
    }
}
