//! What a syntax or an edition means for fields and enums, and how it is overridden from file to field.

use crate::descriptor::{FeatureSet, FileDescriptorProto};

/// The features at a place of a file, all of them decided.
#[derive(Clone, Copy)]
pub(super) struct Features {
    pub(super) implicit_presence: bool,
    pub(super) legacy_required: bool,
    pub(super) closed_enums: bool,
    pub(super) packed: bool,
    pub(super) verify_utf8: bool,
    pub(super) delimited: bool,
}

impl Features {
    /// Those of a file.
    pub(super) fn of_file(file: &FileDescriptorProto) -> Result<Self, String> {
        let edition = match file.syntax.as_str() {
            "" | "proto2" => Self::PROTO2,
            "proto3" => Self::PROTO3,
            "editions" => match file.edition {
                EDITION_PROTO2 => Self::PROTO2,
                EDITION_PROTO3 => Self::PROTO3,
                EDITION_2023 | EDITION_2024 => Self::EDITION,
                other => return Err(format!("edition {other} is not known")),
            },
            other => return Err(format!("syntax `{other}` is not known")),
        };
        Ok(edition.with(file.options.as_ref().and_then(|options| options.features.as_ref())))
    }

    const PROTO2: Self = Self {
        implicit_presence: false,
        legacy_required: false,
        closed_enums: true,
        packed: false,
        verify_utf8: false,
        delimited: false,
    };
    const PROTO3: Self = Self { implicit_presence: true, ..Self::EDITION };
    const EDITION: Self = Self { closed_enums: false, packed: true, verify_utf8: true, ..Self::PROTO2 };

    /// With what an inner place says of its own.
    pub(super) fn with(mut self, own: Option<&FeatureSet>) -> Self {
        let Some(own) = own else { return self };
        if let Some(presence) = own.field_presence {
            self.implicit_presence = presence == 2;
            self.legacy_required = presence == 3;
        }
        if let Some(kind) = own.enum_type {
            self.closed_enums = kind == 2;
        }
        if let Some(encoding) = own.repeated_field_encoding {
            self.packed = encoding == 1;
        }
        if let Some(validation) = own.utf8_validation {
            self.verify_utf8 = validation == 2;
        }
        if let Some(encoding) = own.message_encoding {
            self.delimited = encoding == 2;
        }
        self
    }
}

const EDITION_PROTO2: i32 = 998;
const EDITION_PROTO3: i32 = 999;
const EDITION_2023: i32 = 1000;
const EDITION_2024: i32 = 1001;
