//! The statements that the service really sends use the indexes that were made for them, as PostgreSQL itself counts it.

use std::collections::BTreeMap;

use futures::future::join_all;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::{
    BatchGetFilmsRequest, GetFilmFacetsRequest, GetFilmRequest, ListFilmsRequest, SearchFilmsRequest,
};
use selvedge_testing::{Database, Work};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;

use crate::{Client, run};

/// Fifty thousand films, and the statistics that plans are made from.
const FILL: &str = "
    insert into languages (name) values ('English'), ('Italian'), ('Japanese');
    insert into categories (name) select 'Category ' || n from generate_series(1, 20) n;
    insert into actors (first_name, last_name) select 'F' || n, 'L' || n from generate_series(1, 2000) n;
    insert into films (title, description, release_year, language_id, rental_rate, length)
    select 'Film ' || md5(n::text), 'A story of word' || n % 5000 || ' and of something else', 1950 + n % 70, 1 + n % 3,
        n % 5 + 0.99, 60 + n % 120
    from generate_series(1, 50000) n;
    insert into film_categories (film_id, category_id)
    select n, case when n % 5000 = 0 then 20 else 1 + n % 19 end from generate_series(1, 50000) n;
    insert into film_actors (film_id, actor_id) select n, 1 + n % 2000 from generate_series(1, 50000) n;
    vacuum analyze";

async fn filled() -> (Database, PgConnection) {
    let database = Database::new(SERVICE).await;
    run(&database, FILL).await;
    let watcher = database.superuser().await;
    (database, watcher)
}

/// What the database did meanwhile. What has a few thousand rows may be read as a whole.
async fn watch(database: &Database, calls: impl AsyncFnOnce(&mut Client)) -> Work {
    let mut work = database.work(async |channel| calls(&mut Client::new(channel)).await).await;
    work.tables.retain(|table, _| !["actors"].contains(&table.as_str()));
    work
}

fn assert_used(work: &Work, index: &str, what: &str) {
    assert!(work.indexes.contains_key(index), "{what}: {index} in {:?}", work.indexes);
    assert_eq!(work.tables, BTreeMap::new(), "{what}: tables that were read from one end to the other");
}

#[tokio::test]
async fn every_list_uses_its_index() {
    let (database, _) = filled().await;
    let by = |order_by: &str| ListFilmsRequest { order_by: order_by.into(), ..Default::default() };
    for (request, count, index) in [
        (by(""), 20, "films_title"),
        (by("title desc"), 20, "films_title"),
        (by("release_year"), 20, "films_release_year"),
        (by("release_year desc"), 20, "films_release_year"),
        (by("length desc"), 20, "films_length"),
        (by("rental_rate"), 20, "films_rental_rate"),
        (by("last_update desc"), 20, "films_last_update"),
        (ListFilmsRequest { title_prefix: "FILM c4ca4".into(), ..by("length") }, 1, "films_title"),
        (ListFilmsRequest { title_contains: "238a0b92382".into(), ..by("") }, 1, "films_title_part"),
        (ListFilmsRequest { category_id: 20, ..by("rental_rate") }, 10, "film_categories_category_id"),
        (ListFilmsRequest { actor_id: 77, ..by("title") }, 20, "film_actors_actor_id"),
        (ListFilmsRequest { category: "nothing like it".into(), ..by("") }, 0, ""),
    ] {
        let what = format!("{request:?}");
        let done = watch(&database, async |client| {
            let films = client.list_films(request).await.unwrap().into_inner().films;
            assert_eq!(films.len(), count, "{films:?}");
        })
        .await;
        if count > 0 {
            assert_used(&done, index, &what);
        } else {
            // No more than what planning looks at.
            assert!(done.blocks_of("films") < 100, "{what}: {} blocks", done.blocks_of("films"));
        }
    }
}

#[tokio::test]
async fn what_is_looked_for_is_found_by_its_index() {
    let (database, _) = filled().await;
    let search = async |client: &mut Client, query: &str| {
        let request = SearchFilmsRequest { query: query.into(), ..Default::default() };
        client.search_films(request).await.unwrap().into_inner()
    };
    let done = watch(&database, async |client| {
        assert_eq!(search(client, "word77 story").await.matches.len(), 10);
    });
    assert_used(&done.await, "films_fulltext", "search");
    let done = watch(&database, async |client| {
        let title = "c4ca4238a0b923820dcc509a6f7584bb";
        assert_eq!(search(client, title).await.matches[0].film.as_ref().unwrap().id, 1);
    });
    assert_used(&done.await, "films_title_part", "approximate search");

    // Before and after there are generic plans.
    let done = watch(&database, async |client| {
        for id in 1..20 {
            let film = client.get_film(GetFilmRequest { id }).await.unwrap().into_inner();
            assert_eq!((film.categories.len(), film.actors.len()), (1, 1));
        }
    });
    let done = done.await;
    for index in ["films_pkey", "film_categories_pkey", "film_actors_pkey"] {
        assert_used(&done, index, "get");
    }
    let done = watch(&database, async |client| {
        let ids = (1..=100).collect();
        client.batch_get_films(BatchGetFilmsRequest { ids }).await.unwrap();
    });
    assert_used(&done.await, "films_pkey", "batch");
    let done = watch(&database, async |client| {
        let request = GetFilmFacetsRequest { actor_id: 77, ..Default::default() };
        assert_eq!(client.get_film_facets(request).await.unwrap().into_inner().total, 25);
    });
    assert_used(&done.await, "film_actors_actor_id", "facets");
    let done = watch(&database, async |client| {
        let request = GetFilmFacetsRequest::default();
        assert_eq!(client.get_film_facets(request).await.unwrap().into_inner().total, 50_000);
    })
    .await;
    assert!(done.indexes.contains_key("films_rating") && !done.tables.contains_key("films"), "facets");
}

