//! One short day of a team, in every kind of repository and on every kind of disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::support::{Repo, TestEnv, poll_until};

/// Goes through a task's life and back, each step from the place it would be done at.
fn a_day(kai: &Repo, link: &Repo, between: &dyn Fn()) {
    let step = |repo: &Repo, agent: &str, args: &[&str]| {
        let output = repo.as_agent(agent, args).ok();
        between();
        output
    };
    kai.reflectt(["init"]).ok();
    between();
    step(kai, "kai", &["join", "kai"]);
    step(link, "link", &["join", "link", "--lane", "backend"]);
    let id = kai.task("kai", "Keep the return path", &["--path", "src/auth"]);
    between();
    step(kai, "kai", &["claim", &id]);
    let held = link.as_agent("link", ["--json", "claim", &id]).code(3);
    assert_eq!(held.json()["error"]["holder"], "kai");
    step(
        kai,
        "kai",
        &[
            "submit",
            &id,
            "--summary",
            "it works",
            "--evidence",
            "1=make test",
        ],
    );
    step(link, "link", &["review", &id, "--approve"]);
    step(link, "link", &["send", "kai", "well done"]);
    let inbox = kai.as_agent("kai", ["--json", "inbox"]).ok().json();
    let bodies: Vec<&str> = inbox["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["body"].as_str().unwrap())
        .collect();
    assert!(bodies.contains(&"well done"), "{bodies:?}");
    step(kai, "kai", &["ack", "--all"]);
    let status = kai.as_agent("kai", ["--json", "status"]).ok().json();
    assert_eq!(status["inbox_count"], 0);
    assert_eq!(status["queue"]["doing"], 0);
    let shown = kai.as_agent("kai", ["--json", "task", "show", &id]).ok();
    let shown = shown.json();
    assert_eq!(shown["approved"]["by"], "link");
    // Where the landing branch has the commit already, that is all there is to do.
    if shown["status"] != "done" {
        assert_eq!(shown["status"], "validating");
        return;
    }
    assert_eq!(
        link.as_agent("link", ["--json", "claims"]).ok().json()["claims"],
        serde_json::json!([])
    );
    kai.reflectt(["doctor"]).ok();
    // Beside a `git gc`, git itself may look for a pack that has just been replaced.
    poll_until("git finds nothing wrong", Duration::from_secs(60), || {
        let checked = kai.try_git(["fsck", "--strict", "--no-dangling"]);
        (checked.status == Some(0)).then_some(())
    });
}

fn alone(repo: &Repo) {
    a_day(repo, repo, &|| ());
}

/// What nobody but the user may change.
fn checkout(repo: &Repo) -> (String, Option<Vec<u8>>, String) {
    let git_dir = repo.path().join(repo.git(["rev-parse", "--git-dir"]));
    (
        repo.git(["status", "--porcelain", "--branch"]),
        std::fs::read(git_dir.join("index")).ok(),
        std::fs::read_to_string(git_dir.join("HEAD")).unwrap(),
    )
}

#[test]
fn in_a_plain_repository() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.write("staged", "a");
    repo.git(["add", "staged"]);
    repo.write("unstaged", "b");
    let before = checkout(&repo);
    alone(&repo);
    assert_eq!(checkout(&repo), before);
}

#[test]
fn in_linked_worktrees() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let (kai, link) = (repo.worktree("kai"), repo.worktree("link"));
    let before = (checkout(&kai), checkout(&link), checkout(&repo));
    a_day(&kai, &link, &|| ());
    assert_eq!((checkout(&kai), checkout(&link), checkout(&repo)), before);
    // Bound by `join`, each worktree acts as its agent with nothing said.
    let who = |repo: &Repo| repo.reflectt(["--json", "status"]).ok().json()["agent"].clone();
    assert_eq!((who(&kai), who(&link)), ("kai".into(), "link".into()));
}

#[test]
fn in_a_bare_repository() {
    let env = TestEnv::new();
    alone(&env.bare("bare"));
}

#[test]
fn in_worktrees_of_a_bare_repository() {
    let env = TestEnv::new();
    let bare = env.bare("bare");
    let tree = bare.git(["hash-object", "-t", "tree", "-w", "--stdin"]);
    let first = bare.git(["commit-tree", "-m", "first", &tree]);
    bare.git(["update-ref", "refs/heads/main", &first]);
    let (kai, link) = (bare.worktree("kai"), bare.worktree("link"));
    a_day(&kai, &link, &|| ());
}

