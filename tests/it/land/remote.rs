//! Landing on a remote's branch: hosts that refuse this or that, and who merges instead.

use std::path::Path;

use super::{action, approve, commit_as, land, landed, submitted, waiting, with_check};
use crate::order::show;
use crate::support::{Repo, TestEnv, check};
use crate::sync::Machines;

/// Clones of a bare remote, one for each: `kai` works, `link` reviews, `sage` lands.
pub fn machines(env: &TestEnv, definition: &str) -> Machines {
    let seed = env.repo("seed");
    seed.write("reflectt.toml", definition);
    seed.write("shared.txt", "one\ntwo\nthree\n");
    seed.commit("begin");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", bare.path().to_str().unwrap(), "main"]);
    let it = Machines::on(env, bare, ["kai", "link", "sage"]);
    it.clones[0].set("kai", "wip.agent", "9");
    it.sync_all();
    it
}

/// Has `kai` do a task and `link` approve it.
pub fn approved(it: &Machines, title: &str, files: &[(&str, &str)]) -> String {
    let (id, _) = submitted(&it.clones[0], "kai", title, files);
    it.clones[1].reflectt(["sync"]).ok();
    approve(&it.clones[1], &id);
    id
}

/// Puts a hook into the remote.
pub fn hook(bare: &Repo, name: &str, script: &str) {
    let path = bare.path().join("hooks").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).unwrap();
}

/// Refuses whatever would move main, as a forge does.
pub fn protect(it: &Machines) {
    hook(
        &it.bare,
        "update",
        "[ \"$1\" = refs/heads/main ] || exit 0\n\
         echo 'main is protected'\necho 'open a request at https://forge.example/new'\nexit 1",
    );
}

fn refs(at: &Repo, below: &str) -> Vec<String> {
    let list = at.git(["for-each-ref", "--format=%(refname)", below]);
    list.lines().map(str::to_owned).collect()
}

fn main_of(it: &Machines) -> String {
    it.bare.git(["rev-parse", "main"])
}

#[test]
fn it_lands_where_the_remote_is_and_no_checkout_is_touched() {
    let env = TestEnv::new();
    let it = machines(&env, &with_check("test -e src/a"));
    let [kai, link, sage] = [0, 1, 2].map(|n| &it.clones[n]);
    let (id, commit) = submitted(kai, "kai", "Keep the return path", &[("src/a", "a\n")]);
    assert_eq!(
        it.bare
            .git(["rev-parse", &format!("refs/reflectt/work/{id}")]),
        commit
    );
    // A reviewer elsewhere has it without anybody's push.
    link.reflectt(["sync"]).ok();
    link.git(["cat-file", "-e", &commit]);
    approve(link, &id);
    let here = sage.git(["rev-parse", "main"]);
    let output = land(sage, "sage", &[]).ok();
    assert_eq!(landed(&output), vec![id.clone()]);
    assert_eq!(output.json()["tip"], main_of(&it));
    assert_eq!(it.bare.git(["rev-parse", "main^2"]), commit);
    assert_eq!(sage.git(["rev-parse", "main"]), here);
    assert_eq!(sage.git(["status", "--porcelain"]), "");
    it.sync_all();
    assert_eq!(show(kai, &id)["status"], "done");
    // Nothing is kept of what is on main.
    assert_eq!(refs(&it.bare, "refs/reflectt/work"), Vec::<String>::new());
    it.agree();
    check::agree(kai);
}

