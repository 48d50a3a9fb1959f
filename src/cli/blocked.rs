//! What is said to whoever is stopped by a claim: what, by whom, since when, and the ways on.

use crate::answer::{FindingJson, show};
use crate::model::claim::Claim;
use crate::model::settings::EnforceMode;
use crate::ops::enforce::{Finding, Holder, Verdict, Why};

use super::error::{CliError, Holding, Kind};
use super::text::{CYAN, Color, RED, Text, YELLOW};
use super::time;

/// How many files of one claim are named on the screen.
const SHOWN: usize = 12;
/// The longest command that is spelt out.
const COMMAND_MAX: usize = 2_000;

/// What is being done, which decides the ways on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    Commit {
        /// Where below the root the person is who commits.
        prefix: String,
        unstage: Unstage,
    },
    Edit,
    Push,
    Range,
}

/// How files are left out of the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unstage {
    Restore,
    /// Before the first commit there is nothing to restore from.
    Uncache,
    /// `git commit -a`, or with names: what is in the index does not matter.
    Name,
    /// Of a merge, nothing can be left out.
    Impossible,
}

/// What is to be said.
pub struct Words {
    pub headline: String,
    lines: Vec<Text>,
    hints: Vec<String>,
}

/// Finds the words for a verdict with findings.
pub fn words(verdict: &Verdict, place: &Occasion, now: i64) -> Words {
    let mut words = Words {
        headline: headline(verdict, place),
        lines: Vec::new(),
        hints: Vec::new(),
    };
    let mut last = None;
    for finding in &verdict.findings {
        if let Some(commit) = &finding.commit
            && last != Some(commit.oid)
        {
            last = Some(commit.oid);
            let line = Text::from("  ")
                .bold(commit.oid.short())
                .plain(format!(" {} ({})", commit.subject, commit.author));
            words.lines.push(line);
        }
        let indent = if finding.commit.is_some() { 4 } else { 2 };
        words.finding(finding, indent, now);
    }
    words.hint(verdict, place);
    words
}

fn headline(verdict: &Verdict, place: &Occasion) -> String {
    if verdict
        .findings
        .iter()
        .any(|f| matches!(f.why, Why::Lost { .. }))
    {
        return "you have lost a claim: stop work on it".to_owned();
    }
    let mut paths: Vec<&[u8]> = Vec::new();
    for finding in &verdict.findings {
        paths.extend(finding.paths.iter().map(Vec::as_slice));
    }
    paths.sort_unstable();
    paths.dedup();
    let what = match paths.as_slice() {
        [one] => format!("`{}` is", show(one)),
        many => format!("{} files are", many.len()),
    };
    let held = |f: &Finding| f.holder().is_some();
    let why = if verdict.findings.iter().any(held) {
        "claimed by others"
    } else if verdict.findings.iter().any(Finding::is_fenced) {
        "changed under a claim that is over"
    } else {
        "not claimed by you, as this team requires"
    };
    let place = match place {
        Occasion::Commit { .. } => "staged and ",
        Occasion::Edit | Occasion::Push | Occasion::Range => "",
    };
    format!("{what} {place}{why}")
}

impl Words {
    fn finding(&mut self, finding: &Finding, indent: usize, now: i64) {
        let margin = " ".repeat(indent);
        for path in finding.paths.iter().take(SHOWN) {
            self.lines
                .push(Text::from(format!("{margin}{}", show(path))));
        }
        let more = finding.paths.len().saturating_sub(SHOWN);
        if more > 0 {
            self.lines
                .push(Text::new().dim(format!("{margin}… and {more} more")));
        }
        let margin = format!("{margin}  ");
        match &finding.why {
            Why::Held(holder) => {
                let how = match finding.is_shared() {
                    true => "shared",
                    false => "claimed",
                };
                self.lines.push(held_by(&margin, how, holder, now));
            }
            Why::Unclaimed => {
                self.lines
                    .push(Text::new().dim(format!("{margin}claimed by nobody")));
            }
            Why::Lost {
                holder, message, ..
            } => {
                for line in message.lines() {
                    self.lines.push(Text::from(format!("  {line}")));
                }
                if let Some(holder) = holder {
                    self.lines
                        .push(Text::from(format!("  `{holder}` holds it now")));
                }
            }
            Why::Outdated {
                task,
                fences,
                now: fence,
                holder: name,
                held,
            } => {
                let under: Vec<String> = fences.iter().map(ToString::to_string).collect();
                let line = format!(
                    "{margin}made under claim {} of `{task}`; since then it was given to `{name}` under claim {fence}",
                    under.join(", ")
                );
                self.lines.push(Text::from(line));
                if let Some(held) = held {
                    self.lines.push(held_by(&margin, "claimed", held, now));
                }
            }
        }
    }

