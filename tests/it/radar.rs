//! Unfinished work that meets: which files, which conflicts, and who is told.

use serde_json::{Value, json};

use crate::support::{Repo, TestEnv};
use crate::sync::Machines;

const TEXT: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

/// Claims a new task in a worktree on a branch of its own, and returns both.
fn at_work(repo: &Repo, agent: &str) -> (Repo, String) {
    let worktree = repo.worktree(&format!("{agent}-work"));
    let id = repo.task(agent, &format!("The task of {agent}"), &[]);
    worktree.as_agent(agent, ["claim", &id]).ok();
    (worktree, id)
}

fn edit(worktree: &Repo, path: &str, text: &str) -> String {
    worktree.write(path, text);
    worktree.commit("work")
}

fn pairs(repo: &Repo) -> Value {
    repo.reflectt(["--json", "radar"]).ok().json()["pairs"].clone()
}

fn pair(a: &str, b: &str, paths: &[&str], conflict: bool) -> Value {
    let (a, b) = (a.min(b), a.max(b));
    json!({ "a": a, "b": b, "paths": paths, "conflict": conflict })
}

/// Puts pairs in the order of their ids, which are random.
fn sorted(mut pairs: Vec<Value>) -> Value {
    pairs.sort_by_key(|pair| [pair["a"].to_string(), pair["b"].to_string()]);
    pairs.into()
}

/// Returns how often an agent was told of a clash, read or not.
fn told(repo: &Repo, agent: &str) -> usize {
    let directory = format!("inbox/{agent}/");
    let files = repo.git(["ls-tree", "-r", "--name-only", "reflectt", &directory]);
    let file = |path: &&str| {
        repo.git(["show", &format!("reflectt:{path}")])
            .contains("\"clash\"")
    };
    files.lines().filter(file).count()
}

#[test]
fn what_meets_is_found_and_whoever_conflicts_is_told_once() {
    for format in [
        ["--ref-format=files", "--object-format=sha1"],
        ["--ref-format=reftable", "--object-format=sha256"],
    ] {
        let env = TestEnv::new();
        let repo = env.empty_repo("repo", &format);
        repo.write("a b\u{7}", TEXT);
        repo.write("z", "1\n");
        repo.commit("base");
        repo.found(&["kai", "link", "sage"]);
        assert_eq!(pairs(&repo), json!([]));
        let [(kai, one), (link, two), (sage, three)] =
            ["kai", "link", "sage"].map(|it| at_work(&repo, it));
        assert_eq!(pairs(&repo), json!([]));

        edit(&kai, "a b\u{7}", &TEXT.replace('1', "kai"));
        edit(&sage, "a b\u{7}", &TEXT.replace('9', "sage"));
        edit(&link, "z", "link\n");
        let shown = r#""a b\007""#;
        assert_eq!(pairs(&repo), json!([pair(&one, &three, &[shown], false)]));
        assert_eq!((told(&repo, "kai"), told(&repo, "sage")), (0, 0));

        edit(&link, "a b\u{7}", &TEXT.replace('1', "link"));
        let met = sorted(vec![
            pair(&one, &three, &[shown], false),
            pair(&one, &two, &[shown], true),
            pair(&two, &three, &[shown], false),
        ]);
        assert_eq!(pairs(&repo), met);
        let told_now = || ["kai", "link", "sage"].map(|agent| told(&repo, agent));
        assert_eq!(told_now(), [1, 1, 0]);
        let message = repo.as_agent("kai", ["--json", "inbox"]).ok().json()["messages"][0].clone();
        assert_eq!(message["notice"], "clash");
        assert!(
            message["body"].as_str().unwrap().contains(&two),
            "{message}"
        );

        // Neither again, nor after it was read, nor where the cache is gone, nor of newer commits.
        repo.as_agent("kai", ["ack", "--all"]).ok();
        std::fs::write(repo.common_dir().join("reflectt/cache/radar"), "x").unwrap();
        assert_eq!(pairs(&repo), met);
        edit(&link, "z", "again\n");
        assert_eq!(pairs(&repo), met);
        assert_eq!(told_now(), [1, 1, 0]);
    }
}

