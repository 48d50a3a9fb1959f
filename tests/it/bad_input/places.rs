//! Repositories, locks and programs that are not there or not as they should be.

use std::time::{Duration, SystemTime};

use super::*;

#[test]
fn no_repository() {
    let env = TestEnv::new();
    let outside = env.outside();
    for args in [
        &["status"][..],
        &["init"],
        &["claim", "k3f9x2"],
        &["doctor"],
    ] {
        outside.as_agent("kai", args).snapshot(
            "
            exit 1
            --- stderr
            error: `[DIR]/outside` is not in a git repository
            hint: git init (makes one), or reflectt -C DIR …
            ",
        );
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    let repo = env.repo("repo");
    repo.reflectt(["-C", "nowhere", "status"]).snapshot(
        "
            exit 1
            --- stderr
            error: there is no directory `[DIR]/repo/nowhere`
            ",
    );
    repo.write("file", "x");
    repo.reflectt(["-C", "file", "status"]).snapshot(
        "
            exit 1
            --- stderr
            error: there is no directory `[DIR]/repo/file`
            ",
    );
    std::fs::remove_file(repo.common_dir().join("HEAD")).unwrap();
    repo.reflectt(["status"]).snapshot(
        "
            exit 1
            --- stderr
            error: `[DIR]/repo` is not in a git repository
            hint: git init (makes one), or reflectt -C DIR …
            ",
    );
}

#[test]
fn not_initialised() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let commands: [&[&str]; 12] = [
        &["status"],
        &["next"],
        &["claim", "k3f9x2"],
        &["task", "new", "A title"],
        &["task", "list"],
        &["send", "link", "hi"],
        &["inbox"],
        &["who"],
        &["board"],
        &["log"],
        &["join", "kai"],
        &["doctor", "--fix"],
    ];
    let expected = "
        exit 1
        --- stderr
        error: this repository has no `reflectt` branch yet
        hint: reflectt init
        ";
    let cases: Vec<Case> = commands.iter().map(|args| case(args, expected)).collect();
    refused(&repo, "kai", &cases);
    let json = ["--json", "status"];
    refused(
        &repo,
        "kai",
        &[case(
            json,
            r#"
            exit 1
            --- stdout
            {"error":{"kind":"failed","message":"this repository has no `reflectt` branch yet","hints":["reflectt init"]}}
            "#,
        )],
    );
    // Not even a directory of its own is left.
    assert!(!repo.common_dir().join("reflectt/heartbeats").exists());
}

#[test]
fn a_branch_that_is_somebody_elses() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.write("notes.txt", "mine");
    let commit = repo.commit("notes");
    repo.git(["branch", "reflectt", &commit]);
    let objects = repo.git(["count-objects"]);
    let expected = "
            exit 1
            --- stderr
            error: the branch `reflectt` of this repository is not reflectt's record: it does not start with reflectt's first commit
            hint: git branch -m reflectt NAME (keeps that branch under another name), then reflectt init
            ";
    let commands: [&[&str]; 4] = [
        &["init"],
        &["status"],
        &["task", "new", "A title"],
        &["doctor", "--fix"],
    ];
    let cases: Vec<Case> = commands.iter().map(|args| case(args, expected)).collect();
    refused(&repo, "kai", &cases);
    assert_eq!(repo.git(["count-objects"]), objects);
}

#[test]
fn nobody_and_strangers() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.reflectt(["init"]).ok();
    let before = state(&repo);
    repo.reflectt(["status"]).snapshot(
        "
            exit 2
            --- stderr
            error: it is not known who asks
            hint: reflectt join NAME (makes this worktree act as NAME)
            hint: reflectt --as NAME … (for one command)
            ",
    );
    repo.as_agent("kai", ["status"]).snapshot(
        "
            exit 5
            --- stderr
            error: there is no agent `kai`
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            ",
    );
    repo.as_agent("kai", ["task", "new", "A title"]).snapshot(
        "
            exit 5
            --- stderr
            error: there is no agent `kai`
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            ",
    );
    assert_eq!(state(&repo), before);
}

#[test]
fn no_git() {
    let env = TestEnv::new();
    let repo = team(&env);
    let before = state(&repo);
    let empty = env.dir().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let run = |args: &[&str]| {
        let run = repo.command(args).agent("kai");
        run.env("PATH", empty.to_str().unwrap()).run()
    };
    run(&["claim", "k3f9x2"]).snapshot(
        "
            exit 1
            --- stderr
            error: cannot find `git` on the search path
            hint: install git [VERSION] or later and put it on the PATH
            ",
    );
    run(&["send", "link", "hi"]).snapshot(
        "
            exit 1
            --- stderr
            error: cannot find `git` on the search path
            hint: install git [VERSION] or later and put it on the PATH
            ",
    );
    run(&["status"]).ok();
    run(&["doctor"]).snapshot(
        "
            exit 1
            --- stdout
            error    git: cannot find `git` on the search path → install git [VERSION] or later
            warning  [DIR]/repo/.git/hooks/pre-commit: claims are not enforced by `pre-commit` here: cannot find `git` on the search path → reflectt hooks status
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git ?, refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            ",
    );
    assert_eq!(state(&repo), before);
}

fn leave_lock(repo: &Repo, path: &str, age: Duration) -> std::path::PathBuf {
    let lock = repo.common_dir().join(path);
    let file = std::fs::File::create(&lock).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
    lock
}

#[test]
fn a_lock_that_a_killed_git_left() {
    let env = TestEnv::new();
    let repo = team(&env);
    for path in ["refs/heads/reflectt.lock", "refs/reflectt/claims.lock"] {
        let lock = leave_lock(&repo, path, Duration::from_secs(60));
        let found = repo.reflectt(["--json", "doctor"]).code(1).json();
        assert_eq!(found["findings"][0]["what"], "stale_lock");
        assert!(lock.exists(), "looking changes nothing");
        let claimed = repo.as_agent("kai", ["claim", "a7d20c"]).ok();
        assert!(
            claimed.stderr.contains("left behind by a killed process"),
            "{claimed}"
        );
        assert!(!lock.exists());
        repo.as_agent("kai", ["release", "a7d20c"]).ok();
        let lock = leave_lock(&repo, path, Duration::from_secs(60));
        repo.reflectt(["doctor", "--fix"]).ok();
        assert!(!lock.exists());
    }
}

#[test]
fn a_lock_that_somebody_seems_to_hold_is_waited_for() {
    let env = TestEnv::new();
    let repo = team(&env);
    // As young as a live one: the first command waits until it is known to be dead.
    let lock = leave_lock(&repo, "refs/heads/reflectt.lock", Duration::ZERO);
    repo.reflectt(["doctor"]).ok();
    repo.as_agent("kai", ["claim", "a7d20c"]).ok();
    assert!(!lock.exists());
}
