//! Pages that are asked for together are read together, and are what they would be alone.

use selvedge_kit::batch::Limits;
use selvedge_proto::catalog::v1::{ListFilmsRequest, ListFilmsResponse};
use sqlx::Executor as _;
use tokio::task::JoinHandle;
use tonic::{Response, Status};

use crate::Client;
use crate::list::start_with_films;

const METHOD: &str = "selvedge.catalog.v1.FilmService/ListFilms";
const ORDERS: [&str; 5] = ["title", "release_year desc", "length", "rental_rate desc", "last_update"];

fn list(
    client: &Client,
    request: ListFilmsRequest,
) -> JoinHandle<Result<Response<ListFilmsResponse>, Status>> {
    let mut client = client.clone();
    tokio::spawn(async move { client.list_films(request).await })
}

/// All pages of some lists, each with what asks for it.
async fn alone(client: &mut Client) -> Vec<(ListFilmsRequest, ListFilmsResponse)> {
    let mut pages = vec![];
    for order_by in ORDERS {
        for page_size in [7, 25] {
            let mut request = ListFilmsRequest { order_by: order_by.into(), page_size, ..Default::default() };
            loop {
                let page = client.list_films(request.clone()).await.unwrap().into_inner();
                let next = ListFilmsRequest { page_token: page.next_page_token.clone(), ..request.clone() };
                pages.push((request, page));
                if next.page_token.is_empty() {
                    break;
                }
                request = next;
            }
        }
    }
    pages
}

#[tokio::test]
async fn pages_that_are_asked_for_together_are_the_same_as_alone() {
    let (served, mut client) = start_with_films().await;
    let pages = alone(&mut client).await;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; lock table films in access exclusive mode").await.unwrap();
    // Each of them twice, as many people look at the same page.
    let requests = pages.iter().chain(&pages).map(|(request, _)| request.clone());
    let answers: Vec<_> = requests.map(|request| list(&client, request)).collect();
    served.until_in_flight(METHOD, answers.len()).await;
    // They do not take a connection each: what is behind the first statements waits to become the next ones.
    let statements = Limits::of_reads().in_flight.min(served.running().db().pool_size());
    let statements = i64::try_from(statements).unwrap();
    assert_eq!(served.until_waiting(statements).await, statements);
    holder.execute("rollback").await.unwrap();
    for (number, answer) in answers.into_iter().enumerate() {
        let (request, page) = &pages[number % pages.len()];
        assert_eq!(answer.await.unwrap().unwrap().get_ref(), page, "{request:?}");
    }
}
