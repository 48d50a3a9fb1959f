//! `reflectt doctor`: what it says of a team that is well, and what it finds and mends.
//!
//! Damaged files have their tests in `bad_input`, killed processes in `crash`.

use super::support::{Repo, TestEnv};

/// Returns what is wrong, as `severity what fixed`, without what is merely to be known.
fn findings(repo: &Repo, args: &[&str]) -> Vec<String> {
    let found = repo.reflectt(args).json();
    let found = found["findings"].as_array().unwrap().iter();
    found
        .filter(|finding| finding["severity"] != "info")
        .map(|finding| {
            let word = |key: &str| finding[key].as_str().unwrap().to_owned();
            let fixed = finding["fixed"].as_bool().unwrap();
            format!("{} {} {fixed}", word("severity"), word("what"))
        })
        .collect()
}

const LOOK: [&str; 2] = ["--json", "doctor"];
const FIX: [&str; 3] = ["--json", "doctor", "--fix"];

#[test]
fn all_is_well() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.as_agent("kai", ["board", "--write"]).ok();
    let before = repo.git(["for-each-ref"]);
    for args in [&["doctor"][..], &["doctor", "--fix"]] {
        repo.reflectt(args).snapshot(
            "
            --- stdout
            everything is in order
            git [VERSION], refs in files, sha1 objects; tasks: 1 open, 0 archived; agents: 2; claims: 1
            ",
        );
    }
    let told = repo.reflectt(LOOK).ok().json();
    assert_eq!(told["findings"], serde_json::json!([]));
    assert_eq!(told["facts"]["refs"], "files");
    assert_eq!(told["facts"]["claims"], 1);
    assert_eq!(repo.git(["for-each-ref"]), before);
}

#[test]
fn the_kind_of_repository_is_told() {
    let env = TestEnv::new();
    let args = ["--ref-format=reftable", "--object-format=sha256"];
    let repo = env.empty_repo("repo", &args);
    repo.found(&["kai"]);
    let told = repo.reflectt(LOOK).ok().json();
    assert_eq!(told["facts"]["refs"], "reftable");
    assert_eq!(told["facts"]["objects"], "sha256");
}

#[test]
fn the_shape_of_a_finding_is_a_promise() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let beats = repo.common_dir().join("reflectt/heartbeats");
    std::fs::write(beats.join("stranger"), "here\n").unwrap();
    let found = repo.reflectt(LOOK).ok().json();
    assert_eq!(
        found["findings"][0],
        serde_json::json!({
            "severity": "warning",
            "what": "heartbeat_of_unknown",
            "agent": "stranger",
            "reason": "it has a heartbeat here and is not on the team",
            "fix": "reflectt doctor --fix",
            "fixed": false,
        })
    );
}

#[test]
fn a_git_that_is_too_old() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let bin = env.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = "#!/bin/sh\nif [ \"$1\" = version ]; then echo git version 2.20.1; else PATH=\"$OLD\" exec git \"$@\"; fi\n";
    std::fs::write(bin.join("git"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("git"), mode).unwrap();
    let old = std::env::var("PATH").unwrap();
    let run = repo.command(LOOK).env("OLD", &old);
    let found = run.env("PATH", format!("{}:{old}", bin.display())).run();
    let found = found.code(1).json();
    assert_eq!(found["findings"][0]["what"], "git_version");
    assert_eq!(
        found["findings"][0]["reason"],
        "git 2.20.1 is too old; 2.30.0 is the oldest"
    );
}

/// Takes an agent's file from the record, as a merge by hand may.
fn lose(repo: &Repo, name: &str) {
    let desk = repo.common_dir().join("desk");
    let git = |args: &[&str]| {
        let mut command = repo.git_command(args);
        command.env("GIT_INDEX_FILE", &desk);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["read-tree", "reflectt"]);
    git(&[
        "update-index",
        "--force-remove",
        &format!("agents/{name}.toml"),
    ]);
    let tree = git(&["write-tree"]);
    let commit = git(&["commit-tree", "-p", "reflectt", "-m", SIGNED, &tree]);
    git(&["update-ref", "refs/heads/reflectt", &commit]);
}

