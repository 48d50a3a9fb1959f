//! Arguments and standard input that make no sense.

use super::*;

#[test]
fn ids() {
    let env = TestEnv::new();
    let repo = team(&env);
    refused(
        &repo,
        "kai",
        &[
            case(
                ["task", "show", "k3f9"],
                "
            exit 2
            --- stderr
            error: `k3f9` is the beginning of 2 ids
            hint: [ID1]  Keep the return path
            hint: [ID2]  Keep the query too
            ",
            ),
            case(
                ["claim", "k3"],
                "
            exit 2
            --- stderr
            error: `k3` is the beginning of 2 ids
            hint: [ID1]  Keep the return path
            hint: [ID2]  Keep the query too
            ",
            ),
            case(
                ["claim", "zzzzzz"],
                "
            exit 5
            --- stderr
            error: there is no task `zzzzzz`
            hint: reflectt task list
            ",
            ),
            case(
                ["claim", "k3f9x9"],
                "
            exit 5
            --- stderr
            error: there is no task `k3f9x9`
            hint: did you mean one of `[ID1]`, `[ID2]`?
            hint: reflectt task list
            ",
            ),
            case(
                ["task", "show", "k"],
                "
            exit 2
            --- stderr
            error: `k` is not an id prefix: give two to 6 characters of the id
            ",
            ),
            case(
                ["task", "show", ""],
                "
            exit 2
            --- stderr
            error: `` is not an id prefix: give two to 6 characters of the id
            ",
            ),
            case(
                ["task", "show", "k3f9x2z"],
                "
            exit 2
            --- stderr
            error: `k3f9x2z` is not an id prefix: give two to 6 characters of the id
            ",
            ),
            case(
                ["task", "show", "../../x"],
                "
            exit 2
            --- stderr
            error: `../../x` is not an id prefix: give two to 6 characters of the id
            ",
            ),
            case(
                ["claim", "k3f9u2"],
                "
            exit 2
            --- stderr
            error: `k3f9u2` is not an id prefix: give two to 6 characters of the id
            ",
            ),
            case(
                ["release", "zzzz"],
                "
            exit 5
            --- stderr
            error: there is no task `zzzz`
            hint: reflectt task list
            ",
            ),
            case(
                ["ack", "01KAXK5V0QWERTY1234567ZZZZ"],
                "
            exit 5
            --- stderr
            error: there is no unread message `[ULID]`
            hint: reflectt inbox
            ",
            ),
            case(
                ["ack", "?"],
                "
            exit 2
            --- stderr
            error: `?` is not a message id: give all 26 characters, or at least the last 4
            ",
            ),
            case(
                ["send", "link", "hi", "--reply-to", "zz"],
                "
            exit 2
            --- stderr
            error: --reply-to: `zz` is not a ULID: 26 characters of 0-9 and A-Z without I, L, O, U
            ",
            ),
            case(
                ["task", "new", "A title", "--after", "k3f9"],
                "
            exit 2
            --- stderr
            error: `k3f9` is the beginning of 2 ids
            hint: [ID1]  Keep the return path
            hint: [ID2]  Keep the query too
            ",
            ),
        ],
    );
}

