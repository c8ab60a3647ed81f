drop function films_titled_like(text, real, integer, bigint);
drop function films_with_words(text, real, integer, bigint);
