//! The daemon: what it brings, and what it survives.

mod landing;
mod surroundings;
mod trouble;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Repo, TestEnv, poll_until, race};
use crate::sync::{Machines, tips};

const SOON: Duration = Duration::from_secs(20);

/// A daemon that is stopped when the test ends, however it ends.
struct Daemon(Repo);

impl Daemon {
    fn start(clone: &Repo) -> Daemon {
        clone.reflectt(["daemon", "start"]).ok();
        Daemon(clone.clone())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.0.path().exists() {
            self.0.reflectt(["daemon", "stop"]);
        }
    }
}

fn status(clone: &Repo) -> Value {
    clone.reflectt(["--json", "daemon", "status"]).ok().json()
}

fn kill(pid: &Value, signal: &str) {
    let pid = pid.as_u64().unwrap().to_string();
    let done = std::process::Command::new("kill")
        .args([signal, &pid])
        .status();
    assert!(done.unwrap().success());
}

fn two(env: &TestEnv) -> (Machines, Repo, Repo) {
    let it = Machines::new(env, ["kai", "link"]);
    let (kai, link) = (it.clones[0].clone(), it.clones[1].clone());
    kai.reflectt(["config", "set", "sync.interval", "1s"]).ok();
    it.sync_all();
    (it, kai, link)
}

#[test]
fn what_one_writes_the_other_has_within_seconds() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    let _daemons = [Daemon::start(&kai), Daemon::start(&link)];
    let waiting = link.command(["--json", "inbox", "--wait", "20s"]).spawn();
    kai.reflectt(["send", "link", "the build is green"]).ok();
    let sent = Instant::now();
    poll_until("the remote has it", Duration::from_secs(5), || {
        (tips(&it.bare)[0] == tips(&kai)[0]).then_some(())
    });
    println!("on the remote after {:?}, wanted: 1 s", sent.elapsed());
    let inbox = waiting.finish().ok().json();
    println!("seen after {:?}", sent.elapsed());
    assert_eq!(inbox["messages"][0]["body"], "the build is green");
    let now = status(&kai);
    assert_eq!(
        (&now["running"], &now["failures"]),
        (&true.into(), &0.into())
    );
    assert!(now["last_push"].is_string(), "{now}");
}

#[test]
fn what_another_pushed_is_seen_within_the_interval() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    kai.reflectt(["config", "set", "sync.interval", "3s"]).ok();
    it.sync_all();
    let _daemon = Daemon::start(&kai);
    for round in 0..3 {
        link.reflectt(["send", "kai", &format!("news {round}")])
            .ok();
        let pushed = Instant::now();
        poll_until("it is seen", Duration::from_secs(15), || {
            (tips(&it.bare)[0] == tips(&kai)[0]).then_some(())
        });
        println!("seen after {:?}, wanted: 3 s", pushed.elapsed());
    }
}

#[test]
fn a_daemon_looks_more_often_while_somebody_waits() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    kai.reflectt(["config", "set", "sync.interval", "10m"]).ok();
    it.sync_all();
    let _daemon = Daemon::start(link);
    poll_until("it has looked once", SOON, || {
        status(link)["last_fetch"].is_string().then_some(())
    });
    let waiting = link.command(["--json", "inbox", "--wait", "60s"]).spawn();
    kai.reflectt(["send", "link", "long before its time"]).ok();
    let inbox = waiting.finish().ok().json();
    assert_eq!(inbox["messages"][0]["body"], "long before its time");
}

#[test]
fn without_a_daemon_whoever_waits_asks_the_remote_itself() {
    let env = TestEnv::new();
    let (_it, kai, link) = two(&env);
    let waiting = link.command(["--json", "inbox", "--wait", "20s"]).spawn();
    kai.reflectt(["send", "link", "hello"]).ok();
    let inbox = waiting.finish().ok().json();
    assert_eq!(inbox["messages"][0]["body"], "hello");
}

