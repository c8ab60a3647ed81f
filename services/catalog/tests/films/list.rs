use selvedge_proto::catalog::v1::{FilmRating, ListFilmsRequest};
use selvedge_testing::{Served, violated};
use tonic::Code;

use crate::{Client, run, start};

/// Sixty films. Of every seventh the year is unknown, of every ninth the length.
const FILMS: &str = "
    insert into films (title, release_year, language_id, rental_rate, length, rating, special_features,
        streaming_available, last_update)
    select
        case when n % 10 = 0 then '100% Wool_' || n when n % 2 = 0 then 'the Film ' || n else 'The film ' || n end,
        case when n % 7 > 0 then 1990 + n % 6 end, 1 + n % 3, n % 4 + 0.99,
        case when n % 9 > 0 then 80 + n % 8 * 10 end, (array['G', 'PG', 'PG-13', 'R', 'NC-17'])[1 + n % 5],
        case when n % 3 = 0 then array['Trailers', 'Deleted Scenes'] else array['Trailers'] end,
        n % 2 = 0, timestamptz '2026-01-01' + interval '1 microsecond' * (n % 11)
    from generate_series(1, 60) n;
    insert into film_categories (film_id, category_id) select n, 1 + n % 3 from generate_series(1, 60) n;
    insert into film_categories (film_id, category_id) select n, 1 from generate_series(1, 60) n where n % 3 = 2;
    insert into film_actors (film_id, actor_id) select n, 1 + n % 4 from generate_series(1, 60) n";

/// What the filters look at: the same once more.
pub(crate) struct Known {
    pub(crate) id: i32,
    pub(crate) title: String,
    pub(crate) year: Option<i32>,
    pub(crate) length: Option<i32>,
}

pub(crate) fn known() -> impl Iterator<Item = Known> {
    (1..=60).map(|id| Known {
        id,
        title: match id {
            _ if id % 10 == 0 => format!("100% Wool_{id}"),
            _ if id % 2 == 0 => format!("the Film {id}"),
            _ => format!("The film {id}"),
        },
        year: (id % 7 > 0).then_some(1990 + id % 6),
        length: (id % 9 > 0).then_some(80 + id % 8 * 10),
    })
}

pub(crate) async fn start_with_films() -> (Served, Client) {
    let (served, client) = start().await;
    run(&served.database, FILMS).await;
    (served, client)
}

/// The ids of all films in the list, page by page.
async fn all(client: &mut Client, request: &ListFilmsRequest) -> Vec<i32> {
    let mut ids = vec![];
    let mut request = request.clone();
    loop {
        let page = client.list_films(request.clone()).await.unwrap().into_inner();
        assert!(page.films.iter().all(|film| film.categories.is_empty() && film.actors.is_empty()));
        ids.extend(page.films.iter().map(|film| film.id));
        if page.next_page_token.is_empty() {
            return ids;
        }
        let size = if request.page_size == 0 { 20 } else { usize::try_from(request.page_size).unwrap() };
        assert_eq!(page.films.len(), size);
        request.page_token = page.next_page_token;
    }
}

/// The ids in the order of a key, and of the id where that is equal.
fn ordered<K: Ord>(key: impl Fn(&Known) -> K) -> Vec<i32> {
    let mut films: Vec<_> = known().collect();
    films.sort_by_key(|film| (key(film), film.id));
    films.iter().map(|film| film.id).collect()
}

#[tokio::test]
async fn every_order_goes_both_ways_without_gap_or_repetition() {
    let (_served, mut client) = start_with_films().await;
    let orders = [
        ("title", ordered(|film| film.title.to_lowercase())),
        // What is unknown comes last.
        ("release_year", ordered(|film| film.year.unwrap_or(i32::MAX))),
        ("length", ordered(|film| film.length.unwrap_or(i32::MAX))),
        ("rental_rate", ordered(|film| film.id % 4)),
        ("last_update", ordered(|film| film.id % 11)),
    ];
    for (order, expected) in orders {
        let backwards: Vec<_> = expected.iter().rev().copied().collect();
        for (order_by, expected) in [(order.to_owned(), &expected), (format!("{order} desc"), &backwards)] {
            for page_size in [1, 7, 60, 100] {
                let request =
                    ListFilmsRequest { order_by: order_by.clone(), page_size, ..Default::default() };
                assert_eq!(all(&mut client, &request).await, *expected, "{order_by}, {page_size}");
            }
        }
        let by_default = ListFilmsRequest::default();
        assert_eq!(all(&mut client, &by_default).await == expected, order == "title");
    }
    let wrong = ListFilmsRequest { order_by: "id; drop table films".into(), ..Default::default() };
    assert_eq!(violated(&client.list_films(wrong).await.unwrap_err()), ["order_by"]);
}

type Matches = fn(&Known) -> bool;

