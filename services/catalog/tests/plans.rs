//! The statements that the service really sends use the indexes that were made for them, as PostgreSQL itself counts it.

#[path = "common/shop.rs"]
#[expect(dead_code, reason = "it is served with another configuration here")]
mod shop;

use std::collections::BTreeMap;

use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::payment_service_client::PaymentServiceClient;
use selvedge_proto::catalog::v1::rental_service_client::RentalServiceClient;
use selvedge_proto::catalog::v1::{
    GetPaymentRequest, ListPaymentsRequest, ListRentalsRequest, RentFilmRequest, RentalState,
    ReturnFilmRequest,
};
use selvedge_testing::{Database, Work};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::transport::Channel;

/// A hundred thousand rentals in three years, the last five thousand of them open, with payments for all others.
const FILL: &str = "
    insert into customers (id, store_id, first_name, last_name, address_id)
    select n, 1, 'n', 'n', 1 from generate_series(10, 1009) n;
    insert into films (id, title, language_id) select n, 'n', 1 from generate_series(10, 509) n;
    insert into stores (id, address_id) select n, 1 from generate_series(10, 29) n;
    insert into inventory (id, film_id, store_id)
    select 100 + n, 10 + n % 500, 10 + n / 500 from generate_series(0, 9999) n;
    insert into rentals (id, inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
        replacement_cost)
    select n, 100 + n % 10000, 10 + n * 7 % 1000, 1, at, at + interval '3 days',
        case when n <= 95000 then at + interval '2 days' end, 0.99, 5
    from generate_series(1, 100000) n, lateral (select now() - interval '15 minutes' * (100000 - n) as at) times;
    select ensure_payments_partition(now() - interval '1 month' * n) from generate_series(-1, 36) n;
    insert into payments (customer_id, staff_id, rental_id, amount, payment_date)
    select customer_id, 1, id, 0.99, return_date from rentals where return_date is not null;
    select setval('rentals_id_seq', 100000);
    update report_refreshes set refreshed_at = now() + interval '1 day';
    vacuum analyze";

/// How often each list is asked for, so that what the service does besides does not count.
const CALLS: i64 = 20;

struct Clients {
    rentals: RentalServiceClient<Channel>,
    payments: PaymentServiceClient<Channel>,
}

