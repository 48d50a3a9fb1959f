//! The texts that start the daemon with the machine.

use std::path::Path;

const SERVICE: &str = include_str!("../../../../templates/reflectt-daemon.service");
const AGENT: &str = include_str!("../../../../templates/dev.reflectt.daemon.plist");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Systemd,
    Launchd,
}

/// A file for one of them.
#[derive(Debug)]
pub struct Unit {
    pub system: System,
    /// Its name: one for each clone, always the same.
    pub file: String,
    pub text: String,
}

impl Unit {
    pub fn new(program: &Path, directory: &Path, is_macos: bool) -> Unit {
        let directory = directory.to_string_lossy();
        let program = program.to_string_lossy();
        let tag = format!("{:08x}", crc32fast::hash(directory.as_bytes()));
        if is_macos {
            let label = format!("dev.reflectt.daemon.{tag}");
            let text = AGENT
                .replace("@LABEL@", &label)
                .replace("@PROGRAM@", &for_xml(&program))
                .replace("@DIRECTORY@", &for_xml(&directory));
            return Unit {
                system: System::Launchd,
                file: format!("{label}.plist"),
                text,
            };
        }
        let text = SERVICE
            .replace("@PROGRAM@", &for_systemd(&program))
            .replace("@DIRECTORY@", &for_systemd(&directory));
        Unit {
            system: System::Systemd,
            file: format!("reflectt-{tag}.service"),
            text,
        }
    }
}

/// `%` begins a specifier (systemd.unit(5)), and the words stand in quotes.
fn for_systemd(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
}

fn for_xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_filled_in_and_escaped() {
        let (program, directory) = (Path::new("/bin/reflectt"), Path::new("/a & b/100% \"c\""));
        let unit = Unit::new(program, directory, false);
        let start = "ExecStart=\"/bin/reflectt\" -C \"/a & b/100%% \\\"c\\\"\" daemon run";
        assert!(unit.text.lines().any(|line| line == start), "{}", unit.text);
        let agent = Unit::new(program, directory, true);
        assert!(
            agent
                .text
                .contains("<string>/a &amp; b/100% \"c\"</string>")
        );
        for unit in [unit, agent] {
            assert!(!unit.text.contains('@'), "{}", unit.text);
        }
    }
}
