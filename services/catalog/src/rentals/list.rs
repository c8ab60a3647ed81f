//! Lists of rentals.

use selvedge_kit::page::{Cursor, Page, PageTokens};
use selvedge_kit::{Db, Error, convert};
use selvedge_proto::catalog::v1::{ListRentalsRequest, ListRentalsResponse, RentalState};
use sqlx::{Postgres, QueryBuilder};

use super::Row;
use crate::by_time;

/// Answers with a page. Every filter has an index that goes on in the order of the list, so that a page reads little more
/// than it shows, however deep it lies. (Overdue rentals in the order of the others would come after all that are out and
/// not due yet.)
pub(super) async fn list(
    db: &Db,
    tokens: &PageTokens,
    mut request: ListRentalsRequest,
) -> Result<ListRentalsResponse, Error> {
    let size = std::mem::take(&mut request.page_size);
    let token = std::mem::take(&mut request.page_token);
    let page = Page::new(tokens, &request, size, &token)?;
    let overdue = request.state() == RentalState::Overdue;
    let mut query = QueryBuilder::new(
        "select rentals.id, rentals.inventory_id, rentals.film_id, films.title as film_title, rentals.store_id,
             rentals.customer_id, rentals.staff_id, rentals.rental_date, rentals.due_date, rentals.return_date,
             rentals.rental_rate::text, rentals.late_fee::text, rentals.last_update
         from rentals join films on films.id = rentals.film_id
         where true",
    );
    push_filters(&mut query, &request)?;
    if let Some(after) = page.after() {
        let after = Cursor::read(after)?;
        query.push(if overdue {
            " and (rentals.due_date, rentals.id) > ("
        } else {
            " and (rentals.rental_date, rentals.id) < ("
        });
        query.push_bind(by_time::time(&after)?).push(", ").push_bind(after.id()).push(")");
    }
    query.push(if overdue {
        " order by rentals.due_date, rentals.id limit "
    } else {
        " order by rentals.rental_date desc, rentals.id desc limit "
    });
    query.push_bind(i64::try_from(page.wanted()).unwrap_or(i64::MAX));
    let rows = query.build_query_as::<Row>().persistent(false).fetch_all(db).await?;
    let place = |row: &Row| by_time::cursor(if overdue { row.due_date } else { row.rental_date }, row.id);
    let (rentals, next_page_token) =
        page.cut(rows.into_iter().map(|row| (place(&row), row.into())).collect());
    Ok(ListRentalsResponse { rentals, next_page_token })
}

fn push_filters(query: &mut QueryBuilder<Postgres>, request: &ListRentalsRequest) -> Result<(), Error> {
    for (column, id) in [
        (" and rentals.customer_id = ", request.customer_id),
        (" and rentals.film_id = ", request.film_id),
        (" and rentals.store_id = ", request.store_id),
    ] {
        if id != 0 {
            query.push(column).push_bind(id);
        }
    }
    query.push(match request.state() {
        RentalState::Unspecified => "",
        RentalState::Open => " and rentals.return_date is null",
        RentalState::Overdue => " and rentals.return_date is null and rentals.due_date < now()",
        RentalState::Returned => " and rentals.return_date is not null",
    });
    if let Some(from) = &request.rented_from {
        query.push(" and rentals.rental_date >= ").push_bind(convert::time("rented_from", from)?);
    }
    if let Some(before) = &request.rented_before {
        query.push(" and rentals.rental_date < ").push_bind(convert::time("rented_before", before)?);
    }
    Ok(())
}
