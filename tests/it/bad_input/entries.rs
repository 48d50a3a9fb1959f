//! Entries of the record's tree that are no files of ours, as anybody can write them.

use super::*;
use crate::sync::Machines;

/// Submodules, links, and names that no path has.
const ENTRIES: [(&str, &[u8]); 8] = [
    ("160000", b"module"),
    ("160000", b"zzzzzz-module.toml"),
    ("120000", b"link.toml"),
    ("100644", b".git"),
    ("40000", b".GIT"),
    ("100644", b".."),
    ("100644", b"../../../x.toml"),
    ("100644", b"\xff.toml"),
];

const PLACES: [&str; 6] = [
    "",
    "agents",
    "tasks",
    "archive/2026-11",
    "inbox/link",
    "channels/general/2026-11",
];

/// Returns the tree at a path of the record with bad entries in it, or of a new one.
fn spoiled(repo: &Repo, tree: Option<&str>, more: &[(&str, &[u8], String)]) -> String {
    let mut entries: Vec<(String, Vec<u8>, String)> = Vec::new();
    if let Some(tree) = tree {
        let raw = repo
            .git_command(["cat-file", "tree", tree])
            .output()
            .unwrap();
        let mut rest = raw.stdout.as_slice();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == 0).unwrap();
            let gap = rest.iter().position(|byte| *byte == b' ').unwrap();
            let mode = String::from_utf8(rest[..gap].to_vec()).unwrap();
            let (oid, more) = rest[end + 1..].split_at(20);
            let oid = oid.iter().map(|byte| format!("{byte:02x}")).collect();
            entries.push((mode, rest[gap + 1..end].to_vec(), oid));
            rest = more;
        }
    }
    for (mode, name, oid) in more {
        entries.retain(|entry| entry.1 != *name);
        entries.push(((*mode).to_owned(), name.to_vec(), oid.clone()));
    }
    entries.sort_by_key(|(mode, name, _)| {
        let end: &[u8] = if mode == "40000" { b"/" } else { b"" };
        [name.as_slice(), end].concat()
    });
    let mut bytes = Vec::new();
    for (mode, name, oid) in entries {
        bytes.extend_from_slice(format!("{mode} ").as_bytes());
        bytes.extend_from_slice(&name);
        bytes.push(0);
        let byte = |at: usize| u8::from_str_radix(&oid[at..at + 2], 16).unwrap();
        bytes.extend((0..oid.len()).step_by(2).map(byte));
    }
    let file = repo.env().dir().join("tree");
    std::fs::write(&file, bytes).unwrap();
    let args = ["hash-object", "-t", "tree", "--literally", "-w"];
    repo.git(args.iter().copied().chain([file.to_str().unwrap()]))
}

/// Puts every bad entry into every directory of the record, in one commit by hand.
fn spoil(repo: &Repo) {
    let blob = repo.git(["rev-parse", "reflectt:config.toml"]);
    let mut root = repo.git(["rev-parse", "reflectt^{tree}"]);
    for place in PLACES {
        let mut path = place;
        let at = |path: &str| {
            let name = format!("{root}:{path}");
            let found = repo.try_git(["rev-parse", "-q", "--verify", &name]);
            (found.status == Some(0)).then(|| found.stdout.trim().to_owned())
        };
        let inside = |mode: &str| match mode {
            "40000" => repo.git(["rev-parse", "reflectt:agents"]),
            "160000" => "1234567890".repeat(4),
            _ => blob.clone(),
        };
        let bad: Vec<_> = (ENTRIES.iter())
            .map(|(mode, name)| (*mode, *name, inside(mode)))
            .collect();
        let mut tree = spoiled(repo, at(path).as_deref(), &bad);
        while !path.is_empty() {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let entry = [("40000", name.as_bytes(), tree)];
            tree = spoiled(repo, at(above).as_deref(), &entry);
            path = above;
        }
        root = tree;
    }
    let commit = repo.git(["commit-tree", "-p", "reflectt", "-m", "by hand", &root]);
    repo.git(["update-ref", "refs/heads/reflectt", &commit]);
}

