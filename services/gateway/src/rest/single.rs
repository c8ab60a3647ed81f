use http::{HeaderMap, HeaderName, HeaderValue};

use super::problem::Problem;

/// The value of a header that says one thing; of two values, nobody could know which one is meant.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::invalid(name.as_str(), "is said once"));
    }
    Ok(first)
}
