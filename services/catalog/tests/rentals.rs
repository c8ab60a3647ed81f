//! Films are rented and come back.

#[path = "common/shop.rs"]
mod shop;

use std::collections::HashSet;

use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::rental_service_client::RentalServiceClient;
use selvedge_proto::catalog::v1::{GetRentalRequest, RentFilmRequest, Rental, ReturnFilmRequest};
use selvedge_testing::{Database, Served, reason};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

type Client = RentalServiceClient<Channel>;

/// Film 1 in store 1, where there are five.
fn alpha() -> RentFilmRequest {
    RentFilmRequest { film_id: 1, store_id: 1, customer_id: 1, staff_id: 1, request_id: String::new() }
}

/// Film 3 in store 2, where there is one.
fn gamma() -> RentFilmRequest {
    RentFilmRequest { film_id: 3, store_id: 2, customer_id: 2, staff_id: 2, request_id: String::new() }
}

fn back(rental_id: i64) -> ReturnFilmRequest {
    ReturnFilmRequest { rental_id, staff_id: 1, request_id: String::new() }
}

async fn open() -> (Served, PgConnection, Client) {
    let (served, connection) = shop::open().await;
    let client = Client::new(served.channel());
    (served, connection, client)
}

fn spawn(client: &Client, request: RentFilmRequest) -> JoinHandle<Result<Response<Rental>, Status>> {
    let mut client = client.clone();
    tokio::spawn(async move { client.rent_film(request).await })
}

async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_film_is_rented_and_comes_back_and_is_rented_again() {
    let (_served, mut db, mut client) = open().await;
    let rental = client.rent_film(gamma()).await.unwrap().into_inner();
    assert_eq!((rental.inventory_id, rental.film_id, rental.store_id), (8, 3, 2));
    assert_eq!((rental.customer_id, rental.staff_id), (2, 2));
    assert_eq!((rental.film_title.as_str(), rental.rental_rate.as_str()), ("Gamma", "2.99"));
    let (from, due) = (rental.rental_date.unwrap(), rental.due_date.unwrap());
    assert_eq!((due.seconds - from.seconds, due.nanos), (5 * 86_400, from.nanos));
    assert_eq!((rental.return_date, rental.late_fee.clone()), (None, None));
    let get = GetRentalRequest { id: rental.id };
    assert_eq!(client.get_rental(get).await.unwrap().into_inner(), rental);

    // What it costs was agreed when it began.
    db.execute("update films set rental_rate = 7.77, replacement_cost = 0").await.unwrap();
    let ended = client.return_film(back(rental.id)).await.unwrap().into_inner();
    let (returned, payment) = (ended.rental.unwrap(), ended.payment.unwrap());
    assert_eq!(returned, client.get_rental(get).await.unwrap().into_inner());
    assert_eq!(returned.late_fee.as_deref(), Some("0.00"));
    assert_eq!(payment.payment_date, returned.return_date);
    assert_eq!((payment.customer_id, payment.staff_id, payment.rental_id), (2, 1, rental.id));
    assert_eq!(payment.amount, "2.99");
    let stored =
        "select count(*) from payments where id = any(select max(id) from payments) and amount = 2.99";
    assert_eq!(number(&mut db, stored).await, 1);
    assert_eq!(number(&mut db, "select count(*) from payments_default").await, 0);

    let again = client.rent_film(gamma()).await.unwrap().into_inner();
    assert_eq!((again.inventory_id, again.rental_rate.as_str()), (8, "7.77"));
    let status = client.get_rental(GetRentalRequest { id: 99 }).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "RENTAL_NOT_FOUND"));
}

