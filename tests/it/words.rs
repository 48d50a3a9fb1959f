//! What is said to people and agents: what to do now, what is wrong with a plan, what was left out.

use super::support::TestEnv;

#[test]
fn planning_says_what_will_stand_in_the_way() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let new = ["task", "new", "Log in", "--criterion", "works"];
    repo.as_agent("kai", new).snapshot(
        "
        --- stdout
        [ID1]  Log in
        --- stderr
        warning: nobody can claim it before it has a criterion that another agent can check, in two words or more; `works` is none
        hint: reflectt task edit [ID1] --criterion TEXT
        ",
    );
    let more = [
        "--path",
        "src",
        "--criterion",
        "a test covers it",
        "--criterion",
        "see docs/login.md",
    ];
    repo.as_agent("kai", new.iter().chain(&more)).snapshot(
        "
        --- stdout
        [ID2]  Log in
        --- stderr
        hint: reflectt claim [ID2]
        warning: no other agent can check `works`: say what must be true, in two words or more
        hint: reflectt task edit [ID2] --path PATH (criterion 2 asks for a test, and none of the paths is one for tests)
        hint: reflectt task edit [ID2] --path docs/login.md (criterion 3 names it, and none of the paths covers it)
        ",
    );
}

#[test]
fn a_task_is_put_before_others() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let (first, last) = (
        repo.task("kai", "First", &[]),
        repo.task("kai", "Last", &[]),
    );
    let between = repo.task("kai", "Between", &["--after", &first, "--before", &last]);
    let waits = |id: &str| {
        let task = repo
            .as_agent("kai", ["--json", "task", "show", id])
            .ok()
            .json();
        task["blocked_by"].clone()
    };
    assert_eq!(waits(&between), serde_json::json!([first]));
    assert_eq!(waits(&last), serde_json::json!([between]));
    let circle = [
        "task",
        "new",
        "Circle",
        "--criterion",
        "one two",
        "--after",
        &last,
        "--before",
        &first,
    ];
    let refused = repo
        .as_agent("kai", ["--json"].iter().chain(&circle))
        .code(4)
        .json();
    assert_eq!(refused["error"]["rule"], "cycle");
    repo.as_agent("kai", ["task", "edit", &last, "--before", &first])
        .code(4);
    let very_last = repo.task("kai", "Very last", &[]);
    repo.as_agent("kai", ["task", "edit", &last, "--before", &very_last])
        .ok();
    assert_eq!(waits(&very_last), serde_json::json!([last]));
}

#[test]
fn several_in_one_word_are_told_apart() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.as_agent("kai", ["send", "kai,link", "hello"])
        .snapshot(
            "
        exit 2
        --- stderr
        error: `kai,link` is not a name: `,` is not allowed; use a-z, 0-9, `-` and `_`
        hint: name them one by one: `kai link`
        ",
        );
    repo.as_agent("kai", ["task", "new", "x", "--tag", "a,b"])
        .snapshot(
            "
        exit 2
        --- stderr
        error: --tag: `a,b` is not a name: `,` is not allowed; use a-z, 0-9, `-` and `_`
        hint: --tag a --tag b (one by one, where it may be repeated)
        ",
        );
}

#[test]
fn what_to_do_next_cannot_lose_a_race() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Log in", &[]);
    repo.as_agent("kai", ["status"]).snapshot(
        "
        --- stdout
        You are kai.
        ACTION: Take the best task that is ready: `reflectt next --claim --branch` (now `[ID1]`, Log in).

        Next for you
          [ID1]  P2  todo  Log in

        Queue: 1 to do (1 ready for you), 0 in progress, 0 blocked, 0 in review
        ",
    );
    repo.set("kai", "review.required", "false");
    repo.as_agent("link", ["claim", &id]).ok();
    let submit = ["submit", &id, "--summary", "s", "--evidence", "1=ran it"];
    repo.as_agent("link", submit).ok();
    repo.as_agent("kai", ["claim", &id]).snapshot(
        "
        exit 4
        --- stderr
        error: task `[ID1]` is `done` by `link`; reopen it to work on it again
          rule: status
        hint: reflectt task show [ID1]
        ",
    );
}

