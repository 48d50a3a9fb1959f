//! The team comes together and makes a plan.

use crate::cli::demo::setting::AGENTS;
use crate::cli::demo::stage::Source;
use crate::cli::demo::team::{Team, owned};
use crate::cli::error::CliError;
use crate::format::CHECKS_FILE;

/// What two tasks add a line to.
pub const CHANGES: &str = "guestbook/CHANGES.md";

/// A task of the plan.
struct Planned {
    key: &'static str,
    title: &'static str,
    criteria: &'static [&'static str],
    priority: &'static str,
    path: &'static str,
    /// What others may change at the same time.
    share: Option<&'static str>,
    check: Option<&'static str>,
    after: Option<&'static str>,
}

/// Tasks have most of it in common.
const PLAIN: Planned = Planned {
    key: "",
    title: "",
    criteria: &[],
    priority: "P1",
    path: "",
    share: None,
    check: None,
    after: None,
};

/// What must pass before anything lands.
const CHECKS: &str =
    "[checks.lines]\nrun = \"sh guestbook/lines.sh\"\n\n[land]\nchecks = [\"lines\"]\n";

/// No text has a longer line than is allowed, once somebody has said how long that is.
const LINES: &str = r#"max=$(sed -n 's/^LONGEST = //p' guestbook/store/limits.py 2>/dev/null)
for text in guestbook/*.md; do
    test -e "$text" || continue
    awk -v max="${max:-500}" -v name="$text" '
        length($0) > max { print name ": " $0; bad = 1 }
        END { exit bad }
    ' < "$text" || exit 1
done
"#;

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
        ..PLAIN
    },
    Planned {
        key: "api",
        title: "Serve entries as JSON",
        criteria: &["GET /entries answers with all entries, newest first"],
        path: "guestbook/api",
        share: Some(CHANGES),
        ..PLAIN
    },
    Planned {
        key: "page",
        title: "Show entries on a page",
        criteria: &["the page shows name, date and text of each entry"],
        path: "guestbook/page/**/*.html",
        share: Some(CHANGES),
        ..PLAIN
    },
    Planned {
        key: "manual",
        title: "Write the manual",
        criteria: &["the manual covers installing, signing and moderating"],
        path: "guestbook/docs",
        ..PLAIN
    },
    Planned {
        key: "limits",
        title: "Limit the length of a line",
        criteria: &["a line of more than 60 characters is refused"],
        path: "guestbook/store/limits.py",
        ..PLAIN
    },
    Planned {
        key: "news",
        title: "Announce the first release",
        criteria: &["the news name what a guest can do now"],
        priority: "P2",
        path: "guestbook/NEWS.md",
        check: Some("lines"),
        after: Some("store"),
        ..PLAIN
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
    team.say
        .tell("  `main` says what must pass before anything lands:");
    team.stage
        .begin_with(&[(CHECKS_FILE, CHECKS), ("guestbook/lines.sh", LINES)])?;
    team.run("you", &["init"], 1)?;
    team.run("you", &["checks", "list"], 2)?;
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
        args.extend(planned.share.iter().flat_map(|path| ["--share", path]));
        args.extend(planned.check.iter().flat_map(|name| ["--check", name]));
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
