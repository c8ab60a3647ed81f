//! Actors.

use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::actor_service_client::ActorServiceClient;
use selvedge_proto::catalog::v1::{
    Actor, CreateActorRequest, DeleteActorRequest, GetActorRequest, ListActorsRequest, UpdateActorRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use sqlx::Executor as _;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Client = ActorServiceClient<Channel>;

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    (served, client)
}

fn named(first_name: &str, last_name: &str) -> Actor {
    Actor { first_name: first_name.into(), last_name: last_name.into(), ..Actor::default() }
}

async fn create(client: &mut Client, actor: Actor) -> Result<Actor, Status> {
    let request = CreateActorRequest { actor: Some(actor), request_id: String::new() };
    Ok(client.create_actor(request).await?.into_inner())
}

async fn get(client: &mut Client, id: i32) -> Result<Actor, Status> {
    Ok(client.get_actor(GetActorRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, actor: Actor, paths: &[&str]) -> Result<Actor, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    Ok(client.update_actor(UpdateActorRequest { actor: Some(actor), update_mask }).await?.into_inner())
}

async fn delete(client: &mut Client, id: i32, etag: &str) -> Result<(), Status> {
    client.delete_actor(DeleteActorRequest { id, etag: etag.into() }).await.map(|_| ())
}

/// All pages of this size, one after the other.
async fn pages(client: &mut Client, page_size: i32, name_contains: &str) -> Vec<Vec<Actor>> {
    let mut pages = vec![];
    let mut request =
        ListActorsRequest { page_size, name_contains: name_contains.into(), ..Default::default() };
    loop {
        let page = client.list_actors(request.clone()).await.unwrap().into_inner();
        pages.push(page.actors);
        assert!(pages.len() < 100, "the pages have no end");
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn what_is_created_can_be_read_changed_and_deleted() {
    let (_served, mut client) = start().await;
    let created = create(&mut client, named("Penelope", "Guiness")).await.unwrap();
    let expected = Actor {
        id: created.id,
        last_update: created.last_update,
        etag: created.etag.clone(),
        ..named("Penelope", "Guiness")
    };
    assert_eq!(created, expected);
    assert!(created.id > 0 && created.last_update.is_some());
    assert_eq!(get(&mut client, created.id).await.unwrap(), created);

    let new = Actor { id: created.id, ..named("Nick", "Wahlberg") };
    for (paths, first_name, last_name) in [
        (&["first_name"][..], "Nick", "Guiness"),
        (&["last_name"], "Nick", "Wahlberg"),
        (&["*"], "Nick", "Wahlberg"),
    ] {
        let before = get(&mut client, created.id).await.unwrap();
        let changed =
            update(&mut client, Actor { etag: before.etag.clone(), ..new.clone() }, paths).await.unwrap();
        assert_eq!((&*changed.first_name, &*changed.last_name), (first_name, last_name));
        assert_ne!(changed.etag, before.etag);
        assert_eq!(get(&mut client, created.id).await.unwrap(), changed);
    }
    delete(&mut client, created.id, "").await.unwrap();
    for status in [
        get(&mut client, created.id).await.unwrap_err(),
        delete(&mut client, created.id, "").await.unwrap_err(),
        update(&mut client, new, &["*"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "ACTOR_NOT_FOUND"));
    }
}

#[tokio::test]
async fn a_stale_etag_changes_nothing() {
    let (_served, mut client) = start().await;
    let old = create(&mut client, named("Penelope", "Guiness")).await.unwrap();
    let now = update(&mut client, Actor { id: old.id, ..named("Ed", "") }, &["first_name"]).await.unwrap();
    for status in [
        update(&mut client, old.clone(), &["first_name"]).await.unwrap_err(),
        delete(&mut client, old.id, &old.etag).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    }
    assert_eq!(get(&mut client, old.id).await.unwrap(), now);
    delete(&mut client, now.id, &now.etag).await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one() {
    let (_served, mut client) = start().await;
    let request = CreateActorRequest { actor: Some(named("Penelope", "Guiness")), request_id: "once".into() };
    let first = client.create_actor(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_actor(request).await.unwrap().into_inner(), first);
    assert_eq!(pages(&mut client, 0, "").await, [[first]]);
}

#[tokio::test]
async fn a_list_is_ordered_by_names_whatever_is_in_them() {
    let (_served, mut client) = start().await;
    // As they are to come: by family name, given name, in whatever case, and id.
    let names = [
        ("Zoë", "\u{1f}"),
        ("A", "\"quoted\\\", \"name"),
        ("Penelope", "Guiness"),
        ("penelope", "GUINESS"),
        ("PENELOPE", "guiness"),
        ("Quentin", "Guiness"),
        ("Ada", "Guinesses"),
        ("Zoë", "O'Neill"),
        ("Bela", "Walken"),
        ("Christopher", "walken"),
        ("Denzel", "Wálken"),
    ];
    let mut expected = vec![];
    for (first_name, last_name) in names {
        expected.push(create(&mut client, named(first_name, last_name)).await.unwrap());
    }
    // The ids must not be what orders them, but where the names are the same.
    for at in [6, 0] {
        delete(&mut client, expected[at].id, "").await.unwrap();
        expected[at] = create(&mut client, named(names[at].0, names[at].1)).await.unwrap();
    }
    for size in [1, 2, 3, 100] {
        let pages = pages(&mut client, size, "").await;
        assert!(pages.iter().all(|page| page.len() <= usize::try_from(size).unwrap()));
        assert_eq!(pages.concat(), expected, "pages of {size}");
    }

    let first = ListActorsRequest { page_size: 4, ..Default::default() };
    let page = client.list_actors(first).await.unwrap().into_inner();
    delete(&mut client, expected[3].id, "").await.unwrap();
    let second = ListActorsRequest { page_token: page.next_page_token, ..Default::default() };
    let rest = client.list_actors(second).await.unwrap().into_inner().actors;
    assert_eq!(rest, expected[4..], "the page goes on where somebody was who has left");
}

#[tokio::test]
async fn a_list_finds_parts_of_names() {
    let (_served, mut client) = start().await;
    for (first_name, last_name) in [("Ada", "Lovelace"), ("Adam", "Grant"), ("100%", "Real"), ("a_b", "c\\d")]
    {
        create(&mut client, named(first_name, last_name)).await.unwrap();
    }
    for (part, expected) in [
        ("ADA", &["Grant", "Lovelace"][..]),
        ("da lo", &["Lovelace"]),
        ("%", &["Real"]),
        ("_", &["c\\d"]),
        ("\\", &["c\\d"]),
        ("Lovelace Ada", &[]),
    ] {
        let found = pages(&mut client, 1, part).await.concat();
        assert_eq!(found.iter().map(|actor| &*actor.last_name).collect::<Vec<_>>(), expected, "{part}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client) = start().await;
    let status = create(&mut client, named("", &"x".repeat(101))).await.unwrap_err();
    assert_eq!(violated(&status), ["actor.first_name", "actor.last_name"]);
    let status = create(&mut client, named("a\0b", "c")).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violated(&client.create_actor(CreateActorRequest::default()).await.unwrap_err()), ["actor"]);
    assert_eq!(violated(&get(&mut client, -1).await.unwrap_err()), ["id"]);
    let actor = create(&mut client, named("Ada", "Lovelace")).await.unwrap();
    for paths in [&[][..], &["film_count"], &["first_name", "id"]] {
        assert_eq!(violated(&update(&mut client, actor.clone(), paths).await.unwrap_err()), ["update_mask"]);
    }
    let nameless = Actor { last_name: String::new(), ..actor.clone() };
    update(&mut client, nameless.clone(), &["first_name"]).await.unwrap();
    let status = update(&mut client, nameless, &["last_name"]).await.unwrap_err();
    assert_eq!(violated(&status), ["actor.last_name"]);
    for request in [
        ListActorsRequest { page_size: -1, ..Default::default() },
        ListActorsRequest { page_token: "x".into(), ..Default::default() },
        ListActorsRequest { name_contains: "x".repeat(201), ..Default::default() },
    ] {
        assert_eq!(client.list_actors(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn one_with_films_stays() {
    let (served, mut client) = start().await;
    let actor = create(&mut client, named("Sigourney", "Weaver")).await.unwrap();
    create(&mut client, named("Ian", "Holm")).await.unwrap();
    let mut superuser = served.database.superuser().await;
    let films = "insert into languages (id, name) values (1, 'English');
                 insert into films (id, title, language_id) values (1, 'Alien', 1), (2, 'Aliens', 1);
                 insert into film_actors (film_id, actor_id)
                 select films.id, actors.id from films, actors where last_name = 'Weaver'";
    superuser.execute(films).await.unwrap();
    assert_eq!(get(&mut client, actor.id).await.unwrap().film_count, 2);
    let listed = pages(&mut client, 0, "").await.concat();
    assert_eq!(listed.iter().map(|actor| actor.film_count).collect::<Vec<_>>(), [0, 2]);
    let changed = Actor { id: actor.id, ..named("Susan", "") };
    assert_eq!(update(&mut client, changed, &["first_name"]).await.unwrap().film_count, 2);
    let status = delete(&mut client, actor.id, "").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "ACTOR_HAS_FILMS"));
    superuser.execute("delete from films").await.unwrap();
    delete(&mut client, actor.id, "").await.unwrap();
}
