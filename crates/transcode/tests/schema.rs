//! Descriptors of all syntaxes, linked.

use selvedge_transcode::{Cardinality, Kind, Presence, Schema};

const CONFORMANCE: &[u8] = include_bytes!("../testdata/conformance.binpb");

#[test]
fn the_features_of_an_edition_reach_its_fields() {
    let schema = Schema::decode(&[CONFORMANCE]).expect("protoc's own protos fit together");
    let message = |name: &str| &schema[schema.message(name).expect(name)];

    let edition = message("protobuf_test_messages.editions.TestAllTypesEdition2023");
    let optional = edition.field_named("optional_int32").expect("a field");
    assert_eq!(optional.presence, Presence::Explicit);
    assert!(edition.field_named("delimited_field").is_some_and(|field| field.is_delimited));

    let proto2 = message("protobuf_test_messages.proto2.TestAllTypesProto2");
    let group = proto2.field_named("data").expect("a group");
    assert!(group.is_delimited);
    assert!(proto2.fields.iter().any(|field| field.is_extension && field.name.starts_with('[')));
    assert!(!proto2.field_named("repeated_int32").is_some_and(|field| field.is_packed));

    let proto3 = message("protobuf_test_messages.proto3.TestAllTypesProto3");
    assert_eq!(proto3.field_named("optional_int32").map(|field| field.presence), Some(Presence::Implicit));
    assert!(proto3.field_named("repeated_int32").is_some_and(|field| field.is_packed));
    let map = proto3.field_named("mapStringNestedMessage").expect("by its JSON name");
    assert_eq!(map.cardinality, Cardinality::Map);
    let Kind::Message(entry) = map.kind else { panic!("the entries of a map are messages") };
    assert!(schema[entry].is_map_entry);
    let oneof = &proto3.oneofs[0];
    assert!(oneof.fields.iter().all(|&field| proto3.fields[field].oneof == Some(0)));
}
