//! What one would write in an afternoon where no services are wanted: axum, sqlx with its own pool, and five routes
//! that answer what Selvedge's gateway answers.

#![expect(
    clippy::disallowed_types,
    reason = "to be measured with the pool that everybody has is what it is for"
)]

mod answer;
mod contacts;
mod films;

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use mimalloc::MiMalloc;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;

/// The gateway has it, too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let connections = env::var("POOL").map_or(Ok(16), |pool| pool.parse())?;
    let database: PgPool =
        PgPoolOptions::new().max_connections(connections).connect(&env::var("DATABASE_URL")?).await?;
    let routes = Router::new()
        .route("/v1/films", get(films::list))
        .route("/v1/films/{id}", get(films::find))
        .route("/v1/films:search", get(films::search))
        .route("/v1/submissions", post(contacts::create))
        .route("/v1/visitors/{counter}", post(contacts::visit))
        .with_state(database);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, env::var("PORT")?.parse()?)).await?;
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            eprintln!("a connection waits for more before it sends: {error}");
        }
    });
    axum::serve(listener, routes).await?;
    Ok(())
}
