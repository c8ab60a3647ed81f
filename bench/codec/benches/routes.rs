//! `cargo bench -p selvedge-bench-codec --bench routes`: finding a route among 50 and among 5,000.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};
use selvedge_transcode::{Found, Routes, Schema};

/// The routes of one resource.
const RULES: [(&str, &str); 5] = [
    ("get", "/v1/thingsN"),
    ("get", "/v1/thingsN/{id}"),
    ("post", "/v1/thingsN/{id}:stop"),
    ("get", "/v1/thingsN/{id}/parts/{part}"),
    ("delete", "/v1/{name=thingsN/*/files/**}"),
];

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(if is_bench { 2 } else { 1 }))
        .sample_size(if is_bench { 100 } else { 10 });
    let cases = [
        ("literal", "GET", "/v1/things7", true),
        ("variable", "GET", "/v1/things7/0192d3a4-5b6c-7def-8123-456789abcdef", true),
        ("verb", "POST", "/v1/things7/0192d3a4-5b6c-7def-8123-456789abcdef:stop", true),
        ("two variables", "GET", "/v1/things7/42/parts/a%20b", true),
        ("rest", "DELETE", "/v1/things7/42/files/a/b/c/d", true),
        ("none", "GET", "/v1/nothings/42", false),
        ("not this method", "PUT", "/v1/things7/42", false),
    ];
    for count in [50, 5_000] {
        let routes = routes(count);
        assert_eq!(routes.all().len(), count);
        for (name, method, path, is_found) in cases {
            assert_eq!(matches!(routes.find(method, path), Found::Route(_)), is_found, "{path}");
            criterion.bench_function(&format!("{name}, {count} routes"), |bencher| {
                bencher.iter(|| black_box(routes.find(black_box(method), black_box(path))));
            });
        }
    }
    criterion.final_summary();
}

fn routes(count: usize) -> Routes {
    let mut source = String::from(
        "syntax = 'proto3'; package bench; import 'google/api/annotations.proto';
        message Q { string id = 1; string part = 2; string name = 3; } service S {",
    );
    for index in 0..count {
        let (method, path) = RULES[index % RULES.len()];
        let path = path.replace('N', &(index / RULES.len()).to_string());
        writeln!(
            source,
            "rpc M{index}(Q) returns (Q) {{ option (google.api.http) = {{ {method}: '{path}' }}; }}"
        )
        .expect("a string takes all");
    }
    source.push('}');
    let mut resolver = ChainFileResolver::new();
    resolver.add(Inline(source));
    resolver.add(GoogleFileResolver::new());
    resolver.add(IncludeFileResolver::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto").into()));
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file("bench.proto").expect("it is a proto");
    let schema = Schema::decode(&[&compiler.encode_file_descriptor_set()]).expect("it fits together");
    Routes::new(&schema).expect("the rules can be served")
}

struct Inline(String);

impl FileResolver for Inline {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == "bench.proto" {
            File::from_source(name, &self.0)
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}