#[test]
fn with_no_commit_yet() {
    let env = TestEnv::new();
    let repo = env.empty_repo("repo", &[]);
    alone(&repo);
    // The branch the user is about to begin is still theirs.
    assert_eq!(repo.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
    repo.try_git(["rev-parse", "--verify", "HEAD"]).code(128);
}

#[test]
fn from_a_sub_directory() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    alone(&repo.sub("deep/down"));
    let deep = repo.sub("deep/down");
    let args = ["--json", "claim", "--path", "x.rs", "-m", "a small repair"];
    let claim = deep.as_agent("kai", args).ok().json();
    assert_eq!(
        claim["claim"]["paths"],
        serde_json::json!(["deep/down/x.rs"])
    );
}

#[test]
fn with_reftable() {
    let env = TestEnv::new();
    alone(&env.empty_repo("repo", &["--ref-format=reftable"]));
    let repo = env.empty_repo("both", &["--ref-format=reftable", "--object-format=sha256"]);
    repo.commit("first");
    a_day(&repo.worktree("kai"), &repo.worktree("link"), &|| ());
}

#[test]
fn with_sha256() {
    let env = TestEnv::new();
    alone(&env.empty_repo("repo", &["--object-format=sha256"]));
    let repo = env.empty_repo("other", &["--object-format=sha256"]);
    repo.commit("first");
    a_day(&repo.worktree("kai"), &repo.worktree("link"), &|| ());
}

#[test]
fn with_everything_packed_between_the_steps() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    a_day(&repo, &repo, &|| {
        repo.git(["pack-refs", "--all", "--prune"]);
        repo.git(["gc", "-q", "--prune=now"]);
    });
    let reftable = env.empty_repo("reftable", &["--ref-format=reftable"]);
    a_day(&reftable, &reftable, &|| {
        reftable.git(["gc", "-q", "--prune=now"]);
    });
}

#[test]
fn with_gc_beside_it() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // Two at once refuse each other, and that is not what is tested.
                repo.try_git(["pack-refs", "--all"]);
                repo.try_git(["gc", "-q"]);
            }
        });
        // Ends the loop when the day ends in a panic, too.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _stop = Stop(&done);
        alone(&repo);
    });
}

#[test]
fn with_objects_borrowed_from_another_repository() {
    let env = TestEnv::new();
    let origin = env.repo("origin");
    alone(&origin);
    let path = |repo: &Repo| repo.path().to_str().unwrap().to_owned();
    let target = env.dir().join("borrower");
    let args = [
        "clone",
        "-q",
        "--shared",
        &path(&origin),
        target.to_str().unwrap(),
    ];
    origin.git(args);
    let borrower = Repo::at(env.clone(), target);
    // Both refs come with a fetch; their objects are the origin's.
    borrower.git(["fetch", "-q", "origin", "refs/reflectt/*:refs/reflectt/*"]);
    borrower.git([
        "update-ref",
        "refs/heads/reflectt",
        "refs/remotes/origin/reflectt",
    ]);
    let tasks = borrower
        .reflectt(["--json", "task", "list", "--all"])
        .ok()
        .json();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 1);
    let id = borrower.task("kai", "Another one", &[]);
    borrower.as_agent("kai", ["claim", &id]).ok();
    borrower.git(["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn with_the_git_directory_elsewhere() {
    let env = TestEnv::new();
    let outside = env.outside();
    let git_dir = env.dir().join("elsewhere.git");
    let repo = env.empty_repo("repo", &["--separate-git-dir", git_dir.to_str().unwrap()]);
    alone(&repo);
    // And named by variable, as a hook sees it.
    let run = outside.command(["--json", "--as", "kai", "status"]);
    run.env("GIT_DIR", git_dir.to_str().unwrap()).run().ok();
}

#[test]
fn names_with_spaces_and_letters_of_other_scripts() {
    let env = TestEnv::new();
    let repo = env.repo("a repository — übung 🦀");
    let kai = repo.worktree("kai");
    a_day(&kai, &repo.sub("ein ordner"), &|| ());
}

#[test]
fn names_that_are_not_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let env = TestEnv::new();
    let place = |name: &[u8]| env.dir().join(OsStr::from_bytes(name));
    let path = place(b"repo \xff");
    std::fs::rename(env.repo("repo").path(), &path).unwrap();
    let repo = Repo::at(env.clone(), path);
    let linked = |name: &[u8]| {
        let path = place(name);
        let mut git = repo.git_command(["worktree", "add", "-q", "--detach"]);
        assert!(git.arg(&path).status().unwrap().success());
        Repo::at(env.clone(), path)
    };
    let (kai, link) = (linked(b"wt \xfd"), linked(b"wt \xfe"));
    a_day(&kai, &link, &|| {});
    for (repo, name) in [(&kai, "kai"), (&link, "link")] {
        let status = repo.reflectt(["--json", "status"]).ok().json();
        assert_eq!(
            status["agent"], name,
            "each worktree has the name it was given"
        );
    }
    // The one that is removed, and no other, ends its agent.
    assert!(
        repo.git_command(["worktree", "remove", "--force"])
            .arg(kai.path())
            .status()
            .unwrap()
            .success()
    );
    let who = link.reflectt(["--json", "who"]).ok().json();
    assert_eq!(who["agents"][1]["status"], "active");

    let below = link.path().join(OsStr::from_bytes(b"sub \xfe"));
    std::fs::create_dir(&below).unwrap();
    let below = Repo::at(env.clone(), below);
    below.reflectt(["status"]).ok();
    let refused = below
        .reflectt(["claim", "--path", "x", "-m", "why"])
        .code(1);
    assert!(
        refused
            .stderr
            .contains("is not UTF-8, which no pattern can be"),
        "{refused}"
    );
}

