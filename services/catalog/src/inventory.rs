use chrono::{DateTime, Utc};
use selvedge_kit::page::{Cursor, Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, idempotency};
use selvedge_proto::catalog::v1::inventory_service_server::InventoryService;
use selvedge_proto::catalog::v1::{
    AddInventoryItemsRequest, AddInventoryItemsResponse, FilmAvailability, GetFilmAvailabilityRequest,
    GetInventoryItemRequest, InventoryItem, ListInventoryItemsRequest, ListInventoryItemsResponse,
    RetireInventoryItemRequest, StoreAvailability,
};
use sqlx::{PgExecutor, QueryBuilder};
use tonic::{Request, Response, Status};

use crate::stores;

pub(crate) struct Inventory {
    db: Db,
    page_tokens: PageTokens,
}

impl Inventory {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

/// A copy, and whether it is with a customer.
#[derive(sqlx::FromRow)]
struct Row {
    id: i32,
    film_id: i32,
    store_id: i32,
    retired_at: Option<DateTime<Utc>>,
    last_update: DateTime<Utc>,
    rented: bool,
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    async fn get_film_availability(
        &self,
        request: Request<GetFilmAvailabilityRequest>,
    ) -> Result<Response<FilmAvailability>, Status> {
        let film_id = request.into_inner().film_id;
        // A film without copies is a row without a store.
        let rows = sqlx::query!(
            r#"select inventory.store_id as "store_id?", count(inventory.id) as "copies!",
                   count(inventory.id) filter (where rentals.id is null) as "available!"
               from films
               left join inventory on inventory.film_id = films.id and retired_at is null
               left join rentals on rentals.inventory_id = inventory.id and return_date is null
               where films.id = $1
               group by inventory.store_id
               order by inventory.store_id"#,
            film_id
        )
        .fetch_all(&self.db)
        .await
        .map_err(Error::from)?;
        if rows.is_empty() {
            return Err(Error::new(Code::NotFound, "FILM_NOT_FOUND", "there is no film with this id").into());
        }
        let count = |count| i32::try_from(count).unwrap_or(i32::MAX);
        let of_store = |store_id, copies, available| StoreAvailability {
            store_id,
            copies: count(copies),
            available: count(available),
        };
        let stores = rows
            .into_iter()
            .filter_map(|row| row.store_id.map(|store| of_store(store, row.copies, row.available)))
            .collect();
        Ok(Response::new(FilmAvailability { film_id, stores }))
    }

    async fn get_inventory_item(
        &self,
        request: Request<GetInventoryItemRequest>,
    ) -> Result<Response<InventoryItem>, Status> {
        Ok(Response::new(find(&self.db, request.into_inner().id).await?))
    }

    async fn list_inventory_items(
        &self,
        request: Request<ListInventoryItemsRequest>,
    ) -> Result<Response<ListInventoryItemsResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let rows = self.list(&request, &page).await?;
        let (inventory_items, next_page_token) =
            page.cut(rows.into_iter().map(|row| (Cursor::new("", row.id), row.into())).collect());
        Ok(Response::new(ListInventoryItemsResponse { inventory_items, next_page_token }))
    }

    async fn add_inventory_items(
        &self,
        request: Request<AddInventoryItemsRequest>,
    ) -> Result<Response<AddInventoryItemsResponse>, Status> {
        let request = request.into_inner();
        if request.request_id.is_empty() {
            return Ok(Response::new(insert(&self.db, &request).await?));
        }
        let added = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(&mut **transaction, &request).await
        });
        Ok(Response::new(added.await?))
    }

    async fn retire_inventory_item(
        &self,
        request: Request<RetireInventoryItemRequest>,
    ) -> Result<Response<InventoryItem>, Status> {
        let id = request.into_inner().id;
        let mut transaction = self.db.begin().await?;
        // Whoever rents the copy out locks it too. What became of that is seen by the statement after this one.
        sqlx::query!("select from inventory where id = $1 for update", id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::from)?;
        let item = find(&mut *transaction, id).await?;
        if item.retired_at.is_some() {
            return Ok(Response::new(item));
        }
        if !item.available {
            let message = "this copy is rented; it can be retired when it is back";
            return Err(Error::new(Code::FailedPrecondition, "COPY_IS_RENTED", message).into());
        }
        let item = retire(&mut *transaction, id).await?;
        transaction.commit().await?;
        Ok(Response::new(item))
    }
}

