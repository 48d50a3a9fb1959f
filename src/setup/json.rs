//! JSON with comments, edited in its text: what is not ours stays byte for byte.
//!
//! What was put in can be taken out again without any memory of how the file was before, because
//! the way in which it is written says it:
//!
//! - A container that is made for us has its content on lines of its own. In one that was there and
//!   empty, ours stands directly behind the bracket.
//! - Behind a last element, the comma stands directly after it, and ours after the comments on that
//!   line, on a line of its own or after one blank. A comma behind ours says that the one before it
//!   was there.
//! - A file that is made ends with a newline; what is put into an empty one does not.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::value::{Style, Value, newline_of, quote};

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// A text that is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotJson {
    pub at: Position,
    pub reason: String,
}

/// Returns where an offset is.
pub fn position(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line,
        column: before[start..].chars().count() + 1,
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Object(Vec<Element>),
    Array(Vec<Element>),
    Text(String),
    Flag(bool),
    /// As it is written.
    Number(String),
    Null,
}

/// A member of an object or an element of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Where it begins: with its name, if it has one.
    pub start: usize,
    pub name: Option<String>,
    pub value: Node,
}

impl Element {
    fn span(&self) -> Range<usize> {
        self.start..self.value.span.end
    }
}

impl Node {
    fn of(value: &ast::Value) -> Node {
        let range = value.range();
        let kind = match value {
            ast::Value::Object(object) => {
                let member = |member: &ast::ObjectProp| Element {
                    start: member.range.start,
                    name: Some(member.name.as_str().to_owned()),
                    value: Node::of(&member.value),
                };
                Kind::Object(object.properties.iter().map(member).collect())
            }
            ast::Value::Array(array) => {
                let element = |value: &ast::Value| Element {
                    start: value.range().start,
                    name: None,
                    value: Node::of(value),
                };
                Kind::Array(array.elements.iter().map(element).collect())
            }
            ast::Value::StringLit(text) => Kind::Text(text.value.clone().into_owned()),
            ast::Value::NumberLit(number) => Kind::Number(number.value.to_owned()),
            ast::Value::BooleanLit(flag) => Kind::Flag(flag.value),
            ast::Value::NullKeyword(_) => Kind::Null,
        };
        Node {
            span: range.start..range.end,
            kind,
        }
    }

