-- External ids are released by a trigger: a foreign key to a partitioned table costs each row more than all its indexes
-- together.

-- In the order in which a create takes them.
lock table submissions in access exclusive mode;
alter table submission_external_ids drop constraint submission_external_ids_submission_id_fkey;
drop index submission_external_ids_submission_id;

-- Whoever writes with another search path than the service, in psql for example, has the same triggers.
alter function claim_external_id() set search_path = contacts, pg_temp;

-- Planned each time: a plan for many rows would read the whole table for one.
create function release_external_ids() returns trigger
language plpgsql
set search_path = contacts, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    delete from submission_external_ids as known using changed
    where known.external_id = changed.external_id and known.submission_id = changed.id;
    return null;
end
$$;

create function release_all_external_ids() returns trigger
language plpgsql
set search_path = contacts, pg_temp
as $$
begin
    delete from submission_external_ids;
    return null;
end
$$;

-- Of statements on the whole table only: rows that are moved between its partitions keep their ids.
create trigger submissions_release_external_ids after delete on submissions
referencing old table as changed for each statement execute function release_external_ids();

create trigger submissions_release_all_external_ids after truncate on submissions
for each statement execute function release_all_external_ids();

-- Makes a partition for the ids from `lower` to below `upper`; for `ensure_submissions_partition` only.
create function make_submissions_partition(partition text, lower uuid, upper uuid) returns void
language plpgsql
set search_path = contacts, pg_temp
as $$
begin
    -- Before anything is moved: a row on its way into the default partition would otherwise be missed, and whoever changes
    -- one of its rows would wait for us while we wait for them.
    lock table submissions_default in access exclusive mode;
    execute format('create table %I (like submissions including defaults including constraints)', partition);
    execute format(
        'with moved as (delete from submissions_default where id >= %L and id < %L returning *)
         insert into %I select * from moved',
        lower, upper, partition);
    execute format(
        'alter table submissions attach partition %I for values from (%L) to (%L)', partition, lower, upper);
end
$$;

-- Makes the partition for the month of `at`, if there is none, and moves in what the default partition caught for it.
--
-- The application may not make tables; it calls this with the owner's rights. `lock_timeout` keeps a long export from
-- holding up every reader behind this: the caller's row then goes into the default partition instead.
create or replace function ensure_submissions_partition(at timestamptz) returns void
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
    if not exists (select from pg_class where relname = partition and relnamespace = 'contacts'::regnamespace) then
        perform make_submissions_partition(partition, uuid_v7_floor(month), uuid_v7_floor(month_after));
    end if;
end
$$;
