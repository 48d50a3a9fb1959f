//! Messages: direct ones, one in a channel with a mention, and somebody who waits for an answer.

use crate::cli::demo::team::Team;
use crate::cli::error::CliError;

pub fn play(team: &mut Team) -> Result<(), CliError> {
    let (store, free) = (team.holder("store")?, team.holder("limits")?);
    let (api, page) = (team.holder("api")?, team.holder("page")?);
    let task = team.task("limits");
    let ask = "I wait for guestbook/store. When will you be done?";
    let sent = team.run(free, &["send", store, ask, "--task", &task], 1)?;
    let question = sent.stdout.split_whitespace().nth(1).unwrap_or_default();

    team.say.tell(&format!(
        "  {free} waits for the answer while {store} reads:"
    ));
    team.woken(free, || {
        team.run(store, &["inbox"], 2)?;
        team.run(store, &["ack", question], 1)?;
        let text = "Submitting it now. It is yours as soon as it is approved.";
        team.run(store, &["send", free, text, "--reply-to", question], 1)?;
        Ok(())
    })?;
    team.run(free, &["ack", "--all"], 1)?;

    let text = format!("@{api} what are the fields of an entry called?");
    team.run(page, &["send", "#general", &text], 1)?;
    team.run(api, &["inbox"], 2)?;
    team.run(api, &["ack", "--all"], 1)?;
    let text = format!("@{page} name, date, text");
    team.run(api, &["send", "#general", &text], 1)?;
    Ok(())
}
