use selvedge_proto::catalog::v1::store_service_client::StoreServiceClient;
use selvedge_proto::catalog::v1::{Address, CreateStoreRequest, Store};
use selvedge_testing::Served;

pub(crate) fn address() -> Address {
    Address {
        street: "12 Loom Lane".into(),
        street2: "Back yard".into(),
        district: "Lancashire".into(),
        city: "Bolton".into(),
        country: "United Kingdom".into(),
        postal_code: "BL1 1AA".into(),
        phone: "+44 1204 000000".into(),
    }
}

/// A new store.
pub(crate) async fn store(served: &Served) -> Store {
    let store = Store { address: Some(address()), ..Store::default() };
    let request = CreateStoreRequest { store: Some(store), request_id: String::new() };
    StoreServiceClient::new(served.channel()).create_store(request).await.unwrap().into_inner()
}
