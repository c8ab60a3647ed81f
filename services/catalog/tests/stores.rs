//! Stores, and where they are.

#[path = "common/people.rs"]
mod people;

use futures::future::join_all;
use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::store_service_client::StoreServiceClient;
use selvedge_proto::catalog::v1::{
    Address, CreateStoreRequest, GetStoreRequest, ListStoresRequest, Store, UpdateStoreRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use sqlx::Executor as _;
use tonic::transport::Channel;
use tonic::{Code, Status};

use people::{address, store};

type Client = StoreServiceClient<Channel>;

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    (served, client)
}

fn at(address: Address) -> Store {
    Store { address: Some(address), ..Store::default() }
}

async fn create(client: &mut Client, store: Store) -> Result<Store, Status> {
    let request = CreateStoreRequest { store: Some(store), request_id: String::new() };
    Ok(client.create_store(request).await?.into_inner())
}

async fn get(client: &mut Client, id: i32) -> Result<Store, Status> {
    Ok(client.get_store(GetStoreRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, store: Store, paths: &[&str]) -> Result<Store, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    Ok(client.update_store(UpdateStoreRequest { store: Some(store), update_mask }).await?.into_inner())
}

#[tokio::test]
async fn what_is_created_can_be_read_and_changed() {
    let (_served, mut client) = start().await;
    let created = create(&mut client, at(address())).await.unwrap();
    let expected = Store {
        id: created.id,
        last_update: created.last_update,
        etag: created.etag.clone(),
        ..at(address())
    };
    assert_eq!(created, expected);
    assert!(created.id > 0 && created.last_update.is_some() && !created.etag.is_empty());
    assert_eq!(get(&mut client, created.id).await.unwrap(), created);
    let status = get(&mut client, created.id + 1).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "STORE_NOT_FOUND"));
}

#[tokio::test]
async fn an_address_changes_as_a_whole_or_in_part_and_the_etag_with_it() {
    let (served, mut client) = start().await;
    let created = store(&served).await;
    let bare = Address {
        street: "1 Mill Road".into(),
        city: "Paris".into(),
        country: "France".into(),
        ..Address::default()
    };
    let new = Store { id: created.id, etag: created.etag.clone(), ..at(bare.clone()) };
    let whole = update(&mut client, new, &["address"]).await.unwrap();
    assert_eq!(whole.address.as_ref(), Some(&bare));
    assert_ne!(whole.etag, created.etag);

    let mut address = bare;
    let other = people::address();
    for (path, change) in [
        ("address.street", (|it, other| it.street = other.street) as fn(&mut Address, Address)),
        ("address.street2", |it, other| it.street2 = other.street2),
        ("address.district", |it, other| it.district = other.district),
        ("address.city", |it, other| it.city = other.city),
        ("address.country", |it, other| it.country = other.country),
        ("address.postal_code", |it, other| it.postal_code = other.postal_code),
        ("address.phone", |it, other| it.phone = other.phone),
    ] {
        let before = get(&mut client, created.id).await.unwrap();
        let new = Store { id: created.id, etag: before.etag.clone(), ..at(other.clone()) };
        let changed = update(&mut client, new, &[path]).await.unwrap();
        change(&mut address, other.clone());
        assert_eq!(changed.address.as_ref(), Some(&address), "{path}");
        assert_ne!(changed.etag, before.etag, "{path}");
        assert_eq!(get(&mut client, created.id).await.unwrap(), changed);
    }
    let stale = Store { id: created.id, etag: created.etag, ..at(people::address()) };
    let status = update(&mut client, stale, &["address"]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));

    let rows = "select count(*) from addresses";
    let rows: i64 = sqlx::query_scalar(rows).fetch_one(&mut served.database.superuser().await).await.unwrap();
    assert_eq!(rows, 1, "it was the same row all the time");
}

