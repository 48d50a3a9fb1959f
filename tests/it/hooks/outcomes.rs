//! Allow, block, not managed, cannot decide: never confused with each other.

use std::time::Instant;

use super::*;

fn stage(repo: &Repo) {
    repo.write("src/auth/login.rs", "edited");
    repo.git(["add", "-A"]);
}

#[test]
fn where_no_team_works_hooks_are_silent() {
    let repo = TestEnv::new().repo("repo");
    let outside = repo.env().outside();
    for name in ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"] {
        for place in [&repo, &outside] {
            let output = place.reflectt(["hook", name, "file"]).ok();
            assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
        }
    }
    let json = repo.reflectt(["--json", "hook", "pre-commit"]).ok().json();
    assert_eq!(json["outcome"], "not_managed");
    // Somebody else's branch of that name.
    repo.git(["branch", "reflectt"]);
    let output = repo.reflectt(["hook", "pre-commit"]).ok();
    assert_eq!(output.stderr, "");
}

#[test]
fn a_team_may_only_warn_or_not_care() {
    let (repo, _) = claimed();
    stage(&repo);
    repo.set("kai", "enforce.mode", "warn");
    let warned = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).ok();
    assert!(
        warned
            .stderr
            .starts_with("warning: `src/auth/login.rs` is staged"),
        "{warned}"
    );
    assert_eq!(
        warned.stderr.matches("warning:").count(),
        1,
        "said once\n{warned}"
    );
    let edit = r#"{"tool_input":{"file_path":"src/auth/login.rs"}}"#;
    let agent_edit = || {
        repo.command(["hook", "agent-edit"])
            .agent("kai")
            .stdin(edit)
            .run()
            .ok()
    };
    let json = agent_edit().json();
    assert!(json["systemMessage"].as_str().unwrap().contains("claimed"));
    assert!(json.get("hookSpecificOutput").is_none());

    repo.set("kai", "enforce.mode", "off");
    repo.write("src/auth/login.rs", "again");
    let off = git_as(&repo, Some("kai"), &["commit", "-qam", "x"]).ok();
    assert_eq!(off.stderr, "");
    assert_eq!(agent_edit().stdout, "");
}

#[test]
fn a_team_may_require_claims_of_agents() {
    let (repo, id) = claimed();
    repo.set("kai", "enforce.require_claim", "true");
    repo.write("docs/guide.md", "edited");
    repo.git(["add", "-A"]);
    repo.as_agent("link", ["hook", "pre-commit"]).code(4).snapshot(&format!(
        "
        exit 4
        --- stderr
        error: `docs/guide.md` is staged and not claimed by you, as this team requires
          docs/guide.md
            claimed by nobody
        hint: {}
        hint: git restore --staged -- docs/guide.md (leaves them out of this commit; your edits stay)
        ",
        "reflectt claim --path docs/guide.md -m WHY (claims it without a task)"
    ));
    git_as(&repo, Some("link"), &["commit", "-qm", "x"]).code(1);
    repo.as_agent("link", ["claim", &id, "--path", "docs"]).ok();
    git_as(&repo, Some("link"), &["commit", "-qm", "x"]).ok();
    // People need none: neither those who joined nor others.
    repo.reflectt(["--as", "ann", "join", "ann", "--human"])
        .ok();
    prepare(&repo);
    repo.write("src/lib.rs", "edited");
    repo.git(["add", "-A"]);
    repo.as_agent("kai", ["hook", "pre-commit"]).code(4);
    repo.as_agent("ann", ["hook", "pre-commit"]).ok();
    repo.reflectt(["hook", "pre-commit"]).ok();
    let reason = [("REFLECTT_OVERRIDE", "a typo")];
    git_with(&repo, Some("kai"), &reason, &["commit", "-qm", "x"]).ok();
    let said = repo.reflectt(["channel", "general"]).ok().stdout;
    assert!(
        said.contains("a typo") && said.contains("src/lib.rs"),
        "{said}"
    );
}

