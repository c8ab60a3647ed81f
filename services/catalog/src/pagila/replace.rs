//! Puts what was staged in the place of all that was there.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::tables::{TABLES, Table};
use super::{Result, StartError};

/// A payment of another month makes another partition.
const MAX_MONTHS: i64 = 600;

/// Waits until nobody reads or writes, and then lets nobody do either, to the end of the transaction.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<()> {
    // Before the tables: whoever refreshes the reports has this, and waits for them.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('catalog.refresh_reports', 0))")
        .execute(&mut *connection)
        .await?;
    let tables: Vec<&str> = TABLES.iter().map(|table| table.target).collect();
    let sql =
        format!("set local lock_timeout = '60s'; lock table {} in access exclusive mode", tables.join(", "));
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .map_err(|error| format!("the catalog is in use: {error}"))?;
    Ok(())
}

/// Answers with how many rows each table has got.
pub(super) async fn replace(connection: &mut PgConnection, sha256: &[u8]) -> Result<Vec<u64>> {
    partitions(connection).await?;
    let tables: Vec<&str> = TABLES.iter().map(|table| table.target).collect();
    // With the sequences, whose next values would not come back with a rollback otherwise.
    let truncate = format!("truncate {} restart identity", tables.join(", "));
    connection.execute(AssertSqlSafe(truncate)).await?;
    // What was answered before is about what was there before.
    sqlx::query("delete from idempotency_keys").execute(&mut *connection).await?;
    sqlx::query!("set constraints stores_manager_staff_id_fkey deferred").execute(&mut *connection).await?;
    let mut written = vec![];
    for table in &TABLES {
        let inserted = connection.execute(AssertSqlSafe(insert(table))).await;
        let rows = inserted.map_err(|error| StartError::from(format!("table {}: {error}", table.name)))?;
        written.push(rows.rows_affected());
    }
    sqlx::query!("set constraints all immediate").execute(&mut *connection).await?;
    for table in &TABLES {
        if let Some(sql) = set_sequence(table) {
            connection.execute(AssertSqlSafe(sql)).await?;
        }
        connection.execute(AssertSqlSafe(format!("analyze {}", table.target))).await?;
    }
    sqlx::query_scalar!("select refresh_reports()").fetch_one(&mut *connection).await?;
    sqlx::query!(
        "insert into imports (kind, sha256, fingerprint) select 'pagila', $1, data_fingerprint()",
        sha256
    )
    .execute(connection)
    .await?;
    Ok(written)
}

async fn partitions(connection: &mut PgConnection) -> Result<()> {
    let sql = "select count(distinct date_trunc('month', payment_date, 'UTC')) from stage_payments";
    let months: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await?;
    if months > MAX_MONTHS {
        return Err(format!(
            "table payment: its rows are of {months} months, where {MAX_MONTHS} are allowed"
        )
        .into());
    }
    let sql = "select ensure_payments_partition(month)
         from (select distinct date_trunc('month', payment_date, 'UTC') as month from stage_payments) as months";
    connection.execute(sql).await?;
    Ok(())
}

fn insert(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.target).collect();
    match table.target {
        "customers" => "
            insert into customers (id, store_id, first_name, last_name, email, address_id, active, created_at, last_update)
            select id, store_id, first_name, last_name, email, address_id, active and activebool, created_at, last_update
            from stage_customers"
            .to_owned(),
        // What it costs was never agreed on elsewhere; it is what the film costs.
        "rentals" => "
            insert into rentals (id, inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
                replacement_cost, last_update)
            select staged.id, inventory_id, customer_id, staff_id, began,
                began + films.rental_duration * interval '1 day', ended, films.rental_rate, films.replacement_cost,
                staged.last_update
            from stage_rentals as staged
            join inventory on inventory.id = staged.inventory_id
            join films on films.id = inventory.film_id"
            .to_owned(),
        target => {
            let columns = columns.join(", ");
            format!("insert into {target} ({columns}) select {columns} from stage_{target}")
        }
    }
}

/// The next row of ours comes after the last of the file.
fn set_sequence(table: &Table) -> Option<String> {
    let target = table.target;
    table.has("id").then(|| {
        format!(
            "select setval(pg_get_serial_sequence('{target}', 'id'), max(id)) from {target} having max(id) is not null"
        )
    })
}