#[tokio::test]
async fn of_two_who_change_the_same_state_one_is_refused() {
    let (_served, mut client) = start().await;
    let created = create(&mut client, at(address())).await.unwrap();
    let changes = ["Paris", "Lyon"].map(|city| {
        let store = Store { address: Some(Address { city: city.into(), ..address() }), ..created.clone() };
        let mut client = client.clone();
        async move { update(&mut client, store, &["address.city"]).await }
    });
    let (done, refused): (Vec<_>, Vec<_>) = join_all(changes).await.into_iter().partition(Result::is_ok);
    let (done, refused) = (done[0].as_ref().unwrap(), refused[0].as_ref().unwrap_err());
    assert_eq!(reason(refused), "ETAG_MISMATCH");
    assert_eq!(&get(&mut client, created.id).await.unwrap(), done);
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one() {
    let (_served, mut client) = start().await;
    let request = CreateStoreRequest { store: Some(at(address())), request_id: "once".into() };
    let first = client.create_store(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_store(request).await.unwrap().into_inner(), first);
    let all = client.list_stores(ListStoresRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.stores, [first]);
}

#[tokio::test]
async fn a_list_has_pages_and_filters() {
    let (_served, mut client) = start().await;
    let mut expected = vec![];
    for (city, country) in
        [("Paris", "France"), ("Lyon", "France"), ("Paris", "United States"), ("Turku", "Finland")]
    {
        let address = Address { city: city.into(), country: country.into(), ..address() };
        expected.push(create(&mut client, at(address)).await.unwrap());
    }
    let mut seen = vec![];
    let mut request = ListStoresRequest { page_size: 3, ..Default::default() };
    loop {
        let page = client.list_stores(request.clone()).await.unwrap().into_inner();
        assert!(page.stores.len() <= 3);
        seen.extend(page.stores);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
    for (city, country, found) in [
        ("PARIS", "", &[0, 2][..]),
        ("", "france", &[0, 1]),
        ("Paris", "France", &[0]),
        ("Turku", "France", &[]),
        ("P%", "", &[]),
    ] {
        let request = ListStoresRequest { city: city.into(), country: country.into(), ..Default::default() };
        let page = client.list_stores(request).await.unwrap().into_inner();
        let found: Vec<_> = found.iter().map(|at: &usize| expected[*at].clone()).collect();
        assert_eq!(page.stores, found, "{city}, {country}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client) = start().await;
    let status = create(&mut client, Store::default()).await.unwrap_err();
    assert_eq!(violated(&status), ["store.address"]);
    let status = create(&mut client, at(Address::default())).await.unwrap_err();
    assert_eq!(violated(&status), ["store.address.street", "store.address.city", "store.address.country"]);
    let old = create(&mut client, at(address())).await.unwrap();
    for paths in [&[][..], &["last_update"], &["address.planet"]] {
        assert_eq!(violated(&update(&mut client, old.clone(), paths).await.unwrap_err()), ["update_mask"]);
    }
    let nowhere = Store { address: Some(Address { city: String::new(), ..address() }), ..old };
    for path in ["address", "address.city", "*"] {
        let status = update(&mut client, nowhere.clone(), &[path]).await.unwrap_err();
        assert_eq!(violated(&status), ["store.address.city"], "{path}");
    }
    let none = Store { address: None, ..nowhere };
    for path in ["address", "address.city", "*"] {
        let status = update(&mut client, none.clone(), &[path]).await.unwrap_err();
        assert_eq!(violated(&status), ["store.address"], "{path}");
    }
    for request in [
        ListStoresRequest { page_size: -1, ..Default::default() },
        ListStoresRequest { page_token: "x".into(), ..Default::default() },
    ] {
        assert_eq!(client.list_stores(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn many_who_are_first_in_a_city_share_it() {
    let (served, client) = start().await;
    let creates = (0..32).map(|_| {
        let mut client = client.clone();
        async move { create(&mut client, at(address())).await.unwrap() }
    });
    join_all(creates).await;
    let counts = "select (select count(*) from countries), (select count(*) from cities),
                      (select count(distinct address_id) from stores)";
    let counts: (i64, i64, i64) =
        sqlx::query_as(counts).fetch_one(&mut served.database.superuser().await).await.unwrap();
    assert_eq!(counts, (1, 1, 32));
}

#[tokio::test]
async fn whoever_waits_for_a_city_gets_it_or_makes_it() {
    for end in ["commit", "rollback"] {
        let (served, mut client) = start().await;
        let mut first = served.database.role("app").await;
        let make = "begin; insert into countries (name) values ('United Kingdom');
                    insert into cities (name, country_id) select 'Bolton', id from countries";
        first.execute(make).await.unwrap();
        let second = tokio::spawn(async move { create(&mut client, at(address())).await });
        served.until_waiting(1).await;
        first.execute(end).await.unwrap();
        assert_eq!(second.await.unwrap().unwrap().address, Some(address()), "after a {end}");
    }
}
