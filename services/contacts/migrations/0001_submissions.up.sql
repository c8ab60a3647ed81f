-- The time that a UUIDv7 carries, in milliseconds since 1970.
create function uuid_v7_millis(id uuid) returns bigint
language sql immutable strict parallel safe
return ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint;

-- A bound between UUIDv7s: all of this time or later are above it, all earlier ones below.
create function uuid_v7_floor(at timestamptz) returns uuid
language sql immutable strict parallel safe
return rpad(lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;

-- By month. The id carries the time, so it is the whole key, and both an id and a range of time lead to few partitions.
create table submissions (
    id uuid not null,
    external_id text,
    name text not null,
    email text not null,
    message text not null,
    status text not null,
    submitted_at timestamptz not null,
    document_insights jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default clock_timestamp(),
    constraint submissions_pkey primary key (id),
    constraint submissions_id_carries_submitted_at
        check (uuid_v7_millis(id) = floor(extract(epoch from submitted_at) * 1000)),
    constraint submissions_status_known
        check (status in ('NEW', 'CONTACTED', 'QUALIFIED', 'CLOSED', 'SPAM')),
    constraint submissions_document_insights_is_object
        check (jsonb_typeof(document_insights) = 'object')
) partition by range (id);

create index submissions_status on submissions (status, id desc);
create index submissions_email on submissions (lower(email), id desc);
create index submissions_document_insights on submissions using gin (document_insights jsonb_path_ops);

create trigger submissions_touch before update on submissions
for each row execute function touch();

-- Catches what comes before its month's partition. It should be empty: rows here make every list slower.
create table submissions_default partition of submissions default;

-- A key over all partitions would have to contain the id; so the old system's ids are kept unique here.
create table submission_external_ids (
    external_id text not null,
    submission_id uuid not null,
    constraint submission_external_ids_pkey primary key (external_id),
    constraint submission_external_ids_submission_id_fkey
        foreign key (submission_id) references submissions (id) on delete cascade
);

create index submission_external_ids_submission_id on submission_external_ids (submission_id);

create function claim_external_id() returns trigger
language plpgsql as $$
begin
    insert into submission_external_ids (external_id, submission_id) values (new.external_id, new.id);
    return null;
end
$$;

create trigger submissions_claim_external_id after insert on submissions
for each row when (new.external_id is not null) execute function claim_external_id();

-- Makes the partition for the month of `at`, if there is none, and moves in what the default partition caught for it.
--
-- The application may not make tables; it calls this with the owner's rights. `lock_timeout` keeps a long export from
-- holding up every reader behind this: the caller's row then goes into the default partition instead.
create function ensure_submissions_partition(at timestamptz) returns void
language plpgsql security definer
set search_path = contacts, pg_temp
set lock_timeout = '2s'
as $$
declare
    month timestamptz := date_trunc('month', at, 'UTC');
    month_after timestamptz := (month at time zone 'UTC' + interval '1 month') at time zone 'UTC';
    partition text := 'submissions_' || to_char(month at time zone 'UTC', 'YYYY_MM');
begin
    if to_regclass(partition) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('contacts.submissions', 0));
    -- Asked of the table itself: `to_regclass` may still remember that there was none before the lock.
    if exists (select from pg_class where relname = partition and relnamespace = 'contacts'::regnamespace) then
        return;
    end if;

    -- Before anything is moved: a row on its way into the default partition would otherwise be missed, and whoever changes
    -- one of its rows would wait for us while we wait for them.
    lock table submissions_default in access exclusive mode;

    execute format('create table %I (like submissions including defaults including constraints)', partition);
    -- Deleting from the default partition takes the external ids along; they come back below.
    execute format(
        'with moved as (delete from submissions_default where id >= %L and id < %L returning *)
         insert into %I select * from moved',
        uuid_v7_floor(month), uuid_v7_floor(month_after), partition);
    execute format(
        'alter table submissions attach partition %I for values from (%L) to (%L)',
        partition, uuid_v7_floor(month), uuid_v7_floor(month_after));
    execute format(
        'insert into submission_external_ids (external_id, submission_id)
         select external_id, id from %I where external_id is not null',
        partition);
end
$$;

-- Gives every row of the default partition its month's partition.
create function empty_submissions_default() returns void
language plpgsql security definer
set search_path = contacts, pg_temp
as $$
begin
    perform ensure_submissions_partition(month)
    from (select distinct date_trunc('month', submitted_at, 'UTC') as month from submissions_default) as months;
end
$$;
