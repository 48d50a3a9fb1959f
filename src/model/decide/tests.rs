//! The rules about who may hold what, one table of cases a rule, and what no sequence may break.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::id::Fence;
use crate::model::rule::Rule;
use crate::model::time::Span;

/// A team, its table and what is known beside it.
#[derive(Clone)]
struct Team {
    table: Table,
    settings: Settings,
    now: Timestamp,
    silent: Vec<AgentName>,
    wip: BTreeMap<AgentName, u32>,
}

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn paths(texts: &[&str]) -> Vec<PathPattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn clone_id() -> CloneId {
    "0123456789ab".parse().unwrap()
}

fn take_of(task: &str, by: &str, on: &[&str]) -> Take {
    Take {
        id: id(task),
        of_task: true,
        agent: agent(by),
        clone: clone_id(),
        paths: paths(on),
        shared: BTreeSet::new(),
        resources: BTreeSet::new(),
        branch: None,
        base: None,
        why: None,
        nonce: 7,
        take_over: false,
        moves: false,
    }
}

fn take(task: &str, by: &str, on: &[&str]) -> Request {
    Request::Take(take_of(task, by, on))
}

fn take_over(task: &str, by: &str, on: &[&str]) -> Request {
    Request::Take(Take {
        take_over: true,
        moves: false,
        ..take_of(task, by, on)
    })
}

fn take_paths(task: &str, by: &str, on: &[&str]) -> Request {
    Request::Take(Take {
        of_task: false,
        ..take_of(task, by, on)
    })
}

fn take_resource(task: &str, by: &str, resource: &str) -> Request {
    Request::Take(Take {
        resources: [resource.parse().unwrap()].into(),
        ..take_of(task, by, &[])
    })
}

fn phase(task: &str, by: &str, to: Phase) -> Request {
    Request::Phase {
        id: id(task),
        agent: agent(by),
        to,
    }
}

fn send_back(task: &str) -> Request {
    Request::SendBack { id: id(task) }
}

fn release(task: &str, by: &str) -> Request {
    Request::Release {
        id: id(task),
        agent: agent(by),
    }
}

fn close(task: &str) -> Request {
    Request::Close { id: id(task) }
}

fn hand_off(task: &str, by: &str, to: &str) -> Request {
    Request::HandOff {
        id: id(task),
        agent: agent(by),
        to: agent(to),
        clone: clone_id(),
        nonce: 8,
    }
}

fn pause(until: Option<Timestamp>) -> Request {
    Request::Pause(Pause {
        by: agent("jane"),
        reason: "release".to_owned(),
        since: Timestamp(0),
        until,
    })
}

impl Team {
    /// Three tasks for each agent are allowed, unless a test says otherwise.
    fn new() -> Team {
        let mut settings = Settings {
            wip_agent: 3,
            ..Settings::default()
        };
        settings.resources.insert("gpu".parse().unwrap(), 2);
        Team {
            table: Table::default(),
            settings,
            now: Timestamp(1_000),
            silent: Vec::new(),
            wip: BTreeMap::new(),
        }
    }

    fn limited(limit: u32) -> Team {
        let mut team = Team::new();
        team.settings.wip_agent = limit;
        team
    }

    fn ask(&self, request: &Request) -> Decision {
        let facts = Facts {
            now: self.now,
            settings: &self.settings,
            expired: &|claim| self.silent.contains(&claim.agent),
            elsewhere: &|claim| claim.clone != clone_id(),
            wip: &|name| self.limit(name),
        };
        decide(&self.table, &facts, request)
    }

    fn limit(&self, name: &AgentName) -> u32 {
        self.wip
            .get(name)
            .copied()
            .unwrap_or(self.settings.wip_agent)
    }

    /// Asks, and takes the table granted for the present one.
    fn ask_and_keep(&mut self, request: &Request) -> Decision {
        let decision = self.ask(request);
        if let Decision::Changed(change) = &decision {
            self.table = change.table.clone();
        }
        decision
    }

    fn granted(&mut self, request: &Request) -> Change {
        match self.ask_and_keep(request) {
            Decision::Changed(change) => change,
            other => panic!("{request:?} was not granted: {other:?}"),
        }
    }

    fn all_granted(&mut self, requests: &[Request]) {
        for request in requests {
            self.granted(request);
        }
    }

