//! The token that callers of this clone's server must have, where one is asked for.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

use super::{Store, StoreError};

/// How many bytes of it are drawn.
const RANDOM: usize = 32;

impl Store {
    /// Returns the token, and whether it was made now.
    ///
    /// It is drawn from the system's own source, which others cannot guess, and kept in a file that
    /// only its owner can read.
    pub fn web_token(&self) -> Result<(String, bool), StoreError> {
        let path = self.dir.join("http-token");
        let failed = |source| StoreError::Local {
            doing: "keep the token in",
            path: path.clone(),
            source,
        };
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().len() >= RANDOM => {
                // One that somebody has written by hand is kept as well.
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
                return Ok((text.trim().to_owned(), false));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let token = draw().map_err(failed)?;
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(&path).and_then(|mut file| {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            writeln!(file, "{token}")
        });
        written.map_err(failed)?;
        Ok((token, true))
    }
}

fn draw() -> io::Result<String> {
    let mut bytes = [0; RANDOM];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
