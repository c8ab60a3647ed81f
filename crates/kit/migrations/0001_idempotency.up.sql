-- The answers to requests that may be repeated, for as long as they may be.
create table idempotency_keys (
    rpc text not null,
    caller text not null,
    request_id text not null,
    fingerprint bytea not null,
    answer bytea,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (rpc, caller, request_id)
);

create index idempotency_keys_created_at on idempotency_keys (created_at);
