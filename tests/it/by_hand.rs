//! What people change on the record by hand: on a forge, or in a checkout of the branch.

use crate::support::{Repo, TestEnv};
use crate::sync::Machines;

/// A checkout of the record, as a person has it.
struct Editor(Repo);

impl Editor {
    fn of(it: &Machines, env: &TestEnv) -> Editor {
        let editor = env.clone_of(&it.bare, "editor");
        editor.git(["checkout", "-q", "reflectt"]);
        Editor(editor)
    }

    /// Returns the path of the one file that matches.
    fn file(&self, pattern: &str) -> String {
        self.0.git(["ls-files", pattern])
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    /// Replaces a part of the state, which stands above the events.
    #[track_caller]
    fn replace(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{text}");
        self.0.write(file, text.replacen(from, to, 1));
    }

    fn push(&self) {
        self.0.commit("by hand");
        self.0.git(["push", "-q", "origin", "reflectt"]);
    }

    fn pull(&self) {
        self.0
            .git(["pull", "-q", "--ff-only", "origin", "reflectt"]);
    }
}

fn seat(clone: &Repo, name: &str) -> serde_json::Value {
    let who = clone.reflectt(["--json", "who"]).ok().json();
    let agents = who["agents"].as_array().unwrap();
    let found = agents.iter().find(|seat| seat["name"] == name);
    found.cloned().unwrap_or_default()
}

#[test]
fn agents_are_changed_and_put_on_the_team_by_hand() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let (kai, link) = (&it.clones[0], &it.clones[1]);
    kai.reflectt(["join", "kai", "--role", "coder", "--lane", "backend"])
        .ok();
    it.sync_all();
    let editor = Editor::of(&it, &env);
    editor.replace("agents/kai.toml", "\"coder\"", "\"reviewer\"");
    editor.replace("agents/kai.toml", "lanes = [\"backend\"]\n", "");
    // Other parts of the file may well be edited in the next commit, of the same second.
    editor.0.commit("by hand");
    editor.replace("agents/kai.toml", "\njoined", "\nwip = 2\njoined");
    editor.0.commit("by hand");
    editor.replace("agents/kai.toml", "wip = 2", "wip = 3");
    editor
        .0
        .write("agents/mira.toml", "role = \"docs\"\nkind = \"human\"\n");
    editor.push();
    // One clone has news of its own, so that the two are merged.
    kai.reflectt(["--no-sync", "send", "link", "news"]).ok();
    for clone in [kai, link] {
        let synced = clone.reflectt(["sync"]).ok();
        assert_eq!(synced.stderr, "", "{synced}");
    }
    it.agree();
    for clone in [kai, link] {
        let seat = seat(clone, "kai");
        assert_eq!(seat["role"], "reviewer", "{seat}");
        assert_eq!(seat["lanes"].as_array().unwrap().len(), 0, "{seat}");
        let mira = self::seat(clone, "mira");
        assert_eq!(
            (&mira["role"], &mira["kind"]),
            (&"docs".into(), &"human".into())
        );
    }
    editor.pull();
    let text = editor.read("agents/kai.toml");
    assert!(text.contains("\nwip = 3\njoined"), "{text}");
    assert_eq!(text.matches("by = \"Ann\"").count(), 3, "{text}");
    assert!(editor.read("agents/mira.toml").contains("by = \"Ann\""));
    assert_eq!(editor.file("quarantine/*"), "");
}

