//! Commits of every kind, with the claim of somebody else on what they change.

use std::fs;

use super::*;

#[test]
fn edits_additions_and_deletions_are_stopped() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "edited");
    repo.write("src/auth/new/deep.rs", "new");
    fs::remove_file(repo.path().join("src/auth/token.rs")).unwrap();
    repo.git(["add", "-A"]);
    only_the_holder_commits(
        &repo,
        &[
            "src/auth/login.rs",
            "src/auth/new/deep.rs",
            "src/auth/token.rs",
        ],
    );
}

#[test]
fn renames_are_stopped_on_both_sides() {
    let (repo, _) = claimed();
    repo.git(["config", "diff.renames", "copies"]);
    repo.git(["mv", "src/auth/login.rs", "src/login.rs"]);
    only_the_holder_commits(&repo, &["src/auth/login.rs"]);
    repo.git(["mv", "src/lib.rs", "src/auth/lib.rs"]);
    only_the_holder_commits(&repo, &["src/auth/lib.rs"]);
}

#[test]
fn changes_of_mode_and_type_and_submodules_are_stopped() {
    let (repo, _) = claimed();
    repo.git(["update-index", "--chmod=+x", "src/auth/login.rs"]);
    only_the_holder_commits(&repo, &["src/auth/login.rs"]);

    let file = repo.path().join("src/auth/token.rs");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("login.rs", &file).unwrap();
    repo.git(["add", "src/auth/token.rs"]);
    only_the_holder_commits(&repo, &["src/auth/token.rs"]);

    repo.git(["config", "diff.ignoreSubmodules", "all"]);
    let link = format!("160000,{},src/auth/module", head(&repo));
    repo.git(["update-index", "--add", "--cacheinfo", &link]);
    only_the_holder_commits(&repo, &["src/auth/module"]);
}

#[test]
fn unusual_names_are_stopped_and_shown() {
    let (repo, _) = claimed();
    let names = [
        "a b",
        "it's \"quoted\"",
        "new\nline",
        "é",
        "-rf",
        "[id]",
        "tab\t",
    ];
    for name in names {
        repo.write(&format!("src/auth/{name}"), "x");
    }
    repo.git(["add", "-A"]);
    let stopped = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).code(1);
    // The command takes them out of the index, in any shell that people use.
    let hint = stopped.stderr.lines().find(|l| l.contains("git restore"));
    let command = hint.unwrap().strip_prefix("hint: ").unwrap();
    let command = command.split(" (leaves").next().unwrap();
    let mut shell = Command::new("bash");
    repo.env().prepare(&mut shell);
    shell.current_dir(repo.path()).args(["-c", command]);
    assert!(shell.status().unwrap().success(), "{command}");
    assert_eq!(repo.git(["diff", "--cached", "--name-only"]), "");
    repo.git(["add", "-A"]);
    only_the_holder_commits(
        &repo,
        &[
            "src/auth/a b",
            "\"src/auth/it's \\\"quoted\\\"\"",
            "\"src/auth/new\\nline\"",
            "src/auth/é",
            "src/auth/-rf",
            "src/auth/[id]",
            "\"src/auth/tab\\t\"",
        ],
    );
}

#[test]
fn names_that_are_no_text_are_stopped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let (repo, _) = claimed();
    let name = OsStr::from_bytes(b"src/auth/\xff\xfe");
    fs::write(repo.path().join(name), "x").unwrap();
    repo.git(["add", "-A"]);
    only_the_holder_commits(&repo, &["\"src/auth/\\377\\376\""]);
}

#[test]
fn what_is_not_claimed_is_free_and_so_is_what_is_not_staged() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "edited, not staged");
    repo.write("src/auth/untracked", "x");
    repo.write("src/lib.rs", "x");
    // A file whose name begins like the directory's is another one.
    repo.write("src/authority.rs", "x");
    repo.git(["add", "src/lib.rs", "src/authority.rs"]);
    repo.git(["add", "-N", "src/auth/untracked"]);
    let done = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).ok();
    assert_eq!(done.stderr, "");
}

