//! A branch for each task: which one a claim switches to, where it begins, and which commits are
//! the task's.

use std::process::Command;

use serde_json::Value;

use crate::hooks::script;
use crate::order::show;
use crate::support::{Output, Repo, TestEnv, check};
use crate::sync::Machines;

/// A team in a repository with two files on `main`.
fn team(agents: &[&str]) -> Repo {
    let repo = TestEnv::new().repo("repo");
    founded(repo, agents)
}

fn founded(repo: Repo, agents: &[&str]) -> Repo {
    repo.write("src/a.rs", "a\n");
    repo.write("src/b.rs", "b\n");
    repo.commit("files");
    repo.found(agents);
    repo.git(["config", "reflectt.hookTimeLimit", "60s"]);
    repo.set(agents[0], "wip.agent", "9");
    repo
}

fn here(repo: &Repo) -> String {
    repo.git(["branch", "--show-current"])
}

fn head(repo: &Repo) -> String {
    repo.git(["rev-parse", "HEAD"])
}

#[track_caller]
fn claim(repo: &Repo, agent: &str, id: &str) -> Value {
    let claimed = repo.as_agent(agent, ["--json", "claim", id, "--branch"]);
    claimed.ok().json()["claim"].clone()
}

/// Submits what is checked out.
#[track_caller]
fn submit(repo: &Repo, agent: &str, id: &str) -> Output {
    let args = ["submit", id, "--summary", "done", "--evidence", "1=seen"];
    repo.as_agent(agent, args).ok()
}

/// Commits as an agent, through the hooks, and returns which task the commit names.
#[track_caller]
fn commit(repo: &Repo, agent: &str, file: &str, task: Option<&str>) -> (String, String) {
    repo.write(file, format!("{file}{}\n", fastrand::u64(..)));
    repo.git(["add", "-A"]);
    let mut command: Command = repo.git_command(["commit", "-q", "-m", file]);
    command.env("REFLECTT_AGENT", agent);
    command.envs(task.map(|id| ("REFLECTT_TASK", id)));
    let done = Output::of(repo, "git commit", command.output().unwrap()).ok();
    let format = "--format=%(trailers:key=Reflectt-Task,valueonly,separator=%x2C)";
    (repo.git(["log", "-1", format]), done.stderr)
}

#[test]
fn a_claim_switches_to_a_branch_of_the_task() {
    for args in [
        &[][..],
        &["--object-format=sha256", "--ref-format=reftable"][..],
    ] {
        let env = TestEnv::new();
        let repo = founded(env.empty_repo("repo", args), &["kai"]);
        let main = repo.commit("second");
        let id = repo.task("kai", "Keep the Return path!", &["--path", "src/a.rs"]);
        // Somewhere else, and detached: it begins at the landing branch all the same.
        repo.git(["checkout", "-q", "--detach", "HEAD~1"]);
        let claimed = claim(&repo, "kai", &id);
        let branch = format!("task/{id}-keep-the-return-path");
        assert_eq!(here(&repo), branch);
        assert_eq!(head(&repo), main);
        assert_eq!(
            (&claimed["branch"], &claimed["base"]),
            (&branch.clone().into(), &main.into())
        );
        assert_eq!(show(&repo, &id)["branch"], branch);
        let next = repo.task("kai", "Another", &[]);
        let named = ["--json", "next", "--claim", "--branch", "mine"];
        repo.as_agent("kai", ["block", &id, "--reason", "waits"])
            .ok();
        let up = repo.as_agent("kai", named).ok().json();
        assert_eq!(
            (&up["claim"]["id"], &up["claim"]["branch"]),
            (&next.into(), &"mine".into())
        );
        assert_eq!(here(&repo), "mine");
        check::sound(&repo);
    }
}

