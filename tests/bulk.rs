//! `selvedge export` and `selvedge import`, between running meshes.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use selvedge_tests::{Mesh, eventually, selvedge};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Far longer than anything here takes.
const BOUND: Duration = Duration::from_mins(2);

/// What a command came to.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A command in this directory that finds this mesh.
fn command(mesh: &Mesh, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = selvedge(arguments);
    command.env("SELVEDGE_CONTACTS_URL", mesh.url("contacts")).current_dir(directory).kill_on_drop(true);
    command
}

async fn done(mut command: Command) -> Done {
    let output = timeout(BOUND, command.output()).await.expect("it ends in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

async fn run(mesh: &Mesh, directory: &Path, arguments: &[&str]) -> Done {
    done(command(mesh, directory, arguments)).await
}

fn rows(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What stays the same when rows move to another mesh: what it makes itself does not, and the documents do not move.
fn moved(file: &Path) -> BTreeSet<String> {
    let own = |mut row: Value| {
        let object = row.as_object_mut().unwrap();
        for field in ["id", "createdAt", "updatedAt", "etag"] {
            object.remove(field).expect("every row has it");
        }
        let insights = object["documentInsights"].as_object_mut().unwrap();
        insights.remove("total_documents");
        insights.remove("document_types");
        row.to_string()
    };
    rows(file).into_iter().map(own).collect()
}

fn submission(number: usize) -> Value {
    json!({
        "externalId": format!("old-{number}"),
        "name": format!("Ada, \"{number}\""),
        "email": "ada@example.com",
        "message": "two\r\nlines; Grüße\t🧵",
        "status": "SUBMISSION_STATUS_QUALIFIED",
        "submittedAt": "2024-02-29T23:59:59.123456Z",
        "documentInsights": {"score": 1.5, "tags": ["a", null, true], "of": {"it": {}}},
    })
}

fn lines(rows: impl IntoIterator<Item = Value>) -> String {
    rows.into_iter().map(|row| format!("{row}\n")).collect()
}

/// From a mesh with sample data and other rows, through a file, to an empty one.
async fn assert_everything_moves(file: &str) {
    let directory = tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let (from, to) = tokio::join!(Mesh::ephemeral(), Mesh::empty());
    std::fs::write(at("own.ndjson"), lines((0..2_500).map(submission))).unwrap();
    let imported = run(&from, directory.path(), &["import", "contacts", "own.ndjson"]).await;
    assert_eq!(imported.code, Some(0), "{}", imported.err);

    let exported = run(&from, directory.path(), &["export", "contacts", "--output", file]).await;
    assert_eq!((exported.code, exported.out.as_str()), (Some(0), ""), "{}", exported.err);
    let imported = run(&to, directory.path(), &["import", "contacts", file]).await;
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    for (mesh, name) in [(&from, "before.ndjson"), (&to, "after.ndjson")] {
        let exported = run(mesh, directory.path(), &["export", "contacts", "--output", name]).await;
        assert_eq!(exported.code, Some(0), "{}", exported.err);
    }
    let (before, after) = (moved(&at("before.ndjson")), moved(&at("after.ndjson")));
    assert!(before.len() > 2_500);
    assert!(before == after, "{:#?}", before.symmetric_difference(&after).collect::<Vec<_>>());
    assert_eq!(rows(&at("before.ndjson")).len(), rows(&at("after.ndjson")).len());
    let left: BTreeSet<_> =
        directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "a file for refused rows, or a partial one: {left:?}");
}

#[tokio::test]
async fn what_was_exported_as_ndjson_can_be_imported_elsewhere() {
    assert_everything_moves("all.ndjson").await;
}

#[tokio::test]
async fn what_was_exported_as_csv_can_be_imported_elsewhere() {
    assert_everything_moves("all.csv").await;
}

#[tokio::test]
async fn rows_that_cannot_be_stored_are_listed_and_the_others_stored() {
    let directory = tempdir().unwrap();
    let mesh = Mesh::empty().await;
    let mut file: Vec<Vec<u8>> = (1..=2_500).map(|number| submission(number).to_string().into()).collect();
    let with = |number: usize, field: &str, value: Value| {
        let mut row = submission(number);
        row[field] = value;
        row.to_string().into_bytes()
    };
    file[2] = b"not JSON".into();
    file[3] = with(4, "colour", json!("red"));
    file[4] = with(5, "name", json!(5));
    file[5] = with(6, "email", json!("nobody"));
    file[6] = with(7, "externalId", json!("old-1"));
    file[7] = with(8, "message", json!("x".repeat(5 << 20)));
    file[8] = b"{\"name\": \"\xff\"}".into();
    // Beyond the first slice, once refused by the service and once here.
    file[1_699] = with(1_700, "email", json!(""));
    file[2_399] = b"{".into();
    std::fs::write(directory.path().join("bad.ndjson"), file.join(&b'\n')).unwrap();

    let import = ["import", "contacts", "bad.ndjson"];
    let imported = run(&mesh, directory.path(), &import).await;
    assert_eq!(imported.code, Some(1));
    assert!(imported.err.contains("2491 stored, 1 there already, 8 refused"), "{}", imported.err);
    assert!(imported.err.contains("bad.ndjson.refused.ndjson"), "{}", imported.err);
    let refused = rows(&directory.path().join("bad.ndjson.refused.ndjson"));
    let seen: Vec<_> = refused
        .iter()
        .map(|row| (row["row"].as_u64().unwrap(), row["reason"].as_str().unwrap(), &row["description"]))
        .collect();
    let expected = [
        (3, "MALFORMED_ROW", "found `n`"),
        (4, "MALFORMED_ROW", "colour"),
        (5, "MALFORMED_ROW", "expected a string"),
        (6, "INVALID_SUBMISSION", "email"),
        (8, "MALFORMED_ROW", "longer than 4194304 bytes"),
        (9, "MALFORMED_ROW", "not UTF-8"),
        (1_700, "INVALID_SUBMISSION", "email"),
        (2_400, "MALFORMED_ROW", "found the end"),
    ];
    assert_eq!(seen.len(), expected.len(), "{seen:?}");
    for ((row, reason, description), (expected_row, expected_reason, part)) in seen.into_iter().zip(expected)
    {
        assert_eq!((row, reason), (expected_row, expected_reason));
        assert!(description.as_str().unwrap().contains(part), "{row}: {description}");
    }
    assert_eq!(refused[0]["text"], "not JSON");
    assert_eq!(refused[6]["text"], String::from_utf8(file[1_699].clone()).unwrap());

    // The list of the first time is not written over; with another place, all that was stored is there already.
    let again = run(&mesh, directory.path(), &import).await;
    assert!(again.code == Some(1) && again.err.contains("--refused"), "{}", again.err);
    assert_eq!(rows(&directory.path().join("bad.ndjson.refused.ndjson")), refused);
    let again = run(&mesh, directory.path(), &[&import[..], &["--refused", "again.ndjson"]].concat()).await;
    assert!(again.err.contains("0 stored, 2492 there already, 8 refused"), "{}", again.err);
}

#[tokio::test]
async fn an_import_that_breaks_off_says_how_to_go_on() {
    let directory = tempdir().unwrap();
    let (first, second) = tokio::join!(Mesh::empty(), Mesh::empty());
    let mut import = command(&first, directory.path(), &["import", "contacts", "-", "--format", "ndjson"]);
    import.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut import = import.spawn().unwrap();
    let mut stdin = import.stdin.take().unwrap();
    let slice = format!("{}nothing\n", lines((1..1_000).map(submission)));
    stdin.write_all(slice.as_bytes()).await.unwrap();
    // The refused row is written down when the answer to the slice has come.
    let refused = directory.path().join("refused.ndjson");
    eventually("the first slice is stored", async || refused.exists() && !rows(&refused).is_empty()).await;
    first.kill().await;
    let rest = lines((1_001..=1_500).map(submission));
    stdin.write_all(rest.as_bytes()).await.unwrap();
    drop(stdin);

    let output = timeout(BOUND, import.wait_with_output()).await.expect("it ends in time").unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rows 1 to 1000 are done with: 999 stored, 0 there already, 1 refused"), "{said}");
    assert!(said.contains("--skip 1000"), "{said}");

    std::fs::write(directory.path().join("all.ndjson"), slice + &rest).unwrap();
    let rest = run(&second, directory.path(), &["import", "contacts", "all.ndjson", "--skip", "1000"]).await;
    assert!(rest.code == Some(0) && rest.err.contains("500 stored"), "{}", rest.err);
}

#[tokio::test]
async fn an_export_can_be_filtered_and_cut_short() {
    let directory = tempdir().unwrap();
    let mesh = Mesh::in_directory(&directory.path().join(".selvedge")).await;
    let filter = r#"{"status": "SUBMISSION_STATUS_SPAM", "text": "zip"}"#;
    // It finds the mesh by itself, where that keeps its data.
    let mut export = selvedge(&["export", "contacts", "--filter", filter]);
    export.current_dir(directory.path());
    let spam = done(export).await;
    assert_eq!(spam.code, Some(0), "{}", spam.err);
    let spam: Vec<Value> = spam.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!spam.is_empty());
    for row in spam {
        assert!(row["status"] == "SUBMISSION_STATUS_SPAM" && row.to_string().contains("zip"), "{row}");
    }
    let wrong = run(&mesh, directory.path(), &["export", "contacts", "--filter", r#"{"emial": "x"}"#]).await;
    assert!(wrong.code == Some(1) && wrong.out.is_empty(), "{}", wrong.out);
    assert!(wrong.err.contains("emial") && wrong.err.contains("submittedFrom"), "{}", wrong.err);

    // All of it is more than a pipe holds.
    let mut export = command(&mesh, directory.path(), &["export", "contacts"]);
    let mut export = export.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(export.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    assert!(line.starts_with('{') && line.ends_with("}\n"), "{line}");
    let output = timeout(BOUND, export.wait_with_output()).await.expect("it ends in time").unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}

#[tokio::test]
async fn without_a_service_both_say_what_to_do() {
    let directory = tempdir().unwrap();
    std::fs::write(directory.path().join("all.csv"), "name,email,message\n").unwrap();
    std::fs::write(directory.path().join("wrong.csv"), "name,colour\n").unwrap();
    let nowhere = ["--url", "http://127.0.0.1:1"];
    let export = ["export", "contacts", "--output", "out.csv"];
    let import = ["import", "contacts", "all.csv"];
    for (arguments, answers) in [
        (export.to_vec(), ["SELVEDGE_CONTACTS_URL", "selvedge up"]),
        (import.to_vec(), ["SELVEDGE_CONTACTS_URL", "selvedge up"]),
        ([&export[..], &nowhere].concat(), ["http://127.0.0.1:1", "refused"]),
        ([&import[..], &nowhere].concat(), ["http://127.0.0.1:1", "refused"]),
        (vec!["import", "contacts", "none.csv"], ["none.csv", "No such file"]),
        (vec!["import", "contacts", "."], ["cannot read .", "directory"]),
        (vec!["import", "contacts", "wrong.csv"], ["colour", "externalId"]),
    ] {
        let mut command = selvedge(&arguments);
        command.current_dir(directory.path());
        let done = done(command).await;
        assert!(done.code == Some(1), "{arguments:?}: {:?}", done.code);
        assert!(answers.iter().all(|answer| done.err.contains(answer)), "{arguments:?}: {}", done.err);
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 2, "nothing else is left behind");
}
