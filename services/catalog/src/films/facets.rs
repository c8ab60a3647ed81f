//! How many films there are, of each kind.

use std::cmp::Reverse;

use selvedge_kit::{Db, Error};
use selvedge_proto::catalog::v1::{
    CategoryFacet, FilmFacets, GetFilmFacetsRequest, LanguageFacet, RatingFacet, ReleaseYearFacet,
};
use sqlx::QueryBuilder;

use super::filter::Filter;
use super::row::rating_from;

/// A line of the statement's answer: what it counts, its id or year, its name, and how many.
type Line = (String, Option<i32>, Option<String>, i64);

/// Counts in one statement, so that all of it is of one moment.
///
/// The films are first counted by rating, year and language together, which is a few thousand numbers however many
/// films there are, and an index has all that it needs where nothing is filtered; the sums are made of those.
pub(super) async fn facets(db: &Db, request: &GetFilmFacetsRequest) -> Result<FilmFacets, Error> {
    let filter = Filter::from(request);
    let mut query = QueryBuilder::new(
        "with counts as materialized (
             select rating, release_year, language_id, count(*) as count from films where true",
    );
    filter.push(&mut query);
    query.push(
        " group by rating, release_year, language_id
         )
         select 'total', null::integer, null::text, coalesce(sum(count), 0)::bigint from counts
         union all
         select 'rating', null, rating, sum(count)::bigint from counts group by rating
         union all
         select 'year', release_year, null, sum(count)::bigint from counts group by release_year
         union all
         select 'language', language_id, (select name from languages where id = language_id), sum(count)::bigint
         from counts group by language_id
         union all
         select 'category', category_id, (select name from categories where id = category_id), count(*)
         from film_categories",
    );
    if *request != GetFilmFacetsRequest::default() {
        query.push(" where film_id in (select id from films where true");
        filter.push(&mut query);
        query.push(")");
    }
    query.push(" group by category_id");
    let lines: Vec<Line> = query.build_query_as().persistent(false).fetch_all(db).await?;
    Ok(facets_of(lines))
}

fn facets_of(lines: Vec<Line>) -> FilmFacets {
    let mut facets = FilmFacets::default();
    for (kind, id, name, count) in lines {
        let name = name.unwrap_or_default();
        match kind.as_str() {
            "rating" => facets.ratings.push(RatingFacet { rating: rating_from(&name).into(), count }),
            "year" => facets.release_years.push(ReleaseYearFacet { release_year: id, count }),
            "language" => {
                facets.languages.push(LanguageFacet { language_id: id.unwrap_or_default(), name, count });
            }
            "category" => {
                facets.categories.push(CategoryFacet { category_id: id.unwrap_or_default(), name, count });
            }
            _ => facets.total = count,
        }
    }
    facets.ratings.sort_by_key(|facet| facet.rating);
    // Those without a year are last, as nothing is less than something.
    facets.release_years.sort_by_key(|facet| Reverse(facet.release_year));
    facets.languages.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    facets.categories.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    facets
}
