//! Random claims against random staged paths: exactly what a foreign claim matches is blocked.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;

use reflectt::model::path::{Found, PathPattern};

use super::*;

const NAMES: [&str; 7] = ["a", "b", "a b", "é", "it's", "[a]", "ab"];
const PATTERNS: [&str; 7] = ["a", "b", "*", "**", "a*", "[ab]", "?"];

fn path(rng: &mut fastrand::Rng, names: &[&str]) -> String {
    let mut name = || names[rng.usize(..names.len())];
    let parts: Vec<&str> = match name().len() % 3 {
        0 => vec![name(), name(), name()],
        1 => vec![name(), name()],
        _ => vec![name()],
    };
    parts.join("/")
}

/// Stages files at these paths, with nothing in the checkout.
fn stage(repo: &Repo, blob: &str, paths: &BTreeSet<String>) {
    repo.git(["read-tree", "HEAD"]);
    let mut command = repo.git_command(["update-index", "-z", "--index-info"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for path in paths {
        write!(stdin, "100644 {blob}\t{path}\0").unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn exactly_what_foreign_claims_match_is_blocked() {
    let repo = TestEnv::new().repo("repo");
    repo.found(&["kai", "link", "sage"]);
    prepare(&repo);
    let blob = repo.git(["hash-object", "-w", "-t", "blob", "/dev/null"]);
    let mut rng = fastrand::Rng::with_seed(20_261_120);
    let mut blocked = 0;
    for _ in 0..12 {
        let mut claims: Vec<(&str, PathPattern, String)> = Vec::new();
        for _ in 0..4 {
            let agent = ["kai", "link", "sage"][rng.usize(..3)];
            let pattern = path(&mut rng, &PATTERNS);
            let made = repo.as_agent(agent, ["--json", "claim", "--path", &pattern, "-m", "why"]);
            // It may overlap another's; then it is not made.
            if made.status == Some(0) {
                let id = made.json()["claim"]["id"].as_str().unwrap().to_owned();
                let pattern: PathPattern = pattern.parse().unwrap();
                claims.push((agent, pattern.taken_for(Found::Nothing), id));
            }
        }
        // No file can be where a directory is.
        let mut paths: BTreeSet<String> = (0..8).map(|_| path(&mut rng, &NAMES)).collect();
        let all = paths.clone();
        paths.retain(|path| {
            !all.iter()
                .any(|other| other.starts_with(&format!("{path}/")))
        });
        stage(&repo, &blob, &paths);
        let hook = repo.as_agent("kai", ["--json", "hook", "pre-commit"]);
        let found = hook.json();
        let named = found["findings"].as_array().unwrap().iter();
        let named = named.flat_map(|finding| finding["paths"].as_array().unwrap());
        let named: BTreeSet<&str> = named.map(|path| path.as_str().unwrap()).collect();
        let foreign = |path: &&String| {
            let mut others = claims.iter().filter(|(agent, _, _)| *agent != "kai");
            others.any(|(_, pattern, _)| pattern.matches(path.as_bytes()))
        };
        let expected: BTreeSet<&str> = paths.iter().filter(foreign).map(String::as_str).collect();
        assert_eq!(named, expected, "{claims:?}");
        assert_eq!(hook.status, Some(if expected.is_empty() { 0 } else { 3 }));
        blocked += expected.len();
        for (agent, _, id) in claims {
            // The same claim may have been asked for twice.
            repo.as_agent(agent, ["release", &id]);
        }
    }
    assert!(blocked > 5, "the cases show something: {blocked}");
}
