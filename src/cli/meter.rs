//! One line on the terminal that says how far a long exchange is, and goes away with it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::answer::{of_step, of_transfer};
use crate::git::Transfer;
use crate::ops::checks::Step;

use super::ui::Ui;

/// Whoever waits no longer than this needs no explanation.
const SHORT: Duration = Duration::from_secs(1);
/// How often the line may change, to be read and not to flicker.
const PACE: Duration = Duration::from_millis(100);
/// No terminal is expected to be narrower.
const WIDTH: usize = 79;

/// Shows what the exchanges of one run of the program are at.
pub struct Meter {
    ui: Rc<Ui>,
    /// When the line was last written, since the exchange began.
    written: Cell<Option<Duration>>,
}

impl Meter {
    pub fn new(ui: Rc<Ui>) -> Meter {
        Meter {
            ui,
            written: Cell::new(None),
        }
    }

    pub fn see(&self, transfer: Transfer) {
        match transfer {
            Transfer::Working { elapsed, .. } => self.show(elapsed, || of_transfer(&transfer)),
            Transfer::Ended => self.end(),
        }
    }

    /// Shows what a run of checks is at.
    pub fn see_check(&self, step: &Step) {
        match step {
            Step::Waits { elapsed } | Step::Runs { elapsed, .. } => {
                self.show(*elapsed, || of_step(step));
            }
            Step::Prepares | Step::Ended => self.end(),
        }
    }

    fn show(&self, elapsed: Duration, line: impl FnOnce() -> Option<String>) {
        let early = self.written.get().is_some_and(|at| elapsed < at + PACE);
        if elapsed >= SHORT && !early {
            let Some(line) = line() else { return };
            self.written.set(Some(elapsed));
            self.ui.passing(&fitting(line));
        }
    }

    fn end(&self) {
        if self.written.take().is_some() {
            self.ui.passing("");
        }
    }
}

fn fitting(mut line: String) -> String {
    if let Some((end, _)) = line.char_indices().nth(WIDTH) {
        line.truncate(end);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::options::UiOptions;
    use super::super::ui::tests::{PIPE, TERMINAL, printed_shared};
    use super::*;
    use crate::git::{Progress, Way};
    use crate::model::check::Check;
    use crate::model::time::Span;

    fn run(options: UiOptions) -> String {
        printed_shared(options, |ui| {
            let meter = Meter::new(ui.clone());
            let mut progress = None;
            for (millis, done) in [
                (20, None),
                (990, Some(10)),
                (1000, Some(4300)),
                (1050, Some(5000)),
            ] {
                progress = done.map(|done| Progress {
                    step: "Receiving objects".to_owned(),
                    done,
                    of: Some(10_000),
                });
                meter.see(Transfer::Working {
                    remote: "origin",
                    way: Way::Fetch,
                    elapsed: Duration::from_millis(millis),
                    progress: progress.as_ref(),
                });
            }
            drop(progress);
            meter.see(Transfer::Working {
                remote: "origin",
                way: Way::Push,
                elapsed: Duration::from_millis(1200),
                progress: None,
            });
            ui.warn("in between");
            meter.see(Transfer::Ended);
            meter.see(Transfer::Ended);
        })
    }

    #[test]
    fn a_line_comes_after_a_second_is_rewritten_and_goes() {
        let long = "fetching from origin: receiving objects 43% (4300/10000)";
        let blank = |count: usize| " ".repeat(count);
        let expected = format!(
            "\r{long}\rpushing to origin{}\r{}\rwarning: in between\n",
            blank(long.len() - "pushing to origin".len()),
            blank("pushing to origin".len()),
        );
        let shown = run(UiOptions {
            color: super::super::options::ColorChoice::Never,
            ..TERMINAL
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn nothing_is_shown_to_programs_and_to_who_wants_quiet() {
        for options in [
            PIPE,
            UiOptions {
                quiet: true,
                ..TERMINAL
            },
            UiOptions {
                json: true,
                ..TERMINAL
            },
        ] {
            let shown = run(options);
            assert!(
                !shown.contains('\r') && shown.contains("in between"),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn a_check_that_takes_long_is_seen_at_work() {
        let check = Check {
            name: "test".parse().unwrap(),
            command: "make test".to_owned(),
            time_limit: Span::from_mins(10),
        };
        let options = UiOptions {
            color: super::super::options::ColorChoice::Never,
            ..TERMINAL
        };
        let shown = printed_shared(options, |ui| {
            let meter = Meter::new(ui.clone());
            meter.see_check(&Step::Prepares);
            for (secs, line) in [(0, "early"), (2, "compiling \u{1b}[2J"), (3, "x")] {
                meter.see_check(&Step::Runs {
                    check: &check,
                    elapsed: Duration::from_secs(secs),
                    line: &|| Some(line.to_owned()),
                });
            }
            meter.see_check(&Step::Ended);
            ui.warn("after it");
        });
        let first = "check test runs for 2s: compiling ␛[2J";
        let second = "check test runs for 3s: x";
        let blank = |count: usize| " ".repeat(count);
        let width = first.chars().count();
        let rest = blank(width - second.len());
        let expected = format!(
            "\r{first}\r{second}{rest}\r{}\rwarning: after it\n",
            blank(second.len())
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_line_is_never_wider_than_a_terminal() {
        let name = "ü".repeat(300);
        assert_eq!(fitting(name).chars().count(), WIDTH);
    }
}
