//! Input that is broken, or that means harm.

#[path = "support/make.rs"]
#[expect(dead_code, reason = "each test needs another part")]
mod make;

use make::{EDITION, Make, PROTO2, PROTO3, Writer, bytes, int};
use selvedge_transcode::Options;

#[test]
fn what_is_cut_off_is_refused() {
    let message = int(1, 300)
        .bytes(14, "text")
        .fixed_64(12, [1; 8])
        .fixed_32(11, [1; 4])
        .bytes(31, [1, 2, 0x80, 1])
        .bytes(18, bytes(2, int(2, 3)))
        .bytes(56, int(1, 300).int(2, 300))
        .bytes(302, int(1, 300))
        .group(5000, &int(1, 1));
    for options in [Options::default(), Options { omit_defaults: true, ..Options::default() }] {
        let writer = Writer::new(PROTO3, &options);
        // Where a field ends, what is there is a message as well, and nowhere else.
        let ends = (0..=message.wire.len()).filter_map(|end| writer.write(&message.wire[..end]).ok());
        let ends = ends.collect::<Vec<_>>();
        assert_eq!(ends.len(), 10);
        for json in ends {
            serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
        }
    }
    Writer::brief(PROTO3).refuses(&[
        (Make::default().raw(&[0x08]), "the message is cut off"),
        (Make::default().raw(&[0x80]), "the message is cut off"),
        (Make::default().raw(&[0x08, 0x80]), "the message is cut off"),
        (Make::default().raw(&[0x72, 5, b'a']), "the message is cut off"),
        (int(1, 1).raw(&[0x00, 0x01]), "a tag is invalid"),
        (int(1, 1).raw(&[0x0e, 0x01]), "a tag is invalid"),
        (int(1, 1).raw(&[0x0c]), "the beginning and the end of a group"),
        (Make::default().raw(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]), "a varint"),
        (bytes(75, [1, 0x80]), "packedInt32[1]: the message is cut off"),
    ]);
}

#[test]
fn depth_is_limited() {
    let nested = |depth| (0..depth).fold(Make::default(), |inner, _| bytes(27, inner));
    let writer = Writer::brief(PROTO3);
    assert!(writer.write(nested(99)).is_ok());
    let error = writer.write(nested(100)).expect_err("it is too deep");
    assert!(error.too_large && error.problem == "values are nested too deeply", "{error}");
    assert!(writer.write(nested(20_000)).is_err());
    let list = (0..20_000).fold(int(4, 1), |inner, _| bytes(6, bytes(1, inner)));
    assert!(Writer::brief("google.protobuf.Value").write(list).is_err());
    let url = "type.googleapis.com/google.protobuf.Any";
    let any = (0..2_000).fold(Make::default(), |inner, _| bytes(1, url).bytes(2, inner));
    assert!(Writer::brief("google.protobuf.Any").write(any).is_err());
    let groups = vec![0x0b; 1_000_000];
    assert!(Writer::brief(PROTO3).write(groups).is_err());
}

#[test]
fn elements_are_counted() {
    let writer = |max_elements| {
        Writer::new(PROTO3, &Options { max_elements, omit_defaults: true, ..Options::default() })
    };
    let message = bytes(31, [1, 2]).bytes(27, bytes(75, [1, 2])).bytes(56, []);
    assert!(writer(5).write(&message).is_ok());
    assert!(writer(4).write(&message).expect_err("one too many").too_large);
    // What was written in vain does not count.
    assert!(writer(5).write(message.int(1, 1)).is_ok());
}

#[test]
fn output_is_limited() {
    let writer =
        |max_output| Writer::new(PROTO3, &Options { max_output, omit_defaults: true, ..Options::default() });
    let message = bytes(14, "x".repeat(1000));
    let json = Writer::brief(PROTO3).write(&message).expect("valid");
    assert_eq!(writer(json.len()).write(&message).as_deref(), Ok(json.as_str()));
    assert!(writer(json.len() - 1).write(&message).expect_err("one too many").too_large);
    assert!(writer(0).write([]).is_err());
    // Two bytes of wire that become thousands of JSON each.
    let bomb = (0..500_000).fold(Make::default(), |all, _| all.bytes(27, []).bytes(48, []));
    let all = Writer::new(PROTO3, &Options { max_output: 1 << 20, ..Options::default() });
    assert!(all.write((0..100_000).fold(Make::default(), |all, _| all.bytes(316, int(1, 0)))).is_ok());
    assert!(all.write(bomb).expect_err("too much").too_large);
}

/// None of these takes long, though a reader that goes over all of it again for each part would take hours.
#[test]
fn work_is_proportional_to_what_came() {
    let many = 100_000;
    let writer = Writer::brief(PROTO3);
    let times = |part: &Make| Make::default().raw(&part.wire.repeat(many));
    // Interleaved lists, then maps with the same keys.
    let lists = times(&int(31, 1).int(32, 2).bytes(44, "x").int(89, 3));
    assert!(writer.write(lists).is_ok());
    let maps = (0..u64::try_from(many).expect("it fits"))
        .fold(Make::default(), |all, at| all.bytes(56, int(1, at % 1000)).bytes(57, int(1, at)));
    assert!(writer.write(maps).is_ok());
    // One message in very many pieces, at several depths.
    let pieces = times(&bytes(27, bytes(27, bytes(27, int(1, 1)))));
    assert_eq!(
        writer.write(pieces).as_deref(),
        Ok(r#"{"recursiveMessage":{"recursiveMessage":{"recursiveMessage":{"optionalInt32":1}}}}"#)
    );
    // Empty groups that nobody knows, side by side and inside of each other.
    assert!(writer.write(times(&Make::default().group(5000, &Make::default()))).is_ok());
    // Out of order at every depth: to try each of them first as if it were in order would double the work each time.
    let disorder = (0..90).fold(Make::default(), |inner, _| bytes(27, inner).int(1, 1));
    assert!(writer.write(disorder).is_ok());
    let twice = (0..90).fold(bytes(14, "x".repeat(1000)), |inner, _| bytes(27, inner).bytes(27, []));
    assert!(writer.write(twice).is_ok());
    // Groups in groups, out of order.
    let deep = (0..90).fold(bytes(44, "x").then(&times(&int(31, 1))), |inner, _| {
        Make::default().group(201, &bytes(14, "x").then(&inner))
    });
    assert!(Writer::brief(PROTO2).write(deep.clone()).is_ok());
    assert!(Writer::brief(EDITION).write(deep).is_ok());
}

/// A message that is disorderly at every depth, with an error that only the outermost takes back.
#[test]
fn errors_inside_of_disorder_are_overcome() {
    let writer = Writer::brief(PROTO3);
    let wrong = bytes(302, int(2, u64::MAX));
    let right = bytes(302, int(2, 0));
    let wrap = |depth, inner: &Make| (0..depth).fold(inner.clone(), |inner, _| bytes(27, inner).int(1, 5));
    for depth in 0..20 {
        let message = wrap(depth, &wrong).then(&wrap(depth, &right)).bytes(14, "x".repeat(depth * 10));
        let expected = wrap(depth, &right).bytes(14, "x".repeat(depth * 10));
        assert_eq!(writer.write(message), writer.write(expected), "{depth}");
        assert!(writer.write(wrap(depth, &wrong).then(&wrap(depth, &int(1, 1)))).is_err(), "{depth}");
    }
}
