-- Sakila, as it is written by others.
SET client_encoding to 'utf-8';
BEGIN;
-- Data
Insert into language
(language_id,name,last_update)
Values
('1','English','2006-02-15 10:02:19.000'),
('2','Hindi','2006-02-15 10:02:19.000');
INSERT INTO "category" VALUES (6, 'Satire', '2006-02-15 09:46:27'), (1, 'Noir', '2006-02-15 09:46:27');
INSERT INTO "public"."actor" ("last_name", "actor_id", "first_name", "last_update") VALUES ('OBI', 1, 'ABENI', timestamp '2006-02-15 09:34:33');
INSERT INTO actor (actor_id, first_name, last_name, last_update) OVERRIDING SYSTEM VALUE VALUES (2, 'BAO', 'ARSLAN', '2006-02-15 09:34:33'::timestamp without time zone);
INSERT INTO audit_log VALUES (1, 'insert into film values (1);'); /* nothing; */
INSERT INTO country VALUES (1, 'Norway', '2006-02-15 09:44:00');
INSERT INTO city VALUES (1, 'Bergen', 1, '2006-02-15 09:45:25');
INSERT INTO address VALUES (1, '1 Loom Street', NULL, 'North', 1, '', '', '2006-02-15 09:45:30');
INSERT INTO address VALUES (2, '2 Loom Street', '', 'North', 1, '5003', '555', '2006-02-15 09:45:30'),
    (3, '3 Loom Street', NULL, 'North', 1, '', NULL, '2006-02-15 09:45:30') ON CONFLICT DO NOTHING;
Insert into film
 (film_id,title,description,release_year,language_id,original_language_id,rental_duration,rental_rate,length,replacement_cost,rating,special_features,last_update,fulltext)
Values
 ('1','LOOM; OR, THE "WEAVER"',E'It\'s a tab:\t, and a\nline.','2006','1',NULL,'6','0.99','86','20.99','PG-13',string_to_array('Deleted Scenes,Behind the Scenes', ','),'2007-09-10 17:46:03.905795',to_tsvector('loom')),
 ('2','SECOND',$$Two$$,2006,1,2,3,+4.99,48,12.99,'G'::public.mpaa_rating,ARRAY['Trailers']::text[],'2007-09-10 17:46:03.905795', DEFAULT);
INSERT INTO film (film_id, title, release_year, language_id, rental_duration, rental_rate, length, replacement_cost, last_update)
VALUES (3, 'THIRD', 1999, 1, 7, 2.99, NULL, (18.99), '2007-09-10 19:46:03.905795+02');
INSERT INTO film_actor VALUES (1, 1, '2006-02-15 10:05:03'), (2, 2, '2006-02-15 10:05:03');
INSERT INTO film_category VALUES (1, 6, '2006-02-15 10:07:09'), (2, 1, '2006-02-15 10:07:09');
INSERT INTO store VALUES (1, 1, 1, '2006-02-15 09:57:12'), (2, 2, 2, '2006-02-15 09:57:12');
INSERT INTO staff VALUES (1, 'Mia', 'Keller', 3, 'mia@stores.example', 1, true, 'mia', '8cb2237d', '2006-05-16 16:13:11.79328', '\x89504e');
INSERT INTO staff VALUES (2, 'Jo', 'Eide', 3, NULL, 2, TRUE, 'jo', '8cb2237d', '2006-05-16 16:13:11.79328', decode('00', 'hex'));
INSERT INTO customer VALUES (1, 1, 'ZORA', 'NOVAK', 'ZORA.NOVAK@example.org', 1, true, '2006-02-14', '2006-02-15 09:57:20', 1);
INSERT INTO customer VALUES (2, 2, 'JUN', 'SATO', NULL, 2, true, '2006-02-14', '2006-02-15 09:57:20', 0);
INSERT INTO inventory VALUES (1, 1, 1, '2006-02-15 10:09:17'), (2, 1, 2, '2006-02-15 10:09:17'), (3, 2, 1, '2006-02-15 10:09:17');
INSERT INTO rental VALUES (1, '2005-05-24 22:54:33', 1, 1, '2005-05-28 19:40:33', 1, '2022-08-26 14:23:00');
INSERT INTO rental VALUES (7, '2005-05-24 23:03:39', 2, 2, NULL, 2, '2022-08-26 14:23:00');
INSERT INTO payment (payment_id, customer_id, staff_id, rental_id, amount, payment_date) VALUES (1, 1, 1, 1, 2.99, '2006-11-25 18:57:05.587706');
INSERT INTO payment VALUES (2, 1, 1, 1, 0.99, '2007-01-25 18:57:05'), (5, 2, 2, 7, 7.99, '2007-02-01 00:00:00');
COMMIT;
