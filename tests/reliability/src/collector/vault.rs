//! `vault`: a source with secrets of every form, used as carelessly as a plugin may.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use async_trait::async_trait;
use maas_collector::collect::{
    CollectError, Collector, CollectorConfig, CollectorContext, CollectorPlugin, ItemOutcome,
    RawItem,
};
use maas_model::plugin::{SettingError, Settings};
use maas_model::secret::{ExposeSecret, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// Gives one file with these lines, after it has looked at all its secrets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VaultConfig {
    /// The lines of the file.
    lines: Vec<String>,
    /// The account and parameters of a server, in one address.
    #[serde(default)]
    url: String,
    /// A password.
    password: Option<Secret>,
    /// Another secret.
    token: Option<Secret>,
    /// Further ones, by name.
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    /// What is done with the secrets.
    #[serde(default)]
    manners: Manners,
}

/// How secrets are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Manners {
    /// They are used.
    #[default]
    Good,
    /// They are logged, and stand in the error that ends the collection.
    Careless,
    /// They stand in a panic.
    Panic,
}

impl Settings for VaultConfig {
    const NAME: &'static str = "vault";
    const EXAMPLE: &'static str = "{ lines: ['id', '1'], password: { env: VAULT_PASSWORD } }";
}

impl CollectorConfig for VaultConfig {
    fn build(self, cx: CollectorContext) -> Result<Box<dyn Collector>, Vec<SettingError>> {
        Ok(Box::new(Vault {
            config: self,
            base: cx.base,
            file: None,
            given: false,
        }))
    }
}

inventory::submit! { CollectorPlugin::of::<VaultConfig>(module_path!()) }

struct Vault {
    config: VaultConfig,
    base: PathBuf,
    file: Option<NamedTempFile>,
    given: bool,
}

impl Vault {
    /// All secrets, as a server would be sent them.
    fn request(&self) -> Result<String, CollectError> {
        let config = &self.config;
        let secrets = config.password.iter().chain(&config.token);
        let mut request = config.url.clone();
        for secret in secrets.chain(config.headers.values()) {
            let revealed = secret.reveal(&self.base);
            let revealed = revealed.map_err(|error| refused(error.to_string()))?;
            request.push(' ');
            request.push_str(revealed.expose_secret());
        }
        Ok(request)
    }

    #[allow(clippy::panic)] // What it is for.
    fn behave(&self, request: &str) -> Result<(), CollectError> {
        match self.config.manners {
            Manners::Good => Ok(()),
            Manners::Careless => {
                tracing::warn!(request, "sent");
                tracing::warn!(bytes = ?request.as_bytes(), "sent");
                Err(refused(format!("{request:?} was refused")))
            }
            Manners::Panic => panic!("nobody answers {request}"),
        }
    }
}

fn refused(reason: String) -> CollectError {
    CollectError::Refused {
        place: "the vault".to_owned(),
        reason,
    }
}

#[async_trait]
impl Collector for Vault {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        if self.given {
            return Ok(None);
        }
        tracing::debug!(config = ?self.config, "opens");
        let request = self.request()?;
        self.behave(&request)?;
        let written = NamedTempFile::new().and_then(|mut file| {
            file.write_all(self.config.lines.join("\n").as_bytes())?;
            Ok(file)
        });
        let file = written.map_err(|error| refused(error.to_string()))?;
        let item = RawItem {
            key: "vault".to_owned(),
            name: "vault.csv".to_owned(),
            folder: None,
            path: file.path().to_path_buf(),
        };
        (self.file, self.given) = (Some(file), true);
        Ok(Some(item))
    }

    async fn settle(&mut self, _item: RawItem, _outcome: ItemOutcome) -> Result<(), CollectError> {
        self.file = None;
        Ok(())
    }
}