#[test]
fn a_review_is_corrected_and_changes_made_are_not_asked_for() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "sage"]);
    let id = repo.task("kai", "Log in", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    let submit = [
        "submit",
        &id,
        "--summary",
        "Done.",
        "--evidence",
        "1=ran it",
    ];
    repo.as_agent("kai", submit).ok();
    // What to do next is told from what happened, and is no part of the message.
    let asked = repo.as_agent("sage", ["inbox", "--json"]).ok().json();
    let message = &asked["messages"][0];
    assert!(
        message["body"].as_str().unwrap().ends_with(": Done."),
        "{message}"
    );
    let hints = [
        format!("reflectt review {id}"),
        format!("reflectt review {id} --approve"),
        format!("reflectt review {id} --request-changes TEXT"),
    ];
    assert_eq!(message["hints"], serde_json::json!(hints));
    let shown = repo.as_agent("sage", ["inbox"]).ok().stdout;
    assert!(shown.contains(&format!("\n  → {}\n", hints[1])), "{shown}");
    repo.as_agent("sage", ["review", &id, "--request-changes", "the query"])
        .ok();
    repo.as_agent("sage", ["review", &id, "--correct", "the fragment"])
        .snapshot(
            "
        --- stdout
        corrected the review of [ID1]  Log in
        kai is told
        ",
        );
    repo.as_agent("kai", ["review", &id, "--correct", "nothing"])
        .code(4);
    let show = |id: &str| {
        repo.as_agent("kai", ["--json", "task", "show", id])
            .ok()
            .json()
    };
    assert_eq!(show(&id)["changes"], "the fragment");
    let said = || -> Vec<String> {
        let told = repo.as_agent("kai", ["inbox", "--json"]).ok().json();
        (told["messages"].as_array().unwrap().iter())
            .map(|message| message["body"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(said()[1].ends_with(": the fragment"), "{:?}", said());
    repo.as_agent("kai", submit).ok();
    assert_eq!(show(&id)["changes"], serde_json::Value::Null);
    // What was asked for is done, and needs nobody's notice.
    assert_eq!(said(), Vec::<String>::new());
    repo.as_agent("sage", ["review", &id]).ok();
    let approve = ["review", &id, "--approve", "--note", "Well done!"];
    repo.as_agent("sage", approve).ok();
    let said = said();
    assert!(
        said[0].contains(": Well done! What did you learn?"),
        "{said:?}"
    );
    let list = repo.as_agent("kai", ["task", "list", "--status", "in-review"]);
    assert!(list.ok().stderr.starts_with("no task fits"));
}

#[test]
fn a_full_inbox_is_cut_and_says_what_is_left_out() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let long = "line\n".repeat(50);
    repo.as_agent("link", ["send", "kai", &long]).ok();
    for _ in 0..11 {
        repo.as_agent("link", ["send", "kai", "short", "--urgent"])
            .ok();
    }
    let cut = repo.as_agent("kai", ["inbox"]).ok();
    assert_eq!(cut.stdout.matches("  line\n").count(), 30);
    assert_eq!(cut.stdout.matches("  short\n").count(), 9);
    assert!(
        cut.stdout
            .contains("\n  … 100 more characters: reflectt inbox --all\n"),
        "{cut}"
    );
    assert!(
        cut.stdout
            .ends_with("\nand 2 more (2 urgent): reflectt inbox --all\n"),
        "{cut}"
    );
    assert!(!cut.stderr.contains("ack --all"), "{cut}");
    let all = repo.as_agent("kai", ["inbox", "--all"]).ok();
    assert_eq!(all.stdout.matches("  line\n").count(), 50);
    assert_eq!(all.stdout.matches("  short\n").count(), 11);
    let json = repo.as_agent("kai", ["inbox", "--json"]).ok().json();
    assert_eq!(json["messages"].as_array().unwrap().len(), 12);
}

#[test]
fn another_worktree_of_an_agent_is_told_how_to_act_as_it() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.reflectt(["init"]).ok();
    repo.reflectt(["join", "kai"]).ok();
    repo.worktree("second").reflectt(["status"]).snapshot(
        "
        exit 2
        --- stderr
        error: it is not known who asks
        hint: reflectt join kai (if this worktree is kai's too, as `[DIR]/repo`)
        hint: reflectt join NAME (makes this worktree act as NAME)
        hint: reflectt --as NAME … (for one command)
        ",
    );
}

#[test]
fn whoever_browses_the_branch_sees_when_things_happened() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Log in", &[]);
    repo.as_agent("kai", ["send", "link", "hello"]).ok();
    for path in [
        format!("tasks/{id}-log-in.toml"),
        "agents/kai.toml".into(),
        "config.toml".into(),
    ] {
        let text = repo.git(["show", &format!("reflectt:{path}")]);
        let (_, event) = text.split_once("[[event]]\nid = ").unwrap();
        assert!(
            event.lines().nth(1).unwrap().starts_with("at = 20"),
            "{text}"
        );
    }
    let mail = repo.git(["ls-tree", "-r", "--name-only", "reflectt", "inbox/link"]);
    let text = repo.git(["show", &format!("reflectt:{}", mail.trim())]);
    assert!(text.contains("\nat = 20"), "{text}");
}

#[test]
fn a_clone_that_has_not_fetched_the_team_is_told_to_join() {
    let env = TestEnv::new();
    let hub = env.bare("hub");
    let repo = env.repo("repo");
    repo.git(["remote", "add", "origin", hub.path().to_str().unwrap()]);
    repo.git(["push", "-q", "origin", "main"]);
    repo.found(&["kai"]);
    let single = env.dir().join("single");
    let url = format!("file://{}", hub.path().display());
    let clone = [
        "clone",
        "-q",
        "--single-branch",
        "--branch",
        "main",
        &url,
        single.to_str().unwrap(),
    ];
    repo.git(clone);
    let single = super::support::Repo::at(env.clone(), single);
    single.reflectt(["status"]).snapshot(
        "
        exit 1
        --- stderr
        error: this clone has no `reflectt` branch yet; whether `origin` has a team was not asked
        hint: reflectt join NAME (if the team is on `origin`)
        hint: reflectt init (starts one)
        ",
    );
    single.reflectt(["join", "link"]).ok();

    let named = env.dir().join("named");
    repo.git([
        "clone",
        "-q",
        "-o",
        "upstream",
        &url,
        named.to_str().unwrap(),
    ]);
    let named = super::support::Repo::at(env.clone(), named);
    named.reflectt(["status"]).snapshot(
        "
        exit 1
        --- stderr
        error: this clone does not take part in the team on `upstream` yet
        hint: reflectt join NAME
        ",
    );
    named.reflectt(["join", "sage"]).ok();
}

#[test]
fn every_command_that_is_asked_for_json_prints_it() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let board = repo.reflectt(["board"]).ok().stdout;
    assert_eq!(
        repo.reflectt(["board", "--json"]).ok().json()["board"],
        board
    );
    let edit = |tool: &str| {
        let input = format!(
            r#"{{"tool_name": "{tool}", "cwd": "{0}", "tool_input": {{"file_path": "{0}/a"}}}}"#,
            repo.path().display()
        );
        let hook = repo.command(["hook", "agent-edit", "--json"]).agent("kai");
        hook.stdin(input).run().ok().json()
    };
    assert_eq!(edit("Write")["outcome"], "allow");
}

