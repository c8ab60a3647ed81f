//! The statements that the service really sends use the indexes that were made for them, as PostgreSQL itself counts it.

use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_catalog::SERVICE;
use selvedge_kit::config::Secret;
use selvedge_proto::catalog::v1::{
    BatchGetFilmsRequest, GetFilmFacetsRequest, GetFilmRequest, ListFilmsRequest, SearchFilmsRequest,
};
use selvedge_testing::Database;
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

/// What the service did meanwhile: which large tables it read from one end to the other, which indexes it read, and how
/// many blocks of the films and their indexes.
struct Done {
    tables: BTreeMap<String, i64>,
    indexes: BTreeMap<String, i64>,
    blocks: i64,
}

async fn watch(database: &Database, watcher: &mut PgConnection, work: impl AsyncFnOnce(&mut Client)) -> Done {
    let before = counters(watcher).await;
    let config = database.config(|config| config.tokens.page_token_keys = Some(Secret::new("ab".repeat(32))));
    let running = SERVICE.start(&config).await.unwrap();
    running.wait_until_ready().await;
    let mut client = Client::connect(format!("http://{}", running.address)).await.unwrap();
    work(&mut client).await;
    running.stop().await;
    // A backend reports what it did when it ends.
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where usename = 'catalog_app' and datname = current_database()";
    while sqlx::query_scalar::<_, i64>(cut).fetch_one(&mut *watcher).await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = counters(watcher).await;
    let more = |before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>| {
        let more = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
        more.filter(|(_, count)| *count > 0).collect()
    };
    Done {
        tables: more(&before.tables, &after.tables),
        indexes: more(&before.indexes, &after.indexes),
        blocks: after.blocks - before.blocks,
    }
}

async fn counters(watcher: &mut PgConnection) -> Done {
    watcher.execute("select pg_stat_force_next_flush()").await.unwrap();
    let tables = "select relname::text, seq_scan from pg_stat_user_tables where n_live_tup > 5000";
    let indexes = "select indexrelname::text, idx_scan from pg_stat_user_indexes";
    let blocks = "select (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::bigint
                  from pg_statio_user_tables where relname = 'films'";
    let tables: Vec<(String, i64)> = sqlx::query_as(tables).fetch_all(&mut *watcher).await.unwrap();
    let indexes: Vec<(String, i64)> = sqlx::query_as(indexes).fetch_all(&mut *watcher).await.unwrap();
    let blocks = sqlx::query_scalar(blocks).fetch_one(&mut *watcher).await.unwrap();
    Done { tables: tables.into_iter().collect(), indexes: indexes.into_iter().collect(), blocks }
}

impl Done {
    fn used(&self, index: &str, what: &str) {
        assert!(self.indexes.contains_key(index), "{what}: {index} in {:?}", self.indexes);
        assert_eq!(self.tables, BTreeMap::new(), "{what}: tables that were read from one end to the other");
    }
}

#[tokio::test]
async fn every_list_uses_its_index() {
    let (database, mut watcher) = filled().await;
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
        let done = watch(&database, &mut watcher, async |client| {
            let films = client.list_films(request).await.unwrap().into_inner().films;
            assert_eq!(films.len(), count, "{films:?}");
        })
        .await;
        if count > 0 {
            done.used(index, &what);
        } else {
            // No more than what planning looks at.
            assert!(done.blocks < 100, "{what}: {} blocks", done.blocks);
        }
    }
}

