//! The same through other transports: git's own protocol and HTTP, both on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{Repo, TestEnv, poll_until, race};
use crate::sync::Machines;

/// A bare repository that takes pushes from anyone, with one commit on `main`.
fn open_to_all(env: &TestEnv) -> Repo {
    let seed = env.repo("seed");
    let bare = env.bare("served/bare.git");
    seed.git(["push", "-q", bare.path().to_str().unwrap(), "main"]);
    bare.git(["config", "http.receivepack", "true"]);
    bare.git(["config", "daemon.receivepack", "true"]);
    bare
}

/// Clones through `url`, starts a team and lets the clones race.
fn work_through(env: &TestEnv, bare: Repo, url: &str) {
    let clones: Vec<Repo> = ["kai", "link", "sage"]
        .map(|name| {
            let clone = Repo::at(env.clone(), env.dir().join(name));
            bare.git(["clone", "-q", url, clone.path().to_str().unwrap()]);
            clone
        })
        .into();
    clones[0].reflectt(["init"]).ok();
    for (clone, name) in clones.iter().zip(["kai", "link", "sage"]) {
        clone.reflectt(["join", name]).ok();
    }
    let it = Machines { bare, clones };
    for round in 0..3 {
        let id = it.clones[0].task("kai", &format!("round {round}"), &[]);
        let outputs = race(it.clones.iter().map(|clone| clone.command(["claim", &id])));
        let codes: Vec<_> = outputs.iter().map(|output| output.status).collect();
        let won: Vec<usize> = (0..3).filter(|n| codes[*n] == Some(0)).collect();
        assert_eq!(won.len(), 1, "{outputs:?}");
        assert!(
            codes.iter().all(|code| matches!(code, Some(0 | 3))),
            "{outputs:?}"
        );
        it.clones[won[0]]
            .reflectt(["cancel", &id, "--reason", "over"])
            .ok();
    }
    it.clones[1].reflectt(["send", "kai", "it works"]).ok();
    it.agree();
    let inbox = it.clones[0].reflectt(["--json", "inbox"]).ok().json();
    let bodies: Vec<&str> = (inbox["messages"].as_array().unwrap().iter())
        .map(|message| message["body"].as_str().unwrap())
        .collect();
    assert!(bodies.contains(&"it works"), "{bodies:?}");
}

/// A process that is killed when the test ends, however it ends.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        self.0.wait().ok();
    }
}

#[test]
fn through_gits_own_protocol() {
    let env = TestEnv::new();
    let bare = open_to_all(&env);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let base = format!("--base-path={}", env.dir().join("served").display());
    let port_arg = format!("--port={port}");
    let mut command = bare.git_command([
        "daemon",
        "--reuseaddr",
        "--export-all",
        "--listen=127.0.0.1",
        &port_arg,
        &base,
    ]);
    // A group of its own: `git` starts the server as a process of its own.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let _served = Served(quiet.spawn().unwrap());
    poll_until("the server answers", Duration::from_secs(10), || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    work_through(&env, bare, &format!("git://127.0.0.1:{port}/bare.git"));
}

#[test]
fn through_http() {
    let env = TestEnv::new();
    let bare = open_to_all(&env);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let root = env.dir().join("served");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let root = root.clone();
            std::thread::spawn(move || serve(stream.unwrap(), root));
        }
    });
    work_through(&env, bare, &format!("http://127.0.0.1:{port}/bare.git"));
}

/// Answers one request with `git http-backend`, as a web server would.
fn serve(stream: TcpStream, root: PathBuf) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                length = value.parse().ok()?;
                backend.env("CONTENT_LENGTH", value);
            }
            "transfer-encoding" => chunked = value == "chunked",
            "content-type" => drop(backend.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(backend.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(backend.env("GIT_PROTOCOL", value)),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            (&mut reader).take(size).read_to_end(&mut body).ok()?;
            reader.read_line(&mut String::new()).ok()?;
            if size == 0 {
                break;
            }
        }
    } else {
        reader.take(length).read_to_end(&mut body).ok()?;
    }
    let mut child = backend.spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let feeder = std::thread::spawn(move || stdin.write_all(&body).ok());
    let output = child.wait_with_output().ok()?.stdout;
    feeder.join().ok()?;
    let end = output.windows(4).position(|part| part == b"\r\n\r\n")?;
    let headers = String::from_utf8_lossy(&output[..end]).into_owned();
    let status = headers
        .lines()
        .find_map(|line| line.strip_prefix("Status: "));
    let mut stream = stream;
    let first = format!(
        "HTTP/1.1 {}\r\nConnection: close\r\n",
        status.unwrap_or("200 OK")
    );
    stream.write_all(first.as_bytes()).ok()?;
    stream.write_all(&output).ok()
}

