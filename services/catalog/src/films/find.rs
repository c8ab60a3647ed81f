//! Films by their ids.

use std::collections::{HashMap, HashSet};

use selvedge_kit::{Db, Error};
use sqlx::{PgExecutor, QueryBuilder};

use super::row::{COLUMNS, DETAILS, Row};

/// Finds what belongs to all of the films together, in the orders that `DETAILS` has: film by film that takes twice as long.
///
/// Each id is looked up by itself (`limit 1`, `offset 0`): a plan that was made while there were few films would otherwise
/// read all of them, however many there are by now. And PostgreSQL does not see how many ids there are (`select $1`), or it
/// would plan anew for each number of them.
const WANTED: &str = r#"
    with wanted as materialized (
        select id from unnest((select $1::integer[])) as wanted (id)
    ), categories_of as (
        select film_id, json_agg(json_build_array(id, name)) as categories
        from (
            select wanted.id as film_id, categories.id, name
            from wanted, lateral (select category_id from film_categories where film_id = wanted.id offset 0) as link
            join categories on categories.id = category_id
            order by film_id, name
        ) as sorted
        group by film_id
    ), actors_of as (
        select film_id, json_agg(json_build_array(id, first_name, last_name)) as actors
        from (
            select wanted.id as film_id, actors.id, first_name, last_name
            from wanted, lateral (select actor_id from film_actors where film_id = wanted.id offset 0) as link
            join actors on actors.id = actor_id
            order by film_id, lower(last_name) collate "C", lower(first_name) collate "C", actors.id
        ) as sorted
        group by film_id
    )
    select film.*, coalesce(categories, '[]') as categories, coalesce(actors, '[]') as actors
    from wanted
    join lateral (select"#;

const END: &str = " from films where films.id = wanted.id limit 1) as film on true
    left join categories_of on categories_of.film_id = film.id
    left join actors_of on actors_of.film_id = film.id";

/// One film, as the executor's transaction sees it.
pub(super) async fn one(executor: impl PgExecutor<'_>, id: i32) -> Result<Option<Row>, Error> {
    let mut query = QueryBuilder::new("select");
    query.push(COLUMNS).push(DETAILS).push(" from films where films.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(executor).await?)
}

/// As many answers as there are ids, in their order.
pub(super) async fn each(db: Db, ids: Vec<i32>) -> Result<Vec<Option<Row>>, Error> {
    if let [id] = *ids {
        return Ok(vec![one(&db, id).await?]);
    }
    let wanted: HashSet<i32> = ids.iter().copied().collect();
    let mut query = QueryBuilder::new(WANTED);
    query.push(COLUMNS).push(END);
    let all_differ = wanted.len() == ids.len();
    let query = query.build_query_as().bind(wanted.into_iter().collect::<Vec<_>>());
    let rows: Vec<Row> = query.fetch_all(&db).await?;
    let mut found: HashMap<i32, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
    let take = |id| if all_differ { found.remove(id) } else { found.get(id).cloned() };
    Ok(ids.iter().map(take).collect())
}
