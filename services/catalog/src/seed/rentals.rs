//! The copies, who rented them when, and what was paid.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng as _;
use rand::rngs::StdRng;
use selvedge_kit::Error;
use selvedge_kit::db::Connection;

use super::films::{Film, pick};
use super::people::People;

const COPIES: usize = 4581;
const RENTALS: usize = 16_044;
/// Of so many copies one is out: 183.
const COPIES_PER_OPEN: usize = 25;
/// Every so many films, there is one of which no store has a copy.
const FILMS_PER_ABSENT: usize = 25;
/// How far back the first rental is.
const DAYS: i64 = 425;
/// A copy that is out now was there for so long, and nobody keeps one for longer.
const LONGEST_DAYS: i64 = 14;

struct Copy<'a> {
    id: i32,
    film: &'a Film,
    staff: &'a [i32],
}

struct Rental<'a> {
    copy: &'a Copy<'a>,
    customer: i32,
    staff: i32,
    rented: DateTime<Utc>,
    due: DateTime<Utc>,
    returned: Option<DateTime<Utc>>,
    /// In cents.
    late_fee: Option<i32>,
}

/// Makes all of them, and answers with how many rows that were.
pub(super) async fn seed(
    connection: &mut Connection,
    rng: &mut StdRng,
    films: &[Film],
    people: &People,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let copies = copies(connection, rng, films, people).await?;
    let mut rentals = vec![];
    for (place, (copy, number)) in copies.iter().zip(rentals_per_copy(rng)).enumerate() {
        let out = place % COPIES_PER_OPEN == 7;
        history(rng, copy, people, number, out, now, &mut rentals);
    }
    // Ids are given as time goes by.
    rentals.sort_by_key(|rental| rental.rented);
    let ids = insert(connection, &rentals).await?;
    let payments = pay(connection, &rentals, &ids).await?;
    Ok((copies.len() + ids.len()) as u64 + payments)
}

async fn copies<'a>(
    connection: &mut Connection,
    rng: &mut StdRng,
    films: &'a [Film],
    people: &'a People,
) -> Result<Vec<Copy<'a>>, Error> {
    let there = films.iter().enumerate().filter(|(place, _)| place % FILMS_PER_ABSENT != 3);
    let there: Vec<&Film> = there.map(|(_, film)| film).collect();
    // One of each, and then more of some than of others.
    let of: Vec<&Film> =
        (0..COPIES).map(|place| there.get(place).copied().unwrap_or_else(|| pick(rng, &there))).collect();
    let stores: Vec<&(i32, Vec<i32>)> = people.stores.iter().collect();
    let at: Vec<_> = of.iter().map(|_| pick(rng, &stores)).collect();
    let ids = sqlx::query_scalar!(
        "insert into inventory (film_id, store_id)
         select film_id, store_id
         from unnest($1::int[], $2::int[]) with ordinality as given (film_id, store_id, place)
         order by place returning id",
        &of.iter().map(|film| film.id).collect::<Vec<_>>(),
        &at.iter().map(|(store, _)| *store).collect::<Vec<_>>(),
    );
    let ids = ids.fetch_all(connection).await?;
    let copy =
        |((id, film), store): ((i32, &'a Film), &'a (i32, Vec<i32>))| Copy { id, film, staff: &store.1 };
    Ok(ids.into_iter().zip(of).zip(at).map(copy).collect())
}

/// Between one and six, of all copies together exactly as many as there are to be.
fn rentals_per_copy(rng: &mut StdRng) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..COPIES).map(|_| rng.random_range(2..=5)).collect();
    let mut total: usize = numbers.iter().sum();
    while total != RENTALS {
        let number = &mut numbers[rng.random_range(0..COPIES)];
        if total < RENTALS && *number < 6 {
            *number += 1;
            total += 1;
        } else if total > RENTALS && *number > 1 {
            *number -= 1;
            total -= 1;
        }
    }
    numbers
}

