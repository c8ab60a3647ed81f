//! Where stores, staff and customers are: each has an address row of its own, which changes with it.

use selvedge_kit::Error;
use selvedge_kit::db::Transaction;
use selvedge_kit::mask::Mask;
use selvedge_proto::catalog::v1::Address;

/// What of an address the mask of its owner may name.
pub(crate) const PATHS: [&str; 8] = [
    "address",
    "address.street",
    "address.street2",
    "address.district",
    "address.city",
    "address.country",
    "address.postal_code",
    "address.phone",
];

/// Stores the address of somebody new and answers with its id.
pub(crate) async fn insert(transaction: &mut Transaction, address: &Address) -> Result<i32, Error> {
    let city_id = city(transaction, address).await?;
    let id = sqlx::query_scalar!(
        "insert into addresses (street, street2, district, city_id, postal_code, phone)
         values ($1, $2, $3, $4, $5, $6)
         returning id",
        address.street,
        address.street2,
        address.district,
        city_id,
        address.postal_code,
        address.phone,
    );
    Ok(id.fetch_one(&mut **transaction).await?)
}

/// Changes what the mask names of an address whose owner has been locked.
pub(crate) async fn update(
    transaction: &mut Transaction,
    id: i32,
    mask: &Mask<'_>,
    new: Address,
) -> Result<(), Error> {
    if !PATHS.iter().any(|path| mask.has(path)) {
        return Ok(());
    }
    let mut address = find(transaction, id).await?;
    for (path, current, new) in [
        ("address.street", &mut address.street, new.street),
        ("address.street2", &mut address.street2, new.street2),
        ("address.district", &mut address.district, new.district),
        ("address.city", &mut address.city, new.city),
        ("address.country", &mut address.country, new.country),
        ("address.postal_code", &mut address.postal_code, new.postal_code),
        ("address.phone", &mut address.phone, new.phone),
    ] {
        if mask.has("address") || mask.has(path) {
            *current = new;
        }
    }
    let city_id = city(transaction, &address).await?;
    sqlx::query!(
        "update addresses
         set street = $2, street2 = $3, district = $4, city_id = $5, postal_code = $6, phone = $7
         where id = $1",
        id,
        address.street,
        address.street2,
        address.district,
        city_id,
        address.postal_code,
        address.phone,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn find(transaction: &mut Transaction, id: i32) -> Result<Address, Error> {
    let address = sqlx::query_as!(
        Address,
        "select street, street2, district, cities.name as city, countries.name as country, postal_code, phone
         from addresses
         join cities on cities.id = city_id
         join countries on countries.id = country_id
         where addresses.id = $1",
        id
    );
    Ok(address.fetch_one(&mut **transaction).await?)
}

/// The id of the address's city, which is made if it is new, as is its country.
async fn city(transaction: &mut Transaction, address: &Address) -> Result<i32, Error> {
    if let Some(id) = find_city(transaction, address).await? {
        return Ok(id);
    }
    // Whoever comes second waits here until the first has committed, and then finds, in a statement of its own, what that
    // one has made.
    sqlx::query!("insert into countries (name) values ($1) on conflict do nothing", address.country)
        .execute(&mut **transaction)
        .await?;
    sqlx::query!(
        "insert into cities (name, country_id) select $1, id from countries where name = $2
         on conflict do nothing",
        address.city,
        address.country
    )
    .execute(&mut **transaction)
    .await?;
    find_city(transaction, address).await?.ok_or_else(|| Error::internal("a city is gone that was just made"))
}

async fn find_city(transaction: &mut Transaction, address: &Address) -> Result<Option<i32>, Error> {
    let id = sqlx::query_scalar!(
        "select cities.id from cities join countries on countries.id = country_id
         where cities.name = $1 and countries.name = $2",
        address.city,
        address.country
    );
    Ok(id.fetch_optional(&mut **transaction).await?)
}
