create table visitors (
    counter text not null,
    count bigint not null default 0,
    last_updated timestamptz,
    constraint visitors_pkey primary key (counter),
    constraint visitors_count_not_negative check (count >= 0)
);

insert into visitors (counter) values ('visitor_count');

-- Counts a visit and answers with the row after it; with no row when there is no such counter.
create function increment_visitors(name text) returns setof visitors
language sql volatile strict
begin atomic
    update visitors
    set count = count + 1, last_updated = greatest(clock_timestamp(), last_updated)
    where counter = name
    returning counter, count, last_updated;
end;
