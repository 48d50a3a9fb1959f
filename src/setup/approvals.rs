//! What Claude Code asks each person about otherwise: whether to start our server, and whether its
//! tools may be called. Where nobody sits before it, no answer is a refusal.

use super::entries::{A_LIST, AN_OBJECT, Done, Misfit, misfit, section};
use super::json::{Document, Node};
use super::value::Value;

/// A word in a list of the settings, and a list in which it says the contrary.
struct Approval {
    /// The list's name, and the section it is in.
    list: (Option<&'static str>, &'static str),
    word: &'static str,
    contrary: (Option<&'static str>, &'static str),
}

const APPROVALS: [Approval; 2] = [
    Approval {
        list: (None, "enabledMcpjsonServers"),
        word: "reflectt",
        contrary: (None, "disabledMcpjsonServers"),
    },
    Approval {
        list: (Some("permissions"), "allow"),
        word: "mcp__reflectt",
        contrary: (Some("permissions"), "deny"),
    },
];

impl Approval {
    /// Returns how people name the list.
    fn shown(&self) -> String {
        match self.list {
            (Some(section), name) => format!("{section}.{name}"),
            (None, name) => name.to_owned(),
        }
    }

    /// Tells whether somebody has said no.
    fn is_refused(&self, document: &Document) -> bool {
        let (section, name) = self.contrary;
        let within = match section {
            Some(section) => document.root().and_then(|root| root.member(section)),
            None => document.root(),
        };
        let list = within.and_then(|node| node.member(name));
        list.is_some_and(|list| place_of(list, self.word).is_some())
    }
}

fn place_of(list: &Node, word: &str) -> Option<usize> {
    let mut items = list.elements().iter();
    items.position(|item| item.value.as_text() == Some(word))
}

/// Puts the words in where nobody has said the contrary.
///
/// # Errors
///
/// If a part of the file has another shape than the harness takes.
pub fn install(document: &mut Document) -> Result<Done, Misfit> {
    let mut done = Done::default();
    for approval in &APPROVALS {
        if approval.is_refused(document) {
            let word = approval.word;
            let note = format!("`{word}` is refused in it, and stays so");
            done.notes.push(note);
            continue;
        }
        if put(document, approval)? {
            done.added.push(approval.shown());
        }
    }
    Ok(done)
}

fn put(document: &mut Document, approval: &Approval) -> Result<bool, Misfit> {
    let (outer, name) = approval.list;
    let word = Value::text(approval.word);
    let rows = || Value::Rows(vec![word.clone()]);
    let mut within = Vec::new();
    if let Some(outer) = outer {
        match section(document, outer)? {
            Some(at) => within.push(at),
            None => {
                let made = Value::Fields(vec![(name, rows())]);
                document.append(&[], Some(outer), &made)?;
                return Ok(true);
            }
        }
    }
    let node = document.node(&within);
    if let Some(root) = node.filter(|node| !node.is_object()) {
        return Err(misfit(document, root, "the whole file", AN_OBJECT));
    }
    let Some(at) = node.and_then(|node| node.index(name)) else {
        document.append(&within, Some(name), &rows())?;
        return Ok(true);
    };
    within.push(at);
    let Some(list) = document.node(&within) else {
        return Ok(false);
    };
    if !list.is_array() {
        return Err(misfit(document, list, &approval.shown(), A_LIST));
    }
    if place_of(list, approval.word).is_some() {
        return Ok(false);
    }
    document.append(&within, None, &word)?;
    Ok(true)
}

/// Takes the words out again, and returns the names of the lists they were in.
///
/// # Errors
///
/// If the file cannot be edited.
pub fn remove(document: &mut Document) -> Result<Vec<String>, Misfit> {
    let mut gone = Vec::new();
    for approval in APPROVALS.iter().rev() {
        let (outer, name) = approval.list;
        let mut path = Vec::new();
        if let Some(outer) = outer {
            let Ok(Some(at)) = section(document, outer) else {
                continue;
            };
            path.push(at);
        }
        let Some(at) = document.node(&path).and_then(|node| node.index(name)) else {
            continue;
        };
        path.push(at);
        let word = document.node(&path);
        let Some(at) = word.and_then(|list| place_of(list, approval.word)) else {
            continue;
        };
        path.push(at);
        document.remove(&path)?;
        gone.push(approval.shown());
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(text: &str) -> String {
        let mut document = Document::read(Some(text)).unwrap();
        install(&mut document).unwrap();
        document.into_text().unwrap()
    }

    fn removed(text: &str) -> Option<String> {
        let mut document = Document::read(Some(text)).unwrap();
        remove(&mut document).unwrap();
        document.into_text()
    }

    #[test]
    fn what_is_put_in_is_taken_out_and_nothing_else() {
        for text in [
            "{}",
            "{\n}\n",
            "{\"hooks\": {}}",
            "{\n  \"permissions\": {\"allow\": []}\n}",
            "{\n  \"permissions\": {\n    \"allow\": [\"Read\", \"Bash(ls)\",], // mine\n  },\n}\n",
            "{\"enabledMcpjsonServers\": [\"other\"], \"permissions\": {\"ask\": [\"Bash\"]}}",
            "{\r\n\t\"permissions\": {\r\n\t\t\"allow\": [\r\n\t\t\t\"Read\"\r\n\t\t]\r\n\t}\r\n}",
        ] {
            let with = installed(text);
            assert!(with.contains("\"mcp__reflectt\""), "{with}");
            assert!(with.contains("\"reflectt\""), "{with}");
            assert_eq!(installed(&with), with);
            assert_eq!(removed(&with).as_deref(), Some(text));
        }
    }

    #[test]
    fn who_has_refused_is_not_overruled() {
        let text = "{\"disabledMcpjsonServers\": [\"reflectt\"], \"permissions\": {\"deny\": [\"mcp__reflectt\"]}}";
        assert_eq!(installed(text), text);
    }

    #[test]
    fn another_shape_is_named() {
        let mut document = Document::read(Some("{\"permissions\": {\"allow\": 3}}")).unwrap();
        let error = install(&mut document).unwrap_err().to_string();
        assert!(error.contains("permissions.allow"), "{error}");
    }
}
