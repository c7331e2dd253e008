//! The parts of a product name.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

/// One part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// A text, as it stands in the name.
    Text(&'a str),
    /// An instant.
    Date(DateTime<Utc>),
}

/// Declares the struct and, from the same list, the access by key.
macro_rules! parts {
    ($($(#[$doc:meta])* $field:ident ($key:literal): $kind:ident,)*) => {
        /// What a product name tells. A part that the name does not have is `None`.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct ParsedName<'a> {
            $($(#[$doc])* pub $field: Option<parts!(@type $kind 'a)>,)*
            /// What was found unreadable and left out.
            pub warnings: Vec<String>,
        }

        impl ParsedName<'_> {
            /// The parts that the name has, under the keys of the original.
            pub fn parts(&self) -> impl Iterator<Item = (&'static str, Part<'_>)> {
                [$(($key, self.$field.as_ref().map(|value| parts!(@part $kind value))),)*]
                    .into_iter()
                    .filter_map(|(key, part)| part.map(|part| (key, part)))
            }
        }
    };
    (@type text $life:lifetime) => { Cow<$life, str> };
    (@type date $life:lifetime) => { DateTime<Utc> };
    (@part text $value:ident) => { Part::Text($value) };
    (@part date $value:ident) => { Part::Date(*$value) };
}

parts! {
    /// `S1`, `S2`, `S3`, `S5`.
    mission ("mission"): text,
    /// `S1A`; `S1_` for what belongs to no single satellite.
    satellite_unit ("satellite_unit"): text,
    /// `IW_GRDH_1S`, `MSI_L1C_TL`.
    product_type ("product_type"): text,
    /// `L0_`, `L1C`, `L__`. What the data flow says of the type goes before it.
    product_level ("product_level"): text,
    /// `IW`.
    instrument_mode ("instrument_mode"): text,
    /// `OL`.
    instrument ("instrument"): text,
    /// `GRD`.
    kind ("type"): text,
    /// `H`.
    resolution_class ("resolution_class"): text,
    /// `S`.
    product_class ("product_class"): text,
    /// `DV`.
    polarization ("polarization"): text,
    /// When sensing began (Sentinel-1).
    start_date ("start_date"): date,
    /// When sensing ended (Sentinel-1).
    stop_date ("stop_date"): date,
    /// With its leading zeros.
    absolute_orbit_number ("absolute_orbit_number"): text,
    /// `04E753` (Sentinel-1, hexadecimal), `S3A-079-339`, `S5P-23146`.
    datatake_id ("datatake_id"): text,
    /// `D00D`.
    product_unique_id ("product_unique_id"): text,
    /// `OPER`.
    file_class ("file_class"): text,
    /// `MSI_`, `AUX_`, `GIP_`, `PRD_`.
    file_category ("file_category"): text,
    /// `VGS4`.
    site_center ("site_center"): text,
    /// When the file was made (Sentinel-2).
    creation_date ("creation_date"): date,
    /// From `_S`.
    applicability_start_time ("applicability_start_time"): date,
    /// From `_O`, where it is an instant.
    first_absolute_orbit_number ("first_absolute_orbit_number"): date,
    /// From `_O`, where it is an instant.
    last_absolute_orbit_number ("last_absolute_orbit_number"): date,
    /// From `_V`.
    start_applicability_time_period ("start_applicability_time_period"): date,
    /// From `_V`.
    end_applicability_time_period ("end_applicability_time_period"): date,
    /// From `_D`.
    detector_id ("detector_id"): text,
    /// From `_R`.
    relative_orbit_number ("relative_orbit_number"): text,
    /// From `_T`: `32TQM`.
    tile_number ("tile_number"): text,
    /// From `_N`, without dots: `0510`.
    processing_baseline_number ("processing_baseline_number"): text,
    /// From `_B`.
    band_index_id ("band_index_id"): text,
    /// From `_W`.
    completeness_id ("completeness_id"): text,
    /// From `_L`.
    degradation_id ("degradation_id"): text,
    /// The sensing time of the datatake (Sentinel-2 containers).
    datatake_id_sensing_time ("datatake_id_sensing_time"): date,
    /// The last date of a Sentinel-2 container.
    product_discriminator_date ("product_discriminator_date"): date,
    /// The best of the dates above for the begin of sensing (Sentinel-2).
    sensing_start_date ("sensing_start_date"): date,
    /// Twenty characters, for Sentinel-3 names without level.
    extended_product_type ("extended_product_type"): text,
    /// `EFR___`.
    file_type_function ("file_type_function"): text,
    /// When sensing began (Sentinel-3 and 5P).
    start_sensing_time ("start_sensing_time"): date,
    /// When sensing ended (Sentinel-3 and 5P).
    end_sensing_time ("end_sensing_time"): date,
    /// When the file was made (Sentinel-3).
    creation_time ("creation_time"): date,
    /// Duration, cycle, orbit and frame, or the name of an area.
    instance_id ("instance_id"): text,
    /// `079`.
    cycle_number ("cycle_number"): text,
    /// `LN3`.
    centre ("centre"): text,
    /// `O_AL_002`.
    class_id ("class_id"): text,
    /// `O`.
    platform ("platform"): text,
    /// `NR`, `NT`, `NRTI`.
    timeliness ("timeliness"): text,
    /// `002`.
    baseline_collection ("baseline_collection"): text,
    /// `02`.
    collection_number ("collection_number"): text,
    /// `020301`.
    processor_version ("processor_version"): text,
    /// When production began (Sentinel-5P).
    production_start_date ("production_start_date"): date,
}
