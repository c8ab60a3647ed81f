mod refresh;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use prost_types::Timestamp;
use selvedge_kit::{Code, Db, Error, Kit, convert};
use selvedge_proto::catalog::v1::report_service_server::ReportService;
use selvedge_proto::catalog::v1::{
    CategoryRevenue, CategoryRevenueReport, CustomerRevenue, FilmRevenue, GetCategoryRevenueRequest,
    GetStoreRevenueRequest, GetTopCustomersRequest, GetTopFilmsRequest, RefreshReportsRequest,
    RefreshReportsResponse, StoreRevenue, StoreRevenueReport, TopCustomersReport, TopFilmsReport,
};
use sqlx::QueryBuilder;
use tonic::{Request, Response, Status};

/// The most months of stores in a report.
const MAX_MONTHS: i64 = 1000;

const DEFAULT_TOP: i64 = 20;
const MAX_TOP: i64 = 100;

pub(crate) struct Reports {
    db: Db,
}

impl Reports {
    pub(crate) fn new(kit: &mut Kit) -> Self {
        refresh::tend(kit);
        Self { db: kit.db.clone() }
    }

    /// Read before the figures: they may have been brought up to date in between, but never the other way round.
    async fn refreshed_at(&self) -> Result<Option<Timestamp>, Error> {
        let at = sqlx::query_scalar!("select refreshed_at from report_refreshes").fetch_one(&self.db).await?;
        Ok(Some(convert::timestamp(at)))
    }
}

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_category_revenue(
        &self,
        _: Request<GetCategoryRevenueRequest>,
    ) -> Result<Response<CategoryRevenueReport>, Status> {
        let refreshed_at = self.refreshed_at().await?;
        let categories = sqlx::query_as!(
            CategoryRevenue,
            r#"select id as category_id, name, coalesce(rentals, 0) as "rentals!",
                   coalesce(revenue, 0.00)::text as "revenue!"
               from categories left join category_revenue on category_id = id
               order by coalesce(revenue, 0) desc, id"#
        );
        let categories = categories.fetch_all(&self.db).await.map_err(Error::from)?;
        Ok(Response::new(CategoryRevenueReport { categories, refreshed_at }))
    }

    async fn get_store_revenue(
        &self,
        request: Request<GetStoreRevenueRequest>,
    ) -> Result<Response<StoreRevenueReport>, Status> {
        let request = request.into_inner();
        let refreshed_at = self.refreshed_at().await?;
        let stores = sqlx::query_as!(
            StoreRevenue,
            r#"select store_id as "store_id!", to_char(month at time zone 'UTC', 'YYYY-MM') as "month!",
                   payments as "payments!", revenue::text as "revenue!"
               from store_month_revenue
               where ($1 = 0 or store_id = $1) and ($2::timestamptz is null or month >= $2)
                   and ($3::timestamptz is null or month <= $3)
               order by store_month_revenue.month desc, store_id limit $4"#,
            request.store_id,
            month("first_month", &request.first_month)?,
            month("last_month", &request.last_month)?,
            MAX_MONTHS,
        );
        let stores = stores.fetch_all(&self.db).await.map_err(Error::from)?;
        Ok(Response::new(StoreRevenueReport { stores, refreshed_at }))
    }

    async fn get_top_films(
        &self,
        request: Request<GetTopFilmsRequest>,
    ) -> Result<Response<TopFilmsReport>, Status> {
        let request = request.into_inner();
        let refreshed_at = self.refreshed_at().await?;
        let mut query = QueryBuilder::new(
            "select film_id, title, top.rentals, top.revenue::text
             from film_revenue as top join films on id = film_id",
        );
        query.push(order(&request.order_by)).push(", film_id limit ").push_bind(top(request.page_size));
        let rows: Vec<(i32, String, i64, String)> =
            query.build_query_as().persistent(false).fetch_all(&self.db).await.map_err(Error::from)?;
        let film = |(film_id, title, rentals, revenue)| FilmRevenue { film_id, title, rentals, revenue };
        Ok(Response::new(TopFilmsReport { films: rows.into_iter().map(film).collect(), refreshed_at }))
    }

    async fn get_top_customers(
        &self,
        request: Request<GetTopCustomersRequest>,
    ) -> Result<Response<TopCustomersReport>, Status> {
        let request = request.into_inner();
        let refreshed_at = self.refreshed_at().await?;
        let mut query = QueryBuilder::new(
            "select customer_id, first_name, last_name, top.rentals, top.revenue::text
             from customer_revenue as top join customers on id = customer_id",
        );
        query.push(order(&request.order_by)).push(", customer_id limit ").push_bind(top(request.page_size));
        let rows: Vec<(i32, String, String, i64, String)> =
            query.build_query_as().persistent(false).fetch_all(&self.db).await.map_err(Error::from)?;
        let customer = |(customer_id, first_name, last_name, rentals, revenue)| CustomerRevenue {
            customer_id,
            first_name,
            last_name,
            rentals,
            revenue,
        };
        Ok(Response::new(TopCustomersReport {
            customers: rows.into_iter().map(customer).collect(),
            refreshed_at,
        }))
    }

    async fn refresh_reports(
        &self,
        _: Request<RefreshReportsRequest>,
    ) -> Result<Response<RefreshReportsResponse>, Status> {
        let refreshed = refresh::refresh(&self.db).await?.ok_or_else(|| {
            Error::new(Code::Unavailable, "REFRESH_UNDER_WAY", "somebody else is at it; read them in a while")
        })?;
        Ok(Response::new(RefreshReportsResponse { refreshed_at: Some(convert::timestamp(refreshed)) }))
    }
}

fn order(by: &str) -> &'static str {
    match by {
        "rentals" => " order by top.rentals desc",
        _ => " order by top.revenue desc",
    }
}

fn top(size: i32) -> i64 {
    match size.into() {
        0 => DEFAULT_TOP,
        size => MAX_TOP.min(size),
    }
}

/// The beginning of a month; `None` where none is given.
fn month(field: &str, text: &str) -> Result<Option<DateTime<Utc>>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
    let day = day.map_err(|_| Error::invalid(field, "must be a month"))?;
    Ok(Some(day.and_time(NaiveTime::MIN).and_utc()))
}
