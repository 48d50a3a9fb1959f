//! What goes wrong between the clones and the remote.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PLACES;
use crate::support::{Repo, TestEnv};
use crate::sync::Machines;

/// Before it takes a push: slow, or gone in the middle of it.
const PRE_RECEIVE: &str = r#"
case $weather in
slow) sleep 0.5 ;;
drops) [ $dice -lt 100 ] && kill -9 $PPID ;;
esac
exit 0
"#;

/// After it took one: gone before it can say so, or it never says so.
const REFERENCE_TRANSACTION: &str = r#"
[ "$1" = committed ] || exit 0
case $weather in
forgets) [ $dice -lt 80 ] && kill -9 $PPID ;;
mute) [ $dice -lt 60 ] && sleep 4 ;;
esac
exit 0
"#;

/// The other end of a connection, which may be cut, or there and silent.
const SERVICE: &str = r#"
[ -e "$clone.cut" ] && exit 1
[ -e "$clone.silent" ] && exec sleep 4
exec git SERVICE "$@"
"#;

/// The remote, and what can be done to it.
pub struct Remote {
    bare: Repo,
    away: PathBuf,
    /// Files here tell the scripts what to do.
    signs: PathBuf,
}

impl Remote {
    /// Puts scripts between the clones and the remote. They change nothing until told to.
    pub fn new(env: &TestEnv, it: &Machines) -> Remote {
        let signs = env.dir().join("signs");
        std::fs::create_dir(&signs).unwrap();
        let remote = Remote {
            bare: it.bare.clone(),
            away: it.bare.path().with_extension("away"),
            signs,
        };
        remote.weather("fair");
        let signs = remote.signs.display();
        let look = format!(
            "#!/bin/sh\nweather=$(cat '{signs}/weather')\ndice=$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
        );
        for (name, text) in [
            ("pre-receive", PRE_RECEIVE),
            ("reference-transaction", REFERENCE_TRANSACTION),
        ] {
            let path = it.bare.path().join("hooks").join(name);
            script(&path, &format!("{look}{text}"));
        }
        for (clone, (name, ..)) in it.clones.iter().zip(PLACES) {
            for (service, key) in [
                ("upload-pack", "remote.origin.uploadpack"),
                ("receive-pack", "remote.origin.receivepack"),
            ] {
                let path = remote.signs.join(format!("{name}-{service}"));
                let text = SERVICE.replace("SERVICE", service);
                script(&path, &format!("#!/bin/sh\nclone='{signs}/{name}'{text}"));
                clone.git(["config", key, path.to_str().unwrap()]);
            }
        }
        remote
    }

    fn weather(&self, name: &str) {
        // Put in place whole: the scripts read it at any time.
        let new = self.signs.join("weather.new");
        std::fs::write(&new, name).unwrap();
        std::fs::rename(new, self.signs.join("weather")).unwrap();
    }

    /// Lets something go wrong for a while.
    pub fn spoil(&self, rng: &mut fastrand::Rng) {
        self.remove_locks(Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(rng.u64(50..500)));
        match rng.u8(..10) {
            0 => self.weather("slow"),
            1 | 2 => self.weather("drops"),
            3 | 4 => self.weather("forgets"),
            5 => self.weather("mute"),
            6 => {
                std::fs::rename(self.bare.path(), &self.away).unwrap();
                std::thread::sleep(Duration::from_millis(rng.u64(50..600)));
                std::fs::rename(&self.away, self.bare.path()).unwrap();
            }
            at => {
                let what = if at == 7 { "silent" } else { "cut" };
                let (name, ..) = PLACES[rng.usize(..PLACES.len())];
                let sign = self.signs.join(format!("{name}.{what}"));
                std::fs::write(&sign, "").unwrap();
                std::thread::sleep(Duration::from_millis(rng.u64(200..1500)));
                std::fs::remove_file(sign).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(rng.u64(50..1000)));
        self.weather("fair");
    }

    /// Lets everything work again.
    pub fn mend(&self) {
        self.weather("fair");
        for name in ["pre-receive", "reference-transaction"] {
            std::fs::remove_file(self.bare.path().join("hooks").join(name)).unwrap();
        }
        self.remove_locks(Duration::ZERO);
    }

    /// Does what the keeper of a remote does: a git that works in a directory which is moved away
    /// leaves its locks there, and nothing but age tells that they are nobody's.
    fn remove_locks(&self, older: Duration) {
        let mut locks = Vec::new();
        find_locks(self.bare.path(), &mut locks);
        for lock in locks {
            let made = lock.metadata().and_then(|meta| meta.modified());
            if made.is_ok_and(|made| made.elapsed().unwrap_or_default() >= older) {
                std::fs::remove_file(lock).unwrap();
            }
        }
    }
}

fn find_locks(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_locks(&path, into);
        } else if path.extension().is_some_and(|end| end == "lock") {
            into.push(path);
        }
    }
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).unwrap();
}
