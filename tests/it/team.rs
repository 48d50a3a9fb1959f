//! The team: joining, messages, presence, settings, the log, and running as an agent.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use super::support::process::BINARY;
use super::support::snapshot::mask;
use super::support::{TestEnv, poll_until};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn founding_a_team_and_joining_it() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.reflectt(["who"]).snapshot(
        "
        exit 1
        --- stderr
        error: this repository has no `reflectt` branch yet
        hint: reflectt init
        ",
    );
    repo.reflectt(["init"]).snapshot(
        "
        --- stdout
        started a team: tasks, messages and settings live on the branch `reflectt`
          in [DIR]/repo/.git
          your checkout, index and other branches are as they were
          git's hooks stop commits of files that others have claimed
        --- stderr
        hint: reflectt join NAME (puts you on the team; in every worktree with its own name)
        hint: reflectt task new TITLE --criterion TEXT (adds work)
        hint: reflectt setup (hooks, tools and instructions for coding agents)
        ",
    );
    repo.reflectt(["init"]).snapshot(
        "
        --- stdout
        nothing to do: the branch `reflectt` in [DIR]/repo/.git is a team's record already
        --- stderr
        hint: reflectt join NAME (puts you on the team; in every worktree with its own name)
        ",
    );
    repo.reflectt(["who"]).snapshot(
        "
        --- stdout
        nobody is on the team yet
        --- stderr
        hint: reflectt join NAME
        ",
    );
    let join = ["join", "kai", "--role", "backend developer", "--lane"];
    repo.reflectt(join.iter().chain(&["backend", "--wip", "2"]))
        .snapshot(
            "
            --- stdout
            joined as kai, backend developer
              lanes: backend
              tasks at a time: 2
              commands in [DIR]/repo act as kai
            --- stderr
            hint: reflectt status
            ",
        );
    let other = repo.worktree("other");
    other.reflectt(["join", "kai"]).snapshot(
        "
        --- stdout
        you are kai, backend developer
          lanes: backend
          tasks at a time: 2
          commands in [DIR]/other act as kai
        --- stderr
        warning: `[DIR]/repo` acts as `kai` too; two processes with one name take each other's work for their own: `reflectt join kai-2` here gives this one its own
        hint: reflectt status
        ",
    );
    other
        .reflectt(["join", "ann", "--human", "--json"])
        .ok()
        .snapshot(
            r#"
            --- stdout
            {"name":"ann","status":"active","last_seen":"[TIME]","tasks":[],"note":null,"kind":"human","role":null,"lanes":[],"wip":null}
            "#,
        );
    repo.reflectt(["heartbeat", "--note", "reading"]).snapshot(
        "
        --- stdout
        kai is active
        ",
    );
    assert_eq!(
        rows(&repo.reflectt(["who"]).ok().stdout),
        [
            "NAME STATUS SEEN HOLDS ROLE LANES NOTE",
            "ann active [AGO] person",
            "kai active [AGO] backend developer backend reading",
        ]
    );
}

