-- Deletes all payments.
drop function empty_payments_default();
drop function ensure_payments_partition(timestamptz);
drop table payments;