    fn unchanged(&self, request: &Request) {
        match self.ask(request) {
            Decision::Unchanged(_) => {}
            other => panic!("{request:?} changed something: {other:?}"),
        }
    }

    fn refused(&self, request: &Request, rule: Rule) {
        match self.ask(request) {
            Decision::Refused(refusal) => assert_eq!(refusal.rule(), rule, "{request:?}"),
            other => panic!("{request:?} was not refused: {other:?}"),
        }
    }

    /// Checks that `holder` is in the way, with just these paths.
    fn held(&self, request: &Request, holder: &str, on: &[&str]) {
        match self.ask(request) {
            Decision::Held { by, paths: found } => {
                assert_eq!(by.agent, agent(holder), "{request:?}");
                assert_eq!(found, paths(on), "{request:?}");
            }
            other => panic!("{request:?} did not lose: {other:?}"),
        }
    }

    fn not_held(&self, request: &Request) {
        match self.ask(request) {
            Decision::NotHeld { .. } => {}
            other => panic!("{request:?} was decided: {other:?}"),
        }
    }

    fn claim(&self, task: &str) -> Option<&Claim> {
        self.table.claims.get(&id(task))
    }

    fn holder(&self, task: &str) -> Option<&str> {
        self.claim(task).map(|claim| claim.agent.as_str())
    }
}

#[test]
fn a_task_has_one_holder() {
    let mut team = Team::new();
    let claim = team
        .granted(&take("aaaaaa", "kai", &["src"]))
        .claim
        .unwrap();
    assert_eq!((claim.fence, claim.since), (Fence(1), Timestamp(1_000)));
    assert_eq!((team.table.epoch, team.table.fence), (1, Fence(1)));
    team.held(&take("aaaaaa", "link", &["docs"]), "kai", &["src"]);
    team.unchanged(&take("aaaaaa", "kai", &["src"]));
    team.unchanged(&take("aaaaaa", "kai", &[]));
    team.granted(&release("aaaaaa", "kai"));
    let claim = team.granted(&take("aaaaaa", "link", &[])).claim.unwrap();
    assert_eq!(claim.fence, Fence(2));
}

#[test]
fn only_the_holder_changes_a_claim() {
    let mut team = Team::new();
    team.granted(&take("aaaaaa", "kai", &[]));
    for (by, held) in [("kai", true), ("link", false)] {
        for request in [
            phase("aaaaaa", by, Phase::Blocked),
            release("aaaaaa", by),
            hand_off("aaaaaa", by, "sage"),
        ] {
            match team.ask(&request) {
                Decision::Changed(_) => assert!(held, "{request:?}"),
                Decision::NotHeld { holder } => {
                    assert!(!held, "{request:?}");
                    assert_eq!(holder.unwrap().agent, agent("kai"));
                }
                other => panic!("{request:?}: {other:?}"),
            }
        }
    }
    team.not_held(&release("bbbbbb", "kai"));
}

#[test]
fn paths_overlap_with_others_but_not_with_ones_own() {
    let mut team = Team::new();
    team.granted(&take("aaaaaa", "kai", &["src/auth", "docs"]));
    team.held(&take("bbbbbb", "link", &["src"]), "kai", &["src/auth"]);
    team.held(
        &take("bbbbbb", "link", &["src/*/a.rs"]),
        "kai",
        &["src/auth"],
    );
    team.held(
        &take_paths("bbbbbb", "link", &["docs/a.md"]),
        "kai",
        &["docs"],
    );
    team.all_granted(&[
        take("bbbbbb", "link", &["src/pay"]),
        take("cccccc", "kai", &["src/auth/login.rs"]),
    ]);
    // Neither being blocked nor being reviewed frees paths.
    for to in [Phase::Blocked, Phase::InReview] {
        team.granted(&phase("aaaaaa", "kai", to));
        team.held(&take("bbbbbb", "link", &["docs"]), "kai", &["docs"]);
    }
}

#[test]
fn claiming_again_widens() {
    let mut team = Team::new();
    team.granted(&take("aaaaaa", "kai", &["src/auth"]));
    let change = team.granted(&take("aaaaaa", "kai", &["docs", "src/auth"]));
    assert_eq!(change.claim.unwrap().paths, paths(&["src/auth", "docs"]));
    assert_eq!(change.before.unwrap().paths, paths(&["src/auth"]));
    assert_eq!(change.table.fence, Fence(1));
    team.unchanged(&take("aaaaaa", "kai", &["docs"]));
}