#[test]
fn there_is_one_daemon_for_each_clone() {
    let env = TestEnv::new();
    let (_it, kai, _link) = two(&env);
    let none = status(&kai);
    assert_eq!(none["running"], false);
    let started = race((0..3).map(|_| kai.command(["--json", "daemon", "start"])));
    let _daemon = Daemon(kai.clone());
    let pids: Vec<Value> = started
        .into_iter()
        .map(|it| it.ok().json()["pid"].clone())
        .collect();
    assert!(
        pids.iter().all(|pid| *pid == status(&kai)["pid"]),
        "{pids:?}"
    );
    let second = kai.reflectt(["daemon", "run"]).code(1);
    assert!(second.stderr.contains(&pids[0].to_string()), "{second}");
    kai.reflectt(["daemon", "stop"]).ok();
    assert_eq!(status(&kai)["running"], false);
    kai.reflectt(["daemon", "stop"]).ok();
}

#[test]
fn a_daemon_killed_is_started_again_and_goes_on() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    let _daemon = Daemon::start(&kai);
    kill(&status(&kai)["pid"], "-KILL");
    poll_until("it is gone", SOON, || {
        (status(&kai)["running"] == false).then_some(())
    });
    kai.command(["--no-sync", "send", "link", "in between"])
        .run()
        .ok();
    assert_eq!(status(&kai)["waiting"], 1);
    kai.reflectt(["daemon", "start"]).ok();
    poll_until("it goes out", SOON, || {
        (tips(&it.bare)[0] == tips(&kai)[0]).then_some(())
    });
    link.reflectt(["sync"]).ok();
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "in between");
}

#[test]
fn a_remote_that_goes_and_comes_back_is_reported_and_caught_up_with() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    let _daemon = Daemon::start(&kai);
    let away = it.bare.path().with_extension("away");
    std::fs::rename(it.bare.path(), &away).unwrap();
    let down = poll_until("it is noticed", SOON, || {
        let now = status(&kai);
        now["failures"]
            .as_u64()
            .is_some_and(|n| n > 1)
            .then_some(now)
    });
    assert!(
        down["error"].as_str().unwrap().contains("cannot reach"),
        "{down}"
    );
    kai.reflectt(["send", "link", "while it was away"]).ok();
    std::fs::rename(&away, it.bare.path()).unwrap();
    poll_until("it is caught up with", SOON, || {
        (tips(&it.bare)[0] == tips(&kai)[0] && status(&kai)["failures"] == 0).then_some(())
    });
    link.reflectt(["sync"]).ok();
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"].as_array().unwrap().len(), 1);
    let log = status(&kai)["log"].as_str().unwrap().to_owned();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("the remote answers again"), "{log}");
}

#[test]
fn a_daemon_whose_repository_is_moved_ends() {
    let env = TestEnv::new();
    let (_it, kai, _link) = two(&env);
    let _daemon = Daemon::start(&kai);
    let pid = status(&kai)["pid"].clone();
    let elsewhere = Repo::at(env.clone(), env.dir().join("moved"));
    std::fs::rename(kai.path(), elsewhere.path()).unwrap();
    poll_until("it ends", SOON, || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.map_or(Some(()), |stat| stat.contains(") Z ").then_some(()))
    });
    assert_eq!(status(&elsewhere)["running"], false);
    let _daemon = Daemon::start(&elsewhere);
    assert_eq!(status(&elsewhere)["running"], true);
}

#[test]
fn a_daemon_outlives_the_worktree_it_was_started_in() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    kai.git(["worktree", "add", "-q", "../task"]);
    let task = Repo::at(env.clone(), env.dir().join("task"));
    let _daemon = Daemon(kai.clone());
    task.reflectt(["daemon", "start"]).ok();
    kai.git(["worktree", "remove", "--force", "../task"]);
    kai.reflectt(["send", "link", "the worktree is gone"]).ok();
    poll_until("it goes out", SOON, || {
        (tips(&it.bare)[0] == tips(&kai)[0]).then_some(())
    });
    assert_eq!(status(&kai)["failures"], 0);
}

