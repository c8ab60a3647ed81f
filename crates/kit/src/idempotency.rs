//! Requests that may be repeated: the second one is answered with what the first one did.
//!
//! The caller names a request by a `request_id`. Its first appearance is recorded in the same transaction as its
//! effect, so there is never one without the other; whoever comes second waits for the first on the primary key.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use prost::Message;
use sha2::{Digest as _, Sha256};

use crate::db::Transaction;
use crate::{Code, Context, Db, Error, Result};

/// How often old keys are forgotten.
pub(crate) const SWEEP_PERIOD: Duration = Duration::from_hours(1);
/// Keys forgotten by one statement at most, so that none of them runs long.
const SWEEP_BATCH: i64 = 10_000;

/// A request that may be repeated, as its caller made it.
#[derive(Clone, Debug)]
pub struct Repeatable {
    rpc: String,
    caller: String,
    request_id: String,
    fingerprint: Vec<u8>,
}

impl Repeatable {
    /// The request that the current call makes under this id; `None` when it has none. Two requests are the same if their
    /// encodings are.
    pub fn new(request_id: &str, request: &impl Message) -> Option<Self> {
        if request_id.is_empty() {
            return None;
        }
        let call = Context::current();
        Some(Self {
            rpc: call.rpc.as_deref().unwrap_or_default().to_owned(),
            caller: call.caller.as_deref().unwrap_or_default().to_owned(),
            request_id: request_id.to_owned(),
            fingerprint: Sha256::digest(request.encode_to_vec()).to_vec(),
        })
    }

    fn key(&self) -> (&str, &str, &str) {
        (&self.rpc, &self.caller, &self.request_id)
    }
}

/// Does `work` in a transaction, unless the request was done before, by this caller and to this RPC, in the last 24
/// hours: then the answer is the one of the first time. An empty `request_id` is a request that may not be repeated.
///
/// ```no_run
/// # use selvedge_kit::{Db, Result, idempotency};
/// # async fn create(db: &Db, request_id: &str, name: String) -> Result<String> {
/// idempotency::once(db, request_id, &name.clone(), async |transaction| {
///     sqlx::query("insert into films (name) values ($1)").bind(&name).execute(&mut **transaction).await?;
///     Ok(name)
/// })
/// .await
/// # }
/// ```
pub async fn once<T: Message + Default>(
    db: &Db,
    request_id: &str,
    request: &impl Message,
    work: impl AsyncFnOnce(&mut Transaction) -> Result<T>,
) -> Result<T> {
    let request = Repeatable::new(request_id, request);
    let work = async |transaction: &mut Transaction, _: &[usize]| Ok(vec![work(transaction).await?]);
    let mut answers = once_each(db, &[request.as_ref()], work).await?;
    answers.pop().unwrap_or_else(|| Err(Error::internal("a request was left without an answer")))
}

/// What [`once`] does, for several requests in one transaction: `work` is given the numbers of those that are new, and
/// answers with as many results. Where none of them is new, there is nothing to do.
pub async fn once_each<T: Message + Default>(
    db: &Db,
    requests: &[Option<&Repeatable>],
    work: impl AsyncFnOnce(&mut Transaction, &[usize]) -> Result<Vec<T>>,
) -> Result<Vec<Result<T>>> {
    let mut transaction = db.begin().await?;
    let claimed = claim(&mut transaction, requests).await?;
    let new: Vec<usize> = (0..requests.len())
        .filter(|number| requests[*number].is_none() || claimed.contains(number))
        .collect();
    let done = if new.is_empty() { vec![] } else { work(&mut transaction, &new).await? };
    let kept: Vec<(&Repeatable, Vec<u8>)> = new
        .iter()
        .zip(&done)
        .filter_map(|(number, answer)| Some((requests[*number]?, answer.encode_to_vec())))
        .collect();
    keep(&mut transaction, &kept).await?;
    let mut answers: Vec<Option<Result<T>>> = requests.iter().map(|_| None).collect();
    for (number, answer) in new.iter().zip(done) {
        answers[*number] = Some(Ok(answer));
    }
    for (number, answer) in answers.iter_mut().enumerate() {
        if let (None, Some(request)) = (&answer, requests[number]) {
            *answer = Some(first_answer(&mut transaction, request).await?);
        }
    }
    transaction.commit().await?;
    let missing = || Err(Error::internal("a request was left without an answer"));
    Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect())
}

