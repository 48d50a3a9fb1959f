//! Other repositories: fetching from them and pushing to them with the user's own git.
//!
//! The user's git brings their transport and credentials. No command may ask a question, write
//! outside the refs it is told to, run the user's hooks, or take longer than its limit. Pushes
//! name what they expect to replace, one ref at a time; there is no plain `--force`.

mod advance;
mod partial;

use std::path::Path;
use std::time::{Duration, Instant};

use super::progress::{ProgressReader, without_reports};
use super::update::{Obstacle, PATIENCE};
use super::{
    Advisory, GitCommand, GitError, GitOutput, Oid, RefName, RefUpdate, Repo, Transfer, Way,
};

/// Settings of the user's that would make a fetch or push do more than it is told to.
///
/// Ambiguous names: see `git::update`. Hooks: a push of the record must not run a test suite.
const SETTINGS: [&str; 8] = [
    "core.warnAmbiguousRefs=false",
    "core.hooksPath=/dev/null",
    "credential.interactive=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "fetch.recurseSubmodules=no",
    "fetch.writeCommitGraph=false",
];

/// Refs to fetch and where to put them; both sides may hold one `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSpec {
    pub from: String,
    /// Without a place, none of these is fetched, whatever other patterns match them.
    pub to: Option<String>,
}

/// What git says of a name without `*` that a remote does not have.
const NO_SUCH_REF: &str = "couldn't find remote ref";

impl FetchSpec {
    fn is_pattern(&self) -> bool {
        self.from.contains('*')
    }
}

/// What became of one ref in a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The remote's ref holds the new value.
    Moved,
    /// The remote's ref holds something else than was expected.
    Stale,
    /// Another ref of the same push was not moved, and all were to move together.
    Together,
    /// The remote does not want this ref moved by us, in its own words.
    Refused { reason: String },
}

/// Whether the refs of a push move together or each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    AllOrNone,
    Each,
}

/// How often to fetch again because another process of this clone, like a daemon, did so too, and
/// by how much longer to pause each time.
const FETCH_TRIES: u32 = 10;
const FETCH_PAUSE: Duration = Duration::from_millis(5);

/// Another repository, by the name this one has for it.
pub struct Remote<'r> {
    repo: &'r Repo,
    name: String,
    limit: Duration,
}

impl Repo {
    /// Returns the names of the remotes, in order.
    pub fn remote_names(&self) -> Vec<String> {
        self.inner
            .remote_names()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Returns the remote called `name`; each call to it is ended when it gives no sign of life for
    /// as long as `limit`.
    pub fn remote(&self, name: &str, limit: Duration) -> Remote<'_> {
        Remote {
            repo: self,
            name: name.to_owned(),
            limit,
        }
    }
}

