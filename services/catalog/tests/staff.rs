//! Staff.

#[path = "common/people.rs"]
mod people;

use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::staff_service_client::StaffServiceClient;
use selvedge_proto::catalog::v1::store_service_client::StoreServiceClient;
use selvedge_proto::catalog::v1::{
    Address, CreateStaffMemberRequest, GetStaffMemberRequest, ListStaffMembersRequest, StaffMember, Store,
    UpdateStaffMemberRequest, UpdateStoreRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use tonic::transport::Channel;
use tonic::{Code, Status};

use people::{address, store};

type Client = StaffServiceClient<Channel>;

/// A service and a store in it.
async fn start() -> (Served, Client, i32) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    let store = store(&served).await.id;
    (served, client, store)
}

fn mike(store_id: i32) -> StaffMember {
    StaffMember {
        store_id,
        first_name: "Mike".into(),
        last_name: "Hillyer".into(),
        email: "mike@example.com".into(),
        username: "mike".into(),
        address: Some(address()),
        active: Some(true),
        ..StaffMember::default()
    }
}

async fn create(client: &mut Client, staff_member: StaffMember) -> Result<StaffMember, Status> {
    let request = CreateStaffMemberRequest { staff_member: Some(staff_member), request_id: String::new() };
    Ok(client.create_staff_member(request).await?.into_inner())
}

async fn get(client: &mut Client, id: i32) -> Result<StaffMember, Status> {
    Ok(client.get_staff_member(GetStaffMemberRequest { id }).await?.into_inner())
}

async fn update(client: &mut Client, new: StaffMember, paths: &[&str]) -> Result<StaffMember, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    let request = UpdateStaffMemberRequest { staff_member: Some(new), update_mask };
    Ok(client.update_staff_member(request).await?.into_inner())
}

#[tokio::test]
async fn what_is_created_can_be_read_and_changed_field_by_field() {
    let (served, mut client, store_id) = start().await;
    let created = create(&mut client, StaffMember { active: None, ..mike(store_id) }).await.unwrap();
    let expected = StaffMember {
        id: created.id,
        last_update: created.last_update,
        etag: created.etag.clone(),
        ..mike(store_id)
    };
    assert_eq!(created, expected, "who is hired is active unless it is said otherwise");
    assert!(created.id > 0 && created.last_update.is_some());
    assert_eq!(get(&mut client, created.id).await.unwrap(), created);

    let new = StaffMember {
        id: created.id,
        store_id: store(&served).await.id,
        first_name: "Jon".into(),
        last_name: "Stephens".into(),
        email: String::new(),
        username: "jon".into(),
        address: Some(Address { city: "Lethbridge".into(), country: "Canada".into(), ..address() }),
        active: Some(false),
        ..StaffMember::default()
    };
    let mut expected = created;
    for (path, change) in [
        ("store_id", (|it, new| it.store_id = new.store_id) as fn(&mut StaffMember, StaffMember)),
        ("first_name", |it, new| it.first_name = new.first_name),
        ("last_name", |it, new| it.last_name = new.last_name),
        ("email", |it, new| it.email = new.email),
        ("username", |it, new| it.username = new.username),
        ("address", |it, new| it.address = new.address),
        ("active", |it, new| it.active = new.active),
    ] {
        let new = StaffMember { etag: expected.etag.clone(), ..new.clone() };
        let changed = update(&mut client, new.clone(), &[path]).await.unwrap();
        change(&mut expected, new);
        assert_ne!(changed.etag, expected.etag, "{path}");
        (expected.etag, expected.last_update) = (changed.etag.clone(), changed.last_update);
        assert_eq!(changed, expected, "{path}");
        assert_eq!(get(&mut client, changed.id).await.unwrap(), changed);
    }
    let all = update(&mut client, StaffMember { id: expected.id, ..mike(store_id) }, &["*"]).await.unwrap();
    let expected =
        StaffMember { id: all.id, last_update: all.last_update, etag: all.etag.clone(), ..mike(store_id) };
    assert_eq!(all, expected);
}

