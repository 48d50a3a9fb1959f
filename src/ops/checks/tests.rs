//! Running checks as the doors and the lander do, without a team.

use std::cell::RefCell;

use super::*;
use crate::git::testing::TestRepo;
use crate::git::{GitError, Oid};
use crate::model::check::{Outcome, TIME_LIMIT};
use crate::model::time::Timestamp;
use crate::store::StoreError;

fn context(test: &TestRepo) -> Context {
    Context::new(
        test.open(),
        None,
        || Timestamp(5),
        fastrand::Rng::with_seed(1),
    )
}

fn check(name: &str, command: &str) -> Check {
    Check {
        name: name.parse().unwrap(),
        command: command.to_owned(),
        time_limit: TIME_LIMIT,
    }
}

fn head(ctx: &Context) -> Oid {
    ctx.repo().resolve("HEAD").unwrap().unwrap()
}

#[test]
fn a_run_stops_early_if_that_is_wanted() {
    let test = TestRepo::with_commit();
    let ctx = context(&test);
    let checks = [
        check("good", "true"),
        check("bad", "exit 7"),
        check("more", "true"),
    ];
    let outcomes = |stop_early: bool| -> Vec<&'static str> {
        let manner = Manner {
            stop_early,
            ..Manner::default()
        };
        let results = run(&ctx, &checks, head(&ctx), manner, &|_| {}).unwrap();
        results
            .iter()
            .map(|result| result.outcome.as_str())
            .collect()
    };
    assert_eq!(outcomes(true), ["passed", "failed"]);
    assert_eq!(outcomes(false), ["passed", "failed", "passed"]);
}

#[test]
fn steps_tell_what_a_run_is_at_and_end_with_it() {
    let test = TestRepo::with_commit();
    let ctx = context(&test);
    let seen: RefCell<Vec<String>> = RefCell::default();
    let watch = |step: Step| {
        let word = match step {
            Step::Waits { .. } => "waits".to_owned(),
            Step::Prepares => "prepares".to_owned(),
            Step::Runs { check, line, .. } => match line() {
                Some(line) => format!("{} says {line}", check.name),
                None => return,
            },
            Step::Ended => "ended".to_owned(),
        };
        let mut seen = seen.borrow_mut();
        if seen.last() != Some(&word) {
            seen.push(word);
        }
    };
    let checks = [check("slow", "echo hello; sleep 0.3; exit 3")];
    let results = run(&ctx, &checks, head(&ctx), Manner::default(), &watch).unwrap();
    assert_eq!(results[0].outcome, Outcome::Failed { code: 3 });
    assert_eq!(results[0].at, Timestamp(5));
    assert_eq!(seen.take(), ["prepares", "slow says hello", "ended"]);
}

#[test]
fn a_cancelled_run_is_an_error_and_no_result() {
    let test = TestRepo::with_commit();
    let ctx = context(&test);
    let cancel = ctx.repo().runner().cancel();
    let watch = |step: Step| {
        if let Step::Runs { .. } = step {
            cancel.cancel();
        }
    };
    let checks = [check("slow", "sleep 600")];
    let error = run(&ctx, &checks, head(&ctx), Manner::default(), &watch).unwrap_err();
    let is_cancelled = matches!(
        error,
        OpsError::Store(StoreError::Git(GitError::Cancelled { .. }))
    );
    assert!(is_cancelled, "{error}");
}

#[test]
fn a_commit_that_is_not_here_is_no_result_either() {
    let test = TestRepo::with_commit();
    let ctx = context(&test);
    let tree = ctx.repo().empty_tree();
    let elsewhere = Oid::parse("1234567890123456789012345678901234567890").unwrap();
    for oid in [tree, elsewhere] {
        let error = run(&ctx, &[], oid, Manner::default(), &|_| {}).unwrap_err();
        assert!(error.to_string().contains("no commit"), "{error}");
    }
}

#[test]
fn the_landing_branch_is_found_by_habit_and_through_the_remote() {
    let test = TestRepo::init(&[]);
    assert_eq!(landing_branch(&context(&test)).unwrap(), None);
    test.git(&["checkout", "-q", "-b", "master"]);
    let first = test.commit("first");
    let name = || {
        let branch = landing_branch(&context(&test)).unwrap().unwrap();
        (branch.name, branch.tip)
    };
    assert_eq!(name(), ("master".to_owned(), first));
    test.git(&["checkout", "-q", "-b", "main"]);
    let second = test.commit("second");
    assert_eq!(name(), ("main".to_owned(), second));
    test.git(&[
        "symbolic-ref",
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/trunk",
    ]);
    // It names what was never fetched.
    assert_eq!(name(), ("main".to_owned(), second));
    test.git(&[
        "update-ref",
        "refs/remotes/origin/trunk",
        &first.to_string(),
    ]);
    assert_eq!(name(), ("origin/trunk".to_owned(), first));
}