#[test]
fn messages_are_sent_shown_and_acknowledged() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.as_agent("kai", ["send", "link", "are you there?", "--urgent"])
        .snapshot(
            "
            --- stdout
            sent [ULID] to link
            ",
        );
    repo.command(["send", "#general", "-"])
        .agent("kai")
        .stdin("hello @link\r\nsecond \x1b[31mline\n")
        .run()
        .snapshot(
            "
            --- stdout
            sent [ULID] to #general and link
            ",
        );
    repo.as_agent("kai", ["send", "#general", "nobody in particular"])
        .snapshot(
            "
            --- stdout
            sent [ULID] to #general; nobody's inbox, as nobody on the team is mentioned
            ",
        );
    let shown = repo.as_agent("link", ["inbox"]);
    shown.snapshot(
        "
        --- stdout
        [ULID] from kai, [AGO] URGENT
          are you there?

        [ULID] from kai in #general, [AGO]
          hello @link
          second ␛[31mline
        --- stderr
        hint: reflectt ack [ULID], or reflectt ack --all (marks them as read)
        ",
    );
    let again = repo.as_agent("link", ["inbox"]);
    assert_eq!(again.stdout, shown.stdout, "showing them changes nothing");

    let inbox = repo.as_agent("link", ["inbox", "--json"]).ok().json();
    let id = inbox["messages"][0]["id"].as_str().unwrap();
    repo.as_agent("link", ["ack", &id[20..]]).snapshot(
        "
        --- stdout
        1 message marked as read, 1 unread left
        ",
    );
    repo.as_agent("link", ["ack", &id[20..]]).code(5);
    repo.as_agent("link", ["ack", "--all"]).ok();
    repo.as_agent("link", ["inbox"]).snapshot(
        "
        --- stdout
        no unread messages
        --- stderr
        hint: reflectt inbox --wait 10m (waits for one)
        ",
    );
    repo.reflectt(["channel", "general", "--limit", "1"])
        .snapshot(
            "
            --- stdout
            [ULID] from kai in #general, [AGO]
              nobody in particular
            ",
        );
}

#[test]
fn messages_that_cannot_be_sent() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.as_agent("kai", ["send", "lnk", "hi"]).snapshot(
        "
        exit 5
        --- stderr
        error: there is no agent `lnk`
        hint: did you mean `link`?
        hint: reflectt who
        hint: reflectt join NAME (puts NAME on the team)
        ",
    );
    repo.as_agent("kai", ["send", "#general", "#random", "hi"])
        .snapshot(
            "
            exit 2
            --- stderr
            error: a message goes to one channel at most
            ",
        );
    repo.as_agent("kai", ["send", "link", "-"]).snapshot(
        "
        exit 2
        --- stderr
        error: the message is empty
        ",
    );
    repo.command(["send", "link", "-"])
        .agent("kai")
        .stdin(*b"caf\xe9")
        .run()
        .snapshot(
            "
            exit 2
            --- stderr
            error: standard input is not UTF-8: see byte 3
            ",
        );
    let unbound = repo.worktree("unbound");
    unbound.reflectt(["send", "link", "hi", "--json"]).snapshot(
        r#"
        exit 2
        --- stdout
        {"error":{"kind":"usage","message":"it is not known who asks","hints":["reflectt join link (if this worktree is link's too, as `[DIR]/repo`)","reflectt join NAME (makes this worktree act as NAME)","reflectt --as NAME … (for one command)"]}}
        "#,
    );
    assert_eq!(
        repo.as_agent("link", ["inbox"]).stdout,
        "no unread messages\n"
    );
}

#[test]
fn waiting_for_a_message() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let other = repo.worktree("other");
    repo.as_agent("link", ["inbox", "--wait", "10ms"]).snapshot(
        "
        exit 5
        --- stdout
        no unread messages
        --- stderr
        hint: reflectt inbox --wait 10m (waits for one)
        ",
    );
    let json = ["inbox", "--wait", "10ms", "--json"];
    let none = repo.as_agent("link", json).code(5).json();
    assert_eq!(none, serde_json::json!({ "messages": [] }));
    let waiting = other
        .command(["inbox", "--wait", "1m", "--json"])
        .agent("link")
        .spawn();
    repo.as_agent("kai", ["send", "link", "hi"]).ok();
    let found = waiting.finish().ok().json();
    assert_eq!(found["messages"][0]["body"], "hi");
}