#[test]
fn the_silent_lose_their_claims_to_who_asks() {
    let mut team = Team::limited(1);
    team.settings.wip_team = Some(2);
    team.all_granted(&[
        take("aaaaaa", "kai", &["src"]),
        take("bbbbbb", "sage", &["docs"]),
        phase("bbbbbb", "sage", Phase::InReview),
        take("cccccc", "mira", &["web"]),
    ]);
    team.held(&take("aaaaaa", "link", &[]), "kai", &["src"]);
    team.silent = vec![agent("kai"), agent("sage")];

    // Its task, its paths and its place in the team's limit are free; a review stays.
    let mut same_task = team.clone();
    let change = same_task.granted(&take("aaaaaa", "link", &[]));
    assert_eq!(change.before, None);
    assert_eq!(change.expired.len(), 1);
    assert_eq!(same_task.holder("aaaaaa"), Some("link"));

    let change = team.granted(&take("dddddd", "link", &["src/a.rs"]));
    assert_eq!(change.expired[0].id, id("aaaaaa"));
    assert_eq!(team.holder("aaaaaa"), None);
    assert_eq!(team.holder("bbbbbb"), Some("sage"));
    team.held(&take("dddddd", "link", &["docs"]), "sage", &["docs"]);

    // Who asks is not silent, whatever its last heartbeat says.
    team.silent = vec![agent("link"), agent("mira")];
    let change = team.granted(&take("dddddd", "link", &["web"]));
    assert_eq!(change.expired[0].agent, agent("mira"));
    assert_eq!(team.holder("dddddd"), Some("link"));
}

#[test]
fn sweeping_nothing_copies_nothing() {
    let mut team = Team::new();
    team.all_granted(&[
        take("aaaaaa", "kai", &[]),
        take("bbbbbb", "link", &[]),
        phase("bbbbbb", "link", Phase::InReview),
    ]);
    let (table, gone) = sweep(&team.table, &|claim| claim.agent == agent("link"));
    assert!(matches!(table, Cow::Borrowed(_)));
    assert_eq!(gone, []);
    let (table, gone) = sweep(&team.table, &|_| true);
    assert_eq!(gone.len(), 1);
    assert_eq!(table.epoch, team.table.epoch + 1);
    assert_eq!(table.claims.len(), 1);
}

#[test]
fn work_in_progress_is_limited() {
    let mut team = Team::limited(1);
    team.granted(&take("aaaaaa", "kai", &[]));
    team.refused(&take("bbbbbb", "kai", &[]), Rule::WipAgent);
    // Paths without a task are no task.
    team.granted(&take_paths("pppppp", "kai", &["docs"]));
    for to in [Phase::Blocked, Phase::InReview] {
        let mut team = team.clone();
        team.all_granted(&[phase("aaaaaa", "kai", to), take("bbbbbb", "kai", &[])]);
        // Going back to work needs a free slot; being sent back does not.
        team.refused(&phase("aaaaaa", "kai", Phase::Working), Rule::WipAgent);
        match to {
            Phase::InReview => assert_eq!(
                team.granted(&send_back("aaaaaa")).claim.unwrap().phase,
                Phase::Working
            ),
            _ => team.unchanged(&send_back("aaaaaa")),
        }
        team.granted(&release("bbbbbb", "kai"));
    }
    team.wip.insert(agent("kai"), 2);
    team.granted(&take("bbbbbb", "kai", &[]));
    team.refused(&take("cccccc", "kai", &[]), Rule::WipAgent);
}

#[test]
fn the_team_is_limited_too() {
    let mut team = Team::new();
    team.settings.wip_team = Some(2);
    team.all_granted(&[
        take("aaaaaa", "kai", &[]),
        take("bbbbbb", "link", &[]),
        take_paths("pppppp", "sage", &["docs"]),
    ]);
    team.refused(&take("cccccc", "sage", &[]), Rule::WipTeam);
    team.all_granted(&[
        phase("aaaaaa", "kai", Phase::Blocked),
        take("cccccc", "sage", &[]),
    ]);
    team.refused(&phase("aaaaaa", "kai", Phase::Working), Rule::WipTeam);
    // A slot that changes hands is not a second one.
    team.granted(&take_over("cccccc", "mira", &[]));
    assert_eq!(team.holder("cccccc"), Some("mira"));
}