#[test]
fn temporary_indexes_count() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "edited");
    repo.write("src/lib.rs", "edited");
    let all = git_as(&repo, Some("kai"), &["commit", "-qam", "x"]).code(1);
    assert!(all.stderr.contains("git commit -- FILES"), "{all}");
    git_as(&repo, Some("kai"), &["commit", "-qm", "x", "src/auth"]).code(1);
    // What is staged does not matter when files are named.
    repo.git(["add", "-A"]);
    git_as(&repo, Some("kai"), &["commit", "-qm", "x", "src/lib.rs"]).ok();
    git_as(&repo, Some("link"), &["commit", "-qam", "x"]).ok();
}

#[test]
fn an_amendment_is_judged_by_what_it_adds() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "by link");
    git_as(&repo, Some("link"), &["commit", "-qam", "by link"]).ok();
    git_as(
        &repo,
        Some("kai"),
        &["commit", "-q", "--amend", "-m", "reworded"],
    )
    .ok();
    repo.write("src/auth/login.rs", "by kai");
    git_as(&repo, Some("kai"), &["commit", "-qa", "--amend", "-m", "x"]).code(1);
}

#[test]
fn sub_directories_and_linked_worktrees() {
    let (repo, _) = claimed();
    let sub = repo.sub("docs");
    repo.write("src/auth/login.rs", "edited");
    repo.git(["add", "-A"]);
    let stopped = git_as(&sub, Some("kai"), &["commit", "-qm", "x"]).code(1);
    assert!(
        stopped
            .stderr
            .contains("git restore --staged -- :/src/auth/login.rs"),
        "{stopped}"
    );
    repo.git(["reset", "-q", "--hard"]);

    // The worktree tells who commits there.
    let tree = repo.worktree("kais");
    tree.reflectt(["--as", "kai", "join", "kai"]).ok();
    tree.write("src/auth/login.rs", "edited");
    tree.git(["add", "-A"]);
    git_as(&tree, None, &["commit", "-qm", "x"]).code(1);
    let theirs = repo.worktree("links");
    theirs.reflectt(["--as", "link", "join", "link"]).ok();
    theirs.write("src/auth/login.rs", "edited");
    git_as(&theirs, None, &["commit", "-qam", "x"]).ok();
    git_as(
        &theirs.sub("src"),
        None,
        &["commit", "-q", "--amend", "-m", "y"],
    )
    .ok();
}

#[test]
fn the_first_commit_of_a_repository() {
    let repo = TestEnv::new().empty_repo("repo", &[]);
    repo.found(&["kai", "link"]);
    prepare(&repo);
    claim(&repo, "link", "Start", "src");
    repo.write("src/main.rs", "x");
    repo.write("README", "x");
    repo.git(["add", "-A"]);
    let stopped = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).code(1);
    let hint =
        "git rm -q --cached -- src/main.rs (leaves them out of this commit; your edits stay)";
    assert!(stopped.stderr.contains(hint), "{stopped}");
    repo.git(["rm", "-q", "--cached", "--", "src/main.rs"]);
    git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).ok();
}

