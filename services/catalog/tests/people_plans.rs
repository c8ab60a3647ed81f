//! The statements about people and copies use the indexes that were made for them, as PostgreSQL itself counts it.

use std::collections::BTreeMap;

use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::actor_service_client::ActorServiceClient;
use selvedge_proto::catalog::v1::category_service_client::CategoryServiceClient;
use selvedge_proto::catalog::v1::customer_service_client::CustomerServiceClient;
use selvedge_proto::catalog::v1::inventory_service_client::InventoryServiceClient;
use selvedge_proto::catalog::v1::language_service_client::LanguageServiceClient;
use selvedge_proto::catalog::v1::staff_service_client::StaffServiceClient;
use selvedge_proto::catalog::v1::store_service_client::StoreServiceClient;
use selvedge_proto::catalog::v1::{
    Address, CreateCustomerRequest, Customer, DeleteActorRequest, DeleteLanguageRequest, GetCustomerRequest,
    GetFilmAvailabilityRequest, ListActorsRequest, ListCategoriesRequest, ListCustomersRequest,
    ListInventoryItemsRequest, ListLanguagesRequest, ListStaffMembersRequest, ListStoresRequest,
    RetireInventoryItemRequest,
};
use selvedge_testing::{Database, Work};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::transport::Channel;

/// Twenty thousand of everything that grows, and the statistics that plans are made from.
const FILL: &str = "
    insert into languages (id, name) select n, 'Language ' || n from generate_series(0, 19) n;
    insert into categories (id, name) select n, 'Category ' || n from generate_series(0, 15) n;
    insert into films (id, title, language_id, original_language_id)
    select n, 'Film ' || n, n % 16, case when n % 100 = 0 then 18 end from generate_series(1, 20000) n;
    insert into film_categories (film_id, category_id) select id, id % 16 from films;
    insert into actors (id, first_name, last_name)
    select n, 'First' || n % 100, 'Last' || n from generate_series(1, 20000) n;
    insert into film_actors (film_id, actor_id) select id, id from films where id < 20000;
    insert into countries (id, name) select n, 'Country ' || n from generate_series(1, 600) n;
    insert into cities (id, name, country_id) select n, 'City ' || n, n % 600 + 1 from generate_series(1, 6000) n;
    insert into addresses (street, city_id) select 'Street', n % 6000 + 1 from generate_series(1, 20000) n;
    insert into stores (id, address_id) select n, n from generate_series(1, 1000) n;
    insert into staff (id, store_id, first_name, last_name, username, address_id)
    select n, n % 1000 + 1, 'f', 'l', 'user' || n, n from generate_series(1, 2000) n;
    insert into customers (store_id, first_name, last_name, email, address_id)
    select n % 1000 + 1, 'First' || n % 100, 'Last' || n, n || '@example.com', n
    from generate_series(1, 20000) n;
    insert into inventory (id, film_id, store_id)
    select n, n % 5000 + 1, n % 1000 + 1 from generate_series(1, 20000) n;
    insert into rentals (inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
        replacement_cost)
    select n, n, 1, now(), now(), case when n % 10 > 0 then now() end, 1, 20 from generate_series(1, 20000) n;
    vacuum analyze";

