//! `reflectt man`

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use serde::Serialize;

use crate::cli::args::Cli;
use crate::cli::error::CliError;
use crate::cli::session::Session;

/// Write a manual page for every command into a directory.
///
/// `git reflectt --help` and `git help reflectt` show the page `git-reflectt`, so they work once
/// the pages are where `man` looks: beside the directory of the program, in `share/man/man1`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt man ~/.cargo/share/man/man1    # after `cargo install`
  git reflectt --help")]
pub struct ManArgs {
    /// The directory; made if it is not there.
    #[arg(value_name = "DIR")]
    pages: PathBuf,
}

#[derive(Serialize)]
struct ManJson {
    directory: String,
    pages: Vec<String>,
}

impl ManArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let directory = session.directory().join(&self.pages);
        let pages = write_all(&directory).map_err(|error| {
            let message = format!("cannot write manual pages to `{}`", directory.display());
            CliError::failed(message).caused_by(error)
        })?;
        let directory = directory.display().to_string();
        if session.ui.is_json() {
            session.ui.json(&ManJson { directory, pages });
        } else {
            let count = pages.len();
            session
                .ui
                .note(format!("wrote {count} manual pages to {directory}"));
        }
        Ok(())
    }
}

/// Writes all pages and returns the names of their files.
fn write_all(directory: &Path) -> io::Result<Vec<String>> {
    std::fs::create_dir_all(directory)?;
    let mut pages = Vec::new();
    let mut write = |name: String, page: Vec<u8>| {
        let file = format!("{name}.1");
        std::fs::write(directory.join(&file), page)?;
        pages.push(file);
        io::Result::Ok(())
    };
    let mut cli = Cli::command();
    cli.build();
    write_below(&cli, &mut write)?;
    // The page that git looks for.
    write("git-reflectt".to_owned(), page("git-reflectt", &cli)?)?;
    Ok(pages)
}

fn write_below(
    command: &Command,
    write: &mut impl FnMut(String, Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    write(name.to_owned(), page(name, command)?)?;
    let inner = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set());
    inner
        .into_iter()
        .try_for_each(|inner| write_below(inner, write))
}

/// Returns the manual page of a command.
///
/// Its synopsis is the usage that `--help` shows, and its examples are lines to copy: what
/// `clap_mangen` makes of both by itself lists every global flag, and runs the lines together.
fn page(name: &str, command: &Command) -> io::Result<Vec<u8>> {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    let examples = command.get_after_help().map(ToString::to_string);
    let name = name.to_owned();
    let bare = command.clone().after_help("").display_name(name.clone());
    let man = Man::new(bare.override_usage(usage))
        .title(name.to_uppercase())
        .source(concat!("reflectt ", env!("CARGO_PKG_VERSION")))
        .manual("reflectt");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    for (heading, lines) in examples.iter().flat_map(|text| sections(text)) {
        let mut roff = Roff::new();
        roff.control("SH", [heading.as_str()]);
        // No lines are run together or broken.
        roff.control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
        roff.to_writer(&mut out)?;
    }
    Ok(out)
}

/// Divides what a command's help ends with at its headings: lines that end with a colon.
fn sections(text: &str) -> Vec<(String, Vec<&str>)> {
    let mut sections: Vec<(String, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_suffix(':'), sections.last_mut()) {
            (Some(heading), _) if !line.starts_with(' ') => {
                sections.push((heading.to_uppercase(), Vec::new()));
            }
            (_, Some((_, lines))) => lines.push(line.strip_prefix("  ").unwrap_or(line)),
            (_, None) => sections.push(("NOTES".to_owned(), vec![line])),
        }
    }
    sections
}
