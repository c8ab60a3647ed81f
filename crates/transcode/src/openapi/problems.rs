//! The answers that are errors: what each status means, and how it looks.

use serde_json::{Value, json};

use super::ErrorFormat;

/// A status that is an error, with its name among the components and what it usually means.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) name: &'static str,
    title: &'static str,
    code: &'static str,
    number: i32,
    pub(super) description: &'static str,
}

/// All that the gateway answers with on behalf of an operation, as `google.rpc.Code` documents it.
pub(super) const REFUSALS: &[Refusal] = &[
    refusal(
        400,
        "BadRequest",
        "Bad Request",
        "INVALID_ARGUMENT",
        3,
        "The request is not valid; `details` has what is wrong by field.",
    ),
    refusal(401, "Unauthorized", "Unauthorized", "UNAUTHENTICATED", 16, "Nobody is signed in."),
    refusal(403, "Forbidden", "Forbidden", "PERMISSION_DENIED", 7, "The caller may not do this."),
    refusal(404, "NotFound", "Not Found", "NOT_FOUND", 5, "There is no such resource."),
    refusal(
        409,
        "Conflict",
        "Conflict",
        "ALREADY_EXISTS",
        6,
        "It is there already, or it was changed at the same time.",
    ),
    refusal(
        412,
        "PreconditionFailed",
        "Precondition Failed",
        "ABORTED",
        10,
        "The current state is not the one that `If-Match` names; nothing was changed.",
    ),
    refusal(413, "PayloadTooLarge", "Content Too Large", "OUT_OF_RANGE", 11, "The body is too large."),
    refusal(
        415,
        "UnsupportedMediaType",
        "Unsupported Media Type",
        "INVALID_ARGUMENT",
        3,
        "The body is not JSON, or packed in an unknown way.",
    ),
    refusal(429, "TooManyRequests", "Too Many Requests", "RESOURCE_EXHAUSTED", 8, "Too much at once."),
    refusal(
        500,
        "InternalServerError",
        "Internal Server Error",
        "INTERNAL",
        13,
        "The service failed; its log says why, under `traceId`.",
    ),
    refusal(501, "NotImplemented", "Not Implemented", "UNIMPLEMENTED", 12, "The service does not have this."),
    refusal(
        502,
        "BadGateway",
        "Bad Gateway",
        "INTERNAL",
        13,
        "The service gave an answer that cannot be read.",
    ),
    refusal(
        503,
        "ServiceUnavailable",
        "Service Unavailable",
        "UNAVAILABLE",
        14,
        "The service cannot be reached right now.",
    ),
    refusal(
        504,
        "GatewayTimeout",
        "Gateway Timeout",
        "DEADLINE_EXCEEDED",
        4,
        "The answer did not come in time.",
    ),
];

/// The statuses of codes, for those that comments name.
pub(super) const CODES: &[(&str, u16)] = &[
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("ABORTED", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

const fn refusal(
    status: u16,
    name: &'static str,
    title: &'static str,
    code: &'static str,
    number: i32,
    description: &'static str,
) -> Refusal {
    Refusal { status, name, title, code, number, description }
}

impl Refusal {
    /// The response that operations refer to.
    pub(super) fn response(&self, format: ErrorFormat) -> Value {
        let content = match format {
            ErrorFormat::Problem => {
                let example = json!({
                    "type": "about:blank",
                    "title": self.title,
                    "status": self.status,
                    "detail": self.description,
                    "code": self.code,
                    "details": [],
                    "traceId": "0af7651916cd43dd8448eb211c80319c",
                });
                let schema = json!({"$ref": "#/components/schemas/Problem"});
                json!({"application/problem+json": {"schema": schema, "example": example}})
            }
            ErrorFormat::Status => {
                let example = json!({"code": self.number, "message": self.description, "details": []});
                let schema = json!({"$ref": "#/components/schemas/Problem"});
                json!({"application/json": {"schema": schema, "example": example}})
            }
        };
        let mut response = json!({"description": self.description, "content": content});
        match self.status {
            401 => {
                let header = json!({"description": "How to sign in.", "schema": {"type": "string"}});
                response["headers"] = json!({"WWW-Authenticate": header});
            }
            429 | 503 => {
                let header = json!({
                    "description": "The seconds to wait before the next try, where they are known.",
                    "schema": {"type": "integer", "minimum": 1},
                });
                response["headers"] = json!({"Retry-After": header});
            }
            _ => {}
        }
        response
    }
}

/// The schema of all errors.
pub(super) fn schema(format: ErrorFormat) -> Value {
    let details = json!({
        "type": "array",
        "description": "More about the error, for programs: what is wrong by field, the reason, when to try again. A detail of an unknown type has its bytes as base64 in `value`.",
        "items": {
            "type": "object",
            "properties": {"@type": {"type": "string", "description": "The URL of its type."}},
            "required": ["@type"],
            "additionalProperties": true,
        },
    });
    match format {
        ErrorFormat::Problem => json!({
            "type": "object",
            "description": "What went wrong, as in RFC 9457.",
            "properties": {
                "type": {"type": "string", "format": "uri-reference", "description": "The kind of problem; `about:blank` says no more than the status."},
                "title": {"type": "string", "description": "The status in words."},
                "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
                "detail": {"type": "string", "description": "What is wrong, for people."},
                "code": {"type": "string", "description": "The gRPC status code.", "enum": CODE_NAMES},
                "details": details,
                "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "Where the logs and traces have more about it."},
            },
            "required": ["type", "title", "status", "detail", "code", "details"],
        }),
        ErrorFormat::Status => json!({
            "type": "object",
            "description": "What went wrong, as a google.rpc.Status.",
            "properties": {
                "code": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 16, "description": "The gRPC status code."},
                "message": {"type": "string", "description": "What is wrong, for people."},
                "details": details,
            },
            "required": ["code", "message", "details"],
        }),
    }
}

const CODE_NAMES: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