/// Returns every ref and what it holds.
fn refs(repo: &Repo) -> String {
    repo.git(["for-each-ref"])
}

/// Commands that write, each in a way of its own.
fn writes(id: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["task", "new", "One more", "--criterion", "a test shows it"],
        vec!["claim", id],
        vec!["next", "--claim"],
        vec!["claim", "--path", "docs", "-m", "a small repair"],
        vec!["send", "link", "are you there?"],
        vec!["ack", "--all"],
        vec!["task", "comment", id, "a thought"],
        vec!["config", "set", "wip.agent", "3"],
        vec!["board", "--write"],
    ]
}

/// Commands that only read.
fn reads(id: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["status"],
        vec!["next"],
        vec!["task", "list"],
        vec!["task", "show", id],
        vec!["inbox"],
        vec!["claims"],
        vec!["who"],
        vec!["board"],
        vec!["log"],
        vec!["doctor"],
    ]
}

fn team_with_mail(env: &TestEnv, name: &str) -> (Repo, String) {
    let repo = env.repo(name);
    repo.found(&["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("link", ["send", "kai", "hello"]).ok();
    repo.as_agent("kai", ["inbox"]).ok();
    (repo, id)
}

/// A limit on the size of files stands for the full disk: it needs no rights, and what is written
/// fails in the same places. The signal that comes with it is ignored, as a full disk sends none.
#[test]
fn on_a_full_disk_nothing_changes_and_reading_goes_on() {
    let env = TestEnv::new();
    let (repo, id) = team_with_mail(&env, "repo");
    // Long enough to pass the larger limits below, so that the log of a ref is what fails.
    for _ in 0..4 {
        repo.as_agent("kai", ["task", "comment", &id, "a thought"])
            .ok();
    }
    let before = refs(&repo);
    for blocks in [0, 1, 2] {
        let full = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        for args in writes(&id) {
            let output = repo.command(&args).agent("kai").by_shell(&full).run();
            if blocks > 0 && output.status == Some(0) {
                // What is small still fits; then it must have happened.
                continue;
            }
            let output = output.code(1);
            assert!(
                output.stderr.contains("no space left") && output.stderr.contains("hint: free"),
                "{blocks} blocks: {output}"
            );
        }
        if blocks == 0 {
            assert_eq!(refs(&repo), before);
            for args in reads(&id) {
                repo.command(&args).agent("kai").by_shell(&full).run().ok();
            }
        }
    }
    // With space again all is well.
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.reflectt(["doctor"]).ok();
    repo.git(["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn on_a_full_disk_no_team_starts_and_one_can_later() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let before = refs(&repo);
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let output = repo.command(["init"]).by_shell(full).run().code(1);
    assert!(output.stderr.contains("no space left"), "{output}");
    assert_eq!(refs(&repo), before);
    alone(&repo);
}

const NOBODY: u32 = 65534;

/// Runs `act` with the repository's files written by nobody, and gives them back.
///
/// Root may write whatever the modes say; then somebody else has to try.
fn read_only(repo: &Repo, act: impl Fn(&dyn Fn(&[&str]) -> super::support::Output)) {
    let is_root = std::process::Command::new("id").arg("-u").output().unwrap();
    let is_root = is_root.stdout == b"0\n";
    let dir = repo.path().to_str().unwrap();
    let sh = |script: &str| {
        let status = std::process::Command::new("sh")
            .args(["-c", script, "sh", dir])
            .status();
        assert!(status.unwrap().success(), "{script}");
    };
    sh("chmod 755 \"$1/..\" && chmod -R a-w,a+rX \"$1\"");
    let binary = repo.env().dir().join("reflectt");
    if is_root {
        sh(&format!("chown -R {NOBODY} \"$1\""));
        // The one under test may lie where only root can reach.
        std::fs::copy(super::support::process::BINARY, &binary).unwrap();
    }
    act(&|args| {
        let run = repo.command(args).agent("kai");
        if is_root {
            let script = format!("shift; exec '{}' \"$@\"", binary.display());
            run.by_shell(&script).user(NOBODY).run()
        } else {
            run.run()
        }
    });
    sh("chmod -R u+w \"$1\"");
    if is_root {
        sh("chown -R 0 \"$1\"");
    }
}

#[test]
fn on_a_read_only_disk_nothing_changes_and_reading_goes_on() {
    let env = TestEnv::new();
    let (repo, id) = team_with_mail(&env, "repo");
    let before = refs(&repo);
    read_only(&repo, |run| {
        for args in writes(&id) {
            let output = run(&args).code(1);
            assert!(
                output.stderr.contains("read-only or no permission"),
                "{output}"
            );
        }
        for args in reads(&id) {
            run(&args).ok();
        }
        run(&["heartbeat"]).code(1);
    });
    assert_eq!(refs(&repo), before);
    repo.as_agent("kai", ["claim", &id]).ok();
}

#[test]
fn on_a_read_only_disk_no_team_starts() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    read_only(&repo, |run| {
        let output = run(&["init"]).code(1);
        assert!(
            output.stderr.contains("read-only or no permission"),
            "{output}"
        );
    });
    alone(&repo);
}

#[test]
fn where_the_objects_cannot_be_a_directory() {
    let env = TestEnv::new();
    let (repo, id) = team_with_mail(&env, "repo");
    repo.git(["gc", "-q"]);
    let before = refs(&repo);
    let objects = repo.common_dir().join("objects");
    // Reading finds the pack; the one directory a new object would need is a file.
    for prefix in 0..=255 {
        std::fs::write(objects.join(format!("{prefix:02x}")), "").unwrap();
    }
    for args in writes(&id) {
        let output = repo.as_agent("kai", &args).code(1);
        assert!(output.stderr.contains("error: cannot write"), "{output}");
    }
    assert_eq!(refs(&repo), before);
    repo.as_agent("kai", ["status"]).ok();
}

/// Returns what has another mode than this below a directory, as `mode path`.
fn of_other_modes(dir: &std::path::Path, directory: u32, files: &[u32]) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(path) = waiting.pop() {
        let meta = path.symlink_metadata().unwrap();
        let mode = meta.permissions().mode() & 0o7777;
        if !(meta.is_dir() && mode == directory || meta.is_file() && files.contains(&mode)) {
            found.push(format!("{mode:o} {}", path.display()));
        }
        if meta.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            waiting.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    found
}

#[test]
fn what_a_group_shares_it_can_read_and_write() {
    let env = TestEnv::new();
    let hub = env.dir().join("hub.git");
    env.repo("elsewhere")
        .git(["init", "-q", "--bare", hub.to_str().unwrap()]);
    let path = env.dir().join("shared");
    let name = path.to_str().unwrap();
    env.repo("beside")
        .git(["init", "-q", "--shared=0660", name]);
    let repo = Repo::at(env.clone(), path);
    repo.git(["remote", "add", "origin", hub.to_str().unwrap()]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "first"]);
    let link = repo.worktree("link");
    a_day(&repo, &link, &|| {});
    repo.as_agent("kai", ["sync"]).ok();
    let tied = ["run", "--as", "kai", "--", "true"];
    repo.as_agent("kai", tied).ok();
    let dir = repo.common_dir();
    let none: [String; 0] = [];
    assert_eq!(
        of_other_modes(&dir.join("reflectt"), 0o2770, &[0o660]),
        none
    );
    assert_eq!(of_other_modes(&dir.join("objects"), 0o2770, &[0o440]), none);
}