#[tokio::test]
async fn what_is_looked_for_is_found_by_its_index() {
    let (database, mut watcher) = filled().await;
    let search = async |client: &mut Client, query: &str| {
        let request = SearchFilmsRequest { query: query.into(), ..Default::default() };
        client.search_films(request).await.unwrap().into_inner()
    };
    let done = watch(&database, &mut watcher, async |client| {
        assert_eq!(search(client, "word77 story").await.matches.len(), 10);
    });
    done.await.used("films_fulltext", "search");
    let done = watch(&database, &mut watcher, async |client| {
        let title = "c4ca4238a0b923820dcc509a6f7584bb";
        assert_eq!(search(client, title).await.matches[0].film.as_ref().unwrap().id, 1);
    });
    done.await.used("films_title_part", "approximate search");

    // Before and after there are generic plans.
    let done = watch(&database, &mut watcher, async |client| {
        for id in 1..20 {
            let film = client.get_film(GetFilmRequest { id }).await.unwrap().into_inner();
            assert_eq!((film.categories.len(), film.actors.len()), (1, 1));
        }
    });
    let done = done.await;
    for index in ["films_pkey", "film_categories_pkey", "film_actors_pkey"] {
        done.used(index, "get");
    }
    let done = watch(&database, &mut watcher, async |client| {
        let ids = (1..=100).collect();
        client.batch_get_films(BatchGetFilmsRequest { ids }).await.unwrap();
    });
    done.await.used("films_pkey", "batch");
    let done = watch(&database, &mut watcher, async |client| {
        let request = GetFilmFacetsRequest { actor_id: 77, ..Default::default() };
        assert_eq!(client.get_film_facets(request).await.unwrap().into_inner().total, 25);
    });
    done.await.used("film_actors_actor_id", "facets");
    let done = watch(&database, &mut watcher, async |client| {
        let request = GetFilmFacetsRequest::default();
        assert_eq!(client.get_film_facets(request).await.unwrap().into_inner().total, 50_000);
    })
    .await;
    assert!(done.indexes.contains_key("films_rating") && !done.tables.contains_key("films"), "facets");
}

/// Asks for the page of twenty that begins after so many films, ten times.
async fn blocks_of_page(
    database: &Database,
    watcher: &mut PgConnection,
    order_by: &str,
    hundreds: usize,
) -> i64 {
    let mut request =
        ListFilmsRequest { order_by: order_by.into(), page_size: 100, ..ListFilmsRequest::default() };
    watch(database, watcher, async |client| {
        for _ in 0..hundreds {
            request.page_token =
                client.list_films(request.clone()).await.unwrap().into_inner().next_page_token;
        }
    })
    .await;
    let request = ListFilmsRequest { page_size: 20, ..request };
    let done = watch(database, watcher, async |client| {
        for _ in 0..10 {
            assert_eq!(client.list_films(request.clone()).await.unwrap().into_inner().films.len(), 20);
        }
    });
    done.await.blocks
}

#[tokio::test]
async fn the_thousandth_page_costs_what_the_first_one_does() {
    let (database, mut watcher) = filled().await;
    for order_by in ["title", "release_year desc"] {
        let first = blocks_of_page(&database, &mut watcher, order_by, 0).await;
        let thousandth = blocks_of_page(&database, &mut watcher, order_by, 200).await;
        assert!(first > 0 && thousandth < 2 * first, "{order_by}: {thousandth} blocks, not {first}");
    }
    // The control: who counts to the page reads all that is before it, and the blocks say so.
    let before = counters(&mut watcher).await.blocks;
    let offset = "select id from films order by lower(title) collate \"C\", id offset 20000 limit 20";
    watcher.execute(offset).await.unwrap();
    let offset = counters(&mut watcher).await.blocks - before;
    let first = blocks_of_page(&database, &mut watcher, "title", 0).await / 10;
    assert!(offset > 20 * first, "{offset} blocks, {first} for the first page");
}

/// The control: without an index its table is read from one end to the other, and the counters say so.
#[tokio::test]
async fn without_an_index_everything_is_read() {
    let (database, mut watcher) = filled().await;
    watcher.execute("drop index films_title_part").await.unwrap();
    let done = watch(&database, &mut watcher, async |client| {
        let request = ListFilmsRequest { title_contains: "238a0b92382".into(), ..Default::default() };
        client.list_films(request).await.unwrap();
    })
    .await;
    assert!(done.tables.contains_key("films") || done.blocks > 10_000, "{:?}", done.tables);
}
