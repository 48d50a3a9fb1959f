//! The team comes together and makes a plan.

use crate::cli::demo::setting::AGENTS;
use crate::cli::demo::stage::Source;
use crate::cli::demo::team::{Team, owned};
use crate::cli::error::CliError;

/// A task of the plan.
struct Planned {
    key: &'static str,
    title: &'static str,
    criteria: &'static [&'static str],
    priority: &'static str,
    path: &'static str,
    after: Option<&'static str>,
}

const PLAN: [Planned; 6] = [
    Planned {
        key: "store",
        title: "Keep entries in a file",
        criteria: &[
            "an entry that was added is there after a restart",
            "a damaged line is skipped and reported",
        ],
        priority: "P0",
        path: "guestbook/store",
        after: None,
    },
    Planned {
        key: "api",
        title: "Serve entries as JSON",
        criteria: &["GET /entries answers with all entries, newest first"],
        priority: "P1",
        path: "guestbook/api",
        after: None,
    },
    Planned {
        key: "page",
        title: "Show entries on a page",
        criteria: &["the page shows name, date and text of each entry"],
        priority: "P1",
        path: "guestbook/page/**/*.html",
        after: None,
    },
    Planned {
        key: "manual",
        title: "Write the manual",
        criteria: &["the manual covers installing, signing and moderating"],
        priority: "P1",
        path: "guestbook/docs",
        after: None,
    },
    Planned {
        key: "limits",
        title: "Limit the length of an entry",
        criteria: &["an entry of more than 500 characters is refused"],
        priority: "P1",
        path: "guestbook/store/limits.py",
        after: None,
    },
    Planned {
        key: "news",
        title: "Announce the first release",
        criteria: &["the news name what a guest can do now"],
        priority: "P2",
        path: "guestbook/NEWS.md",
        after: Some("store"),
    },
];

/// A temporary clone, a team, five worktrees.
pub fn gather(team: &mut Team) -> Result<(), CliError> {
    match team.stage.source() {
        Source::Clone(from) => {
            let place = from.display();
            team.say.tell(&format!(
                "  A temporary clone of {place}, which stays as it is:"
            ));
            if team.stage.is_sparse() {
                team.say
                    .tell("  (it is large: only its top level is checked out)");
            }
        }
        Source::MadeUp(why) => {
            team.say
                .tell(&format!("  A small made-up repository ({why}):"));
        }
    }
    team.say.tell(&format!("  {}", team.stage.root().display()));
    team.run("you", &["init"], 1)?;
    for (name, _) in AGENTS {
        team.stage.worktree(name)?;
    }
    let joins: Vec<_> = AGENTS
        .iter()
        .map(|(name, role)| (*name, owned(&["join", name, "--role", role])))
        .collect();
    team.say.tell("  All five join in the same moment:");
    for said in team.at_once(&joins)? {
        team.say.command(&said, 1);
        if said.code != 0 {
            return Err(said.unexpected(0));
        }
    }
    Ok(())
}

/// Six tasks with criteria, paths, and one that waits for another.
pub fn plan(team: &mut Team) -> Result<(), CliError> {
    for planned in &PLAN {
        let mut args = vec!["task", "new", planned.title];
        for criterion in planned.criteria {
            args.extend(["--criterion", criterion]);
        }
        args.extend(["--priority", planned.priority, "--path", planned.path]);
        let after = planned.after.map(|key| team.task(key));
        if let Some(id) = &after {
            args.extend(["--after", id]);
        }
        let made = team.run("kai", &args, 1)?;
        team.know(planned.key, made.first_word());
    }
    let vague = team.run(
        "kai",
        &["task", "new", "Make it nice", "--criterion", "TBD"],
        1,
    )?;
    team.say.tell("  Nobody can claim what nobody can check:");
    team.expect("link", &["claim", vague.first_word()], 4, 1)?;
    let why = [
        "cancel",
        vague.first_word(),
        "--reason",
        "nobody knows when it is done",
    ];
    team.run("kai", &why, 1)?;
    Ok(())
}