/// The rentals of one copy: each in a part of the time that is its own, so that no two overlap.
fn history<'a>(
    rng: &mut StdRng,
    copy: &'a Copy<'a>,
    people: &People,
    number: usize,
    out: bool,
    now: DateTime<Utc>,
    rentals: &mut Vec<Rental<'a>>,
) {
    let returned = number - usize::from(out);
    let part = (DAYS - LONGEST_DAYS) * 24 * 60 / i64::try_from(returned.max(1)).unwrap_or(1);
    for place in 0..returned {
        let begins =
            now - TimeDelta::days(DAYS) + TimeDelta::minutes(part) * i32::try_from(place).unwrap_or(0);
        let rented = begins + TimeDelta::minutes(rng.random_range(0..part - LONGEST_DAYS * 24 * 60));
        // Most people are in time.
        let most =
            if rng.random_bool(0.8) { copy.film.rental_duration } else { copy.film.rental_duration + 6 };
        let kept = TimeDelta::minutes(rng.random_range(60..i64::from(most) * 24 * 60));
        rentals.push(Rental::new(rng, copy, people, rented, Some(rented + kept)));
    }
    if out {
        let rented = now - TimeDelta::minutes(rng.random_range(30..(LONGEST_DAYS - 1) * 24 * 60));
        rentals.push(Rental::new(rng, copy, people, rented, None));
    }
}

impl<'a> Rental<'a> {
    fn new(
        rng: &mut StdRng,
        copy: &'a Copy<'a>,
        people: &People,
        rented: DateTime<Utc>,
        returned: Option<DateTime<Utc>>,
    ) -> Self {
        let due = rented + TimeDelta::days(copy.film.rental_duration.into());
        let late_fee = |returned: DateTime<Utc>| {
            // Every day that has begun costs the same.
            let days = (returned - due).num_seconds().max(0).div_euclid(86_400)
                + i64::from((returned - due).num_seconds().max(0) % 86_400 > 0);
            i32::try_from(days * 100).unwrap_or(i32::MAX).min(copy.film.replacement_cost)
        };
        Self {
            copy,
            customer: pick(rng, &people.customers),
            staff: pick(rng, copy.staff),
            rented,
            due,
            returned,
            late_fee: returned.map(late_fee),
        }
    }
}

async fn insert(connection: &mut Connection, rentals: &[Rental<'_>]) -> Result<Vec<i64>, Error> {
    let ids = sqlx::query_scalar!(
        "insert into rentals (inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
             replacement_cost, late_fee)
         select inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate / 100.0,
             replacement_cost / 100.0, late_fee / 100.0
         from unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::int[],
                 $8::int[], $9::int[])
             with ordinality as given (inventory_id, customer_id, staff_id, rental_date, due_date, return_date,
                 rental_rate, replacement_cost, late_fee, place)
         order by place returning id",
        &rentals.iter().map(|rental| rental.copy.id).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.customer).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.staff).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.rented).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.due).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.returned).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &rentals.iter().map(|rental| rental.copy.film.rental_rate).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.copy.film.replacement_cost).collect::<Vec<_>>(),
        &rentals.iter().map(|rental| rental.late_fee).collect::<Vec<_>>() as &[Option<i32>],
    );
    Ok(ids.fetch_all(connection).await?)
}

/// A payment at each return, as `ReturnFilm` makes it.
async fn pay(connection: &mut Connection, rentals: &[Rental<'_>], ids: &[i64]) -> Result<u64, Error> {
    sqlx::query!(
        "select ensure_payments_partition(month)
         from (select distinct date_trunc('month', return_date, 'UTC') as month from rentals where return_date is not null)
             as months"
    )
    .execute(&mut *connection)
    .await?;
    let mut paid: Vec<(&Rental<'_>, i64, DateTime<Utc>)> =
        rentals.iter().zip(ids).filter_map(|(rental, id)| Some((rental, *id, rental.returned?))).collect();
    paid.sort_by_key(|(_, _, at)| *at);
    let amount = |rental: &Rental<'_>| rental.copy.film.rental_rate + rental.late_fee.unwrap_or_default();
    let inserted = sqlx::query!(
        "insert into payments (customer_id, staff_id, rental_id, amount, payment_date)
         select customer_id, staff_id, rental_id, amount / 100.0, payment_date
         from unnest($1::int[], $2::int[], $3::bigint[], $4::int[], $5::timestamptz[])
             with ordinality as given (customer_id, staff_id, rental_id, amount, payment_date, place)
         order by place",
        &paid.iter().map(|(rental, ..)| rental.customer).collect::<Vec<_>>(),
        &paid.iter().map(|(rental, ..)| rental.staff).collect::<Vec<_>>(),
        &paid.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(),
        &paid.iter().map(|(rental, ..)| amount(rental)).collect::<Vec<_>>(),
        &paid.iter().map(|(_, _, at)| *at).collect::<Vec<_>>(),
    );
    Ok(inserted.execute(connection).await?.rows_affected())
}
