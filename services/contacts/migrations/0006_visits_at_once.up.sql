-- Counts several visits at once and answers with the row after the last of them; with no row when there is no such
-- counter. The function for a single one stays, as the release before this one calls it.
create function increment_visitors(name text, visits bigint) returns setof visitors
language sql volatile strict
begin atomic
    update visitors
    set count = count + visits, last_updated = greatest(clock_timestamp(), last_updated)
    where counter = name
    returning counter, count, last_updated;
end;
