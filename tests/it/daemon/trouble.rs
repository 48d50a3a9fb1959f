//! What goes wrong around a daemon: a remote that says nothing, kills, locks that were left, a full
//! disk, a repository that is gone.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::{Daemon, SOON, status, two};
use crate::support::process::{self, HEEDLESS, Victims, limit_files};
use crate::support::{Repo, TestEnv, poll_until};
use crate::sync::tips;

/// Takes the connections of one clone and never answers, until it is told to.
struct Silence {
    clone: Repo,
    /// Holds the processes that were left waiting.
    pids: PathBuf,
}

impl Silence {
    fn over(clone: &Repo) -> Silence {
        let pids = clone.env().dir().join("waiting");
        let script = clone.env().dir().join("silent");
        // As `ssh` may: with a process of its own, which knows nothing of whom it keeps waiting.
        let text = format!(
            "#!/bin/sh\nsleep 600 & echo $! >> '{0}'; echo $$ >> '{0}'; wait\n",
            pids.display()
        );
        fs::write(&script, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&script, mode).unwrap();
        for key in ["uploadpack", "receivepack"] {
            let key = format!("remote.origin.{key}");
            clone.git(["config", &key, script.to_str().unwrap()]);
        }
        Silence {
            clone: clone.clone(),
            pids,
        }
    }

    /// Returns those that were ever left waiting.
    fn kept(&self) -> Vec<u32> {
        let text = fs::read_to_string(&self.pids).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    #[track_caller]
    fn keeps_somebody(&self) {
        poll_until("an exchange hangs", SOON, || {
            self.kept().into_iter().any(is_alive).then_some(())
        });
    }

    #[track_caller]
    fn keeps_nobody(&self) {
        let kept = self.kept();
        assert!(kept.len() > 1, "{kept:?}");
        poll_until("all have ended", SOON, || {
            (!kept.iter().copied().any(is_alive)).then_some(())
        });
    }

    fn end(&self) {
        for key in ["uploadpack", "receivepack"] {
            let key = format!("remote.origin.{key}");
            self.clone.git(["config", "--unset", &key]);
        }
    }
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Killed and not yet collected by its new parent counts as dead.
    !stat.is_empty() && !stat.contains(") Z ")
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn log(clone: &Repo) -> String {
    let log = status(clone)["log"].as_str().unwrap().to_owned();
    fs::read_to_string(log).unwrap()
}

#[test]
fn a_remote_that_never_answers_is_left_at_the_time_limit_and_asked_ever_more_rarely() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    kai.reflectt(["config", "set", "sync.time_limit", "1s"])
        .ok();
    let silence = Silence::over(&kai);
    let _daemon = Daemon::start(&kai);
    let down = poll_until("it is noticed", SOON, || {
        let now = status(&kai);
        (now["failures"].as_u64() > Some(1)).then_some(now)
    });
    let error = down["error"].as_str().unwrap();
    assert!(error.contains("no answer within 1 s"), "{down}");
    assert!(down["next_attempt"].is_string(), "{down}");
    silence.keeps_nobody();
    let said = log(&kai);
    assert_eq!(said.matches("no answer").count(), 1, "{said}");
    silence.end();
    kai.command(["--no-sync", "send", "link", "hello"])
        .run()
        .ok();
    poll_until("it is caught up with", SOON, || {
        (tips(&it.bare)[0] == tips(&kai)[0] && status(&kai)["failures"] == 0).then_some(())
    });
}

#[test]
fn told_to_stop_it_does_not_wait_for_a_remote_that_says_nothing() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    let before = tips(&it.bare);
    // Fetching hangs in the first round, pushing in the second.
    for keys in [&["uploadpack", "receivepack"][..], &["receivepack"]] {
        let silence = Silence::over(&kai);
        if keys.len() == 1 {
            kai.git(["config", "--unset", "remote.origin.uploadpack"]);
            kai.command(["--no-sync", "send", "link", "hello"])
                .run()
                .ok();
        }
        let _daemon = Daemon::start(&kai);
        silence.keeps_somebody();
        let begun = Instant::now();
        kai.reflectt(["daemon", "stop"]).ok();
        println!("stopped after {:?}, wanted: 2 s", begun.elapsed());
        // The remote would be waited for for half a minute.
        assert!(begun.elapsed() < Duration::from_secs(8));
        silence.keeps_nobody();
        let said = log(&kai);
        assert!(said.ends_with("ends, as it was told to\n"), "{said}");
        assert!(!said.contains("ended before it was done"), "{said}");
        assert_eq!(status(&kai)["failures"], 0);
        if keys.len() == 2 {
            silence.end();
        }
        fs::remove_file(&silence.pids).unwrap();
    }
    assert_eq!(tips(&it.bare), before);
    kai.git(["config", "--unset", "remote.origin.receivepack"]);
    it.agree();
}

