//! The same answer with fewer words, for readers that pay for each of them.
//!
//! A model that is given an answer reads all of it. So what says nothing is left out (what is
//! null or empty, times of upkeep), texts and lists are cut, and what was cut is said where it was:
//! a text ends with `…`, beside a list stands how many are left out, as `inbox_left_out`. Every
//! field that stays has the name and the value it has elsewhere.

use serde_json::{Map, Value};

/// How much of an answer is kept.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// The most characters of one text.
    pub text: usize,
    /// The most entries of one list.
    pub list: usize,
    /// Fields that are kept whole, empty lists, too: what was asked for.
    pub whole: &'static [&'static str],
    /// Lists of tasks of which each is kept as one line.
    pub lines: &'static [&'static str],
}

impl Default for Cut {
    fn default() -> Cut {
        Cut {
            text: 300,
            list: 10,
            whole: &[],
            lines: &["tasks", "reviews", "landable"],
        }
    }
}

/// What programs count by and nobody reads.
const UPKEEP: [&str; 8] = [
    "created",
    "updated",
    "closed",
    "epoch",
    "dry_run",
    "no_check",
    "truncated",
    "removed_locks",
];

/// What is left of a task in a list.
const LINE: [&str; 7] = [
    "id",
    "title",
    "status",
    "priority",
    "assignee",
    "waits_for",
    "provisional",
];

/// What is left out where it is only `false`, as it nearly always is.
const RARE: [&str; 4] = ["urgent", "provisional", "needs_human", "approved"];

/// Returns the answer with what matters of it.
pub fn brief(value: Value, cut: Cut) -> Value {
    match value {
        Value::Object(fields) => Value::Object(object(fields, cut)),
        Value::Array(items) => Value::Array(items.into_iter().map(|it| brief(it, cut)).collect()),
        Value::String(text) => Value::String(shortened(text, cut.text)),
        other => other,
    }
}

fn object(fields: Map<String, Value>, cut: Cut) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in fields {
        let idle = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty() && !cut.whole.contains(&name.as_str()),
            Value::Bool(false) => RARE.contains(&name.as_str()),
            _ => false,
        };
        if idle || UPKEEP.contains(&name.as_str()) {
            continue;
        }
        if cut.whole.contains(&name.as_str()) {
            kept.insert(name, value);
            continue;
        }
        let Value::Array(mut items) = value else {
            kept.insert(name, brief(value, cut));
            continue;
        };
        let left_out = items.len().saturating_sub(cut.list);
        items.truncate(cut.list);
        if cut.lines.contains(&name.as_str()) {
            items = items.into_iter().map(line).collect();
        }
        let items = items.into_iter().map(|item| brief(item, cut)).collect();
        let said = format!("{name}_left_out");
        kept.insert(name, Value::Array(items));
        if left_out > 0 {
            kept.insert(said, left_out.into());
        }
    }
    kept
}

fn line(task: Value) -> Value {
    match task {
        Value::Object(fields) => {
            let matters = |(name, _): &(String, Value)| LINE.contains(&name.as_str());
            Value::Object(fields.into_iter().filter(matters).collect())
        }
        other => other,
    }
}

fn shortened(mut text: String, max: usize) -> String {
    // One more would be the mark itself.
    if text.chars().count() > max
        && let Some((at, _)) = text.char_indices().nth(max.saturating_sub(1))
    {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_says_nothing_is_left_out_and_what_is_cut_is_said() {
        let cut = Cut {
            text: 5,
            list: 2,
            whole: &["body"],
            ..Cut::default()
        };
        let answer = json!({
            "id": "abc", "lane": null, "tags": [], "updated": "now", "provisional": false,
            "published": false, "title": "123456", "body": "as long as it is",
            "inbox": [{"body": "x", "urgent": true}, "käsekuchen", 3],
        });
        assert_eq!(
            brief(answer, cut),
            json!({
                "id": "abc", "published": false, "title": "1234…", "body": "as long as it is",
                "inbox": [{"body": "x", "urgent": true}, "käse…"], "inbox_left_out": 1,
            })
        );
    }

    #[test]
    fn tasks_of_a_list_are_lines() {
        let task = json!({"id": "a", "title": "t", "paths": ["src"], "waits_for": ["b"]});
        let found = brief(json!({"tasks": [task], "next": task}), Cut::default());
        assert_eq!(
            found["tasks"][0],
            json!({"id": "a", "title": "t", "waits_for": ["b"]})
        );
        assert_eq!(found["next"]["paths"], json!(["src"]));
    }
}
