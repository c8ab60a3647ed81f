-- A page of the films that have the words, and those that are like them: their ids, and how well they fit. It begins after
-- this rank and id, if they are not null.

-- Planned each time: PostgreSQL then knows how frequent the words are, and finds the newest of many by their ids and of few
-- by their words. Only those are ranked, or a frequent word would read everything. What a search does beside that is planned
-- once for all words.
create function films_with_words(words text, after_rank real, after_id integer, size bigint)
returns table (id integer, rank real)
language plpgsql stable rows 20
set search_path = catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    with ranked as materialized (
        select newest.id, ts_rank_cd(newest.fulltext, websearch_to_tsquery('pg_catalog.english', words)) as rank
        from (
            select films.id, films.fulltext from films
            where films.fulltext @@ websearch_to_tsquery('pg_catalog.english', words)
            order by films.id desc limit 10000
        ) as newest
    )
    select ranked.id, ranked.rank from ranked
    where after_rank is null or (-ranked.rank, ranked.id) > (-after_rank, after_id)
    order by -ranked.rank, ranked.id limit size;
end
$$;

-- Which films are looked at must be the same on every page, which it is not where several processes look for them.
create function films_titled_like(words text, after_rank real, after_id integer, size bigint)
returns table (id integer, rank real)
language plpgsql stable rows 20
set search_path = catalog, pg_temp
set plan_cache_mode = force_custom_plan
set max_parallel_workers_per_gather = 0
as $$
begin
    -- Two letters that changed places leave less of a short word than the usual threshold asks for. It is set here, as only
    -- a superuser may name a setting of a module above before that is loaded, as it is when a dump is restored.
    perform set_config('pg_trgm.word_similarity_threshold', '0.35', true);
    return query
    with ranked as materialized (
        select films.id, public.word_similarity(words, films.title) as rank from films
        where words operator(public.<%) films.title limit 10000
    )
    select ranked.id, ranked.rank from ranked
    where after_rank is null or (-ranked.rank, ranked.id) > (-after_rank, after_id)
    order by -ranked.rank, ranked.id limit size;
end
$$;