/// Unsigned, a deletion would be put back.
const SIGNED: &str = "lost\n\nReflectt-Version: 0.1.0";

#[test]
fn whoever_left_is_named_wherever_they_still_count() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("link", ["claim", &id]).ok();
    repo.as_agent("kai", ["send", "link", "hello"]).ok();
    lose(&repo, "link");
    let worktree = "warning worktree_of_unknown false";
    assert_eq!(
        findings(&repo, &LOOK),
        [
            worktree,
            "warning inbox_of_unknown false",
            "warning unknown_agent false",
            "warning claim_of_unknown false",
            "warning heartbeat_of_unknown false",
        ]
    );
    assert_eq!(
        findings(&repo, &FIX).last().unwrap(),
        "warning heartbeat_of_unknown true"
    );
    // What remains is said with a command that does away with it.
    repo.as_agent("link", ["join", "link"]).ok();
    assert!(findings(&repo, &LOOK).is_empty());
}

#[test]
fn a_claim_without_its_record_is_mended() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    let record = repo.git(["rev-parse", "reflectt"]);
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.git(["update-ref", "refs/heads/reflectt", &record]);
    assert_eq!(findings(&repo, &LOOK), ["error claim_without_record false"]);
    // Nobody has to say who they are to have it mended.
    assert_eq!(findings(&repo, &FIX), ["error claim_without_record true"]);
    assert!(findings(&repo, &LOOK).is_empty());
    let task = repo.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(
        (&task["status"], &task["assignee"]),
        (&"doing".into(), &"kai".into())
    );
    repo.as_agent("link", ["claim", &id]).code(3);
}

#[test]
fn a_lost_claims_table_is_mended() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.git(["update-ref", "-d", "refs/reflectt/claims"]);
    assert_eq!(findings(&repo, &LOOK), ["error claims_table false"]);
    // It is not taken for empty.
    repo.as_agent("link", ["claim", &id]).code(1);
    repo.as_agent("link", ["send", "kai", "what happened?"])
        .ok();
    repo.reflectt(FIX).ok();
    assert!(findings(&repo, &LOOK).is_empty());
    repo.as_agent("link", ["claim", &id]).code(3);
    repo.as_agent("kai", ["release", &id]).ok();
    let claimed = repo.as_agent("link", ["--json", "claim", &id]).ok().json();
    assert!(claimed["claim"]["fence"].as_u64() > Some(1), "{claimed}");
}

#[test]
fn a_task_is_mended_the_same_way_wherever_it_is_mended() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let first = repo.task("kai", "The older task", &[]);
    let second = repo.task("kai", "The younger task", &[]);
    let desk = env.dir().join("desk");
    repo.git(["worktree", "add", "-q", desk.to_str().unwrap(), "reflectt"]);
    let desk = Repo::at(env.clone(), desk);
    let old = format!("tasks/{second}-the-younger-task.toml");
    let new = format!("tasks/{first}-the-younger-task.toml");
    let text = std::fs::read_to_string(desk.path().join(&old)).unwrap();
    desk.write(&new, text.replace(&second, &first));
    std::fs::remove_file(desk.path().join(&old)).unwrap();
    desk.commit("two tasks that drew one id\n\nReflectt-Version: 0.1.0");
    let tip = repo.git(["rev-parse", "reflectt"]);
    repo.git([
        "worktree",
        "remove",
        "--force",
        desk.path().to_str().unwrap(),
    ]);
    let ids = || {
        let tasks = repo.reflectt(["--json", "task", "list"]).ok().json();
        let tasks = tasks["tasks"].as_array().unwrap().iter();
        let mut ids: Vec<String> = tasks
            .map(|t| t["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(), [first.as_str()]);
    assert_eq!(findings(&repo, &FIX), ["error same_id true"]);
    let one_way = ids();
    assert_eq!(one_way.len(), 2);
    // Another clone, which has not heard of it, does the same.
    repo.git(["update-ref", "refs/heads/reflectt", &tip]);
    repo.reflectt(FIX).ok();
    assert_eq!(ids(), one_way);
}
