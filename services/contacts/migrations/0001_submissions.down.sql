drop function empty_submissions_default();
drop function ensure_submissions_partition(timestamptz);
drop table submission_external_ids;
drop table submissions;
drop function claim_external_id();
drop function uuid_v7_floor(timestamptz);
drop function uuid_v7_millis(uuid);
