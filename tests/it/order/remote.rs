//! A remote that notes each push, is slow, holds pushes up, and has messages of others in the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::hooks::script;
use crate::support::process::children_of;
use crate::support::{Repo, poll_until};

/// Before it takes a push: notes the refs, then takes its time.
const PRE_RECEIVE: &str = r#"
refs=$(while read -r _ _ name; do printf ' %s' "$name"; done)
echo "$refs" >>"$signs/pushes"
[ -e "$signs/slow" ] && sleep 0.6
while [ -e "$signs/held" ]; do sleep 0.02; done
exit 0
"#;

/// After it took one, and before it says so.
const REFERENCE_TRANSACTION: &str = r#"
[ "$1" = committed ] && [ -e "$signs/mute" ] || exit 0
echo >"$signs/taken"
while [ -e "$signs/mute" ]; do sleep 0.02; done
exit 0
"#;

/// Lets somebody else be first, so many times.
const CROWDED: &str = r#"
left=$(cat "$signs/CLONE.left" 2>/dev/null || echo 0)
if [ "$left" -gt 0 ]; then
    echo $((left - 1)) >"$signs/CLONE.left"
    (
        unset $(git rev-parse --local-env-vars) REFLECTT_AGENT REFLECTT_TEST_CLOCK
        cd 'OTHER' && 'BINARY' send 'CLONE' "I was first, $left" >/dev/null 2>&1
    )
fi
exec git receive-pack "$@"
"#;

pub struct Remote {
    /// Files here tell the scripts what to do, and what they have seen.
    signs: PathBuf,
}

impl Remote {
    pub fn watch(bare: &Repo) -> Remote {
        let signs = bare.path().with_extension("signs");
        std::fs::create_dir(&signs).unwrap();
        let remote = Remote { signs };
        for (name, text) in [
            ("pre-receive", PRE_RECEIVE),
            ("reference-transaction", REFERENCE_TRANSACTION),
        ] {
            remote.script(&bare.path().join("hooks").join(name), text);
        }
        remote
    }

    fn script(&self, path: &Path, text: &str) {
        let signs = self.signs.display();
        script(path, &format!("#!/bin/sh\nsigns='{signs}'{text}"));
    }

    fn sign(&self, name: &str, there: bool) {
        let path = self.signs.join(name);
        match there {
            true => std::fs::write(path, "").unwrap(),
            false => std::fs::remove_file(path).unwrap(),
        }
    }

    /// Lets every push take 0.6 s from now on.
    pub fn slow_down(&self) {
        self.sign("slow", true);
    }

    /// Lets no push through from now on.
    pub fn hold(&self) {
        self.sign("held", true);
    }

    pub fn let_go(&self) {
        self.sign("held", false);
    }

    /// From now on takes pushes and does not say so.
    pub fn fall_silent(&self) {
        self.sign("mute", true);
    }

    pub fn speak(&self) {
        self.sign("mute", false);
    }

    /// Waits until a push was taken that nobody was told of.
    pub fn wait_for_silent_push(&self) {
        let taken = self.signs.join("taken");
        poll_until("a push is taken", Duration::from_secs(30), || {
            taken.exists().then_some(())
        });
        std::fs::remove_file(taken).unwrap();
    }

    /// Returns the refs of each push that came since this was last asked.
    pub fn pushes(&self) -> Vec<String> {
        let path = self.signs.join("pushes");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, "").unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// Waits until a push is there, which may be held up.
    pub fn wait_for_push(&self) {
        let path = self.signs.join("pushes");
        poll_until("a push comes", Duration::from_secs(30), || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            (!text.is_empty()).then_some(())
        });
    }

    /// Has `other` send a message before each of the next pushes of `clone`, which finds the record
    /// moved then.
    pub fn crowd(&self, clone: &Repo, other: &Repo, times: u32) {
        let name = clone.path().file_name().unwrap().to_str().unwrap();
        let text = CROWDED.replace("CLONE", name);
        let text = text.replace("OTHER", other.path().to_str().unwrap());
        let text = text.replace("BINARY", crate::support::process::BINARY);
        let path = self.signs.join(format!("{name}-receive-pack"));
        self.script(&path, &text);
        let key = "remote.origin.receivepack";
        clone.git(["config", key, path.to_str().unwrap()]);
        let left = self.signs.join(format!("{name}.left"));
        std::fs::write(left, times.to_string()).unwrap();
    }
}

/// Waits until a process waits for something, and for nothing that it has started itself.
pub fn wait_until_at_rest(pid: u32) {
    let pid = pid.cast_signed();
    // How often in a row it was found at rest, and the time it had used at the first.
    let mut found = (0, 0);
    poll_until("it waits", Duration::from_secs(30), || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let used = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let now = used(11)? + used(12)?;
        // Who waits may look now and then: that costs a hundredth of a second, and nobody more.
        found = match found {
            _ if !children_of(pid).is_empty() => (0, now),
            (_, then) if now > then + 1 => (0, now),
            (times, then) => (times + 1, then),
        };
        (found.0 == 100).then_some(())
    });
}