#[tokio::test]
async fn a_word_of_every_film_is_not_looked_for_in_all_of_them() {
    let (database, mut watcher) = filled().await;
    let indexes_used = async || {
        let done = watch(&database, async |client| {
            for query in ["word77", "word78", "word79", "word80", "word81", "word82", "story"] {
                let request = SearchFilmsRequest { query: query.into(), ..Default::default() };
                assert!(!client.search_films(request).await.unwrap().into_inner().matches.is_empty());
            }
        });
        done.await.indexes
    };
    // Six rare words by the words, and the frequent one by the ids of the newest films.
    assert_eq!(indexes_used().await.get("films_fulltext"), Some(&6));
    // The control: one plan for all words reads every film that has the frequent one.
    let generic = "alter function films_with_words set plan_cache_mode = force_generic_plan";
    watcher.execute(generic).await.unwrap();
    assert_eq!(indexes_used().await.get("films_fulltext"), Some(&7));
}

/// What asks for the page of twenty that begins after so many films.
async fn page_after(database: &Database, order_by: &str, hundreds: usize) -> ListFilmsRequest {
    let mut request =
        ListFilmsRequest { order_by: order_by.into(), page_size: 100, ..ListFilmsRequest::default() };
    watch(database, async |client| {
        for _ in 0..hundreds {
            request.page_token =
                client.list_films(request.clone()).await.unwrap().into_inner().next_page_token;
        }
    })
    .await;
    ListFilmsRequest { page_size: 20, ..request }
}

/// Asks for that page ten times.
async fn blocks_of_page(database: &Database, order_by: &str, hundreds: usize) -> i64 {
    let request = page_after(database, order_by, hundreds).await;
    let done = watch(database, async |client| {
        for _ in 0..10 {
            assert_eq!(client.list_films(request.clone()).await.unwrap().into_inner().films.len(), 20);
        }
    });
    done.await.blocks_of("films")
}

#[tokio::test]
async fn the_thousandth_page_costs_what_the_first_one_does() {
    let (database, mut watcher) = filled().await;
    for order_by in ["title", "release_year desc"] {
        let first = blocks_of_page(&database, order_by, 0).await;
        let thousandth = blocks_of_page(&database, order_by, 200).await;
        assert!(first > 0 && thousandth < 2 * first, "{order_by}: {thousandth} blocks, not {first}");
    }
    // The control: who counts to the page reads all that is before it, and the blocks say so.
    let before = Work::so_far(&mut watcher).await.blocks_of("films");
    let offset = "select id from films order by lower(title) collate \"C\", id offset 20000 limit 20";
    watcher.execute(offset).await.unwrap();
    let offset = Work::so_far(&mut watcher).await.blocks_of("films") - before;
    let first = blocks_of_page(&database, "title", 0).await / 10;
    assert!(offset > 20 * first, "{offset} blocks, {first} for the first page");
}

#[tokio::test]
async fn a_page_costs_among_others_what_it_costs_alone() {
    let (database, _) = filled().await;
    for order_by in ["title", "release_year desc", "rental_rate"] {
        let alone = blocks_of_page(&database, order_by, 200).await / 10;
        let request = page_after(&database, order_by, 200).await;
        let done = watch(&database, async |client| {
            let ask = |_| {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.list_films(request).await.unwrap().into_inner().films.len() }
            };
            assert!(join_all((0..200).map(ask)).await.into_iter().all(|films| films == 20));
        });
        let together = done.await.blocks_of("films") / 200;
        assert!(together < 2 * alone, "{order_by}: {together} blocks, {alone} alone");
    }
}

/// The control: without an index its table is read from one end to the other, and the counters say so.
#[tokio::test]
async fn without_an_index_everything_is_read() {
    let (database, mut watcher) = filled().await;
    watcher.execute("drop index films_title_part").await.unwrap();
    let done = watch(&database, async |client| {
        let request = ListFilmsRequest { title_contains: "238a0b92382".into(), ..Default::default() };
        client.list_films(request).await.unwrap();
    })
    .await;
    assert!(done.tables.contains_key("films") || done.blocks_of("films") > 10_000, "{:?}", done.tables);
}
