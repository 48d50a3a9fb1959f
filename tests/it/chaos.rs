//! Random work in several clones while everything fails that can fail. Afterwards nothing that was
//! acknowledged is missing, nobody was told wrong, and all agree.
//!
//! Four agents, each in a clone of its own and one of them in two, do what agents do ([`work`]),
//! online and off, with clocks that differ, with daemons that come, are killed and come back, and
//! with commands killed halfway. Meanwhile the remote is slow, drops
//! pushes, takes them and forgets to say so, says nothing at all, or is gone, for one or for all
//! ([`faults`]). Every answer is noted, and held against what is there at the end ([`proof`]).
//!
//! `CHAOS_SEED=7 CHAOS_STEPS=400 cargo test --test it chaos -- --nocapture` goes elsewhere, and on
//! for longer. The seed chooses what is tried; what meets what is the machine's doing.

mod faults;
mod proof;
mod work;

use std::sync::Mutex;
use std::time::Duration;

use crate::support::{Repo, TestEnv, poll_until};
use crate::sync::Machines;

const NAMES: [&str; 4] = ["kai", "link", "sage", "noor"];
/// The clones: what each is called, who works there, and by how many seconds its clock is ahead.
const PLACES: [(&str, &str, i64); 5] = [
    ("kai", "kai", 60),
    ("link", "link", -5),
    ("sage", "sage", 0),
    ("noor", "noor", 3600),
    ("attic", "kai", -30),
];
/// How many tasks an agent may work on: few, so that some have no room for more.
const WIP: u32 = 2;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Makes the clones, whose clocks begin to differ once all have joined.
fn machines(env: &TestEnv) -> Machines {
    let mut it = Machines::new(env, NAMES);
    for (place, me, _) in &PLACES[NAMES.len()..] {
        let clone = env.clone_of(&it.bare, place);
        clone.reflectt(["join", me, "--here"]).ok();
        it.clones.push(clone);
    }
    for (clone, (_, _, ahead)) in it.clones.iter_mut().zip(PLACES) {
        *clone = clone.with_clock(ahead * 1000);
    }
    it
}

/// Ends the daemons, however the test ends.
struct Daemons(Vec<Repo>);

impl Drop for Daemons {
    fn drop(&mut self) {
        for clone in &self.0 {
            clone.reflectt(["daemon", "stop"]);
        }
    }
}

/// Waits until no process is at work here any more: a killed command leaves its git behind, which
/// may still push something.
fn settle(env: &TestEnv) {
    let dir = env.dir().to_str().unwrap();
    let at_work = || {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let lines = processes.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(dir)).count()
    };
    poll_until("all has ended", Duration::from_secs(30), || {
        (at_work() == 0).then_some(())
    });
}

#[test]
fn after_random_work_and_failures_nothing_is_missing_and_all_agree() {
    let seed = setting("CHAOS_SEED", fastrand::u64(..1_000_000));
    let steps = setting("CHAOS_STEPS", 60);
    println!("CHAOS_SEED={seed} CHAOS_STEPS={steps}");
    let env = TestEnv::new();
    let it = machines(&env);
    let settings = [
        ("wip.agent", WIP.to_string()),
        ("sync.time_limit", "2s".to_owned()),
        ("sync.interval", "1s".to_owned()),
        ("channels.team", "what concerns all".to_owned()),
    ];
    for (key, value) in settings {
        it.clones[0].reflectt(["config", "set", key, &value]).ok();
    }
    it.sync_all();
    let remote = faults::Remote::new(&env, &it);
    let daemons = Daemons(it.clones.clone());
    let notes = Mutex::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..PLACES.len())
            .map(|n| {
                let rng = fastrand::Rng::with_seed(seed.wrapping_add(n as u64));
                let (place, me, _) = PLACES[n];
                let mut worker = work::Worker::new(&it.clones[n], place, me, rng, &notes);
                scope.spawn(move || {
                    for step in 0..steps {
                        worker.act(step);
                    }
                })
            })
            .collect();
        let mut rng = fastrand::Rng::with_seed(!seed);
        while !workers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            remote.spoil(&mut rng);
        }
    });
    remote.mend();
    drop(daemons);
    settle(&env);
    let notes = notes.into_inner().unwrap();
    println!("{}", notes.summary());
    proof::of(&it, &notes);
}
