//! A task's life on the command line: planned, claimed, reviewed, handed on, given up.

use serde_json::Value;

use super::support::{Repo, TestEnv};

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn team() -> Repo {
    TestEnv::new().team(["kai", "link", "sage"])
}

#[test]
fn a_task_is_planned() {
    let repo = team();
    repo.as_agent("kai", ["task", "list"]).snapshot(
        "
        --- stderr
        there are no open tasks
        hint: reflectt task new TITLE --criterion TEXT
        ",
    );
    let title = "Keep the return path";
    let criterion = "login from /app returns to /app";
    repo.as_agent(
        "kai",
        [
            "task",
            "new",
            title,
            "--criterion",
            criterion,
            "--path",
            "src/auth",
        ],
    )
    .snapshot(
        "
        --- stdout
        [ID1]  Keep the return path
        --- stderr
        hint: reflectt claim [ID1]
        ",
    );
    repo.as_agent("kai", ["task", "new", "Think about caching"])
        .snapshot(
            "
            --- stdout
            [ID2]  Think about caching
            --- stderr
            warning: nobody can claim it before it has a criterion that another agent can check, in two words or more
            hint: reflectt task edit [ID2] --criterion TEXT
            ",
        );
    repo.as_agent("kai", ["task", "list"]).snapshot(
        "
        --- stdout
        ID      PRI  STATUS  ASSIGNEE  TITLE                 WAITS FOR
        [ID1]  P2   todo              Keep the return path
        [ID2]  P2   todo              Think about caching   a criterion
        ",
    );
    repo.as_agent("kai", ["task", "list", "--lane", "backend"])
        .snapshot(
            "
            --- stderr
            no task fits
            hint: reflectt task list --all
            ",
        );
}

#[test]
fn a_task_is_claimed_by_one_and_reviewed_by_another() {
    let repo = team();
    let id = repo.task("kai", "Keep the return path", &["--path", "src/auth"]);
    repo.as_agent("link", ["next", "--claim"]).snapshot(
        "
        --- stdout
        [ID1]  Keep the return path
        status     doing, held by link (claimed [AGO])
        priority   P2
        paths      src/auth
        branch     main
        created    [AGO] by kai
        done when
          1. a test shows that it works
        --- stderr
        (the best of 1 task ready)
        hint: reflectt submit [ID1] --summary TEXT --evidence 1=TEXT (when it is done)
        ",
    );
    repo.as_agent("kai", ["claim", &id]).snapshot(
        "
        exit 3
        --- stderr
        error: task `[ID1]` is held by `link`
          since: [AGO]
          paths: src/auth
          holder status: active
          last seen: [AGO]
        hint: reflectt next --claim --branch (takes other work)
        hint: reflectt send link TEXT (asks the holder)
        ",
    );
    repo.as_agent("kai", ["claim", "--path", "src", "-m", "a fix"])
        .snapshot(
            "
            exit 3
            --- stderr
            error: `src/auth` is claimed by `link` for task `[ID1]`
              since: [AGO]
              holder status: active
              last seen: [AGO]
            hint: reflectt next --claim --branch (takes other work)
            hint: reflectt send link TEXT (asks the holder)
            ",
        );
    let held = repo
        .as_agent("kai", ["--json", "claim", &id])
        .code(3)
        .json();
    assert_eq!(held["error"]["holder"], "link");
    assert_eq!(held["error"]["task"], id.as_str());
    assert_eq!(held["error"]["holder_status"], "active");

    repo.as_agent("link", ["submit", &id, "--summary", "it is kept"])
        .snapshot(
            "
            exit 4
            --- stderr
            error: no evidence for criterion 1 (a test shows that it works)
              rule: evidence
            hint: reflectt task show [ID1] (lists the criteria)
            hint: reflectt submit [ID1] --summary TEXT --evidence 1=TEXT … (one for each criterion)
            ",
        );
    let submit = [
        "submit",
        &id,
        "--summary",
        "it is kept",
        "--evidence",
        "1=seen",
        "--reviewer",
        "sage",
    ];
    repo.as_agent("link", submit).snapshot(
        "
        --- stdout
        submitted [ID1]  Keep the return path
        sage is asked to review it
        --- stderr
        hint: reflectt status --wait 10m (waits for work)
        ",
    );
    repo.as_agent("link", ["review", &id, "--approve"])
        .snapshot(
            "
        exit 4
        --- stderr
        error: `link` cannot review its own work
          rule: reviewer
        hint: reflectt task edit [ID1] --reviewer NAME
        hint: reflectt who (shows who could review)
        ",
        );
    repo.as_agent("sage", ["next"]).snapshot(
        "
        exit 5
        --- stdout
        there is no free task
        --- stderr
        hint: reflectt task show [ID1] (waits for your review)
        ",
    );
    repo.as_agent(
        "sage",
        ["review", &id, "--request-changes", "the query is lost"],
    )
    .snapshot(
        "
            --- stdout
            sent back [ID1]  Keep the return path
            link is asked for the changes
            --- stderr
            hint: reflectt status --wait 10m (waits for work)
            ",
    );
    let next = repo.as_agent("link", ["--json", "next"]).ok().json();
    assert_eq!(next["reason"], "your own work, with changes asked for");
    assert_eq!(next["task"]["changes"], "the query is lost");
    assert_eq!(next["claim"]["phase"], "working");

    repo.as_agent("link", submit).ok();
    repo.as_agent("sage", ["review", &id, "--approve"])
        .snapshot(
            "
        --- stdout
        approved [ID1]  Keep the return path
        --- stderr
        hint: reflectt status --wait 10m (waits for work)
        warning: you were not shown what was submitted of `[ID1]` before you approved it
        ",
        );
    let task = repo
        .as_agent("kai", ["--json", "task", "show", &id])
        .ok()
        .json();
    assert_eq!(task["status"], "done");
    let kinds: Vec<&str> = (task["events"].as_array().unwrap().iter())
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "created",
            "claimed",
            "submitted",
            "changes_requested",
            "submitted",
            "approved",
            "landed"
        ]
    );
}