#[tokio::test]
async fn why_a_film_cannot_be_rented() {
    let (_served, mut db, mut client) = open().await;
    db.execute("update inventory set retired_at = now() where id = 8").await.unwrap();
    for (request, expected) in [
        (RentFilmRequest { film_id: 9, ..alpha() }, "FILM_NOT_FOUND"),
        (RentFilmRequest { store_id: 9, ..alpha() }, "STORE_NOT_FOUND"),
        (RentFilmRequest { customer_id: 9, ..alpha() }, "CUSTOMER_NOT_FOUND"),
        (RentFilmRequest { customer_id: 3, ..alpha() }, "CUSTOMER_NOT_ACTIVE"),
        (RentFilmRequest { staff_id: 9, ..alpha() }, "STAFF_NOT_FOUND"),
        (RentFilmRequest { staff_id: 3, ..alpha() }, "STAFF_NOT_ACTIVE"),
        (RentFilmRequest { staff_id: 2, ..alpha() }, "NOT_STAFF_OF_STORE"),
        (gamma(), "NO_COPY_AVAILABLE"),
    ] {
        for request_id in ["", "one"] {
            let request = RentFilmRequest { request_id: request_id.into(), ..request.clone() };
            let status = client.rent_film(request).await.unwrap_err();
            assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, expected));
        }
    }
    assert_eq!(number(&mut db, "select count(*) from rentals").await, 0);
    let nothing = client.rent_film(RentFilmRequest::default()).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_copies_go_to_five_of_five_hundred() {
    let (served, mut db, client) = open().await;
    // Others take copies as well and give up, all the while.
    let mut quitters = vec![];
    for copy in 1..=5 {
        let mut other = served.database.superuser().await;
        quitters.push(tokio::spawn(async move {
            for _ in 0..20 {
                let take = format!(
                    "begin; select from inventory where id = {copy} for update; {}; rollback",
                    naive(&format!("select {copy}"))
                );
                // Somebody may have rented it by now.
                if other.execute(AssertSqlSafe(take)).await.is_err() {
                    other.execute("rollback").await.unwrap();
                }
            }
        }));
    }
    let rents: Vec<_> = (0..500).map(|_| spawn(&client, alpha())).collect();
    let mut copies = HashSet::new();
    let mut refused = 0;
    for rent in rents {
        match rent.await.unwrap() {
            Ok(rental) => assert!(copies.insert(rental.into_inner().inventory_id), "rented twice"),
            Err(status) => {
                assert_eq!(reason(&status), "NO_COPY_AVAILABLE", "{status:?}");
                assert_eq!(status.code(), Code::FailedPrecondition);
                refused += 1;
            }
        }
    }
    for quitter in quitters {
        quitter.await.unwrap();
    }
    assert_eq!((copies, refused), ((1..=5).collect(), 495));
    assert_eq!(number(&mut db, "select count(*) from rentals where return_date is null").await, 5);
}

/// What one would write without a thought: look for a free copy, and rent it.
fn naive(copy: &str) -> String {
    format!(
        "insert into rentals (inventory_id, customer_id, staff_id, rental_date, due_date, rental_rate, replacement_cost)
         select copy.id, 1, 1, now(), now(), 1, 1 from ({copy}) as copy (id)"
    )
}

/// The negative control of the test above.
#[tokio::test]
async fn without_lock_and_index_a_copy_is_rented_twice() {
    let database = Database::new(SERVICE).await;
    let mut one = shop::furnish(&database).await;
    one.execute("drop index rentals_one_open_per_copy").await.unwrap();
    let mut two = database.superuser().await;
    let rent = naive(
        "select id from inventory
         where film_id = 3 and not exists (select from rentals where inventory_id = inventory.id and return_date is null)
         limit 1",
    );
    for connection in [&mut one, &mut two] {
        connection.execute(AssertSqlSafe(format!("begin; {rent}"))).await.unwrap();
    }
    for connection in [&mut one, &mut two] {
        connection.execute("commit").await.unwrap();
    }
    assert_eq!(number(&mut one, "select count(*) from rentals where inventory_id = 8").await, 2);
}