#[test]
fn what_cannot_be_adopted_is_said_once_with_the_reason_and_what_to_do() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let (kai, link) = (&it.clones[0], &it.clones[1]);
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["send", "link", "hello"]).ok();
    it.sync_all();
    let editor = Editor::of(&it, &env);
    editor.replace("agents/link.toml", "\njoined", "\nwip = 0\njoined");
    editor.0.write("agents/Big Name.toml", "role = \"docs\"\n");
    editor.0.write("agents/mira.toml", "role = \"docs\n");
    let message = editor.file("inbox/link/*");
    editor.replace(&message, "hello", "goodbye");
    let task = editor.file("tasks/*");
    editor.replace(&task, "\"todo\"", "\"done\"");
    editor.replace(
        "config.toml",
        "\n[[event]]",
        "\n[wip]\nagent = 0\n\n[[event]]",
    );
    editor.push();
    kai.reflectt(["sync"]).ok().snapshot(
        "
            --- stdout
            1 came, 2 went
            --- stderr
            warning: `agents/mira.toml`: the edit by hand is not adopted: line 1: invalid basic string, expected `\"`; correct it there and commit
            warning: `agents/Big Name.toml`: the edit by hand is not adopted: `Big Name` is not a name: the capital `B` is not allowed; use a-z, 0-9, `-` and `_`; give the file the name of the agent
            warning: `agents/link.toml`: the edit by hand is not adopted: with a limit of 0 tasks in progress it could not work; 1 is the least; correct it there, or use `reflectt join link`
            warning: `config.toml`: the edit by hand is not adopted: `wip.agent` cannot be `0`: it takes a whole number, 1 or more; use `reflectt config set KEY VALUE`
            warning: `inbox/link/[ULID].toml`: the edit by hand is not adopted: a message stays as it was sent; add another with `reflectt send`
            warning: `tasks/[ID1]-keep-the-return-path.toml`: the edit by hand is not adopted: this status follows from what is done; use `reflectt review [ID1] --approve`
            ",
    );
    for clone in [link, kai] {
        let synced = clone.reflectt(["sync"]).ok();
        assert_eq!(synced.stderr, "", "{synced}");
    }
    it.agree();
    let inbox = link.reflectt(["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"][0]["body"], "hello");
    // What the files show is true again, but for those that nobody can make sense of.
    editor.pull();
    assert!(!editor.read("agents/link.toml").contains("wip"));
    assert!(!editor.read("config.toml").contains("[wip]"));
    assert!(editor.read(&task).contains("status = \"todo\""));
    assert!(editor.read("agents/Big Name.toml").contains("docs"));
    kai.as_agent("kai", ["claim", &id]).ok();
}

#[test]
fn events_that_were_taken_out_by_hand_come_back() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let id = kai.task("kai", "Keep the return path", &[]);
    kai.reflectt(["task", "comment", &id, "how far?"]).ok();
    kai.set("kai", "wip.agent", "2");
    it.sync_all();
    let editor = Editor::of(&it, &env);
    let task = editor.file("tasks/*");
    // As somebody does who takes the file for a form to fill in.
    editor.0.write(&task, "title = \"Go back to the page\"\n");
    editor
        .0
        .write("agents/kai.toml", "name = \"kai\"\nrole = \"coder\"\n");
    editor.0.write("config.toml", "[wip]\nagent = 3\n");
    editor.push();
    it.agree();
    let shown = kai.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(shown["title"], "Go back to the page");
    let kinds: Vec<&str> = (shown["events"].as_array().unwrap().iter())
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["created", "commented", "edited"]);
    assert_eq!(seat(kai, "kai")["role"], "coder");
    let wip = kai.reflectt(["config", "get", "wip.agent"]).ok();
    assert!(wip.stdout.contains('3'), "{wip}");
    editor.pull();
    for (file, events) in [("agents/kai.toml", 2), ("config.toml", 4)] {
        let text = editor.read(file);
        assert_eq!(text.matches("[[event]]").count(), events, "{text}");
    }
    assert_eq!(editor.file("quarantine/*"), "");
    let list = kai.reflectt(["--json", "task", "list"]).ok().json();
    assert_eq!(list["tasks"].as_array().unwrap().len(), 1);
}

#[test]
fn thresholds_that_rise_together_are_adopted_together() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let editor = Editor::of(&it, &env);
    let table = "\n[heartbeat]\nexpire_after = \"3m\"\nidle_after = \"1m\"\nstale_after = \"2m\"\n";
    let text = editor.read("config.toml");
    editor.0.write(
        "config.toml",
        text.replacen("\n[[event]]", &format!("{table}\n[[event]]"), 1),
    );
    editor.push();
    let synced = kai.reflectt(["sync"]).ok();
    assert_eq!(synced.stderr, "", "{synced}");
    let expire = kai
        .reflectt(["config", "get", "heartbeat.expire_after"])
        .ok();
    assert!(expire.stdout.contains("3m"), "{expire}");
}

