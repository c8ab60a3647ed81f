//! Update requests: what the mask does not name is not checked.

use prost_types::FieldMask;

use crate::broken;
use crate::protos::testing::v1::{Inner, Resource, UpdateResourceRequest};

/// An update whose resource has only its key, and thus breaks every rule of the other fields.
fn update(paths: &[&str]) -> UpdateResourceRequest {
    let labels = [("a".to_owned(), String::new())].into();
    UpdateResourceRequest {
        resource: Some(Resource { key: "k".into(), labels, ..Default::default() }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() }),
        request_id: String::new(),
    }
}

const NAME: &str = "resource.name: must not be empty";
const EMAIL: &str = "resource.email: must be a valid email address";
const INNER: &str = "resource.inner: is required";
const LABEL: &str = "resource.labels[\"a\"]: must not be empty";
const KIND: &str = "resource.kind: is required: one of left, right";

#[test]
fn only_what_the_mask_names_is_checked() {
    assert_eq!(broken(&update(&["name"])), [NAME]);
    assert_eq!(broken(&update(&["email", "name"])), [NAME, EMAIL]);
    assert_eq!(broken(&update(&["inner"])), [INNER]);
    assert_eq!(broken(&update(&["something_else"])), [""; 0]);
    // A name is not a prefix of another one.
    assert_eq!(broken(&update(&["nam", "names", "name_"])), [""; 0]);
}

#[test]
fn a_star_names_everything_and_an_empty_mask_narrows_nothing() {
    let all = [NAME, EMAIL, INNER, LABEL, KIND];
    assert_eq!(broken(&update(&["*"])), all);
    assert_eq!(broken(&update(&["other", "*"])), all);
    assert_eq!(broken(&update(&[])), all);
    assert_eq!(broken(&UpdateResourceRequest { update_mask: None, ..update(&[]) }), all);
}

#[test]
fn the_parents_and_children_of_a_field_name_it() {
    let with_inner = |paths| {
        let mut update = update(paths);
        let inner =
            Inner { list: vec![Inner { name: "x".into(), ..Default::default() }], ..Default::default() };
        update.resource.as_mut().expect("it was just made").inner =
            Some(Inner { inner: Some(inner.into()), ..Default::default() });
        update
    };
    let (outer, inner) =
        ("resource.inner.name: must not be empty", "resource.inner.inner.name: must not be empty");
    assert_eq!(broken(&with_inner(&["inner"])), [outer, inner]);
    assert_eq!(broken(&with_inner(&["inner.name"])), [outer]);
    assert_eq!(broken(&with_inner(&["inner.inner"])), [inner]);
    assert_eq!(broken(&with_inner(&["inner.inner.name"])), [inner]);
    assert_eq!(broken(&with_inner(&["inner.inner.name.deeper"])), [inner]);
    assert_eq!(broken(&with_inner(&["name.inner"])), [NAME]);
    // The field itself is a parent of what is named.
    assert_eq!(broken(&update(&["inner.name"])), [INNER]);
    assert_eq!(broken(&update(&["labels"])), [LABEL]);
    assert_eq!(broken(&update(&["labels.b"])), [LABEL]);
}

#[test]
fn the_members_of_a_oneof_name_it() {
    assert_eq!(broken(&update(&["left"])), [KIND]);
    assert_eq!(broken(&update(&["right"])), [KIND]);
    assert_eq!(broken(&update(&["kind"])), [KIND]);
}

#[test]
fn identifiers_and_etags_are_always_checked() {
    let mut update = update(&["labels.x"]);
    let resource = update.resource.as_mut().expect("it was just made");
    (resource.key, resource.etag) = (String::new(), "12345".into());
    let expected =
        ["resource.key: must not be empty", "resource.etag: must be at most 4 characters long, is 5", LABEL];
    assert_eq!(broken(&update), expected);
}

#[test]
fn a_mask_is_about_the_resource_alone() {
    let request_id = "request_id: must be at most 3 characters long, is 4";
    let wrong = UpdateResourceRequest { request_id: "1234".into(), ..update(&["x"]) };
    assert_eq!(broken(&wrong), [request_id]);
    let without = UpdateResourceRequest { resource: None, ..wrong };
    assert_eq!(broken(&without), ["resource: is required", request_id]);
    assert_eq!(
        broken(&update(&["x", "\0"])),
        ["update_mask.paths[1]: must not contain the character U+0000"]
    );
}
