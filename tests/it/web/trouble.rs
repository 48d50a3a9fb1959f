//! Clients that are slow, cut off, or send anything at all.

use std::io::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::TestEnv;
use crate::support::http::{Web, read};

#[test]
fn slow_and_broken_clients_keep_nobody_waiting() {
    let env = TestEnv::new();
    let repo = env.team(["kai"]);
    repo.reflectt(["join", "kai"]).ok();
    let web = Web::start(&repo);
    let begun = |text: &str| {
        let mut stream = web.connect();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let body = begun(
        "POST /tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 50\r\n\r\n{\"title\":",
    );
    let mut head = begun("POST /tasks HTTP/1.1\r\nHost: local");
    let silent: Vec<_> = (0..40).map(|_| web.connect()).collect();
    drop(begun(
        "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"title\":",
    ));
    drop(begun("GET /tasks HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    web.get("/health").code(200);
    assert_eq!(read(body).code(408)["code"], "TIMEOUT");
    // Its end comes, with or without a word.
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut head, &mut rest).ok();
    drop(silent);
    web.get("/health").code(200);
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("kai"),
            Just("doing"),
            Just("P1"),
            Just("unassigned"),
            Just("approve"),
            Just("validating")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let pairs = prop::collection::vec(("\\PC{0,6}", inner), 0..3);
        prop_oneof![list, pairs.prop_map(|pairs| pairs.into_iter().collect())]
    })
}

#[test]
fn whatever_is_sent_is_answered() {
    let env = TestEnv::new();
    let repo = env.team(["kai", "link"]);
    repo.reflectt(["join", "kai"]).ok();
    let id = repo.task("kai", "Keep the return path", &[]);
    let web = Web::start(&repo);
    let described = web.get("/openapi.json").code(200);
    let mut routes: Vec<(String, String, Vec<String>)> = Vec::new();
    for (path, verbs) in described["paths"].as_object().unwrap() {
        for (verb, operation) in verbs.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if let Some(properties) = body["properties"].as_object() {
                let path = path.replace("{id}", &id).replace("{agent}", "kai");
                routes.push((
                    verb.to_uppercase(),
                    path,
                    properties.keys().cloned().collect(),
                ));
            }
        }
    }
    assert!(routes.len() >= 11, "{routes:?}");
    let mut runner = TestRunner::new(Config {
        cases: 8,
        failure_persistence: None,
        ..Config::default()
    });
    for (verb, path, fields) in routes {
        let fields = prop::collection::vec((prop::sample::select(fields), any_json()), 0..5);
        let bodies = prop_oneof![
            4 => fields.prop_map(|fields| fields.into_iter().collect::<Value>().to_string()),
            1 => any_json().prop_map(|value| value.to_string()),
            1 => "\\PC{0,40}",
        ];
        runner
            .run(&bodies, |body| {
                let answer = web.with(&verb, &path, "", &body);
                let known = [200, 201, 400, 403, 404, 409, 422];
                prop_assert!(
                    known.contains(&answer.status),
                    "{verb} {path} {body}: {answer:?}"
                );
                let told = answer.json();
                prop_assert_eq!(answer.status < 300, told["success"] != json!(false));
                Ok(())
            })
            .unwrap();
    }
    web.get("/health").code(200);
    repo.reflectt(["doctor"]).ok();
}
