//! Temporary tables for what a file has, which check it as our own do.

use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::sync::mpsc;

use super::Result;
use super::rows::{Chunk, at};
use super::tables::{TABLES, Table};

/// What the staging tables are more than tables like ours.
const OTHERWISE: &str = "
alter table stage_films drop column fulltext;
alter table stage_customers add column activebool boolean not null default true;
alter table stage_rentals
    add column rental_period tstzrange,
    alter column film_id drop not null,
    alter column store_id drop not null,
    alter column rental_date drop not null,
    alter column due_date drop not null,
    alter column rental_rate drop not null,
    alter column replacement_cost drop not null,
    add column began timestamptz not null generated always as (coalesce(rental_date, lower(rental_period))) stored,
    add column ended timestamptz generated always as (coalesce(return_date, nullif(upper(rental_period), 'infinity'))) stored,
    add column open_inventory_id integer generated always as (
        case
            when coalesce(return_date, nullif(upper(rental_period), 'infinity')) is null then inventory_id
        end
    ) stored,
    add constraint return_after_rental check (ended >= began),
    add constraint time_is_within_reach check (
        began between '0001-01-01' and '9999-01-01' and ended between '0001-01-01' and '9999-12-31'
    );
alter table stage_films
    add constraint price_is_a_number check (rental_rate < 'NaN' and replacement_cost < 'NaN');
alter table stage_customers
    add constraint created_within_reach check (created_at between '0001-01-01' and '9999-12-31');
alter table stage_payments
    add constraint amount_is_a_number check (amount < 'NaN'),
    add constraint time_is_within_reach check (payment_date between '0001-01-01' and '9999-12-31')
";

/// Makes the tables, which go with the transaction.
pub(super) async fn create(connection: &mut PgConnection) -> Result<()> {
    // Times without a zone are those of UTC, and a backslash is one.
    let settings =
        "set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local statement_timeout = 0;
        set local client_min_messages = warning";
    connection.execute(settings).await?;
    for table in &TABLES {
        let target = table.target;
        let mut sql = format!(
            "create temporary table stage_{target} (
                 line bigint not null, like {target} including defaults including constraints
             ) on commit drop;"
        );
        if table.has("id") {
            sql += &format!("alter table stage_{target} add constraint id_is_positive check (id > 0);");
        }
        if table.has("last_update") {
            // The same for all rows, so that a row is the same as another.
            sql += &format!(
                "alter table stage_{target} alter column last_update set default now(),
                 add constraint last_update_within_reach check (last_update between '0001-01-01' and '9999-12-31');"
            );
        }
        connection.execute(AssertSqlSafe(sql)).await.map_err(no_tables)?;
    }
    connection.execute(OTHERWISE).await?;
    Ok(())
}

/// Stores chunks until there are no more; answers with how many rows each table has got.
pub(super) async fn fill(
    connection: &mut PgConnection,
    chunks: &mut mpsc::Receiver<Chunk>,
) -> Result<Vec<u64>> {
    let mut read = vec![0; TABLES.len()];
    while let Some(chunk) = chunks.recv().await {
        copy(connection, &chunk).await.map_err(|error| located(&error, &chunk))?;
        let place = TABLES.iter().position(|table| table.name == chunk.table.name);
        read[place.expect("chunks are of our tables")] += chunk.lines.len() as u64;
    }
    Ok(read)
}

async fn copy(connection: &mut PgConnection, chunk: &Chunk) -> Result<(), sqlx::Error> {
    let sql = format!("copy stage_{} (line, {}) from stdin", chunk.table.target, chunk.columns.join(", "));
    let mut copy = connection.copy_in_raw(&sql).await?;
    copy.send(&chunk.data[..]).await?;
    copy.finish().await?;
    Ok(())
}

/// Says where in the file a row is that PostgreSQL does not take.
fn located(error: &sqlx::Error, chunk: &Chunk) -> super::StartError {
    let Some(error) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
    else {
        return error.to_string().into();
    };
    // `COPY stage_films, line 17, column release_year: "abc"`, in the language of the server.
    let place = error.r#where().unwrap_or_default();
    let row = place.split(|symbol: char| !symbol.is_ascii_digit()).find(|digits| !digits.is_empty());
    let row = row.and_then(|row| row.parse::<usize>().ok()).and_then(|row| row.checked_sub(1));
    let Some(line) = row.and_then(|row| chunk.lines.get(row)) else { return error.to_string().into() };
    let table = chunk.table;
    if let (None, Some(constraint)) = (error.column(), error.constraint()) {
        return at(*line, table, format!("the row does not fit the constraint {constraint}"));
    }
    let column = error.column().or_else(|| {
        let column = place.split(':').next()?.split(", ").nth(2)?;
        column.rsplit(' ').next()
    });
    match column {
        // It is made of one of two columns.
        Some("began") => at(*line, table, "there is no rental_date, nor a rental_period that begins"),
        Some(column) => {
            at(*line, table, format!("column {}: {}", table.source_name(column), error.message()))
        }
        None => at(*line, table, error.message()),
    }
}

fn no_tables(error: sqlx::Error) -> super::StartError {
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("42P01") => "the catalog has no tables\n(`selvedge migrate up` makes them)".into(),
        Some("42501") => {
            "catalog_owner may not make temporary tables\n(`selvedge migrate up` as a superuser lets it)"
                .into()
        }
        _ => error.into(),
    }
}

/// What the plans of the next steps need to know.
pub(super) async fn analyze(connection: &mut PgConnection) -> Result<()> {
    for Table { target, .. } in &TABLES {
        connection.execute(AssertSqlSafe(format!("analyze stage_{target}"))).await?;
    }
    Ok(())
}
