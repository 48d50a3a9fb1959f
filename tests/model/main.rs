//! The protocol, checked in every state that a few clones can reach; `docs/design/protocol.md`.
//!
//! What decides is the crate's own: the table's rules, the fold of a task, the merge, the audit.
//! The model adds what lies between: clones that see old versions, pushes that fail, answers that
//! are lost, processes that die, clocks that are off. `MODEL_STEPS` goes that many steps deeper.

#![cfg(test)]

mod deed;
mod law;
mod version;
mod world;

use std::fmt::Write as _;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use deed::What;
use law::{Fault, Law};
use world::{Limits, Protocol, Seat};

const KAI: usize = 0;
const LINK: usize = 1;
const RYU: usize = 2;

const APART: [Seat; 2] = [(KAI, 0), (LINK, 1)];

/// All that one agent can do to a task; whom it concerns is filled in by the model.
const ALL: [What; 12] = [
    What::Claim,
    What::TakeOver,
    What::Release,
    What::HandOff(KAI),
    What::Block,
    What::Unblock,
    What::Submit(KAI),
    What::Approve,
    What::RequestChanges,
    What::Reviewer(KAI),
    What::Cancel,
    What::Reopen,
];

const WORK: [What; 5] = [
    What::Claim,
    What::TakeOver,
    What::Release,
    What::Submit(KAI),
    What::Approve,
];

const OVERLAPPING: [&str; 2] = ["src", "src/lib.rs"];
const DISJOINT: [&str; 2] = ["src", "docs"];

