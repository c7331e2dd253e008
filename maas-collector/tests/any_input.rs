//! Any bytes, any old settings: an extractor gives records or tells what is wrong, and never more than the
//! bytes can hold.

// A test ends at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::ops::ControlFlow;

use maas_collector::extract::legacy::translate;
use maas_collector::extract::{BadRecord, Extractor, ExtractorPlugin, Input, Origin, RecordSink};
use maas_model::document::Source;
use maas_model::plugin::legacy_names;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What files are made of, so that some get beyond their first byte.
const WORDS: [&str; 48] = [
    "<a>",
    "</a>",
    "<a",
    "/>",
    "<b/>",
    " x='1'",
    "<list>",
    "</list>",
    "<item id=\"1\">",
    "</item>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE a [<!ENTITY e '&e;&f;'>]>",
    "&e;",
    "&amp;",
    "&#0;",
    "&",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    " xmlns='u'",
    "<p:a>",
    "<Products>",
    "<Product name='n'>",
    "<ISP_Status>",
    "<Gaps>",
    "<Gap><PreSensTime>22-MAR-2020 17:34:05.072183</PreSensTime>",
    "{",
    "}",
    "[",
    "]",
    "\"value\":",
    "\"Id\"",
    ":",
    ",",
    "1e999",
    "null",
    "\\u0000",
    "\r",
    "\n",
    ";",
    "\"",
    "'",
    "PK\x03\x04",
    "\u{feff}",
    "\0",
    "é",
    "2024-01-24T05:15:05Z",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        6 => prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

/// Seeds are not kept: a finding becomes a test of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// Every extractor, with the settings of its example.
fn extractors() -> Vec<(&'static str, Box<dyn Extractor>)> {
    let built = ExtractorPlugin::all().map(|plugin| {
        let settings: Value = serde_yaml::from_str(plugin.info().example).unwrap();
        (plugin.info().name, plugin.build(&settings).unwrap())
    });
    built.collect()
}

/// Counts what it is given.
struct Count(usize);

impl RecordSink for Count {
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        assert!(record.contains_key("reportName"));
        self.bad(origin.bad(None, ""))
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        assert!(!bad.place.is_empty() && bad.raw.len() <= 3 * BadRecord::LONGEST);
        self.0 += 1;
        ControlFlow::Continue(())
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let extractors = extractors();
    proptest!(cases(400), |(bytes in bytes())| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        for (name, extractor) in &extractors {
            let mut count = Count(0);
            let input = Input { path: file.path(), name: "in", folder: Some("/NOMINAL/S1A") };
            if let Err(error) = extractor.extract(&input, &mut count) {
                prop_assert!(!error.place.is_empty() && !error.reason.is_empty(), "{}", name);
            }
            prop_assert!(count.0 <= bytes.len() + 1, "{}: {} records", name, count.0);
        }
    });
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "[a-z./\\[\\]@='{}$*`:() |?<>\\\\-]{0,12}".prop_map(Value::from),
        Just(Value::from("lambda x: x['a'][0]")),
        any::<i64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let key = prop::sample::select(vec![
            "a",
            "path",
            "attr",
            "python",
            "type",
            "expression",
            "field",
            "",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

#[test]
fn any_old_settings_are_translated_or_refused() {
    let classes: Vec<&str> = legacy_names("extractor").map(|name| name.class).collect();
    let argument = prop::sample::select(vec![
        "attr_map",
        "converter_map",
        "iterate_nodes",
        "allow_partial",
        "pattern",
        "namespace_map",
        "default_namespace",
        "sheet_id",
        "data_row_offset",
        "autodetect_encoding",
        "unknown",
    ]);
    let arguments = prop::collection::vec((argument, value()), 0..5);
    let class = prop::sample::select(classes);
    proptest!(cases(2000), |(class in class, arguments in arguments)| {
        let arguments: serde_json::Map<String, Value> =
            arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Ok(translation) = translate(&json!({"class": class, "args": arguments})) {
            let plugin = ExtractorPlugin::find(translation.plugin).unwrap();
            let built = plugin.build(&translation.settings);
            prop_assert!(built.is_ok(), "{} {:?}: {:?}", class, translation.settings, built.err());
        }
    });
}
