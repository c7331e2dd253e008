//! What publications and products have in common.

maas_model::view! {
    /// A publication or a product. A raw product has the fields of its listing under the same names.
    pub struct Consolidated("CdsProduct") {
        key: text,
        name: text,
        mission: text,
        satellite_unit: text,
        site_center: text,
        sensing_start_date: date,
        sensing_end_date: date,
        sensing_duration: long,
        content_length: long,
        datatake_id: text,
        absolute_orbit: text,
        instrument_mode: text,
        product_level: text,
        product_class: text,
        product_type: text,
        polarization: text,
        collection_number: text,
        processor_version: text,
        timeliness: text,
        product_group_id: text,
        datastrip_id: text,
        quality_status: text,
        cloud_cover: double,
    }
}
