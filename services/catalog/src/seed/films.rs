//! Films, and what belongs to them.

use std::collections::HashSet;

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, index};
use selvedge_kit::Error;
use selvedge_kit::db::Connection;

use super::count;
use super::names::{FIRST_NAMES, LAST_NAMES};
use super::stories::{DEEDS, EVENTS, HEROES, PLACES};
use super::words::{CATEGORIES, FEATURES, LANGUAGES, QUALITIES, SETTINGS, THINGS};

const FILMS: usize = 1000;
const ACTORS: usize = 200;
const RATINGS: [&str; 5] = ["G", "PG", "PG-13", "R", "NC-17"];
const RATES: [i32; 5] = [99, 199, 299, 399, 499];

/// What a film's rentals need to know of it. Money is in cents.
pub(super) struct Film {
    pub(super) id: i32,
    pub(super) rental_duration: i32,
    pub(super) rental_rate: i32,
    pub(super) replacement_cost: i32,
}

/// All films, and how many rows were made.
pub(super) async fn seed(connection: &mut Connection, rng: &mut StdRng) -> Result<(Vec<Film>, u64), Error> {
    let languages = sqlx::query_scalar!(
        "insert into languages (name) select name from unnest($1::text[]) with ordinality as given (name, place)
         order by place returning id",
        &texts(&LANGUAGES),
    );
    let languages = languages.fetch_all(&mut *connection).await?;
    let categories = sqlx::query_scalar!(
        "insert into categories (name) select name from unnest($1::text[]) with ordinality as given (name, place)
         order by place returning id",
        &texts(&CATEGORIES),
    );
    let categories = categories.fetch_all(&mut *connection).await?;
    let actors = actors(connection, rng).await?;
    let films = films(connection, rng, &languages).await?;
    let of_films = members(connection, rng, &films, &categories, &actors).await?;
    let rows = count(&languages) + count(&categories) + count(&actors) + count(&films) + of_films;
    Ok((films, rows))
}

async fn actors(connection: &mut Connection, rng: &mut StdRng) -> Result<Vec<i32>, Error> {
    let names = full_names(rng, ACTORS);
    let (first, last): (Vec<String>, Vec<String>) = names.into_iter().unzip();
    let rows = sqlx::query_scalar!(
        "insert into actors (first_name, last_name)
         select first_name, last_name
         from unnest($1::text[], $2::text[]) with ordinality as given (first_name, last_name, place)
         order by place returning id",
        &first,
        &last,
    );
    Ok(rows.fetch_all(connection).await?)
}

async fn films(connection: &mut Connection, rng: &mut StdRng, languages: &[i32]) -> Result<Vec<Film>, Error> {
    let titles = titles(rng);
    let draws: Vec<Draw> = titles.iter().map(|_| Draw::new(rng, languages)).collect();
    let ids = sqlx::query_scalar!(
        r#"insert into films (title, description, release_year, language_id, original_language_id, rental_duration,
               rental_rate, length, replacement_cost, rating, special_features, streaming_available)
           select title, description, release_year, language_id, original_language_id, rental_duration,
               rental_rate / 100.0, length, replacement_cost / 100.0, rating, string_to_array(features, '|'), streaming
           from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
                   $9::int[], $10::text[], $11::text[], $12::bool[])
               with ordinality as given (title, description, release_year, language_id, original_language_id,
                   rental_duration, rental_rate, length, replacement_cost, rating, features, streaming, place)
           order by place returning id"#,
        &titles,
        &draws.iter().map(|draw| draw.description.clone()).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.release_year).collect::<Vec<_>>() as &[Option<i32>],
        &draws.iter().map(|draw| draw.language).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.original_language).collect::<Vec<_>>() as &[Option<i32>],
        &draws.iter().map(|draw| draw.rental_duration).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.rental_rate).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.length).collect::<Vec<_>>() as &[Option<i32>],
        &draws.iter().map(|draw| draw.replacement_cost).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.rating.to_owned()).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.features.clone()).collect::<Vec<_>>(),
        &draws.iter().map(|draw| draw.streaming).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    let film = |(id, draw): (i32, Draw)| Film {
        id,
        rental_duration: draw.rental_duration,
        rental_rate: draw.rental_rate,
        replacement_cost: draw.replacement_cost,
    };
    Ok(ids.into_iter().zip(draws).map(film).collect())
}

