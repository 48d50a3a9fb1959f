//! Our hooks among those of others.

use crate::model::harness::{AgentEvent, Harness};

use super::json::{Document, Node, NotJson, Position, position};
use super::table::{self, Hook, Layout};
use super::value::Value;

/// What was done to a file, in the order in which it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    pub added: Vec<String>,
    pub updated: Vec<String>,
    /// What a person should know of what was left as it is.
    pub notes: Vec<String>,
}

impl Done {
    pub fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.updated.is_empty()
    }

    pub fn merge(&mut self, other: Done) {
        self.added.extend(other.added);
        self.updated.extend(other.updated);
        self.notes.extend(other.notes);
    }
}

/// Why a file is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("{0}")]
    NotJson(#[from] NotJson),
    #[error("`{what}` is not {expected}")]
    Shape {
        at: Position,
        what: String,
        expected: &'static str,
    },
}

impl Misfit {
    pub fn position(&self) -> Position {
        match self {
            Misfit::NotJson(error) => error.at,
            Misfit::Shape { at, .. } => *at,
        }
    }
}

pub const AN_OBJECT: &str = "an object, as the harness takes it";
pub const A_LIST: &str = "a list, as the harness takes it";

/// Returns the fault of a part that has another shape.
pub fn misfit(document: &Document, node: &Node, what: &str, expected: &'static str) -> Misfit {
    Misfit::Shape {
        at: position(document.text(), node.span.start),
        what: what.to_owned(),
        expected,
    }
}

/// Returns where a member of the root is, which is an object if it is there.
pub fn section(document: &Document, name: &str) -> Result<Option<usize>, Misfit> {
    let Some(root) = document.root() else {
        return Ok(None);
    };
    if !root.is_object() {
        return Err(misfit(document, root, "the whole file", AN_OBJECT));
    }
    let Some(index) = root.index(name) else {
        return Ok(None);
    };
    let node = &root.elements()[index].value;
    match node.is_object() {
        true => Ok(Some(index)),
        false => Err(misfit(document, node, name, AN_OBJECT)),
    }
}

/// An entry of ours.
#[derive(Debug)]
struct Ours {
    path: Vec<usize>,
    /// The group it is in, where there are groups.
    group: Option<Vec<usize>>,
    /// Whether others are in that group.
    shared: bool,
    native: String,
    event: AgentEvent,
}

impl Ours {
    /// Returns what to take out: the group with it, where it is alone in it.
    fn unit(&self) -> &[usize] {
        match &self.group {
            Some(group) if !self.shared => group,
            _ => &self.path,
        }
    }
}

/// Finds our entries, in the order of the file. What is not as it should be has none of ours.
fn ours(document: &Document, harness: Harness) -> Vec<Ours> {
    let mut found = Vec::new();
    let Ok(Some(hooks)) = section(document, "hooks") else {
        return found;
    };
    let Some(natives) = document.node(&[hooks]) else {
        return found;
    };
    for (at, native) in natives.elements().iter().enumerate() {
        let name = native.name.clone().unwrap_or_default();
        for (index, item) in native.value.elements().iter().enumerate() {
            let path = vec![hooks, at, index];
            match table::layout(harness) {
                Layout::Flat => {
                    if let Some(event) = event_in(&item.value, harness) {
                        found.push(Ours {
                            path,
                            group: None,
                            shared: false,
                            native: name.clone(),
                            event,
                        });
                    }
                }
                Layout::Grouped => in_group(&item.value, harness, &path, &name, &mut found),
            }
        }
    }
    found
}

fn in_group(group: &Node, harness: Harness, path: &[usize], native: &str, found: &mut Vec<Ours>) {
    let Some(list) = group.index("hooks") else {
        return;
    };
    let entries = group.elements()[list].value.elements();
    let is_ours = |entry: &super::json::Element| event_in(&entry.value, harness).is_some();
    let shared = !entries.iter().all(is_ours) || entries.len() > 1;
    for (index, entry) in entries.iter().enumerate() {
        let Some(event) = event_in(&entry.value, harness) else {
            continue;
        };
        found.push(Ours {
            path: [path, &[list, index]].concat(),
            group: Some(path.to_vec()),
            shared,
            native: native.to_owned(),
            event,
        });
    }
}

/// Returns the event for which an entry calls us, if it does.
fn event_in(entry: &Node, harness: Harness) -> Option<AgentEvent> {
    let text = |key: &&str| entry.member(key).and_then(Node::as_text);
    let command = table::command_keys(harness).iter().find_map(text)?;
    // A program and its arguments, without a shell.
    let args = entry.member("args").map_or(&[][..], Node::elements);
    let args = args.iter().filter_map(|arg| arg.value.as_text());
    let words: Vec<&str> = std::iter::once(command).chain(args).collect();
    table::event_of(&words.join(" "))
}

/// How strict the hook before edits is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// As it is; lenient where there is none.
    AsItIs,
    Strict,
}

