//! The one way to print: data to standard output, all else to standard error.
//!
//! A reader that goes away, as `head` does, ends the output quietly. Any other failed write is
//! remembered and turns success into failure in [`Ui::finish`]: an answer that nobody received
//! must not look delivered.

use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::blocked::Words;
use super::error::CliError;
use super::options::UiOptions;
use super::table::Table;
use super::text::{CYAN, Color, Text, YELLOW};
use super::time;
use super::usage::Help;
use super::visible::{escape, escape_json, escape_lines};

/// The user interface.
///
/// Standard output is buffered: call [`Ui::flush`] before waiting for anything and [`Ui::finish`]
/// at the end.
pub struct Ui {
    options: UiOptions,
    /// Locked for one write at a time, so that lines of two threads don't mix. Nothing is computed
    /// and no other lock is taken while it is held.
    streams: Mutex<Streams>,
}

struct Streams {
    out: BufWriter<Box<dyn Write + Send>>,
    err: Box<dyn Write + Send>,
    /// The first error of `out`; nothing more is written to it.
    failed: Option<io::Error>,
    /// How wide the passing line is that the cursor is at the end of; 0 if there is none.
    passing: usize,
}

impl Ui {
    /// Returns the interface to the standard streams of the process.
    pub fn stdio(options: UiOptions) -> Self {
        Self::new(options, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Returns an interface to any two streams.
    pub fn new(options: UiOptions, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let streams = Streams {
            out: BufWriter::new(out),
            err,
            failed: None,
            passing: 0,
        };
        Self {
            options,
            streams: Mutex::new(streams),
        }
    }

    /// Returns how this interface prints.
    pub fn options(&self) -> &UiOptions {
        &self.options
    }

    /// Returns whether the answer is to be printed with [`Ui::json`].
    pub fn is_json(&self) -> bool {
        self.options.json
    }

    /// Returns the time of this moment, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.options.clock)()
    }

    /// Returns a time as seen from now: `5m ago`.
    pub fn relative(&self, then: i64) -> String {
        time::relative(self.now(), then)
    }

    /// Prints a line for people; nothing with `--json`, where it would break the document.
    pub fn line(&self, text: impl Into<Text>) {
        if !self.options.json {
            self.out(&format!("{}\n", text.into().render(self.out_color())));
        }
    }

    /// Prints text of several lines for people, each indented by `indent` spaces.
    pub fn block(&self, indent: usize, text: &str) {
        if self.options.json {
            return;
        }
        let margin = " ".repeat(indent);
        let mut lines = String::new();
        for line in escape_lines(text).lines() {
            lines.push_str(format!("{margin}{line}").trim_end());
            lines.push('\n');
        }
        self.out(&lines);
    }

    /// Prints a table for people.
    pub fn table(&self, table: &Table) {
        if self.options.json {
            return;
        }
        let mut lines = String::new();
        for line in table.lines(self.options.width) {
            line.render_into(&mut lines, self.out_color());
            lines.push('\n');
        }
        self.out(&lines);
    }

    /// Prints `text` as it is, with `--json` too; on a terminal, with control characters shown.
    ///
    /// For what is meant to be stored or piped on: Markdown, completion scripts.
    pub fn data(&self, text: &str) {
        if self.options.stdout_is_terminal {
            self.out(&escape_lines(text));
        } else {
            self.out(text);
        }
    }

    /// Prints a JSON document: readable on a terminal, else on one line.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) {
        let json = if self.options.stdout_is_terminal {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        self.document(json);
    }

    /// Prints a JSON document on one line and hands it over at once, for streams such as
    /// `log --follow`.
    pub fn json_line<T: Serialize + ?Sized>(&self, value: &T) {
        self.document(serde_json::to_string(value));
        self.flush();
    }

    /// Prints the help that was asked for, with `--json` too.
    pub fn help(&self, help: &Help) {
        self.out(match self.out_color() {
            Color::On => &help.colored,
            Color::Off => &help.plain,
        });
    }

    /// Warns about something the command went on in spite of.
    pub fn warn(&self, text: impl Into<Text>) {
        self.labelled("warning: ", YELLOW, text.into());
    }

    /// Warns at length: what stands against a change that goes on all the same.
    pub fn warning(&self, words: &Words) {
        self.err(&words.as_warning(self.err_color()));
    }

    /// Says words that a program reads on standard error, whatever else is asked for.
    pub fn words(&self, text: &str) {
        self.err(&format!("{}\n", escape_lines(text.trim_end())));
    }

    /// Names what to do next; nothing with `-q` or `--json`.
    pub fn hint(&self, text: impl Into<Text>) {
        if !self.options.quiet && !self.options.json {
            self.labelled("hint: ", CYAN, text.into());
        }
    }

    /// Says what happened on the way; nothing with `-q` or `--json`.
    pub fn note(&self, text: impl Into<Text>) {
        if !self.options.quiet && !self.options.json {
            let text = text.into().render(self.err_color());
            self.err(&format!("{text}\n"));
        }
    }

    /// Shows one line on the terminal over the one before, and takes it away again when `text` is
    /// empty or anything else is printed. For people who wait; nothing with `-q` or `--json`.
    pub fn passing(&self, text: &str) {
        if self.options.quiet || self.options.json || !self.options.stderr_is_terminal {
            return;
        }
        let mut streams = self.streams();
        if text.is_empty() {
            return streams.clear_passing();
        }
        let text = escape(text);
        let width = text.chars().count();
        // Blanks in place of an escape sequence, which not every terminal knows.
        let rest = " ".repeat(streams.passing.saturating_sub(width));
        let _ = write!(streams.err, "\r{text}{rest}");
        let _ = streams.err.flush();
        streams.passing = width;
    }

    /// Prints why the command did not do what it was asked: JSON on standard output, or text on
    /// standard error.
    pub fn error(&self, error: &CliError) {
        if self.options.json {
            self.json(&error.to_json());
        } else {
            self.err(&super::error::render(error, self.now(), self.err_color()));
        }
    }

    /// Hands over what was printed so far. To be called before waiting.
    pub fn flush(&self) {
        self.streams().write_out(Write::flush);
    }

    /// Returns whether nobody reads standard output any more; a command that streams can stop.
    pub fn is_closed(&self) -> bool {
        self.streams().failed.is_some()
    }

    /// Hands over what was printed and returns the exit code: `code`, unless the answer was lost.
    pub fn finish(&self, code: u8) -> u8 {
        self.flush();
        let failed = self.streams().failed.take();
        match failed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let error = anyhow::Error::new(error).context("cannot write to standard output");
                let error = CliError::from(error);
                self.err(&super::error::render(&error, self.now(), self.err_color()));
                if code == 0 {
                    error.kind().exit_code()
                } else {
                    code
                }
            }
            _ => code,
        }
    }

    fn document(&self, json: serde_json::Result<String>) {
        match json {
            Ok(json) => self.out(&format!("{}\n", escape_json(&json))),
            Err(error) => self.streams().fail(error.into()),
        }
    }

    fn labelled(&self, label: &str, style: anstyle::Style, text: Text) {
        let color = self.err_color();
        let label = Text::new().styled(style, label).render(color);
        self.err(&format!("{label}{}\n", text.render(color)));
    }

    fn out(&self, text: &str) {
        self.streams()
            .write_out(|out| out.write_all(text.as_bytes()));
    }

    /// Writes to standard error, after what was printed before it.
    fn err(&self, text: &str) {
        let mut streams = self.streams();
        streams.clear_passing();
        streams.write_out(Write::flush);
        // When not even this can be written there is nobody left to tell.
        let _ = streams.err.write_all(text.as_bytes());
        let _ = streams.err.flush();
    }

    fn out_color(&self) -> Color {
        self.options.color.on(self.options.stdout_is_terminal)
    }

    fn err_color(&self) -> Color {
        self.options.color.on(self.options.stderr_is_terminal)
    }

    /// A thread that panicked while printing leaves at worst half a line.
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streams {
    fn write_out(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write + Send>>) -> io::Result<()>,
    ) {
        if self.failed.is_none()
            && let Err(error) = write(&mut self.out)
        {
            self.fail(error);
        }
    }

    fn clear_passing(&mut self) {
        if self.passing > 0 {
            let blank = " ".repeat(std::mem::take(&mut self.passing));
            let _ = write!(self.err, "\r{blank}\r");
            let _ = self.err.flush();
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.failed.get_or_insert(error);
    }
}

