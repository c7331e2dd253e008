//! The store contract: what every `DocumentStore` promises, as tests.
//!
//! [`store_contract!`](crate::store_contract) lists all promises once and makes one test of each. A promise
//! takes the store and a prefix of its own for the names of its indices, so that promises can run side by
//! side on one server.

// The name of a promise is its documentation.
#![allow(missing_docs)]

mod aggregating;
mod concurrent;
mod fixture;
mod models;
mod ordering;
mod querying;
mod reading;
mod scanning;
mod writing;

pub use aggregating::*;
pub use concurrent::*;
pub use fixture::fresh_prefix;
pub use models::*;
pub use ordering::*;
pub use querying::*;
pub use reading::*;
pub use scanning::*;
pub use writing::*;

/// Makes a module `contract` with one tokio test per promise of the store contract.
///
/// The expression is a future of anything that derefs to a [`DocumentStore`](crate::store::DocumentStore)
/// (`Arc<dyn DocumentStore>`, or a guard that keeps a folder); it is evaluated once per promise. The name
/// of the module can be given first: `store_contract!(retried, async { ... })`.
#[macro_export]
macro_rules! store_contract {
    ($store:expr) => { $crate::store_contract!(contract, $store); };
    ($module:ident, $store:expr) => {
        $crate::store_contract! { @tests $module, $store,
            // reading
            get_many_keeps_the_order_asked
            a_missing_document_keeps_its_place
            an_id_asked_twice_is_given_twice
            no_ids_give_no_documents
            an_unknown_index_is_empty
            a_read_by_id_sees_a_write_at_once
            a_read_by_id_sees_every_partition_of_an_alias
            a_document_in_two_partitions_comes_from_the_last
            a_read_tells_index_and_version
            two_thousand_ids_are_read_in_one_call
            // writing
            nothing_to_write_is_no_error
            create_refuses_an_existing_document
            index_creates_and_then_updates
            index_at_the_version_read_updates
            index_at_an_old_version_conflicts
            index_at_the_version_of_a_gone_document_conflicts
            versions_grow_with_every_write
            delete_removes_and_tells
            delete_of_a_missing_document_says_so
            delete_at_an_old_version_conflicts
            a_deleted_document_can_be_created_again
            outcomes_come_in_the_order_of_the_actions
            actions_on_one_document_take_effect_in_their_order
            one_call_writes_several_indices
            a_conflict_leaves_the_neighbours_alone
            a_refused_document_leaves_the_neighbours_alone
            a_refusal_names_the_field
            a_text_in_a_number_field_is_refused
            an_object_in_a_keyword_field_is_refused
            a_date_that_is_none_is_refused
            a_malformed_value_is_kept_where_the_model_ignores_it
            a_write_to_an_alias_is_refused
            a_bulk_of_1500_documents_is_written
            a_big_document_survives
            undeclared_fields_survive
            numbers_keep_their_kind
            big_integers_stay_exact
            the_order_of_fields_survives
            empty_values_survive
            unicode_ids_and_values_survive
            ids_may_hold_any_character
            // searching
            all_finds_everything
            a_search_sees_what_a_refresh_made_visible
            term_finds_equal_texts
            term_finds_equal_numbers_of_any_kind
            term_finds_booleans
            term_compares_dates_as_instants
            term_finds_an_element_of_a_list
            terms_finds_one_of_several
            terms_of_nothing_finds_nothing
            terms_takes_a_thousand_values
            range_of_numbers_keeps_its_bounds
            range_of_dates_takes_any_text_form
            range_of_texts_is_by_characters
            an_open_range_has_one_bound
            prefix_finds_the_beginning_of_texts
            exists_needs_a_value
            ids_finds_documents_by_id
            the_id_is_found_like_a_field
            and_needs_all
            or_needs_one
            not_turns_around
            and_of_nothing_finds_everything
            or_of_nothing_finds_nothing
            queries_nest
            a_query_nested_too_deep_is_refused
            a_path_reaches_into_objects
            odd_field_names_are_only_names
            sort_goes_up_and_down
            sort_puts_missing_values_last
            sort_by_several_fields
            sort_by_id
            sort_of_dates_is_by_time
            limit_cuts_after_sorting
            a_limit_out_of_bounds_is_refused
            chosen_fields_only
            a_search_by_alias_covers_every_partition
            a_search_of_an_unknown_index_finds_nothing
            a_scan_gives_everything_once
            a_scan_keeps_to_its_query
            a_scan_keeps_the_order
            a_scan_of_nothing_ends_at_once
            a_scan_survives_writes_meanwhile
            count_counts_what_matches
            // aggregating
            no_groups_give_one_bucket
            measures_of_nothing
            terms_groups_by_value
            terms_groups_numbers_and_booleans
            a_document_without_the_field_is_left_out
            a_list_counts_in_several_groups
            a_date_histogram_names_the_first_instant
            every_interval_has_its_span
            sum_min_max_average
            dates_are_measured_in_milliseconds
            cardinality_counts_different_values
            different_ids_are_counted
            groups_nest
            more_groups_than_one_page
            an_aggregation_keeps_to_its_query
            an_aggregation_by_alias_covers_every_partition
            // models, indices
            install_twice_changes_nothing
            a_field_added_later_is_known
            indices_tell_names_aliases_and_counts
            indices_takes_a_pattern
            drop_removes_one_index
            drop_of_a_missing_index_is_no_error
            drop_refuses_an_alias
            a_model_without_partition_is_one_index
            an_index_of_no_model_stands_alone
            status_tells_what_is_installed
            // concurrent
            concurrent_counters_end_exact
            concurrent_creates_have_one_winner
            readers_see_whole_documents
        }
    };
    (@tests $module:ident, $store:expr, $($promise:ident)*) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let store = $store.await;
                    let prefix = $crate::testing::store::fresh_prefix();
                    $crate::testing::store::$promise(&*store, &prefix).await;
                }
            )*
        }
    };
}
