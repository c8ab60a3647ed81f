use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use selvedge_postgres::{Cluster, Options};

use crate::holder::{Holder, program};
use crate::{eventually, freeze_checkpointer, is_alive, kill, psql, query, room};

fn ephemeral() -> Cluster {
    Cluster::start(Options::ephemeral().unwrap()).unwrap()
}

#[test]
fn an_ephemeral_cluster_leaves_nothing_when_it_stops_or_is_dropped() {
    let clusters = [ephemeral(), ephemeral()];
    let dirs = clusters.each_ref().map(|cluster| cluster.data_dir().to_owned());
    assert_ne!(dirs[0], dirs[1]);
    assert_eq!(query(&clusters[1], "select 1"), "1");
    let [stopped, dropped] = clusters;
    stopped.stop().unwrap();
    drop(dropped);
    assert!(!dirs[0].exists() && !dirs[1].exists());
}

#[test]
fn an_ephemeral_cluster_leaves_nothing_when_its_process_is_killed() {
    // A process that is terminated runs none of its destructors either.
    for signal in [Signal::KILL, Signal::TERM, Signal::KILL] {
        let mut holder = Holder::start("--ephemeral");
        psql(holder.url(), "create table big as select generate_series(1, 100000)").unwrap();
        let dir = holder.data_dir();
        assert!(dir.join("postgres/PG_VERSION").exists());
        holder.kill(signal);
        eventually("the directory is gone", || !dir.exists());
        eventually("the server is gone", || !is_alive(holder.server()));
    }
}

#[test]
fn a_directory_is_removed_only_after_the_server_has_ended() {
    let mut holder = Holder::start("--ephemeral");
    let server = holder.server();
    let stuck = freeze_checkpointer(server);
    holder.kill(Signal::KILL);
    // Long enough for a removal that does not wait.
    std::thread::sleep(Duration::from_millis(500));
    let there = holder.data_dir().join("postgres/PG_VERSION").exists();
    kill(stuck, Signal::CONT);
    assert!(there, "it was removed below a living server");
    eventually("the directory is gone", || !holder.data_dir().exists());
}

#[test]
fn an_ephemeral_cluster_leaves_nothing_when_its_process_is_killed_early() {
    let temp = room();
    for step in ["lock", "postgres.new-*/base", "postgres/PG_VERSION", "postgres/postmaster.pid"] {
        let mut holder =
            Holder::launch(Command::new(program()).arg("--ephemeral").env("TMPDIR", temp.path()));
        let pid = holder.id();
        let step = step.replace('*', &pid.to_string());
        eventually("it has come that far", || {
            entries(temp.path()).iter().any(|dir| dir.join(&step).exists())
        });
        // The very first moment belongs to nobody, and is left to the next start.
        if step != "lock" {
            holder.kill(Signal::KILL);
            eventually("nothing is left", || entries(temp.path()).is_empty());
        }
        drop(holder);
        eventually("nothing is left", || entries(temp.path()).is_empty());
    }
}

#[test]
fn what_nobody_could_remove_is_removed_by_the_next_one() {
    let temp = room();
    let make = |name: &str, lock: bool, age: u64| {
        let dir = temp.path().join(name);
        fs::create_dir_all(dir.join("postgres/base")).unwrap();
        if lock {
            fs::write(dir.join("lock"), "4999999\nsome command\n").unwrap();
        }
        let then = SystemTime::now() - Duration::from_secs(age);
        File::open(&dir).unwrap().set_modified(then).unwrap();
        dir
    };
    let old = make("selvedge-pg-0001", true, 3600);
    let young = make("selvedge-pg-0002", true, 10);
    let held = make("selvedge-pg-0003", true, 3600);
    let other = make("selvedge-pg-0004", false, 3600);
    let foreign = make("something-else", true, 3600);
    std::os::unix::fs::symlink(&foreign, temp.path().join("selvedge-pg-0005")).unwrap();
    let lock = File::open(held.join("lock")).unwrap();
    lock.lock().unwrap();
    let holder = Holder::run(Command::new(program()).arg("--ephemeral").env("TMPDIR", temp.path()));
    assert!(holder.data_dir().starts_with(temp.path()));
    assert!(!old.exists());
    for dir in [young, held, other, foreign] {
        assert!(dir.join("postgres/base").exists(), "{}", dir.display());
    }
}

#[test]
fn a_killed_janitor_is_not_missed_when_the_cluster_stops() {
    let cluster = ephemeral();
    let dir = cluster.data_dir().to_owned();
    let found =
        Command::new("pgrep").args(["-f", &format!("selvedge-janitor {}", dir.display())]).output().unwrap();
    let pid = String::from_utf8(found.stdout).unwrap().trim().parse().expect("there is one janitor");
    kill(pid, Signal::KILL);
    cluster.stop().unwrap();
    assert!(!dir.exists());
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}
