//! The routes. The router and the description of this door are made from this table alone.

use crate::answer::{Field, Type};

use super::{Does, Route, Verb};
use crate::web::call;

use Type::{Count, List, Object, One, Switch, Text, Texts};

/// What most routes have.
const NONE: Route = Route {
    verb: Verb::Get,
    path: "",
    what: "",
    does: Does::Looks,
    query: &[],
    body: &[],
    required: 0,
    names: &[],
    also: &[],
    dropped: &[],
    gives: &[],
    run: call::record::health,
};

const PRIORITIES: &[&str] = &["P0", "P1", "P2", "P3"];
const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const DECISIONS: &[&str] = &[
    "approve",
    "approved",
    "reject",
    "rejected",
    "request_changes",
    "changes_requested",
];
const STATES: &[&str] = &["idle", "working", "reviewing", "blocked", "offline"];

const COMPACT: Field = (
    "compact",
    Switch,
    "1: without description, criteria and metadata",
);
const LIMIT: Field = ("limit", Count, "at most so many");

/// What of the original's tasks has no place here.
const NOT_KEPT: &[&str] = &[
    "type",
    "eta",
    "epic_id",
    "teamId",
    "dueAt",
    "scheduledFor",
    "criteria_verified",
];
const OF_TASKS: &[(&str, &str)] = &[
    ("description", "body"),
    ("criteria", "done_criteria"),
    ("blocked_by", "after"),
];
const DONE: &[(&str, Type)] = &[("success", Switch), ("task", Object), ("resolvedId", Text)];

