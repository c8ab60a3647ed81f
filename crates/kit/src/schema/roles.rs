use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

/// What the application role is given.
pub struct App {
    /// Its password; without one, the role is left as it is (somebody else keeps the passwords).
    pub password: Option<String>,
    /// The most connections that it may hold, over all replicas of the service.
    pub connection_limit: u32,
}

/// Makes a service's schema and its three roles, or brings them to what they should be. Needs a superuser, or a role
/// that may create roles and schemas.
pub async fn provision(connection: &mut PgConnection, name: &str, app: &App) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(provisioning_sql(name, app))).await?;
    if let Some(password) = &app.password {
        let literal: String =
            sqlx::query_scalar("select quote_literal($1)").bind(password).fetch_one(&mut *connection).await?;
        connection.execute(AssertSqlSafe(format!("alter role {name}_app password {literal}"))).await?;
    }
    Ok(())
}

/// What [`provision`] runs, but for the password. All of it is one transaction, and only one runs at a time.
pub fn provisioning_sql(name: &str, app: &App) -> String {
    let limit = app.connection_limit;
    let roles: String = ["owner", "app", "read"]
        .iter()
        // `create role if not exists` does not exist. PostgreSQL thinks of disks for which a page elsewhere is four times as
        // far as the next one, and would read a whole table rather than a page for each of a few rows. Said only once: who
        // knows their disks better may say otherwise.
        .map(|role| {
            format!(
                "do $$ begin
    if to_regrole('{name}_{role}') is null then
        create role {name}_{role} nologin;
        alter role {name}_{role} set random_page_cost = 1.1;
    end if;
end $$;
"
            )
        })
        .collect();
    format!(
        "select pg_advisory_xact_lock(hashtextextended('selvedge.provision', 0));
{roles}alter role {name}_app login nocreatedb nocreaterole connection limit {limit};
do $$ begin
    -- Only its members may give something to a role; a superuser need not be one.
    if not pg_has_role(current_user, '{name}_owner', 'member') then
        execute format('grant {name}_owner to %I', current_user);
    end if;
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to {name}_owner, {name}_app, {name}_read', current_database());
    -- To refresh a view while it is being read, PostgreSQL makes a temporary table, as the view's owner.
    execute format('grant temporary on database %I to {name}_owner', current_database());
end $$;
-- For searches by a part of a text. An extension belongs to the whole database, and its owners may not make any.
create extension if not exists pg_trgm with schema public;
create schema if not exists {name};
alter schema {name} owner to {name}_owner;
revoke all on schema {name} from public;
grant usage on schema {name} to {name}_app, {name}_read;
alter default privileges for role {name}_owner in schema {name}
    grant select, insert, update, delete on tables to {name}_app;
alter default privileges for role {name}_owner in schema {name} grant usage on sequences to {name}_app;
alter default privileges for role {name}_owner in schema {name} grant execute on functions to {name}_app;
alter default privileges for role {name}_owner revoke execute on functions from public;
alter default privileges for role {name}_owner in schema {name} grant select on tables to {name}_read;
"
    )
}