/// Every filter, and which films it lets through.
pub(crate) fn filters() -> Vec<(ListFilmsRequest, Matches)> {
    let any = ListFilmsRequest::default();
    vec![
        (ListFilmsRequest { title_prefix: "THE FILM 1".into(), ..any.clone() }, |it| {
            it.id % 10 > 0 && (it.id == 1 || it.id / 10 == 1)
        }),
        (ListFilmsRequest { title_prefix: "100% w".into(), ..any.clone() }, |it| it.id % 10 == 0),
        (ListFilmsRequest { title_prefix: "1__%".into(), ..any.clone() }, |_| false),
        (ListFilmsRequest { title_contains: "FILM 2".into(), ..any.clone() }, |it| {
            it.id % 10 > 0 && (it.id == 2 || it.id / 10 == 2)
        }),
        (ListFilmsRequest { title_contains: "% WOOL_3".into(), ..any.clone() }, |it| it.id == 30),
        (ListFilmsRequest { title_contains: "h_ f".into(), ..any.clone() }, |_| false),
        (ListFilmsRequest { category_id: 2, ..any.clone() }, |it| it.id % 3 == 1),
        (ListFilmsRequest { category_id: 99, ..any.clone() }, |_| false),
        (ListFilmsRequest { category: "sci-fi 100%".into(), ..any.clone() }, |it| it.id % 3 == 2),
        // Of two categories in which they are, either will do, and none comes twice.
        (ListFilmsRequest { category: "O".into(), ..any.clone() }, |_| true),
        (ListFilmsRequest { category: "western".into(), ..any.clone() }, |_| false),
        (ListFilmsRequest { category: "_".into(), ..any.clone() }, |_| false),
        (ListFilmsRequest { actor_id: 4, ..any.clone() }, |it| it.id % 4 == 3),
        (ListFilmsRequest { language_id: 3, ..any.clone() }, |it| it.id % 3 == 2),
        (ListFilmsRequest { rating: FilmRating::Pg13.into(), ..any.clone() }, |it| it.id % 5 == 2),
        (ListFilmsRequest { release_year_from: 1993, ..any.clone() }, |it| it.year >= Some(1993)),
        (ListFilmsRequest { release_year_to: 1992, ..any.clone() }, |it| {
            it.year.is_some_and(|year| year <= 1992)
        }),
        (ListFilmsRequest { release_year_to: i32::MAX, ..any.clone() }, |it| it.year.is_some()),
        (ListFilmsRequest { release_year_from: 1991, release_year_to: 1991, ..any.clone() }, |it| {
            it.year == Some(1991)
        }),
        (ListFilmsRequest { length_from: 120, ..any.clone() }, |it| it.length >= Some(120)),
        (ListFilmsRequest { length_to: 90, ..any.clone() }, |it| it.length.is_some_and(|it| it <= 90)),
        (ListFilmsRequest { rental_rate_from: "2.99".into(), ..any.clone() }, |it| it.id % 4 >= 2),
        (ListFilmsRequest { rental_rate_to: "1".into(), ..any.clone() }, |it| it.id % 4 == 0),
        (ListFilmsRequest { streaming_available: Some(false), ..any.clone() }, |it| it.id % 2 == 1),
        (ListFilmsRequest { streaming_available: Some(true), ..any.clone() }, |it| it.id % 2 == 0),
        (ListFilmsRequest { special_feature: "Deleted Scenes".into(), ..any.clone() }, |it| it.id % 3 == 0),
        (ListFilmsRequest { special_feature: "deleted scenes".into(), ..any.clone() }, |_| false),
        (
            ListFilmsRequest {
                title_prefix: "the".into(),
                title_contains: "film".into(),
                category_id: 1,
                category: "horror".into(),
                actor_id: 2,
                release_year_from: 1990,
                length_to: 140,
                rental_rate_from: "1.99".into(),
                rental_rate_to: "1.99".into(),
                ..any
            },
            |it| {
                it.id % 10 > 0
                    && it.id % 3 != 1
                    && it.id % 4 == 1
                    && it.year.is_some()
                    && it.length.is_some_and(|length| length <= 140)
            },
        ),
    ]
}

#[tokio::test]
async fn every_filter_finds_what_it_says() {
    let (_served, mut client) = start_with_films().await;
    for (request, matches) in filters() {
        let of = |known: Vec<Known>| known.iter().map(|film| film.id).collect::<Vec<_>>();
        let expected = of(known().filter(matches).collect());
        for order_by in ["", "release_year desc", "rental_rate"] {
            let request = ListFilmsRequest { page_size: 5, order_by: order_by.into(), ..request.clone() };
            let mut found = all(&mut client, &request).await;
            found.sort_unstable();
            assert_eq!(found, expected, "{request:?}");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_list_only() {
    let (_served, mut client) = start_with_films().await;
    let list = ListFilmsRequest { page_size: 2, ..Default::default() };
    let token = client.list_films(list.clone()).await.unwrap().into_inner().next_page_token;
    let bigger = ListFilmsRequest { page_size: 3, page_token: token.clone(), ..list.clone() };
    assert_eq!(client.list_films(bigger).await.unwrap().into_inner().films.len(), 3);
    for request in [
        ListFilmsRequest { order_by: "title desc".into(), ..list.clone() },
        ListFilmsRequest { order_by: "length".into(), ..list.clone() },
        ListFilmsRequest { language_id: 1, ..list.clone() },
    ] {
        let request = ListFilmsRequest { page_token: token.clone(), ..request };
        let status = client.list_films(request).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["page_token".into()]));
    }
    for (request, field) in [
        (ListFilmsRequest { page_size: -1, ..list.clone() }, "page_size"),
        (ListFilmsRequest { rating: 9, ..list.clone() }, "rating"),
        (ListFilmsRequest { title_contains: "a\0".into(), ..list.clone() }, "title_contains"),
        (ListFilmsRequest { rental_rate_to: "1e3".into(), ..list }, "rental_rate_to"),
    ] {
        let status = client.list_films(request).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
}
