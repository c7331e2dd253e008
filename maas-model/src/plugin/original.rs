//! What the Python system has: names under which pipelines may use it, whether or not this program has a
//! plugin for it yet.
//!
//! A pipeline that names one of them is not wrong, it is ahead of the program.

/// Collectors, by their names here.
const COLLECTORS: [&str; 13] = [
    "discosweb",
    "ftp",
    "http",
    "jira",
    "loki",
    "monitor",
    "mpip",
    "odata",
    "s3",
    "sftp",
    "sftp_inbox",
    "weather",
    "webdav",
];

/// Engines, by their ids.
const ENGINES: [&str; 32] = [
    "COMPUTE_CAMS_REFERENCES",
    "COMPUTE_COMPLETENESS",
    "COMPUTE_COMPLETENESS_V2",
    "COMPUTE_CONTAINER_PRODUCTS",
    "COMPUTE_CONTAINER_RELATED",
    "COMPUTE_DATATAKE_RELATED",
    "COMPUTE_HKTM_RELATED",
    "COMPUTE_S3_COMPLETENESS",
    "COMPUTE_S5_COMPLETENESS",
    "CONSOLIDATE_ANOMALY_CORRELATION_FILE",
    "CONSOLIDATE_APS",
    "CONSOLIDATE_APS_EDRS",
    "CONSOLIDATE_APS_SESSION",
    "CONSOLIDATE_DATABUDGET",
    "CONSOLIDATE_DDP_DATA_AVAILABLE",
    "CONSOLIDATE_DD_PRODUCT",
    "CONSOLIDATE_DELETION",
    "CONSOLIDATE_GRAFANA_USAGE",
    "CONSOLIDATE_HKTM_ACQ",
    "CONSOLIDATE_INTERFACE_STATUS",
    "CONSOLIDATE_LTA_PRODUCT",
    "CONSOLIDATE_METRICS_PRODUCT",
    "CONSOLIDATE_MP_FILE",
    "CONSOLIDATE_PRODUCT",
    "CONSOLIDATE_PUBLICATION",
    "CONSOLIDATE_REPLICATE",
    "CONSOLIDATE_S5APS",
    "CONSOLIDATE_SATUNAVAILABILITY",
    "CORRELATE_ACQUISITIONS",
    "MISSING_CONSOLIDATION",
    "QUERY_ENGINE",
    "SINK",
];

/// Whether the Python system has a plugin of this kind under this name.
pub fn is_of_original(kind: &str, name: &str) -> bool {
    match kind {
        "collector" => COLLECTORS.contains(&name),
        "engine" => ENGINES.contains(&name),
        _ => false,
    }
}
