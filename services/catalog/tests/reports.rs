//! The figures about the business.

#[path = "common/shop.rs"]
mod shop;

use std::time::Duration;

use prost_types::Timestamp;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::report_service_client::ReportServiceClient;
use selvedge_proto::catalog::v1::{
    GetCategoryRevenueRequest, GetStoreRevenueRequest, GetTopCustomersRequest, GetTopFilmsRequest,
    RefreshReportsRequest,
};
use selvedge_testing::{Database, reason, violated};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::Code;
use tonic::transport::Channel;

type Client = ReportServiceClient<Channel>;

/// Two hundred rentals over a year, most of them paid, some of them twice.
const FILL: &str = "
    insert into rentals (id, inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
        replacement_cost)
    select n, 1 + n % 8, 1 + n % 3, 1, '2024-01-01', '2024-01-04', '2024-01-03', 0.99, 5 from generate_series(1, 200) n;
    insert into payments (customer_id, staff_id, rental_id, amount, payment_date)
    select 1 + rental % 3, 1, rental, n % 11 + 0.99, timestamptz '2024-01-15 00:00Z' + interval '1 month' * (n / 12 % 12)
    from generate_series(1, 210) n, lateral (select 1 + n % 190 as rental) rentals";

/// What each report says, in words: name or id, number, money.
async fn told(client: &mut Client) -> [Vec<String>; 6] {
    let categories = client.get_category_revenue(GetCategoryRevenueRequest {}).await.unwrap().into_inner();
    let stores = client.get_store_revenue(GetStoreRevenueRequest::default()).await.unwrap().into_inner();
    let mut answers = vec![
        categories
            .categories
            .iter()
            .map(|row| format!("{} {} {}", row.name, row.rentals, row.revenue))
            .collect(),
        stores
            .stores
            .iter()
            .map(|row| format!("{} {} {} {}", row.month, row.store_id, row.payments, row.revenue))
            .collect::<Vec<_>>(),
    ];
    for order_by in ["", "rentals"] {
        let request = GetTopFilmsRequest { order_by: order_by.into(), ..Default::default() };
        let films = client.get_top_films(request).await.unwrap().into_inner().films;
        answers
            .push(films.iter().map(|row| format!("{} {} {}", row.title, row.rentals, row.revenue)).collect());
        let request = GetTopCustomersRequest { order_by: order_by.into(), ..Default::default() };
        let customers = client.get_top_customers(request).await.unwrap().into_inner().customers;
        let line = |first: &str, last: &str, rentals, revenue| format!("{first} {last} {rentals} {revenue}");
        answers.push(
            customers
                .iter()
                .map(|row| line(&row.first_name, &row.last_name, row.rentals, row.revenue.clone()))
                .collect(),
        );
    }
    answers.try_into().unwrap()
}

/// The same by plain SQL.
async fn expected(db: &mut PgConnection) -> [Vec<String>; 6] {
    let of = |what: &str, join: &str, order: &str| {
        format!(
            "select {what} || ' ' || count(distinct rentals.id) || ' ' || coalesce(sum(amount), 0.00)
             from {join} left join payments on rental_id = rentals.id
             group by {what} order by {order} desc, min(inventory.film_id), {what}"
        )
    };
    let films = "films join inventory on film_id = films.id join rentals on inventory_id = inventory.id";
    let categories = "categories left join film_categories on category_id = categories.id
        left join inventory on inventory.film_id = film_categories.film_id
        left join rentals on inventory_id = inventory.id";
    let customers = "customers join rentals on rentals.customer_id = customers.id
        join inventory on inventory.id = inventory_id";
    let full_name = "first_name || ' ' || last_name";
    let (money, times) = ("coalesce(sum(amount), 0)", "count(distinct rentals.id)");
    let stores = "select to_char(payment_date at time zone 'UTC', 'YYYY-MM') || ' ' || inventory.store_id || ' ' || count(*)
            || ' ' || sum(amount)
        from payments join rentals on rentals.id = rental_id join inventory on inventory.id = inventory_id
        group by to_char(payment_date at time zone 'UTC', 'YYYY-MM'), inventory.store_id
        order by to_char(payment_date at time zone 'UTC', 'YYYY-MM') desc, inventory.store_id";
    let mut answers = vec![];
    for sql in [
        of("name", categories, money),
        stores.to_owned(),
        of("title", films, money),
        of(full_name, customers, money),
        of("title", films, times),
        of(full_name, customers, times),
    ] {
        answers.push(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *db).await.unwrap());
    }
    answers.try_into().unwrap()
}

async fn refreshed_at(client: &mut Client) -> Timestamp {
    let times = [
        client.get_category_revenue(GetCategoryRevenueRequest {}).await.unwrap().into_inner().refreshed_at,
        client.get_store_revenue(GetStoreRevenueRequest::default()).await.unwrap().into_inner().refreshed_at,
        client.get_top_films(GetTopFilmsRequest::default()).await.unwrap().into_inner().refreshed_at,
        client.get_top_customers(GetTopCustomersRequest::default()).await.unwrap().into_inner().refreshed_at,
    ];
    assert!(times.iter().all(|time| *time == times[0]));
    times[0].unwrap()
}

