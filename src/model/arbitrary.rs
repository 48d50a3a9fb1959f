//! Values of the model at random, for property tests.
//!
//! The alphabets are small on purpose: two records that were generated apart share ids, and the
//! interesting cases of merging are those in which they do.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::agent::{AgentEvent, AgentKind, AgentLog, Profile};
use super::check::{CheckResult, Obstacle, Outcome};
use super::claim::{Claim, CloneId, Pause, Phase, Table};
use super::event::{Decided, Event, Log};
use super::extra::Extra;
use super::id::{COUNT_MAX, Fence, Stamp, TaskId};
use super::message::{Message, Notice};
use super::name::{AgentName, Author, ChannelName, CheckName, Lane, ResourceName, Tag};
use super::path::PathPattern;
use super::reflection::{Reflection, Severity};
use super::settings::{SettingsEvent, SettingsLog};
use super::task::{
    Draft, Edit, Fault, Priority, SentBack, Status, Submission, Task, TaskEvent, TaskLog,
};
use super::text;
use super::time::{Span, Timestamp};

fn words<T: std::str::FromStr<Err: std::fmt::Debug> + Clone + std::fmt::Debug + 'static>(
    words: &'static [&'static str],
) -> impl Strategy<Value = T> + Clone {
    select(words).prop_map(|word| word.parse().unwrap())
}

pub fn task_id() -> impl Strategy<Value = TaskId> + Clone {
    words(&["k3f9x2", "k3f9x3", "a7d20c"])
}

pub fn agent() -> impl Strategy<Value = AgentName> + Clone {
    words(&["kai", "link", "sage"])
}

pub fn author() -> impl Strategy<Value = Author> + Clone {
    prop_oneof![
        4 => agent().prop_map(|name| Author::from(&name)),
        1 => Just(Author::reflectt()),
        1 => line().prop_map(|text| Author::lossy(&text)),
    ]
}

pub fn lane() -> impl Strategy<Value = Lane> + Clone {
    words(&["backend", "docs"])
}

pub fn tag() -> impl Strategy<Value = Tag> + Clone {
    words(&["bug", "flaky", "ux"])
}

pub fn channel() -> impl Strategy<Value = ChannelName> + Clone {
    words(&["general", "deploys"])
}

pub fn check() -> impl Strategy<Value = CheckName> + Clone {
    words(&["test", "lint"])
}

pub fn resource() -> impl Strategy<Value = ResourceName> + Clone {
    words(&["api", "gpu"])
}

pub fn path() -> impl Strategy<Value = PathPattern> + Clone {
    words(&[
        "src/auth",
        "src/*.rs",
        "src/v1.d/",
        "lib/*/**",
        ".",
        r"app/\[id]",
        "docs/é 🦀.md",
    ])
}

/// A stamp out of a dozen, so that stamps collide.
pub fn stamp() -> impl Strategy<Value = Stamp> + Clone {
    (0..4u64, 0..3u128).prop_map(|(ms, random)| stamp_of(1_700_000_000_000 + ms * 500, random))
}

fn stamp_of(millis: u64, random: u128) -> Stamp {
    let ulid = ulid::Ulid::from_parts(millis, random);
    ulid.to_string().parse().unwrap()
}

pub fn fence() -> impl Strategy<Value = Fence> + Clone {
    prop_oneof![9 => (0..5u64).prop_map(Fence), 1 => (0..COUNT_MAX / 2).prop_map(Fence)]
}

/// A time with four digits of year, on a second or between two.
pub fn time() -> impl Strategy<Value = Timestamp> + Clone {
    prop_oneof![
        (0..4_000_000_000i64).prop_map(|secs| Timestamp(secs * 1000)),
        (0..253_402_300_799_999i64).prop_map(Timestamp),
    ]
}

fn character() -> impl Strategy<Value = char> + Clone {
    prop_oneof![
        4 => select(vec!['a', 'b', ' ', '"', '\'', '\\', '\n', '#', '=', '[', '}']),
        1 => select(vec!['\r', '\t', '\u{1}', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '🦀', 'é']),
        1 => any::<char>(),
    ]
}

/// Text with everything in it that a printer can get wrong; only NUL is not text.
pub fn text() -> impl Strategy<Value = String> + Clone {
    vec(character(), 0..12).prop_map(|chars| chars.into_iter().filter(|c| *c != '\0').collect())
}

/// One line without control characters.
pub fn line() -> impl Strategy<Value = String> + Clone {
    vec(character(), 1..12)
        .prop_map(|chars| chars.into_iter().filter(|c| !c.is_control()).collect())
}

