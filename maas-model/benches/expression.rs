//! How long one evaluation takes, for the shapes that configurations are made of: less than a microsecond.
#![allow(clippy::unwrap_used)] // Nothing to bench when an example is wrong.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use maas_model::expression::Expression;
use serde_json::{Value, json};

/// Name, lambda, value.
fn shapes() -> Vec<(&'static str, &'static str, Value)> {
    let product = json!({
        "Name": "S2A_OPER_MSI_L1C_DS_2APS_20240330T131506_S20240330T120320_N05.12.tar",
        "GeoFootprint": { "type": "Point", "coordinates": [-11.62, -15.284] },
    });
    let guard = "lambda a: isinstance(a, (int, float)) and a or (isinstance(a, str)) and len(a) \
                 and a[0].isdigit() and a.replace(',', '.').replace(' ', '') or 0";
    let item = "lambda c: c['GeoFootprint'] if c['Name'][9:19] == 'MSI_L1C_DS' else None";
    let field = "lambda c: [x['value'] for x in c['f']] if c['f'] is not None else ['CDSE']";
    let orbit = "lambda r: None if r.get('Orbit') is None else str(r.get('Orbit'))";
    vec![
        ("constant", "lambda c: 'PRIP'", json!("x")),
        ("number guard, text", guard, json!("1 234,5")),
        ("number guard, number", guard, json!(7.5)),
        (
            "concatenation",
            "lambda s: s[0] + s[-2:]",
            json!("SENTINEL-2A"),
        ),
        ("slice", "lambda s: s[4:]", json!("SENTINEL-2A")),
        ("type call", "lambda s: str(int(s))", json!(36102.0)),
        (
            "replace",
            "lambda s: s.replace('_', '')",
            json!("2024_03_30"),
        ),
        ("get or null", orbit, json!({ "Orbit": 36102 })),
        (
            "first of two",
            "lambda r: r.get('ID') or r.get('B')",
            json!({ "ID": "", "B": "x" }),
        ),
        (
            "split",
            "lambda x: x.split(';') if ';' in x else x.split()",
            json!("a;b;c"),
        ),
        ("item of an item", item, product),
        (
            "comprehension",
            field,
            json!({ "f": [{ "value": "a" }, { "value": "b" }] }),
        ),
        (
            "date",
            "lambda x: datetime.datetime.strptime(x, '%Y%m%dT%H%M%S')",
            json!("20240124T051505"),
        ),
    ]
}

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("expression");
    group.sample_size(20);
    group.warm_up_time(std::time::Duration::from_millis(200));
    group.measurement_time(std::time::Duration::from_millis(500));
    for (name, text, value) in shapes() {
        let (_, expression) = Expression::from_lambda(text).unwrap();
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| expression.eval_one(black_box(&value)).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, evaluation);
criterion_main!(benches);