#[tokio::test]
async fn the_figures_are_those_of_plain_sql_as_soon_as_they_are_brought_up_to_date() {
    let (served, mut db) = shop::open().await;
    let mut client = Client::new(served.channel());
    db.execute(FILL).await.unwrap();
    let stale = refreshed_at(&mut client).await;
    assert!(told(&mut client).await[1..].iter().all(Vec::is_empty));
    let refreshed = client.refresh_reports(RefreshReportsRequest {}).await.unwrap().into_inner().refreshed_at;
    assert_eq!(refreshed, Some(refreshed_at(&mut client).await));
    assert!((refreshed.unwrap().seconds, refreshed.unwrap().nanos) > (stale.seconds, stale.nanos));
    let (told, expected) = (told(&mut client).await, expected(&mut db).await);
    assert_eq!(told, expected);
    assert_eq!(told.each_ref().map(Vec::len), [3, 24, 3, 3, 3, 3]);
    assert!(told[0].contains(&"Empty 0 0.00".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_part_of_the_figures() {
    let (served, mut db) = shop::open().await;
    let mut client = Client::new(served.channel());
    db.execute(FILL).await.unwrap();
    client.refresh_reports(RefreshReportsRequest {}).await.unwrap();
    for (store_id, first, last, rows) in [
        (0, "", "", 24),
        (1, "", "", 12),
        (2, "2024-03", "2024-05", 3),
        (0, "2024-12", "", 2),
        (0, "", "2023-12", 0),
    ] {
        let request = GetStoreRevenueRequest { store_id, first_month: first.into(), last_month: last.into() };
        let found = client.get_store_revenue(request).await.unwrap().into_inner().stores;
        assert_eq!(found.len(), rows, "{store_id} {first} {last}");
        assert!(found.iter().all(|row| row.store_id == store_id || store_id == 0));
        assert!(
            found
                .iter()
                .all(|row| first <= row.month.as_str() && (last.is_empty() || row.month.as_str() <= last))
        );
    }
    let request = GetTopFilmsRequest { page_size: 2, ..Default::default() };
    assert_eq!(client.get_top_films(request).await.unwrap().into_inner().films.len(), 2);
    let request = GetTopCustomersRequest { page_size: 1, ..Default::default() };
    assert_eq!(client.get_top_customers(request).await.unwrap().into_inner().customers.len(), 1);
    let wrong = GetTopFilmsRequest { order_by: "title".into(), ..Default::default() };
    assert_eq!(violated(&client.get_top_films(wrong).await.unwrap_err()), ["order_by"]);
    let wrong = GetStoreRevenueRequest { first_month: "2024-13".into(), ..Default::default() };
    assert_eq!(violated(&client.get_store_revenue(wrong).await.unwrap_err()), ["first_month"]);
}

/// With the negative control: a refresh of the other kind is in the way of readers.
#[tokio::test]
async fn while_the_figures_are_brought_up_to_date_the_old_ones_are_read() {
    let (served, mut db) = shop::open().await;
    let mut client = Client::new(served.channel());
    db.execute(FILL).await.unwrap();
    let before = (refreshed_at(&mut client).await, told(&mut client).await);
    let mut other = served.database.role("app").await;
    other.execute("begin; select refresh_reports()").await.unwrap();
    assert_eq!((refreshed_at(&mut client).await, told(&mut client).await), before);
    let status = client.refresh_reports(RefreshReportsRequest {}).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "REFRESH_UNDER_WAY"));
    other.execute("commit").await.unwrap();
    assert_ne!((refreshed_at(&mut client).await, told(&mut client).await), before);

    db.execute("begin; refresh materialized view film_revenue").await.unwrap();
    let reader = tokio::spawn(async move { client.get_top_films(GetTopFilmsRequest::default()).await });
    let mut watcher = served.database.superuser().await;
    let waits = "select exists (select from pg_stat_activity where usename = 'catalog_app' and wait_event_type = 'Lock'
                     and datname = current_database())";
    while !reader.is_finished()
        && !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watcher).await.unwrap()
    {
        tokio::task::yield_now().await;
    }
    assert!(!reader.is_finished(), "it should have been in the way");
    db.execute("commit").await.unwrap();
    reader.await.unwrap().unwrap();
}

#[tokio::test]
async fn figures_that_are_old_are_brought_up_to_date_unasked() {
    let database = Database::new(SERVICE).await;
    let mut db = shop::furnish(&database).await;
    db.execute(FILL).await.unwrap();
    db.execute("update report_refreshes set refreshed_at = now() - interval '6 minutes'").await.unwrap();
    let running = SERVICE.start(&database.config(|_| {})).await.unwrap();
    let fresh = "select refreshed_at > now() - interval '5 minutes' from report_refreshes";
    for _ in 0..3000 {
        if sqlx::query_scalar::<_, bool>(fresh).fetch_one(&mut db).await.unwrap() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let films: i64 =
        sqlx::query_scalar("select count(*) from film_revenue").fetch_one(&mut db).await.unwrap();
    assert_eq!(films, 3);
    running.stop().await;
}