pub fn title() -> impl Strategy<Value = String> + Clone {
    line().prop_map(|line| text::title(&line).unwrap_or_else(|_| "Fix login".to_owned()))
}

pub fn extra() -> impl Strategy<Value = Extra> + Clone {
    let key = select(vec!["x-one", "x_two", "x three", "x.\"four\"", ""]);
    let value = select(vec![
        "1",
        "2",
        "\"text\"",
        "1.5",
        "true",
        "2026-01-31T09:30:00Z",
        "[1, [2]]",
        "{}",
        "{ a = \"\\n\", \"b c\" = [{ d = 1 }] }",
    ]);
    let some = btree_map(key, value, 0..3);
    prop_oneof![3 => Just(BTreeMap::new()), 1 => some].prop_map(|map| {
        let mut extra = Extra::default();
        for (key, value) in map {
            extra.insert(key.to_owned(), value.to_owned());
        }
        extra
    })
}

/// Up to eight events of `kind`, by anybody, in any order.
pub fn log<K: Ord + Clone + std::fmt::Debug>(
    kind: impl Strategy<Value = K> + Clone,
) -> impl Strategy<Value = Log<K>> + Clone {
    let event = (author(), kind, decided(), extra()).prop_map(|(by, kind, decided, extra)| Event {
        by,
        kind,
        decided,
        extra,
    });
    (vec((stamp(), event), 1..8), extra()).prop_map(|(events, extra)| {
        let mut log = Log::default();
        for (id, event) in events {
            log.insert(id, event);
        }
        log.extra = extra;
        log
    })
}

fn decided() -> impl Strategy<Value = Option<Decided>> + Clone {
    of((0..8_u64, of(fence())).prop_map(|(epoch, under)| Decided { epoch, under }))
}

pub fn unknown_kind() -> impl Strategy<Value = String> + Clone {
    select(vec!["estimated", "a later kind", "x\"\n"]).prop_map(str::to_owned)
}

fn paths() -> impl Strategy<Value = Vec<PathPattern>> + Clone {
    vec(path(), 0..3)
}

fn shared() -> impl Strategy<Value = BTreeSet<PathPattern>> + Clone {
    btree_set(path(), 0..2)
}

fn resources() -> impl Strategy<Value = BTreeSet<ResourceName>> + Clone {
    btree_set(resource(), 0..3)
}

fn priority() -> impl Strategy<Value = Priority> + Clone {
    select(Priority::ALL.to_vec())
}

pub fn draft() -> impl Strategy<Value = Draft> + Clone {
    let names = (of(agent()), of(agent()), of(lane()), btree_set(tag(), 0..3));
    let lists = (
        (vec(text(), 0..3), btree_set(check(), 0..3)),
        paths(),
        shared(),
        resources(),
        btree_set(task_id(), 0..3),
    );
    (title(), text(), priority(), names, lists).prop_map(|(title, body, priority, names, lists)| {
        let (assignee, reviewer, lane, tags) = names;
        let ((done_criteria, checks), paths, shared, resources, blocked_by) = lists;
        Draft {
            title,
            body,
            priority,
            assignee,
            reviewer,
            lane,
            tags,
            done_criteria,
            checks,
            paths,
            shared,
            resources,
            blocked_by,
        }
    })
}

pub fn edit() -> impl Strategy<Value = Edit> + Clone {
    let names = (
        of(of(agent())),
        of(of(agent())),
        of(of(lane())),
        of(btree_set(tag(), 0..3)),
    );
    let lists = (
        (of(vec(text(), 0..3)), of(btree_set(check(), 0..3))),
        of(paths()),
        of(shared()),
        of(resources()),
        of(btree_set(task_id(), 0..3)),
    );
    (of(title()), of(text()), of(priority()), names, lists).prop_map(
        |(title, body, priority, names, lists)| {
            let (assignee, reviewer, lane, tags) = names;
            let ((done_criteria, checks), paths, shared, resources, blocked_by) = lists;
            Edit {
                title,
                body,
                priority,
                assignee,
                reviewer,
                lane,
                tags,
                done_criteria,
                checks,
                paths,
                shared,
                resources,
                blocked_by,
            }
        },
    )
}

