//! What the benchmarks share: the program, medians of whole runs, and the table they print.

use std::path::Path;
use std::time::{Duration, Instant};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_reflectt");

/// Tells whether this is `cargo test --benches`, which has nothing to test here.
pub fn is_test_run() -> bool {
    std::env::args().any(|arg| arg == "--test" || arg == "--list")
}

pub fn heading() {
    println!(
        "{:<58} {:>9} {:>9} {:>7}",
        "", "median ms", "git ms", "ratio"
    );
}

/// Prints a line of the table; a zero for git means that git has nothing like it.
pub fn row(what: &str, time: Duration, git: Duration) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    if git.is_zero() {
        println!("{what:<58} {:>9.2}", ms(time));
    } else {
        println!(
            "{what:<58} {:>9.2} {:>9.2} {:>7.2}",
            ms(time),
            ms(git),
            ms(time) / ms(git)
        );
    }
}

pub fn median(rounds: usize, mut act: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(|_| time(&mut act)).collect();
    times.sort();
    times[rounds / 2]
}

pub fn time(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

/// Returns the bytes of a file, or of all files below a directory.
pub fn size_of(path: &Path) -> u64 {
    let meta = std::fs::metadata(path).expect("it is there");
    if meta.is_file() {
        return meta.len();
    }
    let entries = std::fs::read_dir(path).expect("a directory");
    entries
        .map(|entry| size_of(&entry.expect("an entry").path()))
        .sum()
}