#[test]
fn people_channels_and_lanes() {
    let env = TestEnv::new();
    let repo = team(&env);
    let new = |flag: &'static str, value: &'static str| ["task", "new", "A title", flag, value];
    refused(
        &repo,
        "kai",
        &[
            case(["send", "lnik", "hi"], "
            exit 5
            --- stderr
            error: there is no agent `lnik`
            hint: did you mean `link`?
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            "),
            case(["send", "nobody-like-this", "hi"], "
            exit 5
            --- stderr
            error: there is no agent `nobody-like-this`
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            "),
            case(["send", "#deploy", "hi"], "
            exit 5
            --- stderr
            error: there is no channel `deploy`
            hint: did you mean `deploys`?
            hint: reflectt config set channels.NAME PURPOSE (makes a channel)
            "),
            case(["channel", "genral"], "
            exit 5
            --- stderr
            error: there is no channel `genral`
            hint: did you mean `general`?
            hint: reflectt config set channels.NAME PURPOSE (makes a channel)
            "),
            case(new("--assignee", "lin"), "
            exit 5
            --- stderr
            error: there is no agent `lin`
            hint: did you mean `link`?
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            "),
            case(new("--reviewer", "sgae"), "
            exit 5
            --- stderr
            error: there is no agent `sgae`
            hint: did you mean `sage`?
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            "),
            case(new("--lane", "backnd"), "
            exit 5
            --- stderr
            error: there is no lane `backnd`
            hint: did you mean `backend`?
            hint: reflectt config set lanes.NAME PURPOSE (makes a lane)
            "),
            case(["task", "edit", "k3f9x2", "--reviewer", "saeg"], "
            exit 5
            --- stderr
            error: there is no agent `saeg`
            hint: did you mean `sage`?
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            "),
            case(
                ["handoff", "k3f9x2", "--to", "linkk", "--note", "yours"],
                "
            exit 5
            --- stderr
            error: there is no agent `linkk`
            hint: did you mean `link`?
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            ",
            ),
            case(["claim", "k3f9x2", "--resource", "gpu"], "
            exit 4
            --- stderr
            error: there is no resource `gpu`; give it a capacity with `reflectt config set resources.gpu N`
              rule: resource
            hint: reflectt claims (shows who uses what)
            "),
            case(["config", "set", "wip.agnet", "2"], "
            exit 2
            --- stderr
            error: there is no setting `wip.agnet`
            hint: did you mean one of `wip.agent`, `wip.team`?
            hint: reflectt config list
            "),
            case(["config", "set", "wip.agent", "many"], "
            exit 2
            --- stderr
            error: `wip.agent` cannot be `many`: it takes a whole number, 1 or more
            "),
            case(["--as", "kia", "claim", "k3f9x2"], "
            exit 5
            --- stderr
            error: there is no agent `kia`
            hint: did you mean `kai`?
            hint: reflectt who
            hint: reflectt join NAME (puts NAME on the team)
            "),
            case(["task", "list", "--status", "dogin"], "
            exit 2
            --- stderr
            error: --status: `dogin` is not a status; one of todo, doing, blocked, validating, done, cancelled
            "),
        ],
    );
}

#[test]
fn names() {
    let env = TestEnv::new();
    let repo = team(&env);
    let long = "x".repeat(300);
    let names: Vec<(&str, &str)> = vec![
        (
            "a/b",
            "
            exit 2
            --- stderr
            error: `a/b` is not a name: `/` is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "../up",
            "
            exit 2
            --- stderr
            error: `../up` is not a name: `.` is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "a.b",
            "
            exit 2
            --- stderr
            error: `a.b` is not a name: `.` is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            ".",
            "
            exit 2
            --- stderr
            error: `.` is not a name: `.` is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "-kai",
            "
            exit 2
            --- stderr
            error: `-kai` is not a name: it must start with a letter or a digit
            ",
        ),
        (
            "Kai",
            "
            exit 2
            --- stderr
            error: `Kai` is not a name: the capital `K` is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "kaі",
            "
            exit 2
            --- stderr
            error: `kaі` is not a name: U+0456 is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "ｋai",
            "
            exit 2
            --- stderr
            error: `ｋai` is not a name: U+FF4B is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "kai\u{1b}[31m",
            r#"
            exit 2
            --- stderr
            error: `kai\u{1b}[31m` is not a name: U+001B is not allowed; use a-z, 0-9, `-` and `_`
            "#,
        ),
        (
            "kai\nlink",
            r#"
            exit 2
            --- stderr
            error: `kai\nlink` is not a name: U+000A is not allowed; use a-z, 0-9, `-` and `_`
            "#,
        ),
        (
            "kai\u{202e}",
            r#"
            exit 2
            --- stderr
            error: `kai\u{202e}` is not a name: U+202E is not allowed; use a-z, 0-9, `-` and `_`
            "#,
        ),
        (
            "kai ",
            "
            exit 2
            --- stderr
            error: `kai ` is not a name: a space is not allowed; use a-z, 0-9, `-` and `_`
            ",
        ),
        (
            "",
            "
            exit 2
            --- stderr
            error: a name is missing
            ",
        ),
        (
            &long,
            "
            exit 2
            --- stderr
            error: a name of 300 characters is too long; 40 is the most
            ",
        ),
        (
            "all",
            "
            exit 2
            --- stderr
            error: `all` is kept for reflectt itself; choose another name
            ",
        ),
        (
            "read",
            "
            exit 2
            --- stderr
            error: `read` is kept for reflectt itself; choose another name
            ",
        ),
        (
            "reflectt",
            "
            exit 2
            --- stderr
            error: `reflectt` is kept for reflectt itself; choose another name
            ",
        ),
    ];
    let cases: Vec<Case> = names
        .iter()
        .map(|(name, expected)| case(["join", "--", name], expected))
        .collect();
    refused(&repo, "kai", &cases);
    refused(
        &repo,
        "kai",
        &[
            case(["--as", "a/b", "status"], "
            exit 2
            --- stderr
            error: --as: `a/b` is not a name: `/` is not allowed; use a-z, 0-9, `-` and `_`
            "),
            case(["join", "new", "--lane", "Back End"], "
            exit 2
            --- stderr
            error: --lane: `Back End` is not a name: the capital `B` is not allowed; use a-z, 0-9, `-` and `_`
            "),
            case(["send", "#a/b", "hi"], "
            exit 2
            --- stderr
            error: `a/b` is not a name: `/` is not allowed; use a-z, 0-9, `-` and `_`
            "),
            case(["task", "new", "A title", "--tag", "a,b"], "
            exit 2
            --- stderr
            error: --tag: `a,b` is not a name: `,` is not allowed; use a-z, 0-9, `-` and `_`
            hint: --tag a --tag b (one by one, where it may be repeated)
            "),
            case(["config", "set", "resources.A/B", "2"], "
            exit 2
            --- stderr
            error: `resources.A/B` cannot be `2`: it takes a name of a-z, 0-9, `-` and `_` after the dot
            "),
        ],
    );
    refused(&repo, "../kai", &[case(["status"], "
            exit 2
            --- stderr
            error: the variable `REFLECTT_AGENT` does not name an agent: `../kai` is not a name: `.` is not allowed; use a-z, 0-9, `-` and `_`
            ")]);
}

#[test]
fn texts() {
    let env = TestEnv::new();
    let repo = team(&env);
    let long = "x".repeat(300);
    let huge = "x".repeat(64 * 1024 + 1);
    let body = ["task", "new", "A title", "--body", "-"];
    refused(
        &repo,
        "kai",
        &[
            case(
                ["task", "new", ""],
                "
            exit 2
            --- stderr
            error: the title is empty
            ",
            ),
            case(
                ["task", "new", "  \t "],
                "
            exit 2
            --- stderr
            error: the title is empty
            ",
            ),
            case(
                ["task", "new", &long],
                "
            exit 2
            --- stderr
            error: the title has 300 characters; 200 is the most
            ",
            ),
            case(
                ["task", "new", "two\nlines"],
                "
            exit 2
            --- stderr
            error: the title has a control character (U+000A)
            ",
            ),
            case(
                ["task", "new", "A title", "--body", &huge],
                "
            exit 2
            --- stderr
            error: the body has 65537 bytes; 65536 is the most
            ",
            ),
            case(
                body,
                "
            exit 2
            --- stderr
            error: the body has 65537 bytes; 65536 is the most
            ",
            )
            .fed(huge.as_bytes()),
            case(
                body,
                "
            exit 2
            --- stderr
            error: standard input is not UTF-8: see byte 3
            ",
            )
            .fed(b"caf\xe9 \xff"),
            case(
                ["send", "link", "-"],
                "
            exit 2
            --- stderr
            error: standard input is not UTF-8: see byte 0
            ",
            )
            .fed(b"\xc3\x28"),
            case(
                ["send", "link", ""],
                "
            exit 2
            --- stderr
            error: the message is empty
            ",
            ),
            case(
                ["send", "link", &huge],
                "
            exit 2
            --- stderr
            error: the message has 65537 bytes; 65536 is the most
            ",
            ),
            case(
                ["task", "comment", "k3f9x2", "  "],
                "
            exit 2
            --- stderr
            error: the comment is empty
            ",
            ),
            case(
                ["task", "comment", "k3f9x2", &huge],
                "
            exit 2
            --- stderr
            error: the comment has 65537 bytes; 65536 is the most
            ",
            ),
            case(
                ["release", "k3f9x2", "--note", &huge],
                "
            exit 2
            --- stderr
            error: the note has 65537 bytes; 4096 is the most
            ",
            ),
            case(
                ["task", "new", "A title", "--criterion", ""],
                "
            exit 2
            --- stderr
            error: the criterion is empty
            ",
            ),
        ],
    );
}

#[test]
fn criteria() {
    let env = TestEnv::new();
    let repo = team(&env);
    let vague = ["TBD", "works", "to do", "n/a", "?"];
    for (number, vague) in (4..).zip(vague) {
        let title = format!("Vague {number}");
        let new = ["--json", "task", "new", &title, "--criterion", vague];
        let made = repo.as_agent("kai", new).ok().json();
        let id = made["id"].as_str().unwrap();
        env.id_number(id);
        let of = |text: &str| text.replace("[ID4]", &format!("[ID{number}]"));
        let expected = of("
            exit 4
            --- stderr
            error: task `[ID4]` has no concrete acceptance criterion: one that another agent can check, in two words or more
              rule: criteria
            hint: reflectt task edit [ID4] --criterion TEXT
            ");
        refused(&repo, "kai", &[case(["claim", id], &expected)]);
        let expected = of(r#"
            exit 4
            --- stdout
            {"error":{"kind":"refused","message":"task `[ID4]` has no concrete acceptance criterion: one that another agent can check, in two words or more","hints":["reflectt task edit [ID4] --criterion TEXT"],"rule":"criteria","id":"[ID4]"}}
            "#);
        refused(&repo, "kai", &[case(["--json", "claim", id], &expected)]);
    }
}

#[test]
fn dependencies() {
    let env = TestEnv::new();
    let repo = team(&env);
    let edit = |id: &'static str, after: &'static str| ["task", "edit", id, "--after", after];
    repo.as_agent("kai", edit("k3f9x2", "k3f9y7")).ok();
    repo.as_agent("kai", edit("k3f9y7", "a7d20c")).ok();
    refused(
        &repo,
        "kai",
        &[
            case(
                edit("a7d20c", "k3f9x2"),
                "
            exit 4
            --- stderr
            error: tasks would wait for each other: [ID3] → [ID1] → [ID2] → [ID3]
              rule: cycle
            hint: reflectt task show [ID3] (says what it waits for)
            ",
            ),
            case(
                edit("a7d20c", "a7d20c"),
                "
            exit 4
            --- stderr
            error: task `[ID3]` cannot wait for itself
              rule: cycle
            hint: reflectt task show [ID3] (says what it waits for)
            ",
            ),
            case(
                edit("a7d20c", "zzzzzz"),
                "
            exit 5
            --- stderr
            error: there is no task `zzzzzz`
            hint: reflectt task list
            ",
            ),
            case(
                ["claim", "k3f9x2"],
                "
            exit 4
            --- stderr
            error: task `[ID1]` waits for `[ID2]`
              rule: dependencies
            hint: reflectt task show [ID1]
            hint: reflectt next --claim --branch
            ",
            ),
        ],
    );
    repo.as_agent("kai", ["claim", "a7d20c"]).ok();
    let on = ["block", "a7d20c", "--reason", "waits", "--on", "a7d20c"];
    refused(
        &repo,
        "kai",
        &[case(
            on,
            "
            exit 4
            --- stderr
            error: task `[ID3]` cannot wait for itself
              rule: cycle
            hint: reflectt task show [ID3] (says what it waits for)
            ",
        )],
    );
    let round = ["block", "a7d20c", "--reason", "waits", "--on", "k3f9x2"];
    refused(
        &repo,
        "kai",
        &[case(
            round,
            "
            exit 4
            --- stderr
            error: tasks would wait for each other: [ID3] → [ID1] → [ID2] → [ID3]
              rule: cycle
            hint: reflectt task show [ID3] (says what it waits for)
            ",
        )],
    );
}

#[test]
fn paths() {
    let env = TestEnv::new();
    let repo = team(&env);
    let bad: Vec<(&str, &str)> = vec![
        (
            "/etc/passwd",
            "
            exit 2
            --- stderr
            error: `/etc/passwd` is absolute: paths are relative to the repository's root
            ",
        ),
        (
            "../other",
            "
            exit 2
            --- stderr
            error: `../other` leaves the repository
            ",
        ),
        (
            "src/../../other",
            "
            exit 2
            --- stderr
            error: `src/../../other` leaves the repository
            ",
        ),
        (
            ".git/config",
            "
            exit 2
            --- stderr
            error: `.git/config` is inside `.git`, which git does not track
            ",
        ),
        (
            "src/.git/x",
            "
            exit 2
            --- stderr
            error: `src/.git/x` is inside `.git`, which git does not track
            ",
        ),
        (
            ".GIT/x",
            "
            exit 2
            --- stderr
            error: `.GIT/x` is inside `.git`, which git does not track
            ",
        ),
        (
            "src/[a-",
            r#"
            exit 2
            --- stderr
            error: `src/[a-` is malformed: `[` is not closed in its component (write `\[` for the character)
            "#,
        ),
        (
            "src/[]",
            r#"
            exit 2
            --- stderr
            error: `src/[]` is malformed: `[]` is empty (write `\]` for the character)
            "#,
        ),
        (
            "src/**x/y",
            "
            exit 2
            --- stderr
            error: `src/**x/y` is malformed: `**` must be alone between slashes
            ",
        ),
        (
            "",
            "
            exit 2
            --- stderr
            error: a path must not be empty (`.` is the whole repository)
            ",
        ),
        (
            "a\nb",
            r#"
            exit 2
            --- stderr
            error: `a\nb` contains a control character
            "#,
        ),
    ];
    let cases: Vec<Case> = bad
        .iter()
        .map(|(path, expected)| case(["claim", "k3f9x2", "--path", path], expected))
        .collect();
    refused(&repo, "kai", &cases);
    let why = ["claim", "--path", "/x", "-m", "a small repair"];
    refused(
        &repo,
        "kai",
        &[case(
            why,
            "
            exit 2
            --- stderr
            error: `/x` is absolute: paths are relative to the repository's root
            ",
        )],
    );
    let task = ["task", "new", "A title", "--path", "../x"];
    refused(
        &repo,
        "kai",
        &[case(
            task,
            "
            exit 2
            --- stderr
            error: `../x` leaves the repository
            ",
        )],
    );
    let none = ["claim", "-m", "a small repair"];
    refused(
        &repo,
        "kai",
        &[case(
            none,
            "
            exit 2
            --- stderr
            error: a claim without a task needs a path or a resource
            ",
        )],
    );
}
