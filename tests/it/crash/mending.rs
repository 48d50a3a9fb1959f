//! One of two refs moved and the other did not: the table is right, and the record follows.

use super::team;
use crate::support::check::{claims, sound, tasks};
use crate::support::{Repo, TestEnv};

const RECORD: &str = "refs/heads/reflectt";
const TABLE: &str = "refs/reflectt/claims";

/// What both refs held at one time; `None` for no ref.
struct Saved {
    record: Option<String>,
    table: Option<String>,
}

fn save(repo: &Repo) -> Saved {
    let at = |name: &str| {
        let found = repo.try_git(["rev-parse", "-q", "--verify", name]);
        (found.status == Some(0)).then(|| found.stdout.trim().to_owned())
    };
    Saved {
        record: at(RECORD),
        table: at(TABLE),
    }
}

fn restore(repo: &Repo, name: &str, value: Option<&str>) {
    match value {
        Some(value) => repo.git(["update-ref", name, value]),
        None => repo.git(["update-ref", "-d", name]),
    };
}

/// Returns how often something was mended.
fn mended(repo: &Repo) -> usize {
    let count = |name: &str| {
        let subjects = repo.git(["log", "--format=%s", name]);
        subjects.lines().filter(|s| s.starts_with("mend ")).count()
    };
    count(RECORD).max(count(TABLE))
}

/// Writes the first version of the table: once there was one, none is a lost one.
fn begin_table(repo: &Repo, id: &str) {
    repo.as_agent("link", ["claim", id]).ok();
    repo.as_agent("link", ["release", id]).ok();
}

fn evidence(id: &str) -> [&str; 6] {
    [
        "submit",
        id,
        "--summary",
        "it works",
        "--evidence",
        "1=I saw it",
    ]
}

#[test]
fn a_claim_without_its_record_gets_it_back() {
    for format in ["files", "reftable"] {
        let env = TestEnv::new();
        let (repo, id) = team(&env, format);
        let before = save(&repo);
        repo.as_agent("kai", ["claim", &id]).ok();
        restore(&repo, RECORD, before.record.as_deref());
        assert_eq!(tasks(&repo)[&id]["status"], "todo");
        // Of whoever comes next, about whatever.
        repo.as_agent("sage", ["send", "link", "hello"]).ok();
        assert_eq!(claims(&repo)[&id]["agent"], "kai");
        let task = &tasks(&repo)[&id];
        assert_eq!(task["status"], "doing");
        assert_eq!(task["assignee"], "kai");
        sound(&repo);
        assert_eq!(mended(&repo), 1);
        repo.as_agent("kai", evidence(&id)).ok();
    }
}

/// As git leaves it when it dies between two refs: one has moved, the other is still locked.
#[test]
fn a_torn_transaction_is_mended_once_its_lock_is_old() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    let before = save(&repo);
    repo.as_agent("kai", ["claim", &id]).ok();
    let after = save(&repo).record.unwrap();
    restore(&repo, RECORD, before.record.as_deref());
    let lock = repo.common_dir().join(format!("{RECORD}.lock"));
    std::fs::write(&lock, format!("{after}\n")).unwrap();
    let other = repo.as_agent("link", ["--json", "claim", &id]).code(3);
    assert_eq!(other.json()["error"]["holder"], "kai");
    assert!(other.stderr.contains(".lock"), "{other}");
    assert_eq!(tasks(&repo)[&id]["assignee"], "kai");
    sound(&repo);
}

#[test]
fn a_record_without_its_claim_lapses() {
    for format in ["files", "reftable"] {
        let env = TestEnv::new();
        let (repo, id) = team(&env, format);
        begin_table(&repo, &id);
        let before = save(&repo);
        repo.as_agent("kai", ["claim", &id]).ok();
        restore(&repo, TABLE, before.table.as_deref());
        repo.as_agent("sage", ["send", "link", "hello"]).ok();
        let task = &tasks(&repo)[&id];
        assert_eq!(task["status"], "todo");
        assert!(task["assignee"].is_null(), "{task:#}");
        sound(&repo);
        // Whoever believed to hold it is told, by message and at its next command.
        let told = repo.as_agent("kai", ["--json", "inbox"]).ok().json();
        assert_eq!(told["messages"][0]["notice"], "claim_lost", "{told:#}");
        repo.as_agent("kai", evidence(&id)).code(7);
        repo.as_agent("kai", ["claim", &id]).code(7);
        repo.as_agent("kai", ["ack", "--all"]).ok();
        repo.as_agent("kai", ["claim", &id]).ok();
        sound(&repo);
    }
}

#[test]
fn a_lost_table_gives_no_fence_out_twice() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    let other = repo.task("sage", "Another one", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    let early = save(&repo);
    repo.as_agent("kai", ["release", &id]).ok();
    for agent in ["link", "kai", "link"] {
        repo.as_agent(agent, ["claim", &id]).ok();
        repo.as_agent(agent, ["release", &id]).ok();
    }
    repo.as_agent("link", ["claim", &id]).ok();
    let fence = |id: &str| claims(&repo)[id]["fence"].as_u64().unwrap();
    let mut highest = fence(&id);
    for (lost, what) in [(None, "claims_table"), (early.table.as_deref(), "fence")] {
        restore(&repo, TABLE, lost);
        let found = repo.as_agent("sage", ["--json", "doctor"]).code(1);
        assert!(found.stdout.contains(&format!("\"{what}\"")), "{found}");
        if lost.is_none() {
            repo.as_agent("sage", ["claim", &other]).code(1);
            repo.as_agent("sage", ["doctor", "--fix"]).ok();
        }
        repo.as_agent("sage", ["claim", &other]).ok();
        assert!(fence(&other) > highest, "{} after {highest}", fence(&other));
        for agent in ["link", "kai"] {
            if claims(&repo).contains_key(&id) {
                let holder = claims(&repo)[&id]["agent"].as_str().unwrap().to_owned();
                repo.as_agent(&holder, ["release", &id]).ok();
            }
            repo.as_agent(agent, ["inbox"]).ok();
            repo.as_agent(agent, ["ack", "--all"]).ok();
            repo.as_agent(agent, ["claim", &id]).ok();
            sound(&repo);
        }
        highest = fence(&id);
        repo.as_agent("sage", ["release", &other]).ok();
    }
}

