//! Laws of every edit, on texts of all layouts: it can be taken back byte for byte, it is made once,
//! and all that was there stays.

use proptest::prelude::*;
use serde_json::{Map, Value as Plain};

use crate::model::harness::Harness;

use super::entries::{self, Strictness};
use super::json::{Document, Kind, Node};
use super::{approvals, block, server_table, servers, table};

/// Choices, one after the other; the first of every kind when they are used up.
struct Tape<'t> {
    choices: &'t [u8],
    at: usize,
}

impl Tape<'_> {
    fn next(&mut self, of: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        usize::from(choice) % of
    }

    fn pick<'p>(&mut self, of: &[&'p str]) -> &'p str {
        of[self.next(of.len())]
    }
}

/// Writes JSON with comments, commas, blanks and newlines wherever they may be.
struct Writer<'t> {
    tape: Tape<'t>,
    newline: &'static str,
    text: String,
}

impl Writer<'_> {
    /// Blanks and comments, of which a line comment ends with its line.
    fn gap(&mut self) {
        for _ in 0..self.tape.next(3) {
            let newline = self.newline;
            match self.tape.next(9) {
                0 | 1 => {}
                2 => self.text.push(' '),
                3 => self.text.push_str(&format!("{newline}  ")),
                4 => self.text.push_str(&format!("{newline}\t\t")),
                5 => self.text.push_str(&format!(" // é, \"{{[  {newline}    ")),
                6 => self.text.push_str("/* , } */"),
                7 => self.text.push_str(&format!(" /*{newline} ] */ ")),
                _ => self.text.push_str(&format!("  //{newline}{newline}")),
            }
        }
    }

    fn scalar(&mut self) {
        let scalars = [
            "1",
            "\"x\"",
            "null",
            "true",
            "-2.5e3",
            "\"// \\\"é\\u00e9\"",
            "\"\"",
        ];
        let scalar = self.tape.pick(&scalars);
        self.text.push_str(scalar);
    }

    fn container(
        &mut self,
        open: char,
        close: char,
        count: usize,
        mut each: impl FnMut(&mut Self, usize),
    ) {
        self.text.push(open);
        self.gap();
        for at in 0..count {
            each(self, at);
            self.gap();
            if at + 1 < count || self.tape.next(3) == 2 {
                self.text.push(',');
                self.gap();
            }
        }
        self.text.push(close);
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(&format!("\"{name}\""));
        self.gap();
        self.text.push(':');
        self.gap();
    }

    fn object(&mut self, names: &[&str], mut value: impl FnMut(&mut Self, &str)) {
        let count = self.tape.next(names.len() + 1);
        let first = self.tape.next(names.len().max(1));
        self.container('{', '}', count, |writer, at| {
            let name = names[(first + at) % names.len()];
            writer.name(name);
            value(writer, name);
        });
    }

    fn any(&mut self, depth: usize) {
        match self.tape.next(if depth == 0 { 2 } else { 4 }) {
            0 | 1 => self.scalar(),
            2 => self.object(&["a", "b", "hooks"], |writer, _| writer.any(depth - 1)),
            _ => {
                let count = self.tape.next(3);
                self.container('[', ']', count, |writer, _| writer.any(depth - 1));
            }
        }
    }

    /// What a harness may have in its file.
    fn root(&mut self, harness: Harness) {
        let natives = [
            "Zzz",
            table::hooks(harness)[0].native,
            table::hooks(harness)[2].native,
        ];
        let list = table::server(harness).list;
        let names = [
            "hooks",
            "a",
            list,
            "version",
            "context",
            "enabledMcpjsonServers",
            "permissions",
            "z",
        ];
        self.object(&names, |writer, name| match name {
            "hooks" => writer.object(&natives, |writer, _| {
                let count = writer.tape.next(3);
                writer.container('[', ']', count, |writer, _| writer.group());
            }),
            "version" => writer.text.push('1'),
            "context" => writer.object(&["b", "c"], |writer, _| writer.any(1)),
            "enabledMcpjsonServers" => writer.list(),
            "permissions" => writer.object(&["allow", "deny"], |writer, _| writer.list()),
            name if name == list => writer.object(&["other", "more"], |writer, _| {
                writer.object(&["command", "args"], |writer, _| writer.any(1));
            }),
            _ => writer.any(2),
        });
    }

    fn list(&mut self) {
        let count = self.tape.next(3);
        self.container('[', ']', count, |writer, _| writer.scalar());
    }

    fn group(&mut self) {
        self.object(
            &["matcher", "hooks", "command"],
            |writer, name| match name {
                "hooks" => {
                    let count = writer.tape.next(3);
                    writer.container('[', ']', count, |writer, _| {
                        writer.object(&["type", "command"], |writer, _| writer.scalar());
                    });
                }
                _ => writer.scalar(),
            },
        );
    }
}

fn json(choices: &[u8], harness: Harness) -> String {
    let mut writer = Writer {
        tape: Tape { choices, at: 0 },
        newline: if choices.first().is_some_and(|c| c % 2 == 1) {
            "\r\n"
        } else {
            "\n"
        },
        text: String::new(),
    };
    writer.tape.at = 1;
    writer.gap();
    if writer.tape.next(8) != 7 {
        writer.root(harness);
        writer.gap();
    }
    // The end of the file may be anywhere.
    if writer.tape.next(2) == 1 {
        writer.text.truncate(writer.text.trim_end().len());
    }
    writer.text
}

