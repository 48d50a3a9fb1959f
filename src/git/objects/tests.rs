//! Objects in real repositories, checked with `git`.

use super::*;
use crate::git::testing::{TestRepo, signature, write_commit};

#[test]
fn what_is_written_is_what_git_reads() {
    for test in TestRepo::of_every_format() {
        let repo = test.open();
        let blob = repo.write_blob(b"hello\n").unwrap();
        let entry = |mode, name: &str, oid| TreeEntry {
            mode,
            name: name.into(),
            oid,
        };
        let inner = repo.write_tree(vec![entry(Mode::Blob, "f", blob)]).unwrap();
        // Git's order is `a.b`, `a/`, `a0`.
        let entries = vec![
            entry(Mode::Blob, "a.b", blob),
            entry(Mode::Tree, "a", inner),
            entry(Mode::Executable, "a0", blob),
        ];
        let reversed = entries.iter().rev().cloned().collect();
        let tree = repo.write_tree(reversed).unwrap();
        assert_eq!(repo.read_tree(tree).unwrap(), entries);
        let commit = NewCommit {
            tree,
            parents: vec![],
            author: Signature {
                name: "A <b>\n".into(),
                offset: -5400,
                ..signature(1_700_000_000)
            },
            committer: signature(1_700_000_001),
            message: "subject\n\nbody\n".into(),
        };
        let oid = repo.write_commit(&commit).unwrap();
        let read = repo.read_commit(oid).unwrap();
        assert_eq!(read.tree, tree);
        assert_eq!(read.message, commit.message);
        assert_eq!(read.author.name, "A b");
        assert_eq!(read.author.offset, -5400);
        assert_eq!(read.committer, commit.committer);
        test.git(&["fsck", "--strict", "--no-dangling"]);
        assert_eq!(test.git(&["cat-file", "blob", &blob.to_string()]), "hello");
        assert_eq!(repo.kind(oid).unwrap(), Some(ObjectKind::Commit));
        assert!(repo.exists(blob));
    }
}

#[test]
fn reads_packed_objects_and_those_of_alternates() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blob = repo.write_blob(b"packed").unwrap();
    let tree = repo.edit_tree(None, [("f", Some(blob))]).unwrap();
    let commit = write_commit(&repo, &[], "m", 1);
    let args = ["update-ref", "refs/heads/main"];
    let kept = test.git(&["commit-tree", "-m", "x", &tree.to_string()]);
    test.git(&[args[0], args[1], &kept]);
    // Opened before, so the packs come as a surprise.
    test.git(&["repack", "-adq"]);
    test.git(&["prune-packed"]);
    assert_eq!(repo.read_blob(blob).unwrap(), b"packed");
    let other = test.dir.path().join("other");
    test.git(&["clone", "-qs", ".", other.to_str().unwrap()]);
    let other = test.open_at(&other);
    assert_eq!(other.read_blob(blob).unwrap(), b"packed");
    assert_eq!(other.read_commit(commit).unwrap().message, "m");
}

#[test]
fn a_missing_or_wrong_object_is_a_precise_error() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blob = repo.write_blob(b"0123456789").unwrap();
    assert!(matches!(
        repo.read_tree(blob),
        Err(GitError::WrongKind {
            found: ObjectKind::Blob,
            ..
        })
    ));
    assert!(matches!(
        repo.read_blob_limited(blob, 9),
        Err(GitError::TooLarge { size: 10, .. })
    ));
    assert_eq!(repo.read_blob_limited(blob, 10).unwrap().len(), 10);
    let missing = Oid::parse(&"12".repeat(20)).unwrap();
    let foreign = Oid::parse(&"12".repeat(32)).unwrap();
    for oid in [missing, foreign] {
        assert!(!repo.exists(oid));
        assert_eq!(repo.kind(oid).unwrap(), None);
        assert!(matches!(
            repo.read_blob(oid),
            Err(GitError::MissingObject { .. })
        ));
    }
}

#[test]
fn a_damaged_object_is_corrupt() {
    let test = TestRepo::init(&[]);
    let blob = test.open().write_blob(b"0123456789").unwrap();
    let path = loose_path(&test.path.join(".git/objects"), &blob);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"nonsense").unwrap();
    let error = test.open().read_blob(blob).unwrap_err();
    assert!(matches!(
        error,
        GitError::CorruptObject { .. } | GitError::ReadObject { .. }
    ));
}

#[test]
fn writing_an_object_again_makes_it_new() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blob = repo.write_blob(b"x").unwrap();
    let path = loose_path(&repo.common_dir().join("objects"), &blob);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    std::fs::File::open(&path)
        .unwrap()
        .set_modified(old)
        .unwrap();
    repo.write_blob(b"x").unwrap();
    assert!(path.metadata().unwrap().modified().unwrap() > old);
}

#[test]
fn writing_where_nothing_may_be_written_says_so() {
    if rustix::process::geteuid().is_root() {
        return; // the superuser may write anywhere
    }
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let objects = repo.common_dir().join("objects");
    let set = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&objects, mode).unwrap();
    };
    set(0o500);
    let outcome = repo.write_blob(b"x");
    set(0o700);
    assert!(matches!(outcome, Err(GitError::ReadOnly { .. })));
}

#[test]
fn writing_goes_on_while_git_collects_garbage() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            for _ in 0..5 {
                test.git(&["gc", "-q"]);
            }
        });
        let mut count = 0;
        while !collector.is_finished() {
            count += 1;
            let blob = repo.write_blob(format!("{count}").as_bytes()).unwrap();
            assert_eq!(repo.read_blob(blob).unwrap(), format!("{count}").as_bytes());
        }
    });
}
