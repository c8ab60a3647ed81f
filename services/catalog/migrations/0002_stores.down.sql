-- Deletes all stores, their staff, customers and copies; the films stay.
drop table inventory, customers;
alter table stores drop constraint stores_manager_staff_id_fkey;
drop table staff, stores, addresses, cities, countries;
