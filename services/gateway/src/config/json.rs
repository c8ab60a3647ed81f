use clap::Args;
use selvedge_transcode::Options;

/// How messages look in JSON, and what is let through.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "JSON")]
pub struct Json {
    /// Write enums as their numbers
    #[arg(long = "json-enums-as-numbers", env = "SELVEDGE_JSON_ENUMS_AS_NUMBERS")]
    pub enums_as_numbers: bool,
    /// Write the names of fields as the proto has them, `page_token` instead of `pageToken`
    #[arg(long = "json-proto-names", env = "SELVEDGE_JSON_PROTO_NAMES")]
    pub proto_names: bool,
    /// Leave out what is false, zero or empty
    #[arg(long = "json-omit-defaults", env = "SELVEDGE_JSON_OMIT_DEFAULTS")]
    pub omit_defaults: bool,
    /// Write 64-bit integers as numbers, which JavaScript reads with a loss above 2^53
    #[arg(long = "json-numbers-for-64-bit", env = "SELVEDGE_JSON_NUMBERS_FOR_64_BIT")]
    pub numbers_for_64_bit: bool,
    /// Write JSON for people
    #[arg(long = "json-pretty", env = "SELVEDGE_JSON_PRETTY")]
    pub pretty: bool,
    /// Pass over fields that a request does not have
    #[arg(long = "json-ignore-unknown-fields", env = "SELVEDGE_JSON_IGNORE_UNKNOWN_FIELDS")]
    pub ignore_unknown_fields: bool,
    /// Pass over query parameters that a request does not have
    #[arg(long = "json-ignore-unknown-parameters", env = "SELVEDGE_JSON_IGNORE_UNKNOWN_PARAMETERS")]
    pub ignore_unknown_parameters: bool,
    /// Pass over names that an enum does not have
    #[arg(long = "json-ignore-unknown-enum-names", env = "SELVEDGE_JSON_IGNORE_UNKNOWN_ENUM_NAMES")]
    pub ignore_unknown_enum_names: bool,
    /// Let the last of two equal keys win
    #[arg(long = "json-allow-duplicate-keys", env = "SELVEDGE_JSON_ALLOW_DUPLICATE_KEYS")]
    pub allow_duplicate_keys: bool,
    /// Pass over a body where none belongs
    #[arg(long = "json-ignore-unexpected-body", env = "SELVEDGE_JSON_IGNORE_UNEXPECTED_BODY")]
    pub ignore_unexpected_body: bool,
    /// Pass over text that follows a JSON value
    #[arg(long = "json-ignore-trailing-text", env = "SELVEDGE_JSON_IGNORE_TRAILING_TEXT")]
    pub ignore_trailing_text: bool,
}

impl Json {
    /// The same for the transcoder, with the limits that are its own.
    pub(crate) fn options(&self) -> Options {
        Options {
            enums_as_numbers: self.enums_as_numbers,
            proto_names: self.proto_names,
            omit_defaults: self.omit_defaults,
            numbers_for_64_bit: self.numbers_for_64_bit,
            pretty: self.pretty,
            ignore_unknown_fields: self.ignore_unknown_fields,
            ignore_unknown_parameters: self.ignore_unknown_parameters,
            ignore_unknown_enum_names: self.ignore_unknown_enum_names,
            allow_duplicate_keys: self.allow_duplicate_keys,
            ignore_unexpected_body: self.ignore_unexpected_body,
            ignore_trailing_text: self.ignore_trailing_text,
            ..Options::default()
        }
    }
}
