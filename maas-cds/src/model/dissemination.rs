//! The services that hand products to users, and the fields that a product has for each.

use serde::Deserialize;

/// The fields of a product that belong to one dissemination service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisseminationService {
    /// Model of the raw products collected from the service.
    pub raw_data_model: String,
    /// When the service published the product.
    pub publication_date: String,
    /// Microseconds from the publication at the production interface to that of the service.
    pub from_prip_timeliness: String,
    /// The product's name at the service.
    pub product_name: String,
    /// Id of the container that holds the product.
    pub container_id: String,
    /// Name of the container that holds the product.
    pub container_name: String,
}
