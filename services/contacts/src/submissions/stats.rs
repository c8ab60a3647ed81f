//! How many submissions there are, from the counts that the triggers keep.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use selvedge_kit::db::Transaction;
use selvedge_kit::{Db, Error};
use selvedge_proto::contacts::v1::{
    DayCount, EmailDomainCount, GetSubmissionStatsRequest, StatusCount, SubmissionStats, SubmissionStatus,
};

use super::status;

const MAX_DAYS: usize = 1_000;
const MAX_DOMAINS: i64 = 100;

/// All submissions lie between these.
const BEGINNING: DateTime<Utc> = DateTime::UNIX_EPOCH;
const END: DateTime<Utc> = DateTime::from_timestamp(253_370_764_800, 0).expect("the first day of 9999");

/// The SQLSTATE for a time zone that PostgreSQL does not know.
const INVALID_PARAMETER_VALUE: &str = "22023";

pub(super) async fn stats(db: &Db, request: GetSubmissionStatsRequest) -> Result<SubmissionStats, Error> {
    let first_day = day("first_day", &request.first_day)?;
    let last_day = day("last_day", &request.last_day)?;
    if first_day > last_day && last_day.is_some() {
        return Err(Error::invalid("first_day", "must not be after last_day"));
    }
    let zone = if request.time_zone.is_empty() { "UTC" } else { &request.time_zone };

    let mut transaction = db.begin().await?;
    // So that all the counts are of the same moment.
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *transaction)
        .await?;
    let bounds = Bounds::find(&mut transaction, zone, first_day, last_day).await?;
    let days = by_status_and_day(&mut transaction, zone, &bounds).await?;
    let by_email_domain = by_email_domain(&mut transaction, &bounds).await?;
    transaction.commit().await?;

    let mut by_day = BTreeMap::<NaiveDate, i64>::new();
    let mut by_status = BTreeMap::<SubmissionStatus, i64>::new();
    for row in days {
        *by_day.entry(row.day).or_default() += row.count;
        *by_status.entry(status::from_column(&row.status)).or_default() += row.count;
    }
    by_day.retain(|_, count| *count > 0);
    let total = by_status.values().sum();
    let too_many = by_day.len().saturating_sub(MAX_DAYS);
    Ok(SubmissionStats {
        total,
        by_status: status::ALL
            .map(|status| StatusCount {
                status: status.into(),
                count: by_status.get(&status).copied().unwrap_or_default(),
            })
            .into(),
        by_day: by_day
            .into_iter()
            .skip(too_many)
            .map(|(day, count)| DayCount { day: day.to_string(), count })
            .collect(),
        other_email_domains: total - by_email_domain.iter().map(|domain| domain.count).sum::<i64>(),
        by_email_domain,
    })
}

fn day(field: &str, text: &str) -> Result<Option<NaiveDate>, Error> {
    let parse = |text: &str| text.parse().map_err(|_| Error::invalid(field, "must be a day of the calendar"));
    Some(text).filter(|text| !text.is_empty()).map(parse).transpose()
}

/// When what is counted begins and ends, and which whole days of UTC lie between: domains are counted by those.
struct Bounds {
    from: DateTime<Utc>,
    before: DateTime<Utc>,
    first_whole_day: DateTime<Utc>,
    after_whole_days: DateTime<Utc>,
}

impl Bounds {
    fn new(from: Option<DateTime<Utc>>, before: Option<DateTime<Utc>>) -> Self {
        let from = from.unwrap_or(BEGINNING).clamp(BEGINNING, END);
        let before = before.unwrap_or(END).clamp(from, END);
        let midnight = |time: DateTime<Utc>| time.date_naive().and_time(NaiveTime::MIN).and_utc();
        let first = midnight(from + TimeDelta::days(1) - TimeDelta::nanoseconds(1));
        let after = midnight(before);
        // Where there is no whole day, all is before them.
        let (first_whole_day, after_whole_days) =
            if first < after { (first, after) } else { (before, before) };
        Self { from, before, first_whole_day, after_whole_days }
    }

