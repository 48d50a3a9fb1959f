//! The tools: what each is for, what it takes and gives.
//!
//! Everything here is read by a model at the start of every session, so it is short: a test holds
//! the whole list under 2,000 tokens. Schemas are written by hand, because some models refuse whole
//! sessions for what generators write: no null unions, no `$ref`, no `$defs`, no `format`; what may
//! be left out is just not in `required`.

use std::sync::Arc;

use rmcp::model::{Tool, ToolAnnotations};

use crate::answer::{Field, Type, schema};

/// A tool.
#[derive(Debug)]
pub struct Spec {
    pub name: &'static str,
    pub what: &'static str,
    /// Those that must be there come first.
    pub takes: &'static [Field],
    pub required: usize,
    pub gives: &'static [(&'static str, Type)],
    /// Whether it changes nothing.
    pub only_looks: bool,
}

use Type::{Count, List, Object, One, Switch, Text, Texts};

const PRIORITIES: &[&str] = &["P0", "P1", "P2", "P3"];
const SEVERITIES: &[&str] = &["low", "medium", "high"];

/// What a task has, as far as it is there.
const TASK: &[(&str, Type)] = &[
    ("id", Text),
    ("title", Text),
    ("status", Text),
    ("submission", Object),
];

pub const TOOLS: [Spec; 13] = [
    Spec {
        name: "status",
        what: "Where you stand and what to do now. Call it when you start, finish or lose the thread.",
        takes: &[("wait_seconds", Count, "wait this long for something to do")],
        required: 0,
        gives: &[
            ("agent", Text),
            ("action", Text),
            ("active", List),
            ("reviews", List),
            ("next", Object),
            ("inbox", List),
            ("inbox_count", Count),
            ("queue", Object),
        ],
        only_looks: true,
    },
    Spec {
        name: "next",
        what: "Claim the best task that is ready for you.",
        takes: &[
            (
                "branch",
                Switch,
                "also switch this worktree to a branch for it",
            ),
            ("claim", Switch, "false: only look"),
            ("wait_seconds", Count, ""),
        ],
        required: 0,
        gives: &[("task", Object), ("claim", Object), ("reason", Text)],
        only_looks: false,
    },
    Spec {
        name: "list",
        what: "Open tasks.",
        takes: &[
            ("status", Texts, ""),
            ("assignee", Text, ""),
            ("lane", Text, ""),
            ("all", Switch, "closed ones too"),
        ],
        required: 0,
        gives: &[("tasks", List), ("tasks_left_out", Count)],
        only_looks: true,
    },
    Spec {
        name: "show",
        what: "A task, whole, with its history.",
        takes: &[("id", Text, "")],
        required: 1,
        gives: &[
            ("id", Text),
            ("title", Text),
            ("status", Text),
            ("body", Text),
            ("done_criteria", List),
            ("events", List),
        ],
        only_looks: true,
    },
    Spec {
        name: "new_task",
        what: "Add a task for work that you found, instead of doing it on the side.",
        takes: &[
            ("title", Text, ""),
            (
                "criteria",
                Texts,
                "what must be true, for somebody else to check",
            ),
            ("paths", Texts, "files it needs"),
            ("shared", Texts, "files that others may hold, too"),
            ("body", Text, ""),
            ("priority", One(PRIORITIES), ""),
            ("assignee", Text, ""),
            ("reviewer", Text, ""),
            ("lane", Text, ""),
            ("after", Texts, "ids it waits for"),
            ("checks", Texts, ""),
            ("tags", Texts, ""),
        ],
        required: 1,
        gives: TASK,
        only_looks: false,
    },
    Spec {
        name: "claim",
        what: "Take a task, or paths without one, before you edit them; with what you hold: widen, or release it.",
        takes: &[
            ("id", Text, "task"),
            ("paths", Texts, ""),
            ("share", Texts, "paths that others may hold, too"),
            ("why", Text, "for paths without a task"),
            ("branch", Switch, "as for next"),
            ("release", Switch, "give it back"),
            ("note", Text, "how far you got"),
            ("take_over", Text, "reason; only if its holder is gone"),
        ],
        required: 0,
        gives: &[("claim", Object), ("task", Object)],
        only_looks: false,
    },
    Spec {
        name: "progress",
        what: "Say how your task goes. A note alone shows that you are alive.",
        takes: &[
            ("id", Text, ""),
            ("note", Text, "done, left"),
            ("comment", Text, ""),
            ("block", Text, "why you cannot go on"),
            ("on", Text, "id of the task it waits for"),
            ("needs_human", Switch, ""),
            ("unblock", Switch, ""),
            ("handoff", Text, "agent who goes on; needs note"),
        ],
        required: 0,
        gives: &[("id", Text), ("status", Text), ("agents", List)],
        only_looks: false,
    },
    Spec {
        name: "submit",
        what: "Hand in a task when it is done and committed. Its checks run first.",
        takes: &[
            ("id", Text, ""),
            ("summary", Text, ""),
            (
                "evidence",
                Texts,
                "one for each criterion: how it was checked",
            ),
            ("commit", Text, ""),
            ("caveat", Text, ""),
            ("pr", Text, ""),
            ("reviewer", Text, ""),
            ("again", Switch, "rerun checks"),
            ("no_check", Switch, ""),
        ],
        required: 2,
        gives: TASK,
        only_looks: false,
    },
    Spec {
        name: "review",
        what: "Show what another's submission is to be judged by, or judge it.",
        takes: &[
            ("id", Text, ""),
            ("approve", Switch, ""),
            ("request_changes", Text, "what to change"),
            ("correct", Text, "your last request"),
            ("note", Text, ""),
            ("commit", Text, ""),
            ("checkout", Switch, "make a worktree of it"),
        ],
        required: 1,
        gives: &[
            ("task", Object),
            ("range", Text),
            ("commits", List),
            ("files", List),
            ("evidence", List),
            ("checks", List),
            ("checkout", Text),
        ],
        only_looks: false,
    },
    Spec {
        name: "land",
        what: "Bring approved tasks to the landing branch, after its checks.",
        takes: &[("ids", Texts, "default: all"), ("dry_run", Switch, "")],
        required: 0,
        gives: &[
            ("branch", Text),
            ("tip", Text),
            ("landed", List),
            ("sent_back", List),
            ("waiting", List),
        ],
        only_looks: false,
    },
    Spec {
        name: "message",
        what: "Without arguments: read your messages. With text: send one. With ack: mark as read.",
        takes: &[
            ("to", Texts, "agents, #channel"),
            ("text", Text, ""),
            ("task", Text, ""),
            ("urgent", Switch, ""),
            ("ack", Texts, "ids"),
            ("ack_all", Switch, "all you were shown"),
        ],
        required: 0,
        gives: &[("messages", List), ("id", Text), ("left", Count)],
        only_looks: false,
    },
    Spec {
        name: "ask",
        what: "Ask a person what only a person can decide; blocks the task until then.",
        takes: &[("task", Text, ""), ("text", Text, "")],
        required: 2,
        gives: TASK,
        only_looks: false,
    },
    Spec {
        name: "reflect",
        what: "Note what the team should learn.",
        takes: &[
            ("worked", Text, ""),
            ("pain", Text, ""),
            ("change", Text, ""),
            ("task", Text, ""),
            ("severity", One(SEVERITIES), ""),
            ("tags", Texts, ""),
        ],
        required: 3,
        gives: &[("id", Text)],
        only_looks: false,
    },
];

