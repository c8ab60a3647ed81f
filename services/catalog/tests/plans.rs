//! The statements that the service really sends use the indexes that were made for them, as PostgreSQL itself counts it.

#[path = "common/shop.rs"]
#[expect(dead_code, reason = "it is served with another configuration here")]
mod shop;

use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_catalog::SERVICE;
use selvedge_kit::config::Secret;
use selvedge_proto::catalog::v1::payment_service_client::PaymentServiceClient;
use selvedge_proto::catalog::v1::rental_service_client::RentalServiceClient;
use selvedge_proto::catalog::v1::{
    GetPaymentRequest, ListPaymentsRequest, ListRentalsRequest, RentFilmRequest, RentalState,
    ReturnFilmRequest,
};
use selvedge_testing::Database;
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

/// What was done to tables and indexes: scans of tables as a whole, scans of indexes, and pages that were looked at.
#[derive(Debug, Default)]
struct Work {
    tables: BTreeMap<String, i64>,
    indexes: BTreeMap<String, i64>,
    pages: i64,
}

async fn filled() -> (Database, PgConnection) {
    let database = Database::new(SERVICE).await;
    let mut watcher = shop::furnish(&database).await;
    for statement in FILL.split(';') {
        watcher.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    (database, watcher)
}

/// What the service did for this.
async fn done(
    database: &Database,
    watcher: &mut PgConnection,
    calls: impl AsyncFnOnce(&mut Clients),
) -> Work {
    let before = counters(watcher).await;
    // Its page tokens are good for the next one as well.
    let config = database.config(|config| config.tokens.page_token_keys = Some(Secret::new("ab".repeat(32))));
    let running = SERVICE.start(&config).await.unwrap();
    running.wait_until_ready().await;
    let url = format!("http://{}", running.address);
    let mut clients = Clients {
        rentals: RentalServiceClient::connect(url.clone()).await.unwrap(),
        payments: PaymentServiceClient::connect(url).await.unwrap(),
    };
    calls(&mut clients).await;
    running.stop().await;
    // A backend reports what it did when it ends.
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where usename = 'catalog_app' and datname = current_database()";
    while sqlx::query_scalar::<_, i64>(cut).fetch_one(&mut *watcher).await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = counters(watcher).await;
    let difference = |before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>| {
        let more = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
        more.filter(|(_, count)| *count > 0).collect()
    };
    Work {
        tables: difference(&before.tables, &after.tables),
        indexes: difference(&before.indexes, &after.indexes),
        pages: after.pages - before.pages,
    }
}

async fn counters(watcher: &mut PgConnection) -> Work {
    watcher.execute("select pg_stat_force_next_flush()").await.unwrap();
    let tables = "select relname::text, seq_scan from pg_stat_user_tables
                  where n_live_tup > 500 and relname not in ('films', 'customers')";
    let indexes = "select indexrelname::text, idx_scan from pg_stat_user_indexes";
    let mut work = Work::default();
    for (sql, into) in [(tables, &mut work.tables), (indexes, &mut work.indexes)] {
        let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut *watcher).await.unwrap();
        into.extend(rows);
    }
    let pages = "select sum(coalesce(heap_blks_hit + heap_blks_read, 0) + coalesce(idx_blks_hit + idx_blks_read, 0))::bigint
                 from pg_statio_user_tables where relname = 'rentals' or relname like 'payments%'";
    work.pages = sqlx::query_scalar(pages).fetch_one(&mut *watcher).await.unwrap();
    work
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
        let work = done(&database, &mut watcher, async |clients| list(clients, &request, 20).await).await;
        assert_eq!(work.tables, BTreeMap::new(), "{request:?}");
        assert!(work.indexes.get(index).is_some_and(|scans| *scans >= CALLS), "{request:?}: {work:?}");
        // A row or two per page and some levels of the index: reading all would be a thousand and more.
        assert!(work.pages < CALLS * 100, "{request:?}: {work:?}");
    }
    // Without the index, its absence is seen.
    watcher.execute("drop index rentals_film_id").await.unwrap();
    let request = ListRentalsRequest { film_id: 17, ..none };
    let work = done(&database, &mut watcher, async |clients| list(clients, &request, 20).await).await;
    assert!(!work.tables.is_empty() || work.pages >= CALLS * 100, "{work:?}");
}

#[tokio::test]
async fn the_five_hundredth_page_costs_what_the_first_does() {
    let (database, mut watcher) = filled().await;
    for request in [
        ListRentalsRequest { page_size: 9, state: RentalState::Overdue.into(), ..Default::default() },
        ListRentalsRequest { page_size: 10, store_id: 17, ..Default::default() },
        ListRentalsRequest { page_size: 100, ..Default::default() },
    ] {
        let rows = usize::try_from(request.page_size).unwrap();
        let first = done(&database, &mut watcher, async |clients| list(clients, &request, rows).await).await;
        let mut deep = request.clone();
        done(&database, &mut watcher, async |clients| {
            for _ in 1..500 {
                let page = clients.rentals.list_rentals(deep.clone()).await.unwrap().into_inner();
                deep.page_token = page.next_page_token;
            }
        })
        .await;
        let last = done(&database, &mut watcher, async |clients| list(clients, &deep, rows).await).await;
        assert!(last.pages < first.pages * 3 / 2 + 200, "{request:?}: {first:?} {last:?}");
    }
}

#[tokio::test]
async fn payments_rents_and_returns_have_their_indexes() {
    let (database, mut watcher) = filled().await;
    let now = chrono::Utc::now().timestamp();
    let at = |days: i64| Some(prost_types::Timestamp { seconds: now - days * 86_400, nanos: 0 });
    let list = |customer_id, rental_id, paid_from, paid_before| ListPaymentsRequest {
        customer_id,
        rental_id,
        paid_from,
        paid_before,
        ..Default::default()
    };
    let work = done(&database, &mut watcher, async |clients| {
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
