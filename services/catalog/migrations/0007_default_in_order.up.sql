-- Takes the lock of whoever makes a partition before it looks at the default one, as they do: the other way round, the two
-- would wait for each other.
create or replace function empty_payments_default() returns void
language plpgsql security definer
set search_path = catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('catalog.payments', 0));
    perform ensure_payments_partition(month)
    from (select distinct date_trunc('month', payment_date, 'UTC') as month from payments_default) as months;
end
$$;
