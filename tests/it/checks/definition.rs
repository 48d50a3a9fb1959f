//! Where checks come from: the landing branch, and nowhere else.

use super::{TestEnv, define, outcomes, run, team};

#[test]
fn the_checks_that_there_are_can_be_listed() {
    let env = TestEnv::new();
    let repo = team(
        &env,
        "[checks.test]\nrun = \"make test\"\ntime_limit = \"20m\"\n\n\
         [checks.lint]\nrun = \"\"\"\nmake lint\nmake docs\n\"\"\"\n\n[land]\nchecks = [\"test\"]\n",
    );
    repo.reflectt(["checks"]).snapshot(
        "
        --- stdout
        NAME  TIME LIMIT  TO LAND    COMMAND
        test  20m         must pass  make test
        lint  10m                    make lint; make docs
        ",
    );
    let json = repo.reflectt(["--json", "checks", "list"]).ok().json();
    assert_eq!(json["branch"], "main");
    assert_eq!(json["checks"][0]["land"], true);
    assert_eq!(json["checks"][1]["command"], "make lint\nmake docs");
}

#[test]
fn what_is_wrong_with_the_file_is_said() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["checks", "run"]).snapshot(
        "
        exit 5
        --- stderr
        error: there are no checks: `reflectt.toml` on `main` defines none
        hint: bring a `reflectt.toml` with `[checks.NAME]` and `run = \"COMMAND\"` to `main`
        ",
    );
    repo.reflectt(["checks"]).snapshot(
        "
        --- stderr
        `reflectt.toml` on `main` defines no checks
        ",
    );
    define(&repo, "[checks.test]\nrun = \"true\"\ntimelimit = \"5m\"\n");
    repo.reflectt(["checks", "run"]).snapshot(
        "
        exit 1
        --- stderr
        error: `reflectt.toml` on `main` cannot be read
          caused by: line 3: `timelimit`: there is no such key here
        hint: correct `reflectt.toml`, and bring that to `main`
        ",
    );
    define(&repo, "[checks.test]\nrun = \"true\n");
    let stderr = repo.reflectt(["checks"]).code(1).stderr;
    assert!(stderr.contains("line 2: invalid basic string"), "{stderr}");
    std::fs::remove_file(repo.path().join("reflectt.toml")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repo.path().join("reflectt.toml")).unwrap();
    repo.commit("a link");
    let output = repo.reflectt(["checks", "run"]).code(1);
    assert!(output.stderr.contains("cannot be read"), "{output}");
    define(&env.repo("other"), "");
    let empty = env.empty_repo("empty", &[]);
    let output = empty.reflectt(["checks", "run"]).code(5);
    assert!(
        output.stderr.contains("no branch `main` or `master`"),
        "{output}"
    );
}

#[test]
fn a_name_or_a_commit_that_is_not_there_is_refused() {
    let env = TestEnv::new();
    let repo = team(&env, "[checks.tests]\nrun = \"true\"\n");
    repo.reflectt(["checks", "run", "test"]).snapshot(
        "
        exit 5
        --- stderr
        error: there is no check `test`
        hint: did you mean `tests`?
        hint: reflectt checks list
        ",
    );
    let nowhere = "1234567890123456789012345678901234567890";
    repo.reflectt(["checks", "run", "--commit", nowhere])
        .snapshot(
            "
        exit 5
        --- stderr
        error: there is no commit to check `[OID]`
        hint: reflectt sync (brings the work of others)
        hint: git fetch (if it is on the remote)
        ",
        );
    repo.reflectt(["checks", "run", "No"]).code(2);
    let tree = repo.git(["rev-parse", "HEAD^{tree}"]);
    repo.reflectt(["checks", "run", "--commit", &tree]).code(5);
}

/// What runs on other people's machines has been reviewed.
#[test]
fn a_commit_under_test_does_not_define_its_own_checks() {
    let env = TestEnv::new();
    let repo = team(&env, "[checks.test]\nrun = \"test -e good\"\n");
    repo.git(["checkout", "-q", "-b", "work"]);
    let sly = define(&repo, "[checks.test]\nrun = \"true\"\n");
    let output = run(&repo, &[]).code(4);
    assert_eq!(outcomes(&output), ["test failed"]);
    assert_eq!(output.json()["checks"][0]["commit"], sly);
    assert_eq!(output.json()["checks"][0]["command"], "test -e good");
    // Nor does a file that nobody has committed.
    repo.git(["checkout", "-q", "main"]);
    repo.write("reflectt.toml", "[checks.test]\nrun = \"true\"\n");
    run(&repo, &["--commit", "work"]).code(4);
    define(&repo, "[checks.test]\nrun = \"true\"\n");
    run(&repo, &["--commit", "work"]).ok();
}

#[test]
fn where_there_is_a_remote_its_branch_counts() {
    let env = TestEnv::new();
    let hub = team(&env, "[checks.test]\nrun = \"exit 3\"\n");
    let clone = env.clone_of(&hub, "clone");
    clone.git(["checkout", "-q", "-b", "other"]);
    clone.git(["branch", "-q", "-D", "main"]);
    define(&clone, "[checks.test]\nrun = \"true\"\n");
    let output = run(&clone, &[]).code(4);
    assert_eq!(output.json()["checks"][0]["exit_code"], 3);
    let list = clone.reflectt(["--json", "checks"]).ok().json();
    assert_eq!(list["branch"], "origin/main");
}

/// A team is not needed: nothing is read of the record, and nothing written.
#[test]
fn a_repository_of_any_kind_will_do() {
    let env = TestEnv::new();
    let kinds: [&[&str]; 3] = [
        &["--object-format=sha256"],
        &["--ref-format=reftable"],
        &["--ref-format=reftable", "--object-format=sha256"],
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let repo = env.empty_repo(&format!("repo-{number}"), kind);
        repo.write("good", "");
        define(
            &repo,
            "[checks.test]\nrun = \"test -e good && ! git diff HEAD | grep .\"\n",
        );
        assert_eq!(outcomes(&run(&repo, &[]).ok()), ["test passed"]);
        let linked = repo.worktree(&format!("linked-{number}"));
        std::fs::remove_file(linked.path().join("good")).unwrap();
        let bad = linked.commit("bad");
        assert_eq!(outcomes(&run(&linked, &[]).code(4)), ["test failed"]);
        run(&repo, &["--again"]).ok();
        let hub = env.dir().join(format!("hub-{number}.git"));
        repo.git(["clone", "-q", "--bare", ".", hub.to_str().unwrap()]);
        let hub = crate::support::Repo::at(env.clone(), hub);
        run(&hub, &[]).ok();
        run(&hub, &["--commit", &bad]).code(4);
        // Each has made one worktree, and all are used again.
        for repo in [&repo, &hub] {
            let all = std::fs::read_dir(repo.common_dir().join("reflectt/checks")).unwrap();
            let trees = all.filter(|entry| entry.as_ref().unwrap().path().is_dir());
            assert_eq!(trees.count(), 1);
        }
    }
}
