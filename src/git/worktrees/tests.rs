//! Worktrees of plain and bare repositories.

use super::*;
use crate::git::testing::TestRepo;

#[test]
fn finds_the_repository_from_everywhere() {
    let test = TestRepo::with_commit();
    let linked = test.path.with_file_name("linked");
    test.git(&[
        "worktree",
        "add",
        "-q",
        linked.to_str().unwrap(),
        "-b",
        "side",
    ]);
    let deep = linked.join("src/deep");
    std::fs::create_dir_all(&deep).unwrap();
    let git_dir = test.path.join(".git");

    let repo = test.open_at(&test.path);
    assert_eq!(repo.git_dir(), git_dir);
    assert_eq!(repo.common_dir(), git_dir);
    assert_eq!(repo.work_dir(), Some(test.path.as_path()));
    assert_eq!(repo.prefix().unwrap(), "");

    let repo = test.open_at(&deep);
    assert_eq!(repo.git_dir(), git_dir.join("worktrees/linked"));
    assert_eq!(repo.common_dir(), git_dir);
    assert_eq!(repo.work_dir(), Some(linked.as_path()));
    assert_eq!(repo.prefix().unwrap(), "src/deep");
    assert_eq!(
        repo.head().unwrap().unwrap().branch.as_deref(),
        Some("side")
    );

    // As a hook in the linked worktree sees it.
    let mut options = test.options(&linked);
    options.git_dir = Some(git_dir.join("worktrees/linked"));
    let repo = Repo::open(options).unwrap();
    assert_eq!(repo.git_dir(), git_dir.join("worktrees/linked"));
    assert_eq!(repo.common_dir(), git_dir);
    assert_eq!(repo.work_dir(), Some(linked.as_path()));
    // As one in the main worktree does.
    let mut options = test.options(&test.path);
    options.git_dir = Some(".git".into());
    let repo = Repo::open(options).unwrap();
    assert_eq!(repo.work_dir(), Some(test.path.as_path()));

    let outside = Repo::open(test.options(test.dir.path())).map(|_| ());
    assert!(
        matches!(outside, Err(GitError::NotARepository { .. })),
        "{outside:?}"
    );
}

#[test]
fn lists_all_worktrees_from_any_of_them() {
    for format in ["files", "reftable"] {
        let test = TestRepo::init(&[&format!("--ref-format={format}")]);
        test.commit("first");
        let linked = test.path.with_file_name("linked");
        test.git(&[
            "worktree",
            "add",
            "-q",
            linked.to_str().unwrap(),
            "-b",
            "side/x",
        ]);
        let git_dir = test.path.join(".git");
        let expected = [
            WorktreeInfo {
                path: test.path.clone(),
                git_dir: git_dir.clone(),
                branch: Some("main".into()),
            },
            WorktreeInfo {
                path: linked.clone(),
                git_dir: git_dir.join("worktrees/linked"),
                branch: Some("side/x".into()),
            },
        ];
        for dir in [&test.path, &linked] {
            assert_eq!(test.open_at(dir).worktrees().unwrap(), expected);
        }
        assert_eq!(
            test.open_at(&linked)
                .head()
                .unwrap()
                .unwrap()
                .branch
                .as_deref(),
            Some("side/x")
        );
    }
}

#[test]
fn a_bare_repository_with_a_worktree() {
    let test = TestRepo::with_commit();
    let bare = test.path.with_file_name("bare.git");
    test.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let linked = test.path.with_file_name("linked");
    test.git_in(&bare, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    let repo = test.open_at(&bare);
    assert!(repo.is_bare());
    assert_eq!(repo.common_dir(), bare);
    let repo = test.open_at(&linked);
    assert!(!repo.is_bare());
    assert_eq!(repo.common_dir(), bare);
    let found = repo.worktrees().unwrap();
    assert_eq!(found[0].path, bare);
    assert_eq!(found[0].branch, None);
    assert_eq!(found[1].path, linked);
}

#[test]
fn a_worktree_is_gone_when_it_is_removed_or_deleted() {
    let test = TestRepo::with_commit();
    let add = |name: &str| {
        let path = test.path.with_file_name(name);
        test.git(&["worktree", "add", "-q", path.to_str().unwrap()]);
        path
    };
    let repo = test.open();
    let gone =
        |name: &str, seen: &Path| repo.is_worktree_gone(&format!("worktrees/{name}"), Some(seen));
    let linked = add("linked");
    let id = repo.worktree_id(test.open_at(&linked).git_dir());
    assert_eq!(id, "worktrees/linked");
    assert!(!gone("linked", &linked));
    assert!(!repo.is_worktree_gone("main", None));
    // Moved by git, which keeps its name.
    let moved = test.path.with_file_name("moved");
    let to = moved.to_str().unwrap();
    test.git(&["worktree", "move", linked.to_str().unwrap(), to]);
    assert!(!gone("linked", &linked));
    test.git(&["worktree", "remove", to]);
    assert!(gone("linked", &linked));

    // Deleted; while it is locked, its disk may only be away.
    let deleted = add("deleted");
    test.git(&["worktree", "lock", deleted.to_str().unwrap()]);
    std::fs::remove_dir_all(&deleted).unwrap();
    assert!(!gone("deleted", &deleted));
    test.git(&["worktree", "unlock", deleted.to_str().unwrap()]);
    assert!(gone("deleted", &deleted));

    // Moved without git, and seen there.
    let old = add("by-hand");
    let new = old.with_file_name("elsewhere");
    std::fs::rename(&old, &new).unwrap();
    assert!(gone("by-hand", &old));
    assert!(!gone("by-hand", &new));
}

#[test]
fn a_repository_of_another_user_is_not_opened() {
    if !rustix::process::geteuid().is_root() {
        return; // only the superuser can give a directory away
    }
    let test = TestRepo::with_commit();
    for path in [test.path.clone(), test.path.join(".git")] {
        std::os::unix::fs::chown(path, Some(12345), None).unwrap();
    }
    let outcome = Repo::open(test.options(&test.path)).map(|_| ());
    assert!(
        matches!(outcome, Err(GitError::UnsafeOwnership { .. })),
        "{outcome:?}"
    );
}

#[test]
fn the_directory_of_hooks_is_the_one_that_git_says() {
    let test = TestRepo::with_commit();
    test.git(&["worktree", "add", "-q", "../tree"]);
    std::fs::create_dir_all(test.path.join("sub")).unwrap();
    let places = [
        test.path.clone(),
        test.path.join("sub"),
        test.dir.path().join("tree"),
    ];
    for set in ["", ".husky/_", "/elsewhere/hooks"] {
        if !set.is_empty() {
            test.git(&["config", "core.hooksPath", set]);
        }
        for place in &places {
            let repo = test.open_at(place);
            let top = repo.work_dir().unwrap();
            let said = test.git_in(top, &["rev-parse", "--git-path", "hooks"]);
            assert_eq!(
                repo.hooks_dir(),
                top.join(said),
                "`{set}` in {}",
                place.display()
            );
        }
    }
}
