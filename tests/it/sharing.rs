//! Files that everybody appends to: shared claims, and paths that are nobody's alone.

use serde_json::{Value, json};

use crate::hooks::{git_as, prepare};
use crate::support::{Repo, TestEnv, check};
use crate::sync::Machines;

const LOG: &str = "CHANGELOG.md";

fn team() -> Repo {
    let repo = TestEnv::new().repo("repo");
    for file in [LOG, "src/a.rs", "src/b.rs"] {
        repo.write(file, "x\n");
    }
    repo.commit("files");
    repo.found(&["kai", "link", "sage"]);
    prepare(&repo);
    repo
}

fn claims(repo: &Repo) -> Vec<(String, Value, Value)> {
    let table = repo.reflectt(["--json", "claims"]).ok().json();
    let claims = table["claims"].as_array().unwrap().iter();
    let agent = |claim: &Value| claim["agent"].as_str().unwrap().to_owned();
    let mut all: Vec<_> = claims
        .map(|it| (agent(it), it["paths"].clone(), it["shared"].clone()))
        .collect();
    all.sort_by_key(|(agent, ..)| agent.clone());
    all
}

/// Adds a line to a file and tries to commit it as an agent.
fn append(repo: &Repo, agent: &str, file: &str, code: i32) -> String {
    let path = repo.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    repo.write(file, format!("{text}by {agent}\n"));
    repo.git(["add", file]);
    let made = git_as(repo, Some(agent), &["commit", "-qm", "say it", "--", file]);
    let said = made.code(code).stderr.clone();
    if code != 0 {
        repo.git(["checkout", "-q", "HEAD", "--", file]);
    }
    said
}

#[test]
fn two_share_a_file_and_both_commit_it() {
    let repo = team();
    let one = repo.task("kai", "Add a", &["--path", "src/a.rs", "--share", LOG]);
    let other = repo.task("kai", "Add b", &["--path", "src/b.rs"]);
    repo.as_agent("kai", ["claim", &one]).ok();
    repo.as_agent("link", ["claim", &other, "--share", LOG])
        .ok();
    assert_eq!(
        claims(&repo),
        [
            ("kai".into(), json!(["src/a.rs", LOG]), json!([LOG])),
            ("link".into(), json!(["src/b.rs", LOG]), json!([LOG])),
        ]
    );
    let shown = repo.as_agent("kai", ["claims"]).ok();
    assert!(shown.stdout.contains("CHANGELOG.md (shared)"), "{shown}");
    let shown = repo.as_agent("kai", ["task", "show", &other]).ok();
    assert!(shown.stdout.contains("CHANGELOG.md (shared)"), "{shown}");
    for agent in ["kai", "link", "kai"] {
        append(&repo, agent, LOG, 0);
    }
    // Whoever has no share is stopped, and told how to get one.
    let said = append(&repo, "sage", LOG, 1);
    assert!(said.contains("shared "), "{said}");
    let hint = "hint: reflectt claim --share CHANGELOG.md -m WHY";
    assert!(said.contains(hint), "{said}");
    git_as(&repo, None, &["commit", "-qm", "by a person"]).code(1);
    append(&repo, "link", "src/a.rs", 1);
    let range = format!(
        "{}..HEAD",
        repo.git(["rev-list", "--max-parents=0", "HEAD"])
    );
    repo.reflectt(["check", &range]).ok();

    // Of two that are done, the commits stand while another has a share.
    repo.as_agent("kai", ["release", &one]).ok();
    repo.reflectt(["check", &range]).ok();
    let task = repo.reflectt(["--json", "task", "show", &one]).ok().json();
    assert_eq!(task["shared"], json!([LOG]));
    assert_eq!(task["events"][0]["shared"], json!([LOG]));
    check::agree(&repo);
    repo.as_agent("link", ["doctor"]).ok();
}

