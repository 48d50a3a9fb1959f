//! How checks run: what they get, what they may take, and what they leave.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Repo, TestEnv, define, outcomes, run, team};
use crate::support::process::{HEEDLESS, Victims, signal};
use crate::support::{poll_until, race};

const SOON: Duration = Duration::from_secs(30);

/// Defines one check, `test`.
fn one(command: &str) -> String {
    format!("[checks.test]\nrun = '''{command}'''\n")
}

fn the_tree(repo: &Repo) -> PathBuf {
    repo.common_dir().join("reflectt/checks/reflectt-check-1")
}

/// Another one than the first is used while a git of a killed process still works there.
fn tree_used_last(repo: &Repo) -> PathBuf {
    let tree = the_tree(repo);
    let used = |number: u8| {
        let mark = tree.with_file_name(format!("reflectt-check-{number}.used"));
        let at = fs::metadata(&mark).ok()?.modified().ok()?;
        Some((at, mark.with_extension("")))
    };
    (1..=3).filter_map(used).max().unwrap().1
}

#[test]
fn what_came_of_it_is_told() {
    let env = TestEnv::new();
    let repo = team(
        &env,
        "[checks.good]\nrun = \"echo fine\"\n[checks.bad]\nrun = \"echo looking; echo no >&2; exit 2\"\n",
    );
    let commit = repo.git(["rev-parse", "HEAD"]);
    let tree = repo.git(["rev-parse", "HEAD^{tree}"]);
    let output = run(&repo, &[]).code(4);
    let json = output.json();
    let bad = &json["checks"][1];
    assert_eq!(outcomes(&output), ["good passed", "bad failed"]);
    assert_eq!(json["checks"][0]["exit_code"], 0);
    assert_eq!(
        (&bad["commit"], &bad["tree"]),
        (&commit.clone().into(), &tree.into())
    );
    assert_eq!(bad["exit_code"], 2);
    assert_eq!(bad["passed"], false);
    assert_eq!(bad["output"], serde_json::json!(["looking", "no"]));
    assert!(bad["seconds"].is_f64() && bad["at"].is_string(), "{bad}");
    assert_eq!(json["error"]["kind"], "refused");
    assert_eq!(json["error"]["rule"], "check");
    assert_eq!(json["error"]["failed"][0]["name"], "bad");
    let text = repo.reflectt(["checks", "run", "bad"]).code(4);
    let short = &commit[..12];
    assert_eq!(
        text.stderr,
        format!(
            "error: check `bad` (exit code 2) failed on commit {short}\n  rule: check\n\
             hint: reflectt checks run bad --commit {short}\n"
        )
    );
    assert!(
        text.stdout
            .starts_with(&format!("bad on {short}: failed with exit code 2"))
    );
    assert!(text.stdout.ends_with("\n  looking\n  no\n"), "{text}");
}

#[test]
fn what_passed_on_the_same_files_does_not_run_again() {
    let env = TestEnv::new();
    let count = env.dir().join("count");
    let command = format!("echo x >> {}; test -e good", count.display());
    let repo = env.team(["kai"]);
    repo.write("good", "");
    define(&repo, &one(&command));
    let runs = || fs::read_to_string(&count).unwrap().len() / 2;
    let first = run(&repo, &[]).ok().json();
    assert_eq!(first["checks"][0]["cached"], false);
    // Another commit of the same files.
    repo.commit("nothing");
    let again = run(&repo, &[]).ok().json();
    assert_eq!(again["checks"][0]["cached"], true);
    assert_eq!(again["checks"][0]["at"], first["checks"][0]["at"]);
    assert_eq!(
        again["checks"][0]["commit"],
        repo.git(["rev-parse", "HEAD"])
    );
    assert_eq!(runs(), 1);
    run(&repo, &["--again"]).ok();
    assert_eq!(runs(), 2);
    // Another command, other files, and what failed.
    define(&repo, &one(&format!("{command} ")));
    run(&repo, &[]).ok();
    assert_eq!(runs(), 3);
    fs::remove_file(repo.path().join("good")).unwrap();
    repo.commit("bad");
    for expected in [4, 5] {
        run(&repo, &[]).code(4);
        assert_eq!(runs(), expected);
    }
    // A damaged file costs a run.
    run(&repo, &["--commit", "HEAD~1"]).ok();
    assert_eq!(runs(), 5);
    fs::write(repo.common_dir().join("reflectt/checks/passed"), "nonsense").unwrap();
    run(&repo, &["--commit", "HEAD~1"]).ok();
    assert_eq!(runs(), 6);
}

