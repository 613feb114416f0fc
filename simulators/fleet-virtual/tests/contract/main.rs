//! The fleet's contract in the virtual world.

mod world;

use std::process::ExitCode;

use grenadier_fleet_contract::{Case, cases, trial};
use libtest_mimic::{Arguments, Trial};

use crate::world::World;

fn main() -> ExitCode {
    let trials = cases::<World>().into_iter().map(made).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn made(case: Case<World>) -> Trial {
    Trial::test(case.name, move || {
        match trial(&case) {
            Ok(run) => {
                let world = World::new();
                world.inner.clone().block_on(run(world));
            }
            Err(exception) => println!("not in this fleet: {}", exception.reason),
        }
        Ok(())
    })
}
