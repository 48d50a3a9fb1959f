//! What is wrong with the files of the record, as files.

use crate::git::Mode;
use crate::model::advice::Call;
use crate::model::glance::Glance;
use crate::model::name::AgentName;
use crate::ops::OpsError;
use crate::store::{Entry, Quarantined, layout};

use super::{Exam, Finding, Severity, Thing};

/// The branch is checked out for a correction like any other, in a worktree of its own.
const BY_HAND: &str = "git worktree add ../record reflectt (then correct it there and commit)";

impl Exam<'_, '_> {
    pub(super) fn files(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot;
        self.deleted()?;
        self.unnamed()?;
        for bad in snapshot.damaged()? {
            self.damaged(bad)?;
        }
        for bad in &snapshot.unreadable()? {
            self.damaged(bad)?;
        }
        let damaged = |path: &str| {
            snapshot
                .damaged()
                .map(|all| all.iter().any(|b| b.path == path))
        };
        if !damaged(layout::CONFIG)? {
            for problem in snapshot.settings_problems()? {
                self.add(
                    Finding::new(
                        Severity::Warning,
                        "setting",
                        Thing::Setting,
                        format!("{problem}; its default is in force"),
                    )
                    .fix(
                        Call::to("config set")
                            .on_some("key", "KEY")
                            .on_some("value", "VALUE"),
                    ),
                );
            }
        }
        for (name, mode) in snapshot.root_names() {
            let known = match mode {
                Mode::Tree => layout::DIRECTORIES.contains(&name.as_str()),
                _ => layout::FILES.contains(&name.as_str()),
            };
            if !known {
                let ours = layout::DIRECTORIES.contains(&name.as_str());
                let reason = match ours {
                    true => "it is in the place of a directory; what was in that is put back",
                    false => "reflectt does not know what this is, and leaves it alone",
                };
                let thing = Thing::File(name);
                self.add(Finding::new(
                    Severity::Warning,
                    "unknown_file",
                    thing,
                    reason,
                ));
            }
        }
        for entry in snapshot.open()?.iter().chain(snapshot.archived()?) {
            self.place(entry);
        }
        self.inboxes()
    }

    /// Names what no path can name, as a `.git` or a `..`: it is passed over, and mending drops it.
    fn unnamed(&mut self) -> Result<(), OpsError> {
        let repo = self.snapshot.store().repo();
        for path in repo.unnamed(self.snapshot.tree)? {
            let reason = "git checks out nothing of such a name, and reflectt passes it over";
            let finding = Finding::new(Severity::Error, "bad_name", Thing::File(path), reason);
            self.add(finding.mends(self.mending));
            self.changes.drop_unnamed = true;
        }
        Ok(())
    }

    /// Names what was deleted by hand and is not put back yet; mending has put it back before.
    fn deleted(&mut self) -> Result<(), OpsError> {
        let store = self.snapshot.store();
        let tip = self.snapshot.tip;
        for commit in store.left_by_hand(&[tip])? {
            let mut removed = store.removed_by(commit)?;
            if !removed.is_empty() {
                let there = store.identities(self.snapshot.tree)?;
                removed.retain(|it| !there.contains(&layout::identity(&it.path)));
            }
            for it in removed {
                let reason = "it was deleted by hand; the next command that writes puts it back";
                let thing = Thing::File(it.path);
                self.add(
                    Finding::new(Severity::Warning, "deleted", thing, reason)
                        .fix(super::mend_all()),
                );
            }
        }
        Ok(())
    }

    fn damaged(&mut self, bad: &Quarantined) -> Result<(), OpsError> {
        let snapshot = self.snapshot;
        let thing = Thing::File(bad.path.clone());
        if bad.is_by_hand() {
            let reason = format!("{}; it counts once it is taken in", bad.reason);
            self.add(
                Finding::new(Severity::Warning, "by_hand", thing, reason)
                    .fix(Call::to("sync").so("takes it in, or says why it cannot be")),
            );
            return Ok(());
        }
        if snapshot.is_newer(bad)? {
            let finding = Finding::new(Severity::Error, "newer_format", thing, &bad.reason);
            self.add(finding.fix("install the version of reflectt that the others use"));
            return Ok(());
        }
        let elsewhere = match layout::id_in_file_name(&bad.path) {
            Some(id) => snapshot.entry(id)?.filter(|entry| entry.path() != bad.path),
            None => None,
        };
        let (put_back, instead) = match (elsewhere, bad.last_good) {
            (Some(entry), _) => (None, format!("the task is at `{}`", entry.path())),
            (None, Some(good)) => (
                Some(good),
                format!("its last good version ({}) is in force", good.short()),
            ),
            (None, None) if !self.snapshot.is_file(&bad.path)? => {
                self.changes.set_aside.push((bad.path.clone(), bad.blob));
                let finding = Finding::new(Severity::Error, "not_a_file", thing, &bad.reason);
                self.add(finding.mends(self.mending));
                return Ok(());
            }
            (None, None) => {
                let reason = format!("{}; no version of it can be read", bad.reason);
                let finding = Finding::new(Severity::Error, "damaged_file", thing, reason);
                self.add(finding.fix(BY_HAND));
                return Ok(());
            }
        };
        self.changes.set_aside.push((bad.path.clone(), bad.blob));
        self.changes
            .put_back
            .extend(put_back.map(|good| (bad.path.clone(), good)));
        let reason = format!("{}; {instead}", bad.reason);
        let finding = Finding::new(Severity::Error, "damaged_file", thing, reason);
        let mending = self.mending;
        self.add(finding.mends(mending));
        Ok(())
    }

    /// Checks that a task lies where its state says.
    fn place(&mut self, entry: &Entry) {
        let (directory, file) = layout::task_place(entry.task());
        let Glance { id, status, .. } = *entry.glance();
        if entry.path().starts_with(&format!("{directory}/"))
            && layout::id_in_file_name(entry.path()) == Some(id)
        {
            return;
        }
        let reason = format!(
            "task `{id}` is `{status}`, so its place is `{directory}/{file}`; it moves there when it changes next"
        );
        let thing = Thing::File(entry.path().to_owned());
        self.add(Finding::new(
            Severity::Warning,
            "wrong_place",
            thing,
            reason,
        ));
    }

    /// Checks that whoever has unread messages is, or was, on the team.
    fn inboxes(&mut self) -> Result<(), OpsError> {
        for name in self.snapshot.inboxes()? {
            let known = match name.parse::<AgentName>() {
                Ok(agent) => self.snapshot.agent_log(&agent)?.is_some(),
                Err(_) => false,
            };
            if !known {
                let reason = format!("`{name}` is not on the team and has messages");
                let thing = Thing::File(format!("{}/{name}", layout::INBOX));
                self.add(
                    Finding::new(Severity::Warning, "inbox_of_unknown", thing, reason)
                        .fix(Call::to("join").on("name", name)),
                );
            }
        }
        Ok(())
    }
}
