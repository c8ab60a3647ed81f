use chrono::{DateTime, Utc};
use selvedge_kit::{Code, Db, Error, Kit, convert};
use selvedge_proto::contacts::v1::visitor_service_server::VisitorService;
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest, VisitorCount};
use tonic::{Request, Response, Status};

pub(crate) struct Visitors {
    db: Db,
}

impl Visitors {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone() }
    }
}

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
        let row = sqlx::query_as!(
            Row,
            r#"select counter as "counter!", count as "count!", last_updated from increment_visitors($1)"#,
            counter
        )
        .fetch_optional(&self.db)
        .await
        .map_err(Error::from)?;
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
