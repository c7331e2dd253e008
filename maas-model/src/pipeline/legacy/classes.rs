//! The collectors of the Python system: their names here, and the settings they know.

/// A collector of the Python system.
#[derive(Debug)]
pub(super) struct Collector {
    /// The class that `class` names.
    pub(super) class: &'static str,
    /// What it is called here, also as long as no plugin does its work.
    pub(super) plugin: &'static str,
    /// What stands in its messages, where it is not the name here with `Collector` behind it.
    pub(super) sender: Option<&'static str>,
    /// The settings that it has beside those of all.
    keys: &'static [&'static str],
    /// Whether it has those of [`HTTP`] too.
    http: bool,
}

/// Settings of all collectors that have a meaning here. `file_pattern` is a setting of the plugin.
pub(super) const COMMON: [&str; 12] = [
    "class",
    "description",
    "extractor",
    "file_pattern",
    "file_routing_key",
    "id_field",
    "interface_credentials",
    "interface_name",
    "model",
    "no_probe",
    "routing_key",
    "store_meta",
];

/// Settings that nothing obeys, neither here nor there.
pub(super) const DEAD: [&str; 2] = ["expected_collect_interval", "force_update"];

const HTTP: [&str; 23] = [
    "auth_method",
    "auth_timeout",
    "client_id",
    "client_password",
    "client_secret",
    "client_username",
    "credentials",
    "date_attr",
    "disable_insecure_request_warning",
    "end_date_time_offset",
    "grant_type",
    "http_query_params",
    "login_url",
    "max_time_window",
    "oauth_basic_credential",
    "product_url",
    "protocol_version",
    "refresh_interval",
    "scope",
    "timeout",
    "token",
    "token_field_header",
    "token_url",
];

const COLLECTORS: [Collector; 14] = [
    Collector {
        class: "FileCollectorConfiguration",
        plugin: "file",
        sender: None,
        keys: &[],
        http: false,
    },
    Collector {
        class: "FTPCollectorConfiguration",
        plugin: "ftp",
        sender: Some("FTPCollector"),
        keys: &[
            "client_password",
            "client_port",
            "client_username",
            "directories",
            "ftp_hostname",
            "recurse",
            "refresh_interval",
            "timeout",
        ],
        http: false,
    },
    Collector {
        class: "SFTPCollectorConfiguration",
        plugin: "sftp_inbox",
        sender: Some("SFTPCollector"),
        keys: &[],
        http: false,
    },
    Collector {
        class: "ReadOnlySFTPCollectorConfiguration",
        plugin: "sftp",
        sender: Some("ReadOnlySFTPCollector"),
        keys: &[
            "client_keyfile",
            "client_password",
            "client_username",
            "directories",
            "refresh_interval",
            "sftp_hostname",
            "sftp_port",
            "timeout",
        ],
        http: false,
    },
    Collector {
        class: "S3CollectorConfiguration",
        plugin: "s3",
        sender: None,
        keys: &[
            "buckets",
            "refresh_interval",
            "s3_access_key",
            "s3_endpoint_url",
            "s3_initial_timestamp",
            "s3_max_keys",
            "s3_region",
            "s3_secret_key",
            "s3_signature_version",
        ],
        http: false,
    },
    Collector {
        class: "WebDAVCollectorConfiguration",
        plugin: "webdav",
        sender: Some("WebDAVCollector"),
        keys: &["client_url", "depth", "directories"],
        http: true,
    },
    Collector {
        class: "ODataCollectorConfiguration",
        plugin: "odata",
        sender: Some("ODataCollector"),
        keys: &[
            "custom_query_suffix",
            "download_file_pattern",
            "filter_date_v3",
            "filter_date_v4",
            "list_of_files_to_retrieve",
            "list_of_files_to_retrieve_per_query",
            "list_of_files_to_retrieve_query",
            "no_credential",
            "odata_entities",
            "odata_entity_location",
            "odata_product_url",
            "odata_query_filter",
            "odata_query_order_by",
            "odata_start_offset",
            "odata_version",
            "parent_file_pattern",
            "product_per_page",
        ],
        http: true,
    },
    Collector {
        class: "JiraExtendedCollectorConfiguration",
        plugin: "jira",
        sender: Some("JIRAExtendedCollector"),
        keys: &[
            "attachement_prefix",
            "auth_method",
            "end_point",
            "ingest_attachements",
            "jql_query",
            "password",
            "proxy_login",
            "proxy_password",
            "refresh_interval",
            "token",
            "username",
        ],
        http: false,
    },
    Collector {
        class: "LokiCollectorConfiguration",
        plugin: "loki",
        sender: None,
        keys: &["query", "query_limit", "query_prefix"],
        http: true,
    },
    Collector {
        class: "MpipCollectorConfiguration",
        plugin: "mpip",
        sender: None,
        keys: &[
            "actives",
            "download_file_pattern",
            "edrs_creation_date",
            "extensions",
            "fileclasses",
            "file_list_url",
            "filenames",
            "filetypes",
            "ingestion_date",
            "mpip_start_offset",
            "platforms",
            "probe_url",
            "product_per_page",
            "session_ids",
            "versions",
        ],
        http: true,
    },
    Collector {
        class: "WeatherCollectorConfiguration",
        plugin: "weather",
        sender: None,
        keys: &[],
        http: true,
    },
    Collector {
        class: "DiscoswebCollectorConfiguration",
        plugin: "discosweb",
        sender: None,
        keys: &[],
        http: true,
    },
    Collector {
        class: "SimpleHttpCollectorConfiguration",
        plugin: "http",
        sender: Some("SimpleHttpCollector"),
        keys: &[],
        http: true,
    },
    Collector {
        class: "InterfaceMonitorCollectorConfiguration",
        plugin: "monitor",
        sender: Some("InterfaceMonitor"),
        keys: &[
            "extra_http_probes",
            "interfaces",
            "max_retry",
            "refresh_interval",
            "retry_interval",
            "stuck_timeout",
        ],
        http: false,
    },
];

impl Collector {
    pub(super) fn of(class: &str) -> Option<&'static Self> {
        COLLECTORS.iter().find(|collector| collector.class == class)
    }

    pub(super) fn classes() -> impl Iterator<Item = &'static str> {
        COLLECTORS.iter().map(|collector| collector.class)
    }

    /// All settings that an entry of this class may have.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        let http = if self.http { &HTTP[..] } else { &[] };
        COMMON.iter().chain(self.keys).chain(http).copied()
    }
}