impl Inventory {
    async fn list(
        &self,
        request: &ListInventoryItemsRequest,
        page: &Page<'_, ListInventoryItemsRequest>,
    ) -> Result<Vec<Row>, Error> {
        let mut query = QueryBuilder::new(
            "select id, film_id, store_id, retired_at, last_update,
                 exists (select from rentals where inventory_id = inventory.id and return_date is null) as rented
             from inventory where true",
        );
        if let Some(cursor) = page.after() {
            query.push(" and id > ").push_bind(Cursor::read(cursor)?.id());
        }
        if request.film_id != 0 {
            query.push(" and film_id = ").push_bind(request.film_id);
        }
        if request.store_id != 0 {
            query.push(" and store_id = ").push_bind(request.store_id);
        }
        if let Some(available) = request.available {
            query.push(" and (retired_at is null and not exists (");
            query.push("select from rentals where inventory_id = inventory.id and return_date is null)) = ");
            query.push_bind(available);
        }
        query.push(" order by id limit ").push_bind(i64::try_from(page.wanted()).unwrap_or(i64::MAX));
        // Which index is the best depends on the values.
        Ok(query.build_query_as().persistent(false).fetch_all(&self.db).await?)
    }
}

async fn find(executor: impl PgExecutor<'_>, id: i32) -> Result<InventoryItem, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, film_id, store_id, retired_at, last_update,
               exists (select from rentals where inventory_id = inventory.id and return_date is null) as "rented!"
           from inventory where id = $1"#,
        id
    );
    row.fetch_optional(executor).await?.map(InventoryItem::from).ok_or_else(|| {
        Error::new(Code::NotFound, "INVENTORY_ITEM_NOT_FOUND", "there is no copy with this id")
    })
}

async fn insert(
    executor: impl PgExecutor<'_>,
    request: &AddInventoryItemsRequest,
) -> Result<AddInventoryItemsResponse, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"with added as (
               insert into inventory (film_id, store_id) select $1, $2 from generate_series(1, $3)
               returning id, film_id, store_id, retired_at, last_update
           )
           select id, film_id, store_id, retired_at, last_update, false as "rented!" from added order by id"#,
        request.film_id,
        request.store_id,
        request.count,
    )
    .fetch_all(executor)
    .await
    .on_constraint("inventory_store_id_fkey", stores::no_such_store)
    .on_constraint("inventory_film_id_fkey", || {
        Error::new(Code::FailedPrecondition, "FILM_NOT_FOUND", "there is no film with this film_id")
    })?;
    Ok(AddInventoryItemsResponse { inventory_items: rows.into_iter().map(InventoryItem::from).collect() })
}

/// Of a copy that is locked and not rented.
async fn retire(executor: impl PgExecutor<'_>, id: i32) -> Result<InventoryItem, Error> {
    // The time of now, not of before the wait for the lock: its last rental may have ended in between.
    let row = sqlx::query_as!(
        Row,
        r#"update inventory set retired_at = clock_timestamp() where id = $1
           returning id, film_id, store_id, retired_at, last_update, false as "rented!""#,
        id
    );
    Ok(row.fetch_one(executor).await?.into())
}

impl From<Row> for InventoryItem {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            film_id: row.film_id,
            store_id: row.store_id,
            available: row.retired_at.is_none() && !row.rented,
            retired_at: row.retired_at.map(convert::timestamp),
            last_update: Some(convert::timestamp(row.last_update)),
        }
    }
}
