use std::time::Duration;

use futures::StreamExt as _;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::{ExportFilmsRequest, Film, ListFilmsRequest};
use selvedge_testing::{reason, serve_with};
use sqlx::Executor as _;
use tonic::Code;

use crate::list::{filters, known, start_with_films};
use crate::{AROUND, Client, run, start};

const MANY: &str = "insert into films (title, description, language_id)
    select 'Film ' || n, repeat('x', 500), 1 from generate_series(1, 20000) n;
    analyze films";

fn same_filters(list: ListFilmsRequest) -> ExportFilmsRequest {
    ExportFilmsRequest {
        title_prefix: list.title_prefix,
        title_contains: list.title_contains,
        category_id: list.category_id,
        category: list.category,
        actor_id: list.actor_id,
        language_id: list.language_id,
        rating: list.rating,
        release_year_from: list.release_year_from,
        release_year_to: list.release_year_to,
        length_from: list.length_from,
        length_to: list.length_to,
        rental_rate_from: list.rental_rate_from,
        rental_rate_to: list.rental_rate_to,
        streaming_available: list.streaming_available,
        special_feature: list.special_feature,
    }
}

async fn export(client: &mut Client, request: ExportFilmsRequest) -> Vec<Film> {
    let films = client.export_films(request).await.unwrap().into_inner();
    films.map(Result::unwrap).collect().await
}

#[tokio::test]
async fn an_export_has_the_filters_of_a_list_and_all_of_each_film() {
    let (_served, mut client) = start_with_films().await;
    for (request, matches) in filters() {
        let found: Vec<_> =
            export(&mut client, same_filters(request.clone())).await.iter().map(|film| film.id).collect();
        let expected: Vec<_> = known().filter(matches).map(|film| film.id).collect();
        assert_eq!(found, expected, "{request:?}");
    }
    let all = export(&mut client, ExportFilmsRequest::default()).await;
    assert_eq!(all.len(), 60);
    let categories: Vec<_> = all[1].categories.iter().map(|category| category.name.as_str()).collect();
    assert_eq!(categories, ["Horror", "Sci-Fi 100%"]);
    assert_eq!((all[1].actors[0].id, all[1].language.as_str()), (3, "Japanese"));
    let wrong = ExportFilmsRequest { rating: 9, ..Default::default() };
    assert_eq!(client.export_films(wrong).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_export_shows_one_moment() {
    let (served, mut client) = start().await;
    run(&served.database, MANY).await;
    let mut films = client.export_films(ExportFilmsRequest::default()).await.unwrap().into_inner();
    assert_eq!(films.message().await.unwrap().unwrap().title, "Film 1");
    served.database.superuser().await.execute("update films set title = 'Changed'").await.unwrap();
    let mut count = 1;
    while let Some(film) = films.message().await.unwrap() {
        count += 1;
        assert_eq!(film.title, format!("Film {count}"));
    }
    assert_eq!(count, 20_000);
}

#[tokio::test]
async fn too_many_exports_are_sent_away() {
    let (served, mut client) = start().await;
    run(&served.database, MANY).await;
    let mut open = vec![];
    for _ in 0..served.running().db().pool_size() / 2 {
        // A connection each: what one reader leaves unread would keep the others on its connection waiting.
        let mut reader = Client::new(served.channel());
        let mut films = reader.export_films(ExportFilmsRequest::default()).await.unwrap().into_inner();
        films.message().await.unwrap().unwrap();
        open.push(films);
    }
    let status = client.export_films(ExportFilmsRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "TOO_MANY_BULK_CALLS"));
}

/// A client that asks and then takes nothing, while it keeps its connection alive.
#[tokio::test]
async fn a_reader_that_stands_still_is_not_waited_for() {
    let served = serve_with(SERVICE, |config| config.limits.stream_idle = Duration::from_secs(2)).await;
    run(&served.database, AROUND).await;
    run(&served.database, MANY).await;
    let mut client = Client::new(served.channel());
    let mut films = client.export_films(ExportFilmsRequest::default()).await.unwrap().into_inner();
    films.message().await.unwrap().unwrap();
    let mut watcher = served.database.superuser().await;
    let busy = "select count(*) from pg_stat_activity
                where datname = current_database() and usename = 'catalog_app' and state <> 'idle'";
    for turn in 0.. {
        if sqlx::query_scalar::<_, i64>(busy).fetch_one(&mut watcher).await.unwrap() == 0 {
            break;
        }
        assert!(turn < 600, "the export still runs");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut count = 1;
    let end = loop {
        match films.message().await {
            Ok(Some(_)) => count += 1,
            end => break end,
        }
    };
    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    assert!(count < 20_000);
}