#[test]
fn status_says_what_to_do() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link", "sage"]);
    repo.as_agent("kai", ["status"]).snapshot(
        "
        --- stdout
        You are kai.
        ACTION: Nothing to do: there is no free task. Wait with `reflectt status --wait 10m`.

        Queue: 0 to do (0 ready for you), 0 in progress, 0 blocked, 0 in review
        ",
    );
    let first = repo.task(
        "kai",
        "Keep the return path",
        &["--path", "src", "--reviewer", "sage"],
    );
    repo.task("kai", "Write it down", &[]);
    repo.as_agent("kai", ["claim", &first]).ok();
    repo.as_agent(
        "link",
        [
            "send",
            "kai",
            "how far are you?\nI wait for it",
            "--task",
            &first,
        ],
    )
    .ok();
    repo.as_agent("kai", ["claim", "--path", "docs", "-m", "spelling"])
        .ok();
    repo.as_agent("kai", ["status"]).snapshot(
        "
        --- stdout
        You are kai.
        ACTION: Go on with `[ID1]` (Keep the return path); `reflectt submit [ID1] --summary TEXT --evidence 1=TEXT` when it is done.

        Your work
          [ID1]  P2  doing  Keep the return path
            paths: src
            1: a test shows that it works
          [ID3]  docs: spelling

        Unread messages: 1
          link about [ID1], [AGO]: how far are you? …

        Queue: 1 to do (1 ready for you), 1 in progress, 0 blocked, 0 in review
        ",
    );
    repo.as_agent(
        "kai",
        [
            "submit",
            &first,
            "--summary",
            "done",
            "--evidence",
            "1=ran it",
        ],
    )
    .ok();
    repo.as_agent("sage", ["pause", "--reason", "release"]).ok();
    repo.as_agent("sage", ["status"]).snapshot(
        "
        --- stdout
        You are sage.
        ACTION: Review `[ID1]`: `reflectt review [ID1]`, then `reflectt review [ID1] --approve` or `reflectt review [ID1] --request-changes TEXT`.
        PAUSED by sage (until `reflectt resume`): release

        Waiting for your review
          [ID1]  P2  in review  Keep the return path  by kai, [AGO]

        Unread messages: 1
          kai about [ID1], [AGO]: kai asks you to review `[ID1]` (Keep the return path), [OID]: done.

        Queue: 1 to do (1 ready for you), 0 in progress, 0 blocked, 1 in review
        ",
    );
    let status = repo.as_agent("sage", ["status", "--json"]).ok().json();
    assert_eq!(status["reviews"][0]["id"], first.as_str());
    assert_eq!(status["inbox_count"], 1);
    assert_eq!(status["inbox"][0]["notice"], "review_asked");
    assert_eq!(status["paused"]["reason"], "release");
    assert_eq!(status["queue"]["validating"], 1);
}

#[test]
fn status_is_short_with_many_long_messages() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let long = "much to say ".repeat(5_400);
    for _ in 0..20 {
        repo.command(["send", "kai", "-"])
            .agent("link")
            .stdin(long.clone())
            .run()
            .ok();
    }
    let status = repo.as_agent("kai", ["status"]).ok().stdout;
    assert!(status.len() < 6_000, "{status}");
    assert!(status.contains("Unread messages: 20"), "{status}");
    assert!(status.contains("and 15 more: reflectt inbox"), "{status}");
}

#[test]
fn whoever_lost_a_claim_is_told_by_every_way_back_to_work() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.as_agent(
        "link",
        ["claim", &id, "--take-over", "--reason", "kai is away"],
    )
    .ok();
    repo.as_agent("kai", ["heartbeat"]).snapshot(
        "
        exit 7
        --- stderr
        error: `link` took over `[ID1]` (Keep the return path) from you: kai is away. Stop work on it; what you have not committed is yours to hand over by message.
        hint: reflectt inbox (says what happened)
        hint: reflectt ack --all (says that you know; needed before you claim again)
        ",
    );
    repo.as_agent("kai", ["next"]).code(7);
    let fenced = repo
        .as_agent("kai", ["claim", &id, "--json"])
        .code(7)
        .json();
    assert_eq!(fenced["error"]["kind"], "fenced");
    assert_eq!(fenced["error"]["holder"], "link");
    let status = repo.as_agent("kai", ["status"]).ok().stdout;
    assert!(status.contains("ACTION: Your claim on"), "{status}");
    repo.as_agent("kai", ["ack", "--all"]).ok();
    repo.as_agent("kai", ["heartbeat"]).ok();
    repo.as_agent("kai", ["claim", &id]).code(3);
}