/// What any answer may have: what to call next. Beside it `warnings` to know of, and in the place of
/// an answer `error`, which everybody knows by its name.
const ALWAYS: [(&str, Type); 1] = [("hints", List)];

impl Spec {
    /// Finds a tool.
    pub fn named(name: &str) -> Option<&'static Spec> {
        static ALL: [Spec; 13] = TOOLS;
        ALL.iter().find(|spec| spec.name == name)
    }

    /// Returns the tool as clients are told of it.
    pub fn tool(&self) -> Tool {
        let input = Arc::new(schema(
            (self.takes.iter()).map(|(name, kind, what)| (*name, *kind, *what)),
            self.takes.iter().take(self.required).map(|field| field.0),
        ));
        let given = self.gives.iter().chain(&ALWAYS);
        let output = Arc::new(schema(given.map(|(name, kind)| (*name, *kind, "")), []));
        let tool = Tool::new(self.name, self.what, input).with_raw_output_schema(output);
        match self.only_looks {
            true => tool.with_annotations(ToolAnnotations::new().read_only(true)),
            false => tool,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn walk(value: &Value, tool: &str) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let refused = ["$ref", "$defs", "format", "anyOf", "oneOf", "nullable"];
                    assert!(!refused.contains(&name.as_str()), "{tool}: {name}");
                    if name == "type" && !value.is_object() {
                        assert!(value.is_string(), "{tool}: {value}");
                        assert_ne!(value, "null", "{tool}");
                    }
                    walk(value, tool);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, tool)),
            _ => {}
        }
    }

    #[test]
    fn no_schema_has_what_some_models_refuse() {
        for spec in &TOOLS {
            let tool = spec.tool();
            walk(&Value::Object((*tool.input_schema).clone()), spec.name);
            let output = tool.output_schema.unwrap();
            walk(&Value::Object((*output).clone()), spec.name);
        }
    }

    #[test]
    fn the_whole_list_costs_less_than_2000_tokens() {
        let tools: Vec<Tool> = TOOLS.iter().map(Spec::tool).collect();
        let text = serde_json::to_string(&json!({"tools": tools})).unwrap();
        assert!(
            text.chars().count() / 4 <= 2_000,
            "{}",
            text.chars().count()
        );
    }
}
