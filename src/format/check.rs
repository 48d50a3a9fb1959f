//! Checks: the file that defines them, which people write, and a run of one in a task's history.

use toml::de::DeValue;

use crate::model::check::{Check, CheckResult, Checks, Obstacle, Outcome, TIME_LIMIT, TIME_LIMITS};
use crate::model::name::CheckName;
use crate::model::text;
use crate::model::time::Span;

use super::FormatError;
use super::field::{self, Reason};
use super::reader::Reader;
use super::writer::Writer;

/// Where a repository defines its checks, from its root.
pub const CHECKS_FILE: &str = "reflectt.toml";

/// Reads the file that defines checks. A key that is not known is an error: nobody but people
/// writes this file, and a check that is passed over for a slip of the pen would guard nothing.
pub fn parse_checks(bytes: &[u8]) -> Result<Checks, FormatError> {
    let mut file = Reader::open(bytes)?;
    let mut checks = Checks::default();
    if let Some(table) = file.table("checks")? {
        for (name, table) in table.tables()? {
            checks.all.push(read_check(&name, table)?);
        }
    }
    if let Some(mut land) = file.table("land")? {
        let known = |value: &DeValue| -> Result<CheckName, Reason> {
            let name = field::parsed(value)?;
            match checks.get(&name) {
                Some(_) => Ok(name),
                None => Err(format!(
                    "there is no check `{name}`, that is no `[checks.{name}]`"
                )),
            }
        };
        let landing = land.opt("checks", field::list(known))?;
        land.nothing_else()?;
        checks.landing = landing.unwrap_or_default();
    }
    file.nothing_else()?;
    Ok(checks)
}

fn read_check(name: &str, mut table: Reader) -> Result<Check, FormatError> {
    let key = format!("checks.{name}");
    let name = match name.parse() {
        Ok(name) => name,
        Err(error) => return Err(table.refused(&key, format!("{error}"))),
    };
    let check = Check {
        name,
        command: table.need("run", |value| {
            text::note("command", field::string(value)?).map_err(|error| error.to_string())
        })?,
        time_limit: table
            .opt("time_limit", |value| time_limit(field::parsed(value)?))?
            .unwrap_or(TIME_LIMIT),
    };
    table.nothing_else()?;
    Ok(check)
}

fn time_limit(span: Span) -> Result<Span, Reason> {
    let [least, most] = TIME_LIMITS;
    match (least..=most).contains(&span) {
        true => Ok(span),
        false => Err(format!(
            "{span} is no time limit: it is from {least} to {most}"
        )),
    }
}

/// Reads the fields of the event that a check ran.
pub(super) fn read_result(table: &mut Reader) -> Result<CheckResult, FormatError> {
    let code = |table: &mut Reader| table.opt("exit_code", field::number::<u8>);
    Ok(CheckResult {
        name: table.need("name", field::parsed)?,
        command: table.need("command", field::body)?,
        commit: table.need("commit", field::note)?,
        tree: table.need("tree", field::note)?,
        outcome: match table.need("outcome", |value| field::string(value).map(str::to_owned))? {
            word if word == Outcome::Passed.as_str() => Outcome::Passed,
            word if word == FAILED => Outcome::Failed {
                code: code(table)?.ok_or_else(|| table.missing("exit_code"))?,
            },
            // What a later version calls otherwise has not passed and has not failed.
            _ => Outcome::CouldNotRun {
                obstacle: table
                    .opt("obstacle", |value| {
                        Ok(field::parsed(value).unwrap_or(Obstacle::Other))
                    })?
                    .unwrap_or(Obstacle::Other),
                detail: table.opt("detail", field::body)?.unwrap_or_default(),
            },
        },
        took: Span::from_millis(table.need("millis", field::number)?),
        at: table.need("ran", field::time)?,
        cached: table.opt("cached", field::flag)?.unwrap_or_default(),
        output: table
            .opt("output", field::list(field::body))?
            .unwrap_or_default(),
    })
}

const FAILED: &str = "failed";

