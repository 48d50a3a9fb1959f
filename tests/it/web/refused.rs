//! Who is refused, and what is.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::TestEnv;
use crate::support::http::Web;

#[test]
fn web_sites_neither_read_nor_write() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["join", "kai"]).ok();
    let web = Web::start(&repo);
    let before = repo.git(["rev-parse", "reflectt"]);
    // A name that was made to point here.
    let host = |host: &str| {
        let request = format!("GET /tasks HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        web.raw(request.as_bytes())
    };
    host("evil.example").code(403);
    host(&format!("localhost.evil.example:{}", web.port)).code(403);
    host("127.0.0.1").code(200);
    host("[::1]:80").code(200);
    let absolute =
        "GET http://evil.example/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    web.raw(absolute.as_bytes()).code(403);
    web.raw(b"GET /tasks HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n").code(400);
    // A page of another site, with what it can send without asking.
    let body = json!({"title": "planted"}).to_string();
    let post = |headers: &str| web.with("POST", "/tasks", headers, &body);
    post("Origin: http://evil.example\r\nContent-Type: text/plain\r\n").code(403);
    post("Origin: null\r\nContent-Type: text/plain\r\n").code(403);
    post("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n").code(403);
    post("Sec-Fetch-Site: same-site\r\n").code(403);
    let ours = format!("Origin: http://localhost:{}\r\n", web.port);
    post(&format!("{ours}Content-Type: text/plain\r\n")).code(415);
    let read = web.with("GET", "/tasks", "Origin: http://evil.example\r\n", "");
    read.code(403);
    assert_eq!(read.header("access-control-allow-origin"), None);
    let asked = web.with(
        "OPTIONS",
        "/tasks",
        "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n",
        "",
    );
    assert_eq!(
        (asked.status, asked.header("access-control-allow-origin")),
        (403, None)
    );
    let next = web.with(
        "GET",
        "/tasks/next?agent=kai&claim=1",
        "Sec-Fetch-Site: cross-site\r\n",
        "",
    );
    next.code(403);
    assert_eq!(
        repo.git(["rev-parse", "reflectt"]),
        before,
        "nothing was written"
    );
    post(&format!("{ours}Content-Type: application/json\r\n")).code(200);

    let answer = web.get("/tasks");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        answer
            .header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
}

#[test]
fn what_is_hostile_stays_data() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["join", "kai"]).ok();
    let web = Web::start(&repo);
    let title = "<script>alert(1)</script> \"><img src=x onerror=y>";
    web.post("/tasks", &json!({"title": title})).code(200);
    let listed = web.get("/tasks");
    assert_eq!(listed.header("content-type"), Some("application/json"));
    assert_eq!(listed.json()["tasks"][0]["title"], title);
    // A name is no place for a header.
    let injected = web.post(
        "/chat/messages",
        &json!({"from": "kai\r\nX-Evil: 1", "content": "x"}),
    );
    injected.code(400);
    assert_eq!(injected.header("x-evil"), None);
    let injected = web.get("/heartbeat/kai%0d%0aX-Evil:%201");
    injected.code(400);
    assert_eq!(injected.header("x-evil"), None);
    for path in [
        "/../../etc/passwd",
        "/tasks/..%2f..%2fetc%2fpasswd",
        "/tasks/%2e%2e",
        "/%00",
        "/tasks/%ff",
        "//tasks",
    ] {
        let answer = web.get(path);
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
    }
    let outside = json!({"title": "x", "paths": ["../../etc"]});
    web.post("/tasks", &outside).code(400);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["join", "kai"]).ok();
    let web = Web::start(&repo);
    let post = |body: &str| web.with("POST", "/tasks", "", body);
    let place = post("{\"title\": \"t\",\n oops}").code(400);
    assert_eq!((&place["line"], &place["column"]), (&json!(2), &json!(2)));
    assert!(
        post(r#"{"title": "t", "titel": 1}"#).code(400)["error"]
            .as_str()
            .unwrap()
            .contains("`titel`")
    );
    post("").code(400);
    post("[]").code(400);
    post(r#"{"title": 7}"#).code(400);
    post(r#"{"title": "t", "priority": "P9"}"#).code(400);
    post(&"[".repeat(200_000)).code(400);
    assert_eq!(
        post(&format!("{{\"title\": \"{}\"}}", "x".repeat(300 * 1024))).code(413)["code"],
        "PAYLOAD_TOO_LARGE"
    );
    assert_eq!(
        web.with("DELETE", "/tasks", "", "").code(405)["code"],
        "METHOD_NOT_ALLOWED"
    );
    web.get("/nowhere").code(404);
    web.get("/tasks?limit=many").code(400);
    web.get("/tasks?status=flying").code(400);
    let two = web.with(
        "POST",
        "/chat/messages",
        "X-Reflectt-Agent: kai\r\n",
        r#"{"from": "link", "content": "x"}"#,
    );
    assert_eq!(two.code(403)["code"], "FORBIDDEN");
    let system = web.post("/chat/messages", &json!({"from": "system", "content": "x"}));
    assert_eq!(system.code(403)["code"], "SENDER_RESERVED");
    web.raw(b"nonsense\r\n\r\n");
    web.get("/health").code(200);
}

#[test]
fn other_machines_need_a_token() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["join", "kai"]).ok();
    let refused = repo
        .reflectt(["serve", "--port", "0", "--host", "0.0.0.0"])
        .code(2);
    assert!(refused.stderr.contains("--token"), "{}", refused.stderr);
    let web = Web::start_with(&repo, &["--host", "0.0.0.0", "--token"], 1);
    let token = web.said[0].strip_prefix("token ").unwrap().to_owned();
    assert!(token.len() >= 32, "{token}");
    let file = repo.common_dir().join("reflectt/http-token");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let with = |headers: &str| web.with("GET", "/health", headers, "");
    with("").code(401);
    with("Authorization: Bearer 0000\r\n").code(401);
    let given = format!("Authorization: Bearer {token}\r\n");
    with(&given).code(200);
    let rebound =
        format!("GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{given}\r\n");
    web.raw(rebound.as_bytes()).code(403);
    drop(web);
    // It stays the same, and is not shown again.
    let again = Web::start_with(&repo, &["--token"], 0);
    again.get("/health").code(401);
    again.with("GET", "/health", &given, "").code(200);
}

#[test]
fn a_port_that_is_taken_says_by_whom() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    let web = Web::start(&repo);
    let taken = repo
        .reflectt(["serve", "--port", &web.port.to_string()])
        .code(1);
    let place = repo.common_dir();
    assert!(
        taken.stderr.contains(place.to_str().unwrap()),
        "{}",
        taken.stderr
    );
    let other = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{}").unwrap();
        other
    });
    let taken = repo
        .reflectt(["--json", "serve", "--port", &port.to_string()])
        .code(1);
    let error: Value = taken.json();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("another program"), "{message}");
    drop(answers.join());
    let outside = env.repo("no-team");
    outside.reflectt(["serve", "--port", "0"]).code(1);
}
