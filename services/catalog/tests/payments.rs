//! Payments, which lie in partitions by month.

#[path = "common/shop.rs"]
mod shop;

use std::time::Duration;

use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::payment_service_client::PaymentServiceClient;
use selvedge_proto::catalog::v1::{GetPaymentRequest, ListPaymentsRequest};
use selvedge_testing::{Database, reason, violated};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::Code;
use tonic::transport::Channel;

type Client = PaymentServiceClient<Channel>;

/// 2024-01-01.
const START: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

/// Ninety payments: in pairs, ten days apart, with a gap of years before the last ten and one in the future. The first
/// half finds its partitions, the rest goes into the default partition.
const FILL: &str = "
    insert into rentals (id, inventory_id, customer_id, staff_id, rental_date, due_date, return_date, rental_rate,
        replacement_cost)
    select n, 1 + n % 8, 1 + n % 2, 1, '2020-01-01', '2020-01-04', '2020-01-03', 0.99, 5 from generate_series(1, 30) n;
    select ensure_payments_partition(timestamptz '2024-01-01 00:00Z' + interval '1 month' * n)
    from generate_series(0, 7) n;
    insert into payments (id, customer_id, staff_id, rental_id, amount, payment_date)
    select n, 1 + n % 30 % 2, 1, 1 + n % 30, n / 100.0,
        case when n = 90 then now() + interval '3 years' when n > 80 then timestamptz '2010-01-01 00:00Z' - interval '1 hour' * n
        else timestamptz '2024-01-01 00:00Z' + interval '10 days' * (n / 2) end
    from generate_series(1, 90) n";

async fn all(client: &mut Client, mut request: ListPaymentsRequest) -> Vec<i64> {
    let mut ids = vec![];
    loop {
        let page = client.list_payments(request.clone()).await.unwrap().into_inner();
        ids.extend(page.payments.iter().map(|payment| payment.id));
        if page.next_page_token.is_empty() {
            return ids;
        }
        assert_eq!(page.payments.len(), usize::try_from(request.page_size).unwrap());
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn every_combination_of_filters_lists_what_plain_sql_does() {
    let (served, mut db) = shop::open().await;
    let mut client = Client::new(served.channel());
    db.execute(FILL).await.unwrap();
    let at = |days: i64| Some(prost_types::Timestamp { seconds: START + days * DAY, nanos: 0 });
    let periods = [
        (None, None),
        (at(35), None),
        (None, at(200)),
        (at(35), at(200)),
        (at(50), at(70)),
        (at(5000), None),
    ];
    for combination in 0..2 * 2 * 6 {
        let (paid_from, paid_before) = periods[combination / 4];
        let request = ListPaymentsRequest {
            page_size: 7,
            customer_id: [0, 2][combination % 2],
            rental_id: [0, 4][combination / 2 % 2],
            paid_from,
            paid_before,
            ..Default::default()
        };
        let mut sql = "select id from payments where true".to_owned();
        for (column, id) in
            [("customer_id", i64::from(request.customer_id)), ("rental_id", request.rental_id)]
        {
            if id != 0 {
                sql += &format!(" and {column} = {id}");
            }
        }
        for (operator, time) in [(">=", paid_from), ("<", paid_before)] {
            if let Some(time) = time {
                sql += &format!(" and payment_date {operator} to_timestamp({})", time.seconds);
            }
        }
        sql += " order by payment_date desc, id desc";
        let plain: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
        assert_eq!(all(&mut client, request.clone()).await, plain, "{request:?}");
        assert!(!plain.is_empty() || combination >= 16, "{request:?}");
    }
    for page_size in [1, 89, 90, 100] {
        let request = ListPaymentsRequest { page_size, ..Default::default() };
        assert_eq!(all(&mut client, request).await.len(), 90);
    }
    let of_now = client.list_payments(ListPaymentsRequest { page_token: "x".into(), ..Default::default() });
    let status = of_now.await.unwrap_err();
    assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["page_token".to_owned()]));
}

#[tokio::test]
async fn a_payment_is_found_wherever_it_lies() {
    let (served, mut db) = shop::open().await;
    let mut client = Client::new(served.channel());
    db.execute(FILL).await.unwrap();
    for (id, amount) in [(1, "0.01"), (70, "0.70"), (85, "0.85"), (90, "0.90")] {
        let payment = client.get_payment(GetPaymentRequest { id }).await.unwrap().into_inner();
        assert_eq!((payment.id, payment.rental_id, payment.amount.as_str()), (id, 1 + id % 30, amount));
    }
    let status = client.get_payment(GetPaymentRequest { id: 99 }).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "PAYMENT_NOT_FOUND"));
}

async fn in_default(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from payments_default").fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn what_came_before_its_partition_is_moved_there_by_the_service_and_nothing_is_lost() {
    let database = Database::new(SERVICE).await;
    let mut db = shop::furnish(&database).await;
    db.execute(FILL).await.unwrap();
    assert!(in_default(&mut db).await > 40);
    let sum = "select md5(string_agg(p::text, ',' order by id)) from payments p";
    let before: String = sqlx::query_scalar(sum).fetch_one(&mut db).await.unwrap();
    let running = SERVICE.start(&database.config(|_| {})).await.unwrap();
    for _ in 0..3000 {
        if in_default(&mut db).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(in_default(&mut db).await, 0);
    let after: String = sqlx::query_scalar(sum).fetch_one(&mut db).await.unwrap();
    assert_eq!(after, before);
    running.stop().await;
}

/// Somebody who has begun to return a film, and somebody who needs a new month. Answers with how it went for both.
async fn return_and_new_month(database: &Database) -> (Result<(), sqlx::Error>, Result<(), sqlx::Error>) {
    let mut writer = database.role("app").await;
    writer.execute("begin; lock table rentals in row exclusive mode").await.unwrap();
    let mut other = database.role("app").await;
    let ensure = tokio::spawn(async move {
        other.execute("select ensure_payments_partition('2002-03-04')").await.map(drop)
    });
    let mut watcher = database.superuser().await;
    let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                     and datname = current_database())";
    while !ensure.is_finished()
        && !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watcher).await.unwrap()
    {
        tokio::task::yield_now().await;
    }
    let pay = "insert into payments (customer_id, staff_id, rental_id, amount, payment_date)
               values (1, 1, 1, 1, '2001-02-03')";
    let paid = async {
        writer.execute(pay).await?;
        writer.execute("commit").await.map(drop)
    };
    let paid = paid.await;
    // Who failed still holds its lock.
    drop(writer);
    (paid, ensure.await.unwrap())
}

/// With the negative control: without the locks of the tables that are referred to coming first, one of the two fails.
#[tokio::test]
async fn a_new_month_fails_nobody_who_returns_a_film() {
    for protected in [true, false] {
        let database = Database::new(SERVICE).await;
        let mut db = shop::furnish(&database).await;
        db.execute(FILL).await.unwrap();
        let sql = "select pg_get_functiondef('ensure_payments_partition'::regproc)";
        let mut definition: String = sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap();
        let first = "lock table rentals, customers, staff in share row exclusive mode;";
        assert!(definition.contains(first) && definition.contains("500ms"));
        // A slow machine must not matter here.
        definition = definition.replace("500ms", "1min");
        if !protected {
            definition = definition.replace(first, "");
        }
        db.execute(AssertSqlSafe(definition)).await.unwrap();
        let (paid, ensured) = return_and_new_month(&database).await;
        assert_eq!(paid.is_ok() && ensured.is_ok(), protected, "{paid:?} {ensured:?}");
    }
}
