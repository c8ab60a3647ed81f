create table documents (
    id uuid not null,
    submission_id uuid not null,
    file_name text not null,
    media_type text not null,
    size bigint not null,
    sha256 bytea not null,
    tags text[] not null default '{}',
    insights jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint documents_pkey primary key (id),
    constraint documents_submission_id_fkey
        foreign key (submission_id) references submissions (id) on delete cascade,
    constraint documents_size_not_negative check (size >= 0),
    constraint documents_sha256_length check (octet_length(sha256) = 32),
    constraint documents_insights_is_object check (jsonb_typeof(insights) = 'object')
);

create index documents_submission_id on documents (submission_id, id desc);
create index documents_media_type on documents (media_type, id desc);
create index documents_tags on documents using gin (tags);

-- Keeps what a submission says about its documents true, in the transaction that adds or removes one.
create function count_documents() returns trigger
language plpgsql
set search_path = contacts, pg_temp
as $$
declare
    owner uuid := coalesce(new.submission_id, old.submission_id);
    total bigint;
    types jsonb;
begin
    -- One after the other, and the counting in a statement of its own: so it sees what those before have done.
    perform from submissions where id = owner for no key update;
    if not found then
        -- It is on its way out itself, or was never there and the foreign key will say so.
        return null;
    end if;
    select count(*), coalesce(jsonb_agg(distinct media_type order by media_type), '[]') into total, types
    from documents where submission_id = owner;
    if total > 1000 and tg_op = 'INSERT' then
        raise check_violation using
            message = 'the submission has too many documents', constraint = 'documents_at_most_1000';
    end if;
    update submissions
    set document_insights =
        document_insights || jsonb_build_object('total_documents', total, 'document_types', types)
    where id = owner
        and (document_insights -> 'total_documents', document_insights -> 'document_types')
            is distinct from (to_jsonb(total), types);
    return null;
end
$$;

create trigger documents_count after insert or delete or update of media_type on documents
for each row execute function count_documents();

-- The two keys that `count_documents` keeps are nobody else's.
create function keep_document_counts() returns trigger
language plpgsql as $$
begin
    new.document_insights := new.document_insights - '{total_documents,document_types}'::text[];
    if tg_op = 'UPDATE' then
        new.document_insights := new.document_insights || coalesce(
            (select jsonb_object_agg(key, value) from jsonb_each(old.document_insights)
             where key in ('total_documents', 'document_types')),
            '{}');
    end if;
    return new;
end
$$;

-- So far anybody could write them.
update submissions set document_insights = document_insights - '{total_documents,document_types}'::text[]
where document_insights ?| '{total_documents,document_types}';

create trigger submissions_begin_without_document_counts before insert on submissions
for each row when (new.document_insights ?| '{total_documents,document_types}')
execute function keep_document_counts();

create trigger submissions_keep_document_counts before update of document_insights on submissions
for each row when (pg_trigger_depth() = 0 and old.document_insights is distinct from new.document_insights)
execute function keep_document_counts();

create or replace function make_submissions_partition(partition text, lower uuid, upper uuid) returns void
language plpgsql
set search_path = contacts, pg_temp
set lock_timeout = '300ms'
as $$
declare
    their_documents documents[];
begin
    -- All locks come before anything is moved: a row on its way into the default partition would otherwise be missed. The
    -- documents come first, as they do for whoever writes one. Whoever deletes submissions has them the other way around,
    -- and would wait for us while we wait for them; so we give up soon, before PostgreSQL calls it a deadlock and fails one
    -- of us, let them through, and try again.
    for attempt in 1..5 loop
        begin
            lock table documents in share row exclusive mode;
            lock table submissions_default in access exclusive mode;
            exit;
        exception when lock_not_available then
            if attempt = 5 then
                raise;
            end if;
            perform pg_sleep(0.02);
        end;
    end loop;

    -- Deleting from the default partition takes the documents along; they come back below.
    select array_agg(document) into their_documents
    from documents as document where submission_id >= lower and submission_id < upper;
    execute format('create table %I (like submissions including defaults including constraints)', partition);
    execute format(
        'with moved as (delete from submissions_default where id >= %L and id < %L returning *)
         insert into %I select * from moved',
        lower, upper, partition);
    execute format(
        'alter table submissions attach partition %I for values from (%L) to (%L)', partition, lower, upper);
    insert into documents select * from unnest(their_documents);
end
$$;
