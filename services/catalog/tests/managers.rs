//! Who manages a store.

#[path = "common/people.rs"]
mod people;

use prost_types::FieldMask;
use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::staff_service_client::StaffServiceClient;
use selvedge_proto::catalog::v1::store_service_client::StoreServiceClient;
use selvedge_proto::catalog::v1::{
    CreateStaffMemberRequest, CreateStoreRequest, GetStoreRequest, StaffMember, Store,
    UpdateStaffMemberRequest, UpdateStoreRequest,
};
use selvedge_testing::{Served, reason, serve};
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::transport::Channel;
use tonic::{Code, Status};

use people::{address, store};

type Client = StoreServiceClient<Channel>;

/// Gives the store a manager, or none.
async fn manage(client: &mut Client, id: i32, manager_staff_id: Option<i32>) -> Result<Store, Status> {
    let request = UpdateStoreRequest {
        store: Some(Store { id, manager_staff_id, ..Store::default() }),
        update_mask: Some(FieldMask { paths: vec!["manager_staff_id".into()] }),
    };
    Ok(client.update_store(request).await?.into_inner())
}

async fn hire(served: &Served, store_id: i32, username: &str) -> i32 {
    let member = StaffMember {
        store_id,
        first_name: "Mike".into(),
        last_name: "Hillyer".into(),
        username: username.into(),
        address: Some(address()),
        ..StaffMember::default()
    };
    let request = CreateStaffMemberRequest { staff_member: Some(member), request_id: String::new() };
    let mut client = StaffServiceClient::new(served.channel());
    client.create_staff_member(request).await.unwrap().into_inner().id
}

#[tokio::test]
async fn a_manager_is_one_of_its_own_staff() {
    let served = serve(SERVICE).await;
    let mut client = Client::new(served.channel());
    let (own, other) = (store(&served).await, store(&served).await);
    let (mike, jon) = (hire(&served, own.id, "mike").await, hire(&served, other.id, "jon").await);
    let get = GetStoreRequest { id: own.id };
    assert_eq!(manage(&mut client, own.id, Some(mike)).await.unwrap().manager_staff_id, Some(mike));
    assert_eq!(client.get_store(get).await.unwrap().into_inner().manager_staff_id, Some(mike));
    let new = Store { manager_staff_id: Some(mike), address: Some(address()), ..Store::default() };
    let new = CreateStoreRequest { store: Some(new), request_id: String::new() };
    for status in [
        manage(&mut client, own.id, Some(jon)).await.unwrap_err(),
        manage(&mut client, other.id, Some(mike)).await.unwrap_err(),
        manage(&mut client, own.id, Some(jon + 1)).await.unwrap_err(),
        client.create_store(new).await.unwrap_err(),
    ] {
        let expected = (Code::FailedPrecondition, "NOT_STAFF_OF_STORE");
        assert_eq!((status.code(), reason(&status).as_str()), expected);
    }
    assert_eq!(client.get_store(get).await.unwrap().into_inner().manager_staff_id, Some(mike));
    assert_eq!(manage(&mut client, own.id, None).await.unwrap().manager_staff_id, None);
}

/// What came of it when a member of staff, at the same moment, is moved away and made the manager of their store: the
/// first by this statement, the second by a call, which comes while the first has not committed.
async fn moved_and_promoted(served: &Served, move_first: bool) -> (Result<(), Status>, i64) {
    let (old, new) = (store(served).await.id, store(served).await.id);
    let member = hire(served, old, &format!("mike{old}")).await;
    let sql = if move_first {
        format!("begin; update staff set store_id = {new} where id = {member}")
    } else {
        format!("begin; update stores set manager_staff_id = {member} where id = {old}")
    };
    let mut first = served.database.role("app").await;
    first.execute(AssertSqlSafe(sql)).await.unwrap();
    let channel = served.channel();
    let second = tokio::spawn(async move {
        if move_first {
            return manage(&mut Client::new(channel), old, Some(member)).await.map(drop);
        }
        let request = UpdateStaffMemberRequest {
            staff_member: Some(StaffMember { id: member, store_id: new, ..StaffMember::default() }),
            update_mask: Some(FieldMask { paths: vec!["store_id".into()] }),
        };
        StaffServiceClient::new(channel).update_staff_member(request).await.map(drop)
    });
    // Where nothing protects them, nobody waits either.
    tokio::select! {
        _ = served.until_waiting(1) => {}
        () = async { while !second.is_finished() { tokio::task::yield_now().await } } => {}
    }
    first.execute("commit").await.unwrap();
    let second = second.await.unwrap();
    let strangers = "select count(*) from stores join staff on staff.id = manager_staff_id
                     where staff.store_id <> stores.id";
    let mut superuser = served.database.superuser().await;
    (second, sqlx::query_scalar(strangers).fetch_one(&mut superuser).await.unwrap())
}

/// With the negative control: a foreign key that does not ask for the store lets both happen.
#[tokio::test]
async fn nobody_becomes_manager_of_a_store_that_they_are_leaving() {
    let served = serve(SERVICE).await;
    for (move_first, expected) in [(true, "NOT_STAFF_OF_STORE"), (false, "MANAGES_STORE")] {
        let (second, strangers) = moved_and_promoted(&served, move_first).await;
        assert_eq!((reason(&second.unwrap_err()).as_str(), strangers), (expected, 0));
    }
    let weaker = "alter table stores drop constraint stores_manager_staff_id_fkey;
                  alter table stores add foreign key (manager_staff_id) references staff (id)";
    served.database.superuser().await.execute(weaker).await.unwrap();
    for (move_first, expected) in [(true, 1), (false, 2)] {
        let (second, strangers) = moved_and_promoted(&served, move_first).await;
        second.unwrap();
        assert_eq!(strangers, expected);
    }
}
