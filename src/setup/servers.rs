//! The MCP server among those of others, and the name of the instructions.

use crate::model::harness::Harness;

use super::entries::{AN_OBJECT, Done, Misfit, misfit, section, set};
use super::json::{Document, Kind, Node};
use super::table::{self, Keeping};
use super::value::Value;

/// Puts our server into a list of MCP servers, or brings it up to date.
///
/// # Errors
///
/// As [`install_hooks`].
pub fn install_server(document: &mut Document, harness: Harness) -> Result<Done, Misfit> {
    let server = table::server(harness);
    let named = || format!("{}.reflectt", server.list);
    let all = |server: &table::Server| {
        let fields = server.fields.iter();
        Value::Fields(
            fields
                .map(|(name, value, _)| (*name, value.clone()))
                .collect(),
        )
    };
    let mut done = Done::default();
    let Some(list) = section(document, server.list)? else {
        let servers = Value::Fields(vec![("reflectt", all(&server))]);
        document.append(&[], Some(server.list), &servers)?;
        done.added.push(named());
        return Ok(done);
    };
    let entry = document
        .node(&[list])
        .and_then(|node| node.index("reflectt"));
    let Some(entry) = entry else {
        document.append(&[list], Some("reflectt"), &all(&server))?;
        done.added.push(named());
        return Ok(done);
    };
    let path = [list, entry];
    if let Some(node) = document.node(&path) {
        if !node.is_object() {
            return Err(misfit(document, node, &named(), AN_OBJECT));
        }
        if !runs_us(node) {
            done.notes.push(format!(
                "`{}` runs something else, and is left as it is",
                named()
            ));
            return Ok(done);
        }
    }
    for (name, value, keeping) in &server.fields {
        let has = document
            .node(&path)
            .is_some_and(|node| node.index(name).is_some());
        let wanted = match keeping {
            Keeping::Always => true,
            Keeping::IfMissing => !has,
            Keeping::AtFirst => false,
        };
        if wanted && set(document, &path, name, Some(value))? && done.updated.is_empty() {
            done.updated.push(named());
        }
    }
    Ok(done)
}

/// Tells whether an entry of a list of servers is ours: by what it runs.
fn runs_us(entry: &Node) -> bool {
    let Some(command) = entry.member("command") else {
        return false;
    };
    let words = |node: &Node| -> Vec<String> {
        let items = node.elements().iter();
        let texts = items.filter_map(|item| item.value.as_text());
        texts.map(str::to_owned).collect()
    };
    let line: Vec<String> = match &command.kind {
        Kind::Text(program) => {
            let args = entry.member("args").map(words).unwrap_or_default();
            std::iter::once(program.clone()).chain(args).collect()
        }
        _ => words(command),
    };
    line.first().is_some_and(|program| table::is_us(program))
        && line.get(1).is_none_or(|word| word == "mcp")
}

/// Takes our server out, and returns its name where it was there.
///
/// # Errors
///
/// As [`remove_hooks`].
pub fn remove_server(document: &mut Document, harness: Harness) -> Result<Vec<String>, Misfit> {
    let server = table::server(harness);
    let Ok(Some(list)) = section(document, server.list) else {
        return Ok(Vec::new());
    };
    let servers = document.node(&[list]);
    let Some(entry) = servers.and_then(|node| node.index("reflectt")) else {
        return Ok(Vec::new());
    };
    if !document.node(&[list, entry]).is_some_and(runs_us) {
        return Ok(Vec::new());
    }
    document.remove(&[list, entry])?;
    Ok(vec![format!("{}.reflectt", server.list)])
}

/// What Gemini CLI reads where nobody has told it otherwise, and what the others read before it.
const CONTEXT: [&str; 2] = ["AGENTS.md", "GEMINI.md"];

/// Returns the names of the instructions that a settings file of Gemini CLI's gives.
pub fn context_names(document: &Document) -> Option<Vec<String>> {
    let context = document.root()?.member("context")?.member("fileName")?;
    Some(match &context.kind {
        Kind::Text(name) => vec![name.clone()],
        _ => {
            let names = context.elements().iter();
            let names = names.filter_map(|name| name.value.as_text());
            names.map(str::to_owned).collect()
        }
    })
}

/// Has Gemini CLI read `AGENTS.md`, where its settings name no instructions.
///
/// # Errors
///
/// As [`install_hooks`].
pub fn install_context(document: &mut Document) -> Result<Done, Misfit> {
    let mut done = Done::default();
    let names = Value::Rows(CONTEXT.into_iter().map(Value::text).collect());
    match section(document, "context")? {
        None => {
            let context = Value::Fields(vec![("fileName", names)]);
            document.append(&[], Some("context"), &context)?;
        }
        Some(context) => {
            let node = document.node(&[context]);
            if node.is_some_and(|node| node.index("fileName").is_some()) {
                return Ok(done);
            }
            document.append(&[context], Some("fileName"), &names)?;
        }
    }
    done.added.push("context.fileName".to_owned());
    Ok(done)
}

/// Takes that out again: where it names just these, over several lines, as we write it.
///
/// # Errors
///
/// As [`remove_hooks`].
pub fn remove_context(document: &mut Document) -> Result<Vec<String>, Misfit> {
    let Ok(Some(context)) = section(document, "context") else {
        return Ok(Vec::new());
    };
    let Some(at) = document
        .node(&[context])
        .and_then(|node| node.index("fileName"))
    else {
        return Ok(Vec::new());
    };
    let is_ours = document.node(&[context, at]).is_some_and(|node| {
        let names = Value::words(&CONTEXT);
        node.is(&names) && document.text()[node.span.clone()].contains('\n')
    });
    if !is_ours {
        return Ok(Vec::new());
    }
    document.remove(&[context, at])?;
    Ok(vec!["context.fileName".to_owned()])
}

#[cfg(test)]
mod tests;
