use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;

use selvedge_postgres::{Cluster, Installation, Options};

use crate::{is_alive, psql, query, room, start};

#[test]
fn data_port_and_password_are_the_same_at_the_next_start() {
    let room = room();
    let dir = room.path().join("above/data");
    let first = start(&dir);
    assert!(first.is_new());
    query(&first, "create table kept as select 42 as answer");
    let (url, pid) = (first.url("postgres"), first.pid());
    first.stop().unwrap();
    assert!(!is_alive(pid));
    let second = start(&dir);
    assert!(!second.is_new());
    assert_eq!(second.url("postgres"), url);
    assert_eq!(query(&second, "select answer from kept"), "42");
}

#[test]
fn a_dropped_cluster_is_stopped_in_good_order() {
    let room = room();
    let cluster = start(room.path());
    let pid = cluster.pid();
    drop(cluster);
    assert!(!is_alive(pid));
    let log = fs::read_to_string(room.path().join("postgres.log")).unwrap();
    assert!(
        log.contains("received fast shutdown request") && log.contains("database system is shut down"),
        "{log}"
    );
}

#[test]
fn the_cluster_is_safe_and_nobody_gets_in_without_the_password() {
    let room = room();
    let cluster = start(room.path());
    let settings = "select string_agg(setting, ' ' order by name) from pg_settings
        where name in ('data_checksums', 'fsync', 'listen_addresses', 'max_connections', 'server_encoding')";
    assert_eq!(query(&cluster, settings), "on on 127.0.0.1 200 UTF8");
    for path in ["password", "lock", "postgres.log", "postgres", "socket"] {
        assert_eq!(fs::metadata(room.path().join(path)).unwrap().mode() & 0o077, 0, "{path}");
    }
    let by_socket = |password: &str| {
        let socket = cluster.socket_dir().display();
        let (user, port) = (cluster.superuser(), cluster.port());
        psql(
            &format!("host={socket} port={port} user={user} password={password} dbname=postgres"),
            "select 1",
        )
    };
    assert_eq!(by_socket(cluster.password()).unwrap(), "1");
    assert!(by_socket("wrong").unwrap_err().contains("password authentication failed"));
    let wrong = cluster.url("postgres").replace(cluster.password(), "wrong");
    assert!(psql(&wrong, "select 1").unwrap_err().contains("password authentication failed"));
    assert!(!format!("{cluster:?}").contains(cluster.password()));
}

#[test]
fn settings_of_the_caller_count_but_not_against_the_address() {
    let room = room();
    let mut options = Options::new(room.path());
    for (name, value) in [("max_connections", "7"), ("application_name", "it's \"a\" name"), ("port", "1")] {
        options.settings.push((name.into(), value.into()));
    }
    let cluster = Cluster::start_with(&Installation::find().unwrap(), options).unwrap();
    assert_eq!(query(&cluster, "show max_connections"), "7");
    query(&cluster, "create database \"a/b c?\"");
    assert_eq!(psql(&cluster.url("a/b c?"), "select current_database()").unwrap(), "a/b c?");
}

#[test]
fn the_port_is_the_one_asked_for_or_another_if_the_last_one_is_taken() {
    let room = room();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cluster = Cluster::start(Options { port: Some(port), ..Options::new(room.path()) }).unwrap();
    assert_eq!(cluster.port(), port);
    cluster.stop().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let error =
        Cluster::start(Options { port: Some(port), ..Options::new(room.path()) }).unwrap_err().to_string();
    assert!(error.contains(&port.to_string()), "{error}");
    let cluster = start(room.path());
    assert_ne!(cluster.port(), port);
    drop(taken);
    assert_eq!(query(&cluster, "select 1"), "1");
}

#[test]
fn a_long_path_has_its_socket_among_the_temporary_files() {
    let room = room();
    let dir = room.path().join("long, \"quoted\" and long ".repeat(6));
    let cluster = start(&dir);
    let socket_dir = cluster.socket_dir().to_owned();
    let socket = socket_dir.join(format!(".s.PGSQL.{}", cluster.port()));
    assert!(socket.exists() && !socket.starts_with(&dir), "{}", socket.display());
    assert!(socket.as_os_str().len() <= 107);
    assert_eq!(fs::metadata(&socket_dir).unwrap().mode() & 0o077, 0);
    cluster.stop().unwrap();
    assert!(!socket_dir.exists());
}

#[test]
fn a_path_with_odd_characters_works() {
    let room = room();
    let cluster = start(&room.path().join("a, \"b\" 'c' $d"));
    assert!(cluster.socket_dir().starts_with(cluster.data_dir()));
    assert_eq!(query(&cluster, "select 1"), "1");
}