#[test]
fn resources_have_a_capacity() {
    let mut team = Team::new();
    team.refused(&take_resource("aaaaaa", "kai", "tpu"), Rule::Resource);
    team.all_granted(&[
        take_resource("aaaaaa", "kai", "gpu"),
        take("bbbbbb", "link", &[]),
        take_resource("bbbbbb", "link", "gpu"),
    ]);
    team.unchanged(&take_resource("aaaaaa", "kai", "gpu"));
    team.refused(&take_resource("cccccc", "sage", "gpu"), Rule::Resource);
    // Taken over, a claim takes its share along.
    team.granted(&take_over("aaaaaa", "sage", &[]));
    assert_eq!(team.claim("aaaaaa").unwrap().resources.len(), 1);
    team.all_granted(&[
        release("bbbbbb", "link"),
        take_resource("cccccc", "sage", "gpu"),
    ]);
}

#[test]
fn a_pause_stops_claims_and_nothing_else() {
    let mut team = Team::new();
    team.granted(&take("aaaaaa", "kai", &[]));
    let until = team.now.plus(Span::from_mins(1));
    team.granted(&pause(Some(until)));
    team.unchanged(&pause(Some(until)));
    team.refused(&take("bbbbbb", "link", &[]), Rule::Paused);
    team.refused(&take_over("aaaaaa", "link", &[]), Rule::Paused);
    team.refused(&take("aaaaaa", "kai", &["src"]), Rule::Paused);
    team.unchanged(&take("aaaaaa", "kai", &[]));
    team.all_granted(&[
        phase("aaaaaa", "kai", Phase::Blocked),
        phase("aaaaaa", "kai", Phase::Working),
    ]);

    let mut resumed = team.clone();
    resumed.all_granted(&[Request::Resume, take("bbbbbb", "link", &[])]);
    resumed.unchanged(&Request::Resume);

    team.now = until;
    team.granted(&take("bbbbbb", "link", &[]));
    team.granted(&pause(Some(until)));
    team.granted(&pause(None));
    team.now = until.plus(Span::from_mins(100_000));
    team.refused(&take("cccccc", "link", &[]), Rule::Paused);
}

#[test]
fn taking_over_obeys_every_other_rule() {
    let mut team = Team::limited(1);
    team.all_granted(&[
        take("aaaaaa", "kai", &["src"]),
        take("aaaaaa", "kai", &["docs"]),
        take("bbbbbb", "link", &[]),
        take("cccccc", "sage", &["web"]),
    ]);
    team.refused(&take_over("aaaaaa", "link", &[]), Rule::WipAgent);
    team.granted(&release("bbbbbb", "link"));
    team.held(&take_over("aaaaaa", "link", &["web"]), "sage", &["web"]);
    let change = team.granted(&take_over("aaaaaa", "link", &["src", "tests"]));
    let claim = change.claim.unwrap();
    assert_eq!(claim.paths, paths(&["src", "tests", "docs"]));
    assert_eq!((claim.agent, claim.fence), (agent("link"), Fence(4)));
    assert_eq!(change.before.unwrap().agent, agent("kai"));
    team.not_held(&release("aaaaaa", "kai"));
    // It needs nobody to take it from.
    team.granted(&take_over("dddddd", "kai", &[]));
}

#[test]
fn a_hand_off_gives_or_frees() {
    let mut team = Team::limited(1);
    team.all_granted(&[
        take("aaaaaa", "kai", &["src"]),
        phase("aaaaaa", "kai", Phase::Blocked),
    ]);
    team.unchanged(&hand_off("aaaaaa", "kai", "kai"));

    let mut busy = team.clone();
    busy.granted(&take("bbbbbb", "link", &[]));
    let change = busy.granted(&hand_off("aaaaaa", "kai", "link"));
    assert_eq!((change.claim, busy.holder("aaaaaa")), (None, None));

    let claim = team.granted(&hand_off("aaaaaa", "kai", "link")).claim;
    let claim = claim.unwrap();
    assert_eq!(claim.agent, agent("link"));
    assert_eq!(claim.paths, paths(&["src"]));
    assert_eq!((claim.phase, claim.fence), (Phase::Working, Fence(2)));

    // Paths without a task need no slot.
    team.all_granted(&[
        take_paths("pppppp", "kai", &["docs"]),
        hand_off("pppppp", "kai", "link"),
    ]);
    assert_eq!(team.holder("pppppp"), Some("link"));
}

