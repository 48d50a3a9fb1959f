//! A branch for each task: who gets it, and where it begins.

use super::support::{Repo, TestEnv};

fn head(repo: &Repo) -> String {
    repo.git(["rev-parse", "HEAD"])
}

#[test]
fn whoever_asks_for_what_is_held_is_told_so_and_not_that_its_branch_is_in_use() {
    let env = TestEnv::new();
    let kai = env.team(["kai", "link"]);
    let link = kai.worktree("link");
    let id = kai.task("kai", "Keep the return path", &[]);
    let args = ["--json", "claim", &id, "--branch", "login"];
    kai.as_agent("kai", args).ok();
    assert_eq!(kai.git(["branch", "--show-current"]), "login");
    let held = link.as_agent("link", args).code(3).json();
    assert_eq!(held["error"]["holder"], "kai");
    // What is free cannot have it either, and that is another matter.
    let other = kai.task("kai", "Say who is logged in", &[]);
    let args = ["--json", "claim", &other, "--branch", "login"];
    let refused = link.as_agent("link", args).code(4).json();
    assert_eq!(refused["error"]["rule"], "dirty");
    assert_eq!(link.git(["branch", "--show-current"]), "link");
}

#[test]
fn the_branch_of_a_task_begins_where_whoever_lost_it_stopped() {
    let env = TestEnv::new();
    let kai = env.team(["kai", "link", "sage"]);
    let [link, sage] = ["link", "sage"].map(|name| kai.worktree(name));
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.as_agent("kai", ["claim", &id, "--branch"]).ok();
    kai.write("file", "half");
    let half = kai.commit("half of it");
    kai.fall_silent("kai", 3);
    let next = ["--json", "next", "--claim", "--branch"];
    let taken = link.as_agent("link", next).ok().json();
    assert_eq!(taken["task"]["id"], id);
    assert_eq!(head(&link), half);
    link.write("file", "more");
    let more = link.commit("more of it");
    let over = [
        "claim",
        &id,
        "--branch",
        "--take-over",
        "--reason",
        "link is away",
    ];
    sage.as_agent("sage", over).ok();
    assert_eq!(head(&sage), more);
    assert_eq!(head(&kai), half);
}