#[test]
fn overrides_are_recorded_once_for_a_commit() {
    let (repo, id) = claimed();
    for number in 0..5 {
        repo.write(&format!("src/auth/{number}"), "x");
    }
    repo.git(["add", "-A"]);
    let person = [("REFLECTT_OVERRIDE", "prod is down")];
    let done = git_with(&repo, None, &person, &["commit", "-qm", "hot fix"]).ok();
    assert!(done.stderr.contains("on the record"), "{done}");
    assert!(
        repo.git(["log", "-1", "--format=%B"])
            .ends_with("Reflectt-Override: prod is down")
    );
    let task = repo.reflectt(["--json", "task", "show", &id]).ok().json();
    let events = task["events"].as_array().unwrap();
    let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!(of("overridden"), 1, "{task:#}");
    let inbox = repo.as_agent("link", ["--json", "inbox"]).ok().json();
    let messages = inbox["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{inbox:#}");
    assert!(
        messages[0]["body"]
            .as_str()
            .unwrap()
            .contains("prod is down")
    );

    // A reason of blanks is none, and the holder needs none.
    repo.write("src/auth/0", "again");
    let blank = [("REFLECTT_OVERRIDE", " ")];
    git_with(&repo, Some("kai"), &blank, &["commit", "-qam", "x"]).code(1);
    git_with(&repo, Some("link"), &person, &["commit", "-qam", "x"]).ok();
    let inbox = repo.as_agent("link", ["--json", "inbox"]).ok().json();
    assert_eq!(inbox["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn an_override_that_cannot_be_recorded_does_not_count() {
    let (repo, _) = claimed();
    stage(&repo);
    let long = "x".repeat(100_000);
    let reason = [("REFLECTT_OVERRIDE", long.as_str())];
    let stopped = git_with(&repo, None, &reason, &["commit", "-qm", "x"]).code(1);
    assert!(
        stopped.stderr.contains("could not be recorded"),
        "{stopped}"
    );
}

#[test]
fn a_wrong_name_is_no_way_around() {
    let (repo, _) = claimed();
    stage(&repo);
    for name in ["Not A Name", "../link", "nobody-known"] {
        let stopped = git_as(&repo, Some(name), &["commit", "-qm", "x"]).code(1);
        assert!(stopped.stderr.contains("claimed by others"), "{stopped}");
    }
}

#[test]
fn a_damaged_table_is_one_line_of_warning() {
    let (repo, _) = claimed();
    stage(&repo);
    let oid = head(&repo);
    repo.git(["update-ref", "refs/reflectt/claims", &oid]);
    // What was last known of it stands: here what the record says.
    let stopped = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).code(1);
    let warnings = stopped
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "));
    let warnings: Vec<&str> = warnings.collect();
    assert_eq!(warnings.len(), 1, "{stopped}");
    assert!(
        warnings[0].starts_with("warning: the claims table is damaged: "),
        "{stopped}"
    );
    assert!(
        stopped.stderr.contains("claimed just now by link"),
        "{stopped}"
    );
    let json = repo
        .as_agent("kai", ["--json", "hook", "pre-push", "origin"])
        .ok()
        .json();
    assert_eq!(json["outcome"], "not_managed", "nothing is pushed: {json}");
    let edit = r#"{"tool_input":{"file_path":"src/auth/login.rs"}}"#;
    let asked = repo
        .command(["hook", "agent-edit"])
        .agent("kai")
        .stdin(edit)
        .run()
        .ok();
    assert!(asked.stdout.contains("deny"), "{asked}");
}

#[test]
fn a_record_that_is_gone_is_noticed() {
    let (repo, _) = claimed();
    stage(&repo);
    repo.git(["update-ref", "-d", "refs/heads/reflectt"]);
    let done = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).ok();
    let warning = "warning: reflectt cannot check claims: this repository has no `reflectt` branch";
    assert!(done.stderr.starts_with(warning), "{done}");
    repo.git(["branch", "reflectt"]);
    repo.write("src/auth/login.rs", "more");
    let done = git_as(&repo, Some("kai"), &["commit", "-qam", "x"]).ok();
    assert!(done.stderr.contains("is not reflectt's record"), "{done}");
}