pub static ROUTES: [Route; 29] = [
    Route {
        path: "/health",
        what: "Whether the server is well, and of which team it is.",
        gives: &[
            ("status", Text),
            ("version", Text),
            ("team", Text),
            ("repository", Text),
            ("agents", Count),
        ],
        ..NONE
    },
    Route {
        path: "/tasks",
        what: "Tasks, most urgent first, closed ones last.",
        query: &[
            ("status", Texts, "any of these; in-progress is doing"),
            ("assignee", Text, "`unassigned`: nobody's"),
            ("assignedTo", Text, "the same"),
            ("createdBy", Text, ""),
            ("priority", Text, ""),
            ("lane", Text, ""),
            ("tag", Texts, "all of these"),
            ("tags", Texts, "the same"),
            ("q", Text, "words of the title or the description"),
            ("updatedSince", Count, "milliseconds since 1970"),
            ("since", Count, "the same"),
            LIMIT,
            ("offset", Count, ""),
            COMPACT,
        ],
        gives: &[
            ("tasks", List),
            ("total", Count),
            ("offset", Count),
            ("limit", Count),
            ("hasMore", Switch),
        ],
        run: call::tasks::list,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/tasks",
        what: "Adds a task.",
        does: Does::Acts,
        body: &[
            ("title", Text, ""),
            ("body", Text, ""),
            ("status", Text, "todo; doing claims it, too"),
            ("assignee", Text, ""),
            ("reviewer", Text, "`auto`: whoever has time"),
            (
                "done_criteria",
                Texts,
                "when it is done, in words that somebody else can check",
            ),
            ("priority", One(PRIORITIES), ""),
            ("lane", Text, ""),
            ("tags", Texts, ""),
            (
                "paths",
                Texts,
                "files it needs, from the top of the repository",
            ),
            (
                "shared",
                Texts,
                "files that others may hold at the same time",
            ),
            ("after", Texts, "tasks it waits for"),
            ("before", Texts, "tasks that wait for it"),
            ("checks", Texts, "checks that must pass"),
        ],
        required: 1,
        names: &["createdBy"],
        also: OF_TASKS,
        dropped: &[
            "type",
            "eta",
            "epic_id",
            "teamId",
            "dueAt",
            "scheduledFor",
            "criteria_verified",
            "metadata",
        ],
        gives: &[("success", Switch), ("task", Object), ("warnings", List)],
        run: call::tasks::create,
        ..NONE
    },
    Route {
        path: "/tasks/next",
        what: "The best task for an agent; with claim=1 it is claimed.",
        does: Does::Acts,
        query: &[("claim", Switch, "1: claim it"), COMPACT],
        gives: &[],
        run: call::tasks::next,
        ..NONE
    },
    Route {
        path: "/tasks/{id}",
        what: "A task with its history.",
        query: &[COMPACT],
        gives: &[("task", Object), ("resolvedId", Text), ("matchType", Text)],
        run: call::tasks::show,
        ..NONE
    },
    Route {
        verb: Verb::Patch,
        path: "/tasks/{id}",
        what: "Changes a task, and moves it: doing claims or unblocks, validating submits, todo releases, blocked, done approves, cancelled.",
        does: Does::Checks,
        body: &[
            (
                "status",
                Text,
                "todo, doing, blocked, validating, done or cancelled",
            ),
            ("title", Text, ""),
            ("body", Text, ""),
            ("assignee", Text, ""),
            ("reviewer", Text, ""),
            (
                "done_criteria",
                Texts,
                "all of them, in the place of those there are",
            ),
            ("priority", One(PRIORITIES), ""),
            ("lane", Text, ""),
            ("tags", Texts, "all of them"),
            ("after", Texts, "all of them"),
            (
                "reason",
                Text,
                "why it is blocked, cancelled or opened again",
            ),
            ("on", Text, "the task it is blocked by"),
            ("needs_human", Switch, ""),
            ("note", Text, "for whoever goes on, or of the review"),
            ("summary", Text, "what was done"),
            ("evidence", Texts, "one for each criterion, in order"),
            ("commit", Text, ""),
            ("pr", Text, ""),
            ("caveat", Text, ""),
            ("no_check", Switch, ""),
            (
                "metadata",
                Object,
                "read for cancel_reason, reopen_reason, pr_url and summary",
            ),
        ],
        names: &["actor"],
        also: OF_TASKS,
        dropped: NOT_KEPT,
        gives: DONE,
        run: call::moves::patch,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/tasks/{id}/claim",
        what: "Claims a task with its paths.",
        does: Does::Acts,
        body: &[
            ("paths", Texts, "beside those of the task"),
            (
                "shared",
                Texts,
                "paths that others may hold at the same time",
            ),
            ("take_over", Text, "why it is taken from its holder"),
        ],
        also: &[("share", "shared")],
        gives: &[
            ("success", Switch),
            ("task", Object),
            ("claim", Object),
            ("resolvedId", Text),
        ],
        run: call::moves::claim,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/tasks/{id}/release",
        what: "Gives a task back.",
        does: Does::Acts,
        body: &[("note", Text, "for whoever goes on")],
        gives: DONE,
        run: call::moves::release,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/tasks/{id}/submit",
        what: "Submits a task for review, after its checks have passed.",
        does: Does::Checks,
        body: &[
            ("summary", Text, "what was done"),
            ("evidence", Texts, "one for each criterion, in order"),
            (
                "commit",
                Text,
                "else the HEAD of the agent's worktree, or the task's branch",
            ),
            ("pr", Text, ""),
            ("caveat", Text, ""),
            ("reviewer", Text, ""),
            ("no_check", Switch, ""),
        ],
        required: 1,
        gives: DONE,
        run: call::moves::submit,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/tasks/{id}/review",
        what: "Approves what was submitted, or asks for changes.",
        does: Does::Acts,
        body: &[
            ("decision", One(DECISIONS), ""),
            ("comment", Text, "needed to ask for changes"),
            ("commit", Text, "the one that is approved"),
        ],
        required: 1,
        names: &["reviewer"],
        also: &[("note", "comment")],
        gives: &[
            ("success", Switch),
            ("task", Object),
            ("decision", Object),
            ("resolvedId", Text),
        ],
        run: call::moves::review,
        ..NONE
    },
    Route {
        path: "/tasks/{id}/comments",
        what: "The comments on a task.",
        gives: &[("comments", List), ("count", Count), ("resolvedId", Text)],
        run: call::tasks::comments,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/tasks/{id}/comments",
        what: "Comments on a task; who is mentioned gets a message.",
        does: Does::Acts,
        body: &[("content", Text, "")],
        required: 1,
        names: &["author"],
        also: &[("text", "content")],
        dropped: &["category"],
        gives: &[
            ("success", Switch),
            ("comment", Object),
            ("resolvedId", Text),
        ],
        run: call::tasks::comment,
        ..NONE
    },
    Route {
        path: "/presence",
        what: "Who is on the team, and how alive.",
        gives: &[("agents", List), ("presences", List)],
        run: call::people::presence,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/presence/{agent}",
        what: "A sign of life, and what the agent is doing.",
        does: Does::Acts,
        body: &[
            ("status", One(STATES), ""),
            ("task", Text, ""),
            ("note", Text, ""),
        ],
        dropped: &["since"],
        gives: &[("success", Switch), ("presence", Object)],
        run: call::people::beat,
        ..NONE
    },
    Route {
        path: "/heartbeat/{agent}",
        what: "Where an agent stands and what to do now, in one call.",
        does: Does::Asks,
        gives: &[
            ("agent", Text),
            ("ts", Count),
            ("inbox", List),
            ("inboxCount", Count),
            ("queue", Object),
            ("action", Text),
            ("stand", Object),
        ],
        run: call::people::heartbeat,
        ..NONE
    },
    Route {
        path: "/inbox/{agent}",
        what: "Unread messages, oldest first. Reading changes nothing.",
        does: Does::Asks,
        query: &[
            LIMIT,
            ("priority", Text, "high, medium or low"),
            ("since", Count, ""),
            COMPACT,
        ],
        gives: &[("messages", List), ("count", Count)],
        run: call::people::inbox,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/inbox/{agent}/ack",
        what: "Marks messages as read: these, all that were shown, or all up to a time.",
        does: Does::Acts,
        body: &[
            ("messageIds", Texts, ""),
            ("all", Switch, ""),
            ("timestamp", Count, "milliseconds since 1970"),
        ],
        also: &[("ids", "messageIds"), ("upTo", "timestamp")],
        gives: &[("success", Switch), ("count", Count), ("left", Count)],
        run: call::people::ack,
        ..NONE
    },
    Route {
        path: "/chat/messages",
        what: "Messages of channels, oldest first.",
        query: &[
            ("channel", Text, ""),
            ("from", Text, ""),
            ("exclude_from", Text, ""),
            ("to", Text, ""),
            (
                "since",
                Count,
                "later than this, in milliseconds since 1970",
            ),
            ("after", Count, "the same"),
            ("before", Count, ""),
            LIMIT,
            COMPACT,
        ],
        gives: &[("messages", List)],
        run: call::talk::messages,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/chat/messages",
        what: "Sends a message: to a channel, or to agents.",
        does: Does::Acts,
        body: &[
            ("content", Text, ""),
            ("to", Texts, "agents; without any it goes to the channel"),
            ("channel", Text, "general"),
            ("reply_to", Text, ""),
            ("task", Text, ""),
            ("urgent", Switch, ""),
        ],
        required: 1,
        also: &[
            ("text", "content"),
            ("body", "content"),
            ("threadId", "reply_to"),
        ],
        dropped: &["metadata"],
        gives: &[("success", Switch), ("message", Object)],
        run: call::talk::send,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/reflections",
        what: "Notes what the team should learn.",
        does: Does::Acts,
        body: &[
            ("worked", Text, "what went well"),
            ("pain", Text, ""),
            ("change", Text, "what to do about it"),
            ("task", Text, ""),
            ("severity", One(SEVERITIES), ""),
            ("tags", Texts, ""),
            ("impact", Text, "is told with the pain"),
            ("suspected_why", Text, "is told with the pain"),
        ],
        required: 3,
        names: &["author"],
        also: &[
            ("went_well", "worked"),
            ("proposed_fix", "change"),
            ("task_id", "task"),
        ],
        dropped: &["evidence", "confidence", "role_type", "team_id", "metadata"],
        gives: &[("success", Switch), ("reflection", Object)],
        run: call::record::reflect,
        ..NONE
    },
    Route {
        path: "/insights",
        what: "What was learned from several reflections. There are none yet.",
        gives: &[("insights", List), ("total", Count)],
        run: call::record::insights,
        ..NONE
    },
    Route {
        path: "/asks",
        what: "Questions to people. There are none yet.",
        gives: &[("asks", List), ("total", Count)],
        run: call::record::asks,
        ..NONE
    },
    Route {
        verb: Verb::Post,
        path: "/asks/{id}/answer",
        what: "Answers a question to a person.",
        does: Does::Acts,
        body: &[("answer", Text, "")],
        gives: &[],
        run: call::record::answer,
        ..NONE
    },
    Route {
        path: "/claims",
        what: "Who holds what.",
        gives: &[("claims", List), ("epoch", Count)],
        run: call::record::claims,
        ..NONE
    },
    Route {
        path: "/log",
        what: "What has happened, oldest first.",
        query: &[LIMIT],
        gives: &[("events", List)],
        run: call::record::log,
        ..NONE
    },
    Route {
        path: "/board",
        what: "The board, in Markdown.",
        run: call::record::board,
        ..NONE
    },
    Route {
        path: "/events",
        what: "What happens, as it happens, as server-sent events.",
        does: Does::Listens,
        query: LISTENING,
        ..NONE
    },
    Route {
        path: "/events/subscribe",
        what: "The same.",
        does: Does::Listens,
        query: LISTENING,
        ..NONE
    },
    Route {
        path: "/openapi.json",
        what: "This description.",
        gives: &[("openapi", Text), ("info", Object), ("paths", Object)],
        run: call::record::openapi,
        ..NONE
    },
];

const LISTENING: &[Field] = &[
    ("agent", Text, "only what is about this agent"),
    ("types", Texts, "only events of these types"),
    (
        "topics",
        Texts,
        "only events whose type has one of these in it",
    ),
    (
        "batch",
        Switch,
        "1: what comes within two seconds as one `batch`",
    ),
];
