-- Deletes all rentals.
drop table rentals;
drop function take_film_and_store_of_copy();
