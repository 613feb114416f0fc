//! Engines with one fault each: what proves that the checks notice.
//!
//! A mutant makes the plan of [`hardened`] and carries it out with one [`Defect`]. All of this is compiled with the feature
//! `mutants` alone, which tests turn on and nothing that is shipped does.

mod step;

use std::time::Duration;

use grenadier_wire::Wire;

use crate::engine::Engine;
use crate::journal::Journal;
use crate::procedures::haproxy_appliance::{Parameters, hardened};
use crate::report::{EngineReport, Outcome, Verb};
use step::Defective;

macro_rules! defects {
    ($($(#[doc = $says:literal])+ $variant:ident = $name:literal,)+) => {
        /// What is wrong with an engine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defect {
            $($(#[doc = $says])+ $variant,)+
        }

        impl Defect {
            /// All of them.
            pub const ALL: &[Defect] = &[$(Defect::$variant,)+];

            /// Its name in tables and messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Defect::$variant => $name,)+
                }
            }
        }
    };
}

defects! {
    /// It does not mark the machine it deploys, so it does not know it again after an answer was lost.
    NoIdempotencyKey = "no-idempotency-key",
    /// It takes `power-off-old` back before `power-on-new`, and does not look whether the other appliance is on.
    UndoInWrongOrder = "undo-in-wrong-order",
    /// It powers the new appliance on beside the old one.
    ForgetsToPowerOff = "forgets-to-power-off",
    /// It goes on after a step that failed.
    SwallowsAnError = "swallows-an-error",
    /// It ends with exit code 0 although it rolled back.
    ExitsZeroOnFailure = "exits-0-on-failure",
    /// It takes a snapshot of the old appliance, to be safe, and leaves it there.
    KeepsTheSnapshot = "keeps-the-snapshot",
    /// It rolls back and leaves the new machine where it is.
    LeavesTheNewMachine = "leaves-the-new-machine",
    /// It deploys the new appliance without the saved certificate, and pins whatever certificate that one shows.
    WrongCertificate = "wrong-certificate",
    /// It believes that every step took, and that services, addresses and routes are there.
    SkipsVerification = "skips-verification",
    /// It waits a second for what takes a minute.
    GivesUpEarly = "gives-up-early",
    /// Rolling back, it takes people's own lines out of the old appliance's configuration, too.
    UndoesTooMuch = "undoes-too-much",
    /// It puts the certificate's key into a file of its own on the old appliance, and leaves it there.
    KeepsACredentialFile = "keeps-a-credential-file",
    /// It takes a snapshot before it looks whether the upgrade is to be refused.
    ChangesBeforeItRefuses = "changes-before-it-refuses",
    /// It does not care what vSphere is going to be.
    IgnoresTheNextVsphere = "ignores-the-next-vsphere",
    /// It does not put customisations back.
    LosesCustomisations = "loses-customisations",
    /// It pauses for two minutes between the two appliances.
    Dawdles = "dawdles",
    /// It never stops looking for routes.
    WaitsForEver = "waits-for-ever",
    /// It copies the old `haproxy.cfg` with a route in it that nobody serves any more, and does not have it loaded.
    WritesBehindTheProcess = "writes-behind-the-process",
}

/// Has an engine with this defect do what `verb` says.
pub async fn call(
    defect: Defect,
    verb: Verb,
    wire: Wire,
    mut parameters: Parameters,
    journal: &mut Journal,
) -> EngineReport {
    let second = Duration::from_secs(1);
    match defect {
        Defect::GivesUpEarly => parameters.deadlines.services = second,
        Defect::IgnoresTheNextVsphere => parameters.vsphere_after = None,
        _ => {}
    }
    let procedure = hardened(wire.clone(), parameters);
    let mut procedure = procedure.carried_out_by(|inner| Box::new(Defective { defect, inner }));
    let engine = Engine::new(wire);
    let mut report = match verb {
        Verb::Upgrade => engine.upgrade(&mut procedure, journal).await,
        Verb::Resume => engine.resume(&mut procedure, journal).await,
        Verb::Rollback => engine.rollback(&mut procedure, journal).await,
    };
    if defect == Defect::ExitsZeroOnFailure && report.outcome == Outcome::RolledBack {
        report.exit_code = 0;
    }
    report
}