#[test]
fn build_outputs_of_the_run_before_are_there_and_nothing_else() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.write(".gitignore", "out/\n");
    repo.write("source", "one\n");
    define(
        &repo,
        &one(
            "set -e; test ! -e stray; test \"$(cat source)\" != changed; \
        mkdir -p out; cat out/built 2>/dev/null || echo from scratch; echo built > out/built; \
        echo changed > source; echo > stray; mkdir -p dir/inner; echo > dir/inner/file; git add -A",
        ),
    );
    let output = |output: &super::Output| output.json()["checks"][0]["output"].clone();
    let passed = run(&repo, &[]).ok();
    assert_eq!(output(&passed), serde_json::json!(["from scratch"]));
    repo.write("source", "two\n");
    repo.commit("two");
    let passed = run(&repo, &[]).ok();
    assert_eq!(output(&passed), serde_json::json!(["built"]));
    // Two checks of one run do not see each other's changes either.
    let twice = fs::read_to_string(repo.path().join("reflectt.toml")).unwrap();
    let twice = format!("{twice}{}", twice.replace("checks.test", "checks.more"));
    define(&repo, &twice);
    assert_eq!(
        outcomes(&run(&repo, &[]).ok()),
        ["test passed", "more passed"]
    );
    // The checkout of whoever asked is as it was.
    assert_eq!(repo.git(["status", "--porcelain"]), "");
    assert_eq!(
        fs::read_to_string(repo.path().join("source")).unwrap(),
        "two\n"
    );
}

#[test]
fn a_check_that_could_not_run_is_none_that_failed() {
    let env = TestEnv::new();
    let repo = team(
        &env,
        "[checks.missing]\nrun = \"no-such-command --all\"\n\
         [checks.killed]\nrun = \"kill -KILL $$\"\n\
         [checks.slow]\nrun = \"sleep 600\"\ntime_limit = \"1s\"\n\
         [checks.plain]\nrun = \"./reflectt.toml\"\n\
         [checks.fine]\nrun = \"true\"\n",
    );
    let output = run(&repo, &[]).code(6);
    let json = output.json();
    let obstacles: Vec<_> = (json["checks"].as_array().unwrap().iter())
        .map(|check| check["obstacle"].as_str().unwrap_or("none"))
        .collect();
    assert_eq!(
        obstacles,
        [
            "not_found",
            "signal",
            "time_limit",
            "not_executable",
            "none"
        ]
    );
    assert_eq!(json["checks"][0]["exit_code"], 127);
    assert_eq!(json["checks"][0]["outcome"], "could_not_run");
    assert_eq!(
        json["checks"][2]["detail"],
        "it did not end within 1s, its time limit"
    );
    assert_eq!(json["error"]["kind"], "unreachable");
    let text = repo.reflectt(["checks", "run", "slow"]).code(6);
    assert_eq!(
        text.stderr,
        "error: check `slow` could not run: it did not end within 1s, its time limit\n\
         hint: it says nothing about the commit: run it again when that is mended\n"
    );
    // One that failed outweighs them.
    define(
        &repo,
        "[checks.a]\nrun = \"nonsense-x\"\n[checks.b]\nrun = \"false\"\n",
    );
    run(&repo, &[]).code(4);
}

#[test]
fn a_hundred_megabytes_are_a_few_lines() {
    let env = TestEnv::new();
    let command = "yes some line | head -c 100000000; echo; echo the end; exit 1";
    let repo = team(&env, &one(command));
    let json = run(&repo, &[]).code(4).json();
    let lines = json["checks"][0]["output"].as_array().unwrap();
    assert_eq!(lines.last().unwrap(), "the end");
    assert!(lines.len() <= 100);
    let size = repo.git(["count-objects", "-v"]);
    assert!(size.contains("size-pack: 0"), "{size}");
}

