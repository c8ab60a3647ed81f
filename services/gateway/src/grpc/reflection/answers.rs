use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use selvedge_transcode::{File, Schema};
use tonic::Code;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
    ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};

use crate::grpc::health;
use crate::worker::Shared;

/// What the gateway serves itself.
static OWN: LazyLock<Schema> = LazyLock::new(|| {
    Schema::decode(&[
        health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ])
    .expect("descriptors made by a compiler fit together")
});

/// Knows the answers.
pub(super) struct Answers {
    pub(super) shared: Arc<Shared>,
}

impl Answers {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The answer to a question; one that has none is not the end of the stream.
    pub(super) fn answer(&self, asked: ServerReflectionRequest) -> ServerReflectionResponse {
        let answer = match &asked.message_request {
            Some(question) => self.find(question),
            None => Err((Code::InvalidArgument, "there is no question".to_owned())),
        };
        let answer = answer.unwrap_or_else(|(code, error_message)| {
            MessageResponse::ErrorResponse(ErrorResponse { error_code: code as i32, error_message })
        });
        ServerReflectionResponse {
            valid_host: asked.host.clone(),
            original_request: Some(asked),
            message_response: Some(answer),
        }
    }

    fn find(&self, question: &MessageRequest) -> Result<MessageResponse, (Code, String)> {
        let unknown = |what: &str| (Code::NotFound, format!("{what} is not known here"));
        match question {
            MessageRequest::ListServices(_) => Ok(self.services()),
            MessageRequest::FileByFilename(name) => {
                self.file(|schema| schema.file(name)).ok_or_else(|| unknown(name))
            }
            MessageRequest::FileContainingSymbol(name) => {
                self.file(|schema| schema.file_of_symbol(name)).ok_or_else(|| unknown(name))
            }
            MessageRequest::FileContainingExtension(extension) => {
                let (name, number) = (&extension.containing_type, extension.extension_number);
                let of = |schema| extension_file(schema, name, number);
                self.file(of).ok_or_else(|| unknown(&format!("extension {number} of {name}")))
            }
            MessageRequest::AllExtensionNumbersOfType(name) => {
                self.extensions(name).ok_or_else(|| unknown(name))
            }
        }
    }

    fn schemas(&self) -> [&Schema; 2] {
        [&self.shared.schema, &OWN]
    }

    /// Everything that somebody serves.
    fn services(&self) -> MessageResponse {
        let served = |name: &str| self.shared.upstreams.iter().any(|upstream| upstream.serves(name));
        let ours = OWN.services().iter();
        let theirs = self.shared.schema.services().iter().filter(|service| served(&service.name));
        let mut names: Vec<&str> = theirs.chain(ours).map(|service| &*service.name).collect();
        names.sort_unstable();
        names.dedup();
        let service = names.into_iter().map(|name| ServiceResponse { name: name.to_owned() }).collect();
        MessageResponse::ListServicesResponse(ListServiceResponse { service })
    }

    /// A file and all that it imports.
    fn file<'a>(&'a self, find: impl Fn(&'a Schema) -> Option<&'a File>) -> Option<MessageResponse> {
        let (schema, file) = self.schemas().into_iter().find_map(|schema| Some((schema, find(schema)?)))?;
        let mut seen = HashSet::from([&*file.name]);
        let mut files = vec![file];
        let mut next = 0;
        while let Some(file) = files.get(next) {
            next += 1;
            let imports = file.dependencies.iter().filter_map(|name| schema.file(name));
            let new: Vec<_> = imports.filter(|file| seen.insert(&*file.name)).collect();
            files.extend(new);
        }
        let file_descriptor_proto = files.into_iter().map(|file| file.raw.to_vec()).collect();
        Some(MessageResponse::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto }))
    }

    fn extensions(&self, name: &str) -> Option<MessageResponse> {
        let found = self.schemas().into_iter().find_map(|schema| Some(&schema[schema.message(name)?]))?;
        let extensions = found.fields.iter().filter(|field| field.is_extension);
        Some(MessageResponse::AllExtensionNumbersResponse(ExtensionNumberResponse {
            base_type_name: name.to_owned(),
            extension_number: extensions.map(|field| field.number.cast_signed()).collect(),
        }))
    }
}

fn extension_file<'a>(schema: &'a Schema, message: &str, number: i32) -> Option<&'a File> {
    schema.file_of_extension(schema.message(message)?, u32::try_from(number).ok()?)
}
