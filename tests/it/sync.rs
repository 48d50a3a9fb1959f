//! Several clones and one remote: joining, exchanging, converging, claims that the remote decides.

mod provisional;
mod racing;
mod silence;
mod table;

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::support::{Repo, TestEnv, race};

/// A bare remote with a team, and clones of it; each has joined as the agent it is named after.
pub struct Machines {
    pub bare: Repo,
    pub clones: Vec<Repo>,
}

impl Machines {
    pub fn new<const N: usize>(env: &TestEnv, agents: [&str; N]) -> Machines {
        let seed = env.repo("seed");
        let bare = env.bare("bare.git");
        seed.git(["push", "-q", path(bare.path()), "main"]);
        Machines::on(env, bare, agents)
    }

    /// Clones what is there and founds a team in the first clone.
    pub fn on<const N: usize>(env: &TestEnv, bare: Repo, agents: [&str; N]) -> Machines {
        let mut clones: Vec<Repo> = Vec::new();
        for agent in agents {
            let clone = env.clone_of(&bare, agent);
            if clones.is_empty() {
                clone.reflectt(["init"]).ok();
            }
            clone.reflectt(["join", agent]).ok();
            clones.push(clone);
        }
        Machines { bare, clones }
    }

    /// Returns the two clones that were made.
    pub fn pair(&self) -> [&Repo; 2] {
        [&self.clones[0], &self.clones[1]]
    }

    pub fn sync_all(&self) {
        for clone in &self.clones {
            clone.reflectt(["sync"]).ok();
        }
    }

    /// Expects every clone and the remote to have the same record and the same table.
    #[track_caller]
    pub fn agree(&self) {
        self.sync_all();
        self.sync_all();
        let wanted = tips(&self.bare);
        for clone in &self.clones {
            assert_eq!(tips(clone), wanted, "{}", clone.path().display());
        }
    }
}

/// What the record and the table are at.
pub fn tips(repo: &Repo) -> [String; 2] {
    ["refs/heads/reflectt", "refs/reflectt/claims"].map(|name| {
        let found = repo.try_git(["rev-parse", "--verify", "--quiet", name]);
        found.stdout.trim().to_owned()
    })
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn hold(repo: &Repo) -> Vec<(String, String, String)> {
    let json = repo.reflectt(["--json", "claims"]).ok().json();
    let claims = json["claims"].as_array().unwrap();
    let text = |claim: &Value, key: &str| claim[key].as_str().unwrap().to_owned();
    (claims.iter())
        .map(|claim| {
            (
                text(claim, "id"),
                text(claim, "agent"),
                text(claim, "state"),
            )
        })
        .collect()
}

#[test]
fn a_team_founded_without_sync_stays_in_its_clone() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", path(bare.path()), "main"]);
    let clone = env.clone_of(&bare, "kai");
    let made = clone.reflectt(["--json", "init", "--no-sync"]).ok().json();
    assert_eq!(made["remote"], Value::Null);
    clone.reflectt(["join", "kai"]).ok();
    let id = clone.task("kai", "Keep the return path", &[]);
    clone.as_agent("kai", ["claim", &id]).ok();
    let refs = bare.git(["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs.trim(), "refs/heads/main");
    // And is shared when somebody says so.
    let made = clone.reflectt(["--json", "init"]).ok().json();
    assert_eq!(made["remote"], "origin");
    assert_eq!(tips(&bare), tips(&clone));
}

#[test]
fn a_plain_clone_finds_the_team_and_takes_part() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    // With the hooks, or its commits would not be held up by what others claim.
    let hook = std::fs::read_to_string(link.path().join(".git/hooks/pre-commit")).unwrap();
    assert!(hook.contains("reflectt"), "{hook}");
    let init = link.reflectt(["--json", "init"]).ok().json();
    assert_eq!(init["initialised"], false);
    assert_eq!(init["remote"], "origin");
    let id = kai.task("kai", "Keep the return path", &["--path", "src/auth"]);
    link.reflectt(["sync"]).ok();
    let claim = link.reflectt(["--json", "claim", &id]).ok().json();
    assert_eq!(claim["claim"]["state"], "confirmed");
    let held = kai.reflectt(["--json", "claim", &id]).code(3).json();
    assert_eq!(held["error"]["holder"], "link");
    kai.reflectt(["send", "link", "how is it going?"]).ok();
    link.reflectt(["sync"]).ok();
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "how is it going?");
    link.reflectt(["ack", "--all"]).ok();
    link.reflectt(["release", &id, "--note", "half done"]).ok();
    kai.reflectt(["claim", &id]).ok();
    it.agree();
    let outside = env.clone_of(&it.bare, "nobody");
    let refused = outside.reflectt(["sync"]).code(1).stderr;
    assert!(
        refused.contains("the team on `origin`") && refused.contains("hint: reflectt join NAME"),
        "{refused}"
    );
}

