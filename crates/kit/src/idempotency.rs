//! Requests that may be repeated: the second one is answered with what the first one did.
//!
//! The caller names a request by a `request_id`. Its first appearance is recorded in the same transaction as its
//! effect, so there is never one without the other; whoever comes second waits for the first on the primary key.

use std::time::Duration;

use prost::Message;
use sha2::{Digest as _, Sha256};

use crate::db::Transaction;
use crate::{Code, Context, Db, Error, Result};

/// How often old keys are forgotten.
pub(crate) const SWEEP_PERIOD: Duration = Duration::from_hours(1);
/// Keys forgotten by one statement at most, so that none of them runs long.
const SWEEP_BATCH: i64 = 10_000;

/// Does `work` in a transaction, unless the request was done before, by this caller and to this RPC, in the last 24
/// hours: then the answer is the one of the first time. An empty `request_id` is a request that may not be repeated.
///
/// Two requests are the same if their encodings are.
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
    let mut transaction = db.begin().await?;
    let key = match claim(&mut transaction, request_id, request).await? {
        Claim::Done(answer) => return Ok(answer),
        Claim::New(key) => key,
    };
    let answer = work(&mut transaction).await?;
    if let Some(key) = key {
        key.keep(&mut transaction, &answer).await?;
    }
    transaction.commit().await?;
    Ok(answer)
}

/// What became of a request that was begun.
enum Claim<T> {
    /// It is new, and has a key if it may be repeated.
    New(Option<Key>),
    /// It was done before; this was the answer.
    Done(T),
}

struct Key {
    rpc: String,
    caller: String,
    request_id: String,
}

/// Looks whether the request was made before.
async fn claim<T: Message + Default>(
    transaction: &mut Transaction,
    request_id: &str,
    request: &impl Message,
) -> Result<Claim<T>> {
    if request_id.is_empty() {
        return Ok(Claim::New(None));
    }
    let call = Context::current();
    let key = Key {
        rpc: call.rpc.as_deref().unwrap_or_default().to_owned(),
        caller: call.caller.as_deref().unwrap_or_default().to_owned(),
        request_id: request_id.to_owned(),
    };
    let fingerprint = Sha256::digest(request.encode_to_vec()).to_vec();
    let claimed = sqlx::query(
        "insert into idempotency_keys as known (rpc, caller, request_id, fingerprint)
         values ($1, $2, $3, $4)
         on conflict on constraint idempotency_keys_pkey do update
         set fingerprint = excluded.fingerprint, answer = null, created_at = now()
         where known.created_at < now() - interval '24 hours'",
    )
    .bind(&key.rpc)
    .bind(&key.caller)
    .bind(&key.request_id)
    .bind(&fingerprint)
    .execute(&mut **transaction)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::New(Some(key)));
    }
    first_answer(transaction, &key, &fingerprint).await.map(Claim::Done)
}

async fn first_answer<T: Message + Default>(
    transaction: &mut Transaction,
    key: &Key,
    fingerprint: &[u8],
) -> Result<T> {
    let (known, answer): (Vec<u8>, Option<Vec<u8>>) = sqlx::query_as(
        "select fingerprint, answer from idempotency_keys where rpc = $1 and caller = $2 and request_id = $3",
    )
    .bind(&key.rpc)
    .bind(&key.caller)
    .bind(&key.request_id)
    .fetch_one(&mut **transaction)
    .await?;
    if known != fingerprint {
        return Err(Error::new(
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            "another request was made with this request_id",
        ));
    }
    let answer = answer.ok_or_else(|| Error::internal("a request id was committed without its answer"))?;
    T::decode(answer.as_slice()).map_err(Error::internal)
}

impl Key {
    /// Keeps the answer for whoever repeats the request.
    async fn keep(&self, transaction: &mut Transaction, answer: &impl Message) -> Result<()> {
        sqlx::query(
            "update idempotency_keys set answer = $4 where rpc = $1 and caller = $2 and request_id = $3",
        )
        .bind(&self.rpc)
        .bind(&self.caller)
        .bind(&self.request_id)
        .bind(answer.encode_to_vec())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
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
