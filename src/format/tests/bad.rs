//! Input that is refused, and what is said about it.

use crate::format::tests::read_as_all;
use crate::format::*;

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn task(bytes: impl AsRef<[u8]>) -> String {
    parse_task(bytes.as_ref()).unwrap_err().to_string()
}

/// A task whose only event has these lines after its kind.
fn event(kind: &str, fields: &str) -> String {
    task(format!(
        "format = 1\nid = \"k3f9x2\"\ntitle = \"x\"\n\n[[event]]\nid = \"{ID}\"\nby = \"kai\"\nkind = \"{kind}\"\n{fields}\n"
    ))
}

#[test]
fn files_that_are_no_text() {
    assert_eq!(task(b"title = \"x\"\n\xff\xfe"), "line 2 is not UTF-8 text");
    assert_eq!(
        task(b"title = \"x\"\n\0\x01\x02"),
        "line 2: invalid unquoted key, expected letters, numbers, `-`, `_`"
    );
    assert_eq!(
        task("x".repeat(2 * 1024 * 1024)),
        "the file has 2097152 bytes; 1048576 is the most"
    );
    assert_eq!(
        task(vec![0xff; 2 * 1024 * 1024]),
        "the file has 2097152 bytes; 1048576 is the most"
    );
}

#[test]
fn files_that_are_no_toml() {
    for (text, message) in [
        ("title = \"x", "line 1: invalid basic string, expected `\"`"),
        (
            "title = \"x\ny\"\n",
            "line 1: invalid basic string, expected `\"`",
        ),
        (
            "title = \"x\"\n[[eve",
            "line 2: unclosed array table, expected `]]`",
        ),
        (
            "title = \"x\"\ntags = [1, 2\n",
            "line 2: unclosed array, expected `]`",
        ),
        ("title = \"x\"\n\ntitle = \"y\"\n", "line 3: duplicate key"),
        ("title = \"x\"\n[title]\n", "line 2: duplicate key"),
        (
            "title = \"x\"\nbody = \"\"\"\none\ntwo",
            "line 4: invalid multi-line basic string, expected `\"`",
        ),
        (
            "title = \"x\"\n<<<<<<< ours\nlane = \"docs\"\n=======\n",
            "line 2: invalid unquoted key, expected letters, numbers, `-`, `_`",
        ),
    ] {
        assert_eq!(task(text), message, "{text}");
    }
}

#[test]
fn formats() {
    assert_eq!(
        task("format = 2\n"),
        "format 2 is newer than this version of reflectt, which reads up to 1"
    );
    assert_eq!(
        task("format = \"1\"\n"),
        "line 1: `format`: expected a whole number, found a string"
    );
    assert_eq!(
        task("format = 0\n"),
        "line 1: `format`: not a number of a format"
    );
    for error in read_as_all(b"format = 9\n") {
        assert!(matches!(error, Some(FormatError::Future { format: 9, .. })));
    }
}

#[test]
fn states() {
    assert_eq!(task(""), "`title` is missing");
    assert_eq!(task("title = \" \""), "line 1: `title`: the title is empty");
    assert_eq!(
        task(format!("title = \"{}\"", "x".repeat(201))),
        "line 1: `title`: the title has 201 characters; 200 is the most"
    );
    assert_eq!(
        task("title = \"x\"\nstatus = \"in progress\""),
        "line 2: `status`: `in progress` is not a status; one of todo, doing, blocked, validating, done, cancelled"
    );
    assert_eq!(
        task("title = \"x\"\npriority = \"P9\""),
        "line 2: `priority`: `P9` is not a priority; one of P0, P1, P2, P3"
    );
    assert_eq!(
        task("title = 7"),
        "line 1: `title`: expected a string, found a whole number"
    );
    assert_eq!(
        task("title = \"x\"\ntags = \"bug\""),
        "line 2: `tags`: expected a list, found a string"
    );
    assert_eq!(
        task("title = \"x\"\ntags = [1.5]"),
        "line 2: `tags`: expected a string, found a number with a fraction"
    );
    assert_eq!(
        task("title = \"x\"\npaths = [\"../x\"]"),
        "line 2: `paths`: `../x` leaves the repository"
    );
    assert_eq!(
        task("title = \"x\"\nstatus = \"a\\nb\""),
        "line 2: `status`: `a\\nb` is not a status; one of todo, doing, blocked, validating, done, cancelled"
    );
    assert_eq!(
        task(format!("title = \"x\"\nbody = \"{}\"", "x".repeat(65_537))),
        "line 2: `body`: 65537 bytes are too long; 65536 is the most"
    );
    assert_eq!(
        task(format!(
            "title = \"x\"\ndone_criteria = [\"{}\"]",
            "x".repeat(4097)
        )),
        "line 2: `done_criteria`: 4097 bytes are too long; 4096 is the most"
    );
    assert_eq!(
        task(format!("title = \"x\"\nlater{} = 1", ".x".repeat(60))),
        "line 2: `later`: nested deeper than 32 levels"
    );
    assert_eq!(
        task(format!("title = \"x\"\n\"a\\nb\"{} = 1", ".x".repeat(60))),
        "line 2: `a\\nb`: nested deeper than 32 levels"
    );
}

