//! Refs read from every kind of repository.

use super::*;
use crate::git::testing::{TestRepo, name, swap, write_commit};
use crate::git::{Head, ObjectFormat, RefOutcome};

#[test]
fn names_follow_gits_rules() {
    for good in ["refs/heads/reflectt", "refs/reflectt/remotes/origin/claims"] {
        assert_eq!(RefName::new(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "HEAD",
        "main",
        "refs/heads/a b",
        "refs/heads/a..b",
        "refs/heads/x.lock",
        "refs/heads/",
        "refs/heads/a\0b",
        "refs/heads/a\nb",
        "-d",
    ] {
        assert!(RefName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn reads_what_git_wrote_in_every_format() {
    for test in TestRepo::of_every_format() {
        let repo = test.open();
        let main = name("refs/heads/main");
        // No commit yet.
        let unborn = Head {
            branch: Some("main".into()),
            commit: None,
        };
        assert_eq!(repo.head().unwrap(), Some(unborn));
        assert_eq!(repo.read_ref(&main).unwrap(), None);
        assert_eq!(repo.list_refs("refs/").unwrap(), []);
        assert_eq!(repo.resolve("HEAD").unwrap(), None);

        let first = test.commit("first");
        let second = test.commit("second");
        assert_eq!(repo.read_ref(&main).unwrap(), Some(second));
        test.git(&["update-ref", "refs/reflectt/presence/a", &first.to_string()]);
        test.git(&["update-ref", "refs/reflectt/presence/b", &first.to_string()]);
        test.git(&["update-ref", "refs/reflecttor", &first.to_string()]);
        test.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
        let listed = |prefix: &str| -> Vec<_> {
            let refs = repo.list_refs(prefix).unwrap();
            refs.iter().map(|(name, _)| name.to_string()).collect()
        };
        for _ in 0..2 {
            assert_eq!(
                repo.read_ref(&name("refs/heads/alias")).unwrap(),
                Some(second)
            );
            assert_eq!(
                listed("refs/reflectt/"),
                ["refs/reflectt/presence/a", "refs/reflectt/presence/b"]
            );
            assert_eq!(
                repo.read_ref(&name("refs/reflectt/presence")).unwrap(),
                None
            );
            assert_eq!(repo.read_ref(&name("refs/reflectt/none")).unwrap(), None);
            test.git(&["pack-refs", "--all", "--prune"]);
        }
        // Loose over packed.
        test.git(&["update-ref", "refs/heads/main", &first.to_string()]);
        assert_eq!(repo.read_ref(&main).unwrap(), Some(first));
        assert_eq!(repo.head().unwrap().unwrap().commit, Some(first));
        test.git(&["checkout", "-q", "--detach", &second.to_string()]);
        let detached = Head {
            branch: None,
            commit: Some(second),
        };
        assert_eq!(repo.head().unwrap(), Some(detached));
        assert_eq!(repo.resolve("main").unwrap(), Some(first));
        for strange in ["--all", "-h", "nothing", "main^{tree}x", ""] {
            assert_eq!(repo.resolve(strange).unwrap(), None, "{strange}");
        }
        let sha256 = first.as_bytes().len() == 32;
        assert_eq!(repo.object_format() == ObjectFormat::Sha256, sha256);
    }
}

#[test]
fn a_ref_being_packed_is_never_out_of_sight() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    let ours = name("refs/reflectt/claims");
    let commits: Vec<_> = (0..2).map(|n| write_commit(&repo, &[], "m", n)).collect();
    assert_eq!(
        swap(&repo, &ours, None, Some(commits[0])),
        RefOutcome::Moved
    );
    std::thread::scope(|scope| {
        let packer = scope.spawn(|| {
            for n in 0..40 {
                let oid = commits[n % 2].to_string();
                test.git(&["update-ref", ours.as_str(), &oid]);
                test.git(&["pack-refs", "--all"]);
            }
        });
        while !packer.is_finished() {
            assert!(repo.read_ref(&ours).unwrap().is_some());
            assert_eq!(repo.list_refs("refs/reflectt/").unwrap().len(), 1);
        }
    });
    assert_eq!(repo.read_ref(&ours).unwrap(), Some(commits[1]));
}