fn plain(node: &Node) -> Plain {
    match &node.kind {
        Kind::Object(members) => {
            let members = members.iter();
            let members = members.map(|m| (m.name.clone().unwrap_or_default(), plain(&m.value)));
            Plain::Object(members.collect::<Map<_, _>>())
        }
        Kind::Array(items) => items.iter().map(|item| plain(&item.value)).collect(),
        Kind::Text(text) => Plain::from(text.as_str()),
        Kind::Flag(flag) => Plain::from(*flag),
        Kind::Number(number) => serde_json::from_str(number).unwrap(),
        Kind::Null => Plain::Null,
    }
}

/// Tells whether all that was there is there, in its order.
fn keeps(new: &Plain, old: &Plain) -> bool {
    match (new, old) {
        (Plain::Object(new), Plain::Object(old)) => old
            .iter()
            .all(|(name, old)| new.get(name).is_some_and(|new| keeps(new, old))),
        (Plain::Array(new), Plain::Array(old)) => {
            new.len() >= old.len() && new.iter().zip(old).all(|(new, old)| keeps(new, old))
        }
        (new, old) => new == old,
    }
}

fn install(document: &mut Document, harness: Harness) {
    entries::install_hooks(document, harness, Strictness::AsItIs).unwrap();
    servers::install_server(document, harness).unwrap();
    servers::install_context(document).unwrap();
    approvals::install(document).unwrap();
}

fn remove(document: &mut Document, harness: Harness) {
    approvals::remove(document).unwrap();
    servers::remove_context(document).unwrap();
    servers::remove_server(document, harness).unwrap();
    entries::remove_hooks(document, harness).unwrap();
}

fn harness() -> impl Strategy<Value = Harness> {
    prop::sample::select(vec![
        Harness::Claude,
        Harness::Gemini,
        Harness::Copilot,
        Harness::Cursor,
    ])
}

fn toml(choices: &[u8]) -> String {
    let mut tape = Tape { choices, at: 0 };
    let newline = tape.pick(&["\n", "\r\n"]);
    let mut text = String::new();
    for at in 0..tape.next(7) {
        let line = tape.pick(&[
            "# a comment",
            "",
            "kN = 1 # one",
            "[tN]\n  kN = [\n  1, # x\n]",
            "[mcp_servers.sN]\ncommand = \"x\"\n",
            "[[list]]\nkN = { a = \"b\" }",
            "kN = '''\n[mcp_servers.reflectt]\n'''  ",
            "\"é N\" = 1979-05-27T07:32:00Z",
        ]);
        text.push_str(&line.replace('N', &at.to_string()));
        text.push('\n');
    }
    for _ in 0..tape.next(3) {
        text.pop();
    }
    text.replace('\n', newline)
}

/// The laws would hold of nothing, too.
#[test]
fn the_texts_are_of_all_kinds() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut seen = [0; 8];
    for _ in 0..400 {
        let choices: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(120).collect();
        let text = json(&choices, Harness::Claude);
        let document = Document::read(Some(&text)).unwrap();
        let root = document.root();
        let squeezed: String = text.split_whitespace().collect();
        let is = [
            root.is_none(),
            text.contains("//"),
            text.contains("\r\n"),
            squeezed.contains(",}") || squeezed.contains(",]"),
            squeezed.contains("{}"),
            root.is_some_and(|root| root.index("hooks").is_some()),
            text.contains("PreToolUse"),
            text.contains("\"other\""),
        ];
        for (count, is) in seen.iter_mut().zip(is) {
            *count += usize::from(is);
        }
    }
    assert!(seen.iter().all(|count| *count >= 8), "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_kept(choices in prop::collection::vec(any::<u8>(), 0..120), harness in harness()) {
        let text = json(&choices, harness);
        let mut document = Document::read(Some(&text)).unwrap();
        let old = document.root().map(plain);
        install(&mut document, harness);
        let once = document.text().to_owned();
        let new = document.root().map(plain).unwrap();
        prop_assert!(old.is_none_or(|old| keeps(&new, &old)), "{text:?}\n{once}");
        install(&mut document, harness);
        prop_assert_eq!(document.text(), &*once);
        let mut document = Document::read(Some(&once)).unwrap();
        remove(&mut document, harness);
        prop_assert_eq!(document.into_text(), Some(text));
    }

    #[test]
    fn toml_is_kept(choices in prop::collection::vec(any::<u8>(), 0..20)) {
        let text = toml(&choices);
        // One that was cut in the middle is none.
        let Ok((Some(once), _)) = server_table::install(Some(&text)) else {
            prop_assert!(text.parse::<::toml::Table>().is_err(), "{text:?}");
            return Ok(());
        };
        let mut new: ::toml::Table = once.parse().unwrap();
        let servers = new.get_mut("mcp_servers").and_then(::toml::Value::as_table_mut).unwrap();
        prop_assert!(servers.remove("reflectt").is_some());
        if servers.is_empty() {
            new.remove("mcp_servers");
        }
        prop_assert_eq!(new, text.parse::<::toml::Table>().unwrap());
        let again = server_table::install(Some(&once)).unwrap().0;
        prop_assert_eq!(again.as_deref(), Some(&*once));
        prop_assert_eq!(server_table::remove(Some(&once)).unwrap().0, Some(text));
    }

    #[test]
    fn text_is_kept(text in "[a\r\n #é]{0,12}") {
        let once = block::append(Some(&text), &block::marked("what to do\n"));
        let span = block::find(&once).unwrap().unwrap();
        prop_assert_eq!(block::remove(&once, span), Some(text));
    }
}
