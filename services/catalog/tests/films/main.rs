//! Films: what is stored, how it is found, and what that costs.

mod export;
mod facets;
mod links;
mod list;
mod plans;
mod search;
mod together;
mod write;

use selvedge_catalog::SERVICE;
use selvedge_proto::catalog::v1::film_service_client::FilmServiceClient;
use selvedge_proto::catalog::v1::{CreateFilmRequest, Film};
use selvedge_testing::{Database, Served, serve};
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::transport::Channel;

type Client = FilmServiceClient<Channel>;

/// Three languages, three categories and four actors, with the ids from 1 on.
const AROUND: &str = "
    insert into languages (name) values ('English'), ('Italian'), ('Japanese');
    insert into categories (name) values ('Horror'), ('Comedy'), ('Sci-Fi 100%');
    insert into actors (first_name, last_name)
    values ('Zoe', 'Adams'), ('bea', 'adams'), ('Al', 'Brown'), ('Cy', 'Young')";

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    run(&served.database, AROUND).await;
    let client = Client::new(served.channel());
    (served, client)
}

/// Statements, behind the service's back.
async fn run(database: &Database, statements: &str) {
    let mut superuser = database.superuser().await;
    for statement in statements.split(';') {
        superuser.execute(AssertSqlSafe(statement)).await.unwrap();
    }
}

/// The least that a film has.
fn film(title: &str) -> Film {
    Film { title: title.into(), language_id: 1, ..Film::default() }
}

async fn create(client: &mut Client, film: Film) -> Film {
    let request = CreateFilmRequest { film: Some(film), ..Default::default() };
    client.create_film(request).await.unwrap().into_inner()
}