/// Which categories each film is in, and who plays in it.
async fn members(
    connection: &mut Connection,
    rng: &mut StdRng,
    films: &[Film],
    categories: &[i32],
    actors: &[i32],
) -> Result<u64, Error> {
    let mut of = |ids: &[i32], fewest: usize, most: usize| {
        let mut pairs = (vec![], vec![]);
        for film in films {
            let number = rng.random_range(fewest..=most);
            for place in index::sample(rng, ids.len(), number) {
                pairs.0.push(film.id);
                pairs.1.push(ids[place]);
            }
        }
        pairs
    };
    let (film_ids, category_ids) = of(categories, 1, 2);
    let (played, players) = of(actors, 2, 9);
    let in_categories = sqlx::query!(
        "insert into film_categories (film_id, category_id) select * from unnest($1::int[], $2::int[])",
        &film_ids,
        &category_ids,
    );
    let rows = in_categories.execute(&mut *connection).await?.rows_affected();
    let cast = sqlx::query!(
        "insert into film_actors (film_id, actor_id) select * from unnest($1::int[], $2::int[])",
        &played,
        &players,
    );
    Ok(rows + cast.execute(connection).await?.rows_affected())
}

/// What a film has beside its title.
struct Draw {
    description: String,
    release_year: Option<i32>,
    language: i32,
    original_language: Option<i32>,
    rental_duration: i32,
    rental_rate: i32,
    length: Option<i32>,
    replacement_cost: i32,
    rating: &'static str,
    features: String,
    streaming: bool,
}

impl Draw {
    fn new(rng: &mut StdRng, languages: &[i32]) -> Self {
        // The first one is spoken in most of them.
        let place = if rng.random_bool(0.6) { 0 } else { rng.random_range(0..languages.len()) };
        let dubbed = rng.random_bool(0.15);
        let number = rng.random_range(0..=4);
        let features = index::sample(rng, FEATURES.len(), number);
        // The newer, the more of them there are.
        let age = rng.random_range(0..100) * rng.random_range(0..100) / 100;
        Self {
            description: description(rng),
            release_year: (!rng.random_bool(0.03)).then_some(2025 - age),
            language: languages[place],
            original_language: dubbed.then(|| languages[(place + 1) % languages.len()]),
            rental_duration: rng.random_range(3..=7),
            rental_rate: pick(rng, &RATES),
            length: (!rng.random_bool(0.02)).then(|| rng.random_range(41..=119) + rng.random_range(0..=70)),
            replacement_cost: 999 + 100 * rng.random_range(0..=20),
            rating: pick(rng, &RATINGS),
            features: features.into_iter().map(|place| FEATURES[place]).collect::<Vec<_>>().join("|"),
            streaming: rng.random_bool(0.3),
        }
    }
}

fn titles(rng: &mut StdRng) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut titles = Vec::with_capacity(FILMS);
    while titles.len() < FILMS {
        let thing = pick(rng, &THINGS);
        let title = match rng.random_range(0..8) {
            0..4 => format!("{} {thing}", pick(rng, &QUALITIES)),
            4 => format!("The {thing} of {}", pick(rng, &SETTINGS)),
            5 => format!("The {} {thing}", pick(rng, &QUALITIES)),
            6 => format!("{thing} and {}", pick(rng, &THINGS)),
            _ => format!("Our {thing} in {}", pick(rng, &SETTINGS)),
        };
        if seen.insert(title.clone()) {
            titles.push(title);
        }
    }
    titles
}

fn description(rng: &mut StdRng) -> String {
    let (event, hero, deed, place) =
        (pick(rng, &EVENTS), pick(rng, &HEROES), pick(rng, &DEEDS), pick(rng, &PLACES));
    if rng.random_bool(0.5) {
        return format!("When {event}, {hero} {deed} {place}.");
    }
    let (first, rest) = hero.split_at(1);
    format!("{}{rest} {deed} {place}, until {event}.", first.to_uppercase())
}

/// As many different names of people.
pub(super) fn full_names(rng: &mut StdRng, number: usize) -> Vec<(String, String)> {
    let all = FIRST_NAMES.len() * LAST_NAMES.len();
    let name = |place: usize| {
        (FIRST_NAMES[place % FIRST_NAMES.len()].to_owned(), LAST_NAMES[place / FIRST_NAMES.len()].to_owned())
    };
    index::sample(rng, all, number).into_iter().map(name).collect()
}

pub(super) fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    *of.choose(rng).expect("none of the lists is empty")
}

pub(super) fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}