#[test]
fn a_host_without_other_refs_gets_branches() {
    let env = TestEnv::new();
    let seed = env.repo("seed");
    let bare = env.bare("bare.git");
    seed.git(["push", "-q", bare.path().to_str().unwrap(), "main"]);
    hook(
        &bare,
        "update",
        "case $1 in refs/heads/*) exit 0 ;; esac\necho no such refs here\nexit 1",
    );
    let again = Machines::on(&env, bare, ["kai", "link", "sage"]);
    let (id, commit) = submitted(
        &again.clones[0],
        "kai",
        "Keep the return path",
        &[("a", "a\n")],
    );
    let branch = format!("refs/heads/reflectt-work/{id}");
    assert_eq!(again.bare.git(["rev-parse", &branch]), commit);
    again.clones[1].reflectt(["sync"]).ok();
    again.clones[1].git(["cat-file", "-e", &commit]);
    approve(&again.clones[1], &id);
    assert_eq!(landed(&land(&again.clones[2], "sage", &[]).ok()), [id]);
    again.sync_all();
    assert_eq!(
        refs(&again.bare, "refs/heads/reflectt-work"),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_protected_branch_refuses_is_on_a_branch_and_noticed_once_merged() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let sage = &it.clones[2];
    let ids = [
        approved(&it, "First", &[("first", "x\n")]),
        approved(&it, "Second", &[("second", "x\n")]),
    ];
    protect(&it);
    let before = main_of(&it);
    let output = land(sage, "sage", &[]).code(4);
    let json = output.json();
    let offer = json["offer"]["branch"].as_str().unwrap();
    let mut expected: Vec<_> = ids
        .iter()
        .map(|id| (id.clone(), vec![offer.to_owned()]))
        .collect();
    expected.sort();
    assert_eq!(waiting(&output), expected);
    let said = json["offer"]["said"].to_string();
    assert!(said.contains("https://forge.example/new"), "{said}");
    assert_eq!((main_of(&it), landed(&output)), (before.clone(), vec![]));
    let made = it.bare.git(["rev-parse", &format!("refs/heads/{offer}")]);
    assert!(
        offer.starts_with("reflectt-land/") && made.starts_with(offer.rsplit('/').next().unwrap())
    );
    let text = it
        .bare
        .git(["log", "--format=%s", &format!("{before}..{offer}")]);
    assert!(text.contains("First") && text.contains("Second"), "{text}");
    // Nobody is told to try it again.
    let now = action(sage, "sage");
    assert!(!now.contains("reflectt land"), "{now}");
    assert_eq!(show(sage, &ids[0])["status"], "validating");
    let text = sage.as_agent("sage", ["land"]).code(4);
    assert!(text.stdout.contains("https://forge.example/new"), "{text}");
    // Somebody merges it.
    it.bare.git(["update-ref", "refs/heads/main", &made]);
    sage.reflectt(["sync"]).ok();
    for id in &ids {
        assert_eq!(show(sage, id)["status"], "done");
    }
    it.agree();
}

#[test]
fn a_team_that_lands_by_branches_never_tries_main() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let sage = &it.clones[2];
    it.clones[0].set("kai", "land.via", "branch");
    it.clones[0].set("kai", "land.batch", "1");
    let low = approved(&it, "Low", &[("low", "x\n")]);
    let high = it.clones[0].task("kai", "High", &[]);
    it.clones[0].as_agent("kai", ["claim", &high]).ok();
    commit_as(&it.clones[0], "kai", "High", &[("high", "x\n")]);
    it.clones[0]
        .as_agent("kai", crate::order::submission(&high, "link"))
        .ok();
    it.clones[1].reflectt(["sync"]).ok();
    approve(&it.clones[1], &high);
    let before = main_of(&it);
    let output = land(sage, "sage", &[]).code(4);
    let offer = output.json()["offer"]["branch"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut expected = vec![
        (low.clone(), vec![offer.clone()]),
        (high.clone(), vec![low.clone()]),
    ];
    expected.sort();
    assert_eq!(waiting(&output), expected);
    assert_eq!(main_of(&it), before);
    let clone = &it.clones[1];
    clone.git(["fetch", "-q"]);
    clone.git(["switch", "-q", "main"]);
    clone.git(["merge", "-q", &format!("origin/{offer}")]);
    clone.git(["push", "-q", "origin", "main"]);
    sage.reflectt(["status"]).ok();
    sage.reflectt(["sync"]).ok();
    assert_eq!(show(sage, &low)["status"], "done");
    let now = action(sage, "sage");
    assert!(now.contains("reflectt land"), "{now}");
    let output = land(sage, "sage", &[]).code(4);
    assert_ne!(output.json()["offer"]["branch"], offer);
}

#[test]
fn somebody_who_pushes_meanwhile_is_built_upon() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let sage = &it.clones[2];
    let id = approved(&it, "Keep the return path", &[("src/a", "a\n")]);
    // The check itself pushes to main, once.
    let path = |at: &Path| at.display().to_string();
    let sign = env.dir().join("pushed");
    let command = format!(
        "test -e {0} || {{ touch {0}; git clone -q {1} other; cd other; echo x > by-hand; git add -A; \
         git -c user.name=Ann -c user.email=a@b.c commit -qm 'by hand'; git push -q origin HEAD:main; }}",
        path(&sign),
        path(it.bare.path()),
    );
    let clone = &it.clones[1];
    clone.git(["switch", "-q", "main"]);
    clone.write("reflectt.toml", with_check(&command));
    clone.commit("check");
    clone.git(["push", "-q", "origin", "main"]);
    let output = land(sage, "sage", &[]).ok();
    assert_eq!(landed(&output), [id]);
    assert_eq!(
        it.bare.git(["log", "-1", "--format=%s", "main^1"]),
        "by hand"
    );
    assert_eq!(it.bare.git(["show", "main:by-hand", "main:src/a"]), "x\na");
}

#[test]
fn without_the_remote_nothing_lands() {
    let env = TestEnv::new();
    let it = machines(&env, "");
    let id = approved(&it, "Keep the return path", &[("src/a", "a\n")]);
    let sage = &it.clones[2];
    sage.reflectt(["sync"]).ok();
    let before = main_of(&it);
    sage.as_agent("sage", ["--offline", "land"]).code(6);
    let away = it.bare.path().with_extension("away");
    std::fs::rename(it.bare.path(), &away).unwrap();
    sage.as_agent("sage", ["land"]).code(6);
    std::fs::rename(&away, it.bare.path()).unwrap();
    assert_eq!(main_of(&it), before);
    assert_eq!(landed(&land(sage, "sage", &[]).ok()), [id]);
}
