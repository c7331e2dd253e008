//! Names of products.

use maas_cds::name::{self, Part};
use maas_model::document::zulu;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::cases::{self, Tally};

#[test]
fn names_are_read_as_recorded() {
    let Some(path) = cases::path("product-names.json") else {
        return;
    };
    let all = cases::json(&path);
    let mut tally = Tally::default();
    for case in all.as_array().expect("a list of cases") {
        let name = case["name"].as_str().expect("a name");
        tally.case(name, &differences(name, case));
    }
    tally.finish();
}

fn differences(name: &str, case: &Value) -> Vec<String> {
    let parsed = name::parse(name);
    let mut ours = json!({
        "without_extension": name::without_extension(name),
        "product_id": name::product_id(name),
        "normalized": name::normalized(name),
        "is_container": name::is_container(name),
        "parsed": parsed.as_ref().map_or(Value::Null, |parsed| parts(parsed).into()),
        "failed": parsed.is_err(),
        "warned": parsed.as_ref().is_ok_and(|parsed| !parsed.warnings.is_empty()),
    });
    let mut theirs = case.clone();
    theirs["failed"] = case.get("error").is_some().into();
    theirs["warned"] = case.get("warnings").is_some().into();
    if case.get("publication_names").is_some() {
        let mut spellings = name::spellings(name);
        spellings.sort();
        ours["publication_names"] = json!(spellings);
    }
    let fields = ours.as_object().expect("an object");
    fields
        .iter()
        .filter(|(field, ours)| **ours != theirs[field.as_str()])
        .map(|(field, ours)| format!("{field}: ours {ours}, recorded {}", theirs[field.as_str()]))
        .collect()
}

fn parts(parsed: &name::ParsedName<'_>) -> Map<String, Value> {
    let text = |part: Part<'_>| match part {
        Part::Text(text) => text.into(),
        Part::Date(date) => zulu(date).into(),
    };
    parsed
        .parts()
        .map(|(key, part)| (key.to_owned(), text(part)))
        .collect()
}

/// Starts of real names with anything behind.
fn almost_names() -> impl Strategy<Value = String> {
    let heads = prop_oneof![
        Just("S1A_IW_GRDH_1SDV_20211214T155446_2021"),
        Just("S2A_MSIL1C_20211206T182741_N0301_R127_T11SQS_"),
        Just("S2B_OPER_MSI_L1C_TC_VGS1_20211206T062120_"),
        Just("S2A_OPER_AUX_"),
        Just("S3A_OL_1_EFR____20240405T090000_"),
        Just("S5P_NRTI_L2__AER_LH_20240405T203521_"),
        Just("JRR-CloudMask_"),
        Just("S1_"),
    ];
    (heads, 0usize..50, ".{0,60}").prop_map(|(head, cut, tail)| {
        let head: String = head.chars().take(cut).collect();
        head + &tail
    })
}

proptest! {
    #[test]
    fn any_text_is_taken(name in prop_oneof![any::<String>(), almost_names()]) {
        if let Ok(parsed) = name::parse(&name) {
            prop_assert!(parsed.parts().count() < 48);
        }
        prop_assert!(name.starts_with(name::without_extension(&name)));
        prop_assert_eq!(name::product_id(&name).len(), 32);
        prop_assert_eq!(name::spellings(&name).len(), 28);
        prop_assert!(name::normalized(&name).starts_with(name.as_str()));
        if name::is_container(&name) {
            prop_assert!(name.starts_with("S2"));
        }
    }
}