#[test]
fn the_environment_is_none_of_whoever_asks() {
    let env = TestEnv::new();
    let repo = team(
        &env,
        &one("env; git rev-parse --show-toplevel; test $CI = true"),
    );
    let output = repo
        .command(["--json", "checks", "run"])
        .agent("kai")
        .env("GIT_DIR", repo.path().join(".git").to_str().unwrap())
        .env("GIT_INDEX_FILE", "/nowhere")
        .env("SECRET_TOKEN", "x")
        .env("CARGO_HOME", "/cargo")
        .run()
        .ok();
    let json = output.json();
    let lines: Vec<&str> = (json["checks"][0]["output"].as_array().unwrap().iter())
        .map(|line| line.as_str().unwrap())
        .collect();
    for name in ["GIT_", "REFLECTT_", "SECRET_TOKEN"] {
        assert!(
            !lines.iter().any(|line| line.starts_with(name)),
            "{name}: {lines:?}"
        );
    }
    assert!(lines.contains(&"CARGO_HOME=/cargo"), "{lines:?}");
    assert_eq!(Path::new(lines.last().unwrap()), the_tree(&repo));
}

/// A check may commit, switch branches, even delete its worktree.
#[test]
fn what_a_check_does_to_its_worktree_hurts_nobody() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.as_agent("kai", ["hooks", "install"]).ok();
    repo.write("file", "one\n");
    define(
        &repo,
        &one(
            "git checkout -q -f main 2>/dev/null || git checkout -q -B theirs; echo x > file; \
            git -c user.name=a -c user.email=b commit -qam x && test \"$(cat file)\" = x",
        ),
    );
    let main = repo.git(["rev-parse", "main"]);
    repo.as_agent("link", ["claim", "--path", "file", "-m", "mine"])
        .ok();
    let json = run(&repo, &[]);
    // No hook has kept it from changing what is claimed.
    json.ok();
    assert_eq!(repo.git(["rev-parse", "main"]), main);
    let theirs = repo.git(["rev-parse", "theirs"]);
    define(&repo, &one("rm -rf \"$PWD\"/* \"$PWD\"/.git"));
    run(&repo, &[]).ok();
    define(&repo, &one("test -e file"));
    run(&repo, &[]).ok();
    assert_eq!(repo.git(["rev-parse", "theirs"]), theirs);
    assert_eq!(repo.git(["status", "--porcelain"]), "");
    // It is no place where anybody works.
    let doctor = repo.reflectt(["doctor"]).ok();
    assert!(!doctor.stdout.contains("reflectt-check-1"), "{doctor}");
    let status = repo.as_agent("kai", ["hooks", "status"]).ok();
    assert!(!status.stdout.contains("reflectt-check-1"), "{status}");
}

#[test]
fn runs_at_once_have_a_worktree_each_and_a_fourth_waits() {
    let env = TestEnv::new();
    let gate = env.dir().join("gate");
    let command = format!(
        "echo $$ >> here; mkdir -p {0}; echo > {0}/$$; while [ ! -e {0}.open ]; do sleep 0.02; done; \
         test \"$(cat here | wc -l)\" = 1",
        gate.display()
    );
    let repo = team(&env, &one(&command));
    let begun = |count: usize| {
        poll_until("they run", SOON, || {
            let runs = fs::read_dir(&gate).map_or(0, Iterator::count);
            (runs == count).then_some(())
        });
    };
    let args = ["checks", "run", "--again"];
    let mut running = Vec::new();
    for count in 1..=3 {
        running.push(repo.command(args).spawn());
        begun(count);
    }
    let mut fourth = repo.command(args).spawn();
    std::thread::sleep(Duration::from_millis(300));
    assert!(!fourth.has_ended());
    assert_eq!(fs::read_dir(&gate).unwrap().count(), 3);
    fs::write(env.dir().join("gate.open"), "").unwrap();
    for run in running {
        run.finish().ok();
    }
    fourth.finish().ok();
    let list = repo.git(["worktree", "list"]);
    assert_eq!(list.lines().count(), 4, "{list}");
}

#[test]
fn many_that_begin_at_once_all_get_their_turn() {
    let env = TestEnv::new();
    let repo = team(
        &env,
        &one("test -e reflectt.toml && mkdir mine && sleep 0.05"),
    );
    let begin = |_| repo.command(["checks", "run", "--again"]);
    for output in race((0..7).map(begin)) {
        output.ok();
    }
    let registered = fs::read_dir(repo.common_dir().join("worktrees")).unwrap();
    assert!((1..=3).contains(&registered.count()));
}

