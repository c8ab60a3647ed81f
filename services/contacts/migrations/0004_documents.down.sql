drop trigger submissions_keep_document_counts on submissions;
drop trigger submissions_begin_without_document_counts on submissions;
drop function keep_document_counts();
drop table documents;
drop function count_documents();

update submissions set document_insights = document_insights - '{total_documents,document_types}'::text[]
where document_insights ?| '{total_documents,document_types}';

-- Makes a partition for the ids from `lower` to below `upper`; for `ensure_submissions_partition` only.
create or replace function make_submissions_partition(partition text, lower uuid, upper uuid) returns void
language plpgsql
set search_path = contacts, pg_temp
as $$
begin
    -- Before anything is moved: a row on its way into the default partition would otherwise be missed, and whoever changes
    -- one of its rows would wait for us while we wait for them.
    lock table submissions_default in access exclusive mode;
    execute format('create table %I (like submissions including defaults including constraints)', partition);
    execute format(
        'with moved as (delete from submissions_default where id >= %L and id < %L returning *)
         insert into %I select * from moved',
        lower, upper, partition);
    execute format(
        'alter table submissions attach partition %I for values from (%L) to (%L)', partition, lower, upper);
end
$$;
