//! Commands that behave, and commands that do not.

use std::cell::RefCell;

use super::*;

fn run_for(command: &str, limit: Duration) -> ShellOutput {
    let dir = tempfile::tempdir().unwrap();
    let shell = Shell {
        command,
        dir: dir.path(),
        time_limit: limit,
        cancel: &Cancel::default(),
    };
    shell.run(&|_| {}).unwrap()
}

fn run(command: &str) -> ShellOutput {
    run_for(command, Duration::from_secs(60))
}

/// Expects that a process ends, which the init process takes notice of when it likes.
#[track_caller]
fn expect_gone(pid: &str) {
    let process = Process::of(pid.trim().parse().unwrap());
    let deadline = Instant::now() + Duration::from_secs(20);
    while process.runs() {
        assert!(Instant::now() < deadline, "{process} still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn both_outputs_come_in_their_order() {
    let output = run("echo one; echo two >&2; echo three; exit 3");
    assert_eq!(output.end, ShellEnd::Exited(3));
    assert_eq!(output.lines, ["one", "two", "three"]);
    assert_eq!(run("exit 0").end, ShellEnd::Exited(0));
    assert_eq!(run("kill -KILL $$").end, ShellEnd::Signalled(9));
    assert_eq!(run("no-such-command-here").end, ShellEnd::Exited(127));
}

#[test]
fn a_command_that_hangs_with_children_is_ended_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    // One child does not listen, one has closed its output, one waits for both.
    let command = format!(
        "sh -c 'trap \"\" TERM; echo $$ >> {0}; while :; do sleep 0.1; done' &\n\
         sh -c 'echo $$ >> {0}; exec sleep 600' > /dev/null 2>&1 &\n\
         echo $$ >> {0}; echo begun; wait",
        pids.display()
    );
    let output = run_for(&command, Duration::from_secs(1));
    assert_eq!(output.end, ShellEnd::TimedOut);
    assert_eq!(output.lines, ["begun"]);
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 3, "{pids}");
    pids.lines().for_each(expect_gone);
}

#[test]
fn what_a_command_leaves_behind_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let command = format!("sleep 600 & echo $! > {}; echo done", pid.display());
    let output = run(&command);
    assert_eq!(output.end, ShellEnd::Exited(0));
    assert_eq!(output.lines, ["done"]);
    expect_gone(&std::fs::read_to_string(pid).unwrap());
    // What still writes is heard.
    let output = run("(sleep 0.05; echo last words) & exit 1");
    assert_eq!(output.end, ShellEnd::Exited(1));
    assert_eq!(output.lines, ["last words"]);
}

#[test]
fn a_cancelled_command_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    let shell = Shell {
        command: "echo begun; exec sleep 600",
        dir: dir.path(),
        time_limit: Duration::from_secs(600),
        cancel: &cancel,
    };
    let seen: RefCell<Option<Process>> = RefCell::default();
    let output = shell
        .run(&|sign| match sign {
            ShellSign::Begun(process) => drop(seen.replace(Some(process.clone()))),
            ShellSign::Runs { line, .. } => {
                if line().as_deref() == Some("begun") {
                    cancel.cancel();
                }
            }
        })
        .unwrap();
    assert_eq!(output.end, ShellEnd::Cancelled);
    assert!(!seen.take().unwrap().runs());
}

#[test]
fn a_hundred_megabytes_fill_nothing() {
    let output = run("yes 'some line of output' | head -c 100000000; echo; echo the end; exit 1");
    assert_eq!(output.end, ShellEnd::Exited(1));
    assert_eq!(output.lines.last().unwrap(), "the end");
    assert!(output.lines.len() <= 100);
}

#[test]
fn nobody_can_be_asked() {
    let output = run("cat; if (: < /dev/tty) 2>/dev/null; then echo terminal; fi; echo none");
    assert_eq!(output.lines, ["none"]);
}

#[test]
fn the_environment_is_what_a_build_needs() {
    let all = [
        "PATH",
        "HOME",
        "LC_ALL",
        "CARGO_HOME",
        "XDG_CACHE_HOME",
        "https_proxy",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "REFLECTT_AGENT",
        "AWS_SECRET_ACCESS_KEY",
        "CI",
        "TERM",
    ];
    let all = all.map(|name| (name.into(), "x".into()));
    let kept: Vec<String> = environment(all)
        .map(|(name, value)| {
            let [name, value] = [name, value].map(|it| it.into_string().unwrap());
            format!("{name}={value}")
        })
        .collect();
    assert_eq!(
        kept,
        [
            "PATH=x",
            "HOME=x",
            "LC_ALL=x",
            "CARGO_HOME=x",
            "XDG_CACHE_HOME=x",
            "https_proxy=x",
            "CI=true",
            "TERM=dumb",
        ]
    );
    let output = run("env");
    for name in ["GIT_", "REFLECTT_", "CARGO_PKG_NAME"] {
        assert!(
            !output.lines.iter().any(|line| line.starts_with(name)),
            "{name}"
        );
    }
    assert!(output.lines.iter().any(|line| line == "CI=true"));
}

#[test]
fn a_full_disk_is_known_by_what_is_left_of_it() {
    let says = ["cc: No space left on device".to_owned()];
    let silent = ["1 test failed".to_owned()];
    assert!(was_full(Some(0), &silent));
    assert!(was_full(Some(50 * 1024 * 1024), &says));
    assert!(was_full(None, &says));
    assert!(!was_full(Some(50 * 1024 * 1024), &silent));
    assert!(
        !was_full(Some(1 << 40), &says),
        "it is a test of somebody's"
    );
    assert!(!was_full(None, &silent));
}