/// Puts our hooks into a file, or brings up to date what is there of ours.
///
/// # Errors
///
/// If the file is not of the shape that the harness takes.
pub fn install_hooks(
    document: &mut Document,
    harness: Harness,
    strictness: Strictness,
) -> Result<Done, Misfit> {
    let mut done = Done::default();
    let Some(hooks) = section(document, "hooks")? else {
        document.append(&[], Some("hooks"), &all_hooks(harness, strictness))?;
        let has = |root: &Node| root.index("version").is_some();
        if table::has_version(harness) && !document.root().is_some_and(has) {
            document.append(&[], Some("version"), &Value::Number(1))?;
        }
        done.added.extend(natives(harness).map(str::to_owned));
        return Ok(done);
    };
    check_lists(document, hooks, harness)?;
    for hook in table::hooks(harness) {
        let named = || match hook.event {
            AgentEvent::Wake => format!("{} (wake)", hook.native),
            _ => hook.native.to_owned(),
        };
        let is_it = |ours: &Ours| ours.native == hook.native && ours.event == hook.event;
        match ours(document, harness).into_iter().find(is_it) {
            None => {
                add(document, hooks, harness, hook, strictness)?;
                done.added.push(named());
            }
            Some(found) => {
                if update(document, hooks, harness, hook, strictness, found)? {
                    done.updated.push(named());
                }
            }
        }
        if strictness == Strictness::AsItIs && is_strict(document, harness, hook) {
            done.notes
                .push("the hook before edits stays strict".to_owned());
        }
    }
    while let Some(extra) = superfluous(document, harness) {
        document.remove(extra.unit())?;
        done.updated.push(format!("{} (twice)", extra.native));
    }
    Ok(done)
}

fn natives(harness: Harness) -> impl Iterator<Item = &'static str> {
    let hooks = table::hooks(harness);
    let is_first = |at: usize| hooks[..at].iter().all(|h| h.native != hooks[at].native);
    (0..hooks.len())
        .filter(move |at| is_first(*at))
        .map(|at| hooks[at].native)
}

/// Returns all hooks of a harness as its file has them.
pub fn all_hooks(harness: Harness, strictness: Strictness) -> Value {
    let of = |native: &'static str| {
        let hooks = table::hooks(harness).iter();
        let hooks = hooks.filter(|hook| hook.native == native);
        let items = hooks.map(|hook| item(harness, hook, strictness));
        (native, Value::Rows(items.collect()))
    };
    Value::Fields(natives(harness).map(of).collect())
}

fn check_lists(document: &Document, hooks: usize, harness: Harness) -> Result<(), Misfit> {
    let Some(node) = document.node(&[hooks]) else {
        return Ok(());
    };
    for native in natives(harness) {
        if let Some(list) = node.member(native)
            && !list.is_array()
        {
            return Err(misfit(document, list, &format!("hooks.{native}"), A_LIST));
        }
    }
    Ok(())
}

/// Returns an element of an event's list.
fn item(harness: Harness, hook: &Hook, strictness: Strictness) -> Value {
    let entry = Value::Fields(fields(harness, hook, strictness));
    if table::layout(harness) == Layout::Flat {
        return entry;
    }
    let tools = hook.tools.map(|tools| ("matcher", Value::text(tools)));
    let hooks = ("hooks", Value::Rows(vec![entry]));
    Value::Fields(tools.into_iter().chain([hooks]).collect())
}

fn fields(harness: Harness, hook: &Hook, strictness: Strictness) -> Vec<(&'static str, Value)> {
    let mut fields = table::entry(harness, hook);
    if strictness == Strictness::Strict && hook.event == AgentEvent::BeforeEdit {
        fields.extend(table::strictness(harness));
    }
    fields
}

fn add(
    document: &mut Document,
    hooks: usize,
    harness: Harness,
    hook: &Hook,
    strictness: Strictness,
) -> Result<(), Misfit> {
    let item = item(harness, hook, strictness);
    let natives = document.node(&[hooks]);
    match natives.and_then(|node| node.index(hook.native)) {
        Some(at) => document.append(&[hooks, at], None, &item)?,
        None => {
            let list = Value::Rows(vec![item]);
            document.append(&[hooks], Some(hook.native), &list)?;
        }
    }
    Ok(())
}

