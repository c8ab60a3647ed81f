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

drop function make_submissions_partition(text, uuid, uuid);

drop trigger submissions_release_all_external_ids on submissions;
drop trigger submissions_release_external_ids on submissions;
drop function release_all_external_ids();
drop function release_external_ids();

alter function claim_external_id() reset search_path;

create index submission_external_ids_submission_id on submission_external_ids (submission_id);

alter table submission_external_ids add constraint submission_external_ids_submission_id_fkey
    foreign key (submission_id) references submissions (id) on delete cascade;
