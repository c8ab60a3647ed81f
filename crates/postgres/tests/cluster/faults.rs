use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use selvedge_postgres::{Cluster, Error, Options};

use crate::holder::{Holder, program};
use crate::{eventually, freeze_checkpointer, is_alive, kill, psql, query, room, start};

#[test]
fn a_killed_server_comes_back_with_its_data() {
    let room = room();
    let cluster = start(room.path());
    query(&cluster, "create table kept as select 42 as answer");
    for _ in 0..3 {
        let old = cluster.pid();
        kill(old, Signal::KILL);
        eventually("another server is ready", || cluster.pid() != old);
        assert_eq!(query(&cluster, "select answer from kept"), "42");
    }
    let last = cluster.pid();
    cluster.stop().unwrap();
    assert!(!is_alive(last));
}

#[test]
fn a_cluster_can_be_stopped_while_its_server_is_down() {
    let room = room();
    let cluster = start(room.path());
    let pid = cluster.pid();
    kill(pid, Signal::KILL);
    cluster.stop().unwrap();
    let again = start(room.path());
    assert!(!is_alive(pid) && again.pid() != pid);
}

#[test]
fn the_server_ends_with_a_killed_holder_and_the_next_start_works_at_once() {
    let room = room();
    for turn in 0..3 {
        let mut holder = Holder::start(room.path());
        psql(holder.url(), &format!("create table turn_{turn} (number int)")).unwrap();
        holder.kill(Signal::KILL);
        let cluster = start(room.path());
        assert!(!is_alive(holder.server()));
        assert_eq!(
            query(&cluster, "select count(*) from pg_tables where tablename like 'turn%'"),
            format!("{}", turn + 1)
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_server_ends_by_itself_when_its_holder_is_killed() {
    let room = room();
    let mut holder = Holder::start(room.path());
    holder.kill(Signal::KILL);
    eventually("the server has ended", || !is_alive(holder.server()));
    let log = fs::read_to_string(room.path().join("postgres.log")).unwrap();
    assert!(log.contains("database system is shut down"), "{log}");
}

#[test]
fn a_start_copes_with_a_holder_and_a_server_that_were_killed_together() {
    let room = room();
    let mut holder = Holder::start(room.path());
    psql(holder.url(), "create table kept as select 42 as answer").unwrap();
    kill(holder.server(), Signal::KILL);
    holder.kill(Signal::KILL);
    assert_eq!(query(&start(room.path()), "select answer from kept"), "42");
}

#[test]
fn a_server_that_does_not_go_away_is_named() {
    let room = room();
    let mut holder = Holder::start(room.path());
    let server = holder.server();
    let stuck = freeze_checkpointer(server);
    holder.kill(Signal::KILL);
    let error = Cluster::start(Options::new(room.path())).unwrap_err();
    kill(stuck, Signal::CONT);
    assert!(matches!(error, Error::StillRunning { pid, .. } if pid == server), "{error}");
    start(room.path());
}

#[test]
fn a_stale_pid_file_that_names_another_program_is_no_obstacle() {
    let room = room();
    start(room.path()).stop().unwrap();
    let file = room.path().join("postgres/postmaster.pid");
    // It ends with this process at the latest, whose pipe it reads.
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    for pid in
        [other.id().to_string(), std::process::id().to_string(), "1".into(), String::new(), "4999999".into()]
    {
        let data = room.path().join("postgres");
        fs::write(&file, format!("{pid}\n{}\n1700000000\n5432\n/tmp\nlocalhost\n", data.display())).unwrap();
        let socket_dir = room.path().join("socket");
        let port = fs::read_to_string(room.path().join("port")).unwrap();
        fs::write(socket_dir.join(format!(".s.PGSQL.{}.lock", port.trim())), format!("{pid}\n")).unwrap();
        let cluster = start(room.path());
        assert_eq!(query(&cluster, "select 1"), "1");
    }
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_half_made_cluster_is_made_again() {
    let room = room();
    let half = room.path().join("postgres.new-1/base");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("1"), "half").unwrap();
    fs::write(room.path().join("password"), "").unwrap();
    fs::create_dir(room.path().join("postgres")).unwrap();
    let cluster = start(room.path());
    assert!(cluster.is_new() && cluster.password().len() == 48);
    assert_eq!(query(&cluster, "select 1"), "1");
    assert_eq!(unfinished(room.path()), 0);
}

#[test]
fn a_holder_that_is_killed_while_it_makes_a_cluster_leaves_nothing_in_the_way() {
    let room = room();
    for step in ["", "base", "base/1/PG_VERSION"] {
        let dir = room.path().join(format!("data-{}", step.len()));
        let mut holder = Holder::launch(Command::new(program()).arg(&dir));
        let unfinished_dir = dir.join(format!("postgres.new-{}", holder.id())).join(step);
        eventually("initdb is at work", || unfinished_dir.exists());
        holder.kill(Signal::KILL);
        assert!(!dir.join("postgres").exists(), "it was killed too late");
        let cluster = start(&dir);
        assert!(cluster.is_new());
        assert_eq!(query(&cluster, "select 1"), "1");
        assert_eq!(unfinished(&dir), 0);
    }
}

fn unfinished(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("postgres.new")).count()
}