#[test]
fn what_lies_on_each_other_or_has_landed_does_not_meet() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.write("a", TEXT);
    repo.commit("base");
    repo.found(&["kai", "link", "sage"]);
    let (kai, one) = at_work(&repo, "kai");
    let low = edit(&kai, "a", &TEXT.replace('1', "kai"));
    let (link, two) = at_work(&repo, "link");
    link.git(["reset", "-q", "--hard", &low]);
    edit(&link, "a", &TEXT.replace('1', "link"));
    assert_eq!(pairs(&repo), json!([]));
    // What is submitted counts where the branch is gone.
    let submit = [
        "submit",
        &one,
        "--summary",
        "done",
        "--evidence",
        "1=seen",
        "--commit",
        &low,
    ];
    kai.as_agent("kai", submit).ok();
    kai.git(["checkout", "-q", "--detach"]);
    repo.git(["branch", "-q", "-D", "kai-work"]);
    assert_eq!(pairs(&repo), json!([]));
    let (sage, three) = at_work(&repo, "sage");
    // A file that is a directory for the others.
    edit(&sage, "new/a", "1\n");
    sage.git(["rm", "-q", "a"]);
    edit(&sage, "a/below", "1\n");
    let meeting = |id: &str| pair(id, &three, &["a"], true);
    assert_eq!(pairs(&repo), sorted(vec![meeting(&one), meeting(&two)]));
    // Landed, it is everybody's.
    repo.git(["merge", "-q", "--ff-only", &low]);
    assert_eq!(pairs(&repo), json!([meeting(&two)]));
}

#[test]
fn two_clones_that_find_the_same_tell_it_once() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    for (clone, agent) in [(kai, "kai"), (link, "link")] {
        let id = clone.task(agent, &format!("The task of {agent}"), &[]);
        clone.git(["checkout", "-q", "-b", &format!("{agent}-work")]);
        clone.as_agent(agent, ["claim", &id]).ok();
        edit(clone, "same", agent);
        clone.git(["push", "-q", "origin", "HEAD"]);
    }
    it.sync_all();
    for clone in [kai, link] {
        clone.git(["fetch", "-q"]);
        clone.git(["remote", "set-head", "origin", "main"]);
    }
    // Each before it hears of the other.
    let found = [kai, link].map(|clone| {
        let output = clone.reflectt(["--no-sync", "radar"]).ok();
        assert!(output.stderr.contains("told the authors"), "{output}");
        let output = clone.reflectt(["--no-sync", "--json", "radar"]).ok();
        output.json()
    });
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0]["pairs"][0]["conflict"], true);
    it.agree();
    for clone in [kai, link] {
        assert_eq!(["kai", "link"].map(|agent| told(clone, agent)), [1, 1]);
        let again = clone.reflectt(["radar"]).ok();
        assert!(!again.stderr.contains("told"), "{again}");
    }
    let doctor = kai.reflectt(["--json", "doctor"]).json();
    assert!(!doctor.to_string().contains("quarantine"), "{doctor}");
}

#[test]
fn what_is_known_takes_no_process() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.found(&["kai", "link"]);
    let [(kai, _), (link, _)] = ["kai", "link"].map(|it| at_work(&repo, it));
    edit(&kai, "same", "kai");
    edit(&link, "same", "link");
    let log = |repo: &Repo| repo.reflectt(["-v", "radar"]).ok().stderr;
    let first = log(&repo);
    assert!(first.contains("merge-tree"), "{first}");
    let again = log(&repo);
    assert!(!again.contains("git "), "{again}");
    // Newer commits are compared, and nothing else is.
    edit(&link, "same", "both");
    assert!(log(&repo).contains("merge-tree"));
    repo.commit("on main");
    let moved = log(&repo);
    assert!(
        moved.contains("rev-list") && !moved.contains("merge-tree"),
        "{moved}"
    );
}

#[test]
fn people_see_a_table() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.found(&["kai", "link"]);
    repo.reflectt(["radar"]).snapshot(
        "
        --- stderr
        no unfinished work touches the same files
        ",
    );
    let [(kai, one), (link, two)] = ["kai", "link"].map(|it| at_work(&repo, it));
    edit(&kai, "same", "kai");
    edit(&link, "same", "link");
    let shown = repo.reflectt(["radar"]).ok();
    for word in [&one, &two, "conflict", "same"] {
        assert!(shown.stdout.contains(word), "{shown}");
    }
    assert_eq!(env.outside().reflectt(["radar"]).code(1).stdout, "");
}
