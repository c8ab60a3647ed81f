drop function touch();
