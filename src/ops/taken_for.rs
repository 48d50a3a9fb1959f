//! What the paths of a claim are taken for: files or directories, as they are where it is made.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::git::{GitError, Mode, Oid};
use crate::model::path::{Found, PathPattern};

use super::{Context, OpsError};

type Directory = HashMap<Vec<u8>, (Mode, Oid)>;

/// The tree of the commit that is checked out where a claim is made.
pub struct Checkout<'c> {
    ctx: &'c Context,
    tree: Option<Oid>,
    /// Directories that were read: ten thousand tasks of a queue lie in few of them.
    read: RefCell<HashMap<Oid, Directory>>,
}

impl<'c> Checkout<'c> {
    pub fn of(ctx: &'c Context, commit: Option<Oid>) -> Result<Checkout<'c>, OpsError> {
        let commit = commit.map(|commit| ctx.repo().read_commit(commit));
        Ok(Checkout {
            ctx,
            tree: commit.transpose()?.map(|commit| commit.tree),
            read: RefCell::default(),
        })
    }

    /// Returns the patterns as they are meant here, each once.
    pub fn taken_for<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p PathPattern>,
    ) -> Vec<PathPattern> {
        // A partial clone may lack a tree; to claim too much is better than too little.
        let found = |path| self.find(path).unwrap_or(Found::Directory);
        let mut taken: Vec<PathPattern> = Vec::new();
        for path in paths {
            let path = path.taken_for(found(path));
            if !taken.iter().any(|have| have.includes(&path)) {
                taken.push(path);
            }
        }
        taken
    }

    fn find(&self, path: &PathPattern) -> Result<Found, GitError> {
        let (Some(mut tree), Some(name)) = (self.tree, path.undecided()) else {
            return Ok(Found::Nothing);
        };
        let mut names = name.split('/').peekable();
        while let Some(name) = names.next() {
            match self.entry(tree, name.as_bytes())? {
                Some((Mode::Tree, below)) => tree = below,
                Some(_) if names.peek().is_none() => return Ok(Found::File),
                _ => return Ok(Found::Nothing),
            }
        }
        Ok(Found::Directory)
    }

    fn entry(&self, tree: Oid, name: &[u8]) -> Result<Option<(Mode, Oid)>, GitError> {
        let mut read = self.read.borrow_mut();
        if let Some(directory) = read.get(&tree) {
            return Ok(directory.get(name).copied());
        }
        let entries = self.ctx.repo().read_tree(tree)?.into_iter();
        let directory: Directory = entries.map(|e| (e.name, (e.mode, e.oid))).collect();
        let found = directory.get(name).copied();
        read.insert(tree, directory);
        Ok(found)
    }
}
