//! One error type for every handler, and its one mapping to a gRPC status.

mod database;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use selvedge_proto::codec::{ERROR_DOMAIN, INVALID_REQUEST};
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

pub use database::ResultExt;

/// What a handler answers with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something did not start, for whoever starts it.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// The kinds of failure that callers can tell apart; no others leave a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request itself is wrong; sending it again cannot help.
    InvalidArgument,
    /// The resource is not there.
    NotFound,
    /// The resource, or something that must be unique, is there already.
    AlreadyExists,
    /// The system is not in a state in which this may be done.
    FailedPrecondition,
    /// Somebody else was faster; read again, then try again.
    Aborted,
    /// The caller did not say who it is.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// The caller is over a limit of its own.
    ResourceExhausted,
    /// The caller left.
    Cancelled,
    /// There was not enough time.
    DeadlineExceeded,
    /// The service cannot answer now; trying again later may help.
    Unavailable,
    /// The fault is ours.
    Internal,
}

impl Code {
    fn grpc(self) -> tonic::Code {
        match self {
            Self::InvalidArgument => tonic::Code::InvalidArgument,
            Self::NotFound => tonic::Code::NotFound,
            Self::AlreadyExists => tonic::Code::AlreadyExists,
            Self::FailedPrecondition => tonic::Code::FailedPrecondition,
            Self::Aborted => tonic::Code::Aborted,
            Self::Unauthenticated => tonic::Code::Unauthenticated,
            Self::PermissionDenied => tonic::Code::PermissionDenied,
            Self::ResourceExhausted => tonic::Code::ResourceExhausted,
            Self::Cancelled => tonic::Code::Cancelled,
            Self::DeadlineExceeded => tonic::Code::DeadlineExceeded,
            Self::Unavailable => tonic::Code::Unavailable,
            Self::Internal => tonic::Code::Internal,
        }
    }
}

/// A failure as the caller may see it, with its cause kept for the log.
///
/// ```
/// use selvedge_kit::{Code, Error};
///
/// let error = Error::new(Code::NotFound, "FILM_NOT_FOUND", "there is no film 42");
/// let status = tonic::Status::from(error);
/// assert_eq!(status.code(), tonic::Code::NotFound);
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    reason: &'static str,
    message: Cow<'static, str>,
    violations: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with a `reason` that programs read (`UPPER_SNAKE`) and a message that people do.
    pub fn new(code: Code, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = (code == Code::Unavailable).then_some(Duration::from_secs(1));
        Self(Box::new(Inner {
            code,
            reason,
            message: message.into(),
            violations: vec![],
            retry_after,
            cause: None,
        }))
    }

    /// A field of the request is wrong in a way that its constraints in the proto cannot say.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        let violation = FieldViolation::new(field, description);
        let message = format!("the request is invalid: {} {}", violation.field, violation.description);
        let mut error = Self::new(Code::InvalidArgument, INVALID_REQUEST, message);
        error.0.violations.push(violation);
        error
    }

    /// A failure of ours: the cause is logged, the caller learns nothing of it.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "INTERNAL", "an internal error occurred").because(cause)
    }

    /// Adds what happened inside; it is logged and never sent.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Tells the caller how long to wait before it tries again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The kind of failure.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether it is about what was asked, and not about the circumstances.
    pub(crate) fn blames_the_request(&self) -> bool {
        matches!(
            self.0.code,
            Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::FailedPrecondition
        ) || self.breaks_a_rule_of_the_database()
    }

    /// The same for another caller: the cause is logged once.
    pub(crate) fn without_cause(&self) -> Self {
        let Inner { code, reason, ref message, ref violations, retry_after, .. } = *self.0;
        let (message, violations) = (message.clone(), violations.clone());
        Self(Box::new(Inner { code, reason, message, violations, retry_after, cause: None }))
    }

    /// The reason that programs read.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({}): {}", self.0.code, self.0.reason, self.0.message)?;
        let mut cause: Option<&dyn std::error::Error> = self.0.cause.as_ref().map(|cause| &**cause as _);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| &**cause as _)
    }
}

/// The one place where an error becomes an answer, and so the one place where its cause is logged.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        if error.0.cause.is_some() {
            if error.code() == Code::Internal {
                tracing::error!(reason = error.reason(), %error, "request failed");
            } else {
                tracing::warn!(reason = error.reason(), %error, "request failed");
            }
        }
        let Inner { code, reason, message, violations, retry_after, .. } = *error.0;
        let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, []);
        if !violations.is_empty() {
            details.set_bad_request(violations);
        }
        if retry_after.is_some() {
            details.set_retry_info(retry_after);
        }
        Status::with_error_details(code.grpc(), message, details)
    }
}
