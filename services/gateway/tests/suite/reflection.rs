//! One reflection service for all that is behind the gateway.

use std::collections::HashMap;

use prost::Message;
use prost_types::FileDescriptorProto;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ExtensionRequest, ServerReflectionRequest};
use tonic_reflection::pb::v1alpha;

use crate::gateway::{channel, our_services, start};

/// A `FileDescriptorSet` whose files are left as they are.
#[derive(Clone, PartialEq, Message)]
struct RawSet {
    #[prost(bytes = "vec", repeated, tag = "1")]
    files: Vec<Vec<u8>>,
}

/// The files as the build made them, by name.
fn originals() -> HashMap<String, Vec<u8>> {
    let set = RawSet::decode(selvedge_proto::FILE_DESCRIPTOR_SET).unwrap();
    let named = |raw: Vec<u8>| (FileDescriptorProto::decode(&*raw).unwrap().name().to_owned(), raw);
    set.files.into_iter().map(named).collect()
}

async fn ask(address: std::net::SocketAddr, questions: Vec<MessageRequest>) -> Vec<MessageResponse> {
    let requests = questions
        .into_iter()
        .map(|question| ServerReflectionRequest { host: "me".into(), message_request: Some(question) });
    let mut client = ServerReflectionClient::new(channel(address));
    let requests = futures::stream::iter(requests.collect::<Vec<_>>());
    let mut answers = client.server_reflection_info(requests).await.unwrap().into_inner();
    let mut all = vec![];
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.valid_host, "me");
        assert!(answer.original_request.is_some());
        all.push(answer.message_response.unwrap());
    }
    all
}

fn files(answer: &MessageResponse) -> Vec<Vec<u8>> {
    match answer {
        MessageResponse::FileDescriptorResponse(files) => files.file_descriptor_proto.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_come_as_they_were_compiled_with_all_their_imports() {
    let gateway = start(&[]).await;
    let symbols = [
        "selvedge.contacts.v1.SubmissionService",
        "selvedge.contacts.v1.SubmissionService.GetSubmission",
        "selvedge.contacts.v1.Submission",
        "selvedge.contacts.v1.Submission.id",
    ];
    let questions = symbols.map(|symbol| MessageRequest::FileContainingSymbol(symbol.to_owned()));
    let originals = originals();
    for answer in ask(gateway.address, questions.to_vec()).await {
        let files = files(&answer);
        let mut names = vec![];
        for raw in &files {
            let name = FileDescriptorProto::decode(&**raw).unwrap().name().to_owned();
            // Not a byte is lost: the custom options are in there.
            assert!(originals[&name] == *raw, "{name}");
            names.push(name);
        }
        assert_eq!(names[0], "selvedge/contacts/v1/submissions.proto");
        for raw in &files {
            for import in FileDescriptorProto::decode(&**raw).unwrap().dependency {
                assert!(names.contains(&import), "{import}");
            }
        }
        assert!(names.contains(&"google/api/http.proto".to_owned()), "{names:?}");
    }
}

#[tokio::test]
async fn extensions_and_files_are_found() {
    let gateway = start(&[]).await;
    let http = ExtensionRequest {
        containing_type: "google.protobuf.MethodOptions".into(),
        extension_number: 72_295_728,
    };
    let none =
        ExtensionRequest { containing_type: "google.protobuf.MethodOptions".into(), extension_number: 1 };
    let answers = ask(
        gateway.address,
        vec![
            MessageRequest::FileContainingExtension(http),
            MessageRequest::AllExtensionNumbersOfType("google.protobuf.MethodOptions".into()),
            MessageRequest::FileByFilename("grpc/health/v1/health.proto".into()),
            MessageRequest::FileContainingSymbol("grpc.health.v1.Health".into()),
            MessageRequest::FileContainingExtension(none),
            MessageRequest::FileByFilename("no.proto".into()),
            MessageRequest::FileContainingSymbol("no.Symbol".into()),
        ],
    )
    .await;
    let name =
        |answer: &MessageResponse| FileDescriptorProto::decode(&*files(answer)[0]).unwrap().name().to_owned();
    assert_eq!(name(&answers[0]), "google/api/annotations.proto");
    let MessageResponse::AllExtensionNumbersResponse(numbers) = &answers[1] else {
        panic!("{:?}", answers[1])
    };
    assert!(numbers.extension_number.contains(&72_295_728), "{numbers:?}");
    // By whatever name that file was compiled.
    assert!(name(&answers[3]).ends_with("health.proto"));
    // A question without an answer is not the end of the conversation.
    for answer in &answers[4..] {
        assert!(
            matches!(answer, MessageResponse::ErrorResponse(error) if error.error_code == 5),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn what_is_served_is_listed_in_both_versions() {
    let gateway = start(&[]).await;
    let answers = ask(gateway.address, vec![MessageRequest::ListServices(String::new())]).await;
    let MessageResponse::ListServicesResponse(list) = &answers[0] else { panic!("{answers:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    let own = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    let ours = our_services();
    assert_eq!(names, own.into_iter().chain(ours.iter().map(String::as_str)).collect::<Vec<_>>());

    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(channel(gateway.address));
    let question = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut answers =
        old.server_reflection_info(futures::stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(list.service.len(), names.len());
}