pub fn check_result() -> impl Strategy<Value = CheckResult> + Clone {
    let outcome = prop_oneof![
        Just(Outcome::Passed),
        (1..126u8).prop_map(|code| Outcome::Failed { code }),
        (select(Obstacle::ALL.to_vec()), text())
            .prop_map(|(obstacle, detail)| Outcome::CouldNotRun { obstacle, detail }),
    ];
    let of_what = (check(), text(), select(vec!["c1", "c2"]), text());
    let run = (0..1u64 << 40, time(), any::<bool>(), vec(text(), 0..3));
    (of_what, outcome, run).prop_map(|(of_what, outcome, run)| {
        let (name, command, commit, tree) = of_what;
        let (took, at, cached, output) = run;
        CheckResult {
            name,
            command,
            commit: commit.to_owned(),
            tree,
            outcome,
            took: Span::from_millis(took),
            at,
            cached,
            output,
        }
    })
}

pub fn submission() -> impl Strategy<Value = Submission> + Clone {
    let optional = (of(text()), of(text()), of(text()), of(agent()));
    let range = (
        of(text()),
        vec(text(), 0..3),
        0..300_u64,
        btree_set(task_id(), 0..2),
        of(text()),
    );
    let told = (text(), vec(text(), 0..3), any::<bool>());
    (told, optional, range).prop_map(|(told, optional, range)| {
        let (summary, evidence, no_check) = told;
        let (commit, pr, caveat, reviewer) = optional;
        let (base, own, commits, beneath, branch) = range;
        Submission {
            summary,
            evidence,
            commit,
            base,
            own,
            commits,
            beneath,
            branch,
            pr,
            caveat,
            no_check,
            reviewer,
        }
    })
}

fn sent_back() -> impl Strategy<Value = SentBack> + Clone {
    let found = (
        text(),
        vec(text(), 0..3),
        btree_set(task_id(), 0..2),
        text(),
    );
    (stamp(), select(Fault::ALL.to_vec()), found).prop_map(|(submission, fault, found)| {
        let (note, paths, with, tip) = found;
        SentBack {
            submission,
            fault,
            note,
            paths,
            with,
            tip,
        }
    })
}

pub fn task_event() -> BoxedStrategy<TaskEvent> {
    let claimed = (
        agent(),
        fence(),
        (paths(), shared()),
        resources(),
        of(text()),
        of(text()),
    );
    prop_oneof![
        3 => draft().prop_map(|draft| TaskEvent::Created(Box::new(draft))),
        1 => edit().prop_map(|edit| TaskEvent::Edited(Box::new(edit))),
        1 => text().prop_map(|text| TaskEvent::Commented { text }),
        2 => claimed.prop_map(|(agent, fence, (paths, shared), resources, branch, taken_over)| {
            TaskEvent::Claimed { agent, fence, paths, shared, resources, branch, taken_over }
        }),
        1 => (paths(), shared(), resources(), of(text())).prop_map(
            |(paths, shared, resources, branch)| {
                TaskEvent::Extended { paths, shared, resources, branch }
            }
        ),
        1 => (text(), of(task_id()), any::<bool>()).prop_map(|(reason, on, needs_human)| {
            TaskEvent::Blocked { reason, on, needs_human }
        }),
        1 => Just(TaskEvent::Unblocked),
        2 => submission().prop_map(|bundle| TaskEvent::Submitted(Box::new(bundle))),
        2 => (stamp(), of(text()), of(text()), any::<bool>()).prop_map(
            |(submission, commit, note, lands)| {
                TaskEvent::Approved { submission, commit, note, lands }
            }
        ),
        1 => (stamp(), text())
            .prop_map(|(submission, commit)| TaskEvent::Landed { submission, commit }),
        1 => sent_back().prop_map(|back| TaskEvent::SentBack(Box::new(back))),
        1 => (stamp(), text())
            .prop_map(|(submission, note)| TaskEvent::ChangesRequested { submission, note }),
        1 => (stamp(), text())
            .prop_map(|(submission, note)| TaskEvent::Corrected { submission, note }),
        1 => (agent(), any::<bool>())
            .prop_map(|(reviewer, alone)| TaskEvent::Reminded { reviewer, alone }),
        1 => of(text()).prop_map(|note| TaskEvent::Released { note }),
        1 => (agent(), text(), of(fence()))
            .prop_map(|(to, note, fence)| TaskEvent::HandedOff { to, note, fence }),
        1 => (agent(), fence(), text())
            .prop_map(|(agent, fence, note)| TaskEvent::Lapsed { agent, fence, note }),
        1 => text().prop_map(|reason| TaskEvent::Cancelled { reason }),
        1 => text().prop_map(|reason| TaskEvent::Reopened { reason }),
        1 => (text(), vec(text(), 0..3))
            .prop_map(|(reason, paths)| TaskEvent::Overridden { reason, paths }),
        1 => check_result().prop_map(|result| TaskEvent::Checked(Box::new(result))),
        1 => unknown_kind().prop_map(|kind| TaskEvent::Unknown { kind }),
        1 => (stamp(), text()).prop_map(|(event, note)| TaskEvent::Retracted { event, note }),
    ]
    .boxed()
}

