//! Opens the store, the bus and the pipeline that a command works with.

use std::sync::Arc;

use anyhow::{Context, bail};
use maas_model::message::{BusOptions, MessageBus};
use maas_model::pipeline::{Interface, LoadError, Pipeline};
use maas_model::store::{ClientCertificate, DocumentStore, OpenSearchOptions};

use super::options::{Connection, PipelineOption};
use super::source::PipelineSource;

impl Connection {
    /// The store, without retries: a command of a person says at once what is wrong.
    pub(crate) fn open_store(&self) -> anyhow::Result<Arc<dyn DocumentStore>> {
        let mut options = OpenSearchOptions::default();
        options.certificate_authorities.clone_from(&self.ca_file);
        let files = self.client_cert_file.clone();
        let files = files.zip(self.client_key_file.clone());
        options.client_certificate =
            files.map(|(certificate, key)| ClientCertificate { certificate, key });
        maas_model::store::open(&self.store, &self.data_dir, options)
            .with_context(|| format!("cannot open the store `{}`", self.store))
    }

    /// The bus.
    pub(crate) fn open_bus(&self) -> anyhow::Result<Arc<dyn MessageBus>> {
        let options = BusOptions {
            ca_file: self.ca_file.clone(),
            client_cert_file: self.client_cert_file.clone(),
            client_key_file: self.client_key_file.clone(),
        };
        maas_model::message::open(&self.bus, &self.data_dir, &options)
            .with_context(|| format!("cannot open the bus `{}`", self.bus))
    }
}

/// Loads a pipeline with the variables of the environment; warnings go to the log.
pub(crate) fn load(source: &PipelineSource) -> Result<Pipeline, LoadError> {
    let (pipeline, warnings) = source.load()?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(pipeline)
}

/// The interface of this name.
pub(crate) fn interface<'a>(pipeline: &'a Pipeline, name: &str) -> anyhow::Result<&'a Interface> {
    if let Some(found) = pipeline
        .interfaces
        .iter()
        .find(|interface| interface.name == name)
    {
        return Ok(found);
    }
    let known: Vec<&str> = pipeline
        .interfaces
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    bail!(
        "the pipeline has no interface `{name}`; it has {}",
        known.join(", ")
    );
}

impl PipelineOption {
    /// What the pipeline is read from, when one is named.
    pub(crate) fn source(&self, connection: &Connection) -> Option<PipelineSource> {
        PipelineSource::named(self.pipeline.as_deref(), connection)
    }

    /// The pipeline, when one is named.
    pub(crate) fn load(&self, connection: &Connection) -> anyhow::Result<Option<Pipeline>> {
        Ok(self.source(connection).as_ref().map(load).transpose()?)
    }

    /// Tells the bus the names of the pipeline's queues; nothing is made. `named`: the command asks for one
    /// queue by its whole name, so that also a broker can do without.
    pub(crate) fn tell_names(
        &self,
        bus: &dyn MessageBus,
        connection: &Connection,
        named: bool,
    ) -> anyhow::Result<()> {
        match self.load(connection)? {
            Some(pipeline) => bus.know(&pipeline.topology()),
            None if named || connection.bus.lists_queues() => {}
            None => bail!(
                "a broker does not tell which queues it has: name the pipeline whose queues are meant \
                 with `--pipeline PIPELINE` or `MAAS_PIPELINE`"
            ),
        }
        Ok(())
    }

    /// The pipeline, which this command cannot do without.
    pub(crate) fn require(&self, connection: &Connection) -> anyhow::Result<Pipeline> {
        let pipeline = self.load(connection)?;
        pipeline.context(
            "name the pipeline with `--pipeline FILE` or `MAAS_PIPELINE`, or with `--legacy DIR`",
        )
    }
}
