create or replace function empty_payments_default() returns void
language plpgsql security definer
set search_path = catalog, pg_temp
as $$
begin
    perform ensure_payments_partition(month)
    from (select distinct date_trunc('month', payment_date, 'UTC') as month from payments_default) as months;
end
$$;
