//! The ground the other tests stand on.

use std::time::Duration;

use super::*;

#[test]
fn nothing_is_inherited() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    assert_eq!(
        repo.git(["config", "--list", "--show-scope", "--global"]),
        ""
    );
    repo.try_git(["config", "user.name"]).code(1);
    let outside = env.outside();
    outside.try_git(["rev-parse", "--git-dir"]).code(128);
    outside.reflectt(["init"]).code(1);
}

#[test]
fn worktrees_and_sub_directories_are_of_one_repository() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let kai = repo.worktree("kai");
    assert_eq!(kai.sub("src/deep").common_dir(), repo.common_dir());
    assert_eq!(
        env.clone_of(&repo, "clone").git(["log", "--format=%s"]),
        "first"
    );
    assert_eq!(
        env.bare("bare").git(["rev-parse", "--is-bare-repository"]),
        "true"
    );
    kai.write("a/b", "c");
    let commit = kai.commit("second");
    assert_eq!(kai.git(["rev-parse", "kai"]), commit);
}

#[test]
fn snapshots_have_placeholders() {
    let id = |word: &str| (word == "k3f9x2").then(|| "[ID1]".to_owned());
    for (text, masked) in [
        ("claim k3f9x2: branch", "claim [ID1]: branch"),
        ("tasks/k3f9x2-fix.toml", "tasks/[ID1]-fix.toml"),
        ("ak3f9x2", "ak3f9x2"),
        ("at 2026-11-20T15:33:17Z.", "at [TIME]."),
        ("\"2026-11-20T15:33:17.123Z\"", "\"[TIME]\""),
        ("archive/2026-11/x", "archive/[MONTH]/x"),
        ("on 2026-11-20", "on [DATE]"),
        ("v2026-11-200", "v2026-11-200"),
        (
            "just now, 3s ago, 44m ago, in 3s",
            "[AGO], [AGO], [AGO], in 3s",
        ),
        ("01KAXK5V0QWERTY123456789AB", "[ULID]"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "[OID]"),
        ("é 17 `defaced`", "é 17 `defaced`"),
    ] {
        assert_eq!(snapshot::mask(text, id), masked, "{text}");
    }
}

#[test]
fn a_snapshot_is_the_whole_output() {
    let env = TestEnv::new();
    env.outside().reflectt(["init"]).snapshot(
        "
        exit 1
        --- stderr
        error: `[DIR]/outside` is not in a git repository
        hint: git init (makes one), or reflectt -C DIR …
        ",
    );
}

#[test]
fn a_race_starts_and_collects_all() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let outputs = race((0..4).map(|_| repo.command(["--json", "init"])));
    let new = |output: &Output| output.clone().ok().json()["initialised"] == true;
    assert_eq!(outputs.iter().filter(|o| new(o)).count(), 1, "{outputs:?}");
}

#[test]
fn a_running_command_can_be_waited_for_and_killed() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let mut running = repo.command(["init"]).env("X", "1").stdin("x").spawn();
    poll_until("init ends", Duration::from_secs(20), || {
        running.has_ended().then_some(())
    });
    running.finish().ok();
    let killed = repo.command(["init"]).spawn().kill();
    assert!(matches!(killed.status, None | Some(0)), "{killed}");
    assert_eq!(repo.reflectt(["--json", "init"]).json_lines().len(), 1);
}

#[test]
fn machines_may_have_clocks_of_their_own() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let hour = 3_600_000;
    let made = |repo: &Repo| {
        let id = repo.task("kai", "Anything", &[]);
        let task = repo.reflectt(["--json", "task", "show", &id]).ok().json();
        let text = task["created"].as_str().unwrap().to_owned();
        let seconds = repo.git(["log", "-1", "--format=%ct", "reflectt"]);
        (text, seconds.parse::<i64>().unwrap())
    };
    let behind = made(&repo.with_clock(-hour));
    let (right, ahead) = (made(&repo), made(&repo.with_clock(hour)));
    assert!(
        behind.0 < right.0 && right.0 < ahead.0,
        "{behind:?} {right:?} {ahead:?}"
    );
    assert!(ahead.1 - right.1 >= 3599, "{right:?} {ahead:?}");
}
