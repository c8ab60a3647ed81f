use prost_types::FieldMask;
use selvedge_proto::catalog::v1::{
    BatchGetFilmsRequest, CreateFilmRequest, DeleteFilmRequest, Film, FilmActor, FilmCategory, FilmRating,
    GetFilmRequest, ListFilmsRequest, UpdateFilmRequest,
};
use selvedge_testing::{reason, violated};
use tonic::{Code, Status};

use crate::{Client, create, film, run, start};

/// A film in which everything is said.
fn full() -> Film {
    Film {
        title: "Alien".into(),
        description: "In space no one can hear you scream".into(),
        release_year: Some(1979),
        language_id: 1,
        original_language_id: Some(2),
        rental_duration: Some(5),
        rental_rate: Some("0.99".into()),
        length: Some(117),
        replacement_cost: Some("24.5".into()),
        rating: FilmRating::Nc17.into(),
        special_features: vec!["Trailers".into(), "Deleted Scenes".into()],
        streaming_available: true,
        ..Film::default()
    }
}

async fn get(client: &mut Client, id: i32) -> Result<Film, Status> {
    Ok(client.get_film(GetFilmRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, film: Film, paths: &[&str]) -> Result<Film, Status> {
    let mask = FieldMask { paths: paths.iter().map(ToString::to_string).collect() };
    let request = UpdateFilmRequest { film: Some(film), update_mask: Some(mask) };
    Ok(client.update_film(request).await?.into_inner())
}

fn why(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

#[tokio::test]
async fn a_film_is_stored_with_all_that_belongs_to_it() {
    let (_served, mut client) = start().await;
    let request = CreateFilmRequest {
        film: Some(full()),
        category_ids: vec![2, 1],
        actor_ids: vec![3, 1, 2],
        ..Default::default()
    };
    let stored = client.create_film(request).await.unwrap().into_inner();
    let actor =
        |id, first: &str, last: &str| FilmActor { id, first_name: first.into(), last_name: last.into() };
    let expected = Film {
        id: 1,
        replacement_cost: Some("24.50".into()),
        language: "English".into(),
        original_language: Some("Italian".into()),
        categories: vec![
            FilmCategory { id: 2, name: "Comedy".into() },
            FilmCategory { id: 1, name: "Horror".into() },
        ],
        actors: vec![actor(2, "bea", "adams"), actor(1, "Zoe", "Adams"), actor(3, "Al", "Brown")],
        last_update: stored.last_update,
        etag: stored.etag.clone(),
        ..full()
    };
    assert!(stored.last_update.is_some() && !stored.etag.is_empty());
    assert_eq!(stored, expected);
    assert_eq!(get(&mut client, 1).await.unwrap(), expected);
}

#[tokio::test]
async fn what_is_left_out_has_the_defaults_of_the_schema() {
    let (served, mut client) = start().await;
    let stored = create(&mut client, film("Short")).await;
    assert_eq!(
        (stored.rental_duration, stored.rental_rate.as_deref(), stored.replacement_cost.as_deref()),
        (Some(3), Some("4.99"), Some("19.99"))
    );
    assert_eq!(stored.rating(), FilmRating::G);
    assert_eq!((stored.release_year, stored.length, stored.original_language_id), (None, None, None));
    // No other place knows them.
    run(
        &served.database,
        "alter table films alter rental_duration set default 7, alter rental_rate set default 1.5,
             alter replacement_cost set default 2, alter rating set default 'R'",
    )
    .await;
    let stored = create(&mut client, film("Short")).await;
    assert_eq!(
        (stored.rental_duration, stored.rental_rate.as_deref(), stored.replacement_cost.as_deref()),
        (Some(7), Some("1.50"), Some("2.00"))
    );
    assert_eq!(stored.rating(), FilmRating::R);
}

#[tokio::test]
async fn a_create_that_is_repeated_stores_one_film() {
    let (_served, mut client) = start().await;
    let request = CreateFilmRequest {
        film: Some(full()),
        request_id: "one".into(),
        category_ids: vec![1],
        actor_ids: vec![1],
    };
    let first = client.create_film(request.clone()).await.unwrap().into_inner();
    let again = client.create_film(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, first);
    let all = client.list_films(ListFilmsRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.films.len(), 1);
    let status = client.create_film(CreateFilmRequest { actor_ids: vec![2], ..request }).await.unwrap_err();
    assert_eq!(why(&status), (Code::AlreadyExists, "REQUEST_ID_REUSED".into()));
}

#[tokio::test]
async fn what_a_film_refers_to_must_be_there() {
    let (_served, mut client) = start().await;
    let of = |film: Film, category_ids: &[i32], actor_ids: &[i32]| CreateFilmRequest {
        film: Some(film),
        category_ids: category_ids.into(),
        actor_ids: actor_ids.into(),
        request_id: "the-same".into(),
    };
    for (request, reason) in [
        (of(Film { language_id: 9, ..film("A") }, &[], &[]), "LANGUAGE_NOT_FOUND"),
        (of(Film { original_language_id: Some(9), ..film("A") }, &[], &[]), "LANGUAGE_NOT_FOUND"),
        (of(film("A"), &[1, 9], &[1]), "CATEGORY_NOT_FOUND"),
        (of(film("A"), &[1], &[9]), "ACTOR_NOT_FOUND"),
    ] {
        let status = client.create_film(request).await.unwrap_err();
        assert_eq!(why(&status), (Code::FailedPrecondition, reason.into()));
    }
    // Nothing of them is left, not even the name of the request.
    let stored = client.create_film(of(film("A"), &[1], &[1])).await.unwrap().into_inner();
    let all = BatchGetFilmsRequest { ids: vec![stored.id] };
    assert_eq!(client.batch_get_films(all).await.unwrap().into_inner().films.len(), 1);
    let wrong = Film { id: stored.id, language_id: 9, ..Film::default() };
    let status = update(&mut client, wrong, &["language_id"]).await.unwrap_err();
    assert_eq!(why(&status), (Code::FailedPrecondition, "LANGUAGE_NOT_FOUND".into()));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_field() {
    let (_served, mut client) = start().await;
    for (wrong, field) in [
        (Film { title: String::new(), ..full() }, "title"),
        (Film { title: "a\0".into(), ..full() }, "title"),
        (Film { description: "é".repeat(10_001), ..full() }, "description"),
        (Film { release_year: Some(1887), ..full() }, "release_year"),
        (Film { language_id: 0, ..full() }, "language_id"),
        (Film { rental_duration: Some(0), ..full() }, "rental_duration"),
        (Film { rental_rate: Some("100".into()), ..full() }, "rental_rate"),
        (Film { rental_rate: Some("-1".into()), ..full() }, "rental_rate"),
        (Film { length: Some(0), ..full() }, "length"),
        (Film { replacement_cost: Some("1.999".into()), ..full() }, "replacement_cost"),
        (Film { rating: 6, ..full() }, "rating"),
        (Film { special_features: vec!["a".into(), "a".into()], ..full() }, "special_features"),
    ] {
        let request = CreateFilmRequest { film: Some(wrong), ..Default::default() };
        let status = client.create_film(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert!(
            violated(&status)[0].starts_with(&format!("film.{field}")),
            "{field}: {:?}",
            violated(&status)
        );
    }
    let edge = Film {
        title: "é".repeat(255),
        description: "é".repeat(10_000),
        rental_rate: Some("99.99".into()),
        replacement_cost: Some("999.99".into()),
        release_year: Some(2155),
        ..full()
    };
    let stored = create(&mut client, edge.clone()).await;
    assert_eq!((stored.title, stored.replacement_cost), (edge.title, edge.replacement_cost));
}

#[tokio::test]
async fn a_batch_has_the_order_of_its_ids_or_names_the_missing_one() {
    let (_served, mut client) = start().await;
    let mut films = vec![];
    for number in 0..5 {
        films.push(create(&mut client, film(&format!("Film {number}"))).await);
    }
    films.swap(0, 3);
    let ids: Vec<i32> = films.iter().map(|film| film.id).collect();
    let answer = client.batch_get_films(BatchGetFilmsRequest { ids }).await.unwrap().into_inner();
    assert_eq!(answer.films, films);
    for (ids, missing) in [(vec![2, 77, 1], "77"), (vec![1, 2, 78], "78"), (vec![79], "79")] {
        let status = client.batch_get_films(BatchGetFilmsRequest { ids }).await.unwrap_err();
        assert_eq!(why(&status), (Code::NotFound, "FILM_NOT_FOUND".into()));
        assert!(status.message().ends_with(missing), "{}", status.message());
    }
    for ids in [vec![], vec![1, 1], vec![0], (1..=101).collect()] {
        let status = client.batch_get_films(BatchGetFilmsRequest { ids }).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    assert_eq!(why(&get(&mut client, 6).await.unwrap_err()), (Code::NotFound, "FILM_NOT_FOUND".into()));
}

#[tokio::test]
async fn a_batch_is_never_larger_than_clients_take() {
    let (served, mut client) = start().await;
    let large = "insert into films (title, description, language_id, special_features)
        select repeat('𝄞', 255), repeat('𝄞', 10000), 1,
            array(select repeat('𝄞', 48) || n from generate_series(10, 29) n)
        from generate_series(1, 100)";
    run(&served.database, large).await;
    let mut get =
        async |count| client.batch_get_films(BatchGetFilmsRequest { ids: (1..=count).collect() }).await;
    assert_eq!(get(60).await.unwrap().into_inner().films.len(), 60);
    // A hundred of them are more than four megabytes, which a client would not read.
    assert_eq!(why(&get(100).await.unwrap_err()), (Code::FailedPrecondition, "FILMS_TOO_LARGE".into()));
}

/// Does to a film what an update does with a new one.
type Change = fn(&mut Film, &Film);

#[tokio::test]
async fn an_update_changes_what_its_mask_names() {
    let (_served, mut client) = start().await;
    let new = full();
    let fields: [(&str, Change); 12] = [
        ("title", |film, new| film.title.clone_from(&new.title)),
        ("description", |film, new| film.description.clone_from(&new.description)),
        ("release_year", |film, new| film.release_year = new.release_year),
        ("language_id", |film, _| {
            film.language_id = 3;
            film.language = "Japanese".into();
        }),
        ("original_language_id", |film, _| {
            film.original_language_id = Some(3);
            film.original_language = Some("Japanese".into());
        }),
        ("rental_duration", |film, new| film.rental_duration = new.rental_duration),
        ("rental_rate", |film, new| film.rental_rate.clone_from(&new.rental_rate)),
        ("length", |film, new| film.length = new.length),
        ("replacement_cost", |film, _| film.replacement_cost = Some("24.50".into())),
        ("rating", |film, new| film.rating = new.rating),
        ("special_features", |film, new| film.special_features.clone_from(&new.special_features)),
        ("streaming_available", |film, new| film.streaming_available = new.streaming_available),
    ];
    let before = create(&mut client, film("Before")).await;
    let new = Film { id: before.id, language_id: 3, original_language_id: Some(3), ..new };
    let mut expected = before.clone();
    for (field, change) in fields {
        let stored = update(&mut client, new.clone(), &[field]).await.unwrap();
        change(&mut expected, &new);
        assert_ne!(stored.etag, expected.etag, "{field}");
        expected.etag.clone_from(&stored.etag);
        expected.last_update = stored.last_update;
        assert_eq!(stored, expected, "{field}");
    }
    assert_eq!(get(&mut client, before.id).await.unwrap(), expected);

    // What was read can be sent back as it was.
    let paths: Vec<_> = fields.iter().map(|(field, _)| *field).collect();
    let stored = update(&mut client, expected.clone(), &paths).await.unwrap();
    assert_eq!(Film { etag: expected.etag.clone(), last_update: expected.last_update, ..stored }, expected);

    // All at once, and back to nothing or to the defaults.
    let bare = Film { id: before.id, ..film("Before") };
    let cleared = update(&mut client, bare, &["*"]).await.unwrap();
    let expected = Film { etag: cleared.etag.clone(), last_update: cleared.last_update, ..before };
    assert_eq!(cleared, expected);
}

#[tokio::test]
async fn an_update_of_a_state_that_is_gone_changes_nothing() {
    let (_served, mut client) = start().await;
    let first = create(&mut client, film("One")).await;
    let second =
        update(&mut client, Film { title: "Two".into(), ..first.clone() }, &["title"]).await.unwrap();
    let stale = Film { title: "Three".into(), ..first.clone() };
    let status = update(&mut client, stale, &["title"]).await.unwrap_err();
    assert_eq!(why(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
    assert_eq!(get(&mut client, first.id).await.unwrap(), second);

    let absent = Film { id: 99, ..film("Nobody") };
    assert_eq!(update(&mut client, absent, &["title"]).await.unwrap_err().code(), Code::NotFound);
    let absent = Film { id: 99, etag: first.etag, ..film("Nobody") };
    assert_eq!(update(&mut client, absent, &["title"]).await.unwrap_err().code(), Code::NotFound);
    for paths in [&[][..], &["id"], &["categories"], &["last_update"], &["title", "nonsense"]] {
        let status = update(&mut client, second.clone(), paths).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["update_mask".into()]));
    }
    let untitled = Film { title: String::new(), ..second.clone() };
    let status = update(&mut client, untitled.clone(), &["title"]).await.unwrap_err();
    assert_eq!(violated(&status), ["film.title"]);
    // What the mask does not name is not looked at.
    assert_eq!(update(&mut client, untitled, &["length"]).await.unwrap().title, "Two");
}

#[tokio::test]
async fn a_film_is_deleted_unless_stores_have_it() {
    let (served, mut client) = start().await;
    let request = CreateFilmRequest {
        film: Some(full()),
        category_ids: vec![1],
        actor_ids: vec![1],
        ..Default::default()
    };
    let first = client.create_film(request.clone()).await.unwrap().into_inner();
    let kept = client.create_film(request).await.unwrap().into_inner();
    run(
        &served.database,
        "insert into countries (name) values ('C');
         insert into cities (name, country_id) values ('C', 1);
         insert into addresses (street, city_id) values ('S', 1);
         insert into stores (address_id) values (1);
         insert into inventory (film_id, store_id, retired_at) values (2, 1, now())",
    )
    .await;
    let mut delete = async |id, etag: &str| {
        client.delete_film(DeleteFilmRequest { id, etag: etag.into() }).await.map_err(|status| why(&status))
    };
    let stale = Err((Code::Aborted, "ETAG_MISMATCH".into()));
    assert_eq!(delete(first.id, "65").await.map(drop), stale);
    delete(first.id, &first.etag).await.unwrap();
    let gone = Err((Code::NotFound, "FILM_NOT_FOUND".into()));
    assert_eq!(delete(first.id, "").await.map(drop), gone);
    let in_stores = Err((Code::FailedPrecondition, "FILM_HAS_INVENTORY".into()));
    assert_eq!(delete(kept.id, "").await.map(drop), in_stores);
    assert_eq!(get(&mut client, kept.id).await.unwrap(), kept);
}
