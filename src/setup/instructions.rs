//! What agents read before they begin: which file of theirs says how to take part.

use std::path::{Component, Path, PathBuf};

use crate::model::harness::Harness;

use super::block;
use super::draft::Drafts;
use super::entries;
use super::error::SetupError;
use super::place::Place;
use super::servers;

/// What a coding agent has to know.
pub const GUIDE: &str = include_str!("../../templates/AGENTS.md");

/// Claude Code reads it where a line says so.
const POINTER: &str = "@AGENTS.md";

const AGENTS: &str = "AGENTS.md";

/// By its heading we know a guide that somebody has put in by hand, of whatever version.
fn is_guide(text: &str) -> bool {
    let heading = GUIDE.lines().next().unwrap_or_default();
    text.lines().any(|line| line.trim_end() == heading)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Guide,
    Pointer,
}

/// What a harness is to read.
#[derive(Debug, Default)]
struct Reading {
    files: Vec<(PathBuf, Content)>,
    /// Whether its settings have to name the file.
    named_by_settings: bool,
}

impl Reading {
    fn guide(file: PathBuf) -> Reading {
        Reading {
            files: vec![(file, Content::Guide)],
            named_by_settings: false,
        }
    }
}

/// Finds out where a harness's instructions are, or belong.
fn reading(drafts: &mut Drafts, harness: Harness) -> Result<Reading, SetupError> {
    let Place::Tree(top) = drafts.place else {
        return Ok(Reading::default());
    };
    let top = top.clone();
    match harness {
        Harness::Cursor => Ok(Reading::default()),
        Harness::Claude => of_claude(drafts, &top),
        Harness::Gemini => of_gemini(drafts, &top),
        _ => Ok(Reading::guide(top.join(AGENTS))),
    }
}

/// The files that Claude Code reads of itself.
const CLAUDE: [&str; 2] = ["CLAUDE.md", ".claude/CLAUDE.md"];

fn of_claude(drafts: &mut Drafts, top: &Path) -> Result<Reading, SetupError> {
    let agents = top.join(AGENTS);
    for name in CLAUDE {
        let file = top.join(name);
        if file.symlink_metadata().is_err() {
            continue;
        }
        let draft = drafts.open(&file)?;
        let text = draft.text().unwrap_or_default();
        let ours = block::find(text).ok().flatten().map(|span| &text[span]);
        let points = |text: &str| text.lines().any(|line| line.trim_end() == POINTER);
        let content = match ours {
            Some(ours) if points(ours) && !is_guide(ours) => Content::Pointer,
            // It reads the other file already, and may be that file.
            None if text.contains(AGENTS) && !is_guide(text) => return Ok(Reading::guide(agents)),
            _ => return Ok(Reading::guide(file)),
        };
        return Ok(Reading {
            files: vec![(agents, Content::Guide), (file, content)],
            named_by_settings: false,
        });
    }
    Ok(Reading {
        files: vec![
            (agents, Content::Guide),
            (top.join(CLAUDE[0]), Content::Pointer),
        ],
        named_by_settings: false,
    })
}

fn of_gemini(drafts: &mut Drafts, top: &Path) -> Result<Reading, SetupError> {
    let names = names_in_settings(drafts, top)?;
    let files: Vec<PathBuf> = names.iter().map(|name| top.join(name)).collect();
    for file in &files {
        let text = drafts.open(file)?.text().unwrap_or_default();
        if matches!(block::find(text), Ok(Some(_))) || is_guide(text) {
            return Ok(Reading::guide(file.clone()));
        }
    }
    let there = files.iter().find(|file| file.symlink_metadata().is_ok());
    if let Some(file) = there.or(files.first()) {
        return Ok(Reading::guide(file.clone()));
    }
    let own = top.join("GEMINI.md");
    if own.symlink_metadata().is_ok() {
        let text = drafts.open(&own)?.text().unwrap_or_default();
        let reads_other = text.contains("@AGENTS.md") || text.contains("@./AGENTS.md");
        let file = if reads_other { top.join(AGENTS) } else { own };
        return Ok(Reading::guide(file));
    }
    Ok(Reading {
        named_by_settings: true,
        ..Reading::guide(top.join(AGENTS))
    })
}

/// Returns the names below the repository that Gemini CLI's settings give.
fn names_in_settings(drafts: &mut Drafts, top: &Path) -> Result<Vec<String>, SetupError> {
    let settings = drafts.open(&top.join(SETTINGS))?.json()?;
    let mut names = servers::context_names(&settings).unwrap_or_default();
    let is_below = |name: &str| {
        let mut parts = Path::new(name).components();
        !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    names.retain(|name| is_below(name));
    Ok(names)
}

const SETTINGS: &str = ".gemini/settings.json";

/// Puts the instructions of a harness where it reads them.
pub fn install(drafts: &mut Drafts, harness: Harness) -> Result<(), SetupError> {
    let reading = reading(drafts, harness)?;
    if reading.named_by_settings {
        let settings = drafts.place.base().join(SETTINGS);
        let draft = drafts.open_for(&settings, harness)?;
        draft.edit_json(servers::install_context)?;
    }
    for (file, content) in reading.files {
        let draft = drafts.open_for(&file, harness)?;
        match content {
            Content::Guide => draft.install_block(GUIDE, is_guide)?,
            Content::Pointer => draft.install_block(POINTER, |_| false)?,
        }
    }
    Ok(())
}

/// Takes the instructions of these harnesses out, except for those that `others` read.
pub fn remove(
    drafts: &mut Drafts,
    harnesses: &[Harness],
    others: &[Harness],
) -> Result<(), SetupError> {
    let Place::Tree(top) = drafts.place else {
        return Ok(());
    };
    let top = top.clone();
    let mut kept = Vec::new();
    for other in others {
        // What cannot be read is no reason to leave everything as it is.
        let files = reading(drafts, *other).map(|reading| reading.files);
        let files = files.unwrap_or_default().into_iter();
        kept.extend(files.filter_map(|(file, _)| drafts.place.resolve(&file).ok()));
    }
    for harness in harnesses {
        let mut names: Vec<String> = Vec::new();
        match harness {
            Harness::Cursor => continue,
            Harness::Claude => names.extend(CLAUDE.map(str::to_owned)),
            Harness::Gemini => {
                names.extend(names_in_settings(drafts, &top)?);
                names.push("GEMINI.md".to_owned());
                let draft = drafts.open_for(&top.join(SETTINGS), *harness)?;
                draft.edit_json(|document| {
                    let updated = servers::remove_context(document)?;
                    Ok(entries::Done {
                        updated,
                        ..entries::Done::default()
                    })
                })?;
            }
            _ => {}
        }
        names.push(AGENTS.to_owned());
        for name in names {
            let file = top.join(name);
            let real = drafts.place.resolve(&file);
            if real.is_ok_and(|real| !kept.contains(&real)) {
                drafts.open_for(&file, *harness)?.remove_block()?;
            }
        }
    }
    Ok(())
}
