//! So many films, with their copies and rentals: the same number always makes the same ones, but for the times.

use std::time::Duration;

use selvedge_catalog::SERVICE;
use selvedge_testing::{Served, serve_with};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use crate::Result;

/// How long a call may take, and wait for a connection, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(5);

/// The customers there are, and of the staff those of the one store.
pub(super) const CUSTOMERS: u64 = 1_000;
pub(super) const STORE: i32 = 1;
pub(super) const STAFF: i32 = 1;

/// A word in the descriptions of one film in a hundred.
pub(super) const WORD: &str = "lighthouse";

const RENTALS_PER_FILM: u64 = 10;
/// However few films there are, there are so many copies to rent; and a film has so many.
const FEWEST_COPIES: u64 = 100_000;
const FEWEST_COPIES_OF_A_FILM: u64 = 5;

/// How many films there are.
#[derive(Clone, Copy)]
pub(super) struct Films {
    pub(super) count: u64,
}

impl Films {
    /// A service with all of them, at rest.
    pub(super) async fn serve(self) -> Result<Served> {
        let served = serve_with(SERVICE, |config| {
            config.database.pool.acquire_timeout = PATIENCE;
            config.limits.default_deadline = PATIENCE;
        })
        .await;
        let mut superuser = served.database.superuser().await;
        // What refers to what is right by construction; checking each row would take longer than writing it.
        superuser.execute("set session_replication_role = replica").await?;
        for statement in self.statements() {
            superuser.execute(AssertSqlSafe(statement)).await?;
        }
        superuser.execute("vacuum analyze").await?;
        superuser.execute("checkpoint").await?;
        Ok(served)
    }

    fn copies(self) -> u64 {
        (FEWEST_COPIES / self.count).max(FEWEST_COPIES_OF_A_FILM)
    }

    fn statements(self) -> Vec<String> {
        let Self { count } = self;
        let copies = self.copies();
        let rentals = count * RENTALS_PER_FILM;
        vec![
            "insert into languages (name) select 'Language ' || n from generate_series(1, 6) n".into(),
            "insert into categories (name) select 'Category ' || n from generate_series(1, 16) n".into(),
            "insert into actors (first_name, last_name) select 'First ' || n, 'Last ' || n from generate_series(1, 200) n"
                .into(),
            format!(
                "insert into films (title, description, release_year, language_id, rental_rate, length, rating,
                     special_features, streaming_available)
                 select (array['Amber', 'Brass', 'Copper', 'Dusty', 'Early', 'Faded', 'Golden'])[1 + n * 7919 % 7] || ' '
                         || (array['Anchor', 'Bridge', 'Candle', 'Door', 'Engine', 'Ferry', 'Garden', 'Harbour'])
                             [1 + n * 104729 % 8] || ' ' || n,
                     'A story of a ' || (array['baker', 'captain', 'dancer', 'farmer', 'teacher'])[1 + n % 5]
                         || ' who must find a ' || case when n % 100 = 0 then '{WORD}' else 'letter' end
                         || ' in the ' || (array['north', 'south', 'east', 'west'])[1 + n % 4],
                     case when n % 50 = 0 then null else 1950 + n % 75 end,
                     1 + n % 6,
                     (array[0.99, 2.99, 4.99])[1 + n % 3],
                     case when n % 40 = 0 then null else 45 + n % 140 end,
                     (array['G', 'PG', 'PG-13', 'R', 'NC-17'])[1 + n % 5],
                     (array['{{Trailers}}', '{{Trailers,Commentaries}}', '{{}}'])[1 + n % 3]::text[],
                     n % 4 = 0
                 from generate_series(1, {count}::bigint) n"
            ),
            format!(
                "insert into film_categories (film_id, category_id) select n, 1 + (hashint4(n) & 15) from generate_series(1, {count}) n"
            ),
            format!(
                "insert into film_actors (film_id, actor_id)
                 select n, 1 + ((hashint8(n) & 65535) + k * 7) % 200 from generate_series(1, {count}::bigint) n, generate_series(0, 4) k"
            ),
            "insert into countries (name) values ('Somewhere')".into(),
            "insert into cities (name, country_id) values ('Here', 1)".into(),
            "insert into addresses (street, city_id) values ('1 High Street', 1)".into(),
            "insert into stores (address_id) values (1)".into(),
            "insert into staff (store_id, first_name, last_name, username, address_id) values (1, 'S', 'T', 's', 1)".into(),
            format!(
                "insert into customers (store_id, first_name, last_name, address_id)
                 select 1, 'First ' || n, 'Last ' || n, 1 from generate_series(1, {CUSTOMERS}) n"
            ),
            format!(
                "insert into inventory (film_id, store_id)
                 select n, 1 from generate_series(1, {count}) n, generate_series(1, {copies})"
            ),
            // One a minute back from now, each over after two days; of a hundred one is still open.
            format!(
                "insert into rentals (inventory_id, film_id, store_id, customer_id, staff_id, rental_date, due_date,
                     return_date, rental_rate, replacement_cost)
                 select copy, 1 + (copy - 1) / {copies}, 1, 1 + n * 7919 % {CUSTOMERS}, 1, at, at + interval '3 days',
                     case when n % 100 = 0 and n <= {count} * {copies} then null else at + interval '2 days' end, 2.99, 19.99
                 from generate_series(1, {rentals}::bigint) n,
                     lateral (select now() - interval '1 minute' * n as at, 1 + n % ({count} * {copies}) as copy) as it"
            ),
        ]
    }
}

/// Ends the service and removes its database, so that what comes next finds the machine as this did.
pub(super) async fn discard(served: Served) -> Result<()> {
    let database = served.stop().await;
    let mut elsewhere = database.superuser_options().database("postgres").connect().await?;
    elsewhere.execute(AssertSqlSafe(format!("drop database {} with (force)", database.name()))).await?;
    elsewhere.execute("checkpoint").await?;
    Ok(())
}
