//! The runner with real processes.

use std::time::Instant;

use super::*;

/// A shell in place of git: what is tested is the running.
fn shell(script: &str) -> GitCommand {
    Git::new().program("sh").command(["-c", script])
}

#[test]
fn returns_the_output_and_the_exit_code() {
    let output = shell("cat; echo oops >&2; exit 3")
        .stdin("in")
        .run()
        .unwrap();
    assert_eq!(output.code, Some(3));
    assert_eq!(output.stdout, b"in");
    assert_eq!(output.stderr, "oops");
    let error = shell("echo why >&2; exit 3").checked().unwrap_err();
    assert!(
        error.to_string().ends_with("with exit code 3: why"),
        "{error}"
    );
}

#[test]
fn much_input_and_output_at_once_does_not_deadlock() {
    let input = vec![b'x'; 3_000_000];
    let output = shell("tee /dev/stderr").stdin(input.clone()).run().unwrap();
    assert_eq!(output.stdout, input);
    assert_eq!(output.stderr.len(), input.len());
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let output = shell("exec <&-; echo done").stdin(vec![0; 1_000_000]);
    assert_eq!(output.checked().unwrap(), b"done\n");
}

#[test]
fn without_input_standard_input_is_empty() {
    assert_eq!(shell("cat; echo end").checked().unwrap(), b"end\n");
}

#[test]
fn the_time_limit_ends_the_children_of_children() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    // The grandchild does not listen to SIGTERM.
    let script = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 0.1; done' & wait",
        file.display()
    );
    let begun = Instant::now();
    let limit = Duration::from_millis(700);
    let error = shell(&script).time_limit(limit).run().unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let pid: u32 = std::fs::read_to_string(file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "{pid} lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Killed and not yet reaped by its new parent counts as dead.
    !stat.is_empty() && !stat.contains(") Z ")
}

/// A `git receive-pack` on the same disk would leave its locks otherwise.
#[test]
fn whoever_tidies_up_when_asked_to_end_is_given_the_time() {
    let dir = tempfile::tempdir().unwrap();
    let lock = dir.path().join("lock");
    let script = format!(
        "sh -c 'touch {0}; trap \"sleep 0.3; rm {0}; exit\" TERM; while :; do sleep 0.01; done' & wait",
        lock.display()
    );
    let limit = Duration::from_millis(500);
    let error = shell(&script).time_limit(limit).run().unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
    assert!(!lock.exists());
}

#[test]
fn what_is_cancelled_ends_at_once_with_its_children_and_nothing_begins_after_it() {
    let git = Git::new().program("sh");
    let cancel = git.cancel();
    let command = git.command(["-c", "sleep 60 & wait"]).cancellable();
    let (begun, waiting) = (Instant::now(), std::thread::spawn(move || command.run()));
    cancel.cancel();
    let error = waiting.join().unwrap().unwrap_err();
    assert!(matches!(error, GitError::Cancelled { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let late = git.command(["-c", "echo late"]);
    let error = late.cancellable().run().unwrap_err();
    assert!(matches!(error, GitError::Cancelled { .. }), "{error}");
    // What moves refs is not cancellable, and runs to its end.
    let refs = git.command(["-c", "echo refs"]);
    assert_eq!(refs.checked().unwrap(), b"refs\n");
}

#[test]
fn a_process_left_in_the_background_is_not_waited_for() {
    let begun = Instant::now();
    let output = shell("echo out; sleep 30 & echo $!").checked().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    let text = String::from_utf8(output).unwrap();
    let pid = text.lines().nth(1).unwrap().parse().unwrap();
    assert_eq!(text.lines().next(), Some("out"));
    let sleeper = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(sleeper, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_missing_git_is_told_from_a_missing_directory() {
    let missing = Git::new().program("no-such-git");
    assert!(matches!(
        missing.command(["x"]).run(),
        Err(GitError::Missing)
    ));
    let command = Git::new().command(["version"]);
    let error = command.current_dir(Path::new("/no/such/dir")).run();
    assert!(matches!(error, Err(GitError::Run { .. })), "{error:?}");
}

#[test]
fn removes_every_variable_that_git_calls_local() {
    let listed = Git::new().command(["rev-parse", "--local-env-vars"]);
    let listed = String::from_utf8(listed.checked().unwrap()).unwrap();
    for name in listed.lines() {
        assert!(LOCAL_VARIABLES.contains(&name), "{name}");
    }
}

#[test]
fn credentials_do_not_reach_messages() {
    assert_eq!(
        mask_credentials("git push https://kai:s3cret@host/x 'http://t@h' ssh://h/a@b"),
        "git push https://***@host/x 'http://***@h' ssh://h/a@b"
    );
    let error = shell("echo 'fatal: https://u:p@h/' >&2; exit 1").checked();
    let text = error.unwrap_err().to_string();
    assert!(!text.contains("u:p"), "{text}");
}