#[test]
fn an_ordinary_command_says_once_what_it_could_not_adopt() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    let record = record_of(&repo);
    let task = record.file("tasks/*");
    record.replace(&task, "\"todo\"", "\"done\"");
    record.replace(&task, "Keep the return path", "Go back to the page");
    record.0.commit("by hand");
    let comment = ["task", "comment", &id, "how far?"];
    repo.as_agent("kai", comment).ok().snapshot("
            --- stdout
            commented on [ID1]  Go back to the page
            --- stderr
            warning: `tasks/[ID1]-keep-the-return-path.toml`: the edit by hand is not adopted: this status follows from what is done; use `reflectt review [ID1] --approve`
            ");
    let again = repo.as_agent("kai", comment).ok();
    assert_eq!(again.stderr, "");
    // With `--json` the answer is the document alone.
    record.0.git(["reset", "-q", "--hard", "reflectt"]);
    record.replace("agents/kai.toml", "\njoined", "\nwip = 0\njoined");
    record.0.commit("by hand");
    let json = repo
        .as_agent("kai", ["--json", "send", "kai", "a note"])
        .ok();
    json.json();
    assert!(json.stderr.contains("`agents/kai.toml`"), "{json}");
    let shown = repo.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(shown["title"], "Go back to the page");
}

#[test]
fn joining_does_not_undo_what_was_edited_by_hand() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let record = record_of(&repo);
    record.replace("agents/kai.toml", "\njoined", "\nrole = \"coder\"\njoined");
    record.0.commit("by hand");
    repo.reflectt(["--as", "kai", "join", "kai", "--lane", "docs"])
        .ok();
    assert_eq!(seat(&repo, "kai")["role"], "coder");
}

/// Returns what a record has of the events and the messages, wherever it lies.
fn contents(clone: &Repo, id: &str) -> Vec<serde_json::Value> {
    let task = ["--json", "task", "show", id];
    let ways: [&[&str]; 4] = [
        &task,
        &["--json", "--as", "link", "inbox"],
        &["--json", "config", "get", "enforce.mode"],
        &["--json", "channel", "general"],
    ];
    let read = ways.iter().map(|args| clone.reflectt(*args).ok().json());
    read.collect()
}

#[test]
fn deleted_records_are_put_back_and_it_is_said_once() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let (kai, link) = (&it.clones[0], &it.clones[1]);
    kai.reflectt(["join", "kai", "--role", "coder"]).ok();
    let id = kai.task("kai", "Keep the return path", &[]);
    let done = kai.task("kai", "Drop the old page", &[]);
    kai.reflectt(["cancel", &done, "--reason", "no use"]).ok();
    kai.reflectt(["send", "link", "hello"]).ok();
    kai.reflectt(["send", "#general", "good morning"]).ok();
    kai.set("kai", "enforce.mode", "warn");
    it.sync_all();
    let before = contents(kai, &id);
    let record = link.git(["rev-parse", "reflectt"]);
    // With news of the clone's own, it is a merge that brings them back.
    for news in [false, true] {
        let editor = env.clone_of(&it.bare, &format!("editor-{news}"));
        editor.git(["checkout", "-q", "reflectt"]);
        editor.git([
            "rm",
            "-q",
            "-r",
            "tasks",
            "archive",
            "inbox",
            "channels",
            "agents/kai.toml",
            "config.toml",
        ]);
        editor.commit("by hand");
        editor.git(["push", "-q", "origin", "reflectt"]);
        if news {
            kai.reflectt(["--no-sync", "task", "comment", &done, "news"])
                .ok();
        }
        kai.reflectt(["sync"]).ok().snapshot(if news {
            "
            --- stdout
            2 came, 3 went; 7 files merged
            --- stderr
            warning: 1 agent (`kai`) was deleted by hand and is put back; `reflectt leave NAME` takes one off the team
            warning: 1 message (`#general`) was deleted by hand and is put back; what was said stays
            warning: 1 file (`config.toml`) was deleted by hand and is put back; `reflectt config set KEY VALUE` changes a setting
            warning: 1 message (`link`) was deleted by hand and is put back; `reflectt ack ID` takes one out of the inbox of who has read it
            warning: 2 tasks (`[ID2]`, `[ID1]`) were deleted by hand and are put back; `reflectt cancel ID --reason TEXT` gives one up
            "
        } else {
            "
            --- stdout
            1 came, 1 went
            --- stderr
            warning: 1 agent (`kai`) was deleted by hand and is put back; `reflectt leave NAME` takes one off the team
            warning: 1 message (`#general`) was deleted by hand and is put back; what was said stays
            warning: 1 file (`config.toml`) was deleted by hand and is put back; `reflectt config set KEY VALUE` changes a setting
            warning: 1 message (`link`) was deleted by hand and is put back; `reflectt ack ID` takes one out of the inbox of who has read it
            warning: 2 tasks (`[ID2]`, `[ID1]`) were deleted by hand and are put back; `reflectt cancel ID --reason TEXT` gives one up
            "
        });
        let synced = link.reflectt(["sync"]).ok();
        assert_eq!(synced.stderr, "", "{synced}");
        it.agree();
        for clone in [kai, link] {
            assert_eq!(contents(clone, &id), before);
            assert_eq!(seat(clone, "kai")["role"], "coder");
            clone.reflectt(["doctor"]).ok();
        }
        let fresh = env.clone_of(&it.bare, &format!("fresh-{news}"));
        let joined = fresh.reflectt(["join", &format!("mira-{news}")]).ok();
        assert!(!joined.stderr.contains("deleted"), "{joined}");
    }
    link.git(["merge-base", "--is-ancestor", &record, "reflectt"]);
}

