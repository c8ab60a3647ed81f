use std::collections::BTreeMap;

use selvedge_proto::catalog::v1::FilmRating::{G, Nc17, Pg, Pg13, R};
use selvedge_proto::catalog::v1::{FilmFacets, GetFilmFacetsRequest, ListFilmsRequest, RatingFacet};

use crate::list::{Known, filters, known, start_with_films};
use crate::{Client, run, start};

fn same_filters(list: ListFilmsRequest) -> GetFilmFacetsRequest {
    GetFilmFacetsRequest {
        title_prefix: list.title_prefix,
        title_contains: list.title_contains,
        category_id: list.category_id,
        category: list.category,
        actor_id: list.actor_id,
        language_id: list.language_id,
        rating: list.rating,
        release_year_from: list.release_year_from,
        release_year_to: list.release_year_to,
        length_from: list.length_from,
        length_to: list.length_to,
        rental_rate_from: list.rental_rate_from,
        rental_rate_to: list.rental_rate_to,
        streaming_available: list.streaming_available,
        special_feature: list.special_feature,
    }
}

async fn facets(client: &mut Client, request: GetFilmFacetsRequest) -> FilmFacets {
    client.get_film_facets(request).await.unwrap().into_inner()
}

fn count<K: Ord>(films: &[Known], keys: impl Fn(&Known) -> Vec<K>) -> BTreeMap<K, i64> {
    let mut counts = BTreeMap::new();
    for key in films.iter().flat_map(keys) {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn what_passes_the_filters_is_counted() {
    let (_served, mut client) = start_with_films().await;
    let any: (ListFilmsRequest, fn(&Known) -> bool) = (ListFilmsRequest::default(), |_| true);
    for (request, matches) in filters().into_iter().chain([any]) {
        let films: Vec<_> = known().filter(matches).collect();
        let found = facets(&mut client, same_filters(request.clone())).await;
        assert_eq!(found.total, i64::try_from(films.len()).unwrap(), "{request:?}");
        let ratings: BTreeMap<_, _> = found.ratings.iter().map(|it| (it.rating, it.count)).collect();
        assert_eq!(ratings, count(&films, |it| vec![1 + it.id % 5]), "{request:?}");
        let years: BTreeMap<_, _> =
            found.release_years.iter().map(|it| (it.release_year, it.count)).collect();
        assert_eq!(years, count(&films, |it| vec![it.year]), "{request:?}");
        let languages: BTreeMap<_, _> = found.languages.iter().map(|it| (it.language_id, it.count)).collect();
        assert_eq!(languages, count(&films, |it| vec![1 + it.id % 3]), "{request:?}");
        let categories: BTreeMap<_, _> =
            found.categories.iter().map(|it| (it.category_id, it.count)).collect();
        let of = |it: &Known| if it.id % 3 == 2 { vec![1, 3] } else { vec![1 + it.id % 3] };
        assert_eq!(categories, count(&films, of), "{request:?}");
    }
}

#[tokio::test]
async fn the_facets_are_in_order() {
    let (_served, mut client) = start_with_films().await;
    let found = facets(&mut client, GetFilmFacetsRequest::default()).await;
    let categories: Vec<_> = found.categories.iter().map(|it| (it.name.as_str(), it.count)).collect();
    assert_eq!(categories, [("Horror", 40), ("Comedy", 20), ("Sci-Fi 100%", 20)]);
    let languages: Vec<_> = found.languages.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(languages, ["English", "Italian", "Japanese"]);
    let ratings: Vec<_> = found.ratings.iter().map(RatingFacet::rating).collect();
    assert_eq!(ratings, [G, Pg, Pg13, R, Nc17]);
    let years: Vec<_> = found.release_years.iter().map(|it| it.release_year).collect();
    assert_eq!(years, [Some(1995), Some(1994), Some(1993), Some(1992), Some(1991), Some(1990), None]);
}

#[tokio::test]
async fn nothing_is_counted_where_there_is_nothing() {
    let (served, mut client) = start().await;
    assert_eq!(facets(&mut client, GetFilmFacetsRequest::default()).await, FilmFacets::default());
    run(&served.database, "insert into films (title, language_id) values ('One', 2)").await;
    let found = facets(&mut client, GetFilmFacetsRequest::default()).await;
    assert_eq!((found.total, found.categories.len(), found.release_years[0].release_year), (1, 0, None));
}