#[track_caller]
fn work(repo: &Repo, agent: &str) {
    let id = repo.task(agent, "Drop the old page", &[]);
    let commands: [&[&str]; 14] = [
        &["claim", &id],
        &["task", "comment", &id, "half of it"],
        &["release", &id],
        &["cancel", &id, "--reason", "no use"],
        &["send", "link", "hello"],
        &["send", "#general", "good morning"],
        &["inbox"],
        &["channel", "general"],
        &["ack", "--all"],
        &["status"],
        &["task", "list", "--all"],
        &["who"],
        &["log"],
        &["board", "--write"],
    ];
    for args in commands {
        repo.as_agent(agent, args).ok();
    }
}

#[test]
fn entries_that_are_no_files_of_ours_stop_nobody() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    work(&repo, "link");
    spoil(&repo);
    work(&repo, "link");
    repo.reflectt(["join", "mira"]).ok();
    let found = repo.reflectt(["--json", "doctor"]).code(1).json();
    let findings = found["findings"].as_array().unwrap();
    for place in PLACES {
        for (mode, name) in ENTRIES {
            if place.is_empty() && mode != "100644" && !name.eq_ignore_ascii_case(b".git") {
                // At the root it is none of ours, and left alone.
                continue;
            }
            let path = format!("{place}/{}", String::from_utf8_lossy(name));
            let path = path.trim_start_matches('/');
            let named = findings.iter().any(|finding| finding["path"] == path);
            // A link took an agent's place, and whoever wrote first has put the agent back.
            assert_eq!(named, path != "agents/link.toml", "{path}: {found}");
        }
    }
    repo.reflectt(["doctor", "--fix"]).ok();
    repo.reflectt(["doctor"]).ok();
    let left = repo.git(["ls-tree", "-r", "-t", "reflectt"]);
    assert!(
        !left.contains("160000 commit") || left.matches("160000").count() == 2,
        "{left}"
    );
    for bad in [".git", "..", "\\377"] {
        assert!(!left.contains(bad), "{left}");
    }
    work(&repo, "link");
    for outside in ["x.toml", "../x.toml"] {
        assert!(!env.dir().join(outside).exists());
    }
}

#[test]
fn clones_go_on_beside_entries_that_are_no_files_of_ours() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let (kai, link) = (&it.clones[0], &it.clones[1]);
    work(kai, "kai");
    it.sync_all();
    // One clone has news, so that they are merged.
    kai.reflectt(["--no-sync", "send", "link", "news"]).ok();
    spoil(link);
    link.git(["push", "-q", "origin", "reflectt"]);
    // One of the links is in the place of an agent, which is said by whoever meets it first.
    let synced = kai.reflectt(["sync"]).ok();
    let said = "warning: 1 agent (`link`) was deleted by hand and is put back; ";
    assert!(synced.stderr.starts_with(said), "{synced}");
    assert_eq!(synced.stderr.lines().count(), 1, "{synced}");
    // And by the clone in which it was done.
    let synced = link.reflectt(["sync"]).ok();
    assert!(synced.stderr.starts_with(said), "{synced}");
    for clone in [kai, link] {
        let synced = clone.reflectt(["sync"]).ok();
        assert_eq!(synced.stderr, "", "{synced}");
    }
    let fresh = env.clone_of(&it.bare, "mira");
    fresh.reflectt(["join", "mira"]).ok();
    for (clone, agent) in [(kai, "kai"), (link, "link"), (&fresh, "mira")] {
        work(clone, agent);
    }
    it.agree();
    kai.reflectt(["doctor", "--fix"]).ok();
    it.agree();
    link.reflectt(["doctor"]).ok();
}

#[test]
fn a_directory_that_something_took_the_place_of_is_put_back() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    for mode in ["160000", "120000", "100644"] {
        let oid = match mode {
            "160000" => "1234567890".repeat(4),
            _ => repo.git(["rev-parse", "reflectt:config.toml"]),
        };
        let taken =
            ["tasks", "agents", "config.toml"].map(|name| (mode, name.as_bytes(), oid.clone()));
        let root = repo.git(["rev-parse", "reflectt^{tree}"]);
        let root = spoiled(&repo, Some(&root), &taken);
        let commit = repo.git(["commit-tree", "-p", "reflectt", "-m", "by hand", &root]);
        repo.git(["update-ref", "refs/heads/reflectt", &commit]);
        repo.as_agent("kai", ["send", "link", "hello"]).ok();
        repo.as_agent("kai", ["task", "comment", &id, "half of it"])
            .ok();
        repo.reflectt(["doctor"]).ok();
    }
}
