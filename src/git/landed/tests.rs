//! Work that others have landed.

use super::*;
use crate::git::testing::TestRepo;

const TRAILER: &str = "Reflectt-Task";

/// A task with two commits on a branch, and what happened on `main`.
struct Scene {
    test: TestRepo,
    base: Oid,
    own: [Oid; 2],
}

impl Scene {
    fn new(test: TestRepo) -> Scene {
        let base = test.commit_files("base", &[("a", "1\n2\n3\n"), ("z", "1\n")]);
        test.git(&["checkout", "-q", "-b", "work"]);
        let one = test.commit_files("one\n\nReflectt-Task: k3f9x2", &[("a", "1\n2\n3\n4\n")]);
        let two = test.commit_files("two\n\nReflectt-Task: k3f9x2", &[("b", "b\n")]);
        test.git(&["checkout", "-q", "main"]);
        test.commit_files("others", &[("z", "2\n")]);
        let own = [one, two];
        Scene { test, base, own }
    }

    fn plain() -> Scene {
        Scene::new(TestRepo::init(&[]))
    }

    fn sought(&self) -> Sought<'_> {
        Sought {
            task: "k3f9x2",
            commit: self.own[1],
            base: Some(self.base),
            own: &self.own,
            older: &[],
        }
    }

    fn head(&self) -> Oid {
        self.test.open().resolve("HEAD").unwrap().unwrap()
    }

    fn look(&self, sought: &[Sought], since: Option<Oid>) -> Vec<Option<Found>> {
        let looked = Looked {
            tip: self.head(),
            since,
            trailer: TRAILER,
        };
        self.test.open().find_landed(&looked, sought).unwrap()
    }

    fn find(&self) -> Option<Found> {
        let found = self.look(&[self.sought()], None);
        let unknown = Sought {
            base: None,
            ..self.sought()
        };
        assert_eq!(
            self.look(&[unknown], None),
            found,
            "the base makes no difference"
        );
        found[0]
    }
}

fn found(how: How, commit: Oid) -> Option<Found> {
    Some(Found { how, commit })
}

#[test]
fn merged_squashed_and_rebased_work_is_found() {
    for test in TestRepo::of_every_format() {
        let scene = Scene::new(test);
        let test = &scene.test;
        assert_eq!(scene.find(), None);
        let start = scene.head();
        test.git(&["merge", "-q", "--no-edit", "work"]);
        assert_eq!(scene.find(), found(How::Ancestor, scene.own[1]));

        test.git(&["reset", "-q", "--hard", &start.to_string()]);
        test.git(&["merge", "-q", "--squash", "work"]);
        let squash = test.commit("Fix it (#7)\n\n* one\n\nReflectt-Task: k3f9x2\n\n---\nmore");
        test.commit_files("later", &[("z", "3\n")]);
        assert_eq!(scene.find(), found(How::Squash, squash));

        test.git(&["reset", "-q", "--hard", &start.to_string()]);
        let [one, two] = scene.own.map(|oid| oid.to_string());
        test.git(&["cherry-pick", &one]);
        test.git(&["commit", "-q", "--amend", "-m", "without a trailer"]);
        assert_eq!(scene.find(), None, "only one of two");
        test.git(&["cherry-pick", &two]);
        test.git(&["commit", "-q", "--amend", "-m", "without a trailer"]);
        let last = scene.head();
        test.commit_files("later", &[("z", "3\n")]);
        assert_eq!(scene.find(), found(How::Patches, last));
        // Taken back, it has landed all the same.
        test.git(&["revert", "--no-edit", "HEAD~1"]);
        assert_eq!(scene.find(), found(How::Patches, last));
    }
}

