//! One machine loses its way to the remote, works on, and comes back to a team that went on, too.

use crate::cli::demo::forge::{BY_CABLE, DESK, LAPTOP, WIFI};
use crate::cli::demo::setting::{ADA, BEN};
use crate::cli::demo::team::Team;
use crate::cli::demo::waiting::until;
use crate::cli::error::CliError;
use crate::ops::Proof;

/// What can be done without the remote, and what it is worth.
pub fn cut_off(team: &mut Team) -> Result<(), CliError> {
    let (greet, sort) = (team.task("greet"), team.task("sort"));
    team.stage.cut_off()?;
    team.say.tell(&format!(
        "  The laptop loses its `{WIFI}`. Only the remote can say who gets a task:"
    ));
    team.expect(BEN, &["claim", &greet], 6, 1)?;
    team.say
        .tell("  ben works on all the same, and takes two tasks provisionally:");
    team.run(BEN, &["claim", &greet, "--offline"], 1)?;
    team.run(BEN, &["claim", &sort, "--offline"], 1)?;
    let shown = team.run(BEN, &["claims"], 4)?;
    for id in [&greet, &sort] {
        if state(team, BEN, id)? != Some((BEN.to_owned(), "provisional".to_owned())) {
            return Err(shown.unexpected(0));
        }
    }
    let text = "I am on a train, and took two tasks along.";
    team.run(BEN, &["send", ADA, text], 1)?;
    team.say
        .tell("  ada cannot know that, and takes one of the two. The remote confirms it:");
    team.run(ADA, &["claim", &greet], 1)?;
    Ok(())
}

/// Both histories become one, and whoever lost something is told.
pub fn come_back(team: &mut Team) -> Result<(), CliError> {
    let (greet, sort) = (team.task("greet"), team.task("sort"));
    team.stage.reconnect()?;
    team.say.tell(&format!(
        "  `{WIFI}` is back. Nobody runs anything: the daemon on the laptop notices, and ben is told:"
    ));
    let told = team.woken(BEN, || Ok(()))?;
    if !told.stdout.contains("[claim_lost]") {
        return Err(told.unexpected(0));
    }
    team.say
        .tell("  ben gets no further until it says that it knows:");
    team.expect(BEN, &["heartbeat"], 7, 1)?;
    team.run(BEN, &["ack", "--all"], 1)?;
    team.run(BEN, &["heartbeat"], 1)?;
    until("the claims of both are not settled", || {
        let of = |id: &str| state(team, BEN, id);
        let confirmed = |who: &str| Some((who.to_owned(), "confirmed".to_owned()));
        Ok((of(&greet)? == confirmed(ADA) && of(&sort)? == confirmed(BEN)).then_some(()))
    })?;
    // Nobody is asked again, so this is the answer.
    team.granted(BEN, &sort);
    team.say
        .tell("  The other claim is confirmed, and what ben wrote has arrived:");
    team.run(BEN, &["claims"], 4)?;
    team.woken(ADA, || Ok(()))?;
    team.run(ADA, &["ack", "--all"], 1)?;
    agree(team)
}

/// Returns who holds a task, as a machine knows it, and whether that is confirmed.
fn state(team: &Team, who: &str, id: &str) -> Result<Option<(String, String)>, CliError> {
    let table = team.ask(who, &["--json", "claims"])?.json()?;
    let mut claims = table["claims"].as_array().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Ok(claims
        .find(|claim| claim["id"] == id)
        .map(|claim| (text(&claim["agent"]), text(&claim["state"]))))
}

/// Tells whether record and table are at the same commits everywhere.
fn same(team: &Team) -> Result<bool, CliError> {
    let remote = team.stage.tips(BY_CABLE)?;
    Ok(team.stage.tips(DESK)? == remote && team.stage.tips(LAPTOP)? == remote)
}

/// Waits until everything has been exchanged, stops the daemons and compares what is left.
fn agree(team: &mut Team) -> Result<(), CliError> {
    until("the machines differ", || Ok(same(team)?.then_some(())))?;
    team.say
        .tell("  A moment later both machines and the remote have the same. The daemons can go:");
    for who in [ADA, BEN] {
        team.run(who, &["daemon", "stop"], 1)?;
    }
    let mut left = 0;
    for who in [ADA, BEN] {
        let status = team.ask(who, &["--json", "daemon", "status"])?.json()?;
        left += usize::from(status["running"] != false);
    }
    if !same(team)? {
        // A daemon may have drawn the board anew in its last moment.
        for who in [ADA, BEN, ADA] {
            team.run(who, &["sync"], 1)?;
        }
    }
    let tips = team.stage.tips(BY_CABLE)?;
    let found = match same(team)? {
        true => {
            let short: Vec<&str> = tips.lines().filter_map(|oid| oid.get(..7)).collect();
            Ok(format!("at {}", short.join(" and ")))
        }
        false => Err("their tips differ".to_owned()),
    };
    team.proofs.push(Proof {
        what: "one_record",
        claim: "record and claims are the same on both machines and the remote",
        found,
    });
    team.proofs.push(Proof {
        what: "no_daemon",
        claim: "no daemon is left at work",
        found: match left {
            0 => Ok("2 were stopped".to_owned()),
            left => Err(format!("{left} are")),
        },
    });
    Ok(())
}