#[test]
fn work_changes_hands() {
    let repo = team();
    let id = repo.task("kai", "Keep the return path", &["--path", "src/auth"]);
    repo.as_agent("link", ["claim", &id]).ok();
    repo.as_agent(
        "link",
        [
            "handoff",
            &id,
            "--to",
            "sage",
            "--note",
            "you know it better",
        ],
    )
    .snapshot(
        "
            --- stdout
            handed off [ID1]  Keep the return path
            sage holds it now
            --- stderr
            hint: reflectt status --wait 10m (waits for work)
            ",
    );
    repo.as_agent("link", ["release", &id]).snapshot(
        "
        exit 4
        --- stderr
        error: `[ID1]` is held by `sage`, not by `link`
          rule: holder
        hint: reflectt task show [ID1]
        ",
    );
    repo.as_agent("sage", ["block", &id, "--reason", "no key for the API"])
        .snapshot(
            "
            --- stdout
            blocked [ID1]  Keep the return path
            --- stderr
            hint: reflectt unblock [ID1] (when it can go on)
            hint: reflectt next --claim --branch (other work meanwhile)
            ",
        );
    repo.as_agent("sage", ["unblock", &id]).snapshot(
        "
        --- stdout
        unblocked [ID1]  Keep the return path
        ",
    );
    repo.as_agent("sage", ["release", &id, "--note", "half done"])
        .snapshot(
            "
            --- stdout
            released [ID1]  Keep the return path
            ",
        );
    repo.as_agent("kai", ["claim", &id[..3]]).ok();
    let take = ["claim", &id, "--take-over", "--reason", "kai is away"];
    repo.as_agent("link", take).snapshot(
        "
        --- stdout
        [ID1]  Keep the return path
        status     doing, held by link (claimed [AGO])
        priority   P2
        paths      src/auth
        branch     main
        created    [AGO] by kai
        done when
          1. a test shows that it works
        left by sage [AGO] on the branch main
          half done
        --- stderr
        hint: reflectt submit [ID1] --summary TEXT --evidence 1=TEXT (when it is done)
        ",
    );
    repo.as_agent("kai", ["submit", &id, "--summary", "x", "--evidence", "1=y"])
        .snapshot(
            "
            exit 7
            --- stderr
            error: task `[ID1]` is no longer yours: `link` took it over (kai is away); `link` holds it now
            hint: reflectt inbox (says what happened)
            hint: reflectt ack --all (says that you know; needed before you claim again)
            ",
        );
    repo.as_agent("kai", ["cancel", &id, "--reason", "the page is gone"])
        .snapshot(
            "
            --- stdout
            cancelled [ID1]  Keep the return path
            ",
        );
    repo.as_agent("sage", ["claim", &id]).snapshot(
        "
        exit 4
        --- stderr
        error: task `[ID1]` is `cancelled`; reopen it to work on it again
          rule: status
        hint: reflectt task show [ID1]
        ",
    );
    repo.as_agent("sage", ["reopen", &id, "--reason", "it is back"])
        .snapshot(
            "
            --- stdout
            reopened [ID1]  Keep the return path
            ",
        );
}

