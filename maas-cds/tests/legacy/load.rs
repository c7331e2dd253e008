//! Everything of the original is read, and what is odd about it is told.

use std::collections::BTreeMap;

use maas_model::pipeline::{Pipeline, Severity};

use super::original;

#[test]
fn everything_loads() {
    let Some(folder) = original::folder() else {
        return;
    };
    let loaded = Pipeline::load_legacy(&[folder], &|_| None);
    let (pipeline, warnings) = loaded.unwrap_or_else(|error| panic!("{error}"));
    let queues: usize = pipeline.pools.iter().map(|pool| pool.queues.len()).sum();
    let mut missing: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let uses = pipeline.missing();
    for used in &uses {
        *missing.entry((used.kind, &used.plugin.name)).or_default() += 1;
    }
    println!(
        "{} interfaces, {} models, {} pools with {queues} queues, {} warnings, missing {missing:?}",
        pipeline.interfaces.len(),
        pipeline.models.len(),
        pipeline.pools.len(),
        warnings.len(),
    );
    // 76 entries, of which one file is disabled and one is there twice.
    assert_eq!(pipeline.interfaces.len(), 74);
    // 57 templates, and the classes of single missions.
    assert_eq!(pipeline.models.len(), 64);
    assert_eq!(queues, 55);
    assert!(
        warnings
            .iter()
            .all(|one| one.severity == Severity::Warning && one.line > 0)
    );
    assert!(
        warnings
            .iter()
            .all(|one| one.hint.as_ref().is_some_and(|hint| !hint.is_empty()))
    );
    let pool = |name: &str| {
        pipeline
            .pools
            .iter()
            .find(|pool| pool.name == name)
            .unwrap()
    };
    for (name, queues) in [
        ("raw-only-prip", 1),
        ("raw-only-lta", 1),
        ("raw-only-dd", 2),
        ("cds-only-completeness-s3", 2),
        ("cds-only-completeness-s5", 2),
    ] {
        assert_eq!(pool(name).queues.len(), queues, "{name}");
    }
}

/// What is known to be odd in the original's files, by file and line.
#[test]
fn what_is_odd_is_told() {
    let Some(folder) = original::folder() else {
        return;
    };
    let (_, warnings) = Pipeline::load_legacy(&[folder], &|_| None).unwrap();
    for (file, line, fragment) in [
        ("raw-only-other.json", 85, "`collect-` is meant"),
        ("cds-engine-conf.json", 77, "takes from another exchange"),
        ("cds-only-other.json", 196, "runs other engines or settings"),
        (
            "cds-engine-conf.json",
            700,
            "`completeness_tolerance` of `COMPUTE_S3_COMPLETENESS`",
        ),
        (
            "default.json",
            40,
            "`CONSOLIDATE_DATATAKE`, which no queue runs",
        ),
        ("logging.json", 3, "has no effect"),
        (
            "maas-collector-amqp-settings-odata.json",
            6,
            "`new.raw.data.new-prip-product`",
        ),
        (
            "maas-collector-amqp-settings-ftp.json",
            3,
            "`file.raw.data.mp-product`",
        ),
        (
            "maas-collector-rosftp-ddp-s5p-dlr.json",
            15,
            "has no setting `depth`",
        ),
        (
            "maas-collector-odata-auxip-exprivia.json",
            144,
            "`AUXIP` stands in",
        ),
        (
            "maas-collector-ftp-aps-per-pass-ins.json",
            18,
            "`expected_collect_interval` has no effect",
        ),
        (
            "maas-collector-conf-cdse-deletion.json",
            3,
            "without `class`",
        ),
        (
            "maas-collector-conf-cams-cloud.json",
            34,
            "`reportName` always becomes",
        ),
        (
            "maas-collector-odata-last-prip-s1a.json",
            27,
            "`modification_date`",
        ),
        (
            "raw-data-model-generated-ddp-data-available.json",
            44,
            "partitioned otherwise",
        ),
        (
            "maas-config-completeness_template.json",
            38,
            "a partition format without a field",
        ),
        ("raw-data-aps-file_template.json", 6, "other indices too"),
    ] {
        let found = warnings.iter().any(|warning| {
            let name = warning.file.rsplit('/').next();
            name == Some(file) && warning.line == line && warning.message.contains(fragment)
        });
        let of_file: Vec<_> = warnings
            .iter()
            .filter(|one| one.file.ends_with(file))
            .collect();
        assert!(found, "{file}:{line}: {fragment}: {of_file:#?}");
    }
}
