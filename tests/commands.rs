//! The commands beside `up`, on the database of a running mesh.

use selvedge_tests::{Mesh, run, selvedge};

async fn on(mesh: &Mesh, arguments: &[&str]) -> (bool, String) {
    let mut command = selvedge(arguments);
    command.env("SELVEDGE_DATABASE_URL", mesh.url("database"));
    run(command).await
}

#[tokio::test]
async fn migrations_are_shown_taken_back_and_run_again() {
    let mesh = Mesh::ephemeral().await;
    let (ok, said) = on(&mesh, &["migrate", "status"]).await;
    assert!(ok && said.contains("0001_submissions") && !said.contains("pending"), "{said}");
    let (ok, said) = on(&mesh, &["migrate", "sql"]).await;
    assert!(ok && said.is_empty(), "{said}");

    let (ok, said) = on(&mesh, &["migrate", "down", "1", "--service", "contacts"]).await;
    assert!(ok && said.contains("took back 0007_default_in_order"), "{said}");
    let (ok, said) = on(&mesh, &["migrate", "status"]).await;
    assert!(ok && said.contains("pending"), "{said}");
    let (ok, said) = on(&mesh, &["migrate", "sql"]).await;
    assert!(ok && said.contains("create or replace function empty_submissions_default()"), "{said}");
    let (ok, said) = on(&mesh, &["doctor"]).await;
    assert!(!ok && said.contains("1 migration has not run"), "{said}");

    let (ok, said) = on(&mesh, &["migrate", "up"]).await;
    assert!(ok && said.contains("contacts: 1 migration"), "{said}");
    let (ok, said) = on(&mesh, &["seed"]).await;
    assert!(ok && said.contains("nothing to seed"), "{said}");
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_explained() {
    let nowhere = tempfile::tempdir().unwrap();
    let directory = nowhere.path().display().to_string();
    for (arguments, answer) in [
        (vec!["migrate", "status", "--data-dir", &directory], "SELVEDGE_DATABASE_URL"),
        (
            vec!["migrate", "up", "--service", "nobody", "--data-dir", &directory],
            "there are: catalog, contacts",
        ),
        (vec!["migrate", "new", "Not A Name", "--service", "contacts"], "a-z"),
        (vec!["up", "--data-dir", &directory, "--otlp-endpont", "x"], "--otlp-endpoint"),
    ] {
        let (ok, said) = run(selvedge(&arguments)).await;
        assert!(!ok && said.contains(answer), "{arguments:?}: {said}");
    }
    let mut command = selvedge(&["migrate", "status"]);
    command.env("SELVEDGE_DATABASE_URL", "postgres://me:#ThawZin2k77!@127.0.0.1/mesh");
    let (ok, said) = run(command).await;
    assert!(!ok && said.contains("%23") && !said.contains("ThawZin"), "{said}");
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_with_what_up_made() {
    let directory = tempfile::tempdir().unwrap();
    let mesh = Mesh::in_directory(directory.path()).await;
    let (ok, said) = run(selvedge(&["doctor", "--data-dir", &directory.path().display().to_string()])).await;
    assert!(ok, "{said}");
    for line in [
        "roles are right",
        "every migration has run",
        "pg_stat_statements is installed",
        "connections in use",
    ] {
        assert!(
            said.contains(&format!("✓ {line}")) || said.lines().any(|l| l.contains('✓') && l.contains(line)),
            "{line} in {said}"
        );
    }
    assert_eq!(mesh.stop().await, Some(0));
}
