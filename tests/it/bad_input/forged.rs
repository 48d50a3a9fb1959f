//! What somebody with write access puts into files by hand: ids of no time, numbers nobody counted.

use super::*;

/// The last id there is.
const LAST: &str = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ";

/// Returns where the file of a task lies by now.
fn path_of(repo: &Repo, id: &str) -> String {
    let all = repo.git(["ls-tree", "-r", "--name-only", "reflectt", "tasks"]);
    let found = all.lines().find(|path| path.contains(id));
    found.unwrap().to_owned()
}

/// Returns a file on the branch with one more event.
fn with_event(repo: &Repo, path: &str, event: &str) -> String {
    let text = repo.git(["show", &format!("reflectt:{path}")]);
    format!("{text}\n\n[[event]]\n{event}\n")
}

/// Returns the kinds of errors that `doctor` finds, with what they are about.
fn errors(repo: &Repo, args: &[&str]) -> Vec<String> {
    let found = repo.reflectt(args).json();
    let found = found["findings"].as_array().unwrap().iter();
    let errors = found.filter(|finding| finding["severity"] == "error");
    let thing = |finding: &serde_json::Value| {
        let named = ["task", "path"]
            .iter()
            .find_map(|key| finding[key].as_str());
        named.unwrap_or("-").to_owned()
    };
    errors
        .map(|finding| format!("{} {}", finding["what"].as_str().unwrap(), thing(finding)))
        .collect()
}

#[test]
fn an_id_of_no_time_stops_nobody() {
    let env = TestEnv::new();
    let repo = team(&env);
    repo.as_agent("kai", ["claim", "k3f9x2"]).ok();
    let path = path_of(&repo, "k3f9x2");
    let event = |rest: &str| format!("id = \"{LAST}\"\nby = \"eve\"\n{rest}");
    let forged = [
        (path.as_str(), event("kind = \"commented\"\ntext = \"x\"")),
        (
            "config.toml",
            event("kind = \"set\"\nkey = \"enforce.mode\"\nvalue = \"off\""),
        ),
        (
            "agents/kai.toml",
            event("kind = \"joined\"\nrole = \"nobody\""),
        ),
    ];
    let forged = forged.map(|(path, event)| (path, with_event(&repo, path, &event)));
    plant(&repo, &[(forged[0].0, forged[0].1.as_bytes())]);
    let far = [
        "far_future k3f9x2",
        "far_future agents/kai.toml",
        "far_future config.toml",
    ];
    for said in ["one", "two"] {
        repo.as_agent("kai", ["task", "comment", "k3f9x2", said])
            .ok();
    }
    let submit = [
        "submit",
        "k3f9x2",
        "--summary",
        "done",
        "--evidence",
        "1=the test",
    ];
    repo.as_agent("kai", submit).ok();
    let shown = repo
        .as_agent("kai", ["--json", "task", "show", "k3f9x2"])
        .ok()
        .json();
    assert_eq!(shown["status"], "validating");
    let events = shown["events"].as_array().unwrap().iter();
    let in_force: Vec<&str> = (events.filter(|event| event["void"].is_null()))
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "created",
        "claimed",
        "retracted",
        "commented",
        "commented",
        "submitted",
    ];
    assert_eq!(in_force, expected);

    let files: Vec<(&str, &[u8])> = (forged[1..].iter())
        .map(|(path, text)| (*path, text.as_bytes()))
        .collect();
    plant(&repo, &files);
    assert_eq!(errors(&repo, &["--json", "doctor"]), far[1..]);
    let mode = |repo: &Repo| repo.reflectt(["config", "get", "enforce.mode"]).ok().stdout;
    assert_eq!(mode(&repo), "off\n");
    repo.set("kai", "wip.agent", "2");
    assert_eq!(
        mode(&repo),
        "block\n",
        "it is taken out by whoever writes next"
    );
    assert_eq!(
        repo.reflectt(["config", "get", "wip.agent"]).ok().stdout,
        "2\n"
    );
    assert_eq!(errors(&repo, &["--json", "doctor"]), far[1..2]);
    repo.reflectt(["doctor", "--fix"]).ok();
    assert_eq!(errors(&repo, &["--json", "doctor"]), [""; 0]);
}