async fn filled() -> (Database, PgConnection) {
    let database = Database::new(SERVICE).await;
    let mut watcher = database.superuser().await;
    for statement in FILL.split(';') {
        watcher.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    (database, watcher)
}

#[tokio::test]
async fn nothing_that_is_asked_for_a_few_reads_everything() {
    let (database, _) = filled().await;
    let Work { tables, indexes, .. } = database
        .work(async |channel: Channel| {
            ask_about_people(channel.clone()).await;
            ask_about_copies(channel.clone()).await;
            ask_about_names(channel).await;
        })
        .await;
    assert_eq!(tables, BTreeMap::new(), "tables that were read from one end to the other");
    for index in [
        "actors_name",
        "actors_name_part",
        "film_actors_actor_id",
        "films_language_id",
        "films_original_language_id",
        "film_categories_category_id",
        "customers_name",
        "customers_name_part",
        "customers_email",
        "customers_store_id",
        "customers_pkey",
        "countries_name_key",
        "cities_country_id_name_key",
        "staff_store_id_id_key",
        "inventory_film_id",
        "inventory_store_id",
        "rentals_one_open_per_copy",
    ] {
        assert!(indexes.contains_key(index), "{index} in {indexes:?}");
    }
}

async fn ask_about_people(channel: Channel) {
    let mut customers = CustomerServiceClient::new(channel.clone());
    customers.get_customer(GetCustomerRequest { id: 20_000 }).await.unwrap();
    let page = customers.list_customers(ListCustomersRequest::default()).await.unwrap().into_inner();
    for (request, found) in [
        (ListCustomersRequest { page_token: page.next_page_token, ..Default::default() }, 20),
        (ListCustomersRequest { name_contains: "LAST19999".into(), ..Default::default() }, 1),
        (ListCustomersRequest { email: "19999@EXAMPLE.com".into(), ..Default::default() }, 1),
        (ListCustomersRequest { store_id: 7, active: Some(true), ..Default::default() }, 20),
    ] {
        let page = customers.list_customers(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.customers.len(), found, "{request:?}");
    }
    let address = Address {
        street: "Street".into(),
        city: "City 4321".into(),
        country: "Country 122".into(),
        ..Address::default()
    };
    let customer = Customer {
        store_id: 1,
        first_name: "f".into(),
        last_name: "l".into(),
        address: Some(address),
        ..Customer::default()
    };
    let create = CreateCustomerRequest { customer: Some(customer), request_id: String::new() };
    customers.create_customer(create).await.unwrap();

    let of_store = ListStaffMembersRequest { store_id: 7, ..Default::default() };
    let staff = StaffServiceClient::new(channel.clone()).list_staff_members(of_store).await.unwrap();
    assert_eq!(staff.into_inner().staff_members.len(), 2);
    let stores = StoreServiceClient::new(channel).list_stores(ListStoresRequest::default()).await.unwrap();
    assert_eq!(stores.into_inner().stores.len(), 20);
}

async fn ask_about_copies(channel: Channel) {
    let mut inventory = InventoryServiceClient::new(channel);
    let film = GetFilmAvailabilityRequest { film_id: 10 };
    let film = inventory.get_film_availability(film).await.unwrap().into_inner();
    assert_eq!(film.stores.iter().map(|store| store.copies).sum::<i32>(), 4);
    for (film_id, store_id, available, found) in [
        (0, 0, None, 20),
        (10, 0, None, 4),
        (0, 7, None, 20),
        (10, 10, Some(true), 4),
        (0, 0, Some(true), 20),
        (0, 0, Some(false), 20),
    ] {
        let request = ListInventoryItemsRequest { film_id, store_id, available, ..Default::default() };
        let page = inventory.list_inventory_items(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.inventory_items.len(), found, "{request:?}");
    }
    inventory.retire_inventory_item(RetireInventoryItemRequest { id: 1 }).await.unwrap();
}

async fn ask_about_names(channel: Channel) {
    let mut actors = ActorServiceClient::new(channel.clone());
    let page = actors.list_actors(ListActorsRequest::default()).await.unwrap().into_inner();
    for (request, found) in [
        (ListActorsRequest { page_token: page.next_page_token, ..Default::default() }, 20),
        (ListActorsRequest { name_contains: "LAST19999".into(), ..Default::default() }, 1),
    ] {
        let page = actors.list_actors(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.actors.len(), found, "{request:?}");
    }
    actors.delete_actor(DeleteActorRequest { id: 20_000, ..Default::default() }).await.unwrap();
    let mut languages = LanguageServiceClient::new(channel.clone());
    languages.delete_language(DeleteLanguageRequest { id: 18, ..Default::default() }).await.unwrap_err();
    languages.delete_language(DeleteLanguageRequest { id: 19, ..Default::default() }).await.unwrap();
    languages.list_languages(ListLanguagesRequest::default()).await.unwrap();
    let mut categories = CategoryServiceClient::new(channel);
    categories.list_categories(ListCategoriesRequest::default()).await.unwrap();
}

/// The negative control: without an index its table is read from one end to the other, and the counters say so.
#[tokio::test]
async fn without_an_index_everything_is_read() {
    let (database, mut watcher) = filled().await;
    watcher.execute("drop index inventory_film_id").await.unwrap();
    let Work { tables, .. } = database
        .work(async |channel: Channel| {
            let film = GetFilmAvailabilityRequest { film_id: 10 };
            InventoryServiceClient::new(channel).get_film_availability(film).await.unwrap();
        })
        .await;
    assert!(tables.contains_key("inventory"), "{tables:?}");
}
