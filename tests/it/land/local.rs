//! Landing without a remote: a branch of this clone, checked out or not.

use super::{Place, TestEnv, approve, land, landed, sent_back, status, submitted, waiting};
use crate::order::show;
use crate::support::{Repo, check};

fn read(at: &Repo, path: &str) -> String {
    std::fs::read_to_string(at.path().join(path)).unwrap_or_default()
}

#[test]
fn what_is_approved_lands_with_its_author_and_what_is_said_of_it() {
    let it = Place::new("");
    let (id, commit) = it.submitted("Keep the return path", &[("src/a.rs", "a\n")]);
    let tip = it.tip();
    // Not approved: nothing moves.
    let output = it.land(&[&id]).code(4);
    assert_eq!(waiting(&output), [(id.clone(), vec!["review".to_owned()])]);
    assert_eq!(it.tip(), tip);
    it.land(&[]).code(5);
    approve(&it.main, &id);
    let shown = show(&it.main, &id);
    assert_eq!(
        (&shown["status"], &shown["landed"]),
        (&"validating".into(), &().into())
    );
    assert_eq!(shown["approved"]["by"], "link");
    let dry = it.land(&["--dry-run"]).ok();
    assert_eq!((landed(&dry), it.tip()), (vec![id.clone()], tip.clone()));
    assert_eq!(dry.json()["dry_run"], true);
    let output = it.land(&[&id]).ok();
    let json = output.json();
    assert_eq!(landed(&output), vec![id.clone()]);
    assert_eq!(
        (&json["branch"], &json["tip"]),
        (&"main".into(), &it.tip().into())
    );
    assert_eq!(json["landed"][0]["commit"], it.tip());
    assert_eq!(
        it.main.git(["rev-parse", "main^1", "main^2"]),
        format!("{tip}\n{commit}")
    );
    let said = it.main.git(["show", "-s", "--format=%B%an %ae", "main"]);
    for line in [&format!("Reflectt-Task: {id}"), "Reviewed-by: link"] {
        assert!(said.lines().any(|it| it == line), "{said}");
    }
    let shown = show(&it.main, &id);
    assert_eq!(shown["status"], "done");
    assert_eq!(shown["landed"]["commit"], it.tip());
    // Its files came along, and nothing is staged.
    assert_eq!(read(&it.main, "src/a.rs"), "a\n");
    assert_eq!(it.main.git(["status", "--porcelain"]), "");
    it.land(&[]).code(5);
    let again = it.land(&[&id]).code(4);
    assert_eq!(again.json()["error"]["kind"], "refused");
    check::agree(&it.main);
}

#[test]
fn a_branch_that_is_checked_out_nowhere_moves_alone() {
    let it = Place::new("");
    it.main.git(["switch", "-q", "--detach"]);
    let head = it.main.git(["rev-parse", "HEAD"]);
    let id = it.approved("Keep the return path", &[("src/a.rs", "a\n")]);
    assert_eq!(landed(&it.land(&[]).ok()), [id]);
    assert_eq!(it.main.git(["rev-parse", "HEAD"]), head);
    assert_eq!(it.main.git(["status", "--porcelain"]), "");
    assert_eq!(it.main.git(["show", "main:src/a.rs"]), "a");
}

#[test]
fn what_is_not_committed_stays_or_is_in_the_way() {
    let it = Place::new("");
    let first = it.approved("Change what is shared", &[("shared.txt", "1\n2\n3\n")]);
    it.main.write("shared.txt", "mine\n");
    it.main.write("reflectt.toml", "# mine\n");
    let tip = it.tip();
    let output = it.land(&[]).code(4);
    let error = &output.json()["error"];
    assert_eq!(error["rule"], "dirty", "{error}");
    assert!(output.stdout.contains("shared.txt"), "{output}");
    assert!(!error["hints"].as_array().unwrap().is_empty(), "{error}");
    assert_eq!(
        (it.tip(), status(&it.main, &first)),
        (tip.clone(), "validating".to_owned())
    );
    assert_eq!(read(&it.main, "shared.txt"), "mine\n");
    // What is not tracked is as dear to somebody.
    it.main.git(["checkout", "-q", "shared.txt"]);
    let second = it.approved("Add a file", &[("new.txt", "theirs\n")]);
    it.main.write("new.txt", "mine\n");
    let output = it.land(&[&second]).code(4);
    assert_eq!(output.json()["error"]["rule"], "dirty", "{output}");
    assert_eq!(
        (it.tip(), read(&it.main, "new.txt")),
        (tip, "mine\n".to_owned())
    );
    // What is elsewhere is in nobody's way.
    std::fs::remove_file(it.main.path().join("new.txt")).unwrap();
    assert_eq!(landed(&it.land(&[]).ok()), [first, second]);
    assert_eq!(read(&it.main, "reflectt.toml"), "# mine\n");
    assert_eq!(it.main.git(["status", "--porcelain"]), " M reflectt.toml");
    assert_eq!(read(&it.main, "shared.txt"), "1\n2\n3\n");
}

