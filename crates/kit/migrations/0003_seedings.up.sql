-- Remembers that sample data was offered, so that it does not come back after somebody deleted it.
create table seedings (
    rows bigint not null,
    seeded_at timestamptz not null default now()
);
