use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::{CreateFilmRequest, Film, SetFilmActorsRequest, SetFilmCategoriesRequest};
use selvedge_testing::{reason, serve_with};
use sqlx::Executor as _;
use tonic::{Code, Status};

use crate::{AROUND, Client, create, film, run, start};

async fn set_categories(client: &mut Client, ids: &[i32], etag: &str) -> Result<Film, Status> {
    let request = SetFilmCategoriesRequest { film_id: 1, category_ids: ids.into(), etag: etag.into() };
    Ok(client.set_film_categories(request).await?.into_inner())
}

async fn set_actors(client: &mut Client, ids: &[i32], etag: &str) -> Result<Film, Status> {
    let request = SetFilmActorsRequest { film_id: 1, actor_ids: ids.into(), etag: etag.into() };
    Ok(client.set_film_actors(request).await?.into_inner())
}

fn categories(film: &Film) -> Vec<i32> {
    film.categories.iter().map(|category| category.id).collect()
}

fn actors(film: &Film) -> Vec<i32> {
    film.actors.iter().map(|actor| actor.id).collect()
}

#[tokio::test]
async fn a_set_is_replaced_and_moves_the_etag_only_if_it_changed() {
    let (_served, mut client) = start().await;
    let mut last = create(&mut client, film("One")).await.etag;
    for (ids, by_name, moves) in [
        (vec![1, 2], vec![2, 1], true),
        (vec![2, 1], vec![2, 1], false),
        (vec![2, 3], vec![2, 3], true),
        (vec![2], vec![2], true),
        (vec![], vec![], true),
        (vec![], vec![], false),
    ] {
        let film = set_categories(&mut client, &ids, &last).await.unwrap();
        assert_eq!((categories(&film), film.etag != last), (by_name, moves), "{ids:?}");
        last = film.etag;
    }
    for (ids, by_name, moves) in [
        (vec![1, 2, 4], vec![2, 1, 4], true),
        (vec![4, 1, 2], vec![2, 1, 4], false),
        (vec![3], vec![3], true),
        (vec![], vec![], true),
    ] {
        let film = set_actors(&mut client, &ids, &last).await.unwrap();
        assert_eq!((actors(&film), film.etag != last), (by_name, moves), "{ids:?}");
        last = film.etag;
    }
}

#[tokio::test]
async fn a_set_that_cannot_be_is_left_as_it_was() {
    let (_served, mut client) = start().await;
    let request = CreateFilmRequest {
        film: Some(film("One")),
        category_ids: vec![1],
        actor_ids: vec![1],
        ..Default::default()
    };
    let before = client.create_film(request).await.unwrap().into_inner();
    let why = |status: Status| (status.code(), reason(&status));
    let status = set_categories(&mut client, &[2, 99], "").await.unwrap_err();
    assert_eq!(why(status), (Code::FailedPrecondition, "CATEGORY_NOT_FOUND".into()));
    let status = set_actors(&mut client, &[2, 99], "").await.unwrap_err();
    assert_eq!(why(status), (Code::FailedPrecondition, "ACTOR_NOT_FOUND".into()));
    for status in [
        set_categories(&mut client, &[2], "65").await.unwrap_err(),
        set_actors(&mut client, &[2], "65").await.unwrap_err(),
    ] {
        assert_eq!(why(status), (Code::Aborted, "ETAG_MISMATCH".into()));
    }
    assert_eq!(set_categories(&mut client, &[1], &before.etag).await.unwrap(), before);
    assert_eq!(set_categories(&mut client, &[1, 1], "").await.unwrap_err().code(), Code::InvalidArgument);
    let absent = SetFilmActorsRequest { film_id: 2, actor_ids: vec![1], ..Default::default() };
    let status = client.set_film_actors(absent).await.unwrap_err();
    assert_eq!(why(status), (Code::NotFound, "FILM_NOT_FOUND".into()));
}

/// Of two who saw the same state only one may replace it; the other waits for the row and then sees that it changed.
#[tokio::test]
async fn of_many_with_one_etag_one_wins() {
    let served = serve_with(SERVICE, |config| config.database.pool.size = Some(10)).await;
    run(&served.database, AROUND).await;
    let mut client = Client::new(served.channel());
    let etag = create(&mut client, film("One")).await.etag;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select from films for no key update").await.unwrap();
    let calls = (0..8).map(|number| {
        let (mut client, etag) = (client.clone(), etag.clone());
        tokio::spawn(async move {
            match number % 2 {
                0 => set_categories(&mut client, &[1 + number / 2 % 3], &etag).await,
                _ => set_actors(&mut client, &[1 + number / 2], &etag).await,
            }
        })
    });
    let calls: Vec<_> = calls.collect();
    let mut watcher = served.database.superuser().await;
    let waiting = "select count(*) from pg_stat_activity
                   where wait_event_type = 'Lock' and datname = current_database()";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watcher).await.unwrap() < 8 {
        tokio::task::yield_now().await;
    }
    holder.execute("rollback").await.unwrap();
    let mut won = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => won += 1,
            Err(status) => assert_eq!(reason(&status), "ETAG_MISMATCH"),
        }
    }
    assert_eq!(won, 1);
}
