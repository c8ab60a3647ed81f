use chrono::{DateTime, Utc};
use selvedge_kit::db::Transaction;
use selvedge_kit::mask::Mask;
use selvedge_kit::page::{Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, etag, idempotency, like};
use selvedge_proto::catalog::v1::customer_service_server::CustomerService;
use selvedge_proto::catalog::v1::{
    Address, CreateCustomerRequest, Customer, GetCustomerRequest, ListCustomersRequest,
    ListCustomersResponse, UpdateCustomerRequest,
};
use sqlx::{PgExecutor, QueryBuilder};
use tonic::{Request, Response, Status};

use crate::names;
use crate::{addresses, stores};

const CHANGEABLE: [&str; 5] = ["store_id", "first_name", "last_name", "email", "active"];

pub(crate) struct Customers {
    db: Db,
    page_tokens: PageTokens,
}

impl Customers {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i32,
    store_id: i32,
    first_name: String,
    last_name: String,
    email: String,
    street: String,
    street2: String,
    district: String,
    city: String,
    country: String,
    postal_code: String,
    phone: String,
    active: bool,
    created_at: DateTime<Utc>,
    last_update: DateTime<Utc>,
}

#[tonic::async_trait]
impl CustomerService for Customers {
    async fn get_customer(&self, request: Request<GetCustomerRequest>) -> Result<Response<Customer>, Status> {
        Ok(Response::new(find(&self.db, request.into_inner().id).await?))
    }

    async fn list_customers(
        &self,
        request: Request<ListCustomersRequest>,
    ) -> Result<Response<ListCustomersResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let rows = self.list(&request, &page).await?;
        let cursor = |row: &Row| names::cursor(&row.last_name, &row.first_name, row.id);
        let (customers, next_page_token) =
            page.cut(rows.into_iter().map(|row| (cursor(&row), row.into())).collect());
        Ok(Response::new(ListCustomersResponse { customers, next_page_token }))
    }

    async fn create_customer(
        &self,
        request: Request<CreateCustomerRequest>,
    ) -> Result<Response<Customer>, Status> {
        let request = request.into_inner();
        let customer = request.customer.clone().unwrap_or_default();
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(transaction, customer).await
        });
        Ok(Response::new(stored.await?))
    }

    async fn update_customer(
        &self,
        request: Request<UpdateCustomerRequest>,
    ) -> Result<Response<Customer>, Status> {
        let request = request.into_inner();
        let new = request.customer.unwrap_or_default();
        let changeable = [&CHANGEABLE[..], &addresses::PATHS].concat();
        let mask = Mask::new(request.update_mask.as_ref(), &changeable, &[])?;
        let mut transaction = self.db.begin().await?;
        let Some(address_id) = update(&mut transaction, &mask, &new).await? else {
            return Err(why_not(&mut *transaction, new.id).await.into());
        };
        addresses::update(&mut transaction, address_id, &mask, new.address.unwrap_or_default()).await?;
        let customer = find(&mut *transaction, new.id).await?;
        transaction.commit().await?;
        Ok(Response::new(customer))
    }
}

impl Customers {
    async fn list(
        &self,
        request: &ListCustomersRequest,
        page: &Page<'_, ListCustomersRequest>,
    ) -> Result<Vec<Row>, Error> {
        let mut query = QueryBuilder::new(
            "select customers.id, store_id, first_name, last_name, email, street, street2, district,
                 cities.name as city, countries.name as country, postal_code, phone, active, created_at,
                 customers.last_update
             from customers
             join addresses on addresses.id = address_id
             join cities on cities.id = city_id
             join countries on countries.id = country_id
             where true",
        );
        if request.store_id != 0 {
            query.push(" and store_id = ").push_bind(request.store_id);
        }
        if let Some(active) = request.active {
            query.push(" and active = ").push_bind(active);
        }
        if !request.name_contains.is_empty() {
            let pattern = like::containing(&request.name_contains);
            query.push(" and first_name || ' ' || last_name ilike ").push_bind(pattern);
        }
        if !request.email.is_empty() {
            query.push(" and lower(email) = lower(").push_bind(request.email.clone()).push(")");
        }
        names::push_page(&mut query, "customers", page.after(), page.wanted())?;
        // Which index is the best depends on the values.
        Ok(query.build_query_as().persistent(false).fetch_all(&self.db).await?)
    }
}

async fn find(executor: impl PgExecutor<'_>, id: i32) -> Result<Customer, Error> {
    let row = sqlx::query_as!(
        Row,
        "select customers.id, store_id, first_name, last_name, email, street, street2, district, cities.name as city,
             countries.name as country, postal_code, phone, active, created_at, customers.last_update
         from customers
         join addresses on addresses.id = address_id
         join cities on cities.id = city_id
         join countries on countries.id = country_id
         where customers.id = $1",
        id
    );
    row.fetch_optional(executor).await?.map(Customer::from).ok_or_else(not_found)
}

async fn insert(transaction: &mut Transaction, new: Customer) -> Result<Customer, Error> {
    let address_id = addresses::insert(transaction, &new.address.unwrap_or_default()).await?;
    let id = sqlx::query_scalar!(
        "insert into customers (store_id, first_name, last_name, email, address_id, active)
         values ($1, $2, $3, $4, $5, $6)
         returning id",
        new.store_id,
        new.first_name,
        new.last_name,
        new.email,
        address_id,
        new.active.unwrap_or(true),
    )
    .fetch_one(&mut **transaction)
    .await
    .on_constraint("customers_store_id_fkey", stores::no_such_store)?;
    find(&mut **transaction, id).await
}

/// Changes all but the address and answers with its id. The row is changed in any case: its etag stands for its address as
/// well.
async fn update(
    transaction: &mut Transaction,
    mask: &Mask<'_>,
    new: &Customer,
) -> Result<Option<i32>, Error> {
    sqlx::query_scalar!(
        "update customers set
             store_id = case when $3 then $4 else store_id end,
             first_name = case when $5 then $6 else first_name end,
             last_name = case when $7 then $8 else last_name end,
             email = case when $9 then $10 else email end,
             active = case when $11 then $12 else active end
         where id = $1 and ($2::timestamptz is null or last_update = $2)
         returning address_id",
        new.id,
        etag::parse(&new.etag)?,
        mask.has("store_id"),
        new.store_id,
        mask.has("first_name"),
        new.first_name,
        mask.has("last_name"),
        new.last_name,
        mask.has("email"),
        new.email,
        mask.has("active"),
        new.active.unwrap_or(true),
    )
    .fetch_optional(&mut **transaction)
    .await
    .on_constraint("customers_store_id_fkey", stores::no_such_store)
}

/// Why there was no row that may be changed: it is not there, or not in the state that the caller knows.
async fn why_not(executor: impl PgExecutor<'_>, id: i32) -> Error {
    find(executor, id).await.map_or_else(|error| error, |_| etag::mismatch())
}

impl From<Row> for Customer {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            store_id: row.store_id,
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            address: Some(Address {
                street: row.street,
                street2: row.street2,
                district: row.district,
                city: row.city,
                country: row.country,
                postal_code: row.postal_code,
                phone: row.phone,
            }),
            active: Some(row.active),
            created_at: Some(convert::timestamp(row.created_at)),
            last_update: Some(convert::timestamp(row.last_update)),
            etag: etag::of(row.last_update),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "CUSTOMER_NOT_FOUND", "there is no customer with this id")
}
