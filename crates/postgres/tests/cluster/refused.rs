use std::fs;
use std::path::Path;
use std::process::Command;

use selvedge_postgres::{Cluster, Error, Options};

use crate::holder::{Holder, program};
use crate::{query, room, start};

fn refusal(dir: &Path) -> Error {
    Cluster::start(Options::new(dir)).expect_err("it must not start")
}

#[test]
fn a_second_holder_is_told_who_the_first_one_is() {
    let room = room();
    let holder = Holder::start(room.path());
    let error = refusal(room.path());
    assert!(matches!(error, Error::Held { .. }));
    let error = error.to_string();
    assert!(error.contains(&format!("process {}", holder.id())), "{error}");
    assert!(error.contains("/hold ") && error.contains("ago"), "{error}");
    drop(holder);
    let cluster = start(room.path());
    assert!(refusal(room.path()).to_string().contains(&format!("process {}", std::process::id())));
    assert_eq!(query(&cluster, "select 1"), "1");
}

#[test]
fn a_wrong_directory_of_programs_is_not_passed_over() {
    let room = room();
    for (dir, why) in
        [("/nowhere", "there is no `postgres` in it"), ("/usr/bin/env", "there is no `postgres` in it")]
    {
        let error =
            Holder::launch(Command::new(program()).arg(room.path()).env("SELVEDGE_PG_BIN", dir)).complaint();
        assert!(error.contains(&format!("SELVEDGE_PG_BIN is {dir}, but {why}")), "{error}");
    }
    // Set to nothing is not set.
    Holder::run(Command::new(program()).arg(room.path()).env("SELVEDGE_PG_BIN", ""));
}

#[test]
fn data_of_another_major_version_is_refused_with_its_number() {
    let room = room();
    start(room.path()).stop().unwrap();
    let version = room.path().join("postgres/PG_VERSION");
    let right = fs::read_to_string(&version).unwrap();
    fs::write(&version, "14\n").unwrap();
    let error = refusal(room.path());
    assert!(matches!(error, Error::OtherMajor { needed: 14, .. }), "{error}");
    fs::write(&version, right).unwrap();
    start(room.path());
}

#[test]
fn nothing_is_removed_or_made_where_something_else_is() {
    let room = room();
    let file = room.path().join("postgres/letter.txt");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "Dear all").unwrap();
    assert!(matches!(refusal(room.path()), Error::NotACluster { .. }));
    let ephemeral = Options { ephemeral: true, ..Options::new(room.path()) };
    assert!(matches!(Cluster::start(ephemeral), Err(Error::NotEmpty { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "Dear all");
    assert!(matches!(refusal(&file), Error::Io { .. }));
}

#[test]
fn a_missing_password_is_named() {
    let room = room();
    start(room.path()).stop().unwrap();
    fs::remove_file(room.path().join("password")).unwrap();
    let error = refusal(room.path());
    assert!(matches!(error, Error::PasswordMissing { .. }), "{error}");
}

#[test]
fn a_server_that_does_not_start_is_explained_by_its_log() {
    let room = room();
    let mut options = Options::new(room.path());
    options.settings.push(("shared_preload_libraries".into(), "no_such_library".into()));
    let error = Cluster::start(options).unwrap_err().to_string();
    assert!(error.contains("could not access file \"no_such_library\""), "{error}");
    let cluster = start(room.path());
    assert_eq!(query(&cluster, "select 1"), "1");
}
