//! Catalog: films, the stores that rent them out, and who rented which.

mod actors;
mod addresses;
mod by_time;
mod categories;
mod customers;
mod films;
mod inventory;
mod languages;
mod names;
pub mod pagila;
mod payments;
mod rentals;
mod reports;
mod seed;
mod staff;
mod stores;

use selvedge_kit::{Kit, Rpcs, Service};
use selvedge_proto::catalog::v1::actor_service_server::ActorServiceServer;
use selvedge_proto::catalog::v1::category_service_server::CategoryServiceServer;
use selvedge_proto::catalog::v1::customer_service_server::CustomerServiceServer;
use selvedge_proto::catalog::v1::film_service_server::FilmServiceServer;
use selvedge_proto::catalog::v1::inventory_service_server::InventoryServiceServer;
use selvedge_proto::catalog::v1::language_service_server::LanguageServiceServer;
use selvedge_proto::catalog::v1::payment_service_server::PaymentServiceServer;
use selvedge_proto::catalog::v1::rental_service_server::RentalServiceServer;
use selvedge_proto::catalog::v1::report_service_server::ReportServiceServer;
use selvedge_proto::catalog::v1::staff_service_server::StaffServiceServer;
use selvedge_proto::catalog::v1::store_service_server::StoreServiceServer;

/// The service, for its own process and for `selvedge`.
pub const SERVICE: Service = Service {
    name: "catalog",
    port: 50053,
    migrations: || sqlx::migrate!(),
    rpcs,
    seed: |db| Box::pin(seed::seed(db)),
};

fn rpcs(kit: &mut Kit) -> Rpcs {
    let max = kit.limits.max_message_bytes;
    Rpcs::default()
        .with(ActorServiceServer::new(actors::Actors::new(kit)).max_decoding_message_size(max))
        .with(CategoryServiceServer::new(categories::Categories::new(kit)).max_decoding_message_size(max))
        .with(CustomerServiceServer::new(customers::Customers::new(kit)).max_decoding_message_size(max))
        .with(FilmServiceServer::new(films::Films::new(kit)).max_decoding_message_size(max))
        .with(InventoryServiceServer::new(inventory::Inventory::new(kit)).max_decoding_message_size(max))
        .with(LanguageServiceServer::new(languages::Languages::new(kit)).max_decoding_message_size(max))
        .with(PaymentServiceServer::new(payments::Payments::new(kit)).max_decoding_message_size(max))
        .with(RentalServiceServer::new(rentals::Rentals::new(kit)).max_decoding_message_size(max))
        .with(ReportServiceServer::new(reports::Reports::new(kit)).max_decoding_message_size(max))
        .with(StaffServiceServer::new(staff::Staff::new(kit)).max_decoding_message_size(max))
        .with(StoreServiceServer::new(stores::Stores::new(kit)).max_decoding_message_size(max))
}
