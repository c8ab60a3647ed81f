//! Copies of films: how many there are, which can be rented, and when they go.

#[path = "common/people.rs"]
mod people;

use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::inventory_service_client::InventoryServiceClient;
use selvedge_proto::catalog::v1::{
    AddInventoryItemsRequest, FilmAvailability, GetFilmAvailabilityRequest, GetInventoryItemRequest,
    InventoryItem, ListInventoryItemsRequest, RetireInventoryItemRequest, StoreAvailability,
};
use selvedge_testing::{Served, reason, serve, violated};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::transport::Channel;
use tonic::{Code, Status};

use people::store;

type Client = InventoryServiceClient<Channel>;

/// The films 1 and 2, and a customer and a member of staff for each store.
const FILMS_AND_PEOPLE: &str = "
    insert into languages (id, name) values (1, 'English');
    insert into films (id, title, language_id) values (1, 'Alien', 1), (2, 'Aliens', 1);
    insert into staff (id, store_id, first_name, last_name, username, address_id)
    select id, id, 'f', 'l', 'user' || id, address_id from stores;
    insert into customers (id, store_id, first_name, last_name, address_id)
    select id, id, 'f', 'l', address_id from stores";

/// A service with two films and two stores, 1 and 2.
async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    assert_eq!([store(&served).await.id, store(&served).await.id], [1, 2]);
    served.database.superuser().await.execute(FILMS_AND_PEOPLE).await.unwrap();
    let client = Client::new(served.channel());
    (served, client)
}

async fn add(client: &mut Client, film_id: i32, store_id: i32, count: i32) -> Vec<InventoryItem> {
    let request = AddInventoryItemsRequest { film_id, store_id, count, request_id: String::new() };
    client.add_inventory_items(request).await.unwrap().into_inner().inventory_items
}

async fn get(client: &mut Client, id: i32) -> Result<InventoryItem, Status> {
    Ok(client.get_inventory_item(GetInventoryItemRequest { id }).await?.into_inner())
}

async fn retire(client: &mut Client, id: i32) -> Result<InventoryItem, Status> {
    Ok(client.retire_inventory_item(RetireInventoryItemRequest { id }).await?.into_inner())
}

async fn availability(client: &mut Client, film_id: i32) -> Result<FilmAvailability, Status> {
    Ok(client.get_film_availability(GetFilmAvailabilityRequest { film_id }).await?.into_inner())
}

/// Rents a copy out, unless it is retired, as the service does it: in a transaction that locks it first.
async fn rent(connection: &mut PgConnection, id: i32) -> u64 {
    let sql = format!(
        "with copy as materialized (
             select id from inventory where id = {id} and retired_at is null for update
         )
         insert into rentals
             (inventory_id, customer_id, staff_id, rental_date, due_date, rental_rate, replacement_cost)
         select id, 1, 1, now(), now() + interval '3 days', 0.99, 19.99 from copy"
    );
    connection.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
}

async fn take_back(connection: &mut PgConnection, id: i32) {
    let sql = "update rentals set return_date = now() where inventory_id = $1 and return_date is null";
    sqlx::query(sql).bind(id).execute(connection).await.unwrap();
}

#[tokio::test]
async fn copies_are_added_together() {
    let (_served, mut client) = start().await;
    let added = add(&mut client, 1, 2, 100).await;
    assert_eq!(added.len(), 100);
    assert!(added.is_sorted_by(|one, next| one.id < next.id));
    for item in &added {
        assert_eq!((item.film_id, item.store_id, item.available), (1, 2, true));
        assert!(item.retired_at.is_none() && item.last_update.is_some());
    }
    assert_eq!(get(&mut client, added[99].id).await.unwrap(), added[99]);
    let status = get(&mut client, added[99].id + 1).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "INVENTORY_ITEM_NOT_FOUND"));
}

