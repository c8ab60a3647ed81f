drop function increment_visitors(text);
drop table visitors;
