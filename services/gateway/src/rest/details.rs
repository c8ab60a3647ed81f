//! The details of an error in JSON, whatever their types.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use prost::Message as _;
use prost_types::Any;
use selvedge_transcode::{Options, Schema, SchemaError, ToJson};
use serde_json::{Value, json};
use tonic::Status;

/// Turns details into JSON: those of the services' own types, and those that Google defined for all.
pub(crate) struct Details {
    known: Vec<(Arc<Schema>, ToJson)>,
}

impl Details {
    pub(crate) fn new(schema: &Arc<Schema>, options: &Options) -> Result<Self, SchemaError> {
        // The caller of a failed call is better off without the fields that say nothing.
        let options = Options { omit_defaults: true, pretty: false, ..options.clone() };
        let google = Arc::new(Schema::decode(&[tonic_types::pb::FILE_DESCRIPTOR_SET])?);
        let known = [schema.clone(), google].map(|schema| {
            let to_json = ToJson::new(&schema, &options);
            (schema, to_json)
        });
        Ok(Self { known: known.into() })
    }

    /// The details of a status; those that do not decode or whose type nobody knows are kept as they are, in base64.
    pub(super) fn of(&self, status: &Status) -> Vec<Value> {
        let Ok(status) = tonic_types::pb::Status::decode(status.details()) else { return vec![] };
        // What a service says about its own inside stays there.
        let for_callers = |any: &Any| !any.type_url.ends_with("/google.rpc.DebugInfo");
        status.details.iter().filter(|any| for_callers(any)).map(|any| self.json(any)).collect()
    }

    fn json(&self, any: &Any) -> Value {
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        for (schema, to_json) in &self.known {
            let Some(message) = schema.message(name) else { continue };
            let mut json = vec![];
            if to_json.message(message, &any.value, &mut json).is_err() {
                break;
            }
            match serde_json::from_slice(&json) {
                Ok(Value::Object(fields)) => {
                    let own = ("@type".to_owned(), Value::from(any.type_url.as_str()));
                    return std::iter::once(own).chain(fields).collect();
                }
                Ok(value) => return json!({"@type": any.type_url, "value": value}),
                Err(_) => break,
            }
        }
        json!({"@type": any.type_url, "value": BASE64_STANDARD.encode(&any.value)})
    }
}