#[test]
fn a_name_that_is_taken_on_another_machine_is_not_joined() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    kai.reflectt(["sync"]).ok();
    link.reflectt(["sync"]).ok();
    link.reflectt(["join", "kai"]).code(3);
    let own = link.reflectt(["join", "link"]).ok();
    assert!(!own.stderr.contains("another clone"), "{own}");
}

#[test]
fn a_partial_clone_gets_what_the_record_needs() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let id = kai.task("kai", "Keep the return path", &[]);
    it.bare.git(["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", it.bare.path().display());
    for (name, filter) in [("link", "--filter=blob:none"), ("sage", "--filter=tree:0")] {
        let clone = Repo::at(env.clone(), env.dir().join(name));
        it.bare
            .git(["clone", "-q", filter, &url, path(clone.path())]);
        let hint = clone.reflectt(["status"]).code(1).stderr;
        assert!(hint.contains("reflectt join NAME"), "{hint}");
        clone.reflectt(["join", name]).ok();
        clone.reflectt(["task", "show", &id]).ok();
        // What git fetches by itself lacks the files again.
        kai.reflectt(["send", name, "welcome"]).ok();
        clone.git(["fetch", "-q"]);
        clone.reflectt(["sync"]).ok();
        let inbox = clone.reflectt(["--json", "inbox"]).ok().json();
        assert_eq!(inbox["messages"][0]["body"], "welcome");
        clone.reflectt(["claim", &id]).ok();
        clone.reflectt(["release", &id]).ok();
        clone.reflectt(["doctor"]).ok();
        kai.reflectt(["sync"]).ok();
    }
}

#[test]
fn whoever_follows_the_log_is_told_each_thing_once() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "A dull title", &[]);
    it.sync_all();
    let mut following = kai.command(["--json", "log", "--follow"]).spawn();
    let mut lines = BufReader::new(following.child.stdout.take().unwrap()).lines();
    let mut told: Vec<Value> = Vec::new();
    let mut until = |kind: &str| {
        loop {
            let line = lines.next().unwrap().unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            told.push(event);
            if told.last().unwrap()["kind"] == kind {
                return;
            }
        }
    };
    until("created");
    // Both have news, so that it is merged; a message is read, a task renamed and put away.
    kai.reflectt(["--no-sync", "send", "link", "from here"])
        .ok();
    link.reflectt(["send", "kai", "from there"]).ok();
    kai.reflectt(["sync"]).ok();
    kai.reflectt(["ack", "--all"]).ok();
    kai.reflectt(["task", "edit", &id, "--title", "A telling title"])
        .ok();
    kai.reflectt(["join", "kai", "--role", "backend"]).ok();
    kai.reflectt(["config", "set", "wip.agent", "2"]).ok();
    kai.reflectt(["config", "set", "wip.team", "9"]).ok();
    kai.reflectt(["cancel", &id, "--reason", "not needed"]).ok();
    until("cancelled");
    drop(lines);
    following.kill();
    let kinds: Vec<&str> = (told.iter())
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    let wanted = [
        "set",
        "joined",
        "joined",
        "created",
        "message",
        "message",
        "edited",
        "joined",
        "set",
        "set",
        "cancelled",
    ];
    assert_eq!(kinds, wanted, "{told:#?}");
}

#[test]
fn a_remote_that_was_renamed_is_named_anew() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let kai = &it.clones[0];
    kai.git(["remote", "rename", "origin", "forge"]);
    // What needs nobody's consent is kept.
    let sent = kai.reflectt(["send", "kai", "hello"]).ok();
    assert!(
        sent.stderr.contains("there is no remote `origin`"),
        "{sent}"
    );
    let refused = kai.reflectt(["sync"]).code(1);
    assert!(
        refused.stderr.contains("reflectt init --remote NAME"),
        "{refused}"
    );
    kai.reflectt(["init", "--remote", "forge"]).ok();
    it.agree();
}

#[test]
fn two_clones_that_start_at_once_end_with_one_record() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", path(bare.path()), "main"]);
    let clones: Vec<Repo> = (0..4)
        .map(|n| env.clone_of(&bare, &format!("c{n}")))
        .collect();
    for output in race(clones.iter().map(|clone| clone.command(["init"]))) {
        output.ok();
    }
    for (n, clone) in clones.iter().enumerate() {
        clone.reflectt(["join", &format!("a{n}")]).ok();
    }
    let it = Machines { bare, clones };
    it.agree();
    let who = it.clones[3].reflectt(["--json", "who"]).ok().json();
    assert_eq!(who["agents"].as_array().unwrap().len(), 4);
}

