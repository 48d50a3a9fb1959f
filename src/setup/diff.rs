//! What would change in a file, as git shows it.

use std::io::Write as _;

use crate::git::Git;

use super::draft::Draft;
use super::error::SetupError;

/// Returns the difference that a plan would make to a file; empty where there is none.
///
/// # Errors
///
/// If git cannot be asked.
pub fn diff(draft: &Draft) -> Result<String, SetupError> {
    if !draft.is_changed() {
        return Ok(String::new());
    }
    let dir = tempfile::tempdir().map_err(SetupError::Compare)?;
    let after = draft.after();
    let side = |name: &str, bytes: Option<&Vec<u8>>| {
        let path = dir.path().join(name);
        let write = || {
            let mut file = std::fs::File::create(&path)?;
            file.write_all(bytes.map_or(&[], Vec::as_slice))
        };
        write().map(|()| path).map_err(SetupError::Compare)
    };
    let (old, new) = (
        side("old", draft.before.as_ref())?,
        side("new", after.as_ref())?,
    );
    let args = [
        "-c",
        "core.autocrlf=false",
        "diff",
        "--no-index",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--text",
    ];
    let output = Git::new().command(args).arg("--").arg(old).arg(new).run()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let hunks = text.find("\n@@ ").map_or("", |at| &text[at + 1..]);
    let name = |side: &str, is_there: bool| match is_there {
        true => format!("{side}/{}", draft.shown),
        false => "/dev/null".to_owned(),
    };
    Ok(format!(
        "--- {}\n+++ {}\n{hunks}",
        name("a", draft.before.is_some()),
        name("b", after.is_some())
    ))
}
