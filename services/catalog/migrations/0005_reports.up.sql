-- What was rented and what was paid are counted apart and then brought together, which spares sorting all rentals.
create materialized view film_revenue as
select film_id, counted.rentals, coalesce(paid.revenue, 0.00) as revenue
from (select film_id, count(*) as rentals from rentals group by film_id) as counted
left join (
    select rentals.film_id, sum(payments.amount) as revenue
    from payments
    join rentals on rentals.id = payments.rental_id
    group by rentals.film_id
) as paid using (film_id);

-- A film of several categories counts in each of them.
create materialized view category_revenue as
select categories.id as category_id, coalesce(sum(film_revenue.rentals), 0)::bigint as rentals,
    coalesce(sum(film_revenue.revenue), 0.00) as revenue
from categories
left join film_categories on film_categories.category_id = categories.id
left join film_revenue on film_revenue.film_id = film_categories.film_id
group by categories.id;

-- A copy counts for the store that owns it.
create materialized view store_month_revenue as
select rentals.store_id, date_trunc('month', payments.payment_date, 'UTC') as month, count(*) as payments,
    sum(payments.amount) as revenue
from payments
join rentals on rentals.id = payments.rental_id
group by rentals.store_id, month;

create materialized view customer_revenue as
select customer_id, coalesce(counted.rentals, 0) as rentals, coalesce(paid.revenue, 0.00) as revenue
from (select customer_id, count(*) as rentals from rentals group by customer_id) as counted
full join (select customer_id, sum(amount) as revenue from payments group by customer_id) as paid using (customer_id);

-- Unique, so that they can be refreshed while they are being read.
create unique index category_revenue_key on category_revenue (category_id);
create unique index store_month_revenue_key on store_month_revenue (store_id, month);
create unique index film_revenue_key on film_revenue (film_id);
create unique index customer_revenue_key on customer_revenue (customer_id);
create index film_revenue_revenue on film_revenue (revenue desc, film_id);
create index film_revenue_rentals on film_revenue (rentals desc, film_id);
create index customer_revenue_revenue on customer_revenue (revenue desc, customer_id);
create index customer_revenue_rentals on customer_revenue (rentals desc, customer_id);

-- When the views were last brought up to date: one row.
create table report_refreshes (
    singleton boolean not null default true,
    refreshed_at timestamptz not null,
    constraint report_refreshes_pkey primary key (singleton),
    constraint report_refreshes_singleton check (singleton)
);

insert into report_refreshes (refreshed_at) values (now());

-- Brings all of them up to date, which only their owner may, and answers with of when they are: null where somebody else
-- is at it.
create function refresh_reports() returns timestamptz
language plpgsql security definer
set search_path = catalog, pg_temp
as $$
declare
    began timestamptz;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('catalog.refresh_reports', 0)) then
        return null;
    end if;
    began := clock_timestamp();
    refresh materialized view concurrently film_revenue;
    -- Made from the one before.
    refresh materialized view concurrently category_revenue;
    refresh materialized view concurrently store_month_revenue;
    refresh materialized view concurrently customer_revenue;
    update report_refreshes set refreshed_at = began;
    return began;
end
$$;
