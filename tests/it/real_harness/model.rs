//! A model that is a script, `tests/clients/model.py`, and what it was asked.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::TestEnv;

/// A running model. It ends with its standard input, which this holds.
pub struct Model {
    child: Child,
    log: PathBuf,
    port: u16,
}

/// What a model was asked for, and said.
pub struct Request {
    body: Value,
}

impl Model {
    /// Starts one that says this, turn by turn, the last again and again.
    pub fn start(env: &TestEnv, turns: &Value) -> Model {
        let script = env.dir().join("turns.json");
        let log = env.dir().join("model.log");
        fs::write(&script, turns.to_string()).unwrap();
        fs::remove_file(&log).ok();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/model.py");
        let mut child = Command::new("python3")
            .arg(source)
            .arg(&script)
            .arg(&log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Model { child, log, port }
    }

    /// Returns where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the requests that took a turn.
    pub fn requests(&self) -> Vec<Request> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // The last may not be whole yet.
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let main = lines.filter(|line: &Value| line["main"] == true);
        main.map(|mut line: Value| Request {
            body: line["body"].take(),
        })
        .collect()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

impl Request {
    /// Returns all texts in it but the tools', one after the other.
    pub fn words(&self) -> String {
        let mut body = self.body.clone();
        body["tools"] = Value::Null;
        let mut words = String::new();
        collect(&body, &mut words);
        words
    }

    /// Returns the names of the tools it offers.
    pub fn tools(&self) -> Vec<String> {
        let mut names = Vec::new();
        let list = self.body["tools"].as_array().cloned().unwrap_or_default();
        for tool in list {
            names.extend(tool["name"].as_str().map(str::to_owned));
            // Gemini has them in a list below.
            let below = tool["functionDeclarations"].as_array().cloned();
            let below = below.unwrap_or_default();
            names.extend(
                below
                    .iter()
                    .filter_map(|it| it["name"].as_str().map(str::to_owned)),
            );
        }
        names
    }
}

fn collect(value: &Value, words: &mut String) {
    match value {
        Value::String(text) => {
            words.push_str(text);
            words.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, words)),
        _ => {}
    }
}