/// Any log: most of its events are not legal.
pub fn task_log() -> BoxedStrategy<TaskLog> {
    (task_id(), log(task_event()))
        .prop_map(|(id, log)| TaskLog { id, log })
        .boxed()
}

/// A log as a team could have written it: what an event refers to is what it was written after.
///
/// Chance alone hardly ever gets a task past its review.
pub fn lived_log() -> BoxedStrategy<TaskLog> {
    let step = (
        task_event(),
        author(),
        any::<Index>(),
        any::<bool>(),
        decided(),
        extra(),
    );
    (task_id(), draft(), author(), vec(step, 0..24))
        .prop_map(|(id, draft, by, steps)| {
            let mut log = TaskLog::created(id, stamp_of(1_700_000_000_000, 0), by, draft);
            for (n, (mut kind, mut by, pick, in_order, decided, extra)) in
                steps.into_iter().enumerate()
            {
                let task = log.fold().unwrap().task;
                if in_order {
                    fit(&task, &mut kind, &mut by, pick);
                }
                let at = 1_700_000_000_000 + 400 * (n as u64 + 1);
                let event = Event {
                    by,
                    kind,
                    decided: decided.filter(|_| in_order),
                    extra,
                };
                log.log.insert(stamp_of(at, 0), event);
            }
            log
        })
        .boxed()
}

/// Bends an event until it could be what happens next to `task`.
fn fit(task: &Task, kind: &mut TaskEvent, by: &mut Author, pick: Index) {
    let by_holder = task.assignee.as_ref().map(Author::from);
    let by_reviewer = task.reviewer.as_ref().map(Author::from);
    match kind {
        TaskEvent::Claimed { fence, agent, .. } => {
            *fence = task.last_fence.next();
            *by = Author::from(&*agent);
        }
        TaskEvent::Lapsed { fence, agent, .. } => {
            if let (Some(held), Some(holder)) = (task.fence, &task.assignee) {
                *fence = held;
                agent.clone_from(holder);
            }
        }
        TaskEvent::Approved { submission, .. }
        | TaskEvent::ChangesRequested { submission, .. }
        | TaskEvent::Corrected { submission, .. } => {
            if let (Some((latest, _)), Some(reviewer)) = (&task.submission, by_reviewer) {
                *submission = *latest;
                *by = reviewer;
            }
        }
        TaskEvent::Landed { submission, .. } => {
            *submission = (task.submission.as_ref()).map_or(*submission, |(latest, _)| *latest);
        }
        TaskEvent::SentBack(back) => {
            back.submission = (task.submission.as_ref()).map_or(back.submission, |it| it.0);
        }
        TaskEvent::Reminded { reviewer, .. } => {
            if let Some(asked) = &task.reviewer {
                reviewer.clone_from(asked);
            }
        }
        TaskEvent::Edited(_)
        | TaskEvent::Commented { .. }
        | TaskEvent::Checked(_)
        | TaskEvent::Unknown { .. } => {}
        _ => {
            if let Some(holder) = by_holder {
                *by = holder;
            }
            if let TaskEvent::HandedOff {
                fence: Some(fence), ..
            } = kind
            {
                *fence = task.last_fence.next();
            }
        }
    }
    // Closed tasks would swallow the rest of the history.
    let closes = matches!(kind, TaskEvent::Cancelled { .. });
    if closes && task.status != Status::Done && pick.index(3) > 0 {
        *kind = TaskEvent::Unblocked;
    }
}

pub fn profile() -> impl Strategy<Value = Profile> + Clone {
    let kind = select(vec![AgentKind::Agent, AgentKind::Human]);
    let clone = of(any::<u64>());
    let lanes = btree_set(lane(), 0..3);
    (kind, of(text()), lanes, of(any::<u32>()), clone).prop_map(
        |(kind, role, lanes, wip, clone)| Profile {
            kind,
            role,
            lanes,
            wip,
            clone: clone.map(|seed| CloneId::random(&mut fastrand::Rng::with_seed(seed))),
        },
    )
}

pub fn agent_log() -> BoxedStrategy<AgentLog> {
    let event = prop_oneof![
        3 => profile().prop_map(AgentEvent::Joined),
        1 => (stamp(), text()).prop_map(|(event, note)| AgentEvent::Retracted { event, note }),
        1 => Just(AgentEvent::Left),
        1 => unknown_kind().prop_map(|kind| AgentEvent::Unknown { kind }),
    ];
    (agent(), log(event))
        .prop_map(|(name, log)| AgentLog { name, log })
        .boxed()
}

