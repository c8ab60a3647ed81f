-- How many submissions there are, kept by triggers. Each change adds a row to `submission_deltas`, which is in nobody's way;
-- the service folds them into the two tables of counts now and then. What is true is always the sum of both.

-- Days begin at a quarter of an hour, in whatever time zone.
create function quarter_of(at timestamptz) returns timestamptz
language sql immutable strict parallel safe
return date_bin('15 minutes', at, timestamptz '1970-01-01 00:00:00+00');

create function email_domain_of(email text) returns text
language sql immutable strict parallel safe
return lower(split_part(email, '@', -1));

create table submission_deltas (
    quarter timestamptz not null,
    status text not null,
    email_domain text not null,
    count bigint not null
);

create table submission_status_counts (
    quarter timestamptz not null,
    status text not null,
    count bigint not null,
    constraint submission_status_counts_pkey primary key (quarter, status)
);

-- By the day in UTC: there are far more domains than statuses.
create table submission_domain_counts (
    day timestamptz not null,
    email_domain text not null,
    count bigint not null,
    constraint submission_domain_counts_pkey primary key (day, email_domain)
);

-- Where nothing is left to count, nothing is kept either.
create index submission_status_counts_gone on submission_status_counts (quarter) where count = 0;
create index submission_domain_counts_gone on submission_domain_counts (day) where count = 0;

create function count_submissions() returns trigger
language plpgsql
set search_path = contacts, pg_temp
as $$
begin
    insert into submission_deltas (quarter, status, email_domain, count)
    select quarter_of(submitted_at), status, email_domain_of(email),
        case tg_op when 'INSERT' then count(*) else -count(*) end
    from changed
    group by 1, 2, 3;
    return null;
end
$$;

create function recount_submission() returns trigger
language plpgsql
set search_path = contacts, pg_temp
as $$
begin
    insert into submission_deltas (quarter, status, email_domain, count)
    values
        (quarter_of(old.submitted_at), old.status, email_domain_of(old.email), -1),
        (quarter_of(new.submitted_at), new.status, email_domain_of(new.email), 1);
    return null;
end
$$;

create function forget_submission_counts() returns trigger
language plpgsql
set search_path = contacts, pg_temp
as $$
begin
    delete from submission_deltas;
    delete from submission_status_counts;
    delete from submission_domain_counts;
    return null;
end
$$;

-- Of statements on the whole table only: those that move rows between its partitions change no count.
create trigger submissions_count_new after insert on submissions
referencing new table as changed for each statement execute function count_submissions();

create trigger submissions_count_gone after delete on submissions
referencing old table as changed for each statement execute function count_submissions();

create trigger submissions_recount after update of status, email, submitted_at on submissions
for each row when (
    (old.status, old.email, old.submitted_at) is distinct from (new.status, new.email, new.submitted_at)
)
execute function recount_submission();

create trigger submissions_forget_counts after truncate on submissions
for each statement execute function forget_submission_counts();

-- Those that are there already. The triggers keep everybody else from writing until this is done.
insert into submission_status_counts (quarter, status, count)
select quarter_of(submitted_at), status, count(*) from submissions group by 1, 2;

insert into submission_domain_counts (day, email_domain, count)
select date_trunc('day', submitted_at, 'UTC'), email_domain_of(email), count(*) from submissions group by 1, 2;
