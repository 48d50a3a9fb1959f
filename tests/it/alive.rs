//! Who is alive, and where: copies of clones, clocks that are set, names in two clones.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::{Repo, TestEnv, poll_until};
use crate::sync::Machines;

fn clone_id(clone: &Repo) -> String {
    let path = clone.common_dir().join("reflectt/clone");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

/// Returns the clone in which an agent has its seat, as the record of `clone` says.
fn home_of(agent: &str, clone: &Repo) -> String {
    let file = clone.git(["show", &format!("refs/heads/reflectt:agents/{agent}.toml")]);
    let line = file.lines().find_map(|line| line.strip_prefix("clone = "));
    line.expect("a seat is noted").trim_matches('"').to_owned()
}

fn status_of(agent: &str, clone: &Repo) -> String {
    let who = clone.reflectt(["--json", "who"]).ok().json();
    let agents = who["agents"].as_array().unwrap();
    let found = agents.iter().find(|it| it["name"] == agent).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_copied_clone_is_a_clone_of_its_own() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, _] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(["join", "mira"]).ok();
    kai.reflectt(["join", "kai"]).ok();
    let copy = Repo::at(env.clone(), env.dir().join("copy"));
    let mut cp = std::process::Command::new("cp");
    assert!(
        cp.arg("-a")
            .args([kai.path(), copy.path()])
            .status()
            .unwrap()
            .success()
    );
    let told = copy.reflectt(["status"]).ok();
    let from = kai.common_dir();
    let said = format!("this repository is a copy of `{}`", from.display());
    assert!(told.stderr.contains(&said), "{told}");
    assert_ne!(clone_id(&copy), clone_id(kai));
    let heartbeat = |clone: &Repo| clone.common_dir().join("reflectt/heartbeats/mira");
    assert!(heartbeat(kai).exists() && !heartbeat(&copy).exists());
    // Whoever acts there is not the agent of the original.
    copy.reflectt(["release", &id]).code(3);
    copy.reflectt(["join", "kai"]).code(3);
    copy.reflectt(["join", "sage"]).ok();
    let again = copy.reflectt(["status"]).ok();
    assert!(!again.stderr.contains("is a copy of"), "{again}");
    kai.reflectt(["release", &id]).ok();
}

#[test]
fn a_clock_set_forward_makes_nobody_silent() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let file = repo.common_dir().join("reflectt/heartbeats/kai");
    let hours = Duration::from_secs(2 * 3600);
    // As if the clock had been set two hours forward since: it was that much earlier then.
    let text = std::fs::read_to_string(&file).unwrap();
    let (rest, offset) = text.trim_end().rsplit_once('\t').unwrap();
    let offset: i64 = offset.parse().unwrap();
    let then = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let file = std::fs::File::options().append(true).open(&file).unwrap();
        file.set_modified(SystemTime::now() - hours).unwrap();
    };
    then(&format!("{rest}\t{}\n", offset - 2 * 3_600_000));
    let status = |agent| status_of(agent, &repo);
    assert_eq!(status("kai"), "active");
    then("here\n");
    assert_eq!(
        status("kai"),
        "offline",
        "without another clock, that one counts"
    );
}

#[test]
fn a_hand_off_that_fails_shows_nobody_alive() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["claim", &id]).ok();
    let heartbeat = kai.common_dir().join("reflectt/heartbeats/link");
    let handoff = ["handoff", &id, "--to", "link", "--note", "half done"];
    let away = env.dir().join("away");
    std::fs::rename(it.bare.path(), &away).unwrap();
    kai.reflectt(handoff).code(6);
    assert!(!heartbeat.exists());
    std::fs::rename(&away, it.bare.path()).unwrap();
    // Nor does one that succeeds: the receiver lives where it lives, and its claim is there.
    kai.reflectt(handoff).ok();
    assert!(!heartbeat.exists());
    link.reflectt(["sync"]).ok();
    link.reflectt(["release", &id]).ok();
}

