//! Whether the last page costs what the first does, and which indexes the lists use.

use std::time::Instant;

use selvedge_proto::catalog::v1::film_service_client::FilmServiceClient;
use selvedge_proto::catalog::v1::rental_service_client::RentalServiceClient;
use selvedge_proto::catalog::v1::{ListFilmsRequest, ListRentalsRequest, RentalState};
use selvedge_testing::{Database, Served};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tonic::transport::Channel;

use super::data::Films;
use super::pgbench::last_statement;
use crate::Result;
use crate::table::{Table, median, note, thousands};

const PAGE: i32 = 100;
const LIMIT: &str = "101";

/// As many pages at either end are compared.
const AT_AN_END: usize = 50;

pub(super) async fn run(films: Films, served: &Served) -> Result<()> {
    let pages = films.count / u64::try_from(PAGE)?;
    let what = format!("pages: ListFilms, {PAGE} films a page, {} pages, one client", thousands(pages));
    let mut table = Table::new(what, "page");
    let mut client = FilmServiceClient::new(served.channel());
    for order in ["title", "release_year", "last_update desc"] {
        let seconds = walk(&mut client, order).await?;
        let some = AT_AN_END.min(seconds.len());
        table.add(&format!("by {order}: the first pages"), median(&seconds[..some]));
        table.add(&format!("by {order}: the last pages"), median(&seconds[seconds.len() - some..]));
    }
    table.print();
    note("what the statements use, as PostgreSQL plans them:");
    plans_of_films(&mut client, &served.database).await?;
    plans_of_rentals(served).await
}

/// Reads the whole list; answers with how long each page took, in seconds.
async fn walk(client: &mut FilmServiceClient<Channel>, order: &str) -> Result<Vec<f64>> {
    let mut request = ListFilmsRequest { page_size: PAGE, order_by: order.into(), ..Default::default() };
    let mut seconds = vec![];
    loop {
        let began = Instant::now();
        let page = client.list_films(request.clone()).await?.into_inner();
        seconds.push(began.elapsed().as_secs_f64());
        if page.next_page_token.is_empty() {
            return Ok(seconds);
        }
        request.page_token = page.next_page_token;
    }
}

async fn plans_of_films(client: &mut FilmServiceClient<Channel>, database: &Database) -> Result<()> {
    let all = || ListFilmsRequest { page_size: PAGE, ..Default::default() };
    let lists = [
        ("by title", all(), vec![]),
        ("by release_year", ListFilmsRequest { order_by: "release_year".into(), ..all() }, vec![]),
        (
            "title_prefix",
            ListFilmsRequest { title_prefix: "copper door".into(), ..all() },
            vec!["'copper door%'"],
        ),
        (
            "title_contains",
            ListFilmsRequest { title_contains: "ferry 77".into(), ..all() },
            vec!["'%ferry 77%'"],
        ),
        ("category_id", ListFilmsRequest { category_id: 3, ..all() }, vec!["3"]),
        ("actor_id", ListFilmsRequest { actor_id: 5, ..all() }, vec!["5"]),
    ];
    for (name, request, mut values) in lists {
        client.list_films(request).await?;
        values.push(LIMIT);
        explain(database, name, &last_statement(database, "from films", &values).await?).await?;
    }
    Ok(())
}

async fn plans_of_rentals(served: &Served) -> Result<()> {
    let mut client = RentalServiceClient::new(served.channel());
    let all = || ListRentalsRequest { page_size: PAGE, ..Default::default() };
    let lists = [
        ("rentals", all(), vec![]),
        ("rentals, overdue", ListRentalsRequest { state: RentalState::Overdue.into(), ..all() }, vec![]),
        ("rentals, customer_id", ListRentalsRequest { customer_id: 7, ..all() }, vec!["7"]),
        ("rentals, film_id", ListRentalsRequest { film_id: 7, ..all() }, vec!["7"]),
    ];
    for (name, request, mut values) in lists {
        client.list_rentals(request).await?;
        values.push(LIMIT);
        explain(&served.database, name, &last_statement(&served.database, "from rentals", &values).await?)
            .await?;
    }
    Ok(())
}

/// Notes the indexes of a plan, the tables that it reads from end to end, and the blocks that it touches.
async fn explain(database: &Database, name: &str, statement: &str) -> Result<()> {
    let explain = AssertSqlSafe(format!("explain (analyze, buffers, format json) {statement}"));
    let plan: Value = sqlx::query_scalar(explain).fetch_one(&mut database.superuser().await).await?;
    let plan = &plan[0]["Plan"];
    let mut uses = vec![];
    collect(plan, &mut uses);
    uses.dedup();
    let blocks = ["Shared Hit Blocks", "Shared Read Blocks"].map(|kind| plan[kind].as_u64().unwrap_or(0));
    let blocks = thousands(blocks.iter().sum());
    note(&format!("  {name:<24} {blocks:>9} blocks   {}", uses.join(", ")));
    Ok(())
}

fn collect(plan: &Value, uses: &mut Vec<String>) {
    if let Some(index) = plan["Index Name"].as_str() {
        uses.push(index.to_owned());
    }
    if plan["Node Type"] == "Seq Scan" {
        uses.push(format!("all of {}", plan["Relation Name"].as_str().unwrap_or("a table")));
    }
    for below in plan["Plans"].as_array().into_iter().flatten() {
        collect(below, uses);
    }
}