#[test]
fn events() {
    assert_eq!(
        event("claimed", "agent = \"kai\""),
        format!("line 5: `fence` of event `{ID}` is missing")
    );
    assert_eq!(
        event("claimed", "agent = \"Kai\"\nfence = 7"),
        format!(
            "line 9: `agent` of event `{ID}`: `Kai` is not a name: the capital `K` is not allowed; use a-z, 0-9, `-` and `_`"
        )
    );
    assert_eq!(
        event("claimed", "agent = \"kai\"\nfence = -7"),
        format!("line 10: `fence` of event `{ID}`: -7 is out of range")
    );
    assert_eq!(
        event("approved", "submission = \"x\""),
        format!(
            "line 9: `submission` of event `{ID}`: `x` is not a ULID: 26 characters of 0-9 and A-Z without I, L, O, U"
        )
    );
    assert_eq!(
        event("blocked", "reason = \"x\"\nneeds_human = \"yes\""),
        format!(
            "line 10: `needs_human` of event `{ID}`: expected `true` or `false`, found a string"
        )
    );
    assert_eq!(
        event("released", "note = \"a\\u0000b\""),
        format!("line 9: `note` of event `{ID}`: has a control character (U+0000)")
    );
    assert_eq!(
        task(format!("title = \"x\"\n[[event]]\nid = \"{ID}\"\n")),
        format!("line 2: `by` of event `{ID}` is missing")
    );
    assert_eq!(
        task("title = \"x\"\n[[event]]\nby = \"kai\"\n"),
        "line 2: `id` is missing"
    );
    assert_eq!(
        task("title = \"x\"\nevent = 1\n"),
        "line 2: `event`: expected an array of tables, found a whole number"
    );
    assert_eq!(
        task("title = \"x\"\nevent = [1]\n"),
        "line 2: `event`: expected a table, found a whole number"
    );
    assert_eq!(
        task(format!(
            "title = \"x\"\n[[event]]\nid = \"{ID}\"\nby = \"kai\"\nkind = \"unblocked\"\n"
        )),
        "`id` is missing"
    );
}

#[test]
fn other_shapes() {
    let claim = |text: &str| parse_claim(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        claim("id = \"k3f9x2\"\ntask = \"k3f9x3\""),
        "line 2: `task`: `k3f9x3` is not the claim's id, `k3f9x2`"
    );
    let claimed =
        "id = \"k3f9x2\"\nagent = \"kai\"\nclone = \"0123456789ab\"\nphase = \"working\"\n";
    assert_eq!(
        claim(&format!("{claimed}since = 2026-01-31\n")),
        "line 5: `since`: `2026-01-31` is not an instant; write it like 2026-01-31T09:30:00Z"
    );
    assert_eq!(
        claim(&format!(
            "{claimed}since = 2026-01-31T09:30:00Z\nfence = 1\nnonce = \"xyz\"\n"
        )),
        "line 7: `nonce`: `xyz` is not a hexadecimal number"
    );
    assert_eq!(
        parse_table(b"epoch = 1\nfence = 1\n[pause]\nby = \"kai\"\n")
            .unwrap_err()
            .to_string(),
        "line 3: `reason` is missing"
    );
    assert_eq!(
        parse_agent(b"name = \"all\"").unwrap_err().to_string(),
        "line 1: `name`: `all` is kept for reflectt itself; choose another name"
    );
    assert_eq!(
        parse_message(b"").unwrap_err().to_string(),
        "`id` is missing"
    );
    assert_eq!(
        parse_reflection(b"").unwrap_err().to_string(),
        "`id` is missing"
    );
    assert_eq!(
        parse_settings(b"[wip]\nagent = [1]")
            .unwrap_err()
            .to_string(),
        "line 1: `wip`: expected a string, found a whole number"
    );
}

/// Deep nesting must not exhaust the stack.
#[test]
fn nesting_without_end() {
    let n = 200_000;
    for text in [
        format!("a{} = 1\n", ".a".repeat(n)),
        format!("[a{}]\n", ".a".repeat(n)),
        format!("a = {}", "[".repeat(n)),
        format!("a = {}1", "{a=".repeat(n)),
        format!("[wip{}]\nx = 1\n", ".a".repeat(n)),
    ] {
        for error in read_as_all(text.as_bytes()) {
            assert!(error.is_some());
        }
    }
}

/// Where a file is cut off, it is either refused or has lost whole lines at its end.
#[test]
fn truncated_files() {
    let whole = include_str!("../../../tests/fixtures/format-1/task-done.toml");
    for end in 0..whole.len() {
        if let (true, Ok(parsed)) = (
            whole.is_char_boundary(end),
            parse_task(&whole.as_bytes()[..end]),
        ) {
            assert!(parsed.shown.title.is_some(), "{end}");
        }
    }
}
