use tonic::Status;
use tonic_types::StatusExt as _;

/// The reason that programs read from an error; empty when there is none.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The fields that an error complains about.
pub fn violated(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request().into_iter();
    request.flat_map(|request| request.field_violations).map(|violation| violation.field).collect()
}
