//! Many who want something of a slow remote at once: one push for all of a clone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::remote::{Remote, wait_until_at_rest};
use crate::support::process::{Running, Victims};
use crate::support::{Output, Repo, TestEnv, check, race};
use crate::sync::Machines;

/// One clone with this many agents, each in a worktree of its own, and as many tasks.
struct Crew {
    it: Machines,
    remote: Remote,
    trees: Vec<(String, Repo)>,
    tasks: Vec<String>,
}

impl Crew {
    fn new(env: &TestEnv, size: usize) -> Crew {
        let it = Machines::new(env, ["kai", "link"]);
        let kai = &it.clones[0];
        let join = |n: usize| {
            let name = format!("a{n}");
            let tree = kai.worktree(&name);
            tree.reflectt(["--no-sync", "join", &name]).ok();
            (name, tree)
        };
        let trees = (0..size).map(join).collect();
        let make = |n: usize| {
            let (title, path) = (format!("Task {n}"), format!("src/{n}"));
            let args = ["--no-sync", "task", "new", &title, "--path", &path];
            let args = args
                .iter()
                .chain(&["--json", "--criterion", "a test shows that it works"]);
            let made = kai.reflectt(args).ok().json();
            made["id"].as_str().unwrap().to_owned()
        };
        let tasks = (0..size).map(make).collect();
        it.sync_all();
        let remote = Remote::watch(&it.bare);
        Crew {
            it,
            remote,
            trees,
            tasks,
        }
    }

    /// How many of the pushes since this was last asked moved the table.
    fn decisions(&self) -> usize {
        let pushes = self.remote.pushes();
        let decisions = pushes.iter().filter(|refs| refs.contains("claims"));
        let decisions = decisions.count();
        println!("{} pushes, {decisions} of them of the table", pushes.len());
        decisions
    }

    /// Who holds what, as the remote has it.
    fn held(&self) -> BTreeMap<String, String> {
        self.it.sync_all();
        let claims = check::claims(&self.it.clones[1]);
        let held = claims.into_iter().map(|(id, claim)| {
            assert_eq!(claim["state"], "confirmed");
            (id, claim["agent"].as_str().unwrap().to_owned())
        });
        held.collect()
    }

    #[track_caller]
    fn sound(&self) {
        self.it.agree();
        for clone in &self.it.clones {
            check::agree(clone);
        }
        check::never_mended(&self.it.clones[0]);
    }
}

