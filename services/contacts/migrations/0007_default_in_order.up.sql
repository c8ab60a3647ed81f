-- Takes the lock of whoever makes a partition before it looks at the default one, as they do: the other way round, the two
-- would wait for each other.
create or replace function empty_submissions_default() returns void
language plpgsql security definer
set search_path = contacts, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('contacts.submissions', 0));
    perform ensure_submissions_partition(month)
    from (select distinct date_trunc('month', submitted_at, 'UTC') as month from submissions_default) as months;
end
$$;
