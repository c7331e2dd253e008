//! Products as the production interface points list them.

maas_model::view! {
    /// A raw product of a production interface point.
    pub struct PripProduct("PripProduct") {
        product_id: text,
        product_name: text,
        content_length: long,
        publication_date: date,
        start_date: date,
        end_date: date,
        interface_name: text,
        production_service_type: text,
        production_service_name: text,
        eviction_date: date,
        origin_date: date,
    }
}