#[test]
fn a_remote_added_later_is_noticed() {
    let env = TestEnv::new();
    let kai = env.team(["kai"]);
    kai.reflectt(["config", "set", "sync.interval", "1s"]).ok();
    let _daemon = Daemon::start(&kai);
    let bare = env.bare("bare.git");
    kai.git(["remote", "add", "origin", bare.path().to_str().unwrap()]);
    kai.reflectt(["init"]).ok();
    kai.as_agent("kai", ["send", "kai", "shared from now on"])
        .ok();
    poll_until("it goes out", SOON, || {
        (tips(&bare)[0] == tips(&kai)[0] && status(&kai)["last_push"].is_string()).then_some(())
    });
}

#[test]
fn the_daemon_expires_who_is_silent_and_signs_off_whose_process_is_gone() {
    let env = TestEnv::new();
    let (_it, kai, link) = two(&env);
    let thresholds = ["heartbeat.idle_after", "1s", "heartbeat.stale_after", "2s"];
    let expire = ["heartbeat.expire_after", "4s"];
    kai.as_agent(
        "kai",
        ["config", "set"].iter().chain(&thresholds).chain(&expire),
    )
    .ok();
    let id = kai.task("kai", "Left behind", &[]);
    kai.reflectt(["claim", &id]).ok();
    let _daemon = Daemon::start(&link);
    poll_until("the claim expires", Duration::from_secs(30), || {
        let claims = link.reflectt(["--json", "claims"]).ok().json();
        claims["claims"]
            .as_array()
            .unwrap()
            .is_empty()
            .then_some(())
    });
    let running = link
        .command(["run", "--", "sh", "-c", "exec sleep 30 >/dev/null 2>&1"])
        .agent("link")
        .spawn();
    let child = running.child.id();
    let tied = link.common_dir().join("reflectt/processes/link");
    poll_until("it is noted", SOON, || {
        let text = std::fs::read_to_string(&tied).ok()?;
        text.starts_with(&format!("{child} ")).then_some(())
    });
    running.kill();
    poll_until("it is signed off", Duration::from_secs(40), || {
        let who = link.reflectt(["--json", "--as", "kai", "who"]).ok().json();
        let seat = &who["agents"][1];
        assert_eq!(seat["name"], "link");
        (seat["status"] == "offline").then_some(())
    });
}

