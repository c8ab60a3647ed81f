//! The sample data.

use selvedge_catalog::SERVICE;
use selvedge_kit::Db;
use selvedge_kit::db::Options;
use selvedge_testing::Database;
use sqlx::postgres::PgConnection;

/// Fills a database with the rights of the application, which is all that a seed has.
async fn seed(database: &Database) -> u64 {
    let options = database.superuser_options().options([("search_path", "catalog"), ("role", "catalog_app")]);
    (SERVICE.seed)(Db::new(Options::with_defaults(options))).await.unwrap()
}

async fn one<T>(connection: &mut PgConnection, sql: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

/// How many rows break a rule: each of them counts those.
const RULES: [(&str, &str); 14] = [
    ("titles are unique", "select count(*) - count(distinct title) from films"),
    ("descriptions are sentences", "select count(*) from films where description !~ '^[A-Z].{40,}\\.$'"),
    (
        "films have categories",
        "select count(*) from films where not exists (select from film_categories where film_id = films.id)",
    ),
    (
        "films have actors",
        "select count(*) from films where (select count(*) from film_actors where film_id = films.id) < 2",
    ),
    (
        "stores have managers who work there",
        "select count(*) from stores left join staff on staff.id = manager_staff_id
         where staff.store_id is distinct from stores.id",
    ),
    (
        "staff rent out copies of their store",
        "select count(*) from rentals join staff on staff.id = staff_id
         join inventory on inventory.id = inventory_id where staff.store_id <> inventory.store_id",
    ),
    (
        "customers who left have nothing",
        "select count(*) from rentals join customers on customers.id = customer_id where not active",
    ),
    (
        "customers were there before",
        "select count(*) from rentals join customers on customers.id = customer_id where created_at > rental_date",
    ),
    (
        "nothing is in the future",
        "select count(*) from rentals where greatest(rental_date, return_date) > now()",
    ),
    (
        "a copy is in one place",
        "select count(*) from (
             select rental_date,
                 lag(coalesce(return_date, 'infinity')) over (partition by inventory_id order by rental_date) as free
             from rentals
         ) as histories where rental_date < free",
    ),
    (
        "it is due when the film says",
        "select count(*) from rentals join inventory on inventory.id = inventory_id join films on films.id = inventory.film_id
         where due_date <> rental_date + rental_duration * interval '1 day'
             or rentals.rental_rate <> films.rental_rate or rentals.replacement_cost <> films.replacement_cost",
    ),
    (
        "late fees are right",
        "select count(*) from rentals where late_fee is distinct from case when return_date is not null then
             least(greatest(ceil(extract(epoch from return_date - due_date) / 86400), 0), replacement_cost)
         end",
    ),
    (
        "what came back was paid",
        "select count(*) from rentals full join payments on payments.rental_id = rentals.id
         where amount is distinct from case when return_date is not null then rental_rate + late_fee end
             or payment_date is distinct from return_date",
    ),
    ("payments are in their months", "select count(*) from payments_default"),
];

/// Of these there are some, and not too many.
const SOME: [(&str, &str); 12] = [
    ("overdue", "select count(*) from rentals where return_date is null and due_date < now()"),
    ("not yet due", "select count(*) from rentals where return_date is null and due_date > now()"),
    ("late", "select count(*) from rentals where late_fee > 0"),
    ("kept to the last day", "select count(*) from rentals where due_date - return_date < interval '1 day'"),
    ("without a year", "select count(*) from films where release_year is null"),
    ("without a length", "select count(*) from films where length is null"),
    (
        "without a copy",
        "select count(*) from films where not exists (select from inventory where film_id = films.id)",
    ),
    ("streaming", "select count(*) from films where streaming_available"),
    ("dubbed", "select count(*) from films where original_language_id is not null"),
    ("without features", "select count(*) from films where special_features = '{}'"),
    (
        "found",
        "select count(*) from films where fulltext @@ websearch_to_tsquery('english', 'stolen violin')",
    ),
    ("inactive", "select count(*) from customers where not active"),
];

#[tokio::test]
async fn it_is_a_business_that_could_be() {
    let database = Database::new(SERVICE).await;
    let rows = seed(&database).await;
    let mut connection = database.superuser().await;
    let counts = "select concat_ws(' ', (select count(*) from films), (select count(*) from categories),
         (select count(*) from actors), (select count(*) from languages), (select count(*) from stores),
         (select count(*) from cities), (select count(*) from countries), (select count(*) from customers),
         (select count(*) from inventory), (select count(*) from rentals),
         (select count(*) from rentals where return_date is null), (select count(*) from payments))";
    let counts: String = one(&mut connection, counts).await;
    assert_eq!(counts, "1000 16 200 6 2 60 30 599 4581 16044 183 15861");
    for (rule, sql) in RULES {
        assert_eq!(one::<i64>(&mut connection, sql).await, 0, "{rule}");
    }
    for (what, sql) in SOME {
        let found: i64 = one(&mut connection, sql).await;
        assert!((10..5_000).contains(&found), "{what}: {found}");
    }
    assert_eq!(one::<i64>(&mut connection, "select count(distinct rating) from films").await, 5);
    let total = "select sum((figures ->> 0)::bigint)::bigint
         from jsonb_each(data_fingerprint()) as tables (name, figures)";
    assert_eq!(one::<i64>(&mut connection, total).await, rows.cast_signed());
    let paid = "select (select sum(amount) from payments) = (select sum(revenue) from store_month_revenue)";
    assert!(one::<bool>(&mut connection, paid).await, "the reports know of it");
    let known = "select kind = 'seed' and fingerprint = data_fingerprint() from imports";
    assert!(one::<bool>(&mut connection, known).await, "it is known as it is");
}

/// All but the times, which follow the calendar.
const ALL: &str = "select md5(concat(
    (select string_agg(concat_ws('|', id, title, description, release_year, length, rental_rate, rating, special_features),
        '' order by id) from films),
    (select string_agg(concat_ws('|', id, first_name, last_name, email, active, address_id), '' order by id)
     from customers),
    (select string_agg(concat_ws('|', id, street, city_id, phone), '' order by id) from addresses),
    (select string_agg(concat_ws('|', film_id, actor_id), '' order by film_id, actor_id) from film_actors),
    (select string_agg(concat_ws('|', id, inventory_id, customer_id, staff_id, late_fee, return_date - rental_date),
        '' order by id) from rentals),
    (select string_agg(concat_ws('|', id, rental_id, amount), '' order by id) from payments)))";

#[tokio::test]
async fn it_is_always_the_same_and_made_once() {
    let (first, second) = (Database::new(SERVICE).await, Database::new(SERVICE).await);
    assert!(seed(&first).await > 0 && seed(&second).await > 0);
    let all: String = one(&mut first.superuser().await, ALL).await;
    assert_eq!(all, one::<String>(&mut second.superuser().await, ALL).await);

    assert_eq!(seed(&first).await, 0);
    assert_eq!(all, one::<String>(&mut first.superuser().await, ALL).await);
}

#[tokio::test]
async fn what_is_there_is_left_alone() {
    let database = Database::new(SERVICE).await;
    let mut connection = database.superuser().await;
    sqlx::query("insert into categories (name) values ('Own')").execute(&mut connection).await.unwrap();
    assert_eq!(seed(&database).await, 0);
    assert_eq!(one::<i64>(&mut connection, "select count(*) from films").await, 0);
    assert_eq!(one::<i64>(&mut connection, "select count(*) from imports").await, 0);
}
