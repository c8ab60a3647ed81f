create or replace function empty_submissions_default() returns void
language plpgsql security definer
set search_path = contacts, pg_temp
as $$
begin
    perform ensure_submissions_partition(month)
    from (select distinct date_trunc('month', submitted_at, 'UTC') as month from submissions_default) as months;
end
$$;
