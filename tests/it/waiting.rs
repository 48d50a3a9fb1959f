//! Whoever has nothing to do waits, and wakes when there is something.

use std::time::{Duration, Instant};

use super::support::{Repo, Running, TestEnv, poll_until};

/// Starts to wait, and returns once whoever waits has looked for the first time: any look shows it
/// alive.
fn wait(repo: &Repo, agent: &str, args: &[&str]) -> Running {
    let beat = repo.common_dir().join("reflectt/heartbeats").join(agent);
    let seen = || std::fs::metadata(&beat).unwrap().modified().unwrap();
    let before = seen();
    let waiting = repo.command(args).agent(agent).spawn();
    poll_until("it has looked once", Duration::from_secs(30), || {
        (seen() > before).then_some(())
    });
    waiting
}

#[test]
fn who_waits_for_work_wakes_when_there_is_some() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let begun = Instant::now();
    let waiting = wait(&repo, "link", &["--json", "status", "--wait", "60s"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    let status = waiting.finish().ok().json();
    assert_eq!(status["next"]["id"], id, "{status}");
    assert!(begun.elapsed() < Duration::from_secs(50));

    // There is something to do: nobody waits.
    repo.as_agent("link", ["status", "--wait", "60s"]).ok();
    // A message is something, too.
    repo.as_agent("kai", ["claim", &id]).ok();
    let waiting = wait(&repo, "link", &["status", "--wait", "60s"]);
    repo.as_agent("kai", ["send", "link", "are you there?"])
        .ok();
    let status = waiting.finish().ok();
    assert!(status.stdout.contains("are you there?"), "{status}");
}

#[test]
fn a_wait_in_which_nothing_came_is_an_answer_with_a_code_of_its_own() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.as_agent("link", ["status", "--wait", "1s"]).snapshot(
        "
        exit 5
        --- stdout
        You are link.
        ACTION: Nothing to do: there is no free task. Wait with `reflectt status --wait 10m`.

        Queue: 0 to do (0 ready for you), 0 in progress, 0 blocked, 0 in review
        ",
    );
    repo.as_agent("link", ["next", "--claim", "--wait", "1s"])
        .snapshot(
            "
        exit 5
        --- stdout
        there is no free task
        --- stderr
        hint: reflectt next --claim --branch --wait 10m (waits for work)
        ",
        );
}

#[test]
fn of_two_that_wait_for_a_task_one_takes_it_and_the_other_goes_on_waiting() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link", "sage"]);
    let first = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["claim", &first]).ok();
    let args = ["--json", "next", "--claim", "--wait", "60s"];
    let waiting = ["link", "sage"].map(|agent| wait(&repo, agent, &args));
    repo.as_agent("kai", ["release", &first]).ok();
    let claimed = poll_until("somebody has it", Duration::from_secs(30), || {
        let claims = repo.reflectt(["--json", "claims"]).ok().json();
        let holder = claims["claims"][0]["agent"].as_str()?.to_owned();
        Some(holder)
    });
    assert_ne!(claimed, "kai");
    let second = repo.task("kai", "Drop the old page", &[]);
    let taken: Vec<String> = waiting
        .into_iter()
        .map(|waiting| {
            let next = waiting.finish().ok().json();
            next["claim"]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(
        taken.contains(&first) && taken.contains(&second),
        "{taken:?}"
    );
}

#[test]
fn beside_a_remote_a_wait_sees_what_comes_from_another_clone() {
    let env = TestEnv::new();
    let machines = crate::sync::Machines::new(&env, ["kai", "link"]);
    let [kai, link] = machines.pair();
    link.set("link", "sync.interval", "1s");
    let args = ["--json", "next", "--claim", "--wait", "60s"];
    let waiting = wait(link, "link", &args);
    let id = kai.task("kai", "Keep the return path", &[]);
    let next = waiting.finish().ok().json();
    assert_eq!(next["claim"]["id"], id, "{next}");
    assert_eq!(next["claim"]["state"], "confirmed");
}

#[test]
fn a_refused_claim_ends_with_the_best_other_task() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let held = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["claim", &held]).ok();
    let urgent = repo.task("kai", "Drop the old page", &["--priority", "P0"]);
    repo.task("kai", "Write the manual", &[]);
    repo.as_agent("link", ["claim", &held]).snapshot(
        "
        exit 3
        --- stderr
        error: task `[ID1]` is held by `kai`
          since: [AGO]
          holder status: active
          last seen: [AGO]
        hint: reflectt next --claim --branch (takes other work, now `[ID2]`: Drop the old page)
        hint: reflectt send kai TEXT (asks the holder)
        ",
    );
    let json = repo.as_agent("link", ["--json", "claim", &held]).code(3);
    assert_eq!(json.json()["error"]["instead"], urgent);
}

#[test]
fn who_waits_wakes_for_whatever_is_to_be_done() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link", "sage"]);
    repo.git(["switch", "-qc", "work"]);
    let first = repo.task("sage", "Keep the return path", &[]);
    let then = repo.task("sage", "Drop the old page", &["--after", &first]);
    repo.as_agent("sage", ["claim", &first]).ok();
    let args = ["--json", "status", "--wait", "60s"];
    let woken = |waiting: Running| {
        let status = waiting.finish().ok().json();
        (status["action"].as_str().unwrap().to_owned(), status)
    };
    let submit = crate::order::submission(&first, "link");

    // A review.
    let waiting = wait(&repo, "link", &args);
    repo.commit("work");
    repo.as_agent("sage", submit).ok();
    let (action, status) = woken(waiting);
    assert!(action.starts_with("Review"), "{action}");
    assert_eq!(status["reviews"][0]["id"], first);

    // A task that was sent back.
    let waiting = wait(&repo, "sage", &args);
    repo.as_agent("link", ["review", &first, "--request-changes", "a test"])
        .ok();
    let (action, _) = woken(waiting);
    assert!(action.starts_with("Make the changes"), "{action}");

    // Something to land.
    repo.as_agent("sage", submit).ok();
    let waiting = wait(&repo, "kai", &args);
    repo.as_agent("link", ["review", &first, "--approve", "--commit", "HEAD"])
        .ok();
    let (action, _) = woken(waiting);
    assert!(action.starts_with("Land"), "{action}");

    // What became ready as the other landed, for whoever waits for a task.
    let ready = ["--json", "next", "--claim", "--branch", "--wait", "60s"];
    repo.as_agent("kai", ready).code(5);
    repo.as_agent("kai", ["land"]).ok();
    let up = repo.as_agent("kai", ready).ok().json();
    assert_eq!(up["claim"]["id"], then);
    repo.as_agent("kai", ["release", &then]).ok();
    let held = repo
        .as_agent("link", ["--json", "next", "--claim"])
        .ok()
        .json();
    assert_eq!(held["claim"]["id"], then);
    let waiting = wait(&repo, "kai", &ready);
    repo.as_agent("link", ["release", &then]).ok();
    let up = waiting.finish().ok().json();
    assert_eq!(up["claim"]["id"], then);
}
