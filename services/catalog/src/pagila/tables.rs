//! The tables of Pagila and Sakila, and what becomes of them.

pub(super) struct Table {
    /// What a dump calls it.
    pub(super) name: &'static str,
    /// What we call it.
    pub(super) target: &'static str,
    pub(super) columns: &'static [Column],
    /// Where a dump does not name the columns: those of Pagila, of Sakila, and of their older versions.
    pub(super) orders: &'static [&'static str],
    /// The columns that lead elsewhere.
    pub(super) references: &'static [(&'static str, &'static str)],
    /// What no two rows may have in common, the first being what a row is found by.
    pub(super) keys: &'static [&'static str],
}

pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    /// What stands for no value, as `copy` reads it.
    pub(super) null: &'static str,
    pub(super) is_required: bool,
}

impl Table {
    /// The table of this name; the payments may be spread over partitions.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        let name = if name.starts_with("payment_p") { "payment" } else { name };
        TABLES.iter().find(|table| table.name == name)
    }

    /// What a dump calls one of our columns.
    pub(super) fn source_name<'a>(&self, target: &'a str) -> &'a str {
        self.columns.iter().find(|column| column.target == target).map_or(target, |column| column.name)
    }

    pub(super) fn has(&self, target: &str) -> bool {
        self.columns.iter().any(|column| column.target == target)
    }
}

const fn required(name: &'static str, target: &'static str) -> Column {
    Column { name, target, null: "\\N", is_required: true }
}

/// With what stands for no value.
const fn optional(name: &'static str, target: &'static str, null: &'static str) -> Column {
    Column { name, target, null, is_required: false }
}

const LAST_UPDATE: Column = optional("last_update", "last_update", "now");