/// Two clones, one twenty seconds ahead and one as much behind.
fn protocol(seats: &[Seat], paths: &[&'static str], deeds: &[What], limits: Limits) -> Protocol {
    Protocol {
        seats: seats.to_vec(),
        clocks: vec![20, -20],
        founded: 0,
        paths: paths.to_vec(),
        deeds: deeds.to_vec(),
        limits,
        faults: Vec::new(),
    }
}

/// Visits every state and says how many there were. Returns how `law`, or any law, was broken.
fn check(protocol: &Protocol, law: Option<Law>) -> Option<String> {
    let begun = Instant::now();
    let until = match law {
        Some(law) => HasDiscoveries::AnyOf([law.name()].into()),
        None => HasDiscoveries::AnyFailures,
    };
    let checker = protocol
        .clone()
        .checker()
        .finish_when(until)
        .spawn_bfs()
        .join();
    let (states, steps) = (checker.unique_state_count(), protocol.limits.steps);
    let found = checker.discoveries();
    let mut wanted = found
        .iter()
        .filter(|(name, _)| law.is_none_or(|law| law.name() == **name));
    let broken = wanted.next().map(|(name, path)| {
        let mut text = format!("broken: {name}\n");
        for step in path.clone().into_actions() {
            writeln!(text, "  {step:?}").unwrap();
        }
        write!(text, "{:#?}", path.last_state()).unwrap();
        text
    });
    let seconds = begun.elapsed().as_secs_f32();
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    eprintln!("{name}: {states} states within {steps} steps, {seconds:.1} s");
    broken
}

#[track_caller]
fn holds(mut protocol: Protocol) {
    let deeper = std::env::var("MODEL_STEPS").map_or(0, |text| text.parse().unwrap());
    protocol.limits.steps += deeper;
    if let Some(broken) = check(&protocol, None) {
        panic!("{broken}");
    }
}

/// The law holds, and no longer if these mends are taken out.
#[track_caller]
fn breaks(law: Law, faults: &[Fault], protocol: Protocol) {
    let whole = check(&protocol, Some(law));
    assert!(whole.is_none(), "{}", whole.unwrap_or_default());
    let faults = [&protocol.faults[..], faults].concat();
    let broken = check(&Protocol { faults, ..protocol }, Some(law));
    let broken = broken.expect("the model does not see what the mend is good for");
    if std::env::var_os("MODEL_SHOW").is_some() {
        eprintln!("{broken}");
    }
}

fn steps(steps: u8) -> Limits {
    Limits {
        steps,
        ..Limits::default()
    }
}

#[test]
fn all_that_is_decided_online() {
    let limits = Limits {
        crashes: 1,
        ..steps(3)
    };
    holds(protocol(&APART, &OVERLAPPING, &ALL, limits));
}

#[test]
fn requests_comments_and_crashes_beside_them() {
    let limits = Limits {
        requests: 3,
        crashes: 1,
        comments: 1,
        ..steps(3)
    };
    holds(protocol(&APART, &["src"], &ALL, limits));
}

#[test]
fn requests_about_overlapping_paths() {
    let limits = Limits {
        requests: 4,
        crashes: 1,
        ..steps(4)
    };
    holds(protocol(
        &APART,
        &OVERLAPPING,
        &[What::Claim, What::Release, What::HandOff(KAI)],
        limits,
    ));
}

#[test]
fn one_name_in_two_clones() {
    let seats = [(KAI, 0), (KAI, 1), (LINK, 1)];
    let limits = Limits {
        requests: 3,
        ..steps(4)
    };
    holds(protocol(&seats, &["src"], &WORK, limits));
}

#[test]
fn silence_and_hand_offs_to_the_busy() {
    let deeds = [
        What::Claim,
        What::Release,
        What::HandOff(KAI),
        What::Submit(KAI),
        What::Expire,
    ];
    let limits = Limits {
        requests: 1,
        sleeps: 1,
        ..steps(4)
    };
    holds(protocol(&APART, &DISJOINT, &deeds, limits));
}

#[test]
fn three_clones() {
    let three = Protocol {
        seats: vec![(KAI, 0), (LINK, 1), (RYU, 2)],
        clocks: vec![0, 20, -20],
        ..protocol(
            &[],
            &["src"],
            &WORK,
            Limits {
                requests: 2,
                comments: 1,
                ..steps(4)
            },
        )
    };
    holds(three);
}

#[test]
fn fault_1_what_is_provisional_enters_the_record() {
    let limits = Limits {
        requests: 1,
        ..steps(3)
    };
    let small = protocol(&APART, &["src"], &WORK, limits);
    breaks(
        Law::NothingConfirmedIsVoid,
        &[Fault::ProvisionalIsShared],
        small,
    );
}

#[test]
fn fault_2_an_id_after_another_is_the_next_number() {
    let ahead = Protocol {
        founded: 200,
        ..protocol(
            &APART,
            &["src"],
            &[],
            Limits {
                comments: 2,
                ..steps(3)
            },
        )
    };
    breaks(Law::NothingVanishes, &[Fault::NextNumber], ahead);
}

#[test]
fn fault_3_the_table_is_pushed_alone() {
    let deeds = [What::Claim, What::Cancel, What::HandOff(KAI)];
    let small = protocol(&APART, &["src"], &deeds, steps(3));
    breaks(Law::NothingEndsUntold, &[Fault::TableAlone], small);
}

#[test]
fn fault_4_what_moves_only_the_record_asks_no_table() {
    let small = protocol(&APART, &["src"], &[What::Claim, What::Cancel], steps(3));
    breaks(Law::NothingConfirmedIsVoid, &[Fault::RecordAlone], small);
}

/// Where the record comes later than the table, the order of ids is another than the table's. In
/// one commit of the world each id is later than all that was decided of its task before.
#[test]
fn fault_5_events_stand_in_the_order_of_their_ids() {
    let late = Protocol {
        faults: vec![Fault::TableAlone],
        ..protocol(&APART, &["src"], &[What::Claim, What::Release], steps(4))
    };
    breaks(Law::NothingConfirmedIsVoid, &[Fault::OrderOfStamps], late);
}

#[test]
fn fault_6_a_provisional_claim_has_a_fence() {
    let small = protocol(
        &APART,
        &["src"],
        &[What::Claim],
        Limits {
            requests: 1,
            ..steps(2)
        },
    );
    breaks(Law::OneFenceOneClaim, &[Fault::FenceOfTheView], small);
}

#[test]
fn fault_7_a_push_replaces_what_was_done_meanwhile() {
    let seats = [(KAI, 0), (RYU, 0), (LINK, 1)];
    let limits = Limits {
        requests: 1,
        ..steps(2)
    };
    let small = protocol(&seats, &DISJOINT, &[What::Claim], limits);
    breaks(Law::DecidedOnce, &[Fault::PushReplacesView], small);
}

#[test]
fn fault_8_a_claim_stays_in_the_clone_of_its_giver() {
    let deeds = [What::Claim, What::HandOff(KAI), What::Expire];
    let small = protocol(&APART, &["src"], &deeds, steps(3));
    breaks(Law::TheLivingStay, &[Fault::CloneOfTheGiver], small);
}

#[test]
fn a_request_is_decided_twice_if_the_table_does_not_say_what_was_served() {
    let limits = Limits {
        requests: 1,
        crashes: 1,
        ..steps(2)
    };
    let small = protocol(&APART, &["src"], &[What::Claim], limits);
    breaks(Law::DecidedOnce, &[Fault::ServedIsNotWritten], small);
}

#[test]
fn a_request_that_names_no_claim_ends_one_it_never_saw() {
    let deeds = [
        What::Claim,
        What::TakeOver,
        What::Release,
        What::HandOff(KAI),
    ];
    let limits = Limits {
        requests: 1,
        ..steps(4)
    };
    let small = protocol(&APART, &["src"], &deeds, limits);
    breaks(Law::OnlyWhatWasMeant, &[Fault::RequestsNameNothing], small);
}

#[test]
fn a_reviewer_is_named_for_nothing_if_that_asks_no_table() {
    let seats = [(KAI, 0), (LINK, 1), (RYU, 1)];
    let deeds = [
        What::Claim,
        What::Submit(KAI),
        What::Approve,
        What::Reviewer(KAI),
    ];
    let small = protocol(&seats, &["src"], &deeds, steps(4));
    breaks(Law::NothingConfirmedIsVoid, &[Fault::ReviewerIsFree], small);
}
