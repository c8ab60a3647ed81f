"""The statements of the service, with the schema named. What stands in braces is a parameter."""

COLUMNS = """
    films.id, title, description, release_year, language_id, original_language_id, rental_duration,
    rental_rate::text as rental_rate, length, replacement_cost::text as replacement_cost, rating, special_features,
    streaming_available, films.last_update,
    (select name from catalog.languages where languages.id = films.language_id) as language,
    (select name from catalog.languages where languages.id = films.original_language_id) as original_language"""

FILM = f"""
    select {COLUMNS},
        coalesce((
            select json_agg(json_build_object('id', categories.id, 'name', name) order by name)
            from catalog.film_categories
            join catalog.categories on categories.id = category_id
            where film_id = films.id
        ), '[]') as categories,
        coalesce((
            select json_agg(
                json_build_object('id', actors.id, 'firstName', first_name, 'lastName', last_name)
                order by lower(last_name) collate "C", lower(first_name) collate "C", actors.id)
            from catalog.film_actors
            join catalog.actors on actors.id = actor_id
            where film_id = films.id
        ), '[]') as actors
    from catalog.films where films.id = {{id}}"""

PAGE = f"""
    select {COLUMNS} from catalog.films
    order by lower(films.title) collate "C", films.id limit {{limit}}"""

NEXT_PAGE = f"""
    select {COLUMNS} from catalog.films
    where (lower(films.title) collate "C", films.id) > (lower({{title}}) collate "C", {{id}})
    order by lower(films.title) collate "C", films.id limit {{limit}}"""

# The rank goes through text: as a double it would have more digits than it is worth.
SEARCH = f"""
    with ranked as materialized (
        select id, ts_rank_cd(fulltext, websearch_to_tsquery('pg_catalog.english', {{query}})) as rank
        from (
            select id, fulltext from catalog.films
            where fulltext @@ websearch_to_tsquery('pg_catalog.english', {{query}})
            order by id desc limit 10000
        ) as newest
    ), page as materialized (
        select id, rank from ranked
        where cast({{rank}} as real) is null or (-rank, id) > (-cast({{rank}} as real), cast({{id}} as integer))
        order by -rank, id limit {{limit}}
    )
    select cast(cast(rank as text) as double precision) as rank,
        ts_headline(
            'pg_catalog.english', translate(title, chr(1) || chr(2), ''),
            websearch_to_tsquery('pg_catalog.english', {{query}}),
            'HighlightAll=true, StartSel="' || chr(1) || '", StopSel="' || chr(2) || '"') as title_marked,
        ts_headline(
            'pg_catalog.english', translate(description, chr(1) || chr(2), ''),
            websearch_to_tsquery('pg_catalog.english', {{query}}),
            'MaxFragments=1, MinWords=10, MaxWords=30, StartSel="' || chr(1) || '", StopSel="' || chr(2) || '"')
            as snippet_marked,
        {COLUMNS}
    from page join catalog.films on films.id = page.id order by -page.rank, page.id"""

CREATE = """
    insert into contacts.submissions (id, external_id, name, email, message, status, submitted_at, document_insights)
    values ({id}, {external_id}, {name}, {email}, {message}, 'NEW', {submitted_at}, {document_insights})
    returning id, external_id, name, email, message, status, submitted_at, document_insights, created_at, updated_at"""

VISIT = "select counter, count::text as count, last_updated from contacts.increment_visitors({counter}, 1)"