    /// Returns what is in it; nothing is in what is no container.
    pub fn elements(&self) -> &[Element] {
        match &self.kind {
            Kind::Object(elements) | Kind::Array(elements) => elements,
            _ => &[],
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    pub fn is_array(&self) -> bool {
        matches!(self.kind, Kind::Array(_))
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the index of a member. Of two with one name the last counts, as everywhere.
    pub fn index(&self, name: &str) -> Option<usize> {
        let is_it = |element: &Element| element.name.as_deref() == Some(name);
        self.elements().iter().rposition(is_it)
    }

    pub fn member(&self, name: &str) -> Option<&Node> {
        Some(&self.elements()[self.index(name)?].value)
    }

    /// Returns the node that a path of indices leads to.
    pub fn at(&self, path: &[usize]) -> Option<&Node> {
        match path.split_first() {
            None => Some(self),
            Some((first, rest)) => self.elements().get(*first)?.value.at(rest),
        }
    }

    /// Tells whether it has this value, in whatever order and layout.
    pub fn is(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            (Kind::Text(text), Value::Text(wanted)) => text == wanted,
            (Kind::Flag(flag), Value::Flag(wanted)) => flag == wanted,
            (Kind::Number(number), Value::Number(wanted)) => {
                number.parse::<f64>().is_ok_and(|n| n == f64::from(*wanted))
            }
            (Kind::Array(items), Value::List(wanted) | Value::Rows(wanted)) => {
                let same = |(item, wanted): (&Element, &Value)| item.value.is(wanted);
                items.len() == wanted.len() && items.iter().zip(wanted).all(same)
            }
            (Kind::Object(members), Value::Fields(wanted)) => {
                let same = |(name, value): &(&str, Value)| {
                    self.member(name).is_some_and(|member| member.is(value))
                };
                members.len() == wanted.len() && wanted.iter().all(same)
            }
            _ => false,
        }
    }
}

/// A document under edit.
#[derive(Debug, Clone)]
pub struct Document {
    /// `None`: there is no file.
    text: Option<String>,
    root: Option<Node>,
}

impl Document {
    /// Reads a document; `None` is a file that is not there.
    ///
    /// # Errors
    ///
    /// If it is no JSON, be it with comments and commas behind last elements.
    pub fn read(text: Option<&str>) -> Result<Document, NotJson> {
        let mut document = Document {
            text: text.map(str::to_owned),
            root: None,
        };
        document.parse()?;
        Ok(document)
    }

    fn parse(&mut self) -> Result<(), NotJson> {
        let options = ParseOptions {
            allow_comments: true,
            allow_trailing_commas: true,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let text = self.text.as_deref().unwrap_or_default();
        let parsed = parse_to_ast(text, &CollectOptions::default(), &options);
        let parsed = parsed.map_err(|error| NotJson {
            at: position(text, floor(text, error.range().start)),
            reason: error.kind().to_string(),
        })?;
        self.root = parsed.value.as_ref().map(Node::of);
        Ok(())
    }

    /// Returns the text; `None` where there is to be no file.
    pub fn into_text(self) -> Option<String> {
        self.text
    }

    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Returns the value; `None` if there are at most comments.
    pub fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    pub fn node(&self, path: &[usize]) -> Option<&Node> {
        self.root.as_ref()?.at(path)
    }

    /// Puts an element behind the others of a container, with a name if that is an object. A
    /// document without a value gets an object.
    ///
    /// # Errors
    ///
    /// If what came of it is no JSON, which would be our fault.
    pub fn append(
        &mut self,
        path: &[usize],
        name: Option<&'static str>,
        value: &Value,
    ) -> Result<(), NotJson> {
        let style = self.style();
        let text = self.text();
        let written = |margin: &str| match name {
            Some(name) => format!("{}: {}", quote(name), value.render(&style, margin)),
            None => value.render(&style, margin),
        };
        let Some(container) = self.root.as_ref().and_then(|root| root.at(path)) else {
            let Style { newline, unit } = &style;
            let object = format!("{{{newline}{unit}{}{newline}}}", written(unit));
            let text = match &self.text {
                None => format!("{object}{newline}"),
                // A comment without a newline would swallow what comes behind it.
                Some(text) if text.trim().is_empty() => format!("{text}{object}"),
                Some(text) => format!("{object}{text}"),
            };
            return self.replace_all(text);
        };
        let Some(last) = container.elements().last() else {
            let margin = margin_of(text, container.span.start);
            let (at, written) = (container.span.start + 1, written(margin));
            return self.splice(at..at, &written);
        };
        let margin = margin_of(text, last.start);
        let own_line =
            text[..last.start].ends_with(margin) && is_line_start(text, last.start - margin.len());
        let end = last.value.span.end;
        let comma = comma_after(text, end);
        let tail = line_tail(text, comma.map_or(end, |at| at + 1));
        let gap = match own_line || tail.is_line_comment {
            true => format!("{}{margin}", style.newline),
            false => " ".to_owned(),
        };
        let written = written(margin);
        match comma {
            Some(_) => self.splice(tail.end..tail.end, &format!("{gap}{written},")),
            None => {
                let new = format!(
                    "{},{}{gap}{written}{}",
                    &text[..end],
                    &text[end..tail.end],
                    &text[tail.end..]
                );
                self.replace_all(new)
            }
        }
    }

    /// Gives an element another value, which keeps its place and what stands around it.
    ///
    /// # Errors
    ///
    /// As [`Document::append`].
    pub fn replace(&mut self, path: &[usize], value: &Value) -> Result<(), NotJson> {
        let Some(node) = self.node(path) else {
            return Ok(());
        };
        let span = node.span.clone();
        let written = value.render(&self.style(), margin_of(self.text(), span.start));
        self.splice(span, &written)
    }

    /// Takes an element out, and with it every container that was made for it.
    ///
    /// # Errors
    ///
    /// As [`Document::append`].
    pub fn remove(&mut self, path: &[usize]) -> Result<(), NotJson> {
        let mut path = path;
        loop {
            let Some((index, above)) = path.split_last() else {
                return self.remove_root();
            };
            let Some(container) = self.node(above) else {
                return Ok(());
            };
            if !self.was_made_for_one(container) {
                return self.take_out(container.clone(), *index);
            }
            path = above;
        }
    }

    /// Takes one element out of a container.
    ///
    /// # Errors
    ///
    /// As [`Document::append`].
    pub fn remove_alone(&mut self, path: &[usize]) -> Result<(), NotJson> {
        let Some((index, above)) = path.split_last() else {
            return Ok(());
        };
        match self.node(above).cloned() {
            Some(container) => self.take_out(container, *index),
            None => Ok(()),
        }
    }

    fn was_made_for_one(&self, container: &Node) -> bool {
        let text = self.text();
        let [only] = container.elements() else {
            return false;
        };
        let before = &text[container.span.start + 1..only.start];
        let after = &text[only.value.span.end..container.span.end - 1];
        before.contains('\n') && before.trim().is_empty() && after.trim().is_empty()
    }

    fn remove_root(&mut self) -> Result<(), NotJson> {
        let Some(root) = &self.root else {
            return Ok(());
        };
        let text = self.text();
        let (before, after) = (&text[..root.span.start], &text[root.span.end..]);
        if before.is_empty() && matches!(after, "\n" | "\r\n") {
            self.text = None;
            self.root = None;
            return Ok(());
        }
        self.replace_all(format!("{before}{after}"))
    }

    fn take_out(&mut self, container: Node, index: usize) -> Result<(), NotJson> {
        let text = self.text();
        let elements = container.elements();
        let Some(Range { start, end }) = elements.get(index).map(Element::span) else {
            return Ok(());
        };
        let start = strip_gap(text, start);
        let before = index.checked_sub(1).map(|above| &elements[above]);
        let new = match (comma_after(text, end), before) {
            (Some(comma), _) => format!(
                "{}{}{}",
                &text[..start],
                &text[end..comma],
                &text[comma + 1..]
            ),
            // Nothing is behind it, so the comma before it came with it.
            (None, Some(before)) => {
                let end_before = before.value.span.end;
                let comma = comma_after(text, end_before).unwrap_or(end_before);
                let rest = (comma + 1).min(start);
                format!("{}{}{}", &text[..comma], &text[rest..start], &text[end..])
            }
            (None, None) => format!("{}{}", &text[..start], &text[end..]),
        };
        self.replace_all(new)
    }

    fn splice(&mut self, span: Range<usize>, new: &str) -> Result<(), NotJson> {
        let mut text = self.text().to_owned();
        text.replace_range(span, new);
        self.replace_all(text)
    }

    fn replace_all(&mut self, text: String) -> Result<(), NotJson> {
        self.text = Some(text);
        self.parse()
    }

    fn style(&self) -> Style {
        let text = self.text();
        let first = self.root.as_ref().and_then(|root| root.elements().first());
        let unit = first.map_or("", |first| {
            let margin = margin_of(text, first.start);
            let alone = text[..first.start].ends_with(margin)
                && is_line_start(text, first.start - margin.len());
            if alone { margin } else { "" }
        });
        let unit = match unit {
            "" if text.lines().any(|line| line.starts_with('\t')) => "\t",
            "" => "  ",
            unit => unit,
        };
        Style {
            newline: newline_of(text),
            unit: unit.to_owned(),
        }
    }
}

fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn is_line_start(text: &str, at: usize) -> bool {
    text[..at].ends_with('\n') || at == 0
}

/// Returns the blanks and tabs that the line of an offset begins with.
fn margin_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    let width = line.len() - line.trim_start_matches([' ', '\t']).len();
    &line[..width]
}

/// Returns where the gap before an element begins: the blanks, and the newline before them.
fn strip_gap(text: &str, start: usize) -> usize {
    let before = text[..start].trim_end_matches([' ', '\t']);
    let stripped = match before.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => before,
    };
    stripped.len()
}

/// Returns the length of the comment that a text begins with, and whether it ends with its line.
fn comment(text: &str) -> Option<(usize, bool)> {
    if text.starts_with("//") {
        return Some((text.find(['\n', '\r']).unwrap_or(text.len()), true));
    }
    let rest = text.strip_prefix("/*")?;
    Some((rest.find("*/").map_or(text.len(), |at| at + 4), false))
}

/// Returns where the comma behind an element is, if there is one.
fn comma_after(text: &str, end: usize) -> Option<usize> {
    let mut at = end;
    loop {
        let rest = text[at..].trim_start();
        at = text.len() - rest.len();
        match comment(rest) {
            Some((length, _)) => at += length,
            None => return rest.starts_with(',').then_some(at),
        }
    }
}

struct Tail {
    end: usize,
    is_line_comment: bool,
}

/// Returns where the comments end that follow on the line.
fn line_tail(text: &str, from: usize) -> Tail {
    let mut end = from;
    loop {
        let rest = text[end..].trim_start_matches([' ', '\t']);
        let at = text.len() - rest.len();
        match comment(rest) {
            Some((length, is_line_comment)) => {
                end = at + length;
                if is_line_comment {
                    return Tail {
                        end,
                        is_line_comment,
                    };
                }
            }
            None => {
                return Tail {
                    end,
                    is_line_comment: false,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests;
