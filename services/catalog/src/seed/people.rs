//! Where everybody lives; the stores, those who work there, and their customers.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng as _;
use rand::rngs::StdRng;
use selvedge_kit::Error;
use selvedge_kit::db::Connection;

use super::count;
use super::films::{full_names, pick, texts};
use super::names::{COUNTRIES, DISTRICTS, STREETS};

const STORES: usize = 2;
const STAFF_PER_STORE: usize = 3;
const CUSTOMERS: usize = 599;
/// Of so many customers, one has left.
const CUSTOMERS_PER_INACTIVE: usize = 40;

/// Who can rent from whom.
pub(super) struct People {
    /// Each store, and those who work there.
    pub(super) stores: Vec<(i32, Vec<i32>)>,
    /// Those who still rent.
    pub(super) customers: Vec<i32>,
}

/// Everybody, and how many rows were made.
pub(super) async fn seed(
    connection: &mut Connection,
    rng: &mut StdRng,
    now: DateTime<Utc>,
) -> Result<(People, u64), Error> {
    let (addresses, mut rows) = addresses(connection, rng).await?;
    let (of_stores, others) = addresses.split_at(STORES);
    let (of_staff, of_customers) = others.split_at(STORES * STAFF_PER_STORE);
    let stores = stores(connection, rng, of_stores, of_staff).await?;
    let store_ids: Vec<i32> = stores.iter().map(|(store, _)| *store).collect();
    let customers = customers(connection, rng, &store_ids, of_customers, now).await?;
    rows += count(of_stores) + count(of_staff) + count(&customers);
    let active = customers.into_iter().enumerate().filter(|(place, _)| is_active(*place));
    Ok((People { stores, customers: active.map(|(_, id)| id).collect() }, rows))
}

/// One for every store, member of staff and customer, and how many rows were made.
async fn addresses(connection: &mut Connection, rng: &mut StdRng) -> Result<(Vec<i32>, u64), Error> {
    let names: Vec<&str> = COUNTRIES.iter().map(|(country, _)| *country).collect();
    let countries = sqlx::query_scalar!(
        "insert into countries (name) select name from unnest($1::text[]) with ordinality as given (name, place)
         order by place returning id",
        &texts(&names),
    );
    let countries = countries.fetch_all(&mut *connection).await?;
    let names: Vec<&str> = COUNTRIES.iter().flat_map(|(_, cities)| *cities).collect();
    let cities = sqlx::query_scalar!(
        "insert into cities (name, country_id)
         select name, country_id from unnest($1::text[], $2::int[]) with ordinality as given (name, country_id, place)
         order by place returning id",
        &texts(&names),
        &countries.iter().flat_map(|country| [*country, *country]).collect::<Vec<_>>(),
    );
    let cities = cities.fetch_all(&mut *connection).await?;
    let places = 0..STORES + STORES * STAFF_PER_STORE + CUSTOMERS;
    let of: Vec<i32> = places.clone().map(|_| pick(rng, &cities)).collect();
    let streets: Vec<String> =
        places.clone().map(|_| format!("{} {}", rng.random_range(1..=180), pick(rng, &STREETS))).collect();
    let districts: Vec<String> = places.clone().map(|_| pick(rng, &DISTRICTS).to_owned()).collect();
    let codes: Vec<String> = places.clone().map(|_| rng.random_range(10_000..99_999).to_string()).collect();
    let phones: Vec<String> = places
        .map(|_| format!("+00 {} {}", rng.random_range(100..999), rng.random_range(10_000..99_999)))
        .collect();
    let addresses = sqlx::query_scalar!(
        "insert into addresses (street, district, city_id, postal_code, phone)
         select street, district, city_id, postal_code, phone
         from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[])
             with ordinality as given (street, district, city_id, postal_code, phone, place)
         order by place returning id",
        &streets,
        &districts,
        &of,
        &codes,
        &phones,
    );
    let addresses = addresses.fetch_all(connection).await?;
    let rows = count(&countries) + count(&cities) + count(&addresses);
    // Those of stores, staff and customers are among them.
    Ok((addresses, rows))
}

async fn stores(
    connection: &mut Connection,
    rng: &mut StdRng,
    of_stores: &[i32],
    of_staff: &[i32],
) -> Result<Vec<(i32, Vec<i32>)>, Error> {
    let stores = sqlx::query_scalar!(
        "insert into stores (address_id) select id from unnest($1::int[]) with ordinality as given (id, place)
         order by place returning id",
        of_stores,
    );
    let stores = stores.fetch_all(&mut *connection).await?;
    let works_at: Vec<i32> = stores.iter().flat_map(|store| [*store; STAFF_PER_STORE]).collect();
    let (first, last): (Vec<_>, Vec<_>) = full_names(rng, works_at.len()).into_iter().unzip();
    let usernames: Vec<String> =
        first.iter().zip(&last).map(|(first, last)| format!("{first}.{last}").to_lowercase()).collect();
    let staff = sqlx::query_scalar!(
        "insert into staff (store_id, first_name, last_name, email, username, address_id)
         select store_id, first_name, last_name, username || '@stores.example', username, address_id
         from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[])
             with ordinality as given (store_id, first_name, last_name, username, address_id, place)
         order by place returning id",
        &works_at,
        &first,
        &last,
        &usernames,
        of_staff,
    );
    let staff = staff.fetch_all(&mut *connection).await?;
    sqlx::query!(
        "update stores set manager_staff_id = (select min(staff.id) from staff where staff.store_id = stores.id)
         where stores.id = any($1)",
        &stores,
    )
    .execute(connection)
    .await?;
    Ok(stores.into_iter().zip(staff.chunks(STAFF_PER_STORE).map(<[i32]>::to_vec)).collect())
}

async fn customers(
    connection: &mut Connection,
    rng: &mut StdRng,
    stores: &[i32],
    addresses: &[i32],
    now: DateTime<Utc>,
) -> Result<Vec<i32>, Error> {
    let (first, last): (Vec<_>, Vec<_>) = full_names(rng, addresses.len()).into_iter().unzip();
    let emails: Vec<String> = first
        .iter()
        .zip(&last)
        .map(|(first, last)| format!("{first}.{last}@example.com").to_lowercase())
        .collect();
    let at: Vec<i32> = addresses.iter().map(|_| pick(rng, stores)).collect();
    // Before the first rental that is known.
    let since: Vec<DateTime<Utc>> =
        addresses.iter().map(|_| now - TimeDelta::hours(rng.random_range(24 * 440..24 * 1200))).collect();
    let active: Vec<bool> = (0..addresses.len()).map(is_active).collect();
    let rows = sqlx::query_scalar!(
        "insert into customers (store_id, first_name, last_name, email, address_id, active, created_at)
         select store_id, first_name, last_name, email, address_id, active, created_at
         from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bool[], $7::timestamptz[])
             with ordinality as given (store_id, first_name, last_name, email, address_id, active, created_at, place)
         order by place returning id",
        &at,
        &first,
        &last,
        &emails,
        addresses,
        &active,
        &since,
    );
    Ok(rows.fetch_all(connection).await?)
}

fn is_active(place: usize) -> bool {
    place % CUSTOMERS_PER_INACTIVE != 17
}
