//! The contract of a bus: every promise is one function here, and [`bus_contract!`](crate::bus_contract) makes a test of each
//! for a bus of yours.
//!
//! ```ignore
//! maas_model::bus_contract!(async { Fixture::new(bus, temporary_folder) });
//! ```

mod dead;
mod deliver;
mod fixture;
mod publish;
mod watch;

pub use dead::*;
pub use deliver::*;
pub use fixture::{Fixture, eventually, next};
pub use publish::*;
pub use watch::*;

/// Makes one test of each promise. `$make` is a future of a [`Fixture`], awaited once per test.
#[macro_export]
macro_rules! bus_contract {
    ($make:expr) => {
        $crate::bus_contract! { @each $make;
            a_message_comes_to_the_queue_bound_to_its_key
            a_message_comes_once_to_a_queue_with_two_matching_bindings
            a_message_comes_to_every_bound_queue
            wildcards_bind_by_words
            a_key_without_queue_is_unroutable
            an_unknown_exchange_is_refused_and_its_neighbours_are_not
            the_default_exchange_routes_by_queue_name
            messages_of_one_publish_keep_their_order
            two_thousand_messages_at_once_all_arrive
            each_unroutable_message_among_thousands_is_named
            nothing_published_is_nothing_to_tell
            a_big_body_arrives_whole
            bytes_and_headers_arrive_as_published
            publishers_at_the_same_time_lose_nothing
            a_new_delivery_is_not_redelivered
            an_acked_message_is_gone
            a_dropped_delivery_comes_again
            a_dropped_subscription_gives_back_what_it_held
            prefetch_is_a_bound
            room_is_made_by_settling
            two_subscriptions_share_a_queue
            a_waiting_subscription_is_woken
            waiting_for_a_message_can_be_given_up
            a_returned_message_comes_after_its_delay
            a_message_returned_without_delay_comes_again
            tries_are_counted_and_drops_beside_them
            a_message_that_nobody_had_is_not_abandoned
            a_message_is_replaced_by_its_parts
            a_part_waits_for_its_delay
            a_delayed_message_does_not_hold_up_others
            a_closed_bus_ends_its_subscriptions
            a_dead_message_lies_in_the_parking_queue_of_its_pool
            a_dead_message_that_is_no_text_is_kept_whole
            the_tries_of_a_dead_message_are_told
            a_parking_queue_of_an_interface_takes_letters
            dead_letters_are_listed_and_chosen
            a_replayed_letter_comes_as_it_was_first
            a_letter_that_dies_again_keeps_its_history
            a_discarded_letter_is_gone_and_the_others_stay
            peeking_leaves_the_messages
            peeking_respects_its_limit
            delayed_messages_are_told_by_queue
            a_purged_queue_is_empty
            the_depth_of_a_queue_is_told
            the_consumers_of_a_queue_are_told
            looking_at_a_queue_tells_its_oldest_message_and_disturbs_none
            queues_are_found_by_pattern
            declaring_twice_changes_nothing
            a_later_declaration_adds_a_binding
            another_kind_is_a_mismatch
            subscribing_to_no_queue_is_refused
            a_bus_tells_its_status
        }
    };
    (@each $make:expr; $($promise:ident)*) => {
        $(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::testing::bus::$promise($make.await).await;
            }
        )*
    };
}