#[test]
fn an_unfinished_merge_is_let_be() {
    let it = Place::new("");
    it.main.git(["branch", "other"]);
    it.main.write("shared.txt", "here\n");
    it.main.commit("here");
    it.main.git(["worktree", "add", "-q", "../other", "other"]);
    let other = Repo::at(it.main.env().clone(), it.main.env().dir().join("other"));
    other.write("shared.txt", "there\n");
    other.commit("there");
    let id = it.approved("Keep the return path", &[("src/a.rs", "a\n")]);
    it.main.try_git(["merge", "other"]).code(1);
    let tip = it.tip();
    let output = it.land(&[]).code(4);
    assert_eq!(output.json()["error"]["rule"], "dirty", "{output}");
    assert!(output.stdout.contains("not finished"), "{output}");
    assert_eq!(it.tip(), tip);
    assert_eq!(
        it.main.git(["status", "--porcelain", "shared.txt"]),
        "UU shared.txt"
    );
    it.main.git(["merge", "--abort"]);
    assert_eq!(landed(&it.land(&[]).ok()), [id]);
}

#[test]
fn a_linked_worktree_that_has_the_branch_comes_along() {
    let it = Place::new("");
    it.main.git(["switch", "-q", "-c", "elsewhere"]);
    it.main.git(["worktree", "add", "-q", "../linked", "main"]);
    let linked = Repo::at(it.main.env().clone(), it.main.env().dir().join("linked"));
    let id = it.approved(
        "Keep the return path",
        &[("src/a.rs", "a\n"), ("shared.txt", "1\n")],
    );
    let output = land(&it.work, "sage", &[]).ok();
    assert_eq!(landed(&output), [id]);
    assert_eq!(
        (read(&linked, "src/a.rs"), read(&linked, "shared.txt")),
        ("a\n".into(), "1\n".into())
    );
    assert_eq!(linked.git(["status", "--porcelain"]), "");
    assert_eq!(it.main.git(["status", "--porcelain"]), "");
    assert_eq!(read(&it.main, "src/a.rs"), "");
}

/// Expects a stack, a conflict and a landing to go well, whatever the repository is like.
fn goes_well(main: &Repo, work: &Repo) {
    let (first, _) = submitted(work, "kai", "First", &[("shared.txt", "1\n")]);
    let (other, _) = submitted(work, "kai", "Other", &[("shared.txt", "2\n")]);
    for id in [&first, &other] {
        approve(work, id);
    }
    let output = land(work, "sage", &[]).code(4);
    assert_eq!(
        (landed(&output), sent_back(&output)),
        (vec![first], vec![other.clone()])
    );
    assert_eq!(status(work, &other), "doing");
    assert_eq!(main.git(["show", "main:shared.txt"]), "1");
    // Its author mends it where it was left.
    work.try_git(["merge", "-q", "main"]).code(1);
    work.write("shared.txt", "1 and 2\n");
    work.commit("Merge main");
    work.as_agent("kai", crate::order::submission(&other, "link"))
        .ok();
    approve(work, &other);
    assert_eq!(landed(&land(work, "sage", &[]).ok()), [other]);
    assert_eq!(main.git(["show", "main:shared.txt"]), "1 and 2");
}

#[test]
fn a_bare_hub_is_landed_on_from_its_worktrees() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    seed.write("shared.txt", "one\n");
    seed.commit("begin");
    let hub = env.bare("hub.git");
    seed.git(["push", "-q", hub.path().to_str().unwrap(), "main"]);
    let work = hub.worktree("work");
    work.reflectt(["init"]).ok();
    for agent in ["kai", "link", "sage"] {
        work.reflectt(["--as", agent, "join", agent]).ok();
    }
    goes_well(&hub, &work);
    // With main in one of them.
    hub.git(["worktree", "add", "-q", "../main", "main"]);
    let main = Repo::at(env.clone(), env.dir().join("main"));
    let (id, _) = submitted(&work, "kai", "Third", &[("third", "3\n")]);
    approve(&work, &id);
    assert_eq!(landed(&land(&hub, "sage", &[]).ok()), [id]);
    assert_eq!(read(&main, "third"), "3\n");
    assert_eq!(main.git(["status", "--porcelain"]), "");
}

#[test]
fn other_formats_land_as_well() {
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let env = TestEnv::new();
        let main = env.empty_repo("repo", &[format]);
        let it = Place::of(main, "");
        goes_well(&it.main, &it.work);
        assert_eq!(it.main.git(["status", "--porcelain"]), "");
    }
}

/// As a lander leaves it that is killed between the files and the branch.
#[test]
fn what_a_killed_lander_has_left_in_a_worktree_is_taken_back_by_the_next_command() {
    let it = Place::new("");
    let (_, commit) = it.submitted("Keep the return path", &[("src/a.rs", "a\n")]);
    let (main, tip) = (&it.main, it.tip());
    assert_eq!(main.git(["branch", "--show-current"]), "main");
    main.git(["read-tree", "-m", "-u", &tip, &commit]);
    let note = main.common_dir().join("reflectt/advance");
    std::fs::write(&note, format!("refs/heads/main\n{tip}\n{commit}\n")).unwrap();
    assert!(main.git(["status", "--porcelain"]).contains("src/a.rs"));
    main.as_agent("kai", ["status"]).ok();
    assert_eq!(main.git(["status", "--porcelain"]), "");
    assert_eq!(it.tip(), tip);
    assert!(!note.exists());
}
