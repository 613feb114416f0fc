//! The docker fleet on a real engine. Where there is none, the tests say so and pass.
//!
//! This program is also what runs *in* the containers and beside the run, as the product's own binary is: it has a `main` of
//! its own, which plays `agent`, `supervise` and two parts of tests before it is a test runner.
#![allow(clippy::disallowed_methods, reason = "these tests drive real containers")]

mod appliance;
mod calls;
mod conformance;
mod contract;
mod dataplane;
mod faulty;
mod figures;
mod guest;
mod mishaps;
mod outside;
mod ownership;
mod power;
mod probes;
mod watches;
mod world;

use std::future::Future;
use std::process::ExitCode;

use bollard::Docker;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["agent"] => grenadier_agent::run(guest::make_guest),
        ["supervise", run] => grenadier_fleet_docker::supervisor::supervise(run),
        ["figures"] => figures::print(),
        ["conformance"] => conformance::in_container(),
        ["hold", run, directory] => ownership::hold(run, directory),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    let own = [
        trial("power_off_loses_kernel_state", power::kernel_state_goes),
        trial("what_a_container_cannot_be_is_refused", power::refusals),
        trial("a_machine_without_an_image_comes_on_and_finds_nothing", power::no_image),
        trial("programs_write_nothing_to_a_full_disk", mishaps::programs_on_a_full_disk),
        trial("large_packets_come_late_and_whole", mishaps::large_packets_come_late_and_whole),
        trial("a_partition_leaves_cards_addresses_and_routes_alone", mishaps::a_partition_leaves_the_card_alone),
        trial("a_partition_that_cannot_be_made_is_refused", mishaps::a_partition_that_cannot_be_made),
        trial("a_container_removed_from_outside_is_a_machine_that_lost_its_disk", outside::removed),
        trial("a_container_paused_from_outside_is_a_machine_that_went_off", outside::paused),
        trial("an_outage_has_bounds_and_a_lost_prober_shows", watches::outage_at_kill),
        trial("a_pinned_connection_breaks_with_its_owner", watches::pinned),
        trial("probes_tell_every_fault_by_its_class_and_within_its_bounds", probes::every_fault),
        trial("a_probe_sees_another_certificate", probes::other_certificate),
        trial("without_a_fault_no_probe_sees_one", probes::no_fault),
        trial("calls_reach_machines_and_fail_as_they_should", calls::http_and_shell),
        trial("the_appliance_serves_routes_with_the_real_haproxy_2_2", appliance::bullseye),
        trial("the_appliance_serves_routes_with_the_real_haproxy_2_6", appliance::bookworm),
        trial("the_appliance_serves_routes_with_the_real_haproxy_3_0", appliance::trixie),
        trial("the_data_plane_api_conforms_in_front_of_haproxy_2_2", dataplane::bullseye),
        trial("the_data_plane_api_conforms_in_front_of_haproxy_2_6", dataplane::bookworm),
        trial("the_data_plane_api_conforms_in_front_of_haproxy_3_0", dataplane::trixie),
        trial("a_killed_owner_leaves_nothing", ownership::killed_owner),
        trial("the_real_host_behaves_as_the_test_host", conformance::same_effects),
    ];
    own.into_iter().chain(contract::trials()).collect()
}

/// A test on an engine that has the standard images.
fn trial<F, R>(name: &str, test: F) -> Trial
where
    F: FnOnce(Docker) -> R + Send + 'static,
    R: Future<Output = ()>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            match grenadier_fleet_docker::engine::connect().await {
                Err(error) => println!("not covered: no Docker engine ({error})"),
                Ok(docker) if docker.inspect_image(world::NODE_IMAGE).await.is_err() => {
                    println!("not covered: the standard images are not there yet");
                }
                Ok(docker) => test(docker).await,
            }
        });
        Ok(())
    })
}