#[tokio::test]
async fn a_request_that_is_repeated_adds_once() {
    let (_served, mut client) = start().await;
    let request = AddInventoryItemsRequest { film_id: 1, store_id: 1, count: 2, request_id: "once".into() };
    let first = client.add_inventory_items(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.add_inventory_items(request).await.unwrap().into_inner(), first);
    let all = client.list_inventory_items(ListInventoryItemsRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.inventory_items, first.inventory_items);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client) = start().await;
    for (count, film_id, store_id) in [(0, 0, 0), (101, -1, -1)] {
        let request = AddInventoryItemsRequest { film_id, store_id, count, request_id: String::new() };
        let status = client.add_inventory_items(request).await.unwrap_err();
        assert_eq!(violated(&status), ["film_id", "store_id", "count"]);
    }
    for (film_id, store_id, expected) in [(3, 1, "FILM_NOT_FOUND"), (1, 3, "STORE_NOT_FOUND")] {
        let request = AddInventoryItemsRequest { film_id, store_id, count: 1, request_id: String::new() };
        let status = client.add_inventory_items(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, expected));
    }
    assert_eq!(violated(&get(&mut client, 0).await.unwrap_err()), ["id"]);
    assert_eq!(violated(&retire(&mut client, 0).await.unwrap_err()), ["id"]);
    assert_eq!(violated(&availability(&mut client, 0).await.unwrap_err()), ["film_id"]);
    for request in [
        ListInventoryItemsRequest { page_size: -1, ..Default::default() },
        ListInventoryItemsRequest { film_id: -1, ..Default::default() },
        ListInventoryItemsRequest { store_id: -1, ..Default::default() },
        ListInventoryItemsRequest { page_token: "x".into(), ..Default::default() },
    ] {
        assert_eq!(client.list_inventory_items(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn availability_counts_what_is_there_by_store() {
    let (served, mut client) = start().await;
    let none = FilmAvailability { film_id: 1, stores: vec![] };
    assert_eq!(availability(&mut client, 1).await.unwrap(), none);
    let status = availability(&mut client, 3).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "FILM_NOT_FOUND"));

    let second = add(&mut client, 1, 2, 1).await;
    let first = add(&mut client, 1, 1, 4).await;
    add(&mut client, 2, 1, 1).await;
    let mut app = served.database.role("app").await;
    assert_eq!(rent(&mut app, first[0].id).await, 1);
    assert_eq!(rent(&mut app, first[1].id).await, 1);
    take_back(&mut app, first[1].id).await;
    retire(&mut client, first[2].id).await.unwrap();
    let of = |store_id, copies, available| StoreAvailability { store_id, copies, available };
    assert_eq!(availability(&mut client, 1).await.unwrap().stores, [of(1, 3, 2), of(2, 1, 1)]);
    assert_eq!(availability(&mut client, 2).await.unwrap().stores, [of(1, 1, 1)]);

    retire(&mut client, second[0].id).await.unwrap();
    assert_eq!(availability(&mut client, 1).await.unwrap().stores, [of(1, 3, 2)]);
}

#[tokio::test]
async fn a_list_has_pages_and_filters() {
    let (served, mut client) = start().await;
    let mut items = add(&mut client, 1, 1, 2).await;
    items.extend(add(&mut client, 2, 1, 2).await);
    items.extend(add(&mut client, 1, 2, 3).await);
    let mut app = served.database.role("app").await;
    for at in [1, 3, 5] {
        assert_eq!(rent(&mut app, items[at].id).await, 1);
    }
    take_back(&mut app, items[5].id).await;
    retire(&mut client, items[6].id).await.unwrap();
    for item in &mut items {
        *item = get(&mut client, item.id).await.unwrap();
    }
    let available: Vec<_> = items.iter().map(|item| item.available).collect();
    assert_eq!(available, [true, false, true, false, true, true, false]);
    for (film_id, store_id, available, found) in [
        (0, 0, None, &[0, 1, 2, 3, 4, 5, 6][..]),
        (1, 0, None, &[0, 1, 4, 5, 6]),
        (0, 2, None, &[4, 5, 6]),
        (1, 1, None, &[0, 1]),
        (0, 0, Some(true), &[0, 2, 4, 5]),
        (0, 0, Some(false), &[1, 3, 6]),
        (1, 2, Some(false), &[6]),
        (3, 0, None, &[]),
    ] {
        let mut request =
            ListInventoryItemsRequest { page_size: 2, film_id, store_id, available, ..Default::default() };
        let mut seen = vec![];
        loop {
            let page = client.list_inventory_items(request.clone()).await.unwrap().into_inner();
            assert!(page.inventory_items.len() <= 2);
            seen.extend(page.inventory_items);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let found: Vec<_> = found.iter().map(|at: &usize| items[*at]).collect();
        assert_eq!(seen, found, "{film_id} {store_id} {available:?}");
    }
}

#[tokio::test]
async fn a_copy_is_retired_once_and_not_while_it_is_rented() {
    let (served, mut client) = start().await;
    let item = add(&mut client, 1, 1, 1).await.remove(0);
    let mut app = served.database.role("app").await;
    assert_eq!(rent(&mut app, item.id).await, 1);
    let status = retire(&mut client, item.id).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "COPY_IS_RENTED"));
    assert_eq!(get(&mut client, item.id).await.unwrap().retired_at, None);
    take_back(&mut app, item.id).await;
    let retired = retire(&mut client, item.id).await.unwrap();
    assert!(retired.retired_at.is_some() && !retired.available);
    assert_eq!(get(&mut client, item.id).await.unwrap(), retired);
    assert_eq!(retire(&mut client, item.id).await.unwrap(), retired, "it stays as it is");
    assert_eq!(rent(&mut app, item.id).await, 0);
    let status = retire(&mut client, item.id + 1).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "INVENTORY_ITEM_NOT_FOUND"));
}