#[test]
fn what_waits_for_a_cancelled_task_is_named() {
    let repo = team();
    let first = repo.task("kai", "First", &[]);
    let second = repo.task("kai", "Second", &["--after", &first]);
    repo.as_agent("kai", ["cancel", &first, "--reason", "no need"])
        .snapshot(
            "
            --- stdout
            cancelled [ID1]  First
            --- stderr
            warning: `[ID2]` waits for it and cannot start
            hint: reflectt task edit [ID2] --drop-after [ID1]
            ",
        );
    repo.as_agent("link", ["claim", &second]).snapshot(
        "
        exit 4
        --- stderr
        error: task `[ID2]` waits for `[ID1]` (cancelled)
          rule: dependencies
        hint: reflectt task edit [ID2] --drop-after ID (waits no more for what was cancelled)
        ",
    );
    repo.as_agent("link", ["task", "edit", &second, "--drop-after", &first])
        .ok();
    repo.as_agent("link", ["claim", &second]).ok();
}

#[test]
fn nobody_waits_for_what_is_done() {
    let repo = team();
    repo.set("kai", "review.required", "false");
    let first = repo.task("kai", "First", &[]);
    let second = repo.task("kai", "Second", &[]);
    repo.as_agent("link", ["claim", &first]).ok();
    let submit = ["submit", &first, "--summary", "x", "--evidence", "1=y"];
    repo.as_agent("link", submit).snapshot(
        "
        --- stdout
        finished [ID1]  First
        --- stderr
        hint: reflectt next --claim --branch (now [ID2]: Second)
        ",
    );
    repo.as_agent("link", ["claim", &second]).ok();
    let block = ["block", &second, "--reason", "x", "--on", &first];
    repo.as_agent("link", block).snapshot(
        "
        exit 4
        --- stderr
        error: task `[ID1]` is done; there is nothing to wait for
          rule: status
        hint: reflectt task show [ID2]
        ",
    );
}

