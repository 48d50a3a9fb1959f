//! The end of what a command prints, however much that is.

/// How much is kept: the last lines, and of these the last bytes.
const BYTES_MAX: usize = 16 * 1024;
const LINES_MAX: usize = 100;
/// The longest line that is shown, in characters.
const LINE_MAX: usize = 500;

/// Takes in everything and keeps the end of it.
#[derive(Debug, Default)]
pub(super) struct Tail {
    kept: Vec<u8>,
    /// Whether something before it was dropped.
    cut: bool,
}

impl Tail {
    pub fn push(&mut self, bytes: &[u8]) {
        let bytes = match bytes.len().checked_sub(BYTES_MAX) {
            Some(surplus) if surplus > 0 => {
                self.kept.clear();
                self.cut = true;
                &bytes[surplus..]
            }
            _ => bytes,
        };
        self.kept.extend_from_slice(bytes);
        // Not at each call: that would move all that is kept each time.
        if self.kept.len() > 4 * BYTES_MAX {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let surplus = self.kept.len().saturating_sub(BYTES_MAX);
        self.kept.drain(..surplus);
        self.cut |= surplus > 0;
    }

    /// Returns the last whole line, for whoever watches.
    pub fn last_line(&self) -> Option<String> {
        let end = self.kept.iter().rposition(|byte| *byte == b'\n')?;
        let lines = self.kept[..end].rsplit(|byte| *byte == b'\n');
        let mut lines = lines.take(10).map(plain);
        lines.find(|line| !line.is_empty())
    }

    /// Returns the last lines as text.
    pub fn lines(mut self) -> Vec<String> {
        self.shorten();
        let text = self.kept.strip_suffix(b"\n").unwrap_or(&self.kept);
        if text.is_empty() {
            return Vec::new();
        }
        let mut lines: Vec<String> = text.split(|byte| *byte == b'\n').map(plain).collect();
        if self.cut && lines.len() > 1 {
            // The first was cut somewhere.
            lines.remove(0);
        }
        let surplus = lines.len().saturating_sub(LINES_MAX);
        lines.drain(..surplus);
        lines
    }
}

/// Returns a line as it would stay on a terminal without colours: what a carriage return has
/// written over is gone, and so are the sequences that set colours.
fn plain(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // ECMA-48: a control sequence ends with a character from `@` to `~`.
            '\u{1b}' if chars.as_str().starts_with('[') => {
                chars.next();
                chars.find(|c| ('@'..='~').contains(c));
            }
            // No C string, and so no file of ours, can carry it.
            '\0' => plain.push('\u{fffd}'),
            c => plain.push(c),
        }
    }
    if let Some((end, _)) = plain.char_indices().nth(LINE_MAX) {
        plain.truncate(end);
        plain.push('…');
    }
    plain.truncate(plain.trim_end().len());
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str]) -> Vec<String> {
        let mut tail = Tail::default();
        for chunk in chunks {
            tail.push(chunk.as_bytes());
        }
        tail.lines()
    }

    #[test]
    fn the_end_is_kept_in_lines() {
        assert_eq!(lines(&[]), Vec::<String>::new());
        assert_eq!(lines(&["\n"]), Vec::<String>::new());
        assert_eq!(
            lines(&["one\nt", "wo\n\nthree"]),
            ["one", "two", "", "three"]
        );
        assert_eq!(lines(&["1%\r50%\r100%\r\nend\r\n"]), ["100%", "end"]);
        assert_eq!(lines(&["\u{1b}[1;31merror\u{1b}[0m: no \n"]), ["error: no"]);
        assert_eq!(lines(&["a\0b\u{1b}"]), ["a\u{fffd}b\u{1b}"]);
        let mut tail = Tail::default();
        tail.push(b"caf\xe9\nhalf");
        assert_eq!(tail.last_line().unwrap(), "caf\u{fffd}");
    }

    #[test]
    fn a_hundred_megabytes_are_a_few_lines() {
        let mut tail = Tail::default();
        let chunk = "some line of output\n".repeat(3000);
        for _ in 0..1700 {
            tail.push(chunk.as_bytes());
            assert!(tail.kept.capacity() < 16 * BYTES_MAX);
        }
        tail.push(b"the end\n");
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES_MAX);
        assert_eq!(lines.last().unwrap(), "the end");
        assert!(lines[..99].iter().all(|line| line == "some line of output"));
        // One endless line.
        let mut tail = Tail::default();
        for _ in 0..100 {
            tail.push("x".repeat(10_000).as_bytes());
        }
        assert_eq!(tail.lines()[0].chars().count(), LINE_MAX + 1);
    }
}
