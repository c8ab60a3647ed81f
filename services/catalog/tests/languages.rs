//! Languages.

use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::language_service_client::LanguageServiceClient;
use selvedge_proto::catalog::v1::{
    CreateLanguageRequest, DeleteLanguageRequest, GetLanguageRequest, Language, ListLanguagesRequest,
    UpdateLanguageRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use sqlx::Executor as _;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Client = LanguageServiceClient<Channel>;

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    (served, client)
}

fn named(name: &str) -> Language {
    Language { name: name.into(), ..Language::default() }
}

async fn create(client: &mut Client, name: &str) -> Result<Language, Status> {
    let request = CreateLanguageRequest { language: Some(named(name)), request_id: String::new() };
    Ok(client.create_language(request).await?.into_inner())
}

async fn get(client: &mut Client, id: i32) -> Result<Language, Status> {
    Ok(client.get_language(GetLanguageRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, language: Language, paths: &[&str]) -> Result<Language, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    let request = UpdateLanguageRequest { language: Some(language), update_mask };
    Ok(client.update_language(request).await?.into_inner())
}

async fn delete(client: &mut Client, id: i32, etag: &str) -> Result<(), Status> {
    client.delete_language(DeleteLanguageRequest { id, etag: etag.into() }).await.map(|_| ())
}

async fn names(client: &mut Client, name_contains: &str) -> Vec<String> {
    let request = ListLanguagesRequest { name_contains: name_contains.into(), ..Default::default() };
    let page = client.list_languages(request).await.unwrap().into_inner();
    page.languages.into_iter().map(|language| language.name).collect()
}

#[tokio::test]
async fn what_is_created_can_be_read_changed_and_deleted() {
    let (_served, mut client) = start().await;
    let created = create(&mut client, "Urdu").await.unwrap();
    assert_eq!((&*created.name, created.film_count), ("Urdu", 0));
    assert!(created.id > 0 && created.last_update.is_some());
    assert_eq!(get(&mut client, created.id).await.unwrap(), created);

    for paths in ["name", "*"] {
        let before = get(&mut client, created.id).await.unwrap();
        let new = Language { id: created.id, etag: before.etag.clone(), ..named(paths) };
        let changed = update(&mut client, new, &[paths]).await.unwrap();
        assert_eq!((changed.id, &*changed.name), (created.id, paths));
        assert_ne!(changed.etag, before.etag);
        assert_eq!(get(&mut client, created.id).await.unwrap(), changed);
    }
    delete(&mut client, created.id, "").await.unwrap();
    let gone = delete(&mut client, created.id, "").await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::NotFound, "LANGUAGE_NOT_FOUND"));
    assert_eq!(get(&mut client, created.id).await.unwrap_err().code(), Code::NotFound);
    let gone = update(&mut client, created, &["name"]).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn a_stale_etag_changes_nothing() {
    let (_served, mut client) = start().await;
    let old = create(&mut client, "Urdu").await.unwrap();
    let now = update(&mut client, Language { id: old.id, ..named("Sami") }, &["name"]).await.unwrap();
    let stale = Language { name: "Welsh".into(), ..old.clone() };
    for status in [
        update(&mut client, stale, &["name"]).await.unwrap_err(),
        delete(&mut client, old.id, &old.etag).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    }
    assert_eq!(get(&mut client, old.id).await.unwrap(), now);
    delete(&mut client, now.id, &now.etag).await.unwrap();
}

#[tokio::test]
async fn no_two_have_the_same_name() {
    let (_served, mut client) = start().await;
    create(&mut client, "Urdu").await.unwrap();
    let other = create(&mut client, "Sami").await.unwrap();
    for status in [
        create(&mut client, "Urdu").await.unwrap_err(),
        update(&mut client, Language { name: "Urdu".into(), ..other }, &["name"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "LANGUAGE_NAME_TAKEN"));
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one() {
    let (_served, mut client) = start().await;
    let request = CreateLanguageRequest { language: Some(named("Urdu")), request_id: "once".into() };
    let first = client.create_language(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_language(request).await.unwrap().into_inner(), first);
    let other = CreateLanguageRequest { language: Some(named("Sami")), request_id: "once".into() };
    let status = client.create_language(other).await.unwrap_err();
    assert_eq!(reason(&status), "REQUEST_ID_REUSED");
    assert_eq!(names(&mut client, "").await, ["Urdu"]);
}

#[tokio::test]
async fn a_list_has_pages_and_a_filter() {
    let (_served, mut client) = start().await;
    for name in ["New", "Sami", "100%", "Tamil", "Northern Sami"] {
        create(&mut client, name).await.unwrap();
    }
    let mut seen = vec![];
    let mut token = String::new();
    loop {
        let request = ListLanguagesRequest { page_size: 2, page_token: token, ..Default::default() };
        let page = client.list_languages(request).await.unwrap().into_inner();
        assert!(page.languages.len() <= 2);
        seen.extend(page.languages.into_iter().map(|language| language.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["100%", "New", "Northern Sami", "Sami", "Tamil"]);
    assert_eq!(names(&mut client, "SAMI").await, ["Northern Sami", "Sami"]);
    assert_eq!(names(&mut client, "%").await, ["100%"]);
    assert_eq!(names(&mut client, "_").await, [""; 0]);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client) = start().await;
    for name in [String::new(), "x".repeat(21)] {
        assert_eq!(violated(&create(&mut client, &name).await.unwrap_err()), ["language.name"]);
    }
    create(&mut client, &"ü".repeat(20)).await.unwrap();
    assert_eq!(violated(&get(&mut client, 0).await.unwrap_err()), ["id"]);
    for paths in [&[][..], &["film_count"]] {
        let status = update(&mut client, Language { id: 1, ..named("x") }, paths).await.unwrap_err();
        assert_eq!(violated(&status), ["update_mask"]);
    }
    for request in [
        ListLanguagesRequest { page_size: -1, ..Default::default() },
        ListLanguagesRequest { page_token: "x".into(), ..Default::default() },
    ] {
        let status = client.list_languages(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn one_that_is_or_was_spoken_in_films_stays() {
    let (served, mut client) = start().await;
    let spoken = create(&mut client, "English").await.unwrap();
    let original = create(&mut client, "Finnish").await.unwrap();
    let mut superuser = served.database.superuser().await;
    for title in ["Drifting Clouds", "The Man Without a Past"] {
        let film = "insert into films (title, language_id, original_language_id) values ($1, $2, $3)";
        let film = sqlx::query(film).bind(title).bind(spoken.id).bind(original.id);
        film.execute(&mut superuser).await.unwrap();
    }
    assert_eq!(get(&mut client, spoken.id).await.unwrap().film_count, 2);
    assert_eq!(get(&mut client, original.id).await.unwrap().film_count, 0);
    let changed = update(&mut client, Language { id: spoken.id, ..named("Scots") }, &["name"]).await;
    assert_eq!(changed.unwrap().film_count, 2);
    let listed = client.list_languages(ListLanguagesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.languages.iter().map(|it| it.film_count).collect::<Vec<_>>(), [0, 2]);
    for id in [spoken.id, original.id] {
        let status = delete(&mut client, id, "").await.unwrap_err();
        let expected = (Code::FailedPrecondition, "LANGUAGE_HAS_FILMS");
        assert_eq!((status.code(), reason(&status).as_str()), expected);
    }
    superuser.execute("update films set original_language_id = null").await.unwrap();
    delete(&mut client, original.id, "").await.unwrap();
}
