//! The cases, by name.

mod capacity;
mod cards;
mod create;
mod files;
mod mishaps;
mod outside;
mod power;
mod shell;
mod slowness;
mod snapshots;

use std::future::Future;
use std::pin::Pin;

use crate::bench::Bench;
use crate::world::{ContractWorld, Exception};

/// A case on its way.
type Running = Pin<Box<dyn Future<Output = ()>>>;

/// One thing that every fleet promises.
pub struct Case<W> {
    /// Its name, unique in the suite.
    pub name: &'static str,
    /// Sees whether a world keeps the promise. Panics where not.
    pub run: fn(W) -> Running,
}

macro_rules! list {
    ($($module:ident :: $name:ident),* $(,)?) => {
        vec![$(Case {
            name: stringify!($name),
            run: |world| Box::pin(async move {
                let mut bench = Bench::new(world);
                $module::$name(&mut bench).await;
                bench.end().await;
            }),
        }),*]
    };
}

/// Every case of the suite.
pub fn cases<W: ContractWorld>() -> Vec<Case<W>> {
    list![
        create::a_new_machine_is_off_and_as_it_was_ordered,
        create::what_cannot_be_made_is_refused,
        create::only_a_machine_that_is_off_is_destroyed,
        power::power_off_silences_a_machine_and_keeps_its_files,
        power::a_guest_shuts_itself_down,
        power::a_reset_is_off_and_on_again,
        power::power_operations_need_the_other_state,
        power::a_machine_takes_one_order_at_a_time,
        power::a_guest_sees_its_configuration_change,
        power::a_disk_without_an_image_boots_nothing,
        cards::a_card_keeps_its_hardware_address,
        cards::two_owners_of_a_range_both_answer,
        cards::cards_are_plugged_and_unplugged_while_on,
        cards::a_link_goes_down_and_comes_back,
        files::files_are_written_and_removed_on_and_off,
        files::a_disk_holds_no_more_than_its_capacity,
        shell::commands_run_where_the_address_is,
        snapshots::a_revert_brings_everything_back_but_the_name,
        snapshots::snapshots_form_a_tree,
        snapshots::a_snapshot_with_memory_comes_back_on,
        capacity::a_host_turns_on_no_more_than_it_has,
        capacity::a_host_stores_no_more_than_it_has,
        outside::a_kill_from_outside_is_seen_at_once,
        mishaps::a_crash_needs_a_machine_that_is_on,
        mishaps::a_boot_that_fails_is_followed_by_a_sound_one,
        mishaps::a_boot_may_get_no_address,
        mishaps::a_full_disk_takes_only_what_replaces_as_much,
        mishaps::a_partition_cuts_a_machine_off_until_it_is_repaired,
        mishaps::a_partition_outlasts_a_reset,
        slowness::a_slow_start_is_slow_once,
        slowness::a_machine_stands_still_until_it_goes_on,
        slowness::a_pause_ends_with_a_life,
        slowness::what_a_machine_is_sent_comes_late,
        slowness::a_share_of_packets_is_lost,
    ]
}

/// What the test of a case is in this fleet: the case, or the reason why there is none.
///
/// # Panics
/// Where the fleet declares an exception for a case that is not in the suite.
pub fn trial<W: ContractWorld>(case: &Case<W>) -> Result<fn(W) -> Running, &'static Exception> {
    let all = cases::<W>();
    for exception in W::EXCEPTIONS {
        assert!(all.iter().any(|case| case.name == exception.case), "no case is called {}", exception.case);
    }
    W::EXCEPTIONS.iter().find(|exception| exception.case == case.name).map_or(Ok(case.run), Err)
}