#[test]
fn the_daemon_signs_off_who_goes_with_its_worktree() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    let [mira, sage, third] = ["mira", "sage", "third"].map(|name| {
        let worktree = kai.worktree(name);
        worktree.reflectt(["join", name]).ok();
        worktree
    });
    let id = kai.task("kai", "Left behind", &[]);
    mira.reflectt(["claim", &id]).ok();
    kai.git([
        "worktree",
        "remove",
        "--force",
        sage.path().to_str().unwrap(),
    ]);
    // One of them goes on from another place.
    kai.as_agent("sage", ["heartbeat"]).ok();
    // The daemon is the clone's, wherever it was started.
    let _daemon = Daemon::start(&third);
    let _end = Daemon(kai.clone());
    kai.git([
        "worktree",
        "remove",
        "--force",
        third.path().to_str().unwrap(),
    ]);
    std::fs::remove_dir_all(mira.path()).unwrap();
    let log = status(&kai)["log"].as_str().unwrap().to_owned();
    let said = |repo: &Repo| {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let name = repo.path().file_name().unwrap().to_str().unwrap();
        let path = repo.path().display();
        log.matches(&format!(
            "signed off `{name}`, whose worktree `{path}` is gone"
        ))
        .count()
    };
    poll_until("both are signed off", SOON, || {
        (said(&mira) + said(&third) == 2).then_some(())
    });
    let who = kai.reflectt(["--json", "who"]).ok().json();
    let agents = who["agents"].as_array().unwrap();
    let seat = |name: &str| agents.iter().find(|seat| seat["name"] == name).unwrap();
    assert_eq!(seat("mira")["status"], "offline");
    // Signing off does not free what it holds.
    assert_eq!(seat("mira")["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(seat("sage")["status"], "active");
    kai.reflectt(["send", "link", "still at work"]).ok();
    poll_until("it goes out", SOON, || {
        (tips(&it.bare)[0] == tips(&kai)[0]).then_some(())
    });
    assert_eq!((said(&mira), said(&sage)), (1, 0));
}

#[test]
fn a_daemon_in_the_foreground_says_what_it_does_and_ends_when_asked() {
    let env = TestEnv::new();
    let (_it, kai, _link) = two(&env);
    let running = kai.command(["daemon", "run"]).spawn();
    let pid = running.child.id();
    poll_until("it is at work", SOON, || {
        (status(&kai)["pid"] == pid).then_some(())
    });
    kill(&pid.into(), "-TERM");
    let output = running.finish().ok();
    assert!(
        output.stdout.contains("shared through `origin`"),
        "{output}"
    );
    assert!(output.stdout.contains("as it was told to"), "{output}");
}

#[test]
fn a_quiet_agent_is_told_once() {
    let env = TestEnv::new();
    let (_it, kai, _link) = two(&env);
    let thresholds = ["heartbeat.idle_after", "1s", "heartbeat.stale_after", "1s"];
    let expire = ["heartbeat.expire_after", "10m"];
    kai.as_agent(
        "kai",
        ["config", "set"].iter().chain(&thresholds).chain(&expire),
    )
    .ok();
    kai.reflectt(["join", "ann", "--human"]).ok();
    kai.reflectt(["join", "kai"]).ok();
    let id = kai.task("kai", "Others wait for this", &[]);
    kai.task("kai", "One of them", &["--after", &id]);
    kai.reflectt(["claim", &id]).ok();
    let _daemon = Daemon::start(&kai);
    // Asking as somebody else shows nobody but them alive.
    let inbox = |agent: &str| -> Vec<Value> {
        let read = kai.git([
            "ls-tree",
            "-r",
            "--name-only",
            "refs/heads/reflectt",
            &format!("inbox/{agent}/"),
        ]);
        read.lines().map(Into::into).collect()
    };
    poll_until("both are told", SOON, || {
        (inbox("kai").len() + inbox("ann").len() == 2).then_some(())
    });
    // It is written down after it was done.
    let path = status(&kai)["log"].as_str().unwrap().to_owned();
    let log = poll_until("it is in the log", SOON, || {
        let log = std::fs::read_to_string(&path).unwrap();
        log.contains("told `kai`").then_some(log)
    });
    assert_eq!(log.matches("told `kai`").count(), 1, "{log}");
}

#[test]
fn the_daemon_writes_down_what_it_could_not_adopt() {
    let env = TestEnv::new();
    let (it, kai, _link) = two(&env);
    let _daemon = Daemon::start(&kai);
    let editor = env.clone_of(&it.bare, "editor");
    editor.git(["checkout", "-q", "reflectt"]);
    editor.write("agents/Big Name.toml", "role = \"docs\"\n");
    editor.commit("by hand");
    let log = status(&kai)["log"].as_str().unwrap().to_owned();
    let said = || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        log.matches("warning: `agents/Big Name.toml`").count()
    };
    poll_until("it is said", SOON, || {
        // The daemon may have written to the branch meanwhile.
        editor.try_git(["pull", "-q", "--rebase", "origin", "reflectt"]);
        editor.try_git(["push", "-q", "origin", "reflectt"]);
        (said() > 0).then_some(())
    });
    kai.reflectt(["send", "kai", "and another exchange"]).ok();
    poll_until("it goes out", SOON, || {
        (tips(&it.bare)[0] == tips(&kai)[0]).then_some(())
    });
    assert_eq!(said(), 1);
}

#[test]
fn the_unit_that_starts_it_with_the_machine_is_written_on_request() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    // An agent's worktree goes when its work is done, and takes nothing along.
    repo.git(["worktree", "add", "-q", "../task"]);
    let task = Repo::at(env.clone(), env.dir().join("task"));
    let done = task.reflectt(["--json", "daemon", "install"]).ok().json();
    let path = done["path"].as_str().unwrap();
    assert!(path.starts_with(env.home().to_str().unwrap()), "{path}");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(repo.path().to_str().unwrap()), "{text}");
    assert!(!text.contains(task.path().to_str().unwrap()), "{text}");
}