#[test]
fn damaged_settings_do_not_turn_enforcement_off() {
    let (repo, _) = claimed();
    stage(&repo);
    let path = repo.env().dir().join("record");
    repo.git(["worktree", "add", "-q", path.to_str().unwrap(), "reflectt"]);
    let record = Repo::at(repo.env().clone(), path);
    record.write("config.toml", "[[[");
    record.git(["commit", "-qam", "by hand"]);
    let stopped = git_as(&repo, Some("kai"), &["commit", "-qm", "x"]).code(1);
    assert!(
        stopped
            .stderr
            .starts_with("warning: the team's settings are damaged: "),
        "{stopped}"
    );
    assert!(stopped.stderr.contains("claimed by others"), "{stopped}");
}

/// Makes every hook call another program.
fn replace_program(repo: &Repo, program: &str) {
    for name in ["pre-commit", "commit-msg", "pre-push"] {
        let hook = repo.common_dir().join("hooks").join(name);
        let text = std::fs::read_to_string(&hook).unwrap();
        let line = text.lines().find(|l| l.starts_with("reflectt='")).unwrap();
        let text = text.replace(line, &format!("reflectt='{program}'"));
        std::fs::write(&hook, text).unwrap();
    }
}

#[test]
fn a_missing_or_broken_program_lets_git_go_on() {
    let (repo, _) = claimed();
    for (program, code) in [("/nowhere/reflectt", 127), ("/bin/false", 1)] {
        stage(&repo);
        replace_program(&repo, program);
        let done = git_as(
            &repo,
            Some("kai"),
            &["commit", "-q", "--allow-empty", "-m", "x"],
        )
        .ok();
        let line = format!(
            "reflectt: warning: pre-commit could not run ({code}); claims are not checked\n"
        );
        assert_eq!(done.stderr, line);
    }
    // From the PATH, if it has moved.
    let bin = repo.env().dir().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(crate::support::process::BINARY, bin.join("reflectt")).unwrap();
    replace_program(&repo, "/nowhere/reflectt");
    repo.write("src/auth/login.rs", "more");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let path = [("PATH", path.as_str())];
    git_with(&repo, Some("kai"), &path, &["commit", "-qam", "x"]).code(1);
    // A crash, as a signal gives it.
    let crash = repo.env().dir().join("crash");
    script(&crash, "#!/bin/sh\nkill -SEGV $$\n");
    replace_program(&repo, crash.to_str().unwrap());
    git_as(&repo, Some("kai"), &["commit", "-qam", "x"]).ok();
}

#[test]
fn a_slow_repository_lets_git_go_on_after_two_seconds() {
    let (repo, _) = claimed();
    stage(&repo);
    repo.git(["config", "--unset", "reflectt.hookTimeLimit"]);
    let real = Command::new("sh")
        .args(["-c", "command -v git"])
        .output()
        .unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let bin = repo.env().dir().join("bin");
    let slow = format!(
        "#!/bin/sh\ncase \"$*\" in *diff-index*) exec sleep 600 ;; esac\nexec '{}' \"$@\"\n",
        real.trim()
    );
    script(&bin.join("git"), &slow);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let started = Instant::now();
    let hook = repo
        .command(["hook", "pre-commit"])
        .agent("kai")
        .env("PATH", path);
    let output = hook.run().ok();
    assert!(output.stderr.contains("warning"), "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    let took = started.elapsed().as_secs();
    assert!((1..30).contains(&took), "{took} s");
}
