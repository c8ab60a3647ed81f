//! Categories.

use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::category_service_client::CategoryServiceClient;
use selvedge_proto::catalog::v1::{
    Category, CreateCategoryRequest, DeleteCategoryRequest, GetCategoryRequest, ListCategoriesRequest,
    UpdateCategoryRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use sqlx::Executor as _;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Client = CategoryServiceClient<Channel>;

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    (served, client)
}

fn named(name: &str) -> Category {
    Category { name: name.into(), ..Category::default() }
}

async fn create(client: &mut Client, name: &str) -> Result<Category, Status> {
    let request = CreateCategoryRequest { category: Some(named(name)), request_id: String::new() };
    Ok(client.create_category(request).await?.into_inner())
}

async fn get(client: &mut Client, id: i32) -> Result<Category, Status> {
    Ok(client.get_category(GetCategoryRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, category: Category, paths: &[&str]) -> Result<Category, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    let request = UpdateCategoryRequest { category: Some(category), update_mask };
    Ok(client.update_category(request).await?.into_inner())
}

async fn delete(client: &mut Client, id: i32, etag: &str) -> Result<(), Status> {
    client.delete_category(DeleteCategoryRequest { id, etag: etag.into() }).await.map(|_| ())
}

async fn names(client: &mut Client, name_contains: &str) -> Vec<String> {
    let request = ListCategoriesRequest { name_contains: name_contains.into(), ..Default::default() };
    let page = client.list_categories(request).await.unwrap().into_inner();
    page.categories.into_iter().map(|category| category.name).collect()
}

#[tokio::test]
async fn what_is_created_can_be_read_changed_and_deleted() {
    let (_served, mut client) = start().await;
    let created = create(&mut client, "Horror").await.unwrap();
    assert_eq!((&*created.name, created.film_count), ("Horror", 0));
    assert!(created.id > 0 && created.last_update.is_some());
    assert_eq!(get(&mut client, created.id).await.unwrap(), created);

    for paths in ["name", "*"] {
        let before = get(&mut client, created.id).await.unwrap();
        let new = Category { id: created.id, etag: before.etag.clone(), ..named(paths) };
        let changed = update(&mut client, new, &[paths]).await.unwrap();
        assert_eq!((changed.id, &*changed.name), (created.id, paths));
        assert_ne!(changed.etag, before.etag);
        assert_eq!(get(&mut client, created.id).await.unwrap(), changed);
    }
    delete(&mut client, created.id, "").await.unwrap();
    let gone = delete(&mut client, created.id, "").await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::NotFound, "CATEGORY_NOT_FOUND"));
    assert_eq!(get(&mut client, created.id).await.unwrap_err().code(), Code::NotFound);
    let gone = update(&mut client, created, &["name"]).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn a_stale_etag_changes_nothing() {
    let (_served, mut client) = start().await;
    let old = create(&mut client, "Horror").await.unwrap();
    let now = update(&mut client, Category { id: old.id, ..named("Drama") }, &["name"]).await.unwrap();
    let stale = Category { name: "Comedy".into(), ..old.clone() };
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
    create(&mut client, "Horror").await.unwrap();
    let other = create(&mut client, "Drama").await.unwrap();
    for status in [
        create(&mut client, "Horror").await.unwrap_err(),
        update(&mut client, Category { name: "Horror".into(), ..other }, &["name"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "CATEGORY_NAME_TAKEN"));
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one() {
    let (_served, mut client) = start().await;
    let request = CreateCategoryRequest { category: Some(named("Horror")), request_id: "once".into() };
    let first = client.create_category(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_category(request).await.unwrap().into_inner(), first);
    let other = CreateCategoryRequest { category: Some(named("Drama")), request_id: "once".into() };
    let status = client.create_category(other).await.unwrap_err();
    assert_eq!(reason(&status), "REQUEST_ID_REUSED");
    assert_eq!(names(&mut client, "").await, ["Horror"]);
}

#[tokio::test]
async fn a_list_has_pages_and_a_filter() {
    let (_served, mut client) = start().await;
    for name in ["New", "Drama", "100%", "Sci-Fi", "Melodrama"] {
        create(&mut client, name).await.unwrap();
    }
    let mut seen = vec![];
    let mut token = String::new();
    loop {
        let request = ListCategoriesRequest { page_size: 2, page_token: token, ..Default::default() };
        let page = client.list_categories(request).await.unwrap().into_inner();
        assert!(page.categories.len() <= 2);
        seen.extend(page.categories.into_iter().map(|category| category.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["100%", "Drama", "Melodrama", "New", "Sci-Fi"]);
    assert_eq!(names(&mut client, "DRAMA").await, ["Drama", "Melodrama"]);
    assert_eq!(names(&mut client, "%").await, ["100%"]);
    assert_eq!(names(&mut client, "_").await, [""; 0]);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client) = start().await;
    for name in [String::new(), "x".repeat(26)] {
        assert_eq!(violated(&create(&mut client, &name).await.unwrap_err()), ["category.name"]);
    }
    create(&mut client, &"ü".repeat(25)).await.unwrap();
    assert_eq!(violated(&get(&mut client, 0).await.unwrap_err()), ["id"]);
    for paths in [&[][..], &["film_count"]] {
        let status = update(&mut client, Category { id: 1, ..named("x") }, paths).await.unwrap_err();
        assert_eq!(violated(&status), ["update_mask"]);
    }
    for request in [
        ListCategoriesRequest { page_size: -1, ..Default::default() },
        ListCategoriesRequest { page_token: "x".into(), ..Default::default() },
    ] {
        let status = client.list_categories(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn one_with_films_stays() {
    let (served, mut client) = start().await;
    let category = create(&mut client, "Horror").await.unwrap();
    let mut superuser = served.database.superuser().await;
    let films = "insert into languages (id, name) values (1, 'English');
                 insert into films (id, title, language_id) values (1, 'Alien', 1), (2, 'Aliens', 1);
                 insert into film_categories (film_id, category_id) select films.id, categories.id from films, categories";
    superuser.execute(films).await.unwrap();
    assert_eq!(get(&mut client, category.id).await.unwrap().film_count, 2);
    let changed = update(&mut client, Category { id: category.id, ..named("Terror") }, &["name"]).await;
    assert_eq!(changed.unwrap().film_count, 2);
    let listed = client.list_categories(ListCategoriesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.categories[0].film_count, 2);
    let status = delete(&mut client, category.id, "").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "CATEGORY_HAS_FILMS"));
    superuser.execute("delete from films").await.unwrap();
    delete(&mut client, category.id, "").await.unwrap();
}