pub fn settings_log() -> BoxedStrategy<SettingsLog> {
    let key = prop_oneof![
        4 => select(vec![
            "wip.agent", "wip.team", "team.humans", "resources.api", "lanes.docs",
            "later.key", "later.deep.key", "later", "event.x", "format", "x-one", "x-one.y", "",
        ]).prop_map(str::to_owned),
        1 => text(),
    ];
    let value = prop_oneof![
        3 => select(vec!["1", "007", "-3", "true", "none", "", "15m", "kai,sage"])
            .prop_map(str::to_owned),
        1 => text(),
    ];
    let event = prop_oneof![
        1 => Just(SettingsEvent::Founded),
        4 => (key, value).prop_map(|(key, value)| SettingsEvent::Set { key, value }),
        1 => (stamp(), text()).prop_map(|(event, note)| SettingsEvent::Retracted { event, note }),
        1 => unknown_kind().prop_map(|kind| SettingsEvent::Unknown { kind }),
    ];
    log(event).prop_map(|log| SettingsLog { log }).boxed()
}

pub fn message() -> BoxedStrategy<Message> {
    let ends = (author(), vec(agent(), 0..3), of(channel()));
    let about = (of(task_id()), of(stamp()), any::<bool>());
    let notice = of(select(Notice::ALL.to_vec()));
    (stamp(), ends, about, notice, text(), extra())
        .prop_map(|(id, ends, about, notice, body, extra)| {
            let (from, to, channel) = ends;
            let (task, reply_to, urgent) = about;
            Message {
                id,
                from,
                to,
                channel,
                task,
                reply_to,
                urgent,
                notice,
                body,
                extra,
            }
        })
        .boxed()
}

pub fn reflection() -> BoxedStrategy<Reflection> {
    let words = (text(), text(), text());
    let severity = select(Severity::ALL.to_vec());
    let tags = btree_set(tag(), 0..3);
    (
        stamp(),
        author(),
        of(task_id()),
        words,
        severity,
        tags,
        extra(),
    )
        .prop_map(
            |(id, by, task, (worked, pain, change), severity, tags, extra)| Reflection {
                id,
                by,
                task,
                worked,
                pain,
                change,
                severity,
                tags,
                extra,
            },
        )
        .boxed()
}

pub fn claim() -> BoxedStrategy<Claim> {
    let who = (
        task_id(),
        any::<bool>(),
        agent(),
        words::<CloneId>(&["0123456789ab", "fedcba987654"]),
    );
    let taken_for = (path(), any::<[bool; 2]>()).prop_map(|(path, [of_files, shared])| {
        let path = match of_files {
            true => path.of_files(),
            false => path,
        };
        (path, shared)
    });
    let what = (
        // A text is taken for one thing only in a claim.
        vec(taken_for, 0..3).prop_map(|mut paths| {
            let mut seen = BTreeSet::new();
            paths.retain(|(path, _): &(PathPattern, bool)| seen.insert(path.as_str().to_owned()));
            paths
        }),
        resources(),
        select(Phase::ALL.to_vec()),
    );
    let how = (
        time(),
        fence(),
        of(text()),
        of(text()),
        of(text()),
        any::<u64>(),
    );
    (who, what, how, extra())
        .prop_map(|(who, what, how, extra)| {
            let (id, of_task, agent, clone) = who;
            let (paths, resources, phase) = what;
            let (since, fence, branch, base, why, nonce) = how;
            let shared = paths.iter().filter(|(_, shared)| *shared);
            let shared = shared.map(|(path, _)| path.clone()).collect();
            let paths = paths.into_iter().map(|(path, _)| path).collect();
            Claim {
                id,
                of_task,
                agent,
                clone,
                paths,
                shared,
                resources,
                phase,
                since,
                fence,
                branch,
                base,
                why,
                intent: None,
                nonce,
                extra,
            }
        })
        .boxed()
}

/// The table without its claims.
pub fn table() -> BoxedStrategy<Table> {
    let pause =
        (agent(), text(), time(), of(time())).prop_map(|(by, reason, since, until)| Pause {
            by,
            reason,
            since,
            until,
        });
    let clone = words::<CloneId>(&["0123456789ab", "ba9876543210"]);
    let served = btree_map(clone, 0..9_u64, 0..3);
    (0..=COUNT_MAX, fence(), of(pause), served, extra())
        .prop_map(|(epoch, fence, pause, served, extra)| Table {
            epoch,
            fence,
            pause,
            served,
            claims: BTreeMap::new(),
            extra,
        })
        .boxed()
}
