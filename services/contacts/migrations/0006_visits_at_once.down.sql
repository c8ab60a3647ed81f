drop function increment_visitors(text, bigint);
