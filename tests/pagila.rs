//! `selvedge import pagila`: dumps of every shape, whole and broken.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use selvedge_tests::{Mesh, eventually, selvedge};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::tempdir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// Far longer than anything here takes.
const BOUND: Duration = Duration::from_mins(3);

/// As `pg_dump` writes Pagila, but for the bars, which stand for tabs.
const COPIED: &str = include_str!("pagila/copied.sql");
/// The same data, as other tools write Sakila.
const INSERTED: &str = include_str!("pagila/inserted.sql");

const TABLES: [&str; 15] = [
    "languages",
    "categories",
    "actors",
    "films",
    "film_categories",
    "film_actors",
    "countries",
    "cities",
    "addresses",
    "stores",
    "staff",
    "customers",
    "inventory",
    "rentals",
    "payments",
];

fn copied() -> String {
    COPIED.replace('|', "\t")
}

/// What a command came to, and all that it said.
async fn done(mut command: Command) -> (Option<i32>, String) {
    command.kill_on_drop(true).stdin(Stdio::null());
    let output = timeout(BOUND, command.output()).await.expect("it ends in time").unwrap();
    said(&output)
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text.into_owned())
}

fn command(mesh: &Mesh, options: &[&str]) -> Command {
    let mut command = selvedge(&[&["import", "pagila"], options].concat());
    command.env("SELVEDGE_DATABASE_URL", mesh.url("database"));
    command
}

/// A line of the table at the end.
fn row(table: &str, read: u32, written: u32, refused: u32) -> String {
    format!("{table:<16} {read:>10} {written:>10} {refused:>10}")
}

/// Imports this text from a file.
async fn import(mesh: &Mesh, text: impl AsRef<[u8]>, options: &[&str]) -> (Option<i32>, String) {
    let directory = tempdir().unwrap();
    let file = directory.path().join("dump.sql");
    std::fs::write(&file, text).unwrap();
    done(command(mesh, &[&[file.to_str().unwrap()], options].concat())).await
}

async fn database(mesh: &Mesh) -> PgConnection {
    let mut connection = PgConnection::connect(&mesh.url("database")).await.unwrap();
    connection.execute("set search_path = catalog, public; set timezone = 'UTC'").await.unwrap();
    connection
}

/// All data, with what the sequences say.
async fn everything(connection: &mut PgConnection) -> String {
    let mut all = String::new();
    for table in TABLES {
        let sql = format!(
            "select coalesce(string_agg(row::text, E'\\n' order by row::text), '') from {table} as row"
        );
        let rows: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await.unwrap();
        all += &format!("{table}\n{rows}\n");
    }
    let sequences =
        "select string_agg(sequencename || ' ' || coalesce(last_value, 0), ',' order by sequencename)
         from pg_sequences where schemaname = 'catalog' and sequencename not like 'imports%'";
    all + &sqlx::query_scalar::<_, String>(sequences).fetch_one(connection).await.unwrap()
}

