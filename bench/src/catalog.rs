//! The benches of the catalog: the service beside pgbench, which runs the service's own statements.

mod data;
mod pages;
mod pgbench;
mod reads;
mod rent;

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::future::try_join_all;
use selvedge_testing::Served;
use tokio::time::timeout;
use tonic::Status;

use crate::table::{Table, print_header, thousands};
use crate::{Result, Size};
use data::Films;
use pgbench::Script;

const SMALL: u64 = 1_000;
/// Clients of either contender at once, each with a connection of its own.
const CLIENTS: usize = 16;
/// Far longer than any of them takes.
const LIMIT: Duration = Duration::from_hours(2);

/// What to measure of the catalog service.
#[derive(Args)]
pub(crate) struct Catalog {
    /// Only this bench
    bench: Option<Bench>,
    #[command(flatten)]
    size: Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// One film by its id
    Film,
    /// The first twenty films by title
    Page,
    /// Twenty films with a word
    Search,
    /// The counts of all films
    Facets,
    /// A copy for a customer
    Rent,
    /// The first page and the ten-thousandth, and the indexes that lists use
    Pages,
}

impl Catalog {
    pub(crate) async fn run(self) -> Result<()> {
        print_header(self.size)?;
        let chosen: Vec<_> = Bench::value_variants()
            .iter()
            .filter(|bench| self.bench.is_none_or(|only| only == **bench))
            .collect();
        for count in [SMALL, self.size.rows] {
            let films = Films { count };
            let served = films.serve().await?;
            for bench in &chosen {
                timeout(LIMIT, bench.run(self.size, films, &served))
                    .await
                    .map_err(|_| format!("{bench:?} was not done within {LIMIT:?}"))??;
            }
            data::discard(served).await?;
        }
        Ok(())
    }
}

impl Bench {
    async fn run(self, size: Size, films: Films, served: &Served) -> Result<()> {
        match self {
            Self::Film => reads::film(size, films, served).await,
            Self::Page => reads::page(size, films, served).await,
            Self::Search => reads::search(size, films, served).await,
            Self::Facets => reads::facets(size, films, served).await,
            Self::Rent => rent::run(size, films, served).await,
            Self::Pages => pages::run(films, served).await,
        }
    }
}

/// The table of a question that both contenders answer.
fn table(question: &str, films: Films) -> Table {
    let what = format!("{question}, {} films, {CLIENTS} clients", thousands(films.count));
    Table::new(what, "call")
}

/// Lets pgbench, as the measure, and the service take a turn of so many calls each.
async fn turn<C, F>(
    table: &mut Table,
    served: &Served,
    script: &Script,
    calls: u64,
    connect: impl Fn(&Served) -> C,
    call: impl Fn(C) -> F + Clone + Send + 'static,
) -> Result<()>
where
    C: Clone + Send + 'static,
    F: Future<Output = Result<(), Status>> + Send,
{
    table.add("pgbench, the same statement", script.run(&served.database, CLIENTS, calls).await?);
    let each = (calls / u64::try_from(CLIENTS)?).max(1);
    let clients: Vec<C> = (0..CLIENTS).map(|_| connect(served)).collect();
    // The connections.
    try_join_all(clients.iter().cloned().map(call.clone())).await?;
    let work = async {
        let tasks = clients.into_iter().map(|client| {
            let call = call.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    call(client.clone()).await?;
                }
                Ok::<_, Status>(())
            })
        });
        for done in try_join_all(tasks.collect::<Vec<_>>()).await? {
            done?;
        }
        Ok(())
    };
    table.time("the service", each * u64::try_from(CLIENTS)?, work).await
}
