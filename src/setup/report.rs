//! What was done, or is to be, for programs and for people; and what is left to a person.

use std::path::Path;

use serde::Serialize;

use crate::git::Repo;
use crate::model::harness::Harness;

use super::draft::Draft;
use super::error::SetupError;
use super::place::Place;
use super::plan::{Plan, Purpose, State};

/// What `reflectt setup` answers.
#[derive(Debug, Clone, Serialize)]
pub struct SetupJson {
    pub harnesses: Vec<HarnessJson>,
    /// The files to commit, from the root of the repository.
    pub commit: Vec<String>,
    /// What only a person can do.
    pub todo: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct HarnessJson {
    pub name: &'static str,
    pub files: Vec<FileJson>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FileJson {
    pub path: String,
    /// `made`, `changed`, `unchanged`, `missing`, `outdated` or `removed`.
    pub state: &'static str,
    /// What was put in, brought up to date or taken out.
    pub what: Vec<String>,
    /// What was left as it is, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What would change, as git shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl FileJson {
    fn new(draft: &Draft, purpose: Purpose) -> FileJson {
        let done = &draft.done;
        FileJson {
            path: draft.shown.clone(),
            state: State::of(draft, purpose).as_str(),
            what: done.added.iter().chain(&done.updated).cloned().collect(),
            notes: done.notes.clone(),
            diff: None,
        }
    }
}

impl Plan {
    /// Returns what becomes of the files of each harness; those that several share are with each.
    pub fn report(&self, harnesses: &[Harness], purpose: Purpose) -> Vec<HarnessJson> {
        let of = |harness: &Harness| {
            let files = self.files.iter();
            let files = files.filter(|draft| draft.harnesses.contains(harness));
            HarnessJson {
                name: harness.as_str(),
                files: files.map(|draft| FileJson::new(draft, purpose)).collect(),
            }
        };
        harnesses.iter().map(of).collect()
    }

    /// Returns the files of the plan that git would commit: not those that are as in the last
    /// commit, and not those that are ignored.
    ///
    /// # Errors
    ///
    /// If git cannot be asked.
    pub fn to_commit(&self, repo: &Repo) -> Result<Vec<String>, SetupError> {
        let paths = self.paths();
        if !self.place.is_tree() || paths.is_empty() {
            return Ok(Vec::new());
        }
        let args = [
            "--literal-pathspecs",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--",
        ];
        let status = repo.git(args).args(paths).checked()?;
        let status = String::from_utf8_lossy(&status).into_owned();
        let mut files: Vec<String> = status
            .split('\0')
            .filter_map(|entry| Some(entry.get(3..)?.to_owned()))
            .collect();
        files.sort();
        Ok(files)
    }
}

/// Returns what is left to a person, in sentences. `is_there` tells whether `reflectt` is on the
/// PATH.
pub fn todo(
    place: &Place,
    harnesses: &[Harness],
    main: Option<&Path>,
    is_there: bool,
) -> Vec<String> {
    let mut all = Vec::new();
    if !is_there {
        all.push(
            "`reflectt` is not on the PATH: harnesses run it by this name, and most let every edit \
             through where it is missing"
                .to_owned(),
        );
    }
    for harness in harnesses {
        let sentences = match (harness, place.is_tree()) {
            (Harness::Claude, true) => vec![
                "Claude Code passes over approvals in a folder that it does not trust: trust this \
                 one when it asks"
                    .to_owned(),
            ],
            (Harness::Codex, _) => {
                let trust = "Codex CLI passes over hooks in silence until they are trusted: run \
                             `/hooks` in it, and again when they have changed";
                let linked = main.filter(|_| place.is_tree()).map(|main| {
                    format!(
                        "Codex CLI reads hooks from the main checkout only: they count once \
                         `.codex/hooks.json` is in {}",
                        main.display()
                    )
                });
                std::iter::once(trust.to_owned()).chain(linked).collect()
            }
            (Harness::Gemini, true) => vec![
                "Gemini CLI passes over hooks and servers of a folder that it does not trust: \
                 trust this one when it asks"
                    .to_owned(),
            ],
            (Harness::Copilot, true) => vec![
                "Copilot refuses every edit where `reflectt` is missing: have \
                 `.github/workflows/copilot-setup-steps.yml` install it for the cloud agent"
                    .to_owned(),
                "Copilot CLI passes over hooks and servers of a folder that it does not trust: \
                 trust this one when it asks"
                    .to_owned(),
            ],
            _ => Vec::new(),
        };
        all.extend(sentences);
    }
    all
}