/// As a shell's script asks.
#[test]
fn shells_are_told_ids_names_and_settings() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Log in", &[]);
    repo.set("kai", "channels.deploys", "what goes out");
    let offered = |words: &[&str]| {
        let line = ["--", "reflectt"].iter().chain(words);
        let answer = repo
            .command(line)
            .env("REFLECTT_COMPLETE", "fish")
            .run()
            .ok();
        answer.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let task = format!("{id}\tLog in");
    // Flags come after.
    assert_eq!(offered(&["claim", ""])[0], task);
    assert_eq!(offered(&["claim", &id[..3]]), [task]);
    assert_eq!(offered(&["handoff", &id, "--to", "l"]), ["link"]);
    assert_eq!(offered(&["--as", "k"]), ["kai"]);
    assert_eq!(offered(&["send", "#gen"]), ["#general"]);
    assert_eq!(offered(&["send", "#dep"]), ["#deploys\twhat goes out"]);
    assert_eq!(offered(&["config", "get", "wip.a"]), ["wip.agent\t1"]);
}

/// git's own completion comes to ours.
#[test]
fn bash_completes_git_reflectt() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let id = repo.task("kai", "Log in", &[]);
    let script = repo.reflectt(["completions", "bash"]).ok().stdout;
    let typed = &id[..3];
    let binary = std::path::Path::new(super::support::process::BINARY);
    let test = format!(
        "{script}\nPATH={}:$PATH\nwords=(git -C . reflectt claim {typed}) cword=5 cur={typed}\n\
         _git_reflectt 2> /dev/null\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        binary.parent().unwrap().display()
    );
    let mut bash = std::process::Command::new("bash");
    repo.env().prepare(&mut bash);
    let bash = bash.arg("-c").arg(test).current_dir(repo.path());
    let answer = bash.output().unwrap();
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert_eq!(answer, format!("{id}\n"), "{typed}");
}