#[tokio::test]
async fn who_is_not_there_or_has_changed_stays_as_they_are() {
    let (_served, mut client, store_id) = start().await;
    let old = create(&mut client, mike(store_id)).await.unwrap();
    let jon = StaffMember { address: Some(Address { city: "York".into(), ..address() }), ..old.clone() };
    let now = update(&mut client, jon.clone(), &["address"]).await.unwrap();
    let status = update(&mut client, jon.clone(), &["address"]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(get(&mut client, old.id).await.unwrap(), now);
    for status in [
        get(&mut client, old.id + 1).await.unwrap_err(),
        update(&mut client, StaffMember { id: old.id + 1, ..jon }, &["*"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "STAFF_MEMBER_NOT_FOUND"));
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_makes_one() {
    let (_served, mut client, store_id) = start().await;
    let request = CreateStaffMemberRequest { staff_member: Some(mike(store_id)), request_id: "once".into() };
    let first = client.create_staff_member(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_staff_member(request).await.unwrap().into_inner(), first);
    let all = client.list_staff_members(ListStaffMembersRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.staff_members, [first]);
}

#[tokio::test]
async fn usernames_are_unique_and_stores_must_be_there() {
    let (served, mut client, store_id) = start().await;
    create(&mut client, mike(store_id)).await.unwrap();
    let jon = create(&mut client, StaffMember { username: "jon".into(), ..mike(store_id) }).await.unwrap();
    for status in [
        create(&mut client, mike(store_id)).await.unwrap_err(),
        update(&mut client, StaffMember { id: jon.id, ..mike(store_id) }, &["username"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "USERNAME_TAKEN"));
    }
    let ann = StaffMember { username: "ann".into(), ..mike(store_id + 1) };
    for status in [
        create(&mut client, ann.clone()).await.unwrap_err(),
        update(&mut client, StaffMember { id: jon.id, ..ann }, &["store_id"]).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "STORE_NOT_FOUND"));
    }
    assert_eq!(get(&mut client, jon.id).await.unwrap(), jon);
    let addresses = "select count(*) from addresses";
    let addresses = sqlx::query_scalar(addresses).fetch_one(&mut served.database.superuser().await).await;
    assert_eq!(addresses.ok(), Some(3_i64), "what was refused leaves no address behind");
}

#[tokio::test]
async fn a_manager_stays_until_somebody_else_is() {
    let (served, mut client, store_id) = start().await;
    let other = store(&served).await.id;
    let mike = create(&mut client, mike(store_id)).await.unwrap();
    let mut stores = StoreServiceClient::new(served.channel());
    let manage = |manager_staff_id| UpdateStoreRequest {
        store: Some(Store { id: store_id, manager_staff_id, ..Store::default() }),
        update_mask: Some(FieldMask { paths: vec!["manager_staff_id".into()] }),
    };
    stores.update_store(manage(Some(mike.id))).await.unwrap();
    let away = StaffMember { id: mike.id, store_id: other, ..StaffMember::default() };
    let status = update(&mut client, away.clone(), &["store_id"]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "MANAGES_STORE"));
    let renamed = StaffMember { last_name: "Miller".into(), ..mike.clone() };
    let renamed = update(&mut client, renamed, &["last_name", "store_id"]).await.unwrap();
    assert_eq!((&*renamed.last_name, renamed.store_id), ("Miller", store_id));
    stores.update_store(manage(None)).await.unwrap();
    assert_eq!(update(&mut client, away, &["store_id"]).await.unwrap().store_id, other);
}

#[tokio::test]
async fn a_list_has_pages_and_filters() {
    let (served, mut client, store_id) = start().await;
    let other = store(&served).await.id;
    let mut expected = vec![];
    for number in 0..5 {
        let store_id = if number == 2 { other } else { store_id };
        let active = Some(number % 2 == 0);
        let member = StaffMember { username: format!("user{number}"), active, ..mike(store_id) };
        expected.push(create(&mut client, member).await.unwrap());
    }
    let mut seen = vec![];
    let mut request = ListStaffMembersRequest { page_size: 2, ..Default::default() };
    loop {
        let page = client.list_staff_members(request.clone()).await.unwrap().into_inner();
        assert!(page.staff_members.len() <= 2);
        seen.extend(page.staff_members);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
    for (store_id, active, found) in [
        (other, None, &[2][..]),
        (store_id, None, &[0, 1, 3, 4]),
        (0, Some(true), &[0, 2, 4]),
        (store_id, Some(false), &[1, 3]),
        (other, Some(false), &[]),
    ] {
        let request = ListStaffMembersRequest { store_id, active, ..Default::default() };
        let page = client.list_staff_members(request).await.unwrap().into_inner();
        let found: Vec<_> = found.iter().map(|at: &usize| expected[*at].clone()).collect();
        assert_eq!(page.staff_members, found, "{store_id} {active:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (_served, mut client, store_id) = start().await;
    let wrong = StaffMember { email: "x".into(), ..StaffMember::default() };
    let fields = violated(&create(&mut client, wrong).await.unwrap_err());
    for field in ["store_id", "first_name", "last_name", "email", "username", "address"] {
        assert!(fields.contains(&format!("staff_member.{field}")), "{field} in {fields:?}");
    }
    let member = create(&mut client, mike(store_id)).await.unwrap();
    for paths in [&[][..], &["last_update"], &["address.planet"]] {
        let status = update(&mut client, member.clone(), paths).await.unwrap_err();
        assert_eq!(violated(&status), ["update_mask"]);
    }
    for request in [
        ListStaffMembersRequest { page_size: -1, ..Default::default() },
        ListStaffMembersRequest { store_id: -1, ..Default::default() },
        ListStaffMembersRequest { page_token: "x".into(), ..Default::default() },
    ] {
        assert_eq!(client.list_staff_members(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}