    async fn find(
        transaction: &mut Transaction,
        zone: &str,
        first_day: Option<NaiveDate>,
        last_day: Option<NaiveDate>,
    ) -> Result<Self, Error> {
        // The last column makes a wrong zone an error where there is no day.
        let bounds = sqlx::query!(
            r#"select $2::date::timestamp at time zone $1 as "from", ($3::date + 1)::timestamp at time zone $1 as before,
                   now() at time zone $1 as here"#,
            zone,
            first_day,
            last_day
        );
        match bounds.fetch_one(&mut **transaction).await {
            Ok(bounds) => Ok(Self::new(bounds.from, bounds.before)),
            Err(error) if sqlstate(&error).as_deref() == Some(INVALID_PARAMETER_VALUE) => {
                Err(Error::invalid("time_zone", "must be the name of a time zone"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

struct StatusOnDay {
    day: NaiveDate,
    status: String,
    count: i64,
}

async fn by_status_and_day(
    transaction: &mut Transaction,
    zone: &str,
    bounds: &Bounds,
) -> Result<Vec<StatusOnDay>, Error> {
    let rows = sqlx::query_as!(
        StatusOnDay,
        r#"select (quarter at time zone $1)::date as "day!", status as "status!", sum(count)::bigint as "count!"
           from (
               select quarter, status, count from submission_status_counts
               where quarter >= $2 and quarter < $3
               union all
               select quarter, status, count from submission_deltas
               where quarter >= $2 and quarter < $3
           ) as counts
           group by 1, 2"#,
        zone,
        bounds.from,
        bounds.before
    );
    Ok(rows.fetch_all(&mut **transaction).await?)
}

/// What is not in a whole day is counted one by one: it is less than two days of submissions.
async fn by_email_domain(
    transaction: &mut Transaction,
    bounds: &Bounds,
) -> Result<Vec<EmailDomainCount>, Error> {
    let rows = sqlx::query_as!(
        EmailDomainCount,
        r#"select email_domain as "email_domain!", sum(count)::bigint as "count!"
           from (
               select email_domain, count from submission_domain_counts
               where day >= $2 and day < $3
               union all
               select email_domain, count from submission_deltas
               where quarter >= $2 and quarter < $3
               union all
               select email_domain_of(email), 1 from submissions
               where id >= uuid_v7_floor($1) and id < uuid_v7_floor($2)
               union all
               select email_domain_of(email), 1 from submissions
               where id >= uuid_v7_floor($3) and id < uuid_v7_floor($4)
           ) as counts
           group by 1
           having sum(count) > 0
           order by 2 desc, 1
           limit $5"#,
        bounds.from,
        bounds.first_whole_day,
        bounds.after_whole_days,
        bounds.before,
        MAX_DOMAINS
    );
    Ok(rows.fetch_all(&mut **transaction).await?)
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<DateTime<Utc>> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn whole_days_are_found_between_any_bounds() {
        for (from, before, first, after) in [
            // Berlin: both ends lie in the evening before.
            ("2026-01-01T23:00:00Z", "2026-01-04T23:00:00Z", "2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
            // No whole day: all of it is before the whole days.
            ("2026-01-01T23:00:00Z", "2026-01-02T23:00:00Z", "2026-01-02T23:00:00Z", "2026-01-02T23:00:00Z"),
        ] {
            let bounds = Bounds::new(at(from), at(before));
            assert_eq!(Some(bounds.first_whole_day), at(first), "{from}");
            assert_eq!(Some(bounds.after_whole_days), at(after), "{from}");
        }
        let long_ago = Bounds::new(None, at("1960-01-02T00:00:00Z"));
        assert_eq!((long_ago.from, long_ago.before), (BEGINNING, BEGINNING));
        let all = Bounds::new(None, None);
        assert_eq!((all.from, all.before), (all.first_whole_day, all.after_whole_days));
    }
}
