-- Nothing is lost: all of it is made from what is elsewhere.
drop function refresh_reports();
drop table report_refreshes;
drop materialized view category_revenue, store_month_revenue, film_revenue, customer_revenue;