#[test]
fn a_host_that_takes_only_branches_gets_branches() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", path(bare.path()), "main"]);
    let hook = bare.path().join("hooks/update");
    std::fs::write(
        &hook,
        "#!/bin/sh\ncase $1 in refs/heads/*) ;; *) echo only branches >&2; exit 1;; esac\n",
    )
    .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let it = Machines::on(&env, bare, ["kai", "link"]);
    let init = it.clones[0].reflectt(["init"]).ok();
    assert!(
        init.stderr.is_empty() || init.stderr.contains("reflectt-claims"),
        "{init}"
    );
    let id = it.clones[0].task("kai", "Anything", &[]);
    it.clones[1].reflectt(["sync"]).ok();
    it.clones[1].reflectt(["claim", &id]).ok();
    it.clones[0].reflectt(["claim", &id]).code(3);
    let refs = it.bare.git(["for-each-ref", "--format=%(refname)"]);
    assert!(refs.contains("refs/heads/reflectt-claims"), "{refs}");
    assert!(!refs.contains("refs/reflectt/"), "{refs}");
}

#[test]
fn a_record_deleted_or_rewritten_on_the_remote_loses_nothing() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let before = tips(&it.bare)[0].clone();
    let first = kai.task("kai", "The first", &[]);
    kai.reflectt(["claim", &first]).ok();
    it.sync_all();
    // Moved back by force, then written to.
    it.bare.git(["update-ref", "refs/heads/reflectt", &before]);
    let sync = link.reflectt(["--json", "sync"]).ok().json();
    let warning = sync["warnings"][0].as_str().unwrap();
    assert!(warning.contains("rewritten by force"), "{warning}");
    it.agree();
    assert_eq!(
        hold(link),
        [(first.clone(), "kai".into(), "confirmed".into())]
    );
    for name in ["refs/heads/reflectt", "refs/reflectt/claims"] {
        it.bare.git(["update-ref", "-d", name]);
    }
    let sync = kai.reflectt(["--json", "sync"]).ok().json();
    assert_eq!(sync["warnings"].as_array().unwrap().len(), 2, "{sync}");
    it.agree();
    assert_eq!(
        hold(link),
        [(first.clone(), "kai".into(), "confirmed".into())]
    );
    link.reflectt(["--json", "task", "show", &first]).ok();
}

#[test]
fn a_table_on_the_remote_that_is_none_is_named_and_replaced_by_a_person() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["claim", &id]).ok();
    link.git(["push", "-q", "-f", "origin", "main:refs/reflectt/claims"]);
    for clone in [link, kai] {
        // The record goes on.
        let synced = clone.reflectt(["sync"]).ok();
        assert!(synced.stderr.contains("reflectt doctor"), "{synced}");
        // Reading goes on.
        clone.reflectt(["claims"]).ok();
        clone.reflectt(["status"]).ok();
    }
    assert_eq!(hold(kai), [(id, "kai".into(), "confirmed".into())]);
    // And so does what needs no consent yet.
    let taken = [
        "--json",
        "--offline",
        "claim",
        "--path",
        "docs",
        "-m",
        "meanwhile",
    ];
    let taken = kai.reflectt(taken).ok().json();
    assert_eq!(taken["claim"]["state"], "provisional");
    let report = kai.reflectt(["--json", "doctor"]).code(1).json();
    let fix = report["findings"][0]["fix"].as_str().unwrap().to_owned();
    let command: Vec<&str> = fix.rsplit_once("git ").unwrap().1.split(' ').collect();
    kai.git(command);
    it.agree();
    assert_eq!(hold(link), hold(kai));
    assert_eq!(hold(link)[0].2, "confirmed");
}

#[test]
fn a_lock_that_was_left_on_the_remote_is_not_taken_for_a_race() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(["release", &id]).ok();
    let locks = ["refs/heads/reflectt.lock", "refs/reflectt/claims.lock"];
    for lock in locks {
        it.bare.write(lock, "");
    }
    let refused = kai.reflectt(["--json", "claim", &id]).code(6).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("may have left a `.lock`"), "{message}");
    let sent = kai.reflectt(["send", "link", "are you there?"]).ok();
    assert!(sent.stderr.contains("is kept and goes out later"), "{sent}");
    for lock in locks {
        std::fs::remove_file(it.bare.path().join(lock)).unwrap();
    }
    it.agree();
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "are you there?");
}

