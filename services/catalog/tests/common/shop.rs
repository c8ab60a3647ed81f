//! Two stores with staff, customers, and copies of films.

use selvedge_catalog::SERVICE;
use selvedge_testing::{Database, Served, serve_with};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use std::time::Duration;

/// Film 1 has the copies 1 to 5 in store 1, film 2 one in each store (6 and 7), film 3 one in store 2 (8). Member of
/// staff 3 and customer 3 are not active; staff 1 and 3 are of store 1, staff 2 is of store 2.
const SHOP: &str = "
    insert into languages (id, name) values (1, 'English');
    insert into films (id, title, language_id, rental_duration, rental_rate, replacement_cost) values
        (1, 'Alpha', 1, 3, 0.99, 5.00), (2, 'Beta', 1, 7, 4.99, 19.99), (3, 'Gamma', 1, 5, 2.99, 9.99);
    insert into categories (id, name) values (1, 'Drama'), (2, 'Sport'), (3, 'Empty');
    insert into film_categories (film_id, category_id) values (1, 1), (2, 1), (2, 2), (3, 2);
    insert into countries (id, name) values (1, 'Here');
    insert into cities (id, name, country_id) values (1, 'Town', 1);
    insert into addresses (id, street, city_id) values (1, 'Street', 1);
    insert into stores (id, address_id) values (1, 1), (2, 1);
    insert into staff (id, store_id, first_name, last_name, username, address_id, active) values
        (1, 1, 'Ann', 'One', 'ann', 1, true), (2, 2, 'Bob', 'Two', 'bob', 1, true), (3, 1, 'Cid', 'Gone', 'cid', 1, false);
    insert into customers (id, store_id, first_name, last_name, address_id, active) values
        (1, 1, 'Dan', 'First', 1, true), (2, 2, 'Eve', 'Second', 1, true), (3, 1, 'Fay', 'Third', 1, false);
    insert into inventory (id, film_id, store_id) values
        (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 1, 1), (6, 2, 1), (7, 2, 2), (8, 3, 2)";

/// Fills a database with it.
pub(crate) async fn furnish(database: &Database) -> PgConnection {
    let mut connection = database.superuser().await;
    connection.execute(SHOP).await.unwrap();
    connection
}

/// Serves it, with a connection behind the service's back. Nobody is turned away because many come at once.
pub(crate) async fn open() -> (Served, PgConnection) {
    let served = serve_with(SERVICE, |config| {
        config.database.pool.acquire_timeout = Duration::from_mins(2);
        config.limits.default_deadline = Duration::from_mins(2);
    });
    let served = served.await;
    let connection = furnish(&served.database).await;
    (served, connection)
}
