//! What a transcoder may be told to do otherwise.

/// How messages look in JSON, what is let through, and how large things may be.
///
/// ```
/// use selvedge_transcode::Options;
///
/// let compact = Options { omit_defaults: true, ..Options::default() };
/// assert!(!compact.ignore_unknown_fields, "strict by default");
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Write enums as their numbers.
    pub enums_as_numbers: bool,
    /// Write the names of fields as the proto has them.
    pub proto_names: bool,
    /// Leave out fields without presence that are zero, empty lists and empty maps.
    pub omit_defaults: bool,
    /// Write 64-bit integers as numbers, which JavaScript reads with a loss above 2^53.
    pub numbers_for_64_bit: bool,
    /// Write JSON for people.
    pub pretty: bool,
    /// Pass over fields that the message does not have.
    pub ignore_unknown_fields: bool,
    /// Pass over query parameters that the request does not have.
    pub ignore_unknown_parameters: bool,
    /// Pass over names that an enum does not have.
    pub ignore_unknown_enum_names: bool,
    /// Let the last of two equal keys win.
    pub allow_duplicate_keys: bool,
    /// Pass over a body where the rule has none.
    pub ignore_unexpected_body: bool,
    /// Pass over text that follows a JSON value.
    pub ignore_trailing_text: bool,
    /// Messages, lists and values inside each other, at most.
    pub max_depth: u32,
    /// Elements of lists and maps in one message with all that is in it, at most.
    pub max_elements: u32,
    /// Bytes of a result, at most.
    pub max_output: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            enums_as_numbers: false,
            proto_names: false,
            omit_defaults: false,
            numbers_for_64_bit: false,
            pretty: false,
            ignore_unknown_fields: false,
            ignore_unknown_parameters: false,
            ignore_unknown_enum_names: false,
            allow_duplicate_keys: false,
            ignore_unexpected_body: false,
            ignore_trailing_text: false,
            max_depth: 100,
            max_elements: 1_000_000,
            max_output: 64 << 20,
        }
    }
}
