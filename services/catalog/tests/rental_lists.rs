//! Lists of rentals.

#[path = "common/shop.rs"]
mod shop;

use selvedge_proto::catalog::v1::rental_service_client::RentalServiceClient;
use selvedge_proto::catalog::v1::{ListRentalsRequest, RentalState};
use selvedge_testing::violated;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::Code;
use tonic::transport::Channel;

/// 2026-01-01.
const START: i64 = 1_767_225_600;

/// Eighty rentals, many of them at the same time: most have come back, some are overdue, some are not due yet.
const FILL: &str = "
    insert into inventory (id, film_id, store_id)
    select 100 + n, 1 + n % 3, 1 + n % 2 from generate_series(1, 80) n;
    insert into rentals (inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
        replacement_cost)
    select 100 + n, 1 + n / 2 % 2, 1, at, case when n % 7 = 0 then now() + interval '1 day' * n else at + interval '1 day' * (n % 4) end,
        case when n % 5 > 1 then at + interval '3 days' end, 0.99, 5
    from generate_series(1, 80) n,
        lateral (select timestamptz '2026-01-01 00:00Z' + interval '1 hour' * (n / 3) as at) times";

async fn all(client: &mut RentalServiceClient<Channel>, mut request: ListRentalsRequest) -> Vec<i64> {
    let mut ids = vec![];
    loop {
        let page = client.list_rentals(request.clone()).await.unwrap().into_inner();
        ids.extend(page.rentals.iter().map(|rental| rental.id));
        if page.next_page_token.is_empty() {
            return ids;
        }
        assert_eq!(page.rentals.len(), usize::try_from(request.page_size).unwrap());
        request.page_token = page.next_page_token;
    }
}

/// The same by the plainest SQL, which asks the copies.
async fn expected(db: &mut PgConnection, request: &ListRentalsRequest) -> Vec<i64> {
    let mut sql =
        "select rentals.id from rentals join inventory on inventory.id = inventory_id where true".to_owned();
    for (column, id) in [
        ("customer_id", request.customer_id),
        ("inventory.film_id", request.film_id),
        ("inventory.store_id", request.store_id),
    ] {
        if id != 0 {
            sql += &format!(" and {column} = {id}");
        }
    }
    sql += match request.state() {
        RentalState::Unspecified => "",
        RentalState::Open => " and return_date is null",
        RentalState::Overdue => " and return_date is null and now() > due_date",
        RentalState::Returned => " and return_date is not null",
    };
    if let Some(from) = request.rented_from {
        sql += &format!(" and rental_date >= to_timestamp({})", from.seconds);
    }
    if let Some(before) = request.rented_before {
        sql += &format!(" and rental_date < to_timestamp({})", before.seconds);
    }
    sql += match request.state() {
        RentalState::Overdue => " order by due_date, rentals.id",
        _ => " order by rental_date desc, rentals.id desc",
    };
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn every_combination_of_filters_lists_what_plain_sql_does() {
    let (served, mut db) = shop::open().await;
    let mut client = RentalServiceClient::new(served.channel());
    db.execute(FILL).await.unwrap();
    let states = [RentalState::Unspecified, RentalState::Open, RentalState::Overdue, RentalState::Returned];
    let at = |hours: i64| Some(prost_types::Timestamp { seconds: START + hours * 3600, nanos: 0 });
    let periods = [(None, None), (at(3), None), (None, at(20)), (at(3), at(20))];
    let mut nonempty = 0;
    for combination in 0..2 * 2 * 2 * 4 * 4 {
        let (rented_from, rented_before) = periods[combination / 32];
        let request = ListRentalsRequest {
            page_size: 7,
            customer_id: [0, 2][combination % 2],
            film_id: [0, 3][combination / 2 % 2],
            store_id: [0, 1][combination / 4 % 2],
            state: states[combination / 8 % 4].into(),
            rented_from,
            rented_before,
            ..Default::default()
        };
        let plain = expected(&mut db, &request).await;
        nonempty += usize::from(!plain.is_empty());
        assert_eq!(all(&mut client, request.clone()).await, plain, "{request:?}");
    }
    assert!(nonempty > 100, "{nonempty}");
    for page_size in [1, 79, 80, 100] {
        let request = ListRentalsRequest { page_size, ..Default::default() };
        assert_eq!(all(&mut client, request).await.len(), 80);
    }
}

#[tokio::test]
async fn what_is_no_list_is_refused() {
    let (served, mut db) = shop::open().await;
    let mut client = RentalServiceClient::new(served.channel());
    db.execute(FILL).await.unwrap();
    let first = client.list_rentals(ListRentalsRequest::default()).await.unwrap().into_inner();
    assert_eq!(first.rentals.len(), 20);
    let far = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    for (request, field) in [
        (ListRentalsRequest { page_token: "x".into(), ..Default::default() }, "page_token"),
        (
            ListRentalsRequest { page_token: first.next_page_token, film_id: 1, ..Default::default() },
            "page_token",
        ),
        (ListRentalsRequest { page_size: -1, ..Default::default() }, "page_size"),
        (ListRentalsRequest { state: 9, ..Default::default() }, "state"),
        (ListRentalsRequest { rented_from: far, ..Default::default() }, "rented_from"),
        (ListRentalsRequest { rented_before: far, ..Default::default() }, "rented_before"),
    ] {
        let status = client.list_rentals(request).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
}
