//! Exchanges that take longer than the limit: as long as something comes, they go on.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use super::*;

/// Much longer than a chunk takes on a busy machine, and much shorter than the whole.
const SHORT: Duration = Duration::from_millis(2500);

/// Writes a script that passes its input on in five chunks of 16 kB in a second, and that stops and
/// waits for ever after a number of them.
fn trickle(dir: &Path, stall: Option<u32>) -> PathBuf {
    let path = dir.join("trickle");
    let stall = stall.map_or(-1, i64::from);
    let (chunk, child) = (dir.join("chunk"), dir.join("child"));
    let (chunk, child) = (chunk.display(), child.display());
    let script = format!(
        "n=0\n\
         while dd bs=16384 count=1 of='{chunk}' 2>/dev/null && [ -s '{chunk}' ]; do\n\
           cat '{chunk}'; n=$((n+1))\n\
           if [ $n = {stall} ]; then echo $$ >'{child}'; exec sleep 300; fi\n\
           sleep 0.2\n\
         done"
    );
    executable(&path, &script);
    path
}

fn executable(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(path, mode).unwrap();
}

/// Writes a commit with so many files of random bytes, which nothing compresses.
fn much(repo: &Repo, files: usize, bytes: usize) -> Oid {
    let mut rng = fastrand::Rng::with_seed(7);
    let blobs: Vec<(String, Option<Oid>)> = (0..files)
        .map(|n| {
            let content: Vec<u8> = (0..bytes).map(|_| rng.u8(..)).collect();
            (format!("f{n}"), Some(repo.write_blob(&content).unwrap()))
        })
        .collect();
    let edits = blobs.iter().map(|(path, blob)| (path.as_str(), *blob));
    let tree = repo.edit_tree(None, edits).unwrap();
    let commit = crate::git::NewCommit {
        tree,
        parents: Vec::new(),
        author: crate::git::testing::signature(1),
        committer: crate::git::testing::signature(1),
        message: "much".to_owned(),
    };
    repo.write_commit(&commit).unwrap()
}

/// What a watcher was told, a line for each report.
type Told = Rc<RefCell<Vec<String>>>;

fn watched(test: &TestRepo) -> (Repo, Told) {
    let told = Told::default();
    let into = Rc::clone(&told);
    let repo = test.open().watch_transfers(move |transfer| {
        let said = match transfer {
            Transfer::Working {
                remote,
                way,
                progress: Some(progress),
                ..
            } => format!("{way:?} {remote} {progress}"),
            Transfer::Working { progress: None, .. } => return,
            Transfer::Ended => "ended".to_owned(),
        };
        if into.borrow().last() != Some(&said) {
            into.borrow_mut().push(said);
        }
    });
    (repo, told)
}

/// A repository whose remote has 400 kB that it lacks, and sends them slowly.
fn far_from_much(stall: Option<u32>) -> TestRepo {
    let (full, bare) = pair();
    let repo = full.open();
    let pushes = [push(
        &name("refs/heads/x"),
        None,
        Some(much(&repo, 150, 2500)),
    )];
    repo.remote("origin", LIMIT)
        .push(&pushes, Together::Each)
        .unwrap();
    let test = TestRepo::with_commit();
    let far = test.dir.path().join("far.git");
    fs::rename(bare, &far).unwrap();
    let trickle = trickle(test.dir.path(), stall);
    let pack = test.dir.path().join("slow-upload-pack");
    executable(
        &pack,
        &format!("git upload-pack \"$@\" | '{}'", trickle.display()),
    );
    test.git(&["remote", "add", "origin", far.to_str().unwrap()]);
    test.git(&["config", "remote.origin.uploadpack", pack.to_str().unwrap()]);
    test
}

fn spec() -> FetchSpec {
    FetchSpec {
        from: "refs/heads/*".to_owned(),
        to: Some("refs/x/*".to_owned()),
    }
}

#[test]
fn a_slow_fetch_goes_on_as_long_as_something_comes() {
    let test = far_from_much(None);
    let (repo, told) = watched(&test);
    let begun = Instant::now();
    repo.remote("origin", SHORT).fetch(&[spec()]).unwrap();
    assert!(begun.elapsed() > SHORT, "{:?}", begun.elapsed());
    assert_eq!(repo.list_refs("refs/x/").unwrap().len(), 1);
    let told = told.borrow();
    let step = |said: &&String| said.starts_with("Fetch origin receiving objects ");
    assert!(told.iter().filter(step).count() > 3, "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("ended"));
}

#[test]
fn a_fetch_that_stalls_is_ended_with_its_children() {
    let test = far_from_much(Some(10));
    let (repo, told) = watched(&test);
    let begun = Instant::now();
    let error = repo.remote("origin", SHORT).fetch(&[spec()]).unwrap_err();
    assert!(
        error.to_string().contains("no answer within 2.5 s"),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(told.borrow().last().map(String::as_str), Some("ended"));
    assert_eq!(repo.list_refs("refs/x/").unwrap(), []);
    let child = fs::read_to_string(test.dir.path().join("child")).unwrap();
    let child: u32 = child.trim().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while crate::git::Process::of(child).runs() {
        assert!(Instant::now() < deadline, "{child} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_slow_push_goes_on_as_long_as_something_goes() {
    let (test, _bare) = pair();
    let trickle = trickle(test.dir.path(), None);
    let pack = test.dir.path().join("slow-receive-pack");
    executable(
        &pack,
        &format!("'{}' | git receive-pack \"$@\"", trickle.display()),
    );
    test.git(&[
        "config",
        "remote.origin.receivepack",
        pack.to_str().unwrap(),
    ]);
    let (repo, told) = watched(&test);
    let pushes = [push(
        &name("refs/heads/x"),
        None,
        Some(much(&repo, 150, 2500)),
    )];
    let begun = Instant::now();
    let remote = repo.remote("origin", SHORT);
    assert_eq!(
        remote.push(&pushes, Together::Each).unwrap(),
        [Pushed::Moved]
    );
    assert!(begun.elapsed() > SHORT, "{:?}", begun.elapsed());
    let told = told.borrow();
    let step = |said: &&String| said.starts_with("Push origin writing objects ");
    assert!(told.iter().filter(step).count() > 3, "{told:?}");
}