#[test]
fn a_hand_off_never_makes_two_agents_overlap() {
    let mut team = Team::new();
    team.all_granted(&[
        take("aaaaaa", "kai", &["src"]),
        take("bbbbbb", "kai", &["src/auth"]),
        hand_off("bbbbbb", "kai", "link"),
    ]);
    assert_eq!(team.holder("aaaaaa"), Some("kai"));
    assert_eq!(team.holder("bbbbbb"), None);
}

#[test]
fn closing_removes_whoever_holds() {
    let mut team = Team::new();
    team.granted(&take("aaaaaa", "kai", &[]));
    let change = team.granted(&close("aaaaaa"));
    assert_eq!(change.before.unwrap().agent, agent("kai"));
    team.unchanged(&close("aaaaaa"));
    assert_eq!((team.table.epoch, team.table.fence), (2, Fence(1)));
}

fn share(task: &str, by: &str, on: &[&str], shared: &[&str]) -> Request {
    Request::Take(Take {
        shared: paths(shared).into_iter().collect(),
        ..take_of(task, by, on)
    })
}

#[test]
fn several_share_a_path_that_nobody_holds_alone() {
    let mut team = Team::new();
    let log = &["log"][..];
    team.all_granted(&[
        share("aaaaaa", "kai", &["src", "log"], log),
        share("bbbbbb", "link", log, log),
    ]);
    team.held(&take("cccccc", "sage", log), "kai", log);
    team.held(&take("cccccc", "sage", &["**"]), "kai", &["src", "log"]);
    team.held(
        &share("cccccc", "sage", &["src"], &["src"]),
        "kai",
        &["src"],
    );
    // Claimed again, it stays what it is, unless that is wanted: alone only if nobody else has it.
    team.unchanged(&share("aaaaaa", "kai", log, log));
    team.held(&take("aaaaaa", "kai", log), "link", log);
    team.granted(&release("bbbbbb", "link"));
    team.granted(&take("aaaaaa", "kai", log));
    team.held(&share("bbbbbb", "link", log, log), "kai", log);
    team.granted(&share("aaaaaa", "kai", log, log));
    team.granted(&share("bbbbbb", "link", log, log));
    // Handed over, it is shared with the same.
    let given = team.granted(&hand_off("bbbbbb", "link", "mira"));
    assert_eq!(
        given.claim.unwrap().shared,
        paths(log).into_iter().collect()
    );
    let taken = team.granted(&take_over("bbbbbb", "sage", &[]));
    assert_eq!(
        taken.claim.unwrap().shared,
        paths(log).into_iter().collect()
    );
}

#[test]
fn what_the_team_shares_is_never_held_alone() {
    let mut team = Team::new();
    let file = |text: &str| text.parse::<PathPattern>().unwrap().of_files();
    team.settings.shared_paths = vec![file("**/log")];
    team.granted(&take("aaaaaa", "kai", &["src"]));
    for (task, by, other) in [("bbbbbb", "link", "docs"), ("cccccc", "sage", "web")] {
        let take = Take {
            paths: vec![file("src/log"), file(other)],
            ..take_of(task, by, &[])
        };
        let claim = team.granted(&Request::Take(take)).claim.unwrap();
        assert_eq!(claim.shared.iter().collect::<Vec<_>>(), [&file("src/log")]);
    }
    team.held(&take("dddddd", "mira", &["docs"]), "link", &["docs"]);
    team.held(&take("dddddd", "mira", &["src/a"]), "kai", &["src"]);
    // What was claimed before the team shared it is not held alone any more.
    team.settings.shared_paths.push("src".parse().unwrap());
    team.granted(&take("dddddd", "mira", &["src/a"]));
}

const AGENTS: [&str; 4] = ["kai", "link", "sage", "mira"];
const TASKS: [&str; 6] = ["aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee", "ffffff"];
const PATHS: [&str; 6] = ["src", "src/auth", "src/*/a.rs", "docs", "**/a.rs", "web"];

