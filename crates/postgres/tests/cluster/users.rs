//! Root cannot run PostgreSQL, everybody else can. Only root can try both.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use selvedge_postgres::{Cluster, Error, Options};

use crate::holder::{Holder, program};
use crate::{eventually, is_alive, is_root, query, room, start};

const NOBODY: u32 = 65534;

#[test]
fn a_directory_that_the_servers_user_cannot_reach_has_a_stand_in() {
    if !is_root() {
        return;
    }
    // For its owner alone, like /root.
    let hidden = room();
    fs::set_permissions(hidden.path(), Permissions::from_mode(0o700)).unwrap();
    let wanted = hidden.path().join("data");
    let first = start(&wanted);
    let dir = first.data_dir().to_owned();
    assert!(dir.starts_with("/var/lib/selvedge"), "{}", dir.display());
    let notes = first.notes().join("\n");
    assert!(notes.contains(&*dir.to_string_lossy()) && notes.contains(&*wanted.to_string_lossy()), "{notes}");
    assert!(notes.contains("runs as user"), "{notes}");
    assert!(!wanted.exists());
    query(&first, "create table kept as select 42 as answer");
    first.stop().unwrap();
    let second = start(&wanted);
    assert_eq!(query(&second, "select answer from kept"), "42");
    second.stop().unwrap();
    fs::remove_dir_all(&dir).unwrap();
    // Others may use it.
    let _ = fs::remove_dir("/var/lib/selvedge");
}

#[test]
fn data_that_has_become_unreachable_is_not_left_behind_for_an_empty_cluster() {
    if !is_root() {
        return;
    }
    let room = room();
    let dir = room.path().join("data");
    start(&dir).stop().unwrap();
    fs::set_permissions(room.path(), Permissions::from_mode(0o700)).unwrap();
    let error = Cluster::start(Options::new(&dir)).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[test]
fn root_has_a_server_that_is_not_root_and_owns_nothing_but_its_data() {
    if !is_root() {
        return;
    }
    let room = room();
    let dir = room.path().join("data");
    let cluster = start(&dir);
    assert_ne!(owner(Path::new(&format!("/proc/{}", cluster.pid()))), 0);
    assert_ne!(owner(&dir.join("postgres")), 0);
    assert_eq!(owner(&dir), 0);
    assert_eq!(owner(&dir.join("lock")), 0);
    let groups = fs::read_to_string(format!("/proc/{}/status", cluster.pid())).unwrap();
    let groups = groups.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
    assert_eq!(groups.trim(), "");
}

#[test]
fn a_normal_user_runs_it_as_themselves_and_root_continues_as_them() {
    if !is_root() {
        return;
    }
    let room = room();
    chown(room.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let hold = room.path().join("hold");
    fs::copy(program(), &hold).unwrap();
    let dir = room.path().join("data");
    let as_nobody = || {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&hold)
            .env("TMPDIR", room.path());
        command
    };
    let mut holder = Holder::run(as_nobody().arg(&dir));
    assert_eq!(holder.get("note"), None);
    assert_eq!(owner(&dir.join("postgres")), NOBODY);
    holder.kill(Signal::KILL);
    eventually("the server has ended", || !is_alive(holder.server()));
    let cluster = start(&dir);
    assert!(!cluster.is_new());
    assert_eq!(owner(Path::new(&format!("/proc/{}", cluster.pid()))), NOBODY);
    cluster.stop().unwrap();

    Holder::run(as_nobody().arg(&dir));
    let mut holder = Holder::run(as_nobody().arg("--ephemeral"));
    holder.kill(Signal::KILL);
    eventually("the directory is gone", || !holder.data_dir().exists());
}

fn owner(path: &Path) -> u32 {
    fs::metadata(path).unwrap().uid()
}