async fn one<T>(connection: &mut PgConnection, sql: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn every_shape_of_a_dump_is_read() {
    let mesh = Mesh::empty().await;
    let mut db = database(&mesh).await;
    let (code, said) = import(&mesh, copied(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    for table in ["film", "payment"] {
        let line = row(table, 3, 3, 0);
        assert!(said.contains(&line), "{line} in {said}");
    }
    assert!(said.contains("audit_log"), "what is not used is named: {said}");

    let film = "select concat_ws('/', title, description, release_year, rental_rate, length, rating, special_features,
         language_id, last_update) from films where id = 1";
    assert_eq!(
        one::<String>(&mut db, film).await,
        "LOOM; OR, THE \"WEAVER\"/It's a tab:\t, and a\nline./2006/0.99/86/PG-13/{\"Deleted Scenes\",\"Behind the Scenes\"}/1/2007-09-10 17:46:03.905795+00"
    );
    let other =
        "select description || '/' || rating || '/' || special_features::text from films where id = 3";
    assert_eq!(one::<String>(&mut db, other).await, "/G/{}");
    assert_eq!(one::<String>(&mut db, "select name from languages where id = 1").await, "English");
    let rentals = "select string_agg(concat_ws('/', id, rental_date, due_date, coalesce(return_date::text, 'open'), rental_rate,
         replacement_cost, coalesce(late_fee::text, 'no fee')), ' ' order by id) from rentals";
    assert_eq!(
        one::<String>(&mut db, rentals).await,
        "1/2005-05-24 22:54:33+00/2005-05-30 22:54:33+00/2005-05-28 19:40:33+00/0.99/20.99/no fee \
         7/2005-05-24 23:03:39+00/2005-05-30 23:03:39+00/open/0.99/20.99/no fee"
    );
    assert_eq!(
        one::<String>(&mut db, "select string_agg(id || ' ' || active, ',' order by id) from customers")
            .await,
        "1 true,2 false"
    );
    assert_eq!(one::<i64>(&mut db, "select count(*) from stores where manager_staff_id = id").await, 2);
    assert_eq!(one::<i64>(&mut db, "select count(*) from payments_default").await, 0);
    assert_eq!(one::<String>(&mut db, "select sum(revenue)::text from category_revenue").await, "11.97");
    assert_eq!(
        one::<i64>(
            &mut db,
            "insert into rentals (inventory_id, customer_id, staff_id, rental_date, due_date, rental_rate,
        replacement_cost) values (3, 1, 1, now(), now(), 1, 1) returning id"
        )
        .await,
        8
    );
    db.execute("delete from rentals where id = 8").await.unwrap();
    let before = everything(&mut db).await;

    let (code, said) = import(&mesh, INSERTED, &["--replace"]).await;
    assert_eq!(code, Some(0), "{said}");
    let after = everything(&mut db).await;
    let (before, after) = (before.replace("rentals_id_seq 8", "rentals_id_seq 7"), after);
    assert!(before == after, "{before}\n---\n{after}");
    assert_eq!(one::<String>(&mut db, "select sum(revenue)::text from category_revenue").await, "11.97");

    // Windows' ends of lines, a mark at the beginning, no header, and everything twice.
    let (start, tables) = INSERTED.split_once("-- Data").unwrap();
    let twice = format!("\u{feff}{start}{tables}\n-- Data{tables}").replace('\n', "\r\n");
    let (code, said) = import(&mesh, twice, &["--replace"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&row("film", 6, 3, 3)), "{said}");
    assert_eq!(everything(&mut db).await.replace('\r', ""), after);
}

