drop table seedings;
