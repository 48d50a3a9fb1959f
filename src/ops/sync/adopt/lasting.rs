//! Messages and reflections, which nobody changes once they are written.

use crate::format::{self, FormatError};
use crate::ops::OpsError;
use crate::store::layout;

use super::{Adopted, Edit};

impl Adopted {
    /// Puts back what somebody wrote over. A file that is added or brought in order stands.
    pub(super) fn lasting(&mut self, edit: &Edit) -> Result<(), OpsError> {
        let reflection = edit.file.path.starts_with(layout::REFLECTIONS);
        let parse = |bytes: &[u8]| -> Result<(), FormatError> {
            if reflection {
                format::parse_reflection(bytes).map(drop)
            } else {
                format::parse_message(bytes).map(drop)
            }
        };
        let good = edit.read_before(parse)?.and(edit.file.before);
        match (good, edit.read(parse)?) {
            (Some(before), _) => {
                let (reason, next) = if reflection {
                    ("a reflection stays as it was written", "reflectt reflect")
                } else {
                    ("a message stays as it was sent", "reflectt send")
                };
                if edit.here {
                    self.changes.put_back.push((edit.file.path.clone(), before));
                }
                self.refuse(edit, reason, format_args!("add another with `{next}`"));
            }
            (None, Err(reason)) => self.unreadable(edit, &reason),
            (None, Ok(())) => {}
        }
        Ok(())
    }
}
