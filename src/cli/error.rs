//! Errors as people read them.

use serde_json::Value;

use crate::answer::command_line;
pub use crate::answer::{Fault as CliError, Holding, Kind};

use super::text::{CYAN, Color, PLAIN, RED, Text};
use super::time;

/// Returns what is printed for people, with `now` as the time facts refer to.
pub fn render(error: &CliError, now: i64, color: Color) -> String {
    if let Some((plain, colored)) = error.screen() {
        return if color == Color::On { colored } else { plain }.to_owned();
    }
    let mut out = String::new();
    let mut push = |label: Text, text: &str| push_lines(&mut out, label, text, color);
    push(Text::new().styled(RED, "error: "), error.message());
    for cause in error.shown_causes() {
        push(Text::from("  caused by: "), cause);
    }
    for (name, value) in error.facts() {
        if error.says(value) {
            continue;
        }
        if let Some(value) = fact(name, value, now) {
            let name = name.replace('_', " ");
            push(Text::new().dim(format!("  {name}: ")), &value);
        }
    }
    for advice in error.advice() {
        push(Text::new().styled(CYAN, "hint: "), &command_line(advice));
    }
    out
}

/// Appends `text` after a label; its further lines, such as those of git, are indented below.
fn push_lines(out: &mut String, label: Text, text: &str, color: Color) {
    let mut lines = text.trim_end().lines();
    out.push_str(&label.render(color));
    out.push_str(&Text::from(lines.next().unwrap_or_default()).render(Color::Off));
    out.push('\n');
    for line in lines {
        let line = Text::new()
            .styled(PLAIN, line.trim_end())
            .render(Color::Off);
        out.push_str(format!("    {line}").trim_end());
        out.push('\n');
    }
}

/// Returns a detail as people read it; `None` when there is nothing to say.
fn fact(name: &str, value: &Value, now: i64) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if matches!(name, "since" | "last_seen") => {
            let at = chrono::DateTime::parse_from_rfc3339(text).ok();
            Some(at.map_or(text.clone(), |at| {
                time::relative(now, at.timestamp_millis())
            }))
        }
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let items = items.iter().filter_map(|item| fact("", item, now));
            Some(items.collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use crate::model::time::Timestamp;

    use super::*;

    /// 2026-11-20T14:47:05Z
    const NOW: i64 = 1_795_186_025_000;

    fn text(error: &CliError) -> String {
        render(error, NOW, Color::Off)
    }

    fn json(error: &CliError) -> String {
        serde_json::to_string(&error.to_json()).unwrap()
    }

    #[test]
    fn codes_and_names_are_a_promise() {
        let kinds = [
            Kind::Failed,
            Kind::Usage,
            Kind::Held,
            Kind::Refused,
            Kind::Nothing,
            Kind::Unreachable,
            Kind::Fenced,
        ];
        assert_eq!(kinds.map(Kind::exit_code), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            kinds.map(Kind::as_str),
            [
                "failed",
                "usage",
                "held",
                "refused",
                "nothing",
                "unreachable",
                "fenced"
            ]
        );
    }

    #[test]
    fn held_names_the_holder() {
        let holding = Holding {
            holder: "link".into(),
            task: Some("k3f9x2".into()),
            since: Some(Timestamp(NOW - 12 * 60_000)),
            paths: vec!["src/auth".into(), "src/login".into()],
        };
        let error = CliError::held("`src/auth` is held by `link`", holding)
            .hint("reflectt next")
            .hint("reflectt send link 'when will you be done?'");
        assert_eq!(
            text(&error),
            "error: `src/auth` is held by `link`\n  task: k3f9x2\n  \
             since: 12m ago\n  paths: src/auth, src/login\nhint: reflectt next\n\
             hint: reflectt send link 'when will you be done?'\n"
        );
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"held","message":"`src/auth` is held by `link`","hints":["reflectt next","reflectt send link 'when will you be done?'"],"holder":"link","task":"k3f9x2","since":"2026-11-20T14:35:05Z","paths":["src/auth","src/login"]}}"#
        );
    }

    #[test]
    fn unknown_facts_are_null_for_programs_and_unsaid_for_people() {
        let error = CliError::held(
            "lost the race",
            Holding {
                holder: "sage".into(),
                ..Holding::default()
            },
        );
        assert_eq!(text(&error), "error: lost the race\n  holder: sage\n");
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"held","message":"lost the race","hints":[],"holder":"sage","task":null,"since":null,"paths":[]}}"#
        );
    }

    #[test]
    fn refused_names_the_rule() {
        let error =
            CliError::refused("wip.agent", "`kai` already works on 1 task").detail("limit", 1);
        assert_eq!(
            text(&error),
            "error: `kai` already works on 1 task\n  rule: wip.agent\n  limit: 1\n"
        );
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"refused","message":"`kai` already works on 1 task","hints":[],"rule":"wip.agent","limit":1}}"#
        );
    }

    #[test]
    fn causes_are_listed_once() {
        let source = anyhow::anyhow!("permission denied")
            .context("cannot open `a`: permission denied")
            .context("cannot read the record");
        let error = CliError::from(source);
        assert_eq!(error.kind(), Kind::Failed);
        assert_eq!(
            text(&error),
            "error: cannot read the record\n  caused by: cannot open `a`: permission denied\n"
        );
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"failed","message":"cannot read the record","causes":["cannot open `a`: permission denied"],"hints":[]}}"#
        );
    }

    #[test]
    fn the_kind_survives_context() {
        let inner = || CliError::unreachable("cannot reach `origin`").hint("reflectt sync");
        let bare = CliError::from(anyhow::Error::new(inner()));
        assert_eq!(bare, inner());
        let wrapped = Err::<(), _>(inner())
            .context("cannot claim `k3f9x2`")
            .unwrap_err();
        let error = CliError::from(wrapped);
        assert_eq!(error.kind().exit_code(), 6);
        assert_eq!(
            text(&error),
            "error: cannot claim `k3f9x2`\n  caused by: cannot reach `origin`\nhint: reflectt sync\n"
        );
    }

    #[test]
    fn lines_of_others_are_indented_and_harmless() {
        let error = CliError::failed("cannot push")
            .caused_by(anyhow::anyhow!("remote: no\x1b[2J\r\nfatal: denied\n"));
        assert_eq!(
            text(&error),
            "error: cannot push\n  caused by: remote: no␛[2J\n    fatal: denied\n"
        );
        let colored = CliError::failed("x").hint("y");
        let colored = render(&colored, NOW, Color::On);
        assert_eq!(colored, "\x1b[31merror: \x1b[0mx\n\x1b[36mhint: \x1b[0my\n");
    }
}