    fn hint(&mut self, verdict: &Verdict, place: &Occasion) {
        let findings = &verdict.findings;
        if findings.iter().any(|f| matches!(f.why, Why::Lost { .. })) {
            self.hints
                .push("reflectt inbox (says what happened)".to_owned());
            self.hints
                .push("reflectt ack --all (says that you know; then go on)".to_owned());
            return;
        }
        let mut holders: Vec<&Holder> = Vec::new();
        for holder in findings.iter().filter_map(Finding::holder) {
            if !holders
                .iter()
                .any(|known| known.claim.id == holder.claim.id)
            {
                holders.push(holder);
            }
        }
        for holder in holders.iter().take(3) {
            let about = match holder.claim.task() {
                Some(task) => format!(" --task {task}"),
                None => String::new(),
            };
            let name = &holder.claim.agent;
            self.hints.push(format!(
                "reflectt send {name} 'when will you be done?'{about} (asks the holder)"
            ));
        }
        if !holders.is_empty() && !verdict.human {
            self.hints
                .push("reflectt next --claim --branch (takes other work; or wait)".to_owned());
        }
        let first = |is: &dyn Fn(&Finding) -> bool| {
            let mut found = findings.iter().filter(|finding| is(finding));
            found.find_map(|finding| finding.paths.first().map(|path| shell_word(path)))
        };
        let own = verdict.own.iter().find_map(Claim::task);
        if let Some(path) = first(&Finding::is_shared) {
            self.hints.push(match own {
                Some(id) => format!("reflectt claim {id} --share {path} (holds it beside them)"),
                None => format!("reflectt claim --share {path} -m WHY (holds it beside them)"),
            });
        }
        if let Some(path) = first(&|finding| matches!(finding.why, Why::Unclaimed)) {
            self.hints.push(match own {
                Some(id) => format!("reflectt claim {id} --path {path} (widens your claim)"),
                None => format!("reflectt claim --path {path} -m WHY (claims it without a task)"),
            });
        }
        if let Occasion::Commit { prefix, unstage } = place {
            self.hints.extend(leave_out(findings, prefix, *unstage));
        }
        if verdict.human && *place != Occasion::Range {
            self.hints.push(
                "REFLECTT_OVERRIDE='REASON' before the command goes on all the same; it is recorded, and the holder is told"
                    .to_owned(),
            );
        }
    }

    /// Returns the whole as it is printed.
    pub fn render(&self, label: Text, color: Color) -> String {
        let mut out = String::new();
        let mut line = |text: Text| {
            out.push_str(&text.render(color));
            out.push('\n');
        };
        line(label.plain(self.headline.as_str()));
        self.lines.iter().cloned().for_each(&mut line);
        for hint in &self.hints {
            line(Text::new().styled(CYAN, "hint: ").plain(hint.as_str()));
        }
        out
    }

    pub fn as_error(&self, color: Color) -> String {
        self.render(Text::new().styled(RED, "error: "), color)
    }

    pub fn as_warning(&self, color: Color) -> String {
        self.render(Text::new().styled(YELLOW, "warning: "), color)
    }

    /// Returns the error for a verdict that blocks: kind, exit code and facts for programs.
    pub fn into_error(self, verdict: &Verdict) -> CliError {
        let (plain, colored) = (self.as_error(Color::Off), self.as_error(Color::On));
        let findings = &verdict.findings;
        let holder = findings.iter().find_map(Finding::holder);
        let mut paths: Vec<String> = Vec::new();
        for finding in findings {
            paths.extend(finding.paths.iter().map(|path| show(path)));
        }
        paths.dedup();
        let holding = Holding {
            holder: holder
                .map(|h| h.claim.agent.to_string())
                .unwrap_or_default(),
            task: holder.and_then(|h| h.claim.task()).map(|id| id.to_string()),
            since: holder.map(|h| h.claim.since),
            paths: paths.clone(),
        };
        let mut error = match kind(verdict) {
            Kind::Held => CliError::held(self.headline, holding),
            Kind::Refused => {
                CliError::refused("enforce.require_claim", self.headline).detail("paths", paths)
            }
            kind => {
                let lost = findings.iter().find_map(|finding| match &finding.why {
                    Why::Lost { task, holder, .. } => Some((*task, holder.clone())),
                    Why::Outdated { task, holder, .. } => Some((Some(*task), Some(holder.clone()))),
                    _ => None,
                });
                let (task, holder) = lost.unwrap_or_default();
                CliError::new(kind, self.headline)
                    .detail("task", task.map(|id| id.to_string()))
                    .detail("holder", holder.map(|name| name.to_string()))
                    .detail("paths", paths)
            }
        };
        for hint in self.hints {
            error = error.hint(hint);
        }
        error.on_screen(plain, colored)
    }
}

/// Returns the kind of answer that a blocking verdict is, which decides the exit code.
///
/// Losing a claim comes first: whoever lost it has to know before all else.
pub fn kind(verdict: &Verdict) -> Kind {
    if verdict.findings.iter().any(Finding::is_fenced) {
        Kind::Fenced
    } else if verdict.findings.iter().any(|f| f.holder().is_some()) {
        Kind::Held
    } else {
        Kind::Refused
    }
}