#[test]
fn a_name_has_its_seat_in_one_clone() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &["--path", "src"]);
    kai.reflectt(["claim", &id]).ok();
    link.reflectt(["sync"]).ok();
    let refused = link.reflectt(["--json", "join", "kai"]).code(3).json();
    assert_eq!(refused["error"]["holder"], "kai");
    assert_eq!(refused["error"]["free"], "kai-2");
    link.reflectt(["join", "kai"]).code(3).snapshot(
        "
        exit 3
        --- stderr
        error: `kai` is at work in another clone
          since: [AGO]
          free: kai-2
          last seen: [AGO]
        hint: reflectt join kai-2 (the nearest free name)
        hint: reflectt join kai --here (if you are that `kai`: moves it here, with what it holds)
        ",
    );
    // Under that name all the same, nothing of the other's is one's own.
    let as_kai = |args: &[&str]| link.as_agent("kai", args);
    let held = as_kai(&["claim", &id]).code(3).stderr;
    assert!(held.contains("is held by `kai` in another clone"), "{held}");
    assert!(held.contains("`kai` is at work in another clone"), "{held}");
    as_kai(&["release", &id]).code(3);
    as_kai(&["claim", "--path", "src/a", "-m", "a look"]).code(3);
    let status = as_kai(&["--json", "status"]).ok().json();
    assert_eq!(status["active"], serde_json::json!([]));
    // The seat moves, and the claim with it; the other one finds out.
    let moved = link.reflectt(["join", "kai", "--here"]).ok();
    assert!(moved.stdout.contains("it is here now"), "{moved}");
    assert_eq!(home_of("kai", link), clone_id(link));
    kai.reflectt(["sync"]).ok();
    let told = kai.reflectt(["status"]).ok();
    let said = "`kai` is at work in another clone, and what it holds there is not yours";
    assert!(told.stderr.contains(said), "{told}");
    kai.reflectt(["release", &id]).code(3);
    link.reflectt(["release", &id]).ok();
    it.agree();
}

#[test]
fn a_seat_that_is_silent_goes_to_whoever_comes() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    for (setting, value) in [("idle", "1s"), ("stale", "1s"), ("expire", "8s")] {
        let setting = format!("heartbeat.{setting}_after");
        kai.reflectt(["config", "set", &setting, value]).ok();
    }
    link.reflectt(["sync"]).ok();
    assert_eq!(home_of("kai", link), clone_id(kai));
    let soon = Duration::from_secs(60);
    // By joining, and by doing anything under that name.
    poll_until("the seat is free", soon, || {
        let joined = link.reflectt(["join", "kai"]);
        match joined.status {
            Some(0) => Some(()),
            Some(3) => None,
            _ => panic!("{joined}"),
        }
    });
    assert_eq!(home_of("kai", link), clone_id(link));
    kai.reflectt(["sync"]).ok();
    poll_until("it is free again", soon, || {
        kai.reflectt(["send", "link", "I am back"]).ok();
        (home_of("kai", kai) == clone_id(kai)).then_some(())
    });
}

#[test]
fn a_person_sits_at_two_machines() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    kai.reflectt(["join", "ann", "--human"]).ok();
    let id = kai.task("ann", "Say what we want", &[]);
    kai.reflectt(["claim", &id]).ok();
    let joined = link.reflectt(["join", "ann"]).ok();
    assert!(!joined.stderr.contains("another clone"), "{joined}");
    link.reflectt(["release", &id]).ok();
}

#[test]
fn a_daemon_is_not_stopped_by_the_number_of_another_process() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["daemon", "start"]).ok();
    let mut other = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    let state = repo.common_dir().join("reflectt/daemon.json");
    let said = std::fs::read_to_string(&state).unwrap();
    let mut reused: serde_json::Value = serde_json::from_str(&said).unwrap();
    let process = reused["process"].as_str().unwrap().to_owned();
    let (_, birth) = process.split_once(' ').unwrap();
    reused["pid"] = other.id().into();
    reused["process"] = format!("{} {birth}", other.id()).into();
    write(&state, &reused.to_string());
    let stopped = repo.reflectt(["daemon", "stop"]);
    assert!(other.try_wait().unwrap().is_none(), "{stopped}");
    other.kill().unwrap();
    other.wait().unwrap();
    write(&state, &said);
    repo.reflectt(["daemon", "stop"]).ok();
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
