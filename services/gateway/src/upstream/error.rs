use tonic::{Code, Status};

/// Why a call has no answer. What the upstream itself answered, an error included, is [`CallError::Failed`].
#[derive(Clone, Debug)]
pub(crate) enum CallError {
    /// No connection: the request was not sent.
    Unreachable(String),
    /// The upstream said that it did nothing with the request.
    Refused(String),
    /// The connection or the stream broke after the request was sent, for which gRPC has a code.
    Broken(Code, String),
    /// What came back is not gRPC.
    Garbage(String),
    /// The answer is larger than allowed.
    TooLarge(usize),
    /// The upstream answered with an error.
    Failed(Box<Status>),
}

impl CallError {
    /// Whether the upstream may have done what it was asked.
    pub(crate) const fn may_have_run(&self) -> bool {
        !matches!(self, Self::Unreachable(_) | Self::Refused(_))
    }

    /// What a gRPC caller is told. Causes are for our log; an upstream's own words are passed on.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Unreachable(_) => Status::unavailable("the service cannot be reached"),
            Self::Refused(_) => Status::unavailable("the service takes no calls now"),
            Self::Broken(code, _) => Status::new(*code, "the service broke off the call"),
            Self::Garbage(_) => Status::internal("the service answered something that is not gRPC"),
            Self::TooLarge(limit) => {
                Status::resource_exhausted(format!("the answer is larger than {limit} bytes"))
            }
            Self::Failed(status) => Status::clone(status),
        }
    }

    /// What happened, for the log.
    pub(crate) fn cause(&self) -> &str {
        match self {
            Self::Unreachable(cause)
            | Self::Refused(cause)
            | Self::Broken(_, cause)
            | Self::Garbage(cause) => cause,
            Self::TooLarge(_) => "the answer is too large",
            Self::Failed(status) => status.message(),
        }
    }

    /// What an error of HTTP/2 means for the call.
    pub(crate) fn of_http(error: &h2::Error) -> Self {
        let (cause, reason) = (error.to_string(), error.reason());
        if error.is_remote() && (error.is_go_away() || reason == Some(h2::Reason::REFUSED_STREAM)) {
            // A GOAWAY reaches only the calls that the upstream did not begin with.
            Self::Refused(cause)
        } else if error.is_library() && reason.is_some_and(is_protocol_error) {
            Self::Garbage(cause)
        } else if error.is_reset() && error.is_remote() {
            Self::Broken(code_of_reset(reason.unwrap_or(h2::Reason::INTERNAL_ERROR)), cause)
        } else {
            Self::Broken(Code::Unavailable, cause)
        }
    }
}

fn is_protocol_error(reason: h2::Reason) -> bool {
    [
        h2::Reason::PROTOCOL_ERROR,
        h2::Reason::FRAME_SIZE_ERROR,
        h2::Reason::COMPRESSION_ERROR,
        h2::Reason::FLOW_CONTROL_ERROR,
        h2::Reason::STREAM_CLOSED,
    ]
    .contains(&reason)
}

/// The table of the gRPC protocol over HTTP/2.
fn code_of_reset(reason: h2::Reason) -> Code {
    match reason {
        h2::Reason::REFUSED_STREAM => Code::Unavailable,
        h2::Reason::CANCEL => Code::Cancelled,
        h2::Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        h2::Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        _ => Code::Internal,
    }
}
