//! What a submission is: which commits are the task's own, on what it lies, and what is said of it.

use serde_json::{Value, json};

use crate::order::{show, submission};
use crate::support::{Output, Repo, TestEnv};

/// A repository with a team, whose landing branch is `main`.
fn team() -> Repo {
    let repo = TestEnv::new().repo("repo");
    repo.found(&["kai", "link"]);
    repo.set("kai", "wip.agent", "9");
    repo
}

fn task(repo: &Repo, title: &str) -> String {
    let id = repo.task("kai", title, &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    id
}

fn commit(repo: &Repo, file: &str) -> String {
    repo.write(file, format!("{file} {}\n", fastrand::u64(..)));
    repo.commit(file)
}

#[track_caller]
fn submit(repo: &Repo, id: &str) -> Output {
    repo.as_agent("kai", submission(id, "link")).ok()
}

fn submitted(repo: &Repo, id: &str) -> Value {
    show(repo, id)["submission"].clone()
}

/// Expects a submission to have this base, commit, number of own commits, and what lies beneath.
#[track_caller]
fn is(repo: &Repo, id: &str, base: &str, commit: &str, commits: u64, beneath: &[&str]) {
    let found = submitted(repo, id);
    let picked = ["base", "commit", "commits", "beneath"].map(|key| found[key].clone());
    let wanted = [json!(base), json!(commit), json!(commits), json!(beneath)];
    assert_eq!(picked, wanted, "{found:#}");
    let reviewed = repo.as_agent("link", ["--json", "review", id]).ok().json();
    let listed = reviewed["commits"].as_array().unwrap().len() as u64;
    assert_eq!(listed, commits, "{reviewed:#}");
    let range = reviewed["range"].as_str().unwrap();
    let shown = repo.git(["diff", "--name-only", range]).lines().count();
    assert_eq!(
        reviewed["files"].as_array().unwrap().len(),
        shown,
        "{reviewed:#}"
    );
}

fn sorted(mut ids: [&str; 2]) -> [&str; 2] {
    ids.sort_unstable();
    ids
}

#[test]
fn three_on_one_branch_each_have_their_own() {
    let repo = team();
    let main = repo.git(["rev-parse", "main"]);
    repo.git(["switch", "-qc", "work"]);
    let one = task(&repo, "One");
    commit(&repo, "a");
    let first = commit(&repo, "a2");
    submit(&repo, &one).snapshot(
        "
        --- stdout
        submitted [ID1]  One
        link is asked to review it
        2 commits: git diff [OID]...[OID]
        --- stderr
        hint: reflectt next --claim
        ",
    );
    is(&repo, &one, &main, &first, 2, &[]);
    assert_eq!(submitted(&repo, &one)["branch"], "work");
    assert_eq!(submitted(&repo, &one)["published"], true);
    let two = task(&repo, "Two");
    let second = commit(&repo, "b");
    submit(&repo, &two);
    is(&repo, &two, &first, &second, 1, &[&one]);
    let three = task(&repo, "Three");
    let third = commit(&repo, "c");
    repo.as_agent(
        "link",
        ["review", &one, "--request-changes", "A test\nof it"],
    )
    .ok();
    let said = submit(&repo, &three);
    let below = sorted([&one, &two]).join(", ");
    let words = format!("on top of {below}, which must land first");
    assert!(said.stdout.contains(&words), "{said}");
    let words = format!("it lies on `{one}`, which was sent back (A test): it cannot land before");
    assert!(said.stderr.contains(&words), "{said}");
    assert!(
        !said.stderr.contains(&format!("it lies on `{two}`")),
        "{said}"
    );
    is(&repo, &three, &second, &third, 1, &sorted([&one, &two]));

    // The fix of the lowest lands above the other two: all that was ever its own is its own.
    let fixed = commit(&repo, "a");
    submit(&repo, &one);
    let found = submitted(&repo, &one);
    assert_eq!(found["commits"], 3, "{found:#}");
    assert_eq!(found["commit"], fixed);
    assert_eq!(found["beneath"], json!(sorted([&two, &three])));
    let reviewed = repo
        .as_agent("link", ["--json", "review", &one])
        .ok()
        .json();
    let subjects: Vec<&str> = (reviewed["commits"].as_array().unwrap().iter())
        .map(|commit| commit["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["a", "a2", "a"]);
}

#[test]
fn what_was_merged_in_is_not_its_own() {
    let repo = team();
    let main = repo.git(["rev-parse", "main"]);
    repo.git(["switch", "-qc", "work"]);
    let id = task(&repo, "One");
    commit(&repo, "a");
    repo.git(["switch", "-q", "main"]);
    let newer = commit(&repo, "others");
    repo.git(["switch", "-q", "work"]);
    repo.git(["merge", "-q", "--no-edit", "main"]);
    let tip = commit(&repo, "a2");
    submit(&repo, &id);
    is(&repo, &id, &newer, &tip, 3, &[]);
    assert_ne!(main, newer);

    // Resubmitted, amended.
    repo.as_agent("link", ["review", &id, "--request-changes", "x"])
        .ok();
    repo.write("a2", "amended\n");
    repo.git(["commit", "-qa", "--amend", "--no-edit"]);
    let amended = repo.git(["rev-parse", "HEAD"]);
    submit(&repo, &id);
    is(&repo, &id, &newer, &amended, 3, &[]);
    let reviewed = repo.as_agent("link", ["--json", "review", &id]).ok().json();
    let ranges = reviewed["range_diff"].as_str().unwrap();
    let args = ["range-diff", "--no-color"]
        .into_iter()
        .chain(ranges.split(' '));
    let said = repo.git(args);
    assert!(said.contains(&amended[..7]), "{said}");
    let words = repo.as_agent("link", ["review", &id]).ok();
    assert!(
        words.stderr.contains(&format!("git range-diff {ranges}")),
        "{words}"
    );
}

#[test]
fn what_two_share_belongs_to_the_first() {
    let repo = team();
    let main = repo.git(["rev-parse", "main"]);
    repo.git(["switch", "-qc", "work"]);
    let (one, two) = (task(&repo, "One"), task(&repo, "Two"));
    let shared = commit(&repo, "shared");
    repo.git(["switch", "-qc", "other"]);
    let first = commit(&repo, "a");
    submit(&repo, &one);
    repo.git(["switch", "-q", "work"]);
    let second = commit(&repo, "b");
    submit(&repo, &two);
    is(&repo, &one, &main, &first, 2, &[]);
    is(&repo, &two, &shared, &second, 1, &[&one]);
}

#[test]
fn a_commit_that_is_no_work_of_ones_own() {
    let repo = team();
    let main = repo.git(["rev-parse", "main"]);
    // On the landing branch already.
    let id = task(&repo, "One");
    submit(&repo, &id);
    let found = submitted(&repo, &id);
    assert_eq!(
        (&found["commit"], &found["commits"]),
        (&json!(main), &json!(0))
    );
    let shown = repo.as_agent("link", ["review", &id]).ok();
    assert!(shown.stdout.contains("no commit is this task"), "{shown}");
    repo.as_agent("link", ["review", &id, "--approve"]).ok();
    assert_eq!(show(&repo, &id)["status"], "done");

    // Another's.
    repo.git(["switch", "-qc", "work"]);
    let (one, two) = (task(&repo, "One"), task(&repo, "Two"));
    commit(&repo, "a");
    submit(&repo, &one);
    let said = submit(&repo, &two);
    assert!(
        said.stderr.contains("no commit is this task's own"),
        "{said}"
    );
    assert_eq!(submitted(&repo, &two)["commits"], 0);
    assert_eq!(submitted(&repo, &two)["beneath"], json!([one]));
}

#[test]
fn more_commits_than_are_listed() {
    let repo = team();
    let main = repo.git(["rev-parse", "main"]);
    repo.git(["switch", "-qc", "work"]);
    let id = task(&repo, "One");
    let mut stream = String::new();
    for n in 0..250 {
        let from = if n == 0 {
            format!("from {main}\n")
        } else {
            String::new()
        };
        stream.push_str(&format!(
            "commit refs/heads/work\ncommitter A <a@example.com> {} +0000\ndata 1\n{}\n{from}M 644 inline f{n}\ndata 1\nx\n",
            1_700_000_000 + n,
            n % 10
        ));
    }
    repo.git_with_input(&["fast-import", "--quiet"], &stream);
    repo.git(["reset", "-q", "--hard"]);
    let tip = repo.git(["rev-parse", "HEAD"]);
    submit(&repo, &id);
    is(&repo, &id, &main, &tip, 250, &[]);
    let shown = repo.as_agent("link", ["review", &id]).ok();
    assert!(shown.stdout.contains("and 230 more commits"), "{shown}");
}

#[test]
fn without_a_landing_branch_it_is_what_came_since_the_claim() {
    let repo = team();
    repo.set("kai", "land.branch", "none");
    commit(&repo, "before");
    let before = repo.git(["rev-parse", "HEAD"]);
    let id = task(&repo, "One");
    let tip = commit(&repo, "a");
    submit(&repo, &id);
    is(&repo, &id, &before, &tip, 1, &[]);
    repo.as_agent("link", ["review", &id, "--approve"]).ok();
    assert_eq!(show(&repo, &id)["status"], "done");
}

#[test]
fn what_was_fixed_above_others_lands_with_them() {
    for strategy in ["merge", "squash", "rebase"] {
        let repo = team();
        repo.set("kai", "land.strategy", strategy);
        repo.git(["switch", "-qc", "work"]);
        let one = task(&repo, "One");
        repo.write("shared", "1\n2\n3\n");
        commit(&repo, "a");
        submit(&repo, &one);
        let two = task(&repo, "Two");
        // It needs what lies beneath, and so does the fix need it.
        repo.write("shared", "1\n2\n3\n4\n");
        commit(&repo, "b");
        submit(&repo, &two);
        repo.as_agent("link", ["review", &one, "--request-changes", "no"])
            .ok();
        repo.as_agent("link", ["review", &two, "--approve", "--commit", "HEAD"])
            .ok();
        let waits = repo.as_agent("link", ["--json", "land"]).code(4).json();
        assert_eq!(waits["waiting"][0]["for"], json!([one]), "{waits:#}");
        repo.write("shared", "one\n2\n3\nfour\n");
        commit(&repo, "c");
        submit(&repo, &one);
        let waits = repo.as_agent("link", ["--json", "land"]).code(4).json();
        assert_eq!(waits["landed"], json!([]), "{waits:#}");
        repo.as_agent("link", ["review", &one, "--approve", "--commit", "HEAD"])
            .ok();
        let landed = repo.as_agent("link", ["--json", "land"]).ok().json();
        assert_eq!(landed["landed"].as_array().unwrap().len(), 2, "{landed:#}");
        assert_eq!(repo.git(["diff", "main", "work"]), "", "{strategy}");
        for id in [&one, &two] {
            assert_eq!(show(&repo, id)["status"], "done", "{strategy}");
        }
    }
}
