//! Files on the branch that somebody broke, and text that means harm.

use super::*;

const PATH: &str = "tasks/k3f9x2-x.toml";

#[test]
fn damaged_tasks() {
    let env = TestEnv::new();
    let repo = team(&env);
    let good = task_file("k3f9x2", 1, "Keep the return path");
    let edited = |from: &str, to: &str| good.replacen(from, to, 1).into_bytes();
    let damages: Vec<(Vec<u8>, &str)> = vec![
        (good.as_bytes()[..good.len() - 30].to_vec(), "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: line 14: unclosed array, expected `]`; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
        (b"\x7fELF\x02\x01\x01\x00\xff".to_vec(), "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: line 1 is not UTF-8 text; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
        (vec![b'#'; 2 * 1024 * 1024], "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: the file has 2097152 bytes; 1048576 is the most; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
        (edited("status", "title = \"again\"\nstatus"), "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: line 4: duplicate key; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
        (edited("format = 1", "format = 2"), "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: format 2 is newer than this version of reflectt, which reads up to 1 → install the version of reflectt that the others use
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
        (edited("\"todo\"", "\"stuck\""), "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: line 4: `status`: `stuck` is not a status; one of todo, doing, blocked, validating, done, cancelled; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
        (edited("id = \"k3f9x2\"", "id = \"zzzzzz\""), "
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: the file is named after task `[ID1]` and says it is `zzzzzz`; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            "),
    ];
    let mut wrong = String::new();
    for (bytes, expected) in &damages {
        plant(&repo, &[(PATH, bytes)]);
        let before = state(&repo);
        let found = repo.reflectt(["doctor"]).code(1);
        if let Err(actual) = snapshot::check(&found, expected) {
            wrong.push_str(&format!("{actual}\n"));
        }
        // The last good version is in force, for everyone and everything.
        assert_eq!(listed(&repo, "k3f9x2").unwrap(), "Keep the return path");
        let shown = repo.as_agent("link", ["task", "show", "k3f9x2"]).ok();
        assert!(shown.stdout.contains("Keep the return path"), "{shown}");
        repo.as_agent("link", ["status"]).ok();
        let board = repo.reflectt(["board"]).ok();
        assert!(board.stdout.contains(PATH), "{board}");
        assert_eq!(state(&repo), before, "reading changes nothing");
        plant(&repo, &[(PATH, good.as_bytes())]);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_damaged_task_can_be_worked_on_and_its_bytes_are_kept() {
    let env = TestEnv::new();
    let repo = team(&env);
    plant(&repo, &[(PATH, b"broken = [")]);
    repo.as_agent("kai", ["claim", "k3f9x2"]).ok();
    let kept = [
        "cat-file",
        "blob",
        "reflectt:quarantine/tasks/k3f9x2-x.toml",
    ];
    assert_eq!(repo.git(kept), "broken = [");
    repo.reflectt(["doctor"]).ok();
}

#[test]
fn doctor_puts_back_what_was_good() {
    let env = TestEnv::new();
    let repo = team(&env);
    let config = repo.git(["cat-file", "blob", "reflectt:config.toml"]);
    let files: [(&str, &[u8]); 3] = [
        (PATH, b"broken = ["),
        ("agents/link.toml", b"\xff"),
        ("config.toml", b"broken = ["),
    ];
    plant(&repo, &files);
    // The team goes on with what it had.
    repo.as_agent("link", ["status"]).ok();
    repo.reflectt(["doctor"]).snapshot("
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: line 1: unclosed array, expected `]`; its last good version ([OID]) is in force → reflectt doctor --fix
            error    agents/link.toml: line 1 is not UTF-8 text; its last good version ([OID]) is in force → reflectt doctor --fix
            error    config.toml: line 1: unclosed array, expected `]`; its last good version ([OID]) is in force → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            ");
    repo.reflectt(["doctor", "--fix"]).snapshot("
            --- stdout
            mended   tasks/[ID1]-x.toml: line 1: unclosed array, expected `]`; its last good version ([OID]) is in force
            mended   agents/link.toml: line 1 is not UTF-8 text; its last good version ([OID]) is in force
            mended   config.toml: line 1: unclosed array, expected `]`; its last good version ([OID]) is in force
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            everything is in order
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            ");
    repo.reflectt(["doctor"]).snapshot(
        "
            --- stdout
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            everything is in order
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            ",
    );
    assert_eq!(
        repo.git(["cat-file", "blob", "reflectt:config.toml"]),
        config
    );
    for (path, bytes) in files {
        let kept = repo.git_command(["cat-file", "blob", &format!("reflectt:quarantine/{path}")]);
        let mut kept = kept;
        assert_eq!(kept.output().unwrap().stdout, bytes);
    }
    assert_eq!(listed(&repo, "k3f9x2").unwrap(), "Keep the return path");
}

#[test]
fn a_file_of_a_newer_version_is_not_touched() {
    let env = TestEnv::new();
    let repo = team(&env);
    let newer = task_file("k3f9x2", 1, "From the future").replacen("format = 1", "format = 2", 1);
    plant(&repo, &[(PATH, newer.as_bytes())]);
    let before = state(&repo);
    repo.reflectt(["doctor", "--fix"]).snapshot("
            exit 1
            --- stdout
            error    tasks/[ID1]-x.toml: format 2 is newer than this version of reflectt, which reads up to 1 → install the version of reflectt that the others use
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            ");
    assert_eq!(state(&repo), before);
    // Reading goes on with what was; writing would lose what the newer version knows.
    assert_eq!(listed(&repo, "k3f9x2").unwrap(), "Keep the return path");
    refused(
        &repo,
        "kai",
        &[case(
            ["claim", "k3f9x2"],
            "
            exit 1
            --- stderr
            error: a newer version of reflectt wrote `tasks/[ID1]-x.toml`, and this one would lose what it added
            hint: install the version of reflectt that the others use
            ",
        )],
    );
    repo.as_agent("kai", ["claim", "a7d20c"]).ok();
}

#[test]
fn two_tasks_with_one_id() {
    let env = TestEnv::new();
    let repo = team(&env);
    let other = task_file("k3f9x2", 9, "Another task of that id");
    plant(&repo, &[("tasks/k3f9x2-another.toml", other.as_bytes())]);
    assert_eq!(listed(&repo, "k3f9x2").unwrap(), "Keep the return path");
    let found = repo.reflectt(["--json", "doctor"]).code(1).json();
    assert_eq!(found["findings"][0]["what"], "same_id");
    assert_eq!(found["findings"][0]["task"], "k3f9x2");
    repo.as_agent("kai", ["claim", "k3f9x2"]).ok();
    let mended = repo.reflectt(["--json", "doctor", "--fix"]).ok().json();
    assert_eq!(mended["findings"][0]["fixed"], true);
    let tasks = repo.reflectt(["--json", "task", "list"]).ok().json();
    let tasks = tasks["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 4);
    let titles = |title: &str| tasks.iter().find(|task| task["title"] == title).unwrap();
    assert_eq!(titles("Keep the return path")["id"], "k3f9x2");
    assert_eq!(titles("Keep the return path")["status"], "doing");
    let new = titles("Another task of that id")["id"].as_str().unwrap();
    assert_ne!(new, "k3f9x2");
    repo.as_agent("link", ["claim", new]).ok();
    repo.reflectt(["doctor"]).ok();
}

#[test]
fn a_task_open_and_archived_becomes_one() {
    let env = TestEnv::new();
    let repo = team(&env);
    let file = task_file("k3f9x2", 1, "Keep the return path");
    let closed = format!(
        "{file}\n[[event]]\nid = \"01KAXK5V0QWERTY12345678800\"\nby = \"kai\"\nkind = \"cancelled\"\nreason = \"not needed\"\n"
    );
    plant(
        &repo,
        &[("archive/2025-11/k3f9x2-x.toml", closed.as_bytes())],
    );
    let found = repo.reflectt(["--json", "doctor"]).ok().json();
    assert_eq!(found["findings"][0]["what"], "two_places");
    repo.reflectt(["doctor", "--fix"]).ok();
    assert_eq!(listed(&repo, "k3f9x2"), None);
    let shown = repo.reflectt(["--json", "task", "show", "k3f9x2"]).ok();
    assert_eq!(shown.json()["status"], "cancelled");
    let clean = repo.reflectt(["--json", "doctor"]).ok().json();
    let left = clean["findings"].as_array().unwrap().iter();
    assert!(left.clone().all(|f| f["severity"] == "info"), "{clean}");
}

#[test]
fn a_damaged_claims_table() {
    let env = TestEnv::new();
    let repo = team(&env);
    repo.as_agent("kai", ["claim", "k3f9x2"]).ok();
    repo.as_agent("link", ["claim", "a7d20c"]).ok();
    let good = repo.git(["rev-parse", "refs/reflectt/claims"]);
    let blob = repo.git(["rev-parse", "reflectt:config.toml"]);
    let entry = format!("100644 blob {blob}\ttable.toml\n");
    let tree = repo.git_with_input(&["mktree"], &entry);
    let bad = repo.git(["commit-tree", "-m", "bad", "-p", &good, &tree]);
    repo.git(["update-ref", "refs/reflectt/claims", &bad]);
    refused(
        &repo,
        "kai",
        &[case(
            ["claim", "k3f9y7"],
            "
            exit 1
            --- stderr
            error: the claims table is damaged: `table.toml` at commit [OID]
              caused by: `epoch` is missing
            hint: reflectt doctor
            ",
        )],
    );
    // The record flows all the same, and what was last known is enforced and shown.
    repo.as_agent("kai", ["send", "link", "go on"]).ok();
    repo.as_agent("kai", ["task", "comment", "k3f9x2", "half of it"])
        .ok();
    repo.as_agent("kai", ["task", "new", "Write it down"]).ok();
    repo.reflectt(["board", "--write"]).ok();
    for args in [["who"], ["inbox"], ["next"]] {
        repo.as_agent("link", args).ok();
    }
    for args in [["status"], ["claims"]] {
        let shown = repo.as_agent("kai", args).ok();
        let warning = "counts until `reflectt doctor --fix` restores it";
        assert!(shown.stderr.contains(warning), "{shown}");
        assert!(shown.stdout.contains("k3f9x2"), "{shown}");
    }
    repo.reflectt(["doctor"]).snapshot("
            exit 1
            --- stdout
            error    claims table: the claims table is damaged: `table.toml` at commit [OID]: `epoch` is missing; the last version that can be read is [OID] (1 before it), and claims taken since are lost → reflectt doctor --fix
            git [VERSION], refs in files, sha1 objects; tasks: 4 open, 0 archived; agents: 3; claims: ?
            ");
    repo.reflectt(["doctor", "--fix"]).snapshot("
            --- stdout
            mended   claims table: the claims table is damaged: `table.toml` at commit [OID]: `epoch` is missing; the last version that can be read is [OID] (1 before it), and claims taken since are lost
            everything is in order
            git [VERSION], refs in files, sha1 objects; tasks: 4 open, 0 archived; agents: 3; claims: 2
            ");
    let parent = repo.git(["rev-parse", "refs/reflectt/claims^"]);
    assert_eq!(parent, bad, "no history is taken back");
    let claims = repo.reflectt(["--json", "claims"]).ok().json();
    assert_eq!(claims["claims"].as_array().unwrap().len(), 2);
    repo.reflectt(["doctor"]).ok();
    // A claim that only a damaged version had is over, and its holder is told.
    repo.as_agent("link", ["release", "a7d20c"]).ok();
}

#[test]
fn a_record_without_its_claim_is_mended() {
    let env = TestEnv::new();
    let repo = team(&env);
    let before = repo.try_git(["rev-parse", "--verify", "refs/reflectt/claims"]);
    before.code(128);
    repo.as_agent("kai", ["claim", "k3f9x2"]).ok();
    let record = repo.git(["rev-parse", "reflectt"]);
    repo.as_agent("kai", ["release", "k3f9x2"]).ok();
    // The record falls back to where it says that kai holds it, the table does not.
    repo.git(["update-ref", "refs/heads/reflectt", &record]);
    repo.reflectt(["doctor"]).snapshot("
            exit 1
            --- stdout
            error    [ID1]: the record says that `kai` holds it, the claims table does not → reflectt doctor --fix
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 3 open, 0 archived; agents: 3; claims: 0
            ");
    repo.reflectt(["doctor", "--fix"]).ok();
    let task = repo
        .reflectt(["--json", "task", "show", "k3f9x2"])
        .ok()
        .json();
    assert_eq!(task["status"], "todo");
    repo.reflectt(["doctor"]).ok();
}

#[test]
fn what_is_out_of_place() {
    let env = TestEnv::new();
    let repo = team(&env);
    let waits = task_file("wa1tsx", 7, "Waits in vain").replacen(
        "id = \"wa1tsx\"",
        "id = \"wa1tsx\"\nassignee = \"gone\"",
        1,
    );
    let waits =
        format!("{waits}blocked_by = [\"zzzzzz\"]\nassignee = \"gone\"\nreviewer = \"ghost\"\n");
    let circle = |id: &str, number, on: &str| {
        format!(
            "{}blocked_by = [\"{on}\"]\n",
            task_file(id, number, "Round")
        )
    };
    let (one, two) = (
        circle("c1rc1e", 20, "c1rc2e"),
        circle("c1rc2e", 21, "c1rc1e"),
    );
    let away = task_file("away00", 30, "Away");
    for id in ["wa1tsx", "c1rc1e", "c1rc2e", "away00"] {
        env.id_number(id);
    }
    plant(
        &repo,
        &[
            ("tasks/wa1tsx-x.toml", waits.as_bytes()),
            ("tasks/c1rc1e-x.toml", one.as_bytes()),
            ("tasks/c1rc2e-x.toml", two.as_bytes()),
            ("archive/2025-11/away00-x.toml", away.as_bytes()),
            ("tasks/an-idea.toml", b"title = \"an idea of a person\"\n"),
            ("inbox/gone/01KAXK5V0QWERTY12345678999.toml", b"broken ["),
            ("reflections/2026-11/x.toml", b"broken ["),
            ("junk/x.txt", b"?"),
        ],
    );
    let heartbeats = repo.common_dir().join("reflectt/heartbeats");
    std::fs::create_dir_all(&heartbeats).unwrap();
    std::fs::write(heartbeats.join("stranger"), "here\n").unwrap();
    let file = std::fs::File::create(heartbeats.join("sage")).unwrap();
    let tomorrow = std::time::SystemTime::now() + std::time::Duration::from_secs(86_700);
    file.set_modified(tomorrow).unwrap();
    repo.reflectt(["task", "list"]).ok();
    std::fs::write(repo.common_dir().join("reflectt/cache/tasks"), "broken").unwrap();
    let other = repo.worktree("other");
    other.git(["config", "--worktree", "reflectt.agent", "sage"]);
    let twin = repo.worktree("twin");
    twin.git(["config", "--worktree", "reflectt.agent", "sage"]);
    let third = repo.worktree("third");
    third.git(["config", "--worktree", "reflectt.agent", "who-is-this"]);
    let before = state(&repo);
    repo.reflectt(["doctor"]).snapshot("
            exit 1
            --- stdout
            error    inbox/gone/[ULID].toml: line 1: key with no value, expected `=`; no version of it can be read → git worktree add ../record reflectt (then correct it there and commit)
            error    reflections/[MONTH]/x.toml: line 1: key with no value, expected `=`; no version of it can be read → git worktree add ../record reflectt (then correct it there and commit)
            error    [ID5]: tasks wait for each other: `[ID5]`, `[ID6]`, `[ID5]` → reflectt task edit [ID5] --drop-after [ID6]
            warning  [DIR]/other: the worktree acts as `sage`, as does `[DIR]/twin`: they would work as one → reflectt join NAME (in one of them, with another name)
            warning  [DIR]/twin: the worktree acts as `sage`, as does `[DIR]/other`: they would work as one → reflectt join NAME (in one of them, with another name)
            warning  [DIR]/third: the worktree acts as `who-is-this`, who is not on the team → reflectt join NAME (there)
            warning  tasks/an-idea.toml: none of its events made it: it was written by hand; it counts once it is taken in → reflectt sync (takes it in, or says why it cannot be)
            warning  junk: reflectt does not know what this is, and leaves it alone
            warning  archive/[MONTH]/[ID7]-x.toml: task `[ID7]` is `todo`, so its place is `tasks/[ID7]-away.toml`; it moves there when it changes next
            warning  inbox/gone: `gone` is not on the team and has messages → reflectt join gone
            warning  [ID4]: it waits for `zzzzzz`, which is unknown → reflectt task edit [ID4] --drop-after zzzzzz
            warning  [ID4]: its assignee, `gone`, is not on the team → reflectt task edit [ID4] --assignee NAME
            warning  [ID4]: its reviewer, `ghost`, is not on the team → reflectt task edit [ID4] --reviewer NAME
            warning  sage: its last heartbeat is 1d ahead of this clock; it counts from now on → reflectt doctor --fix
            warning  stranger: it has a heartbeat here and is not on the team → reflectt doctor --fix
            mended   [DIR]/repo/.git/reflectt/cache/tasks: the cache was damaged; it has been built anew
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 6 open, 1 archived; agents: 3; claims: 0
            ");
    assert_eq!(state(&repo), before, "looking changes nothing");
    let seen = std::fs::metadata(heartbeats.join("sage")).unwrap();
    assert_eq!(seen.modified().unwrap(), tomorrow);
    repo.reflectt(["doctor", "--fix"]).snapshot("
            exit 1
            --- stdout
            error    inbox/gone/[ULID].toml: line 1: key with no value, expected `=`; no version of it can be read → git worktree add ../record reflectt (then correct it there and commit)
            error    reflections/[MONTH]/x.toml: line 1: key with no value, expected `=`; no version of it can be read → git worktree add ../record reflectt (then correct it there and commit)
            error    [ID5]: tasks wait for each other: `[ID5]`, `[ID6]`, `[ID5]` → reflectt task edit [ID5] --drop-after [ID6]
            warning  [DIR]/other: the worktree acts as `sage`, as does `[DIR]/twin`: they would work as one → reflectt join NAME (in one of them, with another name)
            warning  [DIR]/twin: the worktree acts as `sage`, as does `[DIR]/other`: they would work as one → reflectt join NAME (in one of them, with another name)
            warning  [DIR]/third: the worktree acts as `who-is-this`, who is not on the team → reflectt join NAME (there)
            warning  junk: reflectt does not know what this is, and leaves it alone
            warning  archive/[MONTH]/[ID7]-x.toml: task `[ID7]` is `todo`, so its place is `tasks/[ID7]-away.toml`; it moves there when it changes next
            warning  inbox/gone: `gone` is not on the team and has messages → reflectt join gone
            warning  [ID4]: it waits for `zzzzzz`, which is unknown → reflectt task edit [ID4] --drop-after zzzzzz
            warning  [ID4]: its assignee, `gone`, is not on the team → reflectt task edit [ID4] --assignee NAME
            warning  [ID4]: its reviewer, `ghost`, is not on the team → reflectt task edit [ID4] --reviewer NAME
            mended   sage: its last heartbeat is 1d ahead of this clock; it counts from now on
            mended   stranger: it has a heartbeat here and is not on the team
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 7 open, 1 archived; agents: 3; claims: 0
            ");
    assert!(!heartbeats.join("stranger").exists());
}

#[test]
fn a_clock_that_is_ahead_is_named() {
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(3 * 3600);
    let soon = soon.duration_since(std::time::UNIX_EPOCH).unwrap();
    let soon = ulid::Ulid::from_parts(u64::try_from(soon.as_millis()).unwrap(), 8);
    // A clock of another time zone, and none at all.
    let cases = [
        (
            soon.to_string(),
            0,
            "clock_ahead",
            "`kai` wrote with a clock ",
        ),
        (
            "09KAXK5V0QWERTY12345678008".to_owned(),
            1,
            "far_future",
            "the event `09KAXK",
        ),
    ];
    for (id, code, what, said) in cases {
        let env = TestEnv::new();
        let repo = team(&env);
        let ahead = task_file("aheadx", 8, "From tomorrow");
        let ahead = ahead.replace("01KAXK5V0QWERTY12345678008", &id);
        plant(&repo, &[("tasks/aheadx-x.toml", ahead.as_bytes())]);
        let found = repo.reflectt(["--json", "doctor"]).code(code).json();
        let first = &found["findings"][0];
        assert_eq!(first["what"], what);
        assert_eq!(first["task"], "aheadx");
        let reason = first["reason"].as_str().unwrap();
        assert!(reason.starts_with(said), "{reason}");
        // What follows is later all the same, so that work goes on.
        repo.as_agent("kai", ["claim", "aheadx"]).ok();
        let task = repo.reflectt(["--json", "task", "show", "aheadx"]);
        assert_eq!(task.ok().json()["status"], "doing");
    }
}

#[test]
fn what_doctor_says_can_be_done() {
    let env = TestEnv::new();
    let repo = team(&env);
    let lonely = format!(
        "{}blocked_by = [\"zzzzzz\"]\n",
        task_file("wa1tsx", 7, "Waits in vain")
    );
    let circle = |id: &str, number, on: &str| {
        format!(
            "{}blocked_by = [\"{on}\"]\n",
            task_file(id, number, "Round")
        )
    };
    let (one, two) = (
        circle("c1rc1e", 20, "c1rc2e"),
        circle("c1rc2e", 21, "c1rc1e"),
    );
    plant(
        &repo,
        &[
            ("tasks/wa1tsx-x.toml", lonely.as_bytes()),
            ("tasks/c1rc1e-x.toml", one.as_bytes()),
            ("tasks/c1rc2e-x.toml", two.as_bytes()),
        ],
    );
    let findings = || {
        let found = repo.reflectt(["--json", "doctor"]).json();
        let all = found["findings"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|f| f["severity"] != "info")
            .collect::<Vec<_>>()
    };
    let found = findings();
    assert_eq!(found.len(), 2, "{found:?}");
    for finding in found {
        let fix = finding["fix"].as_str().unwrap().to_owned();
        let args: Vec<&str> = fix.split(' ').skip(1).collect();
        repo.as_agent("kai", args).ok();
    }
    assert!(findings().is_empty());
}

#[test]
fn text_of_others_does_no_harm() {
    let env = TestEnv::new();
    let repo = team(&env);
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred\u{202e}evil\rover\u{9b}5m";
    let toml = "\\u001b]0;owned\\u0007\\u001b[2J\\u001b[31mred\\u202eevil\\rover";
    plant(
        &repo,
        &[(
            "tasks/ev11xx-x.toml",
            task_file("ev11xx", 5, toml).as_bytes(),
        )],
    );
    let commands: [&[&str]; 9] = [
        &["inbox"],
        &["status"],
        &["task", "list"],
        &["task", "show", "k3f9x2"],
        &["board"],
        &["log"],
        &["who"],
        &["doctor"],
        &["channel", "general"],
    ];
    repo.as_agent("link", ["send", "kai", evil]).ok();
    repo.as_agent("link", ["send", "#general", evil]).ok();
    repo.as_agent("link", ["task", "comment", "k3f9x2", evil])
        .ok();
    repo.as_agent("link", ["heartbeat", "--note", evil]).ok();
    plant(&repo, &[("tasks/\u{1b}[31mred.toml", b"broken [\x1b[31m")]);
    for args in commands {
        for color in ["0", "1"] {
            let run = repo.command(args).agent("kai").env("CLICOLOR_FORCE", color);
            let output = run.run();
            let text = format!("{}{}", output.stdout, output.stderr);
            let harmful = |c: char| {
                (c.is_control() && c != '\n' && c != '\u{1b}')
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert!(!text.contains(harmful), "{args:?}: {text:?}");
            assert!(
                !text.contains("\u{1b}]") && !text.contains("\u{1b}[2J"),
                "{args:?}: {text:?}"
            );
            if color == "0" {
                assert!(!text.contains('\u{1b}'), "{args:?}: {text:?}");
            }
        }
    }
}