/// Returns the whole verdict as JSON, with the error if it blocks.
pub fn document(outcome: &str, verdict: &Verdict, error: Option<&CliError>) -> serde_json::Value {
    let findings: Vec<FindingJson> = verdict.findings.iter().map(FindingJson::from).collect();
    let mut document = serde_json::json!({
        "outcome": outcome,
        "mode": mode(verdict.mode),
        "checked": verdict.checked,
        "findings": findings,
        "problems": verdict.problems,
    });
    if let Some(error) = error
        && let Ok(serde_json::Value::Object(error)) = serde_json::to_value(error.to_json())
        && let Some(fields) = document.as_object_mut()
    {
        fields.extend(error);
    }
    document
}

pub fn mode(mode: EnforceMode) -> &'static str {
    match mode {
        EnforceMode::Block => "block",
        EnforceMode::Warn => "warn",
        EnforceMode::Off => "off",
    }
}

fn held_by(margin: &str, how: &str, holder: &Holder, now: i64) -> Text {
    let claim = &holder.claim;
    let alive = match &holder.seen {
        Some((liveness, seen)) => {
            format!(" ({liveness}, last seen {})", time::relative(now, seen.0))
        }
        None => " (works in another clone)".to_owned(),
    };
    let title = match &holder.title {
        Some(title) => format!(" ({title})"),
        None => String::new(),
    };
    let what = if claim.of_task { "for" } else { "as claim" };
    Text::from(format!(
        "{margin}{how} {} by ",
        time::relative(now, claim.since.0)
    ))
    .bold(claim.agent.as_str())
    .plain(format!("{alive} {what} `{}`{title}", claim.id))
}

fn leave_out(findings: &[Finding], prefix: &str, unstage: Unstage) -> Option<String> {
    let command = match unstage {
        Unstage::Restore => "git restore --staged --",
        Unstage::Uncache => "git rm -q --cached --",
        Unstage::Name => {
            return Some("git commit -- FILES (name those that nobody has claimed)".to_owned());
        }
        Unstage::Impossible => {
            return Some("leave the conflict in these files to their holder".to_owned());
        }
    };
    let mut line = command.to_owned();
    for path in findings.iter().flat_map(|finding| &finding.paths) {
        line.push(' ');
        line.push_str(&shell_word(&pathspec(path, prefix)));
        if line.len() > COMMAND_MAX {
            line = format!("{command} FILES");
            break;
        }
    }
    Some(format!(
        "{line} (leaves them out of this commit; your edits stay)"
    ))
}

/// Returns a pathspec for exactly this path, from a directory below the root.
fn pathspec(path: &[u8], prefix: &str) -> Vec<u8> {
    let special = path.iter().any(|byte| b"*?[\\".contains(byte)) || path.starts_with(b":");
    let magic: &[u8] = match (prefix.is_empty(), special) {
        (true, false) => b"",
        (false, false) => b":/",
        (true, true) => b":(literal)",
        (false, true) => b":(top,literal)",
    };
    [magic, path].concat()
}

/// Returns a word for `sh`, which any byte survives. (`$'…'` needs bash, zsh or a recent `sh`.)
fn shell_word(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@%=,:".contains(byte);
    match str::from_utf8(word) {
        Ok(text) if !text.is_empty() && word.iter().all(plain) => text.to_owned(),
        Ok(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let byte = |byte: &u8| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
                0x20..=0x7e => char::from(*byte).to_string(),
                other => format!("\\x{other:02x}"),
            };
            format!("$'{}'", word.iter().map(byte).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_git_does() {
        assert_eq!(show(b"src/a b.rs"), "src/a b.rs");
        assert_eq!(show("é".as_bytes()), "é");
        assert_eq!(show(b"a\"b\\\n\x1b\xff"), "\"a\\\"b\\\\\\n\\033\\377\"");
    }

    #[test]
    fn words_survive_a_shell() {
        for word in [
            &b"src/a.rs"[..],
            b"a b",
            b"it's $HOME `x`",
            b"a\nb'\\\t\x7f",
            b"\xff\xfe",
            "é".as_bytes(),
            b"",
        ] {
            let script = format!("printf %s {}", shell_word(word));
            let out = std::process::Command::new("bash")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(out.stdout, word, "{script}");
        }
    }

    #[test]
    fn pathspecs_name_one_path_only() {
        let of = |path: &str, prefix: &str| String::from_utf8(pathspec(path.as_bytes(), prefix));
        assert_eq!(of("a/b", "").unwrap(), "a/b");
        assert_eq!(of("a/b", "a").unwrap(), ":/a/b");
        assert_eq!(of("a[1]", "").unwrap(), ":(literal)a[1]");
        assert_eq!(of(":a", "x").unwrap(), ":(top,literal):a");
    }
}
