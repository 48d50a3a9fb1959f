//! Names that people and agents choose: agents, channels, lanes, tags, resources, checks.
//!
//! They become file names on the branch, words in a shell and parts of commit trailers, so the
//! alphabet is small. It has one script, so that no two names look alike.

use std::fmt;
use std::str::FromStr;

/// The longest name, in characters.
pub const NAME_MAX: usize = 40;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name is missing")]
    Empty,
    #[error("a name of {0} characters is too long; {NAME_MAX} is the most")]
    TooLong(usize),
    #[error("`{name}` is not a name: {} is not allowed; use a-z, 0-9, `-` and `_`", describe(*.character))]
    Character { name: String, character: char },
    #[error("`{0}` is not a name: it must start with a letter or a digit")]
    Start(String),
    #[error("`{0}` is kept for reflectt itself; choose another name")]
    Reserved(String),
}

fn describe(character: char) -> String {
    if character.is_ascii_uppercase() {
        format!("the capital `{character}`")
    } else if character.is_ascii_graphic() {
        format!("`{character}`")
    } else if character == ' ' {
        "a space".to_owned()
    } else {
        format!("U+{:04X}", u32::from(character))
    }
}

fn check(text: &str) -> Result<(), NameError> {
    let length = text.chars().count();
    if length == 0 {
        return Err(NameError::Empty);
    }
    if length > NAME_MAX {
        return Err(NameError::TooLong(length));
    }
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    if let Some(character) = text.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character {
            name: text.escape_debug().to_string(),
            character,
        });
    }
    if text.starts_with(['-', '_']) {
        return Err(NameError::Start(text.to_owned()));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, reserved: $reserved:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text)?;
                let reserved: &[&str] = $reserved;
                if reserved.contains(&text) {
                    return Err(NameError::Reserved(text.to_owned()));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

// `inbox/<agent>/read` is a directory, `me` and `all` read as pronouns, `reflectt` signs what
// the program itself does.
name!(
    /// The name of an agent or a person on the team.
    AgentName, reserved: &["read", "me", "all", "none", "reflectt"]
);
impl AgentName {
    /// Returns the names nearest to this one: `kai-2`, `kai-3`, …
    pub fn nearest(&self) -> impl Iterator<Item = AgentName> {
        let (base, from) = match self.0.rsplit_once('-') {
            Some((base, n)) if !base.is_empty() => match n.parse::<u32>() {
                Ok(n) => (base, n.saturating_add(1)),
                Err(_) => (self.as_str(), 2),
            },
            _ => (self.as_str(), 2),
        };
        let base = base.to_owned();
        (from..).map(move |n| {
            let number = format!("-{n}");
            // Names are ASCII.
            let kept = base.len().min(NAME_MAX - number.len());
            AgentName(format!("{}{number}", &base[..kept]))
        })
    }
}

name!(
    /// The name of a channel, without its `#`.
    ChannelName, reserved: &[]
);
name!(
    /// A kind of work, like `backend`; agents with lanes are offered only those.
    Lane, reserved: &["none"]
);
name!(
    /// A free label on a task or a reflection.
    Tag, reserved: &[]
);
name!(
    /// A named semaphore, like an API's rate limit, with a capacity in the settings.
    ResourceName, reserved: &[]
);
name!(
    /// A command by which the repository judges a commit.
    CheckName, reserved: &[]
);

impl AgentName {
    /// Returns the name under which reflectt acts by itself. Nobody can join under it.
    pub fn reflectt() -> AgentName {
        AgentName("reflectt".to_owned())
    }
}

/// Who did something: an agent's name, or a person by the name git knows.
///
/// People may commit to the branch by hand, so this is free text in one line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author(String);

impl Author {
    /// Returns `text` with control characters and line breaks taken out, cut to 100 characters.
    pub fn lossy(text: &str) -> Author {
        let clean: String = text
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '<' | '>'))
            .take(100)
            .collect();
        let clean = clean.trim();
        Author(if clean.is_empty() {
            "unknown".to_owned()
        } else {
            clean.to_owned()
        })
    }

    /// Returns the author of this name, which [`Author::lossy`] made before.
    pub fn from_clean(text: String) -> Author {
        Author(text)
    }

    /// Returns the name under which reflectt signs what it mends by itself.
    pub fn reflectt() -> Author {
        Author("reflectt".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is(&self, agent: &AgentName) -> bool {
        self.0 == agent.0
    }
}

impl From<&AgentName> for Author {
    fn from(name: &AgentName) -> Author {
        Author(name.0.clone())
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_count_on() {
        let nearest = |name: &str| {
            let name: AgentName = name.parse().unwrap();
            let two = name.nearest().take(2).map(|name| name.to_string());
            two.collect::<Vec<_>>()
        };
        assert_eq!(nearest("kai"), ["kai-2", "kai-3"]);
        assert_eq!(nearest("kai-9"), ["kai-10", "kai-11"]);
        assert_eq!(nearest("kai-a"), ["kai-a-2", "kai-a-3"]);
        let long = "x".repeat(NAME_MAX);
        let cut = "x".repeat(NAME_MAX - 2);
        assert_eq!(nearest(&long), [format!("{cut}-2"), format!("{cut}-3")]);
        assert!(
            nearest(&long)
                .iter()
                .all(|name| name.parse::<AgentName>().is_ok())
        );
    }

    #[test]
    fn names_are_plain_words() {
        for good in [
            "kai",
            "link-2",
            "a",
            "7of9",
            "code_review",
            &"x".repeat(NAME_MAX),
        ] {
            assert_eq!(good.parse::<AgentName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn names_that_would_escape_or_deceive() {
        let long = "x".repeat(300);
        for bad in [
            "", "../kai", "a/b", ".git", "a.b", "Kai", "k ai", "kаi", "kai\u{7}", "-rf", "read",
            &long,
        ] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad}");
        }
        let cyrillic = "kаi".parse::<AgentName>().unwrap_err().to_string();
        assert!(cyrillic.contains("U+0430"), "{cyrillic}");
    }

    #[test]
    fn authors_stay_on_one_line() {
        assert_eq!(
            Author::lossy("Jane <j@x>\nDoe\u{1b}[31m").as_str(),
            "Jane j@xDoe[31m"
        );
        assert_eq!(Author::lossy(" \n ").as_str(), "unknown");
    }
}
