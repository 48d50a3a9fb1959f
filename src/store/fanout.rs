//! Keeping directories small.
//!
//! Forges stop listing a directory at 1,000 files, and every commit rewrites the trees it
//! touches. A directory that would pass that fans out by characters of the ids in it, as a
//! function of the set of ids alone, so that clones which merge the same things place them alike.

use std::collections::HashMap;

/// The most files in one directory.
pub const FILES_MAX: usize = 1000;

/// The most levels. Files that agree in six characters have one random id, so that more
/// would change nothing.
const DEPTH_MAX: usize = 6;

/// Which characters of a file's name spread it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// The first ones: ids of tasks, which are random.
    Front,
    /// The last ones before `.toml`: ULIDs begin with their time and end with random bits.
    Back,
}

impl Spread {
    /// Returns the first `depth` characters that spread `file`, and zeros behind them.
    fn key(self, file: &str, depth: usize) -> [char; DEPTH_MAX] {
        let stem = file.strip_suffix(".toml").unwrap_or(file);
        let mut key = ['\0'; DEPTH_MAX];
        let places = key.iter_mut().take(depth);
        match self {
            Spread::Front => places.zip(stem.chars()).for_each(|(place, c)| *place = c),
            Spread::Back => places
                .zip(stem.chars().rev())
                .for_each(|(place, c)| *place = c),
        }
        key
    }

    /// Returns where `file` lies below its directory when that is `depth` levels deep.
    pub fn place(self, file: &str, depth: usize) -> String {
        let mut path = String::new();
        for c in self.key(file, depth).into_iter().take_while(|c| *c != '\0') {
            path.push(c.to_ascii_lowercase());
            path.push('/');
        }
        path + file
    }

    /// Returns the least number of levels at which no directory passes the limit.
    pub fn depth<'a>(self, files: impl Iterator<Item = &'a str> + Clone) -> usize {
        (0..DEPTH_MAX)
            .find(|depth| {
                if *depth == 0 {
                    return files.clone().count() <= FILES_MAX;
                }
                let mut sizes: HashMap<[char; DEPTH_MAX], usize> = HashMap::new();
                // Sorted names have long runs of one key.
                let mut run = (['\0'; DEPTH_MAX], 0);
                for file in files.clone() {
                    let key = self.key(file, *depth);
                    if key != run.0 {
                        *sizes.entry(run.0).or_default() += run.1;
                        run = (key, 0);
                    }
                    run.1 += 1;
                }
                *sizes.entry(run.0).or_default() += run.1;
                sizes.values().all(|size| *size <= FILES_MAX)
            })
            .unwrap_or(DEPTH_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn ids(count: usize) -> Vec<String> {
        let mut rng = fastrand::Rng::with_seed(7);
        (0..count)
            .map(|_| format!("{}-x.toml", crate::model::id::TaskId::random(&mut rng)))
            .collect()
    }

    #[test]
    fn a_thousand_files_lie_flat_and_one_more_does_not() {
        let files = ids(1001);
        assert_eq!(
            Spread::Front.depth(files[..1000].iter().map(String::as_str)),
            0
        );
        assert_eq!(Spread::Front.depth(files.iter().map(String::as_str)), 1);
    }

    #[test]
    fn no_directory_passes_the_limit() {
        let files = ids(40_000);
        let depth = Spread::Front.depth(files.iter().map(String::as_str));
        assert_eq!(depth, 2);
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        for file in &files {
            let path = Spread::Front.place(file, depth);
            *sizes
                .entry(path.rsplit_once('/').unwrap().0.to_owned())
                .or_default() += 1;
        }
        assert!(sizes.values().all(|size| *size <= FILES_MAX));
    }

    #[test]
    fn files_that_cannot_be_spread_end_the_search() {
        let same = vec!["aaaaaa-x.toml"; 2000];
        assert_eq!(Spread::Front.depth(same.iter().copied()), 6);
    }

    #[test]
    fn ulids_spread_by_their_end() {
        assert_eq!(
            Spread::Back.place("01ARZ3NDEKTSV4RRFFQ69G5FAV.toml", 2),
            "v/a/01ARZ3NDEKTSV4RRFFQ69G5FAV.toml"
        );
    }
}