#[test]
fn a_clone_that_never_had_them_puts_back_what_was_deleted() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai"]);
    let kai = &it.clones[0];
    let id = kai.task("kai", "Keep the return path", &[]);
    it.sync_all();
    let editor = Editor::of(&it, &env);
    editor.0.git(["rm", "-q", "-r", "tasks", "agents"]);
    editor.push();
    let fresh = env.clone_of(&it.bare, "fresh");
    let joined = fresh.reflectt(["join", "mira"]).ok();
    assert!(
        joined.stderr.contains("`reflectt cancel ID --reason TEXT`"),
        "{joined}"
    );
    assert!(joined.stderr.contains("`reflectt leave NAME`"), "{joined}");
    let shown = fresh.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(shown["title"], "Keep the return path");
    // Signed as reflectt's own, a deletion is none the less: whoever had them puts them back.
    kai.reflectt(["sync"]).ok();
    editor.pull();
    editor.0.git(["rm", "-q", "-r", "tasks"]);
    editor
        .0
        .git(["commit", "-q", "-m", "tidy up\n\nReflectt-Version: 0.1.0"]);
    editor.0.git(["push", "-q", "origin", "reflectt"]);
    let synced = kai.reflectt(["sync"]).ok();
    assert!(synced.stderr.contains("1 task"), "{synced}");
    kai.reflectt(["task", "show", &id]).ok();
}

#[test]
fn what_is_deleted_here_is_in_force_until_it_is_put_back() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.set("kai", "enforce.mode", "warn");
    let id = repo.task("kai", "Keep the return path", &[]);
    let record = record_of(&repo);
    record.0.git(["rm", "-q", "-r", "tasks", "config.toml"]);
    record.0.commit("by hand");
    let mode = repo.reflectt(["config", "get", "enforce.mode"]).ok();
    assert!(mode.stdout.contains("warn"), "{mode}");
    let found = repo.reflectt(["doctor"]).ok();
    for file in ["config.toml", "tasks/"] {
        let line = format!("warning  {file}");
        assert!(found.stdout.contains(&line), "{found}");
    }
    repo.as_agent("kai", ["task", "comment", &id, "how far?"])
        .ok()
        .snapshot("
            --- stdout
            commented on [ID1]  Keep the return path
            --- stderr
            warning: 1 file (`config.toml`) was deleted by hand and is put back; `reflectt config set KEY VALUE` changes a setting
            warning: 1 task (`[ID1]`) was deleted by hand and is put back; `reflectt cancel ID --reason TEXT` gives one up
            ");
    // What was changed by hand before it was deleted is an edit like any other.
    record.0.git(["reset", "-q", "--hard", "reflectt"]);
    let task = record.file("tasks/*");
    record.replace(&task, "Keep the return path", "Go back to the page");
    record.0.commit("by hand");
    record.0.git(["rm", "-q", &task]);
    record.0.commit("by hand, again");
    repo.as_agent("kai", ["claim", &id]).ok();
    let shown = repo.reflectt(["--json", "task", "show", &id]).ok().json();
    assert_eq!(shown["title"], "Go back to the page");
    // What was never a record is gone when it is deleted; what only moved is no deletion.
    record.0.git(["reset", "-q", "--hard", "reflectt"]);
    let task = record.file("tasks/*");
    record.0.write("tasks/notes.toml", "not a task");
    record.0.commit("by hand");
    record.0.git(["rm", "-q", "tasks/notes.toml"]);
    record.0.git(["mv", &task, &task.replace("back", "home")]);
    record.0.commit("by hand");
    let comment = repo.as_agent("kai", ["task", "comment", &id, "far"]).ok();
    assert_eq!(comment.stderr, "");
    repo.reflectt(["doctor"]).ok();
}

