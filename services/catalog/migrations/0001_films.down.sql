-- Deletes all films and all that belongs to them.
drop table film_actors, film_categories, films, actors, categories, languages;
drop function touch_last_update();