/// Brings an entry up to date in its place, and returns whether it was not.
fn update(
    document: &mut Document,
    hooks: usize,
    harness: Harness,
    hook: &Hook,
    strictness: Strictness,
    found: Ours,
) -> Result<bool, Misfit> {
    let tools = hook.tools.map(Value::text);
    let matcher = |group: &Node| group.member("matcher").cloned();
    let group = found.group.as_ref().and_then(|path| document.node(path));
    let fits = match (group.and_then(matcher), &tools) {
        _ if group.is_none() => true,
        (Some(matcher), Some(tools)) => matcher.is(tools),
        (Some(matcher), None) => matches!(matcher.as_text(), Some("" | "*")),
        (None, tools) => tools.is_none(),
    };
    if !fits && found.shared {
        // The group's tools are those of the others in it, too.
        document.remove(&found.path)?;
        add(document, hooks, harness, hook, strictness)?;
        return Ok(true);
    }
    let mut changed = false;
    if let (false, Some(group)) = (fits, &found.group) {
        set(document, group, "matcher", tools.as_ref())?;
        changed = true;
    }
    // Setting the matcher may have moved the entry.
    let again = ours(document, harness).into_iter();
    let mut again = again.filter(|ours| ours.native == hook.native && ours.event == hook.event);
    let path = again.next().map_or(found.path, |ours| ours.path);
    for (name, value) in fields(harness, hook, strictness) {
        changed |= set(document, &path, name, Some(&value))?;
    }
    changed |= set(document, &path, "args", None)?;
    Ok(changed)
}

/// Gives a member of an object a value, or takes it out, and returns whether it had another.
pub fn set(
    document: &mut Document,
    path: &[usize],
    name: &'static str,
    value: Option<&Value>,
) -> Result<bool, Misfit> {
    let Some(object) = document.node(path) else {
        return Ok(false);
    };
    let at = object.index(name);
    let member = at.map(|at| [path, &[at]].concat());
    match (member, value) {
        (None, None) => return Ok(false),
        (Some(member), Some(value)) => {
            if document.node(&member).is_some_and(|node| node.is(value)) {
                return Ok(false);
            }
            document.replace(&member, value)?;
        }
        (Some(member), None) => document.remove_alone(&member)?,
        (None, Some(value)) => document.append(path, Some(name), value)?,
    }
    Ok(true)
}

fn is_strict(document: &Document, harness: Harness, hook: &Hook) -> bool {
    let Some((name, value)) = table::strictness(harness) else {
        return false;
    };
    let is_it = |ours: &Ours| ours.native == hook.native && ours.event == hook.event;
    hook.event == AgentEvent::BeforeEdit
        && ours(document, harness)
            .iter()
            .filter(|o| is_it(o))
            .any(|ours| {
                let entry = document.node(&ours.path);
                let set = entry.and_then(|entry| entry.member(name));
                set.is_some_and(|set| set.is(&value))
            })
}

/// Returns the last entry of ours that is there twice, or for no event of today's.
fn superfluous(document: &Document, harness: Harness) -> Option<Ours> {
    let mut all = ours(document, harness);
    let same = |a: &Ours, b: &Ours| a.native == b.native && a.event == b.event;
    let wanted = |ours: &Ours| {
        let hooks = table::hooks(harness).iter();
        hooks
            .into_iter()
            .any(|hook| hook.native == ours.native && hook.event == ours.event)
    };
    let at = (0..all.len())
        .rev()
        .find(|at| !wanted(&all[*at]) || all[..*at].iter().any(|b| same(&all[*at], b)))?;
    Some(all.swap_remove(at))
}

/// Returns what the hook before edits runs, as the file has it.
pub fn edit_command(document: &Document, harness: Harness) -> Option<String> {
    let mut all = ours(document, harness).into_iter();
    let edit = all.find(|ours| ours.event == AgentEvent::BeforeEdit)?;
    let entry = document.node(&edit.path)?;
    let text = |key: &&str| entry.member(key).and_then(Node::as_text);
    let command = table::command_keys(harness).iter().find_map(text)?;
    let args = entry.member("args").map_or(&[][..], Node::elements);
    let args = args.iter().filter_map(|arg| arg.value.as_text());
    let words: Vec<&str> = std::iter::once(command).chain(args).collect();
    Some(words.join(" "))
}

/// Takes our hooks out of a file, and returns the events they were for.
///
/// # Errors
///
/// If what is left is no JSON, which would be our fault.
pub fn remove_hooks(document: &mut Document, harness: Harness) -> Result<Vec<String>, Misfit> {
    let mut trial = document.clone();
    let mut gone = take_hooks(&mut trial, harness)?;
    if gone.is_empty() {
        return Ok(gone);
    }
    let without = |document: &Document| {
        let hooks = document.root().and_then(|root| root.index("hooks"));
        hooks.is_none()
    };
    // It came with the hooks where it stands behind them; else it was there before.
    if table::has_version(harness)
        && without(&trial)
        && let Some(root) = document.root()
        && let (Some(hooks), Some(version)) = (root.index("hooks"), root.index("version"))
        && version == hooks + 1
        && root.elements()[version].value.is(&Value::Number(1))
    {
        document.remove(&[version])?;
    }
    take_hooks(document, harness)?;
    gone.reverse();
    gone.dedup();
    Ok(gone)
}

fn take_hooks(document: &mut Document, harness: Harness) -> Result<Vec<String>, Misfit> {
    let mut gone = Vec::new();
    while let Some(last) = ours(document, harness).pop() {
        document.remove(last.unit())?;
        gone.push(last.native);
    }
    Ok(gone)
}

#[cfg(test)]
mod tests;