async fn filled() -> (Database, PgConnection) {
    let database = Database::new(SERVICE).await;
    let mut watcher = shop::furnish(&database).await;
    for statement in FILL.split(';') {
        watcher.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    (database, watcher)
}

/// What the database did meanwhile. Films and customers are few, and may be read as a whole.
async fn work(database: &Database, calls: impl AsyncFnOnce(&mut Clients)) -> Work {
    let calls = async |channel: Channel| {
        let mut clients = Clients {
            rentals: RentalServiceClient::new(channel.clone()),
            payments: PaymentServiceClient::new(channel),
        };
        calls(&mut clients).await;
    };
    let mut work = database.work(calls).await;
    work.tables.retain(|table, _| !["films", "customers"].contains(&table.as_str()));
    work
}

fn blocks(work: &Work) -> i64 {
    work.blocks_of("rentals") + work.blocks_of("payments")
}

/// Many calls of the same list.
async fn list(clients: &mut Clients, request: &ListRentalsRequest, rows: usize) {
    for _ in 0..CALLS {
        let page = clients.rentals.list_rentals(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.rentals.len(), rows, "{request:?}");
    }
}

#[tokio::test]
async fn every_list_of_rentals_has_its_index() {
    let (database, mut watcher) = filled().await;
    let week_ago = prost_types::Timestamp { seconds: chrono::Utc::now().timestamp() - 7 * 86_400, nanos: 0 };
    let none = ListRentalsRequest::default();
    for (request, index) in [
        (none.clone(), "rentals_rental_date"),
        (ListRentalsRequest { rented_before: Some(week_ago), ..none.clone() }, "rentals_rental_date"),
        (ListRentalsRequest { state: RentalState::Overdue.into(), ..none.clone() }, "rentals_due_date"),
        (ListRentalsRequest { state: RentalState::Open.into(), ..none.clone() }, "rentals_open"),
        (ListRentalsRequest { customer_id: 17, ..none.clone() }, "rentals_customer_id"),
        (
            ListRentalsRequest { customer_id: 17, rented_before: Some(week_ago), ..none.clone() },
            "rentals_customer_id",
        ),
        (ListRentalsRequest { film_id: 17, ..none.clone() }, "rentals_film_id"),
        (ListRentalsRequest { store_id: 17, ..none.clone() }, "rentals_store_id"),
        (
            ListRentalsRequest { store_id: 17, rented_before: Some(week_ago), ..none.clone() },
            "rentals_store_id",
        ),
    ] {
        let work = work(&database, async |clients| list(clients, &request, 20).await).await;
        assert_eq!(work.tables, BTreeMap::new(), "{request:?}");
        assert!(work.indexes.get(index).is_some_and(|scans| *scans >= CALLS), "{request:?}: {work:?}");
        // A row or two per page and some levels of the index: reading all would be a thousand and more.
        assert!(blocks(&work) < CALLS * 100, "{request:?}: {work:?}");
    }
    // Without the index, its absence is seen.
    watcher.execute("drop index rentals_film_id").await.unwrap();
    let request = ListRentalsRequest { film_id: 17, ..none };
    let work = work(&database, async |clients| list(clients, &request, 20).await).await;
    assert!(!work.tables.is_empty() || blocks(&work) >= CALLS * 100, "{work:?}");
}

#[tokio::test]
async fn the_five_hundredth_page_costs_what_the_first_does() {
    let (database, _) = filled().await;
    for request in [
        ListRentalsRequest { page_size: 9, state: RentalState::Overdue.into(), ..Default::default() },
        ListRentalsRequest { page_size: 10, store_id: 17, ..Default::default() },
        ListRentalsRequest { page_size: 100, ..Default::default() },
    ] {
        let rows = usize::try_from(request.page_size).unwrap();
        let first = work(&database, async |clients| list(clients, &request, rows).await).await;
        let mut deep = request.clone();
        work(&database, async |clients| {
            for _ in 1..500 {
                let page = clients.rentals.list_rentals(deep.clone()).await.unwrap().into_inner();
                deep.page_token = page.next_page_token;
            }
        })
        .await;
        let last = work(&database, async |clients| list(clients, &deep, rows).await).await;
        assert!(blocks(&last) < blocks(&first) * 3 / 2 + 200, "{request:?}: {first:?} {last:?}");
    }
}

#[tokio::test]
async fn payments_rents_and_returns_have_their_indexes() {
    let (database, _) = filled().await;
    let now = chrono::Utc::now().timestamp();
    let at = |days: i64| Some(prost_types::Timestamp { seconds: now - days * 86_400, nanos: 0 });
    let list = |customer_id, rental_id, paid_from, paid_before| ListPaymentsRequest {
        customer_id,
        rental_id,
        paid_from,
        paid_before,
        ..Default::default()
    };
    let work = work(&database, async |clients| {
        for (request, rows) in [
            (list(17, 0, None, None), 20),
            (list(17, 0, at(300), at(200)), 10),
            (list(0, 4321, None, None), 1),
            (list(0, 0, at(300), at(299)), 20),
            (list(0, 0, None, None), 20),
        ] {
            let page = clients.payments.list_payments(request.clone()).await.unwrap().into_inner();
            assert!(page.payments.len().abs_diff(rows) < 5, "{request:?}: {}", page.payments.len());
        }
        clients.payments.get_payment(GetPaymentRequest { id: 777 }).await.unwrap();
        let rent =
            RentFilmRequest { film_id: 1, store_id: 1, customer_id: 1, staff_id: 1, ..Default::default() };
        let rental_id = clients.rentals.rent_film(rent).await.unwrap().into_inner().id;
        let back = ReturnFilmRequest { rental_id, staff_id: 1, ..Default::default() };
        clients.rentals.return_film(back).await.unwrap();
    })
    .await;
    assert_eq!(work.tables, BTreeMap::new(), "tables that were read from one end to the other");
    for index in
        ["customer_id_payment_date_id_idx", "rental_id_idx", "_pkey", "_id_idx", "rentals_one_open_per_copy"]
    {
        assert!(work.indexes.keys().any(|name| name.ends_with(index)), "{index} in {work:?}");
    }
}