#[test]
fn killed_at_any_moment_the_next_run_finds_order() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    for number in 0..50 {
        repo.write(&format!("file-{number}"), "x".repeat(1000 * number));
    }
    let first = define(&repo, &one("test $(ls | wc -l) = 51 && sleep 0.1"));
    repo.write("file-0", "other");
    let second = repo.commit("other");
    let branches = repo.git(["for-each-ref", "refs/heads"]);
    for round in 0..24 {
        let commit = [&first, &second][round % 2];
        let args = ["checks", "run", "--again", "--commit", commit];
        let running = repo.command(args).spawn();
        std::thread::sleep(Duration::from_millis(4 * round as u64));
        running.kill_with([Victims::Alone, Victims::WithChildren][round % 3 / 2]);
        if round % 4 == 3 {
            repo.reflectt(args).ok();
            let tree = tree_used_last(&repo);
            let git = |args: &[&str]| {
                let inside = ["-C", tree.to_str().unwrap()];
                repo.git([&inside, args].concat())
            };
            assert_eq!(&git(&["rev-parse", "HEAD"]), commit);
            assert_eq!(git(&["status", "--porcelain"]), "");
        }
        if round == 12 {
            fs::remove_dir_all(the_tree(&repo)).unwrap();
        }
    }
    assert_eq!(repo.git(["for-each-ref", "refs/heads"]), branches);
    assert_eq!(repo.git(["status", "--porcelain"]), "");
    let registered = fs::read_dir(repo.common_dir().join("worktrees")).unwrap();
    assert!(registered.count() <= 3);
}

/// Expects that the process whose number is in the file ends.
fn expect_gone(pid: &Path) {
    let pid: i32 = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    poll_until("it has ended", SOON, || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn a_check_that_hangs_with_its_children_is_ended_with_them() {
    let env = TestEnv::new();
    let [deaf, quiet] = ["deaf", "quiet"].map(|name| env.dir().join(name));
    let command = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {0}; while :; do sleep 0.1; done' &\n\
         sleep 600 > /dev/null 2>&1 &\necho $! > {1}\necho begun\nwait",
        deaf.display(),
        quiet.display()
    );
    let file = format!(
        "[checks.test]\ntime_limit = \"1s\"\nrun = \"\"\"\n{}\n\"\"\"\n",
        command.replace('\\', "\\\\")
    );
    let repo = team(&env, &file);
    let json = run(&repo, &[]).code(6).json();
    assert_eq!(json["checks"][0]["obstacle"], "time_limit");
    assert_eq!(json["checks"][0]["output"], serde_json::json!(["begun"]));
    expect_gone(&deaf);
    expect_gone(&quiet);
}

#[test]
fn whoever_is_interrupted_leaves_nothing_running() {
    let env = TestEnv::new();
    let pid = env.dir().join("pid");
    let command = format!(
        "echo $$ > {0}.new; mv {0}.new {0}; sleep 600; true",
        pid.display()
    );
    let repo = team(&env, &one(&command));
    let there = || poll_until("it runs", SOON, || pid.exists().then_some(()));
    let begun = Instant::now();
    for number in [libc::SIGINT, libc::SIGTERM] {
        let running = repo.command(["checks", "run"]).spawn();
        there();
        signal(running.child.id().cast_signed(), number);
        let output = running.finish().code(1);
        assert!(
            output.stderr.contains("was ended before it was done"),
            "{output}"
        );
        expect_gone(&pid);
        fs::remove_file(&pid).unwrap();
    }
    // Killed, it can end nothing; whoever comes next does.
    let running = repo.command(["checks", "run"]).spawn();
    there();
    crate::support::process::kill(running.child.id().cast_signed(), Victims::Alone);
    running.finish();
    define(&repo, &one("true"));
    run(&repo, &[]).ok();
    expect_gone(&pid);
    assert!(begun.elapsed() < Duration::from_secs(300));
}

/// A limit on the size of files stands for a disk that is full.
#[test]
fn without_space_for_its_worktree_a_check_could_not_run() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.write("large", "x".repeat(400_000));
    define(&repo, &one("test -s large"));
    let script = format!("ulimit -f 100; {HEEDLESS}");
    let output = repo
        .command(["--json", "checks", "run"])
        .by_shell(&script)
        .run()
        .code(6);
    let json = output.json();
    assert_eq!(json["checks"][0]["outcome"], "could_not_run");
    assert_eq!(json["checks"][0]["obstacle"], "no_worktree", "{json}");
    // With space, the same worktree is put in order.
    run(&repo, &[]).ok();
}