#[test]
fn killed_in_an_exchange_with_locks_left_behind_the_next_one_goes_on() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    let silence = Silence::over(&kai);
    let _daemon = Daemon::start(&kai);
    silence.keeps_somebody();
    let pid = number(&status(&kai)["pid"]);
    process::kill(pid.cast_signed(), Victims::WithChildren);
    poll_until("it is gone", SOON, || {
        (status(&kai)["running"] == false).then_some(())
    });
    silence.end();
    // The silent ones outlive whoever asked them, as nothing is left that could end them.
    for pid in silence.kept() {
        process::signal(pid.cast_signed(), libc::SIGKILL);
    }
    // What a git leaves that is killed in the middle of its work.
    let locks = [
        "refs/reflectt/remotes/origin/heads/reflectt.lock",
        "refs/reflectt/remotes/origin/claims.lock",
        "refs/heads/reflectt.lock",
        "refs/reflectt/claims.lock",
    ]
    .map(|name| kai.common_dir().join(name));
    for lock in &locks {
        let file = File::create_new(lock).unwrap();
        let old = SystemTime::now() - Duration::from_secs(120);
        file.set_modified(old).unwrap();
    }
    let id = link.task("link", "While kai was away", &[]);
    link.reflectt(["claim", &id]).ok();
    kai.reflectt(["daemon", "start"]).ok();
    poll_until("it catches up", SOON, || {
        (tips(&kai) == tips(&it.bare) && status(&kai)["failures"] == 0).then_some(())
    });
    kai.command(["--no-sync", "send", "link", "back"])
        .run()
        .ok();
    poll_until("it goes out", SOON, || {
        (tips(&kai) == tips(&it.bare)).then_some(())
    });
    let left: Vec<_> = locks.iter().filter(|lock| lock.exists()).collect();
    assert_eq!(left, Vec::<&PathBuf>::new());
    let said = log(&kai);
    assert!(said.contains("left behind by a killed process"), "{said}");
}

#[test]
fn a_full_disk_costs_the_daemon_nothing_but_time() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    let running = kai
        .command(["daemon", "run", "--to-log"])
        .by_shell(HEEDLESS)
        .spawn();
    let _daemon = Daemon(kai.clone());
    let pid = poll_until("it is at work", SOON, || {
        let now = status(&kai);
        (now["last_fetch"].is_string()).then(|| number(&now["pid"]))
    });
    limit_files(pid, Some(0));
    let before = status(&kai);
    // Neither what is here can go out nor what is there come in.
    kai.command(["--no-sync", "send", "link", "from kai"])
        .run()
        .ok();
    link.reflectt(["send", "kai", "from link"]).ok();
    let there = tips(&it.bare);
    let tried = || {
        let temporary = kai.common_dir().join("reflectt/fetched");
        !temporary.exists()
    };
    poll_until("an exchange fails", SOON, || tried().then_some(()));
    let now = status(&kai);
    assert_eq!(now["running"], true);
    assert_eq!(now["last_push"], before["last_push"]);
    assert_eq!(tips(&it.bare), there);
    assert_eq!(now["waiting"], 1);
    limit_files(pid, None);
    poll_until("all is exchanged", Duration::from_secs(40), || {
        let now = status(&kai);
        (tips(&kai) == tips(&it.bare) && now["failures"] == 0 && now["waiting"] == 0).then_some(())
    });
    assert_eq!(number(&status(&kai)["pid"]), pid);
    let said = log(&kai);
    assert_eq!(said.matches("no space left").count(), 1, "{said}");
    link.reflectt(["sync"]).ok();
    for (clone, body) in [(&kai, "from link"), (&link, "from kai")] {
        let inbox = clone.reflectt(["--json", "inbox"]).ok().json();
        assert_eq!(inbox["messages"][0]["body"], body);
    }
    kai.reflectt(["daemon", "stop"]).ok();
    running.finish().ok();
}

#[test]
fn a_daemon_whose_repository_is_deleted_ends() {
    let env = TestEnv::new();
    let (_it, kai, _link) = two(&env);
    let running = kai.command(["daemon", "run"]).spawn();
    poll_until("it is at work", SOON, || {
        (status(&kai)["running"] == true).then_some(())
    });
    // It may write its state at the very moment.
    poll_until("it is deleted", SOON, || {
        fs::remove_dir_all(kai.path()).ok();
        (!kai.path().exists()).then_some(())
    });
    let output = running.finish().ok();
    assert!(output.stdout.contains("the repository is gone"), "{output}");
    assert!(!kai.path().exists(), "it made the repository again");
}
