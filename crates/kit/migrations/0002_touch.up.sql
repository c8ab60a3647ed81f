-- Keeps `updated_at` of the table whose trigger calls it. The time of a change is also the row's etag, so it moves on
-- with every change, however fast they come.
create function touch() returns trigger
language plpgsql as $$
begin
    new.created_at := old.created_at;
    new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
    return new;
end
$$;
