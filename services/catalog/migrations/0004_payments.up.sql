-- By month. The id does not say when a payment was made, so whoever looks for one by its id asks every partition.
create sequence payments_id_seq as bigint;

create table payments (
    id bigint not null default nextval('payments_id_seq'),
    customer_id integer not null,
    staff_id integer not null,
    rental_id bigint not null,
    amount numeric(7, 2) not null,
    payment_date timestamptz not null,
    constraint payments_pkey primary key (payment_date, id),
    constraint payments_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint payments_staff_id_fkey foreign key (staff_id) references staff (id),
    constraint payments_rental_id_fkey foreign key (rental_id) references rentals (id),
    constraint payments_amount_range check (amount >= 0)
) partition by range (payment_date);

alter sequence payments_id_seq owned by payments.id;

create index payments_id on payments (id);
create index payments_customer_id on payments (customer_id, payment_date, id);
create index payments_rental_id on payments (rental_id);
create index payments_staff_id on payments (staff_id);

-- Catches what comes before its month's partition.
create table payments_default partition of payments default;

-- Makes the partition for the month of `at`, if there is none, and moves in what the default partition caught for it.
--
-- The application may not make tables; it calls this with the owner's rights. `lock_timeout` keeps a long statement from
-- holding up everybody behind this: the caller's row then goes into the default partition instead. It is shorter than
-- PostgreSQL waits before it looks for deadlocks, so that whoever has these locks the other way round is let through.
create function ensure_payments_partition(at timestamptz) returns void
language plpgsql security definer
set search_path = catalog, pg_temp
set lock_timeout = '500ms'
as $$
declare
    month timestamptz := date_trunc('month', at, 'UTC');
    month_after timestamptz := (month at time zone 'UTC' + interval '1 month') at time zone 'UTC';
    partition text := 'payments_' || to_char(month at time zone 'UTC', 'YYYY_MM');
begin
    if to_regclass(partition) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('catalog.payments', 0));
    -- Asked of the table itself: `to_regclass` may still remember that there was none before the lock.
    if exists (select from pg_class where relname = partition and relnamespace = 'catalog'::regnamespace) then
        return;
    end if;

    -- The tables that a new partition refers to come first, as they do for whoever returns a film. All come before
    -- anything is moved: a row on its way into the default partition would otherwise be missed.
    lock table rentals, customers, staff in share row exclusive mode;
    lock table payments_default in access exclusive mode;

    execute format('create table %I (like payments including defaults including constraints)', partition);
    execute format(
        'with moved as (delete from payments_default where payment_date >= %L and payment_date < %L returning *)
         insert into %I select * from moved',
        month, month_after, partition);
    execute format(
        'alter table payments attach partition %I for values from (%L) to (%L)', partition, month, month_after);
end
$$;

-- Gives every row of the default partition its month's partition.
create function empty_payments_default() returns void
language plpgsql security definer
set search_path = catalog, pg_temp
as $$
begin
    perform ensure_payments_partition(month)
    from (select distinct date_trunc('month', payment_date, 'UTC') as month from payments_default) as months;
end
$$;
