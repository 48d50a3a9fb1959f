//! `reflectt mcp` as a process among others: servers that race, clients that vanish, input that is
//! no message, and calls that are taken back.

use std::collections::BTreeSet;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::mcp::{Mcp, of_version};
use crate::support::process::{BINARY, signal};
use crate::support::{Repo, TestEnv};

fn team() -> Repo {
    TestEnv::new().team(["kai", "link"])
}

fn claimed(answer: &Value) -> bool {
    answer["result"]["isError"] != true
}

#[test]
fn two_servers_that_race_for_a_task_have_one_winner() {
    let repo = team();
    let mut servers = [Mcp::start(&repo, "kai"), Mcp::start(&repo, "link")];
    let mut winners = BTreeSet::new();
    for round in 0..50 {
        let new = json!({"title": format!("Task {round}"), "criteria": ["it is there"]});
        let id = servers[0].tool("new_task", new)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let claim = json!({"name": "claim", "arguments": {"id": id}});
        // Each goes first half of the time; neither waits for the other.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        let asked = order.map(|at| (at, servers[at].ask("tools/call", claim.clone())));
        let mut won = Vec::new();
        for (at, request) in asked {
            let answer = servers[at].answer(request);
            if claimed(&answer) {
                won.push(at);
                continue;
            }
            let error = &answer["result"]["structuredContent"]["error"];
            let holder = ["kai", "link"][1 - at];
            assert_eq!(
                error["holder"]["agent"]
                    .as_str()
                    .or(error["holder"].as_str()),
                Some(holder),
                "{answer}"
            );
        }
        let [winner] = won[..] else {
            panic!("round {round}: won by {won:?}");
        };
        winners.insert(winner);
        let name = ["kai", "link"][winner];
        let seen = servers[1 - winner].tool("show", json!({"id": id}));
        assert_eq!(seen["assignee"], name, "{seen}");
        servers[winner].tool("claim", json!({"id": id, "release": true}));
    }
    assert!(!winners.is_empty());
    repo.reflectt(["doctor"]).ok();
}

#[test]
fn a_server_ends_well_when_its_client_closes_the_pipe() {
    let repo = team();
    let mut server = Mcp::start(&repo, "kai");
    // What it has read is answered first.
    let asked = server.ask("tools/list", json!({}));
    assert_eq!(server.end(), Some(0));
    assert!(server.answer(asked)["result"]["tools"].is_array());
}

#[test]
fn a_server_ends_when_only_its_parent_is_gone() {
    let repo = team();
    // The shell is the client; this test holds the pipe open, as a client's other children may.
    let script = "exec 3<&0; \"$@\" <&3 & wait";
    let mut command = Command::new("sh");
    repo.prepare(&mut command);
    let (output, end) = std::io::pipe().unwrap();
    command
        .args(["-c", script, "sh", BINARY, "mcp"])
        .env("REFLECTT_AGENT", "kai")
        .current_dir(repo.path())
        .stdin(Stdio::piped())
        .stdout(end.as_fd().try_clone_to_owned().unwrap())
        .stderr(Stdio::null());
    let mut shell = command.spawn().unwrap();
    drop(command);
    drop(end);
    let mut server = Mcp::over(shell.stdin.take().unwrap(), output);
    server.shake_hands("2025-11-25");

    signal(shell.id().cast_signed(), libc::SIGKILL);
    shell.wait().unwrap();
    // Nobody else has the other end of its output.
    assert_eq!(server.line(), None);
}

#[test]
fn what_is_no_message_is_answered_and_not_the_end() {
    let repo = team();
    let mut server = Mcp::start(&repo, "kai");
    let lines: [&[u8]; 9] = [
        b"garbage",
        b"{\"jsonrpc\": \"2.0\", \"id\": 90, \"method\":",
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{\"jsonrpc\": \"2.0\", \"id\": 91}",
        b"{\"jsonrpc\": \"2.0\", \"id\": 92, \"method\": \"tools/call\", \"params\": 7}",
        b"\xff\xfe\x00",
    ];
    for line in lines {
        server.send_bytes(line);
        assert!(server.request("tools/list", json!({}))["result"]["tools"].is_array());
    }
    let unknown = server.request("tools/destroy", json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    let garbled = server
        .others()
        .iter()
        .find(|it| it["error"]["code"] == -32700);
    assert!(
        garbled.is_some_and(|it| it["id"].is_null()),
        "{:?}",
        server.others()
    );
}

#[test]
fn a_version_that_nobody_knows_is_answered_with_those_there_are() {
    let repo = team();
    let mut server = Mcp::spawn(&repo, "kai");
    let met = server.shake_hands("1999-12-31");
    let version = met["result"]["protocolVersion"].as_str().unwrap();
    assert!(version.starts_with("20"), "{met}");
    drop(server);

    let mut server = Mcp::spawn(&repo, "kai");
    let asked = server.request("server/discover", of_version("2099-12-31"));
    assert_eq!(asked["error"]["code"], -32022, "{asked}");
    assert!(asked["error"]["data"]["supported"].is_array(), "{asked}");
    let known = server.request("server/discover", of_version("2026-07-28"));
    let versions = known["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{known}");
}

#[test]
fn ten_megabytes_are_refused_and_not_the_end() {
    let repo = team();
    let mut server = Mcp::start(&repo, "kai");
    let send = |size: usize| json!({"to": ["link"], "text": "x".repeat(size)});
    let answer = server.tool("message", send(10 << 20));
    assert_eq!(
        answer["error"]["kind"], "usage",
        "so long a message was sent"
    );
    assert!(answer.to_string().len() < 10_000, "the text came back");

    // Too long to be read is too long to be found out what its number is.
    server.ask(
        "tools/call",
        json!({"name": "message", "arguments": send(17 << 20)}),
    );
    assert_eq!(server.tool("status", json!({}))["agent"], "kai");
    let nameless = server.others().iter().find(|it| it["id"].is_null());
    assert_eq!(nameless.expect("an answer")["error"]["code"], -32600);
}

#[test]
fn a_claim_that_is_taken_back_is_there_or_not() {
    let repo = team();
    let mut kai = Mcp::start(&repo, "kai");
    let mut link = Mcp::start(&repo, "link");
    for round in 0..20 {
        let new = json!({"title": format!("Task {round}"), "criteria": ["it is there"]});
        let id = link.tool("new_task", new)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let claim = json!({"name": "claim", "arguments": {"id": id}});
        let request = kai.ask("tools/call", claim.clone());
        // Sometimes before it is begun, sometimes in the middle, sometimes too late.
        std::thread::sleep(Duration::from_millis(round));
        kai.send(&json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": request},
        }));
        // The next status comes after whatever became of the claim.
        let status = kai.tool("status", json!({}));
        let active = status["active"].as_array().cloned().unwrap_or_default();
        let holds = active.iter().any(|task| task["id"] == *id);
        let seen = link.tool("show", json!({"id": id}));
        let told = (seen["assignee"] == "kai", seen["status"] == "doing");
        assert_eq!(told, (holds, holds), "round {round}: {seen}");
        let other = link.request("tools/call", claim);
        assert_eq!(claimed(&other), !holds, "round {round}: {other}");
        let holder = if holds { &mut kai } else { &mut link };
        holder.tool("claim", json!({"id": id, "release": true}));
    }
    repo.reflectt(["doctor"]).ok();
}
