//! What only reads.

use rand::Rng as _;
use selvedge_proto::catalog::v1::film_service_client::FilmServiceClient;
use selvedge_proto::catalog::v1::{
    GetFilmFacetsRequest, GetFilmRequest, ListFilmsRequest, SearchFilmsRequest,
};
use selvedge_testing::Served;
use tonic::Status;
use tonic::transport::Channel;

use super::data::{Films, WORD};
use super::pgbench::{Script, last_statement};
use super::{table, turn};
use crate::{Result, Size};

type Client = FilmServiceClient<Channel>;

const PAGE: i32 = 20;

fn connect(served: &Served) -> Client {
    Client::new(served.channel())
}

/// As many calls of a bench in a round as a large table has this many rows for each.
fn calls(size: Size, rows_per_call: u64) -> u64 {
    (size.rows / rows_per_call).clamp(16, 20_000)
}

pub(super) async fn film(size: Size, films: Films, served: &Served) -> Result<()> {
    let count = i32::try_from(films.count)?;
    let get = move |mut client: Client| async move {
        let id = rand::rng().random_range(1..=count);
        let film = client.get_film(GetFilmRequest { id }).await?.into_inner();
        expect(film.id == id && film.actors.len() == 5)
    };
    get(connect(served)).await?;
    let setting = format!("\\set id random(1, {count})");
    let script = Script::new(&setting, &last_statement(&served.database, "from films", &[":id"]).await?)?;
    let mut table = table("film: GetFilm, with its categories and actors", films);
    for _ in 0..size.rounds {
        turn(&mut table, served, &script, calls(size, 50), connect, get).await?;
    }
    table.print();
    Ok(())
}

pub(super) async fn page(size: Size, films: Films, served: &Served) -> Result<()> {
    let list = |mut client: Client| async move {
        let request = ListFilmsRequest { page_size: PAGE, ..Default::default() };
        let page = client.list_films(request).await?.into_inner();
        expect(page.films.len() == usize::try_from(PAGE).unwrap_or(0))
    };
    list(connect(served)).await?;
    let limit = (PAGE + 1).to_string();
    let script = Script::new("", &last_statement(&served.database, "from films", &[&limit]).await?)?;
    let mut table = table("page: ListFilms, the first 20 by title", films);
    for _ in 0..size.rounds {
        turn(&mut table, served, &script, calls(size, 100), connect, list).await?;
    }
    table.print();
    Ok(())
}

pub(super) async fn search(size: Size, films: Films, served: &Served) -> Result<()> {
    let search = |mut client: Client| async move {
        let request = SearchFilmsRequest { page_size: PAGE, query: WORD.into(), ..Default::default() };
        let found = client.search_films(request).await?.into_inner();
        expect(!found.matches.is_empty() && !found.approximate)
    };
    search(connect(served)).await?;
    let limit = (PAGE + 1).to_string();
    let word = format!("'{WORD}'");
    let values = [&word, "null::real", "null", &limit];
    let script = Script::new("", &last_statement(&served.database, "websearch_to_tsquery", &values).await?)?;
    let mut table = table("search: SearchFilms, a word of one film in a hundred", films);
    for _ in 0..size.rounds {
        turn(&mut table, served, &script, calls(size, 5_000), connect, search).await?;
    }
    table.print();
    Ok(())
}

pub(super) async fn facets(size: Size, films: Films, served: &Served) -> Result<()> {
    let total = i64::try_from(films.count)?;
    let count = move |mut client: Client| async move {
        let facets = client.get_film_facets(GetFilmFacetsRequest::default()).await?.into_inner();
        expect(facets.total == total)
    };
    count(connect(served)).await?;
    let script = Script::new("", &last_statement(&served.database, "from films", &[]).await?)?;
    let mut table = table("facets: GetFilmFacets of all films", films);
    for _ in 0..size.rounds {
        turn(&mut table, served, &script, calls(size, 50_000), connect, count).await?;
    }
    table.print();
    Ok(())
}

/// An answer that is wrong ends the bench.
fn expect(right: bool) -> Result<(), Status> {
    right.then_some(()).ok_or_else(|| Status::internal("the answer is wrong"))
}
