//! What goes into a harness's file, in the order in which it is written.

/// A value of JSON or TOML. Those of `Rows` and `Fields` stand one a line, which is also how a
/// container that was made for us is told from one that was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(u32),
    Flag(bool),
    /// A list on one line.
    List(Vec<Value>),
    /// A list with a line for each.
    Rows(Vec<Value>),
    Fields(Vec<(&'static str, Value)>),
}

impl Value {
    pub fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// Returns a list of texts on one line.
    pub fn words(words: &[&str]) -> Value {
        Value::List(words.iter().copied().map(Value::text).collect())
    }

    /// Returns it as JSON; its further lines are indented by `margin`.
    pub fn render(&self, style: &Style, margin: &str) -> String {
        match self {
            Value::Text(text) => quote(text),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::List(items) => {
                let items = items.iter().map(|item| item.render(style, margin));
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
            Value::Rows(items) => {
                let lines = items.iter().map(|item| (None, item));
                lined('[', lines, ']', style, margin)
            }
            Value::Fields(fields) => {
                let lines = fields.iter().map(|(name, value)| (Some(*name), value));
                lined('{', lines, '}', style, margin)
            }
        }
    }
}

fn lined<'v>(
    open: char,
    lines: impl Iterator<Item = (Option<&'static str>, &'v Value)>,
    close: char,
    style: &Style,
    margin: &str,
) -> String {
    let inner = format!("{margin}{}", style.unit);
    let newline = style.newline;
    let lines = lines.map(|(name, value)| {
        let value = value.render(style, &inner);
        match name {
            Some(name) => format!("{newline}{inner}{}: {value}", quote(name)),
            None => format!("{newline}{inner}{value}"),
        }
    });
    let lines = lines.collect::<Vec<_>>().join(",");
    format!("{open}{lines}{newline}{margin}{close}")
}

/// Returns a text as JSON, and TOML, quote it.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How a file is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    pub newline: &'static str,
    /// What one level is indented by.
    pub unit: String,
}

/// Returns what the lines of a text end with.
pub fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_stand_over_several_lines_and_lists_of_words_on_one() {
        let value = Value::Fields(vec![
            (
                "a",
                Value::Rows(vec![Value::Fields(vec![("b\"", Value::Number(7))])]),
            ),
            ("c", Value::words(&["x", "y"])),
            ("d", Value::Flag(true)),
        ]);
        let style = Style {
            newline: "\n",
            unit: "\t".to_owned(),
        };
        assert_eq!(
            value.render(&style, " "),
            "{\n \t\"a\": [\n \t\t{\n \t\t\t\"b\\\"\": 7\n \t\t}\n \t],\n \t\"c\": [\"x\", \"y\"],\n \t\"d\": true\n }"
        );
    }

    #[test]
    fn the_first_line_tells_how_lines_end() {
        assert_eq!(newline_of("a\r\nb\n"), "\r\n");
        assert_eq!(newline_of("a\nb\r\n"), "\n");
        assert_eq!(newline_of("a"), "\n");
        assert_eq!(newline_of("\n"), "\n");
    }
}