/// Prints them.
pub(super) fn print_result(out: &mut Writer, result: &CheckResult) {
    out.word("name", &result.name);
    out.text("command", &result.command);
    out.word("commit", &result.commit);
    out.word("tree", &result.tree);
    out.word("outcome", result.outcome.as_str());
    match &result.outcome {
        Outcome::Passed => {}
        Outcome::Failed { code } => out.number("exit_code", *code),
        Outcome::CouldNotRun { obstacle, detail } => {
            out.word("obstacle", obstacle.as_str());
            out.some_text("detail", detail);
        }
    }
    out.number("millis", result.took.as_millis());
    out.time("ran", result.at);
    out.flag("cached", result.cached);
    out.list("output", &result.output);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse_checks(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_checks() {
        let text = "\
            # what a change must pass\n\
            [checks.lint]\nrun = \"cargo clippy\"\n\n\
            [checks.a-test]\nrun = \"\"\"\ncargo build\ncargo test\n\"\"\"\ntime_limit = \"1h30m\"\n\n\
            [land]\nchecks = [\"a-test\"]\n";
        let checks = parse_checks(text.as_bytes()).unwrap();
        let found: Vec<_> = (checks.all.iter())
            .map(|check| (check.name.as_str(), &*check.command, check.time_limit))
            .collect();
        assert_eq!(
            found,
            [
                ("lint", "cargo clippy", Span::from_mins(10)),
                ("a-test", "cargo build\ncargo test", Span::from_mins(90)),
            ]
        );
        assert_eq!(checks.landing, ["a-test".parse().unwrap()]);
        assert_eq!(parse_checks(b""), Ok(Checks::default()));
        assert_eq!(
            parse_checks(b"[land]\nchecks = []\n"),
            Ok(Checks::default())
        );
        let dotted = parse_checks(b"checks.test.run = \"true\"\n").unwrap();
        assert_eq!(dotted.all[0].command, "true");
    }

    #[test]
    fn a_file_that_is_wrong_says_where() {
        for (text, expected) in [
            (
                "[checks.test]\nrun = true\n",
                "line 2: `run`: expected a string, found a boolean",
            ),
            (
                "[checks.test]\nrun = \" \"\n",
                "line 2: `run`: the command is empty",
            ),
            (
                "\n[checks.test]\ntime_limit = \"5m\"\n",
                "line 2: `run` is missing",
            ),
            (
                "[checks.test]\nrun = \"true\"\ntime_limit = 5\n",
                "line 3: `time_limit`: expected a string, found a whole number",
            ),
            (
                "[checks.test]\nrun = \"true\"\ntime_limit = \"5\"\n",
                "line 3: `time_limit`: `5` is not a duration; write it like `90s`, `45m`, `2h` or `1h30m`",
            ),
            (
                "[checks.test]\nrun = \"true\"\ntime_limit = \"2d\"\n",
                "line 3: `time_limit`: 2d is no time limit: it is from 1s to 1d",
            ),
            (
                "[checks.test]\nrun = \"true\"\n\ntimelimit = \"5m\"\n",
                "line 4: `timelimit`: there is no such key here",
            ),
            (
                "[check.test]\nrun = \"true\"\n",
                "line 1: `check`: there is no such key here",
            ),
            (
                "[land]\nchecks = [\"test\"]\nstrategy = \"squash\"\n[checks.test]\nrun = \"true\"\n",
                "line 3: `strategy`: there is no such key here",
            ),
            (
                "[checks.test]\nrun = \"true\"\n[land]\nchecks = [\"test\", \"lint\"]\n",
                "line 4: `checks`: there is no check `lint`, that is no `[checks.lint]`",
            ),
            (
                "[checks]\ntest = \"true\"\n",
                "line 2: `test`: expected a table, found a string",
            ),
            (
                "[checks.Test]\nrun = \"true\"\n",
                "line 1: `checks.Test`: `Test` is not a name: the capital `T` is not allowed; use a-z, 0-9, `-` and `_`",
            ),
            (
                "[checks.test]\nrun = \"true\n",
                "line 2: invalid basic string, expected `\"`",
            ),
            ("[checks.test\n", "line 1: unclosed table, expected `]`"),
            (
                "format = 2\n",
                "format 2 is newer than this version of reflectt, which reads up to 1",
            ),
        ] {
            assert_eq!(wrong(text), expected, "{text}");
        }
        assert_eq!(
            parse_checks(b"\xff").unwrap_err().to_string(),
            "line 1 is not UTF-8 text"
        );
    }
}