#[test]
fn having_nothing_to_do_is_an_answer() {
    let repo = team();
    repo.as_agent("kai", ["--json", "next", "--claim"])
        .snapshot(
            r#"
        exit 5
        --- stdout
        {"task":null,"claim":null,"reason":"there is no free task","reviews":[]}
        "#,
        );
    repo.as_agent("kai", ["next"]).snapshot(
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
fn paths_are_claimed_without_a_task() {
    let repo = team();
    repo.as_agent("kai", ["claim", "--path", "docs"]).snapshot(
        "
        exit 2
        --- stderr
        error: a claim needs a task, or paths and a reason
        hint: reflectt claim ID
        hint: reflectt claim --path PATH --message WHY
        ",
    );
    let claim = [
        "--json",
        "claim",
        "--path",
        "docs",
        "-m",
        "rename all pages",
    ];
    let made = repo.as_agent("kai", claim).ok().json()["claim"].clone();
    assert_eq!(made["task"], Value::Null);
    assert_eq!(made["why"], "rename all pages");
    let id = made["id"].as_str().unwrap();
    let claims = repo.as_agent("link", ["--json", "claims"]).ok().json();
    assert_eq!(keys(&claims), ["claims", "epoch"]);
    assert_eq!(claims["claims"], serde_json::json!([made]));
    repo.as_agent("kai", ["release", id]).ok();
    repo.as_agent("link", ["claims"]).snapshot(
        "
        --- stderr
        nobody holds anything
        hint: reflectt next --claim --branch
        ",
    );
}

#[test]
fn a_name_in_brackets_is_told_from_a_glob() {
    let repo = team();
    repo.write("app/[id]/page.tsx", "x");
    let new = |path| {
        [
            "task",
            "new",
            "A page",
            "--criterion",
            "it is there",
            "--path",
            path,
        ]
    };
    repo.as_agent("kai", new("app/[id]/page.tsx")).snapshot(
        r"
        --- stdout
        [ID1]  A page
        --- stderr
        warning: `app/[id]/page.tsx` is a glob and does not cover the file of that name
        hint: --path 'app/\[id]/page.tsx' (names that file)
        hint: reflectt claim [ID1]
        ",
    );
    repo.as_agent("kai", new(r"app/\[id]/page.tsx")).snapshot(
        "
        --- stdout
        [ID2]  A page
        --- stderr
        hint: reflectt claim [ID2]
        ",
    );
}

#[test]
fn what_makes_no_sense_is_said() {
    let repo = team();
    let id = repo.task("kai", "Keep the return path", &[]);
    for (args, words) in [
        (
            &["task", "new", "x", "--priority", "high"][..],
            "`high` is not a priority; one of P0, P1, P2, P3",
        ),
        (&["task", "new", " "], "the title is empty"),
        (
            &["task", "new", "x", "--assignee", "Bob"],
            "the capital `B` is not allowed",
        ),
        (
            &["task", "new", "x", "--path", "../x"],
            "`../x` leaves the repository",
        ),
        (&["task", "show", "!"], "give two to 6 characters of the id"),
        (&["task", "edit", &id], "it is not said what to change"),
        (
            &["task", "edit", &id, "--drop-criterion", "0"],
            "`0` is not the number of a criterion",
        ),
        (
            &["submit", &id, "--summary", "x", "--evidence", "works"],
            "the number of the criterion is missing",
        ),
        (
            &["review", &id, "--approve", "--request-changes", "x"],
            "cannot be used with",
        ),
    ] {
        let output = repo.as_agent("kai", args).code(2);
        assert!(output.stderr.contains(words), "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
    let new = ["task", "new", "x", "--body", "-"];
    let body = |input: Vec<u8>| repo.command(new).agent("kai").stdin(input).run();
    body(b"caf\xe9".to_vec()).snapshot(
        "
        exit 2
        --- stderr
        error: standard input is not UTF-8: see byte 3
        ",
    );
    body(vec![b'x'; 64 * 1024 + 1]).snapshot(
        "
        exit 2
        --- stderr
        error: the body has 65537 bytes; 65536 is the most
        ",
    );
    body(vec![b'x'; 64 * 1024]).ok();
}

#[test]
fn the_fields_of_a_task_are_a_promise() {
    let repo = team();
    let id = repo.task("kai", "Keep the return path", &["--body", "See the RFC."]);
    let list = repo.as_agent("kai", ["--json", "task", "list"]).ok().json();
    let listed = &list["tasks"][0];
    let common = [
        "assignee",
        "block",
        "blocked_by",
        "branch",
        "changes",
        "closed",
        "created",
        "created_by",
        "done_criteria",
        "fence",
        "handoff",
        "id",
        "lane",
        "paths",
        "priority",
        "reason",
        "resources",
        "reviewer",
        "status",
        "submission",
        "tags",
        "title",
        "updated",
    ];
    for key in common {
        assert!(keys(listed).contains(&key), "{key}: {listed}");
    }
    assert_eq!(listed.get("body"), None);
    let shown = repo
        .as_agent("kai", ["--json", "task", "show", &id])
        .ok()
        .json();
    assert_eq!(shown["body"], "See the RFC.");
    let event = &shown["events"][0];
    for key in ["id", "at", "by", "kind", "void", "title", "done_criteria"] {
        assert!(keys(event).contains(&key), "{key}: {event}");
    }
    let comment = ["--json", "task", "comment", &id, "hm"];
    let commented = repo.as_agent("link", comment).ok().json();
    assert_eq!(commented["id"], id.as_str());
}