#[test]
fn who_is_said_to_have_left_at_no_time_comes_back() {
    let env = TestEnv::new();
    let repo = team(&env);
    let path = "agents/link.toml";
    let left = format!("id = \"{LAST}\"\nby = \"eve\"\nkind = \"left\"");
    let forged = with_event(&repo, path, &left);
    plant(&repo, &[(path, forged.as_bytes())]);
    repo.as_agent("link", ["claim", "k3f9y7"]).code(5);
    let found = errors(&repo, &["--json", "doctor"]);
    assert_eq!(found, ["far_future agents/link.toml"]);
    repo.reflectt(["doctor", "--fix"]).ok();
    repo.as_agent("link", ["claim", "k3f9y7"]).ok();
}

#[test]
fn a_fence_that_was_never_given_out_spoils_no_other_task() {
    let env = TestEnv::new();
    let repo = team(&env);
    repo.as_agent("kai", ["claim", "k3f9x2"]).ok();
    let claimed = |path: &str, fence: u64| {
        let event = format!(
            "id = \"01KAXK5V0QWERTY99999999999\"\nby = \"sage\"\nkind = \"claimed\"\nagent = \"sage\"\nfence = {fence}"
        );
        with_event(&repo, path, &event)
    };
    for (fence, kind) in [
        (1 << 40, "forged_fence a7d20c"),
        (u64::MAX, "damaged_file tasks/a7d20c-"),
    ] {
        let path = path_of(&repo, "a7d20c");
        plant(&repo, &[(path.as_str(), claimed(&path, fence).as_bytes())]);
        let found = errors(&repo, &["--json", "doctor"]);
        assert!(found.len() == 1 && found[0].starts_with(kind), "{found:?}");
        let taken = repo
            .as_agent("link", ["--json", "claim", "k3f9y7"])
            .ok()
            .json();
        assert!(taken["claim"]["fence"].as_u64().unwrap() < 9, "{taken}");
        repo.as_agent("link", ["release", "k3f9y7"]).ok();
        repo.reflectt(["doctor", "--fix"]).ok();
        repo.as_agent("sage", ["claim", "a7d20c"]).ok();
        let shown = repo
            .reflectt(["--json", "task", "show", "a7d20c"])
            .ok()
            .json();
        assert_eq!(
            (&shown["status"], &shown["assignee"]),
            (&"doing".into(), &"sage".into())
        );
        repo.as_agent("sage", ["release", "a7d20c"]).ok();
    }
}

#[test]
fn a_table_with_numbers_of_somebodys_own_choice() {
    let env = TestEnv::new();
    let repo = team(&env);
    repo.as_agent("kai", ["claim", "k3f9x2", "--path", "src/a"])
        .ok();
    repo.as_agent("link", ["claim", "k3f9y7", "--path", "docs"])
        .ok();
    let table = "refs/reflectt/claims";
    let read = |path: &str| repo.git(["show", &format!("{table}:{path}")]);
    let claim = read("k3f9y7.toml").replace("fence = 2", "fence = 1");
    let claim = claim.replace("\"docs\"", "\"src/a/b\"");
    let rest = read("table.toml").replace("fence = 2", "fence = 9007199254740991");
    let files = [
        ("k3f9y7.toml", claim.as_bytes()),
        ("table.toml", rest.as_bytes()),
    ];
    plant_on(&repo, table, &files);
    // Nothing that would not be recorded exits 0.
    repo.as_agent("sage", ["claim", "a7d20c"]).code(1);
    let found = errors(&repo, &["--json", "doctor"]);
    assert!(
        found.iter().any(|found| found.starts_with("claims_table ")),
        "{found:?}"
    );
    repo.reflectt(["doctor", "--fix"]).code(1);
    let taken = repo
        .as_agent("sage", ["--json", "claim", "a7d20c"])
        .ok()
        .json();
    assert_eq!(taken["claim"]["fence"], 5);
    assert_eq!(
        errors(&repo, &["--json", "doctor"]),
        ["claims_overlap k3f9y7"]
    );
    repo.reflectt(["release", "k3f9y7", "--as", "link"]).ok();
    assert_eq!(errors(&repo, &["--json", "doctor"]), [""; 0]);
}