#[test]
fn a_share_and_a_claim_alone_are_in_each_others_way() {
    let repo = team();
    let first = repo.task("kai", "Add a", &["--share", LOG]);
    repo.as_agent("kai", ["claim", &first]).ok();
    for path in [LOG, "*.md", "."] {
        let claim = ["--json", "claim", "--path", path, "-m", "rewrite it"];
        let held = repo.as_agent("link", claim).code(3).json();
        assert_eq!(held["error"]["holder"], "kai");
        assert_eq!(held["error"]["paths"], json!([LOG]));
        let hint = "reflectt claim --message WHY --share CHANGELOG.md (holds it beside the others)";
        let hints = held["error"]["hints"].as_array().unwrap();
        assert!(hints.iter().any(|it| it == hint), "{held:#}");
    }
    let second = repo.task("kai", "Rewrite it", &["--path", LOG]);
    let held = repo.as_agent("link", ["--json", "claim", &second]).code(3);
    let hint = format!("reflectt claim {second} --share CHANGELOG.md");
    assert!(held.stdout.contains(&hint), "{held}");

    // Alone, as far as nobody else has a share; and open again.
    repo.as_agent("kai", ["claim", &first, "--path", LOG]).ok();
    assert_eq!(claims(&repo), [("kai".into(), json!([LOG]), json!([]))]);
    for how in ["--share", "--path"] {
        let claim = ["claim", how, LOG, "-m", "a line"];
        repo.as_agent("link", claim).code(3);
    }
    repo.as_agent("kai", ["claim", &first, "--share", LOG]).ok();
    repo.as_agent("link", ["claim", &second, "--share", LOG])
        .ok();
    repo.as_agent("kai", ["claim", &first, "--path", LOG])
        .code(3);
    let again = repo.as_agent("kai", ["claim", &first]).ok();
    assert!(again.stderr.contains("you hold it already"), "{again}");
    check::agree(&repo);

    // What a task says is said anew while nobody holds it.
    repo.as_agent("link", ["task", "edit", &second, "--path", LOG])
        .code(4);
    repo.as_agent("link", ["release", &second]).ok();
    let edit = ["--json", "task", "edit", &second, "--path", LOG];
    let task = repo.as_agent("link", edit).ok().json();
    assert_eq!(
        (&task["paths"], &task["shared"]),
        (&json!([LOG]), &json!([]))
    );
    let edit = ["--json", "task", "edit", &second, "--share", "NEWS"];
    let task = repo.as_agent("link", edit).ok().json();
    assert_eq!(task["paths"], json!([LOG, "NEWS"]));
    assert_eq!(task["shared"], json!(["NEWS"]));
    let edit = ["--json", "task", "edit", &second, "--drop-path", "NEWS"];
    let task = repo.as_agent("link", edit).ok().json();
    assert_eq!(
        (&task["paths"], &task["shared"]),
        (&json!([LOG]), &json!([]))
    );
}

#[test]
fn what_the_team_shares_is_nobodys_alone() {
    let repo = team();
    repo.write("src/CHANGELOG.md", "x\n");
    repo.commit("another");
    for bad in ["/etc", "a, ../b", "[a"] {
        let refused = repo.as_agent("kai", ["config", "set", "paths.shared", bad]);
        assert!(refused.code(2).stderr.contains("paths.shared"));
    }
    repo.set("kai", "paths.shared", "**/CHANGELOG.md, Cargo.lock");
    repo.as_agent("kai", ["claim", "--path", "src", "-m", "rename"])
        .ok();
    for agent in ["link", "sage"] {
        let paths = ["--path", "src/CHANGELOG.md", "--path", "Cargo.lock"];
        let args = ["claim", "-m", "a line"].into_iter().chain(paths);
        repo.as_agent(agent, args).ok();
    }
    let shared = json!(["Cargo.lock", "src/CHANGELOG.md"]);
    let now = claims(&repo);
    assert_eq!(
        (&now[0].2, &now[1].2, &now[2].2),
        (&json!([]), &shared, &shared)
    );
    repo.as_agent("link", ["claim", "--path", "src/a.rs", "-m", "x"])
        .code(3);
    // With a claim, without one, and required or not.
    append(&repo, "link", "src/CHANGELOG.md", 0);
    append(&repo, "kai", "src/CHANGELOG.md", 0);
    repo.set("kai", "enforce.require_claim", "true");
    append(&repo, "kai", LOG, 0);
    append(&repo, "link", "Cargo.lock", 0);
    append(&repo, "link", "src/a.rs", 1);
    repo.as_agent("kai", ["doctor"]).ok();
    check::agree(&repo);

    // Taken back, the claims that were made under it go on together; new ones do not.
    repo.set("kai", "paths.shared", "none");
    append(&repo, "link", "Cargo.lock", 0);
    append(&repo, "sage", "Cargo.lock", 0);
    repo.as_agent("kai", ["claim", "--path", "Cargo.lock", "-m", "x"])
        .code(3);
}

#[test]
fn shares_are_decided_by_the_remote_and_asked_for_without_it() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let one = kai.task("kai", "Add a", &["--share", LOG]);
    let other = kai.task("kai", "Add b", &["--share", LOG]);
    it.sync_all();
    kai.reflectt(["claim", &one]).ok();
    link.reflectt(["--offline", "claim", &other]).ok();
    let alone = ["--offline", "claim", "--path", LOG, "-m", "all of it"];
    link.reflectt(alone).code(0);
    let notes = ["--offline", "claim", "--share", "NOTES", "-m", "a note"];
    link.reflectt(notes).ok();
    let sync = link.reflectt(["--json", "sync"]).ok().json();
    let lost = sync["lost_claims"].as_array().unwrap();
    assert_eq!(lost.len(), 1, "{sync:#}");
    kai.reflectt(["sync"]).ok();
    for clone in &it.clones {
        let shared: Vec<Value> = claims(clone).into_iter().map(|it| it.2).collect();
        assert_eq!(shared.len(), 3);
        assert_eq!(shared.iter().filter(|it| **it == json!([LOG])).count(), 2);
        assert!(shared.contains(&json!(["NOTES"])));
        check::agree(clone);
    }
    kai.reflectt(["claim", "--path", "NOTES", "-m", "mine"])
        .code(3);
    kai.reflectt(["claim", "--share", "NOTES", "-m", "ours"])
        .ok();
    it.agree();
}
