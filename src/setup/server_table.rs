//! The MCP server in a `config.toml` of Codex's: a table of its own behind all that is there.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::block;
use super::entries::Done;
use super::json::{Position, position};
use super::table;
use super::value::newline_of;

const LIST: &str = "mcp_servers";
const NAME: &str = "mcp_servers.reflectt";
/// Without the last line `codex exec`, which nobody can ask, refuses each call that changes anything;
/// a person may take it away.
const TABLE: &str = "[mcp_servers.reflectt]
command = \"reflectt\"
args = [\"mcp\"]
default_tools_approval_mode = \"approve\"";
const FIELDS: [(&str, &str); 2] = [("command", "\"reflectt\""), ("args", "[\"mcp\"]")];

/// Why a file is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Misfit {
    pub at: Position,
    pub reason: String,
}

fn misfit(text: &str, span: Option<Range<usize>>, reason: &str) -> Misfit {
    Misfit {
        at: position(text, span.map_or(0, |span| span.start)),
        reason: reason.to_owned(),
    }
}

fn read(text: &str) -> Result<Document<&str>, Misfit> {
    Document::parse(text).map_err(|error| misfit(text, error.span(), error.message()))
}

/// Returns our server's table.
fn server<'d>(text: &str, document: &'d Document<&str>) -> Result<Option<&'d Item>, Misfit> {
    let Some(list) = document.as_table().get(LIST) else {
        return Ok(None);
    };
    let Some(servers) = list.as_table_like() else {
        return Err(misfit(text, list.span(), "`mcp_servers` is not a table"));
    };
    let Some(server) = servers.get("reflectt") else {
        return match list {
            Item::Table(_) => Ok(None),
            _ => Err(misfit(
                text,
                list.span(),
                "`mcp_servers` is written on one line, and no table can be added to it: write \
                 `[mcp_servers.NAME]` for each server",
            )),
        };
    };
    match server.is_table_like() {
        true => Ok(Some(server)),
        false => Err(misfit(
            text,
            server.span(),
            &format!("`{NAME}` is not a table"),
        )),
    }
}

/// Tells whether a server's table runs us.
fn runs_us(server: &dyn TableLike) -> bool {
    let program = server.get("command").and_then(Item::as_str);
    let args = server.get("args").and_then(Item::as_array);
    let first = args.and_then(|args| args.get(0)?.as_str());
    program.is_some_and(table::is_us) && first.is_none_or(|first| first == "mcp")
}

/// Puts our server into the file, or brings it up to date.
///
/// # Errors
///
/// If the file is no TOML, or no table can be added to it.
pub fn install(text: Option<&str>) -> Result<(Option<String>, Done), Misfit> {
    let mut done = Done::default();
    let old = text.unwrap_or_default();
    let document = read(old)?;
    let Some(server) = server(old, &document)? else {
        let new = block::append(text, TABLE);
        read(&new)?;
        done.added.push(NAME.to_owned());
        return Ok((Some(new), done));
    };
    let Some(fields) = server.as_table_like().filter(|fields| runs_us(*fields)) else {
        let note = format!("`{NAME}` runs something else, and is left as it is");
        done.notes.push(note);
        return Ok((text.map(str::to_owned), done));
    };
    let mut new = old.to_owned();
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (name, wanted) in FIELDS {
        match fields.get(name) {
            Some(item) if same(item, wanted) => {}
            Some(item) => edits.extend(item.span().map(|span| (span, wanted.to_owned()))),
            None => {
                let Some(span) = server.as_table().and_then(toml_edit::Table::span) else {
                    let reason = format!("`{NAME}` has no `{name}`; add `{name} = {wanted}`");
                    return Err(misfit(old, server.span(), &reason));
                };
                let end = line_end(old, span.start);
                let line = format!("{}{name} = {wanted}", newline_of(old));
                edits.push((end..end, line));
            }
        }
    }
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, wanted) in edits {
        new.replace_range(span, &wanted);
    }
    if new != old {
        read(&new)?;
        done.updated.push(NAME.to_owned());
    }
    Ok((text.map(|_| new), done))
}

fn same(item: &Item, wanted: &str) -> bool {
    match item.as_array() {
        Some(args) => args.len() == 1 && args.get(0).and_then(|arg| arg.as_str()) == Some("mcp"),
        None => item.as_str() == Some(wanted.trim_matches('"')),
    }
}

fn line_end(text: &str, from: usize) -> usize {
    let end = text[from..].find('\n').map_or(text.len(), |at| from + at);
    end - usize::from(text[..end].ends_with('\r'))
}