#[test]
fn a_branch_of_somebody_elses_is_left_alone() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", path(bare.path()), "main"]);
    seed.git(["push", "-q", path(bare.path()), "main:refs/heads/reflectt"]);
    let clone = env.clone_of(&bare, "kai");
    let before = tips(&bare);
    let refused = clone.reflectt(["init"]).code(1);
    assert!(
        refused.stderr.contains("not reflectt's record"),
        "{refused}"
    );
    assert_eq!(tips(&bare), before);
}

#[test]
fn a_record_replaced_by_somebody_elses_branch_is_put_right_by_a_person() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let kai = &it.clones[0];
    kai.git(["push", "-q", "-f", "origin", "main:refs/heads/reflectt"]);
    let before = tips(&it.bare);
    let refused = kai.reflectt(["--json", "sync"]).code(1).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("on `origin`"), "{message}");
    assert_eq!(tips(&it.bare), before);
    let report = kai.reflectt(["--json", "doctor"]).code(1).json();
    assert_eq!(report["findings"][0]["what"], "remote_record");
    // What needs nobody's consent is kept.
    kai.reflectt(["send", "kai", "hello"]).ok();
    for hint in refused["error"]["hints"].as_array().unwrap() {
        let command = hint.as_str().unwrap().replace("NAME", "kept");
        let (command, _) = command.split_once(" (").unwrap();
        kai.git(command.split(' ').skip(1));
    }
    it.agree();
    assert!(it.bare.git(["rev-parse", "kept"]) == before[0]);
}

#[test]
fn a_remote_that_protects_the_branch_is_reported_and_work_goes_on() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let hook = it.bare.path().join("hooks/update");
    std::fs::write(
        &hook,
        "#!/bin/sh\ncase $1 in refs/heads/reflectt) echo protected >&2; exit 1;; esac\n",
    )
    .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let kai = &it.clones[0];
    let sent = kai.reflectt(["send", "link", "can you hear me?"]).ok();
    assert!(
        sent.stderr.contains("refuses `refs/heads/reflectt`"),
        "{sent}"
    );
    let sync = kai.reflectt(["--json", "sync"]).ok().json();
    assert_eq!(sync["pushed"], 0, "{sync}");
    // What is decided is one with its record, so nobody can claim. What was done is kept.
    let id = kai.task("kai", "Work goes on", &[]);
    let refused = kai.reflectt(["claim", &id]).code(4);
    assert!(
        refused.stderr.contains("refuses `refs/heads/reflectt`"),
        "{refused}"
    );
    assert_eq!(hold(kai), []);
    std::fs::remove_file(&hook).unwrap();
    kai.reflectt(["claim", &id]).ok();
    it.agree();
    let inbox = it.clones[1].reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "can you hear me?");
}

#[test]
fn a_file_damaged_by_hand_stays_and_the_last_good_version_is_in_force() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "Edited by hand", &[]);
    it.sync_all();
    let editor = env.clone_of(&it.bare, "editor");
    editor.git(["checkout", "-q", "reflectt"]);
    let file = editor.git(["ls-files", &format!("tasks/{id}*")]);
    editor.write(&file, "title = \"broken\nstatus = ");
    editor.commit("oops");
    editor.git(["push", "-q", "origin", "reflectt"]);
    // Both sides have news: the record is merged, the damaged file stays where it is.
    kai.reflectt(["send", "link", "hello"]).ok();
    it.agree();
    let task = link.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(task["title"], "Edited by hand");
    // Somebody works on the task: the file is written anew, and the damaged one set aside.
    link.reflectt(["task", "comment", &id, "what happened here?"])
        .ok();
    it.agree();
    let files = it
        .bare
        .git(["ls-tree", "-r", "--name-only", "refs/heads/reflectt"]);
    assert!(files.contains("quarantine/"), "{files}");
    let task = kai.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(task["events"].as_array().unwrap().len(), 2);
}