#[test]
fn commits_of_submissions_are_no_squash() {
    let scene = Scene::plain();
    let test = &scene.test;
    // An older submission came onto the branch by itself, before it was sent back.
    test.git(&["checkout", "-q", "-B", "main", &scene.own[0].to_string()]);
    let newer = test.commit_files("newer\n\nReflectt-Task: k3f9x2", &[("c", "c\n")]);
    test.git(&["checkout", "-q", "-B", "main", &scene.own[0].to_string()]);
    let sought = Sought {
        commit: newer,
        own: &[newer],
        older: &scene.own,
        ..scene.sought()
    };
    assert_eq!(scene.look(&[sought], None), [None]);
    // So did the merge of one.
    test.git(&["checkout", "-q", "-B", "main", &scene.base.to_string()]);
    test.git(&[
        "merge",
        "-q",
        "--no-ff",
        "-m",
        "Merge\n\nReflectt-Task: k3f9x2",
        &scene.own[1].to_string(),
    ]);
    assert_eq!(scene.look(&[sought], None), [None]);
    // Nor does one count that is not on the branch's own line.
    test.git(&["checkout", "-q", "-b", "side"]);
    test.commit("side\n\nReflectt-Task: k3f9x2");
    test.git(&["checkout", "-q", "main"]);
    test.git(&["merge", "-q", "--no-ff", "-m", "Merge side", "side"]);
    assert_eq!(scene.look(&[sought], None), [None]);
    test.commit("squash\n\nReflectt-Task: k3f9x2");
    assert_eq!(
        scene.look(&[sought], None),
        [found(How::Squash, scene.head())]
    );
}

#[test]
fn what_was_there_before_the_work_began_is_not_it() {
    let scene = Scene::plain();
    let test = &scene.test;
    test.commit_files("first time\n\nReflectt-Task: k3f9x2", &[("b", "b\n")]);
    test.git(&["rm", "-q", "b"]);
    let base = test.commit("taken back");
    test.git(&["checkout", "-q", "-b", "again"]);
    let again = test.commit_files("again", &[("b", "b\n")]);
    test.git(&["checkout", "-q", "main"]);
    test.commit_files("others", &[("z", "3\n")]);
    let sought = Sought {
        commit: again,
        base: Some(base),
        own: &[again],
        ..scene.sought()
    };
    // Beside one that began long before, so that more is read than for itself.
    assert_eq!(
        scene.look(&[scene.sought(), sought], None),
        [
            found(
                How::Squash,
                Oid::parse(&test.git(&["rev-parse", "main~2"])).unwrap()
            ),
            None,
        ]
    );
}

#[test]
fn only_what_is_new_is_looked_at_again() {
    let scene = Scene::plain();
    let test = &scene.test;
    let start = scene.head();
    let squash = test.commit_files(
        "squash\n\nReflectt-Task: k3f9x2",
        &[("a", "1\n2\n3\n4\n"), ("b", "b\n")],
    );
    let found_since = |since| scene.look(&[scene.sought()], Some(since))[0];
    assert_eq!(found_since(start), found(How::Squash, squash));
    assert_eq!(found_since(squash), None);
}

#[test]
fn files_that_are_not_text_and_odd_names_count_by_their_contents() {
    let test = TestRepo::with_commit();
    let base = test.open().resolve("HEAD").unwrap().unwrap();
    let odd = "odd\nname *";
    let write = |bytes: [u8; 3]| {
        std::fs::write(test.path.join(odd), [[0].as_slice(), &bytes].concat()).unwrap();
        test.git(&["add", "-A"]);
    };
    test.git(&["checkout", "-q", "-b", "work"]);
    write([1, 2, 3]);
    let own = [test.commit("work")];
    test.git(&["checkout", "-q", "main"]);
    test.commit_files("others", &[("z", "1\n")]);
    write([3, 2, 1]);
    test.commit("another content");
    let scene = Scene {
        test,
        base,
        own: [own[0]; 2],
    };
    let sought = Sought {
        commit: own[0],
        own: &own,
        ..scene.sought()
    };
    assert_eq!(scene.look(&[sought], None), [None]);
    scene.test.git(&["reset", "-q", "--hard", "HEAD~1"]);
    scene.test.git(&["cherry-pick", "work"]);
    assert_eq!(
        scene.look(&[sought], None),
        [found(How::Patches, scene.head())]
    );
}

#[test]
fn what_is_not_here_is_not_found_and_stops_nothing() {
    let scene = Scene::plain();
    let other = TestRepo::init(&[]);
    let gone = other.commit_files("elsewhere", &[("x", "1\n")]);
    scene.test.git(&["merge", "-q", "--no-edit", "work"]);
    let sought = Sought {
        commit: gone,
        base: Some(gone),
        own: &[gone],
        ..scene.sought()
    };
    let answers = scene.look(&[sought, scene.sought()], Some(gone));
    assert_eq!(answers, [None, found(How::Ancestor, scene.own[1])]);
    assert_eq!(scene.look(&[], None), []);
}
