--
-- PostgreSQL database dump
--

\restrict abc

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET SESSION AUTHORIZATION DEFAULT;
SET ROLE postgres;

CREATE TYPE public.mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');

CREATE FUNCTION public.last_day(timestamp with time zone) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT
    AS $_$
  SELECT CASE WHEN $1 > now() THEN now() ELSE $1 END; COPY public.film FROM stdin;
$_$;

CREATE PROCEDURE public.clear()
    LANGUAGE sql
    BEGIN ATOMIC
 INSERT INTO public.film (film_id) VALUES (CASE WHEN true THEN 1 ELSE 2 END);
 DELETE FROM public.film;
END;

/* A comment; /* with another; */ COPY public.film FROM stdin; */
CREATE TABLE public.film (
    film_id integer DEFAULT nextval('public.film_film_id_seq'::regclass) NOT NULL,
    title text NOT NULL -- ; not the end
);

ALTER TABLE public.actor DISABLE TRIGGER ALL;

-- Name: actor; Type: TABLE DATA
COPY public.actor (actor_id, first_name, last_name, last_update) FROM stdin;
1|ABENI|OBI|2006-02-15 09:34:33
2|BAO|ARSLAN|2006-02-15 09:34:33
\.

COPY public.audit_log (id, what) FROM stdin;
1|film
\.

COPY public.store (store_id, manager_staff_id, address_id, last_update) FROM stdin;
1|1|1|2006-02-15 09:57:12
2|2|2|2006-02-15 09:57:12
\.

COPY public.staff (staff_id, first_name, last_name, address_id, email, store_id, active, username, password, last_update, picture) FROM stdin;
1|Mia|Keller|3|mia@stores.example|1|t|mia|8cb2237d|2006-05-16 16:13:11.79328|\\x89504e470d0a5a0a
2|Jo|Eide|3|\N|2|t|jo|8cb2237d|2006-05-16 16:13:11.79328|\N
\.

COPY public.customer (customer_id, store_id, first_name, last_name, email, address_id, activebool, create_date, last_update) FROM stdin;
1|1|ZORA|NOVAK|ZORA.NOVAK@example.org|1|t|2006-02-14|2006-02-15 09:57:20
2|2|JUN|SATO|\N|2|f|2006-02-14|2006-02-15 09:57:20
\.

COPY public.country (country_id, country, last_update) FROM stdin;
1|Norway|2006-02-15 09:44:00
\.

COPY public.city (city_id, city, country_id, last_update) FROM stdin;
1|Bergen|1|2006-02-15 09:45:25
\.

COPY public.address (address_id, address, address2, district, city_id, postal_code, phone, last_update) FROM stdin;
1|1 Loom Street|\N|North|1|||2006-02-15 09:45:30
2|2 Loom Street||North|1|5003|555|2006-02-15 09:45:30
3|3 Loom Street|\N|North|1||\N|2006-02-15 09:45:30
\.

COPY public.category (category_id, name, last_update) FROM stdin;
1|Noir|2006-02-15 09:46:27
6|Satire|2006-02-15 09:46:27
\.

COPY public.language (language_id, name, last_update) FROM stdin;
1|English             |2006-02-15 10:02:19
2|Hindi               |2006-02-15 10:02:19
\.

COPY public.film (film_id, title, description, release_year, language_id, original_language_id, rental_duration, rental_rate, length, replacement_cost, rating, last_update, special_features, fulltext) FROM stdin;
1|LOOM; OR, THE "WEAVER"|It's a tab:\t, and a\nline.|2006|1|\N|6|0.99|86|20.99|PG-13|2007-09-10 17:46:03.905795|{"Deleted Scenes","Behind the Scenes"}|'loom':1
2|SECOND|Two|2006|1|2|3|4.99|48|12.99|G|2007-09-10 17:46:03.905795|{Trailers}|'second':1
3|THIRD|\N|1999|1|\N|7|2.99|\N|18.99|\N|2007-09-10 17:46:03.905795|\N|'third':1
\.

COPY public.film_actor (actor_id, film_id, last_update) FROM stdin;
1|1|2006-02-15 10:05:03
2|2|2006-02-15 10:05:03
\.

COPY public.film_category (film_id, category_id, last_update) FROM stdin;
1|6|2006-02-15 10:07:09
2|1|2006-02-15 10:07:09
\.

COPY public.inventory (inventory_id, film_id, store_id, last_update) FROM stdin;
1|1|1|2006-02-15 10:09:17
2|1|2|2006-02-15 10:09:17
3|2|1|2006-02-15 10:09:17
\.

COPY public.payment_p0000_default (payment_id, customer_id, staff_id, rental_id, amount, payment_date) FROM stdin;
1|1|1|1|2.99|2006-11-25 18:57:05.587706
\.

-- Name: rental; Type: TABLE DATA
COPY public.rental (rental_id, inventory_id, customer_id, staff_id, last_update, rental_period) FROM stdin;
1|1|1|1|2022-08-26 14:23:00|["2005-05-24 22:54:33","2005-05-28 19:40:33")
7|2|2|2|2022-08-26 14:23:00|["2005-05-24 23:03:39",)
\.

COPY public.payment_p2007_01 (payment_id, customer_id, staff_id, rental_id, amount, payment_date) FROM stdin;
2|1|1|1|0.99|2007-01-25 18:57:05
5|2|2|7|7.99|2007-02-01 00:00:00
\.

SELECT pg_catalog.setval('public.actor_actor_id_seq', 200, true);

ALTER TABLE ONLY public.actor ADD CONSTRAINT actor_pkey PRIMARY KEY (actor_id);

CREATE VIEW public.actor_info AS
 SELECT actor.actor_id, CASE WHEN (actor.actor_id = 1) THEN 'a;b'::text ELSE 'c'::text END AS x FROM public.actor;

\unrestrict abc

--
-- PostgreSQL database dump complete
--