/// In an order in which each comes after those that it leads to, but for the managers of the stores.
pub(super) const TABLES: [Table; 15] = [
    Table {
        name: "language",
        target: "languages",
        columns: &[required("language_id", "id"), required("name", "name"), LAST_UPDATE],
        orders: &["language_id name last_update"],
        references: &[],
        keys: &["id", "name"],
    },
    Table {
        name: "category",
        target: "categories",
        columns: &[required("category_id", "id"), required("name", "name"), LAST_UPDATE],
        orders: &["category_id name last_update"],
        references: &[],
        keys: &["id", "name"],
    },
    Table {
        name: "actor",
        target: "actors",
        columns: &[
            required("actor_id", "id"),
            required("first_name", "first_name"),
            required("last_name", "last_name"),
            LAST_UPDATE,
        ],
        orders: &["actor_id first_name last_name last_update"],
        references: &[],
        keys: &["id"],
    },
    Table {
        name: "film",
        target: "films",
        columns: &[
            required("film_id", "id"),
            required("title", "title"),
            optional("description", "description", ""),
            optional("release_year", "release_year", "\\N"),
            required("language_id", "language_id"),
            optional("original_language_id", "original_language_id", "\\N"),
            optional("rental_duration", "rental_duration", "\\N"),
            optional("rental_rate", "rental_rate", "\\N"),
            optional("length", "length", "\\N"),
            optional("replacement_cost", "replacement_cost", "\\N"),
            optional("rating", "rating", "G"),
            optional("special_features", "special_features", "{}"),
            LAST_UPDATE,
        ],
        orders: &[
            "film_id title description release_year language_id original_language_id rental_duration rental_rate length \
             replacement_cost rating last_update special_features fulltext",
            "film_id title description release_year language_id original_language_id rental_duration rental_rate length \
             replacement_cost rating special_features last_update",
        ],
        references: &[("language_id", "languages"), ("original_language_id", "languages")],
        keys: &["id"],
    },
    Table {
        name: "film_category",
        target: "film_categories",
        columns: &[required("film_id", "film_id"), required("category_id", "category_id"), LAST_UPDATE],
        orders: &["film_id category_id last_update"],
        references: &[("film_id", "films"), ("category_id", "categories")],
        keys: &["film_id, category_id"],
    },
    Table {
        name: "film_actor",
        target: "film_actors",
        columns: &[required("actor_id", "actor_id"), required("film_id", "film_id"), LAST_UPDATE],
        orders: &["actor_id film_id last_update"],
        references: &[("film_id", "films"), ("actor_id", "actors")],
        keys: &["film_id, actor_id"],
    },
    Table {
        name: "country",
        target: "countries",
        columns: &[required("country_id", "id"), required("country", "name"), LAST_UPDATE],
        orders: &["country_id country last_update"],
        references: &[],
        keys: &["id", "name"],
    },
    Table {
        name: "city",
        target: "cities",
        columns: &[
            required("city_id", "id"),
            required("city", "name"),
            required("country_id", "country_id"),
            LAST_UPDATE,
        ],
        orders: &["city_id city country_id last_update"],
        references: &[("country_id", "countries")],
        keys: &["id", "country_id, name"],
    },
    Table {
        name: "address",
        target: "addresses",
        columns: &[
            required("address_id", "id"),
            required("address", "street"),
            optional("address2", "street2", ""),
            optional("district", "district", ""),
            required("city_id", "city_id"),
            optional("postal_code", "postal_code", ""),
            optional("phone", "phone", ""),
            LAST_UPDATE,
        ],
        orders: &["address_id address address2 district city_id postal_code phone last_update"],
        references: &[("city_id", "cities")],
        keys: &["id"],
    },
    Table {
        name: "store",
        target: "stores",
        columns: &[
            required("store_id", "id"),
            optional("manager_staff_id", "manager_staff_id", "\\N"),
            required("address_id", "address_id"),
            LAST_UPDATE,
        ],
        orders: &["store_id manager_staff_id address_id last_update"],
        references: &[("manager_staff_id", "staff"), ("address_id", "addresses")],
        keys: &["id", "manager_staff_id"],
    },
    Table {
        name: "staff",
        target: "staff",
        columns: &[
            required("staff_id", "id"),
            required("store_id", "store_id"),
            required("first_name", "first_name"),
            required("last_name", "last_name"),
            optional("email", "email", ""),
            required("username", "username"),
            required("address_id", "address_id"),
            optional("active", "active", "t"),
            LAST_UPDATE,
        ],
        orders: &[
            "staff_id first_name last_name address_id email store_id active username password last_update picture",
            "staff_id first_name last_name address_id email store_id active username password last_update",
        ],
        references: &[("store_id", "stores"), ("address_id", "addresses")],
        keys: &["id", "username"],
    },
    Table {
        name: "customer",
        target: "customers",
        columns: &[
            required("customer_id", "id"),
            required("store_id", "store_id"),
            required("first_name", "first_name"),
            required("last_name", "last_name"),
            optional("email", "email", ""),
            required("address_id", "address_id"),
            optional("active", "active", "t"),
            optional("activebool", "activebool", "t"),
            optional("create_date", "created_at", "now"),
            LAST_UPDATE,
        ],
        orders: &[
            "customer_id store_id first_name last_name email address_id activebool create_date last_update active",
            "customer_id store_id first_name last_name email address_id activebool create_date last_update",
        ],
        references: &[("store_id", "stores"), ("address_id", "addresses")],
        keys: &["id"],
    },
    Table {
        name: "inventory",
        target: "inventory",
        columns: &[
            required("inventory_id", "id"),
            required("film_id", "film_id"),
            required("store_id", "store_id"),
            LAST_UPDATE,
        ],
        orders: &["inventory_id film_id store_id last_update"],
        references: &[("film_id", "films"), ("store_id", "stores")],
        keys: &["id"],
    },
    Table {
        name: "rental",
        target: "rentals",
        columns: &[
            required("rental_id", "id"),
            required("inventory_id", "inventory_id"),
            required("customer_id", "customer_id"),
            required("staff_id", "staff_id"),
            optional("rental_date", "rental_date", "\\N"),
            optional("return_date", "return_date", "\\N"),
            optional("rental_period", "rental_period", "\\N"),
            LAST_UPDATE,
        ],
        orders: &[
            "rental_id rental_date inventory_id customer_id return_date staff_id last_update",
            "rental_id inventory_id customer_id staff_id last_update rental_period",
        ],
        references: &[("inventory_id", "inventory"), ("customer_id", "customers"), ("staff_id", "staff")],
        keys: &["id", "open_inventory_id"],
    },
    Table {
        name: "payment",
        target: "payments",
        columns: &[
            required("payment_id", "id"),
            required("customer_id", "customer_id"),
            required("staff_id", "staff_id"),
            required("rental_id", "rental_id"),
            required("amount", "amount"),
            required("payment_date", "payment_date"),
        ],
        orders: &["payment_id customer_id staff_id rental_id amount payment_date"],
        references: &[("customer_id", "customers"), ("staff_id", "staff"), ("rental_id", "rentals")],
        keys: &["id"],
    },
];
