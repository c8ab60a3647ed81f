//! The order of people in lists: by family name, then by given name, in whatever case, then by id.

use selvedge_kit::Error;
use selvedge_kit::page::{self, Cursor};
use sqlx::{Postgres, QueryBuilder};

/// The cursor of somebody in a list. Names may hold any character, so JSON keeps them apart.
pub(crate) fn cursor(last_name: &str, first_name: &str, id: i32) -> Cursor {
    Cursor::new(&serde_json::json!([last_name, first_name]).to_string(), id)
}

/// Writes the end of a statement that reads a page of the people in `table`, from after the cursor on.
pub(crate) fn push_page(
    query: &mut QueryBuilder<Postgres>,
    table: &'static str,
    after: Option<&[u8]>,
    wanted: usize,
) -> Result<(), Error> {
    let order = format!(r#"lower(last_name) collate "C", lower(first_name) collate "C", {table}.id"#);
    if let Some(cursor) = after.map(Cursor::read).transpose()? {
        let (last_name, first_name): (String, String) =
            serde_json::from_str(cursor.key()).map_err(|_| page::not_ours())?;
        query.push(" and (").push(&order).push(") > (lower(").push_bind(last_name);
        query.push(r#") collate "C", lower("#).push_bind(first_name);
        query.push(r#") collate "C", "#).push_bind(cursor.id()).push(")");
    }
    query.push(" order by ").push(order);
    query.push(" limit ").push_bind(i64::try_from(wanted).unwrap_or(i64::MAX));
    Ok(())
}
