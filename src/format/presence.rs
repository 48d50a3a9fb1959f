//! What one clone says of its agents: a blob on the remote that is replaced, never merged.

use crate::model::presence::{Sign, Signs};

use super::FormatError;
use super::field;
use super::reader::Reader;
use super::writer::Writer;

/// Reads what a clone says. Names that this version would not allow are left out.
pub fn parse_signs(bytes: &[u8]) -> Result<Signs, FormatError> {
    let mut file = Reader::open(bytes)?;
    let mut signs = Signs::default();
    let Some(agents) = file.table("agents")? else {
        return Ok(signs);
    };
    for (name, mut agent) in agents.tables()? {
        let Ok(name) = name.parse() else { continue };
        let sign = Sign {
            at: agent.need("at", field::time)?,
            note: agent.opt("note", field::note)?,
            signed_off: agent.opt("signed_off", field::flag)?.unwrap_or_default(),
        };
        signs.agents.insert(name, sign);
    }
    Ok(signs)
}

/// Prints what a clone says.
pub fn print_signs(signs: &Signs) -> String {
    let mut out = Writer::new();
    for (name, sign) in &signs.agents {
        out.table_below("agents", name.as_str());
        out.time("at", sign.at);
        out.opt_text("note", sign.note.as_deref());
        out.flag("signed_off", sign.signed_off);
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn what_is_printed_is_read() {
        let mut signs = Signs::default();
        for (name, note, signed_off) in [("kai", Some("at \"it\""), false), ("link", None, true)] {
            let sign = Sign {
                at: Timestamp(1_763_000_000_123),
                note: note.map(str::to_owned),
                signed_off,
            };
            signs.agents.insert(name.parse().unwrap(), sign);
        }
        let text = print_signs(&signs);
        assert_eq!(parse_signs(text.as_bytes()).unwrap(), signs, "{text}");
        assert_eq!(
            parse_signs(print_signs(&Signs::default()).as_bytes()).unwrap(),
            Signs::default()
        );
        assert!(parse_signs(b"agents = 3").is_err());
    }
}
