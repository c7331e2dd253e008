use serde_json::json;

use super::*;

fn spec(value: Value) -> ModelSpec {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_whole_model() {
    let model = spec(json!({
        "index": "raw-data-prip-product",
        "partition": {"field": "ingestionTime", "format": "%Y-%m"},
        "raw": true,
        "fields": {
            "product_id": "keyword",
            "footprint": {"type": "geo_shape", "ignore_malformed": true},
            "missing": {"type": "object", "fields": {"name": "keyword"}},
        },
        "settings": {"number_of_shards": 3},
    }))
    .build("PripProduct")
    .unwrap();
    assert_eq!(model.template_name(), "template_raw-data-prip-product");
    assert!(model.declares("reportName") && !model.declares("updateTime"));
    let wanted = json!({
        "aliases": {"raw-data-prip-product": {}},
        "index_patterns": ["raw-data-prip-product-*"],
        "settings": {"index": {"number_of_shards": 3, "number_of_replicas": 1}},
        "mappings": {
            "properties": {
                "product_id": {"type": "keyword"},
                "footprint": {"type": "geo_shape", "ignore_malformed": true},
                "missing": {"type": "object", "properties": {"name": {"type": "keyword"}}},
                "reportName": {"type": "keyword"},
                "reportFolder": {"type": "keyword"},
                "ingestionTime": {"type": "date"},
            },
            "_meta": {"partition_field": "ingestionTime", "partition_format": "%Y-%m"},
        },
    });
    assert_eq!(model.template().to_string(), wanted.to_string());
    assert_eq!(
        model.mapping()["properties"],
        wanted["mappings"]["properties"]
    );
}

#[test]
fn without_partition_the_index_has_the_name_of_the_alias() {
    let model = spec(json!({"index": "conf"})).build("Conf").unwrap();
    assert_eq!(model.template()["index_patterns"], json!(["conf"]));
    assert_eq!(model.template()["aliases"], json!({}));
}

#[test]
fn formats_have_defaults() {
    for (partition, format) in [
        (json!({"field": "d"}), "%Y"),
        (json!({"field": "ingestionTime"}), "%Y"),
        (json!({"field": "k"}), "{k}"),
        (json!({"fields": ["k", "n"]}), "{k}-{n}"),
        (
            json!({"fields": ["k", "d"], "format": "{k}-{d:%Y}"}),
            "{k}-{d:%Y}",
        ),
        (json!({"field": "k", "format": "static"}), "static"),
    ] {
        let model = spec(json!({
            "index": "x",
            "partition": partition,
            "fields": {"d": "date", "k": "keyword", "n": "long"},
        }));
        let partition = model.build("X").unwrap().partition.unwrap();
        assert_eq!(partition.format, format);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_path() {
    for (change, path, message) in [
        (json!({"index": "Upper"}), "index", "upper-case"),
        (
            json!({"fields": {"a": "keywrod"}}),
            "fields.a",
            "unknown type `keywrod`",
        ),
        (
            json!({"fields": {"a": {"type": "dat"}}}),
            "fields.a.type",
            "unknown type `dat`",
        ),
        (
            json!({"fields": {"a": {"type": "long", "fields": {"b": "long"}}}}),
            "fields.a",
            "a `long` has no members",
        ),
        (
            json!({"fields": {"o": {"type": "object", "fields": {"b": "x"}}}}),
            "fields.o.fields.b",
            "unknown type `x`",
        ),
        (
            json!({"partition": {}}),
            "partition",
            "either `field` or `fields`",
        ),
        (
            json!({"partition": {"field": "a", "fields": ["b"]}}),
            "partition",
            "either",
        ),
        (
            json!({"partition": {"field": "a"}}),
            "partition.field",
            "unknown field `a`",
        ),
        (
            json!({"fields": {"a": "boolean"}, "partition": {"fields": ["a"]}}),
            "partition.fields",
            "`a` is a `boolean`",
        ),
        (
            json!({"fields": {"a": "keyword"}, "partition": {"field": "a", "format": "%Y"}}),
            "partition.format",
            "date format",
        ),
        (
            json!({"partition": {"field": "ingestionTime", "format": "%Q"}}),
            "partition.format",
            "`%Q` is no date format",
        ),
        (
            json!({"fields": {"a": "keyword"}, "partition": {"fields": ["a"], "format": "{b}"}}),
            "partition.format",
            "`b` is not among the partition fields",
        ),
        (
            json!({"fields": {"a": "long"}, "partition": {"fields": ["a"], "format": "{a:x}"}}),
            "partition.format",
            "no number format",
        ),
        (
            json!({"partition": {"fields": ["ingestionTime"], "format": "{ingestionTime}"}}),
            "partition.format",
            "wants a format",
        ),
    ] {
        let mut value = json!({"index": "x"});
        for (key, part) in change.as_object().unwrap() {
            value[key] = part.clone();
        }
        let errors = spec(value).build("X").unwrap_err();
        assert_eq!(errors[0].path, path, "{errors:?}");
        assert!(errors[0].message.contains(message), "{errors:?}");
    }
}

#[test]
fn unknown_keys_are_refused() {
    for value in [
        json!({"index": "x", "alias": "y"}),
        json!({"index": "x", "partition": {"feild": "y"}}),
        json!({"index": "x", "fields": {"a": 1}}),
    ] {
        assert!(
            serde_json::from_value::<ModelSpec>(value.clone()).is_err(),
            "{value}"
        );
    }
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let schema = schemars::schema_for!(ModelSpec);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    for (value, valid) in [
        (json!({"index": "x"}), true),
        (
            json!({"index": "x", "fields": {"a": "date", "b": {"type": "object", "fields": {"c": "long"}}}}),
            true,
        ),
        (
            json!({"index": "x", "fields": {"a": {"type": "date", "format": "date_time"}}}),
            true,
        ),
        (json!({"index": "x", "fields": {"a": "keywrod"}}), false),
        (json!({"index": "x", "other": 1}), false),
        (json!({}), false),
    ] {
        assert_eq!(validator.is_valid(&value), valid, "{value}");
    }
}
