//! The board: what the team is doing, as Markdown for people.
//!
//! A pure function of what it is given, so the file on the branch changes only when the work
//! does: times are absolute, and nothing ages by itself. What agents wrote is shown as plain
//! text; it can neither break a table nor call people or issues of the forge.

mod markdown;

use std::collections::BTreeMap;

use super::agent::{Agent, AgentKind};
use super::claim::{Claim, Pause, Table};
use super::id::TaskId;
use super::name::{AgentName, Lane};
use super::presence::Liveness;
use super::queue::{self, Dependency, Hindrance};
use super::task::{Status, Task};
use super::time::Timestamp;

use markdown::{Page, ROWS_MAX, cell, short_commit, target, time};

/// Tasks under "Done lately".
const RECENT_MAX: usize = 10;

/// What the board is drawn from.
pub struct Board<'a> {
    /// Every open task, in any order.
    pub open: Vec<&'a Task>,
    /// Tasks closed lately, newest first; the first ten are shown.
    pub recent: Vec<&'a Task>,
    pub agents: Vec<Seat<'a>>,
    pub table: &'a Table,
    /// Files that cannot be read: path and reason.
    pub quarantined: Vec<(String, String)>,
    pub dependency: &'a dyn Fn(TaskId) -> Dependency,
    /// Returns a task's file, relative to the root of the branch.
    pub path_of: &'a dyn Fn(&Task) -> String,
}

/// A member of the team.
pub struct Seat<'a> {
    pub agent: &'a Agent,
    /// How alive it is, and when it was last seen. Not for the branch: it changes by itself.
    pub seen: Option<(Liveness, Timestamp)>,
    /// Messages it has not read. Not for the branch, which would change with every message.
    pub unread: Option<usize>,
}

