//! A copy of a random film for a random customer: what writes.

use rand::Rng as _;
use selvedge_proto::catalog::v1::RentFilmRequest;
use selvedge_proto::catalog::v1::rental_service_client::RentalServiceClient;
use selvedge_testing::Served;
use sqlx::Executor as _;
use tonic::transport::Channel;

use super::data::{CUSTOMERS, Films, STAFF, STORE};
use super::pgbench::{Script, last_statement};
use super::{table, turn};
use crate::{Result, Size};

type Client = RentalServiceClient<Channel>;

/// In a round, so that there are always free copies of each film.
const CALLS: u64 = 3_200;

pub(super) async fn run(size: Size, films: Films, served: &Served) -> Result<()> {
    let count = i32::try_from(films.count)?;
    let customers = i32::try_from(CUSTOMERS)?;
    let rent = move |mut client: Client| async move {
        let request = RentFilmRequest {
            film_id: rand::rng().random_range(1..=count),
            store_id: STORE,
            customer_id: rand::rng().random_range(1..=customers),
            staff_id: STAFF,
            request_id: String::new(),
        };
        client.rent_film(request).await.map(|_| ())
    };
    let connect = |served: &Served| Client::new(served.channel());
    rent(connect(served)).await?;
    let settings = format!("\\set film random(1, {count})\n\\set customer random(1, {customers})");
    let values = [":film", &STORE.to_string(), ":customer", &STAFF.to_string()];
    let script =
        Script::new(&settings, &last_statement(&served.database, "insert into rentals", &values).await?)?;
    let mut table = table("rent: RentFilm, a free copy of a random film", films);
    for _ in 0..size.rounds {
        give_back(served).await?;
        turn(&mut table, served, &script, CALLS, connect, rent).await?;
    }
    table.print();
    Ok(())
}

/// So that each round finds the copies that the one before found.
async fn give_back(served: &Served) -> Result<()> {
    let mut superuser = served.database.superuser().await;
    superuser.execute("update rentals set return_date = now() where return_date is null").await?;
    superuser.execute("vacuum analyze rentals").await?;
    Ok(())
}