#[test]
fn who_leaves_is_off_the_team_and_the_name_is_free_again() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let (kai, link) = (&it.clones[0], &it.clones[1]);
    kai.reflectt(["join", "kai", "--role", "coder"]).ok();
    let id = kai.task("kai", "Keep the return path", &[]);
    link.reflectt(["sync"]).ok();
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(["leave", "kai"]).snapshot(
        "
            exit 4
            --- stderr
            error: `kai` holds task `[ID1]`; `reflectt release` or `reflectt handoff` comes first
              rule: holder
            hint: reflectt task show [ID1]
            ",
    );
    link.reflectt(["sync"]).ok();
    link.reflectt(["leave", "kai"]).code(4);
    kai.reflectt(["release", &id]).ok();
    let review = link.task("link", "Drop the old page", &["--reviewer", "kai"]);
    link.reflectt(["send", "kai", "are you there?"]).ok();
    kai.reflectt(["sync"]).ok();
    kai.reflectt(["leave", "kai"]).ok().snapshot(
        "
            --- stdout
            kai is not on the team any more
            --- stderr
            hint: reflectt task edit [ID2] --reviewer NAME (its reviewer was kai)
            ",
    );
    kai.reflectt(["status"]).code(2);
    kai.reflectt(["--as", "kai", "claim", &id]).code(5);
    it.sync_all();
    for clone in [kai, link] {
        assert_eq!(seat(clone, "kai"), serde_json::Value::Null);
        clone.reflectt(["leave", "kai", "--as", "link"]).code(5);
    }
    let log = link.reflectt(["log"]).ok();
    assert!(log.stdout.contains("kai left the team"), "{log}");
    link.reflectt(["doctor"]).ok();
    // The history stays, and whoever joins next begins anew.
    let file = link.git(["show", "reflectt:agents/kai.toml"]);
    assert!(file.contains("kind = \"left\""), "{file}");
    let joined = kai.reflectt(["--json", "join", "kai"]).ok().json();
    assert_eq!(joined["role"], serde_json::Value::Null);
    let json = kai.reflectt(["--json", "leave", "kai"]).ok().json();
    assert_eq!(json["left"], "kai");
    assert_eq!(json["reviews"], serde_json::json!([review]));
}

/// Checks the record out beside a repository without a remote.
fn record_of(repo: &Repo) -> Editor {
    repo.git(["worktree", "add", "-q", "../record", "reflectt"]);
    let path = repo.env().dir().join("record");
    Editor(Repo::at(repo.env().clone(), path))
}

#[test]
fn what_a_task_shares_is_changed_by_hand() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let (kai, link) = (&it.clones[0], &it.clones[1]);
    let id = kai.task("kai", "Add a line", &["--path", "CHANGELOG.md"]);
    it.sync_all();
    let editor = Editor::of(&it, &env);
    let file = editor.file("tasks/*");
    let paths = "paths = [\"CHANGELOG.md\"]\n";
    let shared = "shared = [\"CHANGELOG.md\", \"elsewhere\"]\n";
    editor.replace(&file, paths, &format!("{paths}{shared}"));
    editor.push();
    it.sync_all();
    for clone in [kai, link] {
        let task = clone.reflectt(["--json", "task", "show", &id]).ok().json();
        assert_eq!(task["shared"], serde_json::json!(["CHANGELOG.md"]));
    }
    kai.reflectt(["claim", &id]).ok();
    link.reflectt(["claim", "--share", "CHANGELOG.md", "-m", "a line"])
        .ok();
    it.sync_all();
    it.agree();
}
