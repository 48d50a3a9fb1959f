//! What paths mean to a claim, from the command line to git's hooks.

use serde_json::{Value, json};

use super::support::{Repo, TestEnv};

fn claim_of(repo: &Repo, agent: &str) -> Value {
    let table = repo.reflectt(["--json", "claims"]).ok().json();
    let claims = table["claims"].as_array().unwrap();
    let found = claims.iter().find(|claim| claim["agent"] == agent);
    found.unwrap().clone()
}

#[test]
fn globs_and_files_of_two_agents_lie_side_by_side() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.write("src/db.rs", "x");
    repo.commit("files");
    repo.found(&["kai", "link", "sage"]);
    let paths = ["--path", "src/db.rs", "--path", "src/**/*.rs"];
    let id = repo.task("kai", "Move the queries", &paths);
    repo.as_agent("kai", ["claim", &id]).ok();
    for path in ["**/*.sql", "src/**/*.md", "src/db.d/"] {
        repo.as_agent("link", ["claim", "--path", path, "-m", "beside it"])
            .code(if path.ends_with('/') { 3 } else { 0 });
    }
    for path in ["src/db.rs", "src/new.rs", "src/d*"] {
        repo.as_agent("link", ["claim", "--path", path, "-m", "in the way"])
            .code(3);
    }
    // A task in the queue is judged by the rule of the claim that follows.
    let free = repo.task("kai", "Look at the queries", &["--path", "src/db.py"]);
    let next = repo.as_agent("sage", ["--json", "next", "--claim"]).ok();
    assert_eq!(next.json()["task"]["id"], free.as_str());

    // What lies below a match of a glob is not claimed: the hooks decide as the table does.
    repo.write("src/x.rs/a.md", "x");
    repo.git(["add", "-A"]);
    repo.as_agent("link", ["hook", "pre-commit"]).ok();
    repo.as_agent("kai", ["hook", "pre-commit"]).code(3);
}

#[test]
fn a_claim_keeps_what_its_paths_were_taken_for() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.write("Makefile", "x");
    repo.write("docs.d/guide.md", "x");
    repo.commit("files");
    repo.found(&["kai", "link"]);
    let given = ["Makefile", "docs.d", "new.rs", "new", "new.d/", "src/*"];
    let args = given.iter().flat_map(|path| ["--path", path]);
    let args = ["claim", "-m", "move"].into_iter().chain(args);
    repo.as_agent("kai", args).ok();
    let claim = claim_of(&repo, "kai");
    assert_eq!(claim["paths"], json!(given));
    assert_eq!(claim["files"], json!(["Makefile", "new.rs", "src/*"]));
    let id = claim["id"].as_str().unwrap();
    let file = repo.git(["show", &format!("refs/reflectt/claims:{id}.toml")]);
    let files = r#"files = ["Makefile", "new.rs", "src/*"]"#;
    assert!(file.contains(files), "{file}");

    // Whatever becomes of the tree, and in whatever clone it is looked at.
    repo.git(["rm", "-rq", "Makefile", "docs.d"]);
    repo.git(["commit", "-q", "--no-verify", "-m", "gone"]);
    for path in ["docs.d/x", "new/x", "new.d/x", "src/x.rs", "Makefile"] {
        repo.as_agent("link", ["claim", "--path", path, "-m", "in the way"])
            .code(3);
    }
    for path in ["Makefile/x", "new.rs/x", "src/a/x.rs"] {
        repo.as_agent("link", ["claim", "--path", path, "-m", "beside it"])
            .ok();
    }
    // Once more, and in other words.
    let args = [
        "claim", "--path", "docs.d/", "--path", "Makefile", "-m", "again",
    ];
    let again = repo.as_agent("kai", args).ok();
    assert!(again.stderr.contains("you hold it already"), "{again}");
}

#[test]
fn whatever_the_configuration_calls_the_remote_nothing_aborts() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.found(&["kai"]);
    for name in [
        "my remote",
        "https://hub.invalid/x?a=b",
        "-x",
        "a..b",
        "é\n",
    ] {
        repo.git(["config", "reflectt.remote", name]);
        for args in ["claims", "status", "who", "board"] {
            repo.as_agent("kai", [args]).ok();
        }
        // There is no remote of that name; an address is none.
        let missing = !name.contains('/');
        repo.as_agent("kai", ["doctor"]).code(i32::from(missing));
        for args in [&["claim", "--path", "x", "-m", "why"][..], &["sync"]] {
            repo.as_agent("kai", args).code(1);
        }
    }
    // Whatever git takes for a remote is one.
    let hub = env.dir().join("hub.git");
    let hub = hub.to_str().unwrap();
    repo.git(["init", "-q", "--bare", hub]);
    repo.git(["config", "reflectt.remote", hub]);
    repo.as_agent("kai", ["claim", "--path", "x", "-m", "why"])
        .ok();
    repo.as_agent("kai", ["sync"]).ok();
    assert!(
        repo.git(["ls-remote", hub])
            .contains("refs/reflectt/claims")
    );
}