fn any_request() -> impl Strategy<Value = Request> {
    let who = || prop::sample::select(&AGENTS[..]);
    let what = || prop::sample::select(&TASKS[..]);
    let on = || prop::sample::subsequence(&PATHS[..], 0..3);
    let taken = (what(), who(), on(), any::<[bool; 4]>()).prop_map(
        |(task, by, on, [of_task, take_over, gpu, share])| {
            let shared = paths(&on).into_iter().filter(|_| share).collect();
            let gpu = gpu.then(|| "gpu".parse().unwrap());
            Request::Take(Take {
                of_task,
                take_over,
                shared,
                resources: gpu.into_iter().collect(),
                ..take_of(task, by, &on)
            })
        },
    );
    let phases = prop::sample::select(&[Phase::Working, Phase::Blocked, Phase::InReview][..]);
    prop_oneof![
        8 => taken,
        2 => (what(), who(), on()).prop_map(|(task, by, on)| take(task, by, &on)),
        4 => (what(), who(), phases).prop_map(|(task, by, to)| phase(task, by, to)),
        1 => what().prop_map(send_back),
        1 => (what(), who()).prop_map(|(task, by)| release(task, by)),
        1 => what().prop_map(close),
        4 => (what(), who(), who()).prop_map(|(task, by, to)| hand_off(task, by, to)),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_requests_breaks_a_rule(
        requests in prop::collection::vec((any_request(), 0..6_usize), 0..60),
        limit in 1..3_u32,
        team_limit in prop::option::of(1..5_u32),
    ) {
        let mut team = Team::limited(limit);
        team.settings.wip_team = team_limit;
        for (request, silent) in &requests {
            team.silent = AGENTS.get(*silent).map(|name| agent(name)).into_iter().collect();
            let before = team.table.clone();
            let decision = team.ask_and_keep(request);
            let table = &team.table;

            // Task and claim are one: the key is the claim's own id.
            prop_assert!(table.claims.iter().all(|(id, claim)| *id == claim.id));
            let claims: Vec<&Claim> = table.claims.values().collect();
            for (index, a) in claims.iter().enumerate() {
                for b in claims[..index].iter().filter(|b| b.agent != a.agent) {
                    prop_assert_eq!(a.cover().in_the_way(b.cover(), &[]).next(), None);
                }
            }
            let gpu = "gpu".parse().unwrap();
            let users = claims.iter().filter(|claim| claim.resources.contains(&gpu));
            prop_assert!(users.count() <= 2);

            let Decision::Changed(change) = decision else {
                prop_assert_eq!(table, &before);
                continue;
            };
            prop_assert_eq!(table.epoch, before.epoch + 1);
            prop_assert!(table.fence >= before.fence);
            for claim in &claims {
                match before.claims.get(&claim.id).filter(|old| old.fence == claim.fence) {
                    Some(old) => prop_assert_eq!(&old.agent, &claim.agent),
                    None => prop_assert!(claim.fence > before.fence),
                }
            }
            // Only a reviewer's request may go above a limit; no other adds to it.
            let takes_slot = change.claim.as_ref().filter(|claim| {
                let worked = change.before.as_ref().is_some_and(|old| {
                    old.phase == Phase::Working && old.of_task && old.agent == claim.agent
                });
                claim.of_task && claim.phase == Phase::Working && !worked
            });
            if let Some(claim) = takes_slot.filter(|_| !matches!(request, Request::SendBack { .. })) {
                prop_assert!(table.in_progress(Some(&claim.agent)) <= limit as usize);
                prop_assert!(team_limit.is_none_or(|most| table.in_progress(None) <= most as usize));
            }
            for gone in &change.expired {
                prop_assert!(gone.phase != Phase::InReview);
            }
        }
    }
}

#[test]
fn what_a_namesake_in_another_clone_holds_is_not_ones_own() {
    let mut team = Team::new();
    let theirs = Take {
        clone: "ba9876543210".parse().unwrap(),
        ..take_of("aaaaaa", "kai", &["src/a"])
    };
    team.granted(&Request::Take(theirs));
    let same = Request::Take(take_of("aaaaaa", "kai", &["src/a"]));
    let overlapping = Request::Take(take_of("bbbbbb", "kai", &["src"]));
    for request in [&same, &overlapping] {
        let decision = team.ask(request);
        assert!(matches!(decision, Decision::Held { .. }), "{decision:?}");
    }
    let decision = team.ask(&release("aaaaaa", "kai"));
    assert!(matches!(decision, Decision::NotHeld { .. }), "{decision:?}");
    // The seat moves here, and what it holds with it.
    let here = Request::Move {
        agent: agent("kai"),
        clone: clone_id(),
    };
    team.granted(&here);
    team.unchanged(&here);
    team.unchanged(&same);
    team.all_granted(&[overlapping, release("aaaaaa", "kai")]);
}
