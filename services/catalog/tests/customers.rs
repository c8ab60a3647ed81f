//! Customers.

#[path = "common/people.rs"]
mod people;

use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::customer_service_client::CustomerServiceClient;
use selvedge_proto::catalog::v1::{
    Address, CreateCustomerRequest, Customer, GetCustomerRequest, ListCustomersRequest, UpdateCustomerRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use tonic::transport::Channel;
use tonic::{Code, Status};

use people::{address, store};

type Client = CustomerServiceClient<Channel>;

/// A service and a store in it.
async fn start() -> (Served, Client, i32) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    let store = store(&served).await.id;
    (served, client, store)
}

fn mary(store_id: i32) -> Customer {
    Customer {
        store_id,
        first_name: "Mary".into(),
        last_name: "Smith".into(),
        email: "Mary.Smith@example.com".into(),
        address: Some(address()),
        active: Some(true),
        ..Customer::default()
    }
}

async fn create(client: &mut Client, customer: Customer) -> Result<Customer, Status> {
    let request = CreateCustomerRequest { customer: Some(customer), request_id: String::new() };
    Ok(client.create_customer(request).await?.into_inner())
}

async fn get(client: &mut Client, id: i32) -> Result<Customer, Status> {
    Ok(client.get_customer(GetCustomerRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, new: Customer, paths: &[&str]) -> Result<Customer, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    let request = UpdateCustomerRequest { customer: Some(new), update_mask };
    Ok(client.update_customer(request).await?.into_inner())
}

/// All pages, one after the other.
async fn pages(client: &mut Client, mut request: ListCustomersRequest) -> Vec<Vec<Customer>> {
    let mut pages = vec![];
    loop {
        let page = client.list_customers(request.clone()).await.unwrap().into_inner();
        pages.push(page.customers);
        assert!(pages.len() < 100, "the pages have no end");
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn what_is_created_can_be_read_and_changed_field_by_field() {
    let (served, mut client, store_id) = start().await;
    let created = create(&mut client, Customer { active: None, ..mary(store_id) }).await.unwrap();
    let expected = Customer {
        id: created.id,
        created_at: created.created_at,
        last_update: created.last_update,
        etag: created.etag.clone(),
        ..mary(store_id)
    };
    assert_eq!(created, expected, "who is new is active unless it is said otherwise");
    assert!(created.id > 0 && created.created_at.is_some() && created.last_update.is_some());
    assert_eq!(get(&mut client, created.id).await.unwrap(), created);

    let new = Customer {
        id: created.id,
        store_id: store(&served).await.id,
        first_name: "Patricia".into(),
        last_name: "Johnson".into(),
        email: String::new(),
        address: Some(Address { city: "Woking".into(), ..address() }),
        active: Some(false),
        ..Customer::default()
    };
    let mut expected = created;
    for (path, change) in [
        ("store_id", (|it, new| it.store_id = new.store_id) as fn(&mut Customer, Customer)),
        ("first_name", |it, new| it.first_name = new.first_name),
        ("last_name", |it, new| it.last_name = new.last_name),
        ("email", |it, new| it.email = new.email),
        ("address.city", |it, new| it.address = new.address),
        ("active", |it, new| it.active = new.active),
    ] {
        let new = Customer { etag: expected.etag.clone(), ..new.clone() };
        let changed = update(&mut client, new.clone(), &[path]).await.unwrap();
        change(&mut expected, new);
        assert_ne!(changed.etag, expected.etag, "{path}");
        (expected.etag, expected.last_update) = (changed.etag.clone(), changed.last_update);
        assert_eq!(changed, expected, "{path}");
        assert_eq!(get(&mut client, changed.id).await.unwrap(), changed);
    }
    let all = update(&mut client, Customer { id: expected.id, ..mary(store_id) }, &["*"]).await.unwrap();
    let expected = Customer {
        id: all.id,
        created_at: expected.created_at,
        last_update: all.last_update,
        etag: all.etag.clone(),
        ..mary(store_id)
    };
    assert_eq!(all, expected);
}

#[tokio::test]
async fn who_is_not_there_or_has_changed_stays_as_they_are() {
    let (_served, mut client, store_id) = start().await;
    let old = create(&mut client, mary(store_id)).await.unwrap();
    let moved = Customer { address: Some(Address { city: "York".into(), ..address() }), ..old.clone() };
    let now = update(&mut client, moved.clone(), &["address"]).await.unwrap();
    let status = update(&mut client, moved.clone(), &["address"]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(get(&mut client, old.id).await.unwrap(), now);
    for status in [
        get(&mut client, old.id + 1).await.unwrap_err(),
        update(&mut client, Customer { id: old.id + 1, ..moved }, &["*"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "CUSTOMER_NOT_FOUND"));
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one() {
    let (_served, mut client, store_id) = start().await;
    let request = CreateCustomerRequest { customer: Some(mary(store_id)), request_id: "once".into() };
    let first = client.create_customer(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_customer(request).await.unwrap().into_inner(), first);
    assert_eq!(pages(&mut client, ListCustomersRequest::default()).await, [[first]]);
}

#[tokio::test]
async fn the_store_must_be_there() {
    let (_served, mut client, store_id) = start().await;
    let customer = create(&mut client, mary(store_id)).await.unwrap();
    for status in [
        create(&mut client, mary(store_id + 1)).await.unwrap_err(),
        update(&mut client, Customer { id: customer.id, ..mary(store_id + 1) }, &["*"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "STORE_NOT_FOUND"));
    }
    assert_eq!(get(&mut client, customer.id).await.unwrap(), customer);
}

#[tokio::test]
async fn a_list_has_an_order_pages_and_filters() {
    let (served, mut client, store_id) = start().await;
    let other = store(&served).await.id;
    let mut expected = vec![];
    for (number, (first_name, last_name)) in
        [("Linda", "williams"), ("Mary", "Smith"), ("MARY", "SMITH"), ("Anna", "Smith"), ("Barbara", "Jones")]
            .into_iter()
            .enumerate()
    {
        let customer = Customer {
            first_name: first_name.into(),
            last_name: last_name.into(),
            email: format!("{first_name}.{number}@example.com"),
            store_id: if number == 2 { other } else { store_id },
            active: Some(number != 4),
            ..mary(store_id)
        };
        expected.push(create(&mut client, customer).await.unwrap());
    }
    let expected = [4, 3, 1, 2, 0].map(|at: usize| expected[at].clone());
    for page_size in [1, 2, 3, 100] {
        let request = ListCustomersRequest { page_size, ..Default::default() };
        let pages = pages(&mut client, request).await;
        assert!(pages.iter().all(|page| page.len() <= usize::try_from(page_size).unwrap()));
        assert_eq!(pages.concat(), expected, "pages of {page_size}");
    }
    let all = ListCustomersRequest { page_size: 1, ..Default::default() };
    for (request, found) in [
        (ListCustomersRequest { store_id: other, ..all.clone() }, &[3][..]),
        (ListCustomersRequest { store_id, ..all.clone() }, &[0, 1, 2, 4]),
        (ListCustomersRequest { active: Some(false), ..all.clone() }, &[0]),
        (ListCustomersRequest { active: Some(true), ..all.clone() }, &[1, 2, 3, 4]),
        (ListCustomersRequest { name_contains: "y smi".into(), ..all.clone() }, &[2, 3]),
        (ListCustomersRequest { name_contains: "y%smi".into(), ..all.clone() }, &[]),
        (ListCustomersRequest { email: "mary.2@EXAMPLE.com".into(), ..all.clone() }, &[3]),
        (ListCustomersRequest { email: "mary".into(), ..all.clone() }, &[]),
        (
            ListCustomersRequest {
                store_id,
                active: Some(true),
                name_contains: "mary".into(),
                email: "mary.1@example.com".into(),
                ..all
            },
            &[2],
        ),
    ] {
        let listed = pages(&mut client, request.clone()).await.concat();
        let found: Vec<_> = found.iter().map(|at: &usize| expected[*at].clone()).collect();
        assert_eq!(listed, found, "{request:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client, store_id) = start().await;
    let wrong = Customer { email: "x".into(), ..Customer::default() };
    let fields = violated(&create(&mut client, wrong).await.unwrap_err());
    for field in ["store_id", "first_name", "last_name", "email", "address"] {
        assert!(fields.contains(&format!("customer.{field}")), "{field} in {fields:?}");
    }
    let customer = create(&mut client, mary(store_id)).await.unwrap();
    for paths in [&[][..], &["created_at"], &["address.planet"]] {
        let status = update(&mut client, customer.clone(), paths).await.unwrap_err();
        assert_eq!(violated(&status), ["update_mask"]);
    }
    for request in [
        ListCustomersRequest { page_size: -1, ..Default::default() },
        ListCustomersRequest { store_id: -1, ..Default::default() },
        ListCustomersRequest { page_token: "x".into(), ..Default::default() },
    ] {
        assert_eq!(client.list_customers(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}
