//! Two tasks have added a line to one file: the second to land conflicts, and comes back.

use crate::cli::demo::stage::BASE;
use crate::cli::demo::team::{Step, Team};
use crate::cli::error::CliError;

use super::opening::CHANGES;
use super::review::{approve, land, submission};

const BOTH: &str = "- entries are served as JSON\n- entries are shown on a page\n";

pub fn play(team: &mut Team) -> Result<(), CliError> {
    let (api, page) = (team.holder("api")?, team.holder("page")?);
    let pair = [
        (api, submission(team, "api", "asked for /entries of three")),
        (
            page,
            submission(team, "page", "looked at it with three entries"),
        ),
    ];
    team.side_by_side(&pair)?;
    approve(team, &["api", "page"])?;
    team.say.tell(&format!(
        "  Both have added a line to `{CHANGES}`. Whoever lands says so, to its author, too:"
    ));
    land(team, api, &["api"], &["page"])?;

    team.say.tell(&format!("  {page} keeps both lines:"));
    let merged = team.git_quietly(page, &["merge", BASE])?;
    team.say.command(&merged, 2);
    if merged.code == 0 {
        return Err(merged.unexpected(1));
    }
    let id = team.task("page");
    let mut again = vec![
        Step::Write(CHANGES, BOTH),
        Step::Commit(format!("page: with the changes of others ({id})")),
    ];
    again.extend(submission(team, "page", "looked at it with three entries"));
    team.side_by_side(&[(page, again)])?;
    approve(team, &["page"])?;
    land(team, page, &["page"], &[])
}
