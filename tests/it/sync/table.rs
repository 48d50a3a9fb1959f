//! A claims table that is deleted or damaged on the remote.

use super::*;

const TABLE: &str = "refs/reflectt/claims";

/// Puts a version on top of the remote's table that nobody can read.
fn damage(bare: &Repo) {
    let tree = bare.git(["rev-parse", "refs/heads/reflectt^{tree}"]);
    let bad = bare.git(["commit-tree", "-m", "bad", "-p", TABLE, &tree]);
    bare.git(["update-ref", TABLE, &bad]);
}

#[test]
fn a_clone_that_never_had_the_table_claims_nothing_after_it_was_deleted() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let id = kai.task("kai", "Keep the return path", &["--path", "src"]);
    let other = kai.task("kai", "Drop the old page", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(["sync"]).ok();
    it.bare.git(["update-ref", "-d", TABLE]);
    let link = env.clone_of(&it.bare, "link");
    link.reflectt(["join", "link"]).ok();
    for wanted in [&id, &other] {
        link.reflectt(["claim", wanted]).snapshot("
            exit 1
            --- stderr
            error: the claims table is gone: the record knows of claims up to 1, and nothing says who holds what
            hint: reflectt sync (in a clone that has it; restores it for all)
            hint: reflectt doctor --fix (if there is none; takes it from the record)
            ");
    }
    // The record flows, and what it says is held is guarded.
    link.reflectt(["send", "kai", "who has the table?"]).ok();
    link.reflectt(["status"]).ok();
    link.write("src/auth.rs", "fn main() {}\n");
    link.git(["add", "src"]);
    let commit = link.try_git(["commit", "-q", "-m", "edit"]);
    assert_eq!(commit.status, Some(1), "{commit}");
    assert!(
        commit.stderr.contains("the claims table is gone"),
        "{commit}"
    );
    assert!(commit.stderr.contains("kai"), "{commit}");
    // Whoever has it restores it for all.
    let synced = kai.reflectt(["sync"]).ok();
    assert!(
        synced
            .stderr
            .contains("the claims table was deleted; it is pushed again"),
        "{synced}"
    );
    link.reflectt(["claim", &id]).code(3);
    link.reflectt(["claim", &other]).ok();
}

#[test]
fn a_table_that_is_lost_everywhere_is_taken_from_the_record() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let id = kai.task("kai", "Keep the return path", &["--path", "src"]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(["sync"]).ok();
    it.bare.git(["update-ref", "-d", TABLE]);
    let link = env.clone_of(&it.bare, "link");
    link.reflectt(["join", "link"]).ok();
    link.reflectt(["doctor"]).snapshot("
            exit 1
            --- stdout
            error    claims table: the claims table is gone: the record knows of claims up to 1, and nothing says who holds what; tasks are held as the record says, and claims of paths are lost → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 1 open, 0 archived; agents: 2; claims: ?
            ");
    link.reflectt(["doctor", "--fix"]).ok();
    link.reflectt(["sync"]).ok();
    link.reflectt(["claim", &id]).code(3);
    // A clone that has the old one after all asks for what it has on the new one.
    let both = Machines {
        bare: it.bare,
        clones: vec![it.clones.into_iter().next().unwrap(), link],
    };
    both.agree();
    let [kai, link] = both.pair();
    kai.reflectt(["release", &id]).ok();
    let claimed = link.reflectt(["--json", "claim", &id]).ok().json();
    assert_eq!(claimed["claim"]["fence"], 2, "{claimed}");
}

#[test]
fn beside_a_table_that_nobody_can_read_the_record_flows() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &["--path", "src"]);
    let other = kai.task("kai", "Drop the old page", &[]);
    kai.reflectt(["claim", &id]).ok();
    it.sync_all();
    link.set("link", "claims.offline", "provisional");
    link.reflectt(["--offline", "claim", &other]).ok();
    damage(&it.bare);
    kai.reflectt(["send", "link", "hello"]).ok();
    for clone in [kai, link, kai] {
        clone.reflectt(["sync"]).ok();
    }
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "hello", "{inbox}");
    link.reflectt(["ack", "--all"]).ok();
    link.reflectt(["task", "comment", &id, "half of it"]).ok();
    link.reflectt(["status"]).ok();
    link.reflectt(["release", &other]).code(1);
    kai.reflectt(["release", &id]).code(1);
    // Enforcement goes by the last version that could be read.
    link.write("src/auth.rs", "fn main() {}\n");
    link.git(["add", "src"]);
    let commit = link.try_git(["commit", "-q", "-m", "edit"]);
    assert_eq!(commit.status, Some(1), "{commit}");
    // What link has asked for is in no record before the table grants it.
    let mended = kai.reflectt(["doctor", "--fix"]).ok();
    assert!(
        mended.stdout.starts_with("mended   claims table"),
        "{mended}"
    );
    it.agree();
    for clone in [kai, link] {
        clone.reflectt(["doctor"]).ok();
    }
    let claims = link.reflectt(["--json", "claims"]).ok().json();
    assert_eq!(claims["claims"].as_array().unwrap().len(), 2, "{claims}");
    kai.reflectt(["release", &id]).ok();
    link.reflectt(["release", &other]).ok();
}
