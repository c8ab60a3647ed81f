//! Which films a list, an export or a count is about.

use selvedge_kit::like;
use selvedge_proto::catalog::v1::{ExportFilmsRequest, GetFilmFacetsRequest, ListFilmsRequest};
use sqlx::{Postgres, QueryBuilder};

use super::row::rating_to;

/// What an unknown year or length stands as in the indexes: above all others, and in none of the ranges asked for.
const UNKNOWN: i32 = i32::MAX;

/// What a request asks for; what is absent here is not asked for.
#[derive(Default, PartialEq)]
pub(super) struct Filter {
    title_prefix: Option<String>,
    title_contains: Option<String>,
    category_id: Option<i32>,
    category: Option<String>,
    actor_id: Option<i32>,
    language_id: Option<i32>,
    rating: Option<&'static str>,
    release_year: Option<Range>,
    length: Option<Range>,
    rental_rate_from: Option<String>,
    rental_rate_to: Option<String>,
    streaming_available: Option<bool>,
    special_feature: Option<String>,
}

#[derive(PartialEq)]
struct Range {
    from: i32,
    to: i32,
}

macro_rules! filter_of {
    ($($request:ty),*) => {$(
        impl From<&$request> for Filter {
            fn from(request: &$request) -> Self {
                Self {
                    title_prefix: text(&request.title_prefix),
                    title_contains: text(&request.title_contains),
                    category_id: number(request.category_id),
                    category: text(&request.category),
                    actor_id: number(request.actor_id),
                    language_id: number(request.language_id),
                    rating: rating_to(request.rating()),
                    release_year: Range::new(request.release_year_from, request.release_year_to),
                    length: Range::new(request.length_from, request.length_to),
                    rental_rate_from: text(&request.rental_rate_from),
                    rental_rate_to: text(&request.rental_rate_to),
                    streaming_available: request.streaming_available,
                    special_feature: text(&request.special_feature),
                }
            }
        }
    )*};
}

filter_of!(ListFilmsRequest, GetFilmFacetsRequest, ExportFilmsRequest);

fn text(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(number: i32) -> Option<i32> {
    Some(number).filter(|number| *number != 0)
}

impl Range {
    fn new(from: i32, to: i32) -> Option<Self> {
        let to = number(to);
        (from != 0 || to.is_some()).then(|| Self { from, to: to.unwrap_or(UNKNOWN).min(UNKNOWN - 1) })
    }
}

impl Filter {
    /// Whether it lets all films through.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the conditions, each after an `and`; all of them speak of `films`, in the terms of its indexes.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(prefix) = &self.title_prefix {
            query.push(" and lower(films.title) collate \"C\" like lower(");
            query.push_bind(like::beginning(prefix)).push(")");
        }
        if let Some(part) = &self.title_contains {
            query.push(" and films.title ilike ").push_bind(like::containing(part));
        }
        self.push_links(query);
        if let Some(language) = self.language_id {
            query.push(" and films.language_id = ").push_bind(language);
        }
        if let Some(rating) = self.rating {
            query.push(" and films.rating = ").push_bind(rating);
        }
        if let Some(Range { from, to }) = self.release_year {
            query.push(" and coalesce(films.release_year, 2147483647) between ");
            query.push_bind(from).push(" and ").push_bind(to);
        }
        if let Some(Range { from, to }) = self.length {
            query.push(" and coalesce(films.length, 2147483647) between ");
            query.push_bind(from).push(" and ").push_bind(to);
        }
        if let Some(rate) = &self.rental_rate_from {
            query.push(" and films.rental_rate >= ").push_bind(rate).push("::numeric");
        }
        if let Some(rate) = &self.rental_rate_to {
            query.push(" and films.rental_rate <= ").push_bind(rate).push("::numeric");
        }
        if let Some(streaming) = self.streaming_available {
            query.push(" and films.streaming_available = ").push_bind(streaming);
        }
        if let Some(feature) = &self.special_feature {
            query.push(" and films.special_features @> array[").push_bind(feature).push("]");
        }
    }

    fn push_links(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(category) = self.category_id {
            query
                .push(" and exists (select from film_categories where film_id = films.id and category_id = ");
            query.push_bind(category).push(")");
        }
        if let Some(part) = &self.category {
            // Asked first whether there is such a category at all, PostgreSQL does not look through all films for none.
            query.push(" and exists (select from categories where name ilike ");
            query.push_bind(like::containing(part)).push(")");
            query.push(
                " and exists (
                    select from film_categories join categories on categories.id = category_id
                    where film_id = films.id and name ilike ",
            );
            query.push_bind(like::containing(part)).push(")");
        }
        if let Some(actor) = self.actor_id {
            query.push(" and exists (select from film_actors where film_id = films.id and actor_id = ");
            query.push_bind(actor).push(")");
        }
    }
}
