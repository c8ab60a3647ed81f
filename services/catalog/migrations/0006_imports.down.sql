-- The data stays; only where it came from is forgotten.
drop function data_fingerprint();
drop table imports;