impl Board<'_> {
    pub fn render(&self) -> String {
        let sections = self.sort();
        let mut page = Page::default();
        page.line("# Board");
        page.line("");
        page.line(
            "This branch is the shared memory of a team that coordinates with reflectt, which \
             writes this page: edit the files in `tasks/`, not this one. Times are in UTC.",
        );
        if let Some(pause) = &self.table.pause {
            page.line("");
            page.line(&banner(pause));
        }
        self.needs_human(&mut page, &sections.needs_human);
        self.in_progress(&mut page, &sections.doing);
        self.in_review(&mut page, &sections.in_review);
        self.approved(&mut page, &sections.approved);
        self.blocked(&mut page, &sections.blocked);
        self.ready(&mut page, &sections.ready);
        self.waiting(&mut page, &sections.waiting);
        self.path_claims(&mut page);
        self.done(&mut page);
        self.who(&mut page);
        self.quarantined(&mut page);
        page.text
    }

    /// Puts every open task into one section, in the order of the queue.
    fn sort(&self) -> Sections<'_> {
        let mut open = self.open.clone();
        open.sort_by(|a, b| queue::order(a, b));
        let mut sections = Sections::default();
        for task in open {
            match task.status {
                Status::Todo => match queue::unready(task, self.dependency) {
                    Some(hindrance) => sections.waiting.push((task, hindrance)),
                    None => sections.ready.push(task),
                },
                Status::Doing => sections.doing.push(task),
                Status::Blocked if task.block.as_ref().is_some_and(|b| b.needs_human) => {
                    sections.needs_human.push(task);
                }
                Status::Blocked => sections.blocked.push(task),
                Status::Validating if task.waits_to_land() => sections.approved.push(task),
                Status::Validating if self.is_human(task.reviewer.as_ref()) => {
                    sections.needs_human.push(task);
                }
                Status::Validating => sections.in_review.push(task),
                Status::Done | Status::Cancelled => {}
            }
        }
        sections
    }

    fn needs_human(&self, page: &mut Page, tasks: &[&Task]) {
        let rows = tasks.iter().map(|task| {
            let (what, since) = match (&task.block, &task.submission) {
                (Some(block), _) => (cell(&block.reason), Some(block.since)),
                (None, Some((stamp, _))) => (
                    format!("review by {}", name(task.reviewer.as_ref())),
                    Some(stamp.at()),
                ),
                (None, None) => (String::new(), None),
            };
            self.row(task, [what, self.holder(task), time(since)])
        });
        page.table("Needs a human", &["what", "holder", "since"], rows);
    }

    fn in_progress(&self, page: &mut Page, tasks: &[&Task]) {
        let rows = tasks
            .iter()
            .map(|task| self.row(task, [self.holder(task), time(self.since(task))]));
        page.table("In progress", &["holder", "since"], rows);
    }

    fn approved(&self, page: &mut Page, tasks: &[&Task]) {
        let rows = tasks.iter().map(|task| {
            let approved = task.approved.as_ref();
            let by = approved.map(|it| it.by.to_string()).unwrap_or_default();
            let since = time(approved.map(|it| it.at));
            self.row(task, [self.holder(task), cell(&by), since])
        });
        let columns = ["author", "approved by", "since"];
        page.table("Approved, waiting to land", &columns, rows);
    }

    fn in_review(&self, page: &mut Page, tasks: &[&Task]) {
        let rows = tasks.iter().map(|task| {
            let submission = task.submission.as_ref();
            let commit = submission.and_then(|(_, s)| s.commit.as_deref());
            self.row(
                task,
                [
                    name(task.assignee.as_ref()),
                    name(task.reviewer.as_ref()),
                    commit.map_or_else(String::new, short_commit),
                    time(submission.map(|(stamp, _)| stamp.at())),
                ],
            )
        });
        page.table(
            "In review",
            &["author", "reviewer", "commit", "since"],
            rows,
        );
    }

    fn blocked(&self, page: &mut Page, tasks: &[&Task]) {
        let rows = tasks.iter().map(|task| {
            let block = task.block.as_ref();
            let reason = block.map_or_else(String::new, |b| cell(&b.reason));
            let on = block
                .and_then(|b| b.on)
                .map_or_else(String::new, |id| self.link_to(id));
            let since = time(block.map(|b| b.since));
            self.row(task, [reason, on, self.holder(task), since])
        });
        page.table("Blocked", &["reason", "waits for", "holder", "since"], rows);
    }

    fn ready(&self, page: &mut Page, tasks: &[&Task]) {
        let rows = tasks.iter().take(ROWS_MAX).map(|task| {
            let lane = task
                .lane
                .as_ref()
                .map_or_else(String::new, |l| cell(l.as_str()));
            self.row(task, [lane, name(task.reserved_for())])
        });
        page.table("Ready", &["lane", "reserved for"], rows);
        page.more(tasks.len());
    }

    fn waiting(&self, page: &mut Page, tasks: &[(&Task, Hindrance)]) {
        if tasks.len() > ROWS_MAX {
            let mut counts = BTreeMap::new();
            for (_, hindrance) in tasks {
                *counts.entry(*hindrance).or_insert(0_usize) += 1;
            }
            let counts: Vec<String> = counts
                .iter()
                .map(|(hindrance, count)| format!("{count} {}", hindrance.phrase(*count == 1)))
                .collect();
            page.heading("Waiting");
            page.line(&format!("{}.", counts.join(", ")));
            return;
        }
        let rows = tasks.iter().map(|(task, hindrance)| {
            let why = match hindrance {
                Hindrance::Waits => self.waits_for(task),
                other => other.phrase(true).to_owned(),
            };
            self.row(task, [why])
        });
        page.table("Waiting", &["for"], rows);
    }

    fn path_claims(&self, page: &mut Page) {
        let rows = self
            .table
            .claims
            .values()
            .filter(|c| !c.of_task)
            .map(|claim| {
                let why = claim.why.as_deref().map_or_else(String::new, cell);
                vec![
                    cell(&claim.cover().told().join(", ")),
                    why,
                    name(Some(&claim.agent)),
                    time(Some(claim.since)),
                ]
            });
        page.plain_table(
            "Claimed without a task",
            &["paths", "why", "holder", "since"],
            rows,
        );
    }

    fn done(&self, page: &mut Page) {
        let rows = self.recent.iter().take(RECENT_MAX).map(|task| {
            self.row(
                task,
                [
                    task.status.to_string(),
                    name(task.assignee.as_ref()),
                    time(task.closed),
                ],
            )
        });
        page.table("Done lately", &["how", "by", "when"], rows);
    }

    fn who(&self, page: &mut Page) {
        let mut agents: Vec<&Seat> = self.agents.iter().collect();
        agents.sort_by_key(|seat| &seat.agent.name);
        let seen = agents.iter().any(|seat| seat.seen.is_some());
        let unread = agents.iter().any(|seat| seat.unread.is_some());
        let mut head = vec!["name", "kind", "role", "lanes", "tasks"];
        head.extend(
            seen.then_some(["status", "last seen"])
                .into_iter()
                .flatten(),
        );
        head.extend(unread.then_some("unread"));

        let held = self.held();
        let rows = agents.iter().map(|seat| {
            let agent = seat.agent;
            let lanes: Vec<&str> = agent.lanes.iter().map(Lane::as_str).collect();
            let tasks = held.get(&agent.name).map_or(&[][..], Vec::as_slice);
            let tasks: Vec<String> = tasks.iter().map(|task| self.link(task)).collect();
            let mut row = vec![
                name(Some(&agent.name)),
                agent.kind.to_string(),
                agent.role.as_deref().map_or_else(String::new, cell),
                cell(&lanes.join(", ")),
                tasks.join(", "),
            ];
            if seen {
                row.push(seat.seen.map_or_else(String::new, |(l, _)| l.to_string()));
                row.push(time(seat.seen.map(|(_, at)| at)));
            }
            if unread {
                row.push(seat.unread.map_or_else(String::new, |n| n.to_string()));
            }
            row
        });
        page.plain_table("Who is here", &head, rows);
    }

    fn quarantined(&self, page: &mut Page) {
        let mut files = self.quarantined.clone();
        files.sort();
        let rows = files
            .iter()
            .map(|(path, reason)| vec![cell(path), cell(reason)]);
        page.plain_table("Quarantined", &["file", "reason"], rows);
    }

    /// Returns the cells every table of tasks starts with, followed by `more`.
    fn row<const N: usize>(&self, task: &Task, more: [String; N]) -> Vec<String> {
        let mut row = vec![
            self.link(task),
            task.priority.to_string(),
            cell(&task.title),
        ];
        row.extend(more);
        row
    }

    fn link(&self, task: &Task) -> String {
        format!("[{}]({})", task.id, target(&(self.path_of)(task)))
    }

    fn link_to(&self, id: TaskId) -> String {
        self.open
            .iter()
            .find(|task| task.id == id)
            .map_or_else(|| id.to_string(), |task| self.link(task))
    }

    fn waits_for(&self, task: &Task) -> String {
        let waits: Vec<String> = queue::waits_for(task, self.dependency)
            .into_iter()
            .map(|(id, state)| match state {
                Dependency::Done | Dependency::Open => self.link_to(id),
                Dependency::Cancelled => format!("{id} (cancelled)"),
                Dependency::Unknown => format!("{id} (unknown)"),
            })
            .collect();
        waits.join(", ")
    }

    /// The table is the truth about who holds a task; the record may follow a moment later.
    fn claim(&self, task: &Task) -> Option<&Claim> {
        self.table
            .claims
            .get(&task.id)
            .filter(|claim| claim.of_task)
    }

    fn holder(&self, task: &Task) -> String {
        let claim = self.claim(task).map(|claim| &claim.agent);
        name(claim.or(task.holder()))
    }

    fn since(&self, task: &Task) -> Option<Timestamp> {
        self.claim(task)
            .map(|claim| claim.since)
            .or(task.claimed_at)
    }

    fn held(&self) -> BTreeMap<&AgentName, Vec<&Task>> {
        let mut held: BTreeMap<&AgentName, Vec<&Task>> = BTreeMap::new();
        for task in &self.open {
            let holder = self.claim(task).map(|claim| &claim.agent).or(task.holder());
            if let Some(holder) = holder {
                held.entry(holder).or_default().push(task);
            }
        }
        for tasks in held.values_mut() {
            tasks.sort_by(|a, b| queue::order(a, b));
        }
        held
    }

    fn is_human(&self, name: Option<&AgentName>) -> bool {
        self.agents
            .iter()
            .any(|seat| seat.agent.kind == AgentKind::Human && Some(&seat.agent.name) == name)
    }
}