/// Answers with the numbers of those that were not made before, which are ours now. Where two are the same, one of them is.
async fn claim(transaction: &mut Transaction, requests: &[Option<&Repeatable>]) -> Result<HashSet<usize>> {
    let mut numbers: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for (number, request) in requests.iter().enumerate() {
        if let Some(request) = request {
            numbers.entry(request.key()).or_insert(number);
        }
    }
    if numbers.is_empty() {
        return Ok(HashSet::new());
    }
    let asked: Vec<&Repeatable> = numbers.values().filter_map(|number| requests[*number]).collect();
    // In the order of their keys: two transactions that want the same ones would otherwise wait for each other.
    let claimed: Vec<(String, String, String)> = sqlx::query_as(
        "insert into idempotency_keys as known (rpc, caller, request_id, fingerprint)
         select rpc, caller, request_id, fingerprint
         from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as asked (rpc, caller, request_id, fingerprint)
         order by rpc, caller, request_id
         on conflict on constraint idempotency_keys_pkey do update
         set fingerprint = excluded.fingerprint, answer = null, created_at = now()
         where known.created_at < now() - interval '24 hours'
         returning rpc, caller, request_id",
    )
    .bind(asked.iter().map(|request| &*request.rpc).collect::<Vec<_>>())
    .bind(asked.iter().map(|request| &*request.caller).collect::<Vec<_>>())
    .bind(asked.iter().map(|request| &*request.request_id).collect::<Vec<_>>())
    .bind(asked.iter().map(|request| &*request.fingerprint).collect::<Vec<_>>())
    .fetch_all(&mut **transaction)
    .await?;
    Ok(claimed
        .iter()
        .filter_map(|(rpc, caller, id)| numbers.get(&(&**rpc, &**caller, &**id)).copied())
        .collect())
}

/// What was answered when the request was made first; another request under the same id is refused.
async fn first_answer<T: Message + Default>(
    transaction: &mut Transaction,
    request: &Repeatable,
) -> Result<Result<T>> {
    let (known, answer): (Vec<u8>, Option<Vec<u8>>) = sqlx::query_as(
        "select fingerprint, answer from idempotency_keys where rpc = $1 and caller = $2 and request_id = $3",
    )
    .bind(&request.rpc)
    .bind(&request.caller)
    .bind(&request.request_id)
    .fetch_one(&mut **transaction)
    .await?;
    if known != request.fingerprint {
        return Ok(Err(Error::new(
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            "another request was made with this request_id",
        )));
    }
    let answer = answer.ok_or_else(|| Error::internal("a request id was committed without its answer"))?;
    Ok(Ok(T::decode(answer.as_slice()).map_err(Error::internal)?))
}

/// Keeps the answers for whoever repeats the requests.
async fn keep(transaction: &mut Transaction, answers: &[(&Repeatable, Vec<u8>)]) -> Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update idempotency_keys as known set answer = given.answer
         from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as given (rpc, caller, request_id, answer)
         where known.rpc = given.rpc and known.caller = given.caller and known.request_id = given.request_id",
    )
    .bind(answers.iter().map(|(request, _)| &*request.rpc).collect::<Vec<_>>())
    .bind(answers.iter().map(|(request, _)| &*request.caller).collect::<Vec<_>>())
    .bind(answers.iter().map(|(request, _)| &*request.request_id).collect::<Vec<_>>())
    .bind(answers.iter().map(|(_, answer)| &**answer).collect::<Vec<_>>())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Forgets the keys that are older than a day.
pub(crate) async fn sweep(db: Db) -> Result<()> {
    loop {
        let gone = sqlx::query(
            "delete from idempotency_keys where ctid = any(array(
                 select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit $1
             ))",
        )
        .bind(SWEEP_BATCH)
        .execute(&db)
        .await?;
        if gone.rows_affected() < SWEEP_BATCH.unsigned_abs() {
            return Ok(());
        }
    }
}