#[test]
fn what_is_not_committed_is_never_in_danger() {
    let repo = team(&["kai"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.git(["switch", "-qc", "old"]);
    repo.commit("elsewhere");
    let refused = |what: &str| {
        let refused = repo.as_agent("kai", ["--json", "claim", &id, "--branch"]);
        let json = refused.code(4).json();
        assert_eq!(json["error"]["rule"], "dirty", "{json}");
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains(what), "{message}");
        assert_eq!(here(&repo), "old");
        assert!(check::claims(&repo).is_empty());
        message.to_owned()
    };
    for staged in [false, true] {
        repo.write("src/a.rs", "changed\n");
        if staged {
            repo.git(["add", "-A"]);
        }
        refused("src/a.rs");
    }
    repo.git(["reset", "-q", "--hard"]);

    // A file that would be overwritten; any other may lie about.
    repo.git(["switch", "-q", "main"]);
    repo.write("new.rs", "theirs\n");
    repo.commit("new");
    repo.git(["switch", "-q", "old"]);
    repo.write("notes", "mine\n");
    repo.write("new.rs", "mine\n");
    refused("new.rs");
    std::fs::remove_file(repo.path().join("new.rs")).unwrap();

    // What git has begun here has to be ended.
    let merge = repo
        .git_command(["merge", "-q", "--no-commit", "--no-ff", "main"])
        .output();
    assert!(merge.unwrap().status.success());
    refused("merge is not finished");
    repo.git(["merge", "--abort"]);

    // A branch that another worktree has.
    let other = repo.worktree("other");
    let taken = repo
        .as_agent("kai", ["claim", &id, "--branch", "other"])
        .code(4);
    assert!(taken.stderr.contains("checked out in"), "{taken}");
    assert_eq!(here(&other), "other");
    for name in ["a b", "-q", "x..y", "@{-1}"] {
        let option = format!("--branch={name}");
        let wrong = repo.as_agent("kai", ["claim", &id, &option]).code(2);
        assert!(wrong.stderr.contains("not a name"), "{wrong}");
    }
    assert!(check::claims(&repo).is_empty());

    // One that was only touched has no changes.
    repo.git(["switch", "-q", "main"]);
    repo.write("src/a.rs", "newer\n");
    repo.commit("newer");
    repo.git(["switch", "-q", "old"]);
    let touched = std::fs::File::options()
        .append(true)
        .open(repo.path().join("src/a.rs"));
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(9);
    touched.unwrap().set_modified(then).unwrap();
    claim(&repo, "kai", &id);
    assert_eq!(head(&repo), repo.git(["rev-parse", "main"]));
    assert_eq!(
        std::fs::read_to_string(repo.path().join("notes")).unwrap(),
        "mine\n"
    );
}

#[test]
fn where_there_is_no_worktree_or_no_commit() {
    let env = TestEnv::new();
    let bare = env.bare("bare.git");
    bare.found(&["kai"]);
    let id = bare.task("kai", "Keep the return path", &[]);
    let refused = bare.as_agent("kai", ["claim", &id, "--branch"]).code(2);
    assert!(
        refused.stderr.contains("there is no worktree here"),
        "{refused}"
    );
    assert!(check::claims(&bare).is_empty());
    bare.as_agent("kai", ["claim", &id]).ok();

    // Before the first commit.
    let env = TestEnv::new();
    let repo = env.empty_repo("repo", &[]);
    repo.found(&["kai"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    let claimed = claim(&repo, "kai", &id);
    assert_eq!(claimed["base"], Value::Null);
    assert_eq!(here(&repo), format!("task/{id}-keep-the-return-path"));

    // In a linked worktree, where the team lands nothing.
    let env = TestEnv::new();
    let repo = founded(env.repo("repo"), &["kai"]);
    repo.set("kai", "land.branch", "none");
    let linked = repo.worktree("linked");
    let at = linked.commit("its own");
    let id = repo.task("kai", "Keep the return path", &[]);
    claim(&linked, "kai", &id);
    assert_eq!(here(&repo), "main");
    assert_eq!(head(&linked), at);
}

#[test]
fn whoever_goes_on_begins_where_the_other_stopped() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    kai.set("kai", "wip.agent", "9");
    let branch = |id: &str| format!("task/{id}-keep-the-return-path");
    let task = |clone: &Repo| clone.task("kai", "Keep the return path", &[]);

    // Sent back and released, and taken up in another clone: nobody pushed a branch.
    let id = task(kai);
    claim(kai, "kai", &id);
    kai.write("src/a.rs", "half\n");
    let half = kai.commit("half");
    submit(kai, "kai", &id);
    link.reflectt(["sync"]).ok();
    link.as_agent(
        "link",
        ["review", &id, "--request-changes", "the other half"],
    )
    .ok();
    kai.reflectt(["sync"]).ok();
    kai.as_agent("kai", ["release", &id]).ok();
    link.reflectt(["sync"]).ok();
    claim(link, "link", &id);
    assert_eq!((here(link), head(link)), (branch(&id), half.clone()));
    // And back again.
    let more = link.commit("the other half");
    submit(link, "link", &id);
    kai.reflectt(["sync"]).ok();
    kai.as_agent("kai", ["review", &id, "--request-changes", "tests"])
        .ok();
    link.reflectt(["sync"]).ok();
    link.as_agent("link", ["handoff", &id, "--to", "kai", "--note", "yours"])
        .ok();
    kai.reflectt(["sync"]).ok();
    kai.git(["switch", "-q", "main"]);
    claim(kai, "kai", &id);
    assert_eq!(head(kai), more);
    assert_ne!(here(kai), branch(&id), "the old branch stays as it is");
    assert_eq!(kai.git(["rev-parse", &branch(&id)]), half);
    // Whoever is there already stays there.
    let again = here(kai);
    claim(kai, "kai", &id);
    assert_eq!(here(kai), again);
    kai.git(["switch", "-q", "main"]);
    claim(kai, "kai", &id);
    assert_eq!(here(kai), again);
}

#[test]
fn ones_own_branch_is_used_again() {
    let repo = team(&["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    claim(&repo, "kai", &id);
    let branch = here(&repo);
    let work = repo.commit("half");
    repo.as_agent("kai", ["release", &id]).ok();
    repo.git(["switch", "-q", "main"]);
    claim(&repo, "kai", &id);
    assert_eq!((here(&repo), head(&repo)), (branch.clone(), work.clone()));

    // Handed over in the same clone, while the first has it checked out: a branch of its own.
    repo.as_agent("kai", ["handoff", &id, "--to", "link", "--note", "yours"])
        .ok();
    let other = repo.worktree("other");
    let moved = claim(&other, "link", &id);
    assert_eq!(moved["branch"], format!("{branch}-2"));
    assert_eq!((here(&other), head(&other)), (format!("{branch}-2"), work));
    assert_eq!(here(&repo), branch);
    let claims = check::claims(&repo);
    assert_eq!(claims[&id]["branch"], format!("{branch}-2"));
    let mail = other.as_agent("link", ["--json", "inbox"]).ok().json();
    assert_eq!(mail["messages"], serde_json::json!([]), "its turn is taken");

    // What was sent back is gone on with where it lies.
    submit(&other, "link", &id);
    other.git(["switch", "-q", "--detach", "main"]);
    repo.as_agent("kai", ["review", &id, "--request-changes", "tests"])
        .ok();
    let status = other.as_agent("link", ["--json", "status"]).ok().json();
    let action = status["action"].as_str().unwrap();
    assert!(
        action.contains(&format!("`reflectt claim {id} --branch`")),
        "{action}"
    );
    let up = other
        .as_agent("link", ["--json", "next", "--claim", "--branch"])
        .ok()
        .json();
    assert_eq!(up["claim"]["id"], id);
    assert_eq!(here(&other), format!("{branch}-2"));
    let status = other.as_agent("link", ["--json", "status"]).ok().json();
    let action = status["action"].as_str().unwrap();
    assert!(!action.contains("--branch"), "{action}");
}

#[test]
fn while_the_remote_is_away() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, _] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["sync"]).ok();
    let claimed = kai
        .as_agent("kai", ["--offline", "--json", "claim", &id, "--branch"])
        .ok()
        .json();
    let branch = format!("task/{id}-keep-the-return-path");
    assert_eq!(claimed["claim"]["state"], "provisional");
    assert_eq!(
        (&claimed["claim"]["branch"], here(kai)),
        (&branch.clone().into(), branch.clone())
    );
    kai.git(["switch", "-q", "main"]);
    kai.reflectt(["sync"]).ok();
    let claims = check::claims(kai);
    assert_eq!(claims[&id]["branch"], branch);
    assert_eq!(claims[&id]["state"], "confirmed");
}

#[test]
fn a_switch_that_fails_after_the_claim_says_what_to_do() {
    let repo = team(&["kai"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.git(["switch", "-qc", "old", "HEAD~1"]);
    // Somebody else is at the index: nothing is begun.
    repo.write(".git/index.lock", "");
    let failed = repo.as_agent("kai", ["claim", &id, "--branch"]).code(1);
    assert!(failed.stderr.contains("index.lock"), "{failed}");
    assert!(check::claims(&repo).is_empty());
    std::fs::remove_file(repo.path().join(".git/index.lock")).unwrap();
    // Something that nobody can know before.
    let hook = repo.path().join(".git/hooks/reference-transaction");
    script(
        &hook,
        "#!/bin/sh\ntest $1 != prepared || ! grep -q refs/heads/task\n",
    );
    let failed = repo.as_agent("kai", ["claim", &id, "--branch"]).code(1);
    let again = format!("reflectt claim {id} --branch task/{id}-keep-the-return-path");
    assert!(failed.stderr.contains("is yours, but"), "{failed}");
    assert!(failed.stderr.contains(&again), "{failed}");
    assert_eq!(check::claims(&repo)[&id]["agent"], "kai");
    std::fs::remove_file(hook).unwrap();
    let again: Vec<&str> = again.split(' ').skip(1).collect();
    repo.as_agent("kai", again).ok();
    assert!(here(&repo).starts_with("task/"));

    // What runs after it does not undo it.
    let hook = repo.path().join(".git/hooks/post-checkout");
    script(&hook, "#!/bin/sh\necho no space left >&2\nexit 1\n");
    let other = repo.task("kai", "Another", &[]);
    let done = repo.as_agent("kai", ["claim", &other, "--branch"]).ok();
    assert!(done.stderr.contains("no space left"), "{done}");
    assert!(here(&repo).contains(&other));
}

#[test]
fn a_commit_is_the_tasks_of_its_branch() {
    let repo = team(&["kai", "link"]);
    let task = |title: &str, path: &str| repo.task("kai", title, &["--path", path]);
    let (one, two) = (task("One", "src/a.rs"), task("Two", "src/b.rs"));
    claim(&repo, "kai", &two);
    claim(&repo, "kai", &one);
    // Whatever paths.
    assert_eq!(commit(&repo, "kai", "src/b.rs", None).0, one);
    assert_eq!(commit(&repo, "kai", "free.rs", None).0, one);
    // On another branch, and on the landing branch itself: the claim that has the paths.
    for branch in ["other", "main"] {
        if branch == "other" {
            repo.git(["switch", "-qc", branch]);
        } else {
            repo.git(["switch", "-q", branch]);
        }
        assert_eq!(commit(&repo, "kai", "src/a.rs", None).0, one);
        assert_eq!(commit(&repo, "kai", "src/b.rs", None).0, two);
        repo.write("src/a.rs", "both\n");
        assert_eq!(commit(&repo, "kai", "src/b.rs", None).0, "");
        assert!(
            repo.git(["log", "-1", "--format=%B"])
                .contains("Reflectt-Fence")
        );
        assert_eq!(commit(&repo, "kai", "free.rs", None).0, "");
    }
    // Whoever knows better says so.
    assert_eq!(commit(&repo, "kai", "src/a.rs", Some(&two[..4])).0, two);
    let (wrong, said) = commit(&repo, "kai", "src/a.rs", Some("zzzz"));
    assert_ne!(wrong, two);
    assert!(
        said.contains("REFLECTT_TASK") && said.contains("zzzz"),
        "{said}"
    );
}

#[test]
fn what_is_in_review_gets_no_more_commits_by_itself() {
    let repo = team(&["kai", "link"]);
    let task = |title: &str, path: &str| repo.task("kai", title, &["--path", path]);
    let (one, two) = (task("One", "src/a.rs"), task("Two", "src/b.rs"));
    claim(&repo, "kai", &one);
    assert_eq!(commit(&repo, "kai", "src/a.rs", None).0, one);
    submit(&repo, "kai", &one);
    assert_eq!(commit(&repo, "kai", "src/a.rs", None).0, "");
    // The next one on the same branch.
    repo.as_agent("kai", ["claim", &two]).ok();
    assert_eq!(commit(&repo, "kai", "src/b.rs", None).0, two);
    repo.write("src/a.rs", "again\n");
    assert_eq!(commit(&repo, "kai", "src/b.rs", None).0, two);
    let (_, submission) = (submit(&repo, "kai", &two), &show(&repo, &two)["submission"]);
    assert_eq!(submission["beneath"], serde_json::json!([one]));
    repo.as_agent("link", ["review", &one, "--request-changes", "tests"])
        .ok();
    assert_eq!(commit(&repo, "kai", "src/a.rs", None).0, one);
    // Approved and not landed, it is nobody's to change either.
    submit(&repo, "kai", &one);
    repo.as_agent("link", ["review", &one, "--approve"]).ok();
    assert_eq!(commit(&repo, "kai", "src/a.rs", None).0, "");
}