#[cfg(test)]
pub(in crate::cli) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::super::options::ColorChoice;
    use super::super::table::{Cell, Column};
    use super::super::text::PLAIN;
    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(in crate::cli) const PIPE: UiOptions = UiOptions {
        json: false,
        quiet: false,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
        width: None,
        color: ColorChoice::Auto,
        clock: || NOW,
    };
    pub(in crate::cli) const NOW: i64 = 1_795_186_025_000;
    pub(in crate::cli) const TERMINAL: UiOptions = UiOptions {
        stdout_is_terminal: true,
        stderr_is_terminal: true,
        width: Some(80),
        ..PIPE
    };

    /// Returns what `print` leaves on standard output and standard error.
    pub(in crate::cli) fn printed(options: UiOptions, print: impl FnOnce(&Ui)) -> (String, String) {
        let (out, err) = (Captured::default(), Captured::default());
        let ui = Ui::new(options, Box::new(out.clone()), Box::new(err.clone()));
        print(&ui);
        assert_eq!(ui.finish(3), 3);
        (out.text(), err.text())
    }

    /// The same for what keeps the interface; returns what is left on standard error.
    pub(in crate::cli) fn printed_shared(
        options: UiOptions,
        print: impl FnOnce(&std::rc::Rc<Ui>),
    ) -> String {
        let err = Captured::default();
        let ui = Ui::new(options, Box::new(io::sink()), Box::new(err.clone()));
        print(&ui.into());
        err.text()
    }

    fn everything(ui: &Ui) {
        ui.line(Text::new().bold("k3f9x2").plain(" by kai\x1b[0m"));
        ui.block(2, "one\r\n\ntwo\x07");
        let mut table = Table::new([Column::left("ID")]);
        table.row([Cell::styled(PLAIN, "a7d20c")]);
        ui.table(&table);
        ui.warn("no remote");
        ui.hint("reflectt next");
        ui.note("synced");
    }

    #[test]
    fn text_without_color_in_a_pipe() {
        let (out, err) = printed(PIPE, everything);
        assert_eq!(out, "k3f9x2 by kai␛[0m\n  one\n\n  two␇\nID\na7d20c\n");
        assert_eq!(err, "warning: no remote\nhint: reflectt next\nsynced\n");
    }

    #[test]
    fn text_with_color_on_a_terminal() {
        let (out, err) = printed(TERMINAL, everything);
        assert!(
            out.starts_with("\x1b[1mk3f9x2\x1b[0m by kai␛[0m\n"),
            "{out:?}"
        );
        assert!(
            err.starts_with("\x1b[33mwarning: \x1b[0mno remote\n"),
            "{err:?}"
        );
    }

    #[test]
    fn quiet_keeps_answers_and_warnings() {
        let (out, err) = printed(
            UiOptions {
                quiet: true,
                ..PIPE
            },
            everything,
        );
        assert!(out.starts_with("k3f9x2"));
        assert_eq!(err, "warning: no remote\n");
    }

    #[test]
    fn json_is_the_only_thing_on_stdout() {
        let (out, err) = printed(UiOptions { json: true, ..PIPE }, |ui| {
            everything(ui);
            ui.json(&serde_json::json!({ "title": "a\u{9b}b" }));
        });
        assert_eq!(out, "{\"title\":\"a\\u009bb\"}\n");
        assert_eq!(err, "warning: no remote\n");
    }

    #[test]
    fn json_is_readable_on_a_terminal_and_one_line_elsewhere() {
        let value = serde_json::json!({ "a": 1 });
        assert_eq!(printed(PIPE, |ui| ui.json(&value)).0, "{\"a\":1}\n");
        assert_eq!(
            printed(TERMINAL, |ui| ui.json(&value)).0,
            "{\n  \"a\": 1\n}\n"
        );
        assert_eq!(
            printed(TERMINAL, |ui| ui.json_line(&value)).0,
            "{\"a\":1}\n"
        );
    }

    #[test]
    fn data_is_exact_in_a_pipe_and_harmless_on_a_terminal() {
        let text = "# Board\r\n\x1b]0;owned\x07";
        assert_eq!(printed(PIPE, |ui| ui.data(text)).0, text);
        assert_eq!(
            printed(TERMINAL, |ui| ui.data(text)).0,
            "# Board\n␛]0;owned␇"
        );
    }

    #[test]
    fn help_is_colored_on_a_terminal() {
        let help = Help {
            plain: "Usage\n".into(),
            colored: "\x1b[1mUsage\x1b[0m\n".into(),
        };
        assert_eq!(printed(PIPE, |ui| ui.help(&help)).0, help.plain);
        assert_eq!(printed(TERMINAL, |ui| ui.help(&help)).0, help.colored);
    }

    #[test]
    fn ages_are_those_of_the_moment_of_printing() {
        static TIME: AtomicI64 = AtomicI64::new(NOW);
        let clock = || TIME.load(Ordering::Relaxed);
        let (out, _) = printed(UiOptions { clock, ..PIPE }, |ui| {
            TIME.store(NOW + 60_000, Ordering::Relaxed);
            ui.line(ui.relative(NOW + 25_000));
        });
        assert_eq!(out, "35s ago\n");
    }

    #[test]
    fn errors_go_where_their_reader_looks() {
        let error = CliError::nothing("no task is ready");
        let (out, err) = printed(PIPE, |ui| ui.error(&error));
        assert_eq!(
            (out.as_str(), err.as_str()),
            ("", "error: no task is ready\n")
        );
        let (out, err) = printed(UiOptions { json: true, ..PIPE }, |ui| ui.error(&error));
        let json = r#"{"error":{"kind":"nothing","message":"no task is ready","hints":[]}}"#;
        assert_eq!((out, err.as_str()), (format!("{json}\n"), ""));
    }

    #[test]
    fn a_broken_pipe_is_quiet() {
        let err = Captured::default();
        let broken = Broken(io::ErrorKind::BrokenPipe);
        let ui = Ui::new(PIPE, Box::new(broken), Box::new(err.clone()));
        ui.line("one");
        assert!(!ui.is_closed());
        ui.flush();
        assert!(ui.is_closed());
        ui.json_line(&1);
        assert_eq!(ui.finish(0), 0);
        assert_eq!(err.text(), "");
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let err = Captured::default();
        let broken = Broken(io::ErrorKind::StorageFull);
        let ui = Ui::new(PIPE, Box::new(broken), Box::new(err.clone()));
        ui.line("one");
        assert_eq!(ui.finish(0), 1);
        assert_eq!(
            err.text(),
            "error: cannot write to standard output\n  caused by: no storage space\n"
        );
    }
}
