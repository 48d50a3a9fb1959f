//! Edits of trees compared with a plain map of paths.

use proptest::prelude::*;

use super::*;
use crate::git::testing::TestRepo;

type Model = BTreeMap<String, Oid>;

/// The same edit on a map: a path takes the place of what is at, above and below it.
fn edit(model: &mut Model, path: &str, blob: Option<Oid>) {
    let below = format!("{path}/");
    model.retain(|known, _| known != path && !known.starts_with(&below));
    if let Some(blob) = blob {
        model.retain(|known, _| !path.starts_with(&format!("{known}/")));
        model.insert(path.to_owned(), blob);
    }
}

fn listing(test: &TestRepo, tree: Oid) -> Model {
    let text = test.git(&["ls-tree", "-r", "--full-tree", &tree.to_string()]);
    let line = |line: &str| {
        let (info, path) = line.split_once('\t').unwrap();
        let oid = Oid::parse(info.split(' ').nth(2).unwrap()).unwrap();
        (path.to_owned(), oid)
    };
    text.lines().map(line).collect()
}

#[test]
fn edits_agree_with_a_map_of_paths() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blobs: Vec<_> = (0..3_u8).map(|n| repo.write_blob(&[n]).unwrap()).collect();
    let name = prop::sample::select(vec!["a", "a.b", "a0", "b"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    let blob = prop::option::weighted(0.6, prop::sample::select(blobs));
    let batch = prop::collection::vec((path, blob), 1..6);
    let batches = prop::collection::vec(batch, 1..5);
    let config = ProptestConfig {
        cases: 80,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(batches in batches)| {
        let mut model = Model::new();
        let mut tree = None;
        for batch in &batches {
            for (path, blob) in batch {
                edit(&mut model, path, *blob);
            }
            let edits = batch.iter().map(|(path, blob)| (path.as_str(), *blob));
            tree = Some(repo.edit_tree(tree, edits).unwrap());
        }
        let tree = tree.unwrap();
        let whole = model.iter().map(|(path, blob)| (path.as_str(), Some(*blob)));
        // One tree for one content, however it came about; so no empty directories either.
        prop_assert_eq!(tree, repo.edit_tree(None, whole).unwrap());
        prop_assert_eq!(&listing(&test, tree), &model);
        for (path, blob) in &model {
            prop_assert_eq!(repo.find_path(tree, path).unwrap().unwrap().oid, *blob);
        }
        // A difference from nothing is the whole content.
        let changes = repo.diff_trees(None, tree).unwrap();
        let found: Model = changes
            .iter()
            .map(|change| (change.path_text().into_owned(), change.new.unwrap()))
            .collect();
        prop_assert_eq!(&found, &model);
    });
    test.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn what_took_the_place_of_a_file_and_went_again_leaves_nothing() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let x = repo.write_blob(b"x").unwrap();
    let base = repo
        .edit_tree(None, [("a", Some(x)), ("b", Some(x))])
        .unwrap();
    let edits = [("a/b", Some(x)), ("a/b", None), ("b/c", None)];
    let left = repo.edit_tree(Some(base), edits).unwrap();
    assert_eq!(left, repo.edit_tree(None, [("b", Some(x))]).unwrap());
}

#[test]
fn a_change_names_only_what_differs() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let (x, y) = (
        repo.write_blob(b"x").unwrap(),
        repo.write_blob(b"y").unwrap(),
    );
    let paths = [("same/f", Some(x)), ("d/gone", Some(x)), ("e", Some(x))];
    let old = repo.edit_tree(None, paths).unwrap();
    let edits = [("d/gone", None), ("d/new", Some(y)), ("e/f", Some(x))];
    let new = repo.edit_tree(Some(old), edits).unwrap();
    let changes = repo.diff_trees(Some(old), new).unwrap();
    let seen: Vec<_> = changes
        .iter()
        .map(|change| (change.path_text(), change.old, change.new))
        .collect();
    assert_eq!(
        seen,
        [
            ("d/gone".into(), Some(x), None),
            ("d/new".into(), None, Some(y)),
            ("e".into(), Some(x), None),
            ("e/f".into(), None, Some(x)),
        ]
    );
    assert_eq!(repo.diff_trees(Some(new), new).unwrap(), []);
}

#[test]
fn untouched_directories_need_not_even_exist() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blob = repo.write_blob(b"x").unwrap();
    let missing = Oid::parse(&"12".repeat(20)).unwrap();
    let entry = TreeEntry {
        mode: Mode::Tree,
        name: b"far".to_vec(),
        oid: missing,
    };
    let base = repo.write_tree(vec![entry]).unwrap();
    let tree = repo.edit_tree(Some(base), [("near", Some(blob))]).unwrap();
    let names: Vec<_> = repo
        .read_tree(tree)
        .unwrap()
        .into_iter()
        .map(|e| e.name)
        .collect();
    assert_eq!(names, [b"far".to_vec(), b"near".to_vec()]);
    assert_eq!(repo.edit_tree(Some(tree), [("gone", None)]).unwrap(), tree);
}

#[test]
fn paths_that_git_would_not_check_out_are_refused() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blob = repo.write_blob(b"x").unwrap();
    for path in ["", "/a", "a//b", "a/", "../a", "a/./b", ".git/x", "a/.GIT"] {
        let outcome = repo.edit_tree(None, [(path, Some(blob))]);
        assert!(
            matches!(outcome, Err(GitError::InvalidPath { .. })),
            "{path}"
        );
    }
}

#[test]
fn one_edit_among_ten_thousand_entries() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let blob = repo.write_blob(b"x").unwrap();
    let paths: Vec<_> = (0..10_000).map(|n| format!("{n:06}.toml")).collect();
    let edits = paths.iter().map(|path| (path.as_str(), Some(blob)));
    let base = repo.edit_tree(None, edits).unwrap();
    let other = repo.write_blob(b"y").unwrap();
    let begun = std::time::Instant::now();
    let tree = repo
        .edit_tree(Some(base), [("005000.toml", Some(other))])
        .unwrap();
    println!(
        "one edit in a root of 10,000 entries: {:?}",
        begun.elapsed()
    );
    assert_eq!(repo.diff_trees(Some(base), tree).unwrap().len(), 1);
}