#[test]
fn settings_are_read_and_changed() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let set = |words: &[&str]| repo.as_agent("kai", ["config", "set"].iter().chain(words));
    set(&["wip.agent", "2", "resources.gpu", "1"]).snapshot(
        "
        --- stdout
        wip.agent = 2
        resources.gpu = 1
        ",
    );
    set(&["wip.agent", "3", "wip.agnt", "2"]).snapshot(
        "
        exit 2
        --- stderr
        error: there is no setting `wip.agnt`
        hint: did you mean one of `wip.agent`, `wip.team`?
        hint: reflectt config list
        ",
    );
    set(&["wip.agent", "3", "wip.team"]).snapshot(
        "
        exit 2
        --- stderr
        error: there is no value for `wip.team`
        ",
    );
    repo.reflectt(["config", "get", "wip.agent"]).snapshot(
        "
        --- stdout
        2
        ",
    );
    repo.reflectt(["config", "get", "resources.cpu"]).code(5);
    repo.reflectt(["config", "list"]).snapshot(
        "
        --- stdout
        SETTING                 VALUE
        wip.agent               2
        wip.team                none              default
        heartbeat.idle_after    15m               default
        heartbeat.stale_after   45m               default
        heartbeat.expire_after  60m               default
        claims.offline          refuse            default
        sync.interval           15s               default
        sync.time_limit         30s               default
        enforce.mode            block             default
        enforce.require_claim   false             default
        review.required         true              default
        land.branch             main
        land.strategy           merge             default
        land.batch              8                 default
        land.via                push              default
        land.auto               false             default
        land.by                 anyone            default
        work.branch             task/{id}-{slug}  default
        review.remind_after     20m               default
        review.reassign_after   40m               default
        paths.shared            none              default
        team.humans                               default
        resources.gpu           1
        ",
    );
}

#[test]
fn a_pause_stops_claims() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["pause", "--reason", "release", "--for", "2h"])
        .snapshot(
            "
            --- stdout
            paused; claiming goes on in 2h
            ",
        );
    let refused = repo
        .as_agent("kai", ["claim", &id, "--json"])
        .code(4)
        .json();
    assert_eq!(refused["error"]["rule"], "paused");
    repo.as_agent("kai", ["resume"]).snapshot(
        "
        --- stdout
        resumed: everybody may claim again
        ",
    );
    repo.as_agent("kai", ["resume"]).snapshot(
        "
        --- stdout
        the team was not paused
        ",
    );
    repo.as_agent("kai", ["claim", &id]).ok();
}

#[test]
fn the_log_tells_what_happened() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let id = repo.task("kai", "Keep the return path", &[]);
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.as_agent("kai", ["send", "link", "hello\nthere"]).ok();
    let reflect = ["reflect", "--worked", "the plan", "--pain", "a slow build"];
    let change = ["--change", "cache it", "--task", &id, "--tag", "build"];
    repo.as_agent("kai", reflect.iter().chain(&change))
        .snapshot(
            "
        --- stdout
        noted reflection [ULID] on task [ID1]
        ",
        );
    repo.set("kai", "wip.agent", "2");
    let created = format!("[AGO] kai {id} created it (Keep the return path)");
    let claimed = format!("[AGO] kai {id} claimed it, fence 1 (Keep the return path)");
    assert_eq!(
        rows(&repo.reflectt(["log", "--limit", "5"]).ok().stdout),
        [
            created.as_str(),
            claimed.as_str(),
            "[AGO] kai to link: hello …",
            "[AGO] kai reflected: cache it",
            "[AGO] kai set wip.agent to 2",
        ]
    );
    let events = repo.reflectt(["log", "--json"]).ok().json_lines();
    let kinds: Vec<&str> = events.iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "set",
            "joined",
            "joined",
            "created",
            "claimed",
            "message",
            "reflection",
            "set"
        ]
    );
    assert_eq!(events[4]["task"], id.as_str());
    assert_eq!(events[4]["fence"], 1);
    assert_eq!(events[6]["tags"][0], "build");
}