#[test]
fn a_take_over_torn_halfway_is_told_to_the_old_holder() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    repo.as_agent("kai", ["claim", &id]).ok();
    let before = save(&repo);
    let args = ["claim", &id, "--take-over", "--reason", "kai is away"];
    repo.as_agent("link", args).ok();
    restore(&repo, RECORD, before.record.as_deref());
    repo.as_agent("kai", evidence(&id)).code(7);
    sound(&repo);
    // It is told, too, although it was its own command that found out.
    repo.as_agent("kai", ["inbox"]).ok();
    repo.as_agent("kai", ["ack", "--all"]).ok();

    repo.as_agent("link", ["release", &id]).ok();
    repo.as_agent("kai", ["claim", &id]).ok();
    let before = save(&repo);
    repo.as_agent("link", args).ok();
    restore(&repo, RECORD, before.record.as_deref());
    repo.as_agent("sage", ["send", "link", "hello"]).ok();
    let told = repo.as_agent("kai", ["--json", "inbox"]).ok().json();
    assert_eq!(told["messages"][0]["notice"], "claim_lost", "{told:#}");
}

/// Every move that changes both refs, torn in either direction.
#[test]
fn whichever_half_of_a_move_is_missing_the_next_command_mends_it() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    let claim = ["claim", &id];
    let submit = evidence(&id);
    let take_over = ["claim", &id, "--take-over", "--reason", "kai is away"];
    let block = ["block", &id, "--reason", "no key"];
    let unblock = ["unblock", &id];
    let release = ["release", &id, "--note", "half done"];
    let hand_off = ["handoff", &id, "--to", "link", "--note", "half done"];
    let approve = ["review", &id, "--approve"];
    let changes = ["review", &id, "--request-changes", "shorter"];
    let cancel = ["cancel", &id, "--reason", "no use"];
    let extend = ["claim", &id, "--path", "docs"];
    // What is done before, and the move that is torn.
    type Move<'a> = (&'a str, &'a [&'a str]);
    let cases: &[(&[Move], Move)] = &[
        (&[], ("kai", &claim)),
        (&[("kai", &claim)], ("kai", &extend)),
        (&[("kai", &claim)], ("kai", &release)),
        (&[("kai", &claim)], ("kai", &block)),
        (&[("kai", &claim), ("kai", &block)], ("kai", &unblock)),
        (&[("kai", &claim)], ("kai", &hand_off)),
        (&[("kai", &claim)], ("link", &take_over)),
        (&[("kai", &claim)], ("kai", &submit)),
        (&[("kai", &claim), ("kai", &submit)], ("sage", &changes)),
        (&[("kai", &claim), ("kai", &submit)], ("sage", &approve)),
        (&[("kai", &claim)], ("sage", &cancel)),
        (&[("kai", &claim), ("kai", &submit)], ("sage", &cancel)),
    ];
    repo.as_agent("sage", ["task", "edit", &id, "--reviewer", "sage"])
        .ok();
    begin_table(&repo, &id);
    let start = save(&repo);
    for (first, (agent, args)) in cases {
        for lost in [RECORD, TABLE] {
            restore(&repo, RECORD, start.record.as_deref());
            restore(&repo, TABLE, start.table.as_deref());
            for (agent, args) in *first {
                repo.as_agent(agent, *args).ok();
            }
            let before = save(&repo);
            repo.as_agent(agent, *args).ok();
            let old = match lost {
                RECORD => before.record.as_deref(),
                _ => before.table.as_deref(),
            };
            let after = save(&repo);
            restore(&repo, lost, old);
            let sent = repo.as_agent("link", ["send", "sage", "hello"]);
            assert_eq!(sent.status, Some(0), "{args:?}, {lost} lost\n{sent}");
            let at = format!("{args:?} after {first:?}, {lost} lost");
            sound(&repo);
            let mended_refs = save(&repo);
            // Once is enough, and the table was not touched if it alone is right.
            let times = mended(&repo);
            repo.as_agent("link", ["send", "sage", "hello"]).ok();
            assert_eq!(mended(&repo), times, "{at}");
            // Whoever did not hear back repeats it: it is done now, or was, or is out of reach.
            let again = repo.as_agent(agent, *args);
            let answers = [Some(0), Some(4), Some(7)];
            assert!(answers.contains(&again.status), "{at}\n{again}");
            if lost == RECORD {
                let held = |table: &Option<String>| {
                    let table = table.as_deref().unwrap();
                    repo.git(["ls-tree", "-r", "--name-only", table])
                };
                assert_eq!(held(&mended_refs.table), held(&after.table), "{at}");
            }
            sound(&repo);
        }
    }
}