#[tokio::test]
async fn what_would_be_missed_is_replaced_only_when_asked() {
    let mesh = Mesh::ephemeral().await;
    let mut db = database(&mesh).await;
    assert_eq!(one::<i64>(&mut db, "select count(*) from films").await, 1000);
    let (code, said) = import(&mesh, copied(), &[]).await;
    assert!(code == Some(1) && said.contains("--yes"), "{said}");
    assert_eq!(one::<i64>(&mut db, "select count(*) from films").await, 1000);
    let (code, said) = import(&mesh, copied(), &["--yes"]).await;
    assert!(code == Some(0), "{said}");
    assert_eq!(one::<i64>(&mut db, "select count(*) from films").await, 3);

    // The same file again, and another one.
    let before = everything(&mut db).await;
    let (code, said) = import(&mesh, copied(), &[]).await;
    assert!(code == Some(0) && said.contains("nothing to do"), "{said}");
    let (code, said) = import(&mesh, INSERTED, &["--yes"]).await;
    assert!(code == Some(1) && said.contains("an earlier import") && said.contains("--replace"), "{said}");
    assert_eq!(everything(&mut db).await, before);

    // A change of anything is noticed, whatever it is.
    for change in [
        "update films set title = title where id = 2",
        "delete from film_actors where film_id = 2",
        "insert into categories (name) values ('Own')",
        "delete from payments where id = 2",
    ] {
        db.execute(change).await.unwrap();
        let changed = everything(&mut db).await;
        let (code, said) = import(&mesh, copied(), &["--yes"]).await;
        assert!(code == Some(1) && said.contains("somebody has made or changed"), "{change}: {said}");
        assert_eq!(everything(&mut db).await, changed);
        let (code, said) = import(&mesh, copied(), &["--replace"]).await;
        assert!(code == Some(0), "{change}: {said}");
        assert_eq!(everything(&mut db).await, before);
    }
    let mut seed = selvedge(&["seed", "--service", "catalog"]);
    seed.env("SELVEDGE_DATABASE_URL", mesh.url("database"));
    let (code, said) = done(seed).await;
    assert!(code == Some(0) && said.contains("nothing to seed"), "{said}");
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_is_explained() {
    let mesh = Mesh::empty().await;
    let mut db = database(&mesh).await;
    let (code, said) = import(&mesh, copied(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let before = everything(&mut db).await;

    let line = |text: &str, part: &str| text[..text.find(part).unwrap()].lines().count() + 1;
    let copied = copied();
    let row = "3\tTHIRD";
    let in_rental = copied.find("7\t2\t2\t2").unwrap();
    let film = |new: &str| copied.replace(row, new);
    let here = |part: &str| format!("line {}, table", line(&copied, part));
    let cases: Vec<(Vec<u8>, Vec<String>)> = vec![
        (copied[..in_rental].into(), vec![here("7\t2\t2\t2"), "rental".into(), "ends in the middle".into()]),
        (
            copied[..in_rental + 5].into(),
            vec![here("7\t2\t2\t2"), "rental".into(), "ends in the middle".into()],
        ),
        (copied[..copied.find("-- Name: rental;").unwrap()].into(), vec!["cut off".into()]),
        (film("3\tTHIRD\tx").into(), vec![here(row), "film".into(), "15 values, where 14".into()]),
        (
            copied.replace("(film_id, title,", "(film_id, titel,").into(),
            vec![here("COPY public.film ("), "no column title".into()],
        ),
        (
            copied.replace("\t1999\t", "\tsoon\t").into(),
            vec![here(row), "column release_year".into(), "soon".into()],
        ),
        (copied.replace("\t1999\t", "\t1066\t").into(), vec![here(row), "films_release_year_range".into()]),
        (
            copied.replace("\t1999\t1", "\t1999\t99").into(),
            vec![here(row), "language_id 99".into(), "language".into()],
        ),
        (copied.replace(row, "2\tTHIRD").into(), vec![here(row), "film_id 2 is there already".into()]),
        (copied.replace(row, "\\N\tTHIRD").into(), vec![here(row), "column film_id".into()]),
        (
            copied.replace(",\"2005-05-28 19:40:33\")", ",\"2004-05-28 19:40:33\")").into(),
            vec!["table rental".into(), "range".into()],
        ),
        (
            INSERTED.replace("1999, 1", "(select 1), 1").into(),
            vec!["table film".into(), "release_year is not a constant".into()],
        ),
        (
            INSERTED[..INSERTED.find("'THIRD'").unwrap() + 4].into(),
            vec!["ends in the middle of a text".into()],
        ),
        (
            INSERTED[..INSERTED.find("'THIRD'").unwrap()].into(),
            vec!["ends in the middle of a statement".into()],
        ),
        (copied.replace("= 'UTF8'", "= 'LATIN1'").into(), vec!["latin1".into(), "--encoding=UTF8".into()]),
        (b"create table film (id int);\n".into(), vec!["no dump of Pagila".into()]),
        (b"".into(), vec!["no dump of Pagila".into()]),
        (b"PGDMP\x01\x0e\0".into(), vec!["custom format".into(), "pg_restore".into()]),
        (b"\x1f\x8b\x08\0".into(), vec!["gzip".into()]),
        (b"film\0".into(), vec!["not text".into()]),
        (
            copied
                .replace("THIRD", "TH\u{fffd}RD")
                .replace('\u{fffd}', "?")
                .into_bytes()
                .iter()
                .map(|byte| if *byte == b'?' { 0xff } else { *byte })
                .collect(),
            vec![here(row), "UTF8".into()],
        ),
    ];
    for (place, (text, parts)) in cases.into_iter().enumerate() {
        let (code, said) = import(&mesh, text, &["--replace"]).await;
        assert_eq!(code, Some(1), "{place}: {said}");
        for part in parts {
            assert!(said.contains(&part), "{place}: {part} in {said}");
        }
        assert_eq!(everything(&mut db).await, before, "{place}");
    }
    let (code, said) = done(command(&mesh, &["nowhere.sql"])).await;
    assert!(code == Some(1) && said.contains("cannot read nowhere.sql"), "{said}");
    assert_eq!(one::<i64>(&mut db, "select count(*) from pg_class where relname like 'stage%'").await, 0);
}

#[tokio::test]
async fn an_import_that_is_stopped_leaves_nothing_behind() {
    let mesh = Mesh::empty().await;
    let mut db = database(&mesh).await;
    let before = everything(&mut db).await;
    let copied = copied();
    // More than a chunk, so that something has been stored already.
    let rows: String =
        (10..90_000).map(|id| format!("{id}\tA NAME\tOF SOMEBODY\t2006-02-15 09:34:33\n")).collect();
    let text = copied.replace("2\tBAO", &format!("{rows}2\tBAO"));
    let mut running = command(&mesh, &["-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(&text.as_bytes()[..text.len() - 100]).await.unwrap();
    stdin.flush().await.unwrap();
    let stored = "select count(*) from pg_stat_activity where state = 'idle in transaction' and query like 'copy stage%'";
    eventually("a chunk is stored", async || one::<i64>(&mut db, stored).await > 0).await;
    let pid = i32::try_from(running.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    let output = timeout(BOUND, running.wait_with_output()).await.expect("it ends in time").unwrap();
    let (code, text_) = said(&output);
    assert!(code == Some(1) && text_.contains("stopped"), "{text_}");
    eventually("its transaction is gone", async || one::<i64>(&mut db, stored).await == 0).await;
    assert_eq!(everything(&mut db).await, before);

    // The control: the same from the standard input, to its end.
    let mut running = command(&mesh, &["-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).await.unwrap();
    drop(stdin);
    let output = timeout(BOUND, running.wait_with_output()).await.expect("it ends in time").unwrap();
    let (code, text_) = said(&output);
    assert!(code == Some(0), "{text_}");
    assert_eq!(one::<i64>(&mut db, "select count(*) from actors").await, 89_992);
}

/// The real thing, where there is one: its path is in `PAGILA_DUMP`.
#[tokio::test]
async fn pagila_itself_is_read() {
    let Some(dump) = std::env::var_os("PAGILA_DUMP") else {
        eprintln!("not tested: PAGILA_DUMP does not say where a dump of Pagila is");
        return;
    };
    let mesh = Mesh::ephemeral().await;
    let (code, said) = done(command(&mesh, &[Path::new(&dump).to_str().unwrap(), "--yes"])).await;
    assert_eq!(code, Some(0), "{said}");
    let mut db = database(&mesh).await;
    let counts = "select concat_ws(' ', (select count(*) from films), (select count(*) from categories), (select count(*) from actors),
         (select count(*) from customers), (select count(*) from rentals),
         (select count(*) from rentals where return_date is null), (select count(*) from inventory))";
    assert_eq!(one::<String>(&mut db, counts).await, "1000 16 200 599 16044 183 4581");
}