#[test]
fn following_the_log_until_nobody_reads_it() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let mut following = repo
        .command(["log", "--follow", "--limit", "1", "--json"])
        .spawn();
    let mut lines = BufReader::new(following.child.stdout.take().unwrap()).lines();
    let mut next =
        || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["kind"], "joined");
    repo.as_agent("kai", ["send", "kai", "one"]).ok();
    assert_eq!(next()["body"], "one");
    drop(lines);
    repo.as_agent("kai", ["send", "kai", "two"]).ok();
    let left = following.finish();
    assert_eq!((left.status, left.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_board_is_written_once() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.task("kai", "Keep the return path", &[]);
    let board = repo.reflectt(["board"]).ok().stdout;
    assert!(board.starts_with("# Board\n") && board.contains("Keep the return path"));
    repo.as_agent("kai", ["board", "--write"]).snapshot(
        "
        --- stdout
        wrote README.md on the branch `reflectt`
        ",
    );
    repo.as_agent("kai", ["board", "--write", "--json"])
        .snapshot(
            r#"
        --- stdout
        {"written":false}
        "#,
        );
    let readme = repo.git(["show", "reflectt:README.md"]);
    assert!(readme.contains("Keep the return path"), "{readme}");
}

#[test]
fn running_a_command_as_an_agent() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let script = "echo $REFLECTT_AGENT in $PWD; echo note >&2; exit 9";
    repo.reflectt(["run", "--as", "kai", "--", "sh", "-c", script])
        .snapshot(
            "
            exit 9
            --- stdout
            kai in [DIR]/repo
            --- stderr
            note
            ",
        );
    let kai = || {
        let who = repo.as_agent("link", ["who", "--json"]).ok().json();
        who["agents"][0].clone()
    };
    assert_eq!(kai()["status"], "offline", "signed off at the end");
    repo.reflectt(["run", "--as", "kai", "--", "sh", "-c", "kill -9 $$"])
        .code(137);
    repo.reflectt(["run", "--as", "kai", "--", "no-such-program"])
        .snapshot(
            "
            exit 1
            --- stderr
            error: cannot run `no-such-program`
              caused by: No such file or directory (os error 2)
            ",
        );
    assert_eq!(kai()["status"], "offline");
    repo.reflectt(["run", "--as", "sage", "--", "true"]).code(5);
    repo.reflectt(["run", "--as", "kai"]).code(2);
}

#[test]
fn an_agent_is_alive_while_its_command_runs() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    let times = [
        "idle_after",
        "1s",
        "stale_after",
        "1h",
        "expire_after",
        "2h",
    ];
    let times: Vec<String> = times
        .chunks(2)
        .flat_map(|pair| [format!("heartbeat.{}", pair[0]), pair[1].to_owned()])
        .collect();
    let set = ["config".to_owned(), "set".to_owned()];
    repo.as_agent("link", set.iter().chain(&times)).ok();
    let mut running = repo
        .command([
            "run",
            "--as",
            "kai",
            "--",
            "sh",
            "-c",
            "echo up; exec sleep 60",
        ])
        .spawn();
    let mut up = [0; 3];
    let stdout = running.child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut up).unwrap();
    let seen = || {
        let who = repo.as_agent("link", ["who", "--json"]).ok().json();
        who["agents"][0]["last_seen"].as_str().unwrap().to_owned()
    };
    let first = seen();
    poll_until("another heartbeat", SOON, || (seen() > first).then_some(()));
    signal(&running.child, libc::SIGTERM);
    running.finish().code(143);
}

