//! Adding lines to YAML that a person wrote: text in, text out.
//!
//! A file that is parsed and written anew loses its comments and its looks, so lines are put in
//! between those that are there. What is not plain block style with spaces (flow mappings, anchors,
//! tabs, several documents) is not understood, and then nothing is changed.

/// The text is not of a shape that can be added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUnderstood;

type Understood<T> = Result<T, NotUnderstood>;

/// A text as lines, none of which has its end.
#[derive(Debug)]
pub struct Lines(Vec<String>);

/// A key of a block mapping.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    name: String,
    /// The line it is in.
    at: usize,
    /// The line after its value.
    end: usize,
    /// What stands behind it in the same line.
    pub value: String,
}

impl Lines {
    pub fn read(text: &str) -> Understood<Lines> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let of_another_document = |(at, line): (usize, &String)| {
            let begins = line.starts_with("---") || line.starts_with("...");
            begins && lines[..at].iter().any(|before| !is_blank(before))
        };
        let is_odd = |line: &String| {
            let margin = &line[..line.len() - line.trim_start().len()];
            margin.contains('\t') || line.starts_with(['%', '{', '[']) || line.starts_with("--- ")
        };
        if text.contains('\r')
            || lines.iter().any(is_odd)
            || lines.iter().enumerate().any(of_another_document)
        {
            return Err(NotUnderstood);
        }
        Ok(Lines(lines))
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }

    pub fn end(&self) -> usize {
        self.0.len()
    }

    /// Puts lines before the one with this number.
    pub fn add(&mut self, at: usize, text: &str, indent: usize) {
        let margin = " ".repeat(indent);
        let lines = text.lines().map(|line| format!("{margin}{line}"));
        self.0.splice(at..at, lines);
    }

    /// Replaces the line a key is in.
    pub fn replace(&mut self, key: &Key, line: String) {
        self.0[key.at] = line;
    }

    /// Returns the keys of the file.
    pub fn keys(&self) -> Understood<Vec<Key>> {
        self.keys_in(0, self.0.len(), 0)
    }

    /// Returns a key of the file, if it is there.
    pub fn key(&self, name: &str) -> Understood<Option<Key>> {
        Ok(self.keys()?.into_iter().find(|key| key.name == name))
    }

    /// Returns the keys below a key, and how far they are indented.
    ///
    /// A key without a value has none, and they would be indented by two more than it.
    pub fn below(&self, key: &Key) -> Understood<(Vec<Key>, usize)> {
        let indent = self.value_indent(key)?;
        Ok((self.keys_in(key.at + 1, key.end, indent)?, indent))
    }

    /// Returns how far the items of a list are indented, which is the value of a key.
    pub fn items(&self, key: &Key) -> Understood<(Vec<&str>, usize)> {
        let indent = self.value_indent(key)?;
        let mut items = Vec::new();
        for line in self.0[key.at + 1..key.end]
            .iter()
            .filter(|line| !is_blank(line))
        {
            match indent_of(line) {
                found if found > indent => {}
                found if found == indent && is_item(line) => items.push(line.trim()),
                _ => return Err(NotUnderstood),
            }
        }
        // A list may stand as far left as its key.
        let indent = if items.is_empty() {
            indent_of(&self.0[key.at]) + 2
        } else {
            indent
        };
        Ok((items, indent))
    }

    fn value_indent(&self, key: &Key) -> Understood<usize> {
        if !key.value.is_empty() {
            return Err(NotUnderstood);
        }
        let inside = &self.0[key.at + 1..key.end];
        let first = inside.iter().find(|line| !is_blank(line));
        Ok(first.map_or(indent_of(&self.0[key.at]) + 2, |line| indent_of(line)))
    }

    fn keys_in(&self, from: usize, to: usize, indent: usize) -> Understood<Vec<Key>> {
        let mut keys: Vec<Key> = Vec::new();
        for at in from..to {
            let line = &self.0[at];
            if is_blank(line) || line.starts_with("---") || indent_of(line) > indent {
                continue;
            }
            if indent_of(line) == indent && is_item(line) && !keys.is_empty() {
                continue;
            }
            let (name, value) = split(line).ok_or(NotUnderstood)?;
            if indent_of(line) < indent || keys.iter().any(|key| key.name == name) {
                return Err(NotUnderstood);
            }
            if let Some(last) = keys.last_mut() {
                last.end = at;
            }
            keys.push(Key {
                name,
                at,
                end: to,
                value,
            });
        }
        Ok(keys)
    }
}

impl Key {
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Returns the line below the key, where the first part of its value is.
    pub fn first(&self) -> usize {
        self.at + 1
    }

    /// Returns the line the key is in.
    pub fn at(&self) -> usize {
        self.at
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    line == "-" || line.starts_with("- ")
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Splits a line into a key and what stands behind it, without a comment.
fn split(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (key, value) = match line.strip_suffix(':') {
        Some(key) if !key.contains(": ") => (key, ""),
        _ => line.split_once(": ")?,
    };
    let quoted = |quote: char| key.strip_prefix(quote)?.strip_suffix(quote);
    let name = quoted('"').or(quoted('\'')).unwrap_or(key);
    let value = match value.trim() {
        comment if comment.starts_with('#') => "",
        value => value.split(" #").next().unwrap_or_default().trim_end(),
    };
    let plain = !name.is_empty() && !name.starts_with(['&', '*', '?', '!', '{', '[', '-', '<']);
    plain.then(|| (name.to_owned(), value.to_owned()))
}
