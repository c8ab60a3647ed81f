use chrono::{DateTime, Months, Utc};
use selvedge_kit::page::{Cursor, Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, convert, partitions};
use selvedge_proto::catalog::v1::payment_service_server::PaymentService;
use selvedge_proto::catalog::v1::{GetPaymentRequest, ListPaymentsRequest, ListPaymentsResponse, Payment};
use sqlx::{Postgres, QueryBuilder};
use tonic::{Request, Response, Status};

use crate::by_time;

/// Payments, by the month in which they were made.
pub(crate) const TABLE: partitions::Table = partitions::Table {
    name: "payments",
    time: "payment_date",
    key: "payment_date",
    floor: "",
    metric: "catalog.payments.in_default_partition",
};

/// How far back the first look of a list goes.
const FIRST_LOOK: Months = Months::new(1);

pub(crate) struct Payments {
    db: Db,
    page_tokens: PageTokens,
}

impl Payments {
    pub(crate) fn new(kit: &mut Kit) -> Self {
        partitions::tend(kit, TABLE);
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    customer_id: i32,
    staff_id: i32,
    rental_id: i64,
    amount: String,
    payment_date: DateTime<Utc>,
}

#[tonic::async_trait]
impl PaymentService for Payments {
    async fn get_payment(&self, request: Request<GetPaymentRequest>) -> Result<Response<Payment>, Status> {
        let id = request.into_inner().id;
        let row = match self.find(id).await? {
            // It may just have been moved to its month's partition, of which the first look did not know yet.
            None => self.find(id).await?,
            found => found,
        };
        Ok(Response::new(row.ok_or_else(not_found)?.into()))
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}

impl Payments {
    async fn find(&self, id: i64) -> Result<Option<Row>, Error> {
        let row = sqlx::query_as!(
            Row,
            r#"select id, customer_id, staff_id, rental_id, amount::text as "amount!", payment_date
               from payments where id = $1"#,
            id
        );
        Ok(row.fetch_optional(&self.db).await?)
    }

    /// The first look is at the month before where the page begins, and so at few partitions. Only a page that this does
    /// not fill takes the second look, at everything older.
    async fn list(&self, mut request: ListPaymentsRequest) -> Result<ListPaymentsResponse, Error> {
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let filter = Filter::new(&request, page.after())?;
        let mut rows: Vec<Row> = vec![];
        for period in filter.looks() {
            let mut query = QueryBuilder::new(
                "select id, customer_id, staff_id, rental_id, amount::text, payment_date from payments where true",
            );
            filter.push(&mut query, period);
            let missing = page.wanted() - rows.len();
            query.push(" order by payment_date desc, id desc limit ");
            query.push_bind(i64::try_from(missing).unwrap_or(i64::MAX));
            rows.extend(query.build_query_as::<Row>().persistent(false).fetch_all(&self.db).await?);
            if rows.len() == page.wanted() {
                break;
            }
        }
        let place = |row: &Row| by_time::cursor(row.payment_date, row.id);
        let (payments, next_page_token) =
            page.cut(rows.into_iter().map(|row| (place(&row), row.into())).collect());
        Ok(ListPaymentsResponse { payments, next_page_token })
    }
}

/// From one time on, and before another.
#[derive(Clone, Copy)]
struct Period {
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

/// What a list is about.
struct Filter {
    customer_id: i32,
    rental_id: i64,
    period: Period,
    /// The last row of the page before.
    after: Option<(DateTime<Utc>, i64)>,
}

impl Filter {
    fn new(request: &ListPaymentsRequest, after: Option<&[u8]>) -> Result<Self, Error> {
        let time = |field, time: Option<_>| time.map(|time| convert::time(field, &time)).transpose();
        let after = after.map(Cursor::read).transpose()?;
        Ok(Self {
            customer_id: request.customer_id,
            rental_id: request.rental_id,
            period: Period {
                from: time("paid_from", request.paid_from)?,
                before: time("paid_before", request.paid_before)?,
            },
            after: after.map(|cursor| Ok::<_, Error>((by_time::time(&cursor)?, cursor.id()))).transpose()?,
        })
    }

    /// The periods to look at, one after the other.
    fn looks(&self) -> Vec<Period> {
        let Period { from, before } = self.period;
        let after = self.after.map(|(time, _)| time);
        let newest = [before, after].into_iter().flatten().fold(Utc::now(), DateTime::min);
        match newest.checked_sub_months(FIRST_LOOK) {
            Some(month) if from.is_none_or(|from| from < month) => {
                vec![Period { from: Some(month), before }, Period { from, before: Some(month) }]
            }
            _ => vec![self.period],
        }
    }

    fn push(&self, query: &mut QueryBuilder<Postgres>, Period { from, before }: Period) {
        if let Some(from) = from {
            query.push(" and payment_date >= ").push_bind(from);
        }
        if let Some(before) = before {
            query.push(" and payment_date < ").push_bind(before);
        }
        if let Some((time, id)) = self.after {
            // The first of the two says the same as the second and lets PostgreSQL see which partitions it is about.
            query.push(" and payment_date <= ").push_bind(time);
            query.push(" and (payment_date, id) < (").push_bind(time).push(", ").push_bind(id).push(")");
        }
        if self.customer_id != 0 {
            query.push(" and customer_id = ").push_bind(self.customer_id);
        }
        if self.rental_id != 0 {
            query.push(" and rental_id = ").push_bind(self.rental_id);
        }
    }
}

impl From<Row> for Payment {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            customer_id: row.customer_id,
            staff_id: row.staff_id,
            rental_id: row.rental_id,
            amount: row.amount,
            payment_date: Some(convert::timestamp(row.payment_date)),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "PAYMENT_NOT_FOUND", "there is no payment with this id")
}