#[test]
fn sparse_and_partial_checkouts() {
    let (repo, _) = claimed();
    repo.git(["sparse-checkout", "set", "--cone", "--sparse-index", "docs"]);
    assert!(!repo.path().join("src/auth").exists());
    repo.write("docs/guide.md", "edited");
    git_as(&repo, Some("kai"), &["commit", "-qam", "x"]).ok();
    let blob = repo.git(["hash-object", "-w", "docs/guide.md"]);
    let entry = format!("100644,{blob},src/auth/outside.rs");
    repo.git([
        "update-index",
        "--add",
        "--skip-worktree",
        "--cacheinfo",
        &entry,
    ]);
    only_the_holder_commits(&repo, &["src/auth/outside.rs"]);
    repo.git(["sparse-checkout", "disable"]);

    // A clone without the contents of files: the paths are enough.
    repo.git(["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    let path = repo.env().dir().join("partial");
    let args = ["clone", "-q", "--filter=blob:none", "--no-checkout", &url];
    repo.git(args.iter().copied().chain([path.to_str().unwrap()]));
    let partial = Repo::at(repo.env().clone(), path);
    let refs = ["refs/heads/reflectt", "refs/reflectt/claims"];
    let specs = refs.map(|name| format!("+{name}:{name}"));
    partial.git([
        "fetch",
        "-q",
        "--no-filter",
        "--refetch",
        "origin",
        &specs[0],
        &specs[1],
    ]);
    partial.reflectt(["init"]).ok();
    prepare(&partial);
    partial.git(["read-tree", "HEAD"]);
    partial.git(["update-index", "--add", "--cacheinfo", &entry]);
    partial.git(["rm", "-q", "--cached", "src/auth/login.rs"]);
    let stopped = git_as(&partial, Some("kai"), &["commit", "-qm", "x"]).code(1);
    assert!(
        stopped.stderr.contains("  src/auth/login.rs\n"),
        "{stopped}"
    );
}

#[test]
fn commits_on_the_record_are_not_checked() {
    let (repo, _) = claimed();
    claim(&repo, "kai", "Everything", "config.toml");
    let path = repo.env().dir().join("record");
    repo.git(["worktree", "add", "-q", path.to_str().unwrap(), "reflectt"]);
    let record = Repo::at(repo.env().clone(), path);
    record.write("src/auth/x", "x");
    record.write("config.toml.orig", "x");
    record.git(["add", "-A"]);
    let done = git_as(&record, None, &["commit", "-qm", "by hand"]).ok();
    assert_eq!(done.stderr, "");
}

#[test]
fn claims_without_a_task_hold_too() {
    let repo = team();
    repo.as_agent("link", ["claim", "--path", "docs/*.md", "-m", "rewording"])
        .ok();
    repo.write("docs/guide.md", "x");
    repo.git(["add", "-A"]);
    git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).code(1).snapshot(
        "
        exit 1
        --- stderr
        error: `docs/guide.md` is staged and claimed by others
          docs/guide.md
            claimed [AGO] by link (active, last seen [AGO]) as claim `[ID1]` (rewording)
        hint: reflectt send link 'when will you be done?' (asks the holder)
        hint: reflectt next --claim --branch (takes other work; or wait)
        hint: git restore --staged -- docs/guide.md (leaves them out of this commit; your edits stay)
        ",
    );
    only_the_holder_commits(&repo, &["docs/guide.md"]);
}

#[test]
fn many_files_are_grouped_by_claim() {
    let (repo, _) = claimed();
    repo.as_agent("kai", ["claim", "--path", "docs", "-m", "rewording"])
        .ok();
    for number in 0..40 {
        repo.write(&format!("src/auth/{number:02}"), "x");
    }
    repo.write("docs/guide.md", "x");
    repo.git(["add", "-A"]);
    let stopped = git_as(&repo, None, &["commit", "-qm", "x"]).code(1);
    let text = &stopped.stderr;
    assert!(
        text.starts_with("error: 41 files are staged and claimed by others\n"),
        "{stopped}"
    );
    assert!(text.contains("  … and 28 more\n"), "{stopped}");
    assert_eq!(text.matches("claimed just now by").count(), 2, "{stopped}");
    assert!(
        text.contains("REFLECTT_OVERRIDE"),
        "a person is told\n{stopped}"
    );
}

#[test]
fn a_home_without_identity() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "x");
    repo.git(["add", "-A"]);
    // As git runs it, with what it sets, and nobody named anywhere.
    let index = repo.path().join(".git/index");
    let hook = |index: &str| {
        let hook = repo.command(["--json", "hook", "pre-commit"]);
        hook.env("GIT_DIR", ".git")
            .env("GIT_INDEX_FILE", index)
            .env("GIT_PREFIX", "")
            .run()
    };
    for index in [".git/index", index.to_str().unwrap()] {
        let json = hook(index).code(3).json();
        assert_eq!(json["outcome"], "block");
        assert_eq!(json["findings"][0]["paths"][0], "src/auth/login.rs");
        assert_eq!(json["error"]["holder"], "link");
    }
    let over = repo
        .command(["hook", "pre-commit"])
        .env("REFLECTT_OVERRIDE", "it burns");
    over.run().ok();
    let inbox = repo.as_agent("link", ["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["from"], "reflectt");
}
