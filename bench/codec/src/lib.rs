//! The messages that the contenders of the codec bench turn into JSON and back.

use generated::{CreateFilmRequest, Film, Genre, ListFilmsResponse};
use pbjson_types::Timestamp;

/// What prost and pbjson generate.
#[expect(missing_docs, unused_qualifications, clippy::pedantic, reason = "it is generated")]
pub mod generated {
    include!(concat!(env!("OUT_DIR"), "/film.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/film.v1.serde.rs"));
}

/// The descriptors of the messages, with all that they import.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/film.binpb"));

/// What a client sends to make a film.
pub fn create() -> CreateFilmRequest {
    let Film { title, release_year, genre, actors, director, rating, runtime_minutes, .. } = film(3);
    CreateFilmRequest { title, release_year, genre, actors, director, rating, runtime_minutes }
}

/// A page of films. All of their fields are set: pbjson writes no defaults, and would have less to do otherwise.
pub fn page(films: u16) -> ListFilmsResponse {
    ListFilmsResponse {
        films: (0..films).map(film).collect(),
        next_page_token: "eyJhZnRlciI6IjAxOTk0ZDJhIn0".to_owned(),
        total_size: 1894,
    }
}

fn film(index: u16) -> Film {
    let pick = |from: &[&str], step: u16| from[usize::from(index + step) % from.len()].to_owned();
    let names =
        ["Setsuko Hara", "Jean-Pierre L\u{e9}aud", "Delphine Seyrig", "Toshiro Mifune", "Anna Karina"];
    let titles = [
        "Late Spring",
        "Jeanne Dielman, 23, quai du Commerce",
        "The Passion of Joan of Arc",
        "Sans Soleil",
        "Close-Up",
        "Hiroshima mon amour",
        "Daisies",
    ];
    let genres = [Genre::Drama, Genre::Comedy, Genre::ScienceFiction, Genre::Documentary];
    let created = Timestamp { seconds: 1_758_000_000 + 86_461 * i64::from(index), nanos: 123_456_000 };
    let updated = Timestamp { seconds: created.seconds + 3_599, nanos: 789_000_000 };
    Film {
        id: format!("01994d2a-7c1e-7b3a-9f00-{:012x}", 0x5eed_0000_u64 + u64::from(index)),
        title: pick(&titles, 0),
        release_year: 1949 + i32::from(index % 70),
        genre: genres[usize::from(index) % genres.len()].into(),
        actors: vec![pick(&names, 0), pick(&names, 1), pick(&names, 2)],
        director: pick(&names, 3),
        // Never a whole number, which one of us writes as `8` and the other as `8.0`.
        rating: f64::from(511 + index % 49 * 10) / 100.0,
        votes: 20_481 + 977 * i64::from(index),
        is_restored: true,
        languages: vec!["ja".to_owned(), "fr".to_owned()],
        runtime_minutes: 61 + u32::from(index % 120),
        create_time: Some(created),
        update_time: Some(updated),
        etag: format!("{:016x}", 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(index)),
    }
}
