//! Product lists of the ESIP.

use std::ops::ControlFlow;

use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::legacy::{old_class, without_settings};
use super::xml::known::{AttributeName, Element, Format, Place};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, RecordSink};

/// Reads the product lists of the ESIP: `productName` and `CADUContent` of every `CADU_Content` of every
/// `Product`, of files of any size.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EsipProductsConfig {}

impl Settings for EsipProductsConfig {
    const NAME: &'static str = "esip_products";
    const EXAMPLE: &'static str = "{}";
}

inventory::submit! { ExtractorPlugin::of::<EsipProductsConfig>(module_path!()) }
inventory::submit! {
    old_class("ProductExtractor", |old| without_settings(old, EsipProductsConfig::NAME))
}

struct EsipProductsExtractor {
    format: Format,
    products: Place,
    name: AttributeName,
    contents: Place,
}

impl ExtractorConfig for EsipProductsConfig {
    fn yields(&self) -> Option<Vec<String>> {
        Some(vec!["productName".into(), "CADUContent".into()])
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut format = Format::default();
        Ok(Box::new(EsipProductsExtractor {
            products: format.place("Products/Product")?,
            name: format.attribute("name")?,
            contents: format.place("CADU_Contents/CADU_Content")?,
            format,
        }))
    }
}

fn record(product: &str, content: Element<'_>, name: &str) -> Source {
    let content = Some(content.text()).filter(|text| !text.is_empty());
    let mut record = Source::new();
    record.insert("productName".into(), product.into());
    record.insert(
        "CADUContent".into(),
        content.map_or(Value::Null, Value::from),
    );
    record.insert("reportName".into(), name.into());
    record
}

impl Extractor for EsipProductsExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        self.format
            .read_each(input, &self.products, &mut |product, origin| {
                for content in product.all(&self.contents) {
                    match product.attribute(&self.name) {
                        Some(name) => sink.record(record(name, content, input.name), origin)?,
                        None => {
                            let field = Some("productName".into());
                            return sink.bad(origin.bad(field, "the product has no `name`"));
                        }
                    }
                }
                ControlFlow::Continue(())
            })
    }
}