#[test]
fn edits_by_hand_become_events_of_whoever_made_them() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    let id = kai.task("kai", "A dull title", &["--priority", "P2"]);
    let other = kai.task("kai", "Not needed", &[]);
    it.sync_all();
    let editor = env.clone_of(&it.bare, "editor");
    editor.git(["checkout", "-q", "reflectt"]);
    let edit = |id: &str, from: &str, to: &str| {
        let file = editor.git(["ls-files", &format!("tasks/{id}*")]);
        let text = std::fs::read_to_string(editor.path().join(&file)).unwrap();
        // Only the state at the top; the events below it say what was.
        editor.write(&file, text.replacen(from, to, 1));
    };
    edit(&id, "A dull title", "A telling title");
    edit(&id, "\"P2\"", "\"P0\"");
    edit(&other, "\"todo\"", "\"cancelled\"");
    editor.write("tasks/idea.toml", "title = \"Only a title\"\n");
    editor.write("notes.md", "by hand\n");
    let config = std::fs::read_to_string(editor.path().join("config.toml")).unwrap();
    editor.write(
        "config.toml",
        config.replacen("\n[[event]]", "\n[wip]\nagent = 3\n\n[[event]]", 1),
    );
    editor.commit("by hand");
    editor.git(["push", "-q", "origin", "reflectt"]);
    // Both clones find it at once, and one has news of its own.
    kai.reflectt(["send", "link", "news"]).ok();
    race(it.clones.iter().map(|clone| clone.command(["sync"])));
    it.agree();
    for clone in &it.clones {
        let task = clone.reflectt(["--json", "task", "show", &id]).ok().json();
        assert_eq!(
            (&task["title"], &task["priority"]),
            (&"A telling title".into(), &"P0".into())
        );
        let events = task["events"].as_array().unwrap();
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(events[1]["by"], "Ann");
        let task = clone
            .reflectt(["--json", "task", "show", &other])
            .ok()
            .json();
        assert_eq!(task["status"], "cancelled");
        let list = clone.reflectt(["--json", "task", "list"]).ok().json();
        let titles: Vec<&str> = (list["tasks"].as_array().unwrap().iter())
            .map(|task| task["title"].as_str().unwrap())
            .collect();
        assert!(titles.contains(&"Only a title"), "{titles:?}");
        let wip = clone.reflectt(["config", "get", "wip.agent"]).ok();
        assert!(wip.stdout.contains('3'), "{wip}");
    }
    let files = it
        .bare
        .git(["ls-tree", "-r", "--name-only", "refs/heads/reflectt"]);
    assert!(
        files.contains("notes.md") && !files.contains("idea.toml"),
        "{files}"
    );
    // In one's own checkout of the branch: the next command does not undo it.
    link.git(["worktree", "add", "-q", "../board", "reflectt"]);
    let board = Repo::at(env.clone(), env.dir().join("board"));
    let file = board.git(["ls-files", &format!("tasks/{id}*")]);
    let text = std::fs::read_to_string(board.path().join(&file)).unwrap();
    board.write(&file, text.replacen("A telling title", "The best title", 1));
    board.commit("again by hand");
    link.reflectt(["task", "comment", &id, "read this"]).ok();
    it.agree();
    let task = kai.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(task["title"], "The best title");
    assert_eq!(task["events"].as_array().unwrap().len(), 4);
}

#[test]
fn a_branch_below_the_records_name_is_named() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git([
        "push",
        "-q",
        path(bare.path()),
        "main",
        "main:refs/heads/reflectt/foo",
    ]);
    let kai = env.clone_of(&bare, "kai");
    let init = kai.reflectt(["init"]);
    let told = "`refs/heads/reflectt/foo` leaves no room for it; rename that on the remote";
    assert!(init.stderr.contains(told), "{init}");
    kai.reflectt(["join", "kai"]).ok();
    let synced = kai.reflectt(["sync"]);
    assert!(synced.stderr.contains(told), "{synced}");
    let id = kai.task("kai", "Keep the return path", &[]);
    // What is decided is one with its record.
    let claim = kai.reflectt(["claim", &id]).code(4);
    assert!(claim.stderr.contains(told), "{claim}");
    bare.git(["branch", "-m", "reflectt/foo", "foo"]);
    kai.reflectt(["claim", &id]).ok();
    assert_eq!(kai.reflectt(["sync"]).ok().stderr, "");
}

#[test]
fn doctor_says_that_the_teams_remote_was_renamed() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    kai.git(["remote", "rename", "origin", "upstream"]);
    kai.reflectt(["doctor"]).snapshot("
            exit 1
            --- stdout
            error    git: the team is shared through the remote `origin`, which this clone does not have → reflectt init --remote upstream
            info     README.md: the board is older than the tasks it shows → reflectt board --write
            git [VERSION], refs in files, sha1 objects; tasks: 0 open, 0 archived; agents: 1; claims: 0
            ");
    kai.reflectt(["init", "--remote", "upstream"]).ok();
    kai.reflectt(["doctor"]).ok();
    kai.task("kai", "Keep the return path", &[]);
    assert_eq!(kai.reflectt(["sync"]).ok().stderr, "");
}
