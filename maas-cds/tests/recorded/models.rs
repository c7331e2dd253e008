//! The models that recorded cases need: those of the shipped pipeline, and some that it does not have.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use maas_model::model::{ModelSpec, Models};

/// The top level of a file of models.
#[derive(serde::Deserialize)]
struct File {
    models: BTreeMap<String, ModelSpec>,
}

/// All models, by name.
pub(crate) fn models() -> Models {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [
        root.join("../pipelines/copernicus-prip/model.yaml"),
        root.join("tests/recorded/models.yaml"),
    ];
    files.iter().flat_map(|file| read(file)).collect()
}

/// The models of one file.
pub(crate) fn read(path: &Path) -> Models {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: File =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let build = |(name, spec): (String, ModelSpec)| {
        let model = spec
            .build(&name)
            .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        (name, Arc::new(model))
    };
    file.models.into_iter().map(build).collect()
}

#[test]
fn the_views_of_the_engines_fit_the_shipped_models() {
    use maas_cds::model::{
        CdsDataflow, CdsDatatake, CdsProduct, CdsPublication, Consolidated, PripProduct,
    };
    use maas_model::document::view::mismatches;

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = read(&root.join("../pipelines/copernicus-prip/model.yaml"));
    for (model, fields) in [
        (PripProduct::MODEL, PripProduct::FIELDS),
        (CdsPublication::MODEL, CdsPublication::FIELDS),
        (CdsPublication::MODEL, Consolidated::FIELDS),
        (CdsProduct::MODEL, CdsProduct::FIELDS),
        (CdsProduct::MODEL, Consolidated::FIELDS),
        (CdsDatatake::MODEL, CdsDatatake::FIELDS),
        (CdsDataflow::MODEL, CdsDataflow::FIELDS),
    ] {
        let found = mismatches(fields, &models[model]);
        assert!(found.is_empty(), "{model}: {found:?}");
    }
}