#[derive(Default)]
struct Sections<'a> {
    needs_human: Vec<&'a Task>,
    doing: Vec<&'a Task>,
    in_review: Vec<&'a Task>,
    approved: Vec<&'a Task>,
    blocked: Vec<&'a Task>,
    ready: Vec<&'a Task>,
    waiting: Vec<(&'a Task, Hindrance)>,
}

fn banner(pause: &Pause) -> String {
    let until = match pause.until {
        Some(until) => format!(" until {}", time(Some(until))),
        None => String::new(),
    };
    format!(
        "> **Paused** by {} since {}{until}: {}",
        name(Some(&pause.by)),
        time(Some(pause.since)),
        cell(&pause.reason)
    )
}

fn name(name: Option<&AgentName>) -> String {
    name.map_or_else(String::new, |name| cell(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::Profile;
    use crate::model::agent::{AgentEvent, AgentLog};
    use crate::model::event::Log;
    use crate::model::id::{Fence, Stamp};
    use crate::model::name::Author;
    use crate::model::task::{Draft, Priority, Submission, TaskEvent, TaskLog};
    use crate::model::time::Span;

    /// 2026-03-01 12:00 UTC, and `minutes` after it.
    fn at(minutes: u64) -> Timestamp {
        Timestamp(1_772_366_400_000).plus(Span::from_mins(minutes))
    }

    fn stamp(minutes: u64) -> Stamp {
        Stamp::new(at(minutes), &mut fastrand::Rng::with_seed(minutes), None)
    }

    fn task(id: &str, title: &str, events: &[(&str, TaskEvent)]) -> Task {
        let draft = Draft {
            title: title.to_owned(),
            priority: Priority::P1,
            done_criteria: vec!["a test covers it".to_owned()],
            ..Draft::default()
        };
        task_of(id, draft, events)
    }

    fn task_of(id: &str, draft: Draft, events: &[(&str, TaskEvent)]) -> Task {
        let by = Author::lossy("kai");
        let mut log = TaskLog::created(id.parse().unwrap(), stamp(0), by, draft);
        for (minute, (by, event)) in (1..).zip(events) {
            log.log
                .push(stamp(minute), Author::lossy(by), event.clone());
        }
        let folded = log.fold().unwrap();
        assert_eq!(folded.void, [], "{id}");
        folded.task
    }

    fn claimed(agent: &str) -> (&str, TaskEvent) {
        let event = TaskEvent::Claimed {
            agent: agent.parse().unwrap(),
            fence: Fence(1),
            paths: Vec::new(),
            shared: std::collections::BTreeSet::default(),
            resources: std::collections::BTreeSet::default(),
            branch: None,
            taken_over: None,
        };
        (agent, event)
    }

    fn submitted<'a>(agent: &'a str, reviewer: &str) -> (&'a str, TaskEvent) {
        let submission = Submission {
            summary: "does it".to_owned(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            reviewer: Some(reviewer.parse().unwrap()),
            ..Submission::default()
        };
        (agent, TaskEvent::Submitted(Box::new(submission)))
    }

    fn blocked<'a>(
        agent: &'a str,
        reason: &str,
        on: Option<&str>,
        needs_human: bool,
    ) -> (&'a str, TaskEvent) {
        let event = TaskEvent::Blocked {
            reason: reason.to_owned(),
            on: on.map(|id| id.parse().unwrap()),
            needs_human,
        };
        (agent, event)
    }

    fn agent(name: &str, kind: AgentKind) -> Agent {
        let mut log = Log::default();
        let profile = Profile {
            kind,
            role: (kind == AgentKind::Human).then(|| "product owner".to_owned()),
            lanes: [("backend".parse().unwrap())].into(),
            ..Profile::default()
        };
        log.push(stamp(0), Author::lossy(name), AgentEvent::Joined(profile));
        let name = name.parse().unwrap();
        AgentLog { name, log }.fold().unwrap()
    }

    fn draw(open: &[Task], recent: &[Task], agents: &[Agent], table: &Table) -> String {
        let board = Board {
            open: open.iter().collect(),
            recent: recent.iter().collect(),
            agents: agents
                .iter()
                .map(|agent| Seat {
                    agent,
                    seen: None,
                    unread: None,
                })
                .collect(),
            table,
            quarantined: Vec::new(),
            dependency: &|id| {
                if open.iter().any(|t| t.id == id) {
                    Dependency::Open
                } else {
                    Dependency::Cancelled
                }
            },
            path_of: &|task| format!("tasks/{}.toml", task.id),
        };
        board.render()
    }

    #[test]
    fn an_empty_board_is_its_header() {
        let text = draw(&[], &[], &[], &Table::default());
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains("##"), "{text}");
    }

    #[test]
    fn every_task_is_in_one_section() {
        let waiting = Draft {
            title: "Announce".to_owned(),
            done_criteria: vec!["the post is out".to_owned()],
            blocked_by: ["aaaaaa".parse().unwrap(), "zzzzzz".parse().unwrap()].into(),
            ..Draft::default()
        };
        let vague = Draft {
            title: "Improve".to_owned(),
            ..Draft::default()
        };
        let open = [
            task("aaaaaa", "Log in", &[claimed("link")]),
            task(
                "bbbbbb",
                "Log out",
                &[claimed("link"), submitted("link", "sage")],
            ),
            task(
                "cccccc",
                "Sign up",
                &[claimed("link"), submitted("link", "jane")],
            ),
            task(
                "dddddd",
                "Pay",
                &[claimed("sage"), blocked("sage", "no account", None, true)],
            ),
            task(
                "eeeeee",
                "Refund",
                &[
                    claimed("sage"),
                    blocked("sage", "needs login", Some("aaaaaa"), false),
                ],
            ),
            task("ffffff", "Search", &[]),
            task_of("gggggg", waiting, &[]),
            task_of("hhhhhh", vague, &[]),
        ];
        let cancelled = TaskEvent::Cancelled {
            reason: "not worth it".to_owned(),
        };
        let recent = [task("jjjjjj", "Fax", &[("kai", cancelled)])];
        let agents = [
            agent("sage", AgentKind::Agent),
            agent("jane", AgentKind::Human),
            agent("link", AgentKind::Agent),
        ];
        let text = draw(&open, &recent, &agents, &Table::default());
        let body = text.split_once("\n\n## ").unwrap().1;
        assert_eq!(
            format!("## {body}"),
            "\
## Needs a human

| task |  | title | what | holder | since |
| --- | --- | --- | --- | --- | --- |
| [cccccc](tasks/cccccc.toml) | P1 | Sign up | review by jane | link | 2026-03-01 12:02 |
| [dddddd](tasks/dddddd.toml) | P1 | Pay | no account | sage | 2026-03-01 12:02 |

## In progress

| task |  | title | holder | since |
| --- | --- | --- | --- | --- |
| [aaaaaa](tasks/aaaaaa.toml) | P1 | Log in | link | 2026-03-01 12:01 |

## In review

| task |  | title | author | reviewer | commit | since |
| --- | --- | --- | --- | --- | --- | --- |
| [bbbbbb](tasks/bbbbbb.toml) | P1 | Log out | link | sage | `0123456789` | 2026-03-01 12:02 |

## Blocked

| task |  | title | reason | waits for | holder | since |
| --- | --- | --- | --- | --- | --- | --- |
| [eeeeee](tasks/eeeeee.toml) | P1 | Refund | needs login | [aaaaaa](tasks/aaaaaa.toml) | sage | 2026-03-01 12:02 |

## Ready

| task |  | title | lane | reserved for |
| --- | --- | --- | --- | --- |
| [ffffff](tasks/ffffff.toml) | P1 | Search |  |  |

## Waiting

| task |  | title | for |
| --- | --- | --- | --- |
| [gggggg](tasks/gggggg.toml) | P2 | Announce | [aaaaaa](tasks/aaaaaa.toml), zzzzzz (cancelled) |
| [hhhhhh](tasks/hhhhhh.toml) | P2 | Improve | has no concrete acceptance criterion |

## Done lately

| task |  | title | how | by | when |
| --- | --- | --- | --- | --- | --- |
| [jjjjjj](tasks/jjjjjj.toml) | P1 | Fax | cancelled |  | 2026-03-01 12:01 |

## Who is here

| name | kind | role | lanes | tasks |
| --- | --- | --- | --- | --- |
| jane | human | product owner | backend |  |
| link | agent |  | backend | [aaaaaa](tasks/aaaaaa.toml), [bbbbbb](tasks/bbbbbb.toml), [cccccc](tasks/cccccc.toml) |
| sage | agent |  | backend | [dddddd](tasks/dddddd.toml), [eeeeee](tasks/eeeeee.toml) |
"
        );
        // The order of what comes in does not show in what goes out.
        let mut backwards = open.to_vec();
        backwards.reverse();
        assert_eq!(draw(&backwards, &recent, &agents, &Table::default()), text);
    }

    #[test]
    fn long_sections_are_counted() {
        let ids: Vec<String> = (0..30).map(|n| format!("aaaa{n:02}")).collect();
        let ready: Vec<Task> = ids.iter().map(|id| task(id, "Search", &[])).collect();
        let text = draw(&ready, &[], &[], &Table::default());
        assert_eq!(text.matches("| Search |").count(), ROWS_MAX);
        assert!(text.ends_with("\n\nand 10 more\n"), "{text}");

        let vague: Vec<Task> = ids
            .iter()
            .map(|id| task_of(id, Draft::default(), &[]))
            .collect();
        let text = draw(&vague, &[], &[], &Table::default());
        let count = "## Waiting\n\n30 have no concrete acceptance criterion.\n";
        assert!(text.ends_with(count), "{text}");
    }

    #[test]
    fn a_pause_and_unreadable_files_are_shown() {
        let table = Table {
            pause: Some(Pause {
                by: "jane".parse().unwrap(),
                reason: "release\nfreeze".to_owned(),
                since: at(0),
                until: Some(at(90)),
            }),
            ..Table::default()
        };
        let jane = agent("jane", AgentKind::Human);
        let board = Board {
            open: Vec::new(),
            recent: Vec::new(),
            agents: vec![Seat {
                agent: &jane,
                seen: Some((Liveness::Idle, at(3))),
                unread: Some(2),
            }],
            table: &table,
            quarantined: vec![("tasks/x.toml".to_owned(), "line 3: no `=`".to_owned())],
            dependency: &|_| Dependency::Unknown,
            path_of: &|_| String::new(),
        };
        let text = board.render();
        for part in [
            "\n> **Paused** by jane since 2026-03-01 12:00 until 2026-03-01 13:30: release freeze\n",
            "| tasks/x.toml | line 3: no \\`=\\` |\n",
            "| jane | human | product owner | backend |  | idle | 2026-03-01 12:03 | 2 |\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
