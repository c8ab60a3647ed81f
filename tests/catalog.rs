//! The film catalog through the gateway of a running mesh: every RPC, asked rightly and wrongly.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use selvedge_testing::{Answer, Site};
use selvedge_tests::Mesh;
use serde_json::{Value, json};

/// An RPC, asked by REST with the sample data in place, and the status that it answers with.
type Call = (&'static str, Method, &'static str, &'static str, u16);

const ADDRESS: &str = r#"{"street": "1 High Street", "city": "Here", "country": "Somewhere"}"#;

/// In this order: later ones rely on what earlier ones made. `ADDRESS` stands for an address.
const CALLS: &[Call] = &[
    ("FilmService_GetFilm", Method::GET, "/v1/films/1", "", 200),
    ("FilmService_GetFilm", Method::GET, "/v1/films/999999", "", 404),
    ("FilmService_GetFilm", Method::GET, "/v1/films/one", "", 400),
    ("FilmService_BatchGetFilms", Method::GET, "/v1/films:batchGet?ids=2&ids=1", "", 200),
    ("FilmService_BatchGetFilms", Method::GET, "/v1/films:batchGet", "", 400),
    ("FilmService_ListFilms", Method::GET, "/v1/films?orderBy=title+desc&rating=FILM_RATING_PG", "", 200),
    ("FilmService_ListFilms", Method::GET, "/v1/films?orderBy=colour", "", 400),
    ("FilmService_ListFilms", Method::GET, "/v1/categories/1/films", "", 200),
    ("FilmService_ListFilms", Method::GET, "/v1/actors/1/films?pageSize=3", "", 200),
    ("FilmService_ListFilms", Method::GET, "/v1/languages/1/films", "", 200),
    ("FilmService_SearchFilms", Method::GET, "/v1/films:search?query=night+or+day", "", 200),
    ("FilmService_SearchFilms", Method::GET, "/v1/films:search", "", 400),
    ("FilmService_GetFilmFacets", Method::GET, "/v1/films:facets?streamingAvailable=true", "", 200),
    ("FilmService_GetFilmFacets", Method::GET, "/v1/films:facets?rating=FILM_RATING_X", "", 400),
    (
        "FilmService_CreateFilm",
        Method::POST,
        "/v1/films?categoryIds=1",
        r#"{"title": "New", "languageId": 1}"#,
        201,
    ),
    ("FilmService_CreateFilm", Method::POST, "/v1/films", r#"{"title": "New", "languageId": 99}"#, 400),
    (
        "FilmService_CreateFilm",
        Method::POST,
        "/v1/films",
        r#"{"title": "New", "languageId": 1, "rentalRate": "1,5"}"#,
        400,
    ),
    ("FilmService_UpdateFilm", Method::PATCH, "/v1/films/1001", r#"{"rentalRate": "1.5"}"#, 200),
    ("FilmService_UpdateFilm", Method::PATCH, "/v1/films/1001", r#"{"rentalRate": "1.5", "etag": "1"}"#, 409),
    (
        "FilmService_SetFilmCategories",
        Method::PUT,
        "/v1/films/1001/categories",
        r#"{"categoryIds": [2, 3]}"#,
        200,
    ),
    (
        "FilmService_SetFilmCategories",
        Method::PUT,
        "/v1/films/1001/categories",
        r#"{"categoryIds": [2, 2]}"#,
        400,
    ),
    ("FilmService_SetFilmActors", Method::PUT, "/v1/films/1001/actors", r#"{"actorIds": [7]}"#, 200),
    ("FilmService_SetFilmActors", Method::PUT, "/v1/films/1001/actors", r#"{"actorIds": [99999]}"#, 400),
    ("FilmService_DeleteFilm", Method::DELETE, "/v1/films/1001", "", 204),
    ("FilmService_DeleteFilm", Method::DELETE, "/v1/films/1", "", 400),
    // Streams do not go over REST.
    ("FilmService_ExportFilms", Method::GET, "/v1/films:export", "", 501),
    ("CategoryService_GetCategory", Method::GET, "/v1/categories/1", "", 200),
    ("CategoryService_GetCategory", Method::GET, "/v1/categories/99", "", 404),
    ("CategoryService_ListCategories", Method::GET, "/v1/categories?nameContains=a", "", 200),
    ("CategoryService_ListCategories", Method::GET, "/v1/categories?pageSize=-1", "", 400),
    ("CategoryService_CreateCategory", Method::POST, "/v1/categories", r#"{"name": "Silent"}"#, 201),
    ("CategoryService_CreateCategory", Method::POST, "/v1/categories", r#"{"name": "Silent"}"#, 409),
    ("CategoryService_UpdateCategory", Method::PATCH, "/v1/categories/17", r#"{"name": "Quiet"}"#, 200),
    ("CategoryService_UpdateCategory", Method::PATCH, "/v1/categories/17", r#"{"name": ""}"#, 400),
    ("CategoryService_DeleteCategory", Method::DELETE, "/v1/categories/17", "", 204),
    ("CategoryService_DeleteCategory", Method::DELETE, "/v1/categories/1", "", 400),
    ("LanguageService_GetLanguage", Method::GET, "/v1/languages/1", "", 200),
    ("LanguageService_GetLanguage", Method::GET, "/v1/languages/99", "", 404),
    ("LanguageService_ListLanguages", Method::GET, "/v1/languages", "", 200),
    ("LanguageService_ListLanguages", Method::GET, "/v1/languages?pageToken=x", "", 400),
    ("LanguageService_CreateLanguage", Method::POST, "/v1/languages", r#"{"name": "Elvish"}"#, 201),
    ("LanguageService_CreateLanguage", Method::POST, "/v1/languages", r#"{"name": "Elvish"}"#, 409),
    ("LanguageService_UpdateLanguage", Method::PATCH, "/v1/languages/7", r#"{"name": "Dwarvish"}"#, 200),
    ("LanguageService_UpdateLanguage", Method::PATCH, "/v1/languages/99", r#"{"name": "Orcish"}"#, 404),
    ("LanguageService_DeleteLanguage", Method::DELETE, "/v1/languages/7", "", 204),
    ("LanguageService_DeleteLanguage", Method::DELETE, "/v1/languages/1", "", 400),
    ("ActorService_GetActor", Method::GET, "/v1/actors/1", "", 200),
    ("ActorService_GetActor", Method::GET, "/v1/actors/9999", "", 404),
    ("ActorService_ListActors", Method::GET, "/v1/actors?nameContains=a&pageSize=2", "", 200),
    ("ActorService_ListActors", Method::GET, "/v1/actors?name=a", "", 400),
    (
        "ActorService_CreateActor",
        Method::POST,
        "/v1/actors",
        r#"{"firstName": "Ada", "lastName": "Abe"}"#,
        201,
    ),
    ("ActorService_CreateActor", Method::POST, "/v1/actors", r#"{"firstName": "Ada"}"#, 400),
    ("ActorService_UpdateActor", Method::PATCH, "/v1/actors/201", r#"{"lastName": "Bee"}"#, 200),
    ("ActorService_UpdateActor", Method::PATCH, "/v1/actors/201", r#"{"lastName": null}"#, 400),
    ("ActorService_DeleteActor", Method::DELETE, "/v1/actors/201", "", 204),
    ("ActorService_DeleteActor", Method::DELETE, "/v1/actors/201", "", 404),
    ("StoreService_GetStore", Method::GET, "/v1/stores/1", "", 200),
    ("StoreService_GetStore", Method::GET, "/v1/stores/99", "", 404),
    ("StoreService_ListStores", Method::GET, "/v1/stores", "", 200),
    ("StoreService_ListStores", Method::GET, "/v1/stores?town=x", "", 400),
    ("StoreService_CreateStore", Method::POST, "/v1/stores", r#"{"address": ADDRESS}"#, 201),
    ("StoreService_CreateStore", Method::POST, "/v1/stores", "{}", 400),
    ("StoreService_UpdateStore", Method::PATCH, "/v1/stores/3", r#"{"address": ADDRESS}"#, 200),
    ("StoreService_UpdateStore", Method::PATCH, "/v1/stores/3", r#"{"managerStaffId": 1}"#, 400),
    ("StaffService_GetStaffMember", Method::GET, "/v1/staff/1", "", 200),
    ("StaffService_GetStaffMember", Method::GET, "/v1/staff/99", "", 404),
    ("StaffService_ListStaffMembers", Method::GET, "/v1/stores/1/staff?active=true", "", 200),
    ("StaffService_ListStaffMembers", Method::GET, "/v1/staff?active=maybe", "", 400),
    (
        "StaffService_CreateStaffMember",
        Method::POST,
        "/v1/staff",
        r#"{"storeId": 3, "firstName": "Ada", "lastName": "Abe", "username": "ada.abe", "address": ADDRESS}"#,
        201,
    ),
    ("StaffService_CreateStaffMember", Method::POST, "/v1/staff", r#"{"storeId": 3}"#, 400),
    ("StaffService_UpdateStaffMember", Method::PATCH, "/v1/staff/1", r#"{"email": "a@example.com"}"#, 200),
    ("StaffService_UpdateStaffMember", Method::PATCH, "/v1/staff/1", r#"{"storeId": 2}"#, 400),
    ("CustomerService_GetCustomer", Method::GET, "/v1/customers/1", "", 200),
    ("CustomerService_GetCustomer", Method::GET, "/v1/customers/0", "", 400),
    ("CustomerService_ListCustomers", Method::GET, "/v1/stores/1/customers?nameContains=a", "", 200),
    ("CustomerService_ListCustomers", Method::GET, "/v1/customers?storeId=x", "", 400),
    (
        "CustomerService_CreateCustomer",
        Method::POST,
        "/v1/customers",
        r#"{"storeId": 1, "firstName": "Ada", "lastName": "Abe", "address": ADDRESS}"#,
        201,
    ),
    (
        "CustomerService_CreateCustomer",
        Method::POST,
        "/v1/customers",
        r#"{"storeId": 99, "firstName": "Ada", "lastName": "Abe", "address": ADDRESS}"#,
        400,
    ),
    ("CustomerService_UpdateCustomer", Method::PATCH, "/v1/customers/600", r#"{"active": true}"#, 200),
    ("CustomerService_UpdateCustomer", Method::PATCH, "/v1/customers/600", r#"{"email": "nobody"}"#, 400),
    ("InventoryService_GetFilmAvailability", Method::GET, "/v1/films/1/availability", "", 200),
    ("InventoryService_GetFilmAvailability", Method::GET, "/v1/films/99999/availability", "", 404),
    ("InventoryService_GetInventoryItem", Method::GET, "/v1/inventory/1", "", 200),
    ("InventoryService_GetInventoryItem", Method::GET, "/v1/inventory/999999", "", 404),
    ("InventoryService_ListInventoryItems", Method::GET, "/v1/films/1/inventory?available=true", "", 200),
    ("InventoryService_ListInventoryItems", Method::GET, "/v1/inventory?filmId=-1", "", 400),
    (
        "InventoryService_AddInventoryItems",
        Method::POST,
        "/v1/inventory",
        r#"{"filmId": 1, "storeId": 1, "count": 1}"#,
        200,
    ),
    (
        "InventoryService_AddInventoryItems",
        Method::POST,
        "/v1/inventory",
        r#"{"filmId": 1, "storeId": 1, "count": 0}"#,
        400,
    ),
    (
        "RentalService_RentFilm",
        Method::POST,
        "/v1/films/1:rent",
        r#"{"storeId": 1, "customerId": 600, "staffId": 1}"#,
        200,
    ),
    (
        "RentalService_RentFilm",
        Method::POST,
        "/v1/films/1:rent",
        r#"{"storeId": 2, "customerId": 600, "staffId": 1}"#,
        400,
    ),
    ("RentalService_ListRentals", Method::GET, "/v1/customers/600/rentals?state=RENTAL_STATE_OPEN", "", 200),
    ("RentalService_ListRentals", Method::GET, "/v1/rentals?rentedFrom=yesterday", "", 400),
    ("RentalService_GetRental", Method::GET, "/v1/rentals/16045", "", 200),
    ("RentalService_GetRental", Method::GET, "/v1/rentals/99999999", "", 404),
    ("RentalService_ReturnFilm", Method::POST, "/v1/rentals/16045:return", r#"{"staffId": 1}"#, 200),
    ("RentalService_ReturnFilm", Method::POST, "/v1/rentals/16045:return", r#"{"staffId": 1}"#, 400),
    ("InventoryService_RetireInventoryItem", Method::POST, "/v1/inventory/4582:retire", "{}", 200),
    ("InventoryService_RetireInventoryItem", Method::POST, "/v1/inventory/999999:retire", "{}", 404),
    ("PaymentService_GetPayment", Method::GET, "/v1/payments/1", "", 200),
    ("PaymentService_GetPayment", Method::GET, "/v1/payments/99999999", "", 404),
    ("PaymentService_ListPayments", Method::GET, "/v1/customers/1/payments", "", 200),
    ("PaymentService_ListPayments", Method::GET, "/v1/payments?pageSize=many", "", 400),
    ("ReportService_RefreshReports", Method::POST, "/v1/reports:refresh", "{}", 200),
    ("ReportService_RefreshReports", Method::POST, "/v1/reports:refresh", r#"{"now": true}"#, 400),
    ("ReportService_GetCategoryRevenue", Method::GET, "/v1/reports/category-revenue", "", 200),
    ("ReportService_GetCategoryRevenue", Method::GET, "/v1/reports/category-revenue?top=1", "", 400),
    ("ReportService_GetStoreRevenue", Method::GET, "/v1/reports/store-revenue?storeId=1", "", 200),
    ("ReportService_GetStoreRevenue", Method::GET, "/v1/reports/store-revenue?firstMonth=2026-13", "", 400),
    ("ReportService_GetTopFilms", Method::GET, "/v1/reports/top-films?orderBy=rentals", "", 200),
    ("ReportService_GetTopFilms", Method::GET, "/v1/reports/top-films?orderBy=title", "", 400),
    ("ReportService_GetTopCustomers", Method::GET, "/v1/reports/top-customers?pageSize=5", "", 200),
    ("ReportService_GetTopCustomers", Method::GET, "/v1/reports/top-customers?orderBy=name", "", 400),
];

#[tokio::test]
async fn every_rpc_answers_over_rest_to_good_and_bad_calls() {
    let mesh = Mesh::ephemeral().await;
    let site = Site::new(&mesh.url("gateway"));
    for (rpc, method, path, body, status) in CALLS {
        let answer = site.ask(method.clone(), path, &[], &body.replace("ADDRESS", ADDRESS)).await;
        assert_eq!(answer.status.as_u16(), *status, "{rpc}: {method} {path}: {answer:?}");
        if answer.status.is_client_error() || answer.status.is_server_error() {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{rpc}: {answer:?}");
        }
    }

    // None of them was forgotten above.
    let document = site.get("/openapi.json").await.json();
    let of_catalog = |operation: &&Value| {
        operation["responses"].is_object() && CALLS.iter().any(|(rpc, ..)| is_of_same_service(rpc, operation))
    };
    let documented: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .filter(of_catalog)
        .map(rpc_of)
        .collect();
    // What is a stream is not in the document of what goes over REST.
    let goes_over_rest = |call: &&Call| call.4 != 501;
    let asked: BTreeSet<&str> = CALLS.iter().filter(goes_over_rest).map(|(rpc, ..)| *rpc).collect();
    assert_eq!(asked, documented);
    for rpc in &asked {
        let statuses: Vec<u16> = CALLS.iter().filter(|(of, ..)| of == rpc).map(|call| call.4).collect();
        assert!(statuses.iter().any(|status| *status < 300), "{rpc} was never asked rightly");
        assert!(statuses.iter().any(|status| *status >= 400), "{rpc} was never asked wrongly");
    }
    assert_eq!(mesh.stop().await, Some(0));
}

/// Where an RPC has several routes, the others are numbered.
fn rpc_of(operation: &Value) -> &str {
    let id = operation["operationId"].as_str().unwrap_or_default();
    id.match_indices('_').nth(1).map_or(id, |(end, _)| &id[..end])
}

fn is_of_same_service(rpc: &str, operation: &Value) -> bool {
    let service = |rpc: &str| rpc.split('_').next().unwrap_or_default().to_owned();
    service(rpc) == service(rpc_of(operation))
}

#[tokio::test]
async fn a_film_is_found_rented_returned_and_reported() {
    let mesh = Mesh::ephemeral().await;
    let site = Site::new(&mesh.url("gateway"));

    // What was read, edited and sent back as a whole.
    let read = site.get("/v1/films/1").await;
    let mut film = read.json();
    assert!(film["actors"].as_array().is_some_and(|actors| !actors.is_empty()), "{film}");
    let title = film["title"].as_str().unwrap().to_owned();
    film["title"] = json!("Zyzzyva & the Weavers");
    film["releaseYear"] = Value::Null;
    let etag = [("if-match", read.header("etag"))];
    let edited = site.ask(Method::PATCH, "/v1/films/1", &etag, &film.to_string()).await;
    assert_eq!(edited.status, StatusCode::OK, "{edited:?}");
    assert_eq!(edited.json()["releaseYear"], Value::Null);
    assert_ne!(edited.json()["title"], title);
    let stale = site.ask(Method::PATCH, "/v1/films/1", &etag, r#"{"title": "Other"}"#).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{stale:?}");

    let found = site.get("/v1/films:search?query=weaver").await.json();
    assert_eq!(found["matches"][0]["titleHtml"], "Zyzzyva &amp; the <mark>Weavers</mark>", "{found}");
    let like_it = site.get("/v1/films:search?query=zyzyva").await.json();
    assert_eq!((&like_it["approximate"], &like_it["matches"][0]["film"]["id"]), (&json!(true), &json!(1)));

    let before = revenue(&site.get("/v1/reports/top-films?pageSize=100").await);
    let rent = r#"{"storeId": 1, "customerId": 1, "staffId": 1}"#;
    let key = [("idempotency-key", "a-rental")];
    let available = available_in_store_1(&site).await;
    let rental = site.ask(Method::POST, "/v1/films/1:rent", &key, rent).await.json();
    let repeated = site.ask(Method::POST, "/v1/films/1:rent", &key, rent).await.json();
    assert_eq!(rental, repeated);
    assert_eq!(available_in_store_1(&site).await, available - 1);
    let path = format!("/v1/rentals/{}:return", rental["id"].as_str().unwrap());
    let returned = site.ask(Method::POST, &path, &[], r#"{"staffId": 1}"#).await.json();
    assert_eq!(returned["payment"]["amount"], rental["rentalRate"], "it was not late: {returned}");
    assert_eq!(available_in_store_1(&site).await, available);

    let refreshed = site.ask(Method::POST, "/v1/reports:refresh", &[], "{}").await.json();
    let after = site.get("/v1/reports/top-films?pageSize=100").await;
    assert_eq!(after.json()["refreshedAt"], refreshed["refreshedAt"]);
    assert!(revenue(&after) >= before);
    assert_eq!(mesh.stop().await, Some(0));
}

async fn available_in_store_1(site: &Site) -> i64 {
    let stores = site.get("/v1/films/1/availability").await.json();
    let store = stores["stores"].as_array().unwrap().iter().find(|store| store["storeId"] == 1).cloned();
    store.expect("the sample data has copies of the first film there")["available"].as_i64().unwrap()
}

/// What the films of a report brought in, in cents.
fn revenue(report: &Answer) -> i64 {
    let films = report.json()["films"].as_array().unwrap().clone();
    films.iter().map(|film| film["revenue"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum()
}
