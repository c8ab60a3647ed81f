//! The statements that a service sends, for somebody else to send them too.

use sqlx::postgres::PgConnection;

use crate::Result;

/// The last one with these words in it that this role sent, as PostgreSQL remembers it.
pub(crate) async fn last(
    connection: &mut PgConnection,
    role: &str,
    words: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select query from pg_stat_activity
         where datname = current_database() and usename = $1 and strpos(query, $2) > 0
         order by query_start desc limit 1",
    )
    .bind(role)
    .bind(words)
    .fetch_optional(connection)
    .await
}

/// With a value for each of its parameters.
pub(crate) fn filled(statement: &str, values: &[&str]) -> Result<String> {
    let mut statement = statement.to_owned();
    // The highest first, as `$1` is also the beginning of `$12`.
    for (index, value) in values.iter().enumerate().rev() {
        statement = statement.replace(&format!("${}", index + 1), value);
    }
    if statement.contains('$') {
        return Err(format!("a parameter has no value: {statement}").into());
    }
    Ok(statement)
}
