//! The rules of `buf.validate` by type, as far as they can be said of JSON.

use prost::Message;
use prost_types::{Duration, Timestamp};

use super::rules::FieldRules;

#[derive(Clone, PartialEq, Message)]
pub(super) struct CelRule {
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BoolRules {
    #[prost(bool, optional, tag = "1")]
    pub(super) constant: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StringRules {
    #[prost(string, optional, tag = "1")]
    pub(super) constant: Option<String>,
    #[prost(uint64, optional, tag = "19")]
    pub(super) len: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) min_len: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) max_len: Option<u64>,
    #[prost(uint64, optional, tag = "20")]
    pub(super) len_bytes: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) min_bytes: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) max_bytes: Option<u64>,
    #[prost(string, optional, tag = "6")]
    pub(super) pattern: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(super) prefix: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) suffix: Option<String>,
    #[prost(string, optional, tag = "9")]
    pub(super) contains: Option<String>,
    #[prost(string, optional, tag = "23")]
    pub(super) not_contains: Option<String>,
    #[prost(string, repeated, tag = "10")]
    pub(super) any_of: Vec<String>,
    #[prost(string, repeated, tag = "11")]
    pub(super) none_of: Vec<String>,
    #[prost(oneof = "Format", tags = "12, 13, 14, 15, 16, 17, 18, 22, 33")]
    pub(super) format: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub(super) enum Format {
    #[prost(bool, tag = "12")]
    Email(bool),
    #[prost(bool, tag = "13")]
    Hostname(bool),
    #[prost(bool, tag = "14")]
    Ip(bool),
    #[prost(bool, tag = "15")]
    Ipv4(bool),
    #[prost(bool, tag = "16")]
    Ipv6(bool),
    #[prost(bool, tag = "17")]
    Uri(bool),
    #[prost(bool, tag = "18")]
    UriReference(bool),
    #[prost(bool, tag = "22")]
    Uuid(bool),
    /// A UUID without its hyphens.
    #[prost(bool, tag = "33")]
    TrimmedUuid(bool),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BytesRules {
    #[prost(uint64, optional, tag = "13")]
    pub(super) len: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) min_len: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) max_len: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EnumRules {
    #[prost(int32, optional, tag = "1")]
    pub(super) constant: Option<i32>,
    #[prost(int32, repeated, packed = "false", tag = "3")]
    pub(super) any_of: Vec<i32>,
    #[prost(int32, repeated, packed = "false", tag = "4")]
    pub(super) none_of: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RepeatedRules {
    #[prost(uint64, optional, tag = "1")]
    pub(super) min_items: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) max_items: Option<u64>,
    #[prost(bool, tag = "3")]
    pub(super) unique: bool,
    #[prost(message, optional, boxed, tag = "4")]
    pub(super) items: Option<Box<FieldRules>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MapRules {
    #[prost(uint64, optional, tag = "1")]
    pub(super) min_pairs: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) max_pairs: Option<u64>,
    #[prost(message, optional, boxed, tag = "4")]
    pub(super) keys: Option<Box<FieldRules>>,
    #[prost(message, optional, boxed, tag = "5")]
    pub(super) values: Option<Box<FieldRules>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyRules {
    #[prost(string, repeated, tag = "2")]
    pub(super) any_of: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DurationRules {
    #[prost(message, optional, tag = "3")]
    pub(super) lt: Option<Duration>,
    #[prost(message, optional, tag = "4")]
    pub(super) lte: Option<Duration>,
    #[prost(message, optional, tag = "5")]
    pub(super) gt: Option<Duration>,
    #[prost(message, optional, tag = "6")]
    pub(super) gte: Option<Duration>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TimestampRules {
    #[prost(message, optional, tag = "3")]
    pub(super) lt: Option<Timestamp>,
    #[prost(message, optional, tag = "4")]
    pub(super) lte: Option<Timestamp>,
    #[prost(message, optional, tag = "5")]
    pub(super) gt: Option<Timestamp>,
    #[prost(message, optional, tag = "6")]
    pub(super) gte: Option<Timestamp>,
    #[prost(bool, tag = "7")]
    pub(super) lt_now: bool,
    #[prost(bool, tag = "8")]
    pub(super) gt_now: bool,
}