/// Returns the task that an answer gives, which must be confirmed.
#[track_caller]
fn given(output: &Output) -> String {
    let answer = output.clone().ok().json();
    assert_eq!(answer["claim"]["state"], "confirmed", "{output}");
    answer["claim"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn twelve_agents_of_one_clone_share_the_pushes_of_a_slow_remote() {
    let env = TestEnv::new();
    let crew = Crew::new(&env, 12);
    crew.remote.slow_down();
    let next = |(_, tree): &(String, Repo)| tree.command(["--json", "next", "--claim"]);
    let begun = Instant::now();
    let outputs = race(crew.trees.iter().map(next));
    println!("12 agents took {:?}", begun.elapsed());
    let decisions = crew.decisions();
    let held = crew.held();
    for ((name, _), output) in crew.trees.iter().zip(&outputs) {
        assert_eq!(held.get(&given(output)), Some(name));
    }
    assert_eq!(held.len(), 12);
    assert!(decisions <= 3, "{decisions} pushes of the table");
    crew.sound();
}

#[test]
fn one_that_is_refused_among_those_who_wait_fails_alone_and_for_its_own_reason() {
    let env = TestEnv::new();
    let crew = Crew::new(&env, 6);
    let (over, free) = crew.tasks.split_last().unwrap();
    let kai = &crew.it.clones[0];
    kai.reflectt(["cancel", over, "--reason", "no use"]).ok();
    crew.remote.pushes();
    crew.remote.hold();
    // One is at the door, and the others come meanwhile: one for what is over, one for what another
    // of them takes, all others for what is free.
    let claim =
        |(_, tree): &(String, Repo), id: &str| tree.command(["--json", "claim", id]).spawn();
    let first = claim(&crew.trees[0], &free[0]);
    crew.remote.wait_for_push();
    let wants = [over.as_str(), &free[1], &free[1], &free[2], &free[3]];
    let waiting: Vec<Running> = (crew.trees[1..].iter().zip(wants))
        .map(|(tree, id)| claim(tree, id))
        .collect();
    for one in &waiting {
        wait_until_at_rest(one.child.id());
    }
    crew.remote.let_go();
    let first = first.finish();
    let outputs: Vec<Output> = waiting.into_iter().map(Running::finish).collect();
    let decisions = crew.decisions();
    assert_eq!(given(&first), free[0]);
    let refused = outputs[0].clone().code(4).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("cancelled"), "{message}");
    let pair = [outputs[1].status, outputs[2].status];
    assert!(
        pair == [Some(0), Some(3)] || pair == [Some(3), Some(0)],
        "{outputs:?}"
    );
    let (won, lost) = if pair[0] == Some(0) { (1, 2) } else { (2, 1) };
    let error = outputs[lost].json()["error"].clone();
    assert_eq!(error["holder"], crew.trees[won + 1].0.as_str(), "{error}");
    for (output, id) in outputs[3..].iter().zip(&free[2..]) {
        assert_eq!(&given(output), id);
    }
    assert_eq!(crew.held().len(), 4);
    assert!(decisions <= 3, "{decisions} pushes of the table");
    crew.sound();
}

#[test]
fn who_is_killed_while_it_waits_gets_nothing_and_the_others_do() {
    let env = TestEnv::new();
    let crew = Crew::new(&env, 6);
    crew.remote.hold();
    let claim =
        |((_, tree), id): (&(String, Repo), &String)| tree.command(["--json", "claim", id]).spawn();
    let mut runs = crew.trees.iter().zip(&crew.tasks).map(claim);
    let first = runs.next().unwrap();
    crew.remote.wait_for_push();
    let mut waiting: Vec<Running> = runs.collect();
    for one in &waiting {
        wait_until_at_rest(one.child.id());
    }
    let killed = waiting.remove(2).kill_with(Victims::WithChildren);
    assert_eq!(killed.status, None, "{killed}");
    crew.remote.let_go();
    given(&first.finish());
    for one in waiting {
        given(&one.finish());
    }
    let decisions = crew.decisions();
    let held = crew.held();
    assert_eq!(held.len(), 5, "{held:?}");
    assert_eq!(held.get(&crew.tasks[3]), None);
    assert!(decisions <= 3, "{decisions} pushes of the table");
    crew.sound();
    // And the one that was killed comes back.
    given(
        &crew.trees[3]
            .1
            .reflectt(["--json", "claim", &crew.tasks[3]]),
    );
}

#[test]
fn who_pushes_for_all_and_is_killed_leaves_nobody_without_an_answer() {
    for victims in [Victims::Alone, Victims::WithChildren] {
        let env = TestEnv::new();
        let crew = Crew::new(&env, 6);
        crew.remote.hold();
        let next = |(_, tree): &(String, Repo)| tree.command(["--json", "next", "--claim"]).spawn();
        let mut runs = crew.trees.iter().map(next);
        let first = runs.next().unwrap();
        crew.remote.wait_for_push();
        let waiting: Vec<Running> = runs.collect();
        for one in &waiting {
            wait_until_at_rest(one.child.id());
        }
        let killed = first.kill_with(victims);
        assert_eq!(killed.status, None, "{killed}");
        crew.remote.let_go();
        let given: Vec<String> = waiting
            .into_iter()
            .map(|one| given(&one.finish()))
            .collect();
        crew.decisions();
        let held = crew.held();
        for (id, (name, _)) in given.iter().zip(&crew.trees[1..]) {
            assert_eq!(held.get(id), Some(name), "{victims:?}: {held:?}");
        }
        let all: BTreeSet<&String> = given.iter().collect();
        assert_eq!(all.len(), 5, "{victims:?}: {given:?}");
        // Whether the push of the one that was killed arrived is the remote's to say; if it did,
        // it learns so by asking again.
        let own = held.values().filter(|name| **name == crew.trees[0].0);
        assert!(own.count() <= 1);
        let again = crew.trees[0].1.reflectt(["--json", "next", "--claim"]).ok();
        let again = again.json()["task"]["id"].as_str().unwrap().to_owned();
        assert!(!all.contains(&again), "{victims:?}: {again}");
        crew.it.agree();
        for clone in &crew.it.clones {
            check::agree(clone);
        }
    }
}

/// Nobody waits for a person that was told to wait for others: alone it is one push.
#[test]
fn one_alone_needs_one_push() {
    let env = TestEnv::new();
    let crew = Crew::new(&env, 2);
    crew.remote.slow_down();
    let begun = Instant::now();
    given(&crew.trees[0].1.reflectt(["--json", "next", "--claim"]));
    println!("one agent took {:?}", begun.elapsed());
    assert_eq!(
        crew.remote.pushes(),
        ["refs/heads/reflectt refs/reflectt/claims"]
    );
}

#[test]
fn eight_clones_at_once_get_a_task_each_with_few_pushes() {
    let env = TestEnv::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let it = Machines::new(&env, names);
    for n in 0..names.len() {
        let (title, path) = (format!("Task {n}"), format!("src/{n}"));
        it.clones[0].task("a", &title, &["--path", &path]);
    }
    it.sync_all();
    let remote = Remote::watch(&it.bare);
    remote.slow_down();
    let begun = Instant::now();
    let next = |clone: &Repo| clone.command(["--json", "next", "--claim"]);
    let outputs = race(it.clones.iter().map(next));
    println!("8 clones took {:?}", begun.elapsed());
    let pushes = remote.pushes().len();
    println!("{pushes} pushes");
    let given: BTreeSet<String> = outputs.iter().map(given).collect();
    assert_eq!(given.len(), names.len(), "{outputs:?}");
    it.agree();
    let claims = check::claims(&it.clones[0]);
    for (output, name) in outputs.iter().zip(names) {
        let id = output.json()["claim"]["id"].as_str().unwrap().to_owned();
        assert_eq!(claims[&id]["agent"], name);
    }
    assert!(pushes <= 20, "{pushes} pushes");
}