/// A copy that somebody is renting is neither free nor gone before that is decided.
#[tokio::test]
async fn it_is_waited_for_whoever_may_yet_give_up() {
    let rented = format!("select from inventory where id = 8 for update; {}", naive("select 8"));
    let retired = "update inventory set retired_at = now() where id = 8";
    for (other, end, expected) in [
        (rented.as_str(), "rollback", None),
        (rented.as_str(), "commit", Some("NO_COPY_AVAILABLE")),
        (retired, "rollback", None),
        (retired, "commit", Some("NO_COPY_AVAILABLE")),
        ("update customers set active = false where id = 2", "rollback", None),
        ("update customers set active = false where id = 2", "commit", Some("CUSTOMER_NOT_ACTIVE")),
        ("update staff set active = false where id = 2", "commit", Some("STAFF_NOT_ACTIVE")),
    ] {
        let (served, mut db, client) = open().await;
        db.execute(AssertSqlSafe(format!("begin; {other}"))).await.unwrap();
        let rent = spawn(&client, gamma());
        served.until_waiting(1).await;
        db.execute(AssertSqlSafe(end)).await.unwrap();
        let answer = rent.await.unwrap();
        assert_eq!(answer.as_ref().err().map(reason).as_deref(), expected, "{other} {end}");
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_rents_once() {
    let (_served, mut db, mut client) = open().await;
    let request = RentFilmRequest { request_id: "r-1".into(), ..alpha() };
    let rents: Vec<_> = (0..8).map(|_| spawn(&client, request.clone())).collect();
    let mut ids = HashSet::new();
    for rent in rents {
        ids.insert(rent.await.unwrap().unwrap().into_inner().id);
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(number(&mut db, "select count(*) from rentals").await, 1);
    let other = client.rent_film(RentFilmRequest { customer_id: 2, ..request }).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));

    let request = ReturnFilmRequest { request_id: "b-1".into(), ..back(*ids.iter().next().unwrap()) };
    let first = client.return_film(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.return_film(request.clone()).await.unwrap().into_inner(), first);
    let other = ReturnFilmRequest { request_id: "b-2".into(), ..request };
    assert_eq!(reason(&client.return_film(other).await.unwrap_err()), "ALREADY_RETURNED");
    assert_eq!(number(&mut db, "select count(*) from payments").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_hundred_returns_succeeds_and_is_paid_once() {
    let (_served, mut db, mut client) = open().await;
    let id = client.rent_film(alpha()).await.unwrap().into_inner().id;
    let returns: Vec<_> = (0..100)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.return_film(back(id)).await })
        })
        .collect();
    let mut succeeded = 0;
    for one in returns {
        match one.await.unwrap() {
            Ok(_) => succeeded += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::FailedPrecondition);
                assert_eq!(reason(&status), "ALREADY_RETURNED", "{status:?}");
            }
        }
    }
    assert_eq!(succeeded, 1);
    assert_eq!(number(&mut db, "select count(*) from payments").await, 1);
}

#[tokio::test]
async fn who_is_late_pays_for_each_day_begun_up_to_the_price_of_the_film() {
    let (_served, mut db, mut client) = open().await;
    for (late, fee, amount) in [
        ("-1 hour", "0.00", "0.99"),
        ("1 second", "1.00", "1.99"),
        ("23 hours 59 minutes", "1.00", "1.99"),
        ("24 hours 1 minute", "2.00", "2.99"),
        ("95 hours", "4.00", "4.99"),
        ("400 days", "5.00", "5.99"),
    ] {
        let id = client.rent_film(alpha()).await.unwrap().into_inner().id;
        let overdue = format!(
            "update rentals set rental_date = now() - interval '500 days', due_date = now() - interval '{late}'
             where id = {id}"
        );
        db.execute(AssertSqlSafe(overdue)).await.unwrap();
        let ended = client.return_film(back(id)).await.unwrap().into_inner();
        let found = (ended.rental.unwrap().late_fee.unwrap(), ended.payment.unwrap().amount);
        assert_eq!(found, (fee.to_owned(), amount.to_owned()), "{late}");
    }
}

#[tokio::test]
async fn why_a_film_cannot_be_returned() {
    let (_served, mut db, mut client) = open().await;
    let id = client.rent_film(alpha()).await.unwrap().into_inner().id;
    for (request, code, expected) in [
        (back(id + 1), Code::NotFound, "RENTAL_NOT_FOUND"),
        (ReturnFilmRequest { staff_id: 9, ..back(id) }, Code::FailedPrecondition, "STAFF_NOT_FOUND"),
        (ReturnFilmRequest { staff_id: 3, ..back(id) }, Code::FailedPrecondition, "STAFF_NOT_ACTIVE"),
    ] {
        let status = client.return_film(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected));
    }
    assert_eq!(number(&mut db, "select count(*) from payments").await, 0);
    assert_eq!(number(&mut db, "select count(*) from rentals where return_date is null").await, 1);
}
