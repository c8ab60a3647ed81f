//! What no row can say about itself: whether there is another like it, and whether that is there to which it leads.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::Result;
use super::rows::at;
use super::tables::{TABLES, Table};

/// Deletes rows that the file has a second time; answers with how many those were.
pub(super) async fn delete_repeated(connection: &mut PgConnection, table: &Table) -> Result<u64> {
    let (target, key) = (table.target, table.keys[0]);
    let sql = format!(
        "with twice as (select {key} from stage_{target} group by {key} having count(*) > 1),
         numbered as (
             select staged.ctid as place,
                 row_number() over (partition by to_jsonb(staged) - 'line' order by staged.line, staged.ctid) as number
             from stage_{target} as staged join twice using ({key})
         )
         delete from stage_{target} as staged using numbered where staged.ctid = numbered.place and number > 1"
    );
    Ok(connection.execute(AssertSqlSafe(sql)).await?.rows_affected())
}

/// No two rows may have the same in the columns of a key.
pub(super) async fn keys(connection: &mut PgConnection, table: &Table) -> Result<()> {
    for key in table.keys {
        let target = table.target;
        let sql = format!(
            "select concat_ws(', ', {key}), lines[1], lines[2]
             from (
                 select {key}, (array_agg(line order by line))[1:2] as lines from stage_{target}
                 where num_nulls({key}) = 0 group by {key} having count(*) > 1
             ) as twice
             order by 3 limit 1"
        );
        let twice =
            sqlx::query_as::<_, (String, i64, i64)>(AssertSqlSafe(sql)).fetch_optional(&mut *connection);
        if let Some((value, first, second)) = twice.await? {
            let said = match *key {
                "open_inventory_id" => format!("the copy {value} is out already, as line {first} says"),
                key => format!("{} {value} is there already, in line {first}", names(table, key)),
            };
            return Err(at(second.cast_unsigned(), table, said));
        }
    }
    Ok(())
}

/// Every reference leads to a row of the file.
pub(super) async fn references(connection: &mut PgConnection, table: &Table) -> Result<()> {
    for (column, to) in table.references {
        let target = table.target;
        let sql = format!(
            "select line, {column}::bigint, count(*) over () from stage_{target} as staged
             where {column} is not null and not exists (select from stage_{to} as other where other.id = staged.{column})
             order by line limit 1"
        );
        let missing =
            sqlx::query_as::<_, (i64, i64, i64)>(AssertSqlSafe(sql)).fetch_optional(&mut *connection);
        if let Some((line, id, rows)) = missing.await? {
            let to = TABLES.iter().find(|table| table.target == *to).map_or(*to, |table| table.name);
            let more = match rows - 1 {
                0 => String::new(),
                more => format!(" (and {more} more rows lead nowhere)"),
            };
            return Err(at(
                line.cast_unsigned(),
                table,
                format!("{column} {id} is no row of the table {to}{more}"),
            ));
        }
    }
    Ok(())
}

/// A key, as the file calls its columns.
fn names(table: &Table, key: &str) -> String {
    key.split(", ").map(|column| table.source_name(column)).collect::<Vec<_>>().join(", ")
}
