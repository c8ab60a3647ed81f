use chrono::{DateTime, Utc};
use selvedge_kit::mask::Mask;
use selvedge_kit::page::{Cursor, Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, etag, idempotency};
use selvedge_proto::catalog::v1::store_service_server::StoreService;
use selvedge_proto::catalog::v1::{
    Address, CreateStoreRequest, GetStoreRequest, ListStoresRequest, ListStoresResponse, Store,
    UpdateStoreRequest,
};
use sqlx::{PgExecutor, QueryBuilder};
use tonic::{Request, Response, Status};

use crate::addresses;

pub(crate) struct Stores {
    db: Db,
    page_tokens: PageTokens,
}

impl Stores {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i32,
    manager_staff_id: Option<i32>,
    street: String,
    street2: String,
    district: String,
    city: String,
    country: String,
    postal_code: String,
    phone: String,
    last_update: DateTime<Utc>,
}

#[tonic::async_trait]
impl StoreService for Stores {
    async fn get_store(&self, request: Request<GetStoreRequest>) -> Result<Response<Store>, Status> {
        Ok(Response::new(find(&self.db, request.into_inner().id).await?))
    }

    async fn list_stores(
        &self,
        request: Request<ListStoresRequest>,
    ) -> Result<Response<ListStoresResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let rows = self.list(&request, &page).await?;
        let (stores, next_page_token) =
            page.cut(rows.into_iter().map(|row| (Cursor::new("", row.id), row.into())).collect());
        Ok(Response::new(ListStoresResponse { stores, next_page_token }))
    }

    async fn create_store(&self, request: Request<CreateStoreRequest>) -> Result<Response<Store>, Status> {
        let request = request.into_inner();
        let store = request.store.clone().unwrap_or_default();
        if store.manager_staff_id.is_some() {
            return Err(not_staff_of_store().into());
        }
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            let address_id = addresses::insert(transaction, &store.address.unwrap_or_default()).await?;
            let id =
                sqlx::query_scalar!("insert into stores (address_id) values ($1) returning id", address_id)
                    .fetch_one(&mut **transaction)
                    .await?;
            find(&mut **transaction, id).await
        });
        Ok(Response::new(stored.await?))
    }

    async fn update_store(&self, request: Request<UpdateStoreRequest>) -> Result<Response<Store>, Status> {
        let request = request.into_inner();
        let new = request.store.unwrap_or_default();
        let changeable = [&["manager_staff_id"][..], &addresses::PATHS].concat();
        let mask = Mask::new(request.update_mask.as_ref(), &changeable, &[])?;
        let expected = etag::parse(&new.etag)?;
        let mut transaction = self.db.begin().await?;
        // The row is changed in any case: its etag stands for its address as well.
        let address_id = sqlx::query_scalar!(
            "update stores set manager_staff_id = case when $3 then $4 else manager_staff_id end
             where id = $1 and ($2::timestamptz is null or last_update = $2)
             returning address_id",
            new.id,
            expected,
            mask.has("manager_staff_id"),
            new.manager_staff_id,
        )
        .fetch_optional(&mut *transaction)
        .await
        .on_constraint("stores_manager_staff_id_fkey", not_staff_of_store)?;
        let Some(address_id) = address_id else {
            return Err(why_not(&mut *transaction, new.id).await.into());
        };
        addresses::update(&mut transaction, address_id, &mask, new.address.unwrap_or_default()).await?;
        let store = find(&mut *transaction, new.id).await?;
        transaction.commit().await?;
        Ok(Response::new(store))
    }
}

impl Stores {
    async fn list(
        &self,
        request: &ListStoresRequest,
        page: &Page<'_, ListStoresRequest>,
    ) -> Result<Vec<Row>, Error> {
        let mut query = QueryBuilder::new(
            "select stores.id, manager_staff_id, street, street2, district, cities.name as city,
                 countries.name as country, postal_code, phone, stores.last_update
             from stores
             join addresses on addresses.id = address_id
             join cities on cities.id = city_id
             join countries on countries.id = country_id
             where true",
        );
        if let Some(cursor) = page.after() {
            query.push(" and stores.id > ").push_bind(Cursor::read(cursor)?.id());
        }
        if !request.city.is_empty() {
            query.push(" and lower(cities.name) = lower(").push_bind(request.city.clone()).push(")");
        }
        if !request.country.is_empty() {
            query.push(" and lower(countries.name) = lower(").push_bind(request.country.clone()).push(")");
        }
        query.push(" order by stores.id limit ");
        query.push_bind(i64::try_from(page.wanted()).unwrap_or(i64::MAX));
        // Which plan is the best depends on the values.
        Ok(query.build_query_as().persistent(false).fetch_all(&self.db).await?)
    }
}

async fn find(executor: impl PgExecutor<'_>, id: i32) -> Result<Store, Error> {
    let row = sqlx::query_as!(
        Row,
        "select stores.id, manager_staff_id, street, street2, district, cities.name as city,
             countries.name as country, postal_code, phone, stores.last_update
         from stores
         join addresses on addresses.id = address_id
         join cities on cities.id = city_id
         join countries on countries.id = country_id
         where stores.id = $1",
        id
    );
    row.fetch_optional(executor).await?.map(Store::from).ok_or_else(not_found)
}

/// Why there was no row that may be changed: it is not there, or not in the state that the caller knows.
async fn why_not(executor: impl PgExecutor<'_>, id: i32) -> Error {
    find(executor, id).await.map_or_else(|error| error, |_| etag::mismatch())
}

impl From<Row> for Store {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            manager_staff_id: row.manager_staff_id,
            address: Some(Address {
                street: row.street,
                street2: row.street2,
                district: row.district,
                city: row.city,
                country: row.country,
                postal_code: row.postal_code,
                phone: row.phone,
            }),
            last_update: Some(convert::timestamp(row.last_update)),
            etag: etag::of(row.last_update),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "STORE_NOT_FOUND", "there is no store with this id")
}

/// What to answer where something is said to be of a store that is not there.
pub(crate) fn no_such_store() -> Error {
    Error::new(Code::FailedPrecondition, "STORE_NOT_FOUND", "there is no store with this store_id")
}

fn not_staff_of_store() -> Error {
    let message = "the manager of a store must be a member of its own staff";
    Error::new(Code::FailedPrecondition, "NOT_STAFF_OF_STORE", message)
}