/// How many copies are both retired and with a customer.
async fn retired_and_rented(served: &Served) -> i64 {
    let sql = "select count(*) from inventory join rentals on inventory_id = inventory.id
               where retired_at is not null and return_date is null";
    sqlx::query_scalar(sql).fetch_one(&mut served.database.superuser().await).await.unwrap()
}

/// With the negative control: without the lock, whoever retires sees no rental that has not been committed.
#[tokio::test]
async fn a_copy_that_is_just_being_rented_is_not_retired() {
    let (served, mut client) = start().await;
    let items = add(&mut client, 1, 1, 2).await;
    let mut app = served.database.role("app").await;
    app.execute("begin").await.unwrap();
    assert_eq!(rent(&mut app, items[0].id).await, 1);
    let id = items[0].id;
    let retirement = tokio::spawn(async move { retire(&mut client, id).await });
    served.until_waiting(1).await;
    app.execute("commit").await.unwrap();
    assert_eq!(reason(&retirement.await.unwrap().unwrap_err()), "COPY_IS_RENTED");
    assert_eq!(retired_and_rented(&served).await, 0);

    // As RetireInventoryItem without the lock of the one and RentFilm without that of the other: all that is left is the
    // foreign key's, which is in nobody's way.
    app.execute("begin").await.unwrap();
    let unlocked = "insert into rentals
                        (inventory_id, customer_id, staff_id, rental_date, due_date, rental_rate, replacement_cost)
                    values ($1, 1, 1, now(), now(), 0.99, 19.99)";
    sqlx::query(unlocked).bind(items[1].id).execute(&mut app).await.unwrap();
    let mut other = served.database.role("app").await;
    let unlocked = "update inventory set retired_at = now() where id = $1 and not exists (
                        select from rentals where inventory_id = inventory.id and return_date is null)";
    let done = sqlx::query(unlocked).bind(items[1].id).execute(&mut other).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    app.execute("commit").await.unwrap();
    assert_eq!(retired_and_rented(&served).await, 1);
}

#[tokio::test]
async fn of_renting_and_retiring_at_once_one_happens() {
    let (served, client) = start().await;
    let items = add(&mut client.clone(), 1, 1, 32).await;
    let tries = items.iter().map(|item| async {
        let mut app = served.database.role("app").await;
        let mut client = client.clone();
        tokio::join!(rent(&mut app, item.id), retire(&mut client, item.id))
    });
    for (rented, retired) in futures::future::join_all(tries).await {
        assert_eq!(rented == 1, retired.is_err(), "{retired:?}");
    }
    assert_eq!(retired_and_rented(&served).await, 0);
}