#[test]
fn signals_reach_the_command() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    for (name, number) in [
        ("TERM", libc::SIGTERM),
        ("INT", libc::SIGINT),
        ("HUP", libc::SIGHUP),
    ] {
        let script =
            format!("trap 'echo got {name}; exit 5' {name}; echo up; while :; do sleep 0.02; done");
        let mut running = repo
            .command(["run", "--as", "kai", "--", "sh", "-c", &script])
            .spawn();
        let mut up = [0; 3];
        let stdout = running.child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut up).unwrap();
        signal(&running.child, number);
        let ended = running.finish().code(5);
        assert_eq!(ended.stdout, format!("got {name}\n"));
    }
}

#[test]
fn texts_for_shells_readers_and_agents() {
    let env = TestEnv::new();
    let outside = env.outside();
    for shell in ["bash", "zsh", "fish"] {
        let script = outside.reflectt(["completions", shell]).ok().stdout;
        assert!(
            script.contains("git-reflectt") || script.contains("_git_reflectt"),
            "{shell}"
        );
        let json = outside
            .reflectt(["completions", shell, "--json"])
            .ok()
            .json();
        assert_eq!(json["script"], script);
    }
    let guide = outside.reflectt(["guide"]).ok().stdout;
    let json = outside.reflectt(["guide", "--json"]).ok().json();
    assert_eq!(json["guide"], guide);
    assert!(guide.lines().count() <= 40);
    outside.reflectt(["man", "pages"]).snapshot(
        "
        --- stderr
        wrote 67 manual pages to [DIR]/outside/pages
        ",
    );
    let page = |name: &str| {
        let path = outside.path().join("pages").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    let inbox = page("reflectt-inbox.1");
    assert!(inbox.contains("Show your unread messages"), "{inbox}");
    let review = page("reflectt-review.1");
    let synopsis = ".SH SYNOPSIS\n\\fBreflectt review\\fR [OPTIONS] <";
    assert!(review.contains(synopsis), "{review}");
    let examples = ".SH EXAMPLES\n.nf\nreflectt review k3f9\nreflectt review k3f9 \\-\\-checkout\n";
    assert!(review.contains(examples), "{review}");
    assert!(page("git-reflectt.1").contains("GIT-REFLECTT"));
    let json = outside.reflectt(["man", "pages", "--json"]).ok().json();
    assert_eq!(json["pages"].as_array().unwrap().len(), 67);
}

/// Every command the guide names exists, with the options it names.
#[test]
fn the_guide_speaks_of_what_there_is() {
    let env = TestEnv::new();
    let outside = env.outside();
    let guide = outside.reflectt(["guide"]).ok().stdout;
    let mut seen = 0;
    for code in guide.split('`').skip(1).step_by(2) {
        let Some(words) = code.strip_prefix("reflectt ") else {
            continue;
        };
        let words: Vec<&str> = words.split_whitespace().collect();
        let depth = if words[0] == "task" { 2 } else { 1 };
        let help = outside
            .reflectt(words[..depth].iter().chain(&["--help"]))
            .ok()
            .stdout;
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "`{code}`: {option} in\n{help}");
        }
        seen += 1;
    }
    assert!(seen > 10, "{guide}");
}

#[test]
fn git_finds_the_program_as_its_own_command() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let bin = Path::new(BINARY).parent().unwrap();
    let mut path = bin.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let output = repo
        .git_command(["reflectt", "--as", "kai", "inbox"])
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"no unread messages\n");
}

/// Returns the lines of a table without its alignment, which depends on how old things are.
fn rows(table: &str) -> Vec<String> {
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    table
        .lines()
        .map(|line| mask(&squeeze(line), |_| None))
        .collect()
}

fn signal(child: &std::process::Child, number: i32) {
    let pid = i32::try_from(child.id()).unwrap();
    // SAFETY: takes two numbers; the child is not waited for yet, so the id is its own.
    assert_eq!(unsafe { libc::kill(pid, number) }, 0);
}
