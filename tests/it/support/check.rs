//! What must be true of a repository at any time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Repo;

/// Checks that claims table and record say the same, and that git finds nothing wrong.
#[track_caller]
pub fn sound(repo: &Repo) {
    agree(repo);
    intact(repo);
}

/// Checks that claims table and record say the same about who holds what.
#[track_caller]
pub fn agree(repo: &Repo) {
    let claims = claims(repo);
    let tasks = tasks(repo);
    for (id, claim) in claims.iter().filter(|(_, claim)| !claim["task"].is_null()) {
        let task = &tasks[id];
        let status = match claim["phase"].as_str().unwrap() {
            "working" => "doing",
            "blocked" => "blocked",
            "in_review" => "validating",
            other => panic!("unknown phase `{other}`"),
        };
        let in_table = [&Value::from(status), &claim["agent"], &claim["fence"]];
        let in_record = [&task["status"], &task["assignee"], &task["fence"]];
        assert_eq!(
            in_table, in_record,
            "table and record of {id}\n{claim:#}\n{task:#}"
        );
        for what in ["paths", "resources"] {
            let known = task[what].as_array().unwrap();
            let all = claim[what].as_array().unwrap();
            assert!(
                all.iter().all(|one| known.contains(one)),
                "{claim:#}\n{task:#}"
            );
        }
    }
    for (id, task) in &tasks {
        let held = ["doing", "blocked"].contains(&task["status"].as_str().unwrap());
        assert!(
            !held || claims.contains_key(id),
            "held by the record alone: {task:#}"
        );
    }
}

/// Checks that every object is there, and that both histories are what they should be.
#[track_caller]
pub fn intact(repo: &Repo) {
    let fsck = repo
        .try_git(["fsck", "--connectivity-only", "--no-dangling"])
        .ok();
    assert_eq!(fsck.stdout, "", "{fsck}");
    let table = "refs/reflectt/claims";
    if repo.try_git(["rev-parse", "-q", "--verify", table]).status == Some(0) {
        let merges = repo.git(["rev-list", "--merges", table]);
        assert_eq!(merges, "", "the claims table is a straight line");
        let roots = repo.git(["rev-list", "--max-parents=0", "--count", table]);
        assert_eq!(roots, "1", "the claims table has one beginning");
    }
}

/// Checks that nothing had to be mended, as is so when no process was killed.
#[track_caller]
pub fn never_mended(repo: &Repo) {
    let subjects = repo.git(["log", "--format=%s", "refs/heads/reflectt"]);
    let mended: Vec<&str> = subjects
        .lines()
        .filter(|s| s.starts_with("mend "))
        .collect();
    assert_eq!(mended, Vec::<&str>::new());
}

/// Returns the claims table by id.
#[track_caller]
pub fn claims(repo: &Repo) -> BTreeMap<String, Value> {
    by_id(&repo.reflectt(["--json", "claims"]).ok().json()["claims"])
}

/// Returns all tasks by id.
#[track_caller]
pub fn tasks(repo: &Repo) -> BTreeMap<String, Value> {
    by_id(
        &repo
            .reflectt(["--json", "task", "list", "--all"])
            .ok()
            .json()["tasks"],
    )
}

fn by_id(list: &Value) -> BTreeMap<String, Value> {
    let list = list.as_array().unwrap();
    let by_id: BTreeMap<_, _> = list
        .iter()
        .map(|item| (item["id"].as_str().unwrap().to_owned(), item.clone()))
        .collect();
    assert_eq!(by_id.len(), list.len(), "an id is there twice");
    by_id
}