/// Takes our server's table out, with those below it; one that is written in another way is a
/// person's.
///
/// # Errors
///
/// As [`install`].
pub fn remove(text: Option<&str>) -> Result<(Option<String>, Vec<String>), Misfit> {
    let Some(text) = text else {
        return Ok((None, Vec::new()));
    };
    let kept = || Ok((Some(text.to_owned()), Vec::new()));
    let document = read(text)?;
    let server = server(text, &document).ok().flatten();
    let Some(table) = server.and_then(Item::as_table) else {
        return kept();
    };
    let Some(span) = table
        .span()
        .filter(|_| !table.is_dotted() && runs_us(table))
    else {
        return kept();
    };
    if !text[span.start..].starts_with('[') {
        return kept();
    }
    let mut end = line_end(text, span.start);
    last_line(text, table, &mut end);
    let new = block::remove(text, span.start..end);
    let others = |text: &str| {
        let mut all: toml::Table = text.parse().ok()?;
        if let Some(servers) = all.get_mut(LIST).and_then(toml::Value::as_table_mut) {
            servers.remove("reflectt");
            if servers.is_empty() {
                all.remove(LIST);
            }
        }
        Some(all)
    };
    if others(text) != others(new.as_deref().unwrap_or_default()) {
        let reason = format!("the tables of `{NAME}` are not next to each other: take them out");
        return Err(misfit(text, Some(span), &reason));
    }
    Ok((new, vec![NAME.to_owned()]))
}

/// Finds the end of the last line that a table has anything on.
fn last_line(text: &str, table: &dyn TableLike, end: &mut usize) {
    for (_, item) in table.iter() {
        if let Some(span) = item.span() {
            *end = (*end).max(line_end(text, span.end));
        }
        if let Some(table) = item.as_table_like() {
            last_line(text, table, end);
        }
        for table in item.as_array_of_tables().into_iter().flatten() {
            last_line(text, table, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: Option<&str>) -> String {
        install(text).unwrap().0.unwrap()
    }

    fn without(text: &str) -> Option<String> {
        remove(Some(text)).unwrap().0
    }

    #[test]
    fn what_was_there_comes_back() {
        for before in [
            "",
            "\n",
            "model = \"o\"",
            "model = \"o\"\n",
            "model = \"o\"  # fast\n\n",
            "# only a comment",
            "a = 1\r\n[b]\r\nc = [\r\n  1,\r\n]\r\n",
            "[mcp_servers]\n",
            "[mcp_servers.other]\ncommand = \"x\"\n",
            "[mcp_servers.other.env]\nA = \"b\"",
            "[[x]]\ny = 1\n[[x]]\n",
            "d = 1979-05-27T07:32:00Z\nm = '''\n[mcp_servers.reflectt]\n'''\n",
        ] {
            let once = with(Some(before));
            assert_eq!(with(Some(&once)), once, "{before:?}");
            assert_eq!(without(&once).as_deref(), Some(before), "{before:?}");
        }
        let made = with(None);
        assert_eq!(made, format!("{TABLE}\n"));
        assert_eq!(without(&made), None);
        assert_eq!(remove(None), Ok((None, Vec::new())));
    }

    #[test]
    fn what_is_behind_and_below_it() {
        let text = with(Some("a = 1\n"))
            + "env = { A = \"b\" } # mine\n\n[mcp_servers.reflectt.tools.x]\ny = 1\n\n[z]\n";
        assert_eq!(without(&text).as_deref(), Some("a = 1\n\n[z]\n"));
        let apart = with(None) + "[z]\nq = 1\n[mcp_servers.reflectt.env]\nA = \"b\"\n";
        assert!(remove(Some(&apart)).is_err());
    }

    #[test]
    fn ours_is_brought_up_to_date_in_its_place() {
        let old = "[mcp_servers.reflectt]\ncommand = \"/opt/reflectt\" # there\nenv = { A = \"b\" }\n\n[z]\n";
        let new = "[mcp_servers.reflectt]\nargs = [\"mcp\"]\ncommand = \"reflectt\" # there\nenv = { A = \"b\" }\n\n[z]\n";
        assert_eq!(with(Some(old)), new);
        assert_eq!(with(Some(new)), new);
        let inline =
            "[mcp_servers]\nreflectt = { command = \"/x/reflectt\", args = [ \"mcp\" ] }\n";
        let current = inline.replace("/x/", "");
        assert_eq!(with(Some(inline)), current);
        // It is somebody's own writing.
        assert_eq!(without(&current).as_deref(), Some(&*current));
    }

    #[test]
    fn another_server_of_that_name_is_left_alone() {
        let text = "[mcp_servers.reflectt]\ncommand = \"npx\"\nargs = [\"reflectt\"]\n";
        let (new, done) = install(Some(text)).unwrap();
        assert_eq!(new.as_deref(), Some(text));
        assert_eq!(done.notes.len(), 1);
        assert_eq!(without(text).as_deref(), Some(text));
    }

    #[test]
    fn what_cannot_be_edited_is_refused_with_its_place() {
        for (text, line, column) in [
            ("a = 1\nb = \n", 2, 5),
            ("mcp_servers = 3\n", 1, 15),
            ("\nmcp_servers = { x = { command = \"y\" } }\n", 2, 15),
            ("[mcp_servers]\nreflectt = \"no\"\n", 2, 12),
            ("[[mcp_servers]]\nx = 1\n", 1, 1),
        ] {
            let refused = install(Some(text)).unwrap_err();
            assert_eq!(refused.at, Position { line, column }, "{text:?}: {refused}");
        }
    }
}
