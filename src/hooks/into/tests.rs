//! The shapes that users' files have.

use super::*;

/// Adds to a text twice, and returns what was added: every line that was there still is.
#[track_caller]
fn added(into: fn(&str) -> Result<String, NotUnderstood>, text: &str) -> String {
    let once = into(text).unwrap();
    assert_eq!(into(&once).unwrap(), once, "repeating it changes nothing");
    let mut rest = once.lines();
    for line in text.lines() {
        assert!(
            rest.any(|found| found == line),
            "`{line}` is gone from\n{once}"
        );
    }
    once
}

const RUN: &str = "if command -v reflectt >/dev/null; then";

#[test]
fn lefthook_gets_a_section_for_each_hook_that_it_lacks() {
    let text = "# ours\npost-merge:\n  commands:\n    install:\n      run: npm ci\n";
    let new = added(into_lefthook, text);
    assert_eq!(
        new,
        format!(
            "{text}{}",
            &LEFTHOOK[LEFTHOOK.find("\npre-commit:").unwrap() + 1..]
        )
    );
    assert_eq!(into_lefthook("").unwrap(), new[text.len()..]);
}

#[test]
fn lefthook_gets_a_command_beside_those_that_are_there() {
    let text = "\
pre-commit:
  parallel: true # fast
  commands:
      # the linter
      lint:
        run: |
          npm run lint
          commands: no key
        glob: '*.js'

commit-msg:
  # scripts alone
  scripts:
    \"check.sh\":
      runner: bash
pre-push:
output:
- summary
";
    let new = added(into_lefthook, text);
    let lines: Vec<&str> = new.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "pre-commit:",
            "  parallel: true # fast",
            "  commands:",
            "      reflectt:",
            "        run: |",
            &format!(
                "          {RUN} reflectt hook pre-commit || case $? in 3 | 4 | 7) exit 1 ;; esac; else echo \"reflectt: warning: not installed; claims are not checked\" >&2; fi"
            ),
        ]
    );
    let of = |name: &str| {
        lines
            .iter()
            .position(|line| *line == format!("{name}:"))
            .unwrap()
    };
    let message = of("commit-msg");
    assert_eq!(
        lines[message + 1..message + 4],
        ["  commands:", "    reflectt:", "      run: |"]
    );
    let push = of("pre-push");
    assert_eq!(
        lines[push + 1..push + 4],
        ["  commands:", "    reflectt:", "      run: |"]
    );
    assert_eq!(
        lines[push + 5..push + 8],
        ["      use_stdin: true", "output:", "- summary"]
    );
    assert_eq!(new.matches("pre-commit:").count(), 1);
}

#[test]
fn lefthook_gets_a_job_where_there_are_jobs() {
    for margin in ["  ", "    "] {
        let text = format!("pre-push:\n  jobs:\n{margin}- name: test\n{margin}  run: npm test\n");
        let new = added(into_lefthook, &text);
        let start = format!(
            "pre-push:\n  jobs:\n{margin}- name: reflectt\n{margin}  run: |\n{margin}    {RUN}"
        );
        assert!(new.starts_with(&start), "{new}");
        assert!(
            new.contains(&format!(
                "{margin}  use_stdin: true\n{margin}- name: test\n"
            )),
            "{new}"
        );
    }
}

#[test]
fn pre_commit_gets_a_repository_of_local_hooks() {
    let text = "\
# See https://pre-commit.com
exclude: '^vendor/'
repos:
-   repo: https://github.com/pre-commit/pre-commit-hooks
    rev: v3.2.0
    hooks:
    -   id: trailing-whitespace
";
    let new = added(into_pre_commit, text);
    let start = "\
# See https://pre-commit.com
exclude: '^vendor/'
default_install_hook_types: [pre-commit, pre-merge-commit, commit-msg, pre-push]
repos:
- repo: local
  hooks:
    - id: reflectt-pre-commit
      name: claims of others
      entry: |
        sh -c '
";
    assert!(new.starts_with(start), "{new}");
    assert!(new.ends_with("      stages: [pre-push]\n-   repo: https://github.com/pre-commit/pre-commit-hooks\n    rev: v3.2.0\n    hooks:\n    -   id: trailing-whitespace\n"), "{new}");
    assert_eq!(new.matches("id: reflectt-").count(), 4);
}

#[test]
fn pre_commit_keeps_what_it_has() {
    let empty = into_pre_commit("repos: []\n").unwrap();
    assert_eq!(empty, PRE_COMMIT[PRE_COMMIT.find("default").unwrap()..]);
    assert_eq!(into_pre_commit(&empty).unwrap(), empty);
    let flow = "default_install_hook_types: [commit-msg, 'post-checkout']\nrepos: []\n";
    assert!(into_pre_commit(flow).unwrap().starts_with(
        "default_install_hook_types: [commit-msg, 'post-checkout', pre-commit, pre-merge-commit, pre-push]\n"
    ));
    let block = "default_install_hook_types:\n  - pre-push\nrepos:\n  - repo: local\n    hooks:\n      - id: reflectt-commit-msg\n";
    let new = added(into_pre_commit, block);
    assert_eq!(new.matches("id: reflectt-").count(), 4, "{new}");
    assert!(new.starts_with("default_install_hook_types:\n  - commit-msg\n  - pre-merge-commit\n  - pre-commit\n  - pre-push\nrepos:\n"), "{new}");
}

#[test]
fn what_is_not_understood_is_left_alone() {
    for text in [
        "pre-commit: {commands: {a: {run: b}}}\n",
        "pre-commit: *shared\n",
        "pre-commit:\n  <<: *shared\n  commands: {}\n",
        "pre-commit:\n\tcommands:\n",
        "pre-commit:\n  commands:\n    - run: a\n",
        "pre-commit:\n  jobs:\n    - run: a\n   b\n",
        "{pre-commit: }\n",
        "a: b\n---\nc: d\n",
        "a: b\r\n",
        "a: b\na: c\n",
        "just words\n",
    ] {
        assert_eq!(into_lefthook(text), Err(NotUnderstood), "{text}");
    }
    for text in [
        "",
        "repos: [{repo: local}]\n",
        "repos: &all\n- repo: local\n",
        "repos:\n  a: b\n",
    ] {
        assert_eq!(into_pre_commit(text), Err(NotUnderstood), "{text}");
    }
}
