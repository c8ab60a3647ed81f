use chrono::{DateTime, Utc};
use selvedge_kit::db::Transaction;
use selvedge_kit::mask::Mask;
use selvedge_kit::page::{Cursor, Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, etag, idempotency};
use selvedge_proto::catalog::v1::staff_service_server::StaffService;
use selvedge_proto::catalog::v1::{
    Address, CreateStaffMemberRequest, GetStaffMemberRequest, ListStaffMembersRequest,
    ListStaffMembersResponse, StaffMember, UpdateStaffMemberRequest,
};
use sqlx::{PgExecutor, QueryBuilder};
use tonic::{Request, Response, Status};

use crate::{addresses, stores};

const CHANGEABLE: [&str; 6] = ["store_id", "first_name", "last_name", "email", "username", "active"];

pub(crate) struct Staff {
    db: Db,
    page_tokens: PageTokens,
}

impl Staff {
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
    username: String,
    street: String,
    street2: String,
    district: String,
    city: String,
    country: String,
    postal_code: String,
    phone: String,
    active: bool,
    last_update: DateTime<Utc>,
}

#[tonic::async_trait]
impl StaffService for Staff {
    async fn get_staff_member(
        &self,
        request: Request<GetStaffMemberRequest>,
    ) -> Result<Response<StaffMember>, Status> {
        Ok(Response::new(find(&self.db, request.into_inner().id).await?))
    }

    async fn list_staff_members(
        &self,
        request: Request<ListStaffMembersRequest>,
    ) -> Result<Response<ListStaffMembersResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let rows = self.list(&request, &page).await?;
        let (staff_members, next_page_token) =
            page.cut(rows.into_iter().map(|row| (Cursor::new("", row.id), row.into())).collect());
        Ok(Response::new(ListStaffMembersResponse { staff_members, next_page_token }))
    }

    async fn create_staff_member(
        &self,
        request: Request<CreateStaffMemberRequest>,
    ) -> Result<Response<StaffMember>, Status> {
        let request = request.into_inner();
        let member = request.staff_member.clone().unwrap_or_default();
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(transaction, member).await
        });
        Ok(Response::new(stored.await?))
    }

    async fn update_staff_member(
        &self,
        request: Request<UpdateStaffMemberRequest>,
    ) -> Result<Response<StaffMember>, Status> {
        let request = request.into_inner();
        let new = request.staff_member.unwrap_or_default();
        let changeable = [&CHANGEABLE[..], &addresses::PATHS].concat();
        let mask = Mask::new(request.update_mask.as_ref(), &changeable, &[])?;
        let mut transaction = self.db.begin().await?;
        let Some(address_id) = update(&mut transaction, &mask, &new).await? else {
            return Err(why_not(&mut *transaction, new.id).await.into());
        };
        addresses::update(&mut transaction, address_id, &mask, new.address.unwrap_or_default()).await?;
        let member = find(&mut *transaction, new.id).await?;
        transaction.commit().await?;
        Ok(Response::new(member))
    }
}

impl Staff {
    async fn list(
        &self,
        request: &ListStaffMembersRequest,
        page: &Page<'_, ListStaffMembersRequest>,
    ) -> Result<Vec<Row>, Error> {
        let mut query = QueryBuilder::new(
            "select staff.id, store_id, first_name, last_name, email, username, street, street2, district,
                 cities.name as city, countries.name as country, postal_code, phone, active, staff.last_update
             from staff
             join addresses on addresses.id = address_id
             join cities on cities.id = city_id
             join countries on countries.id = country_id
             where true",
        );
        if let Some(cursor) = page.after() {
            query.push(" and staff.id > ").push_bind(Cursor::read(cursor)?.id());
        }
        if request.store_id != 0 {
            query.push(" and store_id = ").push_bind(request.store_id);
        }
        if let Some(active) = request.active {
            query.push(" and active = ").push_bind(active);
        }
        query.push(" order by staff.id limit ");
        query.push_bind(i64::try_from(page.wanted()).unwrap_or(i64::MAX));
        // Which index is the best depends on the values.
        Ok(query.build_query_as().persistent(false).fetch_all(&self.db).await?)
    }
}

async fn find(executor: impl PgExecutor<'_>, id: i32) -> Result<StaffMember, Error> {
    let row = sqlx::query_as!(
        Row,
        "select staff.id, store_id, first_name, last_name, email, username, street, street2, district,
             cities.name as city, countries.name as country, postal_code, phone, active, staff.last_update
         from staff
         join addresses on addresses.id = address_id
         join cities on cities.id = city_id
         join countries on countries.id = country_id
         where staff.id = $1",
        id
    );
    row.fetch_optional(executor).await?.map(StaffMember::from).ok_or_else(not_found)
}

async fn insert(transaction: &mut Transaction, new: StaffMember) -> Result<StaffMember, Error> {
    let address_id = addresses::insert(transaction, &new.address.unwrap_or_default()).await?;
    let id = sqlx::query_scalar!(
        "insert into staff (store_id, first_name, last_name, email, username, address_id, active)
         values ($1, $2, $3, $4, $5, $6, $7)
         returning id",
        new.store_id,
        new.first_name,
        new.last_name,
        new.email,
        new.username,
        address_id,
        new.active.unwrap_or(true),
    )
    .fetch_one(&mut **transaction)
    .await
    .on_constraint("staff_username_key", username_taken)
    .on_constraint("staff_store_id_fkey", stores::no_such_store)?;
    find(&mut **transaction, id).await
}

/// Changes all but the address and answers with its id. The row is changed in any case: its etag stands for its address as
/// well.
async fn update(
    transaction: &mut Transaction,
    mask: &Mask<'_>,
    new: &StaffMember,
) -> Result<Option<i32>, Error> {
    sqlx::query_scalar!(
        "update staff set
             store_id = case when $3 then $4 else store_id end,
             first_name = case when $5 then $6 else first_name end,
             last_name = case when $7 then $8 else last_name end,
             email = case when $9 then $10 else email end,
             username = case when $11 then $12 else username end,
             active = case when $13 then $14 else active end
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
        mask.has("username"),
        new.username,
        mask.has("active"),
        new.active.unwrap_or(true),
    )
    .fetch_optional(&mut **transaction)
    .await
    .on_constraint("staff_username_key", username_taken)
    .on_constraint("staff_store_id_fkey", stores::no_such_store)
    .on_constraint("stores_manager_staff_id_fkey", || {
        let message = "the manager of a store cannot leave it; give it another one first";
        Error::new(Code::FailedPrecondition, "MANAGES_STORE", message)
    })
}

/// Why there was no row that may be changed: it is not there, or not in the state that the caller knows.
async fn why_not(executor: impl PgExecutor<'_>, id: i32) -> Error {
    find(executor, id).await.map_or_else(|error| error, |_| etag::mismatch())
}

impl From<Row> for StaffMember {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            store_id: row.store_id,
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            username: row.username,
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
            last_update: Some(convert::timestamp(row.last_update)),
            etag: etag::of(row.last_update),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "STAFF_MEMBER_NOT_FOUND", "there is no member of staff with this id")
}

fn username_taken() -> Error {
    Error::new(Code::AlreadyExists, "USERNAME_TAKEN", "there is a member of staff with this username")
}