/// A terminal that nobody sees: what is written to it, and the name to open it by.
struct Terminal {
    shown: std::thread::JoinHandle<String>,
    /// As long as it is held, the other end does not close.
    held: std::fs::File,
    name: String,
}

impl Terminal {
    fn open() -> Terminal {
        use std::os::fd::FromRawFd;
        let (mut master, mut slave) = (0, 0);
        let mut name = [0; 128];
        // SAFETY: all are valid places to write to; without settings and size it takes its own.
        let (mut master, held) = unsafe {
            let null = std::ptr::null_mut();
            let made = libc::openpty(
                &raw mut master,
                &raw mut slave,
                null,
                null.cast(),
                null.cast(),
            );
            assert_eq!(made, 0);
            let named = libc::ttyname_r(slave, name.as_mut_ptr(), name.len());
            assert_eq!(named, 0);
            (
                std::fs::File::from_raw_fd(master),
                std::fs::File::from_raw_fd(slave),
            )
        };
        // What another test starts meanwhile must not keep it open.
        for end in [&master, &held] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).unwrap();
        }
        let name = name.map(|byte| byte as u8);
        let name = std::ffi::CStr::from_bytes_until_nul(&name).unwrap();
        let shown = std::thread::spawn(move || {
            let mut shown = Vec::new();
            // The end of a terminal is an error.
            master.read_to_end(&mut shown).ok();
            String::from_utf8(shown).unwrap()
        });
        Terminal {
            shown,
            held,
            name: name.to_str().unwrap().to_owned(),
        }
    }

    fn close(self) -> String {
        drop(self.held);
        self.shown.join().unwrap()
    }
}

#[test]
fn a_long_first_sync_says_how_far_it_is_and_is_not_ended() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let link = &it.clones[1];
    it.clones[0].set("kai", "sync.time_limit", "3s");
    link.reflectt(["sync"]).ok();
    // Much that nothing compresses comes on the branch.
    let editor = env.clone_of(&it.bare, "editor");
    editor.git(["checkout", "-q", "reflectt"]);
    let mut state = 1_u64;
    for n in 0..150 {
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .take(3000)
        .collect();
        editor.write(&format!("noise/{n}"), noise);
    }
    editor.commit("by hand");
    editor.git(["push", "-q", "origin", "reflectt"]);
    let chunk = env.dir().join("chunk");
    let slow = format!(
        "git upload-pack \"$@\" | while dd bs=16384 count=1 of={0} 2>/dev/null && [ -s {0} ]; do cat {0}; sleep 0.2; done",
        chunk.display()
    );
    let pack = env.dir().join("slow-upload-pack");
    std::fs::write(&pack, format!("#!/bin/sh\n{slow}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&pack, mode).unwrap();
    link.git(["config", "remote.origin.uploadpack", pack.to_str().unwrap()]);

    let terminal = Terminal::open();
    let begun = std::time::Instant::now();
    let script = format!("exec \"$@\" 2>{}", terminal.name);
    let synced = link.command(["sync"]).by_shell(&script).run().ok();
    assert!(begun.elapsed() > Duration::from_secs(3), "{synced}");
    assert!(synced.stdout.contains("came"), "{synced}");
    let shown = terminal.close();
    let lines: Vec<&str> = shown.split('\r').collect();
    let receiving = "fetching from origin: receiving objects ";
    assert!(
        lines.iter().any(|line| line.starts_with(receiving)),
        "{shown:?}"
    );
    // And takes it away at its end.
    assert_eq!(lines.last(), Some(&""), "{shown:?}");
    assert_eq!(lines[lines.len() - 2].trim(), "", "{shown:?}");
    assert!(!shown.contains('\n'), "{shown:?}");
}
