//! A kill at each step of publishing, exactly there.
//!
//! `git` is started through a script that knows who started it, and git itself runs a hook while
//! it holds all locks, and another time when all refs have moved. Either kills whom the test wants.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{age_locks, locks, team};
use crate::support::check::{claims, sound};
use crate::support::{Output, Repo, TestEnv};

/// Where the kill happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Objects are written; git was not started on the refs.
    Before,
    /// Git holds all locks and has moved nothing.
    Locked,
    /// All refs have moved.
    Moved,
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// As by a signal to the process alone: git goes on.
    Reflectt,
    /// As by a power cut, or a killed container.
    Both,
    /// As by the system when it is out of memory.
    Git,
}

/// Installs the script and the hook, which do nothing unless a variable asks for it.
fn prepare(repo: &Repo) {
    let bin = repo.env().dir().join("bin");
    fs::create_dir(&bin).unwrap();
    let search = "PATH=\"${PATH#*:}\" command -v git";
    script(
        &bin.join("git"),
        &format!(
            "#!/bin/sh
             real=$({search})
             case \" $* \" in *' update-ref '*)
                 export VICTIM=$PPID
                 if [ \"$STEP\" = Before ]; then kill -9 $PPID; exit 1; fi
             esac
             exec \"$real\" \"$@\"\n"
        ),
    );
    script(
        &repo.common_dir().join("hooks/reference-transaction"),
        "#!/bin/sh
         case \"$STEP $1\" in 'Locked prepared'|'Moved committed') ;; *) exit 0 ;; esac
         [ -n \"$VICTIM\" ] || exit 0
         # Not again when it is tried again.
         [ ! -e \"$ONCE\" ] || exit 0
         : > \"$ONCE\"
         [ \"$WHOM\" = Git ] || kill -9 $VICTIM
         [ \"$WHOM\" = Reflectt ] || kill -9 $PPID
         exit 0\n",
    );
}

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a command that meets its step.
fn meet(repo: &Repo, agent: &str, args: &[&str], step: Step, whom: Whom) -> Output {
    let path = std::env::var("PATH").unwrap();
    let bin = repo.env().dir().join("bin");
    let once = repo.env().dir().join("once");
    fs::remove_file(&once).ok();
    repo.command(args)
        .agent(agent)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("STEP", format!("{step:?}"))
        .env("WHOM", format!("{whom:?}"))
        .env("ONCE", once.to_str().unwrap())
        .run()
}

/// Runs a command that is killed at a step.
#[track_caller]
fn killed(repo: &Repo, agent: &str, args: &[&str], step: Step, whom: Whom) {
    let output = meet(repo, agent, args, step, whom);
    assert_eq!(
        output.status, None,
        "{step:?} {whom:?}: not killed\n{output}"
    );
}

/// Waits until the git process that survived has let go of its locks.
fn settled(repo: &Repo) {
    use std::time::Duration;
    crate::support::poll_until("git ends", Duration::from_secs(20), || {
        locks(repo).is_empty().then_some(())
    });
}

#[test]
fn a_kill_at_any_step_leaves_the_old_state_or_the_new_one() {
    const STEPS: [(Step, Whom); 5] = [
        (Step::Before, Whom::Reflectt),
        (Step::Locked, Whom::Both),
        (Step::Locked, Whom::Reflectt),
        (Step::Moved, Whom::Both),
        (Step::Moved, Whom::Reflectt),
    ];
    for format in ["files", "reftable"] {
        let env = TestEnv::new();
        let (repo, id) = team(&env, format);
        prepare(&repo);
        for (step, whom) in STEPS {
            // Claiming and giving back, each of them killed, and each repeated as one would.
            for args in [["claim", &id], ["release", &id]] {
                killed(&repo, "kai", &args, step, whom);
                match whom {
                    Whom::Both => drop(age_locks(&repo)),
                    Whom::Git => unreachable!(),
                    Whom::Reflectt => settled(&repo),
                }
                let what = format!("{format} {step:?} {whom:?} {args:?}");
                let done = match (step, whom) {
                    (Step::Before, _) | (Step::Locked, Whom::Both) => false,
                    // Git may also notice that nobody listens, and give up.
                    (Step::Locked, _) => claims(&repo).contains_key(&id) == (args[0] == "claim"),
                    (Step::Moved, _) => true,
                };
                let held = claims(&repo).contains_key(&id);
                assert_eq!(held, done == (args[0] == "claim"), "{what}");
                let again = repo.as_agent("kai", args);
                // What was given back is not held any more.
                let expected = if done && args[0] == "release" { 4 } else { 0 };
                assert_eq!(again.status, Some(expected), "{what}\n{again}");
                assert_eq!(
                    claims(&repo).contains_key(&id),
                    args[0] == "claim",
                    "{what}"
                );
                assert!(locks(&repo).is_empty(), "{what}");
            }
        }
        sound(&repo);
    }
}

/// The next command comes while the git process of the killed one still works.
#[test]
fn the_orphaned_git_and_the_next_command_do_not_quarrel() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    prepare(&repo);
    for _ in 0..10 {
        killed(&repo, "kai", &["claim", &id], Step::Locked, Whom::Reflectt);
        let other = repo.as_agent("link", ["--json", "claim", &id]);
        let holder = match other.status {
            Some(0) => "link",
            _ => "kai",
        };
        settled(&repo);
        assert_eq!(claims(&repo)[&id]["agent"], holder, "{other}");
        repo.as_agent(holder, ["release", &id]).ok();
        sound(&repo);
    }
}

#[test]
fn when_git_alone_is_killed_the_command_tries_again() {
    for (format, step) in [
        ("files", Step::Locked),
        ("files", Step::Moved),
        ("reftable", Step::Moved),
    ] {
        let env = TestEnv::new();
        let (repo, id) = team(&env, format);
        prepare(&repo);
        let claimed = meet(&repo, "kai", &["claim", &id], step, Whom::Git).ok();
        assert!(env.dir().join("once").exists(), "git was not killed");
        assert_eq!(
            claimed.stderr.contains(".lock"),
            step == Step::Locked,
            "{claimed}"
        );
        assert_eq!(claims(&repo)[&id]["agent"], "kai");
        sound(&repo);
    }
}
