use chrono::{DateTime, Utc};
use selvedge_kit::batch::{Batch, Limits};
use selvedge_kit::{Code, Db, Error, Kit, convert};
use selvedge_proto::contacts::v1::visitor_service_server::VisitorService;
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest, VisitorCount};
use tonic::{Request, Response, Status};

/// Visits that come while others are being counted would wait for the same row one by one: a statement counts them all, and a
/// second one stands ready behind it.
const AT_ONCE: Limits = Limits { in_flight: 2, calls: 1000 };

pub(crate) struct Visitors {
    db: Db,
    increments: Batch<String, Option<Row>>,
}

impl Visitors {
    pub(crate) fn new(kit: &Kit) -> Self {
        let db = kit.db.clone();
        let increments =
            Batch::new("increment visitors", AT_ONCE, move |visits| increment(db.clone(), visits));
        Self { db: kit.db.clone(), increments }
    }
}

#[derive(Clone)]
struct Row {
    counter: String,
    count: i64,
    last_updated: Option<DateTime<Utc>>,
}

#[tonic::async_trait]
impl VisitorService for Visitors {
    async fn increment_visitor_count(
        &self,
        request: Request<IncrementVisitorCountRequest>,
    ) -> Result<Response<VisitorCount>, Status> {
        let counter = request.into_inner().counter;
        // A lane for each counter: a statement is about one of them.
        let row = self.increments.call(&counter, counter.clone()).await?;
        Ok(Response::new(row.ok_or_else(unknown_counter)?.into()))
    }

    async fn get_visitor_count(
        &self,
        request: Request<GetVisitorCountRequest>,
    ) -> Result<Response<VisitorCount>, Status> {
        let counter = request.into_inner().counter;
        let row = sqlx::query_as!(
            Row,
            "select counter, count, last_updated from visitors where counter = $1",
            counter
        )
        .fetch_optional(&self.db)
        .await
        .map_err(Error::from)?;
        Ok(Response::new(row.ok_or_else(unknown_counter)?.into()))
    }
}

/// Counts the visits of one counter and gives each of them a number of its own, in their order.
async fn increment(db: Db, visits: Vec<String>) -> Result<Vec<Option<Row>>, Error> {
    let number = i64::try_from(visits.len()).unwrap_or(i64::MAX);
    let last = sqlx::query_as!(
        Row,
        r#"select counter as "counter!", count as "count!", last_updated from increment_visitors($1, $2)"#,
        visits.first(),
        number
    )
    .fetch_optional(&db)
    .await?;
    let nth = |nth: i64| last.clone().map(|last| Row { count: last.count - number + nth, ..last });
    Ok((1..=number).map(nth).collect())
}

impl From<Row> for VisitorCount {
    fn from(row: Row) -> Self {
        Self {
            counter: row.counter,
            count: row.count,
            last_updated: row.last_updated.map(convert::timestamp),
        }
    }
}

fn unknown_counter() -> Error {
    Error::new(Code::NotFound, "COUNTER_NOT_FOUND", "there is no counter of this name")
}
