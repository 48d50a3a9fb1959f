//! Claims made while the remote does not answer.

use super::{Machines, hold};
use crate::support::{TestEnv, check};

#[test]
fn what_is_claimed_while_cut_off_is_provisional_until_the_remote_decides() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let contested = kai.task("kai", "Both want this", &[]);
    let free = kai.task("kai", "Only kai wants this", &["--path", "docs"]);
    it.sync_all();
    kai.set("kai", "wip.agent", "5");
    link.reflectt(["sync"]).ok();

    let away = it.bare.path().with_extension("away");
    std::fs::rename(it.bare.path(), &away).unwrap();
    let refused = kai.reflectt(["--json", "claim", &contested]).code(6).json();
    assert_eq!(refused["error"]["kind"], "unreachable");
    assert_eq!(hold(kai), []);
    for id in [&contested, &free] {
        let taken = kai
            .reflectt(["--offline", "--json", "claim", id])
            .ok()
            .json();
        assert_eq!(taken["claim"]["state"], "provisional");
    }
    // A message needs no remote.
    kai.reflectt(["send", "link", "I am cut off"]).ok();
    std::fs::rename(&away, it.bare.path()).unwrap();
    link.reflectt(["claim", &contested]).ok();

    let sync = kai.reflectt(["--json", "sync"]).ok().json();
    assert_eq!(sync["lost_claims"][0]["id"], contested.as_str());
    assert_eq!(hold(kai).len(), 2);
    assert!(hold(kai).contains(&(free.clone(), "kai".into(), "confirmed".into())));
    assert!(hold(kai).contains(&(contested.clone(), "link".into(), "confirmed".into())));
    let inbox = kai.reflectt(["--json", "inbox"]).ok().json();
    let body = inbox["messages"][0]["body"].as_str().unwrap();
    assert!(
        body.contains("was not granted") && body.contains("`link`"),
        "{body}"
    );
    it.agree();
    for clone in &it.clones {
        let task = clone
            .reflectt(["--json", "task", "show", &contested])
            .ok()
            .json();
        assert_eq!(task["assignee"], "link");
        let task = clone
            .reflectt(["--json", "task", "show", &free])
            .ok()
            .json();
        assert_eq!(task["assignee"], "kai");
    }
}

#[test]
fn an_answer_that_was_lost_on_its_way_is_not_acted_on_twice() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    kai.set("kai", "claims.offline", "provisional");
    let id = kai.task("kai", "Done once", &[]);
    it.sync_all();
    let hook = it.bare.path().join("hooks/reference-transaction");
    // Takes one push, and is gone before it can say so.
    let script =
        "#!/bin/sh\n[ $1 = committed ] && rm forget 2>/dev/null && kill -9 $PPID\nexit 0\n";
    std::fs::write(&hook, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let forget = it.bare.path().join("forget");

    std::fs::write(&forget, "").unwrap();
    let taken = kai.reflectt(["--json", "claim", &id]).ok().json();
    assert!(!forget.exists());
    assert_eq!(taken["claim"]["state"], "provisional");
    std::fs::write(&forget, "").unwrap();
    let args = ["handoff", &id, "--to", "link", "--note", "yours"];
    kai.reflectt(args).ok();
    assert!(!forget.exists());

    it.agree();
    let expected = (id.clone(), "link".to_owned(), "confirmed".to_owned());
    assert_eq!(hold(link), [expected]);
    let task = link.reflectt(["--json", "task", "show", &id]).ok().json();
    let events = task["events"].as_array().unwrap();
    let kinds: Vec<&str> = (events.iter())
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["created", "claimed", "handed_off"]);
    assert!(events.iter().all(|event| event["void"].is_null()));
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"].as_array().unwrap().len(), 1, "{inbox:#}");
}

#[test]
fn an_unblocking_that_the_remote_does_not_grant_breaks_no_limit() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let stuck = kai.task("kai", "Waits for a key", &[]);
    let handed = kai.task("kai", "Begun by link", &[]);
    it.sync_all();
    kai.reflectt(["claim", &stuck]).ok();
    kai.reflectt(["block", &stuck, "--reason", "no key"]).ok();
    link.reflectt(["sync"]).ok();
    // Each has room for one task, until both have happened.
    kai.reflectt(["--offline", "unblock", &stuck]).ok();
    link.reflectt(["claim", &handed]).ok();
    link.reflectt(["handoff", &handed, "--to", "kai", "--note", "yours"])
        .ok();
    it.agree();
    for clone in &it.clones {
        let claims = check::claims(clone);
        assert_eq!(claims[&handed]["phase"], "working");
        assert_eq!(claims[&stuck]["phase"], "blocked");
        check::agree(clone);
    }
    kai.reflectt(["unblock", &stuck]).code(4);
}