impl Remote<'_> {
    fn command(&self, subcommand: &str) -> GitCommand {
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        let mirror = format!("remote.{}.mirror=false", self.name);
        self.repo
            .git(settings)
            .args(["-c", &mirror, subcommand])
            .env("GCM_INTERACTIVE", "never")
            .without_terminal()
            .cancellable()
            .time_limit(self.limit)
    }

    fn run(&self, command: GitCommand) -> Result<GitOutput, GitError> {
        self.answered(command.run())
    }

    /// Runs what may take long, as the first exchange of a large record over a slow line does: git
    /// says how far it is, and as long as that changes, it goes on.
    fn transfer(&self, command: GitCommand, way: Way) -> Result<GitOutput, GitError> {
        let begun = Instant::now();
        let mut reader = ProgressReader::default();
        let tell = |transfer: Transfer| {
            if let Some(watcher) = &self.repo.watcher {
                watcher(transfer);
            }
        };
        let done = command.run_watched(&mut |bytes| {
            let sign = reader.feed(bytes);
            tell(Transfer::Working {
                remote: &self.name,
                way,
                elapsed: begun.elapsed(),
                progress: reader.last(),
            });
            sign
        });
        tell(Transfer::Ended);
        let mut output = self.answered(done)?;
        output.stderr = without_reports(&output.stderr);
        Ok(output)
    }

    fn answered(&self, done: Result<GitOutput, GitError>) -> Result<GitOutput, GitError> {
        match done {
            Err(GitError::TimedOut { limit, .. }) => {
                Err(self.unreachable(format!("no answer within {} s", limit.as_secs_f32())))
            }
            other => other,
        }
    }

    fn unreachable(&self, reason: String) -> GitError {
        GitError::Unreachable {
            remote: self.name.clone(),
            reason,
        }
    }

    /// Returns the error for a process that ended before it could tell what became of the refs.
    fn failure(&self, output: GitOutput) -> GitError {
        // It may have come or gone since the configuration was read.
        let names = self.repo.reopen().map(|repo| repo.remote_names());
        if names.is_ok_and(|names| !names.contains(&self.name)) {
            return GitError::NoRemote {
                name: self.name.clone(),
            };
        }
        let reason = reason(&output.stderr);
        let dir = self.repo.common_dir();
        GitError::of_write(dir, output.into_failure().into(), |_| {
            self.unreachable(reason)
        })
    }

    fn fetching(&self) -> GitCommand {
        self.command("fetch").args([
            // With `--quiet` it would not say how much it has received.
            "--progress",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
        ])
    }

    /// Brings the refs up to date: new values, and removal of what the remote has no more. A name
    /// without `*` may be of none that there is.
    ///
    /// # Errors
    ///
    /// [`GitError::Unreachable`] if the remote does not answer, or not in time.
    pub fn fetch(&self, specs: &[FetchSpec]) -> Result<(), GitError> {
        let begun = Instant::now();
        let mut failed = 0;
        let mut specs = specs.to_vec();
        loop {
            let output = self.fetch_once(&specs)?;
            if output.code == Some(0) {
                return Ok(());
            }
            if output.stderr.contains(NO_SUCH_REF) && specs.iter().any(|it| !it.is_pattern()) {
                specs.retain(FetchSpec::is_pattern);
                continue;
            }
            let here = of_this_side(&output.stderr);
            // Our copies are in the way and not the remote: of another fetch at work here, or of
            // one that was killed.
            let cleared = match Obstacle::of(&here, self.repo) {
                Obstacle::Lock(lock) => self.wait_for_lock(&lock, begun)?,
                _ => met_another(&here),
            };
            if !cleared || failed == FETCH_TRIES {
                return Err(self.failure(output));
            }
            std::thread::sleep(FETCH_PAUSE * failed);
            failed += 1;
        }
    }

    /// Waits until a lock of this repository is gone, or removes it once it is old enough.
    fn wait_for_lock(&self, lock: &Path, begun: Instant) -> Result<bool, GitError> {
        let cancel = self.repo.runner().cancel();
        while lock.exists() {
            if let Some(removed) = self.repo.remove_stale_lock(lock, Advisory::NotHeld)? {
                self.repo.removed_locks.borrow_mut().push(removed);
                break;
            }
            if begun.elapsed() >= PATIENCE || cancel.is_cancelled() {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(true)
    }

    fn fetch_once(&self, specs: &[FetchSpec]) -> Result<GitOutput, GitError> {
        let specs = specs.iter().map(|spec| match &spec.to {
            Some(to) => format!("+{}:{to}", spec.from),
            None => format!("^{}", spec.from),
        });
        // `--atomic` with `--prune` makes git abort.
        let mut command =
            self.fetching()
                .args(["--prune", "--no-show-forced-updates", "--refmap="]);
        if self.is_promisor() {
            command = command.arg("--no-filter");
        }
        let command = command.args(["--", &self.name]).args(specs);
        self.transfer(command, Way::Fetch)
    }

    /// Returns the refs of the remote that match the patterns.
    pub fn list(&self, patterns: &[&str]) -> Result<Vec<(RefName, Oid)>, GitError> {
        let command = self
            .command("ls-remote")
            .args(["--refs", "--quiet", "--", &self.name])
            .args(patterns);
        let output = self.run(command)?;
        if output.code != Some(0) {
            return Err(self.failure(output));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let refs = text.lines().filter_map(|line| {
            let (oid, name) = line.split_once('\t')?;
            Some((RefName::new(name).ok()?, Oid::parse(oid).ok()?))
        });
        Ok(refs.collect())
    }

    /// Returns the branch that the remote's HEAD names, if there is such a branch.
    pub fn head_branch(&self) -> Result<Option<String>, GitError> {
        let command = self
            .command("ls-remote")
            .args(["--symref", "--quiet", "--", &self.name, "HEAD"]);
        let output = self.run(command)?;
        if output.code != Some(0) {
            return Err(self.failure(output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let named = text.lines().find_map(|line| {
            let (name, head) = line.strip_prefix("ref: ")?.split_once('\t')?;
            name.strip_prefix("refs/heads/").filter(|_| head == "HEAD")
        });
        Ok(named.map(str::to_owned))
    }

    /// Moves refs of the remote, each only if it holds what is expected.
    ///
    /// Returns what became of each, in the order given. Losing is an answer.
    ///
    /// # Errors
    ///
    /// [`GitError::Unreachable`] if the remote did not answer. It may have moved the refs all the
    /// same: whoever needs to know has to look.
    pub fn push(&self, pushes: &[RefUpdate], together: Together) -> Result<Vec<Pushed>, GitError> {
        Ok(self.push_and_hear(pushes, together)?.0)
    }

    /// Does the same, and returns also what the remote said to it, line by line.
    fn push_and_hear(
        &self,
        pushes: &[RefUpdate],
        together: Together,
    ) -> Result<(Vec<Pushed>, Vec<String>), GitError> {
        let mut command = self.command("push").args([
            "--porcelain",
            "--progress",
            "--no-verify",
            "--no-follow-tags",
        ]);
        if together == Together::AllOrNone && pushes.len() > 1 {
            command = command.arg("--atomic");
        }
        for push in pushes {
            let expected = push.from.map(|oid| oid.to_string());
            let expected = expected.unwrap_or_default();
            command = command.arg(format!("--force-with-lease={}:{expected}", push.name));
        }
        command = command.args(["--", &self.name]);
        for push in pushes {
            let new = push.to.map(|oid| oid.to_string()).unwrap_or_default();
            command = command.arg(format!("{new}:{}", push.name));
        }
        let output = self.transfer(command, Way::Push)?;
        let report = parse_report(&output.stdout, &output.stderr);
        let mut results = Vec::with_capacity(pushes.len());
        for push in pushes {
            match report.iter().find(|(name, _)| name == push.name.as_str()) {
                Some((_, Line::Done(result))) => results.push(result.clone()),
                // The remote took the objects and did not say what it did with them.
                Some((_, Line::Unknown(reason))) => return Err(self.unreachable(reason.clone())),
                None if output.stderr.contains("does not support --atomic") => {
                    results.push(Pushed::Refused {
                        reason: NO_ATOMIC.to_owned(),
                    });
                }
                None => return Err(self.failure(output)),
            }
        }
        Ok((results, said(&output.stderr).map(str::to_owned).collect()))
    }
}

/// Returns what the other side printed, without empty lines.
fn said(stderr: &str) -> impl Iterator<Item = &str> {
    let theirs = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"));
    theirs.map(str::trim).filter(|line| !line.is_empty())
}

/// What a remote says that cannot move several refs together.
pub(super) const NO_ATOMIC: &str = "the remote cannot move several refs together";

/// One line of a push report.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Done(Pushed),
    Unknown(String),
}

/// Reads what `git push --porcelain` prints: `<flag>\t<from>:<to>\t<summary> (<reason>)`.
fn parse_report(stdout: &[u8], stderr: &str) -> Vec<(String, Line)> {
    let text = String::from_utf8_lossy(stdout);
    text.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, '\t');
            let (flag, refs, summary) = (parts.next()?, parts.next()?, parts.next()?);
            let (_, name) = refs.rsplit_once(':')?;
            let line = match flag {
                " " | "+" | "-" | "*" | "=" => Line::Done(Pushed::Moved),
                "!" => refusal(name, summary, stderr),
                _ => return None,
            };
            Some((name.to_owned(), line))
        })
        .collect()
}

fn refusal(name: &str, summary: &str, stderr: &str) -> Line {
    let reason = summary
        .split_once('(')
        .map_or(summary, |(_, reason)| reason.trim_end_matches(')'));
    if summary.contains("[remote failure]") {
        return Line::Unknown(reason.to_owned());
    }
    if let Some(other) = in_the_way(name, stderr) {
        let reason = format!("its `{other}` leaves no room for it; rename that on the remote");
        return Line::Done(Pushed::Refused { reason });
    }
    if ["atomic push fail", "atomic transaction failed"]
        .iter()
        .any(|it| reason.contains(it))
    {
        return Line::Done(Pushed::Together);
    }
    // Refused by our own git, which saw another value, or by theirs, which lost a race for the
    // ref between showing it to us and moving it.
    let stale = [
        "stale info",
        "fetch first",
        "non-fast-forward",
        "needs force",
        "remote ref updated since checkout",
        "failed to update ref",
        "cannot lock ref",
        "failed to lock",
        "incorrect old value",
        "reference already exists",
    ];
    // A hook or a rule speaks of itself; everything else at the ref itself is a race.
    if stale.iter().any(|known| reason.contains(known)) {
        return Line::Done(Pushed::Stale);
    }
    let reason = match said(stderr).next() {
        Some(said) => format!("{reason}: {said}"),
        None => reason.to_owned(),
    };
    Line::Done(Pushed::Refused { reason })
}

/// Returns the ref of the remote's that leaves no room for `name`: git keeps no `a` beside `a/b`.
fn in_the_way<'s>(name: &str, stderr: &'s str) -> Option<&'s str> {
    let told = format!("' exists; cannot create '{name}'");
    let (before, _) = stderr.split_once(&told)?;
    before.rsplit('\'').next()
}

/// Returns what our own git said, without what the other one did.
fn of_this_side(stderr: &str) -> String {
    let ours = |line: &&str| !line.starts_with("remote:");
    stderr.lines().filter(ours).collect::<Vec<_>>().join("\n")
}

/// Tells whether a fetch failed only because another one moved or locked the same refs here.
fn met_another(here: &str) -> bool {
    let known = ["cannot lock ref", "incorrect old value", "failed to lock"];
    known.iter().any(|known| here.contains(known))
}

/// Picks the line that says why, out of what git printed.
fn reason(stderr: &str) -> String {
    let lines = || {
        stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let fatal = lines().find(|line| {
        // What follows this line is advice.
        line.starts_with("fatal:") && !line.contains("Could not read from remote repository")
    });
    // Before it, git may have told what it did fetch.
    let telling = fatal.or_else(|| lines().find(|line| line.starts_with("error:")));
    let line = telling.or_else(|| lines().next());
    match line {
        Some(line) => line.trim_start_matches("fatal: ").to_owned(),
        None => "git did not say why".to_owned(),
    }
}

#[cfg(test)]
mod tests;
